//! The bytes behind attachments and emails: where they stand. Decoding is for
//! whoever knows the format.

use model::mail::{BlobId, Encoding, Place, Stretch};
use model::tables::{Attachment, Email};
use model::{Entity, Id, Refusal};
use rules::access::Right;

use crate::access;
use crate::context::Context;
use crate::error::ActionError;

/// A stretch of a blob, and how the bytes of the attachment stand in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    pub file_name: String,
    pub mime_type: String,
    /// As stored: still encoded.
    pub stored: Vec<u8>,
    /// Relative to `stored`.
    pub place: Place,
}

/// The bytes of an attachment; `None` where none are stored.
pub async fn content(ctx: &Context, id: Id) -> Result<Option<Content>, ActionError> {
    let Some(row) = ctx.store.get(Attachment::TABLE, id).await? else {
        return Err(Refusal::does_not_exist("activitymimeattachment", id).into());
    };
    access::on_row(ctx, Right::Read, &row).await?;
    access::may_read_content(ctx, &row).await?;
    let attachment = Attachment::from_record(&row)?;
    let Some(blob) = attachment.blob.as_deref().and_then(|b| BlobId::try_from(b).ok()) else { return Ok(None) };
    let (stored, place) = stretch(ctx, blob, &attachment.place).await?;
    Ok(Some(Content { file_name: attachment.file_name, mime_type: attachment.mime_type, stored, place }))
}

/// Only what is needed of a message that may be large, and the place relative to it.
async fn stretch(ctx: &Context, blob: BlobId, place: &str) -> Result<(Vec<u8>, Place), ActionError> {
    let mut place: Place = place.parse().map_err(|e: model::mail::NotAPlace| ActionError::Internal(e.to_string()))?;
    let stored = match place.0.first_mut() {
        Some(first) => {
            let stored = crate::blobs::range(ctx, blob, first.offset, first.length).await?;
            first.offset = 0;
            stored
        }
        None => Vec::new(),
    };
    Ok((stored, place))
}

/// The raw message of an email as it came or went; `None` for one that never
/// was a message.
pub async fn raw_message(ctx: &Context, id: Id) -> Result<Option<Content>, ActionError> {
    let Some(row) = ctx.store.get(Email::TABLE, id).await? else {
        return Err(Refusal::does_not_exist("email", id).into());
    };
    access::on_row(ctx, Right::Read, &row).await?;
    access::may_read_content(ctx, &row).await?;
    let blob = row.typed(Email::C.blob)?;
    let Some(blob) = blob.as_deref().and_then(|b| BlobId::try_from(b).ok()) else { return Ok(None) };
    let place = row.typed(Email::C.raw_place)?;
    // One that came through a forward mailbox stands in the message that brought it.
    let (stored, place) = if place.is_empty() {
        let stored = crate::blobs::get(ctx, blob).await?;
        let whole = Stretch { offset: 0, length: stored.len() as u64, encoding: Encoding::Identity };
        (stored, Place(vec![whole]))
    } else {
        stretch(ctx, blob, &place).await?
    };
    let (file_name, mime_type) = (format!("{id}.eml"), "message/rfc822".to_owned());
    Ok(Some(Content { file_name, mime_type, stored, place }))
}
