//! The one organization: changed, never created.

use crate::error::ActionError;
use crate::plan::Plan;

pub(crate) async fn check(plan: &mut Plan<'_>) -> Result<(), ActionError> {
    if plan.creating() {
        let fault = super::not_supported(plan, "There is one organization; it is made by `postroom init`.");
        plan.fault(fault);
    }
    Ok(())
}
