//! The audit trail of what people did: append-only.

use jiff::Timestamp;

use crate::id::Id;
use crate::table;
use crate::table::{BLANK, Table, id, lookup, memo, text, time};
use crate::value::Ref;

table! {
    pub struct Audit, AuditColumns: Table {
        logical: "pr_audit", set: "pr_audits", schema: "pr_Audit", id: "pr_auditid", code: 10_008,
        on_wire: false, ..BLANK
    }; {
        at: Option<Timestamp> = time("pr_at", "At"),
        user: Option<Ref> = lookup("pr_systemuserid", "User", &["systemuser"]),
        /// `create`, `update`, `delete`, `approve`, `test`, `send`, `key`, …
        action: String = text("pr_action", "Action", 100),
        table: String = text("pr_table", "Table", 100),
        row: Option<Id> = id("pr_row", "Row"),
        /// The columns that changed, with old and new values; secrets only as "changed".
        detail: String = memo("pr_detail", "Detail"),
    } also {}
}
