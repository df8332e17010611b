//! The form of a queue.

use std::sync::Arc;

use actions::{Draft, Precondition, Right};
use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use model::tables::Queue;
use model::{Entity, Id, Record, Ref, Refusal, Value};

use crate::pages::kit::{Desk, Fault, Field, Form, Frame, Input, Outcome, Place, go};
use crate::pages::people::lookup;
use crate::state::AppState;

const OWNERS: &[&str] = &["systemuser", "team"];

pub(super) fn routes() -> Router<Arc<AppState>> {
    Router::new().route("/work/queues/new", get(new).post(create)).route("/work/queues/{id}/edit", get(edit).post(save))
}

/// Whether the person may change the queue.
pub(super) async fn may_edit(desk: &Desk, id: Id) -> Result<bool, Fault> {
    let me = Ref::new("systemuser", desk.ctx.actor.id);
    match actions::security::access_of(&desk.ctx, me, Ref::new(Queue::TABLE.logical, id)).await {
        Ok(rights) => Ok(rights & Right::Write.bit() != 0),
        Err(error) if Fault::is_refusal(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[derive(Template)]
#[template(path = "queues/edit.html")]
struct Page {
    frame: Frame,
    action: String,
    back: String,
    fields: Vec<Field>,
    faults: Vec<String>,
}

async fn new(desk: Desk) -> Outcome {
    page(&desk, None, None, &[]).await
}

async fn create(desk: Desk, form: Form) -> Outcome {
    let draft = draft(&desk, None, &form).await?;
    match actions::create(&desk.ctx, draft).await {
        Ok(id) => go(&format!("/work/queues/{id}?done=created")),
        Err(error) => page(&desk, None, Some(&form), &Fault::refusals(error)?).await,
    }
}

async fn edit(desk: Desk, Path(id): Path<String>) -> Outcome {
    page(&desk, Some(&row(&desk, &id).await?), None, &[]).await
}

async fn save(desk: Desk, Path(id): Path<String>, form: Form) -> Outcome {
    let row = row(&desk, &id).await?;
    let draft = draft(&desk, Some(&row), &form).await?;
    match actions::update(&desk.ctx, row.id, draft, Precondition::Exists).await {
        Ok(_) => go(&format!("/work/queues/{}?done=saved", row.id)),
        Err(error) => page(&desk, Some(&row), Some(&form), &Fault::refusals(error)?).await,
    }
}

async fn row(desk: &Desk, id: &str) -> Result<Record, Fault> {
    let id = id.parse().map_err(|_| Fault::absent())?;
    Ok(actions::read(&desk.ctx, Queue::TABLE, id, Vec::new()).await?)
}

async fn page(desk: &Desk, row: Option<&Record>, typed: Option<&Form>, refusals: &[Refusal]) -> Outcome {
    let texts = desk.viewer.texts;
    let standing = |column: &str| row.map_or(&Value::Null, |row| row.get(column));
    let owner = match (typed, row) {
        (Some(form), _) => form.text("ownerid").to_owned(),
        (None, Some(row)) => lookup::shown(desk, row, "ownerid").await?,
        (None, None) => desk.ctx.actor.full_name.clone(),
    };
    let field = |column: &str| {
        let value = match (typed, standing(column)) {
            (Some(form), _) => form.text(column).to_owned(),
            (None, Value::Text(text)) => text.clone(),
            (None, Value::Int(n)) => n.to_string(),
            _ => String::new(),
        };
        Field::of(texts, Queue::TABLE, column).value(value).refused(&desk.viewer, refusals)
    };
    let mut whose = Field::of(texts, Queue::TABLE, "ownerid").value(owner).refused(&desk.viewer, refusals);
    whose.input = Input::Line;
    let fields = vec![
        field("name"),
        field("emailaddress").help(desk.t(
            "Where its emails come in. The queue gets a mailbox with this address, which is set up under Mailboxes.",
        )),
        whose.help(desk.t("The name of a user or a team. Everybody in the team works in the queue.")),
        field("queueviewtype").help(desk.t("A public queue is shown to everybody who may read queues.")),
        field("incomingemailfilteringmethod"),
        field("description"),
    ];
    let names = ["name", "emailaddress", "ownerid", "queueviewtype", "incomingemailfilteringmethod", "description"];
    let unplaced = refusals.iter().filter(|r| !r.field.is_some_and(|f| names.contains(&f)));
    let (title, action, back) = match row {
        Some(row) => ("Edit Queue", format!("/work/queues/{}/edit", row.id), format!("/work/queues/{}", row.id)),
        None => ("New Queue", "/work/queues/new".to_owned(), "/work/queues".to_owned()),
    };
    let page = Page {
        frame: desk.frame(title, Place::Queues),
        action,
        back,
        fields,
        faults: unplaced.map(|r| desk.words(&r.message)).collect(),
    };
    let status = if refusals.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    Ok(crate::pages::page(status, &page))
}

async fn draft(desk: &Desk, row: Option<&Record>, form: &Form) -> Result<Draft, Fault> {
    let mut draft = Draft::new(Queue::TABLE);
    for column in ["name", "emailaddress", "description"] {
        if form.has(column) {
            let text = form.text(column).replace("\r\n", "\n").trim().to_owned();
            draft.values.insert(column, if text.is_empty() { Value::Null } else { Value::Text(text) });
        }
    }
    for column in ["queueviewtype", "incomingemailfilteringmethod"] {
        if let Some(number) = form.number(column) {
            draft.values.insert(column, Value::Int(number));
        }
    }
    if form.get("ownerid").is_some() {
        match lookup::read(desk, row, ("ownerid", OWNERS), form.text("ownerid")).await? {
            Ok(value) => {
                draft.values.insert("ownerid", value);
            }
            Err(refusal) => draft.faults.push(refusal),
        }
    }
    Ok(draft)
}
