//! Reads rows. What a caller may not see does not exist for them.

use model::{Filter, Id, Query, Record, Refusal, Table};

use crate::access;
use crate::context::Context;
use crate::error::ActionError;

/// Reads some (empty: all) columns of one row; refused as absent where there is none.
pub async fn read(
    ctx: &Context,
    table: &'static Table,
    id: Id,
    select: Vec<&'static str>,
) -> Result<Record, ActionError> {
    let mut query = Query::table(table);
    query.filter = Filter::Compare(table.id.into(), model::query::Compare::Equal, model::Value::Id(id));
    query.select = select;
    query.limit = Some(1);
    let found = list(ctx, query).await?.pop();
    found.ok_or_else(|| Refusal::does_not_exist(table.logical, id).into())
}

pub async fn list(ctx: &Context, query: Query) -> Result<Vec<Record>, ActionError> {
    let query = access::narrowed(ctx, query)?;
    let mut rows = ctx.store.query(&query).await?;
    access::hide(ctx, query.table, &mut rows).await?;
    Ok(rows)
}

/// How many rows the query has, whatever its limit.
pub async fn count(ctx: &Context, query: Query) -> Result<u64, ActionError> {
    let query = access::narrowed(ctx, query)?;
    Ok(ctx.store.count(&query).await?)
}
