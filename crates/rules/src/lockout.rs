//! How long a sign-in has to wait after failures.
//!
//! The first few cost nothing: people mistype. Then every further one doubles
//! the wait, up to a quarter of an hour, so that guessing is slow and nobody
//! is locked out for long by somebody else's guesses.

use model::{SignedDuration, Timestamp};

/// Failures in a row without a wait.
pub const FREE: i64 = 4;
const FIRST: SignedDuration = SignedDuration::from_secs(15);
const LONGEST: SignedDuration = SignedDuration::from_mins(15);
/// After so long without a failure, what was before does not count.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(24);

/// Until when nothing is tried; `None`: now.
pub fn locked_until(failures: i64, last: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    let last = last?;
    let until = last.checked_add(wait(failures)).unwrap_or(last);
    (until > now).then_some(until)
}

/// The count after one more failure.
pub fn failed(failures: i64, last: Option<Timestamp>, now: Timestamp) -> i64 {
    let forgotten = last.is_none_or(|last| now.duration_since(last) >= FORGOTTEN);
    if forgotten { 1 } else { failures.max(0).saturating_add(1) }
}

/// Whether this failure is the first that makes the next try wait.
pub fn begins(failures: i64) -> bool {
    failures == FREE + 1
}

fn wait(failures: i64) -> SignedDuration {
    let over = failures - FREE;
    if over <= 0 {
        return SignedDuration::ZERO;
    }
    let doublings = u32::try_from(over - 1).unwrap_or(u32::MAX).min(20);
    FIRST.checked_mul(1 << doublings).map_or(LONGEST, |wait| wait.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    #[track_caller]
    fn check(failures: i64, seconds: i64) {
        let until = locked_until(failures, Some(at(0)), at(0));
        assert_eq!(until, (seconds > 0).then(|| at(seconds)), "after {failures}");
    }

    #[test]
    fn mistyping_costs_nothing() {
        check(0, 0);
        check(1, 0);
        check(4, 0);
    }
    #[test]
    fn then_it_doubles() {
        check(5, 15);
        check(6, 30);
        check(7, 60);
        check(10, 480);
    }
    #[test]
    fn and_has_an_end() {
        check(11, 900);
        check(12, 900);
        check(1_000_000, 900);
        check(i64::MAX, 900);
    }
    #[test]
    fn the_wait_ends() {
        assert_eq!(locked_until(5, Some(at(0)), at(14)), Some(at(15)));
        assert_eq!(locked_until(5, Some(at(0)), at(15)), None);
    }
    #[test]
    fn nothing_failed_yet() {
        assert_eq!(locked_until(99, None, at(0)), None);
    }
    #[test]
    fn failures_count_up_and_are_forgotten() {
        assert_eq!(failed(0, None, at(0)), 1);
        assert_eq!(failed(4, Some(at(0)), at(10)), 5);
        assert_eq!(failed(4, Some(at(0)), at(86_400)), 1);
        assert_eq!(failed(-3, Some(at(0)), at(10)), 1);
        assert_eq!(failed(i64::MAX, Some(at(0)), at(10)), i64::MAX);
    }
    #[test]
    fn a_lock_out_begins_once() {
        assert!(!begins(4));
        assert!(begins(5));
        assert!(!begins(6));
    }
}
