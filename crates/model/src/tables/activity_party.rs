//! Who takes part in an activity.

use crate::table::{BLANK, Ownership, Table, choice, flag, id, int, lookup, text, time};
use crate::value::Ref;
use crate::{option_set, table};

option_set! {
    /// `participationtypemask`.
    pub enum Participation: "activityparty_participationtypemask" {
        Sender = 1 "Sender",
        To = 2 "To Recipient",
        Cc = 3 "CC Recipient",
        Bcc = 4 "BCC Recipient",
        Required = 5 "Required attendee",
        Optional = 6 "Optional attendee",
        Organizer = 7 "Organizer",
        Regarding = 8 "Regarding",
        Owner = 9 "Owner",
        Resource = 10 "Resource",
        Customer = 11 "Customer",
        ChatParticipant = 12 "Chat Participant",
        Related = 13 "Related",
    }
}

/// The tables whose rows can be parties.
pub const PARTY: &[&str] = &["account", "contact", "lead", "queue", "systemuser", "team"];

option_set! {
    pub enum InstanceType: "activityparty_instancetypecode" {
        NotRecurring = 0 "Not Recurring",
        RecurringMaster = 1 "Recurring Master",
        RecurringInstance = 2 "Recurring Instance",
        RecurringException = 3 "Recurring Exception",
        RecurringFutureException = 4 "Recurring Future Exception",
    }
}

table! {
    pub struct ActivityParty, ActivityPartyColumns: Table {
        logical: "activityparty", set: "activityparties", schema: "ActivityParty", id: "activitypartyid",
        name: Some("partyidname"), code: 135, ownership: Ownership::Parent, ..BLANK
    }; {
        activity: Option<Ref> = lookup("activityid", "Activity", &["email"]).on_create(),
        party: Option<Ref> = lookup("partyid", "Party", PARTY),
        address: String = text("addressused", "Address", 320),
        /// Display name of the party: the record's, or the one in the message.
        name: String = text("partyidname", "Name", 400).read(),
        unresolved_name: String = text("unresolvedpartyname", "Unresolved Party Name", 400),
        participation: Participation = choice("participationtypemask", "Participation Type", Participation::OPTIONS).required(),
        /// Which of the record's e-mail columns matched: 1, 2 or 3.
        column_number: Option<i64> = int("addressusedemailcolumnnumber", "Email column number of party", 1, 1_000_000_000).read(),
        /// Its place among the parties of its kind.
        number: i64 = int("pr_number", "Number", 0, 2_147_483_647).or(0).read(),
    } also {
        flag("donotemail", "Do not allow Emails").read(),
        flag("ispartydeleted", "Is Party Deleted").read(),
        choice("instancetypecode", "Appointment Type", InstanceType::OPTIONS).read(),
        text("exchangeentryid", "Exchange Entry", 1024),
        flag("donotphone", "Do not allow Phone Calls").read(),
        flag("donotfax", "Do not allow Faxes").read(),
        flag("donotpostalmail", "Do not allow Postal Mails").read(),
        time("scheduledstart", "Scheduled Start").read(),
        time("scheduledend", "Scheduled End").read(),
        id("resourcespecid", "Resource Specification"),
    }
}
