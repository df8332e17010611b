//! Jobs that the service works off: asked for here, looked at here.

use std::fs::File;

use model::tables::{Job, JobKind, JobState};
use model::{Change, Commit, Entity, Filter, Id, Query, Refusal, Update, words};
use rules::access::Special;
use serde_json::json;

use super::{administrators_only, gone, note};
use crate::access;
use crate::context::Context;
use crate::error::{ActionError, commit_failed, invalid_operation};

/// Jobs that are remembered of a kind; what is older goes, but for backups.
const REMEMBERED: usize = 50;

/// A backup that can be read from its beginning to its end.
#[derive(Debug)]
pub struct BackupFile {
    pub name: String,
    pub size: u64,
    pub file: File,
}

fn may(ctx: &Context, kind: JobKind) -> Result<(), ActionError> {
    match kind {
        JobKind::Backup => administrators_only(ctx),
        JobKind::ChangeKey => {
            access::special(ctx, Special::ManageEncryptionKeys)?;
            access::unscoped(ctx)
        }
    }
}

/// Asks the service for this; it begins within a second or two. Returns the job.
///
/// # Errors
/// 0x8004023b while another one of the kind waits or runs.
pub async fn ask(ctx: &Context, kind: JobKind) -> Result<Id, ActionError> {
    may(ctx, kind)?;
    let others = of(ctx, kind, REMEMBERED + 1).await?;
    rules::job::may_begin(kind, &others, ctx.now)?;
    let verb = match kind {
        JobKind::Backup => "backup",
        JobKind::ChangeKey => "key-rotation-begun",
    };
    note(ctx, verb, json!({ "by": "the service" })).await?;
    let job = Job { kind, asked_by: Some(ctx.actor_ref()), asked_on: Some(ctx.now), ..Job::blank(ctx.new_id()?) };
    let id = job.id;
    let mut changes = vec![Change::create(job)];
    let over = |job: &&Job| !matches!(job.state, JobState::Waiting | JobState::Running) && job.file.is_empty();
    changes.extend(others.iter().skip(REMEMBERED).filter(over).map(|job| Change::delete::<Job>(job.id)));
    let commit = Commit::new(ctx.actor(), ctx.now, changes);
    ctx.store.commit(&commit).await.map_err(|e| commit_failed(Job::TABLE.logical, e))?;
    Ok(id)
}

/// The jobs of a kind, the newest first.
pub async fn jobs(ctx: &Context, kind: JobKind, most: usize) -> Result<Vec<Job>, ActionError> {
    may(ctx, kind)?;
    of(ctx, kind, most).await
}

async fn of(ctx: &Context, kind: JobKind, most: usize) -> Result<Vec<Job>, ActionError> {
    let query = Query::of::<Job>().filter(Filter::eq(Job::C.kind, kind)).order_by(Job::C.asked_on, true).limit(most);
    Ok(ctx.store.list::<Job>(&query).await?)
}

/// The file of a backup, to be taken away from here.
///
/// # Errors
/// 0x80040217 for a job that is none, 0x8004023b where the file is gone.
pub async fn open_backup(ctx: &Context, job: Id) -> Result<BackupFile, ActionError> {
    let job = made(ctx, job).await?;
    let file = ctx.store.open_backup(&job.file)?.ok_or_else(gone)?;
    note(ctx, "backup-downloaded", json!({ "file": job.file })).await?;
    Ok(BackupFile { name: job.file, size: u64::try_from(job.size).unwrap_or(0), file })
}

/// Takes the file of a backup away; that it was made stays remembered.
///
/// # Errors
/// As [`open_backup`].
pub async fn forget_backup(ctx: &Context, job: Id) -> Result<(), ActionError> {
    let job = made(ctx, job).await?;
    note(ctx, "backup-deleted", json!({ "file": job.file })).await?;
    ctx.store.forget_backup(&job.file)?;
    let update = Update::of::<Job>(job.id).set(Job::C.file, String::new());
    let commit = Commit::new(ctx.actor(), ctx.now, vec![update.into()]);
    ctx.store.commit(&commit).await.map_err(|e| commit_failed(Job::TABLE.logical, e))?;
    Ok(())
}

async fn made(ctx: &Context, id: Id) -> Result<Job, ActionError> {
    administrators_only(ctx)?;
    let Some(job) = ctx.store.load::<Job>(id).await?.filter(|job| job.kind == JobKind::Backup) else {
        return Err(Refusal::does_not_exist("backup", id).into());
    };
    match job.state {
        JobState::Succeeded if job.file.is_empty() => Err(gone()),
        JobState::Succeeded => Ok(job),
        _ => Err(invalid_operation(words!("This backup is not finished.")).into()),
    }
}
