//! Messages whose first try failed: decided again from the blob store, the
//! server is not needed.

use formats::mime::{Limits, Skeleton};
use model::mail::{BlobId, Mail};
use model::query::Compare;
use model::tables::{Disposition, LedgerEntry, Mailbox};
use model::{Entity, Filter, Lease, Query, Ref, Timestamp, Value};
use rules::incoming::{self, Arrival};
use store::{BlobReader, StoreError};

use super::sink::WHOLE;
use super::{process, settle};
use crate::engine::Loaded;
use crate::{Engine, SyncError, stats};

/// How many in one cycle.
const BATCH: usize = 50;

/// Returns how many were tried, and how many of them failed again.
pub(crate) async fn retry(engine: &Engine, loaded: &Loaded, lease: Lease) -> Result<(usize, usize), SyncError> {
    let rows = engine.store.list::<LedgerEntry>(&ripe(loaded, engine.now())).await?;
    let mut failed = 0;
    for row in &rows {
        let handled = match mail(engine, row).await {
            Ok((blob, mail)) => {
                let arrival = Arrival {
                    mail,
                    position: settle::position(&row.folder, &row.position, loaded.profile.server_type),
                    received: row.received_on,
                    blob,
                    attempts: row.attempts,
                };
                process::commit_one(engine, loaded, lease, &arrival, Vec::new()).await?
            }
            Err(error @ (StoreError::NoBlob(_) | StoreError::DamagedBlob(_) | StoreError::Io(_))) => {
                let (mailbox, organization) = (&loaded.mailbox, &loaded.organization);
                let verdict = incoming::failed_again(row, mailbox, organization, &error.to_string(), engine.now());
                process::commit(engine, loaded, lease, verdict.changes, Vec::new()).await?;
                stats::message(verdict.disposition);
                false
            }
            Err(other) => return Err(other.into()),
        };
        failed += usize::from(!handled);
    }
    Ok((rows.len(), failed))
}

/// What waits and has waited long enough.
fn ripe(loaded: &Loaded, now: Timestamp) -> Query {
    let (attempts, seen_on) = (LedgerEntry::C.attempts.name, LedgerEntry::C.seen_on.name);
    let never = Filter::Compare(attempts.into(), Compare::LessOrEqual, Value::Int(0));
    let enough = incoming::ripe(now);
    // A row that an earlier version left with more attempts than there are pauses.
    let most = enough.iter().map(|(tried, _)| *tried).max().unwrap_or(0);
    let longer = Filter::Compare(attempts.into(), Compare::Greater, Value::Int(most));
    let due = enough.into_iter().fold(never.or(longer).or(Filter::IsNull(seen_on.into())), |due, (tried, until)| {
        let then = Filter::Compare(seen_on.into(), Compare::LessOrEqual, Value::Time(until));
        due.or(Filter::eq(LedgerEntry::C.attempts, tried).and(then))
    });
    Query::of::<LedgerEntry>()
        .filter(Filter::eq(LedgerEntry::C.mailbox, Some(Ref::new(Mailbox::TABLE.logical, loaded.mailbox.id))))
        .filter(Filter::eq(LedgerEntry::C.disposition, Disposition::Waiting))
        .filter(due)
        .limit(BATCH)
}

/// Reads and parses a raw message without holding all of it.
async fn mail(engine: &Engine, row: &LedgerEntry) -> Result<(BlobId, Mail), StoreError> {
    let blob = row.blob.as_deref().and_then(|b| BlobId::try_from(b).ok());
    let blob = blob.ok_or_else(|| StoreError::NoBlob(format!("{}:{}", row.folder, row.position)))?;
    let reader = engine.store.blobs().open(blob).await?;
    match tokio::task::spawn_blocking(move || parse(reader)).await {
        Ok(mail) => Ok((blob, mail?)),
        // A message that makes the parser panic has no fingerprint; that attempt counts as failed.
        Err(_) => Ok((blob, Mail::default())),
    }
}

fn parse(mut reader: BlobReader) -> Result<Mail, StoreError> {
    if reader.size() <= WHOLE {
        return Ok(formats::mime::read(&reader.read_all()?));
    }
    let mut skeleton = Skeleton::new(Limits::default());
    while let Some(chunk) = reader.chunk()? {
        skeleton.push(&chunk);
    }
    Ok(skeleton.finish())
}
