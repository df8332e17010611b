//! What stays the same on every road that a copy of a message takes.
//!
//! SHA-256 over this sequence; every field is preceded by its length in
//! octets as 8 bytes, big-endian, lists by the number of their entries:
//!
//! 1. the version, one byte: 1
//! 2. Message-ID, normalised as in `Mail`; empty where there is none
//! 3. Date as Unix seconds in decimal; empty where there is none
//! 4. the addresses of From, To and Cc, three lists: lower-case, sorted, each once
//! 5. the subject, decoded, every run of white space (ASCII) one space, none
//!    at the ends
//! 6. the plain body, then the HTML body, decoded, with white space as
//!    above; empty where there is none
//! 7. the attachments: name, then the decoded size in decimal (for text
//!    parts the octets that are no white space), or for an enclosed message
//!    its own fingerprint; ordered by these two
//!
//! Left out on purpose: trace fields and everything else that transport adds
//! or rewrites, charset, transfer encoding and boundaries, Bcc, Reply-To. A
//! copy is the same with other line ends, re-encoded, or enclosed in a
//! forward. Not the same is a copy whose body somebody appended to.
//!
//! Version 1. It is stored: a change of meaning needs a new version byte.

use model::mail::{Address, Mail, address_key};
use sha2::{Digest, Sha256};

const VERSION: u8 = 1;

/// What an attachment contributes beside its name.
pub enum Measure {
    Size(u64),
    Message([u8; 32]),
}

pub fn of(mail: &Mail, attachments: Vec<(String, Measure)>) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update([VERSION]);
    field(&mut hash, mail.message_id.as_deref().unwrap_or_default().as_bytes());
    field(&mut hash, mail.date.map(|d| d.as_second().to_string()).unwrap_or_default().as_bytes());
    for list in [&mail.from, &mail.to, &mail.cc] {
        addresses(&mut hash, list);
    }
    field(&mut hash, &collapse(&mail.subject));
    for body in [&mail.text, &mail.html] {
        field(&mut hash, &body.as_deref().map(collapse).unwrap_or_default());
    }
    let mut entries: Vec<(String, Vec<u8>)> = attachments
        .into_iter()
        .map(|(name, measure)| match measure {
            Measure::Size(size) => (name, size.to_string().into_bytes()),
            Measure::Message(fingerprint) => (name, fingerprint.to_vec()),
        })
        .collect();
    entries.sort();
    hash.update((entries.len() as u64).to_be_bytes());
    for (name, measure) in entries {
        field(&mut hash, name.as_bytes());
        field(&mut hash, &measure);
    }
    hash.finalize().into()
}

fn addresses(hash: &mut Sha256, list: &[Address]) {
    let mut keys: Vec<String> = list.iter().map(|a| address_key(&a.address)).collect();
    keys.sort_unstable();
    keys.dedup();
    hash.update((keys.len() as u64).to_be_bytes());
    for key in keys {
        field(hash, key.as_bytes());
    }
}

fn field(hash: &mut Sha256, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}

/// Every run of white space one space, none at the ends. Without branches:
/// this looks at every octet of every message.
fn collapse(text: &str) -> Vec<u8> {
    let mut out = vec![0_u8; text.len()];
    let mut length = 0;
    let mut after_space = true;
    for &byte in text.as_bytes() {
        let space = matches!(byte, b' ' | b'\t'..=b'\r');
        out[length] = if space { b' ' } else { byte };
        length += usize::from(!(space && after_space));
        after_space = space;
    }
    if after_space && length > 0 {
        length -= 1;
    }
    out.truncate(length);
    out
}

#[cfg(test)]
mod tests {
    use super::collapse;

    fn check(text: &str, expected: &str) {
        assert_eq!(collapse(text), expected.as_bytes(), "{text:?}");
    }

    #[test]
    fn white_space_collapses() {
        check("", "");
        check(" ", "");
        check("a", "a");
        check("  a \r\n\t b  ", "a b");
        check("a b", "a b");
        check("\u{a0}ä\u{a0} b", "\u{a0}ä\u{a0} b");
    }
}
