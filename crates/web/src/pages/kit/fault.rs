//! What went wrong on a page, in words for a person.

use actions::ActionError;
use askama::Template;
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use model::Refusal;

use crate::api::errors::{self, ApiError};
use crate::pages::kit::{Desk, Frame, Place};

/// What a handler of a page returns.
pub(crate) type Outcome = Result<Response, Fault>;

#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub status: StatusCode,
    pub text: String,
    /// Where it was refused: every fault of the request, with its field.
    pub refusals: Vec<Refusal>,
    /// Seconds to wait.
    pub wait: Option<u64>,
}

impl Fault {
    pub fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into(), refusals: Vec::new(), wait: None }
    }

    pub fn bad(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }

    pub fn absent() -> Self {
        Self::new(StatusCode::NOT_FOUND, "There is no such page, or you may not see it.")
    }

    pub fn foreign() -> Self {
        let text = "The request did not come from a page of this server (Origin), and was not carried out.";
        Self::new(StatusCode::FORBIDDEN, text)
    }

    /// What was refused, by field. `Err` where something else is wrong.
    pub fn refusals(error: ActionError) -> Result<Vec<Refusal>, Self> {
        match error {
            ActionError::Refused(refusals) => Ok(refusals.0),
            other => Err(other.into()),
        }
    }

    /// In the person's language.
    pub fn told(&self, desk: &Desk) -> String {
        if self.refusals.is_empty() {
            return desk.viewer.fault(&self.text);
        }
        self.refusals.iter().map(|refusal| desk.words(&refusal.message)).collect::<Vec<_>>().join(" ")
    }

    /// As a page in the frame, or as the part that a script asked for.
    pub fn page(&self, desk: &Desk) -> Response {
        let title = match self.status {
            StatusCode::NOT_FOUND => "Not found",
            StatusCode::FORBIDDEN => "You may not do this",
            status if status.is_server_error() => "Something went wrong",
            _ => "That did not work",
        };
        let text = self.told(desk);
        if desk.htmx {
            return crate::pages::page(self.status, &Note { text });
        }
        let ask_for_role = self.status == StatusCode::FORBIDDEN;
        let page = FaultPage { frame: desk.frame(title, Place::Nowhere), text, ask_for_role };
        crate::pages::page(self.status, &page)
    }
}

impl From<ActionError> for Fault {
    fn from(error: ActionError) -> Self {
        let ActionError::Refused(refusals) = error else {
            let api = ApiError::from(error);
            if let Some(detail) = &api.internal {
                tracing::error!(detail, "Bad: a page failed for a reason of ours");
            }
            let text = api.faults.first().map_or("An unexpected error occurred.".to_owned(), |f| f.message.to_string());
            return Self::new(api.status, text);
        };
        let status = refusals.0.first().map_or(StatusCode::BAD_REQUEST, |f| errors::status_of(f.code));
        let text: Vec<String> = refusals.0.iter().map(|f| f.message.to_string()).collect();
        Self { status, text: text.join(" "), refusals: refusals.0, wait: None }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        ActionError::from(refusal).into()
    }
}

/// The layer around all pages makes a page of it.
impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.text.clone()));
        *response.status_mut() = self.status;
        crate::pages::guard(&mut response);
        response.extensions_mut().insert(self);
        response
    }
}

#[derive(Template)]
#[template(path = "kit/fault.html")]
struct FaultPage {
    frame: Frame,
    text: String,
    /// Where to see which role is missing.
    ask_for_role: bool,
}

#[derive(Template)]
#[template(source = r#"<p class="fault" role="alert">{{ text }}</p>"#, ext = "html")]
struct Note {
    text: String,
}
