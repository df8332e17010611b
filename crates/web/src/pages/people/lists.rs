//! The lists, and what is done with several rows at once.

use std::sync::Arc;

use actions::{ActionError, Draft, Precondition, Saved};
use axum::Router;
use axum::routing::post;
use model::{Id, Value};

use crate::pages::grid::{self, Confirm, Warned};
use crate::pages::kit::{Desk, Form, Outcome};
use crate::pages::people::kinds::Kind;
use crate::state::AppState;

pub(super) fn routes(kind: &'static Kind) -> Router<Arc<AppState>> {
    let at = |command: &str| format!("{}/{command}", kind.spec.base);
    grid::routes(&kind.spec)
        .route(&at("activate"), post(move |desk: Desk, form: Form| async move { activate(desk, kind, form).await }))
        .route(&at("deactivate"), post(move |desk: Desk, form: Form| async move { deactivate(desk, kind, form).await }))
        .route(
            &at("deactivate/yes"),
            post(move |desk: Desk, form: Form| async move { deactivate_yes(desk, kind, form).await }),
        )
        .route(&at("delete"), post(move |desk: Desk, form: Form| async move { delete(desk, kind, form).await }))
        .route(&at("delete/yes"), post(move |desk: Desk, form: Form| async move { delete_yes(desk, kind, form).await }))
}

/// Active or not.
pub(super) async fn set_state(desk: &Desk, kind: &Kind, id: Id, state: i64) -> Result<Saved, ActionError> {
    let draft = Draft::new(kind.table()).set("statecode", Value::Int(state));
    actions::update(&desk.ctx, id, draft, Precondition::Exists).await
}

async fn activate(desk: Desk, kind: &'static Kind, form: Form) -> Outcome {
    let rows = grid::chosen(&desk, &kind.spec, &form).await?;
    let done = grid::each(&desk, &rows, |id| set_state(&desk, kind, id, kind.on.1)).await;
    grid::results(&desk, &kind.spec, &form, kind.on.0, done, None)
}

async fn deactivate(desk: Desk, kind: &'static Kind, form: Form) -> Outcome {
    let rows = grid::chosen(&desk, &kind.spec, &form).await?;
    let asking = Confirm {
        title: kind.off.0,
        text: desk.t(kind.off_means),
        button: kind.off.0,
        action: "deactivate/yes",
        danger: false,
        rows: rows.into_iter().map(Warned::plain).collect(),
        tick: None,
        fields: Vec::new(),
    };
    grid::confirm(&desk, &kind.spec, &form, asking)
}

async fn deactivate_yes(desk: Desk, kind: &'static Kind, form: Form) -> Outcome {
    let rows = grid::chosen(&desk, &kind.spec, &form).await?;
    let done = grid::each(&desk, &rows, |id| set_state(&desk, kind, id, kind.off.1)).await;
    grid::results(&desk, &kind.spec, &form, kind.off.0, done, None)
}

async fn delete(desk: Desk, kind: &'static Kind, form: Form) -> Outcome {
    let rows = grid::chosen(&desk, &kind.spec, &form).await?;
    let asking = Confirm {
        title: "Delete",
        text: desk.t("These records are deleted for good. Their emails stay, with the addresses that stand in them."),
        button: "Delete",
        action: "delete/yes",
        danger: true,
        rows: rows.into_iter().map(Warned::plain).collect(),
        tick: None,
        fields: Vec::new(),
    };
    grid::confirm(&desk, &kind.spec, &form, asking)
}

async fn delete_yes(desk: Desk, kind: &'static Kind, form: Form) -> Outcome {
    let rows = grid::chosen(&desk, &kind.spec, &form).await?;
    let delete = |id| actions::delete(&desk.ctx, kind.table(), id, Precondition::Exists);
    let done = grid::each(&desk, &rows, delete).await;
    grid::results(&desk, &kind.spec, &form, "Delete", done, None)
}
