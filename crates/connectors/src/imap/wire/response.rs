//! One response of the server, understood as far as we need it.

use std::borrow::Cow;

use super::items::{FetchItems, ListedFolder};
use super::scan::Scanner;
use crate::imap::sequence::SequenceSet;

/// How a command ended, or what the server says by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Ok,
    No,
    Bad,
    PreAuth,
    Bye,
}

impl Status {
    fn read(word: &[u8]) -> Option<Self> {
        let known =
            [("OK", Self::Ok), ("NO", Self::No), ("BAD", Self::Bad), ("PREAUTH", Self::PreAuth), ("BYE", Self::Bye)];
        known.into_iter().find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes())).map(|(_, status)| status)
    }
}

/// A response code (RFC 9051, section 7.1; RFC 5530).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code<'a> {
    /// As the server wrote it; compare with [`Code::is`].
    pub name: &'a [u8],
    pub arguments: &'a [u8],
}

impl Code<'_> {
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    pub fn number<N: std::str::FromStr>(&self) -> Option<N> {
        Scanner::new(self.arguments, &[]).number()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response<'a> {
    /// `+ …`
    Continue(&'a [u8]),
    /// The end of a command.
    Tagged {
        tag: &'a [u8],
        status: Status,
        code: Option<Code<'a>>,
        text: &'a [u8],
    },
    /// `* OK`, `* NO`, `* BAD`, `* PREAUTH`, `* BYE`
    Status {
        status: Status,
        code: Option<Code<'a>>,
        text: &'a [u8],
    },
    Capability(&'a [u8]),
    Enabled(&'a [u8]),
    Exists(u32),
    Expunge(u32),
    Fetch {
        sequence: u32,
        items: FetchItems<'a>,
    },
    List(ListedFolder<'a>),
    /// `SEARCH` and `ESEARCH … ALL`
    Search(SequenceSet),
    /// RFC 7162
    Vanished(SequenceSet),
    /// RFC 2971: names and values, alternating.
    Id(Vec<Cow<'a, [u8]>>),
    /// Something that we did not ask for, or cannot understand: to be skipped.
    Other(&'a [u8]),
}

impl<'a> Response<'a> {
    /// `bytes` is a whole response without the final line end; `streamed` says
    /// where in it the content of streamed literals would stand.
    pub fn parse(bytes: &'a [u8], streamed: &'a [usize]) -> Self {
        let mut scanner = Scanner::new(bytes, streamed);
        let first = scanner.word();
        match first {
            b"+" => Self::Continue(scanner.rest().trim_ascii_start()),
            b"*" => Self::untagged(scanner).unwrap_or(Self::Other(bytes)),
            tag => match Status::read(scanner.word()) {
                Some(status) if !tag.is_empty() => {
                    let (code, text) = code_and_text(scanner.rest());
                    Self::Tagged { tag, status, code, text }
                }
                _ if first.starts_with(b"+") => Self::Continue(&bytes[1..]),
                _ => Self::Other(bytes),
            },
        }
    }

    fn untagged(mut scanner: Scanner<'a>) -> Option<Self> {
        let word = scanner.word();
        if let Some(status) = Status::read(word) {
            let (code, text) = code_and_text(scanner.rest());
            return Some(Self::Status { status, code, text });
        }
        if word.first().is_some_and(u8::is_ascii_digit) {
            let number: u32 = std::str::from_utf8(word).ok()?.parse().ok()?;
            return Self::numbered(number, scanner);
        }
        let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        if is("CAPABILITY") {
            Some(Self::Capability(scanner.rest()))
        } else if is("ENABLED") {
            Some(Self::Enabled(scanner.rest()))
        } else if is("LIST") || is("LSUB") || is("XLIST") {
            ListedFolder::parse(&mut scanner).map(Self::List)
        } else if is("SEARCH") {
            Some(Self::Search(search(scanner)))
        } else if is("ESEARCH") {
            Some(Self::Search(extended_search(scanner)))
        } else if is("VANISHED") {
            scanner.enter();
            Some(Self::Vanished(SequenceSet::parse(scanner.word())))
        } else if is("ID") {
            let mut values = Vec::new();
            if let Some(mut inside) = scanner.enter() {
                while let Some(value) = inside.value() {
                    values.push(value.into_text().unwrap_or_default());
                }
            }
            Some(Self::Id(values))
        } else {
            None
        }
    }

    fn numbered(number: u32, mut scanner: Scanner<'a>) -> Option<Self> {
        let word = scanner.word();
        if word.eq_ignore_ascii_case(b"FETCH") {
            FetchItems::parse(&mut scanner).map(|items| Self::Fetch { sequence: number, items })
        } else if word.eq_ignore_ascii_case(b"EXISTS") {
            Some(Self::Exists(number))
        } else if word.eq_ignore_ascii_case(b"EXPUNGE") {
            Some(Self::Expunge(number))
        } else {
            None
        }
    }
}

/// Whether the line is a status response or a continuation: its end is human text.
pub(super) fn is_status(line: &[u8]) -> bool {
    let mut scanner = Scanner::new(line, &[]);
    let first = scanner.word();
    first.starts_with(b"+") || Status::read(scanner.word()).is_some()
}

/// `[CODE arguments] text`
fn code_and_text(rest: &[u8]) -> (Option<Code<'_>>, &[u8]) {
    let rest = rest.trim_ascii();
    let Some(inside) = rest.strip_prefix(b"[") else { return (None, rest) };
    let Some(end) = end_of_code(inside) else { return (None, rest) };
    let mut scanner = Scanner::new(&inside[..end], &[]);
    let name = scanner.word();
    let code = Code { name, arguments: scanner.rest().trim_ascii() };
    (Some(code), inside[end + 1..].trim_ascii_start())
}

/// The closing bracket; a quoted argument may contain one as well.
fn end_of_code(inside: &[u8]) -> Option<usize> {
    let mut quoted = false;
    for (at, byte) in inside.iter().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b']' if !quoted => return Some(at),
            _ => {}
        }
    }
    memchr::memchr(b']', inside)
}

/// `2 84 882`, perhaps with `(MODSEQ 917162500)` at the end.
fn search(mut scanner: Scanner<'_>) -> SequenceSet {
    let mut found = SequenceSet::new();
    loop {
        scanner.skip_blanks();
        match scanner.number::<u32>() {
            Some(number) => found.insert(number),
            None => return found,
        }
    }
}

/// `(TAG "A2") UID MIN 7 ALL 7,9:12 COUNT 5 MODSEQ 12`
fn extended_search(mut scanner: Scanner<'_>) -> SequenceSet {
    scanner.enter();
    loop {
        let word = scanner.word();
        if word.is_empty() {
            return SequenceSet::new();
        }
        if word.eq_ignore_ascii_case(b"ALL") {
            return SequenceSet::parse(scanner.word());
        }
        if !word.eq_ignore_ascii_case(b"UID") {
            scanner.value();
        }
    }
}
