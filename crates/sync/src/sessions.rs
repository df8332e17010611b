//! Open, logged-in sessions that wait for their mailbox's next cycle, so that
//! a cycle with nothing new costs one round trip and no login.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use connectors::net::Stream;
use connectors::{Batch, Limit, MailSink, ReadMail};
use model::work::{Cursor, Position, Settle, Settled};
use model::{Failure, Id};
use tokio::time::Instant;

use crate::budget::{Key, Permit};

/// Some servers log idle clients out after a few minutes; none before this.
const IDLE: Duration = Duration::from_secs(90);

/// A logged-in reader of either protocol.
pub(crate) enum Reader {
    Imap(Box<connectors::imap::ImapReader<Stream>>),
    Pop3(Box<connectors::pop3::Session<Stream>>),
}

impl Reader {
    pub async fn fetch(&mut self, after: &Cursor, limit: Limit, sink: &mut dyn MailSink) -> Result<Batch, Failure> {
        match self {
            Self::Imap(reader) => reader.fetch(after, limit, sink).await,
            Self::Pop3(reader) => reader.fetch(after, limit, sink).await,
        }
    }

    pub async fn settle(&mut self, settles: &[Settle]) -> Result<Vec<Settled>, Failure> {
        match self {
            Self::Imap(reader) => reader.settle(settles).await,
            Self::Pop3(reader) => reader.settle(settles).await,
        }
    }

    pub async fn find(&mut self, folder: Option<&str>, message_id: &str) -> Result<Vec<Position>, Failure> {
        match self {
            Self::Imap(reader) => reader.find(folder, message_id).await,
            Self::Pop3(reader) => reader.find(folder, message_id).await,
        }
    }

    pub async fn log_out(self) {
        match self {
            Self::Imap(reader) => reader.log_out().await,
            Self::Pop3(reader) => reader.log_out().await,
        }
    }

    /// Whether anything may be asked over it any more.
    pub fn is_usable(&self) -> bool {
        match self {
            Self::Imap(reader) => !reader.is_broken(),
            Self::Pop3(session) => session.is_usable(),
        }
    }

    /// POP3 locks the mailbox and shows its state as of the login, so its
    /// sessions end with the cycle.
    pub fn may_wait(&self) -> bool {
        matches!(self, Self::Imap(_))
    }
}

/// A session with the connection it holds of the budget.
pub(crate) struct Open {
    pub reader: Reader,
    pub permit: Permit,
    /// Profile and `user@host:port`: another one means that the records changed.
    pub profile: Id,
    pub identity: String,
    /// It has waited since an earlier cycle: the server may have ended it unnoticed.
    pub waited: bool,
}

struct Waiting {
    open: Open,
    since: Instant,
}

#[derive(Default)]
pub(crate) struct Sessions {
    waiting: Mutex<BTreeMap<Id, Waiting>>,
}

impl Sessions {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Id, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The mailbox's waiting session, if it is still for the same login.
    pub fn take(&self, mailbox: Id, identity: &str) -> Option<Open> {
        let waiting = self.lock().remove(&mailbox)?;
        (waiting.open.identity == identity && waiting.since.elapsed() < IDLE).then_some(waiting.open)
    }

    pub fn put(&self, mailbox: Id, open: Open) {
        if open.reader.may_wait() && open.reader.is_usable() {
            self.lock().insert(mailbox, Waiting { open: Open { waited: true, ..open }, since: Instant::now() });
        }
    }

    /// Gives up the session of this profile that has waited longest, so that
    /// another mailbox gets its connection.
    pub fn evict(&self, profile: Id) -> Option<Open> {
        let mut waiting = self.lock();
        let oldest = waiting
            .iter()
            .filter(|(_, w)| w.open.profile == profile)
            .min_by_key(|(_, w)| w.since)
            .map(|(id, _)| *id)?;
        waiting.remove(&oldest).map(|w| w.open)
    }

    pub fn forget_idle(&self) -> Vec<Open> {
        let mut waiting = self.lock();
        let old: Vec<Id> = waiting.iter().filter(|(_, w)| w.since.elapsed() >= IDLE).map(|(id, _)| *id).collect();
        old.iter().filter_map(|id| waiting.remove(id)).map(|w| w.open).collect()
    }

    /// How many wait, by the budgets that they hold connections of.
    pub fn idle(&self) -> BTreeMap<Key, i64> {
        let mut idle = BTreeMap::new();
        for waiting in self.lock().values() {
            *idle.entry(waiting.open.permit.key.clone()).or_default() += 1;
        }
        idle
    }

    pub fn drain(&self) -> Vec<Open> {
        std::mem::take(&mut *self.lock()).into_values().map(|w| w.open).collect()
    }
}
