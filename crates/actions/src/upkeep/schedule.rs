//! When the service makes backups by itself.

use std::path::PathBuf;

use model::Timestamp;
use model::tables::Organization;

use super::administrators_only;
use crate::context::Context;
use crate::draft::{Draft, Precondition};
use crate::error::ActionError;
use crate::{facts, update};

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
