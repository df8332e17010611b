//! The one place that touches the blob store.

use model::mail::{BlobId, StoredBlob};

use crate::context::Context;
use crate::error::ActionError;

/// Stores bytes; they are durable when this returns, and found by others once
/// their places are committed.
pub(crate) async fn put(ctx: &Context, bytes: &[u8]) -> Result<(BlobId, Vec<StoredBlob>), ActionError> {
    let (written, places) = ctx.store.blobs().put(bytes).await?;
    Ok((written.id, places))
}

pub(crate) async fn get(ctx: &Context, id: BlobId) -> Result<Vec<u8>, ActionError> {
    Ok(ctx.store.blobs().read(id).await?)
}

/// `length` octets from `offset` on.
pub(crate) async fn range(ctx: &Context, id: BlobId, offset: u64, length: u64) -> Result<Vec<u8>, ActionError> {
    Ok(ctx.store.blobs().read_range(id, offset, length).await?)
}
