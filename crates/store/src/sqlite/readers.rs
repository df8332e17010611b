//! The threads that read from SQLite, each with a connection of its own.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use futures::FutureExt as _;
use tokio::sync::oneshot;

use crate::error::{Fault, StoreError};
use crate::sqlite::{Deadline, Mode, SqliteTx};
use crate::tx::{Tx, Work};

/// SQLite's virtual machine asks after so many of its instructions whether
/// the query has run out of time.
const ASK_EVERY: i32 = 1_000;

type Ask = Box<dyn FnOnce(&mut Reader) + Send>;

struct Reader {
    tx: Tx,
    deadline: Arc<Deadline>,
}

pub(crate) struct Readers {
    queue: Option<Mutex<Sender<Ask>>>,
    threads: Vec<JoinHandle<()>>,
    timeout: Duration,
}

impl Readers {
    pub(crate) fn start(path: &Path, count: usize, timeout: Duration) -> Result<Self, StoreError> {
        let (queue, waiting) = channel::<Ask>();
        let waiting = Arc::new(Mutex::new(waiting));
        let mut threads = Vec::new();
        for n in 0..count.max(1) {
            let mut reader = Reader::open(path)?;
            let waiting = Arc::clone(&waiting);
            let thread = std::thread::Builder::new()
                .name(format!("store-reader-{n}"))
                .spawn(move || {
                    while let Some(ask) = next(&waiting) {
                        ask(&mut reader)
                    }
                })
                .map_err(|e| StoreError::Io(format!("starting a reader: {e}")))?;
            threads.push(thread);
        }
        Ok(Self { queue: Some(Mutex::new(queue)), threads, timeout })
    }

    pub(crate) async fn read<W: Work>(&self, work: W) -> Result<W::Out, W::Error> {
        let (reply, answer) = oneshot::channel();
        let timeout = self.timeout;
        if let Some(queue) = &self.queue {
            let ask: Ask = Box::new(move |reader| {
                // The caller may have gone while this waited.
                if !reply.is_closed() {
                    let _ = reply.send(reader.answer(&work, timeout));
                }
            });
            let _ = queue.lock().unwrap_or_else(PoisonError::into_inner).send(ask);
        }
        answer.await.unwrap_or_else(|_| Err(W::Error::from(StoreError::Closed)))
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn next(waiting: &Mutex<Receiver<Ask>>) -> Option<Ask> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

impl Reader {
    fn open(path: &Path) -> Result<Self, StoreError> {
        let mut tx = SqliteTx::open(path, Mode::Read)?;
        let deadline = tx.deadline();
        let seen = Arc::clone(&deadline);
        let late = move || seen.has_passed();
        tx.connection().progress_handler(ASK_EVERY, Some(late)).map_err(|e| StoreError::Database(e.to_string()))?;
        Ok(Self { tx: Tx::Sqlite(tx), deadline })
    }

    /// One state of the database for all statements of the work.
    fn answer<W: Work>(&mut self, work: &W, timeout: Duration) -> Result<W::Out, W::Error> {
        let fault = |f: Fault| W::Error::from(StoreError::from(f));
        let Tx::Sqlite(sqlite) = &mut self.tx else { return Err(W::Error::from(StoreError::Closed)) };
        sqlite.batch("BEGIN").map_err(fault)?;
        self.deadline.after(timeout);
        let result = work.run(&mut self.tx).now_or_never().unwrap_or_else(|| Err(W::Error::from(StoreError::Closed)));
        self.deadline.never();
        if let Tx::Sqlite(sqlite) = &mut self.tx {
            let _ = sqlite.batch("ROLLBACK");
        }
        result
    }
}
