//! A line in a header section that is no field: has the body begun without
//! an empty line, or did something break a line of the header?

use super::fields::{Fields, field_name};
use super::lines::Line;

/// What is looked at before deciding.
const LINES: usize = 60;
const OCTETS: usize = 16 * 1024;

/// Fields that tell a header section from a text with a colon in it.
const USUAL: &[&str] = &[
    "from",
    "to",
    "cc",
    "date",
    "subject",
    "message-id",
    "received",
    "mime-version",
    "content-type",
    "reply-to",
    "return-path",
    "sender",
];

/// The lines from the doubtful one on, kept until it is known.
#[derive(Debug)]
pub struct Doubt {
    pub offset: u64,
    pub bytes: Vec<u8>,
    /// Ends of the lines in `bytes`: of the text, of the line end.
    ends: Vec<(usize, usize)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Not known yet.
    Open,
    /// The header goes on; the doubtful line is part of it.
    Header,
    /// The body began at the doubtful line.
    Body,
}

impl Doubt {
    pub fn new(line: Line<'_>) -> Self {
        let mut doubt = Self { offset: line.offset, bytes: Vec::new(), ends: Vec::new() };
        doubt.keep(line);
        doubt
    }

    fn keep(&mut self, line: Line<'_>) {
        self.bytes.extend_from_slice(line.text);
        let text = self.bytes.len();
        self.bytes.extend_from_slice(line.end);
        self.ends.push((text, self.bytes.len()));
    }

    /// Takes the next line. An empty one is not kept: it ends the header, or
    /// stands in the body after what was kept.
    pub fn line(&mut self, line: Line<'_>) -> Answer {
        if line.is_empty() {
            return self.settle();
        }
        let fits = line.start && (field_name(line.text).is_some() || matches!(line.text.first(), Some(b' ' | b'\t')));
        self.keep(line);
        if !fits {
            return Answer::Body;
        }
        if self.ends.len() >= LINES || self.bytes.len() >= OCTETS { self.settle() } else { Answer::Open }
    }

    /// The answer when no more can be looked at.
    pub fn settle(&self) -> Answer {
        let fields = Fields::split(&self.bytes);
        let usual = USUAL.iter().any(|name| fields.has(name));
        if usual { Answer::Header } else { Answer::Body }
    }

    /// The lines as they came.
    pub fn replay(&self, mut each: impl FnMut(Line<'_>)) {
        let mut start = 0;
        for &(text, end) in &self.ends {
            let offset = self.offset + start as u64;
            each(Line { text: &self.bytes[start..text], end: &self.bytes[text..end], offset, start: true });
            start = end;
        }
    }
}
