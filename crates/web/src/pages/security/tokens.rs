//! Tokens of programs: whose, what for, how far, and when they were used last.

use std::sync::Arc;

use actions::Wish;
use actions::bulk::Deed;
use axum::Router;
use model::Entity;
use model::tables::ApiToken;

use crate::pages::grid::{self, Row, Spec, command};
use crate::pages::kit::Place;
use crate::state::AppState;

static SPEC: Spec = Spec {
    table: ApiToken::TABLE,
    title: "Tokens",
    place: Place::Tokens,
    base: "/settings/security/tokens",
    row: Row::Behind("pr_systemuserid"),
    links: &[],
    commands: &[command("Revoke", "revoke", Wish::Delete(ApiToken::TABLE))
        .does(|_| Deed::Revoke)
        .danger()
        .asks("A program that uses one of these tokens is refused from the next request on. This cannot be undone.")],
    filters: &["pr_systemuserid"],
    empty: "Tokens are made by the people whose programs use them, on the page of their account.",
};

pub(super) fn routes() -> Router<Arc<AppState>> {
    grid::routes(&SPEC)
}
