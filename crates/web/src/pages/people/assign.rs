//! Giving records of a list to another user or to a team.

use std::sync::Arc;

use actions::{Draft, Precondition};
use askama::Template;
use axum::Router;
use axum::routing::post;
use model::tables::{SystemUser, Team};
use model::{Entity, Table, Value};

use crate::pages::grid::{self, Asked, Chosen, Spec};
use crate::pages::kit::{Desk, Form, Frame, Outcome, show};
use crate::pages::people::picker::Picker;
use crate::state::AppState;

const OWNERS: &[&Table] = &[SystemUser::TABLE, Team::TABLE];

pub(crate) fn routes(spec: &'static Spec) -> Router<Arc<AppState>> {
    let at = |command: &str| format!("{}/{command}", spec.base);
    Router::new()
        .route(&at("assign"), post(move |desk: Desk, form: Form| async move { ask(&desk, spec, &form, "").await }))
        .route(&at("assign/yes"), post(move |desk: Desk, form: Form| async move { assign(desk, spec, form).await }))
}

#[derive(Template)]
#[template(path = "people/assign.html")]
struct Page {
    frame: Frame,
    base: &'static str,
    rows: Vec<Chosen>,
    find: String,
    picker: Picker,
    /// The list as it was.
    state: Vec<(&'static str, String)>,
    back: String,
    fault: String,
}

/// The page on which one searches and chooses.
async fn ask(desk: &Desk, spec: &'static Spec, form: &Form, fault: &str) -> Outcome {
    let rows = grid::chosen(desk, spec, form).await?;
    let find = form.text("who").to_owned();
    let asked = Asked::read(form);
    let page = Page {
        frame: desk.frame("Assign", spec.place),
        base: spec.base,
        rows,
        picker: Picker::search(desk, OWNERS, &find).await?,
        find,
        state: asked.pairs(),
        back: asked.link(spec.base),
        fault: desk.t(fault),
    };
    if desk.htmx { show(&page.picker) } else { show(&page) }
}

async fn assign(desk: Desk, spec: &'static Spec, form: Form) -> Outcome {
    let Some(owner) = Picker::target(&form, OWNERS) else {
        return ask(&desk, spec, &form, "Choose to whom the records go.").await;
    };
    let rows = grid::chosen(&desk, spec, &form).await?;
    let give = |id| {
        let draft = Draft::new(spec.table).set("ownerid", Value::Ref(owner));
        actions::update(&desk.ctx, id, draft, Precondition::Exists)
    };
    let done = grid::each(&desk, &rows, give).await;
    grid::results(&desk, spec, &form, "Assign", done, None)
}
