//! An interactive transaction on PostgreSQL: a connection that is held until
//! the transaction ends or its time is up.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::{Open, Postgres};
use crate::error::{Fault, StoreError};
use crate::tx::{Retry as _, Work};

pub(crate) struct Held {
    /// Empty once the transaction has ended or failed. A piece of work that is
    /// dropped in the middle takes the connection with it.
    open: Mutex<Option<Open>>,
    end: Instant,
    expired: AtomicBool,
    /// Others were in the way: the same again may work.
    spoiled: AtomicBool,
    abandoned: AtomicBool,
}

impl Held {
    pub(crate) async fn begin(postgres: &Postgres, limit: Duration) -> Result<Arc<Self>, StoreError> {
        let mut open = Open { tx: Some(postgres.connect().await?) };
        let Some(tx) = &mut open.tx else { return Err(StoreError::Closed) };
        tx.begin_steady().await?;
        let held = Arc::new(Self {
            open: Mutex::new(Some(open)),
            end: Instant::now() + limit,
            expired: AtomicBool::new(false),
            spoiled: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
        });
        tokio::spawn(expire(Arc::downgrade(&held), held.end));
        Ok(held)
    }

    pub(crate) fn is_spoiled(&self) -> bool {
        self.spoiled.load(Ordering::Acquire)
    }

    /// Runs the work, where it writes in a savepoint. A failure that leaves
    /// the transaction useless ends it.
    pub(crate) async fn run<W: Work>(&self, work: &W, writes: bool) -> Result<W::Out, W::Error> {
        let mut place = self.open.lock().await;
        let Some(mut open) = place.take() else { return Err(self.over().into()) };
        let Ok((result, usable)) = tokio::time::timeout_at(self.end, open.part(work, writes)).await else {
            self.expired.store(true, Ordering::Release);
            return Err(StoreError::TooLong.into());
        };
        if result.as_ref().is_err_and(|e| e.is_busy()) {
            self.spoiled.store(true, Ordering::Release);
        } else if usable {
            *place = Some(open);
        }
        drop(place);
        if self.abandoned.load(Ordering::Acquire) {
            self.abandon();
        }
        result
    }

    pub(crate) async fn end(&self, commit: bool) -> Result<(), StoreError> {
        let Some(mut open) = self.open.lock().await.take() else { return Err(self.over()) };
        let Some(tx) = &mut open.tx else { return Err(StoreError::Closed) };
        if commit {
            if let Err(fault) = tx.commit().await {
                self.spoiled.store(matches!(fault, Fault::Retry(_)), Ordering::Release);
                return Err(fault.into());
            }
        } else {
            tx.batch("ROLLBACK").await?;
        }
        open.finished();
        Ok(())
    }

    /// Rolls back by dropping the connection, without waiting for it.
    pub(crate) fn abandon(&self) {
        // Work that runs right now sees it when it has ended.
        self.abandoned.store(true, Ordering::Release);
        if let Ok(mut place) = self.open.try_lock() {
            drop(place.take());
        }
    }

    fn over(&self) -> StoreError {
        if self.expired.load(Ordering::Acquire) {
            StoreError::TooLong
        } else if self.is_spoiled() {
            StoreError::Busy("the transaction was in conflict with another one".into())
        } else {
            StoreError::Closed
        }
    }
}

/// Rolls back what is still open when its time is up, whether or not anybody
/// asks for anything.
async fn expire(held: Weak<Held>, end: Instant) {
    tokio::time::sleep_until(end).await;
    let Some(held) = held.upgrade() else { return };
    let mut place = held.open.lock().await;
    if place.take().is_some() {
        held.expired.store(true, Ordering::Release);
        tracing::warn!("Bad: a transaction took too long and was rolled back");
    }
}

impl Open {
    /// The result, and whether the transaction can be used any further.
    async fn part<W: Work>(&mut self, work: &W, writes: bool) -> (Result<W::Out, W::Error>, bool) {
        let fault = |f: Fault| W::Error::from(StoreError::from(f));
        let Some(tx) = &mut self.tx else { return (Err(StoreError::Closed.into()), false) };
        if !writes {
            let result = work.run(tx).await;
            let usable = result.is_ok();
            return (result, usable);
        }
        if let Err(failed) = tx.batch("SAVEPOINT unit").await {
            return (Err(fault(failed)), false);
        }
        let result = work.run(tx).await;
        let after = if result.is_ok() { "RELEASE unit" } else { "ROLLBACK TO unit; RELEASE unit" };
        match tx.batch(after).await {
            Ok(()) => (result, true),
            Err(failed) => (result.and_then(|_| Err(fault(failed))), false),
        }
    }
}
