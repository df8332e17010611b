//! What is done with the installation as a whole: its keys and its backups.
//! Each is noted in the audit trail before it begins, so that one that is cut
//! short is known of too, and a backup holds its own beginning.

use std::path::Path;

use model::tables::Organization;
use model::{Commit, Entity, Id, Query};
use rules::access::Special;
use serde_json::{Value, json};
use store::Backup;

use crate::context::Context;
use crate::error::{ActionError, commit_failed};
use crate::{access, audit};

/// A new key, and everything sealed anew with it.
pub async fn rotate_key(ctx: &Context, progress: impl FnMut(u64, u64)) -> Result<(), ActionError> {
    access::special(ctx, Special::ManageEncryptionKeys)?;
    note(ctx, "key-rotation-begun", json!({})).await?;
    ctx.store.rotate_key(progress).await?;
    note(ctx, "key-rotated", json!({})).await
}

/// Writes a backup into a file.
pub async fn backup(ctx: &Context, file: &Path, progress: impl FnMut(u64, u64)) -> Result<Backup, ActionError> {
    access::special(ctx, Special::Export)?;
    note(ctx, "backup", json!({ "file": file.display().to_string() })).await?;
    Ok(ctx.store.backup(file, progress).await?)
}

/// Notes that this installation came out of a backup.
pub async fn restored(ctx: &Context, file: &Path, report: &Backup) -> Result<(), ActionError> {
    let file = file.display().to_string();
    let detail = json!({ "file": file, "rows": report.rows, "messages": report.blobs, "newKey": report.new_key });
    note(ctx, "restored", detail).await
}

async fn note(ctx: &Context, verb: &str, detail: Value) -> Result<(), ActionError> {
    let organization = ctx.store.list::<Organization>(&Query::of::<Organization>().limit(1)).await?.pop();
    let row = organization.map_or(Id::nil(), |o| o.id);
    let noted = audit::told(ctx, verb, Organization::TABLE, row, detail)?;
    let commit = Commit::new(ctx.actor(), ctx.now, vec![noted]);
    ctx.store.commit(&commit).await.map_err(|e| commit_failed(Organization::TABLE.logical, e))?;
    Ok(())
}
