//! The cursor of a mailbox as rows: loaded before, moved in the transaction
//! that records what was read.

use model::tables::{EmailServerProfile, Folder, LedgerEntry, Mailbox};
use model::work::{Cursor, ImapCursor, Pop3Cursor};
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

pub(crate) async fn load(
    store: &Store,
    protocol: Incoming,
    mailbox: &Mailbox,
    profile: &EmailServerProfile,
) -> Result<Cursor, SyncError> {
    match protocol {
        Incoming::Imap => {
            let row = store.load::<Folder>(folder_id(mailbox.id)).await?;
            Ok(Cursor::Imap(row.map_or_else(
                || ImapCursor { since: since(mailbox, profile), ..ImapCursor::default() },
                |row| from_row(&row),
            )))
        }
        Incoming::Pop3 => {
            let mut known = Query::of::<LedgerEntry>()
                .filter(Filter::eq(LedgerEntry::C.mailbox, Some(Ref::new(Mailbox::TABLE.logical, mailbox.id))))
                .filter(Filter::eq(LedgerEntry::C.folder, INBOX.to_owned()));
            known.select = vec![LedgerEntry::C.position.name];
            let known = store.query(&known).await?;
            let known =
                known.iter().filter_map(|r| r.get(LedgerEntry::C.position.name).as_text()).map(str::to_owned).collect();
            Ok(Cursor::Pop3(Pop3Cursor { known, since: since(mailbox, profile) }))
        }
    }
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
pub(crate) fn changes(mailbox: Id, cursor: &Cursor) -> Vec<Change> {
    let Cursor::Imap(cursor) = cursor else { return Vec::new() };
    let id = folder_id(mailbox);
    let blank = Folder {
        mailbox: Some(Ref::new(Mailbox::TABLE.logical, mailbox)),
        name: INBOX.to_owned(),
        ..Folder::blank(id)
    };
    vec![
        Change::Ensure(blank.into_record()),
        Update::of::<Folder>(id)
            .set(Folder::C.uid_validity, i64::from(cursor.uid_validity))
            .set(Folder::C.next_uid, i64::from(cursor.next_uid))
            .set(Folder::C.backlog_end, i64::from(cursor.backlog_end))
            .set(Folder::C.since, cursor.since)
            .set(Folder::C.highest_modseq, cursor.highest_modseq.and_then(|n| i64::try_from(n).ok()))
            .into(),
    ]
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
        let mut row = Folder::blank(Id::nil());
        for change in changes(Id::nil(), &Cursor::Imap(cursor.clone())) {
            if let Change::Update(update) = change {
                let mut record = row.clone().into_record();
                for (column, value) in update.set {
                    record.set(column, value);
                }
                row = Folder::from_record(&record).unwrap();
            }
        }
        assert_eq!(from_row(&row), cursor);
    }
}
