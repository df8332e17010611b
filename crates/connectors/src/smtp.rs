//! Submitting mail: SMTP (RFC 5321) as message submission (RFC 6409) uses it.
//!
//! A [`Session`] speaks over any byte stream. [`connect`] makes one over a
//! socket; [`SendMail::send`](crate::SendMail::send) submits a message, as
//! often as wanted. What every server reply means for the next attempt is in
//! `classify`.
//!
//! The one moment that matters: once the final dot may have been written and
//! no reply has come, the outcome is [`Uncertain`](model::FailureKind::Uncertain),
//! whatever else went wrong. Before it, nothing was accepted.

mod auth;
mod body;
mod capabilities;
mod classify;
mod command;
mod connect;
mod reply;
mod session;
mod transaction;

use std::time::Duration;

pub use body::{BodyFacts, MAX_LINE, Stuffed};
pub use capabilities::Capabilities;
pub use connect::{connect, hello, probe};
pub use reply::{Enhanced, Reply, ReplyError, ReplyParser};
pub use session::Session;

/// What the caller may choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// What we call ourselves in EHLO: a host name or an address literal (RFC 5321, section 4.1.3).
    pub hello: String,
}

impl Default for Options {
    fn default() -> Self {
        Self { hello: "[127.0.0.1]".to_owned() }
    }
}

/// How long to wait, after RFC 5321, section 4.5.3.2, which gives most commands 5 minutes,
/// less to a block of data and more to the final dot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timeouts {
    /// Any command but those below, the greeting included.
    pub command: Duration,
    /// For the server to take one piece of the message.
    pub block: Duration,
    /// For the answer to the final dot. A server that is cut off while it still scans the
    /// message makes the outcome uncertain; so this is long.
    pub final_dot: Duration,
}

impl Timeouts {
    /// The RFC asks for 10 minutes at the final dot; ten times `command` comes near it for usual
    /// settings without making a test with a short time-out wait that long.
    pub fn scaled(command: Duration) -> Self {
        let ten_minutes = Duration::from_secs(600);
        let final_dot = (command * 10).min(ten_minutes.max(command * 2));
        Self { command, block: command, final_dot }
    }
}

#[cfg(test)]
mod tests;
