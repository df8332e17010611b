//! When the service makes backups by itself.

use std::path::PathBuf;

use model::tables::{Job, JobKind, Organization};
use model::{Filter, Query, Timestamp};
use store::Store;

use super::administrators_only;
use crate::context::Context;
use crate::draft::{Draft, Precondition};
use crate::error::ActionError;
use crate::{facts, update};

pub use rules::backup::Standing;

/// Backups that are looked at: more than the schedule can keep.
const BACKUPS: usize = 800;

/// As it is set.
#[derive(Debug, Clone)]
pub struct Schedule {
    pub organization: Organization,
    /// `None`: none will be made.
    pub next: Option<Timestamp>,
    /// The directory on the server.
    pub place: PathBuf,
}

/// # Errors
/// 0x80040220 for whoever may not make backups.
pub async fn schedule(ctx: &Context) -> Result<Schedule, ActionError> {
    administrators_only(ctx)?;
    let organization = facts::organization(ctx).await?;
    let next = rules::backup::next(&organization, ctx.now);
    Ok(Schedule { next, place: ctx.store.backup_directory(), organization })
}

/// Sets it, by the organization's columns; it holds from its next hour on.
///
/// # Errors
/// 0x80040220 for whoever may not make backups, and refusals of values.
pub async fn set_schedule(ctx: &Context, draft: Draft) -> Result<(), ActionError> {
    administrators_only(ctx)?;
    let organization = facts::organization(ctx).await?;
    update(ctx, organization.id, draft, Precondition::Exists).await?;
    Ok(())
}

/// How the backups by the schedule stand, for whoever looks after the
/// installation itself. `None`: none is scheduled.
///
/// # Errors
/// When the database does not answer.
pub async fn standing(store: &Store, now: Timestamp) -> Result<Option<Standing>, ActionError> {
    let organization = store.list::<Organization>(&Query::of::<Organization>().limit(1)).await?.pop();
    let Some(organization) = organization else { return Ok(None) };
    let query = Query::of::<Job>()
        .filter(Filter::eq(Job::C.kind, JobKind::Backup))
        .order_by(Job::C.asked_on, true)
        .limit(BACKUPS);
    Ok(rules::backup::standing(&organization, &store.list::<Job>(&query).await?, now))
}
