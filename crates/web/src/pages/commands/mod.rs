//! Commands on many rows: how far they are, what was refused and why, and
//! that there is to be no more of one.

use std::sync::Arc;

use actions::bulk::{self, Deed};
use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::routing::{get, post};
use model::tables::{BulkCommand, BulkOutcome, BulkRow, BulkState};
use model::{Id, Ref, Timestamp};

use crate::pages::grid::{follow, page_of};
use crate::pages::kit::{Desk, Fault, Form, Frame, Outcome, Place, Told, go, show};
use crate::state::AppState;

/// Rows of an outcome that are named.
const SHOWN: usize = 200;
/// Commands of the list.
const LISTED: usize = 50;

pub(crate) fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route("/work/commands", get(all))
        .route("/work/commands/{id}", get(one))
        .route("/work/commands/{id}/cancel", post(cancel))
}

#[derive(Template)]
#[template(path = "commands/page.html")]
struct Page {
    frame: Frame,
    part: Part,
}

/// What moves by itself.
#[derive(Template)]
#[template(path = "commands/part.html")]
struct Part {
    frame: Frame,
    id: Id,
    state: String,
    tone: &'static str,
    over: bool,
    /// Something is left undone because it was cancelled.
    cancelled: bool,
    total: i64,
    done: i64,
    refused: i64,
    failed: i64,
    worked_off: i64,
    rows_refused: Vec<Line>,
    more_refused: i64,
    rows_failed: Vec<Line>,
    more_failed: i64,
    rows_done: Vec<Line>,
    more_done: i64,
    back: String,
    follow: Option<(String, String)>,
}

struct Line {
    name: String,
    href: Option<String>,
    why: Vec<Told>,
}

/// `GET /work/commands/{id}`
async fn one(desk: Desk, Path(id): Path<String>) -> Outcome {
    let id = id.parse().map_err(|_| Fault::absent())?;
    let command = bulk::mine(&desk.ctx, id).await?;
    if command.state == BulkState::Prepared {
        return Err(Fault::absent());
    }
    let title = desk.t(&command.title);
    let part = part(&desk, &command).await?;
    if desk.htmx {
        return show(&part);
    }
    show(&Page { frame: desk.frame("Command", Place::Nowhere).titled(title), part })
}

async fn part(desk: &Desk, command: &BulkCommand) -> Result<Part, Fault> {
    let refused = bulk::rows(&desk.ctx, command, Some(BulkOutcome::Refused), SHOWN).await?;
    let failed = bulk::rows(&desk.ctx, command, Some(BulkOutcome::Failed), SHOWN).await?;
    // While it goes on, only what needs somebody is shown.
    let over = command.is_over();
    let done = if over { bulk::rows(&desk.ctx, command, Some(BulkOutcome::Done), SHOWN).await? } else { Vec::new() };
    let more = |all: i64, shown: usize| (all - i64::try_from(shown).unwrap_or(i64::MAX)).max(0);
    Ok(Part {
        frame: desk.frame("Command", Place::Nowhere),
        id: command.id,
        state: desk.t(state(command.state)),
        tone: match command.state {
            BulkState::Done if command.failed > 0 => "bad",
            BulkState::Done if command.refused == 0 => "good",
            BulkState::Done => "warn",
            BulkState::Cancelled | BulkState::Prepared => "quiet",
            BulkState::Waiting | BulkState::Running => "busy",
        },
        over,
        cancelled: command.state == BulkState::Cancelled && command.worked_off() < command.total,
        total: command.total,
        done: command.done,
        refused: command.refused,
        failed: command.failed,
        worked_off: command.worked_off(),
        more_refused: more(command.refused, refused.len()),
        more_failed: more(command.failed, failed.len()),
        more_done: if over { more(command.done, done.len()) } else { 0 },
        rows_refused: refused.into_iter().map(|row| line(desk, command, row)).collect(),
        rows_failed: failed.into_iter().map(|row| line(desk, command, row)).collect(),
        rows_done: done.into_iter().map(|row| line(desk, command, row)).collect(),
        back: if command.back.starts_with('/') { command.back.clone() } else { "/".to_owned() },
        follow: tests(desk, command),
    })
}

fn state(state: BulkState) -> &'static str {
    BulkState::OPTIONS.label(state.number()).unwrap_or_default()
}

fn line(desk: &Desk, command: &BulkCommand, row: BulkRow) -> Line {
    let table = model::tables::by_logical_name(&command.table);
    let target = table.zip(row.row).map(|(table, id)| Ref::new(table.logical, id));
    let gone = row.outcome == BulkOutcome::Done && matches!(deed(command), Some(Deed::Delete | Deed::Dismiss));
    let href = if gone { None } else { target.and_then(|target| page_of(&desk.ctx, target)) };
    Line { name: row.name, href, why: row.why.lines().map(|text| desk.viewer.told(text)).collect() }
}

fn deed(command: &BulkCommand) -> Option<Deed> {
    Deed::read(model::tables::by_logical_name(&command.table)?, &command.deed)
}

/// Where the tests that it scheduled are followed.
fn tests(desk: &Desk, command: &BulkCommand) -> Option<(String, String)> {
    let from = command.started_on.filter(|_| command.done > 0)?;
    let to = command.finished_on.unwrap_or(desk.ctx.now);
    let (label, url) = follow(&deed(command)?, from, to)?;
    Some((desk.t(label), url))
}

/// `POST /work/commands/{id}/cancel`
async fn cancel(desk: Desk, Path(id): Path<String>, _form: Form) -> Outcome {
    let id: Id = id.parse().map_err(|_| Fault::absent())?;
    bulk::cancel(&desk.ctx, id).await?;
    go(&format!("/work/commands/{id}"))
}

#[derive(Template)]
#[template(path = "commands/all.html")]
struct AllPage {
    frame: Frame,
    commands: Vec<Listed>,
}

struct Listed {
    id: Id,
    title: String,
    state: String,
    asked: Option<Timestamp>,
    done: i64,
    refused: i64,
    failed: i64,
    total: i64,
}

/// `GET /work/commands`
async fn all(desk: Desk) -> Outcome {
    let commands = bulk::all_mine(&desk.ctx, LISTED).await?;
    let listed = |command: BulkCommand| Listed {
        id: command.id,
        title: desk.t(&command.title),
        state: desk.t(state(command.state)),
        asked: command.asked_on,
        done: command.done,
        refused: command.refused,
        failed: command.failed,
        total: command.total,
    };
    let commands = commands.into_iter().map(listed).collect();
    show(&AllPage { frame: desk.frame("My commands", Place::Nowhere), commands })
}
