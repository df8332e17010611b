//! What somebody used within the last five minutes, counted in slices. Time is
//! an argument.

use std::collections::VecDeque;
use std::time::Duration;

use model::Timestamp;

/// Within how long uses are counted together.
pub(crate) const WINDOW_SECONDS: i64 = 300;
/// How finely.
const SLICE_SECONDS: i64 = 10;

#[derive(Debug, Clone, Copy)]
struct Slice {
    /// Seconds since the epoch, a multiple of the slice.
    start: i64,
    requests: u64,
    busy: Duration,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Window {
    slices: VecDeque<Slice>,
}

impl Window {
    /// Counts requests, and time that was spent on them.
    pub fn add(&mut self, now: Timestamp, requests: u64, busy: Duration) {
        self.forget(now);
        let start = slice_of(now);
        match self.slices.back_mut() {
            // A clock that was set back a little counts on.
            Some(last) if last.start >= start => {
                last.requests += requests;
                last.busy += busy;
            }
            _ => self.slices.push_back(Slice { start, requests, busy }),
        }
    }

    pub fn requests(&mut self, now: Timestamp) -> u64 {
        self.forget(now);
        self.slices.iter().map(|s| s.requests).sum()
    }

    pub fn busy(&mut self, now: Timestamp) -> Duration {
        self.forget(now);
        self.slices.iter().map(|s| s.busy).sum()
    }

    pub fn is_empty(&mut self, now: Timestamp) -> bool {
        self.forget(now);
        self.slices.is_empty()
    }

    /// Seconds until fewer than `limit` requests are counted.
    pub fn until_requests_below(&self, now: Timestamp, limit: u64) -> u64 {
        let mut left: u64 = self.slices.iter().map(|s| s.requests).sum();
        self.wait(now, |slice| {
            left = left.saturating_sub(slice.requests);
            left < limit
        })
    }

    /// Seconds until less than `limit` of time is counted.
    pub fn until_busy_below(&self, now: Timestamp, limit: Duration) -> u64 {
        let mut left: Duration = self.slices.iter().map(|s| s.busy).sum();
        self.wait(now, |slice| {
            left = left.saturating_sub(slice.busy);
            left < limit
        })
    }

    /// Until the slice falls out of the window with which it is `enough`.
    fn wait(&self, now: Timestamp, mut enough: impl FnMut(&Slice) -> bool) -> u64 {
        let last = self.slices.iter().find(|slice| enough(slice)).or(self.slices.back());
        let end = last.map_or(0, |slice| slice.start + WINDOW_SECONDS + SLICE_SECONDS);
        u64::try_from(end - now.as_second()).unwrap_or(0).max(1)
    }

    fn forget(&mut self, now: Timestamp) {
        let oldest = slice_of(now) - WINDOW_SECONDS;
        while self.slices.front().is_some_and(|s| s.start < oldest) {
            self.slices.pop_front();
        }
        // The clock was set back further than the window reaches.
        if self.slices.back().is_some_and(|s| s.start > now.as_second() + WINDOW_SECONDS) {
            self.slices.clear();
        }
    }
}

fn slice_of(now: Timestamp) -> i64 {
    now.as_second().div_euclid(SLICE_SECONDS) * SLICE_SECONDS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn used(at_seconds: &[i64]) -> Window {
        let mut window = Window::default();
        at_seconds.iter().for_each(|s| window.add(at(*s), 1, Duration::from_secs(2)));
        window
    }

    #[track_caller]
    fn check(used_at: &[i64], now: i64, expected: u64) {
        assert_eq!(used(used_at).requests(at(now)), expected);
        assert_eq!(used(used_at).busy(at(now)).as_secs(), expected * 2);
    }

    #[test]
    fn nothing() {
        check(&[], 0, 0);
    }
    #[test]
    fn within_the_window() {
        check(&[0, 1, 150, 299], 300, 4);
    }
    #[test]
    fn the_oldest_fall_out() {
        check(&[0, 1, 150, 299], 311, 2);
        check(&[0, 1, 150, 299], 1000, 0);
    }
    #[test]
    fn a_clock_set_back_a_little_loses_nothing() {
        check(&[100, 90, 50], 60, 3);
    }
    #[test]
    fn a_clock_set_back_far_begins_anew() {
        check(&[5000], 0, 0);
    }

    #[track_caller]
    fn waits(used_at: &[i64], now: i64, limit: u64, expected: u64) {
        let window = used(used_at);
        assert_eq!(window.until_requests_below(at(now), limit), expected);
        assert_eq!(window.until_busy_below(at(now), Duration::from_secs(limit * 2)), expected);
    }

    #[test]
    fn until_the_first_falls_out() {
        waits(&[0, 100, 200], 250, 3, 60);
    }
    #[test]
    fn until_two_fall_out() {
        waits(&[0, 100, 200], 250, 2, 160);
    }
    #[test]
    fn after_that_time_it_is_so() {
        let mut window = used(&[0, 3, 100, 200]);
        let wait = window.until_requests_below(at(250), 3);
        assert!(window.clone().requests(at(249 + wait as i64)) >= 3);
        assert!(window.requests(at(250 + wait as i64)) < 3);
    }
    #[test]
    fn never_nothing() {
        waits(&[], 250, 3, 1);
    }
}
