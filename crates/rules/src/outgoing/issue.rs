//! The person's "send": from Draft to Pending Send.

use jiff::Timestamp;
use model::mail::is_address;
use model::tables::{Delivery, DeliveryState, Email, EmailStatus};
use model::work::Workload;
use model::{Change, Entity, Refusals, Secret, Update, words};

use super::{SendFacts, check, check_send, clipped};
use crate::{mailbox, schedule, token};

/// `SendEmail` with `IssueSend = true`. `token`: the tracking token that the
/// subject is to carry. The Message-ID is fixed here, before any attempt, and
/// stays the same however often it is tried; `key` signs it.
pub fn issue(
    facts: &SendFacts<'_>,
    now: Timestamp,
    token: Option<String>,
    key: Option<&Secret>,
) -> Result<Vec<Change>, Refusals> {
    check_send(facts)?;
    let mut email = prepared(facts, token, key);
    (email.status, email.state) = (EmailStatus::PendingSend, EmailStatus::PendingSend.state());
    email.delivery_attempts = 0;
    email.postponed_until = None;
    email.failure_reason = waiting_for(facts).unwrap_or_default();
    let mut changes = written(facts.email, &email);
    // A new start for those that were refused; whoever has it does not get it twice.
    changes.extend(
        facts
            .deliveries
            .iter()
            .filter(|delivery| delivery.state != DeliveryState::Accepted)
            .map(|delivery| Change::delete::<Delivery>(delivery.id)),
    );
    if let Some(mailbox) = facts.mailbox {
        // Now, even with Send Later: a later time would hold up others that are due.
        changes.extend(schedule::due(mailbox.id, Workload::Outgoing, now));
    }
    Ok(changes)
}

/// `SendEmail` with `IssueSend = false`: somebody sent it by other means.
/// Sender and recipients are not checked.
pub fn mark_sent(
    facts: &SendFacts<'_>,
    now: Timestamp,
    token: Option<String>,
    key: Option<&Secret>,
) -> Result<Vec<Change>, Refusals> {
    if let Some(fault) = check::state(facts.email) {
        return Err(fault.into());
    }
    let mut email = prepared(facts, token, key);
    (email.status, email.state) = (EmailStatus::Sent, EmailStatus::Sent.state());
    email.sent_on = Some(now);
    email.actual_end = Some(now);
    email.sort_date = Some(now);
    email.failure_reason = String::new();
    email.postponed_until = None;
    Ok(written(facts.email, &email))
}

/// Why the mailbox cannot send now, for the person who pressed Send.
pub(super) fn waiting_for(facts: &SendFacts<'_>) -> Option<String> {
    let Some(mailbox) = facts.mailbox else {
        return Some(words!("Waiting: the sender has no mailbox. Create the user's or queue's mailbox.").to_string());
    };
    let refusal = mailbox::may_process(mailbox, facts.profile, facts.organization, Workload::Outgoing).err()?;
    Some(clipped(&words!("Waiting: mailbox '{0}': {1}", mailbox.name, refusal.message).to_string(), 2000))
}

fn written(before: &Email, after: &Email) -> Vec<Change> {
    Update::between(before, after)
        .map(|update| Change::from(update.expect(Email::C.status, before.status)))
        .into_iter()
        .collect()
}

/// What both ways of sending set.
fn prepared(facts: &SendFacts<'_>, token: Option<String>, key: Option<&Secret>) -> Email {
    let mut email = facts.email.clone();
    if let Some(token) = token.filter(|token| !token.is_empty()) {
        email.subject = with_token(&email.subject, &token);
        email.tracking_token = token;
    }
    let sender = facts.senders().next();
    if email.message_id.is_empty() {
        email.message_id = message_id(&email, sender.map_or("", |party| party.address.trim()), key);
    }
    if let Some(sender) = sender {
        email.sender = clipped(sender.address.trim(), 250);
        email.email_sender = sender.party;
    }
    email.to_recipients = clipped(&addresses_in_to(facts), 500);
    email.sender_mailbox = facts.mailbox.map(Entity::reference);
    if let Some(parent) = facts.parent {
        email.in_reply_to = clipped(&parent.message_id, 320);
        email.references = parent.chain().join(" ");
        email.conversation = email.conversation.or(parent.conversation).or(Some(parent.id));
    }
    email.conversation = email.conversation.or(Some(email.id));
    email.attachment_count = i64::try_from(facts.attachments.len()).unwrap_or(i64::MAX);
    email
}

fn addresses_in_to(facts: &SendFacts<'_>) -> String {
    let mut text = String::new();
    for party in facts.recipients() {
        if party.participation == model::tables::Participation::To {
            text.push_str(party.address.trim());
            text.push(';');
        }
    }
    text
}

/// The subject has 800 characters; the token is never the part that is cut.
fn with_token(subject: &str, token: &str) -> String {
    if subject.contains(token) {
        return subject.to_owned();
    }
    let room = 800_usize.saturating_sub(token.chars().count() + 1);
    format!("{} {token}", clipped(subject.trim_end(), room).trim_end()).trim_start().to_owned()
}

/// RFC 5322, section 3.6.4: the email's id at the sender's domain, signed
/// where the organization has a key.
fn message_id(email: &Email, sender: &str, key: Option<&Secret>) -> String {
    let domain = sender.rsplit_once('@').map(|(_, domain)| domain).filter(|domain| is_address(&format!("x@{domain}")));
    let domain = domain.unwrap_or("postroom.invalid").to_lowercase();
    match key {
        Some(key) => token::message_id(email.id, &domain, key),
        None => format!("<postroom.{}@{domain}>", email.id.simple()),
    }
}
