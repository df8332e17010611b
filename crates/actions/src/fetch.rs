//! Reads rows of several tables at once, and what every question to the store
//! may see: of each table that it reaches, what the caller may read.

use model::fetch::Fetched;
use model::query::Seen;
use model::reach::Reached;
use model::tables::{BusinessUnit, TeamMembership, UserSettings};
use model::{Entity, Fetch, Filter, Id, Query, Value, tables};

use crate::access;
use crate::context::Context;
use crate::error::ActionError;

/// The rows that a fetch asks for, of those that the caller may read. What is
/// withheld from them is absent in each row: the values stand where the fetch
/// asks for them.
pub async fn fetch(ctx: &Context, fetch: Fetch) -> Result<Fetched, ActionError> {
    let asked = names(&fetch);
    let mut fetch = access::fetched(ctx, fetch)?;
    let shown = names(&fetch);
    // A join by name to a table that may not be read at all is refused; what
    // conditions only look at counts as absent.
    let joined = fetch.joined();
    fetch.seen = Some(seen(ctx, &fetch.reached(), &joined)?);
    let mut found = ctx.store.fetch(&fetch).await?;
    if shown.len() < asked.len() {
        for row in &mut found.rows {
            let mut values = std::mem::take(row).into_iter();
            let value = |name| if shown.contains(name) { values.next() } else { None };
            *row = asked.iter().map(value).map(|v| v.unwrap_or(Value::Null)).collect();
        }
    }
    Ok(found)
}

/// Each value of a row has a name of its own.
fn names(fetch: &Fetch) -> Vec<String> {
    fetch.picks().into_iter().map(|(_, pick)| pick.name.clone()).collect()
}

/// The query, with what its caller may read of every table that it reaches.
pub(crate) fn limited(ctx: &Context, mut query: Query) -> Result<Query, ActionError> {
    let root = Reached::from([query.table.logical]);
    query.seen = Some(seen(ctx, &query.reached(), &root)?);
    Ok(query)
}

/// `needed`: tables without which there is no answer.
fn seen(ctx: &Context, reached: &Reached, needed: &Reached) -> Result<Seen, ActionError> {
    let mut seen = Seen::new();
    for name in reached.iter().copied() {
        let Some(table) = tables::by_logical_name(name) else { continue };
        match access::read(ctx, table) {
            Ok(filter) => {
                seen.insert(name, filter);
            }
            Err(ActionError::Refused(_)) if !needed.contains(name) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(seen)
}

/// Where the caller stands: what conditions such as `eq-userteams` are about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    pub unit: Option<Id>,
    pub teams: Vec<Id>,
    pub language: Option<i64>,
    /// Every business unit with its parent.
    pub units: Vec<(Id, Option<Id>)>,
}

/// English, as long as a user has not chosen.
const LANGUAGE: i64 = 1033;

pub async fn standing(ctx: &Context) -> Result<Standing, ActionError> {
    let mine = Filter::eq(TeamMembership::C.user, Some(ctx.actor_ref()));
    let memberships = ctx.store.list::<TeamMembership>(&Query::of::<TeamMembership>().filter(mine)).await?;
    let settings = ctx.store.get(UserSettings::TABLE, ctx.actor.id).await?;
    let language = settings.and_then(|s| s.get("uilanguageid").as_int()).filter(|n| *n > 0);
    let units = ctx.store.list::<BusinessUnit>(&Query::of::<BusinessUnit>()).await?;
    Ok(Standing {
        unit: ctx.actor.business_unit.map(|unit| unit.id),
        teams: memberships.into_iter().filter_map(|m| m.team.map(|t| t.id)).collect(),
        language: Some(language.unwrap_or(LANGUAGE)),
        units: units.into_iter().map(|u| (u.id, u.parent.map(|p| p.id))).collect(),
    })
}

/// The FetchXML of a view that the caller may read, and the logical name of
/// the table it is for.
pub async fn view(ctx: &Context, table: &'static model::Table, id: Id) -> Result<(String, String), ActionError> {
    let row = crate::read(ctx, table, id, vec!["fetchxml", "returnedtypecode"]).await?;
    let text = |column: &str| if let Value::Text(text) = row.get(column) { text.clone() } else { String::new() };
    Ok((text("fetchxml"), text("returnedtypecode")))
}
