//! Made-up mail, the same for the same seed.
//!
//! The messages look like what mail programs write: CRLF line ends, folded
//! headers, quoted-printable or base64 where it is due, legacy charsets where
//! people still use them.

mod random;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

pub use random::Random;

/// What kind of message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// text/plain, US-ASCII.
    Plain,
    /// multipart/alternative: plain text and HTML.
    Html,
    /// multipart/related inside multipart/alternative, a picture by `cid:`.
    InlinePicture,
    /// multipart/mixed: a PDF, a text file, and a name that is not ASCII.
    Attachments,
    /// text/plain in UTF-8, quoted-printable, with an encoded subject.
    Utf8,
    /// text/plain in ISO-2022-JP.
    Iso2022Jp,
    /// text/plain in KOI8-R, 8bit.
    Koi8R,
}

impl Kind {
    pub const ALL: [Self; 7] =
        [Self::Plain, Self::Html, Self::InlinePicture, Self::Attachments, Self::Utf8, Self::Iso2022Jp, Self::Koi8R];
}

/// Everything that a message can be asked to be.
#[derive(Debug, Clone)]
pub struct Draft<'a> {
    pub seed: u64,
    pub kind: Kind,
    /// As in the header: `kim@customer.test` or `Kim <kim@customer.test>`.
    pub from: &'a str,
    pub to: &'a [&'a str],
    pub cc: &'a [&'a str],
    pub subject: &'a str,
    /// Message-IDs of the thread so far with their angle brackets, oldest first.
    pub references: &'a [String],
    /// Roughly how many bytes of body text or of attachments.
    pub size: usize,
}

/// A message of some 2 KiB, more where there is a picture or an attachment.
pub fn message(seed: u64, kind: Kind, from: &str, to: &str, subject: &str) -> Vec<u8> {
    Draft { seed, kind, from, to: &[to], cc: &[], subject, references: &[], size: 2000 }.write()
}

/// The Message-ID, with its angle brackets, of the message with this seed.
pub fn message_id(seed: u64) -> String {
    format!("<{:016x}.{seed}@mail.customer.test>", Random::new(seed).next())
}

/// A conversation of `length` messages between two people who take turns.
pub fn thread(seed: u64, one: &str, other: &str, subject: &str, length: u64) -> Vec<Vec<u8>> {
    let ids: Vec<_> = (0..length).map(|turn| message_id(seed + turn)).collect();
    let turn = |(index, turn): (usize, u64)| {
        let (from, to) = if turn % 2 == 0 { (one, other) } else { (other, one) };
        let subject = if turn == 0 { subject.to_owned() } else { format!("Re: {subject}") };
        let references = ids.get(..index).unwrap_or_default();
        let to = &[to];
        Draft { seed: seed + turn, kind: Kind::Plain, from, to, cc: &[], subject: &subject, references, size: 800 }
            .write()
    };
    (0..).zip(0..length).map(turn).collect()
}

/// Number `number` of a mailbox as people have it: of 100 messages about 45 are
/// plain, 35 HTML, 8 with pictures, 8 with attachments, 4 in old charsets; most
/// of a few KiB, some of 100 KiB, few of more. The mean is some 20 KiB.
pub fn mixed(number: u64, from: &str, to: &str) -> Vec<u8> {
    let mut random = Random::new(number ^ 0x006d_6978);
    let kind = match random.below(100) {
        0..45 => Kind::Plain,
        45..80 => Kind::Html,
        80..88 => Kind::InlinePicture,
        88..96 => Kind::Attachments,
        96 | 97 => Kind::Utf8,
        98 => Kind::Iso2022Jp,
        _ => Kind::Koi8R,
    };
    let size = match (kind, random.below(100)) {
        (Kind::Attachments, 0..10) => 300_000 + random.below(400_000),
        (Kind::Attachments, _) => 20_000 + random.below(150_000),
        (Kind::InlinePicture, _) => 10_000 + random.below(60_000),
        (Kind::Html, _) => 2_000 + random.below(18_000),
        _ => 300 + random.below(4_000),
    };
    let subject = format!("{} {number}", sentence(&mut random).trim_end_matches('.'));
    Draft { seed: number, kind, from, to: &[to], cc: &[], subject: &subject, references: &[], size }.write()
}

/// A plain message of `size` bytes, give or take a line.
pub fn sized(number: u64, size: usize, from: &str, to: &str) -> Vec<u8> {
    let subject = format!("Message {number}");
    let size = size.saturating_sub(400);
    Draft { seed: number, kind: Kind::Plain, from, to: &[to], cc: &[], subject: &subject, references: &[], size }
        .write()
}

impl Draft<'_> {
    /// The message as it would lie in a mailbox, with CRLF line ends.
    pub fn write(&self) -> Vec<u8> {
        let mut random = Random::new(self.seed);
        let mut out = self.header(&mut random).into_bytes();
        let boundary = format!("=_{:016x}", random.next());
        out.extend_from_slice(&match self.kind {
            Kind::Plain => ascii(&paragraphs(&mut random, self.size)),
            Kind::Html => alternative(&mut random, &boundary, self.size, ""),
            Kind::InlinePicture => related(&mut random, &boundary, self.size),
            Kind::Attachments => mixed_parts(&mut random, &boundary, self.size),
            Kind::Utf8 => utf8(&mut random, self.size),
            Kind::Iso2022Jp => japanese(self.size),
            Kind::Koi8R => russian(self.size),
        });
        out
    }

    fn header(&self, random: &mut Random) -> String {
        let subject = match self.kind {
            Kind::Utf8 => encoded_word("utf-8", format!("Grüße: {}", self.subject).as_bytes()),
            Kind::Iso2022Jp => encoded_word("ISO-2022-JP", KONNICHIWA) + " " + self.subject,
            Kind::Koi8R => encoded_word("KOI8-R", PRIVET) + " " + self.subject,
            _ if self.subject.is_ascii() => self.subject.to_owned(),
            _ => encoded_word("utf-8", self.subject.as_bytes()),
        };
        let age = SignedDuration::from_mins(i64::try_from(self.seed % 500_000).unwrap_or(0));
        // 2 November 2025 and the year that follows.
        let date = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_762_074_000) + age;
        let date = jiff::fmt::rfc2822::to_string(&date.to_zoned_datetime(TimeZone::UTC)).unwrap_or_default();
        let mut header = format!("Return-Path: <{}>\r\n", bare_address(self.from));
        header += &format!(
            "Received: from mail.customer.test (mail.customer.test [192.0.2.{}])\r\n\
             \tby mx.localhost with ESMTPS id {:012X};\r\n\t{date}\r\n",
            random.below(250) + 1,
            random.next() >> 16
        );
        header += &format!("Message-ID: {}\r\nDate: {date}\r\nFrom: {}\r\n", message_id(self.seed), self.from);
        header += &format!("To: {}\r\n", self.to.join(",\r\n "));
        if !self.cc.is_empty() {
            header += &format!("Cc: {}\r\n", self.cc.join(",\r\n "));
        }
        header += &format!("Subject: {subject}\r\n");
        if let Some(parent) = self.references.last() {
            header += &format!("In-Reply-To: {parent}\r\nReferences: {}\r\n", self.references.join("\r\n "));
        }
        header + "MIME-Version: 1.0\r\n"
    }
}

const KONNICHIWA: &[u8] = b"\x1b$B$3$s$K$A$O\x1b(B";
const PRIVET: &[u8] = &[0xf0, 0xd2, 0xc9, 0xd7, 0xc5, 0xd4];

/// A picture of one pixel.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\
    \0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82";

const WORDS: [&str; 40] = [
    "the", "offer", "we", "delivery", "for", "your", "machine", "next", "week", "meeting", "about", "contract",
    "please", "send", "invoice", "with", "order", "number", "and", "price", "of", "new", "model", "to", "our",
    "office", "in", "support", "question", "answer", "is", "not", "yet", "ready", "customer", "project", "team", "on",
    "Monday", "thanks",
];

fn sentence(random: &mut Random) -> String {
    let count = 5 + random.below(9);
    let words: Vec<&str> = (0..count).map(|_| random.pick(&WORDS, "the")).collect();
    let mut sentence = words.join(" ");
    if let Some(first) = sentence.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    sentence + "."
}

/// Lines of at most 78 characters with CRLF, of about `size` bytes in all.
fn paragraphs(random: &mut Random, size: usize) -> String {
    let mut text = String::with_capacity(size + 100);
    let mut width = 0;
    while text.len() < size.max(20) {
        for word in sentence(random).split(' ') {
            if width + word.len() > 76 {
                text.push_str("\r\n");
                width = 0;
            }
            text.push_str(word);
            text.push(' ');
            width += word.len() + 1;
        }
        if random.below(5) == 0 {
            text.push_str("\r\n\r\n");
            width = 0;
        }
    }
    text.push_str("\r\n");
    text
}

fn ascii(text: &str) -> Vec<u8> {
    format!("Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\n{text}").into_bytes()
}

/// Plain text and HTML; `extra` is HTML for the end of the body.
fn alternative(random: &mut Random, boundary: &str, size: usize, extra: &str) -> Vec<u8> {
    let text = paragraphs(random, size / 3);
    let mut html =
        String::from("<html><head><style>p { margin: 0 0 1em; font-family: sans-serif; }</style></head>\r\n<body>");
    for paragraph in text.split("\r\n\r\n") {
        html += &format!("<p style=\"color: #333333; line-height: 1.4\">{}</p>\r\n", paragraph.trim_end());
    }
    html += &format!("{extra}</body></html>\r\n");
    format!(
        "Content-Type: multipart/alternative;\r\n\tboundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n{}\r\n--{boundary}\r\n\
         Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{}\r\n--{boundary}--\r\n",
        String::from_utf8_lossy(&ascii(&text)),
        quoted_printable(&html)
    )
    .into_bytes()
}

fn related(random: &mut Random, boundary: &str, size: usize) -> Vec<u8> {
    let outer = format!("{boundary}r");
    let id = format!("image{}@mail.customer.test", random.below(1000));
    let body = alternative(random, boundary, 2000, &format!("<p><img src=\"cid:{id}\" alt=\"Logo\"></p>"));
    // Viewers ignore what follows the picture's end.
    let picture = [PNG, &random.bytes(size.saturating_sub(3000))].concat();
    let mut out = format!(
        "Content-Type: multipart/related; type=\"multipart/alternative\";\r\n\tboundary=\"{outer}\"\r\n\r\n--{outer}\r\n"
    )
    .into_bytes();
    out.extend_from_slice(&body);
    out.extend_from_slice(
        format!(
            "\r\n--{outer}\r\nContent-Type: image/png; name=\"logo.png\"\r\nContent-ID: <{id}>\r\n\
             Content-Disposition: inline; filename=\"logo.png\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--{outer}--\r\n",
            base64_lines(&picture)
        )
        .as_bytes(),
    );
    out
}

fn mixed_parts(random: &mut Random, boundary: &str, size: usize) -> Vec<u8> {
    let text = paragraphs(random, 600);
    let pdf = [b"%PDF-1.4\n", random.bytes(size * 3 / 4).as_slice(), b"\n%%EOF\n"].concat();
    let list = paragraphs(random, 400);
    format!(
        "Content-Type: multipart/mixed;\r\n\tboundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n{}\r\n--{boundary}\r\n\
         Content-Type: application/pdf; name=\"offer.pdf\"\r\nContent-Disposition: attachment; filename=\"offer.pdf\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}\r\n--{boundary}\r\n\
         Content-Type: text/plain; charset=us-ascii\r\n\
         Content-Disposition: attachment; filename*=utf-8''Preis%C3%BCbersicht.txt\r\n\r\n{list}\r\n--{boundary}--\r\n",
        String::from_utf8_lossy(&ascii(&text)),
        base64_lines(&pdf)
    )
    .into_bytes()
}

fn utf8(random: &mut Random, size: usize) -> Vec<u8> {
    let text =
        format!("Schöne Grüße aus Köln, für 50 €!\r\n\r\nΚαλημέρα. 日本語も。\r\n\r\n{}", paragraphs(random, size));
    format!(
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{}",
        quoted_printable(&text)
    )
    .into_bytes()
}

fn japanese(size: usize) -> Vec<u8> {
    let head = b"Content-Type: text/plain; charset=ISO-2022-JP\r\nContent-Transfer-Encoding: 7bit\r\n\r\n";
    let line = [KONNICHIWA, b" CRM \r\n"].concat();
    [head.as_slice(), &line.repeat(1 + size.min(4000) / line.len())].concat()
}

fn russian(size: usize) -> Vec<u8> {
    let head = b"Content-Type: text/plain; charset=KOI8-R\r\nContent-Transfer-Encoding: 8bit\r\n\r\n";
    let line = [PRIVET, b", CRM!\r\n"].concat();
    [head.as_slice(), &line.repeat(1 + size.min(4000) / line.len())].concat()
}

/// One encoded-word (RFC 2047) for each 45 bytes, cut between characters if
/// the text is UTF-8 and anywhere otherwise.
fn encoded_word(charset: &str, text: &[u8]) -> String {
    let mut words = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut end = rest.len().min(39);
        while end > 1 && rest.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
            end -= 1;
        }
        let (word, after) = rest.split_at(end);
        words.push(format!("=?{charset}?B?{}?=", STANDARD.encode(word)));
        rest = after;
    }
    words.join("\r\n ")
}

fn base64_lines(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 14 / 10 + 2);
    for line in bytes.chunks(57) {
        STANDARD.encode_string(line, &mut text);
        text.push_str("\r\n");
    }
    text
}

/// Quoted-printable (RFC 2045) of text with CRLF line ends.
fn quoted_printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for line in text.split_inclusive("\r\n") {
        let (line, end) = line.strip_suffix("\r\n").map_or((line, ""), |line| (line, "\r\n"));
        let mut width = 0;
        let last = line.len().saturating_sub(1);
        for (index, byte) in line.bytes().enumerate() {
            let plain = matches!(byte, b'!'..=b'<' | b'>'..=b'~') || byte == b' ' && index != last;
            let piece = if plain { char::from(byte).to_string() } else { format!("={byte:02X}") };
            if width + piece.len() > 75 {
                out.push_str("=\r\n");
                width = 0;
            }
            width += piece.len();
            out.push_str(&piece);
        }
        out.push_str(end);
    }
    out
}

fn bare_address(from: &str) -> &str {
    from.rsplit_once('<').map_or(from, |(_, rest)| rest.trim_end_matches('>'))
}

#[cfg(test)]
mod tests;
