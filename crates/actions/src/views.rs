//! The views that an installation has from the start: those of the reference
//! product, and those that an administrator would otherwise build anew
//! everywhere.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use model::tables::{SavedQuery, State, UserQuery};
use model::{Change, Entity, Filter, Id, Query, Record, Ref, Table, Update, Value};
use store::Store;

use crate::context::Context;
use crate::error::ActionError;

mod ready;

use ready::GROUPS;

/// Views of one table that look alike.
struct Group {
    /// In which version of the ready views they came.
    release: u8,
    table: &'static Table,
    /// With their widths in pixels.
    columns: &'static [(&'static str, u16)],
    /// Column, and whether it counts down.
    order: (&'static str, bool),
    views: &'static [Ready],
}

struct Ready {
    name: &'static str,
    /// What stands in the filter; empty: all rows.
    conditions: &'static str,
    is_default: bool,
    /// An order before that of the group.
    first_order: &'static str,
    /// What is joined.
    link: &'static str,
}

/// The rows of the views, each with an id of its own that never changes.
pub(crate) fn all() -> Vec<Change> {
    GROUPS.iter().flat_map(Group::rows).map(Change::Ensure).collect()
}

/// What an installation of an earlier version lacks. Views come in groups, a
/// version at a time: where one of a group is there, somebody has deleted the
/// others and does not want them back. Views from before there were layouts
/// get theirs.
pub(crate) async fn missing(store: &Store) -> Result<Vec<Change>, ActionError> {
    let layout = "layoutxml";
    let query = Query { select: vec![layout], ..Query::of::<SavedQuery>() };
    let there: BTreeMap<Id, bool> =
        store.query(&query).await?.into_iter().map(|row| (row.id, row.get(layout).is_null())).collect();
    let releases: BTreeSet<u8> = GROUPS.iter().map(|g| g.release).collect();
    let mut changes = Vec::new();
    for release in releases {
        let rows: Vec<Record> = GROUPS.iter().filter(|g| g.release == release).flat_map(Group::rows).collect();
        if rows.iter().all(|row| !there.contains_key(&row.id)) {
            changes.extend(rows.into_iter().map(Change::Ensure));
            continue;
        }
        let bare = rows.into_iter().filter(|row| there.get(&row.id) == Some(&true));
        changes.extend(bare.map(|row| {
            let set = vec![(layout, row.get(layout).clone())];
            Change::from(Update { set, ..Update::row(SavedQuery::TABLE, row.id) })
        }));
    }
    Ok(changes)
}

/// The id of the view of this name that an installation has from the start.
/// Where somebody deleted it, a list shows its default instead.
#[must_use]
pub fn ready(table: &Table, name: &str) -> Id {
    let parts: [&[u8]; 3] = [b"savedquery", table.logical.as_bytes(), name.as_bytes()];
    model::id::derived(Timestamp::UNIX_EPOCH, &parts)
}

impl Group {
    fn rows(&self) -> impl Iterator<Item = Record> {
        self.views.iter().map(|view| self.row(view))
    }

    fn row(&self, view: &Ready) -> Record {
        let table = self.table;
        let id = ready(table, view.name);
        let mut row = Record::with_defaults(SavedQuery::TABLE, id);
        row.put(SavedQuery::C.name, view.name.to_owned());
        row.put(SavedQuery::C.table, table.logical.to_owned());
        row.put(SavedQuery::C.fetch, self.fetch(view));
        row.put(SavedQuery::C.is_default, view.is_default);
        row.set("layoutxml", Value::Text(layout(table, self.columns)));
        row
    }

    fn fetch(&self, view: &Ready) -> String {
        let columns: String = self.columns.iter().map(|(c, _)| format!("<attribute name=\"{c}\" />")).collect();
        let (order, descending) = self.order;
        let filter = if view.conditions.is_empty() {
            String::new()
        } else {
            format!("<filter type=\"and\">{}</filter>", view.conditions)
        };
        format!(
            "<fetch version=\"1.0\" mapping=\"logical\"><entity name=\"{}\"><attribute name=\"{}\" />{columns}{}\
             <order attribute=\"{order}\" descending=\"{descending}\" />{filter}{}</entity></fetch>",
            self.table.logical, self.table.id, view.first_order, view.link
        )
    }
}

fn layout(table: &Table, columns: &[(&str, u16)]) -> String {
    let cells: String =
        columns.iter().map(|(name, width)| format!("<cell name=\"{name}\" width=\"{width}\" />")).collect();
    format!(
        "<grid name=\"resultset\" object=\"{}\" jump=\"{}\" select=\"1\" icon=\"1\" preview=\"1\">\
         <row name=\"result\" id=\"{}\">{cells}</row></grid>",
        table.code,
        table.name.unwrap_or(table.id),
        table.id
    )
}

/// The active views of a table that the caller may use: the organization's by
/// name, the default first, then their own and those of their teams.
pub async fn of(ctx: &Context, table: &'static Table) -> Result<Vec<View>, ActionError> {
    let saved = Query::of::<SavedQuery>()
        .filter(Filter::eq(SavedQuery::C.table, table.logical.to_owned()))
        .filter(Filter::eq(SavedQuery::C.kind, 0))
        .filter(Filter::eq(SavedQuery::C.state, State::Active));
    let owners = ctx.principal.teams.keys().map(|team| Some(Ref::new("team", *team))).chain([Some(ctx.actor_ref())]);
    let own = Query::of::<UserQuery>()
        .filter(Filter::eq(UserQuery::C.table, table.logical.to_owned()))
        .filter(Filter::eq(UserQuery::C.kind, 0))
        .filter(Filter::eq(UserQuery::C.state, State::Active))
        .filter(Filter::is_in(UserQuery::C.owner, owners));
    let mut views = readable(ctx, saved).await?;
    views.extend(readable(ctx, own).await?);
    views.sort_by_key(|v| (v.own, !v.is_default, v.name.to_lowercase(), v.id));
    Ok(views)
}

/// Views that may not be read are not there.
async fn readable(ctx: &Context, query: Query) -> Result<Vec<View>, ActionError> {
    let own = query.table == UserQuery::TABLE;
    let rows = match crate::list(ctx, query).await {
        Ok(rows) => rows,
        Err(ActionError::Refused(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let text = |row: &Record, column: &str| row.get(column).as_text().unwrap_or("").to_owned();
    let view = |row: &Record| View {
        id: row.id,
        name: text(row, "name"),
        own,
        is_default: row.get("isdefault").as_bool() == Some(true),
        fetch: text(row, "fetchxml"),
        layout: text(row, "layoutxml"),
        description: text(row, "description"),
    };
    Ok(rows.iter().map(view).collect())
}

/// A view as a list is shown by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    pub id: Id,
    pub name: String,
    /// The caller's own, or shared with them; else one of the organization's.
    pub own: bool,
    pub is_default: bool,
    pub fetch: String,
    pub layout: String,
    pub description: String,
}
