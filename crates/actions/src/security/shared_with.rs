//! With whom a row is shared.

use model::tables::Sharing;
use model::{Filter, Query, Ref};

use crate::context::Context;
use crate::error::ActionError;
use crate::security;

/// Users and teams with their rights to the row. Who reads the row may know.
///
/// # Errors
/// 0x80040217 for a row that the actor does not read.
pub async fn shared_with(ctx: &Context, target: Ref) -> Result<Vec<(Ref, i64)>, ActionError> {
    security::target(ctx, target).await?;
    let query = Query::of::<Sharing>().filter(Filter::eq(Sharing::C.object, Some(target)));
    let rows = ctx.store.list::<Sharing>(&query).await?;
    let mut found: Vec<(Ref, i64)> = rows.into_iter().filter_map(|s| Some((s.principal?, s.rights))).collect();
    found.sort_unstable();
    Ok(found)
}
