//! Lookups on a form as a name that is typed: the record with that name.

use model::query::Compare;
use model::table::Kind as ColumnKind;
use model::{Filter, Query, Record, Ref, Refusal, Table, Value, Words};

use crate::names;
use crate::pages::kit::{Desk, Fault};

/// The lookup column of this name, and the tables that it points to.
pub(crate) fn targets(table: &'static Table, column: &str) -> Option<(&'static str, &'static [&'static str])> {
    let column = table.columns.iter().find(|c| c.name == column)?;
    match column.kind {
        ColumnKind::Lookup(targets) => Some((column.name, targets)),
        _ => None,
    }
}

/// The name of the record that a row points to.
pub(crate) async fn shown(desk: &Desk, row: &Record, column: &str) -> Result<String, Fault> {
    let Some(target) = row.get(column).as_ref_to() else { return Ok(String::new()) };
    Ok(names::of(&desk.ctx, [target].into()).await?.remove(&target).unwrap_or_default())
}

/// The value for the column: nothing, what stands there, or the one active
/// record with this name.
pub(crate) async fn read(
    desk: &Desk,
    row: Option<&Record>,
    (column, targets): (&'static str, &'static [&'static str]),
    typed: &str,
) -> Result<Result<Value, Refusal>, Fault> {
    let typed = typed.trim();
    if let Some(row) = row
        && let Some(target) = row.get(column).as_ref_to()
    {
        // Untouched, even where the name is not for the person to see.
        if shown(desk, row, column).await? == typed {
            return Ok(Ok(Value::Ref(target)));
        }
    }
    if typed.is_empty() {
        return Ok(Ok(Value::Null));
    }
    let mut found: Vec<Ref> = Vec::new();
    for table in targets.iter().filter_map(|t| model::tables::by_logical_name(t)) {
        let Some(name) = table.name else { continue };
        let mut query = Query::table(table).limit(2);
        query.select = vec![name];
        query.filter = Filter::Compare(name.into(), Compare::Equal, Value::Text(typed.to_owned()));
        if table.column("statecode").is_some() {
            query = query.filter(Filter::Compare("statecode".into(), Compare::Equal, Value::Int(0)));
        }
        match actions::list(&desk.ctx, query).await {
            Ok(rows) => found.extend(rows.iter().map(Record::reference)),
            Err(error) if Fault::is_refusal(&error) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let words = |english: &str| Words::foreign(desk.viewer.texts.with(english, &[&typed]));
    Ok(match found.as_slice() {
        [one] => Ok(Value::Ref(*one)),
        [] => {
            let text = words("Nothing active is called “{0}”. Write the whole name, or create the record first.");
            Err(Refusal::invalid(Some(column), text))
        }
        _ => Err(Refusal::invalid(
            Some(column),
            words("Several records are called “{0}”. Give one of them another name."),
        )),
    })
}
