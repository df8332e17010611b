//! Change Multiple Records: a form in which only what is ticked changes; what
//! that would reset and what would be refused is shown before it is saved.

use std::sync::Arc;

use actions::Draft;
use actions::bulk::Deed;
use askama::Template;
use axum::Router;
use axum::routing::post;
use jiff::civil::DateTime;
use model::table::{Column, Kind};
use model::tables::{EmailServerProfile, Mailbox};
use model::{Entity, Query, Ref, Refusal, Value, Words};

use crate::pages::grid::{self, Asked, Confirm, Selection};
use crate::pages::kit::{Choice, Desk, Fault, Field, Form, Frame, Input, Outcome, Place, show};
use crate::pages::lists::mailboxes::{SPEC, foreseen};
use crate::state::AppState;

/// What can be the same for several mailboxes, in the form's order.
const COLUMNS: &[&str] = &[
    "emailserverprofile",
    "incomingemaildeliverymethod",
    "outgoingemaildeliverymethod",
    "actdeliverymethod",
    "processanddeleteemails",
    "processemailreceivedafter",
    "allowemailconnectortousecredentials",
];

pub(super) fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route("/settings/mailboxes/edit", post(edit))
        .route("/settings/mailboxes/edit/check", post(check))
        .route("/settings/mailboxes/edit/yes", post(save))
}

#[derive(Template)]
#[template(path = "lists/many.html")]
struct Page {
    frame: Frame,
    rows: Vec<grid::Chosen>,
    count: usize,
    hidden: Vec<(String, String)>,
    fields: Vec<Change>,
    state: Vec<(&'static str, String)>,
    back: String,
    fault: String,
}

/// A field with the box that says whether it changes.
struct Change {
    name: String,
    label: String,
    ticked: bool,
    field: Field,
}

async fn edit(desk: Desk, form: Form) -> Outcome {
    form_page(&desk, &form, String::new(), &[]).await
}

async fn form_page(desk: &Desk, form: &Form, fault: String, refusals: &[Refusal]) -> Outcome {
    let selection = Selection::of(desk, &SPEC, form).await?;
    let mut fields = Vec::new();
    for name in COLUMNS {
        let field = field(desk, name, form).await?.refused(&desk.viewer, refusals);
        let ticked = form.all("change").any(|c| c == *name);
        fields.push(Change { name: (*name).to_owned(), label: field.label.clone(), ticked, field });
    }
    let asked = Asked::read(form);
    show(&Page {
        frame: desk.frame("Change Multiple Records", Place::Mailboxes),
        hidden: selection.hidden(),
        count: selection.count,
        rows: selection.rows,
        fields,
        state: asked.pairs(),
        back: asked.link(SPEC.base),
        fault,
    })
}

async fn field(desk: &Desk, name: &str, form: &Form) -> Result<Field, Fault> {
    let mut field = Field::of(desk.viewer.texts, Mailbox::TABLE, name);
    field.required = false;
    let given = form.text(name).to_owned();
    if name == Mailbox::C.profile.name {
        let mut query = Query::of::<EmailServerProfile>().order_by(EmailServerProfile::C.name, false).limit(500);
        query.select = vec![EmailServerProfile::C.name.name];
        let rows = actions::list(&desk.ctx, query).await?;
        let choice = |r: &model::Record| {
            Choice::new(r.id.to_string(), r.get(EmailServerProfile::C.name.name).as_text().unwrap_or(""))
        };
        let none = Choice::new("", desk.t("none"));
        field = field.choices([none].into_iter().chain(rows.iter().map(choice)).collect());
    }
    if field.input == Input::Tick {
        return Ok(field.ticked(matches!(given.as_str(), "1")));
    }
    Ok(field.value(given))
}

/// What the form says, of what is ticked. `Err`: what cannot be read.
fn draft(desk: &Desk, form: &Form) -> Result<Draft, Vec<Refusal>> {
    let mut draft = Draft::new(Mailbox::TABLE);
    let mut faults = Vec::new();
    for name in COLUMNS.iter().filter(|name| form.all("change").any(|c| c == **name)) {
        let Some(column) = Mailbox::TABLE.column(name) else { continue };
        match value(desk, column, form) {
            Ok(value) => draft = draft.set(column.name, value),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(draft) } else { Err(faults) }
}

fn value(desk: &Desk, column: &'static Column, form: &Form) -> Result<Value, Refusal> {
    let text = form.get(column.name);
    let wrong =
        || Refusal::invalid(Some(column.name), Words::foreign(desk.t("This value is not one that can be chosen.")));
    match (column.kind, text) {
        (Kind::Bool, _) => Ok(Value::Bool(form.ticked(column.name))),
        (_, None) => Ok(Value::Null),
        (Kind::Lookup([target, ..]), Some(text)) => {
            text.parse().map(|id| Value::Ref(Ref::new(target, id))).map_err(|_| wrong())
        }
        (Kind::Choice(_) | Kind::Int { .. }, Some(text)) => text.parse().map(Value::Int).map_err(|_| wrong()),
        (Kind::Time, Some(text)) => {
            let local: DateTime = text.parse().map_err(|_| wrong())?;
            let zoned = local.to_zoned_datetime(desk.viewer.zone.clone()).map_err(|_| wrong())?;
            Ok(Value::Time(zoned.timestamp()))
        }
        (_, Some(text)) => Ok(Value::Text(text.to_owned())),
    }
}

async fn check(desk: Desk, form: Form) -> Outcome {
    let draft = match draft(&desk, &form) {
        Ok(draft) => draft,
        Err(faults) => return form_page(&desk, &form, desk.t("Some fields are not right yet."), &faults).await,
    };
    if draft.values.is_empty() {
        let fault = desk.t("Nothing is ticked, so nothing would change. Tick “Change” beside what is to be different.");
        return form_page(&desk, &form, fault, &[]).await;
    }
    let selection = Selection::of(&desk, &SPEC, &form).await?;
    let mut fields = selection.hidden();
    let mut words = Vec::new();
    for name in draft.values.keys() {
        fields.push(("change".to_owned(), (*name).to_owned()));
        fields.push(((*name).to_owned(), form.text(name).to_owned()));
        let field = field(&desk, name, &form).await?;
        words.push(format!("{}: {}", field.label, shown(&desk, &field)));
    }
    let asking = Confirm {
        title: "Change Multiple Records",
        text: words.join(" · "),
        button: "Save",
        action: "edit/yes".to_owned(),
        danger: false,
        count: selection.count,
        rows: foreseen(&desk, selection.rows, &Deed::Set(draft.values)).await?,
        tick: None,
        fields,
    };
    grid::confirm(&desk, &SPEC, &form, asking)
}

/// The value of a field in words.
fn shown(desk: &Desk, field: &Field) -> String {
    match field.input {
        Input::Tick if field.value.is_empty() => desk.t("No"),
        Input::Tick => desk.t("Yes"),
        _ => {
            let choice = field.choices.iter().find(|c| c.value == field.value);
            choice.map_or_else(|| field.value.replace('T', " "), |c| c.label.clone())
        }
    }
}

async fn save(desk: Desk, form: Form) -> Outcome {
    let draft = match draft(&desk, &form) {
        Ok(draft) => draft,
        Err(faults) => return form_page(&desk, &form, desk.t("Some fields are not right yet."), &faults).await,
    };
    grid::carry_out(&desk, &SPEC, &form, "Change Multiple Records", Deed::Set(draft.values)).await
}
