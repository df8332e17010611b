//! The incoming road: fetch → parse → facts → verdict → commit → settle.
//!
//! While a batch is being parsed and committed, the next one is already being
//! fetched. A mailbox is worked on for one time slice; what is left waits
//! until the others had their turn.

use std::sync::Arc;

use connectors::Limit;
use model::{Failure, FailureKind, Lease, Step};
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
mod waiting;

use process::Processed;
pub(crate) use process::commit;
use sink::BatchSink;

/// What is in memory of one mailbox at a time: two of these.
const LIMIT: Limit = Limit { messages: 400, octets: 8 * 1024 * 1024 };

/// One cycle of a mailbox's incoming workload.
pub(crate) async fn run(engine: &Arc<Engine>, loaded: Loaded, mut lease: Lease) -> Result<Progress, SyncError> {
    let protocol = route::incoming_protocol(&loaded.profile)?;
    let loaded = Arc::new(loaded);
    let mut open = self::open(engine, &loaded, protocol).await?;
    let mut result = cycle(engine, &loaded, protocol, &mut open.reader, &mut lease).await;
    if open.waited && matches!(&result, Err(SyncError::Server(_))) {
        // That a connection ended while nobody used it says nothing about the server.
        drop(open);
        open = self::open(engine, &loaded, protocol).await?;
        result = cycle(engine, &loaded, protocol, &mut open.reader, &mut lease).await;
    }
    match &result {
        Ok(_) => engine.sessions.put(loaded.mailbox.id, open),
        // After a server's error the session is in an unknown state.
        Err(SyncError::Server(_)) => drop(open),
        Err(_) => open.reader.log_out().await,
    }
    result
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

async fn cycle(
    engine: &Arc<Engine>,
    loaded: &Arc<Loaded>,
    protocol: Incoming,
    reader: &mut Reader,
    lease: &mut Lease,
) -> Result<Progress, SyncError> {
    let began = Instant::now();
    let mut progress = Progress::default();
    progress.found += waiting::retry(engine, loaded, *lease).await?;
    let mut cursor = cursor::load(&engine.store, protocol, &loaded.mailbox, &loaded.profile).await?;
    let mut in_work: Option<tokio::task::JoinHandle<Result<Processed, SyncError>>> = None;
    let mut writers = vec![engine.store.blobs().writer(), engine.store.blobs().writer()];
    let fetched: Result<(), SyncError> = loop {
        let mut sink = BatchSink::new(match writers.pop() {
            Some(writer) => writer,
            None => engine.store.blobs().writer(),
        });
        let batch = match reader.fetch(&cursor, LIMIT, &mut sink).await {
            Ok(batch) => batch,
            Err(failure) => break Err(failure.into()),
        };
        if let Some(task) = in_work.take() {
            progress.add(task, &mut writers).await?;
        }
        if batch.reset {
            tracing::info!(mailbox = %loaded.mailbox.name, "the server reset UIDVALIDITY; messages are recognized by fingerprint");
        }
        let more = batch.more;
        let moved = batch.cursor != cursor;
        let after = std::mem::replace(&mut cursor, batch.cursor.clone());
        if moved || !batch.mails.is_empty() || !batch.undeliverable.is_empty() {
            let task = process::batch(Arc::clone(engine), Arc::clone(loaded), *lease, after, batch, sink);
            in_work = Some(tokio::spawn(task));
        }
        if !more {
            break Ok(());
        }
        if began.elapsed() > engine.settings.time_slice {
            progress.more = true;
            break Ok(());
        }
    };
    if let Some(task) = in_work.take() {
        progress.add(task, &mut writers).await?;
    }
    fetched?;
    if settle::is_due(engine, loaded).await? {
        settle::due(engine, loaded, *lease, reader).await?;
    }
    Ok(progress)
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
