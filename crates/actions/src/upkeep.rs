//! What is done with the installation as a whole: its keys, its backups, and
//! how long things are kept. Each is noted in the audit trail before it
//! begins, so that one that is cut short is known of too, and a backup holds
//! its own beginning.

mod job;
mod keep;
mod schedule;

pub use job::{BackupFile, ask, forget_backup, jobs, open_backup};
pub use keep::{Retention, keep_for, retention};
pub use rules::retention::SHORTEST_AUDIT;
pub use schedule::{Schedule, Standing, schedule, set_schedule, standing};
pub use store::{Encryption, KeyState};

use std::path::Path;

use model::tables::Organization;
use model::{Commit, Entity, Refusal, Secret, Words, words};
use rules::access::Special;
use serde_json::{Value, json};
use store::{Activation, Backup};

use crate::context::Context;
use crate::error::{ActionError, commit_failed, invalid_operation};
use crate::{access, audit, facts};

/// A new key, and everything sealed anew with it.
pub async fn rotate_key(ctx: &Context, progress: impl FnMut(u64, u64)) -> Result<(), ActionError> {
    access::special(ctx, Special::ManageEncryptionKeys)?;
    note(ctx, "key-rotation-begun", json!({})).await?;
    ctx.store.rotate_key(ctx.now, progress).await?;
    note(ctx, "key-rotated", json!({})).await
}

/// Which keys there are and what is sealed with them; never a key itself.
pub async fn encryption(ctx: &Context) -> Result<Encryption, ActionError> {
    access::special(ctx, Special::ManageEncryptionKeys)?;
    Ok(ctx.store.encryption().await?)
}

/// Puts a key back without which something here does not open. Returns how
/// many secrets open again.
pub async fn activate_key(ctx: &Context, key: &Secret) -> Result<u64, ActionError> {
    access::special(ctx, Special::ManageEncryptionKeys)?;
    access::unscoped(ctx)?;
    let refused = |code, name, text: Words| Refusal::new(code, name, text).at("key");
    let done = ctx.store.activate_key(key).await?;
    let result = match done {
        Activation::Added { .. } => "activated",
        Activation::NotAKey => "not a key",
        Activation::NotNeeded => "not needed",
        Activation::Wrong => "wrong",
    };
    note(ctx, "key-activation", json!({ "result": result })).await?;
    let refusal = match done {
        Activation::Added { secrets } => return Ok(secrets),
        Activation::NotAKey => refused(
            0x8004_8520,
            "InvalidEncryptionKey",
            words!("That is no key. Enter the lines of the old key file as they stand there: {\"id\":…,\"key\":…}."),
        ),
        Activation::NotNeeded => refused(
            0x8004_8521,
            "EncryptionKeyNotNeeded",
            words!("Nothing here is sealed with this key, or it is in the key file already."),
        ),
        Activation::Wrong => refused(
            0x8004_8522,
            "WrongEncryptionKey",
            words!("This is not the key with which the data was sealed: what is stored does not open with it."),
        ),
    };
    Err(refusal.into())
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
    let row = facts::organization(ctx).await?.id;
    let noted = audit::told(ctx, verb, Organization::TABLE, row, detail)?;
    let commit = Commit::new(ctx.actor(), ctx.now, vec![noted]);
    ctx.store.commit(&commit).await.map_err(|e| commit_failed(Organization::TABLE.logical, e))?;
    Ok(())
}

/// A backup holds everything of everybody.
fn administrators_only(ctx: &Context) -> Result<(), ActionError> {
    access::special(ctx, Special::Export)?;
    access::unscoped(ctx)?;
    if ctx.principal.administrator {
        return Ok(());
    }
    let message = words!("A backup holds everything of everybody: it is for System Administrators alone.");
    Err(Refusal::new(0x8004_0220, "PrivilegeDenied", message).into())
}

fn gone() -> ActionError {
    invalid_operation(words!("This backup is not there any more.")).into()
}
