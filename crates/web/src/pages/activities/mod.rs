//! Activities: the emails that one works with, by views; and putting them
//! into a queue.

use std::sync::Arc;

use actions::Wish;
use actions::bulk::Deed;
use axum::Router;
use model::Entity;
use model::tables::{Email, Queue};

use crate::pages::grid::{self, Link, Row, Spec, Target, command};
use crate::pages::kit::Place;
use crate::pages::people::OWNER;
use crate::state::AppState;

static SPEC: Spec = Spec {
    table: Email::TABLE,
    title: "Activities",
    place: Place::Activities,
    base: "/work/activities",
    row: Row::Below("/work/emails/"),
    links: &[Link { label: "New Email", path: "/work/emails/new", needs: Wish::Create(Email::TABLE), key: "c" }],
    commands: &[
        command("Add to Queue", "queue", Wish::Read(Queue::TABLE)).gives(&QUEUE),
        command("Assign", "assign", Wish::Assign(Email::TABLE)).gives(&OWNER),
        command("Delete", "delete", Wish::Delete(Email::TABLE)).deletes(
            "These emails are deleted here for good, with their attachments. The messages on the mail server stay.",
        ),
    ],
    filters: &[],
    empty: "Emails that are tracked appear here. Choose another view, or write one with “New Email”.",
};

static QUEUE: Target = Target {
    heading: "These emails go into a queue",
    search: "Search queues",
    tables: &[Queue::TABLE],
    missing: "Choose a queue.",
    deed: |queue| Deed::Enqueue(queue.id),
};

pub(crate) fn routes() -> Router<Arc<AppState>> {
    grid::routes(&SPEC)
}
