//! One body part: what its header says, and what became of its body.

use model::mail::{Encoding, Flaw};
use sha2::{Digest, Sha256};

use super::decode::Sink;
use super::fields::Fields;
use super::params;
use super::skeleton::Skeleton;

/// Content-* fields as far as they matter (RFC 2045, 2183).
#[derive(Debug, Default)]
pub struct PartHeader {
    /// Lower-case `type/subtype`; `text/plain` where missing or broken.
    pub mime_type: String,
    pub charset: Option<String>,
    pub boundary: Option<String>,
    /// `start` of a multipart/related (RFC 2387), without angle brackets.
    pub start: Option<String>,
    pub encoding: Encoding,
    pub attachment: bool,
    pub inline: bool,
    /// As given, decoded; not yet safe to use.
    pub name: Option<String>,
    pub content_id: Option<String>,
}

impl PartHeader {
    pub fn read(fields: &Fields<'_>, default_type: &str, flaws: &mut Vec<Flaw>) -> Self {
        let content_type = fields.first("content-type").map(|f| params::parse(&f)).unwrap_or_default();
        let disposition = fields.first("content-disposition").map(|f| params::parse(&f)).unwrap_or_default();
        let mime_type = match content_type.value.split_once('/') {
            Some((kind, sub)) if !kind.is_empty() && !sub.is_empty() && content_type.value.len() <= 255 => {
                content_type.value.clone()
            }
            _ => default_type.to_owned(),
        };
        let encoding = fields.first("content-transfer-encoding").map_or(Encoding::Identity, |f| encoding(&f, flaws));
        // 2,000 parts with names of a megabyte each would be a lot to keep.
        let short = |text: &str| text[..text.floor_char_boundary(1_000)].to_owned();
        let trimmed = |id: &str| short(id.trim().trim_start_matches('<').trim_end_matches('>').trim());
        let name = disposition.get("filename").or_else(|| content_type.get("name")).map(str::trim);
        Self {
            // A multipart is never encoded as a whole (RFC 2045, section 6.4).
            encoding: if mime_type.starts_with("multipart/") { Encoding::Identity } else { encoding },
            charset: content_type.get("charset").map(short),
            boundary: content_type
                .get("boundary")
                .map(|b| b.trim_end().to_owned())
                .filter(|b| (1..=1_000).contains(&b.len())),
            start: content_type.get("start").map(trimmed),
            attachment: disposition.value.starts_with("attachment"),
            inline: disposition.value == "inline",
            name: name.filter(|n| !n.is_empty()).map(short),
            content_id: fields.first("content-id").map(|id| trimmed(&id)).filter(|id| !id.is_empty()),
            mime_type,
        }
    }

    pub fn is_multipart(&self) -> bool {
        self.mime_type.starts_with("multipart/")
    }

    /// Message parts are read in turn, and so is what calls itself `*.eml`.
    pub fn may_be_message(&self) -> bool {
        self.is_message()
            || self.name.as_deref().is_some_and(|n| n.to_ascii_lowercase().ends_with(".eml"))
                && !self.mime_type.starts_with("image/")
    }

    pub fn is_message(&self) -> bool {
        matches!(self.mime_type.as_str(), "message/rfc822" | "message/global" | "message/news")
    }
}

fn encoding(field: &str, flaws: &mut Vec<Flaw>) -> Encoding {
    let word = field.trim().trim_matches(['"', ';', ' ']).to_ascii_lowercase();
    match word.split([' ', ';', '(']).next().unwrap_or_default() {
        "base64" | "b" => Encoding::Base64,
        "quoted-printable" | "quotedprintable" | "q" => Encoding::QuotedPrintable,
        "x-uuencode" | "x-uue" | "uuencode" => Encoding::Uuencode,
        "" | "7bit" | "8bit" | "binary" | "7-bit" | "8-bit" => Encoding::Identity,
        _ => {
            flaws.push(Flaw::BadEncoding(word));
            Encoding::Identity
        }
    }
}

/// A node of the tree. Offsets are those of the stream the engine reads.
#[derive(Debug)]
pub struct Part {
    pub header: PartHeader,
    pub parent: Option<usize>,
    pub children: Vec<usize>,
    pub depth: usize,
    pub start: u64,
    pub end: u64,
    pub body: Body,
}

/// Where the decoded bytes of a part go.
#[derive(Debug)]
pub enum Body {
    /// A multipart. Until its first part comes, what stands before it is
    /// kept: it may be all there is.
    Multipart(Text),
    /// A text that may be the body.
    Text(Text),
    /// A part that is only counted.
    Counted(Count),
    /// A message, read as it comes.
    Message { reader: Box<Skeleton>, count: Count },
}

/// Sizes of a decoded body.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    pub size: u64,
    /// Octets that are no white space; counted for text only, where line ends
    /// and trailing space change on the way.
    pub solid: u64,
}

/// Decoded bytes up to a limit.
#[derive(Debug, Default)]
pub struct Text {
    pub bytes: Vec<u8>,
    pub limit: usize,
    pub cut: bool,
    pub count: Count,
}

impl Sink for Text {
    fn write(&mut self, bytes: &[u8]) {
        let room = self.limit.saturating_sub(self.bytes.len());
        self.cut |= bytes.len() > room;
        let (kept, over) = bytes.split_at(bytes.len().min(room));
        self.bytes.extend_from_slice(kept);
        self.count.size += kept.len() as u64;
        if !over.is_empty() {
            Solid(&mut self.count).write(over);
        }
    }
}

impl Text {
    /// The sizes, were it an attachment.
    pub fn count(&self) -> Count {
        Count { size: self.count.size, solid: self.count.solid + solid(&self.bytes) }
    }
}

/// Counts what is no white space as well.
pub struct Solid<'a>(pub &'a mut Count);

impl Sink for Solid<'_> {
    fn write(&mut self, bytes: &[u8]) {
        self.0.size += bytes.len() as u64;
        self.0.solid += solid(bytes);
    }
}

fn solid(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|b| !b.is_ascii_whitespace()).count() as u64
}

impl Sink for Count {
    const ONLY_COUNTS: bool = true;

    fn skip(&mut self, octets: usize) {
        self.size += octets as u64;
    }

    fn write(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
    }
}

/// Hands on to the reader of an enclosed message.
pub struct Inner<'a>(pub &'a mut Skeleton, pub &'a mut Count);

impl Sink for Inner<'_> {
    fn write(&mut self, bytes: &[u8]) {
        self.1.write(bytes);
        self.0.push(bytes);
    }
}

/// SHA-256 of everything up to and including the first empty line.
#[derive(Debug, Default)]
pub struct HeaderHash {
    hash: Sha256,
    done: bool,
}

impl HeaderHash {
    pub fn line(&mut self, line: super::lines::Line<'_>) {
        if !self.done {
            self.hash.update(line.text);
            self.hash.update(line.end);
            self.done = line.is_empty() && !line.end.is_empty();
        }
    }

    pub fn finish(self) -> [u8; 32] {
        self.hash.finalize().into()
    }
}
