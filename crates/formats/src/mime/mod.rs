//! MIME messages (RFC 5322, RFC 2045 to 2049, 2183, 2231): bytes to [`Mail`]
//! and [`OutgoingMail`](model::outgoing::OutgoingMail) to bytes.
//!
//! # Reading
//!
//! [`read`] and [`Skeleton`] are the same engine; the second takes chunks.
//! Texts come decoded with `\n` at the line ends and without NUL. Parts that
//! are not the body stay where they are: [`Attached::place`] says where, and
//! [`extract`] gets them.
//!
//! `header_digest` is SHA-256 of the raw bytes up to and including the first
//! empty line (CRLF or LF), of everything where there is none.
//! `fingerprint` is documented in `fingerprint.rs`.
//!
//! [`Attached::place`]: model::mail::Attached

mod address;
mod assemble;
mod body;
mod charset;
mod date;
mod decode;
mod doubt;
mod fields;
mod fingerprint;
mod ids;
mod lines;
mod names;
mod params;
mod part;
pub mod report;
mod signals;
mod skeleton;
mod tree;
mod write;

use model::mail::Mail;

pub use decode::{decode, extract};
pub use skeleton::{Limits, Skeleton};
pub use write::{WriteError, Written, from_html, write};

/// Reads a message. Never fails: flaws are data.
pub fn read(raw: &[u8]) -> Mail {
    let mut skeleton = Skeleton::new(Limits::default());
    skeleton.push(raw);
    skeleton.finish()
}

#[cfg(test)]
mod tests;
