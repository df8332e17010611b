//! Creates a row.

use std::collections::BTreeSet;

use model::table::{Access, Kind};
use model::{Commit, Id, Record, Refusal, Value};

use crate::context::Context;
use crate::draft::Draft;
use crate::error::{ActionError, commit_failed};
use crate::plan::Plan;
use crate::{access, deep, resolve, tables, validate};

/// Creates the row with all that goes with it and returns its id. All faults
/// of the draft are reported together; after a refusal nothing has changed.
pub async fn create(ctx: &Context, draft: Draft) -> Result<Id, ActionError> {
    if deep::is_flat(&draft) { one(ctx, draft).await } else { deep::create(ctx, draft).await }
}

/// Creates a row in one commit.
pub(crate) async fn one(ctx: &Context, draft: Draft) -> Result<Id, ActionError> {
    let table = draft.table;
    resolve::refuse_activity(table)?;
    access::create(ctx, table)?;
    let id = match draft.id {
        Some(id) => id,
        None => ctx.new_id()?,
    };
    let commit = plan(ctx, id, draft).await?;
    ctx.store.commit(&commit).await.map_err(|e| commit_failed(table.logical, e))?;
    Ok(id)
}

/// The commit that creates the row.
pub(crate) async fn plan(ctx: &Context, id: Id, draft: Draft) -> Result<Commit, ActionError> {
    let table = draft.table;
    let mut plan = Plan::new(ctx, None, Record::with_defaults(table, id), draft);
    own(&mut plan);
    tables::state::settle(&mut plan);
    tables::check(&mut plan).await?;
    plan.refuse_children();
    require(&mut plan);
    targets_exist(&mut plan).await?;
    // Where the row refers to something that is not there for the caller,
    // nothing more is said of it.
    if !plan.faults.iter().any(|f| f.code == Refusal::ABSENT) {
        if let Err(fault) = access::create_row(ctx, &plan.after).await? {
            plan.fault(fault);
        }
        access::check_columns(&mut plan).await?;
    }
    plan.into_commit()
}

/// A row that says nothing else belongs to who makes it.
fn own(plan: &mut Plan<'_>) {
    if plan.table().column("ownerid").is_some() && plan.after.get("ownerid").is_null() {
        plan.after.set("ownerid", Value::Ref(plan.ctx.actor_ref()));
    }
}

fn require(plan: &mut Plan<'_>) {
    let table = plan.table();
    for column in table.columns.iter().filter(|c| c.required) {
        let empty = match plan.after.get(column.name) {
            Value::Null => true,
            Value::Text(text) => text.trim().is_empty(),
            _ => false,
        };
        let told = plan.faults.iter().any(|f| f.field == Some(column.name));
        if empty && !told && matches!(column.access, Access::ReadWrite | Access::Create) {
            plan.fault(validate::required(table, column));
        }
    }
}

/// Every row that the caller refers to is there.
pub(crate) async fn targets_exist(plan: &mut Plan<'_>) -> Result<(), ActionError> {
    let mut missing: Vec<Refusal> = Vec::new();
    let mut seen = BTreeSet::new();
    for name in &plan.given {
        let Some(column) = plan.table().column(name) else { continue };
        let (Kind::Lookup(_), Value::Ref(target)) = (column.kind, plan.after.get(name)) else { continue };
        let unchanged = plan.before.as_ref().is_some_and(|b| b.get(name) == plan.after.get(name));
        if unchanged || !seen.insert(*target) {
            continue;
        }
        let Some(table) = model::tables::by_logical_name(target.table) else { continue };
        let fault = match plan.ctx.store.get(table, target.id).await? {
            None => Refusal::does_not_exist(target.table, target.id),
            // An owner need not be a row that anybody may append to.
            Some(_) if column.name == "ownerid" => continue,
            Some(row) => match access::target(plan.ctx, &row).await {
                Ok(()) => continue,
                Err(ActionError::Refused(refusals)) => match refusals.0.into_iter().next() {
                    Some(refusal) => refusal,
                    None => continue,
                },
                Err(error) => return Err(error),
            },
        };
        missing.push(fault.at(column.name));
    }
    plan.faults.extend(missing);
    Ok(())
}
