//! A signed-in person's request for a page.
//!
//! The layer `at_desk` stands around all of them: it finds the session, sends
//! away who has none, refuses what other sites' pages send, and turns what
//! went wrong into a page in the frame that the person knows.

use std::convert::Infallible;
use std::sync::Arc;

use actions::sign_in::session::Current;
use actions::{ActionError, Context};
use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use model::Words;

use crate::pages::kit::{Fault, Form, Frame, Place, Viewer};
use crate::signin::{Visit, redirect};
use crate::state::AppState;

/// Who asks for a page, with what, and how they read it.
#[derive(Clone)]
pub(crate) struct Desk(Arc<Seat>);

// No `Debug`: the visit's headers hold cookies.
pub(crate) struct Seat {
    pub visit: Visit,
    pub current: Current,
    /// What the person may read and write: every action is given this.
    pub ctx: Context,
    pub viewer: Viewer,
    /// As in `/settings/mailboxes`; empty where it is not known.
    pub path: String,
    /// What stands behind the `?`.
    pub query: Form,
    /// A script of the page asks for a part of it.
    pub htmx: bool,
}

impl std::ops::Deref for Desk {
    type Target = Seat;
    fn deref(&self) -> &Seat {
        &self.0
    }
}

impl Desk {
    /// At a page that finds the session itself.
    pub async fn of(visit: &Visit, current: &Current) -> Result<Self, ActionError> {
        let ctx = visit.context(current).await?;
        let viewer = Viewer::of(&ctx, &visit.headers).await?;
        let query = Form::of(&visit.query).unwrap_or_default();
        let (visit, current) = (visit.clone(), current.clone());
        Ok(Self(Arc::new(Seat { visit, current, ctx, viewer, path: String::new(), query, htmx: false })))
    }

    /// What stands around the page.
    pub fn frame(&self, title: &str, place: Place) -> Frame {
        Frame::new(self, title, place)
    }

    /// A text in the person's language.
    pub fn t(&self, english: &str) -> String {
        self.viewer.texts.text(english).to_owned()
    }

    /// A sentence of the rules, in the person's language.
    pub fn words(&self, words: &Words) -> String {
        self.viewer.words(words)
    }

    /// A sentence that was written down in English, in the person's language.
    pub fn said(&self, english: &str) -> String {
        self.viewer.said(english)
    }

    /// Whether a password may cross the network: over TLS, from this computer,
    /// or where the operator allows it. Otherwise [`IN_CLEAR`](super::IN_CLEAR).
    pub fn may_type_secrets(&self) -> bool {
        let here = self.visit.client.address.is_some_and(|address| address.to_canonical().is_loopback());
        self.visit.secure || here || self.state().settings.allow_credentials_in_clear
    }

    pub fn state(&self) -> &Arc<AppState> {
        &self.visit.state
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Desk {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| redirect("/signin"))
    }
}

/// Around every page of a signed-in person.
pub(crate) async fn at_desk(State(state): State<Arc<AppState>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let visit = match Visit::from_request_parts(&mut parts, &state).await {
        Ok(visit) => visit,
        Err(never) => match never {},
    };
    let desk = match seat(&parts, visit).await {
        Ok(Some(desk)) => desk,
        Ok(None) => return sign_in_first(&parts),
        Err(fault) => return fault.into_response(),
    };
    if !desk.visit.is_ours() {
        return dressed(&desk, &Fault::foreign());
    }
    parts.extensions.insert(desk.clone());
    let response = next.run(Request::from_parts(parts, body)).await;
    match response.extensions().get::<Fault>() {
        Some(fault) => dressed(&desk, fault),
        None => response,
    }
}

async fn seat(parts: &Parts, visit: Visit) -> Result<Option<Desk>, Fault> {
    let Some(current) = visit.current().await? else { return Ok(None) };
    let ctx = visit.context(&current).await?;
    let viewer = Viewer::of(&ctx, &parts.headers).await?;
    let query = Form::of(parts.uri.query().unwrap_or("")).unwrap_or_default();
    let htmx = parts.headers.contains_key("hx-request");
    let path = parts.uri.path().to_owned();
    Ok(Some(Desk(Arc::new(Seat { visit, current, ctx, viewer, path, query, htmx }))))
}

/// To the sign-in page and back to where they wanted to go.
fn sign_in_first(parts: &Parts) -> Response {
    let wanted = parts.uri.path_and_query().map_or("/", |p| p.as_str());
    let to = percent_encoding::utf8_percent_encode(wanted, percent_encoding::NON_ALPHANUMERIC);
    let url = if parts.method == axum::http::Method::GET { format!("/signin?return={to}") } else { "/signin".into() };
    if !parts.headers.contains_key("hx-request") {
        return redirect(&url);
    }
    // A script cannot follow to another page by a redirect.
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    let value = HeaderValue::from_str("/signin").unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert("hx-redirect", value);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A fault as a page, or as the part of a page that a script asked for.
fn dressed(desk: &Desk, fault: &Fault) -> Response {
    let mut response = fault.page(desk);
    if let Some(wait) = fault.wait {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
    }
    response
}

impl From<Infallible> for Fault {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// For those who only need the kind of fault.
impl Fault {
    pub fn is_refusal(error: &ActionError) -> bool {
        matches!(error, ActionError::Refused(_))
    }
}
