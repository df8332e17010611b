//! Replies of the server: RFC 5321, section 4.2, and enhanced status codes,
//! RFC 2034 and RFC 3463.

use crate::lines::printable;

/// More lines than this in one reply are not meant for us.
const MAX_LINES: usize = 1000;
/// All text of one reply, in octets.
const MAX_TEXT: usize = 64 * 1024;

/// Class, subject and detail of an enhanced status code.
pub type Enhanced = (u8, u16, u16);

/// One reply, of one or several lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// 200 to 599.
    pub code: u16,
    pub enhanced: Option<Enhanced>,
    /// The text after the code, line by line, made printable; enhanced status codes included.
    pub lines: Vec<String>,
}

impl Reply {
    pub fn is_positive(&self) -> bool {
        self.code < 300
    }

    /// The server waits for more: 334 and 354.
    pub fn is_intermediate(&self) -> bool {
        (300..400).contains(&self.code)
    }

    pub fn is_temporary(&self) -> bool {
        (400..500).contains(&self.code)
    }

    /// `550 5.1.1 No such user`: the reply in one line. An enhanced status code that
    /// every line repeats is shown once.
    pub fn in_words(&self) -> String {
        let mut words = self.code.to_string();
        if let Some((class, subject, detail)) = self.enhanced {
            words.push_str(&format!(" {class}.{subject}.{detail}"));
        }
        for line in &self.lines {
            let text = if self.enhanced.is_some() { split_enhanced(line).1 } else { line.as_str() };
            if !text.is_empty() {
                words.push(' ');
                words.push_str(text.trim());
            }
        }
        words
    }

    /// The text of all lines in lower case, to look for what the codes do not say.
    pub(crate) fn lowercase_text(&self) -> String {
        self.lines.join(" ").to_lowercase()
    }
}

/// Why a line is no part of a reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    #[error("the server's answer does not begin with a reply code: \"{0}\"")]
    NoCode(String),
    #[error("the server's answer does not end")]
    Endless,
}

/// Puts a reply together from its lines.
#[derive(Debug, Default)]
pub struct ReplyParser {
    lines: Vec<String>,
    octets: usize,
    enhanced: Option<Enhanced>,
}

impl ReplyParser {
    /// Takes one line without its end; returns the reply with its last line.
    ///
    /// Tolerated: no text, no space before the text, other codes in earlier lines (the last
    /// line's counts), and lines without a code *inside* a reply. A line without a code where a
    /// reply must begin is an error, since with pipelining all later replies would be
    /// attributed to the wrong command.
    pub fn push(&mut self, line: &[u8]) -> Result<Option<Reply>, ReplyError> {
        let inside = !self.lines.is_empty();
        let (code, last, text) = match split(line) {
            Some(parts) => parts,
            None if inside => (0, false, line),
            None => return Err(ReplyError::NoCode(printable(&line[..line.len().min(200)]))),
        };
        self.octets += line.len();
        if self.lines.len() >= MAX_LINES || self.octets > MAX_TEXT {
            return Err(ReplyError::Endless);
        }
        let text = printable(text);
        if self.enhanced.is_none() {
            self.enhanced = split_enhanced(&text).0;
        }
        self.lines.push(text);
        if !last {
            return Ok(None);
        }
        let done = std::mem::take(self);
        Ok(Some(Reply { code, enhanced: done.enhanced, lines: done.lines }))
    }
}

/// Code, whether it is the last line, and the text.
fn split(line: &[u8]) -> Option<(u16, bool, &[u8])> {
    let (digits, rest) = line.split_at_checked(3)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    if !(200..=599).contains(&code) {
        return None;
    }
    match rest.split_first() {
        None => Some((code, true, rest)),
        Some((b'-', text)) => Some((code, false, text)),
        Some((b' ' | b'\t', text)) => Some((code, true, text)),
        Some((octet, _)) if octet.is_ascii_digit() => None,
        Some(_) => Some((code, true, rest)),
    }
}

/// Splits `5.1.1 text` into the status and the text.
fn split_enhanced(text: &str) -> (Option<Enhanced>, &str) {
    let trimmed = text.trim_start();
    let (word, rest) = trimmed.split_once([' ', '\t']).unwrap_or((trimmed, ""));
    match parse_enhanced(word) {
        Some(status) => (Some(status), rest),
        None => (None, text),
    }
}

fn parse_enhanced(word: &str) -> Option<Enhanced> {
    let mut parts = word.split('.');
    let class = number(parts.next()?, 1)?;
    let subject = number(parts.next()?, 3)?;
    let detail = number(parts.next()?, 3)?;
    (parts.next().is_none() && matches!(class, 2 | 4 | 5)).then(|| (class.to_le_bytes()[0], subject, detail))
}

fn number(text: &str, max_digits: usize) -> Option<u16> {
    let fits = !text.is_empty() && text.len() <= max_digits && text.bytes().all(|octet| octet.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests;
