//! Every server is started for real and talked to.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper that fails fails the test")]

mod browser;
mod cyrus;
mod faults;
mod mailboxes;
mod postgres;
mod talk;
mod world;
