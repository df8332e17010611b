//! Replaces the rights that a row is shared with.

use model::tables::Sharing;
use model::{Entity, Ref, Refusal, Update, words};
use rules::access::sharing;

use crate::context::Context;
use crate::error::ActionError;
use crate::{access, audit, security};

/// The principal has these rights to the row by sharing, and no others. Only
/// what is added must be the actor's own.
///
/// # Errors
/// As for [`super::grant_access`]; 0x80040217 where nothing is shared.
pub async fn modify_access(ctx: &Context, target: Ref, principal: Ref, rights: i64) -> Result<(), ActionError> {
    let row = security::target(ctx, target).await?;
    security::principal(ctx, principal).await?;
    if rights == 0 {
        let message = words!("AccessMask must name at least one right. RevokeAccess takes them all.");
        return Err(Refusal::invalid(Some("AccessMask"), message).into());
    }
    let share = security::share(ctx, target, principal).await?;
    let held = share.as_ref().map_or(0, |s| s.rights);
    sharing::may_give(&ctx.principal, row.table, &access::facts(ctx, &row).await?, rights & !held)?;
    let share = share.ok_or_else(|| security::not_shared(target, principal))?;
    if share.rights == rights {
        return Ok(());
    }
    let update = Update::of::<Sharing>(share.id).expect(Sharing::C.rights, share.rights).set(Sharing::C.rights, rights);
    let entry = audit::updated(ctx, "modify share", &share.into_record(), &update.set)?;
    security::commit(ctx, vec![update.into(), entry]).await
}
