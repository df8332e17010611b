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
    let (number, values, id) = parts(token).ok_or_else(bad)?;
    let fit = values.len() == order.len() && values.iter().zip(order).all(|(v, o)| fits(table, &o.column, v));
    if fit { Ok((number, (values, id))) } else { Err(bad()) }
}

fn bad() -> ApiError {
    ApiError::bad_request("The $skiptoken is not one that this server gave for this query.")
}

fn parts(token: &str) -> Option<(u64, Vec<Value>, Id)> {
    let number = attribute(token, "pagenumber")?.parse().ok()?;
    let inner = URL_SAFE_NO_PAD.decode(attribute(token, "pagingcookie")?).ok()?;
    let (values, id): (Vec<Json>, String) = serde_json::from_slice(&inner).ok()?;
    let values: Option<Vec<Value>> = values.iter().map(unpacked).collect();
    Some((number, values?, Id::parse_str(&id).ok()?))
}

/// Reads a token whose values nobody has looked at.
pub(crate) fn place(token: &str) -> Result<(u64, Vec<Value>), ApiError> {
    parts(token).map(|(number, values, _)| (number, values)).ok_or_else(bad)
}

/// `Microsoft.Dynamics.CRM.fetchxmlpagingcookie` for page `next`, after the
/// row with these sort keys. The inner cookie is encoded twice, as clients
/// expect who decode it twice.
pub(crate) fn fetch_cookie(next: u64, last: Option<&[Value]>) -> String {
    let inner = last.map_or_else(String::new, |values| {
        let values: Vec<Json> = values.iter().map(packed).collect();
        let place = URL_SAFE_NO_PAD.encode(Json::Array(values).to_string());
        format!("<cookie page=\"{}\"><position last=\"{place}\" /></cookie>", next - 1)
    });
    let encoded = encoded(&encoded(&inner));
    format!("<cookie pagenumber=\"{next}\" pagingcookie=\"{encoded}\" istracking=\"False\" />")
}

/// Reads what stands in `paging-cookie` of a query: the page that begins
/// there and the sort keys of the row before.
pub(crate) fn cookie_place(cookie: &str) -> Result<(u64, Vec<Value>), ApiError> {
    let read = || {
        let page: u64 = attribute(cookie, "page")?.parse().ok()?;
        let place = URL_SAFE_NO_PAD.decode(attribute(cookie, "last")?).ok()?;
        let values: Vec<Json> = serde_json::from_slice(&place).ok()?;
        let values: Option<Vec<Value>> = values.iter().map(unpacked).collect();
        Some((page.checked_add(1)?, values?))
    };
    read().ok_or_else(|| ApiError::bad_request("The paging cookie is not one that this server gave for this query."))
}

/// Percent-encoded, in small letters as the reference product does it.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02x}"));
        }
    }
    out
}

pub(crate) fn attribute<'a>(token: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = token.split_once(&format!(" {name}=\""))?;
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
pub(crate) fn fits(table: &'static Table, path: &Path, value: &Value) -> bool {
    use model::Kind;
    if let Some((lookup, further)) = path.lookups.split_first() {
        // Behind a lookup of several targets, the column is one of them that has it.
        let Some(Kind::Lookup(targets)) = table.column(lookup).map(|c| c.kind) else { return false };
        let further = Path { lookups: further.to_vec(), column: path.column };
        let targets = targets.iter().filter_map(|t| model::tables::by_logical_name(t));
        return matches!(value, Value::Null) || targets.into_iter().any(|t| fits(t, &further, value));
    }
    if path.column == table.id {
        return matches!(value, Value::Id(_) | Value::Null);
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

    #[test]
    fn fetch_cookies_are_encoded_twice() {
        let keys = vec![Value::Text("a \"b\" & <ü>".into()), Value::Null, Value::Id(Id::from_u128(7))];
        let cookie = fetch_cookie(2, Some(&keys));
        assert!(
            cookie.starts_with("<cookie pagenumber=\"2\" pagingcookie=\"%253ccookie%2520page%253d%25221%2522"),
            "{cookie}"
        );
        let inner = attribute(&cookie, "pagingcookie").unwrap();
        let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned();
        let inner = decode(&decode(inner));
        // What dynamics-web-api looks for.
        assert!(inner.starts_with("<cookie page=\"1\">") && inner.ends_with("</cookie>"), "{inner}");
        assert_eq!(cookie_place(&inner).unwrap(), (2, keys));
        assert_eq!(fetch_cookie(3, None), "<cookie pagenumber=\"3\" pagingcookie=\"\" istracking=\"False\" />");
    }

    #[test]
    fn rubbish_of_a_cookie() {
        for cookie in ["", "x", "<cookie page=\"1\"></cookie>", "<cookie page=\"x\"><position last=\"W10\" /></cookie>"]
        {
            assert!(cookie_place(cookie).is_err(), "{cookie}");
        }
    }

    #[track_caller]
    fn refused(token: &str) {
        assert!(read(mailbox(), &order(), token).is_err(), "{token}");
    }

    #[test]
    fn a_value_of_another_type_behind_a_lookup() {
        let column = Path { lookups: vec!["emailserverprofile"], column: "name" };
        let order = [Order { column, descending: false }];
        let token = |value| cookie(2, &(vec![value], Id::nil()));
        assert!(read(mailbox(), &order, &token(Value::Text("a".into()))).is_ok());
        assert!(read(mailbox(), &order, &token(Value::Null)).is_ok());
        assert!(read(mailbox(), &order, &token(Value::Int(1))).is_err());
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
