//! One request, with everything that answering it needs.

use std::collections::BTreeMap;
use std::sync::Arc;

use actions::Context;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method};
use model::Id;

use crate::api::errors::ApiError;
use crate::api::headers::{self, Prefer};
use crate::api::json::Json;
use model::Table;

// No `Debug`: the body and the headers hold passwords and tokens.
pub(crate) struct Call {
    pub ctx: Context,
    pub method: Method,
    pub headers: HeaderMap,
    pub prefer: Prefer,
    /// The URL's options, decoded.
    pub query: Vec<(String, String)>,
    /// The path and options as they were sent, for links to the next page.
    pub path_and_query: String,
    pub body: Bytes,
    /// `http://127.0.0.1:8420`
    pub origin: String,
    /// `v9.2`
    pub version: String,
    /// Rows made earlier in the same change set.
    pub references: References,
}

/// Content id → `accounts(<guid>)`.
pub(crate) type References = Arc<BTreeMap<String, String>>;

impl Call {
    /// `http://127.0.0.1:8420/api/data/v9.2/`
    pub fn root(&self) -> String {
        format!("{}/api/data/{}/", self.origin, self.version)
    }

    /// The absolute URL of a row.
    pub fn url_of(&self, table: &Table, id: Id) -> String {
        format!("{}{}({id})", self.root(), table.set)
    }

    /// The payload, which must be a JSON object; references to rows made in
    /// the same change set (`$1`) are put in their place.
    pub fn payload(&self) -> Result<Vec<(String, Json)>, ApiError> {
        headers::require_json(&self.headers)?;
        let mut properties = Json::read_object(&self.body)?;
        if !self.references.is_empty() {
            refer(&mut properties, &self.references);
        }
        Ok(properties)
    }

    /// `…$metadata#mailboxes(name)`
    pub fn context(&self, fragment: &str) -> String {
        format!("{}$metadata{fragment}", self.root())
    }
}

/// `"x@odata.bind": "$1"` → `"x@odata.bind": "accounts(<guid>)"`, at any depth.
fn refer(properties: &mut [(String, Json)], references: &BTreeMap<String, String>) {
    for (name, value) in properties {
        refer_value(value, references, name.ends_with("@odata.bind") || name == "@odata.id");
    }
}

fn refer_value(value: &mut Json, references: &BTreeMap<String, String>, is_url: bool) {
    match value {
        Json::Text(text) if is_url => {
            if let Some(row) = text.strip_prefix('$').and_then(|id| references.get(id)) {
                text.clone_from(row);
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| refer_value(item, references, is_url)),
        Json::Object(properties) => refer(properties, references),
        _ => {}
    }
}

/// The options of a URL: decoded, `+` as a space, names with or without an
/// encoded `$`.
pub(crate) fn query(text: &str) -> Result<Vec<(String, String)>, ApiError> {
    let decode = |part: &str| -> Result<String, ApiError> {
        let part = part.replace('+', " ");
        let decoded = percent_encoding::percent_decode_str(&part).decode_utf8();
        let decoded = decoded.map_err(|_| ApiError::bad_request("The URL is not valid UTF-8."))?;
        Ok(decoded.into_owned())
    };
    let pairs = text.split('&').filter(|p| !p.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?.trim().to_owned(), decode(value)?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str)]) {
        let read = query(text).unwrap();
        let read: Vec<_> = read.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(read, expected);
    }

    #[test]
    fn encoded_dollar() {
        check("%24select=name", &[("$select", "name")]);
    }
    #[test]
    fn plus_is_a_space() {
        check("$filter=name+eq+'a%2Bb'", &[("$filter", "name eq 'a+b'")]);
    }
    #[test]
    fn equals_sign_in_a_value() {
        check("a=b=c&&d", &[("a", "b=c"), ("d", "")]);
    }
}
