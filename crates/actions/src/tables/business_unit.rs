//! Business units form one tree.

use model::tables::{BusinessUnit, SystemUser, Team};
use model::{Change, Entity, Filter, Query, Record, Ref, Refusal, words};
use rules::access::Right;

use crate::context::Context;
use crate::error::{ActionError, invalid_operation};
use crate::plan::Plan;

/// Deeper trees than this are taken for a circle.
const DEEPEST: usize = 100;

pub(crate) async fn check(plan: &mut Plan<'_>) -> Result<(), ActionError> {
    let parent = BusinessUnit::C.parent;
    if plan.creating() && plan.after.get(parent.name).is_null() {
        let root = root(plan.ctx).await?;
        plan.put(parent, root);
    }
    if plan.creating() || !plan.changes(parent) {
        return Ok(());
    }
    // Whoever reaches what is below the new parent reaches this one, too.
    if !plan.ctx.principal.administrator {
        let facts = rules::access::RowFacts { unit: plan.after.get(parent.name).as_id(), ..Default::default() };
        if let Err(refusal) = rules::access::may(&plan.ctx.principal, Right::Write, plan.table(), &facts) {
            plan.fault(refusal.at(parent.name));
        }
    }
    let mut above = plan.after.get(parent.name).as_id();
    if above.is_none() {
        plan.fault(Refusal::invalid(Some(parent.name), words!("Only the root business unit has no parent.")));
    }
    for _ in 0..DEEPEST {
        let Some(id) = above else { return Ok(()) };
        if id == plan.after.id {
            break;
        }
        above = plan.ctx.store.load::<BusinessUnit>(id).await?.and_then(|b| b.parent).map(|p| p.id);
    }
    if above.is_some() {
        plan.fault(Refusal::invalid(Some(parent.name), words!("A business unit cannot stand below itself.")));
    }
    Ok(())
}

/// The root: the one without a parent.
pub(crate) async fn root(ctx: &Context) -> Result<Option<Ref>, ActionError> {
    let query = Query::of::<BusinessUnit>().filter(Filter::IsNull(BusinessUnit::C.parent.name.into())).limit(1);
    Ok(ctx.store.list::<BusinessUnit>(&query).await?.pop().map(|b| b.reference()))
}

pub(crate) async fn check_delete(ctx: &Context, row: &Record) -> Result<Vec<Change>, ActionError> {
    let unit = Some(row.reference());
    if row.get(BusinessUnit::C.parent.name).is_null() {
        return Err(invalid_operation(words!("The root business unit cannot be deleted.")).into());
    }
    let used =
        ctx.store.count(&Query::of::<SystemUser>().filter(Filter::eq(SystemUser::C.business_unit, unit))).await? > 0
            || ctx.store.count(&Query::of::<Team>().filter(Filter::eq(Team::C.business_unit, unit))).await? > 0
            || ctx.store.count(&Query::of::<BusinessUnit>().filter(Filter::eq(BusinessUnit::C.parent, unit))).await?
                > 0;
    if used {
        let message = words!("The business unit has users, teams or business units. Move them first.");
        return Err(Refusal::new(0x8004_0227, "CannotDeleteDueToAssociation", message).into());
    }
    Ok(Vec::new())
}
