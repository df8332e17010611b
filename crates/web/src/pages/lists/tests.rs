//! How far a test of several mailboxes has come. The tests are known by who
//! asked for them and when.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::routing::get;
use model::query::Compare;
use model::tables::{Mailbox, TestStatus};
use model::{Filter, Query, Record, Timestamp, Value};

use crate::pages::grid::tone;
use crate::pages::kit::{Desk, Fault, Form, Frame, Outcome, Place, Viewer, show};
use crate::state::AppState;

pub(super) fn routes() -> Router<Arc<AppState>> {
    Router::new().route("/settings/mailboxes/tests", get(progress))
}

/// The most that one command can have scheduled.
const MOST: usize = actions::bulk::MOST;
/// Rows that are shown.
const SHOWN: usize = 100;

#[derive(Template)]
#[template(path = "lists/tests.html")]
struct Part {
    viewer: Viewer,
    url: String,
    done: usize,
    all: usize,
    failed: usize,
    rows: Vec<Line>,
    more: usize,
}

struct Line {
    id: model::Id,
    name: String,
    running: bool,
    incoming: (String, &'static str),
    outgoing: (String, &'static str),
}

#[derive(Template)]
#[template(path = "lists/tests_page.html")]
struct Page {
    frame: Frame,
    part: Part,
}

async fn progress(desk: Desk, _form: Form) -> Outcome {
    let part = part(&desk).await?;
    if desk.htmx {
        return show(&part);
    }
    show(&Page { frame: desk.frame("Test & Enable Mailboxes", Place::Mailboxes), part })
}

async fn part(desk: &Desk) -> Result<Part, Fault> {
    let time = |name: &str| {
        let micros = desk.query.number(name).ok_or(());
        let time = micros.and_then(|micros| Timestamp::from_microsecond(micros).map_err(drop));
        time.map_err(|()| Fault::bad("The address has no time in it."))
    };
    let (from, to) = (time("from")?, time("to")?);
    let at = Mailbox::C.test_on.name;
    let within = |compare, time| Filter::Compare(at.into(), compare, Value::Time(time));
    let mine = model::Ref::new("systemuser", desk.ctx.actor.id);
    let mut query = Query::of::<Mailbox>()
        .filter(Filter::eq(Mailbox::C.test_by, Some(mine)))
        .filter(within(Compare::GreaterOrEqual, from))
        .filter(within(Compare::LessOrEqual, to))
        .order_by(Mailbox::C.name, false)
        .limit(MOST);
    let (scheduled, incoming, outgoing) =
        (Mailbox::C.test_scheduled, Mailbox::C.incoming_status, Mailbox::C.outgoing_status);
    query.select = vec![Mailbox::C.name.name, scheduled.name, incoming.name, outgoing.name];
    let rows = actions::list(&desk.ctx, query).await?;
    let running = |row: &Record| row.get(scheduled.name).as_bool() == Some(true);
    let failed = |row: &Record| {
        let is = |column: &str| row.get(column).as_int() == Some(TestStatus::Failure.number());
        !running(row) && (is(incoming.name) || is(outgoing.name))
    };
    let status = |row: &Record, column: &str| {
        let n = row.get(column).as_int().unwrap_or_default();
        (desk.t(TestStatus::OPTIONS.label(n).unwrap_or_default()), tone("mailbox", column, n))
    };
    let (all, done, bad) =
        (rows.len(), rows.iter().filter(|r| !running(r)).count(), rows.iter().filter(|r| failed(r)).count());
    let mut order: Vec<&Record> = rows.iter().collect();
    // What needs somebody stands first.
    order.sort_by_key(|row| (!failed(row), !running(row)));
    let line = |row: &&Record| Line {
        id: row.id,
        name: row.get(Mailbox::C.name.name).as_text().unwrap_or("").to_owned(),
        running: running(row),
        incoming: status(row, incoming.name),
        outgoing: status(row, outgoing.name),
    };
    Ok(Part {
        viewer: desk.viewer.clone(),
        url: format!("/settings/mailboxes/tests?from={}&to={}", from.as_microsecond(), to.as_microsecond()),
        done,
        all,
        failed: bad,
        rows: order.iter().take(SHOWN).map(line).collect(),
        more: all.saturating_sub(SHOWN),
    })
}

impl Part {
    fn t<'a>(&'a self, english: &'a str) -> &'a str {
        self.viewer.texts.text(english)
    }

    fn t1(&self, english: &str, value: impl std::fmt::Display) -> String {
        self.viewer.texts.with(english, &[&value])
    }

    fn t2(&self, english: &str, first: impl std::fmt::Display, second: impl std::fmt::Display) -> String {
        self.viewer.texts.with(english, &[&first, &second])
    }
}
