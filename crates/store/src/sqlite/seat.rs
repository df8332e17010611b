//! An interactive transaction on SQLite: the writer thread does what it is
//! asked over a line of its own, until the transaction ends or its time is up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use tokio::sync::oneshot;

use crate::error::StoreError;
use crate::sqlite::writer::in_savepoint;
use crate::sqlite::{Writer, fault};
use crate::tx::{Tx, Work};

/// As for readers: after so many instructions SQLite asks whether time is up.
const ASK_EVERY: i32 = 20_000;

type Ask = Box<dyn FnOnce(&mut Tx) + Send>;

enum Said {
    Do(Ask),
    End { commit: bool, reply: oneshot::Sender<Result<(), StoreError>> },
}

/// The caller's end of the line.
pub(crate) struct Seat {
    line: Sender<Said>,
    expired: Arc<AtomicBool>,
}

/// A transaction that waits for the writer thread.
pub(crate) struct Opening {
    limit: Duration,
    expired: Arc<AtomicBool>,
    reply: oneshot::Sender<Result<Sender<Said>, StoreError>>,
}

impl Seat {
    /// Waits for the thread and begins. The time runs from then on.
    pub(crate) async fn take(writer: &Writer, limit: Duration) -> Result<Self, StoreError> {
        let (reply, answer) = oneshot::channel();
        let expired = Arc::new(AtomicBool::new(false));
        writer.open(Opening { limit, expired: Arc::clone(&expired), reply });
        let line = answer.await.map_err(|_| StoreError::Closed)??;
        Ok(Self { line, expired })
    }

    pub(crate) async fn write<W: Work>(&self, work: W) -> Result<W::Out, W::Error> {
        self.ask(move |tx| in_savepoint(tx, &work)).await.unwrap_or_else(|e| Err(W::Error::from(e)))
    }

    pub(crate) async fn read<W: Work>(&self, work: W) -> Result<W::Out, W::Error> {
        let read = move |tx: &mut Tx| work.run(tx).now_or_never().unwrap_or_else(|| Err(StoreError::Closed.into()));
        self.ask(read).await.unwrap_or_else(|e| Err(W::Error::from(e)))
    }

    async fn ask<T: Send + 'static>(&self, work: impl FnOnce(&mut Tx) -> T + Send + 'static) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let ask: Ask = Box::new(move |tx| {
            if !reply.is_closed() {
                let _ = reply.send(work(tx));
            }
        });
        self.line.send(Said::Do(ask)).map_err(|_| self.over())?;
        answer.await.map_err(|_| self.over())
    }

    pub(crate) async fn end(&self, commit: bool) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.line.send(Said::End { commit, reply }).map_err(|_| self.over())?;
        answer.await.unwrap_or_else(|_| Err(self.over()))
    }

    /// Rolls back without waiting for it.
    pub(crate) fn abandon(&self) {
        let (reply, _) = oneshot::channel();
        let _ = self.line.send(Said::End { commit: false, reply });
    }

    fn over(&self) -> StoreError {
        if self.expired.load(Ordering::Acquire) { StoreError::TooLong } else { StoreError::Closed }
    }
}

impl Opening {
    /// Does what is asked for until the transaction ends.
    pub(super) fn serve(self, tx: &mut Tx) {
        let Tx::Sqlite(sqlite) = &mut *tx else { return };
        if let Err(fault) = sqlite.begin() {
            let _ = self.reply.send(Err(fault.into()));
            return;
        }
        let end = Instant::now() + self.limit;
        let late = sqlite.connection().progress_handler(ASK_EVERY, Some(move || Instant::now() >= end));
        let (line, asked) = channel();
        let ended = match late {
            Err(error) => {
                let _ = self.reply.send(Err(fault(&error).into()));
                false
            }
            // Nobody waits any more where sending fails.
            Ok(()) => self.reply.send(Ok(line)).is_ok() && converse(tx, &asked, end, &self.expired),
        };
        let Tx::Sqlite(sqlite) = &mut *tx else { return };
        let _ = sqlite.connection().progress_handler(0, None::<fn() -> bool>);
        if !ended {
            let _ = sqlite.batch("ROLLBACK");
        }
    }
}

/// Whether the transaction was ended, one way or the other.
fn converse(tx: &mut Tx, asked: &Receiver<Said>, end: Instant, expired: &AtomicBool) -> bool {
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let said = if left.is_zero() { Err(RecvTimeoutError::Timeout) } else { asked.recv_timeout(left) };
        match said {
            Ok(Said::Do(work)) => work(tx),
            Ok(Said::End { commit, reply }) => {
                let Tx::Sqlite(sqlite) = &mut *tx else { return false };
                let committed = if commit { sqlite.commit().map_err(StoreError::from) } else { Ok(()) };
                let done = commit && committed.is_ok();
                if !done {
                    let _ = sqlite.batch("ROLLBACK");
                }
                let _ = reply.send(committed);
                return true;
            }
            Err(RecvTimeoutError::Timeout) => {
                expired.store(true, Ordering::Release);
                tracing::warn!("Bad: a transaction took too long and was rolled back");
                return false;
            }
            Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
}
