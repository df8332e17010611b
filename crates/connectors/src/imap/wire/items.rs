//! What `FETCH` and `LIST` responses hold.

use std::borrow::Cow;

use super::scan::{Scanner, Value};

/// The items of one `FETCH` response that we ask for. Others are skipped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FetchItems<'a> {
    pub uid: Option<u32>,
    /// RFC822.SIZE
    pub size: Option<u64>,
    /// INTERNALDATE as the server wrote it.
    pub internal_date: Option<Cow<'a, [u8]>>,
    pub flags: Vec<Cow<'a, [u8]>>,
    /// RFC 7162
    pub modseq: Option<u64>,
    /// `BODY[]`
    pub message: Option<Body<'a>>,
    /// `BODY[HEADER]`
    pub header: Option<Body<'a>>,
}

/// Where the octets of a body section are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body<'a> {
    /// The server has none.
    Nil,
    Inline(Cow<'a, [u8]>),
    /// They went to the [`super::Literals`].
    Streamed(u64),
}

impl<'a> FetchItems<'a> {
    pub(super) fn parse(scanner: &mut Scanner<'a>) -> Option<Self> {
        let mut items = Self::default();
        let mut inside = scanner.enter()?;
        loop {
            inside.skip_blanks();
            if inside.is_at_end() {
                return Some(items);
            }
            let name = inside.word();
            if name.is_empty() {
                // Not a name: move over whatever it is.
                if inside.value().is_none() {
                    inside.eat(b')');
                }
                continue;
            }
            items.item(name, &mut inside);
        }
    }

    fn item(&mut self, name: &[u8], scanner: &mut Scanner<'a>) {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        if is("FLAGS") {
            if let Some(mut flags) = scanner.enter() {
                while let Some(flag) = flags.value() {
                    self.flags.extend(flag.into_text());
                }
            }
            return;
        }
        if is("MODSEQ") {
            self.modseq = scanner.enter().and_then(|mut inside| inside.number());
            return;
        }
        let Some(value) = scanner.value() else { return };
        if is("UID") {
            self.uid = value.number();
        } else if is("RFC822.SIZE") {
            self.size = value.number();
        } else if is("INTERNALDATE") {
            self.internal_date = value.into_text();
        } else if is("BODY[]") || is("BODY[]<0>") || is("RFC822") || is("BINARY[]") {
            self.message = Some(Body::from(value));
        } else if is("BODY[HEADER]") || is("RFC822.HEADER") {
            self.header = Some(Body::from(value));
        }
    }
}

impl<'a> From<Value<'a>> for Body<'a> {
    fn from(value: Value<'a>) -> Self {
        match value {
            Value::Streamed(size) => Self::Streamed(size),
            Value::Text(text) => Self::Inline(text),
            Value::Nil | Value::Atom(_) | Value::List(_) => Self::Nil,
        }
    }
}

/// One line of `LIST`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedFolder<'a> {
    pub attributes: Vec<Cow<'a, [u8]>>,
    pub delimiter: Option<u8>,
    /// As on the wire: modified UTF-7, or UTF-8 after `ENABLE UTF8=ACCEPT`.
    pub name: Cow<'a, [u8]>,
}

impl<'a> ListedFolder<'a> {
    pub(super) fn parse(scanner: &mut Scanner<'a>) -> Option<Self> {
        let mut attributes = Vec::new();
        let mut inside = scanner.enter()?;
        while let Some(value) = inside.value() {
            attributes.extend(value.into_text());
        }
        let delimiter = scanner.value()?.into_text().and_then(|d| d.first().copied());
        scanner.skip_blanks();
        let name = match scanner.peek()? {
            b'"' | b'{' | b'~' => scanner.value()?.into_text()?,
            // A folder may be called NIL, and some servers forget the quotes around blanks.
            _ => Cow::Borrowed(scanner.rest().trim_ascii_end()),
        };
        Some(Self { attributes, delimiter, name })
    }

    pub fn has(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|a| a.eq_ignore_ascii_case(attribute.as_bytes()))
    }
}
