//! Full names of contacts and leads, in the organization's format.

use model::Value;
use rules::user_queue::full_name;

use crate::error::ActionError;
use crate::facts;
use crate::plan::Plan;

const LONGEST: usize = 160;

pub(crate) async fn check(plan: &mut Plan<'_>) -> Result<(), ActionError> {
    let format = facts::organization(plan.ctx).await?.full_name;
    let text = |name: &str| plan.after.get(name).as_text().unwrap_or("");
    let full = full_name(format, text("firstname"), text("middlename"), text("lastname"));
    plan.after.set("fullname", Value::Text(full.chars().take(LONGEST).collect()));
    Ok(())
}
