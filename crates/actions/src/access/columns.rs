//! Columns that a right to the row is not enough for.

use std::collections::{BTreeMap, BTreeSet};

use model::tables::{Sharing, UserSettings};
use model::{Entity, Filter, Id, Query, Record, Ref, Refusal, Table, Value, words};
use rules::access::{Depth, Reach, Right, RowFacts, Special, fields};

use crate::access::facts::unit_of;
use crate::context::Context;
use crate::error::ActionError;
use crate::plan::Plan;

/// The columns to read so that it can be decided which of them are shown.
pub(crate) fn with_owner(ctx: &Context, table: &'static Table, select: &mut Vec<&'static str>) {
    let withheld = |name: &str| fields::is_secured(table, name) || fields::is_content(table, name);
    if ctx.principal.administrator || select.is_empty() || !select.iter().any(|name| withheld(name)) {
        return;
    }
    if !select.contains(&"ownerid") && table.column("ownerid").is_some() {
        select.push("ownerid");
    }
}

/// Empties what the actor may not read of rows that they may read.
pub(crate) async fn hide(ctx: &Context, table: &'static Table, records: &mut [Record]) -> Result<(), ActionError> {
    if ctx.principal.administrator || records.is_empty() || !fields::withholds(table) {
        return Ok(());
    }
    let secured =
        |name: &'static str| fields::is_secured(table, name) && !fields::by_profile(&ctx.principal, table, name).read;
    for (special, columns) in [
        (Special::ManageCredentials, columns(table, secured)),
        (Special::ReadEmailContent, columns(table, |name| fields::is_content(table, name))),
    ] {
        if columns.is_empty() {
            continue;
        }
        let shown = covered(ctx, special, records).await?;
        for record in records.iter_mut().filter(|r| !shown.contains(&r.id)) {
            for name in &columns {
                if record.values.contains_key(name) {
                    record.set(name, Value::Null);
                }
            }
        }
    }
    Ok(())
}

fn columns(table: &'static Table, which: impl Fn(&'static str) -> bool) -> Vec<&'static str> {
    table.columns.iter().map(|c| c.name).filter(|name| which(name)).collect()
}

/// The rows that a special privilege covers.
async fn covered(ctx: &Context, special: Special, records: &[Record]) -> Result<BTreeSet<Id>, ActionError> {
    let Some(reach) = ctx.principal.reach(special.name()).cloned() else { return Ok(BTreeSet::new()) };
    if reach.depth == Depth::Global {
        return Ok(records.iter().map(|r| r.id).collect());
    }
    let shares = shares(ctx, records).await?;
    let mut units: BTreeMap<Ref, Option<Id>> = BTreeMap::new();
    let mut found = BTreeSet::new();
    for record in records {
        let owner = record.get("ownerid").as_ref_to();
        let unit = owner_unit(ctx, owner, &reach, &mut units).await?;
        let facts = RowFacts { owner, unit, shares: shares.get(&record.id).cloned().unwrap_or_default() };
        if ctx.principal.covers(&reach, &facts, Right::Read) {
            found.insert(record.id);
        }
    }
    Ok(found)
}

async fn owner_unit(
    ctx: &Context,
    owner: Option<Ref>,
    reach: &Reach,
    known: &mut BTreeMap<Ref, Option<Id>>,
) -> Result<Option<Id>, ActionError> {
    let (Some(owner), false) = (owner, reach.units.is_empty()) else { return Ok(None) };
    if let Some(unit) = known.get(&owner) {
        return Ok(*unit);
    }
    let unit = unit_of(ctx, Some(owner)).await?;
    known.insert(owner, unit);
    Ok(unit)
}

/// What of these rows is shared with the actor.
async fn shares(ctx: &Context, records: &[Record]) -> Result<BTreeMap<Id, Vec<(Ref, i64)>>, ActionError> {
    let mut found: BTreeMap<Id, Vec<(Ref, i64)>> = BTreeMap::new();
    let selves: Vec<Value> = ctx.principal.selves().into_iter().map(Value::Ref).collect();
    for some in records.chunks(500) {
        let ids = some.iter().map(|r| Value::Id(r.id)).collect();
        let query = Query::of::<Sharing>()
            .filter(Filter::In(Sharing::C.principal.name.into(), selves.clone()))
            .filter(Filter::In(Sharing::C.object.name.into(), ids));
        for row in ctx.store.list::<Sharing>(&query).await? {
            if let (Some(object), Some(principal)) = (row.object, row.principal) {
                found.entry(object.id).or_default().push((principal, row.rights));
            }
        }
    }
    Ok(found)
}

/// Whether the actor may read the bytes that belong to an email, or to its
/// attachment. 0x80040220
pub(crate) async fn may_read_content(ctx: &Context, row: &Record) -> Result<(), ActionError> {
    let facts = super::facts(ctx, row).await?;
    if fields::may_read_content(&ctx.principal, &facts) {
        return Ok(());
    }
    Err(rules::access::refusals::missing_special(&ctx.principal, Special::ReadEmailContent).into())
}

/// What is wrong with the secured columns that the caller writes.
pub(super) fn writable(plan: &Plan<'_>, facts: &RowFacts) -> Vec<Refusal> {
    let table = plan.table();
    let right = if plan.creating() { Right::Create } else { Right::Write };
    let principal = &plan.ctx.principal;
    let mut faults = Vec::new();
    for column in table.columns.iter().filter(|c| plan.given.contains(c.name)) {
        let before = plan.before.as_ref().map_or(&Value::Null, |b| b.get(column.name));
        let changes = before != plan.after.get(column.name);
        if changes
            && fields::is_secured(table, column.name)
            && !fields::may(principal, right, table, column.name, facts)
        {
            faults.push(fields::refused(principal, table, column.name, words!("write")));
        }
    }
    // Allowing others to send in one's name is for oneself to decide.
    let send_as = UserSettings::C.send_as_allowed;
    if table == UserSettings::TABLE
        && plan.was_given(send_as)
        && plan.changes(send_as)
        && plan.after.id != principal.user
        && let Err(refusal) = principal.may_special(Special::SendAsUser)
    {
        faults.push(refusal.at(send_as.name));
    }
    faults
}
