//! A tolerant reader of the pieces that responses are made of.

use std::borrow::Cow;

use super::DEEPEST_NESTING;

/// One value: the server's `nstring`s, numbers, atoms and lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    Nil,
    /// Anything without quotes: numbers, flags, atoms with brackets.
    Atom(&'a [u8]),
    /// A quoted string or a literal.
    Text(Cow<'a, [u8]>),
    /// A literal of this many octets that went elsewhere.
    Streamed(u64),
    /// A parenthesized list, unread.
    List(&'a [u8]),
}

impl<'a> Value<'a> {
    /// The octets of a string or atom.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Atom(a) => Some(a),
            Self::Text(t) => Some(t),
            _ => None,
        }
    }

    pub fn number<N: std::str::FromStr>(&self) -> Option<N> {
        std::str::from_utf8(self.bytes()?).ok()?.trim().parse().ok()
    }

    pub fn into_text(self) -> Option<Cow<'a, [u8]>> {
        match self {
            Self::Atom(a) => Some(Cow::Borrowed(a)),
            Self::Text(t) => Some(t),
            _ => None,
        }
    }
}

/// A position in a response. Never fails loudly: what is not there is `None`,
/// and every step moves on.
#[derive(Debug, Clone)]
pub struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where the content of streamed literals would stand.
    streamed: &'a [usize],
    /// What `streamed` counts from.
    base: usize,
}

impl<'a> Scanner<'a> {
    pub fn new(bytes: &'a [u8], streamed: &'a [usize]) -> Self {
        Self { bytes, at: 0, streamed, base: 0 }
    }

    /// What is left.
    pub fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    pub fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub fn skip_blanks(&mut self) {
        while self.peek().is_some_and(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// Moves over `byte` if it comes next.
    pub fn eat(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    /// A word up to a blank or parenthesis, with its `[section]` and `<origin>`.
    pub fn word(&mut self) -> &'a [u8] {
        self.skip_blanks();
        let from = self.at;
        let mut brackets = 0usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'[' => brackets += 1,
                b']' => brackets = brackets.saturating_sub(1),
                b' ' | b'(' | b')' | b'\t' | b'\r' | b'\n' | b'"' if brackets == 0 => break,
                // `BODY[]{5}`: the blank before the literal was forgotten.
                b'{' if brackets == 0 && self.at > from => break,
                _ => {}
            }
            self.at += 1;
        }
        &self.bytes[from..self.at]
    }

    pub fn number<N: std::str::FromStr>(&mut self) -> Option<N> {
        self.skip_blanks();
        let from = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        std::str::from_utf8(&self.bytes[from..self.at]).ok()?.parse().ok()
    }

    /// The next value; `None` at the end or at a closing parenthesis.
    pub fn value(&mut self) -> Option<Value<'a>> {
        self.skip_blanks();
        match self.peek()? {
            b')' => None,
            b'(' => self.list().map(Value::List),
            b'"' => Some(self.quoted()),
            b'{' | b'~' => self.literal().or_else(|| self.atom()),
            _ => self.atom(),
        }
    }

    /// The inside of a parenthesized list as a scanner of its own. `None`
    /// where there is none, or where it nests too deeply.
    pub fn enter(&mut self) -> Option<Scanner<'a>> {
        self.skip_blanks();
        if self.peek() != Some(b'(') {
            return None;
        }
        let base = self.at + 1;
        let inside = self.list()?;
        Some(Scanner { bytes: inside, at: 0, streamed: self.streamed, base: self.base + base })
    }

    fn atom(&mut self) -> Option<Value<'a>> {
        let word = self.word();
        if word.is_empty() {
            // A stray byte must not stop the reading.
            self.at += usize::from(!self.is_at_end());
            return Some(Value::Atom(word));
        }
        Some(if word.eq_ignore_ascii_case(b"NIL") { Value::Nil } else { Value::Atom(word) })
    }

    /// Quoted string, with `\"` and `\\`; octets above 127 are taken as they
    /// are. A missing closing quote is taken to stand at the end.
    fn quoted(&mut self) -> Value<'a> {
        self.at += 1;
        let from = self.at;
        let mut escaped = false;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => break,
                b'\\' if self.at + 1 < self.bytes.len() => {
                    escaped = true;
                    self.at += 1;
                }
                _ => {}
            }
            self.at += 1;
        }
        let raw = &self.bytes[from..self.at];
        self.at += usize::from(!self.is_at_end());
        if escaped { Value::Text(Cow::Owned(unescape(raw))) } else { Value::Text(Cow::Borrowed(raw)) }
    }

    fn literal(&mut self) -> Option<Value<'a>> {
        let before = self.at;
        let value = self.literal_inner();
        if value.is_none() {
            self.at = before;
        }
        value
    }

    fn literal_inner(&mut self) -> Option<Value<'a>> {
        self.eat(b'~');
        if !self.eat(b'{') {
            return None;
        }
        let size: u64 = self.number()?;
        self.eat(b'+');
        if !self.eat(b'}') {
            return None;
        }
        self.eat(b'\r');
        if !self.eat(b'\n') {
            return None;
        }
        if self.streamed.contains(&(self.base + self.at)) {
            return Some(Value::Streamed(size));
        }
        let end = self.at.checked_add(usize::try_from(size).ok()?)?;
        let content = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(Value::Text(Cow::Borrowed(content)))
    }

    /// Moves over a list and returns its inside. A list that nests too deeply
    /// takes the rest of the response with it.
    fn list(&mut self) -> Option<&'a [u8]> {
        self.eat(b'(');
        let from = self.at;
        let mut depth = 1usize;
        loop {
            match self.peek() {
                // A missing parenthesis is taken to stand at the end.
                None => return Some(&self.bytes[from..]),
                Some(b'(') => {
                    depth += 1;
                    self.at += 1;
                    if depth > DEEPEST_NESTING {
                        self.at = self.bytes.len();
                        return None;
                    }
                }
                Some(b')') => {
                    depth -= 1;
                    self.at += 1;
                    if depth == 0 {
                        return Some(&self.bytes[from..self.at - 1]);
                    }
                }
                Some(b'"') => {
                    self.quoted();
                }
                Some(b'{') => {
                    if self.literal().is_none() {
                        self.at += 1;
                    }
                }
                Some(_) => self.at += 1,
            }
        }
    }
}

fn unescape(raw: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter();
    while let Some(&byte) = bytes.next() {
        text.push(if byte == b'\\' { bytes.next().copied().unwrap_or(b'\\') } else { byte });
    }
    text
}
