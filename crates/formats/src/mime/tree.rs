//! The tree of parts, as it grows line by line.

use model::mail::{Encoding, Flaw};

use super::decode::{Decoder, looks_like_base64};
use super::doubt::{Answer, Doubt};
use super::fields::{Fields, field_name};
use super::lines::Line;
use super::part::{Body, Count, HeaderHash, Inner, Part, PartHeader, Solid, Text};
use super::skeleton::{Limits, Skeleton};

/// Where the next line belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In the header section of the newest part.
    Header,
    /// In a leaf's body, or in a multipart before its first part.
    Body,
    /// After the last part of a multipart.
    Epilogue,
}

/// A message while it is read.
#[derive(Debug)]
pub struct Tree {
    pub limits: Limits,
    state: State,
    doubt: Option<Doubt>,
    pub parts: Vec<Part>,
    /// The parts that are being read, outermost first.
    open: Vec<usize>,
    decoder: Decoder,
    pub header: Vec<u8>,
    /// The header section of the message itself.
    pub message_header: Vec<u8>,
    pub hash: HeaderHash,
    pub size: u64,
    pub flaws: Vec<Flaw>,
    pub nulls: bool,
    /// Length of the last line's end.
    last_end: u64,
    /// Nothing but empty lines so far.
    blank: bool,
    base_depth: usize,
    default_type: &'static str,
}

impl Tree {
    pub fn new(limits: Limits, base_depth: usize) -> Self {
        let mut tree = Self {
            limits,
            state: State::Header,
            doubt: None,
            parts: Vec::new(),
            open: Vec::new(),
            decoder: Decoder::new(Encoding::Identity),
            header: Vec::new(),
            message_header: Vec::new(),
            hash: HeaderHash::default(),
            size: 0,
            flaws: Vec::new(),
            nulls: false,
            last_end: 0,
            blank: true,
            base_depth,
            default_type: "text/plain",
        };
        tree.open_part(None, 0);
        tree
    }

    pub fn line(&mut self, line: Line<'_>) {
        self.hash.line(line);
        match self.doubt.take() {
            Some(doubt) => self.doubtful_line(doubt, line),
            None => self.sure_line(line),
        }
    }

    fn sure_line(&mut self, line: Line<'_>) {
        if line.start && line.text.starts_with(b"--") && !self.open.is_empty() && self.delimiter(line) {
            self.last_end = line.end.len() as u64;
            return;
        }
        match self.state {
            State::Header => self.header_line(line),
            State::Body => self.body_line(line),
            State::Epilogue => {}
        }
        self.last_end = line.end.len() as u64;
    }

    fn header_line(&mut self, line: Line<'_>) {
        let top = self.parts.len() == 1;
        if line.is_empty() {
            if top && self.blank && !line.end.is_empty() {
                // Empty lines before the header of a whole message are somebody's slip.
                return;
            }
            self.header_end(line.after());
            return;
        }
        let continues = !line.start || matches!(line.text.first(), Some(b' ' | b'\t'));
        let first = self.header.is_empty();
        if field_name(line.text).is_some() || continues && !first {
            self.blank = false;
            // The end of an overlong section is let go, but not the state.
            let room = self.limits.header.min(self.limits.kept).saturating_sub(self.header.len() + line.end.len());
            if line.text.len() <= room {
                self.header.extend_from_slice(line.text);
                self.header.extend_from_slice(line.end);
            }
        } else if top && first && (line.text.starts_with(b"From ") || line.text.starts_with(b">From ")) {
            // The separator of a mailbox file.
        } else if top && !first && !line.text.starts_with(b"--") {
            self.doubt = Some(Doubt::new(line));
        } else {
            self.flaws.push(Flaw::NoHeaderEnd);
            self.header_end(line.offset);
            self.sure_line(line);
        }
    }

    fn doubtful_line(&mut self, mut doubt: Doubt, line: Line<'_>) {
        let answer = doubt.line(line);
        if answer == Answer::Open {
            self.doubt = Some(doubt);
            return;
        }
        self.settle(answer, &doubt);
        if line.is_empty() {
            self.sure_line(line);
        }
    }

    fn settle(&mut self, answer: Answer, doubt: &Doubt) {
        if answer == Answer::Header {
            self.flaws.push(Flaw::Other("a line of the header is no field".into()));
            self.header.extend_from_slice(&doubt.bytes);
            return;
        }
        self.flaws.push(Flaw::NoHeaderEnd);
        self.header_end(doubt.offset);
        doubt.replay(|line| self.sure_line(line));
    }

    /// The newest part's header is complete; its body starts at `offset`.
    fn header_end(&mut self, offset: u64) {
        self.blank = false;
        let section = std::mem::take(&mut self.header);
        let Some(index) = self.open.last().copied() else { return };
        let header = PartHeader::read(&Fields::split(&section), self.default_type, &mut self.flaws);
        if index == 0 {
            self.limits.kept = self.limits.kept.saturating_sub(section.len());
            self.message_header = section;
        } else {
            self.header = section;
            self.header.clear();
        }
        self.state = State::Body;
        self.decoder = Decoder::new(header.encoding);
        let part = &self.parts[index];
        let body = self.body(&header, part.parent.is_none(), part.depth);
        let part = &mut self.parts[index];
        (part.header, part.body, part.start, part.end) = (header, body, offset, offset);
    }

    fn body(&mut self, header: &PartHeader, root: bool, depth: usize) -> Body {
        let deep = depth >= self.limits.depth;
        if header.is_multipart() {
            if !deep {
                return Body::Multipart(self.text());
            }
            self.flaws.push(Flaw::TooDeep);
        } else if header.may_be_message() {
            if !deep {
                let limits = Limits {
                    parts: self.limits.parts.saturating_sub(self.parts.len()),
                    kept: self.limits.kept,
                    ..self.limits
                };
                return Body::Message {
                    reader: Box::new(Skeleton::nested(limits, depth + 1)),
                    count: Count::default(),
                };
            }
            self.flaws.push(Flaw::TooDeep);
        } else if !header.attachment && may_be_body(&header.mime_type, root) {
            return Body::Text(self.text());
        }
        Body::Counted(Count::default())
    }

    fn text(&self) -> Text {
        Text { limit: self.limits.text.min(self.limits.kept), ..Text::default() }
    }

    fn body_line(&mut self, line: Line<'_>) {
        let Some(index) = self.open.last().copied() else { return };
        // What says base64 and is not would be nothing but loss.
        if self.decoder.encoding == Encoding::Base64
            && self.parts[index].start == line.offset
            && !looks_like_base64(line.text)
        {
            self.flaws.push(Flaw::BadEncoding("base64".into()));
            self.parts[index].header.encoding = Encoding::Identity;
            self.decoder = Decoder::new(Encoding::Identity);
        }
        let part = &mut self.parts[index];
        part.end = line.after();
        match &mut part.body {
            Body::Multipart(text) | Body::Text(text) => self.decoder.line(line, text),
            Body::Counted(count) if part.header.mime_type.starts_with("text/") => {
                self.decoder.line(line, &mut Solid(count));
            }
            Body::Counted(count) => self.decoder.line(line, count),
            Body::Message { reader, count } => self.decoder.line(line, &mut Inner(reader, count)),
        }
        self.guess_boundary(line, index);
    }

    /// A multipart that does not say its boundary: the first line that looks like one.
    fn guess_boundary(&mut self, line: Line<'_>, index: usize) {
        let part = &mut self.parts[index];
        if matches!(part.body, Body::Multipart(_)) && part.header.boundary.is_none() && line.start {
            let text = line.text.trim_ascii_end();
            if let Some(boundary) = text.strip_prefix(b"--").filter(|b| (5..=70).contains(&b.len())) {
                self.flaws.push(Flaw::Other("a multipart does not say its boundary".into()));
                part.header.boundary = Some(String::from_utf8_lossy(boundary).into_owned());
                self.delimiter(line);
            }
        }
    }

    /// Whether the line is a delimiter of an open multipart; acts on it.
    fn delimiter(&mut self, line: Line<'_>) -> bool {
        let text = line.text[2..].trim_ascii_end();
        let matching = |&index: &usize| {
            let boundary = self.parts[index].header.boundary.as_ref()?.as_bytes();
            let rest = text.strip_prefix(boundary)?;
            let closing = rest == b"--";
            (matches!(self.parts[index].body, Body::Multipart(_)) && (rest.is_empty() || closing)).then_some(closing)
        };
        let Some((level, closing)) = self.open.iter().enumerate().rev().find_map(|(l, i)| Some((l, matching(i)?)))
        else {
            return false;
        };
        if self.state == State::Header {
            // The empty line is missing; the part has no body.
            self.header_end(line.offset);
        }
        self.close_above(level + 1, line.offset, false);
        if closing {
            self.close_above(level, line.offset, true);
            self.state = State::Epilogue;
            if self.open.is_empty() {
                // Nothing can follow: the message's own multipart is over.
                self.decoder = Decoder::new(Encoding::Identity);
            }
            return true;
        }
        let Some(parent) = self.open.last().copied() else { return true };
        if self.count() >= self.limits.parts {
            if !self.flaws.contains(&Flaw::TooManyParts) {
                self.flaws.push(Flaw::TooManyParts);
            }
            self.state = State::Epilogue;
            return true;
        }
        if let Body::Multipart(text) = &mut self.parts[parent].body {
            *text = Text::default();
        }
        self.default_type =
            if self.parts[parent].header.mime_type == "multipart/digest" { "message/rfc822" } else { "text/plain" };
        self.open_part(Some(parent), line.after());
        true
    }

    fn open_part(&mut self, parent: Option<usize>, offset: u64) {
        let index = self.parts.len();
        let depth = parent.map_or(self.base_depth, |p| self.parts[p].depth + 1);
        if let Some(parent) = parent {
            self.parts[parent].children.push(index);
        }
        self.parts.push(Part {
            header: PartHeader::default(),
            parent,
            children: Vec::new(),
            depth,
            start: offset,
            end: offset,
            body: Body::Counted(Count::default()),
        });
        self.open.push(index);
        self.state = State::Header;
    }

    /// Closes the open parts from `level` on, innermost first. `regular`: the
    /// multiparts among them had their closing delimiter.
    fn close_above(&mut self, level: usize, offset: u64, regular: bool) {
        while self.open.len() > level {
            let Some(index) = self.open.pop() else { return };
            if matches!(self.parts[index].body, Body::Multipart(_)) {
                if !regular && !self.flaws.contains(&Flaw::UnterminatedMultipart) {
                    self.flaws.push(Flaw::UnterminatedMultipart);
                }
                if !self.parts[index].children.is_empty() {
                    continue;
                }
            }
            self.close_leaf(index, offset, false);
        }
    }

    fn close_leaf(&mut self, index: usize, offset: u64, whole: bool) {
        let held = if whole { 0 } else { self.last_end };
        let part = &mut self.parts[index];
        // Only where lines went into it: a delimiter right after the header takes nothing away.
        if part.end == offset && part.end > part.start {
            part.end -= held.min(part.end - part.start);
        }
        match &mut part.body {
            Body::Multipart(text) | Body::Text(text) => {
                self.decoder.finish(whole, text);
                self.limits.kept = self.limits.kept.saturating_sub(text.bytes.len());
            }
            Body::Counted(count) if part.header.mime_type.starts_with("text/") => {
                self.decoder.finish(whole, &mut Solid(count));
            }
            Body::Counted(count) => self.decoder.finish(whole, count),
            Body::Message { reader, count } => {
                self.decoder.finish(whole, &mut Inner(reader, count));
                reader.close();
                // What the enclosed message took of the limits is gone for the rest.
                let (kept, parts) = reader.spent();
                self.limits.kept = kept;
                self.limits.parts = self.limits.parts.saturating_sub(parts);
            }
        }
        self.decoder = Decoder::new(Encoding::Identity);
    }

    /// Parts so far.
    pub fn count(&self) -> usize {
        self.parts.len()
    }

    pub fn end(&mut self) {
        if let Some(doubt) = self.doubt.take() {
            self.settle(doubt.settle(), &doubt);
        }
        if self.state == State::Header {
            // A header section alone is complete; a broken one is not.
            if self.parts.len() > 1 || self.header.is_empty() {
                self.flaws.push(Flaw::NoHeaderEnd);
            }
            self.header_end(self.size);
        }
        while let Some(index) = self.open.pop() {
            let multipart = matches!(self.parts[index].body, Body::Multipart(_));
            if multipart && !self.flaws.contains(&Flaw::UnterminatedMultipart) {
                self.flaws.push(Flaw::UnterminatedMultipart);
            }
            if !multipart || self.parts[index].children.is_empty() {
                self.close_leaf(index, self.size, true);
            }
        }
    }
}

/// Whether a part of this type may be the text that people read. Other text
/// types are only where there is nothing else.
fn may_be_body(mime_type: &str, root: bool) -> bool {
    matches!(mime_type, "text/plain" | "text/html") || root && mime_type.starts_with("text/")
}
