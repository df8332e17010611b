//! What became of an outgoing email, recipient by recipient.

use crate::table::{BLANK, Table, choice, lookup, text};
use crate::value::Ref;
use crate::{option_set, table};

option_set! {
    pub enum DeliveryState: "pr_deliverystate" {
        Waiting = 0 "Waiting",
        Accepted = 1 "Accepted by the server",
        Refused = 2 "Refused by the server",
        /// The connection was lost at the final dot: the server is asked before it is tried again.
        Uncertain = 3 "Uncertain",
    }
}

table! {
    pub struct Delivery, DeliveryColumns: Table {
        logical: "pr_delivery", set: "pr_deliveries", schema: "pr_Delivery", id: "pr_deliveryid", code: 10_005,
        on_wire: false, ..BLANK
    }; {
        email: Option<Ref> = lookup("pr_activityid", "Email", &["email"]),
        address: String = text("pr_address", "Address", 320),
        state: DeliveryState = choice("pr_state", "State", DeliveryState::OPTIONS),
        /// The server's last words on this recipient.
        reply: String = text("pr_reply", "Reply", 2000),
    } also {}
}
