//! What of its user's rights an API token may use. Scopes only ever take away.
//!
//! A list of words: `read` (nothing is changed), `mailboxes` (mailboxes,
//! profiles, queues and what the service did with mail), `work` (everyday
//! records: emails, queue items, customers), or a table's name. No word at
//! all: everything the user may, administration included.

use std::collections::BTreeSet;

use model::{Refusal, tables, words};

use crate::access::Scopes;

const MAILBOXES: &[&str] = &["mailbox", "emailserverprofile", "queue", "tracelog", "pr_ledgerentry"];
const WORK: &[&str] = &[
    "email",
    "activitypointer",
    "activityparty",
    "activitymimeattachment",
    "queueitem",
    "queue",
    "account",
    "contact",
    "lead",
    "usersettings",
];

/// Reads the words; a word that means nothing is refused. `None`: nothing is
/// taken away.
pub fn read(words: &str) -> Result<Option<Scopes>, Refusal> {
    let mut scopes = Scopes::default();
    let words = words.split([' ', ',']).map(str::trim).filter(|w| !w.is_empty());
    for word in words {
        let tables: &[&str] = match word {
            "read" => {
                scopes.read_only = true;
                continue;
            }
            "mailboxes" => MAILBOXES,
            "work" => WORK,
            name => match tables::by_logical_name(name).filter(|t| t.on_wire) {
                Some(table) => &[table.logical],
                None => return Err(unknown(word)),
            },
        };
        scopes.tables.get_or_insert_default().extend(tables.iter().map(|t| (*t).to_owned()));
    }
    Ok((scopes != Scopes::default()).then_some(scopes))
}

/// As [`read`], of what was stored: what cannot be read allows nothing.
pub fn stored(words: &str) -> Option<Scopes> {
    read(words).unwrap_or_else(|_| Some(Scopes { read_only: true, tables: Some(BTreeSet::new()) }))
}

fn unknown(word: &str) -> Refusal {
    let word: String = word.chars().take(60).collect();
    let message =
        words!("'{0}' is no scope. There are read, mailboxes, work, and the names of tables such as contact.", word);
    Refusal::invalid(Some("pr_scopes"), message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Principal, Right, may};

    /// Whether somebody who may everything may do it with these scopes.
    #[track_caller]
    fn check(words: &str, right: Right, table: &str, allowed: bool) {
        let table = tables::by_logical_name(table).unwrap();
        let mut principal = Principal::new(model::Id::nil(), "ann");
        principal.make_administrator();
        principal.scopes = read(words).unwrap();
        assert_eq!(may(&principal, right, table, &Default::default()).is_ok(), allowed, "{words}: {right:?}");
    }

    #[test]
    fn no_word_is_everything() {
        check("", Right::Write, "role", true);
        check("  , ", Right::Delete, "contact", true);
        assert_eq!(read(" ").unwrap(), None);
    }
    #[test]
    fn reading_alone() {
        check("read", Right::Read, "mailbox", true);
        check("read", Right::Write, "mailbox", false);
    }
    #[test]
    fn mailboxes() {
        check("mailboxes", Right::Write, "emailserverprofile", true);
        check("mailboxes", Right::Read, "email", false);
        check("mailboxes", Right::Write, "role", false);
        check("mailboxes", Right::Write, "systemuser", false);
    }
    #[test]
    fn work() {
        check("work", Right::Create, "contact", true);
        check("work", Right::Read, "mailbox", false);
        check("work", Right::Create, "systemuser", false);
        check("work", Right::Read, "pr_apitoken", false);
    }
    #[test]
    fn reading_of_some() {
        check("read work", Right::Read, "email", true);
        check("read work", Right::Write, "email", false);
        check("read,contact", Right::Read, "contact", true);
        check("read,contact", Right::Read, "lead", false);
        check("contact", Right::Write, "contact", true);
    }
    #[test]
    fn words_that_are_none() {
        assert!(read("everything").is_err());
        assert!(read("read pr_login").is_err());
        assert!(read("READ").is_err());
    }
    #[test]
    fn what_was_stored_and_means_nothing_allows_nothing() {
        let scopes = stored("was-once-a-scope").unwrap();
        assert!(scopes.read_only && scopes.tables.unwrap().is_empty());
    }
}
