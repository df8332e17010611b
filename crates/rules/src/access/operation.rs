//! What people call an operation, and the privileges that it takes.

use model::{Table, Words, tables, words};

use super::catalogue::{self, Privilege};
use super::{Right, Special, anchor, privilege};

/// Operations that take more than a right to a row.
const NAMED: &[(&str, &[&str], Special)] = &[
    ("approve mailbox", &["prvReadMailbox"], Special::ApproveEmailAddresses),
    ("test mailbox", &["prvReadMailbox"], Special::TestMailbox),
    ("process mailbox", &["prvReadMailbox"], Special::TestMailbox),
    ("read email content", &["prvReadEmail"], Special::ReadEmailContent),
    ("read audit", &[], Special::ReadAudit),
    ("export audit", &["prvExport"], Special::ReadAudit),
    ("backup", &[], Special::Export),
    ("rotate key", &[], Special::ManageEncryptionKeys),
    ("act for others", &[], Special::ActOnBehalfOfAnotherUser),
];

/// The operations that have a name of their own.
pub fn named() -> impl Iterator<Item = &'static str> {
    NAMED.iter().map(|(name, ..)| *name)
}

/// The privileges that a right to a table's rows takes: whoever does anything
/// with a row must be able to read it.
pub fn right(right: Right, table: &'static Table) -> Vec<&'static Privilege> {
    let (own, subject) = anchor::subject(right, table);
    let mut names = vec![privilege(own, subject)];
    if !matches!(own, Right::Create | Right::Read) {
        names.push(privilege(Right::Read, subject));
    }
    // A privilege that is not there is one that nobody can have.
    names.iter().map(|name| catalogue::named(name)).collect::<Option<_>>().unwrap_or_default()
}

/// `create mailbox`, `test mailbox`, `prvReadContact`; the words that say what
/// can be asked where it is none of these.
pub fn read(text: &str) -> Result<Vec<&'static Privilege>, Words> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some(one) = catalogue::all().iter().find(|p| p.name.eq_ignore_ascii_case(&text)) {
        return Ok(vec![one]);
    }
    if let Some((_, more, special)) = NAMED.iter().find(|(name, ..)| name.eq_ignore_ascii_case(&text)) {
        let names = more.iter().copied().chain([special.name()]);
        return Ok(names.filter_map(catalogue::named).collect());
    }
    let unknown = || {
        let named: Vec<&str> = named().collect();
        words!(
            "'{0}' is no operation. Write a right and a table (create mailbox; rights: create, read, write, delete, \
             append, appendto, assign, share), a privilege (prvReadContact), or one of: {1}.",
            text,
            named.join(", ")
        )
    };
    let (verb, table) = text.split_once(' ').ok_or_else(unknown)?;
    let verb = match verb.to_lowercase().as_str() {
        "update" | "change" => "write".to_owned(),
        other => other.to_owned(),
    };
    let verb = Right::ALL.into_iter().find(|r| r.as_str().eq_ignore_ascii_case(&verb)).ok_or_else(unknown)?;
    let plain = table.replace(' ', "").to_lowercase();
    let table = tables::on_wire().find(|t| t.logical == plain || t.set == plain).ok_or_else(unknown)?;
    match right(verb, table) {
        none if none.is_empty() => Err(words!("Nobody can {0}: there is no such privilege.", text)),
        needed => Ok(needed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = read(text).map(|all| all.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(" "));
        assert_eq!(found.as_deref().unwrap_or("none"), expected);
    }

    #[test]
    fn a_right_and_a_table() {
        check("create mailbox", "prvCreateMailbox");
        check("Create  Mailboxes", "prvCreateMailbox");
        check("update contact", "prvWriteContact prvReadContact");
        check("delete email server profile", "prvDeleteEmailServerProfile prvReadEmailServerProfile");
        check("delete emailserverprofile", "prvDeleteEmailServerProfile prvReadEmailServerProfile");
    }
    #[test]
    fn a_row_that_follows_another() {
        check("create queueitem", "prvAppendToQueue prvReadQueue");
        check("create activityparty", "prvWriteEmail prvReadEmail");
        check("read pr_ledgerentry", "prvReadMailbox");
    }
    #[test]
    fn names_of_their_own() {
        check("test mailbox", "prvReadMailbox prvTestMailbox");
        check("export audit", "prvExport prvReadAudit");
        check("prvreadcontact", "prvReadContact");
    }
    #[test]
    fn nonsense() {
        check("", "none");
        check("create", "none");
        check("fly mailbox", "none");
        check("create unicorn", "none");
        check("delete pr_audit", "none");
    }
    #[test]
    fn every_named_operation_takes_privileges_that_there_are() {
        for (name, more, _) in NAMED {
            assert_eq!(read(name).unwrap().len(), more.len() + 1, "{name}");
        }
    }
}
