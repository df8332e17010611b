//! The email server profile: choosing the provider, the form, looking up
//! settings, testing the connection, its mailboxes.

mod choose;
mod commands;
mod draft;
mod fields;
mod form;
pub(crate) mod inquiry;
mod mailboxes;
mod provider;

use std::sync::Arc;

use actions::{Wish, permitted};
use axum::Router;
use axum::routing::{get, post};
use model::Entity;
use model::tables::EmailServerProfile;

use crate::pages::kit::Desk;
use crate::state::AppState;

pub(crate) fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route("/settings/profiles/new", get(choose::page).post(form::create))
        .route("/settings/profiles/lookup", post(inquiry::look_up))
        .route("/settings/profiles/test", post(inquiry::test))
        .route("/settings/profiles/inquiries/{id}", get(inquiry::page))
        .route("/settings/profiles/{id}", get(form::page).post(form::save))
        .route("/settings/profiles/{id}/consequences", post(form::consequences))
        .route("/settings/profiles/{id}/state", post(commands::state))
        .route("/settings/profiles/{id}/default", post(commands::default))
        .route("/settings/profiles/{id}/delete", get(commands::ask).post(commands::delete))
        .route("/settings/profiles/{id}/connections", get(form::connections_part))
        .route("/settings/profiles/{id}/mailboxes", get(mailboxes::part).post(mailboxes::test))
}

/// Whether the person may make profiles.
fn may_create(desk: &Desk) -> bool {
    permitted(&desk.ctx, Wish::Create(EmailServerProfile::TABLE))
}

fn may_write(desk: &Desk) -> bool {
    permitted(&desk.ctx, Wish::Write(EmailServerProfile::TABLE))
}
