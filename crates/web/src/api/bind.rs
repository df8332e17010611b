//! References between rows on the wire: navigation properties and the URLs
//! that `@odata.bind` takes.

use model::table::Kind;
use model::{Column, Id, Table, Value};

use crate::api::errors::ApiError;
use crate::api::key::{self, Key};

/// The lookup that a navigation property stands for, and the table it is
/// limited to, where the name says so.
pub(crate) fn lookup(table: &'static Table, nav: &str) -> Option<(&'static Column, Option<&'static str>)> {
    for column in table.all_columns() {
        let Kind::Lookup(targets) = column.kind else { continue };
        if column.name.eq_ignore_ascii_case(nav) {
            return Some((column, None));
        }
        let Some(rest) = strip_prefix_ignore_case(nav, column.name).and_then(|r| r.strip_prefix('_')) else { continue };
        for target in targets.iter().copied() {
            let named = rest.eq_ignore_ascii_case(target)
                || table.nav(column, target).eq_ignore_ascii_case(nav)
                || strip_prefix_ignore_case(rest, target)
                    .is_some_and(|r| r.eq_ignore_ascii_case(&format!("_{}", table.logical)));
            // Every email is an activity.
            let activity = target == "email" && rest.eq_ignore_ascii_case("activitypointer");
            if named || activity {
                return Some((column, Some(target)));
            }
        }
    }
    None
}

fn strip_prefix_ignore_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

/// What a URL in a bind refers to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Target {
    Row(&'static Table, Id),
    Keyed(&'static Table, Vec<(&'static str, Value)>),
}

/// Reads `/contacts(<guid>)`, `contacts(emailaddress1='a@b')`, or the absolute
/// URL of either.
pub(crate) fn target(url: &str) -> Result<Target, ApiError> {
    let bad = || ApiError::bad_payload(format!("'{}' is not the URL of a row.", actions::validate::excerpt(url)));
    if url.starts_with('$') {
        return Err(ApiError::bad_payload("A content id such as $1 can only be used in a change set of a $batch."));
    }
    let path = relative(url);
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8().map_err(|_| bad())?;
    let (set, key) = decoded.split_once('(').ok_or_else(bad)?;
    let key = key.strip_suffix(')').ok_or_else(bad)?;
    let table = table_of_set(set).ok_or_else(|| ApiError::no_segment(set))?;
    match key::read(table, key)? {
        Key::Id(id) => Ok(Target::Row(table, id)),
        Key::Columns(columns) => Ok(Target::Keyed(table, columns)),
    }
}

/// The part of a URL after the service root.
fn relative(url: &str) -> &str {
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |at| &rest[at..]),
        None => url,
    };
    let path = path.trim_start_matches('/');
    match path.strip_prefix("api/data/") {
        Some(rest) => rest.split_once('/').map_or("", |(_, rest)| rest),
        None => path,
    }
}

/// The table of an entity set.
pub(crate) fn table_of_set(set: &str) -> Option<&'static Table> {
    model::tables::by_set_name(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "00000000-0000-0000-0000-00000000000a";

    #[track_caller]
    fn check(url: &str, table: &str) {
        match target(url) {
            Ok(Target::Row(t, id)) => assert_eq!((t.logical, id.to_string().as_str()), (table, ID)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn with_slash() {
        check(&format!("/contacts({ID})"), "contact");
    }
    #[test]
    fn without_slash() {
        check(&format!("contacts({ID})"), "contact");
    }
    #[test]
    fn absolute() {
        check(&format!("https://crm.example.com:8420/api/data/v9.2/contacts({ID})"), "contact");
    }
    #[test]
    fn path() {
        check(&format!("/api/data/v9.1/contacts({ID})"), "contact");
    }
    #[test]
    fn capitals_and_key_name() {
        check(&format!("/contacts(contactid={})", ID.to_uppercase()), "contact");
    }
    #[test]
    fn activity_pointer() {
        check(&format!("/activitypointers({ID})"), "activitypointer");
    }
    #[test]
    fn alternate_key() {
        let Ok(Target::Keyed(table, columns)) = target("/contacts(emailaddress1='o''brien@example.com')") else {
            panic!()
        };
        assert_eq!(table.logical, "contact");
        assert_eq!(columns, [("emailaddress1", Value::Text("o'brien@example.com".into()))]);
    }

    #[track_caller]
    fn refused(url: &str) {
        assert!(target(url).is_err(), "{url}");
    }
    #[test]
    fn rubbish() {
        refused("x");
        refused("");
        refused("/contacts(");
        refused("/contacts()");
        refused("/nothings(00000000-0000-0000-0000-00000000000a)");
        refused("/contacts(nosuch='x')");
        refused("/../../etc(passwd)");
        refused("$1");
    }
    #[test]
    fn secret_columns_are_no_keys() {
        refused("/mailboxes(password='x')");
    }
    #[test]
    fn only_declared_keys() {
        refused("/contacts(firstname='x')");
        refused("/contacts(emailaddress1='x',firstname='x')");
        refused("/contacts(emailaddress1='x',emailaddress1='x')");
        assert!(target("/accounts(accountnumber='1',name='x')").is_ok());
        assert!(target(&format!("/mailboxes(_regardingobjectid_value={ID})")).is_ok());
        assert!(target(&format!("/mailboxes(mailboxid={ID})")).is_ok());
    }

    #[track_caller]
    fn nav(table: &str, nav: &str, column: &str, target: Option<&str>) {
        let table = model::tables::by_logical_name(table).unwrap();
        let found = lookup(table, nav).map(|(c, t)| (c.name, t));
        assert_eq!(found, Some((column, target)), "{nav}");
    }
    #[test]
    fn single_target() {
        nav("mailbox", "emailserverprofile", "emailserverprofile", None);
    }
    #[test]
    fn several_targets() {
        nav("email", "regardingobjectid_account_email", "regardingobjectid", Some("account"));
        nav("email", "regardingobjectid_account", "regardingobjectid", Some("account"));
        nav("mailbox", "regardingobjectid_queue", "regardingobjectid", Some("queue"));
        nav("activityparty", "partyid_systemuser", "partyid", Some("systemuser"));
        nav("contact", "parentcustomerid_account", "parentcustomerid", Some("account"));
    }
    #[test]
    fn owner() {
        nav("mailbox", "ownerid", "ownerid", None);
    }
    #[test]
    fn attachment_of_an_activity() {
        nav("activitymimeattachment", "objectid_activitypointer", "objectid", Some("email"));
        nav("activitymimeattachment", "objectid_email", "objectid", Some("email"));
    }
    #[test]
    fn no_such_navigation() {
        let table = model::tables::by_logical_name("mailbox").unwrap();
        assert!(lookup(table, "regardingobjectid_nothing").is_none());
        assert!(lookup(table, "name").is_none());
    }
}
