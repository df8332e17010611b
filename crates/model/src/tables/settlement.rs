//! What is still to be done on a server: [`crate::work::Settle`] as a row.

use crate::table::{BLANK, Table, bytes, choice, int, lookup, text};
use crate::value::Ref;
use crate::work::SettleAction;
use crate::{option_set, table};

option_set! {
    pub enum SettlementState: "pr_settlementstate" {
        Due = 0 "Due",
        Done = 1 "Done",
        AlreadyGone = 2 "Already gone",
        /// What stands there is not what was read; it is left alone.
        Different = 3 "Different message",
        /// The server refused it too often; it is left there.
        CannotBeRemoved = 4 "Cannot be removed",
    }
}

table! {
    pub struct Settlement, SettlementColumns: Table {
        logical: "pr_settlement", set: "pr_settlements", schema: "pr_Settlement", id: "pr_settlementid", code: 10_004,
        on_wire: false, ..BLANK
    }; {
        mailbox: Option<Ref> = lookup("pr_mailboxid", "Mailbox", &["mailbox"]),
        folder: String = text("pr_folder", "Folder", 1000),
        position: String = text("pr_position", "Position", 320),
        action: SettleAction = choice("pr_action", "Action", SettleAction::OPTIONS),
        size: i64 = int("pr_size", "Size (Bytes)", 0, 9_007_199_254_740_991).or(0),
        header_digest: Option<Vec<u8>> = bytes("pr_headerdigest", "Header Digest"),
        state: SettlementState = choice("pr_state", "State", SettlementState::OPTIONS),
        attempts: i64 = int("pr_attempts", "Attempts", 0, 2_147_483_647).or(0),
    } also {}
}
