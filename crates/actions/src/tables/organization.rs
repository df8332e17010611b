//! The one organization: changed, never created.

use model::tables::Organization;
use model::{Entity, Refusal, words};

use crate::error::ActionError;
use crate::plan::Plan;

pub(crate) async fn check(plan: &mut Plan<'_>) -> Result<(), ActionError> {
    if plan.creating() {
        let fault = super::not_supported(plan, words!("There is one organization; it is made by `postroom init`."));
        plan.fault(fault);
        return Ok(());
    }
    audit_trail(plan)?;
    backups(plan)
}

/// A backup holds everything of everybody, and so many of them fill a disk.
/// Another schedule begins with its next hour.
fn backups(plan: &mut Plan<'_>) -> Result<(), ActionError> {
    let before = plan.before.as_ref();
    let changed = |name: &&str| before.is_none_or(|b| b.get(name) != plan.after.get(name));
    let changed: Vec<&str> = rules::backup::COLUMNS.into_iter().filter(changed).collect();
    let Some(first) = changed.first().copied() else { return Ok(()) };
    if !plan.ctx.principal.administrator {
        let message = words!("When backups are made is set by System Administrators alone.");
        plan.fault(Refusal::new(0x8004_0220, "PrivilegeDenied", message).at(first));
    }
    let organization = Organization::from_record(&plan.after)?;
    if let Err(refusal) = rules::backup::zone(&organization) {
        plan.fault(refusal);
    }
    if changed.iter().any(|name| *name != Organization::C.backup_keep.name) {
        plan.put(Organization::C.backup_since, Some(plan.ctx.now));
    }
    Ok(())
}

/// Who is watched does not decide how long that is remembered.
fn audit_trail(plan: &mut Plan<'_>) -> Result<(), ActionError> {
    let column = Organization::C.audit_days;
    if !plan.changes(column) {
        return Ok(());
    }
    if let Err(refusal) = rules::retention::audit_days(plan.after.typed(column)?) {
        plan.fault(refusal);
    }
    if !plan.ctx.principal.administrator {
        let message = words!("How long the audit trail is kept is set by System Administrators alone.");
        plan.fault(Refusal::new(0x8004_0220, "PrivilegeDenied", message).at(column.name));
    }
    Ok(())
}
