//! Users: the list, a user's form, a new user, how a user signs in.

mod check;
mod door;
mod form;
mod new;

use std::sync::Arc;

use actions::{ActionError, Draft, Precondition, Saved, Wish};
use axum::Router;
use axum::routing::{get, post};
use model::tables::SystemUser;
use model::{Entity, Id};

use crate::pages::grid::{self, Command, Confirm, Link, Row, Spec, Warned, command};
use crate::pages::kit::{Desk, Form, Outcome, Place};
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
        command("Enable", "enable", Wish::Write(SystemUser::TABLE)),
        Command { danger: true, ..command("Disable", "disable", Wish::Write(SystemUser::TABLE)) },
    ],
    filters: &["businessunitid", "accessmode"],
    empty: "No user is in this view. Choose another one.",
};

pub(super) fn routes() -> Router<Arc<AppState>> {
    grid::routes(&SPEC)
        .route("/settings/security/users/enable", post(enable))
        .route("/settings/security/users/disable", post(disable))
        .route("/settings/security/users/disable/yes", post(disable_yes))
        .route("/settings/security/users/new", get(new::page).post(new::make))
        .route("/settings/security/users/{id}", get(form::page).post(form::save))
        .route("/settings/security/users/{id}/enable", post(form::enable))
        .route("/settings/security/users/{id}/disable", post(form::disable))
        .route("/settings/security/users/{id}/roles", post(form::roles))
        .route("/settings/security/users/{id}/teams", post(form::teams))
        .route("/settings/security/users/{id}/check", get(check::page))
        .merge(door::routes())
}

async fn enable(desk: Desk, form: Form) -> Outcome {
    let rows = grid::chosen(&desk, &SPEC, &form).await?;
    let done = grid::each(&desk, &rows, |id| set_disabled(&desk, id, false)).await;
    grid::results(&desk, &SPEC, &form, "Enable", done, None)
}

async fn disable(desk: Desk, form: Form) -> Outcome {
    let rows = grid::chosen(&desk, &SPEC, &form).await?;
    let asking = Confirm {
        title: "Disable",
        text: desk.t("Who is disabled cannot sign in, their sessions and tokens are good no more, and nothing is tracked for them. Their records stay."),
        button: "Disable",
        action: "disable/yes",
        danger: true,
        rows: rows.into_iter().map(Warned::plain).collect(),
        tick: None,
        fields: Vec::new(),
    };
    grid::confirm(&desk, &SPEC, &form, asking)
}

async fn disable_yes(desk: Desk, form: Form) -> Outcome {
    let rows = grid::chosen(&desk, &SPEC, &form).await?;
    let done = grid::each(&desk, &rows, |id| set_disabled(&desk, id, true)).await;
    grid::results(&desk, &SPEC, &form, "Disable", done, None)
}

async fn set_disabled(desk: &Desk, id: Id, disabled: bool) -> Result<Saved, ActionError> {
    let draft = Draft::new(SystemUser::TABLE).with(SystemUser::C.is_disabled, disabled);
    actions::update(&desk.ctx, id, draft, Precondition::Exists).await
}
