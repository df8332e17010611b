//! What the request's headers ask for.

use actions::Precondition;
use axum::http::{HeaderMap, header};
use model::Refusal;

use crate::api::commas;
use crate::api::errors::ApiError;

/// Page size where the caller names none, and the largest.
pub(crate) const LARGEST_PAGE: usize = 5000;

/// The preferences of RFC 7240 and OData that are honoured.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Prefer {
    /// `return=representation`
    pub representation: bool,
    /// `odata.continue-on-error`, in a batch.
    pub continue_on_error: bool,
    pub page_size: Option<usize>,
    /// The annotations to include: names, `*` at the end stands for anything.
    pub annotations: Vec<String>,
    /// `odata.track-changes`
    pub track_changes: bool,
    /// In the words of the request, for `Preference-Applied`.
    pub applied: Vec<String>,
}

impl Prefer {
    pub fn read(headers: &HeaderMap) -> Self {
        let mut prefer = Self::default();
        for value in headers.get_all("prefer") {
            for preference in commas::outside('"', value.to_str().unwrap_or("")) {
                prefer.take(preference.trim());
            }
        }
        prefer
    }

    /// Unknown preferences are ignored, as RFC 7240 wants it.
    fn take(&mut self, preference: &str) {
        let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
        let value = value.trim().trim_matches('"');
        match name.trim().to_ascii_lowercase().as_str() {
            "return" if value.eq_ignore_ascii_case("representation") => self.representation = true,
            "odata.maxpagesize" | "maxpagesize" => match value.parse::<usize>() {
                Ok(n) if n > 0 => self.page_size = Some(n.min(LARGEST_PAGE)),
                _ => return,
            },
            "odata.track-changes" | "track-changes" => self.track_changes = true,
            "odata.continue-on-error" | "continue-on-error" if !value.eq_ignore_ascii_case("false") => {
                self.continue_on_error = true;
            }
            "odata.include-annotations" | "include-annotations" => {
                self.annotations = value.split(',').map(|a| a.trim().to_owned()).filter(|a| !a.is_empty()).collect();
            }
            _ => return,
        }
        self.applied.push(preference.to_owned());
    }

    /// Whether an annotation, e.g. `OData.Community.Display.V1.FormattedValue`, is wanted.
    pub fn wants(&self, annotation: &str) -> bool {
        self.annotations.iter().any(|wanted| match wanted.strip_suffix('*') {
            Some(start) => annotation.starts_with(start),
            None => annotation == wanted,
        })
    }
}

/// `If-Match` and `If-None-Match` of a write.
pub(crate) fn precondition(headers: &HeaderMap) -> Result<Precondition, ApiError> {
    let text = |name: header::HeaderName| headers.get(name).and_then(|v| v.to_str().ok()).map(str::trim);
    match (text(header::IF_MATCH), text(header::IF_NONE_MATCH)) {
        (Some("*"), _) => Ok(Precondition::Exists),
        (Some(etag), _) => version(etag).map(Precondition::Version).ok_or_else(|| {
            let message = "If-Match takes * or an ETag such as W/\"4711\".";
            Refusal::new(0x8006_0883, "ConcurrencyVersionNotProvided", model::Words::foreign(message)).into()
        }),
        (None, Some("*")) => Ok(Precondition::Absent),
        // Clients send the literal `null` and mean "do not cache".
        _ => Ok(Precondition::Any),
    }
}

/// The version in `If-None-Match` of a read.
pub(crate) fn known_version(headers: &HeaderMap) -> Option<i64> {
    version(headers.get(header::IF_NONE_MATCH)?.to_str().ok()?.trim())
}

/// `W/"4711"` → 4711
fn version(etag: &str) -> Option<i64> {
    let inner = etag.strip_prefix("W/").unwrap_or(etag);
    inner.strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}

/// 415 for a compressed payload: a few octets could become any number.
pub(crate) fn require_plain(headers: &HeaderMap) -> Result<(), ApiError> {
    let mut codings = headers.get_all(header::CONTENT_ENCODING).iter();
    if codings.all(|c| c.to_str().is_ok_and(|c| c.trim().is_empty() || c.trim().eq_ignore_ascii_case("identity"))) {
        return Ok(());
    }
    let message = "Compressed payloads are not taken. Send it without Content-Encoding.";
    let mut error = ApiError::new(
        axum::http::StatusCode::UNSUPPORTED_MEDIA_TYPE,
        actions::validate::malformed(model::Words::foreign(message)),
    );
    error.headers.push((header::ACCEPT_ENCODING, "identity".to_owned()));
    Err(error)
}

/// 415 unless the payload is JSON; no Content-Type at all is let pass.
pub(crate) fn require_json(headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(kind) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let kind = kind.to_str().unwrap_or("").split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    if kind == "application/json" || kind == "text/json" || kind.is_empty() {
        return Ok(());
    }
    let message = "The payload must be JSON: Content-Type: application/json.";
    Err(ApiError::new(
        axum::http::StatusCode::UNSUPPORTED_MEDIA_TYPE,
        actions::validate::malformed(model::Words::foreign(message)),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefer(text: &str) -> Prefer {
        let mut headers = HeaderMap::new();
        headers.insert("prefer", text.parse().unwrap());
        Prefer::read(&headers)
    }

    #[test]
    fn representation() {
        assert!(prefer("return=representation").representation);
    }
    #[test]
    fn minimal() {
        assert!(!prefer("return=minimal").representation);
    }
    #[test]
    fn page_size() {
        assert_eq!(prefer("odata.maxpagesize=3").page_size, Some(3));
    }
    #[test]
    fn page_size_has_a_limit() {
        assert_eq!(prefer("odata.maxpagesize=999999").page_size, Some(5000));
    }
    #[test]
    fn page_size_of_nothing_is_ignored() {
        assert_eq!(prefer("odata.maxpagesize=0").page_size, None);
    }
    #[test]
    fn annotations_in_quotes_with_commas() {
        let p = prefer(
            r#"odata.include-annotations="OData.Community.*,Microsoft.Dynamics.CRM.lookuplogicalname", return=representation"#,
        );
        assert!(p.wants("OData.Community.Display.V1.FormattedValue"));
        assert!(p.wants("Microsoft.Dynamics.CRM.lookuplogicalname"));
        assert!(!p.wants("Microsoft.Dynamics.CRM.associatednavigationproperty"));
        assert!(p.representation);
        assert_eq!(p.applied.len(), 2);
    }
    #[test]
    fn track_changes() {
        let p = prefer("odata.track-changes,odata.maxpagesize=3");
        assert!(p.track_changes && p.page_size == Some(3));
        assert_eq!(p.applied, ["odata.track-changes", "odata.maxpagesize=3"]);
    }
    #[test]
    fn all_annotations() {
        assert!(prefer("odata.include-annotations=\"*\"").wants("x"));
    }
    #[test]
    fn unknown_preferences_are_ignored() {
        assert_eq!(prefer("respond-async, wait=10"), Prefer::default());
    }

    #[track_caller]
    fn check(name: &'static str, value: &str, expected: Option<Precondition>) {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        assert_eq!(precondition(&headers).ok(), expected);
    }

    #[test]
    fn if_match_any() {
        check("if-match", "*", Some(Precondition::Exists));
    }
    #[test]
    fn if_match_version() {
        check("if-match", "W/\"17\"", Some(Precondition::Version(17)));
    }
    #[test]
    fn if_match_strong() {
        check("if-match", "\"17\"", Some(Precondition::Version(17)));
    }
    #[test]
    fn if_match_garbage() {
        check("if-match", "17", None);
    }
    #[test]
    fn if_none_match_any() {
        check("if-none-match", "*", Some(Precondition::Absent));
    }
    #[test]
    fn if_none_match_null_means_nothing() {
        check("if-none-match", "null", Some(Precondition::Any));
    }
}
