//! What happened and is to be told: the outbox of the webhooks.

use jiff::Timestamp;

use crate::id::Id;
use crate::table::{BLANK, Table, choice, flag, id, int, lookup, memo, text, time};
use crate::value::Ref;
use crate::{option_set, table};

option_set! {
    pub enum EventState: "pr_eventstate" {
        /// To be delivered, perhaps again.
        Waiting = 0 "Waiting",
        Delivered = 1 "Delivered",
        /// Given up; setting it to Waiting sends it again.
        Failed = 2 "Failed",
    }
}

table! {
    pub struct Event, EventColumns: Table {
        logical: "pr_event", set: "pr_events", schema: "pr_Event", id: "pr_eventid", name: Some("pr_message"),
        code: 10_009, ..BLANK
    }; {
        endpoint: Option<Ref> = lookup("pr_serviceendpointid", "Service Endpoint", &["serviceendpoint"]).read(),
        step: Option<Ref> = lookup("pr_stepid", "Step", &["sdkmessageprocessingstep"]).read(),
        message: String = text("pr_message", "Message", 256).read(),
        /// Logical name of the row's table.
        table: String = text("pr_table", "Table", 64).read(),
        row: Option<Id> = id("pr_row", "Row").read(),
        /// Events of a row are delivered in this order.
        order: i64 = int("pr_order", "Order", 0, 9_007_199_254_740_991).or(0).read(),
        user: Option<Ref> = lookup("pr_userid", "User", &["systemuser"]).read(),
        occurred: Option<Timestamp> = time("pr_occurredon", "Occurred On").read(),
        correlation: Option<Id> = id("pr_correlationid", "Correlation").read(),
        /// The new values of the changed columns, as JSON.
        values: String = memo("pr_values", "Values").read(),
        /// The values were too many to be kept.
        cut: bool = flag("pr_sizeexceeded", "Size Exceeded").read(),
        state: EventState = choice("pr_state", "State", EventState::OPTIONS).read(),
        attempts: i64 = int("pr_attempts", "Attempts", 0, 2_147_483_647).or(0).read(),
        /// When the time within which it is tried began: when it happened, or was sent again.
        since: Option<Timestamp> = time("pr_since", "Tried Since").read(),
        next_run: Option<Timestamp> = time("pr_nextrun", "Next Attempt").read(),
        lease_until: Option<Timestamp> = time("pr_leaseuntil", "Leased Until").read(),
        holder: String = text("pr_leaseholder", "Lease Holder", 256).read(),
        /// The HTTP status of the last answer.
        status: Option<i64> = int("pr_status", "Last Status", 0, 999).read(),
        /// The beginning of the last answer, or why there was none.
        answer: String = text("pr_answer", "Last Answer", 2000).read(),
        delivered: Option<Timestamp> = time("pr_deliveredon", "Delivered On").read(),
    } also {}
}
