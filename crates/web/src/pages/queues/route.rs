//! Handing items to another queue, or to a user or team who works on them.

use std::collections::BTreeMap;
use std::sync::Arc;

use actions::queue;
use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::routing::post;
use model::tables::{Queue, QueueItem, SystemUser, Team};
use model::{Entity, Filter, Id, Query, Table, Value};

use crate::pages::kit::{Desk, Fault, Form, Frame, Outcome, Place, show};
use crate::pages::people::Picker;
use crate::pages::queues::one::View;
use crate::pages::queues::work;
use crate::state::AppState;

const ROUTE: &[&Table] = &[Queue::TABLE, SystemUser::TABLE, Team::TABLE];
const ASSIGN: &[&Table] = &[SystemUser::TABLE, Team::TABLE];

/// Routing to anybody, or assigning to people only.
struct Way {
    word: &'static str,
    title: &'static str,
    targets: &'static [&'static Table],
}

static WAYS: [Way; 2] =
    [Way { word: "route", title: "Route", targets: ROUTE }, Way { word: "assign", title: "Assign", targets: ASSIGN }];

pub(super) fn routes() -> Router<Arc<AppState>> {
    let mut router = Router::new();
    for way in &WAYS {
        let id = |Path(id): Path<String>| id.parse::<Id>().map_err(|_| Fault::absent());
        router = router
            .route(
                &format!("/work/queues/{{id}}/{}", way.word),
                post(move |desk: Desk, path: Path<String>, form: Form| async move {
                    ask(&desk, id(path)?, way, &form, "").await
                }),
            )
            .route(
                &format!("/work/queues/{{id}}/{}/yes", way.word),
                post(move |desk: Desk, path: Path<String>, form: Form| async move {
                    hand_over(&desk, id(path)?, way, &form).await
                }),
            );
    }
    router
}

#[derive(Template)]
#[template(path = "queues/route.html")]
struct Page {
    frame: Frame,
    id: Id,
    word: &'static str,
    title: String,
    items: Vec<(Id, String)>,
    who: String,
    picker: Picker,
    view: View,
    fault: String,
}

async fn ask(desk: &Desk, id: Id, way: &'static Way, form: &Form, fault: &str) -> Outcome {
    let ids = form.ids("id");
    if ids.is_empty() {
        return work::finish(desk, id, form, 0, BTreeMap::new()).await;
    }
    let who = form.text("who").to_owned();
    let picker = Picker::search(desk, way.targets, &who).await?;
    if desk.htmx {
        return show(&picker);
    }
    let mut query = Query::of::<QueueItem>();
    query.filter = Filter::In(QueueItem::TABLE.id.into(), ids.into_iter().map(Value::Id).collect());
    query.select = vec![QueueItem::C.title.name];
    let rows = actions::list(&desk.ctx, query).await?;
    let title = |row: &model::Record| row.get(QueueItem::C.title.name).as_text().unwrap_or("").to_owned();
    show(&Page {
        frame: desk.frame(way.title, Place::Queues),
        id,
        word: way.word,
        title: desk.t(way.title),
        items: rows.iter().map(|row| (row.id, title(row))).collect(),
        who,
        picker,
        view: View::read(form),
        fault: desk.t(fault),
    })
}

async fn hand_over(desk: &Desk, id: Id, way: &'static Way, form: &Form) -> Outcome {
    let Some(target) = Picker::target(form, way.targets) else {
        return ask(desk, id, way, form, "Choose to whom the items go.").await;
    };
    let mut refused = BTreeMap::new();
    let items = form.ids("id");
    for item in &items {
        work::note(desk, &mut refused, *item, queue::route(&desk.ctx, *item, target).await)?;
    }
    work::finish(desk, id, form, items.len(), refused).await
}
