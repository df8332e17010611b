//! Takes back what of a row is shared with somebody.

use model::tables::Sharing;
use model::{Change, Entity, Ref};
use rules::access::sharing;

use crate::context::Context;
use crate::error::ActionError;
use crate::{access, audit, security};

/// # Errors
/// 0x80040220 without Share on the row, 0x80040217 where nothing is shared.
pub async fn revoke_access(ctx: &Context, target: Ref, principal: Ref) -> Result<(), ActionError> {
    let row = security::target(ctx, target).await?;
    security::principal(ctx, principal).await?;
    sharing::may_give(&ctx.principal, row.table, &access::facts(ctx, &row).await?, 0)?;
    let share = security::share(ctx, target, principal).await?;
    let share = share.ok_or_else(|| security::not_shared(target, principal))?;
    let id = share.id;
    let entry = audit::deleted(ctx, &share.into_record())?;
    security::commit(ctx, vec![Change::delete::<Sharing>(id), entry]).await
}
