//! State and status belong together: one follows from the other where only
//! one is given, and a pair that does not fit is refused.

use model::table::Kind;
use model::{OptionSet, Refusal, Value, words};

use crate::plan::Plan;

pub(crate) fn settle(plan: &mut Plan<'_>) {
    let Some(statuses) = statuses(plan) else { return };
    let (state_given, status_given) = (plan.given.contains("statecode"), plan.given.contains("statuscode"));
    let status = plan.after.get("statuscode").as_int();
    let state = plan.after.get("statecode").as_int();
    match (state_given, status_given) {
        (false, false) => {}
        (false, true) => {
            if let Some(state) = status.and_then(|s| state_of(statuses, s)) {
                plan.after.set("statecode", Value::Int(state));
                plan.given.insert("statecode");
            }
        }
        (true, false) => {
            let fits = status.and_then(|s| state_of(statuses, s)) == state;
            if let (false, Some(first)) = (fits, state.and_then(|s| default_status(statuses, s))) {
                plan.after.set("statuscode", Value::Int(first));
                plan.given.insert("statuscode");
            }
        }
        (true, true) => {
            if status.and_then(|s| state_of(statuses, s)) != state {
                let (state, status) = (state.unwrap_or(-1), status.unwrap_or(-1));
                let message = words!(
                    "{0} is not a valid status code for state code {1} on {2} with Id {3}.",
                    status,
                    state,
                    plan.table().logical,
                    plan.after.id
                );
                plan.fault(Refusal::new(0x8004_8408, "InvalidStateCodeStatusCode", message).at("statuscode"));
            }
        }
    }
}

fn statuses(plan: &Plan<'_>) -> Option<&'static OptionSet> {
    match plan.table().column("statuscode")?.kind {
        Kind::Choice(set) => Some(set),
        _ => None,
    }
}

fn state_of(statuses: &OptionSet, status: i64) -> Option<i64> {
    statuses.options.iter().find(|o| i64::from(o.value) == status)?.state.map(i64::from)
}

/// The first status that the set lists for the state.
fn default_status(statuses: &OptionSet, state: i64) -> Option<i64> {
    statuses.options.iter().find(|o| o.state.map(i64::from) == Some(state)).map(|o| i64::from(o.value))
}
