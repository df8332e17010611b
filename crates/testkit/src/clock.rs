//! A clock that stands still until told otherwise.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use model::clock::Clock;

/// A settable clock; clones show the same time.
#[derive(Debug, Clone)]
pub struct TestClock {
    now: Arc<Mutex<Timestamp>>,
}

impl TestClock {
    /// A clock that shows `now`.
    pub fn at(now: Timestamp) -> Self {
        Self { now: Arc::new(Mutex::new(now)) }
    }

    /// Moves the clock to `now`, backwards too.
    pub fn set(&self, now: Timestamp) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// Moves the clock on by `time` and tells the new time. Beyond the end of
    /// time it stays at the end.
    pub fn advance(&self, time: SignedDuration) -> Timestamp {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        *now = now.checked_add(time).unwrap_or(Timestamp::MAX);
        *now
    }
}

impl Default for TestClock {
    /// A Monday morning: 2 November 2026, 09:00 UTC.
    fn default() -> Self {
        Self::at(Timestamp::constant(1_793_610_000, 0))
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_starts_on_a_monday_morning() {
        assert_eq!(TestClock::default().now().to_string(), "2026-11-02T09:00:00Z");
    }

    #[test]
    fn it_stands_still_until_advanced() {
        let clock = TestClock::default();
        let before = clock.now();
        assert_eq!(clock.now(), before);
        clock.advance(SignedDuration::from_mins(5));
        assert_eq!(clock.now().duration_since(before), SignedDuration::from_mins(5));
    }

    #[test]
    fn clones_share_the_time() {
        let clock = TestClock::default();
        clock.clone().set(Timestamp::UNIX_EPOCH);
        assert_eq!(clock.now(), Timestamp::UNIX_EPOCH);
    }

    #[test]
    fn it_does_not_run_past_the_end_of_time() {
        let clock = TestClock::at(Timestamp::MAX);
        assert_eq!(clock.advance(SignedDuration::from_hours(1)), Timestamp::MAX);
    }
}
