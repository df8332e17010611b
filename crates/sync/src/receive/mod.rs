//! The incoming road: fetch → parse → facts → verdict → commit → settle.
//!
//! While a batch is being parsed and committed, the next one is already being
//! fetched. A mailbox is worked on for one time slice; what is left waits
//! until the others had their turn.

use std::sync::Arc;

use connectors::{Batch, Limit};
use model::{Failure, FailureKind, Lease, Step};
use tokio::sync::SemaphorePermit;
use tokio::time::Instant;

use crate::engine::Loaded;
use crate::route::{self, Direction, Incoming};
use crate::sessions::{Open, Reader};
use crate::worker::Progress;
use crate::{Engine, SyncError};

mod cursor;
mod process;
mod settle;
mod sink;
mod stumble;
mod waiting;

use process::Processed;
pub(crate) use process::commit;
use sink::BatchSink;
use stumble::Stumble;

/// What is in memory of one mailbox at a time: two of these.
const LIMIT: Limit = Limit { messages: 50, octets: 384 * 1024 };
/// The same for the few mailboxes at a time that have much to read.
const BULK: Limit = Limit { messages: 400, octets: 3 * 1024 * 1024 };

/// How the conversation of a cycle ended.
enum Ended {
    Well(Progress),
    /// It broke off at a message before anything was read.
    Stumbled(Stumble),
}

/// One cycle of a mailbox's incoming workload.
pub(crate) async fn run(engine: &Arc<Engine>, loaded: Loaded, lease: Lease) -> Result<Progress, SyncError> {
    let protocol = route::incoming_protocol(&loaded.profile)?;
    let loaded = Arc::new(loaded);
    let mut open = self::open(engine, &loaded, protocol).await?;
    let mut result = cycle(engine, &loaded, protocol, &mut open, lease).await;
    if open.waited && matches!(&result, Err(SyncError::Server(_)) | Ok(Ended::Stumbled(_))) {
        // That a connection ended while nobody used it says nothing about the server.
        drop(open);
        open = self::open(engine, &loaded, protocol).await?;
        result = cycle(engine, &loaded, protocol, &mut open, lease).await;
    }
    match result {
        Ok(Ended::Well(progress)) => {
            engine.sessions.put(loaded.mailbox.id, open);
            Ok(progress)
        }
        Ok(Ended::Stumbled(stumble)) => {
            close(open).await;
            stumble::over(engine, &loaded, protocol, lease, stumble).await
        }
        Err(error) => {
            // After a server's error the session is in an unknown state.
            if !matches!(error, SyncError::Server(_)) {
                close(open).await;
            }
            Err(error)
        }
    }
}

async fn close(open: Open) {
    if open.reader.is_usable() {
        open.reader.log_out().await;
    }
}

/// The mailbox's waiting session, or a new one.
pub(crate) async fn open(engine: &Engine, loaded: &Loaded, protocol: Incoming) -> Result<Open, SyncError> {
    let route = engine.route(loaded, Direction::Incoming).await?;
    let credentials = route.credentials.as_ref().ok_or_else(|| {
        Failure::new(FailureKind::Misconfigured, Step::LogIn, "mailboxes cannot be read without credentials")
    })?;
    let identity = format!("{}@{}", credentials.user(), route.server());
    if let Some(open) = engine.sessions.take(loaded.mailbox.id, &identity) {
        return Ok(open);
    }
    let permit = engine.connection(loaded, &route.endpoint.host).await?;
    let reader = match protocol {
        Incoming::Imap => Reader::Imap(Box::new(connectors::imap::ImapReader::new(
            connectors::imap::connect(&engine.dialer, &route.endpoint, credentials, None).await?,
            cursor::INBOX,
        ))),
        Incoming::Pop3 => {
            Reader::Pop3(Box::new(connectors::pop3::connect(&engine.dialer, &route.endpoint, credentials).await?))
        }
    };
    Ok(Open { reader, permit, profile: loaded.profile.id, identity, waited: false })
}

/// Who has much to read may read more at once, if not too many do already.
fn next_limit<'a>(engine: &'a Engine, more: bool, bulk: &mut Option<SemaphorePermit<'a>>) -> Limit {
    if more && bulk.is_none() {
        *bulk = engine.bulk.try_acquire().ok();
    }
    if bulk.is_some() { BULK } else { LIMIT }
}

fn told_of_reset(loaded: &Loaded, batch: &Batch) {
    if batch.reset {
        let mailbox = &loaded.mailbox.name;
        tracing::info!(mailbox, "the server began to count its messages anew; they are recognized by fingerprint");
    }
}

async fn cycle(
    engine: &Arc<Engine>,
    loaded: &Arc<Loaded>,
    protocol: Incoming,
    open: &mut Open,
    lease: Lease,
) -> Result<Ended, SyncError> {
    let Open { reader, identity, .. } = open;
    let began = Instant::now();
    let mut progress = Progress::default();
    (progress.found, progress.failed) = waiting::retry(engine, loaded, lease).await?;
    let (mut cursor, folder) =
        cursor::load(&engine.store, protocol, &loaded.mailbox, &loaded.profile, identity).await?;
    // Where it may be one message, that one comes alone.
    let mut limit = if rules::incoming::is_suspect(folder.stumbles) { Limit { messages: 1, ..LIMIT } } else { LIMIT };
    let mut bulk = None;
    let mut in_work: Option<tokio::task::JoinHandle<Result<Processed, SyncError>>> = None;
    let mut writers = vec![engine.store.blobs().writer(), engine.store.blobs().writer()];
    let fetched: Result<Option<Stumble>, SyncError> = loop {
        let mut sink = BatchSink::new(writers.pop().unwrap_or_else(|| engine.store.blobs().writer()));
        let mut batch = match reader.fetch(&cursor, limit, &mut sink).await {
            Ok(batch) => batch,
            Err(failure) => break Err(failure.into()),
        };
        limit = next_limit(engine, batch.more, &mut bulk);
        if let Some(task) = in_work.take() {
            progress.add(task, &mut writers).await?;
        }
        told_of_reset(loaded, &batch);
        let brought = !batch.mails.is_empty() || !batch.undeliverable.is_empty();
        let advanced = brought || cursor::advanced(&cursor, &batch.cursor);
        let mut interrupted = batch.interrupted.take();
        if let Some(interrupted) = interrupted.take_if(|_| !advanced) {
            let count = cursor::stumbles(&folder, &interrupted.at) + 1;
            break Ok(Some(Stumble { interrupted, count, cursor: batch.cursor, account: identity.clone() }));
        }
        let more = batch.more;
        let moved = batch.cursor != cursor;
        let after = std::mem::replace(&mut cursor, batch.cursor.clone());
        if moved || brought {
            let (engine, loaded) = (Arc::clone(engine), Arc::clone(loaded));
            let task = process::batch(engine, loaded, lease, after, batch, sink, identity.clone());
            in_work = Some(tokio::spawn(task));
        }
        // What came whole is kept; the rest is taken up by a new session.
        if let Some(interrupted) = interrupted.filter(|_| !reader.is_usable()) {
            break Err(interrupted.failure.into());
        }
        if !more {
            break Ok(None);
        }
        if began.elapsed() > engine.settings.time_slice {
            progress.more = true;
            break Ok(None);
        }
    };
    if let Some(task) = in_work.take() {
        progress.add(task, &mut writers).await?;
    }
    if let Some(stumble) = fetched? {
        return Ok(Ended::Stumbled(stumble));
    }
    if reader.is_usable() && settle::is_due(engine, loaded).await? {
        progress.failed += settle::due(engine, loaded, lease, reader).await?;
    }
    Ok(Ended::Well(progress))
}

impl Progress {
    async fn add(
        &mut self,
        task: tokio::task::JoinHandle<Result<Processed, SyncError>>,
        writers: &mut Vec<store::BlobWriter>,
    ) -> Result<(), SyncError> {
        let processed = task.await.map_err(|error| SyncError::Blobs(error.to_string()))??;
        self.found += processed.messages;
        self.failed += processed.failed;
        writers.push(processed.writer);
        Ok(())
    }
}
