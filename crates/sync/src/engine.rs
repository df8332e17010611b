//! What all workers of a process share.

use std::sync::Arc;
use std::time::Duration;

use connectors::net::Dialer;
use model::tables::{EmailServerProfile, Mailbox, Organization};
use model::{Actor, Clock, Commit, Id, Query, Timestamp};
use store::Store;
use tokio::sync::Semaphore;

use crate::SyncError;
use crate::breaker::Breakers;
use crate::budget::Budgets;
use crate::pace::Pace;
use crate::sessions::Sessions;

/// Two processors are busy with fewer.
const BULK_READERS: usize = 3;

/// What the operator may set for the machine's half.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who holds the leases: host name and process, unique among the nodes.
    pub holder: String,
    /// Mailboxes worked on at the same time, per workload.
    pub incoming_workers: usize,
    pub outgoing_workers: usize,
    pub test_workers: usize,
    /// How long a claim lasts without being renewed.
    pub lease: Duration,
    /// How long one mailbox may be worked on before others get their turn.
    pub time_slice: Duration,
    /// How long the outgoing test waits for its message to arrive.
    pub arrival_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            holder: "postroom".into(),
            incoming_workers: 24,
            outgoing_workers: 8,
            test_workers: 8,
            lease: Duration::from_secs(120),
            time_slice: Duration::from_secs(10),
            arrival_timeout: Duration::from_secs(60),
        }
    }
}

/// The machine's half of one process.
pub struct Engine {
    pub(crate) store: Store,
    pub(crate) dialer: Arc<Dialer>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: Settings,
    pub(crate) budgets: Budgets,
    pub(crate) breakers: Breakers,
    pub(crate) sessions: Sessions,
    pub(crate) pace: Pace,
    /// So many mailboxes may read in large batches at a time: it bounds memory.
    pub(crate) bulk: Semaphore,
}

/// A mailbox with what is needed to work on it.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    pub organization: Organization,
    pub mailbox: Mailbox,
    pub profile: EmailServerProfile,
}

impl Engine {
    pub fn new(store: Store, dialer: Dialer, clock: Arc<dyn Clock>, settings: Settings) -> Arc<Self> {
        Arc::new(Self {
            store,
            dialer: Arc::new(dialer),
            clock,
            settings,
            budgets: Budgets::default(),
            breakers: Breakers::default(),
            sessions: Sessions::default(),
            pace: Pace::default(),
            bulk: Semaphore::new(BULK_READERS),
        })
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) async fn organization(&self) -> Result<Organization, SyncError> {
        let mut all = self.store.list::<Organization>(&Query::of::<Organization>().limit(1)).await?;
        all.pop().ok_or_else(|| SyncError::NotReady("there is no organization; run `postroom init` first".into()))
    }

    /// The machine's own account, on whose behalf it writes.
    pub(crate) fn actor(organization: &Organization) -> Actor {
        Actor { user: organization.system_user.map_or(Id::nil(), |user| user.id) }
    }

    pub(crate) async fn load(&self, mailbox: Id) -> Result<Loaded, SyncError> {
        let organization = self.organization().await?;
        let mailbox = self
            .store
            .load::<Mailbox>(mailbox)
            .await?
            .ok_or_else(|| SyncError::NotReady("the mailbox has been deleted".into()))?;
        let profile = match mailbox.profile {
            Some(profile) => self.store.load::<EmailServerProfile>(profile.id).await?,
            None => None,
        };
        let profile =
            profile.ok_or_else(|| SyncError::NotReady("the mailbox has no email server profile; assign one".into()))?;
        Ok(Loaded { organization, mailbox, profile })
    }

    /// Commits outside of a lease: counters, alerts, breakers.
    pub(crate) async fn commit_plain(
        &self,
        organization: &Organization,
        changes: Vec<model::Change>,
    ) -> Result<(), SyncError> {
        if changes.is_empty() {
            return Ok(());
        }
        self.store.commit(&Commit::new(Self::actor(organization), self.now(), changes)).await?;
        Ok(())
    }

    /// Commits under a lease what a cycle leaves on the record.
    pub(crate) async fn commit_under(
        &self,
        organization: &Organization,
        lease: model::Lease,
        changes: Vec<model::Change>,
    ) -> Result<(), SyncError> {
        self.store.commit(&Commit::new(Self::actor(organization), self.now(), changes).under(lease)).await?;
        Ok(())
    }
}
