//! Reading mail: POP3 (RFC 1939) with its extensions (RFC 2449, 2595, 5034, 6856).
//!
//! [`connect`] makes a logged-in [`Session`], which reads a mailbox as
//! [`ReadMail`](crate::ReadMail). Messages are known by their unique-id
//! (UIDL). Nothing is removed before the server has said yes to QUIT, so a
//! session whose connection is lost has removed nothing.

mod capabilities;
mod connect;
mod fetch;
mod greeted;
mod header;
mod reply;
mod session;
mod settle;
mod unstuff;
mod wire;

pub use capabilities::Capabilities;
pub use connect::{connect, hello, probe};
pub use greeted::Greeted;
pub use header::received_on;
pub use reply::{ResponseCode, Status};
pub use session::Session;
pub use unstuff::Unstuffer;

#[cfg(test)]
mod tests;
