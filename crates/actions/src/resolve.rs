//! Finds the row that an alternate key names.

use model::query::Compare;
use model::tables::ACTIVITY;
use model::{Filter, Id, Query, Refusal, Table, Value, words};

use crate::context::Context;
use crate::error::ActionError;
use crate::read;

/// The row of `table` in which the columns have these values.
/// 0x80060891 where there is none, 0x8006089D where there are several.
pub async fn key(ctx: &Context, table: &'static Table, values: &[(&'static str, Value)]) -> Result<Id, ActionError> {
    find(ctx, table, values).await?.ok_or_else(|| not_found(table, values).into())
}

/// Like [`key`], but none is an answer (for upsert).
pub async fn find(
    ctx: &Context,
    table: &'static Table,
    values: &[(&'static str, Value)],
) -> Result<Option<Id>, ActionError> {
    let mut query = Query::table(table).limit(2);
    let equal = values.iter().map(|(c, v)| Filter::Compare((*c).into(), Compare::Equal, v.clone()));
    query.filter = Filter::And(equal.collect());
    let rows = read::list(ctx, query).await?;
    if rows.len() > 1 {
        let message = words!("Several rows of {0} have these values; use the row's id.", table.logical);
        return Err(Refusal::new(0x8006_089D, "MultipleRecordsFoundByEntityKey", message).into());
    }
    Ok(rows.first().map(|r| r.id))
}

/// The table that has the activity with this id.
pub async fn activity(ctx: &Context, id: Id) -> Result<Option<&'static Table>, ActionError> {
    let mut query = Query::table(ACTIVITY).limit(1);
    query.filter = Filter::Compare(ACTIVITY.id.into(), Compare::Equal, Value::Id(id));
    query.select = vec!["activitytypecode"];
    let found = read::list(ctx, query).await?.pop();
    Ok(found.and_then(|row| model::tables::by_logical_name(row.get("activitytypecode").as_text()?)))
}

/// 0x80040800: what is common to all activities is read, not written.
pub(crate) fn refuse_activity(table: &Table) -> Result<(), Refusal> {
    if table != ACTIVITY {
        return Ok(());
    }
    let sets: Vec<&str> = model::tables::activities().map(|t| t.set).collect();
    let message = words!(
        "Activities are created, changed and deleted in the set of their own kind ({0}), not in {1}.",
        sets.join(", "),
        ACTIVITY.set
    );
    Err(Refusal::new(0x8004_0800, "InvalidOperation", message))
}

fn not_found(table: &Table, values: &[(&'static str, Value)]) -> Refusal {
    let columns: Vec<&str> = values.iter().map(|(c, _)| *c).collect();
    let message = words!(
        "A record of {0} with the specified key values does not exist ({1}).",
        table.logical,
        columns.join(", ")
    );
    Refusal::new(0x8006_0891, "RecordNotFoundByEntityKey", message)
}
