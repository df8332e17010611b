//! What all activities have in common. No rows of its own: a row of any
//! activity's table is read through this declaration, too. An activity's
//! table says `activity: true` and has columns of these names.

use crate::option_set;
use crate::table::{BLANK, Ownership, Table, choice, flag, id, int, lookup, memo, open_choice, text, time};
use crate::tables::email::REGARDING;
use crate::tables::states::Priority;

option_set! {
    pub enum ActivityState: "activitypointer_statecode" {
        Open = 0 "Open",
        Completed = 1 "Completed",
        Canceled = 2 "Canceled",
        Scheduled = 3 "Scheduled",
    }
}
option_set! {
    /// The numbers of a row are those of its own table, which may have more.
    pub enum ActivityStatus: "activitypointer_statuscode" {
        Open = 1 "Open" in 0,
        Completed = 2 "Completed" in 1,
        Canceled = 3 "Canceled" in 2,
        Scheduled = 4 "Scheduled" in 3,
    }
}

pub static ACTIVITY: &Table = &Table {
    logical: "activitypointer",
    set: "activitypointers",
    schema: "ActivityPointer",
    id: "activityid",
    name: Some("subject"),
    code: 4200,
    ownership: Ownership::UserOrTeam,
    columns: &[
        text("activitytypecode", "Activity Type", 64).read(),
        text("subject", "Subject", 800),
        memo("description", "Description"),
        lookup("ownerid", "Owner", &["systemuser", "team"]),
        lookup("regardingobjectid", "Regarding", REGARDING),
        lookup("sendermailboxid", "Sender's Mailbox", &["mailbox"]).read(),
        choice("prioritycode", "Priority", Priority::OPTIONS),
        open_choice("deliveryprioritycode", "Delivery Priority", Priority::OPTIONS).or(1),
        time("actualstart", "Actual Start"),
        time("actualend", "Actual End"),
        time("scheduledstart", "Start Date"),
        time("scheduledend", "Due Date"),
        time("sortdate", "Sort Date"),
        time("senton", "Date Sent").read(),
        int("actualdurationminutes", "Duration", 0, 2_147_483_647),
        int("scheduleddurationminutes", "Scheduled Duration", 0, 2_147_483_647).read(),
        flag("isworkflowcreated", "Is Workflow Created"),
        flag("isbilled", "Is Billed"),
        flag("isregularactivity", "Is Regular Activity").yes().read(),
        time("lastonholdtime", "Last On Hold Time"),
        int("onholdtime", "On Hold Time (Minutes)", 0, 2_147_483_647).read(),
        id("processid", "Process"),
        id("stageid", "Process Stage"),
        memo("activityadditionalparams", "Additional Parameters"),
        choice("statecode", "Activity Status", ActivityState::OPTIONS),
        choice("statuscode", "Status Reason", ActivityStatus::OPTIONS),
    ],
    ..BLANK
};
