//! The steps of a mailbox's last configuration test, written as they are
//! taken: who waits for the test sees where it is.

use jiff::Timestamp;

use crate::table;
use crate::table::{BLANK, Table, choice, flag, int, lookup, memo, text, time};
use crate::value::Ref;
use crate::work::Workload;

table! {
    pub struct TestStep, TestStepColumns: Table {
        logical: "pr_teststep", set: "pr_teststeps", schema: "pr_TestStep", id: "pr_teststepid", code: 10_030,
        on_wire: false, ..BLANK
    }; {
        mailbox: Option<Ref> = lookup("pr_mailboxid", "Mailbox", &["mailbox"]),
        /// Incoming or outgoing.
        route: Workload = choice("pr_route", "Route", Workload::OPTIONS),
        /// Counts over both routes.
        number: i64 = int("pr_number", "Number", 0, 2_147_483_647).or(0),
        /// 0: the first attempt. What met a passing fault is repeated.
        attempt: i64 = int("pr_attempt", "Attempt", 0, 2_147_483_647).or(0),
        taken_on: Option<Timestamp> = time("pr_takenon", "Taken On"),
        /// [`crate::Step::as_str`]
        step: String = text("pr_step", "Step", 40),
        passed: bool = flag("pr_passed", "Passed"),
        /// What was seen; the server's own words in quotes.
        said: String = memo("pr_said", "Said"),
        /// What a person can do about it, where it failed.
        advice: String = memo("pr_advice", "Advice"),
        /// The last lines of the conversation, where it failed.
        transcript: String = memo("pr_transcript", "Transcript"),
    } also {}
}
