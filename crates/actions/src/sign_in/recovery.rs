//! Recovery codes: 80 random bits each, good once, stored hashed.

use sha2::{Digest, Sha256};

use crate::context::{NoRandomness, Random};
use crate::sign_in::base32;

/// How many are made at a time.
const CODES: usize = 10;
const OCTETS: usize = 10;

/// New codes as they are shown, once, and what is stored of them.
pub(super) fn new(random: &Random) -> Result<(Vec<String>, String), NoRandomness> {
    let mut shown = Vec::with_capacity(CODES);
    let mut stored = Vec::with_capacity(CODES);
    for _ in 0..CODES {
        let bytes = random.bytes::<OCTETS>()?;
        let text = base32::encode(&bytes);
        let groups: Vec<&str> = (0..4).filter_map(|n| text.get(n * 4..n * 4 + 4)).collect();
        shown.push(groups.join("-"));
        stored.push(hashed(&bytes));
    }
    Ok((shown, stored.join(" ")))
}

/// What is left when this code is used; `None`: it is none of them.
pub(super) fn without(stored: &str, code: &str) -> Option<String> {
    let bytes = base32::decode(code).filter(|b| b.len() == OCTETS)?;
    let used = hashed(&bytes);
    let left: Vec<&str> = stored.split(' ').filter(|h| *h != used).collect();
    (left.len() < stored.split(' ').count()).then(|| left.join(" "))
}

pub fn left(stored: &str) -> usize {
    stored.split(' ').filter(|h| !h.is_empty()).count()
}

fn hashed(code: &[u8]) -> String {
    hex::encode(Sha256::digest(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made() -> (Vec<String>, String) {
        let counter = std::sync::atomic::AtomicU8::new(0);
        let random = Random::new(move |bytes| {
            bytes.fill(counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
            Ok(())
        });
        new(&random).unwrap()
    }

    #[test]
    fn each_is_good_once() {
        let (shown, stored) = made();
        assert_eq!((shown.len(), left(&stored)), (10, 10));
        assert_eq!(shown[1], "AEAQ-CAIB-AEAQ-CAIB");
        let rest = without(&stored, &shown[1].to_lowercase()).unwrap();
        assert_eq!(left(&rest), 9);
        assert_eq!(without(&rest, &shown[1]), None);
        assert!(without(&rest, &shown[2]).is_some());
    }

    #[test]
    fn the_last_one() {
        let (shown, stored) = made();
        let rest = shown.iter().fold(stored, |stored, code| without(&stored, code).unwrap());
        assert_eq!((rest.as_str(), left(&rest)), ("", 0));
        assert_eq!(without(&rest, &shown[0]), None);
    }

    #[test]
    fn what_is_none() {
        let (_, stored) = made();
        assert_eq!(without(&stored, ""), None);
        assert_eq!(without(&stored, "123456"), None);
        assert_eq!(without("", ""), None);
    }
}
