//! What a form or a query says. A name may stand more than once (check boxes).

use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use model::{Id, Secret};
use percent_encoding::percent_decode_str;

use crate::pages::kit::Fault;

/// Octets of a payload.
const LARGEST: usize = 4 * 1024 * 1024;

// No `Debug`: there may be passwords among them.
#[derive(Default, Clone)]
pub(crate) struct Form(BTreeMap<String, Vec<String>>);

impl Form {
    /// Of `name=value&…`.
    pub fn of(text: &str) -> Result<Self, Fault> {
        let mut fields: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for pair in text.split('&').filter(|p| !p.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            fields.entry(decoded(name)?).or_default().push(decoded(value)?);
        }
        Ok(Self(fields))
    }

    /// Whether the form has a field of this name, empty or not.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The value as it was typed; empty where there is none.
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(|v| v.last()).map_or("", String::as_str)
    }

    /// The value without space around it, unless that is empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        Some(self.text(name).trim()).filter(|text| !text.is_empty())
    }

    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.get(name).into_iter().flatten().map(String::as_str)
    }

    /// A check box. Where a hidden field of the same name stands before it,
    /// the last one counts.
    pub fn ticked(&self, name: &str) -> bool {
        matches!(self.text(name), "1" | "true" | "on" | "yes")
    }

    pub fn secret(&self, name: &str) -> Secret {
        Secret::new(self.text(name))
    }

    pub fn number(&self, name: &str) -> Option<i64> {
        self.get(name)?.parse().ok()
    }

    pub fn id(&self, name: &str) -> Option<Id> {
        self.get(name)?.parse().ok()
    }

    /// All values that are identifiers, each once, in their order.
    pub fn ids(&self, name: &str) -> Vec<Id> {
        let mut ids = Vec::new();
        for id in self.all(name).filter_map(|text| text.trim().parse().ok()) {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Adds a value, as a multipart form does.
    pub fn put(&mut self, name: &str, value: String) {
        self.0.entry(name.to_owned()).or_default().push(value);
    }
}

fn decoded(text: &str) -> Result<String, Fault> {
    let text = text.replace('+', " ");
    let decoded = percent_decode_str(&text).decode_utf8();
    decoded.map(std::borrow::Cow::into_owned).map_err(|_| Fault::bad("A field is not UTF-8."))
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Fault;

    async fn from_request(request: Request<Body>, _: &S) -> Result<Self, Self::Rejection> {
        let kind = request.headers().get(axum::http::header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        let is_form = kind.is_none_or(|k| k.starts_with("application/x-www-form-urlencoded"));
        let bytes = axum::body::to_bytes(request.into_body(), LARGEST)
            .await
            .map_err(|_| Fault::new(axum::http::StatusCode::PAYLOAD_TOO_LARGE, "The form is too large."))?;
        if !is_form && !bytes.is_empty() {
            return Err(Fault::bad("The payload must be a form."));
        }
        Self::of(std::str::from_utf8(&bytes).map_err(|_| Fault::bad("The form is not UTF-8."))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, name: &str, expected: &[&str]) {
        let form = Form::of(text).ok().unwrap();
        assert_eq!(form.all(name).collect::<Vec<_>>(), expected, "{text}");
    }

    #[test]
    fn values() {
        check("a=b&a=c+d", "a", &["b", "c d"]);
        check("a=%C3%A9", "a", &["é"]);
        check("a", "a", &[""]);
        check("", "a", &[]);
    }
    #[test]
    fn check_boxes() {
        assert!(Form::of("a=0&a=1").ok().unwrap().ticked("a"));
        assert!(!Form::of("a=0").ok().unwrap().ticked("a"));
        assert!(!Form::of("").ok().unwrap().ticked("a"));
    }
    #[test]
    fn no_text() {
        assert!(Form::of("a=%ff").is_err());
    }
    #[test]
    fn identifiers_once() {
        let id = "0193b0a0-0000-7000-8000-000000000001";
        assert_eq!(Form::of(&format!("id={id}&id=x&id={id}")).ok().unwrap().ids("id").len(), 1);
    }
}
