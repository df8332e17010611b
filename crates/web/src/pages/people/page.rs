//! One customer: the form, and beside it the timeline.

use std::sync::Arc;

use actions::{Draft, Precondition};
use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use model::{Id, Record, Ref, Refusal, Timestamp, Value};

use crate::names;
use crate::pages::kit::{Desk, Fault, Field, Form, Frame, Input, Outcome, go};
use crate::pages::people::form::{self, Part};
use crate::pages::people::kinds::Kind;
use crate::pages::people::timeline::{self, Timeline};
use crate::state::AppState;

pub(super) fn routes(kind: &'static Kind) -> Router<Arc<AppState>> {
    let base = kind.spec.base;
    let id = |Path(id): Path<String>| id.parse::<Id>().map_err(|_| Fault::absent());
    Router::new()
        .route(
            &format!("{base}/new"),
            get(move |desk: Desk| async move { new(&desk, kind, None, &[]).await })
                .post(move |desk: Desk, form: Form| async move { create(desk, kind, form).await }),
        )
        .route(
            &format!("{base}/{{id}}"),
            get(move |desk: Desk, path: Path<String>| async move { one(&desk, kind, id(path)?, None, &[]).await })
                .post(move |desk: Desk, path: Path<String>, form: Form| async move {
                    save(desk, kind, id(path)?, form).await
                }),
        )
        .route(
            &format!("{base}/{{id}}/timeline"),
            get(move |desk: Desk, path: Path<String>| async move {
                let of = Ref::new(kind.table().logical, id(path)?);
                timeline::part(&desk, of, kind.path(of.id)).await
            }),
        )
}

#[derive(Template)]
#[template(path = "people/new.html")]
struct NewPage {
    frame: Frame,
    base: &'static str,
    parts: Vec<Part>,
    faults: Vec<String>,
}

async fn new(desk: &Desk, kind: &'static Kind, typed: Option<&Form>, refusals: &[Refusal]) -> Outcome {
    // Links may fill fields in: ?emailaddress1=…
    let filled = typed.or(Some(&desk.query)).filter(|form| kind.columns().any(|c| form.has(c)));
    let page = NewPage {
        frame: desk.frame(kind.new, kind.spec.place),
        base: kind.spec.base,
        parts: form::parts(desk, kind, None, filled, refusals).await?,
        faults: unplaced(desk, kind, refusals),
    };
    answer(&page, refusals)
}

/// What was refused and belongs to no field of the form.
fn unplaced(desk: &Desk, kind: &Kind, refusals: &[Refusal]) -> Vec<String> {
    let placed = |r: &&Refusal| r.field.is_some_and(|field| kind.columns().any(|c| c == field));
    refusals.iter().filter(|r| !placed(r)).map(|r| desk.words(&r.message)).collect()
}

fn answer(page: &impl Template, refusals: &[Refusal]) -> Outcome {
    let status = if refusals.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    Ok(crate::pages::page(status, page))
}

async fn create(desk: Desk, kind: &'static Kind, form: Form) -> Outcome {
    let draft = form::draft(&desk, kind, None, &form).await?;
    match actions::create(&desk.ctx, draft).await {
        Ok(_) if form.text("then") == "close" => go(&format!("{}?done=created", kind.spec.base)),
        Ok(id) => go(&format!("{}?done=created", kind.path(id))),
        Err(error) => new(&desk, kind, Some(&form), &Fault::refusals(error)?).await,
    }
}

#[derive(Template)]
#[template(path = "people/one.html")]
struct Page {
    frame: Frame,
    base: &'static str,
    id: Id,
    version: i64,
    may: May,
    active: bool,
    status: String,
    /// The words for taking the row out of use and back.
    off: String,
    on: String,
    owner: String,
    created: Option<Timestamp>,
    modified: Option<Timestamp>,
    addresses: Vec<String>,
    do_not_email: bool,
    parts: Vec<Part>,
    /// For who may only read it.
    facts: Vec<(String, Vec<(String, String)>)>,
    faults: Vec<String>,
    timeline: Timeline,
}

/// What the person may do with the row.
struct May {
    write: bool,
    assign: bool,
    delete: bool,
}

impl May {
    async fn of(desk: &Desk, row: Ref) -> Result<Self, Fault> {
        let me = Ref::new("systemuser", desk.ctx.actor.id);
        let rights = match actions::security::access_of(&desk.ctx, me, row).await {
            Ok(rights) => rights,
            // Who may not read users is told when they try.
            Err(error) if Fault::is_refusal(&error) => -1,
            Err(error) => return Err(error.into()),
        };
        let has = |right: actions::Right| rights & right.bit() != 0;
        Ok(Self {
            write: has(actions::Right::Write),
            assign: has(actions::Right::Assign),
            delete: has(actions::Right::Delete),
        })
    }
}

async fn one(desk: &Desk, kind: &'static Kind, id: Id, typed: Option<&Form>, refusals: &[Refusal]) -> Outcome {
    let row = actions::read(&desk.ctx, kind.table(), id, Vec::new()).await?;
    let this = Ref::new(kind.table().logical, id);
    let may = May::of(desk, this).await?;
    let parts = form::parts(desk, kind, Some(&row), typed, refusals).await?;
    let facts = if may.write { Vec::new() } else { parts.iter().map(|part| facts(desk, part)).collect() };
    let text = |column: &str| row.get(column).as_text().unwrap_or("").to_owned();
    let name = kind.table().name.map(text).filter(|n| !n.trim().is_empty());
    let page = Page {
        frame: desk.frame(kind.spec.title, kind.spec.place).titled(name.unwrap_or_else(|| desk.t("(without a name)"))),
        base: kind.spec.base,
        id,
        version: row.get("versionnumber").as_int().unwrap_or(0),
        may,
        active: kind.is_active(&row),
        status: label(desk, &row, "statuscode"),
        off: desk.t(kind.off),
        on: desk.t(kind.on),
        owner: owner(desk, &row).await?,
        created: row.get("createdon").as_time(),
        modified: row.get("modifiedon").as_time(),
        addresses: ["emailaddress1", "emailaddress2", "emailaddress3"]
            .map(text)
            .into_iter()
            .filter(|a| !a.is_empty())
            .collect(),
        do_not_email: row.get("donotemail").as_bool().unwrap_or(false),
        parts,
        facts,
        faults: unplaced(desk, kind, refusals),
        timeline: Timeline::load(desk, this, kind.path(id)).await?,
    };
    answer(&page, refusals)
}

/// A part of the form as it is read.
fn facts(desk: &Desk, part: &Part) -> (String, Vec<(String, String)>) {
    let value = |field: &Field| match field.input {
        Input::Tick => desk.t(if field.value == "1" { "Yes" } else { "No" }),
        Input::Select => {
            field.choices.iter().find(|c| c.value == field.value).map_or_else(String::new, |c| c.label.clone())
        }
        _ => field.value.clone(),
    };
    let rows = part.fields.iter().map(|f| (f.label.clone(), value(f))).filter(|(_, value)| !value.is_empty());
    (part.title.clone(), rows.collect())
}

fn label(desk: &Desk, row: &Record, column: &str) -> String {
    let declared = row.table.columns.iter().find(|c| c.name == column);
    match (declared.map(|c| c.kind), row.get(column)) {
        (Some(model::Kind::Choice(set)), Value::Int(n)) => set.label(*n).map(|l| desk.t(l)).unwrap_or_default(),
        _ => String::new(),
    }
}

async fn owner(desk: &Desk, row: &Record) -> Result<String, Fault> {
    let Some(owner) = row.get("ownerid").as_ref_to() else { return Ok(String::new()) };
    Ok(names::of(&desk.ctx, [owner].into()).await?.remove(&owner).unwrap_or_default())
}

async fn save(desk: Desk, kind: &'static Kind, id: Id, form: Form) -> Outcome {
    let row = actions::read(&desk.ctx, kind.table(), id, Vec::new()).await?;
    let draft: Draft = form::draft(&desk, kind, Some(&row), &form).await?;
    let standing = form.number("version").map_or(Precondition::Exists, Precondition::Version);
    match actions::update(&desk.ctx, id, draft, standing).await {
        Ok(_) if form.text("then") == "close" => go(&format!("{}?done=saved", kind.spec.base)),
        Ok(_) => go(&format!("{}?done=saved", kind.path(id))),
        Err(error) => one(&desk, kind, id, Some(&form), &Fault::refusals(error)?).await,
    }
}
