//! Several commits as one: a change set of the Web API.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;

use crate::db::Database;
use crate::error::StoreError;
use crate::memory::Generation;
use crate::session::Session;
use crate::store::Store;

/// How long a transaction may last, from when it has begun. Others may have to
/// wait for it all that time.
const LONGEST: Duration = Duration::from_secs(30);
/// How long to wait for one's turn.
const PATIENCE: Duration = Duration::from_secs(45);

/// A transaction that is read from and written to step by step. What is
/// committed to [`Transaction::store`] is read back there at once, and by
/// nobody else before [`Transaction::commit`]. Dropping it takes everything
/// back, and so does the time limit of 30 seconds.
#[must_use = "dropping it rolls back"]
pub struct Transaction {
    inside: Store,
    outer: Store,
    over: bool,
    _place: OwnedSemaphorePermit,
}

impl std::fmt::Debug for Transaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transaction").field("store", &self.inside).finish_non_exhaustive()
    }
}

impl Store {
    /// Begins a transaction. On SQLite all other writers wait until it ends.
    ///
    /// # Errors
    /// [`StoreError::Busy`] where too many others wait already; when the
    /// database does not answer; and inside a transaction.
    pub async fn begin(&self) -> Result<Transaction, StoreError> {
        self.begin_for(LONGEST).await
    }

    pub(crate) async fn begin_for(&self, limit: Duration) -> Result<Transaction, StoreError> {
        let turn = Arc::clone(self.transactions()).acquire_owned();
        let place = match tokio::time::timeout(PATIENCE, turn).await {
            Ok(place) => place.map_err(|_| StoreError::Closed)?,
            Err(_) => return Err(StoreError::Busy("other transactions have to end first".into())),
        };
        let session = Session::begin(Arc::clone(self.shared_database()), limit).await?;
        Ok(Transaction { inside: self.inside(session), outer: self.clone(), over: false, _place: place })
    }

    /// Whether this handle stands inside a [`Transaction`].
    pub fn is_transaction(&self) -> bool {
        matches!(self.database(), Database::Session(_))
    }
}

impl Transaction {
    /// A handle whose reads and commits all happen inside. A commit that fails
    /// leaves nothing; those before it stay.
    pub fn store(&self) -> Store {
        self.inside.clone()
    }

    /// Makes everything durable, and lets those know who wait for it.
    ///
    /// # Errors
    /// When the database refuses, or the time was up: nothing stays then.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        self.end(true).await
    }

    pub async fn rollback(mut self) {
        // What cannot be rolled back is so already.
        let _ = self.end(false).await;
    }

    /// Whether it failed because others were in the way: the whole of it may
    /// work when it is done again.
    pub fn is_spoiled(&self) -> bool {
        self.session().is_some_and(Session::is_spoiled)
    }

    async fn end(&mut self, commit: bool) -> Result<(), StoreError> {
        let Some(session) = self.session() else { return Err(StoreError::Closed) };
        session.end(commit).await?;
        let wakes = session.wakes();
        self.over = true;
        if commit {
            // Subscriptions may have been made inside.
            self.outer.outbox().forget();
            self.outer.woke(wakes);
            self.outer.forget(self.inside.generation() != Generation::default());
        }
        Ok(())
    }

    fn session(&self) -> Option<&Session> {
        match self.inside.database() {
            Database::Session(session) => Some(session),
            _ => None,
        }
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let (false, Some(session)) = (self.over, self.session()) {
            session.abandon();
        }
    }
}
