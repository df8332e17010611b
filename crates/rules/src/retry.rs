//! After a failed attempt to send: try again, and when?
//!
//! What the server said about the message counts towards ten attempts, as
//! documented. What it said about itself or about the mailbox does not: an
//! outage or a changed password is no fault of the message, so it waits as
//! long as that takes.

use jiff::{SignedDuration, Timestamp};
use model::{Failure, FailureKind, Step, words};

/// Attempts after which a message that the server keeps putting off has failed.
pub const MAX_ATTEMPTS: i64 = 10;

/// Minutes to wait after the first, second, … attempt; the last holds on.
const WAITS: [i64; 7] = [1, 2, 5, 10, 15, 30, 60];

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    Again {
        at: Timestamp,
        /// Whether this attempt counts towards [`MAX_ATTEMPTS`].
        counted: bool,
    },
    /// It is no use to try again; why, in words.
    GiveUp { why: String },
    /// The server may have taken it: ask before anything else is done.
    LookFirst,
}

/// `attempt` is the number of the attempt that failed, from 1.
pub fn after(failure: &Failure, attempt: i64, now: Timestamp) -> Next {
    if failure.kind == FailureKind::Uncertain {
        return Next::LookFirst;
    }
    if !concerns_message(failure) {
        return Next::Again { at: now + SignedDuration::from_mins(outage_wait(failure)), counted: false };
    }
    if failure.kind == FailureKind::Refused {
        return Next::GiveUp { why: failure.detail.clone() };
    }
    if attempt >= MAX_ATTEMPTS {
        return Next::GiveUp {
            why: words!("given up after {0} attempts; the last one: {1}", attempt, failure.detail).to_string(),
        };
    }
    Next::Again { at: now + wait(attempt), counted: true }
}

/// How long to wait after this attempt.
pub fn wait(attempt: i64) -> SignedDuration {
    let n = usize::try_from(attempt.max(1) - 1).unwrap_or(0).min(WAITS.len() - 1);
    SignedDuration::from_mins(WAITS[n])
}

/// Whether the failure is about the message, not about the server or the mailbox.
pub fn concerns_message(failure: &Failure) -> bool {
    failure.during >= Step::Send && !matches!(failure.kind, FailureKind::Credentials | FailureKind::Misconfigured)
}

/// A wrong password does not become right by trying often; an outage passes.
fn outage_wait(failure: &Failure) -> i64 {
    match failure.kind {
        FailureKind::Temporary | FailureKind::Garbled | FailureKind::Uncertain => 1,
        FailureKind::Credentials | FailureKind::Refused => 5,
        FailureKind::Misconfigured => 10,
    }
}

#[cfg(test)]
mod tests;
