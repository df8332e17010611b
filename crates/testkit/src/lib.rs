//! Real servers on loopback, worlds, misbehaving servers, a clock.
//!
//! Every server is the distribution's own program, started by the test itself
//! with throw-away data on free loopback ports, and gone with the test: dropped
//! handles stop their server, and a supervisor process stops it when the test
//! process dies in any other way. `scripts/setup servers` installs the programs.
//!
//! Start with [`MailWorld::start`] for a mail system, with [`Postgres::shared`]
//! for a database, with [`Browser::start`] for the pages, with [`CutProxy`] or [`Misbehave`] for the faults that real
//! servers do not produce on request.

pub mod api;
pub mod browser;
pub mod clock;
pub mod crm;
pub mod cut;
pub mod cyrus;
pub mod dns;
pub mod dovecot;
pub mod hook;
pub mod jwt;
pub mod mailgen;
pub mod misbehave;
pub mod ports;
pub mod postfix;
pub mod postgres;
pub mod postroom;
mod process;
mod runtime;
pub mod site;
pub mod smtp;
pub mod tls;
mod unix;
pub mod webdriver;
pub mod world;

pub use api::Api;
pub use browser::Browser;
pub use clock::TestClock;
pub use crm::Crm;
pub use cut::{CutProxy, Fault};
pub use cyrus::Cyrus;
pub use dns::Dns;
pub use dovecot::Dovecot;
pub use misbehave::{Misbehave, Step};
pub use postfix::Postfix;
pub use postgres::Postgres;
pub use postroom::Postroom;
pub use site::Site;
pub use world::{MailWorld, User};
