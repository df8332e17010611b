//! Messages whose first try failed: decided again from the blob store, the
//! server is not needed.

use model::mail::BlobId;
use model::tables::{Disposition, LedgerEntry, Mailbox};
use model::{Entity, Filter, Lease, Query, Ref};
use rules::incoming::Arrival;

use super::{process, settle};
use crate::engine::Loaded;
use crate::{Engine, SyncError};

/// How many in one cycle.
const BATCH: usize = 50;

/// Returns how many were tried.
pub(crate) async fn retry(engine: &Engine, loaded: &Loaded, lease: Lease) -> Result<usize, SyncError> {
    let query = Query::of::<LedgerEntry>()
        .filter(Filter::eq(LedgerEntry::C.mailbox, Some(Ref::new(Mailbox::TABLE.logical, loaded.mailbox.id))))
        .filter(Filter::eq(LedgerEntry::C.disposition, Disposition::Waiting))
        .limit(BATCH);
    let rows = engine.store.list::<LedgerEntry>(&query).await?;
    for row in &rows {
        let Some(blob) = row.blob.as_deref().and_then(|b| BlobId::try_from(b).ok()) else { continue };
        let raw = engine.store.blobs().read(blob).await?;
        // A message that makes the parser panic has no fingerprint; that attempt counts as failed.
        let mail = tokio::task::spawn_blocking(move || formats::mime::read(&raw)).await.unwrap_or_default();
        let arrival = Arrival {
            mail,
            position: settle::position(&row.folder, &row.position, loaded.profile.server_type),
            received: row.received_on,
            blob,
            attempts: row.attempts,
        };
        process::commit_one(engine, loaded, lease, &arrival, Vec::new()).await?;
    }
    Ok(rows.len())
}
