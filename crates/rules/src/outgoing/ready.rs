//! Whether an email in Pending Send goes out now, and as what.

use jiff::{SignedDuration, Timestamp};
use model::mail::{Address, address_key};
use model::outgoing::{OutgoingAttachment, OutgoingMail};
use model::tables::{ActivityParty, Attachment, DeliveryState, Email, EmailStatus, Participation};
use model::{Change, Update, words};

use super::{SendFacts, after, check_send, issue, parent};
use crate::alert::{self, Alert};

/// An email as it goes to the server.
#[derive(Debug, Clone, PartialEq)]
pub struct Dispatch {
    pub envelope_from: String,
    /// Those whom no server has accepted or refused yet. Bcc is among them,
    /// and nowhere else.
    pub recipients: Vec<String>,
    /// Complete but for the bytes of the attachments.
    pub mail: OutgoingMail,
    /// Where the bytes of `mail.attachments` are, one for one.
    pub attachments: Vec<Attachment>,
    /// Ask for delivery status notifications (RFC 3461).
    pub delivery_receipt: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Ready {
    Yes(Box<Dispatch>),
    NotYet {
        /// In words, as the record says it.
        why: String,
        /// When it is worth to look again; `None`: when something changes.
        until: Option<Timestamp>,
        /// Writes `why` to the email, where it does not stand there yet.
        change: Option<Change>,
    },
    /// It will not be sent; `changes` end it, or are empty where it is ended already.
    Never {
        changes: Vec<Change>,
    },
}

pub fn ready(facts: &SendFacts<'_>, now: Timestamp) -> Ready {
    let email = facts.email;
    if email.status != EmailStatus::PendingSend {
        return Ready::Never { changes: Vec::new() };
    }
    if let Some(until) = email.delayed_send.filter(|until| *until > now) {
        return not_yet(
            email,
            words!("Waiting: to be sent at {0}, as Send Later says.", until).to_string(),
            Some(until),
        );
    }
    if let Some(until) = email.postponed_until.filter(|until| *until > now) {
        // The reason of the wait stands on the record since the last attempt.
        return Ready::NotYet { why: email.failure_reason.clone(), until: Some(until), change: None };
    }
    if let Some(why) = issue::waiting_for(facts) {
        return not_yet(email, why, None);
    }
    if let Some(until) = postponed(facts, now) {
        let why = words!("Waiting: sending from the mailbox is postponed until {0}.", until).to_string();
        return not_yet(email, why, Some(until));
    }
    // What was right when Send was pressed may have changed since.
    let pretended = Email { status: EmailStatus::Draft, ..email.clone() };
    if let Err(refusals) = check_send(&SendFacts { email: &pretended, ..facts.clone() }) {
        return Ready::Never { changes: refused(facts, &refusals.to_string(), now) };
    }
    let waiting: Vec<_> =
        facts.envelope().into_iter().filter(|address| facts.state_of(address) == DeliveryState::Waiting).collect();
    if waiting.is_empty() {
        return Ready::Never { changes: after::settle(facts, facts.deliveries.to_vec(), None, now) };
    }
    Ready::Yes(Box::new(dispatch(facts, waiting, now)))
}

fn postponed(facts: &SendFacts<'_>, now: Timestamp) -> Option<Timestamp> {
    let mailbox = facts.mailbox?;
    mailbox.postponed_until.max(mailbox.sending_postponed_until).filter(|until| *until > now)
}

fn not_yet(email: &Email, why: String, until: Option<Timestamp>) -> Ready {
    let change = (email.failure_reason != why).then(|| {
        Update::of::<Email>(email.id)
            .set(Email::C.failure_reason, why.clone())
            .expect(Email::C.status, EmailStatus::PendingSend)
            .into()
    });
    Ready::NotYet { why, until, change }
}

fn refused(facts: &SendFacts<'_>, why: &str, now: Timestamp) -> Vec<Change> {
    let email = facts.email;
    let update = Update::of::<Email>(email.id)
        .set(Email::C.status, EmailStatus::Failed)
        .set(Email::C.state, EmailStatus::Failed.state())
        .set(Email::C.failure_reason, super::clipped(&words!("Not sent: {0}", why).to_string(), 2000))
        .expect(Email::C.status, EmailStatus::PendingSend);
    let text = words!("The email '{0}' cannot be sent: {1}", email.subject, why);
    let alert = alert::on_email(Alert::error("outgoing-check", text), email, facts.organization, now);
    std::iter::once(update.into()).chain(alert).collect()
}

fn dispatch(facts: &SendFacts<'_>, recipients: Vec<String>, now: Timestamp) -> Dispatch {
    let email = facts.email;
    let from = facts.senders().next().map(address_of).unwrap_or_default();
    let mut attachments: Vec<_> = facts.attachments.to_vec();
    attachments.sort_by_key(|attachment| (attachment.number, attachment.id));
    let mail = OutgoingMail {
        message_id: email.message_id.clone(),
        date: now.round(jiff::Unit::Second).unwrap_or(now),
        to: in_field(facts, Participation::To),
        cc: in_field(facts, Participation::Cc),
        subject: email.subject.clone(),
        html: email.description.clone(),
        in_reply_to: parent::message_ids(&email.in_reply_to).into_iter().next(),
        references: parent::message_ids(&email.references),
        priority: email.priority,
        read_receipt: email.read_receipt,
        attachments: attachments.iter().map(outgoing_attachment).collect(),
        fields: vec![("X-Postroom-Email".to_owned(), email.id.to_string())],
        reply_to: Vec::new(),
        from,
    };
    Dispatch {
        envelope_from: mail.from.address.clone(),
        recipients,
        mail,
        attachments,
        delivery_receipt: email.delivery_receipt,
    }
}

/// Every recipient of the field stands in it, whoever has got the message already.
fn in_field(facts: &SendFacts<'_>, participation: Participation) -> Vec<Address> {
    let mut seen = std::collections::BTreeSet::new();
    facts
        .recipients()
        .into_iter()
        .filter(|party| party.participation == participation)
        .map(address_of)
        .filter(|address| !address.address.is_empty() && seen.insert(address_key(&address.address)))
        .collect()
}

fn address_of(party: &ActivityParty) -> Address {
    let name = if party.name.trim().is_empty() { party.unresolved_name.trim() } else { party.name.trim() };
    let address = party.address.trim();
    // An address as its own name says nothing.
    let name = if name.eq_ignore_ascii_case(address) { "" } else { name };
    Address::new(name, address)
}

fn outgoing_attachment(attachment: &Attachment) -> OutgoingAttachment {
    let content_id = attachment.content_id.trim().trim_start_matches('<').trim_end_matches('>');
    OutgoingAttachment {
        name: attachment.file_name.clone(),
        mime_type: if attachment.mime_type.is_empty() {
            "application/octet-stream".to_owned()
        } else {
            attachment.mime_type.clone()
        },
        content_id: (!content_id.is_empty()).then(|| content_id.to_owned()),
        bytes: Vec::new(),
    }
}

/// How long after the attempt a message may still turn up where it is looked for.
pub(super) const TURN_UP: SignedDuration = SignedDuration::from_secs(60);
