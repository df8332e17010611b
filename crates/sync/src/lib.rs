//! What the machine does by itself.
//!
//! Workers claim due mailboxes by lease and run one workload each: receive,
//! send, or a configuration test. This crate moves facts, verdicts and
//! messages between the store, the rules and the connectors; it does **not**
//! answer a person and holds **no** rule about the domain.

mod breaker;
mod budget;
mod engine;
mod error;
mod heartbeat;
mod inquiries;
mod lease;
mod orphans;
mod pace;
mod receive;
mod route;
mod send;
mod sessions;
mod stats;
mod test_mailbox;
mod upkeep;
mod webhooks;
mod worker;

pub use engine::{Engine, Settings};
pub use error::SyncError;
pub use orphans::free_orphans;
pub use upkeep::keep_no_longer;
pub use worker::{Progress, run_once, serve};
