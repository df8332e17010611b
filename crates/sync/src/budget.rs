//! The connection budget: all mailboxes of a profile and host share it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::Id;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// A mailbox that was refused asks again within a second or so, unless it is
/// not to be processed any more.
const STILL_WAITING: Duration = Duration::from_secs(15);

/// Profile and host.
pub(crate) type Key = (Id, String);

/// One permit is one connection.
pub struct Permit {
    _permit: OwnedSemaphorePermit,
    gauge: metrics::Gauge,
    open: Arc<AtomicI64>,
    pub(crate) key: Key,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.gauge.decrement(1);
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Default)]
pub struct Budgets {
    hosts: Mutex<BTreeMap<Key, Host>>,
}

struct Host {
    connections: Arc<Semaphore>,
    size: usize,
    /// Counts those of earlier sizes, too.
    open: Arc<AtomicI64>,
    /// Mailboxes that got none when they last asked.
    refused: BTreeMap<Id, Instant>,
}

/// How a budget stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spent {
    pub key: Key,
    pub open: i64,
    pub most: i64,
    pub waiting: i64,
}

impl Host {
    fn new(size: usize) -> Self {
        Self { connections: Arc::new(Semaphore::new(size)), size, open: Arc::default(), refused: BTreeMap::new() }
    }
}

impl Budgets {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Key, Host>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection to `host` under `profile` for this mailbox, if one is free
    /// right now. When the profile's maximum was changed it is counted anew;
    /// connections of the old one run out.
    pub fn try_take(&self, profile: Id, host: &str, most: usize, mailbox: Id) -> Option<Permit> {
        let (size, key) = (most.max(1), (profile, host.to_owned()));
        let mut hosts = self.lock();
        let entry = hosts.entry(key.clone()).or_insert_with(|| Host::new(size));
        if entry.size != size {
            (entry.connections, entry.size) = (Arc::new(Semaphore::new(size)), size);
        }
        let Ok(permit) = Arc::clone(&entry.connections).try_acquire_owned() else {
            entry.refused.insert(mailbox, Instant::now());
            return None;
        };
        entry.refused.remove(&mailbox);
        let open = Arc::clone(&entry.open);
        drop(hosts);
        open.fetch_add(1, Ordering::Relaxed);
        let gauge =
            metrics::gauge!("postroom_connections", "profile" => profile.to_string(), "host" => host.to_owned());
        gauge.increment(1);
        Some(Permit { _permit: permit, gauge, open, key })
    }

    /// All budgets that anybody ever took from.
    pub(crate) fn spent(&self) -> Vec<Spent> {
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let mut hosts = self.lock();
        let spent = |(key, host): (&Key, &mut Host)| {
            host.refused.retain(|_, since| since.elapsed() < STILL_WAITING);
            Spent {
                key: key.clone(),
                open: host.open.load(Ordering::Relaxed).max(0),
                most: count(host.size),
                waiting: count(host.refused.len()),
            }
        };
        hosts.iter_mut().map(spent).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: Id = Id::from_u128(1);
    const BEN: Id = Id::from_u128(2);

    #[track_caller]
    fn check(budgets: &Budgets, host: &str, expected: (i64, i64, i64)) {
        let spent = budgets.spent();
        let found = spent.iter().find(|s| s.key.1 == host).map(|s| (s.open, s.most, s.waiting));
        assert_eq!(found, Some(expected), "{spent:?}");
    }

    #[tokio::test]
    async fn a_budget_is_shared_and_given_back() {
        let budgets = Budgets::default();
        let profile = Id::nil();
        let take = |host, most| budgets.try_take(profile, host, most, ANNA);
        let first = take("mail", 2);
        let second = take("mail", 2);
        assert!(first.is_some() && second.is_some());
        assert!(take("mail", 2).is_none(), "the budget is spent");
        assert!(take("other", 2).is_some(), "another host has its own");
        drop(first);
        assert!(take("mail", 2).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn it_tells_what_is_open_and_who_waits() {
        let budgets = Budgets::default();
        let take = |most, mailbox| budgets.try_take(Id::nil(), "mail", most, mailbox);
        let first = take(1, ANNA);
        check(&budgets, "mail", (1, 1, 0));
        assert!(take(1, BEN).is_none() && take(1, BEN).is_none());
        check(&budgets, "mail", (1, 1, 1));
        drop(first);
        let second = take(1, BEN);
        check(&budgets, "mail", (1, 1, 0));
        assert!(take(1, ANNA).is_none());
        // Who does not ask again does not wait any more.
        tokio::time::advance(STILL_WAITING).await;
        check(&budgets, "mail", (1, 1, 0));
        // A connection of an earlier maximum is still one.
        let third = take(5, ANNA);
        check(&budgets, "mail", (2, 5, 0));
        drop((second, third));
        check(&budgets, "mail", (0, 5, 0));
    }
}
