//! Reads the audit trail: some of it to show, all of it to export.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::query::Compare;
use model::tables::{Audit, Organization, SystemUser};
use model::{Commit, Entity, Filter, Id, Query, Ref, Value};
use rules::access::Special;
use serde_json::json;

use crate::context::Context;
use crate::error::{ActionError, commit_failed};
use crate::{access, audit, read};

/// Rows that an export reads at a time.
const AT_ONCE: usize = 1000;

/// Which rows of the trail; what is not said is not asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    pub from: Option<Timestamp>,
    /// Up to and with this moment.
    pub to: Option<Timestamp>,
    /// In whose name, or by whom.
    pub user: Option<Id>,
    pub table: Option<String>,
    pub row: Option<Id>,
    pub action: Option<String>,
}

impl Wanted {
    fn query(&self) -> Query {
        let mut query = Query::of::<Audit>();
        let at = |compare, time| Filter::Compare(Audit::C.at.name.into(), compare, Value::Time(time));
        if let Some(from) = self.from {
            query = query.filter(at(Compare::GreaterOrEqual, from));
        }
        if let Some(to) = self.to {
            query = query.filter(at(Compare::LessOrEqual, to));
        }
        if let Some(user) = self.user {
            let user = Some(Ref::new(SystemUser::TABLE.logical, user));
            let either = vec![Filter::eq(Audit::C.user, user), Filter::eq(Audit::C.calling_user, user)];
            query = query.filter(Filter::Or(either));
        }
        if let Some(table) = &self.table {
            query = query.filter(Filter::eq(Audit::C.table, table.clone()));
        }
        if let Some(row) = self.row {
            query = query.filter(Filter::eq(Audit::C.row, Some(row)));
        }
        if let Some(action) = &self.action {
            query = query.filter(Filter::eq(Audit::C.action, action.clone()));
        }
        query
    }
}

/// A row of the trail, with the names of the users as they are now.
#[derive(Debug, Clone)]
pub struct Entry {
    pub audit: Audit,
    pub user: String,
    pub calling_user: String,
}

/// The newest of the wanted rows.
pub async fn show(ctx: &Context, wanted: &Wanted, most: usize) -> Result<Vec<Entry>, ActionError> {
    older(ctx, wanted, None, most).await
}

/// The newest of the wanted rows that come after this one in that order.
pub async fn older(
    ctx: &Context,
    wanted: &Wanted,
    than: Option<(Timestamp, Id)>,
    most: usize,
) -> Result<Vec<Entry>, ActionError> {
    let mut query = wanted.query().order_by(Audit::C.at, true).limit(most);
    query.after = than.map(|(at, id)| (vec![Value::Time(at)], id));
    let rows = read::list(ctx, query).await?;
    let mut names = Names::default();
    let mut entries = Vec::with_capacity(rows.len());
    for row in rows {
        entries.push(names.entry(ctx, Audit::from_record(&row)?).await?);
    }
    Ok(entries)
}

/// The trail, oldest first, a part at a time.
#[derive(Debug)]
pub struct Export {
    ctx: Context,
    query: Query,
    names: Names,
    /// How many rows there are.
    pub total: u64,
}

impl Export {
    /// Takes the right to read the trail and the right to export; the export
    /// itself is the last row of the trail that it can hold.
    pub async fn begin(ctx: &Context, wanted: &Wanted, format: &str) -> Result<Self, ActionError> {
        access::special(ctx, Special::ReadAudit)?;
        access::special(ctx, Special::Export)?;
        note(ctx, wanted, format).await?;
        let ends = Wanted { to: Some(wanted.to.unwrap_or(ctx.now)), ..wanted.clone() };
        let query = access::narrowed(ctx, ends.query())?.order_by(Audit::C.at, false).limit(AT_ONCE);
        let total = ctx.store.count(&query).await?;
        Ok(Self { ctx: ctx.clone(), query, names: Names::default(), total })
    }

    /// The next rows; none at the end.
    pub async fn next(&mut self) -> Result<Vec<Entry>, ActionError> {
        let rows = self.ctx.store.list::<Audit>(&self.query).await?;
        if let Some(last) = rows.last() {
            self.query.after = Some((vec![last.at.map_or(Value::Null, Value::Time)], last.id));
        }
        let mut entries = Vec::with_capacity(rows.len());
        for row in rows {
            entries.push(self.names.entry(&self.ctx, row).await?);
        }
        Ok(entries)
    }
}

async fn note(ctx: &Context, wanted: &Wanted, format: &str) -> Result<(), ActionError> {
    let time = |t: Option<Timestamp>| t.map(|t| t.to_string());
    let detail = json!({
        "format": format, "from": time(wanted.from), "to": time(wanted.to), "table": wanted.table,
        "user": wanted.user.map(|u| u.to_string()), "row": wanted.row.map(|r| r.to_string()), "action": wanted.action,
    });
    let organization = ctx.store.list::<Organization>(&Query::of::<Organization>().limit(1)).await?.pop();
    let row = organization.map_or(Id::nil(), |o| o.id);
    let noted = audit::told(ctx, "audit-exported", Organization::TABLE, row, detail)?;
    let commit = Commit::new(ctx.actor(), ctx.now, vec![noted]);
    ctx.store.commit(&commit).await.map_err(|e| commit_failed(Audit::TABLE.logical, e))?;
    Ok(())
}

/// User names that were looked up already.
#[derive(Debug, Default)]
struct Names(BTreeMap<Id, String>);

impl Names {
    async fn entry(&mut self, ctx: &Context, audit: Audit) -> Result<Entry, ActionError> {
        let user = self.of(ctx, audit.user).await?;
        let calling_user = self.of(ctx, audit.calling_user).await?;
        Ok(Entry { audit, user, calling_user })
    }

    /// Who may read the trail may know who it speaks of.
    async fn of(&mut self, ctx: &Context, user: Option<Ref>) -> Result<String, ActionError> {
        let Some(user) = user else { return Ok(String::new()) };
        if let Some(known) = self.0.get(&user.id) {
            return Ok(known.clone());
        }
        let found = ctx.store.load::<SystemUser>(user.id).await?;
        let name =
            found.map_or_else(String::new, |u| if u.domain_name.is_empty() { u.full_name } else { u.domain_name });
        self.0.insert(user.id, name.clone());
        Ok(name)
    }
}
