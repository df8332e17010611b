//! The audit trail of what people did: append-only. The API shows it to who
//! may read it; nothing but the service adds to it.

use jiff::Timestamp;

use crate::id::Id;
use crate::table;
use crate::table::{BLANK, Table, id, lookup, memo, text, time};
use crate::value::Ref;

table! {
    pub struct Audit, AuditColumns: Table {
        logical: "pr_audit", set: "pr_audits", schema: "pr_Audit", id: "pr_auditid", code: 10_008,
        name: Some("pr_action"), ..BLANK
    }; {
        at: Option<Timestamp> = time("pr_at", "At").read(),
        user: Option<Ref> = lookup("pr_systemuserid", "User", &["systemuser"]).read(),
        /// Who made the request, where that is not the user in whose name it was made.
        calling_user: Option<Ref> = lookup("pr_callinguserid", "Calling User", &["systemuser"]).read(),
        /// `create`, `update`, `delete`, `approve`, `test`, `send`, `key`, …
        action: String = text("pr_action", "Action", 100).read(),
        table: String = text("pr_table", "Table", 100).read(),
        row: Option<Id> = id("pr_row", "Row").read(),
        /// `api`, `sign-in`, `command line`.
        door: String = text("pr_door", "Door", 20).read(),
        /// The client's address; for a command, the account that ran it and the host.
        remote: String = text("pr_remoteaddress", "Remote Address", 200).read(),
        user_agent: String = text("pr_useragent", "User Agent", 300).read(),
        /// By which the log and the answer's `REQ_ID` name the request.
        request: String = text("pr_requestid", "Request Id", 100).read(),
        /// The columns that changed, with old and new values; secrets only as "changed".
        detail: String = memo("pr_detail", "Detail").read(),
    } also {}
}
