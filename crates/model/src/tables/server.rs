//! A mail server as a whole: its breaker.

use jiff::Timestamp;

use crate::table;
use crate::table::{BLANK, Table, int, text, time};

table! {
    pub struct Server, ServerColumns: Table {
        logical: "pr_server", set: "pr_servers", schema: "pr_Server", id: "pr_serverid", name: Some("pr_name"), code: 10_006,
        on_wire: false, ..BLANK
    }; {
        /// `host:port`.
        name: String = text("pr_name", "Server", 300),
        /// Consecutive failures of the server as a whole.
        failures: i64 = int("pr_failures", "Failures", 0, 2_147_483_647).or(0),
        /// While in the future, nobody tries.
        open_until: Option<Timestamp> = time("pr_openuntil", "Breaker Open Until"),
        last_error: String = text("pr_lasterror", "Last Error", 2000),
    } also {}
}
