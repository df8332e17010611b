//! A process that works on mailboxes, as it last said that it is there.

use jiff::Timestamp;

use crate::table;
use crate::table::{BLANK, Table, text, time};

table! {
    pub struct Node, NodeColumns: Table {
        logical: "pr_node", set: "pr_nodes", schema: "pr_Node", id: "pr_nodeid", name: Some("pr_name"), code: 10_050,
        on_wire: false, ..BLANK
    }; {
        /// As it stands on the leases.
        name: String = text("pr_name", "Node", 256),
        version: String = text("pr_version", "Version", 50),
        started_on: Option<Timestamp> = time("pr_startedon", "Started On"),
        seen_on: Option<Timestamp> = time("pr_seenon", "Last Seen On"),
    } also {}
}
