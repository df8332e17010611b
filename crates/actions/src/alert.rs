//! Alerts are taken away by who has dealt with them.

use model::tables::TraceLog;
use model::{Change, Commit, Entity, Id};
use rules::access::Right;

use crate::context::Context;
use crate::error::{ActionError, commit_failed};
use crate::{access, audit};

/// Deletes an alert: with the privilege, or as the owner of what it is about.
pub async fn dismiss(ctx: &Context, alert: Id) -> Result<(), ActionError> {
    let row = access::seen(ctx, TraceLog::TABLE, alert).await?;
    ctx.principal.may_write(TraceLog::TABLE)?;
    let may_delete = access::on_row(ctx, Right::Delete, &row).await;
    let may_delete = match may_delete {
        Ok(()) => true,
        Err(ActionError::Refused(_)) => false,
        Err(error) => return Err(error),
    };
    let alert = TraceLog::from_record(&row)?;
    let theirs = alert.regarding_owner.is_some_and(|owner| ctx.principal.selves().contains(&owner));
    rules::alert::may_dismiss(&alert, may_delete, theirs)?;
    let changes = vec![Change::delete::<TraceLog>(alert.id), audit::deleted(ctx, &row)?];
    let commit = Commit::new(ctx.actor(), ctx.now, changes);
    ctx.store.commit(&commit).await.map_err(|e| commit_failed("tracelog", e))?;
    Ok(())
}
