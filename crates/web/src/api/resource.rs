//! What a URL under the service root names.

use model::table::Child;
use model::tables::ACTIVITY;
use model::{Column, Table};

use crate::api::bind;
use crate::api::errors::ApiError;
use crate::api::json_out::is_shown;
use crate::api::key::{self, Key};
use crate::api::metadata;
use crate::api::operations::{self, NAMESPACE, Operation, Target};

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
        /// The table that the row must be of: a cast, or the name of the navigation.
        only: Option<&'static Table>,
    },
    /// `set(key)/nav` of rows that point here.
    Collection {
        table: &'static Table,
        key: Key,
        child: Child,
        count: bool,
    },
    /// `set(key)/nav` of rows that pairs connect with this one.
    Linked {
        table: &'static Table,
        key: Key,
        link: &'static model::table::Link,
        count: bool,
    },
    /// `set(key)/nav/$ref`, `set(key)/nav(key)/$ref`
    Reference {
        table: &'static Table,
        key: Key,
        link: Link,
    },
    /// `$batch`
    Batch,
    /// The bytes of an attachment, or the raw message of an email.
    Bytes {
        table: &'static Table,
        key: Key,
    },
    /// `Name`, `set/Microsoft.Dynamics.CRM.Name` or `set(key)/Microsoft.Dynamics.CRM.Name`
    Operation {
        operation: &'static Operation,
        target: Target,
        /// What stands in parentheses after the name.
        inline: Option<String>,
    },
    /// `$metadata`, `EntityDefinitions…`: segments.
    Metadata(Vec<String>),
}

/// What `$ref` is about.
#[derive(Debug)]
pub(crate) enum Link {
    /// A lookup, with the table that the navigation property names.
    Single(&'static Column, Option<&'static str>),
    /// Rows that point here, or one of them.
    Collection(Child, Option<Key>),
    /// Rows that pairs connect with this one, or one of them.
    Pairs(&'static model::table::Link, Option<Key>),
}

/// Reads the path after the service root, still percent-encoded.
pub(crate) fn read(path: &str) -> Result<Resource, ApiError> {
    let mut segments = Vec::new();
    for raw in split(path) {
        let decoded = percent_encoding::percent_decode_str(raw).decode_utf8();
        let decoded = decoded.map_err(|_| ApiError::bad_request("The URL is not valid UTF-8."))?;
        segments.push(decoded.into_owned());
    }
    if segments.first().is_some_and(|first| metadata::is_root(first)) {
        return Ok(Resource::Metadata(segments));
    }
    let mut segments = segments.iter().map(String::as_str);
    let Some(first) = segments.next() else { return Ok(Resource::Root) };
    let rest: Vec<&str> = segments.collect();
    if let (name, inline) = called(first)
        && let Some(operation) = operations::unbound(name)
        && rest.is_empty()
    {
        return Ok(Resource::Operation { operation, target: Target::Nothing, inline });
    }
    if first == "$batch" && rest.is_empty() {
        return Ok(Resource::Batch);
    }
    let (set, key) = match first.split_once('(') {
        Some((set, key)) => (set, Some(key.strip_suffix(')').ok_or_else(|| ApiError::no_segment(first))?)),
        None => (first, None),
    };
    let table = bind::table_of_set(set).ok_or_else(|| ApiError::no_segment(set))?;
    let Some(key) = key else {
        let (table, rest) = cast(table, &rest);
        return match rest {
            [] => Ok(Resource::Set(table)),
            ["$count"] => Ok(Resource::Count(table)),
            [name] if bound(name).is_some_and(|(name, _)| operations::of_set(table, name).is_some()) => {
                operation(name, Target::Set(table), |name| operations::of_set(table, name))
            }
            [name] if bound(name).is_some_and(|(name, _)| name == "DeleteMultiple") => {
                let message =
                    "DeleteMultiple is for elastic tables alone. Use the BulkDelete action, or DELETE in a $batch.";
                Err(model::Refusal::new(0x8004_0800, "NotSupported", model::Words::foreign(message)).into())
            }
            [other, ..] => Err(ApiError::no_segment(other)),
        };
    };
    row(table, key::read(table, key)?, &rest)
}

/// Follows `Microsoft.Dynamics.CRM.email` after activities, or the name of
/// the table itself.
fn cast<'a, 'b>(table: &'static Table, rest: &'b [&'a str]) -> (&'static Table, &'b [&'a str]) {
    match rest.split_first().and_then(|(first, more)| Some((cast_to(first)?, more))) {
        Some((to, more)) if to == table || (table == ACTIVITY && to.activity) => (to, more),
        _ => (table, rest),
    }
}

/// The table that a cast names.
fn cast_to(segment: &str) -> Option<&'static Table> {
    let name = segment.strip_prefix(NAMESPACE)?.strip_prefix('.')?;
    model::tables::on_wire().find(|t| t.logical == name)
}

fn row(table: &'static Table, key: Key, rest: &[&str]) -> Result<Resource, ApiError> {
    let (table, rest) = cast(table, rest);
    let (first, more) = match rest {
        [] => return Ok(Resource::Row(table, key)),
        [first, more @ ..] => (*first, more),
    };
    let unknown = |segment: &str| Err(ApiError::no_segment(segment));
    if bound(first).is_some() {
        return match more {
            [] => operation(first, Target::Row(table, key), |name| operations::of_row(table, name)),
            [other, ..] => unknown(other),
        };
    }
    if more == ["$ref"] {
        return Ok(Resource::Reference { table, key, link: link(table, first)? });
    }
    let bytes = matches!((table.logical, first), ("email", "pr_rawmessage") | ("activitymimeattachment", "body"));
    if bytes && more == ["$value"] {
        return Ok(Resource::Bytes { table, key });
    }
    if let Some(child) = table.children.iter().find(|c| c.nav.eq_ignore_ascii_case(first)) {
        let target = model::tables::by_logical_name(child.table).ok_or_else(|| ApiError::no_segment(first))?;
        let (target, more) = cast(target, more);
        let child = &Child { table: target.logical, ..*child };
        return match more {
            [] => Ok(Resource::Collection { table, key, child: *child, count: false }),
            ["$count"] => Ok(Resource::Collection { table, key, child: *child, count: true }),
            [other, ..] => unknown(other),
        };
    }
    if let Some(link) = table.link(first) {
        return match more {
            [] => Ok(Resource::Linked { table, key, link, count: false }),
            ["$count"] => Ok(Resource::Linked { table, key, link, count: true }),
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
    let Some((column, named)) = bind::lookup(table, first).filter(|(c, _)| is_shown(c)) else {
        return unknown(first);
    };
    let named = named.and_then(model::tables::by_logical_name);
    match more {
        [] => Ok(Resource::Single { table, key, column, only: named }),
        [segment] => match cast_to(segment) {
            Some(to) => Ok(Resource::Single { table, key, column, only: Some(to) }),
            None => unknown(segment),
        },
        [other, ..] => unknown(other),
    }
}

/// `nav` or `nav(key)` before `$ref`.
fn link(table: &'static Table, segment: &str) -> Result<Link, ApiError> {
    let unknown = || ApiError::no_segment(segment);
    let (nav, inner) = match segment.split_once('(') {
        Some((nav, inner)) => (nav, Some(inner.strip_suffix(')').ok_or_else(unknown)?)),
        None => (segment, None),
    };
    if let Some(child) = table.children.iter().find(|c| c.nav.eq_ignore_ascii_case(nav)) {
        let target = model::tables::by_logical_name(child.table).ok_or_else(unknown)?;
        let inner = inner.map(|inner| key::read(target, inner)).transpose()?;
        return Ok(Link::Collection(*child, inner));
    }
    if let Some(link) = table.link(nav) {
        let target = model::tables::by_logical_name(link.table).ok_or_else(unknown)?;
        let inner = inner.map(|inner| key::read(target, inner)).transpose()?;
        return Ok(Link::Pairs(link, inner));
    }
    match bind::lookup(table, nav).filter(|(c, _)| is_shown(c)) {
        Some((column, target)) if inner.is_none() => Ok(Link::Single(column, target)),
        _ => Err(unknown()),
    }
}

/// `Name(A=1)` → (`Name`, `A=1`)
fn called(segment: &str) -> (&str, Option<String>) {
    match segment.split_once('(').and_then(|(name, rest)| Some((name, rest.strip_suffix(')')?))) {
        Some((name, inline)) => (name, Some(inline.to_owned())),
        None => (segment, None),
    }
}

/// `Microsoft.Dynamics.CRM.Name(A=1)` → (`Name`, `A=1`): bound calls need the namespace.
fn bound(segment: &str) -> Option<(&str, Option<String>)> {
    segment.strip_prefix(NAMESPACE)?.strip_prefix('.').map(called)
}

fn operation(
    segment: &str,
    target: Target,
    find: impl FnOnce(&str) -> Option<&'static Operation>,
) -> Result<Resource, ApiError> {
    let unknown = || ApiError::no_segment(segment);
    let (name, inline) = bound(segment).ok_or_else(unknown)?;
    Ok(Resource::Operation { operation: find(name).ok_or_else(unknown)?, target, inline })
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
        check("systemusers(ID)/systemuserroles_association", "Linked");
        check("roles(ID)/systemuserroles_association/$count", "Linked");
        check("roles(ID)/systemuserroles_association/name", "404");
        check("accounts(ID)/systemuserroles_association", "404");
    }
    #[test]
    fn calls() {
        check("WhoAmI", "Operation");
        check("WhoAmI()", "Operation");
        check("emails(ID)/Microsoft.Dynamics.CRM.SendEmail", "Operation");
        check("emails(ID)/SendEmail", "404");
        check("accounts(ID)/Microsoft.Dynamics.CRM.SendEmail", "404");
        check("emails/Microsoft.Dynamics.CRM.SendEmail", "404");
        check("WhoAmI/x", "404");
    }
    #[test]
    fn metadata() {
        check("$metadata", "Metadata");
        check("EntityDefinitions", "Metadata");
        check("EntityDefinitions(LogicalName='email')/Attributes", "Metadata");
        check("EntityDefinition", "404");
    }
    #[test]
    fn casts() {
        check("activitypointers", "Set(Table { logical: \"activitypointer\"");
        check("activitypointers/Microsoft.Dynamics.CRM.email", "Set(Table { logical: \"email\"");
        check("activitypointers/Microsoft.Dynamics.CRM.email/$count", "Count(Table { logical: \"email\"");
        check("activitypointers(ID)/Microsoft.Dynamics.CRM.email", "Row(Table { logical: \"email\"");
        check("activitypointers(ID)/Microsoft.Dynamics.CRM.email/email_activity_parties", "Collection");
        check("emails(ID)/Microsoft.Dynamics.CRM.email", "Row(Table { logical: \"email\"");
        check("emails/Microsoft.Dynamics.CRM.account", "404");
        check("emails(ID)/Microsoft.Dynamics.CRM.account", "404");
        check("accounts(ID)/Account_ActivityPointers/Microsoft.Dynamics.CRM.email", "Collection");
        check("accounts(ID)/Account_ActivityPointers/Microsoft.Dynamics.CRM.email/$count", "Collection");
        check("emails(ID)/regardingobjectid_account_email/Microsoft.Dynamics.CRM.account", "Single");
        check("emails(ID)/ownerid/Microsoft.Dynamics.CRM.systemuser", "Single");
        check("emails(ID)/ownerid/name", "404");
    }
    #[test]
    fn raw_message() {
        check("emails(ID)/pr_rawmessage/$value", "Bytes");
        check("activitymimeattachments(ID)/body/$value", "Bytes");
    }
    #[test]
    fn unknown_segments() {
        check("nothings", "404");
        check("pr_logins", "404");
        check("pr_sessions", "404");
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
    fn references() {
        check("mailboxes(ID)/emailserverprofile/$ref", "Reference");
        check("emails(ID)/email_activity_parties(ID)/$ref", "Reference");
        check("emails(ID)/email_activity_parties/%24ref", "Reference");
        check("emails(ID)/regardingobjectid_account_email/$ref", "Reference");
        check("mailboxes(ID)/emailserverprofile(ID)/$ref", "404");
        check("mailboxes(ID)/name/$ref", "404");
        check("systemusers(ID)/systemuserroles_association/$ref", "Reference");
        check("systemusers(ID)/systemuserroles_association(ID)/$ref", "Reference");
        check("systemusers(ID)/systemuserroles_association(1)/$ref", "400");
        check("emails(ID)/nothing/$ref", "404");
    }
    #[test]
    fn batch_and_bound_to_a_set() {
        check("$batch", "Batch");
        check("%24batch", "Batch");
        check("accounts/Microsoft.Dynamics.CRM.CreateMultiple", "Operation");
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
