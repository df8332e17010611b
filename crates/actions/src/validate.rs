//! What holds for every column of every table, from its declaration.

use model::table::{Access, Column, Default as ColumnDefault, Kind};
use model::{OptionSet, Refusal, Secret, Table, Value, Words, words};

/// A payload that cannot be understood: 0x80048D19.
pub fn malformed(message: Words) -> Refusal {
    Refusal::new(0x8004_8D19, "InvalidPayload", message)
}

/// 0x80048D19
pub fn unknown_property(table: &Table, name: &str) -> Refusal {
    malformed(words!(
        "Invalid property '{0}' was found in entity 'Microsoft.Dynamics.CRM.{1}'.",
        excerpt(name),
        table.logical
    ))
}

/// At most 100 characters of something that somebody sent, without control characters.
pub fn excerpt(text: &str) -> String {
    let mut out: String = text.chars().take(100).map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect();
    if text.chars().nth(100).is_some() {
        out.push('…');
    }
    out
}

/// Whether the caller may write the column at all; what may not be written is
/// passed over in silence, as the reference product does.
pub fn is_writable(column: &Column, creating: bool) -> bool {
    match column.access {
        Access::ReadWrite | Access::Write => true,
        Access::Create => creating,
        Access::Read | Access::Internal => false,
    }
}

/// Checks one value and gives it the form in which it is stored.
pub fn value(table: &'static Table, column: &'static Column, value: Value) -> Result<Value, Refusal> {
    if value.is_null() {
        return absent(table, column);
    }
    match (column.kind, value) {
        (Kind::Bool, value @ Value::Bool(_))
        | (Kind::BigInt, value @ Value::Int(_))
        | (Kind::Time, value @ Value::Time(_))
        | (Kind::Id, value @ Value::Id(_)) => Ok(value),
        (Kind::Int { min, max }, Value::Int(n)) => number(table, column, n, min, max),
        (Kind::Choice(set), Value::Int(n)) => option(table, column, set, n),
        (Kind::Text { max }, Value::Text(text)) => one_line(table, column, text, max),
        (Kind::Email { max }, Value::Text(text)) => address(table, column, &text, max),
        (Kind::Memo, Value::Text(text)) => without_nul(column, text),
        (Kind::Secret { .. }, Value::Text(text)) => self::value(table, column, Value::Secret(Secret::new(text))),
        (Kind::Secret { max, .. }, Value::Secret(secret)) => {
            fits(table, column, secret.expose(), max)?;
            Ok(if secret.expose().is_empty() { Value::Null } else { Value::Secret(secret) })
        }
        (Kind::Lookup(targets), Value::Ref(target)) if targets.contains(&target.table) => Ok(Value::Ref(target)),
        (Kind::Lookup(targets), Value::Ref(target)) => Err(malformed(words!(
            "'{0}' cannot refer to a row of '{1}', only of {2}.",
            column.name,
            target.table,
            targets.join(", ")
        ))
        .at(column.name)),
        (kind, _) => Err(wrong_type(column, kind)),
    }
}

/// 0x80048D19: a value of another type than the column's.
pub fn wrong_type(column: &'static Column, kind: Kind) -> Refusal {
    let expected = match kind {
        Kind::Bool => words!("true or false"),
        Kind::Int { .. } | Kind::BigInt => words!("a whole number"),
        Kind::Choice(_) => words!("the number of an option"),
        Kind::Text { .. } | Kind::Email { .. } | Kind::Memo | Kind::Secret { .. } => words!("a text"),
        Kind::Time => words!("a date and time such as 2024-05-01T09:00:00Z"),
        Kind::Lookup(_) => words!("a reference, written with @odata.bind"),
        Kind::Id => words!("a GUID"),
        Kind::Bytes => words!("nothing: it cannot be written"),
    };
    malformed(words!("Cannot convert the value of '{0}' to the expected type: it takes {1}.", column.name, expected))
        .at(column.name)
}

fn absent(table: &'static Table, column: &'static Column) -> Result<Value, Refusal> {
    if column.required {
        return Err(required(table, column));
    }
    match (column.kind, column.default) {
        (Kind::Choice(_), ColumnDefault::Int(_)) => Err(Refusal::invalid(
            Some(column.name),
            words!("'{0}' of {1} cannot be emptied; give one of its options.", column.name, table.logical),
        )),
        (Kind::Bool, _) => Ok(Value::Bool(false)),
        (_, ColumnDefault::Int(n)) => Ok(Value::Int(n)),
        _ => Ok(Value::Null),
    }
}

/// 0x80040203
pub fn required(table: &'static Table, column: &'static Column) -> Refusal {
    Refusal::invalid(
        Some(column.name),
        words!("'{0}' ({1}) of {2} is required.", column.name, Words::label(column.label), table.logical),
    )
}

fn number(table: &Table, column: &'static Column, n: i64, min: i64, max: i64) -> Result<Value, Refusal> {
    if (min..=max).contains(&n) {
        return Ok(Value::Int(n));
    }
    let message = words!(
        "A validation error occurred. The value {0} of '{1}' on record of type '{2}' is outside the valid range, {3} to {4}.",
        n,
        column.name,
        table.logical,
        min,
        max
    );
    Err(Refusal::new(0x8004_4330, "ValueOutOfRange", message).at(column.name))
}

fn option(table: &Table, column: &'static Column, set: &'static OptionSet, n: i64) -> Result<Value, Refusal> {
    if set.contains(n) {
        return Ok(Value::Int(n));
    }
    let accepted: Vec<String> = set.options.iter().map(|o| o.value.to_string()).collect();
    let message = words!(
        "A validation error occurred. The value {0} of '{1}' on record of type '{2}' is outside the valid range. Accepted Values: {3}",
        n,
        column.name,
        table.logical,
        accepted.join(",")
    );
    Err(Refusal::new(0x8004_431A, "OptionOutOfRange", message).at(column.name))
}

fn one_line(table: &Table, column: &'static Column, text: String, max: usize) -> Result<Value, Refusal> {
    fits(table, column, &text, max)?;
    without_nul(column, text)
}

/// NUL cannot be stored by every database, and means nothing in a text.
fn without_nul(column: &'static Column, text: String) -> Result<Value, Refusal> {
    if text.contains('\0') {
        return Err(Refusal::invalid(Some(column.name), words!("'{0}' contains a NUL character.", column.name)));
    }
    Ok(Value::Text(text))
}

fn address(table: &Table, column: &'static Column, text: &str, max: usize) -> Result<Value, Refusal> {
    let text = text.trim();
    fits(table, column, text, max)?;
    if text.is_empty() || model::mail::is_address(text) {
        return Ok(Value::Text(text.to_owned()));
    }
    let message = words!("'{0}' is not an email address; write it as name@example.com.", excerpt(text));
    Err(Refusal::new(0x8004_4192, "InvalidEmailAddressFormat", message).at(column.name))
}

fn fits(table: &Table, column: &'static Column, text: &str, max: usize) -> Result<(), Refusal> {
    if text.len() <= max || text.chars().count() <= max {
        return Ok(());
    }
    let message = words!(
        "A validation error occurred. The length of the '{0}' attribute of the '{1}' entity exceeded the maximum allowed length of '{2}'.",
        column.name,
        table.logical,
        max
    );
    Err(Refusal::new(0x8004_4331, "TextTooLong", message).at(column.name))
}

#[cfg(test)]
mod tests;
