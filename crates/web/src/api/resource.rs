//! What a URL under the service root names.

use model::table::Child;
use model::{Column, Table};

use crate::api::bind;
use crate::api::errors::ApiError;
use crate::api::json_out::is_shown;
use crate::api::key::{self, Key};

/// The namespace that bound calls need.
const NAMESPACE: &str = "Microsoft.Dynamics.CRM.";

#[derive(Debug)]
pub(crate) enum Resource {
    /// The service document.
    Root,
    Set(&'static Table),
    /// `set/$count`
    Count(&'static Table),
    Row(&'static Table, Key),
    /// `set(key)/column`, and `/$value` after it.
    Property {
        table: &'static Table,
        key: Key,
        column: &'static Column,
        raw: bool,
    },
    /// `set(key)/nav` of a lookup.
    Single {
        table: &'static Table,
        key: Key,
        column: &'static Column,
    },
    /// `set(key)/nav` of rows that point here.
    Collection {
        table: &'static Table,
        key: Key,
        child: Child,
        count: bool,
    },
    /// The bytes of an attachment, or the raw message of an email.
    Bytes {
        table: &'static Table,
        key: Key,
    },
    /// `set(key)/Microsoft.Dynamics.CRM.Name`
    Bound {
        table: &'static Table,
        key: Key,
        name: String,
    },
    /// `Name` or `Name()`
    Unbound(String),
    /// `EntityDefinitions`, with the logical name where one is asked for.
    Definitions(Option<String>),
}

/// Functions and actions that are not bound to a set or a row.
const UNBOUND: &[&str] = &["WhoAmI", "RetrieveVersion"];

/// Reads the path after the service root, still percent-encoded.
pub(crate) fn read(path: &str) -> Result<Resource, ApiError> {
    let mut segments = Vec::new();
    for raw in split(path) {
        let decoded = percent_encoding::percent_decode_str(raw).decode_utf8();
        let decoded = decoded.map_err(|_| ApiError::bad_request("The URL is not valid UTF-8."))?;
        segments.push(decoded.into_owned());
    }
    let mut segments = segments.iter().map(String::as_str);
    let Some(first) = segments.next() else { return Ok(Resource::Root) };
    let rest: Vec<&str> = segments.collect();
    let name = first.strip_suffix("()").unwrap_or(first);
    if UNBOUND.contains(&name) && rest.is_empty() {
        return Ok(Resource::Unbound(name.to_owned()));
    }
    if let Some(definitions) = first.strip_prefix("EntityDefinitions") {
        return self::definitions(definitions, &rest);
    }
    let (set, key) = match first.split_once('(') {
        Some((set, key)) => (set, Some(key.strip_suffix(')').ok_or_else(|| ApiError::no_segment(first))?)),
        None => (first, None),
    };
    let table = bind::table_of_set(set).ok_or_else(|| ApiError::no_segment(set))?;
    let Some(key) = key else {
        return match rest.as_slice() {
            [] => Ok(Resource::Set(table)),
            ["$count"] => Ok(Resource::Count(table)),
            [other, ..] => Err(ApiError::no_segment(other)),
        };
    };
    row(table, key::read(table, key)?, &rest)
}

fn row(table: &'static Table, key: Key, rest: &[&str]) -> Result<Resource, ApiError> {
    let (first, more) = match rest {
        [] => return Ok(Resource::Row(table, key)),
        [first, more @ ..] => (*first, more),
    };
    let unknown = |segment: &str| Err(ApiError::no_segment(segment));
    if let Some(name) = first.strip_prefix(NAMESPACE) {
        let name = name.strip_suffix("()").unwrap_or(name).to_owned();
        return if more.is_empty() { Ok(Resource::Bound { table, key, name }) } else { unknown(more[0]) };
    }
    let bytes = matches!((table.logical, first), ("email", "pr_rawmessage") | ("activitymimeattachment", "body"));
    if bytes && more == ["$value"] {
        return Ok(Resource::Bytes { table, key });
    }
    if let Some(child) = table.children.iter().find(|c| c.nav.eq_ignore_ascii_case(first)) {
        return match more {
            [] => Ok(Resource::Collection { table, key, child: *child, count: false }),
            ["$count"] => Ok(Resource::Collection { table, key, child: *child, count: true }),
            [other, ..] => unknown(other),
        };
    }
    let plain = first.strip_prefix('_').and_then(|n| n.strip_suffix("_value"));
    if let Some(column) = table.column(plain.unwrap_or(first)).filter(|c| is_shown(c))
        && plain.is_some() == matches!(column.kind, model::Kind::Lookup(_))
    {
        return match more {
            [] => Ok(Resource::Property { table, key, column, raw: false }),
            ["$value"] => Ok(Resource::Property { table, key, column, raw: true }),
            [other, ..] => unknown(other),
        };
    }
    match bind::lookup(table, first).filter(|(c, _)| is_shown(c)) {
        Some((column, _)) if more.is_empty() => Ok(Resource::Single { table, key, column }),
        _ => unknown(first),
    }
}

/// After `EntityDefinitions`: nothing, or `(LogicalName='x')`.
fn definitions(text: &str, rest: &[&str]) -> Result<Resource, ApiError> {
    if let Some(other) = rest.first() {
        return Err(ApiError::no_segment(other));
    }
    if text.is_empty() {
        return Ok(Resource::Definitions(None));
    }
    let name = text.strip_prefix("(LogicalName='").and_then(|t| t.strip_suffix("')"));
    name.map(|n| Resource::Definitions(Some(n.to_owned()))).ok_or_else(|| ApiError::no_segment("EntityDefinitions"))
}

/// Splits at slashes outside quotes; empty segments do not count.
fn split(path: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut quoted) = (0, false);
    for (at, c) in path.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '/' if !quoted => {
                parts.push(&path[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&path[start..]);
    parts.retain(|p| !p.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "00000000-0000-0000-0000-00000000000a";

    #[track_caller]
    fn check(path: &str, expected: &str) {
        let shown = match read(&path.replace("ID", ID)) {
            Ok(resource) => format!("{resource:?}"),
            Err(error) => format!("{} {}", error.status.as_u16(), error.faults[0].message),
        };
        let start = shown.split(['(', ' ', '{']).next().unwrap_or("");
        assert!(start == expected || shown.starts_with(expected), "{path}: {shown}");
    }

    #[test]
    fn root() {
        check("", "Root");
        check("/", "Root");
    }
    #[test]
    fn set() {
        check("mailboxes", "Set");
        check("mailboxes/", "Set");
    }
    #[test]
    fn count() {
        check("mailboxes/$count", "Count");
        check("mailboxes/%24count", "Count");
    }
    #[test]
    fn row() {
        check("mailboxes(ID)", "Row");
        check("mailboxes%28ID%29", "Row");
        check("mailboxes(mailboxid=ID)", "Row");
    }
    #[test]
    fn property() {
        check("mailboxes(ID)/name", "Property");
        check("mailboxes(ID)/_emailserverprofile_value", "Property");
        check("mailboxes(ID)/name/$value", "Property");
    }
    #[test]
    fn navigation() {
        check("mailboxes(ID)/emailserverprofile", "Single");
        check("emails(ID)/email_activity_parties", "Collection");
        check("emails(ID)/email_activity_parties/$count", "Collection");
    }
    #[test]
    fn calls() {
        check("WhoAmI", "Unbound");
        check("WhoAmI()", "Unbound");
        check("emails(ID)/Microsoft.Dynamics.CRM.SendEmail", "Bound");
    }
    #[test]
    fn raw_message() {
        check("emails(ID)/pr_rawmessage/$value", "Bytes");
        check("activitymimeattachments(ID)/body/$value", "Bytes");
    }
    #[test]
    fn unknown_segments() {
        check("nothings", "404");
        check("pr_apitokens", "404");
        check("pr_audits", "404");
        check("mailboxes(ID)/nothing", "404");
        check("mailboxes(ID)/password", "404");
        check("mailboxes/name", "404");
        check("../../etc/passwd", "404");
        check("mailboxes(ID", "404");
    }
    #[test]
    fn bad_keys() {
        check("mailboxes(1)", "400");
        check("mailboxes('ID')", "400");
    }
    #[test]
    fn slash_in_a_quoted_key() {
        check("accounts(name='a/b')", "Row");
    }
    #[test]
    fn not_utf8() {
        check("mailboxes(%ff)", "400");
    }
}
