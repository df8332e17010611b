//! What somebody may do with a row.

use model::tables::{SystemUser, Team};
use model::{Entity, Ref};
use rules::access::sharing;

use crate::access::principal;
use crate::context::Context;
use crate::error::ActionError;
use crate::{access, security};

/// The bits of the rights that a user or a team has to the row, by roles and
/// by sharing. The actor must read both.
///
/// # Errors
/// 0x80040217 for a row, a user or a team that the actor does not read.
pub async fn access_of(ctx: &Context, who: Ref, target: Ref) -> Result<i64, ActionError> {
    let who = security::principal(ctx, who).await?;
    let row = security::row(ctx, target).await?;
    let facts = access::facts(ctx, &row).await?;
    if who.table == Team::TABLE {
        let team = principal::of_team(&ctx.store, &Team::from_record(&who)?).await?;
        return Ok(sharing::rights(&team, row.table, &facts));
    }
    let user = principal::of(&ctx.store, &SystemUser::from_record(&who)?).await?;
    Ok(sharing::rights(&user, row.table, &facts))
}
