//! A process that works on mailboxes, as it last said that it is there, and
//! the connections to servers that it then held.

use jiff::Timestamp;

use crate::table;
use crate::table::{BLANK, Table, int, lookup, text, time};
use crate::value::Ref;

table! {
    pub struct Node, NodeColumns: Table {
        logical: "pr_node", set: "pr_nodes", schema: "pr_Node", id: "pr_nodeid", name: Some("pr_name"), code: 10_052,
        on_wire: false, ..BLANK
    }; {
        /// As it stands on the leases.
        name: String = text("pr_name", "Node", 256),
        version: String = text("pr_version", "Version", 50),
        started_on: Option<Timestamp> = time("pr_startedon", "Started On"),
        seen_on: Option<Timestamp> = time("pr_seenon", "Last Seen On"),
    } also {}
}

table! {
    pub struct NodeConnection, NodeConnectionColumns: Table {
        logical: "pr_nodeconnection", set: "pr_nodeconnections", schema: "pr_NodeConnection",
        id: "pr_nodeconnectionid", code: 10_053, on_wire: false, ..BLANK
    }; {
        node: Option<Ref> = lookup("pr_nodeid", "Node", &["pr_node"]),
        profile: Option<Ref> = lookup("pr_emailserverprofileid", "Email Server Profile", &["emailserverprofile"]),
        host: String = text("pr_host", "Server", 300),
        open: i64 = int("pr_open", "Open", 0, 2_147_483_647).or(0),
        /// Of those: logged in, and kept for the mailbox's next cycle.
        idle: i64 = int("pr_idle", "Kept Open", 0, 2_147_483_647).or(0),
        /// What the profile allows each node to hold.
        most: i64 = int("pr_most", "At Most", 0, 2_147_483_647).or(0),
        /// Mailboxes that got none when they last asked.
        waiting: i64 = int("pr_waiting", "Waiting Mailboxes", 0, 2_147_483_647).or(0),
    } also {}
}
