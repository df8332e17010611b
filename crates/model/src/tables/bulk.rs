//! Commands on many rows of a list: asked for on a page, worked off afterwards
//! with the rights of who asked. One row a command, and one for each row that
//! it is about, with what became of it.

use jiff::Timestamp;

use crate::id::Id;
use crate::table::{BLANK, Table, choice, id, int, lookup, memo, text, time};
use crate::value::Ref;
use crate::{option_set, table};

option_set! {
    pub enum BulkState: "pr_bulkstate" {
        /// Its rows are chosen; nobody has said yes to it.
        Prepared = 0 "Prepared",
        Waiting = 1 "Waiting",
        Running = 2 "In progress",
        Done = 3 "Done",
        /// What was done by then stays done.
        Cancelled = 4 "Cancelled",
    }
}

option_set! {
    pub enum BulkOutcome: "pr_bulkoutcome" {
        Waiting = 0 "Waiting",
        Done = 1 "Done",
        Refused = 2 "Refused",
        /// Tried often enough, for a reason that does not lie in the row.
        Failed = 3 "Failed",
    }
}

table! {
    pub struct BulkCommand, BulkCommandColumns: Table {
        logical: "pr_bulkcommand", set: "pr_bulkcommands", schema: "pr_BulkCommand", id: "pr_bulkcommandid",
        code: 10_052, on_wire: false, ..BLANK
    }; {
        state: BulkState = choice("pr_state", "Status", BulkState::OPTIONS),
        /// Of the rows: a logical name.
        table: String = text("pr_table", "Table", 100),
        /// As the button said it.
        title: String = text("pr_title", "Title", 200),
        /// What is done with each row.
        deed: String = memo("pr_deed", "Deed"),
        /// The address of the list that it was asked for in.
        back: String = memo("pr_back", "List"),
        asked_by: Option<Ref> = lookup("pr_systemuserid", "Asked For By", &["systemuser"]),
        asked_on: Option<Timestamp> = time("pr_askedon", "Asked For On"),
        started_on: Option<Timestamp> = time("pr_startedon", "Started On"),
        finished_on: Option<Timestamp> = time("pr_finishedon", "Finished On"),
        lease_until: Option<Timestamp> = time("pr_leaseuntil", "Leased Until"),
        /// Grows with every process that takes it up: one that was too late is
        /// refused.
        fence: i64 = int("pr_fence", "Fence", 0, 2_147_483_647).or(0),
        total: i64 = int("pr_total", "Total", 0, 2_147_483_647).or(0),
        done: i64 = int("pr_done", "Done", 0, 2_147_483_647).or(0),
        refused: i64 = int("pr_refused", "Refused", 0, 2_147_483_647).or(0),
        failed: i64 = int("pr_failed", "Failed", 0, 2_147_483_647).or(0),
    } also {}
}

impl BulkCommand {
    /// Nobody works on it any more.
    pub fn is_over(&self) -> bool {
        matches!(self.state, BulkState::Done | BulkState::Cancelled)
    }

    /// Rows that something became of.
    pub fn worked_off(&self) -> i64 {
        self.done + self.refused + self.failed
    }
}

table! {
    pub struct BulkRow, BulkRowColumns: Table {
        logical: "pr_bulkrow", set: "pr_bulkrows", schema: "pr_BulkRow", id: "pr_bulkrowid",
        code: 10_053, on_wire: false, ..BLANK
    }; {
        command: Option<Ref> = lookup("pr_bulkcommandid", "Command", &["pr_bulkcommand"]),
        /// From 0, in the order of the list.
        position: i64 = int("pr_position", "Position", 0, 2_147_483_647).or(0),
        row: Option<Id> = id("pr_row", "Row"),
        /// What it was called when it was chosen.
        name: String = text("pr_name", "Name", 200),
        outcome: BulkOutcome = choice("pr_outcome", "Outcome", BulkOutcome::OPTIONS),
        /// Why it was refused or failed: a line a reason.
        why: String = memo("pr_why", "Why"),
        /// How often it failed for a reason that does not lie in the row.
        tries: i64 = int("pr_tries", "Tries", 0, 2_147_483_647).or(0),
    } also {}
}
