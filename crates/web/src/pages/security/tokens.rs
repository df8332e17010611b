//! Tokens of programs: whose, what for, how far, and when they were used last.

use std::sync::Arc;

use actions::{Wish, token};
use axum::Router;
use axum::routing::post;
use model::Entity;
use model::tables::ApiToken;

use crate::pages::grid::{self, Command, Confirm, Row, Spec, Warned, command};
use crate::pages::kit::{Desk, Form, Outcome, Place};
use crate::state::AppState;

static SPEC: Spec = Spec {
    table: ApiToken::TABLE,
    title: "Tokens",
    place: Place::Tokens,
    base: "/settings/security/tokens",
    row: Row::Behind("pr_systemuserid"),
    links: &[],
    commands: &[Command { danger: true, ..command("Revoke", "revoke", Wish::Delete(ApiToken::TABLE)) }],
    filters: &["pr_systemuserid"],
    empty: "Tokens are made by the people whose programs use them, on the page of their account.",
};

pub(super) fn routes() -> Router<Arc<AppState>> {
    grid::routes(&SPEC)
        .route("/settings/security/tokens/revoke", post(revoke))
        .route("/settings/security/tokens/revoke/yes", post(revoke_yes))
}

async fn revoke(desk: Desk, form: Form) -> Outcome {
    let rows = grid::chosen(&desk, &SPEC, &form).await?;
    let asking = Confirm {
        title: "Revoke",
        text: desk
            .t("A program that uses one of these tokens is refused from the next request on. This cannot be undone."),
        button: "Revoke",
        action: "revoke/yes",
        danger: true,
        rows: rows.into_iter().map(Warned::plain).collect(),
        tick: None,
        fields: Vec::new(),
    };
    grid::confirm(&desk, &SPEC, &form, asking)
}

async fn revoke_yes(desk: Desk, form: Form) -> Outcome {
    let rows = grid::chosen(&desk, &SPEC, &form).await?;
    let done = grid::each(&desk, &rows, |id| token::revoke(&desk.ctx, id)).await;
    grid::results(&desk, &SPEC, &form, "Revoke", done, None)
}
