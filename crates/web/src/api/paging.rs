//! Pages: where the next one starts is in the link, as an opaque token. It is
//! the last row's place in the order, so rows that are written meanwhile
//! neither shift the pages nor repeat.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::query::Path;
use model::{Id, Order, Table, Value};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value as Json, json};

use crate::api::errors::ApiError;

/// What stays as it is in a query string.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The values of the order's columns in the last row, and its id.
pub(crate) type Place = (Vec<Value>, Id);

/// The link to the page after `place`.
pub(crate) fn next_link(origin: &str, path_and_query: &str, number: u64, place: &Place) -> String {
    link(origin, path_and_query, &["skiptoken"], ("skiptoken", &cookie(number, place)))
}

/// The link to the rest of an expanded collection: its own address with the
/// options that it was expanded with.
pub(crate) fn rest_link<'a>(url: &str, options: impl Iterator<Item = (&'a str, &'a str)>, place: &Place) -> String {
    let pair = |(name, value): (&str, &str)| {
        let (sign, name) = name.split_at(name.len().min(1));
        format!("{sign}{}={}", utf8_percent_encode(name, PLAIN), utf8_percent_encode(value, PLAIN))
    };
    let query: Vec<String> = options.map(pair).collect();
    next_link("", &format!("{url}?{}", query.join("&")), 2, place)
}

/// The same address without these options (named without the `$`) and with
/// this one.
pub(crate) fn link(origin: &str, path_and_query: &str, without: &[&str], with: (&str, &str)) -> String {
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    let gone = |pair: &&str| without.iter().any(|name| is_option(pair, name));
    let mut kept: Vec<&str> = query.split('&').filter(|p| !p.is_empty() && !gone(p)).collect();
    let token = format!("${}={}", with.0, utf8_percent_encode(with.1, PLAIN));
    kept.push(&token);
    format!("{origin}{path}?{}", kept.join("&"))
}

fn is_option(pair: &str, option: &str) -> bool {
    let name = pair.split('=').next().unwrap_or("").to_ascii_lowercase();
    name.strip_prefix('$').or_else(|| name.strip_prefix("%24")) == Some(option)
}

fn cookie(number: u64, (values, id): &Place) -> String {
    let values: Vec<Json> = values.iter().map(packed).collect();
    let inner = json!([values, id.to_string()]).to_string();
    let inner = URL_SAFE_NO_PAD.encode(inner);
    format!("<cookie pagenumber=\"{number}\" pagingcookie=\"{inner}\" istracking=\"False\" />")
}

/// Reads a token: the number of its page and where that starts.
pub(crate) fn read(table: &'static Table, order: &[Order], token: &str) -> Result<(u64, Place), ApiError> {
    let bad = || ApiError::bad_request("The $skiptoken is not one that this server gave for this query.");
    let number = attribute(token, "pagenumber").and_then(|n| n.parse().ok()).ok_or_else(bad)?;
    let inner = attribute(token, "pagingcookie").ok_or_else(bad)?;
    let inner = URL_SAFE_NO_PAD.decode(inner).map_err(|_| bad())?;
    let (values, id): (Vec<Json>, String) = serde_json::from_slice(&inner).map_err(|_| bad())?;
    let id = Id::parse_str(&id).map_err(|_| bad())?;
    if values.len() != order.len() {
        return Err(bad());
    }
    let unpacked: Option<Vec<Value>> =
        values.iter().zip(order).map(|(v, o)| unpacked(v).filter(|v| fits(table, &o.column, v))).collect();
    Ok((number, (unpacked.ok_or_else(bad)?, id)))
}

pub(crate) fn attribute<'a>(token: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = token.split_once(&format!("{name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

fn packed(value: &Value) -> Json {
    match value {
        Value::Null | Value::Secret(_) | Value::Bytes(_) => Json::Null,
        Value::Bool(b) => json!({ "b": b }),
        Value::Int(n) => json!({ "n": n }),
        Value::Text(text) => json!({ "s": text }),
        Value::Id(id) => json!({ "i": id.to_string() }),
        Value::Ref(target) => json!({ "i": target.id.to_string() }),
        Value::Time(at) => json!({ "t": at.as_microsecond() }),
    }
}

fn unpacked(json: &Json) -> Option<Value> {
    if json.is_null() {
        return Some(Value::Null);
    }
    let (kind, value) = json.as_object()?.iter().next()?;
    Some(match kind.as_str() {
        "b" => Value::Bool(value.as_bool()?),
        "n" => Value::Int(value.as_i64()?),
        "s" => Value::Text(value.as_str()?.to_owned()),
        "i" => Value::Id(Id::parse_str(value.as_str()?).ok()?),
        "t" => Value::Time(model::Timestamp::from_microsecond(value.as_i64()?).ok()?),
        _ => return None,
    })
}

/// Whether the value can be one of the column's: a token is a stranger's word.
fn fits(table: &'static Table, path: &Path, value: &Value) -> bool {
    use model::Kind;
    if !path.lookups.is_empty() {
        return true;
    }
    if path.column == table.id {
        return matches!(value, Value::Id(_));
    }
    let Some(column) = table.column(path.column) else { return false };
    matches!(
        (column.kind, value),
        (_, Value::Null)
            | (Kind::Bool, Value::Bool(_))
            | (Kind::Int { .. } | Kind::BigInt | Kind::Choice(_), Value::Int(_))
            | (Kind::Text { .. } | Kind::Email { .. } | Kind::Memo, Value::Text(_))
            | (Kind::Id | Kind::Lookup(_), Value::Id(_))
            | (Kind::Time, Value::Time(_))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> Vec<Order> {
        let by = |column: &'static str| Order { column: column.into(), descending: false };
        vec![by("name"), by("createdon"), by("statecode")]
    }

    fn mailbox() -> &'static Table {
        model::tables::by_logical_name("mailbox").unwrap()
    }

    #[test]
    fn round_trip() {
        let values = vec![Value::Text("a \"b\" & ü".into()), Value::Time(model::Timestamp::UNIX_EPOCH), Value::Null];
        let place = (values, Id::from_u128(7));
        let link = next_link("http://h", "/api/data/v9.2/mailboxes?$select=name&$skiptoken=old", 2, &place);
        let token = link.split_once("&$skiptoken=").unwrap().1;
        assert!(!link.contains("old"));
        let token = percent_encoding::percent_decode_str(token).decode_utf8().unwrap();
        assert_eq!(read(mailbox(), &order(), &token).unwrap(), (2, place));
    }

    #[track_caller]
    fn refused(token: &str) {
        assert!(read(mailbox(), &order(), token).is_err(), "{token}");
    }

    #[test]
    fn rubbish() {
        refused("");
        refused("<cookie pagenumber=\"2\" pagingcookie=\"!!\" istracking=\"False\" />");
        refused("<cookie pagenumber=\"x\" pagingcookie=\"\" istracking=\"False\" />");
    }

    #[test]
    fn values_of_another_order() {
        let place = (vec![Value::Int(1), Value::Int(2), Value::Int(3)], Id::nil());
        refused(&cookie(2, &place));
        refused(&cookie(2, &(Vec::new(), Id::nil())));
    }
}
