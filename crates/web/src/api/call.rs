//! One request, with everything that answering it needs.

use actions::Context;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method};
use model::Id;

use crate::api::headers::Prefer;
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
}

impl Call {
    /// `http://127.0.0.1:8420/api/data/v9.2/`
    pub fn root(&self) -> String {
        format!("{}/api/data/{}/", self.origin, self.version)
    }

    /// The absolute URL of a row.
    pub fn url_of(&self, table: &Table, id: Id) -> String {
        format!("{}{}({id})", self.root(), table.set)
    }

    /// `…$metadata#mailboxes(name)`
    pub fn context(&self, fragment: &str) -> String {
        format!("{}$metadata{fragment}", self.root())
    }
}

/// The options of a URL: decoded, `+` as a space, names with or without an
/// encoded `$`.
pub(crate) fn query(text: &str) -> Result<Vec<(String, String)>, crate::api::errors::ApiError> {
    let decode = |part: &str| -> Result<String, crate::api::errors::ApiError> {
        let part = part.replace('+', " ");
        let decoded = percent_encoding::percent_decode_str(&part).decode_utf8();
        let decoded = decoded.map_err(|_| crate::api::errors::ApiError::bad_request("The URL is not valid UTF-8."))?;
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
