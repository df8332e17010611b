//! The one place where every action asks who may do what. The decision is a
//! rule's; here its facts are loaded.

use model::tables::SystemUser;
use model::{Filter, Id, Record, Ref, Refusal, Table, words};
use rules::access::{Depth, Right, RowFacts, Special, anchor, filter, may, refusals};

use crate::context::Context;
use crate::error::ActionError;
use crate::plan::Plan;

mod columns;
pub mod explain;
mod facts;
mod narrow;
pub(crate) mod principal;

pub(crate) use columns::{hide, may_read_content};
pub(crate) use facts::facts;
pub(crate) use narrow::{fetched, narrowed};

/// The rows that the actor may read, as a filter for the store.
pub(crate) fn read(ctx: &Context, table: &'static Table) -> Result<Filter, ActionError> {
    Ok(filter::readable(&ctx.principal, table)?)
}

/// Whether the actor may do this to any row of the table at all.
pub(crate) fn any(ctx: &Context, right: Right, table: &'static Table) -> Result<(), ActionError> {
    ctx.principal.granted(right, table)?;
    Ok(())
}

/// Whether the actor may make rows of this table at all. Whose they are is
/// checked when the row is complete.
pub(crate) fn create(ctx: &Context, table: &'static Table) -> Result<(), ActionError> {
    any(ctx, Right::Create, table)
}

/// Whether the actor may make this row, whose owner may be that of its parent.
pub(crate) async fn create_row(ctx: &Context, row: &Record) -> Result<Result<(), Refusal>, ActionError> {
    right_on(ctx, Right::Create, row).await
}

/// Whether the actor may do this to the row. Who may not even read it is not
/// told that it is there.
pub(crate) async fn on_row(ctx: &Context, right: Right, row: &Record) -> Result<(), ActionError> {
    readable_row(ctx, row).await?;
    if right == Right::Read {
        return Ok(());
    }
    Ok(right_on(ctx, right, row).await??)
}

async fn readable_row(ctx: &Context, row: &Record) -> Result<(), ActionError> {
    ctx.principal.granted(Right::Read, row.table)?;
    if right_on(ctx, Right::Read, row).await?.is_err() {
        return Err(Refusal::does_not_exist(row.table.logical, row.id).into());
    }
    Ok(())
}

async fn right_on(ctx: &Context, right: Right, row: &Record) -> Result<Result<(), Refusal>, ActionError> {
    match ctx.principal.granted(right, row.table) {
        // Nothing about the row can matter.
        Ok(reach) if reach.depth == Depth::Global => Ok(Ok(())),
        Ok(_) => Ok(may(&ctx.principal, right, row.table, &facts(ctx, row).await?)),
        Err(refusal) => Ok(Err(refusal)),
    }
}

/// Whether the actor may do what concerns the passwords, sessions, tokens and
/// secrets of everybody. A token with scopes never may.
pub(crate) fn administer(ctx: &Context) -> Result<(), ActionError> {
    unscoped(ctx)?;
    special(ctx, Special::ManageTokens)
}

/// Whether the actor may decide how this user signs in: who can sign in as
/// somebody else has what those have.
pub(crate) async fn administer_user(ctx: &Context, user: &SystemUser) -> Result<(), ActionError> {
    administer(ctx)?;
    no_stronger(ctx, user, true).await
}

/// `rows`: the user's own rows count, too.
pub(crate) async fn no_stronger(ctx: &Context, user: &SystemUser, rows: bool) -> Result<(), ActionError> {
    let theirs = principal::of(&ctx.store, user).await?;
    let stronger = rules::access::impersonation::no_stronger(&ctx.principal, &theirs, rows);
    stronger.map_err(|what| {
        refusals::more_than_own(&ctx.principal, words!("the user {0} has {1}", user.domain_name, what)).into()
    })
}

/// Refuses a token that was made for less than its user may.
pub(crate) fn unscoped(ctx: &Context) -> Result<(), ActionError> {
    if ctx.principal.scopes.is_none() {
        return Ok(());
    }
    let message = words!("The token's scopes do not include administration. Use a token without scopes.");
    Err(Refusal::new(0x8004_0220, "PrivilegeDenied", message).into())
}

/// A special privilege that concerns no row.
pub(crate) fn special(ctx: &Context, special: Special) -> Result<(), ActionError> {
    Ok(ctx.principal.may_special(special)?)
}

/// A special privilege that has a depth, on a row that the actor may read.
pub(crate) async fn special_on(ctx: &Context, special: Special, row: &Record) -> Result<(), ActionError> {
    readable_row(ctx, row).await?;
    ctx.principal.may_special(special)?;
    let facts = facts(ctx, row).await?;
    if ctx.principal.special_covers(special, &facts) {
        return Ok(());
    }
    Err(refusals::missing_special(&ctx.principal, special).into())
}

/// What a write takes besides Create or Write on the row: Assign where the
/// owner changes, Append and Append To where a lookup is set, and the secured
/// columns' own permission.
pub(crate) async fn check_columns(plan: &mut Plan<'_>) -> Result<(), ActionError> {
    let ctx = plan.ctx;
    heir(plan).await?;
    if ctx.principal.administrator && ctx.principal.scopes.is_none() {
        return Ok(());
    }
    let row = plan.before.clone().unwrap_or_else(|| plan.after.clone());
    let facts = facts(ctx, &row).await?;
    assign(plan, &facts);
    append(plan, &facts);
    let mut faults = columns::writable(plan, &facts);
    plan.faults.append(&mut faults);
    Ok(())
}

fn assign(plan: &mut Plan<'_>, facts: &RowFacts) {
    let owned = matches!(anchor(plan.table()), rules::access::Anchor::Owner("ownerid"));
    if !owned || plan.creating() || !plan.changes(OWNER) {
        return;
    }
    if let Err(refusal) = may(&plan.ctx.principal, Right::Assign, plan.table(), facts) {
        plan.fault(refusal.at(OWNER.name));
    }
}

/// A new owner must be able to read such rows at all.
async fn heir(plan: &mut Plan<'_>) -> Result<(), ActionError> {
    let table = plan.table();
    let owned = matches!(anchor(table), rules::access::Anchor::Owner("ownerid"));
    if !owned || plan.creating() || !plan.changes(OWNER) {
        return Ok(());
    }
    let Some(owner) = plan.after.typed(OWNER)? else { return Ok(()) };
    if let Some(fault) = principal::cannot_own(&plan.ctx.store, owner, table).await? {
        plan.fault(fault.at(OWNER.name));
    }
    Ok(())
}

const OWNER: model::Col<Option<Ref>> = model::Col::new("ownerid");

fn append(plan: &mut Plan<'_>, facts: &RowFacts) {
    let table = plan.table();
    if !rules::access::anchor::checks_append(table) {
        return;
    }
    let set = plan.set_lookups().next().map(|(column, _)| column.name);
    if let Some(name) = set
        && let Err(refusal) = may(&plan.ctx.principal, Right::Append, table, facts)
    {
        plan.fault(refusal.at(name));
    }
}

/// Whether a lookup may be set to this row.
pub(crate) async fn target(ctx: &Context, row: &Record) -> Result<(), ActionError> {
    let right = if rules::access::anchor::checks_append(row.table) { Right::AppendTo } else { Right::Read };
    on_row(ctx, right, row).await
}

/// The row, if it is there and the actor may read it.
pub(crate) async fn seen(ctx: &Context, table: &'static Table, id: Id) -> Result<Record, ActionError> {
    any(ctx, Right::Read, table)?;
    let Some(row) = ctx.store.get(table, id).await? else {
        return Err(Refusal::does_not_exist(table.logical, id).into());
    };
    readable_row(ctx, &row).await?;
    Ok(row)
}
