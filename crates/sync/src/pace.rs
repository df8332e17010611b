//! How much polling this process can sensibly do.
//!
//! A profile that asks for polling "as often as is sensible" gets it: every
//! few seconds, as long as looking into all mailboxes that often costs a
//! fraction of the time there is. Beyond that the interval grows with the
//! number of mailboxes, so that neither we nor the server only ever log in.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use model::Id;
use tokio::time::Instant;

/// Mailboxes not seen for so long are no longer counted.
const FORGET: Duration = Duration::from_secs(300);

#[derive(Default)]
pub(crate) struct Pace {
    running: AtomicUsize,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// Seconds of work that an empty cycle costs, smoothed.
    cost: f64,
    mailboxes: BTreeMap<Id, Instant>,
}

/// One cycle that is running.
pub(crate) struct Running<'a> {
    pace: &'a Pace,
    began: Instant,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.pace.running.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pace {
    pub fn begin(&self) -> Running<'_> {
        self.running.fetch_add(1, Ordering::Relaxed);
        Running { pace: self, began: Instant::now() }
    }
}

impl Running<'_> {
    /// Notes an empty cycle of `mailbox`, and says how many mailboxes there
    /// are and what one such cycle costs.
    #[expect(clippy::cast_precision_loss, reason = "a count of workers")]
    pub fn empty(&self, mailbox: Id) -> (usize, Duration) {
        // Those that run at the same time share the processor.
        let together = self.pace.running.load(Ordering::Relaxed).max(1) as f64;
        let cost = self.began.elapsed().as_secs_f64() / together;
        let mut seen = self.pace.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.cost = if seen.mailboxes.is_empty() { cost } else { seen.cost * 0.95 + cost * 0.05 };
        let now = Instant::now();
        if seen.mailboxes.insert(mailbox, now).is_none() {
            seen.mailboxes.retain(|_, at| now.duration_since(*at) < FORGET);
        }
        (seen.mailboxes.len(), Duration::from_secs_f64(seen.cost))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn cost_is_shared_by_those_that_run_together() {
        let pace = Pace::default();
        let (one, other) = (pace.begin(), pace.begin());
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(one.empty(Id::nil()), (1, Duration::from_secs(1)));
        assert_eq!(other.empty(Id::max()).0, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_mailbox_is_counted_once_and_forgotten_in_the_end() {
        let pace = Pace::default();
        let running = pace.begin();
        assert_eq!(running.empty(Id::nil()).0, 1);
        assert_eq!(running.empty(Id::nil()).0, 1);
        tokio::time::advance(FORGET * 2).await;
        assert_eq!(running.empty(Id::max()).0, 1);
    }
}
