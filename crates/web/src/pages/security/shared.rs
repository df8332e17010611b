//! What the pages of security have in common: choices of units, roles, teams
//! and users, and what was refused.

use std::collections::BTreeSet;

use actions::ActionError;
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use model::tables::{BusinessUnit, Role, SystemUser, Team};
use model::{Col, Entity, Filter, Id, Query, Record, Refusal};

use crate::pages::kit::{Choice, Desk, Fault, Outcome};

/// Rows that a choice offers.
const MOST: usize = 1000;

/// A check box: a role that somebody may have, a team that they may be in.
pub(super) struct Tick {
    pub id: String,
    pub name: String,
    pub on: bool,
    /// Where else it comes from; a sentence.
    pub note: String,
    pub href: String,
}

/// What was refused, and with which status the page is shown again.
#[derive(Default)]
pub(super) struct Refused {
    pub status: StatusCode,
    pub refusals: Vec<Refusal>,
}

impl Refused {
    /// `Err` where something else is wrong.
    pub fn of(error: ActionError) -> Result<Self, Fault> {
        let refusals = Fault::refusals(error)?;
        let status = Fault::from(ActionError::Refused(model::Refusals(refusals.clone()))).status;
        Ok(Self { status, refusals })
    }

    /// What belongs to none of these fields.
    pub fn others(&self, desk: &Desk, fields: &[&str]) -> Vec<String> {
        let elsewhere = |r: &&Refusal| r.field.is_none_or(|field| !fields.contains(&field));
        self.refusals.iter().filter(elsewhere).map(|r| desk.words(&r.message)).collect()
    }

    pub fn show(&self, template: &impl Template) -> Outcome {
        Ok(self.page(template))
    }

    fn page(&self, template: &impl Template) -> Response {
        crate::pages::page(self.status, template)
    }
}

/// Rows that the person may see; none where they may see none.
pub(super) async fn seen(desk: &Desk, query: Query) -> Result<Vec<Record>, Fault> {
    match actions::list(&desk.ctx, query).await {
        Ok(rows) => Ok(rows),
        Err(ActionError::Refused(_)) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

async fn named<E: Entity>(desk: &Desk, name: Col<String>, filter: Filter) -> Result<Vec<(Id, String)>, Fault> {
    let mut query = Query::of::<E>().filter(filter).order_by(name, false).limit(MOST);
    query.select = vec![name.name];
    let rows = seen(desk, query).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.get(name.name).as_text().unwrap_or("").to_owned())).collect())
}

pub(super) async fn roles(desk: &Desk) -> Result<Vec<(Id, String)>, Fault> {
    named::<Role>(desk, Role::C.name, Filter::All).await
}

pub(super) async fn teams(desk: &Desk) -> Result<Vec<(Id, String)>, Fault> {
    named::<Team>(desk, Team::C.name, Filter::All).await
}

pub(super) async fn units(desk: &Desk) -> Result<Vec<(Id, String)>, Fault> {
    let enabled = Filter::ne(BusinessUnit::C.is_disabled, true);
    named::<BusinessUnit>(desk, BusinessUnit::C.name, enabled).await
}

/// People who can sign in.
pub(super) async fn people(desk: &Desk) -> Result<Vec<(Id, String)>, Fault> {
    let mut query = Query::of::<SystemUser>()
        .filter(Filter::eq(SystemUser::C.is_disabled, false))
        .order_by(SystemUser::C.full_name, false)
        .limit(MOST);
    query.select = vec![SystemUser::C.full_name.name, SystemUser::C.domain_name.name];
    let rows = seen(desk, query).await?;
    let text = |row: &Record, column: &str| row.get(column).as_text().unwrap_or("").to_owned();
    let name = |row: Record| {
        let (full, account) = (text(&row, SystemUser::C.full_name.name), text(&row, SystemUser::C.domain_name.name));
        (row.id, if full.is_empty() { account } else { format!("{full} ({account})") })
    };
    Ok(rows.into_iter().map(name).collect())
}

/// For a select; the value that stands is among the choices in any case.
pub(super) fn choices(rows: &[(Id, String)], standing: &str, standing_name: &str) -> Vec<Choice> {
    let mut all: Vec<Choice> = rows.iter().map(|(id, name)| Choice::new(id.to_string(), name.clone())).collect();
    if !standing.is_empty() && !all.iter().any(|c| c.value == standing) {
        all.insert(0, Choice::new(standing, standing_name));
    }
    all
}

pub(super) fn ticks(rows: Vec<(Id, String)>, on: &BTreeSet<Id>, path: &str) -> Vec<Tick> {
    let tick = |(id, name): (Id, String)| Tick {
        on: on.contains(&id),
        href: format!("{path}/{id}"),
        id: id.to_string(),
        name,
        note: String::new(),
    };
    rows.into_iter().map(tick).collect()
}

/// The text of a column; of a lookup, the id.
pub(super) fn text(record: &Record, column: &str) -> String {
    use model::Value;
    match record.get(column) {
        Value::Text(text) => text.clone(),
        Value::Int(number) => number.to_string(),
        Value::Bool(yes) => if *yes { "1" } else { "" }.to_owned(),
        Value::Ref(target) => target.id.to_string(),
        Value::Id(id) => id.to_string(),
        _ => String::new(),
    }
}
