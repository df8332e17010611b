//! One breaker per server: a fault of the server as a whole stops everybody's
//! attempts for a while, and disables nobody.

use jiff::{SignedDuration, Timestamp};
use model::tables::{EmailServerProfile, Server};
use model::{Failure, FailureKind, Id, id, words};

use crate::alert::Alert;

/// Consecutive failures that open the breaker.
pub const THRESHOLD: i64 = 3;
/// Consecutive failures after which an outage is no longer a passing one:
/// by then it has lasted for about an hour.
pub const LASTING: i64 = 12;
const FIRST_WAIT: i64 = 30;
const LONGEST_WAIT: i64 = 600;

/// The row of a server, `host:port`.
pub fn server_id(name: &str) -> Id {
    id::derived(Timestamp::UNIX_EPOCH, &[b"pr_server", name.as_bytes()])
}

/// The breaker after a failed conversation.
///
/// Failures that are not the server's ([`Failure::is_server_wide`]) leave it
/// alone, except that a wrong password or a refusal proves the server to be
/// there. Once the time has passed the breaker is half open: whoever tries
/// first decides. Others whose attempts were on their way when it opened do
/// not prolong it.
#[must_use]
pub fn after_failure(server: &Server, failure: &Failure, now: Timestamp) -> Server {
    if !failure.is_server_wide() {
        return if matches!(failure.kind, FailureKind::Credentials | FailureKind::Refused) {
            after_success(server)
        } else {
            server.clone()
        };
    }
    let last_error = clipped(&failure.detail);
    if is_open(server, now) {
        return Server { last_error, ..server.clone() };
    }
    let failures = server.failures.saturating_add(1);
    let open_until = if failures >= THRESHOLD { now.checked_add(wait(failures)).ok() } else { server.open_until };
    Server { failures, open_until, last_error, ..server.clone() }
}

/// The breaker after any answer of the server.
#[must_use]
pub fn after_success(server: &Server) -> Server {
    Server { failures: 0, open_until: None, last_error: String::new(), ..server.clone() }
}

/// A passing outage is a warning, which organizations need not want to see.
/// One that lasts is told as an error, on the profile by which it was noticed.
pub fn lasting_alert(server: &Server, profile: &EmailServerProfile) -> Option<Alert> {
    (server.failures >= LASTING).then(|| {
        let text = words!("The server {0} of profile '{1}' has not answered for about an hour: {2}. No mailbox is disabled for that, \
             and everything goes on by itself once it answers. Check that the server runs and can be reached from here.", server.name, profile.name, server.last_error);
        Alert::error(format!("server-down {}", server.name), text)
    })
}

/// Whether nobody may try now.
pub fn is_open(server: &Server, now: Timestamp) -> bool {
    server.open_until.is_some_and(|until| now < until)
}

/// 30 s at the third failure, doubled with each, 10 min at most.
fn wait(failures: i64) -> SignedDuration {
    let doublings = u32::try_from(failures - THRESHOLD).unwrap_or(0).min(10);
    SignedDuration::from_secs((FIRST_WAIT << doublings).min(LONGEST_WAIT))
}

/// The column holds 2,000 characters.
fn clipped(text: &str) -> String {
    text.chars().take(2000).collect()
}

#[cfg(test)]
mod tests;
