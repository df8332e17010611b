//! Which parts are the body that people read, and which are attachments.

use model::mail::Flaw;

use super::charset::{decode_text, guess};
use super::part::{Body, Part, Text};
use super::write::from_html;

/// The body of one message.
#[derive(Debug, Default)]
pub struct Chosen {
    pub html: Option<String>,
    pub text: Option<String>,
    pub truncated: bool,
    /// Every leaf that is not the body, in order of appearance.
    pub attachments: Vec<usize>,
}

/// One piece of the body in one or two renderings: indexes of the parts whose
/// texts make it up. The HTML rendering may contain plain parts.
#[derive(Debug, Default)]
struct Segment {
    text: Vec<usize>,
    html: Vec<usize>,
}

/// HTML is preferred, and the text kept beside it.
pub fn choose(parts: &mut [Part], flaws: &mut Vec<Flaw>) -> Chosen {
    let mut walk = Walk { parts, segments: Vec::new(), attachments: Vec::new(), leaves: 0 };
    walk.part(0);
    let Walk { segments, mut attachments, .. } = walk;
    attachments.sort_unstable();
    let mut chosen = Chosen { attachments, ..Chosen::default() };

    let any_html = segments.iter().any(|s| !s.html.is_empty());
    let any_text = segments.iter().any(|s| !s.text.is_empty());
    let mut html: Option<String> = None;
    let mut text: Option<String> = None;
    for segment in &segments {
        let shared = segment.text.iter().any(|t| segment.html.contains(t));
        let mut plain = render(parts, &segment.text, false, shared, flaws, &mut chosen.truncated);
        if any_html {
            let piece = if segment.html.is_empty() {
                text_to_html(&plain)
            } else {
                render(parts, &segment.html, true, shared, flaws, &mut chosen.truncated)
            };
            if any_text && segment.text.is_empty() {
                plain = from_html(&piece);
            }
            append(&mut html, piece, false);
        }
        if any_text {
            append(&mut text, plain, true);
        }
    }
    (chosen.html, chosen.text) = (html, text);
    chosen
}

struct Walk<'a> {
    parts: &'a [Part],
    segments: Vec<Segment>,
    attachments: Vec<usize>,
    leaves: usize,
}

impl Walk<'_> {
    fn part(&mut self, index: usize) {
        let part = &self.parts[index];
        match &part.body {
            Body::Multipart(_) if !part.children.is_empty() => match part.header.mime_type.as_str() {
                "multipart/alternative" => self.alternative(part),
                "multipart/related" => self.related(part),
                _ => part.children.iter().for_each(|&child| self.part(child)),
            },
            // A multipart without parts is what stands in it.
            Body::Multipart(_) => self.segments.push(Segment { text: vec![index], html: Vec::new() }),
            // A named text is a file, unless there is nothing before it.
            Body::Text(_) if part.header.name.is_none() || self.leaves == 0 => {
                self.leaves += 1;
                let html = part.header.mime_type == "text/html";
                let one = vec![index];
                self.segments.push(if html {
                    Segment { text: Vec::new(), html: one }
                } else {
                    Segment { text: one, html: Vec::new() }
                });
            }
            _ => {
                self.leaves += 1;
                self.attachments.push(index);
            }
        }
    }

    /// The last HTML rendering and the last plain one (RFC 2046, section
    /// 5.1.4: the last is the best); any other is an attachment.
    fn alternative(&mut self, part: &Part) {
        let before = std::mem::take(&mut self.segments);
        let mut html: Option<Segment> = None;
        let mut text: Option<Segment> = None;
        for &child in &part.children {
            self.part(child);
            let segments = std::mem::take(&mut self.segments);
            if segments.is_empty() {
                continue;
            }
            let rich = segments.iter().any(|s| !s.html.is_empty());
            let mut merged = Segment::default();
            for segment in segments {
                merged.html.extend(if segment.html.is_empty() { &segment.text } else { &segment.html });
                merged.text.extend(segment.text);
            }
            let slot = if rich { &mut html } else { &mut text };
            if let Some(worse) = slot.replace(merged) {
                self.attachments.extend(worse.html);
            }
        }
        self.segments = before;
        match (html, text) {
            (Some(html), Some(text)) => self.segments.push(Segment { text: text.text, html: html.html }),
            (Some(html), None) => self.segments.push(html),
            (None, Some(text)) => self.segments.push(Segment { text: text.text, html: Vec::new() }),
            (None, None) => {}
        }
    }

    /// The root (RFC 2387: `start`, else the first) is the body; the rest belongs to it.
    fn related(&mut self, part: &Part) {
        let by_start = part.header.start.as_ref().and_then(|start| {
            part.children.iter().copied().find(|&c| self.parts[c].header.content_id.as_ref() == Some(start))
        });
        let readable = |c: &usize| matches!(self.parts[*c].body, Body::Text(_) | Body::Multipart(_));
        let root = by_start.or_else(|| part.children.iter().copied().find(readable));
        for &child in &part.children {
            if Some(child) == root {
                self.part(child);
            } else {
                self.all_attached(child);
            }
        }
    }

    fn all_attached(&mut self, index: usize) {
        let part = &self.parts[index];
        if part.children.is_empty() {
            self.leaves += 1;
            self.attachments.push(index);
        }
        part.children.iter().for_each(|&child| self.all_attached(child));
    }
}

fn render(
    parts: &mut [Part],
    which: &[usize],
    html: bool,
    shared: bool,
    flaws: &mut Vec<Flaw>,
    truncated: &mut bool,
) -> String {
    let mut out = None;
    for &index in which {
        let part = &mut parts[index];
        let is_html = part.header.mime_type == "text/html";
        let charset = part.header.charset.clone();
        let (Body::Text(text) | Body::Multipart(text)) = &mut part.body else { continue };
        *truncated |= text.cut;
        // A plain part may stand in both renderings; it is taken for text first.
        let again = !html && !is_html && shared;
        let piece = decoded(text, charset.as_deref(), is_html, flaws, again);
        append(&mut out, if html && !is_html { text_to_html(&piece) } else { piece }, !html);
    }
    out.unwrap_or_default()
}

/// The text as it is read, its lines ending in `\n`.
fn decoded(text: &mut Text, charset: Option<&str>, html: bool, flaws: &mut Vec<Flaw>, again: bool) -> String {
    let bytes = if again { text.bytes.clone() } else { std::mem::take(&mut text.bytes) };
    let declared = charset.map(str::to_owned).or_else(|| html.then(|| meta_charset(&bytes)).flatten());
    let decoded = decode_text(bytes, declared.as_deref()).unwrap_or_else(|guessed| {
        flaws.push(Flaw::UnknownCharset(declared.unwrap_or_default()));
        guessed
    });
    lines(decoded)
}

/// Line ends become `\n`; NUL, which no database takes, goes.
fn lines(text: String) -> String {
    if memchr::memchr2(b'\r', 0, text.as_bytes()).is_none() {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = memchr::memchr2(b'\r', 0, rest.as_bytes()) {
        out.push_str(&rest[..at]);
        let tail = &rest[at..];
        if tail.starts_with('\r') && !tail.starts_with("\r\n") {
            out.push('\n');
        }
        rest = &tail[1..];
    }
    out.push_str(rest);
    out
}

/// `<meta charset=…>` near the start of an HTML text that has no other label.
fn meta_charset(bytes: &[u8]) -> Option<String> {
    let head = guess(bytes[..bytes.len().min(1024)].to_vec()).to_ascii_lowercase();
    let meta = head.find("<meta")?;
    let label = head[meta..].split_once("charset=")?.1.trim_start_matches(['"', '\'', ' ']);
    let end = label.find(|c: char| !(c.is_ascii_alphanumeric() || "-_:.".contains(c))).unwrap_or(label.len());
    // An HTML text that could be read so far is not UTF-16, whatever it says.
    (end > 0 && !label.starts_with("utf-16")).then(|| label[..end].to_owned())
}

fn append(out: &mut Option<String>, piece: String, line: bool) {
    match out {
        None => *out = Some(piece),
        Some(out) => {
            if line && !out.ends_with('\n') && !out.is_empty() {
                out.push('\n');
            }
            out.push_str(&piece);
        }
    }
}

/// Plain text as HTML.
pub fn text_to_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    out.push_str("<div style=\"white-space: pre-wrap\">");
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            c => out.push(c),
        }
    }
    out.push_str("</div>");
    out
}
