//! The email that a message becomes, with its parties and attachments.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::change::Change;
use model::facts::{MailFacts, Served};
use model::id::derived;
use model::mail::{Attached, Mail};
use model::tables::{Attachment, Email, EmailStatus, Notifications};
use model::value::{Ref, Value};
use model::{Entity, Id, Timestamp};

use super::deliver::Road;
use super::{child_id, cut, line, text};
use crate::matching::{self, Correlation};
use crate::parties::{self, Sender};
use crate::routing;

/// The column takes 2048 characters of base64.
const LONGEST_INDEX: usize = 1536;

/// What is nested deeper than this is shown with all that encloses it.
const LONGEST_PLACE: usize = 400;

const LONGEST_REFERENCES: usize = 8_000;

/// What an email is made from.
pub(super) struct Making<'m, 'a> {
    pub id: Id,
    pub road: &'m Road<'a>,
    pub facts: &'m MailFacts,
    pub sender: &'m Sender<'m>,
    pub correlation: &'m Correlation<'m>,
    /// The first who accepts.
    pub acceptor: &'m Served,
    pub now: Timestamp,
}

/// The same message decided twice gives the same email.
pub(super) fn id(road: &Road<'_>, now: Timestamp) -> Id {
    derived(road.received.unwrap_or(now), &[b"email", matching::duplicate_key(road.mail).as_bytes()])
}

/// The email, its parties, its attachments; and what of the attachments was
/// not kept, with the reason.
pub(super) fn records(making: &Making<'_, '_>) -> (Vec<Change>, Vec<String>) {
    let mail = making.road.mail;
    let (attachments, lost) = attachments(making);
    let mut email = email(making);
    email.attachment_count = i64::try_from(attachments.len()).unwrap_or(i64::MAX);
    email.notifications = if !lost.is_empty() {
        Notifications::AttachmentsBlocked
    } else if mail.truncated {
        Notifications::TruncatedBody
    } else {
        Notifications::None
    };
    let mut record = email.into_record();
    record.set("activitytypecode", Value::Text("email".to_owned()));
    if let Some(account) = making.sender.account() {
        record.set("sendersaccount", Value::Ref(account));
    }
    let mut changes = vec![Change::Create(record)];
    changes.extend(parties::rows(making.id, mail, making.sender, making.facts));
    changes.extend(attachments);
    (changes, lost)
}

fn email(making: &Making<'_, '_>) -> Email {
    let Making { id, road, facts, sender, correlation, acceptor, now } = *making;
    let mail = road.mail;
    let mut email = Email::blank(id);
    email.subject = line(&mail.subject, 800);
    email.description = body(mail.html.as_deref(), mail.text.as_deref());
    email.owner = routing::owner(mail, facts, correlation.email, sender, Some(acceptor));
    email.is_outgoing = false;
    email.sender = line(&sender.address.address, 250);
    email.to_recipients = text::address_list(mail.to.iter().map(|a| a.address.as_str()), 500);
    email.submitted_by = mail.sender.as_ref().map(|a| line(&a.address, 250)).unwrap_or_default();
    email.email_sender = sender.record.map(|k| k.record).filter(|r| r.table != "team" && r.table != "businessunit");
    email.ambiguous_sender = sender.ambiguous;
    email.message_id = matching::own_id(mail);
    // Of what was handed over only the Message-ID is what it was on the way.
    if !road.handed {
        email.duplicate_key = Some(matching::duplicate_key(mail));
        email.fingerprint = Some(mail.fingerprint.to_vec());
    }
    email.in_reply_to = mail.in_reply_to.first().map(|id| matching::id_key(id)).unwrap_or_default();
    email.references = references(mail);
    email.conversation_index = mail
        .conversation_index
        .as_ref()
        .map(|index| STANDARD.encode(&index[..index.len().min(LONGEST_INDEX)]))
        .unwrap_or_default();
    email.conversation_hash = matching::conversation_hash(mail);
    correlate(&mut email, correlation);
    email.accepting_entity = Some(acceptor.who);
    email.receiving_mailbox = Some(road.receiving);
    email.priority = mail.priority;
    email.sent_on = mail.date;
    email.received_on = Some(road.received.unwrap_or(now));
    email.actual_end = email.received_on;
    email.sort_date = email.received_on;
    email.read_receipt = mail.read_receipt;
    email.headers = cut(&mail.headers, 65_536);
    email.blob = Some(road.blob.0.to_vec());
    if road.place.len() <= LONGEST_PLACE {
        email.raw_place.clone_from(&road.place);
    }
    email.status = EmailStatus::Received;
    email.state = EmailStatus::Received.state();
    email
}

/// The newest that fit, whole ones only: an answer from here continues them.
fn references(mail: &Mail) -> String {
    let mut room = LONGEST_REFERENCES;
    let fits = |id: &&String| {
        let fit = id.len() < room;
        room = room.saturating_sub(id.len() + 1);
        fit
    };
    let newest: Vec<&str> = mail.references.iter().rev().take_while(fits).map(String::as_str).collect();
    cut(&newest.into_iter().rev().collect::<Vec<_>>().join(" "), LONGEST_REFERENCES)
}

fn correlate(email: &mut Email, correlation: &Correlation<'_>) {
    email.tracking_token = cut(&correlation.token, 50);
    email.correlation = correlation.method;
    let Some(answered) = correlation.email else {
        email.conversation = Some(email.id);
        return;
    };
    let link = Some(Ref::new("email", answered.id));
    email.correlated = link;
    email.parent = link.filter(|_| correlation.is_parent());
    email.regarding = answered.regarding;
    email.conversation = Some(answered.conversation.unwrap_or(answered.id));
}

fn body(html: Option<&str>, text: Option<&str>) -> String {
    match (html, text) {
        (Some(html), _) if !html.trim().is_empty() => cut(html, usize::MAX),
        (_, Some(text)) if !text.trim().is_empty() => text::text_as_html(text),
        _ => String::new(),
    }
}

/// A row for each part that the organization's settings let through. The
/// bytes stay in the message's blob either way.
fn attachments(making: &Making<'_, '_>) -> (Vec<Change>, Vec<String>) {
    let organization = &making.facts.organization;
    let limit = u64::try_from(organization.max_upload).unwrap_or(0);
    let mut changes = Vec::new();
    let mut lost = Vec::new();
    for (number, part) in (1_i64..).zip(&making.road.mail.attachments) {
        let place = part.place.to_string();
        let reason = if is_blocked(&part.name, &organization.blocked_attachments) {
            "files of this kind are blocked"
        } else if part.size > limit {
            "larger than the organization allows"
        } else if place.len() > 400 {
            "nested too deeply"
        } else {
            changes.push(Change::create(row(making, part, number, place)));
            continue;
        };
        lost.push(format!("{} ({reason})", line(&part.name, 100)));
    }
    (changes, lost)
}

fn row(making: &Making<'_, '_>, part: &Attached, number: i64, place: String) -> Attachment {
    let mut row = Attachment::blank(child_id(making.id, &[b"attachment", &number.to_be_bytes()]));
    row.object = Some(Ref::new("email", making.id));
    row.object_type = "email".to_owned();
    row.file_name = line(&part.name, 255);
    row.mime_type = line(&part.mime_type, 256);
    row.content_id = part.content_id.as_deref().map(|id| line(id, 250)).unwrap_or_default();
    row.is_inline = part.inline;
    row.number = number;
    row.size = i64::try_from(part.size).unwrap_or(i64::MAX).min(1_000_000_000);
    row.blob = Some(making.road.blob.0.to_vec());
    row.place = place;
    row
}

/// By the last extension: `photo.jpg.exe ` is an exe.
fn is_blocked(name: &str, blocked: &str) -> bool {
    let trimmed = name.trim_end_matches(|c: char| c == '.' || c.is_whitespace() || c.is_control());
    let Some((_, extension)) = trimmed.rsplit_once('.') else { return false };
    blocked
        .split(';')
        .map(|b| b.trim().trim_start_matches('.'))
        .any(|b| !b.is_empty() && b.eq_ignore_ascii_case(extension))
}
