//! A message as rules see it: decoded, with its flaws as data.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use crate::tables::Priority;

/// A mailbox in the sense of RFC 5322, section 3.4.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Address {
    pub name: String,
    /// `local@domain` as written, without comments and angle brackets.
    pub address: String,
}

impl Address {
    pub fn new(name: impl Into<String>, address: impl Into<String>) -> Self {
        Self { name: name.into(), address: address.into() }
    }

    /// What addresses are compared by.
    pub fn key(&self) -> String {
        address_key(&self.address)
    }
}

/// Addresses compare without regard to case, in the local part too: no mail
/// system that people use tells them apart.
pub fn address_key(address: &str) -> String {
    address.trim().to_lowercase()
}

/// Whether this can be an address at all: one `@` outside quotes with
/// something on both sides, no spaces, control characters or angle brackets.
pub fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let plain = |s: &str| !s.chars().any(|c| c.is_control() || c.is_whitespace() || "<>(),;:\\\"".contains(c));
    let quoted = local.len() > 2
        && local.starts_with('"')
        && local.ends_with('"')
        && !local.chars().any(|c| c.is_control() || "<>".contains(c))
        && is_quoted(&local[1..local.len() - 1]);
    !local.is_empty()
        && text.len() <= 320
        && (quoted || (plain(local) && !local.contains('@')))
        && !domain.is_empty()
        && (plain(domain) || (domain.starts_with('[') && domain.ends_with(']')))
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && !domain.contains("..")
}

/// Whether this can stand between the quotes of a local part: a quote inside
/// has to be escaped, else what follows it is something else.
fn is_quoted(inner: &str) -> bool {
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c == '"' || (c == '\\' && chars.next().is_none()) {
            return false;
        }
    }
    true
}

/// SHA-256 of a raw message: its name in the blob store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlobId(pub [u8; 32]);

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl TryFrom<&[u8]> for BlobId {
    type Error = std::array::TryFromSliceError;
    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        <[u8; 32]>::try_from(bytes).map(Self)
    }
}

/// Where a blob's bytes stand in the blob store's segment files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBlob {
    pub id: BlobId,
    /// Number of the segment file.
    pub segment: i64,
    /// Octets from the start of the segment to the record's header.
    pub start: i64,
    /// Octets that the record takes up, header included.
    pub stored: i64,
    /// Octets of the content.
    pub raw: i64,
}

/// Content-Transfer-Encoding (RFC 2045, section 6) as far as it changes bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Encoding {
    /// 7bit, 8bit, binary
    #[default]
    Identity,
    Base64,
    QuotedPrintable,
    /// `x-uuencode`
    Uuencode,
}

/// A stretch of bytes and how they are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stretch {
    pub offset: u64,
    pub length: u64,
    pub encoding: Encoding,
}

/// Where a part's bytes stand in a blob: a stretch of the blob; where a part
/// sits inside an enclosed message that was itself transfer-encoded, a stretch
/// of the decoded bytes of the one before.
///
/// As text: `1024+500:base64/0+20:identity`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Place(pub Vec<Stretch>);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, s) in self.0.iter().enumerate() {
            let encoding = match s.encoding {
                Encoding::Identity => "identity",
                Encoding::Base64 => "base64",
                Encoding::QuotedPrintable => "quoted-printable",
                Encoding::Uuencode => "uuencode",
            };
            let slash = if n > 0 { "/" } else { "" };
            write!(f, "{slash}{}+{}:{encoding}", s.offset, s.length)?;
        }
        Ok(())
    }
}

/// The text of a place cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a place in a message")]
pub struct NotAPlace(pub String);

impl FromStr for Place {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        let stretch = |part: &str| {
            let (span, encoding) = part.split_once(':')?;
            let (offset, length) = span.split_once('+')?;
            let encoding = match encoding {
                "identity" => Encoding::Identity,
                "base64" => Encoding::Base64,
                "quoted-printable" => Encoding::QuotedPrintable,
                "uuencode" => Encoding::Uuencode,
                _ => return None,
            };
            Some(Stretch { offset: offset.parse().ok()?, length: length.parse().ok()?, encoding })
        };
        let stretches: Option<Vec<_>> = text.split('/').map(stretch).collect();
        stretches.map(Self).ok_or_else(|| NotAPlace(text.to_owned()))
    }
}

/// A message, read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mail {
    /// With angle brackets, white space removed; `None` where missing or empty.
    pub message_id: Option<String>,
    pub in_reply_to: Vec<String>,
    /// Oldest first, as in the field.
    pub references: Vec<String>,
    /// The bytes of Thread-Index (MS-OXOMSG), where it is valid base64 of at least 22 bytes.
    pub conversation_index: Option<Vec<u8>>,
    pub date: Option<Timestamp>,
    pub subject: String,
    pub from: Vec<Address>,
    pub sender: Option<Address>,
    pub reply_to: Vec<Address>,
    pub to: Vec<Address>,
    pub cc: Vec<Address>,
    pub bcc: Vec<Address>,
    /// Envelope recipients that servers noted: Delivered-To, X-Original-To,
    /// Envelope-To, Resent-To/Cc/Bcc, `Received: … for <…>`; in that order.
    pub delivered_to: Vec<String>,
    pub priority: Priority,
    pub read_receipt: bool,
    /// Written by a program (RFC 3834 Auto-Submitted, Precedence, null
    /// return-path, list or auto-reply markers): never answered automatically.
    pub automatic: bool,
    pub html: Option<String>,
    pub text: Option<String>,
    /// A body was cut because it is larger than the limit.
    pub truncated: bool,
    pub attachments: Vec<Attached>,
    /// `message/rfc822` parts in order of appearance. They stand among the
    /// attachments as well.
    pub enclosed: Vec<Enclosed>,
    /// X-Postroom-* fields (lower-case name, value): marks on our own mail.
    pub marks: Vec<(String, String)>,
    /// SHA-256 over what stays the same on every road a copy takes. See `formats::mime`.
    pub fingerprint: [u8; 32],
    /// SHA-256 of the raw header section with the empty line that ends it.
    pub header_digest: [u8; 32],
    /// Octets of the whole message.
    pub size: u64,
    /// The raw header section, decoded leniently; at most 64 KiB.
    pub headers: String,
    pub flaws: Vec<Flaw>,
}

/// A part that is not the body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attached {
    /// File name without any path; made up from the type where none is given.
    pub name: String,
    pub mime_type: String,
    /// Without angle brackets.
    pub content_id: Option<String>,
    pub inline: bool,
    /// Octets after decoding; for parts too large to look at, an estimate from the encoded size.
    pub size: u64,
    pub place: Place,
}

/// A message inside a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Enclosed {
    pub mail: Mail,
    pub place: Place,
}

/// Something that is not as the standard wants it. Never a reason to refuse.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Flaw {
    NoHeaderEnd,
    MissingDate,
    BadDate(String),
    MissingFrom,
    SeveralFrom,
    BadAddress(String),
    MissingMessageId,
    BadMessageId(String),
    UnknownCharset(String),
    BadEncoding(String),
    UnterminatedMultipart,
    TooDeep,
    TooManyParts,
    NullBytes,
    Other(String),
}
