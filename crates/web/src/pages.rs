//! Pages that the server renders: they work without scripts. One struct a
//! template; `templates/frame.html` is around those of a signed-in person,
//! `templates/layout.html` around the others.

mod activities;
mod commands;
mod data;
mod email;
mod email_settings;
pub(crate) mod grid;
mod help;
mod home;
pub(crate) mod kit;
mod lists;
mod mailbox;
mod options;
mod people;
pub(crate) mod profile;
mod queues;
mod roles;
mod routes;
mod security;
mod sign_in;
mod start;
mod watch;

pub(crate) use roles::{NeededRow, RoleRow, RolesPage, TableRow};
pub(crate) use routes::routes;
pub(crate) use sign_in::{
    Account, Code, IdentityRow, Leave, Message, Password, SessionRow, Shown, SignIn, TokenRow, way,
};

use askama::Template;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

/// Nothing is loaded but our own style sheet, scripts and pictures, nothing is
/// sent elsewhere, and nobody frames it.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; frame-src 'self'; \
     form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
);

/// A page with the headers that all pages have.
pub(crate) fn page(status: StatusCode, template: &impl Template) -> Response {
    let (status, body) = match template.render() {
        Ok(body) => (status, body),
        Err(error) => {
            tracing::error!(%error, "Bad: a page could not be rendered");
            (StatusCode::INTERNAL_SERVER_ERROR, String::new())
        }
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    guard(&mut response);
    response
}

/// What every answer about signing in carries.
pub(crate) fn guard(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    // `no-referrer` would make browsers send `Origin: null` with our forms.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
}
