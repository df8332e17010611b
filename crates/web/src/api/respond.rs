//! Responses and the headers that all of them carry.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;

use crate::limiter::Remaining;

const JSON: HeaderValue = HeaderValue::from_static("application/json; odata.metadata=minimal; odata.streaming=true");
const VERSION: HeaderName = HeaderName::from_static("odata-version");
/// Clients read it case-insensitively; the canonical spelling is `OData-EntityId`.
const ENTITY_ID: HeaderName = HeaderName::from_static("odata-entityid");
const APPLIED: HeaderName = HeaderName::from_static("preference-applied");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-service-request-id");
const BURST_REMAINING: HeaderName = HeaderName::from_static("x-ms-ratelimit-burst-remaining-xrm-requests");
const TIME_REMAINING: HeaderName = HeaderName::from_static("x-ms-ratelimit-time-remaining-xrm-requests");
const REQ_ID: HeaderName = HeaderName::from_static("req_id");

pub(crate) fn json(status: StatusCode, body: &serde_json::Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

pub(crate) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

pub(crate) fn text(status: StatusCode, body: String) -> Response {
    bytes(status, "text/plain; charset=utf-8", body.into_bytes())
}

/// Bytes that somebody sent: never to be shown as a page of ours.
pub(crate) fn download(content_type: &str, body: Vec<u8>) -> Response {
    let mut response = bytes(StatusCode::OK, content_type, body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    response
}

fn bytes(status: StatusCode, content_type: &str, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let kind = HeaderValue::from_str(content_type).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// `OData-EntityId` and `Location`: the absolute URL of a row.
pub(crate) fn set_entity(response: &mut Response, url: &str) {
    if let Ok(value) = HeaderValue::from_str(url) {
        response.headers_mut().insert(ENTITY_ID, value.clone());
        response.headers_mut().insert(header::LOCATION, value);
    }
}

pub(crate) fn set_etag(response: &mut Response, etag: &str) {
    if let Ok(value) = HeaderValue::from_str(etag) {
        response.headers_mut().insert(header::ETAG, value);
    }
}

/// The preferences that were honoured.
pub(crate) fn set_applied(response: &mut Response, applied: &[String]) {
    if applied.is_empty() {
        return;
    }
    if let Ok(value) = HeaderValue::from_str(&applied.join(", ")) {
        response.headers_mut().insert(APPLIED, value);
    }
}

/// What the caller may still ask for within the window.
pub(crate) fn set_remaining(response: &mut Response, remaining: Remaining) {
    let requests = remaining.requests.map(|n| n.to_string());
    let time = remaining.time.map(|t| format!("{:.2}", t.as_secs_f64()));
    for (name, value) in [(BURST_REMAINING, requests), (TIME_REMAINING, time)] {
        if let Some(value) = value.and_then(|v| HeaderValue::try_from(v).ok()) {
            response.headers_mut().insert(name, value);
        }
    }
}

/// What every response of the API carries.
pub(crate) fn finish(response: &mut Response, id: &str) {
    let headers = response.headers_mut();
    headers.insert(VERSION, HeaderValue::from_static("4.0"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id.clone());
        headers.insert(REQ_ID, id);
    }
}
