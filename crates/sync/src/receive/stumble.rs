//! Past a message at which the conversation breaks off every time, so that
//! one bad message does not stop a mailbox.

use std::sync::Arc;

use connectors::{Batch, Interrupted, Limit};
use model::work::Cursor;
use model::{Failure, Lease};
use rules::incoming;

use super::sink::BatchSink;
use super::{cursor, process};
use crate::engine::Loaded;
use crate::route::Incoming;
use crate::worker::Progress;
use crate::{Engine, SyncError};

/// Reading broke off at a message before anything was read.
pub(super) struct Stumble {
    pub interrupted: Interrupted,
    /// For the how many-th time.
    pub count: i64,
    /// Stands before the message.
    pub cursor: Cursor,
    /// `user@host:port` that was read.
    pub account: String,
}

/// Notes it, or leaves the message behind: see [`incoming::gives_up`].
pub(super) async fn over(
    engine: &Arc<Engine>,
    loaded: &Arc<Loaded>,
    protocol: Incoming,
    lease: Lease,
    stumble: Stumble,
) -> Result<Progress, SyncError> {
    let Stumble { interrupted: Interrupted { at, failure }, count, cursor: before, account } = stumble;
    let mut behind = before.clone();
    behind.pass(&at);
    let mut sink = BatchSink::new(engine.store.blobs().writer());
    // What stands behind it is asked for only where it matters.
    let next = match incoming::gives_up(count, true) {
        true => next(engine, loaded, protocol, &behind, &mut sink).await,
        false => Err(SyncError::Server(failure.clone())),
    };
    if !incoming::gives_up(count, next.is_ok()) {
        let changes = cursor::stumbled(loaded.mailbox.id, &at, count);
        process::commit(engine, loaded, lease, changes, Vec::new()).await?;
        return Err(SyncError::Server(failure));
    }
    let mut batch = next.unwrap_or_else(|_| nothing(behind));
    tracing::warn!(mailbox = %loaded.mailbox.name, message = %at, %failure, "reading breaks off at this message every time; going on without it");
    batch.undeliverable.insert(0, (at, why(&failure)));
    let found = batch.mails.len() + batch.undeliverable.len();
    let done = process::batch(Arc::clone(engine), Arc::clone(loaded), lease, before, batch, sink, account).await?;
    Ok(Progress { found, failed: done.failed, more: true, ..Progress::default() })
}

/// One message from behind the bad one, if there is any, over a new session.
async fn next(
    engine: &Engine,
    loaded: &Loaded,
    protocol: Incoming,
    behind: &Cursor,
    sink: &mut BatchSink,
) -> Result<Batch, SyncError> {
    let mut open = super::open(engine, loaded, protocol).await?;
    let limit = Limit { messages: 1, ..super::LIMIT };
    let fetched = open.reader.fetch(behind, limit, sink).await;
    super::close(open).await;
    match fetched? {
        Batch { interrupted: Some(interrupted), .. } => Err(interrupted.failure.into()),
        batch => Ok(batch),
    }
}

fn nothing(cursor: Cursor) -> Batch {
    Batch { mails: Vec::new(), undeliverable: Vec::new(), cursor, more: true, reset: false, interrupted: None }
}

fn why(failure: &Failure) -> String {
    format!("Reading it breaks off every time: {}", failure.detail)
}
