//! What becomes of a message that was read from a mailbox.
//!
//! Whether it was seen before, is a copy of something that is there already,
//! whom it is for and who of them accepts it, what it answers, and all the
//! records that follow: see [`decide`].

use model::change::Change;
use model::facts::{MailFacts, MailKeys};
use model::mail::{BlobId, Mail};
use model::tables::{Disposition, LedgerEntry, Mailbox, Organization};
use model::value::Ref;
use model::verdict::{ReasonCode, Verdict};
use model::work::Position;
use model::{Entity, Id, Timestamp, Update, words};

use crate::alert::{self, Alert};
use crate::routing;

mod deliver;
mod email;
pub mod handed;
mod keys;
mod learn;
mod ledger;
mod settled;
mod stumble;
mod text;

pub(crate) use deliver::{Delivered, Road, deliver};
pub(crate) use learn::learn as learn_changes;
pub(crate) use ledger::{Seen, ServedRow};
pub use settled::settled;
pub use stumble::{gives_up, is_suspect};
pub(crate) use text::{cut, line};

/// How often a message that alone goes wrong is tried.
pub const ATTEMPTS: i64 = 5;
/// The mark on a test's message; its value is the mailbox's id.
pub const TEST_MARK: &str = "x-postroom-test";

/// `IsvAborted`: what making a record of a message failed with.
const INTEGRATION_ERROR: u32 = 0x8004_0265;

/// A message as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrival {
    pub mail: Mail,
    pub position: Position,
    /// When the server received it, where it says so.
    pub received: Option<Timestamp>,
    /// Under which the raw message is kept.
    pub blob: BlobId,
    /// How often it was tried before: 0 for a message that has no ledger row yet.
    pub attempts: i64,
}

/// What is known of a message that cannot be handled.
#[derive(Debug, Clone, Copy)]
pub struct Poison<'a> {
    /// The mailbox that was read.
    pub mailbox: &'a Mailbox,
    /// Says whether there are alerts.
    pub organization: &'a Organization,
    pub position: &'a Position,
    pub received: Option<Timestamp>,
    pub blob: Option<BlobId>,
    /// Where it could be read at all.
    pub mail: Option<&'a Mail>,
    /// Octets, where they are known.
    pub size: u64,
}

impl Arrival {
    /// The same message when deciding or committing it failed.
    pub fn poison<'a>(&'a self, facts: &'a MailFacts) -> Poison<'a> {
        Poison {
            mailbox: &facts.mailbox,
            organization: &facts.organization,
            position: &self.position,
            received: self.received,
            blob: Some(self.blob),
            mail: Some(&self.mail),
            size: self.mail.size,
        }
    }
}

/// Everything that [`decide`] will want to know about these messages and what
/// they enclose. `prefixes`: what tracking tokens may begin with.
pub fn keys(arrivals: &[Arrival], mailbox: Id, prefixes: &[String]) -> MailKeys {
    keys::keys(arrivals, mailbox, prefixes)
}

/// Decides about one message, for direct and forward mailboxes alike. The
/// same facts give the same verdict, identifiers included.
pub fn decide(arrival: &Arrival, facts: &MailFacts, now: Timestamp) -> Verdict {
    if arrival.mail.fingerprint == [0; 32] {
        // Even an empty message has a fingerprint. This one was not read, and
        // must be neither mistaken for another nor deleted as handled.
        let error = &words!("the message could not be parsed").to_string();
        return failed(&arrival.poison(facts), arrival.attempts + 1, error, now);
    }
    let seen = Seen::of(arrival, facts);
    if let Some(row) = seen.finished_here() {
        return again(row, &seen, facts);
    }
    if let Some(row) = seen.elsewhere() {
        return moved(row, &seen, facts, now);
    }
    if is_test(&arrival.mail, &facts.mailbox) {
        let why = words!("A configuration test sent it from this mailbox to itself").to_string();
        return seen.verdict(facts, Disposition::TestMessage, ReasonCode::Unknown, why, None, now);
    }
    if facts.mailbox.is_forward {
        return crate::forward::decide(arrival, &seen, facts, now);
    }
    direct(arrival, &seen, facts, now)
}

/// Makes the facts say what they will say once the verdict is committed, so
/// that later messages of a batch see earlier ones.
pub fn learn(facts: &mut MailFacts, verdict: &Verdict) {
    learn::learn(facts, &verdict.changes);
}

/// Something went wrong with this message alone. It waits and is tried again;
/// after [`ATTEMPTS`] it counts as failed and raises an alert, and can still
/// be processed again. `attempts`: how often it was tried, this time included.
pub fn failed(message: &Poison<'_>, attempts: i64, error: &str, now: Timestamp) -> Verdict {
    let (disposition, why) = failure(attempts, error);
    let standing = ledger::Standing {
        mailbox: message.mailbox.reference(),
        position: message.position,
        received: message.received,
        blob: message.blob,
        mail: message.mail,
        size: message.size,
        attempts,
    };
    let mut changes = standing.row(disposition, &why, now);
    if disposition == Disposition::Failed {
        let place = message.position.to_string();
        changes.extend(given_up(message.mailbox, message.organization, &place, &why, now));
    }
    Verdict { changes, disposition, code: ReasonCode::Unknown, why, email: None }
}

fn failure(attempts: i64, error: &str) -> (Disposition, String) {
    let (disposition, why) = if attempts >= ATTEMPTS {
        (Disposition::Failed, words!("Failed {0} times, at last because: {1}", attempts, error).to_string())
    } else {
        (
            Disposition::Waiting,
            words!("Attempt {0} of {1} failed and will be repeated: {2}", attempts, ATTEMPTS, error).to_string(),
        )
    };
    (disposition, text::sentence(&why))
}

/// A message that waits in the ledger cannot even be read again: its raw form
/// is missing or damaged. Counts as one more attempt that [`failed`].
pub fn failed_again(
    row: &LedgerEntry,
    mailbox: &Mailbox,
    organization: &Organization,
    error: &str,
    now: Timestamp,
) -> Verdict {
    let attempts = row.attempts + 1;
    let (disposition, why) = failure(attempts, error);
    let update = Update::of::<LedgerEntry>(row.id)
        .set(LedgerEntry::C.disposition, disposition)
        .set(LedgerEntry::C.reason, cut(&why, 4000))
        .set(LedgerEntry::C.attempts, attempts)
        .set(LedgerEntry::C.seen_on, Some(now));
    let mut changes = vec![update.into()];
    if disposition == Disposition::Failed {
        let place = format!("{}:{}", row.folder, row.position);
        changes.extend(given_up(mailbox, organization, &place, &why, now));
    }
    Verdict { changes, disposition, code: ReasonCode::Unknown, why, email: None }
}

/// Minutes that a message waits after its first, second, … failed attempt.
const PAUSES: [i64; 4] = [1, 5, 15, 60];

/// The filter for messages that wait and may be tried now: `attempts`, and
/// until when the last of them must have been.
pub fn ripe(now: Timestamp) -> Vec<(i64, Timestamp)> {
    let before = |minutes| now.checked_sub(model::SignedDuration::from_mins(minutes)).unwrap_or(Timestamp::MIN);
    (1..).zip(PAUSES).map(|(attempts, minutes)| (attempts, before(minutes))).collect()
}

/// The server lists the message but does not deliver it.
pub fn undeliverable(
    mailbox: &Mailbox,
    organization: &Organization,
    position: &Position,
    why: &str,
    now: Timestamp,
) -> Verdict {
    let mut verdict = passed_over(mailbox.reference(), position, Disposition::Unreadable, why, now);
    let text = words!(
        "The server lists a message but does not deliver it ({0}). {1} It is left where it is, and the mailbox \
         goes on without it. Open the message in a mail program: if that cannot show it either, ask the administrator \
         of the mail server to repair the mailbox, or delete it; otherwise send it to this address again. There may \
         be more: look for 'The server did not deliver it' in the ledger of the mailbox.",
        position,
        verdict.why
    );
    let alert = Alert::error("incoming-message-undeliverable", text).code(INTEGRATION_ERROR);
    verdict.changes.extend(alert::on_mailbox(alert, mailbox, organization, now));
    verdict
}

/// A ledger row for a message that was never read: too old, too large, or not
/// to be had.
pub fn passed_over(mailbox: Ref, position: &Position, disposition: Disposition, why: &str, now: Timestamp) -> Verdict {
    let why = text::sentence(why);
    let standing = ledger::Standing { mailbox, position, received: None, blob: None, mail: None, size: 0, attempts: 0 };
    let changes = standing.row(disposition, &why, now);
    Verdict { changes, disposition, code: ReasonCode::Unknown, why, email: None }
}

fn given_up(mailbox: &Mailbox, organization: &Organization, place: &str, why: &str, now: Timestamp) -> Option<Change> {
    let text = words!(
        "A message could not be made an email ({0}). {1} It stays on the server and in the ledger; when the cause \
         is removed, process it again from the mailbox's ledger.",
        place,
        why
    );
    let alert = Alert::error("incoming-message-failed", text).code(INTEGRATION_ERROR);
    alert::on_mailbox(alert, mailbox, organization, now)
}

/// The work was done before and runs a second time: nothing is left but to
/// make sure that settling is remembered.
fn again(row: &LedgerEntry, seen: &Seen<'_>, facts: &MailFacts) -> Verdict {
    Verdict {
        changes: seen.settlement(facts, row.disposition).into_iter().collect(),
        disposition: Disposition::SeenBefore,
        code: ReasonCode::Duplicate,
        why: words!("It was handled before: {0}", text::sentence(&row.reason)).to_string(),
        email: row.activity.map(|a| a.id),
    }
}

/// The same message stands under a new position.
fn moved(row: &LedgerEntry, seen: &Seen<'_>, facts: &MailFacts, now: Timestamp) -> Verdict {
    let why = words!(
        "The same message was seen before in {0} at {1} ({2}); nothing is made twice",
        row.folder,
        row.position,
        row.disposition.label().to_lowercase()
    )
    .to_string();
    let email = row.activity.map(|a| a.id);
    let mut verdict = seen.verdict(facts, Disposition::SeenBefore, ReasonCode::Duplicate, why, email, now);
    // What the earlier row says decides whether it may go from the server.
    verdict.changes.retain(|c| c.target().table != "pr_settlement");
    verdict.changes.extend(seen.settlement(facts, row.disposition));
    verdict
}

/// Only a test of this mailbox, sent from it to itself: others cannot hide
/// mail by adding a field.
pub(crate) fn is_test(mail: &Mail, mailbox: &Mailbox) -> bool {
    let id = mailbox.id.to_string();
    let marked = mail.marks.iter().any(|(name, value)| name == TEST_MARK && value.trim().eq_ignore_ascii_case(&id));
    let own = model::mail::address_key(&mailbox.address);
    marked && crate::parties::sender_address(mail).is_some_and(|a| a.key() == own)
}

fn direct(arrival: &Arrival, seen: &Seen<'_>, facts: &MailFacts, now: Timestamp) -> Verdict {
    let mail = &arrival.mail;
    let (candidates, notes) = routing::candidates(mail, facts);
    if let Some(sent) = own_copy(mail, facts) {
        let why = words!("A copy of an email that was sent from this mailbox").to_string();
        return seen.verdict(facts, Disposition::OwnCopy, ReasonCode::Duplicate, why, Some(sent), now);
    }
    let road = Road {
        mail,
        received: arrival.received,
        blob: arrival.blob,
        place: String::new(),
        handed: matches!(arrival.position, Position::Api { .. }),
        candidates,
        notes,
        receiving: Ref::new("mailbox", facts.mailbox.id),
        owner: facts.served.iter().find(|s| s.mailbox.id == facts.mailbox.id).map(|s| s.owner),
    };
    let Delivered { changes, email, disposition, code, why, .. } = deliver(&road, facts, now);
    let mut verdict = seen.verdict(facts, disposition, code, why, email, now);
    // Records first: the ledger row refers to them.
    verdict.changes.splice(0..0, changes);
    verdict
}

/// What was sent from this mailbox and stands in it without having been sent
/// to it: some servers put a copy there.
fn own_copy(mail: &Mail, facts: &MailFacts) -> Option<Id> {
    let own = model::mail::address_key(&facts.mailbox.address);
    let from_here = crate::parties::sender_address(mail).is_some_and(|a| a.key() == own);
    let to_here = routing::recipients(mail).any(|key| key == own);
    if !from_here || to_here {
        return None;
    }
    crate::matching::sent_from_here(mail, facts).map(|e| e.id)
}

/// The id of a row that belongs to an email; near the email's own, and the
/// same whenever it is derived.
pub(crate) fn child_id(email: Id, parts: &[&[u8]]) -> Id {
    let mut millis = [0_u8; 8];
    millis[2..].copy_from_slice(&email.as_bytes()[..6]);
    let at = i64::try_from(u64::from_be_bytes(millis)).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let mut all: Vec<&[u8]> = vec![email.as_bytes()];
    all.extend_from_slice(parts);
    model::id::derived(at.unwrap_or(Timestamp::UNIX_EPOCH), &all)
}

/// Changes that make a row be there with these values whether or not it was.
pub(crate) fn write(record: model::Record, stands: bool) -> Vec<Change> {
    if !stands {
        return vec![Change::Create(record)];
    }
    let set = record.values.iter().map(|(name, value)| (*name, value.clone())).collect();
    let update = model::Update { set, ..model::Update::row(record.table, record.id) };
    vec![Change::Ensure(record), Change::Update(update)]
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod world;
