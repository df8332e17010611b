//! The cursor of a mailbox as rows: loaded before, moved in the transaction
//! that records what was read.

use model::tables::{EmailServerProfile, Folder, LedgerEntry, Mailbox};
use model::work::{Cursor, ImapCursor, Pop3Cursor, Position};
use model::{Change, Entity, Filter, Id, Query, Ref, Timestamp, Update, id};
use store::Store;

use crate::SyncError;
use crate::route::Incoming;

/// The folder that is read. Mail in others is a later version's business.
pub(crate) const INBOX: &str = "INBOX";

fn folder_id(mailbox: Id) -> Id {
    id::derived(Timestamp::UNIX_EPOCH, &[b"pr_folder", mailbox.as_bytes(), INBOX.as_bytes()])
}

/// Process email from: the greater of the profile's and the mailbox's.
fn since(mailbox: &Mailbox, profile: &EmailServerProfile) -> Option<Timestamp> {
    mailbox.process_after.max(profile.process_after)
}

/// Where reading goes on, and what is remembered of the folder besides.
/// `account`: `user@host:port` that is going to be read.
pub(crate) async fn load(
    store: &Store,
    protocol: Incoming,
    mailbox: &Mailbox,
    profile: &EmailServerProfile,
    account: &str,
) -> Result<(Cursor, Folder), SyncError> {
    let id = folder_id(mailbox.id);
    let row = store.load::<Folder>(id).await?.unwrap_or_else(|| Folder::blank(id));
    let cursor = match protocol {
        Incoming::Imap if is_of(&row, account) => Cursor::Imap(from_row(&row)),
        Incoming::Imap => {
            if row.uid_validity != 0 {
                tracing::info!(mailbox = %mailbox.name, "another account is read now; messages are recognized by fingerprint");
            }
            Cursor::Imap(ImapCursor { since: since(mailbox, profile), ..ImapCursor::default() })
        }
        Incoming::Pop3 => {
            let mut known = Query::of::<LedgerEntry>()
                .filter(Filter::eq(LedgerEntry::C.mailbox, Some(Ref::new(Mailbox::TABLE.logical, mailbox.id))))
                .filter(Filter::eq(LedgerEntry::C.folder, INBOX.to_owned()));
            known.select = vec![LedgerEntry::C.position.name];
            let known = store.query(&known).await?;
            let known =
                known.iter().filter_map(|r| r.get(LedgerEntry::C.position.name).as_text()).map(str::to_owned).collect();
            Cursor::Pop3(Pop3Cursor { known, since: since(mailbox, profile) })
        }
    };
    Ok((cursor, row))
}

/// What the row says holds for this account: elsewhere the same UIDs mean
/// other messages, even where UIDVALIDITY happens to be the same.
fn is_of(row: &Folder, account: &str) -> bool {
    row.uid_validity != 0 && (row.account.is_empty() || row.account == account)
}

fn from_row(row: &Folder) -> ImapCursor {
    let narrow = |n: i64| u32::try_from(n).unwrap_or(0);
    ImapCursor {
        uid_validity: narrow(row.uid_validity),
        next_uid: narrow(row.next_uid),
        backlog_end: narrow(row.backlog_end),
        since: row.since,
        highest_modseq: row.highest_modseq.and_then(|n| u64::try_from(n).ok()),
    }
}

/// What moves the cursor. POP3 has none of its own: its ledger rows are it.
pub(crate) fn changes(mailbox: Id, cursor: &Cursor, account: &str) -> Vec<Change> {
    let Cursor::Imap(cursor) = cursor else { return Vec::new() };
    vec![
        there(mailbox),
        Update::of::<Folder>(folder_id(mailbox))
            .set(Folder::C.account, account.to_owned())
            .set(Folder::C.uid_validity, i64::from(cursor.uid_validity))
            .set(Folder::C.next_uid, i64::from(cursor.next_uid))
            .set(Folder::C.backlog_end, i64::from(cursor.backlog_end))
            .set(Folder::C.since, cursor.since)
            .set(Folder::C.highest_modseq, cursor.highest_modseq.and_then(|n| i64::try_from(n).ok()))
            .into(),
    ]
}

/// Notes that reading broke off at this message for the `stumbles`-th time.
pub(crate) fn stumbled(mailbox: Id, at: &Position, stumbles: i64) -> Vec<Change> {
    vec![
        there(mailbox),
        Update::of::<Folder>(folder_id(mailbox))
            .set(Folder::C.stumbled_at, place(at))
            .set(Folder::C.stumbles, stumbles)
            .into(),
    ]
}

/// How often reading has broken off at this message before.
pub(crate) fn stumbles(row: &Folder, at: &Position) -> i64 {
    if row.stumbled_at == place(at) { row.stumbles } else { 0 }
}

/// Fits the column.
fn place(at: &Position) -> String {
    at.in_folder().chars().take(320).collect()
}

/// Whether more was read or passed between the two. What else the server says
/// of the folder (HIGHESTMODSEQ) is no progress.
pub(crate) fn advanced(before: &Cursor, after: &Cursor) -> bool {
    match (before, after) {
        (Cursor::Imap(before), Cursor::Imap(after)) => {
            (before.uid_validity, before.next_uid) != (after.uid_validity, after.next_uid)
        }
        (Cursor::Pop3(before), Cursor::Pop3(after)) => !after.known.is_subset(&before.known),
        _ => true,
    }
}

fn there(mailbox: Id) -> Change {
    let blank = Folder {
        mailbox: Some(Ref::new(Mailbox::TABLE.logical, mailbox)),
        name: INBOX.to_owned(),
        ..Folder::blank(folder_id(mailbox))
    };
    Change::Ensure(blank.into_record())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Option<Timestamp> {
        Timestamp::from_second(second).ok()
    }

    #[test]
    fn the_later_of_both_bounds_counts() {
        let mut mailbox = Mailbox::blank(Id::nil());
        let mut profile = EmailServerProfile::blank(Id::nil());
        assert_eq!(since(&mailbox, &profile), None);
        mailbox.process_after = at(5);
        assert_eq!(since(&mailbox, &profile), at(5));
        profile.process_after = at(9);
        assert_eq!(since(&mailbox, &profile), at(9));
        mailbox.process_after = at(12);
        assert_eq!(since(&mailbox, &profile), at(12));
    }

    #[test]
    fn a_cursor_survives_its_row() {
        let cursor =
            ImapCursor { uid_validity: 7, next_uid: 12, backlog_end: 9, since: at(1), highest_modseq: Some(44) };
        let row = written(Folder::blank(Id::nil()), changes(Id::nil(), &Cursor::Imap(cursor.clone()), "a@b:993"));
        assert_eq!(from_row(&row), cursor);
        assert_eq!(row.account, "a@b:993");
    }

    fn written(mut row: Folder, changes: Vec<Change>) -> Folder {
        for change in changes {
            if let Change::Update(update) = change {
                let mut record = row.into_record();
                for (column, value) in update.set {
                    record.set(column, value);
                }
                row = Folder::from_record(&record).unwrap();
            }
        }
        row
    }

    #[track_caller]
    fn check_account(uid_validity: i64, account: &str, expected: bool) {
        let row = Folder { uid_validity, account: account.into(), ..Folder::blank(Id::nil()) };
        assert_eq!(is_of(&row, "alice@mail.example:993"), expected);
    }

    #[test]
    fn a_cursor_is_of_one_account() {
        check_account(7, "alice@mail.example:993", true);
        check_account(7, "", true);
        check_account(7, "alice@other.example:993", false);
        check_account(7, "bob@mail.example:993", false);
    }
    #[test]
    fn a_row_of_pop3_is_no_cursor() {
        check_account(0, "", false);
    }

    #[test]
    fn stumbles_are_counted_for_one_message() {
        let at = |uidl: &str| Position::Pop3 { uidl: uidl.into() };
        let row = written(Folder::blank(Id::nil()), stumbled(Id::nil(), &at("a"), 2));
        assert_eq!((stumbles(&row, &at("a")), stumbles(&row, &at("b"))), (2, 0));
        let long = at(&"x".repeat(400));
        let row = written(row, stumbled(Id::nil(), &long, 1));
        assert_eq!(stumbles(&row, &long), 1);
    }

    #[test]
    fn progress_is_what_was_passed() {
        let imap = |uid_validity, next_uid, highest_modseq| {
            Cursor::Imap(ImapCursor { uid_validity, next_uid, highest_modseq, ..ImapCursor::default() })
        };
        let pop3 = |known: &[&str]| {
            Cursor::Pop3(Pop3Cursor { known: known.iter().map(ToString::to_string).collect(), since: None })
        };
        assert!(advanced(&imap(7, 3, None), &imap(7, 4, None)));
        assert!(advanced(&imap(7, 3, None), &imap(8, 1, None)));
        assert!(!advanced(&imap(7, 3, None), &imap(7, 3, Some(9))));
        assert!(advanced(&pop3(&["a"]), &pop3(&["a", "b"])));
        assert!(!advanced(&pop3(&["a", "gone"]), &pop3(&["a"])));
    }
}
