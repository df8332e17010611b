//! Activities: the emails that one works with, by views; and putting them
//! into a queue.

use std::sync::Arc;

use actions::{Draft, Precondition, Wish};
use askama::Template;
use axum::Router;
use axum::http::Method;
use axum::routing::{get, post};
use model::tables::{Email, Queue, QueueItem};
use model::{Entity, Ref, Table};

use crate::pages::grid::{self, Asked, Chosen, Command, Confirm, Link, Row, Spec, Warned, command};
use crate::pages::kit::{Desk, Form, Frame, Outcome, Place, show};
use crate::pages::people::{Picker, assign};
use crate::state::AppState;

static SPEC: Spec = Spec {
    table: Email::TABLE,
    title: "Activities",
    place: Place::Activities,
    base: "/work/activities",
    row: Row::Below("/work/emails/"),
    links: &[Link { label: "New Email", path: "/work/emails/new", needs: Wish::Create(Email::TABLE), key: "c" }],
    commands: &[
        command("Add to Queue", "queue", Wish::Read(Queue::TABLE)),
        command("Assign", "assign", Wish::Assign(Email::TABLE)),
        Command { danger: true, ..command("Delete", "delete", Wish::Delete(Email::TABLE)) },
    ],
    filters: &[],
    empty: "Emails that are tracked appear here. Choose another view, or write one with “New Email”.",
};

const QUEUES: &[&Table] = &[Queue::TABLE];

pub(crate) fn routes() -> Router<Arc<AppState>> {
    grid::routes(&SPEC)
        .merge(assign::routes(&SPEC))
        .route("/work/activities/queue", get(ask_queue).post(ask_queue))
        .route("/work/activities/queue/yes", post(add))
        .route("/work/activities/delete", post(delete))
        .route("/work/activities/delete/yes", post(delete_yes))
}

#[derive(Template)]
#[template(path = "activities/queue.html")]
struct QueuePage {
    frame: Frame,
    rows: Vec<Chosen>,
    find: String,
    picker: Picker,
    state: Vec<(&'static str, String)>,
    back: String,
    fault: String,
}

/// `GET ?id=…` from the page of an email, `POST` from the list.
async fn ask_queue(desk: Desk, method: Method, form: Form) -> Outcome {
    let form = if method == Method::GET { desk.query.clone() } else { form };
    choose(&desk, &form, "").await
}

async fn choose(desk: &Desk, form: &Form, fault: &str) -> Outcome {
    let rows = grid::chosen(desk, &SPEC, form).await?;
    let find = form.text("which").to_owned();
    let asked = Asked::read(form);
    let page = QueuePage {
        frame: desk.frame("Add to Queue", Place::Activities),
        rows,
        picker: Picker::search(desk, QUEUES, &find).await?,
        find,
        state: asked.pairs(),
        back: asked.link(SPEC.base),
        fault: desk.t(fault),
    };
    if desk.htmx { show(&page.picker) } else { show(&page) }
}

async fn add(desk: Desk, form: Form) -> Outcome {
    let Some(queue) = Picker::target(&form, QUEUES) else {
        return choose(&desk, &form, "Choose a queue.").await;
    };
    let rows = grid::chosen(&desk, &SPEC, &form).await?;
    let put = |id| {
        let email = Ref::new(Email::TABLE.logical, id);
        actions::queue::add(&desk.ctx, queue.id, email, None, Draft::new(QueueItem::TABLE))
    };
    let done = grid::each(&desk, &rows, put).await;
    grid::results(&desk, &SPEC, &form, "Add to Queue", done, None)
}

async fn delete(desk: Desk, form: Form) -> Outcome {
    let rows = grid::chosen(&desk, &SPEC, &form).await?;
    let asking = Confirm {
        title: "Delete",
        text: desk
            .t("These emails are deleted here for good, with their attachments. The messages on the mail server stay."),
        button: "Delete",
        action: "delete/yes",
        danger: true,
        rows: rows.into_iter().map(Warned::plain).collect(),
        tick: None,
        fields: Vec::new(),
    };
    grid::confirm(&desk, &SPEC, &form, asking)
}

async fn delete_yes(desk: Desk, form: Form) -> Outcome {
    let rows = grid::chosen(&desk, &SPEC, &form).await?;
    let remove = |id| actions::delete(&desk.ctx, Email::TABLE, id, Precondition::Exists);
    let done = grid::each(&desk, &rows, remove).await;
    grid::results(&desk, &SPEC, &form, "Delete", done, None)
}
