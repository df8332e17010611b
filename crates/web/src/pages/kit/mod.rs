//! What every page is made with: who looks at it, the frame around it, texts
//! in their language, forms, and answers to what went wrong.

mod assets;
mod desk;
mod editor;
mod fault;
mod field;
pub(crate) mod flow;
mod form;
mod frame;
mod icons;
mod texts;
mod told;
mod viewer;

pub(crate) use assets::routes as assets;
pub(crate) use desk::{Desk, at_desk};
pub(crate) use editor::Editor;
pub(crate) use fault::{Fault, Outcome};
pub(crate) use field::{Choice, Field, Input};
pub(crate) use form::Form;
pub(crate) use frame::{Frame, Place};
pub(crate) use texts::{Texts, accepted, all as languages};
pub(crate) use told::Told;
pub(crate) use viewer::Viewer;

use axum::http::StatusCode;

/// Why no password can be typed, see [`Desk::may_type_secrets`].
pub(crate) const IN_CLEAR: &str =
    "This page did not come over a secure connection (https), so a password cannot be entered here.";

/// 200 with a page.
#[expect(clippy::unnecessary_wraps, reason = "the last line of handlers that can fail")]
pub(crate) fn show(template: &impl askama::Template) -> Outcome {
    Ok(super::page(StatusCode::OK, template))
}

/// 303: after a form was carried out.
#[expect(clippy::unnecessary_wraps, reason = "the last line of handlers that can fail")]
pub(crate) fn go(to: &str) -> Outcome {
    Ok(crate::signin::redirect(to))
}
