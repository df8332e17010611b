//! Literals, typed by the column they are compared with.

use jiff::Timestamp;
use jiff::civil::Date;
use model::table::Kind;
use model::{Id, Ref, Value};

use super::lexer::{self, Token};
use super::resolve::Found;
use super::{ODataError, excerpt};

/// The text between the quotes.
pub fn unquote(token: &Token<'_>) -> String {
    token.text.strip_prefix('\'').and_then(|t| t.strip_suffix('\'')).unwrap_or(token.text).replace("''", "'")
}

/// The literal as a value of the column. `null` is not one: callers ask first.
pub fn typed(found: &Found, token: &Token<'_>) -> Result<Value, ODataError> {
    let quoted = token.kind == lexer::Kind::Text;
    let text = unquote(token);
    let value = match found.column.map(|c| &c.kind) {
        None | Some(Kind::Id) => guid(&text).map(Value::Id),
        Some(Kind::Lookup([target])) => guid(&text).map(|id| Value::Ref(Ref::new(target, id))),
        // The comparison asks for the id alone.
        Some(Kind::Lookup(_)) => guid(&text).map(Value::Id),
        Some(Kind::Time) => time(&text).map(Value::Time),
        Some(Kind::Text { .. } | Kind::Email { .. } | Kind::Memo) => quoted.then_some(Value::Text(text)),
        Some(Kind::Bool) if !quoted => text.parse().ok().map(Value::Bool),
        Some(Kind::Int { .. } | Kind::BigInt | Kind::Choice(_)) if !quoted => text.parse().ok().map(Value::Int),
        Some(_) => None,
    };
    value.ok_or_else(|| incompatible(found, token))
}

/// A value without quotes, as FetchXML and the lists of functions have it.
pub fn given(found: &Found, text: &str) -> Option<Value> {
    match found.column.map(|c| &c.kind) {
        None | Some(Kind::Id) => guid(text).map(Value::Id),
        Some(Kind::Lookup([target])) => guid(text).map(|id| Value::Ref(Ref::new(target, id))),
        // The comparison asks for the id alone.
        Some(Kind::Lookup(_)) => guid(text).map(Value::Id),
        Some(Kind::Time) => time(text).map(Value::Time),
        Some(Kind::Bool) => match text.trim() {
            "1" => Some(Value::Bool(true)),
            "0" => Some(Value::Bool(false)),
            word if word.eq_ignore_ascii_case("true") => Some(Value::Bool(true)),
            word if word.eq_ignore_ascii_case("false") => Some(Value::Bool(false)),
            _ => None,
        },
        Some(Kind::Int { .. } | Kind::BigInt | Kind::Choice(_)) => text.trim().parse().ok().map(Value::Int),
        Some(Kind::Text { .. } | Kind::Email { .. } | Kind::Memo) => Some(Value::Text(text.to_owned())),
        Some(Kind::Bytes | Kind::Secret { .. }) => None,
    }
}

/// A GUID with its hyphens, in any case, braces allowed.
fn guid(text: &str) -> Option<Id> {
    let text = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).unwrap_or(text);
    if text.len() == 36 { Id::parse_str(text).ok() } else { None }
}

/// A moment, in UTC where it names no offset, or a day, which is its first
/// moment in UTC.
pub fn time(text: &str) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    // Query strings make a space of the plus sign of an offset.
    if let Some((moment, offset)) = text.rsplit_once(' ')
        && let Ok(at) = format!("{moment}+{offset}").parse::<Timestamp>()
    {
        return Some(at);
    }
    day(text).or_else(|| {
        let local = text.parse::<jiff::civil::DateTime>().ok()?;
        jiff::tz::Offset::UTC.to_timestamp(local).ok()
    })
}

pub fn day(text: &str) -> Option<Timestamp> {
    if text.len() != 10 {
        return None;
    }
    midnight(text.parse().ok()?)
}

pub fn midnight(date: Date) -> Option<Timestamp> {
    jiff::tz::Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()
}

pub fn incompatible(found: &Found, token: &Token<'_>) -> ODataError {
    if matches!(found.column.map(|c| &c.kind), Some(Kind::Choice(_))) {
        let message = format!(
            "{} is not a value of a choice: options are given as numbers, not by their labels.",
            excerpt(token.text)
        );
        return ODataError::new(token.position, message);
    }
    let given = match token.kind {
        lexer::Kind::Text => "Edm.String",
        lexer::Kind::Word => "Edm.Boolean",
        _ if token.text.len() == 36 => "Edm.Guid",
        _ if day(token.text.get(..10).unwrap_or_default()).is_some() => "Edm.DateTimeOffset",
        _ if token.text.contains('.') => "Edm.Decimal",
        _ => "Edm.Int32",
    };
    let message = format!(
        "A binary operator with incompatible types was detected. Found operand types '{}' and '{given}' for operator kind 'Equal'. The literal is {}.",
        found.type_name(),
        excerpt(token.text)
    );
    ODataError::new(token.position, message)
}
