//! Shares a row with a user or a team.

use model::tables::Sharing;
use model::{Change, Entity, Ref, Refusal, Update, words};
use rules::access::sharing;

use crate::context::Context;
use crate::error::ActionError;
use crate::{access, audit, security};

/// Adds the rights to those that the principal has to the row by sharing.
///
/// # Errors
/// 0x80040220 without Share on the row, 0x8004020D for more than the actor's
/// own rights.
pub async fn grant_access(ctx: &Context, target: Ref, principal: Ref, rights: i64) -> Result<(), ActionError> {
    let row = security::target(ctx, target).await?;
    security::principal(ctx, principal).await?;
    if rights == 0 {
        return Err(Refusal::invalid(Some("AccessMask"), words!("AccessMask must name at least one right.")).into());
    }
    sharing::may_give(&ctx.principal, row.table, &access::facts(ctx, &row).await?, rights)?;
    let changes = match security::share(ctx, target, principal).await? {
        Some(share) if share.rights & rights == rights => return Ok(()),
        Some(share) => {
            let update = Update::of::<Sharing>(share.id)
                .expect(Sharing::C.rights, share.rights)
                .set(Sharing::C.rights, share.rights | rights);
            let entry = audit::updated(ctx, "share", &share.into_record(), &update.set)?;
            vec![update.into(), entry]
        }
        None => {
            let share =
                Sharing { object: Some(target), principal: Some(principal), rights, ..Sharing::blank(ctx.new_id()?) };
            let record = share.into_record();
            let entry = audit::created(ctx, "share", &record)?;
            vec![Change::Create(record), entry]
        }
    };
    security::commit(ctx, changes).await
}
