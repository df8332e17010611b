//! Where a message stands on a server, how far a mailbox has been read, and
//! what is still to be done there.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;

use crate::{Failure, option_set};

option_set! {
    /// What is done for a mailbox, each with its own next-run time.
    pub enum Workload: "pr_workload" {
        Incoming = 0 "Incoming Email",
        Outgoing = 1 "Outgoing Email",
        Test = 3 "Configuration Test",
    }
}

impl Workload {
    /// The label used in metrics and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Incoming => "incoming",
            Self::Outgoing => "outgoing",
            Self::Test => "test",
        }
    }
}

/// Where one message stands on its server.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Position {
    /// RFC 9051, section 2.3.1.1: folder, UIDVALIDITY and UID name a message for good.
    Imap { folder: String, uid_validity: u32, uid: u32 },
    /// RFC 1939, section 7: the unique-id listing.
    Pop3 { uidl: String },
    /// On no server: a program delivered it through the API, and this is what
    /// it is known by.
    Api { key: String },
}

/// The folder of what was delivered through the API, as the ledger shows it.
pub const API_FOLDER: &str = "Web API";

impl Position {
    /// The folder as the ledger shows it.
    pub fn folder(&self) -> &str {
        match self {
            Self::Imap { folder, .. } => folder,
            Self::Pop3 { .. } => "INBOX",
            Self::Api { .. } => API_FOLDER,
        }
    }

    /// The rest of the position as the ledger stores it: `UIDVALIDITY/UID` or the UIDL.
    pub fn in_folder(&self) -> String {
        match self {
            Self::Imap { uid_validity, uid, .. } => format!("{uid_validity}/{uid}"),
            Self::Pop3 { uidl } => uidl.clone(),
            Self::Api { key } => key.clone(),
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.folder(), self.in_folder())
    }
}

/// How far a mailbox has been read. Moves only in the transaction that
/// records what was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cursor {
    Imap(ImapCursor),
    Pop3(Pop3Cursor),
}

impl Cursor {
    /// Leaves this message behind, read or not. One of the other protocol, or
    /// of another UIDVALIDITY, changes nothing.
    pub fn pass(&mut self, position: &Position) {
        match (self, position) {
            (Self::Imap(cursor), Position::Imap { uid_validity, uid, .. }) if cursor.uid_validity == *uid_validity => {
                cursor.next_uid = cursor.next_uid.max(uid.saturating_add(1));
            }
            (Self::Pop3(cursor), Position::Pop3 { uidl }) => {
                cursor.known.insert(uidl.clone());
            }
            _ => {}
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImapCursor {
    /// 0: this folder has never been opened.
    pub uid_validity: u32,
    /// The lowest UID not yet read.
    pub next_uid: u32,
    /// UIDNEXT when the folder was first opened (or re-opened with a new
    /// UIDVALIDITY). Only messages below it are subject to `since`: mail that
    /// is moved into the folder later counts as new whatever its date.
    pub backlog_end: u32,
    /// Process email from: the lower bound of the first cycle.
    pub since: Option<Timestamp>,
    /// RFC 7162, where the server has it.
    pub highest_modseq: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pop3Cursor {
    /// The UIDLs that the ledger knows already.
    pub known: BTreeSet<String>,
    pub since: Option<Timestamp>,
}

/// What is still to be done on the server for a message that is durably ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settle {
    pub position: Position,
    pub action: SettleAction,
    /// Size in bytes as it was read: the server must still say the same.
    pub size: u64,
    /// SHA-256 of the message's header section as it was read. Compared with
    /// the server's copy before anything is removed.
    pub header_digest: [u8; 32],
}

option_set! {
    /// What to do with a message on the server.
    pub enum SettleAction: "pr_settleaction" {
        Delete = 0 "Delete",
    }
}

/// How settling one message ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    Done,
    /// It was no longer there: somebody else removed it, or we did before a crash.
    AlreadyGone,
    /// What stands there is not what was read: it is left alone for good.
    Different,
    /// The server does not do it, or not to this message. It still stands there.
    Refused(Failure),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imap(uid_validity: u32, uid: u32) -> Position {
        Position::Imap { folder: "INBOX".into(), uid_validity, uid }
    }

    #[track_caller]
    fn check_pass(next_uid: u32, position: &Position, expected: u32) {
        let mut cursor = Cursor::Imap(ImapCursor { uid_validity: 7, next_uid, ..ImapCursor::default() });
        cursor.pass(position);
        assert_eq!(cursor, Cursor::Imap(ImapCursor { uid_validity: 7, next_uid: expected, ..ImapCursor::default() }));
    }

    #[test]
    fn passing_a_message_goes_on_behind_it() {
        check_pass(3, &imap(7, 3), 4);
        check_pass(3, &imap(7, 9), 10);
    }
    #[test]
    fn passing_never_goes_back() {
        check_pass(30, &imap(7, 3), 30);
    }
    #[test]
    fn what_belongs_elsewhere_is_not_passed() {
        check_pass(3, &imap(8, 3), 3);
        check_pass(3, &Position::Pop3 { uidl: "a".into() }, 3);
    }
    #[test]
    fn passing_in_pop3_makes_known() {
        let mut cursor = Cursor::Pop3(Pop3Cursor::default());
        cursor.pass(&Position::Pop3 { uidl: "a".into() });
        assert!(matches!(cursor, Cursor::Pop3(c) if c.known.contains("a")));
    }
}
