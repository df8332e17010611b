//! Users: the list, a user's form, a new user, how a user signs in.

mod check;
mod door;
mod form;
mod new;

use std::sync::Arc;

use actions::Wish;
use actions::bulk::Deed;
use axum::Router;
use axum::routing::{get, post};
use model::tables::SystemUser;
use model::{Entity, Value};

use crate::pages::grid::{self, Link, Row, Spec, command};
use crate::pages::kit::Place;
use crate::state::AppState;

pub(super) const PATH: &str = "/settings/security/users";

static SPEC: Spec = Spec {
    table: SystemUser::TABLE,
    title: "Users",
    place: Place::Users,
    base: PATH,
    row: Row::Below("/settings/security/users/"),
    links: &[Link {
        label: "New User",
        path: "/settings/security/users/new",
        needs: Wish::Create(SystemUser::TABLE),
        key: "c",
    }],
    commands: &[
        command("Enable", "enable", Wish::Write(SystemUser::TABLE)).does(|_| disabled(false)),
        command("Disable", "disable", Wish::Write(SystemUser::TABLE)).does(|_| disabled(true)).danger().asks("Who is disabled cannot sign in, their sessions and tokens are good no more, and nothing is tracked for them. Their records stay."),
    ],
    filters: &["businessunitid", "accessmode"],
    empty: "No user is in this view. Choose another one.",
};

pub(super) fn routes() -> Router<Arc<AppState>> {
    grid::routes(&SPEC)
        .route("/settings/security/users/new", get(new::page).post(new::make))
        .route("/settings/security/users/{id}", get(form::page).post(form::save))
        .route("/settings/security/users/{id}/enable", post(form::enable))
        .route("/settings/security/users/{id}/disable", post(form::disable))
        .route("/settings/security/users/{id}/roles", post(form::roles))
        .route("/settings/security/users/{id}/teams", post(form::teams))
        .route("/settings/security/users/{id}/check", get(check::page))
        .merge(door::routes())
}

fn disabled(yes: bool) -> Deed {
    Deed::set(SystemUser::C.is_disabled.name, Value::Bool(yes))
}
