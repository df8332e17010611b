//! When a mailbox's workload runs next, and what a failed cycle leads to.
//!
//! Nothing is ever disabled because a server was down. Only a server that says
//! again and again that the credentials are wrong ends the attempts.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use model::tables::{EmailServerProfile, Mailbox, WorkItem};
use model::work::Workload;
use model::{Change, Entity, Failure, FailureKind, Id, Update, id};

mod cycle;

pub use cycle::{Aftermath, failed, succeeded};
pub(crate) use cycle::{set_postponed, set_refusals};

/// How a cycle ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outcome<'a> {
    /// Nothing was there.
    Empty,
    /// So many were processed, and that was all.
    Found(u64),
    /// The cycle was cut short; there is more.
    More,
    /// Nothing more can be done before this moment (an email that waits).
    Until(Timestamp),
    Failed(&'a Failure),
}

/// Seconds between two looks at a mailbox that is polled as often as is sensible.
const POLL: i64 = 5;
/// Seconds when nothing has come for an hour of looks.
const IDLE_POLL: i64 = 8;
const IDLE_CYCLES: i64 = 720;
/// However many mailboxes there are, each is looked at this often.
const LONGEST_POLL: SignedDuration = SignedDuration::from_mins(5);
/// Seconds after which the outgoing side looks for itself, should a wake-up be lost.
const OUTGOING_SCAN: i64 = 60;
const FIRST_BACK_OFF: i64 = 30;
const LONGEST_BACK_OFF: i64 = 300;

/// The next run of a workload, or `None`: not until somebody asks.
///
/// `failures` counts consecutive failures of a passing kind, this one
/// included. The profile's polling interval is a floor for looking at a
/// mailbox again, not for finishing what was found.
pub fn next_run(
    workload: Workload,
    outcome: Outcome<'_>,
    profile: Option<&EmailServerProfile>,
    mailbox: &Mailbox,
    failures: i64,
    now: Timestamp,
) -> Option<Timestamp> {
    let wait = match outcome {
        Outcome::More => SignedDuration::ZERO,
        Outcome::Failed(failure) => back_off(failure, failures, mailbox.id),
        Outcome::Until(until) => {
            let scan = now + SignedDuration::from_secs(OUTGOING_SCAN);
            return Some(until.clamp(now, scan));
        }
        Outcome::Empty | Outcome::Found(_) => match workload {
            Workload::Test => return None,
            Workload::Outgoing => {
                SignedDuration::from_secs(OUTGOING_SCAN) + jitter(mailbox.id, SignedDuration::from_secs(5))
            }
            Workload::Incoming => poll(profile, mailbox, outcome),
        },
    };
    now.checked_add(wait).ok()
}

/// Stretches the next look at a quiet mailbox when there are so many that
/// looking at all of them as often would take more than half of the time:
/// `cost` is what one look takes.
pub fn sensible(next: Timestamp, mailboxes: usize, cost: Duration, now: Timestamp) -> Timestamp {
    let all = cost.saturating_mul(u32::try_from(mailboxes).unwrap_or(u32::MAX));
    let interval = SignedDuration::try_from(all.saturating_mul(2)).unwrap_or(LONGEST_POLL).min(LONGEST_POLL);
    next.max(now.checked_add(interval).unwrap_or(next))
}

fn poll(profile: Option<&EmailServerProfile>, mailbox: &Mailbox, outcome: Outcome<'_>) -> SignedDuration {
    let minutes = profile.map_or(0, |profile| profile.polling_minutes.clamp(0, 1440));
    if minutes > 0 {
        let floor = SignedDuration::from_mins(minutes);
        return floor + jitter(mailbox.id, SignedDuration::from_secs(10));
    }
    let seconds = match outcome {
        // Where one message came, the next is often near.
        Outcome::Found(_) => 1,
        _ if mailbox.empty_cycles >= IDLE_CYCLES => IDLE_POLL,
        _ => POLL,
    };
    SignedDuration::from_secs(seconds) + jitter(mailbox.id, SignedDuration::from_secs(1))
}

/// 30 s, doubled with each failure, 5 min at most; a quarter more at most, so
/// that a thousand mailboxes do not come back in the same second. What only a
/// person can mend is tried at the longest wait from the start.
fn back_off(failure: &Failure, failures: i64, mailbox: Id) -> SignedDuration {
    let doublings = u32::try_from(failures.max(1) - 1).unwrap_or(0).min(10);
    let seconds = match failure.kind {
        FailureKind::Credentials | FailureKind::Misconfigured | FailureKind::Refused => LONGEST_BACK_OFF,
        _ => (FIRST_BACK_OFF << doublings).min(LONGEST_BACK_OFF),
    };
    SignedDuration::from_secs(seconds) + jitter(mailbox, SignedDuration::from_secs(seconds / 4))
}

/// Up to `most`, always the same for the same mailbox.
fn jitter(mailbox: Id, most: SignedDuration) -> SignedDuration {
    let seed = mailbox.as_bytes().iter().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
    let permille = i64::try_from(seed % 1000).unwrap_or(0);
    SignedDuration::from_millis(i64::try_from(most.as_millis()).unwrap_or(0) * permille / 1000)
}

/// The id of a mailbox's work item: there is one per workload, whoever makes it.
pub fn work_item_id(mailbox: Id, workload: Workload) -> Id {
    id::derived(Timestamp::UNIX_EPOCH, &[b"pr_workitem", mailbox.as_bytes(), workload.as_str().as_bytes()])
}

/// The work item where there is none yet; not due.
pub fn work_item(mailbox: Id, workload: Workload) -> Change {
    let item = WorkItem {
        mailbox: Some(model::Ref::new(Mailbox::TABLE.logical, mailbox)),
        workload,
        ..WorkItem::blank(work_item_id(mailbox, workload))
    };
    Change::Ensure(item.into_record())
}

/// Makes a workload due at `at`, whether or not there was a work item.
pub fn due(mailbox: Id, workload: Workload, at: Timestamp) -> Vec<Change> {
    let update = Update::of::<WorkItem>(work_item_id(mailbox, workload))
        .set(WorkItem::C.next_run, Some(at))
        .set(WorkItem::C.failures, 0);
    vec![work_item(mailbox, workload), update.into()]
}

/// Something that may have held the mailbox back was changed: what it is
/// enabled for is looked at again.
pub fn resume(mailbox: &Mailbox, at: Timestamp) -> Vec<Change> {
    let enabled = [(mailbox.enabled_incoming, Workload::Incoming), (mailbox.enabled_outgoing, Workload::Outgoing)];
    enabled
        .into_iter()
        .filter(|(enabled, _)| *enabled)
        .flat_map(|(_, workload)| due(mailbox.id, workload, at))
        .collect()
}

#[cfg(test)]
mod tests;
