//! Answers: a page or a redirect for browsers, JSON for programs.

use actions::ActionError;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

use crate::api::errors::{self, ApiError};
use crate::pages;
use crate::pages::kit::Texts;

/// What went wrong, in words for a person, with its status.
#[derive(Debug)]
pub(super) struct Fault {
    pub status: StatusCode,
    pub text: String,
    /// Seconds to wait.
    pub wait: Option<u64>,
}

impl Fault {
    pub fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into(), wait: None }
    }

    pub fn bad(text: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }

    pub fn foreign() -> Self {
        let text = "The request did not come from a page of this server (Origin), and was not carried out.";
        Self::new(StatusCode::FORBIDDEN, text)
    }

    /// In the reader's language.
    pub fn told(&self, texts: &Texts) -> String {
        texts.fault(&self.text, &|_| None)
    }

    pub fn json(&self) -> Response {
        let mut response = json(self.status, &json!({ "error": { "message": self.text } }));
        self.say_wait(&mut response);
        response
    }

    pub fn say_wait(&self, response: &mut Response) {
        if let Some(wait) = self.wait {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
        }
    }
}

impl From<ActionError> for Fault {
    fn from(error: ActionError) -> Self {
        let ActionError::Refused(refusals) = &error else {
            let api = ApiError::from(error);
            if let Some(detail) = &api.internal {
                tracing::error!(detail, "Bad: a request failed for a reason of ours");
            }
            let text = api.faults.first().map_or("An unexpected error occurred.".to_owned(), |f| f.message.to_string());
            return Self::new(api.status, text);
        };
        let status = refusals.0.first().map_or(StatusCode::BAD_REQUEST, |f| errors::status_of(f.code));
        let text: Vec<String> = refusals.0.iter().map(|f| f.message.to_string()).collect();
        Self::new(status, text.join(" "))
    }
}

pub(super) fn json(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    pages::guard(&mut response);
    response
}

/// 303: to a path of ours, or to an address that was checked.
pub(crate) fn redirect(to: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let to = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(header::LOCATION, to);
    pages::guard(&mut response);
    response
}

pub(super) fn with_cookies(mut response: Response, cookies: &[String]) -> Response {
    for cookie in cookies {
        if let Ok(value) = HeaderValue::from_str(cookie) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
    response
}
