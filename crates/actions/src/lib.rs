//! What a person may ask, one file per verb: load facts, ask a rule, commit,
//! return. The Web API and the command line call the same functions.
//!
//! This crate does **not** reach a server by itself (the identity provider is
//! asked through a trait) and does **not** know HTTP statuses: a
//! refusal carries its code, and `web` knows which status that is.

pub mod access;
pub mod alert;
pub mod attachment;
pub mod audit;
mod blobs;
pub mod bulk;
mod change_set;
pub mod changes;
mod context;
mod create;
mod deep;
mod delete;
mod draft;
pub mod email;
mod error;
mod facts;
pub mod feedback;
mod fetch;
pub mod incoming;
mod init;
pub mod inquiry;
pub mod ledger;
pub mod mailbox;
pub mod monitoring;
pub mod my_work;
mod permitted;
mod personal;
mod ping;
mod plan;
mod prepare;
mod privileges;
pub mod profile;
pub mod queue;
mod read;
pub mod resolve;
pub mod security;
pub mod senders;
pub mod sign_in;
pub mod start;
mod tables;
pub mod timeline;
pub mod token;
pub mod tracking;
pub mod unresolved;
mod update;
pub mod upkeep;
pub mod validate;
pub mod views;
pub mod webhook;
mod whoami;

pub use change_set::ChangeSet;
pub use context::{Context, NoRandomness, Origin, Random, Settings, acting_for};
pub use create::create;
pub use delete::delete;
pub use draft::{Draft, Precondition, Saved};
pub use error::ActionError;
pub use fetch::{Standing, fetch, standing, view};
pub use init::init;
pub use permitted::{Wish, permitted};
pub use personal::{personal, time_zone};
pub use ping::ping;
pub use prepare::prepare;
pub use privileges::{SpecialPrivilege, TablePrivilege, secured_tables, special_privileges, table_privileges};
pub use read::{count, list, read};
pub use rules::access::{Right, Scopes, Special};
pub use rules::password::SHORTEST as SHORTEST_PASSWORD;
pub use store::Store;
pub use update::{Foreseen, foresee, update};
pub use whoami::{WhoAmI, who_am_i};
