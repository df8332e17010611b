//! The audit trail: a row for every write, in the same commit.

mod lines;
mod trail;

pub use lines::{COLUMNS, csv_head, csv_line, json_line, values};
pub use trail::{Entry, Export, Wanted, older, show};

use model::table::{Column, Kind};
use model::tables::{Audit, SystemUser};
use model::{Change, Entity, Id, Record, Ref, Table, Value};
use rules::access::fields;
use serde_json::{Map, json};

use crate::context::Context;
use crate::error::ActionError;

pub(crate) fn created(ctx: &Context, verb: &str, record: &Record) -> Result<Change, ActionError> {
    let mut detail = Map::new();
    for column in record.table.columns {
        let value = record.get(column.name);
        if *value != column.default_value() {
            detail.insert(column.name.to_owned(), json!({ "new": shown(record.table, column, value) }));
        }
    }
    entry(ctx, verb, record.table, record.id, detail)
}

pub(crate) fn updated(
    ctx: &Context,
    verb: &str,
    before: &Record,
    set: &[(&'static str, Value)],
) -> Result<Change, ActionError> {
    let mut detail = Map::new();
    for (name, value) in set {
        let Some(column) = before.table.column(name) else { continue };
        let old = shown(before.table, column, before.get(name));
        detail.insert((*name).to_owned(), json!({ "old": old, "new": shown(before.table, column, value) }));
    }
    entry(ctx, verb, before.table, before.id, detail)
}

pub(crate) fn deleted(ctx: &Context, record: &Record) -> Result<Change, ActionError> {
    let mut detail = Map::new();
    for column in record.table.columns {
        let value = record.get(column.name);
        if *value != column.default_value() {
            detail.insert(column.name.to_owned(), json!({ "old": shown(record.table, column, value) }));
        }
    }
    entry(ctx, "delete", record.table, record.id, detail)
}

/// Something was done with a row that changed none of its columns.
pub(crate) fn noted(ctx: &Context, verb: &str, table: &Table, row: Id) -> Result<Change, ActionError> {
    entry(ctx, verb, table, row, Map::new())
}

/// Something happened that is told in words of its own.
pub(crate) fn told(
    ctx: &Context,
    verb: &str,
    table: &Table,
    row: Id,
    detail: serde_json::Value,
) -> Result<Change, ActionError> {
    let detail = match detail {
        serde_json::Value::Object(detail) => detail,
        _ => Map::new(),
    };
    entry(ctx, verb, table, row, detail)
}

fn entry(
    ctx: &Context,
    verb: &str,
    table: &Table,
    row: Id,
    mut detail: Map<String, serde_json::Value>,
) -> Result<Change, ActionError> {
    if let Some(behind) = ctx.behind {
        detail.insert("createdonbehalfby".to_owned(), json!({ "new": behind.to_string() }));
    }
    let mut audit = Audit::blank(ctx.new_id()?);
    audit.at = Some(ctx.now);
    audit.user = Some(ctx.actor_ref());
    audit.calling_user = ctx.behind.map(|user| Ref::new(SystemUser::TABLE.logical, user));
    audit.door = ctx.origin.door.to_owned();
    audit.remote.clone_from(&ctx.origin.remote);
    audit.user_agent.clone_from(&ctx.origin.user_agent);
    audit.request.clone_from(&ctx.origin.request);
    audit.action = verb.to_owned();
    audit.table = table.logical.to_owned();
    audit.row = Some(row);
    audit.detail = serde_json::Value::Object(detail).to_string();
    Ok(Change::create(audit))
}

/// Secrets, credentials and what emails say only as "changed", bytes only by
/// their length, long texts cut.
fn shown(table: &Table, column: &Column, value: &Value) -> serde_json::Value {
    const LONGEST: usize = 2000;
    match value {
        Value::Null => serde_json::Value::Null,
        _ if matches!(column.kind, Kind::Secret { .. }) => json!("changed"),
        _ if fields::is_secured(table, column.name) || fields::is_content(table, column.name) => json!("changed"),
        Value::Secret(_) => json!("changed"),
        Value::Bool(b) => json!(b),
        Value::Int(n) => json!(n),
        Value::Text(text) if text.chars().nth(LONGEST).is_some() => {
            let cut: String = text.chars().take(LONGEST).collect();
            json!(format!("{cut}… ({} characters)", text.chars().count()))
        }
        Value::Text(text) => json!(text),
        Value::Id(id) => json!(id.to_string()),
        Value::Ref(target) => json!(target.to_string()),
        Value::Time(time) => json!(time.to_string()),
        Value::Bytes(bytes) => json!(format!("{} bytes", bytes.len())),
    }
}
