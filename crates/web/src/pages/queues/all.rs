//! The queues with what waits in them.

use std::sync::Arc;

use actions::queue::{self, Overview};
use actions::{Wish, permitted};
use askama::Template;
use axum::Router;
use axum::routing::get;
use model::tables::{Queue, QueueView};
use model::{Entity, Timestamp};

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
    rows: Vec<Row>,
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
    let rows = queue::overview(&desk.ctx, all).await?.into_iter().map(Row::from).collect();
    let creates = permitted(&desk.ctx, Wish::Create(Queue::TABLE));
    show(&Page { frame: desk.frame("Queues", Place::Queues), all, creates, rows })
}
