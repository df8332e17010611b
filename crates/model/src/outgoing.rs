//! What an outgoing message consists of, before it is bytes.

use jiff::Timestamp;

use crate::mail::Address;
use crate::tables::Priority;

/// An email ready to be written as MIME. There is no Bcc here: it belongs to
/// the envelope alone.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OutgoingMail {
    /// With angle brackets; fixed before the first attempt.
    pub message_id: String,
    pub date: Timestamp,
    pub from: Address,
    pub reply_to: Vec<Address>,
    pub to: Vec<Address>,
    pub cc: Vec<Address>,
    pub subject: String,
    /// HTML; the plain-text alternative is made from it.
    pub html: String,
    pub in_reply_to: Option<String>,
    pub references: Vec<String>,
    pub priority: Priority,
    pub read_receipt: bool,
    pub attachments: Vec<OutgoingAttachment>,
    /// More fields, e.g. `X-Postroom-Email`. Names and values are checked when written.
    pub fields: Vec<(String, String)>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct OutgoingAttachment {
    pub name: String,
    pub mime_type: String,
    /// Set: an inline part that the HTML refers to as `cid:…`.
    pub content_id: Option<String>,
    pub bytes: Vec<u8>,
}
