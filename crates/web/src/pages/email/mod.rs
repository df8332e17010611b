//! Emails: reading, answering, writing, filing them.
//!
//! What others wrote is never part of a page of ours: it stands in a frame of
//! its own, whose answer forbids scripts, forms and everything that is loaded.

mod answer;
mod body;
mod choices;
mod compose;
mod draft;
mod files;
mod filing;
mod loaded;
mod message;
mod read;
mod recipients;
mod shown;
mod source;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use model::Id;

use crate::pages::kit::Fault;
use crate::state::AppState;

/// Octets of a form with its files.
const LARGEST: usize = 160 * 1024 * 1024;

pub(crate) fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route("/work/emails/new", get(compose::new))
        .route("/work/emails/save", post(compose::save).layer(DefaultBodyLimit::max(LARGEST)))
        .route("/work/emails/recipients", get(choices::recipients))
        .route("/work/emails/{id}", get(read::page))
        .route("/work/emails/{id}/edit", get(compose::edit))
        .route("/work/emails/{id}/body", get(body::of_email))
        .route("/work/emails/{id}/source", get(source::page))
        .route("/work/emails/{id}/raw", get(source::download))
        .route("/work/emails/{id}/files/{file}", get(files::download))
        .route("/work/emails/{id}/answer", get(answer::begin))
        .route("/work/emails/{id}/quoted", get(body::of_answer))
        .route("/work/emails/{id}/regarding", get(filing::choose).post(filing::regarding))
        .route("/work/emails/{id}/state", post(filing::state))
        .route("/work/emails/{id}/resolve", get(filing::who).post(filing::resolve))
        .route("/work/messages/{id}", get(message::page))
        .route("/work/messages/{id}/body", get(body::of_message))
        .route("/work/messages/{id}/track", post(message::track))
}

/// An identifier in a path.
fn id(text: &str) -> Result<Id, Fault> {
    text.parse().map_err(|_| Fault::absent())
}
