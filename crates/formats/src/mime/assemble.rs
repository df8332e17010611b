//! From the tree of parts to the message as rules see it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::mail::{Address, Attached, Enclosed, Encoding, Flaw, Mail, Place, Stretch};

use super::charset::{field_text, unstructured};
use super::fields::Fields;
use super::fingerprint::{self, Measure};
use super::part::{Body, Part};
use super::skeleton::Skeleton;
use super::tree::Tree;
use super::{address, body, date, ids, names, signals};

/// Octets of the header section that `Mail::headers` shows.
const HEADERS: usize = 64 * 1024;
/// More flaws tell nothing new.
const FLAWS: usize = 100;

/// `base`: where the message stands in the outermost one; empty for that one.
pub(super) fn mail(tree: Tree, base: &[Stretch]) -> Mail {
    let Tree { mut parts, message_header, hash, size, mut flaws, nulls, .. } = tree;
    if nulls {
        flaws.push(Flaw::NullBytes);
    }
    let fields = Fields::split(&message_header);
    let mut mail = Mail { size, header_digest: hash.finish(), ..Mail::default() };
    header(&mut mail, &fields, &mut flaws);
    mail.headers = headers(&message_header);

    let chosen = body::choose(&mut parts, &mut flaws);
    (mail.html, mail.text, mail.truncated) = (chosen.html, chosen.text, chosen.truncated);
    let mime_type = parts.first().map(|p| p.header.mime_type.clone()).unwrap_or_default();
    mail.automatic = signals::automatic(&fields, &mime_type, &mail);

    let mut measures = Vec::with_capacity(chosen.attachments.len());
    for index in chosen.attachments {
        if let Some(part) = parts.get_mut(index) {
            measures.push(attach(&mut mail, part, base));
        }
    }
    mail.fingerprint = fingerprint::of(&mail, measures);
    flaws.truncate(FLAWS);
    mail.flaws = flaws;
    mail
}

fn headers(section: &[u8]) -> String {
    let mut text = field_text(&section[..section.len().min(HEADERS)]).into_owned();
    if text.contains('\0') {
        text.retain(|c| c != '\0');
    }
    text
}

fn header(mail: &mut Mail, fields: &Fields<'_>, flaws: &mut Vec<Flaw>) {
    match fields.first("message-id") {
        Some(field) => {
            mail.message_id = ids::own(&field, flaws);
        }
        None => flaws.push(Flaw::MissingMessageId),
    }
    let lists = |name: &str| {
        fields
            .all(name)
            .map(|f| ids::list(&f))
            .reduce(|mut a, b| {
                a.extend(b);
                a
            })
            .unwrap_or_default()
    };
    mail.in_reply_to = lists("in-reply-to");
    mail.references = lists("references");
    mail.conversation_index = fields.first("thread-index").and_then(|f| thread_index(&f));
    mail.date = match fields.first("date") {
        Some(field) => {
            let date = date::parse(&field);
            if date.is_none() {
                flaws.push(Flaw::BadDate(short(&field)));
            }
            date
        }
        None => {
            flaws.push(Flaw::MissingDate);
            None
        }
    };
    mail.subject = fields.first("subject").map(|s| unstructured(&s)).unwrap_or_default();
    let mut addresses = |name: &str| {
        let mut out: Vec<Address> = Vec::new();
        fields.all(name).for_each(|f| address::list(&f, &mut out, flaws));
        out
    };
    mail.from = addresses("from");
    mail.sender = addresses("sender").into_iter().next();
    mail.reply_to = addresses("reply-to");
    mail.to = addresses("to");
    mail.cc = addresses("cc");
    mail.bcc = addresses("bcc");
    if mail.from.is_empty() {
        flaws.push(Flaw::MissingFrom);
    } else if mail.from.len() > 1 || fields.all("from").count() > 1 {
        flaws.push(Flaw::SeveralFrom);
    }
    mail.delivered_to = signals::delivered_to(fields);
    mail.priority = signals::priority(fields);
    mail.read_receipt = signals::read_receipt(fields);
    mail.marks = fields
        .iter()
        .filter(|(name, _)| name.get(..11).is_some_and(|n| n.eq_ignore_ascii_case("x-postroom-")))
        .map(|(name, value)| (name.to_ascii_lowercase(), unstructured(&value)))
        .collect();
}

fn thread_index(field: &str) -> Option<Vec<u8>> {
    let letters: String = field.split_whitespace().collect();
    STANDARD.decode(letters).ok().filter(|bytes| bytes.len() >= 22)
}

fn short(text: &str) -> String {
    unstructured(&text[..text.floor_char_boundary(200)])
}

/// Adds the part to the attachments, and to the enclosed messages if it is
/// one; what it contributes to the fingerprint.
fn attach(mail: &mut Mail, part: &mut Part, base: &[Stretch]) -> (String, Measure) {
    let header = &part.header;
    let place = place(base, part.start, part.end - part.start, header.encoding);
    let body = std::mem::replace(&mut part.body, Body::Counted(Default::default()));
    let text = header.mime_type.starts_with("text/");
    let (count, enclosed) = match body {
        Body::Text(text) | Body::Multipart(text) => (text.count(), None),
        Body::Counted(count) => (count, None),
        Body::Message { reader, count } => (count, enclosed(*reader, header.is_message(), &place)),
    };
    let subject = enclosed.as_ref().map(|m| m.subject.as_str());
    let name = names::safe(header.name.as_deref(), &header.mime_type, subject);
    mail.attachments.push(Attached {
        name: name.clone(),
        mime_type: header.mime_type.clone(),
        content_id: header.content_id.clone(),
        inline: !header.attachment && (header.inline || header.content_id.is_some()),
        size: count.size,
        place: place.clone(),
    });
    let measure = match enclosed {
        Some(inner) => {
            let fingerprint = inner.fingerprint;
            mail.enclosed.push(Enclosed { mail: inner, place });
            Measure::Message(fingerprint)
        }
        None => Measure::Size(if text { count.solid } else { count.size }),
    };
    (name, measure)
}

/// The message inside, unless the part only pretends.
fn enclosed(reader: Skeleton, declared: bool, place: &Place) -> Option<Mail> {
    let tree = reader.into_tree();
    if tree.size == 0 || !declared && !looks_like_message(&tree) {
        return None;
    }
    Some(mail(tree, &place.0))
}

fn looks_like_message(tree: &Tree) -> bool {
    let fields = Fields::split(&tree.message_header);
    let usual = ["from", "to", "date", "subject", "message-id", "received", "mime-version"];
    usual.iter().filter(|name| fields.has(name)).count() >= 2
}

/// A stretch of what `base` leads to. Within untouched bytes it is a stretch
/// of the same blob.
fn place(base: &[Stretch], offset: u64, length: u64, encoding: Encoding) -> Place {
    let mut stretches = base.to_vec();
    match stretches.last_mut() {
        Some(last) if last.encoding == Encoding::Identity => {
            *last = Stretch { offset: last.offset + offset, length, encoding };
        }
        _ => stretches.push(Stretch { offset, length, encoding }),
    }
    Place(stretches)
}
