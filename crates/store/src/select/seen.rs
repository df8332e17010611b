//! What the caller may read, as conditions on every table that a statement
//! reaches. It is here, below all that joins, and not in who asks: a way to a
//! table that forgot it would be a way to other people's rows.

use std::sync::Arc;

use model::{Filter, Table};

use crate::error::StoreError;
use crate::select::Builder;
use crate::select::filter;
use crate::select::scope::Scope;

/// The condition under which the caller sees the row of `table` that stands
/// under `alias`; `None`: always.
pub(crate) fn condition(
    table: &'static Table,
    alias: &str,
    builder: &mut Builder,
) -> Result<Option<String>, StoreError> {
    // What may be read is said in terms of everything: whoever may read an
    // attachment because its email is theirs need not find the email first.
    let Some(seen) = builder.seen.take() else { return Ok(None) };
    // Nor does it count against what the caller may ask.
    let (conditions, joins) = (builder.conditions, builder.joins);
    let found = match seen.get(table.logical) {
        None => Ok(Some(filter::FALSE.to_owned())),
        Some(Filter::All) => Ok(None),
        Some(filter) => on_row(filter, table, alias, builder).map(Some),
    };
    builder.seen = Some(Arc::clone(&seen));
    (builder.conditions, builder.joins) = (conditions, joins);
    found
}

/// A filter on the row that stands under `alias`, as a condition that needs
/// no further joins beside it.
pub(crate) fn on_row(
    filter: &Filter,
    table: &'static Table,
    alias: &str,
    builder: &mut Builder,
) -> Result<String, StoreError> {
    let mut scope = Scope::at(table, alias);
    let here = builder.binds.len();
    let condition = filter::condition(filter, &mut scope, builder)?;
    if !scope.joins_anything() {
        return Ok(format!("({condition})"));
    }
    builder.binds.truncate(here);
    let mut scope = Scope::new(table, builder);
    let condition = filter::condition(filter, &mut scope, builder)?;
    let id = table.id;
    let same = format!("{}.\"{id}\" = {alias}.\"{id}\"", scope.alias);
    Ok(format!("EXISTS (SELECT 1 FROM {} WHERE {same} AND ({condition}))", scope.from()))
}
