//! What holds for one table alone, one file each. A check sees the row before
//! and after; it completes the row, adds changes of other rows, notes faults.

mod attachment;
mod business_unit;
mod email;
mod email_server_profile;
mod ledger;
pub(crate) mod mailbox;
mod organization;
mod parties;
mod people;
mod queue;
pub(crate) mod queue_item;
mod security;
pub(crate) mod state;
mod system_user;
mod webhook;

pub(crate) use parties::{email_columns, of_email as parties_of};

use model::tables::Team;
use model::{Change, Record, Refusal, Words, words};

use crate::context::Context;
use crate::error::{ActionError, invalid_operation};
use crate::plan::Plan;

pub(crate) async fn check(plan: &mut Plan<'_>) -> Result<(), ActionError> {
    match plan.table().logical {
        "systemuser" => {
            security::check_user(plan).await?;
            system_user::check(plan).await
        }
        "systemuserroles" | "teamroles" | "teammembership" | "roleprivileges" | "systemuserprofiles"
        | "teamprofiles" | "fieldpermission" => security::check(plan).await,
        "role" => security::check_role(plan).await,
        "team" => security::moved(plan, Team::C.business_unit).await,
        "queue" => queue::check(plan).await,
        "mailbox" => mailbox::check(plan).await,
        "emailserverprofile" => email_server_profile::check(plan).await,
        "email" => email::check(plan).await,
        "activitymimeattachment" => attachment::check(plan).await,
        "contact" | "lead" => people::check(plan).await,
        "businessunit" => business_unit::check(plan).await,
        "organization" => organization::check(plan).await,
        "queueitem" => queue_item::check(plan).await,
        "serviceendpoint" => webhook::endpoint(plan).await,
        "sdkmessageprocessingstep" => webhook::step(plan).await,
        "sdkmessage" | "sdkmessagefilter" => {
            plan.fault(not_supported(plan, words!("Which messages there are is the program's to say.")));
            Ok(())
        }
        "pr_event" => {
            plan.fault(not_supported(
                plan,
                words!("Events are kept by the service. One is sent again with {\"pr_state\": 0} alone."),
            ));
            Ok(())
        }
        "activityparty" => {
            plan.fault(not_supported(
                plan,
                words!("Activity parties are written through their activity: email_activity_parties."),
            ));
            Ok(())
        }
        "pr_ledgerentry" => {
            plan.fault(not_supported(
                plan,
                words!("The ledger is kept by the service. A message is processed again with {\"pr_disposition\": 0} alone."),
            ));
            Ok(())
        }
        "pr_apitoken" if plan.creating() => {
            plan.fault(not_supported(
                plan,
                words!("A token is made with the action pr_CreateApiToken, which shows it once."),
            ));
            Ok(())
        }
        "usersettings" if plan.creating() => {
            plan.fault(not_supported(plan, words!("A user's settings are created with the user.")));
            Ok(())
        }
        _ => Ok(()),
    }
}

/// What goes with a row that is deleted, or why it cannot go.
pub(crate) async fn check_delete(ctx: &Context, row: &Record) -> Result<Vec<Change>, ActionError> {
    match row.table.logical {
        "mailbox" => mailbox::check_delete(ctx, row).await,
        "systemuserroles" | "teamroles" | "teammembership" | "roleprivileges" | "systemuserprofiles"
        | "teamprofiles" | "fieldpermission" => security::check_delete(ctx, row).await,
        "role" => security::check_delete_role(ctx, row).await,
        "team" => security::check_delete_team(ctx, row).await,
        "email" => email::check_delete(ctx, row).await,
        "activitymimeattachment" => attachment::check_delete(ctx, row).await,
        "queue" => queue::check_delete(ctx, row).await,
        "emailserverprofile" => email_server_profile::check_delete(ctx, row).await,
        "systemuser" => refuse(words!("Users are never deleted. Disable the user instead: isdisabled = true.")),
        "serviceendpoint" => webhook::check_delete(ctx, row).await,
        "sdkmessage" | "sdkmessagefilter" => refuse(words!("Which messages there are is the program's to say.")),
        "pr_event" => refuse(words!("Events are kept by the service and cannot be deleted.")),
        "organization" => refuse(words!("The organization cannot be deleted.")),
        "usersettings" => refuse(words!("A user's settings cannot be deleted.")),
        "activityparty" => {
            refuse(words!("Activity parties are written through their activity: email_activity_parties."))
        }
        "pr_ledgerentry" => refuse(words!("The ledger is kept by the service and cannot be deleted.")),
        "businessunit" => business_unit::check_delete(ctx, row).await,
        "tracelog" if row.get("canbedeleted").as_bool() == Some(false) => {
            refuse(words!("This alert cannot be deleted."))
        }
        _ => Ok(Vec::new()),
    }
}

fn refuse(message: Words) -> Result<Vec<Change>, ActionError> {
    Err(invalid_operation(message).into())
}

/// 0x80040800
fn not_supported(plan: &Plan<'_>, message: Words) -> Refusal {
    let verb = if plan.creating() { "Create" } else { "Update" };
    Refusal::new(
        0x8004_0800,
        "NotSupported",
        words!("The '{0}' method does not support entities of type '{1}'. {2}", verb, plan.table().logical, message),
    )
}
