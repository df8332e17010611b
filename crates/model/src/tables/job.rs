//! Work for the machine that no mailbox asked for: a backup, a new key. One
//! row a job, from being asked for to what came of it.

use jiff::Timestamp;

use crate::table::{BLANK, Table, bigint, choice, int, lookup, text, time};
use crate::value::Ref;
use crate::{option_set, table};

option_set! {
    pub enum JobKind: "pr_jobkind" {
        Backup = 0 "Backup",
        /// Everything that is sealed gets sealed with a new key.
        ChangeKey = 1 "Change of the encryption key",
    }
}

option_set! {
    pub enum JobState: "pr_jobstate" {
        Waiting = 0 "Waiting",
        Running = 1 "In progress",
        Succeeded = 2 "Succeeded",
        Failed = 3 "Failed",
    }
}

table! {
    pub struct Job, JobColumns: Table {
        logical: "pr_job", set: "pr_jobs", schema: "pr_Job", id: "pr_jobid", code: 10_050, on_wire: false, ..BLANK
    }; {
        kind: JobKind = choice("pr_kind", "Kind", JobKind::OPTIONS),
        state: JobState = choice("pr_state", "Status", JobState::OPTIONS),
        asked_by: Option<Ref> = lookup("pr_systemuserid", "Asked For By", &["systemuser"]),
        asked_on: Option<Timestamp> = time("pr_askedon", "Asked For On"),
        started_on: Option<Timestamp> = time("pr_startedon", "Started On"),
        finished_on: Option<Timestamp> = time("pr_finishedon", "Finished On"),
        lease_until: Option<Timestamp> = time("pr_leaseuntil", "Leased Until"),
        holder: String = text("pr_leaseholder", "Lease Holder", 256),
        attempts: i64 = int("pr_attempts", "Attempts", 0, 2_147_483_647).or(0),
        /// How much of how much.
        done: i64 = bigint("pr_done", "Done"),
        total: i64 = bigint("pr_total", "Total"),
        /// Of a backup: the name in the directory of backups; empty where it
        /// was taken away.
        file: String = text("pr_file", "File", 200),
        size: i64 = bigint("pr_size", "Size (Bytes)"),
        /// What came of it, for a person.
        outcome: String = text("pr_outcome", "Outcome", 2000),
        /// Of a backup that nobody asked for: when the schedule meant it to be made.
        scheduled_for: Option<Timestamp> = time("pr_scheduledfor", "Scheduled For"),
    } also {}
}
