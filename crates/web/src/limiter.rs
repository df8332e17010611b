//! No user may have so many requests at a time that the others wait.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use model::Id;

/// Requests of one user at a time.
pub(crate) const MOST_AT_A_TIME: usize = 256;

#[derive(Debug, Clone, Default)]
pub(crate) struct Limiter {
    running: Arc<Mutex<BTreeMap<Id, usize>>>,
}

/// The right to run one request; given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    limiter: Limiter,
    user: Id,
}

impl Limiter {
    /// `None` where the user has as many as there may be.
    pub fn enter(&self, user: Id) -> Option<Permit> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let count = running.entry(user).or_default();
        if *count >= MOST_AT_A_TIME {
            return None;
        }
        *count += 1;
        Some(Permit { limiter: self.clone(), user })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut running = self.limiter.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = running.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                running.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_given_back() {
        let limiter = Limiter::default();
        let (ann, bob) = (Id::from_u128(1), Id::from_u128(2));
        let mut permits: Vec<Permit> = (0..MOST_AT_A_TIME).map(|_| limiter.enter(ann).unwrap()).collect();
        assert!(limiter.enter(ann).is_none());
        assert!(limiter.enter(bob).is_some());
        permits.pop();
        assert!(limiter.enter(ann).is_some());
        drop(permits);
        assert!(limiter.running.lock().unwrap().is_empty());
    }
}
