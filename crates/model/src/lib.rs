//! The nouns of Postroom.
//!
//! One file per table under [`tables`]; states and option sets are enums; a
//! decision is a list of [`change::Change`]s; a question to the store is a
//! [`query::Query`]. This crate does **no** IO, reads **no** clock, carries
//! **no** wire format.

pub mod change;
pub mod clock;
pub mod discovery;
pub mod facts;
pub mod failure;
pub mod fetch;
pub mod id;
pub mod mail;
pub mod option_set;
pub mod outgoing;
pub mod overview;
pub mod probe;
pub mod query;
pub mod reach;
pub mod record;
pub mod refusal;
pub mod secret;
pub mod table;
pub mod tables;
pub mod time_zone;
pub mod value;
pub mod verdict;
pub mod wording;
pub mod work;

pub use change::{Actor, Change, Commit, Lease, Update};
pub use clock::Clock;
pub use failure::{Failure, FailureKind, Step};
pub use fetch::{Fetch, Fetched};
pub use id::Id;
pub use jiff::{SignedDuration, Timestamp};
pub use mail::{Address, Mail};
pub use option_set::{OptionSet, OptionValue};
pub use query::{Filter, Order, Query};
pub use record::{Entity, Record};
pub use refusal::{Refusal, Refusals};
pub use secret::Secret;
pub use table::{Col, Column, Kind, Table};
pub use value::{Ref, Value};
pub use wording::{Displayed, Words};
