//! No user may ask for so much that the others wait: the service protection
//! limits of the reference product, by count, by time and by how many at once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::{Id, SignedDuration, Timestamp};

mod guesses;
mod window;

pub(crate) use guesses::Guesses;
use window::{WINDOW_SECONDS, Window};

/// Users of whom nothing is counted any more are forgotten beyond so many.
const MANY: usize = 1000;

/// How much may be asked for. 0: without limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests of one user within five minutes.
    pub user_requests: u64,
    /// Seconds of execution time of one user within five minutes.
    pub user_seconds: u64,
    /// Requests of one user at a time.
    pub user_concurrent: usize,
    /// Requests without a valid token from one address within five minutes.
    pub address_failures: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { user_requests: 6000, user_seconds: 20 * 60, user_concurrent: 52, address_failures: 100 }
    }
}

/// Which limit stands in the way, and after how many seconds it does no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exceeded {
    Requests { limit: u64, retry_after: u64 },
    Time { limit: u64, retry_after: u64 },
    Concurrent { limit: usize },
}

/// What is left after this request; `None` where there is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Remaining {
    pub requests: Option<u64>,
    pub time: Option<Duration>,
}

/// What one user has used, and has running.
#[derive(Debug, Default)]
struct Usage {
    window: Window,
    running: usize,
}

impl Usage {
    /// Lets one more request in, or says what stands in its way. One that is
    /// refused is not counted: whoever waits as told gets through.
    fn enter(&mut self, limits: &Limits, now: Timestamp) -> Result<Remaining, Exceeded> {
        let (used, busy) = (self.window.requests(now), self.window.busy(now));
        let limit = limits.user_requests;
        if limit > 0 && used >= limit {
            return Err(Exceeded::Requests { limit, retry_after: self.window.until_requests_below(now, limit) });
        }
        let limit = limits.user_seconds;
        let longest = Duration::from_secs(limit);
        if limit > 0 && busy >= longest {
            return Err(Exceeded::Time { limit, retry_after: self.window.until_busy_below(now, longest) });
        }
        let limit = limits.user_concurrent;
        if limit > 0 && self.running >= limit {
            return Err(Exceeded::Concurrent { limit });
        }
        self.running += 1;
        self.window.add(now, 1, Duration::ZERO);
        Ok(Remaining {
            requests: (limits.user_requests > 0).then(|| limits.user_requests - used - 1),
            time: (limits.user_seconds > 0).then(|| longest.saturating_sub(busy)),
        })
    }

    fn leave(&mut self, now: Timestamp, busy: Duration) {
        self.running = self.running.saturating_sub(1);
        self.window.add(now, 0, busy);
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Limiter {
    limits: Limits,
    users: Arc<Mutex<BTreeMap<Id, Usage>>>,
    pub guesses: Guesses,
}

/// The right to run one request; given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    limiter: Limiter,
    user: Id,
    entered: Timestamp,
    /// Since when it is executed; before, its payload was on the way.
    executing: Option<tokio::time::Instant>,
    pub remaining: Remaining,
}

impl Limiter {
    pub fn new(limits: Limits) -> Self {
        Self { limits, users: Arc::default(), guesses: Guesses::new(limits.address_failures) }
    }

    pub fn enter(&self, user: Id, now: Timestamp) -> Result<Permit, Exceeded> {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        if users.len() >= MANY && !users.contains_key(&user) {
            users.retain(|_, usage| usage.running > 0 || !usage.window.is_empty(now));
        }
        let remaining = users.entry(user).or_default().enter(&self.limits, now)?;
        Ok(Permit { limiter: self.clone(), user, entered: now, executing: None, remaining })
    }
}

impl Permit {
    /// From here on the time counts.
    pub fn execute(&mut self) {
        self.executing = Some(tokio::time::Instant::now());
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let busy = self.executing.map(|since| since.elapsed()).unwrap_or_default();
        let now = self.entered + SignedDuration::try_from(busy).unwrap_or_default();
        let mut users = self.limiter.users.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(usage) = users.get_mut(&self.user) {
            usage.leave(now, busy);
        }
    }
}

impl Exceeded {
    pub fn retry_after(self) -> u64 {
        match self {
            Self::Requests { retry_after, .. } | Self::Time { retry_after, .. } => retry_after,
            Self::Concurrent { .. } => 1,
        }
    }

    /// The code, its name, and what to do.
    pub fn refusal(self) -> model::Refusal {
        let wait = model::words!("Wait {0} seconds, as Retry-After says.", self.retry_after());
        match self {
            Self::Requests { limit, .. } => model::Refusal::new(
                0x8007_2322,
                "ThrottlingBurstRequestLimitExceeded",
                model::words!(
                    "Number of requests exceeded the limit of {0} over a time window of {1} seconds. {2}",
                    limit,
                    WINDOW_SECONDS,
                    wait
                ),
            ),
            Self::Time { limit, .. } => model::Refusal::new(
                0x8007_2321,
                "ThrottlingTimeExceeded",
                model::words!(
                    "Combined execution time of incoming requests exceeded the limit of {0} seconds over a time window of {1} seconds. Decrease the number of concurrent requests or reduce the duration of requests. {2}",
                    limit,
                    WINDOW_SECONDS,
                    wait
                ),
            ),
            Self::Concurrent { limit } => model::Refusal::new(
                0x8007_2326,
                "ThrottlingConcurrencyLimitExceeded",
                model::words!(
                    "Number of concurrent requests exceeded the limit of {0}. Send fewer at a time. {1}",
                    limit,
                    wait
                ),
            ),
        }
    }
}

#[cfg(test)]
mod tests;
