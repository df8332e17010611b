//! Tracking tokens and Message-IDs that nobody else can have made.
//!
//! A token stands at the end of a subject and survives mail programs that
//! drop In-Reply-To. It names one email for good (it never wraps) and carries
//! a signature, so that a token of another system, an edited one or a guessed
//! one is recognised as such. Message-IDs of outgoing email are signed in the
//! same way: an answer that names one proves that its writer had the email.

use model::tables::Organization;
use model::{Id, Secret};
use sha2::{Digest, Sha256};

/// Crockford's alphabet: no I, L, O or U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters after the prefix: 6 bytes that name the email, 5 that sign them.
pub const LENGTH: usize = 18;
const NAME: usize = 6;
const SIGNATURE: usize = 5;
/// Octets of the signature in a Message-ID.
const ID_SIGNATURE: usize = 10;
/// What an organization without a prefix uses.
pub const DEFAULT_PREFIX: &str = "CRM:";

/// The prefixes that tokens of this organization may have, the current one first.
pub fn prefixes(organization: &Organization) -> Vec<&str> {
    let mut all: Vec<&str> = organization.tracking_prefix.split(';').map(str::trim).filter(|p| !p.is_empty()).collect();
    if all.is_empty() {
        all.push(DEFAULT_PREFIX);
    }
    all
}

/// The token of an email: `CRM:` and 18 characters.
pub fn make(email: Id, prefix: &str, key: &Secret) -> String {
    let digest = Sha256::digest(email.as_bytes());
    let mut body = digest[..NAME].to_vec();
    let signature = sign(key, b"token", &body);
    body.extend_from_slice(&signature[..SIGNATURE]);
    format!("{prefix}{}", encode(&body))
}

/// The complete tokens in a subject, as they are stored (prefix as configured,
/// capital letters), in order of appearance. Whether they are genuine is
/// another question: [`verify`]. Shorter or longer things after a prefix, such
/// as the numbers that other systems use, are none.
pub fn find(subject: &str, prefixes: &[&str]) -> Vec<String> {
    let mut found: Vec<(usize, String)> = Vec::new();
    for prefix in prefixes.iter().filter(|p| !p.is_empty()) {
        for (at, _) in subject.char_indices() {
            let Some(body) = after_prefix(&subject[at..], prefix) else { continue };
            let Some(body) = token_body(body) else { continue };
            let token = format!("{prefix}{body}");
            if !found.iter().any(|(_, t)| *t == token) {
                found.push((at, token));
            }
        }
    }
    found.sort();
    found.into_iter().map(|(_, token)| token).collect()
}

/// Whether the token's signature is ours.
pub fn verify(token: &str, key: &Secret) -> bool {
    let Some((at, _)) = token.char_indices().rev().nth(LENGTH - 1) else { return false };
    let Some(bytes) = decode(&token[at..], NAME + SIGNATURE) else { return false };
    let (name, signature) = bytes.split_at(NAME);
    same(signature, &sign(key, b"token", name)[..SIGNATURE])
}

/// The subject with the token at its end, in at most `max` characters: the
/// subject gives way. Where the token alone is too long there is none.
pub fn append(subject: &str, token: &str, max: usize) -> String {
    let length = token.chars().count();
    if token.is_empty() || length > max || subject.contains(token) {
        return subject.chars().take(max).collect();
    }
    let room = max.saturating_sub(length + 1);
    let mut text: String = subject.trim_end().chars().take(room).collect();
    text.truncate(text.trim_end().len());
    if !text.is_empty() {
        text.push(' ');
    }
    text.push_str(token);
    text
}

/// The Message-ID of an outgoing email, fixed before its first attempt:
/// `<name.signature@domain>` (RFC 5322, section 3.6.4).
pub fn message_id(email: Id, domain: &str, key: &Secret) -> String {
    let signature = sign(key, b"message-id", email.as_bytes());
    let local = format!("{}.{}", encode(email.as_bytes()), encode(&signature[..ID_SIGNATURE]));
    format!("<{}@{domain}>", local.to_lowercase())
}

/// The email that a Message-ID of ours names; `None` for everybody else's.
pub fn email_of(message_id: &str, key: &Secret) -> Option<Id> {
    let (local, _) = message_id.trim().strip_prefix('<')?.rsplit_once('@')?;
    let (name, signature) = local.split_once('.')?;
    let name = decode(name, 16)?;
    let signature = decode(signature, ID_SIGNATURE)?;
    let genuine = same(&signature, &sign(key, b"message-id", &name)[..ID_SIGNATURE]);
    genuine.then(|| Id::from_slice(&name).ok()).flatten()
}

/// `text` without `prefix`, letters compared without case.
fn after_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let mut rest = text.chars();
    for expected in prefix.chars() {
        let found = rest.next()?;
        if found != expected && !found.to_lowercase().eq(expected.to_lowercase()) {
            return None;
        }
    }
    Some(rest.as_str())
}

/// The 18 characters of a token in their canonical form, provided that the
/// word ends there.
fn token_body(text: &str) -> Option<String> {
    let word: String = text.chars().take_while(char::is_ascii_alphanumeric).take(LENGTH + 1).collect();
    if word.len() != LENGTH {
        return None;
    }
    decode(&word, NAME + SIGNATURE).map(|bytes| encode(&bytes))
}

fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut buffer, mut bits) = (0_u32, 0);
    for byte in bytes {
        buffer = (buffer << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(ALPHABET[(buffer >> bits) as usize & 31]));
        }
        buffer &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(char::from(ALPHABET[(buffer << (5 - bits)) as usize & 31]));
    }
    text
}

/// Reads exactly `length` bytes; small letters and the letters that people
/// confuse are understood.
fn decode(text: &str, length: usize) -> Option<Vec<u8>> {
    if text.len() != (length * 8).div_ceil(5) {
        return None;
    }
    let mut bytes = Vec::with_capacity(length);
    let (mut buffer, mut bits) = (0_u32, 0);
    for c in text.bytes() {
        let c = match c.to_ascii_uppercase() {
            b'O' => b'0',
            b'I' | b'L' => b'1',
            other => other,
        };
        let value = ALPHABET.iter().position(|a| *a == c)?;
        buffer = (buffer << 5) | u32::try_from(value).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((buffer >> bits) as u8);
            buffer &= (1 << bits) - 1;
        }
    }
    // The bits that are left over belong to no byte: only zero is canonical.
    (buffer == 0 && bytes.len() == length).then_some(bytes)
}

fn sign(key: &Secret, purpose: &[u8], message: &[u8]) -> [u8; 32] {
    hmac_sha256(key.expose().as_bytes(), &[purpose, b"\0", message])
}

/// RFC 2104 over SHA-256.
fn hmac_sha256(key: &[u8], message: &[&[u8]]) -> [u8; 32] {
    const BLOCK: usize = 64;
    let mut block = [0_u8; BLOCK];
    if key.len() > BLOCK {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let mut inner = Sha256::new();
    inner.update(block.map(|b| b ^ 0x36));
    message.iter().for_each(|part| inner.update(part));
    let mut outer = Sha256::new();
    outer.update(block.map(|b| b ^ 0x5c));
    outer.update(inner.finalize());
    outer.finalize().into()
}

/// Compares in a time that does not depend on where the difference is.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |sum, (x, y)| sum | (x ^ y)) == 0
}

#[cfg(test)]
mod tests;
