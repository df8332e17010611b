//! Alerts on mailboxes, profiles and emails.

use crate::table::{BLANK, Table, choice, flag, int, lookup, memo, text};
use crate::value::Ref;
use crate::{option_set, table};

option_set! {
    pub enum AlertLevel: "tracelog_level" { Information = 1 "Information", Warning = 2 "Warning", Error = 3 "Error" }
}

table! {
    pub struct TraceLog, TraceLogColumns: Table {
        logical: "tracelog", set: "tracelogs", schema: "TraceLog", id: "tracelogid", name: Some("text"), code: 8050, tracked: true, ..BLANK
    }; {
        level: AlertLevel = choice("level", "Level", AlertLevel::OPTIONS),
        /// What happened and what to do, in words.
        text: String = memo("text", "Text"),
        regarding: Option<Ref> = lookup("regardingobjectid", "Regarding", &["mailbox", "emailserverprofile", "email", "serviceendpoint", "organization"]),
        regarding_owner: Option<Ref> = lookup("regardingobjectownerid", "Regarding Owner", &["systemuser", "team"]).read(),
        /// Dataverse's error code, signed.
        code: Option<i64> = int("tracecode", "Trace Code", -2_147_483_648, 2_147_483_647),
        /// The conversation with the server, without secrets.
        details: String = memo("errordetails", "Error Details"),
        kind: String = text("errortypedisplay", "Error Type", 100),
        machine: String = text("machinename", "Machine Name", 320),
        is_unique: bool = flag("isunique", "Is Unique"),
        can_be_deleted: bool = flag("canbedeleted", "Can Be Deleted").yes(),
        /// How often the same thing happened; a repeated alert is counted, not written again.
        occurrences: i64 = int("pr_occurrences", "Occurrences", 1, 2_147_483_647).or(1).read(),
        /// Equal for equal causes on the same record.
        hash: Option<i64> = int("traceparameterhash", "Trace Parameter Hash", -2_147_483_648, 2_147_483_647).read(),
    } also {
        int("collationlevel", "Collation Level", 0, 2_147_483_647),
        lookup("parenttracelogid", "Parent Trace Log", &["tracelog"]),
        memo("traceactionxml", "Trace Action"),
        memo("tracedetailxml", "Trace Detail"),
        memo("traceparameterxml", "Trace Parameters"),
        flag("tracestatus", "Trace Status"),
    }
}
