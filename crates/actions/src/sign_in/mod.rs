//! Who is asking: passwords and second steps, sessions of browsers, tokens of
//! services. Whoever is let in is a [`Caller`]; what they may do is asked
//! elsewhere.

pub mod account;
pub mod administer;
pub mod application;
mod base32;
mod bearer;
mod entrance;
mod hasher;
pub mod jwt;
mod login;
pub mod openid;
pub mod password;
pub mod recovery;
pub mod reset;
pub mod session;
pub(crate) mod ticket;
mod totp;

pub use bearer::{Caller, bearer};
pub use entrance::{Entrance, Policy, Visitor};
pub use hasher::{Cost, Hasher};
pub use password::{Step, with_code, with_password};
pub use session::Opened;
