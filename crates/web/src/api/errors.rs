//! Errors on the wire: a status, the code of the first fault, and every fault
//! in words.

use actions::ActionError;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use model::{Refusal, Refusals, Words, words};
use serde_json::json;

use crate::api::headers::Prefer;
use crate::api::respond;

/// Where the codes are explained.
const HELP: &str = "https://learn.microsoft.com/power-apps/developer/data-platform/reference/web-service-error-codes";

/// Why a request did not do what it asked for.
#[derive(Debug)]
pub(crate) struct ApiError {
    pub status: StatusCode,
    pub faults: Vec<Refusal>,
    /// More headers: `WWW-Authenticate`, `Allow`.
    pub headers: Vec<(header::HeaderName, String)>,
    /// What only the log may know.
    pub internal: Option<String>,
}

impl ApiError {
    pub fn new(status: StatusCode, fault: Refusal) -> Self {
        Self { status, faults: vec![fault], headers: Vec::new(), internal: None }
    }

    /// 400, 0x80060888: a query option or a URL that cannot be understood.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Refusal::new(0x8006_0888, "BadRequest", Words::foreign(message)))
    }

    /// 400, 0x80048D19: a payload that cannot be understood.
    pub fn bad_payload(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, actions::validate::malformed(Words::foreign(message)))
    }

    /// 404, 0x80060888
    pub fn no_segment(segment: &str) -> Self {
        let message = format!("Resource not found for the segment '{}'.", actions::validate::excerpt(segment));
        Self::new(StatusCode::NOT_FOUND, Refusal::new(0x8006_0888, "ResourceNotFound", Words::foreign(message)))
    }

    /// 405 with the methods that are allowed.
    pub fn method(allowed: &'static str) -> Self {
        let message = format!("The HTTP method is not supported for this resource. Allowed: {allowed}.");
        let mut error = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            Refusal::new(0x8006_0888, "MethodNotAllowed", Words::foreign(message)),
        );
        error.headers.push((header::ALLOW, allowed.to_owned()));
        error
    }

    /// 503, 0x80044151: the database did not answer in time.
    pub fn busy(detail: String) -> Self {
        let message = words!("The database did not answer in time. Ask for less, or try again later.");
        let mut error = Self::new(StatusCode::SERVICE_UNAVAILABLE, Refusal::new(0x8004_4151, "SqlTimeout", message));
        error.headers.push((header::RETRY_AFTER, "5".to_owned()));
        error.internal = Some(detail);
        error
    }

    /// 500 whose detail stays in the log.
    pub fn internal(detail: impl Into<String>) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            faults: Vec::new(),
            headers: Vec::new(),
            internal: Some(detail.into()),
        }
    }

    /// The answer. `id` lets the one who reads the log find this request.
    pub fn into_response(self, id: &str) -> Response {
        self.into_response_for(id, &Prefer::default())
    }

    /// The same with the annotations that the caller prefers to have.
    pub fn into_response_for(self, id: &str, prefer: &Prefer) -> Response {
        let faults = if self.faults.is_empty() { vec![unexpected(id)] } else { self.faults };
        if let Some(detail) = &self.internal {
            tracing::error!(request = id, detail, "Bad: a request failed for a reason of ours");
        }
        let mut body = body(&faults);
        annotate(&mut body, &faults, prefer);
        let mut response = respond::json(self.status, &body);
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// 0x80040216
fn unexpected(id: &str) -> Refusal {
    let message = words!("An unexpected error occurred. The administrator finds it in the log under {0}.", id);
    Refusal::new(0x8004_0216, "UnExpected", message)
}

/// Faults that an answer tells: a payload of nothing but faults must not make
/// an answer many times its size.
const MOST_FAULTS: usize = 100;

/// `0x80040217`
fn code(fault: &Refusal) -> String {
    format!("0x{:08X}", fault.code)
}

pub(crate) fn body(faults: &[Refusal]) -> serde_json::Value {
    let first = faults.first().map_or_else(|| "0x0".to_owned(), code);
    let mut message: Vec<String> = faults.iter().take(MOST_FAULTS).map(|f| f.message.to_string()).collect();
    let more = format!("There are {} more faults.", faults.len().saturating_sub(MOST_FAULTS));
    if faults.len() > MOST_FAULTS {
        message.push(more);
    }
    let details: Vec<_> = faults
        .iter()
        .take(MOST_FAULTS)
        .map(|f| json!({ "code": code(f), "message": f.message.to_string(), "target": f.field, "name": f.name }))
        .collect();
    json!({ "error": { "code": first, "message": message.join("\n"), "details": details } })
}

/// What the reference product says besides to those who ask for it.
fn annotate(body: &mut serde_json::Value, faults: &[Refusal], prefer: &Prefer) {
    let Some(first) = faults.first() else { return };
    let message = body["error"]["message"].clone();
    for (name, value) in [
        ("Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus", json!("0")),
        ("Microsoft.PowerApps.CDS.ErrorDetails.SubErrorCode", json!(first.code.to_string())),
        ("Microsoft.PowerApps.CDS.HelpLink", json!(HELP)),
        ("Microsoft.PowerApps.CDS.TraceText", message.clone()),
        ("Microsoft.PowerApps.CDS.InnerError.Message", message),
    ] {
        if prefer.wants(name) {
            body["error"][format!("@{name}")] = value;
        }
    }
}

impl From<ActionError> for ApiError {
    fn from(error: ActionError) -> Self {
        match error {
            ActionError::Refused(refusals) => refusals.into(),
            ActionError::Internal(detail) => Self::internal(detail),
            ActionError::Busy(detail) => Self::busy(detail),
        }
    }
}

impl From<Refusals> for ApiError {
    fn from(refusals: Refusals) -> Self {
        let status = refusals.0.first().map_or(StatusCode::BAD_REQUEST, |f| status_of(f.code));
        Self { status, faults: refusals.0, headers: Vec::new(), internal: None }
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        Refusals::from(refusal).into()
    }
}

/// The documented classes of codes.
pub(crate) fn status_of(code: u32) -> StatusCode {
    match code {
        0x8004_0217 | 0x8006_0891 => StatusCode::NOT_FOUND,
        0x8004_0220 | 0x8004_0231 | 0x8004_020D | 0x8004_8405 | 0x8004_A110 | 0x8004_0256 | 0x8004_2F09
        | 0x8005_E232 | 0x8009_000B | 0x8004_0225 | 0x8004_F507 => StatusCode::FORBIDDEN,
        0x8004_4302 | 0x8004_1D52 => StatusCode::UNAUTHORIZED,
        0x8004_0227 | 0x8004_023B | 0x8004_0315 | 0x8004_0800 => StatusCode::METHOD_NOT_ALLOWED,
        0x8004_0237 | 0x8006_0882 | 0x8004_0333 => StatusCode::PRECONDITION_FAILED,
        0x8007_2321 | 0x8007_2322 | 0x8007_2326 => StatusCode::TOO_MANY_REQUESTS,
        0x8004_0216 => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: u32, status: u16) {
        assert_eq!(status_of(code).as_u16(), status, "0x{code:08X}");
    }

    #[test]
    fn documented_classes() {
        check(0x8004_0217, 404);
        check(0x8006_0891, 404);
        check(0x8004_0220, 403);
        check(0x8009_000B, 403);
        check(0x8005_E232, 403);
        check(0x8004_4302, 401);
        check(0x8004_1D52, 401);
        check(0x8004_0203, 400);
        check(0x8004_0227, 405);
        check(0x8004_023B, 405);
        check(0x8004_0237, 412);
        check(0x8006_0882, 412);
        check(0x8007_2322, 429);
        check(0x8005_E211, 400);
    }

    #[test]
    fn all_faults_are_told() {
        let faults = [Refusal::invalid(Some("name"), words!("one")), Refusal::new(0x8005_E211, "X", words!("two"))];
        let body = body(&faults);
        assert_eq!(body["error"]["code"], "0x80040203");
        assert_eq!(body["error"]["message"], "one\ntwo");
        assert_eq!(body["error"]["details"][0]["target"], "name");
        assert_eq!(body["error"]["details"][1]["code"], "0x8005E211");
    }
}
