//! Addresses in emails that belong to no record, and giving them one.

use std::sync::Arc;

use actions::{Draft, Precondition, Wish, permitted, unresolved};
use askama::Template;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use model::tables::{Account, Contact, Lead};
use model::{Entity, Record, Ref, Refusal, Table, Timestamp, Value, Words};

use crate::pages::kit::{Desk, Fault, Field, Form, Frame, Input, Outcome, Place, go, show};
use crate::pages::people::picker::Picker;
use crate::state::AppState;

const TARGETS: &[&Table] = &[Contact::TABLE, Account::TABLE, Lead::TABLE];
/// Addresses on the page.
const SHOWN: usize = 100;

pub(super) fn routes() -> Router<Arc<AppState>> {
    Router::new().route("/work/unresolved", get(list)).route("/work/unresolved/resolve", get(ask).post(resolve))
}

#[derive(Template)]
#[template(path = "people/unresolved.html")]
struct List {
    frame: Frame,
    find: String,
    rows: Vec<Row>,
    cut: bool,
}

struct Row {
    address: String,
    name: String,
    emails: u64,
    last: Option<Timestamp>,
    example: Option<String>,
    wrote: bool,
}

async fn list(desk: Desk) -> Outcome {
    let find = desk.query.text("find").trim().to_owned();
    let mut found = unresolved::list(&desk.ctx, &find, SHOWN + 1).await?;
    let cut = found.len() > SHOWN;
    found.truncate(SHOWN);
    let row = |u: unresolved::Unresolved| Row {
        example: u.example.map(|id| format!("/work/emails/{id}")),
        address: u.address,
        name: u.name,
        emails: u.emails,
        last: u.last,
        wrote: u.wrote,
    };
    let frame = desk.frame("Unknown Addresses", Place::Unresolved);
    show(&List { frame, find, rows: found.into_iter().map(row).collect(), cut })
}

#[derive(Template)]
#[template(path = "people/resolve.html")]
struct Ask {
    frame: Frame,
    address: String,
    find: String,
    picker: Picker,
    fault: String,
    /// The form for somebody new; none for who may create neither.
    new: Option<Vec<Field>>,
    may_create: bool,
    may_create_lead: bool,
}

async fn ask(desk: Desk) -> Outcome {
    page(&desk, &desk.query, "", &[]).await
}

async fn page(desk: &Desk, form: &Form, fault: &str, refusals: &[Refusal]) -> Outcome {
    let address = form.text("address").trim().to_owned();
    let find = if form.has("find") { form.text("find").to_owned() } else { words(&address) };
    let picker = Picker::search(desk, TARGETS, &find).await?;
    if desk.htmx {
        return show(&picker);
    }
    let (first, last) = names(form);
    let field = |column: &str, value: &str| {
        Field::of(desk.viewer.texts, Contact::TABLE, column).value(value).refused(&desk.viewer, refusals)
    };
    let may_create = permitted(&desk.ctx, Wish::Create(Contact::TABLE));
    let may_create_lead = permitted(&desk.ctx, Wish::Create(Lead::TABLE));
    let new = (may_create || may_create_lead).then(|| {
        vec![field("firstname", &first), field("lastname", &last), {
            let label = desk.t("Email");
            Field::new("emailaddress1", label, Input::Email)
                .value(&address)
                .blocked(desk.t("It is this address that gets a record."))
        }]
    });
    let unplaced: Vec<String> = refusals
        .iter()
        .filter(|r| !matches!(r.field, Some("firstname" | "lastname")))
        .map(|r| desk.words(&r.message))
        .collect();
    let fault = if fault.is_empty() { unplaced.join(" ") } else { desk.t(fault) };
    let status = if fault.is_empty() && refusals.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let frame = desk.frame("Resolve an address", Place::Unresolved);
    let page = Ask { frame, address, find, picker, fault, new, may_create, may_create_lead };
    Ok(crate::pages::page(status, &page))
}

/// What to search for first: the name before the @.
fn words(address: &str) -> String {
    let local = address.split('@').next().unwrap_or("");
    local.split(|c: char| !c.is_alphanumeric()).rfind(|w| w.chars().count() > 2).unwrap_or("").to_owned()
}

/// First and last name from what was typed, or from the name in the messages.
fn names(form: &Form) -> (String, String) {
    if form.has("lastname") {
        return (form.text("firstname").to_owned(), form.text("lastname").to_owned());
    }
    let name = form.text("name").trim();
    match name.rsplit_once(' ') {
        Some((first, last)) => (first.to_owned(), last.to_owned()),
        None => (String::new(), name.to_owned()),
    }
}

async fn resolve(desk: Desk, form: Form) -> Outcome {
    let address = form.text("address").trim();
    let new = match form.text("do") {
        "create" => Some(Contact::TABLE),
        "lead" => Some(Lead::TABLE),
        _ => None,
    };
    let target = if let Some(table) = new {
        let text = |name: &str| Value::Text(form.text(name).trim().to_owned());
        let draft = Draft::new(table)
            .set("firstname", text("firstname"))
            .set("lastname", text("lastname"))
            .set("emailaddress1", Value::Text(address.to_owned()));
        if form.text("lastname").trim().is_empty() && form.text("firstname").trim().is_empty() {
            let text = desk.t("Write a name.");
            return page(&desk, &form, "", &[Refusal::invalid(Some("lastname"), Words::foreign(text))]).await;
        }
        match actions::create(&desk.ctx, draft).await {
            Ok(id) => Ref::new(table.logical, id),
            Err(error) => return page(&desk, &form, "", &Fault::refusals(error)?).await,
        }
    } else {
        let Some(target) = Picker::target(&form, TARGETS) else {
            return page(&desk, &form, "Choose whose address it is.", &[]).await;
        };
        target
    };
    if let Err(error) = give(&desk, address, target, form.ticked("note")).await {
        return page(&desk, &form, "", &Fault::refusals(error)?).await;
    }
    go("/work/unresolved?done=done")
}

async fn give(desk: &Desk, address: &str, target: Ref, note: bool) -> Result<(), actions::ActionError> {
    if note {
        note_address(desk, address, target).await?;
    }
    // More emails than one answer changes: until none is left.
    while unresolved::resolve(&desk.ctx, address, target).await? >= unresolved::MOST_EMAILS {}
    Ok(())
}

/// Writes the address on the record, where it has room and not the address.
async fn note_address(desk: &Desk, address: &str, target: Ref) -> Result<(), actions::ActionError> {
    let Some(table) = model::tables::by_logical_name(target.table) else { return Ok(()) };
    let columns = ["emailaddress1", "emailaddress2", "emailaddress3"];
    let row: Record = actions::read(&desk.ctx, table, target.id, columns.to_vec()).await?;
    let standing = |column: &str| row.get(column).as_text().unwrap_or("").to_owned();
    let key = model::mail::address_key(address);
    if columns.iter().any(|c| model::mail::address_key(&standing(c)) == key) {
        return Ok(());
    }
    let Some(free) = columns.into_iter().find(|c| standing(c).is_empty()) else {
        let text = desk.t("The record has three addresses already. Remove one, or do not write this one there.");
        return Err(Refusal::invalid(None, Words::foreign(text)).into());
    };
    let draft = Draft::new(table).set(free, Value::Text(address.to_owned()));
    actions::update(&desk.ctx, target.id, draft, Precondition::Exists).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn what_is_searched_for_first() {
        for (address, expected) in
            [("ada.lovelace@example.net", "lovelace"), ("ada@example.net", "ada"), ("a.b@example.net", ""), ("", "")]
        {
            assert_eq!(words(address), expected, "{address}");
        }
    }
}
