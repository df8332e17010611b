//! The one organization: changed, never created.

use model::Refusal;
use model::tables::Organization;

use crate::error::ActionError;
use crate::plan::Plan;

pub(crate) async fn check(plan: &mut Plan<'_>) -> Result<(), ActionError> {
    if plan.creating() {
        let fault = super::not_supported(plan, "There is one organization; it is made by `postroom init`.");
        plan.fault(fault);
        return Ok(());
    }
    audit_trail(plan)
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
        let message = "How long the audit trail is kept is set by System Administrators alone.";
        plan.fault(Refusal::new(0x8004_0220, "PrivilegeDenied", message).at(column.name));
    }
    Ok(())
}
