//! One message, everybody it may be for, and what they make of it together:
//! one email at most.

use std::collections::BTreeSet;

use model::change::Change;
use model::facts::{MailFacts, StoredEmail};
use model::mail::{BlobId, Mail, address_key};
use model::tables::{Disposition, QueueItem, State, Status};
use model::value::Ref;
use model::verdict::ReasonCode;
use model::{Entity, Id, Timestamp, words};

use super::email::{self, Making};
use super::{child_id, line, text};
use crate::matching::{self, Correlation};
use crate::parties;
use crate::routing::{self, Answer, Candidate};

/// A reason is read by people.
const MOST_LISTED: usize = 10;

/// How a message came here.
pub(crate) struct Road<'a> {
    pub mail: &'a Mail,
    pub received: Option<Timestamp>,
    pub blob: BlobId,
    /// Where in the blob the message stands; empty for the whole.
    pub place: String,
    pub candidates: Vec<Candidate<'a>>,
    /// Why somebody among the recipients is no candidate.
    pub notes: Vec<String>,
    /// The mailbox that was read.
    pub receiving: Ref,
    /// A program handed it over: of the message only some fields are known,
    /// and another copy of it looks different.
    pub handed: bool,
    /// Whose records go first when the sender is resolved.
    pub owner: Option<Ref>,
}

/// What came of it.
pub(crate) struct Delivered<'a> {
    /// The email with all that belongs to it, and queue items.
    pub changes: Vec<Change>,
    pub email: Option<Id>,
    pub disposition: Disposition,
    pub code: ReasonCode,
    pub why: String,
    pub answers: Vec<Answer<'a>>,
}

pub(crate) fn deliver<'a>(road: &Road<'a>, facts: &'a MailFacts, now: Timestamp) -> Delivered<'a> {
    let mail = road.mail;
    let Some(sender) = parties::sender(mail, facts, road.owner) else {
        let why = words!("Neither From nor Sender holds an address").to_string();
        let answers = road.candidates.iter().map(|c| unasked(c, ReasonCode::InvalidSender, &why)).collect();
        return nothing(Disposition::InvalidSender, ReasonCode::InvalidSender, why, answers);
    };
    let own: BTreeSet<String> = road.candidates.iter().map(|c| address_key(&c.served.mailbox.address)).collect();
    let correlation = matching::correlate(mail, facts, &own);
    let correlated = correlation.email.is_some();
    let answers: Vec<Answer<'_>> =
        road.candidates.iter().map(|c| routing::answer(c, &sender, correlated, &facts.organization)).collect();
    let known = matching::duplicate(mail, facts).or_else(|| matching::named(mail, facts).filter(|_| road.handed));
    let standing = known.or_else(|| {
        // One activity for email between users and queues: the sent one.
        let accepted = answers.iter().any(|a| a.accepts);
        matching::sent_from_here(mail, facts).filter(|_| accepted && facts.organization.ignore_internal)
    });
    if let Some(email) = standing {
        return duplicate(email, mail, answers, now);
    }
    let Some(first) = answers.iter().find(|a| a.accepts) else {
        return declined(road, &correlation, answers);
    };
    let id = email::id(road, now);
    let making = Making { id, road, facts, sender: &sender, correlation: &correlation, acceptor: first.served, now };
    let (mut changes, lost) = email::records(&making);
    changes.extend(queue_items(id, mail, &answers, &BTreeSet::new(), now));
    let mut why = accepted(&answers);
    add_notes(&mut why, &correlation.notes);
    if !lost.is_empty() {
        why.push_str(". ");
        why.push_str(&words!("Not kept as attachments: {0}", lost.join(", ")).to_string());
    }
    let code = first.code;
    Delivered { changes, email: Some(id), disposition: Disposition::Tracked, code, why, answers }
}

fn nothing<'a>(disposition: Disposition, code: ReasonCode, why: String, answers: Vec<Answer<'a>>) -> Delivered<'a> {
    Delivered { changes: Vec::new(), email: None, disposition, code, why, answers }
}

fn unasked<'a>(candidate: &Candidate<'a>, code: ReasonCode, why: &str) -> Answer<'a> {
    let Candidate { served, named } = *candidate;
    Answer { served, named, accepts: false, code, why: why.to_owned() }
}

/// The email is there. A queue that accepts the copy gets its item all the same.
fn duplicate<'a>(email: &StoredEmail, mail: &Mail, answers: Vec<Answer<'a>>, now: Timestamp) -> Delivered<'a> {
    let changes = queue_items(email.id, mail, &answers, &email.queues, now);
    let mut why = if email.is_outgoing {
        words!("The email is tracked already, as it was sent from here").to_string()
    } else {
        words!("The email is tracked already, from another copy").to_string()
    };
    if !changes.is_empty() {
        why.push_str("; ");
        why.push_str(&words!("it was put into the queue as well").to_string());
    }
    Delivered {
        changes,
        email: Some(email.id),
        disposition: Disposition::Duplicate,
        code: ReasonCode::Duplicate,
        why,
        answers,
    }
}

fn declined<'a>(road: &Road<'a>, correlation: &Correlation<'_>, answers: Vec<Answer<'a>>) -> Delivered<'a> {
    let internal = answers.iter().any(|a| a.code == ReasonCode::InternalEmailReject);
    let (disposition, code) = if internal {
        (Disposition::InternalEmail, ReasonCode::InternalEmailReject)
    } else if answers.iter().any(|a| a.named) {
        (Disposition::Filtered, ReasonCode::NoCorrelationMatch)
    } else {
        (Disposition::NoRecipientMatch, ReasonCode::NoRecipientMatch)
    };
    let mut why = listing(answers.iter());
    if disposition == Disposition::NoRecipientMatch {
        let nobody = words!("No recipient is a user or queue whose email is processed here");
        why = if why.is_empty() { nobody.to_string() } else { format!("{nobody}; {why}") };
    }
    add_notes(&mut why, &road.notes);
    add_notes(&mut why, &correlation.notes);
    nothing(disposition, code, why, answers)
}

/// Who accepted it and by which rule; then who did not.
fn accepted(answers: &[Answer<'_>]) -> String {
    let (yes, no): (Vec<_>, Vec<_>) = answers.iter().partition(|a| a.accepts);
    words!("Accepted: {0}", listing(yes.into_iter().chain(no))).to_string()
}

/// What the first few say.
fn listing<'a>(answers: impl Iterator<Item = &'a Answer<'a>>) -> String {
    let all: Vec<&str> = answers.map(|a| a.why.as_str()).collect();
    let more = all.len().saturating_sub(MOST_LISTED);
    let mut text = all.iter().take(MOST_LISTED).copied().collect::<Vec<_>>().join("; ");
    if more > 0 {
        text.push_str("; ");
        text.push_str(&words!("and {0} more", more).to_string());
    }
    text
}

fn add_notes(why: &mut String, notes: &[String]) {
    if !notes.is_empty() {
        why.push_str(". ");
        why.push_str(&words!("Note: {0}", notes.join("; ")).to_string());
    }
}

/// One item for each queue that accepts and has none yet.
fn queue_items(email: Id, mail: &Mail, answers: &[Answer<'_>], have: &BTreeSet<Id>, now: Timestamp) -> Vec<Change> {
    let queues = answers.iter().filter(|a| a.accepts && a.served.who.table == "queue").map(|a| a.served.who);
    let mut made = BTreeSet::new();
    queues
        .filter(|queue| !have.contains(&queue.id) && made.insert(queue.id))
        .map(|queue| {
            let mut item = QueueItem::blank(child_id(email, &[b"queueitem", queue.id.as_bytes()]));
            item.queue = Some(queue);
            item.object = Some(Ref::new("email", email));
            item.object_type = 4202;
            item.title = line(&mail.subject, 300);
            item.sender = parties::sender_address(mail).map(|a| line(&a.address, 250)).unwrap_or_default();
            item.to = text::address_list(mail.to.iter().map(|a| a.address.as_str()), 500);
            item.entered_on = Some(now);
            item.state = State::Active;
            item.status = Status::Active;
            // Two mailboxes may hold the same message at the same time.
            Change::Ensure(item.into_record())
        })
        .collect()
}
