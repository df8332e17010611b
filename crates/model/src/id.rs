//! Identifiers.
//!
//! Pure code may not roll dice, so the identifier of a record that follows
//! from something observed is derived from it: the same message decided twice
//! gives the same identifiers, and a commit that is repeated after a crash
//! collides instead of doubling. Layout: UUID version 8 (RFC 9562, section
//! 5.8), 48 bits of Unix milliseconds first (so that the primary key's index
//! grows at one end), then 74 bits of SHA-256 over the parts.

use jiff::Timestamp;
use sha2::{Digest, Sha256};
pub use uuid::Uuid as Id;

/// Derives an identifier from a moment and the things that make it unique.
/// Parts are length-prefixed before hashing: `["ab","c"]` ≠ `["a","bc"]`.
pub fn derived(at: Timestamp, parts: &[&[u8]]) -> Id {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let millis = u64::try_from(at.as_millisecond()).unwrap_or(0);
    let mut bytes = [0_u8; 16];
    bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    bytes[6..].copy_from_slice(&digest[..10]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// An identifier for something that people create: the randomness is given.
pub fn random(at: Timestamp, random: [u8; 10]) -> Id {
    derived(at, &[&random])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_parts_same_id_and_boundaries_matter() {
        let at = Timestamp::UNIX_EPOCH;
        assert_eq!(derived(at, &[b"ab", b"c"]), derived(at, &[b"ab", b"c"]));
        assert_ne!(derived(at, &[b"ab", b"c"]), derived(at, &[b"a", b"bc"]));
    }

    #[test]
    fn later_ids_sort_after_earlier_ones() {
        let a = derived(Timestamp::UNIX_EPOCH, &[b"z"]);
        let b = derived(Timestamp::from_millisecond(5).unwrap(), &[b"a"]);
        assert!(a < b);
    }
}
