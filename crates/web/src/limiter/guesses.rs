//! Whoever guesses tokens is slowed: an address from which many requests came
//! without a valid token is not listened to for a while. Tokens that were
//! valid lately still are, so nobody is locked out by a neighbour.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::Timestamp;

use super::window::{WINDOW_SECONDS, Window};
use crate::peer::neighbourhood;

/// Addresses that are remembered.
const MOST_ADDRESSES: usize = 10_000;
/// Tokens that are remembered.
const MOST_TOKENS: usize = 10_000;
/// For how long.
const REMEMBERED_SECONDS: i64 = 24 * 3600;

#[derive(Debug, Clone)]
pub(crate) struct Guesses {
    limit: u64,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    failures: BTreeMap<IpAddr, Window>,
    /// Digests of tokens that were valid, and when. A digest that another text
    /// shares lets that text be looked up, no more.
    valid: BTreeMap<u64, i64>,
    /// Seconds at which what is old was last looked for.
    tidied: i64,
}

impl Seen {
    /// Looking for what is old takes time: not for every request.
    fn due(&mut self, now: Timestamp) -> bool {
        let due = (now.as_second() - self.tidied).abs() >= WINDOW_SECONDS / 10;
        if due {
            self.tidied = now.as_second();
        }
        due
    }
}

impl Guesses {
    /// `limit`: failures within five minutes; 0: as many as one likes.
    pub fn new(limit: u64) -> Self {
        Self { limit, seen: Arc::default() }
    }

    /// Seconds that this address has to wait before it may be wrong again.
    pub fn blocked(&self, address: Option<IpAddr>, token: Option<&str>, now: Timestamp) -> Option<u64> {
        let address = neighbourhood(address?);
        let mut seen = self.lock();
        let window = seen.failures.get_mut(&address)?;
        if self.limit == 0 || window.requests(now) < self.limit {
            return None;
        }
        let wait = window.until_requests_below(now, self.limit);
        let known = token.is_some_and(|t| seen.valid.contains_key(&digest(t)));
        (!known).then_some(wait)
    }

    pub fn failed(&self, address: Option<IpAddr>, now: Timestamp) {
        let Some(address) = address.map(neighbourhood).filter(|_| self.limit > 0) else { return };
        let mut seen = self.lock();
        if seen.failures.len() >= MOST_ADDRESSES && !seen.failures.contains_key(&address) {
            if seen.due(now) {
                seen.failures.retain(|_, window| !window.is_empty(now));
            }
            if seen.failures.len() >= MOST_ADDRESSES {
                seen.failures.pop_first();
            }
        }
        seen.failures.entry(address).or_default().add(now, 1, Duration::ZERO);
    }

    pub fn succeeded(&self, token: &str, now: Timestamp) {
        if self.limit == 0 {
            return;
        }
        let mut seen = self.lock();
        if seen.valid.len() >= MOST_TOKENS {
            if seen.due(now) {
                let oldest = now.as_second() - REMEMBERED_SECONDS;
                seen.valid.retain(|_, at| *at > oldest);
            }
            if seen.valid.len() >= MOST_TOKENS {
                seen.valid.pop_first();
            }
        }
        seen.valid.insert(digest(token), now.as_second());
    }

    /// 429 for an address that has to wait.
    pub fn refusal(&self, wait: u64) -> model::Refusal {
        let message = format!(
            "{} requests without a valid token came from this address within {WINDOW_SECONDS} seconds. Wait {wait} seconds, and check the token.",
            self.limit
        );
        model::Refusal::new(0x8007_2322, "TooManyFailedLogins", model::Words::foreign(message))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn digest(token: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    token.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn from(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn after_so_many_failures_the_address_waits() {
        let guesses = Guesses::new(3);
        for _ in 0..2 {
            guesses.failed(from("192.0.2.1"), at(0));
        }
        assert_eq!(guesses.blocked(from("192.0.2.1"), Some("x"), at(0)), None);
        guesses.failed(from("192.0.2.1"), at(0));
        assert_eq!(guesses.blocked(from("192.0.2.1"), Some("x"), at(0)), Some(310));
        assert_eq!(guesses.blocked(from("192.0.2.1"), None, at(0)), Some(310));
        assert_eq!(guesses.blocked(from("192.0.2.2"), Some("x"), at(0)), None);
        assert_eq!(guesses.blocked(from("192.0.2.1"), Some("x"), at(310)), None);
    }

    #[test]
    fn a_token_that_was_valid_is_not_locked_out() {
        let guesses = Guesses::new(1);
        guesses.succeeded("good", at(0));
        guesses.failed(from("192.0.2.1"), at(1));
        assert_eq!(guesses.blocked(from("192.0.2.1"), Some("good"), at(2)), None);
        assert!(guesses.blocked(from("192.0.2.1"), Some("bad"), at(2)).is_some());
    }

    #[test]
    fn no_limit() {
        let guesses = Guesses::new(0);
        for _ in 0..1000 {
            guesses.failed(from("192.0.2.1"), at(0));
        }
        assert_eq!(guesses.blocked(from("192.0.2.1"), None, at(0)), None);
    }

    #[test]
    fn memory_has_an_end() {
        let guesses = Guesses::new(1);
        for n in 0..30_000_u32 {
            guesses.failed(Some(IpAddr::from(n.to_be_bytes())), at(0));
            guesses.succeeded(&n.to_string(), at(0));
        }
        let seen = guesses.lock();
        assert!(seen.failures.len() <= MOST_ADDRESSES && seen.valid.len() <= MOST_TOKENS);
    }
}
