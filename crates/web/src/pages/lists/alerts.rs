//! Alerts: what happened to which record, and what to do about it.

use std::sync::Arc;

use actions::Wish;
use actions::bulk::Deed;
use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::routing::{get, post};
use model::tables::{AlertLevel, TraceLog};
use model::{Entity, Id, Timestamp};

use crate::names;
use crate::pages::grid::{self, Row, Spec, command, page_of, tone};
use crate::pages::kit::{Desk, Fault, Form, Frame, Outcome, Place, go, show};
use crate::state::AppState;

static SPEC: Spec = Spec {
    table: TraceLog::TABLE,
    title: "Alerts",
    place: Place::Alerts,
    base: "/settings/alerts",
    row: Row::Below("/settings/alerts/"),
    links: &[],
    commands: &[command("Delete", "delete", Wish::Read(TraceLog::TABLE)).does(|_| Deed::Dismiss).danger()],
    filters: &["level"],
    empty: "Nothing has gone wrong that somebody would have to know about.",
};

pub(super) fn routes() -> Router<Arc<AppState>> {
    grid::routes(&SPEC).route("/settings/alerts/{id}", get(one)).route("/settings/alerts/{id}/delete", post(delete_one))
}

#[derive(Template)]
#[template(path = "lists/alert.html")]
struct Page {
    frame: Frame,
    id: Id,
    level: (String, &'static str),
    text: String,
    regarding: Option<(String, Option<String>)>,
    kind: String,
    code: String,
    occurrences: i64,
    created: Option<Timestamp>,
    modified: Option<Timestamp>,
    details: String,
    can_be_deleted: bool,
}

async fn one(desk: Desk, Path(id): Path<String>) -> Outcome {
    let id: Id = id.parse().map_err(|_| Fault::absent())?;
    let row = actions::read(&desk.ctx, TraceLog::TABLE, id, Vec::new()).await?;
    let alert = TraceLog::from_record(&row).map_err(actions::ActionError::from)?;
    let regarding = match alert.regarding {
        Some(target) => {
            let name = names::of(&desk.ctx, [target].into()).await?.remove(&target);
            name.map(|name| (name, page_of(&desk.ctx, target)))
        }
        None => None,
    };
    let level = alert.level;
    show(&Page {
        frame: desk.frame("Alert", Place::Alerts),
        id,
        level: (desk.t(level_label(level)), tone("tracelog", "level", level.number())),
        text: desk.said(&alert.text),
        regarding,
        kind: alert.kind,
        code: alert
            .code
            .and_then(|c| i32::try_from(c).ok())
            .map(|c| format!("0x{:08X}", c.cast_unsigned()))
            .unwrap_or_default(),
        occurrences: alert.occurrences,
        created: row.get("createdon").as_time(),
        modified: row.get("modifiedon").as_time(),
        details: alert.details,
        can_be_deleted: alert.can_be_deleted,
    })
}

fn level_label(level: AlertLevel) -> &'static str {
    AlertLevel::OPTIONS.label(level.number()).unwrap_or_default()
}

async fn delete_one(desk: Desk, Path(id): Path<String>, _form: Form) -> Outcome {
    let id: Id = id.parse().map_err(|_| Fault::absent())?;
    actions::alert::dismiss(&desk.ctx, id).await?;
    go("/settings/alerts?done=deleted")
}
