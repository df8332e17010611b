//! Deletes a row, with what goes with it. What refers to it forgets it.

use model::query::Compare;
use model::table::Kind;
use model::tables::Audit;
use model::{Change, Column, Commit, Entity, Filter, Id, Query, Ref, Refusal, Table, Update, Value, words};
use rules::access::Right;

use crate::context::Context;
use crate::draft::Precondition;
use crate::error::{ActionError, commit_failed, version_mismatch};
use crate::{access, audit, resolve, tables};

/// References that are taken back in one transaction. A row with more loses
/// them in steps before it goes; each step may be repeated.
const AT_ONCE: usize = 2000;

/// Tables whose rows say nothing any more when one of their ends is gone.
const LINKS: &[&str] = &[
    "principalobjectaccess",
    "systemuserroles",
    "teamroles",
    "teammembership",
    "roleprivileges",
    "systemuserprofiles",
    "teamprofiles",
    "fieldpermission",
];

pub async fn delete(
    ctx: &Context,
    table: &'static Table,
    id: Id,
    precondition: Precondition,
) -> Result<(), ActionError> {
    resolve::refuse_activity(table)?;
    access::any(ctx, Right::Read, table)?;
    let Some(row) = ctx.store.get(table, id).await? else {
        return Err(Refusal::does_not_exist(table.logical, id).into());
    };
    access::on_row(ctx, Right::Delete, &row).await?;
    if let Precondition::Version(version) = precondition
        && row.get("versionnumber").as_int() != Some(version)
    {
        return Err(version_mismatch(table.logical).into());
    }
    let mut changes = tables::check_delete(ctx, &row).await?;
    if !is_deleted(&changes, row.reference()) {
        changes.push(Change::Delete { table, id });
    }
    let deleted: Vec<Ref> = changes
        .iter()
        .filter(|c| matches!(c, Change::Delete { table, .. } if table.on_wire))
        .map(Change::target)
        .collect();
    for target in &deleted {
        refuse_associated(ctx, *target, &changes).await?;
    }
    for target in deleted {
        forget(ctx, target, &mut changes).await?;
    }
    changes.push(audit::deleted(ctx, &row)?);
    commit(ctx, table, changes).await
}

async fn commit(ctx: &Context, table: &'static Table, changes: Vec<Change>) -> Result<(), ActionError> {
    let commit = Commit::new(ctx.actor(), ctx.now, changes);
    ctx.store.commit(&commit).await.map_err(|e| commit_failed(table.logical, e))?;
    Ok(())
}

/// The lookups that can point to a table. The audit trail forgets nothing.
fn references(target: &'static str) -> impl Iterator<Item = (&'static Table, &'static Column)> {
    model::tables::ALL.iter().filter(|t| t.on_wire && **t != Audit::TABLE).flat_map(move |table| {
        let points = move |c: &&Column| matches!(c.kind, Kind::Lookup(targets) if targets.contains(&target));
        table.columns.iter().filter(points).map(move |c| (*table, c))
    })
}

fn referring(table: &'static Table, column: &Column, target: Ref, limit: usize) -> Query {
    let mut query = Query::table(table).limit(limit);
    query.filter = Filter::Compare(column.name.into(), Compare::Equal, Value::Ref(target));
    query.select = vec![column.name];
    query
}

/// A lookup that must not be empty, and an owner, keep their target from
/// being deleted.
async fn refuse_associated(ctx: &Context, target: Ref, changes: &[Change]) -> Result<(), ActionError> {
    for (table, column) in references(target.table).filter(|(_, c)| c.required || c.name == "ownerid") {
        let rows = ctx.store.query(&referring(table, column, target, AT_ONCE)).await?;
        if rows.iter().any(|r| !is_deleted(changes, r.reference())) {
            let message = words!(
                "The {0} cannot be deleted: rows of {1} refer to it by '{2}'. Delete or change those first.",
                target.table,
                table.logical,
                column.name
            );
            return Err(Refusal::new(0x8004_0227, "CannotDeleteDueToAssociation", message).into());
        }
    }
    Ok(())
}

/// Empties the lookups that point to the row (RemoveLink). What is nothing
/// but a link to it goes with it.
async fn forget(ctx: &Context, target: Ref, changes: &mut Vec<Change>) -> Result<(), ActionError> {
    for (table, column) in references(target.table) {
        loop {
            let rows = ctx.store.query(&referring(table, column, target, AT_ONCE)).await?;
            let full = rows.len() == AT_ONCE;
            let mut updates: Vec<Change> = Vec::new();
            for row in rows.iter().filter(|r| !is_deleted(changes, r.reference())) {
                if LINKS.contains(&table.logical) {
                    updates.push(Change::Delete { table, id: row.id });
                    continue;
                }
                let mut update = Update::row(table, row.id);
                update.set.push((column.name, Value::Null));
                updates.push(update.into());
            }
            if !full || updates.is_empty() {
                changes.append(&mut updates);
                break;
            }
            commit(ctx, table, updates).await?;
        }
    }
    Ok(())
}

fn is_deleted(changes: &[Change], row: Ref) -> bool {
    changes.iter().any(|c| matches!(c, Change::Delete { .. }) && c.target() == row)
}
