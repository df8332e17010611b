//! The views that an installation has from the start: those of the reference
//! product, and those that an administrator would otherwise build anew
//! everywhere.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use model::tables::{SavedQuery, Sharing, State, UserQuery, UserSettings};
use model::{Change, Entity, Filter, Id, Query, Record, Table, Update, Value};
use rules::access::Right;
use store::Store;

use crate::context::Context;
use crate::draft::{Draft, Precondition};
use crate::error::ActionError;

mod ready;

use ready::GROUPS;

/// Views of others that one list offers.
const MOST_SHARED: usize = 200;
/// Where it is kept which views lists open with: `mailbox 0190…`, a line each.
const DEFAULTS: &str = "pr_defaultviews";

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
    let selves: Vec<Value> = ctx.principal.selves().into_iter().map(Value::Ref).collect();
    let theirs = Filter::In(UserQuery::C.owner.name.into(), selves.clone()).or(Filter::In(
        UserQuery::TABLE.id.into(),
        shared(ctx, table, selves).await?.into_iter().map(Value::Id).collect(),
    ));
    let own = Query::of::<UserQuery>()
        .filter(Filter::eq(UserQuery::C.table, table.logical.to_owned()))
        .filter(Filter::eq(UserQuery::C.kind, 0))
        .filter(Filter::eq(UserQuery::C.state, State::Active))
        .filter(theirs);
    let mut views = readable(ctx, saved).await?;
    views.extend(readable(ctx, own).await?);
    views.sort_by_key(|v| (v.own, !v.is_default, v.name.to_lowercase(), v.id));
    Ok(views)
}

/// Views of others that were shared with the caller or their teams.
async fn shared(ctx: &Context, table: &'static Table, with: Vec<Value>) -> Result<Vec<Id>, ActionError> {
    let to_read = Filter::In(Sharing::C.principal.name.into(), with)
        .and(Filter::Bits(Sharing::C.rights.name.into(), Right::Read.bit()));
    let mut query = Query::of::<UserQuery>()
        .filter(Filter::eq(UserQuery::C.table, table.logical.to_owned()))
        .filter(Filter::Within {
            path: UserQuery::TABLE.id.into(),
            table: Sharing::TABLE,
            column: Sharing::C.object.name,
            filter: Box::new(to_read),
        })
        .limit(MOST_SHARED);
    query.select = vec![UserQuery::C.name.name];
    Ok(ctx.store.query(&query).await?.into_iter().map(|row| row.id).collect())
}

/// The view that the caller's lists of these rows open with, where they have
/// chosen one.
pub async fn default_of(ctx: &Context, table: &Table) -> Result<Option<Id>, ActionError> {
    let settings = crate::personal(ctx).await?;
    let text = settings.as_ref().and_then(|s| s.get(DEFAULTS).as_text()).unwrap_or("");
    let mut chosen = text.lines().filter_map(|line| line.split_once(' '));
    Ok(chosen.find(|(name, _)| *name == table.logical).and_then(|(_, id)| id.parse().ok()))
}

/// Lets the caller's lists of these rows open with a view from now on.
///
/// # Errors
/// As an update of the personal options.
pub async fn set_default(ctx: &Context, table: &Table, view: Id) -> Result<(), ActionError> {
    let settings = crate::personal(ctx).await?;
    let text = settings.as_ref().and_then(|s| s.get(DEFAULTS).as_text()).unwrap_or("");
    let others = text.lines().filter(|line| line.split_once(' ').is_some_and(|(name, _)| name != table.logical));
    let mut lines: Vec<String> = others.map(str::to_owned).collect();
    lines.push(format!("{} {view}", table.logical));
    let draft = Draft::new(UserSettings::TABLE).set(DEFAULTS, Value::Text(lines.join("\n")));
    crate::update(ctx, ctx.actor.id, draft, Precondition::Any).await?;
    Ok(())
}

/// Views that may not be read are not there.
async fn readable(ctx: &Context, query: Query) -> Result<Vec<View>, ActionError> {
    let own = query.table == UserQuery::TABLE;
    let me = ctx.actor_ref();
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
        mine: own && row.get(UserQuery::C.owner.name).as_ref_to() == Some(me),
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
    /// The caller's own.
    pub mine: bool,
    pub is_default: bool,
    pub fetch: String,
    pub layout: String,
    pub description: String,
}
