//! Keys in parentheses: a GUID, or the values of an alternate key.

use model::table::{Access, AlternateKey, Kind};
use model::{Column, Id, Table, Value};

use crate::api::commas;
use crate::api::errors::ApiError;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Key {
    Id(Id),
    Columns(Vec<(&'static str, Value)>),
}

/// Reads what stands between the parentheses, percent-decoded.
pub(crate) fn read(table: &'static Table, text: &str) -> Result<Key, ApiError> {
    let text = text.trim();
    if let Some(id) = guid(text) {
        return Ok(Key::Id(id));
    }
    let mut columns = Vec::new();
    for part in commas::outside('\'', text) {
        let (name, literal) = part.split_once('=').ok_or_else(|| bad(text))?;
        let (name, literal) = (name.trim(), literal.trim());
        if name == table.id {
            return guid(literal.trim_matches('\'')).map(Key::Id).ok_or_else(|| bad(text));
        }
        let plain = name.strip_prefix('_').and_then(|n| n.strip_suffix("_value")).unwrap_or(name);
        let column = table.column(plain).filter(|c| can_be_key(c)).ok_or_else(|| undefined(table, name))?;
        columns.push((column.name, value(column, literal).ok_or_else(|| bad(text))?));
    }
    let given: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let same = |key: &AlternateKey| key.columns.len() == given.len() && given.iter().all(|n| key.columns.contains(n));
    let twice = given.iter().enumerate().any(|(n, name)| given[..n].contains(name));
    if twice || !table.keys.iter().any(same) {
        return Err(undefined(table, &given.join(", ")));
    }
    Ok(Key::Columns(columns))
}

/// A GUID with its hyphens, in any case.
pub(crate) fn guid(text: &str) -> Option<Id> {
    let text = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).unwrap_or(text);
    if text.len() == 36 { Id::parse_str(text).ok() } else { None }
}

fn can_be_key(column: &Column) -> bool {
    let readable = !matches!(column.access, Access::Internal | Access::Write);
    readable && !matches!(column.kind, Kind::Secret { .. } | Kind::Bytes | Kind::Memo)
}

fn value(column: &'static Column, literal: &str) -> Option<Value> {
    let quoted = literal.strip_prefix('\'').and_then(|l| l.strip_suffix('\''));
    Some(match column.kind {
        Kind::Text { .. } | Kind::Email { .. } => Value::Text(quoted?.replace("''", "'")),
        Kind::Int { .. } | Kind::BigInt | Kind::Choice(_) => Value::Int(literal.parse().ok()?),
        Kind::Bool => Value::Bool(literal.parse().ok()?),
        Kind::Id => Value::Id(guid(quoted.unwrap_or(literal))?),
        // The comparison asks for the id alone.
        Kind::Lookup([target]) => Value::Ref(model::Ref::new(target, guid(quoted.unwrap_or(literal))?)),
        Kind::Lookup(_) => Value::Id(guid(quoted.unwrap_or(literal))?),
        Kind::Time => Value::Time(quoted.unwrap_or(literal).parse().ok()?),
        Kind::Memo | Kind::Secret { .. } | Kind::Bytes => return None,
    })
}

fn bad(text: &str) -> ApiError {
    ApiError::bad_request(format!(
        "'{}' is not a key. Use the row's GUID without quotes, or column='value'.",
        actions::validate::excerpt(text)
    ))
}

/// 0x80060890
fn undefined(table: &Table, name: &str) -> ApiError {
    let keys: Vec<String> = table.keys.iter().map(|k| k.columns.join(", ")).collect();
    let keys = if keys.is_empty() { "none".to_owned() } else { keys.join("; ") };
    let name = actions::validate::excerpt(name);
    let message = format!("'{name}' is no key of entity '{}'. Its alternate keys: {keys}.", table.logical);
    model::Refusal::new(0x8006_0890, "EntityKeyNotDefined", model::Words::foreign(message)).into()
}
