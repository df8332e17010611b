//! The one thread that writes to SQLite.
//!
//! It takes everything that waits, runs each unit of work in a savepoint of
//! its own inside one transaction, commits once (one fsync), and only then
//! tells each caller how its work ended. An interactive transaction
//! ([`super::Seat`]) has the thread to itself while it lasts.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use tokio::sync::oneshot;

use crate::error::{Fault, StoreError};
use crate::sqlite::SqliteTx;
use crate::sqlite::seat::Opening;
use crate::tx::{Tx, Work};

/// Units in one transaction at most: bounds how long the first one waits.
const MOST: usize = 512;
/// How often SQLite looks whether tables have grown so much that what it knows
/// about them misleads it.
const LOOK_AGAIN: Duration = Duration::from_secs(3600);
/// Entries of an index about which nothing is remembered.
const SMALL: i64 = 1_000;

/// Something waiting to be written.
trait Unit: Send {
    fn run(&mut self, tx: &mut Tx);
    /// Tells the caller, once the transaction has been committed or not.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

/// What waits for the thread.
enum Job {
    Unit(Box<dyn Unit>),
    Session(Opening),
}

struct Pending<W: Work> {
    work: W,
    result: Option<Result<W::Out, W::Error>>,
    reply: oneshot::Sender<Result<W::Out, W::Error>>,
}

impl<W: Work> Unit for Pending<W> {
    fn run(&mut self, tx: &mut Tx) {
        self.result = Some(in_savepoint(tx, &self.work));
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let result = match (self.result, committed) {
            // The unit's own failure says more than the transaction's.
            (Some(Err(error)), _) => Err(error),
            (_, Err(error)) => Err(W::Error::from(error)),
            (Some(Ok(out)), Ok(())) => Ok(out),
            (None, Ok(())) => Err(W::Error::from(StoreError::Closed)),
        };
        // Nobody may be waiting any more; the work is done all the same.
        let _ = self.reply.send(result);
    }
}

pub(super) fn in_savepoint<W: Work>(tx: &mut Tx, work: &W) -> Result<W::Out, W::Error> {
    let fault = |f: Fault| W::Error::from(StoreError::from(f));
    let ready = |tx: &mut Tx, sql: &'static str| {
        tx.execute(sql, &[]).now_or_never().unwrap_or(Err(Fault::Other("SQLite was not ready".into())))
    };
    ready(tx, "SAVEPOINT unit").map_err(fault)?;
    let result = work.run(tx).now_or_never().unwrap_or_else(|| Err(W::Error::from(StoreError::Closed)));
    if result.is_err() {
        ready(tx, "ROLLBACK TO unit").map_err(fault)?;
    }
    ready(tx, "RELEASE unit").map_err(fault)?;
    result
}

pub(crate) struct Writer {
    queue: Option<Mutex<Sender<Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(tx: SqliteTx) -> Result<Self, StoreError> {
        let (queue, waiting) = channel();
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || serve(Tx::Sqlite(tx), &waiting))
            .map_err(|e| StoreError::Io(format!("starting the writer: {e}")))?;
        Ok(Self { queue: Some(Mutex::new(queue)), thread: Some(thread) })
    }

    /// Queues the work now, whether or not the answer is awaited.
    pub(crate) fn submit<W: Work>(&self, work: W) -> oneshot::Receiver<Result<W::Out, W::Error>> {
        let (reply, answer) = oneshot::channel();
        if let Some(queue) = &self.queue {
            let queue = queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let _ = queue.send(Job::Unit(Box::new(Pending { work, result: None, reply })));
        }
        answer
    }

    /// Queues an interactive transaction.
    pub(crate) fn open(&self, opening: Opening) {
        if let Some(queue) = &self.queue {
            let _ = queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner).send(Job::Session(opening));
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(mut tx: Tx, waiting: &Receiver<Job>) {
    let Tx::Sqlite(_) = tx else { return };
    let mut group: Vec<Box<dyn Unit>> = Vec::new();
    look(&mut tx, true);
    let mut looked = Instant::now();
    while let Ok(job) = waiting.recv() {
        let mut session = None;
        match job {
            Job::Session(opening) => session = Some(opening),
            Job::Unit(first) => {
                let committed = write_group(&mut tx, first, waiting, &mut group, &mut session);
                for unit in group.drain(..) {
                    unit.answer(committed.clone());
                }
            }
        }
        if let Some(opening) = session {
            opening.serve(&mut tx);
        }
        if looked.elapsed() > LOOK_AGAIN {
            look(&mut tx, false);
            looked = Instant::now();
        }
    }
    look(&mut tx, false);
}

/// Has SQLite count what its planner goes by, in a sample of each index, where
/// that is missing or out of date. `all`: not only for tables that this
/// connection used. Its advice is when a file is opened, when it is closed, and
/// now and then between; queries are right without, if slower.
///
/// What it counted in small tables is forgotten in the same transaction: they
/// grow, the readers do not learn of it while they are open, and who takes a
/// table for empty reads all of it. Without figures SQLite trusts its indexes.
fn look(tx: &mut Tx, all: bool) {
    let Tx::Sqlite(sqlite) = tx else { return };
    let question = if all { "PRAGMA optimize = 0x10002" } else { "PRAGMA optimize" };
    let looked = sqlite.batch(&format!(
        "PRAGMA analysis_limit = 400; BEGIN IMMEDIATE; {question};
         DELETE FROM sqlite_stat1 WHERE CAST(stat AS INTEGER) < {SMALL};
         DELETE FROM sqlite_stat4 WHERE NOT EXISTS (SELECT 1 FROM sqlite_stat1 AS s
             WHERE s.tbl = sqlite_stat4.tbl AND s.idx IS sqlite_stat4.idx);
         COMMIT; ANALYZE sqlite_schema"
    ));
    if looked.is_err() {
        // Nothing had been counted yet, or another process is writing.
        let _ = sqlite.batch("ROLLBACK");
    }
}

/// Runs what waits, up to an interactive transaction: that has its turn when
/// the group has been committed.
fn write_group(
    tx: &mut Tx,
    first: Box<dyn Unit>,
    waiting: &Receiver<Job>,
    group: &mut Vec<Box<dyn Unit>>,
    session: &mut Option<Opening>,
) -> Result<(), StoreError> {
    group.push(first);
    let Tx::Sqlite(sqlite) = &mut *tx else { return Err(StoreError::Closed) };
    sqlite.begin()?;
    let mut done = 0;
    loop {
        if let Some(unit) = group.get_mut(done) {
            unit.run(tx);
            done += 1;
        }
        if group.len() >= MOST {
            break;
        }
        match waiting.try_recv() {
            Ok(Job::Unit(next)) => group.push(next),
            Ok(Job::Session(opening)) => {
                *session = Some(opening);
                break;
            }
            Err(_) => break,
        }
    }
    let Tx::Sqlite(sqlite) = &mut *tx else { return Err(StoreError::Closed) };
    let committed = sqlite.commit();
    if let Err(fault) = committed {
        let _ = sqlite.batch("ROLLBACK");
        return Err(fault.into());
    }
    Ok(())
}
