//! Rows as JSON.

use model::table::{Access, Kind};
use model::{Column, Record, Table, Value};
use serde_json::{Map, Value as Out, json};

/// Whether a column is ever returned.
pub(crate) fn is_shown(column: &Column) -> bool {
    !matches!(column.access, Access::Internal | Access::Write)
        && !matches!(column.kind, Kind::Secret { .. } | Kind::Bytes)
}

/// The property under which a column stands: `_x_value` for a lookup.
pub(crate) fn property(column: &Column) -> String {
    match column.kind {
        Kind::Lookup(_) => format!("_{}_value", column.name),
        _ => column.name.to_owned(),
    }
}

/// The columns that a read returns: the selected ones, or all that are shown.
pub(crate) fn shown(table: &'static Table, select: &[&'static str]) -> Vec<&'static Column> {
    table.all_columns().filter(|c| is_shown(c) && (select.is_empty() || select.contains(&c.name))).collect()
}

/// `W/"4711"`
pub(crate) fn etag(record: &Record) -> String {
    format!("W/\"{}\"", record.get("versionnumber").as_int().unwrap_or(0))
}

/// The row with its ETag and its primary key, which always come.
pub(crate) fn row(record: &Record, columns: &[&'static Column]) -> Map<String, Out> {
    let mut object = Map::new();
    object.insert("@odata.etag".to_owned(), json!(etag(record)));
    object.insert(record.table.id.to_owned(), json!(record.id.to_string()));
    for column in columns {
        object.insert(property(column), value(record.get(column.name)));
    }
    object
}

pub(crate) fn value(value: &Value) -> Out {
    match value {
        Value::Null | Value::Secret(_) | Value::Bytes(_) => Out::Null,
        Value::Bool(b) => json!(b),
        Value::Int(n) => json!(n),
        Value::Text(text) => json!(text),
        Value::Id(id) => json!(id.to_string()),
        Value::Ref(target) => json!(target.id.to_string()),
        Value::Time(at) => json!(at.to_string()),
    }
}

/// `#mailboxes(name,_emailserverprofile_value)` of a context URL.
pub(crate) fn context(table: &Table, select: &[&'static str], expand: &[String]) -> String {
    let mut names: Vec<String> = select.iter().filter_map(|name| table.column(name)).map(property).collect();
    if select.contains(&table.id) {
        names.insert(0, table.id.to_owned());
    }
    names.extend(expand.iter().map(|nav| format!("{nav}()")));
    if names.is_empty() { format!("#{}", table.set) } else { format!("#{}({})", table.set, names.join(",")) }
}
