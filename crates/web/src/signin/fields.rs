//! What a form or a JSON object says: names and texts.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use model::Secret;
use percent_encoding::percent_decode_str;

/// Octets of a payload.
const LARGEST: usize = 64 * 1024;

// No `Debug`: there are passwords among them.
#[derive(Default)]
pub(super) struct Fields(BTreeMap<String, String>);

impl Fields {
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    pub fn secret(&self, name: &str) -> Secret {
        Secret::new(self.text(name))
    }

    /// Of a form or a query: `Err` where it is neither, or a name stands twice.
    pub fn of_form(text: &str) -> Result<Self, &'static str> {
        let mut fields = BTreeMap::new();
        for pair in text.split('&').filter(|p| !p.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decoded(name)?, decoded(value)?);
            if fields.insert(name, value).is_some() {
                return Err("A parameter stands there twice.");
            }
        }
        Ok(Self(fields))
    }

    /// Of an object of texts; numbers and yes-or-no count as their texts.
    fn of_json(bytes: &[u8]) -> Result<Self, &'static str> {
        let object: BTreeMap<String, serde_json::Value> =
            serde_json::from_slice(bytes).map_err(|_| "The payload is not a JSON object.")?;
        let mut fields = BTreeMap::new();
        for (name, value) in object {
            let text = match value {
                serde_json::Value::String(text) => text,
                serde_json::Value::Null => continue,
                value @ (serde_json::Value::Number(_) | serde_json::Value::Bool(_)) => value.to_string(),
                _ => return Err("The payload may hold texts only."),
            };
            fields.insert(name, text);
        }
        Ok(Self(fields))
    }

    /// Of a request's payload.
    pub async fn read(headers: &HeaderMap, body: Body) -> Result<Self, &'static str> {
        let bytes = axum::body::to_bytes(body, LARGEST).await.map_err(|_| "The payload is too large.")?;
        if is_json(headers) {
            return Self::of_json(&bytes);
        }
        if !is_form(headers) && !bytes.is_empty() {
            return Err("The payload must be a form or JSON.");
        }
        Self::of_form(std::str::from_utf8(&bytes).map_err(|_| "The payload is not UTF-8.")?)
    }
}

fn decoded(text: &str) -> Result<String, &'static str> {
    let text = text.replace('+', " ");
    let decoded = percent_decode_str(&text).decode_utf8().map_err(|_| "A parameter is not UTF-8.")?;
    Ok(decoded.into_owned())
}

fn kind(headers: &HeaderMap) -> &str {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
    kind.split(';').next().unwrap_or("").trim()
}

pub(super) fn is_json(headers: &HeaderMap) -> bool {
    kind(headers).eq_ignore_ascii_case("application/json")
}

pub(super) fn is_form(headers: &HeaderMap) -> bool {
    kind(headers).eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn form(text: &str, expected: Option<&[(&str, &str)]>) {
        let read = Fields::of_form(text).ok().map(|f| f.0);
        let expected = expected.map(|e| e.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect());
        assert_eq!(read, expected, "{text}");
    }

    #[test]
    fn forms() {
        form("a=b&c=", Some(&[("a", "b"), ("c", "")]));
        form("a=b+c%2Bd", Some(&[("a", "b c+d")]));
        form("&&a", Some(&[("a", "")]));
        form("a=%ff", None);
        form("a=1&a=2", None);
    }
    #[test]
    fn objects() {
        let fields = Fields::of_json(br#"{"a":"b","n":30,"t":true,"z":null}"#).unwrap();
        assert_eq!((fields.text("a"), fields.text("n"), fields.text("t"), fields.get("z")), ("b", "30", "true", None));
        assert!(Fields::of_json(b"[]").is_err());
        assert!(Fields::of_json(br#"{"a":{}}"#).is_err());
    }
}
