//! Writing a message: 7-bit safe, no randomness, nothing injected.
//!
//! Structure: `mixed(related(alternative(text, html), inline…), attachments…)`
//! reduced to the levels that have something in them. Texts are
//! quoted-printable, everything else base64. Boundaries are derived from the
//! Message-ID and checked not to occur in what they part.

mod body;
mod header;
mod plain;

use model::mail::{Address, is_address};
use model::outgoing::{OutgoingAttachment, OutgoingMail};
use model::tables::Priority;
use sha2::{Digest, Sha256};

use header::Header;
pub use plain::from_html;

/// A message as bytes, its lines ending in CRLF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub bytes: Vec<u8>,
    /// An address is not ASCII: the server has to know SMTPUTF8 (RFC 6531).
    pub needs_utf8: bool,
}

/// A value cannot be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteError {
    /// The header field or the attachment: `Subject`, `attachment 2`.
    pub field: String,
    pub reason: &'static str,
}

impl std::fmt::Display for WriteError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.field, self.reason)
    }
}

impl std::error::Error for WriteError {}

impl WriteError {
    fn new(field: &str, reason: &'static str) -> Self {
        Self { field: field.to_owned(), reason }
    }
}

/// Fields that `OutgoingMail::fields` may not set: they are written from the
/// values of their own, belong to the envelope, or to the transport.
const RESERVED: &[&str] = &[
    "bcc",
    "cc",
    "content-disposition",
    "content-id",
    "content-transfer-encoding",
    "content-type",
    "date",
    "disposition-notification-to",
    "from",
    "importance",
    "in-reply-to",
    "message-id",
    "mime-version",
    "received",
    "references",
    "reply-to",
    "resent-bcc",
    "return-path",
    "sender",
    "subject",
    "to",
    "x-priority",
];

/// Ids of a thread that are written: more make a field that some server refuses.
const REFERENCES: usize = 60;

/// Writes the message.
///
/// # Errors
/// A value with CR, LF or NUL in a header field, an address that is none, a
/// Message-ID that is none, a field that is not for setting.
pub fn write(mail: &OutgoingMail) -> Result<Written, WriteError> {
    let mut header = Header::default();
    head(&mut header, mail)?;
    for (n, attachment) in mail.attachments.iter().enumerate() {
        check(&format!("attachment {}", n + 1), &[&attachment.name, &attachment.mime_type])?;
        check(&format!("attachment {}", n + 1), &[attachment.content_id.as_deref().unwrap_or_default()])?;
    }
    let needs_utf8 = header.needs_utf8;
    let mut bytes = header.finish();
    let root = structure(mail);
    let mut boundaries = Boundaries { seed: &mail.message_id, count: 0 };
    root.write(&mut bytes, &mut boundaries);
    Ok(Written { bytes, needs_utf8 })
}

fn head(out: &mut Header, mail: &OutgoingMail) -> Result<(), WriteError> {
    check("Date", &[])?;
    out.plain("Date", &date(mail.date));
    out.addresses("From", std::slice::from_ref(&mail.from))?;
    for (name, list) in [("Reply-To", &mail.reply_to), ("To", &mail.to), ("Cc", &mail.cc)] {
        if !list.is_empty() {
            out.addresses(name, list)?;
        }
    }
    if mail.to.is_empty() && mail.cc.is_empty() {
        // RFC 5322 wants no recipient field at all, but some servers one.
        out.plain("To", "undisclosed-recipients:;");
    }
    check("Subject", &[&mail.subject])?;
    out.text("Subject", &mail.subject);
    check("Message-ID", &[&mail.message_id])?;
    if !is_id(&mail.message_id) {
        return Err(WriteError::new("Message-ID", "is not of the form <left@right>"));
    }
    out.plain("Message-ID", &mail.message_id);
    for id in mail.in_reply_to.iter().chain(&mail.references) {
        check("References", &[id])?;
    }
    // An id that came in with somebody's broken mail is left out rather than
    // keeping the answer from being sent.
    if let Some(id) = mail.in_reply_to.as_deref().filter(|id| is_id(id)) {
        out.plain("In-Reply-To", id);
    }
    let references: Vec<&str> = mail.references.iter().map(String::as_str).filter(|id| is_id(id)).collect();
    let skip = references.len().saturating_sub(REFERENCES);
    // The first one names the thread, the last ones the place in it.
    let kept: Vec<&str> =
        references.iter().enumerate().filter(|(n, _)| *n == 0 || *n > skip).map(|(_, id)| *id).collect();
    if !kept.is_empty() {
        out.plain("References", &kept.join(" "));
    }
    match mail.priority {
        Priority::High => {
            out.plain("Importance", "high");
            out.plain("X-Priority", "1");
        }
        Priority::Low => {
            out.plain("Importance", "low");
            out.plain("X-Priority", "5");
        }
        Priority::Normal => {}
    }
    if mail.read_receipt {
        out.addresses("Disposition-Notification-To", std::slice::from_ref(&mail.from))?;
    }
    for (name, value) in &mail.fields {
        let valid = !name.is_empty() && name.len() <= 76 && name.bytes().all(|b| (33..=126).contains(&b) && b != b':');
        if !valid || RESERVED.iter().any(|r| r.eq_ignore_ascii_case(name)) {
            return Err(WriteError::new(&name.escape_default().to_string(), "is not a header field that may be set"));
        }
        check(name, &[value])?;
        out.text(name, value);
    }
    out.plain("MIME-Version", "1.0");
    Ok(())
}

/// No value may carry what ends a line.
fn check(field: &str, values: &[&str]) -> Result<(), WriteError> {
    if values.iter().any(|v| v.contains(['\r', '\n', '\0'])) {
        return Err(WriteError::new(field, "contains a line break or NUL"));
    }
    Ok(())
}

fn check_address(field: &str, address: &Address) -> Result<(), WriteError> {
    check(field, &[&address.name, &address.address])?;
    if !is_address(&address.address) {
        return Err(WriteError::new(field, "has an address that is none"));
    }
    Ok(())
}

fn is_id(id: &str) -> bool {
    id.len() <= 900
        && id.bytes().all(|b| (33..=126).contains(&b))
        && id.strip_prefix('<').and_then(|i| i.strip_suffix('>')).is_some_and(|i| {
            !i.contains(['<', '>']) && i.split_once('@').is_some_and(|(l, r)| !l.is_empty() && !r.is_empty())
        })
}

/// RFC 5322, section 3.3, in UTC.
fn date(at: jiff::Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// The parts of the message and how they nest.
enum Node<'a> {
    Text(&'static str, String),
    File(&'a OutgoingAttachment, bool),
    Multi(&'static str, Vec<Node<'a>>),
}

fn structure(mail: &OutgoingMail) -> Node<'_> {
    let mut root = Node::Multi(
        "multipart/alternative",
        vec![Node::Text("text/plain", plain::from_html(&mail.html)), Node::Text("text/html", mail.html.clone())],
    );
    let (inline, attached): (Vec<_>, Vec<_>) = mail.attachments.iter().partition(|a| a.content_id.is_some());
    for (kind, files, is_inline) in [("multipart/related", inline, true), ("multipart/mixed", attached, false)] {
        if !files.is_empty() {
            let files = files.into_iter().map(|a| Node::File(a, is_inline));
            root = Node::Multi(kind, std::iter::once(root).chain(files).collect());
        }
    }
    root
}

impl Node<'_> {
    /// The part's header fields, the empty line and the body.
    fn write(&self, out: &mut Vec<u8>, boundaries: &mut Boundaries<'_>) {
        match self {
            Self::Text(mime_type, text) => body::text(mime_type, text, out),
            Self::File(attachment, inline) => body::file(attachment, *inline, out),
            Self::Multi(mime_type, nodes) => {
                let mut parts = Vec::with_capacity(nodes.len());
                for node in nodes {
                    let mut part = Vec::new();
                    node.write(&mut part, boundaries);
                    parts.push(part);
                }
                let boundary = boundaries.next(&parts);
                let mut header = Header::default();
                let extra = if *mime_type == "multipart/related" { "; type=\"multipart/alternative\"" } else { "" };
                header.plain("Content-Type", &format!("{mime_type}; boundary=\"{boundary}\"{extra}"));
                out.extend_from_slice(&header.finish());
                out.extend_from_slice(b"\r\n");
                for part in parts {
                    out.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
                    out.extend_from_slice(&part);
                    out.extend_from_slice(b"\r\n");
                }
                out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
            }
        }
    }
}

struct Boundaries<'a> {
    seed: &'a str,
    count: u32,
}

impl Boundaries<'_> {
    /// A boundary that occurs in none of the parts. `=_` cannot occur in
    /// quoted-printable nor in base64 (RFC 2045, section 6.7), but header
    /// fields of the parts come from outside.
    fn next(&mut self, parts: &[Vec<u8>]) -> String {
        loop {
            self.count += 1;
            let digest = Sha256::digest(format!("{}\0{}", self.seed, self.count).as_bytes());
            let hex: String = digest[..16].iter().map(|b| format!("{b:02x}")).collect();
            let boundary = format!("=_{hex}");
            let finder = memchr::memmem::Finder::new(boundary.as_bytes());
            if parts.iter().all(|part| finder.find(part).is_none()) {
                return boundary;
            }
        }
    }
}

#[cfg(test)]
mod tests;
