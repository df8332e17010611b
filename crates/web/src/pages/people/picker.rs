//! Choosing one record of several tables: who is to work on something, whose
//! an address is. Without scripts one searches and then ticks.

use askama::Template;
use model::query::TextMatch;
use model::tables::{Account, Contact, Lead, LeadState, Queue, State, SystemUser};
use model::{Filter, Query, Record, Ref, Table};

use crate::pages::kit::{Desk, Fault, Form};

/// Records of one table that are offered at once.
const OFFERED: usize = 15;

/// What a search found, as radio buttons named `target`.
#[derive(Template)]
#[template(path = "people/picker.html")]
pub(crate) struct Picker {
    groups: Vec<Group>,
    nothing: String,
    more: String,
    /// The one that is ticked already.
    chosen: String,
}

/// A search in the midst of a page, and the button that takes what was chosen.
#[derive(Template)]
#[template(path = "people/pick.html")]
pub(crate) struct Pick {
    /// Where the choice goes, and whence a script asks for what was found.
    at: String,
    /// The page itself, which without scripts is asked for again.
    page: String,
    label: String,
    search: String,
    button: String,
    find: String,
    picker: Picker,
}

impl Pick {
    /// `words`: the label and the button.
    pub async fn on(
        desk: &Desk,
        tables: &[&'static Table],
        (page, at): (&str, String),
        (label, button): (&str, &str),
    ) -> Result<Self, Fault> {
        let find = desk.query.text("who").to_owned();
        Ok(Self {
            picker: Picker::search(desk, tables, &find).await?,
            at,
            page: page.to_owned(),
            label: desk.t(label),
            search: desk.t("Search"),
            button: desk.t(button),
            find,
        })
    }
}

struct Group {
    label: String,
    rows: Vec<Found>,
    /// There are more than are shown.
    cut: bool,
}

struct Found {
    /// `systemuser:0190…`
    value: String,
    name: String,
    detail: String,
}

impl Picker {
    /// Those of the tables in whose names or addresses the words stand.
    pub async fn search(desk: &Desk, tables: &[&'static Table], find: &str) -> Result<Self, Fault> {
        let mut groups = Vec::new();
        for table in tables.iter().copied() {
            let rows = match actions::list(&desk.ctx, query(table, find)).await {
                Ok(rows) => rows,
                // What may not be read is not offered.
                Err(error) if Fault::is_refusal(&error) => continue,
                Err(error) => return Err(error.into()),
            };
            if !rows.is_empty() {
                let cut = rows.len() > OFFERED;
                let rows = rows.iter().take(OFFERED).map(found).collect();
                groups.push(Group { label: desk.t(plural(table)), rows, cut });
            }
        }
        Ok(Self {
            groups,
            nothing: desk.t("Nothing fits. Search for a part of the name or of the address."),
            more: desk.t("There are more. Search for a part of the name or of the address."),
            chosen: desk.query.text("target").to_owned(),
        })
    }

    /// The record that a form names.
    pub fn target(form: &Form, tables: &[&'static Table]) -> Option<Ref> {
        let (table, id) = form.get("target")?.split_once(':')?;
        let table = tables.iter().find(|t| t.logical == table)?;
        Some(Ref::new(table.logical, id.parse().ok()?))
    }
}

fn query(table: &'static Table, find: &str) -> Query {
    let (address, active) = match table.logical {
        "systemuser" => ("internalemailaddress", Filter::eq(SystemUser::C.is_disabled, false)),
        "team" => ("emailaddress", Filter::All),
        "queue" => ("emailaddress", Filter::eq(Queue::C.state, State::Active)),
        "lead" => ("emailaddress1", Filter::eq(Lead::C.state, LeadState::Open)),
        "account" => ("emailaddress1", Filter::eq(Account::C.state, State::Active)),
        _ => ("emailaddress1", Filter::eq(Contact::C.state, State::Active)),
    };
    let name = table.name.unwrap_or(table.id);
    let mut query = Query::table(table).filter(active).limit(OFFERED + 1);
    query.select = vec![name, address];
    query.order.push(model::Order { column: name.into(), descending: false });
    for word in find.split_whitespace() {
        let contains = |column: &'static str| Filter::Text(column.into(), TextMatch::Contains, word.to_owned());
        query = query.filter(contains(name).or(contains(address)));
    }
    query
}

fn found(row: &Record) -> Found {
    let text = |name: &str| row.get(name).as_text().unwrap_or("").to_owned();
    let address = row.values.keys().find(|k| k.contains("emailaddress")).copied().unwrap_or("");
    Found {
        value: format!("{}:{}", row.table.logical, row.id),
        name: row.table.name.map(text).unwrap_or_default(),
        detail: text(address),
    }
}

/// What people call the rows of a table.
fn plural(table: &Table) -> &'static str {
    match table.logical {
        "systemuser" => "Users",
        "team" => "Teams",
        "queue" => "Queues",
        "account" => "Accounts",
        "lead" => "Leads",
        _ => "Contacts",
    }
}
