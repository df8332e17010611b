//! The ledger row of a message, and what is still to be done on the server.

use model::change::Change;
use model::facts::MailFacts;
use model::id::derived;
use model::mail::{BlobId, Mail};
use model::tables::{Disposition, LedgerEntry, Settlement, SettlementState};
use model::value::Ref;
use model::verdict::{ReasonCode, Verdict};
use model::work::{Position, SettleAction};
use model::{Entity, Id, Timestamp};

use super::{Arrival, cut, line, text, write};

/// A message and what the ledger says of it so far.
pub(crate) struct Seen<'a> {
    pub arrival: &'a Arrival,
    /// The row for this very position.
    here: Option<&'a LedgerEntry>,
    /// A finished row for the same message at another position.
    elsewhere: Option<&'a LedgerEntry>,
}

impl<'a> Seen<'a> {
    pub(crate) fn of(arrival: &'a Arrival, facts: &'a MailFacts) -> Self {
        let fingerprint = hex(&arrival.mail.fingerprint);
        let (folder, position) = (cut(arrival.position.folder(), 1000), cut(&arrival.position.in_folder(), 320));
        let is_here = |row: &&LedgerEntry| row.folder == folder && row.position == position;
        let id = message_id(&arrival.mail);
        let is_same = |row: &&LedgerEntry| {
            row.fingerprint == fingerprint && (row.message_id == id || row.message_id.is_empty() || id.is_empty())
        };
        let mine = || facts.ledger.iter().filter(|row| row.mailbox.is_some_and(|m| m.id == facts.mailbox.id));
        Self {
            arrival,
            here: mine().find(is_here),
            elsewhere: mine().find(|row| !is_here(row) && is_same(row) && finished(row.disposition)),
        }
    }

    /// The row of this position, where it says all there is to say: an email
    /// came of the message, or it is none of the kind that can. A server whose
    /// UIDs began anew may have put another message there.
    pub(super) fn finished_here(&self) -> Option<&'a LedgerEntry> {
        let mail = &self.arrival.mail;
        let is_same = |row: &&LedgerEntry| {
            row.fingerprint.is_empty()
                || row.fingerprint == hex(&mail.fingerprint)
                || row.header_digest.as_deref() == Some(&mail.header_digest[..])
        };
        self.here.filter(is_same).filter(|row| {
            row.activity.is_some() || matches!(row.disposition, Disposition::Forwarded | Disposition::TestMessage)
        })
    }

    pub(super) fn elsewhere(&self) -> Option<&'a LedgerEntry> {
        self.elsewhere
    }

    /// The ledger has a row already: it is written over.
    pub(crate) fn stands(&self) -> bool {
        self.here.is_some() || self.arrival.attempts > 0
    }

    /// The verdict for this message: its ledger row and settlement.
    pub(crate) fn verdict(
        &self,
        facts: &MailFacts,
        disposition: Disposition,
        code: ReasonCode,
        why: String,
        email: Option<Id>,
        now: Timestamp,
    ) -> Verdict {
        let why = text::sentence(&why);
        let row = Row {
            mailbox: Ref::new("mailbox", facts.mailbox.id),
            folder: self.arrival.position.folder(),
            position: &self.arrival.position.in_folder(),
            order: order(&self.arrival.position),
            received: self.arrival.received,
            blob: Some(self.arrival.blob),
            mail: Some(&self.arrival.mail),
            size: self.arrival.mail.size,
            attempts: self.arrival.attempts,
        };
        let mut entry = row.entry(disposition, &why, email, now);
        if let Some(here) = self.here {
            entry.id = here.id;
        }
        let mut changes = write(entry.into_record(), self.stands());
        changes.extend(self.settlement(facts, disposition));
        Verdict { changes, disposition, code, why, email }
    }

    /// The row of a mailbox that is served through a forward mailbox, for the
    /// `number`-th original that the message carried.
    pub(crate) fn served_row(&self, of: &ServedRow<'_>, now: Timestamp) -> Vec<Change> {
        let folder = format!("{}:{}", of.forward_address, self.arrival.position.folder());
        let position = format!("{}#{}", self.arrival.position.in_folder(), of.number);
        let row = Row {
            mailbox: of.mailbox,
            folder: &folder,
            position: &position,
            order: order(&self.arrival.position),
            received: self.arrival.received,
            blob: Some(self.arrival.blob),
            mail: Some(of.mail),
            size: of.mail.size,
            attempts: self.arrival.attempts,
        };
        let entry = row.entry(of.disposition, &text::sentence(of.why), of.email, now);
        write(entry.into_record(), self.stands())
    }

    /// Where the mailbox deletes what it has processed.
    pub(super) fn settlement(&self, facts: &MailFacts, disposition: Disposition) -> Option<Change> {
        if matches!(self.arrival.position, Position::Api { .. }) {
            // It stands on no server.
            return None;
        }
        let mailbox = &facts.mailbox;
        let own_test = disposition == Disposition::TestMessage;
        let deletes =
            mailbox.delete_after && (mailbox.is_forward || mailbox.regarding.is_some_and(|r| r.table == "queue"));
        if !(own_test || deletes && finished(disposition)) {
            return None;
        }
        let position = &self.arrival.position;
        let id = row_id(b"settlement", mailbox.id, position.folder(), &position.in_folder(), order(position));
        let mut row = Settlement::blank(id);
        row.mailbox = Some(Ref::new("mailbox", mailbox.id));
        row.folder = cut(position.folder(), 1000);
        row.position = cut(&position.in_folder(), 320);
        row.action = SettleAction::Delete;
        row.size = octets(self.arrival.mail.size);
        row.header_digest = Some(self.arrival.mail.header_digest.to_vec());
        row.state = SettlementState::Due;
        Some(Change::Ensure(row.into_record()))
    }
}

/// What a served mailbox's row says.
pub(crate) struct ServedRow<'a> {
    pub mailbox: Ref,
    pub forward_address: &'a str,
    /// Counts from 1.
    pub number: usize,
    pub mail: &'a Mail,
    pub disposition: Disposition,
    pub why: &'a str,
    pub email: Option<Id>,
}

/// Evaluated to the end, whatever the result: nothing more is wanted from the
/// server's copy.
pub(crate) fn finished(disposition: Disposition) -> bool {
    use Disposition as D;
    match disposition {
        D::Waiting | D::Failed | D::Unclaimed | D::Unreadable | D::TooOld | D::TooLarge => false,
        D::Tracked
        | D::Duplicate
        | D::Filtered
        | D::NoRecipientMatch
        | D::InternalEmail
        | D::InvalidSender
        | D::Forwarded
        | D::TestMessage
        | D::SeenBefore
        | D::OwnCopy => true,
    }
}

/// A message that is not decided about. Its row may or may not stand there,
/// depending on how earlier attempts ended.
pub(super) struct Standing<'a> {
    pub mailbox: Ref,
    pub position: &'a Position,
    pub received: Option<Timestamp>,
    pub blob: Option<BlobId>,
    pub mail: Option<&'a Mail>,
    pub size: u64,
    pub attempts: i64,
}

impl Standing<'_> {
    pub(super) fn row(&self, disposition: Disposition, why: &str, now: Timestamp) -> Vec<Change> {
        let row = Row {
            mailbox: self.mailbox,
            folder: self.position.folder(),
            position: &self.position.in_folder(),
            order: order(self.position),
            received: self.received,
            blob: self.blob,
            mail: self.mail,
            size: self.size,
            attempts: self.attempts,
        };
        write(row.entry(disposition, why, None, now).into_record(), true)
    }
}

struct Row<'a> {
    mailbox: Ref,
    folder: &'a str,
    position: &'a str,
    order: Timestamp,
    received: Option<Timestamp>,
    blob: Option<BlobId>,
    mail: Option<&'a Mail>,
    size: u64,
    attempts: i64,
}

impl Row<'_> {
    fn entry(&self, disposition: Disposition, why: &str, email: Option<Id>, now: Timestamp) -> LedgerEntry {
        let id = row_id(b"ledger", self.mailbox.id, self.folder, self.position, self.order);
        let mut entry = LedgerEntry::blank(id);
        entry.mailbox = Some(self.mailbox);
        entry.folder = cut(self.folder, 1000);
        entry.position = cut(self.position, 320);
        if let Some(mail) = self.mail {
            entry.message_id = message_id(mail);
            entry.fingerprint = hex(&mail.fingerprint);
            entry.subject = line(&mail.subject, 800);
            entry.from = mail.from.first().map(|a| line(&a.address, 320)).unwrap_or_default();
            entry.header_digest = Some(mail.header_digest.to_vec());
        }
        entry.received_on = self.received;
        entry.seen_on = Some(now);
        entry.disposition = disposition;
        entry.reason = cut(why, 4000);
        entry.activity = email.map(|id| Ref::new("email", id));
        entry.attempts = self.attempts;
        entry.size = octets(self.size);
        entry.blob = self.blob.map(|b| b.0.to_vec());
        entry
    }
}

/// The same row for the same position, whenever it is written.
fn row_id(kind: &[u8], mailbox: Id, folder: &str, position: &str, order: Timestamp) -> Id {
    derived(order, &[kind, mailbox.as_bytes(), folder.as_bytes(), position.as_bytes()])
}

/// Takes the place of a moment in the row's id. No clock gives the same answer
/// on every attempt; the UID does, and it grows too.
fn order(position: &Position) -> Timestamp {
    let millis = match position {
        Position::Imap { uid, .. } => i64::from(*uid),
        Position::Pop3 { .. } | Position::Api { .. } => 0,
    };
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn message_id(mail: &Mail) -> String {
    mail.message_id.as_deref().map(|id| line(id, 1000)).unwrap_or_default()
}

fn octets(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX).min(9_007_199_254_740_991)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, b| {
        let _ = write!(text, "{b:02x}");
        text
    })
}
