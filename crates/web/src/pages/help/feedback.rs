//! "Did you find the information that you need?", and what people answered.

use actions::feedback::{self, Said};
use askama::Template;
use axum::extract::Path;
use model::query::Order;
use model::tables::HelpFeedback;
use model::{Entity, Query, Timestamp};

use super::topics;
use crate::names;
use crate::pages::kit::{self, Desk, Fault, Form, Frame, Outcome, Place};

/// `POST /help/{topic}`
pub(super) async fn give(desk: Desk, Path(name): Path<String>, form: Form) -> Outcome {
    let topic = topics::find(&name).ok_or_else(Fault::absent)?;
    let found = match form.text("found") {
        "yes" => true,
        "no" => false,
        _ => return Err(Fault::bad(desk.t("Choose Yes or No."))),
    };
    let said = Said {
        topic: topic.name.to_owned(),
        found,
        comment: form.text("comment").to_owned(),
        language: desk.viewer.texts.code.to_owned(),
    };
    feedback::give(&desk.ctx, said).await?;
    kit::go(&format!("/help/{}?thanks=1#feedback", topic.name))
}

/// Rows of the list.
const MOST: usize = 500;

#[derive(Template)]
#[template(path = "help/feedback.html")]
struct ListPage {
    frame: Frame,
    rows: Vec<Row>,
    found: usize,
}

struct Row {
    id: String,
    topic: &'static str,
    title: String,
    found: bool,
    comment: String,
    /// Who said it, and in which language they read the page.
    who: String,
    language: String,
    at: Option<Timestamp>,
}

/// `GET /settings/feedback`
pub(super) async fn list(desk: Desk) -> Outcome {
    let mut query = Query::of::<HelpFeedback>().limit(MOST);
    query.order = vec![Order { column: "createdon".into(), descending: true }];
    let mut rows = Vec::new();
    let records = actions::list(&desk.ctx, query).await?;
    let authors = records.iter().filter_map(|record| record.get("createdby").as_ref_to()).collect();
    let names = names::of(&desk.ctx, authors).await?;
    for record in records {
        let Ok(said) = HelpFeedback::from_record(&record) else { continue };
        let topic = topics::find(&said.topic);
        rows.push(Row {
            id: said.id.to_string(),
            topic: topic.map_or("overview", |t| t.name),
            title: topic.map_or(said.topic, |t| desk.t(t.title)),
            found: said.found,
            comment: said.comment,
            who: record.get("createdby").as_ref_to().and_then(|user| names.get(&user)).cloned().unwrap_or_default(),
            language: said.language,
            at: record.get("createdon").as_time(),
        });
    }
    let found = rows.iter().filter(|row| row.found).count();
    kit::show(&ListPage { frame: desk.frame("Feedback", Place::Feedback), rows, found })
}

/// `POST /settings/feedback`: removes those that were dealt with.
pub(super) async fn remove(desk: Desk, form: Form) -> Outcome {
    for id in form.ids("id") {
        actions::delete(&desk.ctx, HelpFeedback::TABLE, id, actions::Precondition::Exists).await?;
    }
    kit::go("/settings/feedback?done=deleted")
}
