//! One queue: its items, who works on what, and commands on several at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use actions::queue::{self, Mark, Which};
use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use model::tables::{Queue, QueueItem, QueueView};
use model::{Entity, Id, Record, Ref, Timestamp};

use crate::names;
use crate::pages::kit::{Desk, Fault, Form, Frame, Outcome, Place, show};
use crate::state::AppState;

const WHICH: [(Which, &str, &str); 3] = [
    (Which::All, "", "All items"),
    (Which::Waiting, "waiting", "Items available to work on"),
    (Which::Mine, "mine", "Items I am working on"),
];

pub(super) fn routes() -> Router<Arc<AppState>> {
    Router::new().route("/work/queues/{id}", get(page)).route("/work/queues/{id}/news", get(news))
}

#[derive(Template)]
#[template(path = "queues/one.html")]
struct Page {
    frame: Frame,
    id: Id,
    private: bool,
    address: String,
    description: String,
    owner: String,
    waiting: u64,
    worked_on: u64,
    items: u64,
    edits: bool,
    tabs: Vec<Tab>,
    view: View,
    rows: Vec<Item>,
    next: Option<String>,
    /// What a command could not do.
    summary: String,
}

struct Tab {
    label: String,
    href: String,
    here: bool,
}

struct Item {
    id: Id,
    title: String,
    href: Option<String>,
    sender: String,
    entered: Option<Timestamp>,
    worker: String,
    mine: bool,
    refused: String,
}

/// What of the queue is looked at.
#[derive(Clone)]
pub(super) struct View {
    pub which: &'static str,
    pub find: String,
    /// Where the page begins; empty: at the oldest.
    pub after: String,
}

impl View {
    pub fn read(form: &Form) -> Self {
        let word = form.text("which");
        Self {
            which: WHICH.iter().find(|(_, w, _)| *w == word).map_or("", |(_, w, _)| w),
            find: form.text("find").trim().to_owned(),
            after: form.text("after").to_owned(),
        }
    }

    fn which(&self) -> Which {
        WHICH.iter().find(|(_, w, _)| *w == self.which).map_or(Which::All, |(which, ..)| *which)
    }

    /// The page of the queue on which this is looked at.
    pub fn link(&self, queue: Id, done: &str) -> String {
        let mut parts = Vec::new();
        for (name, value) in [("which", self.which), ("find", &self.find), ("after", &self.after), ("done", done)] {
            if !value.is_empty() {
                let value = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC);
                parts.push(format!("{name}={value}"));
            }
        }
        let question = if parts.is_empty() { "" } else { "?" };
        format!("/work/queues/{queue}{question}{}", parts.join("&"))
    }
}

async fn page(desk: Desk, Path(id): Path<String>) -> Outcome {
    let id = id.parse().map_err(|_| Fault::absent())?;
    render(&desk, id, &View::read(&desk.query), BTreeMap::new(), String::new()).await
}

#[derive(Template)]
#[template(path = "queues/news.html")]
struct News {
    frame: Frame,
    id: Id,
    changed: bool,
}

/// What the page asks now and then: whether something came or went.
async fn news(desk: Desk, Path(id): Path<String>) -> Outcome {
    let id = id.parse().map_err(|_| Fault::absent())?;
    let row = actions::read(&desk.ctx, Queue::TABLE, id, Vec::new()).await?;
    let queue = Queue::from_record(&row).map_err(actions::ActionError::from)?;
    let counted = queue::counted_one(&desk.ctx, queue).await?;
    let known = desk.query.number("known").and_then(|n| u64::try_from(n).ok());
    let changed = known != Some(counted.waiting + counted.worked_on);
    show(&News { frame: desk.frame("Queues", Place::Queues), id, changed })
}

/// The page, with what was refused about some of its items.
pub(super) async fn render(
    desk: &Desk,
    id: Id,
    view: &View,
    refused: BTreeMap<Id, String>,
    summary: String,
) -> Outcome {
    let row = actions::read(&desk.ctx, Queue::TABLE, id, Vec::new()).await?;
    let queue = Queue::from_record(&row).map_err(actions::ActionError::from)?;
    let after = if view.after.is_empty() { None } else { Some(mark(&view.after)?) };
    let (found, next) = queue::items(&desk.ctx, id, view.which(), &view.find, after, desk.viewer.rows).await?;
    let counted = queue::counted_one(&desk.ctx, queue.clone()).await?;
    let workers: BTreeSet<Ref> = found.iter().filter_map(worker).chain(queue.owner).collect();
    let names = names::of(&desk.ctx, workers).await?;
    let tabs = WHICH.iter().map(|(_, word, label)| Tab {
        label: desk.t(label),
        href: View { which: word, after: String::new(), ..view.clone() }.link(id, ""),
        here: *word == view.which,
    });
    let tabs = tabs.collect();
    let me = Ref::new("systemuser", desk.ctx.actor.id);
    let item = |row: &Record| {
        let title = row.get(QueueItem::C.title.name).as_text().unwrap_or("").trim().to_owned();
        Item {
            id: row.id,
            title: if title.is_empty() { desk.t("(without a subject)") } else { title },
            href: row.get(QueueItem::C.object.name).as_id().map(|email| format!("/work/emails/{email}")),
            sender: row.get(QueueItem::C.sender.name).as_text().unwrap_or("").to_owned(),
            entered: row.get(QueueItem::C.entered_on.name).as_time(),
            worker: worker(row)
                .map(|w| names.get(&w).cloned().unwrap_or_else(|| desk.t("(somebody)")))
                .unwrap_or_default(),
            mine: worker(row) == Some(me),
            refused: refused.get(&row.id).cloned().unwrap_or_default(),
        }
    };
    let page = Page {
        frame: desk.frame("Queues", Place::Queues).titled(queue.name.clone()),
        id,
        private: queue.view == QueueView::Private,
        address: queue.address.clone(),
        description: row.get("description").as_text().unwrap_or("").to_owned(),
        owner: queue.owner.and_then(|o| names.get(&o).cloned()).unwrap_or_default(),
        waiting: counted.waiting,
        worked_on: counted.worked_on,
        items: counted.waiting + counted.worked_on,
        edits: super::edit::may_edit(desk, id).await?,
        tabs,
        rows: found.iter().map(item).collect(),
        next: next.map(|m| View { after: written(m), ..view.clone() }.link(id, "")),
        view: view.clone(),
        summary,
    };
    let status = if refused.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    Ok(crate::pages::page(status, &page))
}

fn worker(row: &Record) -> Option<Ref> {
    row.get(QueueItem::C.worker.name).as_ref_to()
}

/// `1767225600000000.0190…`
fn written(mark: Mark) -> String {
    format!("{}.{}", mark.entered.map_or(0, |at| at.as_microsecond()), mark.id)
}

fn mark(text: &str) -> Result<Mark, Fault> {
    let wrong = || Fault::bad("The address names no place in the queue.");
    let (at, id) = text.split_once('.').ok_or_else(wrong)?;
    let micros = at.parse().map_err(|_| wrong())?;
    let entered = Timestamp::from_microsecond(micros).map_err(|_| wrong())?;
    Ok(Mark { entered: Some(entered), id: id.parse().map_err(|_| wrong())? })
}
