//! The queues with what waits in them.

use std::sync::Arc;

use actions::queue::{self, Overview};
use actions::{Wish, permitted};
use askama::Template;
use axum::Router;
use axum::routing::get;
use model::tables::{Queue, QueueView};
use model::{Entity, Id, Timestamp};

use crate::pages::kit::{Desk, Frame, Outcome, Place, show};
use crate::state::AppState;

pub(super) fn routes() -> Router<Arc<AppState>> {
    Router::new().route("/work/queues", get(page))
}

#[derive(Template)]
#[template(path = "queues/all.html")]
struct Page {
    frame: Frame,
    all: bool,
    creates: bool,
    find: String,
    rows: Vec<Row>,
    /// The page as it is, for looking again.
    here: String,
    /// Not the first page: where that is.
    first: Option<String>,
    next: Option<String>,
}

/// A queue in a list, here and on the page of one's own work.
pub(crate) struct Row {
    pub href: String,
    pub name: String,
    pub private: bool,
    pub address: String,
    pub waiting: u64,
    pub worked_on: u64,
    pub mine: u64,
    pub oldest: Option<Timestamp>,
}

impl From<Overview> for Row {
    fn from(o: Overview) -> Self {
        Self {
            href: format!("/work/queues/{}", o.queue.id),
            name: o.queue.name,
            private: o.queue.view == QueueView::Private,
            address: o.queue.address,
            waiting: o.waiting,
            worked_on: o.worked_on,
            mine: o.mine,
            oldest: o.oldest,
        }
    }
}

/// `GET /work/queues`: one's own; `?all=1`: all that one may see.
async fn page(desk: Desk) -> Outcome {
    let all = desk.query.ticked("all");
    let find = desk.query.text("find").trim().to_owned();
    let after = desk.query.id("after");
    let (found, next) = queue::overview(&desk.ctx, all, &find, after, desk.viewer.rows).await?;
    let page = Page {
        frame: desk.frame("Queues", Place::Queues),
        all,
        creates: permitted(&desk.ctx, Wish::Create(Queue::TABLE)),
        rows: found.into_iter().map(Row::from).collect(),
        here: link(all, &find, after),
        first: after.map(|_| link(all, &find, None)),
        next: next.map(|last| link(all, &find, Some(last))),
        find,
    };
    show(&page)
}

fn link(all: bool, find: &str, after: Option<Id>) -> String {
    let mut parts = Vec::new();
    if all {
        parts.push("all=1".to_owned());
    }
    if !find.is_empty() {
        parts.push(format!("find={}", percent_encoding::utf8_percent_encode(find, percent_encoding::NON_ALPHANUMERIC)));
    }
    parts.extend(after.map(|id| format!("after={id}")));
    let question = if parts.is_empty() { "" } else { "?" };
    format!("/work/queues{question}{}", parts.join("&"))
}
