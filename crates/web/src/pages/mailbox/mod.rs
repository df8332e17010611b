//! A mailbox: its form with all that stands beside it, its commands, its
//! test, its alerts, and what became of its messages.

mod alerts;
mod beside;
mod commands;
mod details;
mod edit;
mod fields;
mod ledger;
pub(crate) mod progress;
mod test;
pub(crate) mod typed;
mod view;

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::routing::{get, post};
use model::tables::{Mailbox, by_logical_name};
use model::{Entity, Filter, Id, Query, Record, Ref, Timestamp};

use crate::pages::kit::{self, Desk, Fault, Frame, Outcome};
use crate::state::AppState;

pub(crate) fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route("/settings/mailboxes/new", get(edit::new).post(edit::create))
        .route("/settings/mailboxes/new/check", post(edit::check_new))
        .route("/settings/mailboxes/{id}", get(edit::page).post(edit::save))
        .route("/settings/mailboxes/{id}/check", post(edit::check))
        .route("/settings/mailboxes/{id}/beside", get(beside::part))
        .route("/settings/mailboxes/{id}/test", get(test::page).post(test::begin))
        .route("/settings/mailboxes/{id}/progress", get(progress::part))
        .route("/settings/mailboxes/{id}/approve", post(commands::approve))
        .route("/settings/mailboxes/{id}/reject", post(commands::reject))
        .route("/settings/mailboxes/{id}/activate", post(commands::activate))
        .route("/settings/mailboxes/{id}/deactivate", post(commands::deactivate))
        .route("/settings/mailboxes/{id}/process", post(commands::process))
        .route("/settings/mailboxes/{id}/assign", get(commands::assign_page).post(commands::assign))
        .route("/settings/mailboxes/{id}/delete", get(commands::delete_page).post(commands::delete))
        .route("/settings/mailboxes/{id}/alerts", get(alerts::page).post(alerts::delete))
        .route("/settings/mailboxes/{id}/details", get(details::download))
        .route("/settings/mailboxes/{id}/ledger", get(ledger::page))
        .route("/settings/mailboxes/{id}/ledger/retry", post(ledger::retry))
        .route("/options/mailbox", get(own))
}

/// `GET /options/mailbox`: the mailbox of the one who asks.
async fn own(desk: Desk) -> Outcome {
    let mine = Filter::eq(Mailbox::C.regarding, Some(desk.current.user.reference()));
    let mut query = Query::of::<Mailbox>().filter(mine).limit(1);
    query.select = vec![Mailbox::TABLE.id];
    match actions::list(&desk.ctx, query).await?.first() {
        Some(row) => kit::go(&at(row.id)),
        None => Err(Fault::new(axum::http::StatusCode::NOT_FOUND, "You have no mailbox, or may not see it.")),
    }
}

/// The address of a mailbox's page.
fn at(id: Id) -> String {
    format!("/settings/mailboxes/{id}")
}

/// The `{id}` of an address.
struct Number(Id);

impl<S: Send + Sync> axum::extract::FromRequestParts<S> for Number {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut axum::http::request::Parts, state: &S) -> Result<Self, Fault> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let id = path.ok().and_then(|Path(text)| text.parse().ok());
        id.map(Self).ok_or_else(Fault::absent)
    }
}

/// The mailbox with the columns that the person may read.
async fn row(desk: &Desk, id: Id) -> Result<Record, Fault> {
    Ok(actions::read(&desk.ctx, Mailbox::TABLE, id, Vec::new()).await?)
}

/// The mailbox as a whole.
fn whole(row: &Record) -> Result<Mailbox, Fault> {
    Ok(Mailbox::from_record(row).map_err(actions::ActionError::from)?)
}

/// The name of a row; empty where there is none that the person may read.
async fn name_of(desk: &Desk, row: Option<Ref>) -> Result<String, Fault> {
    let Some((table, id)) = row.and_then(|row| Some((by_logical_name(row.table)?, row.id))) else {
        return Ok(String::new());
    };
    let Some(name) = table.name else { return Ok(String::new()) };
    match actions::read(&desk.ctx, table, id, vec![name]).await {
        Ok(row) => Ok(row.get(name).as_text().unwrap_or_default().to_owned()),
        Err(error) if Fault::is_refusal(&error) => Ok(String::new()),
        Err(error) => Err(error.into()),
    }
}

/// A time as HTML; a dash where there is none.
fn when(frame: &Frame, at: Option<Timestamp>) -> String {
    at.map_or_else(|| "–".to_owned(), |at| format!("<time datetime=\"{}\">{}</time>", frame.iso(&at), frame.time(&at)))
}

/// The reason of a refusal as a sentence of its own.
fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    let Some(first) = rest.next() else { return String::new() };
    let end = if text.ends_with(['.', '!', '?', ':']) { "" } else { "." };
    format!("{}{}{end}", first.to_uppercase(), rest.as_str())
}
