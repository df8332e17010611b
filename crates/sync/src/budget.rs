//! The connection budget: all mailboxes of a profile and host share it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use model::Id;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// One permit is one connection.
pub struct Permit {
    _permit: OwnedSemaphorePermit,
    gauge: metrics::Gauge,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.gauge.decrement(1);
    }
}

#[derive(Default)]
pub struct Budgets {
    hosts: Mutex<BTreeMap<(Id, String), Host>>,
}

struct Host {
    connections: Arc<Semaphore>,
    size: usize,
}

impl Budgets {
    /// A connection to `host` under `profile`, if one is free right now.
    pub fn try_take(&self, profile: Id, host: &str, most: usize) -> Option<Permit> {
        let permit = self.semaphore(profile, host, most).try_acquire_owned().ok()?;
        let gauge =
            metrics::gauge!("postroom_connections", "profile" => profile.to_string(), "host" => host.to_owned());
        gauge.increment(1);
        Some(Permit { _permit: permit, gauge })
    }

    /// The semaphore of a host; made anew when the profile's maximum was
    /// changed (connections of the old one run out).
    fn semaphore(&self, profile: Id, host: &str, most: usize) -> Arc<Semaphore> {
        let size = most.max(1);
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = hosts
            .entry((profile, host.to_owned()))
            .or_insert_with(|| Host { connections: Arc::new(Semaphore::new(size)), size });
        if entry.size != size {
            *entry = Host { connections: Arc::new(Semaphore::new(size)), size };
        }
        Arc::clone(&entry.connections)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_shared_and_given_back() {
        let budgets = Budgets::default();
        let profile = Id::nil();
        let first = budgets.try_take(profile, "mail", 2);
        let second = budgets.try_take(profile, "mail", 2);
        assert!(first.is_some() && second.is_some());
        assert!(budgets.try_take(profile, "mail", 2).is_none(), "the budget is spent");
        assert!(budgets.try_take(profile, "other", 2).is_some(), "another host has its own");
        drop(first);
        assert!(budgets.try_take(profile, "mail", 2).is_some());
    }
}
