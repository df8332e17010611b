//! Due work: one row per mailbox and workload.

use jiff::Timestamp;

use crate::table;
use crate::table::{BLANK, Table, choice, int, lookup, text, time};
use crate::value::Ref;
use crate::work::Workload;

table! {
    pub struct WorkItem, WorkItemColumns: Table {
        logical: "pr_workitem", set: "pr_workitems", schema: "pr_WorkItem", id: "pr_workitemid", code: 10_002,
        on_wire: false, ..BLANK
    }; {
        mailbox: Option<Ref> = lookup("pr_mailboxid", "Mailbox", &["mailbox"]),
        workload: Workload = choice("pr_workload", "Workload", Workload::OPTIONS),
        /// `None`: not due until somebody asks.
        next_run: Option<Timestamp> = time("pr_nextrun", "Next Run"),
        lease_until: Option<Timestamp> = time("pr_leaseuntil", "Leased Until"),
        holder: String = text("pr_leaseholder", "Lease Holder", 256),
        /// Grows with every claim.
        fence: i64 = int("pr_fence", "Fence", 0, 9_007_199_254_740_991).or(0),
        /// Consecutive failures of a passing kind.
        failures: i64 = int("pr_failures", "Failures", 0, 2_147_483_647).or(0),
    } also {}
}
