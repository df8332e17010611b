//! A header section cut into fields.

use std::borrow::Cow;

use super::charset::field_text;

/// The fields of one header section, in order, still encoded.
#[derive(Debug)]
pub struct Fields<'a> {
    all: Vec<(&'a [u8], &'a [u8])>,
}

impl<'a> Fields<'a> {
    /// `section` as it stood on the wire. Lines that are neither a field nor
    /// the continuation of one are passed over.
    pub fn split(section: &'a [u8]) -> Self {
        let mut all = Vec::with_capacity(32);
        let mut rest = section;
        while !rest.is_empty() {
            let end = field_end(rest);
            let (field, tail) = rest.split_at(end);
            rest = tail;
            if let Some((name, value)) = field_name(field).map(|n| (&field[..n], &field[n..])) {
                let value = value.trim_ascii_start();
                let value = value.strip_prefix(b":").unwrap_or(value);
                all.push((name, value.trim_ascii()));
            }
        }
        Self { all }
    }

    /// The values of the fields with this name (lower-case), in order.
    pub fn all<'b>(&'b self, name: &'b str) -> impl DoubleEndedIterator<Item = Cow<'a, str>> + 'b {
        self.all.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name.as_bytes())).map(|(_, v)| field_text(v))
    }

    pub fn first(&self, name: &str) -> Option<Cow<'a, str>> {
        self.all(name).next()
    }

    pub fn has(&self, name: &str) -> bool {
        self.all.iter().any(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes()))
    }

    /// Every field: name as written, value.
    pub fn iter(&self) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> + '_ {
        self.all.iter().map(|(n, v)| (field_text(n), field_text(v)))
    }
}

/// Length of the first field with its continuation lines.
fn field_end(section: &[u8]) -> usize {
    let mut end = 0;
    loop {
        end += memchr::memchr(b'\n', &section[end..]).map_or(section.len() - end, |at| at + 1);
        if !matches!(section.get(end), Some(b' ' | b'\t')) {
            return end;
        }
    }
}

/// Length of the field name that a line starts with (RFC 5322, section 2.2),
/// white space before the colon allowed; `None` where the line is no field.
pub fn field_name(line: &[u8]) -> Option<usize> {
    let length = line.iter().position(|&b| !(33..=126).contains(&b) || b == b':').filter(|&n| n > 0)?;
    line[length..].trim_ascii_start().starts_with(b":").then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(section: &str, expected: &[(&str, &str)]) {
        let fields = Fields::split(section.as_bytes());
        let got: Vec<_> = fields.iter().collect();
        let got: Vec<(&str, &str)> = got.iter().map(|(n, v)| (n.as_ref(), v.as_ref())).collect();
        assert_eq!(got, expected);
    }

    #[test]
    fn simple() {
        check("A: b\r\nC:d\n", &[("A", "b"), ("C", "d")]);
    }
    #[test]
    fn folded() {
        check("A: b\r\n c\r\nD: e", &[("A", "b\r\n c"), ("D", "e")]);
    }
    #[test]
    fn space_before_the_colon() {
        check("A : b\n", &[("A", "b")]);
    }
    #[test]
    fn lines_that_are_no_fields() {
        check("rubbish\nA: b\n: x\n", &[("A", "b")]);
    }
    #[test]
    fn raw_latin_1() {
        let fields = Fields::split(b"Subject: caf\xe9\n");
        assert_eq!(fields.first("subject").unwrap(), "café");
    }
    #[test]
    fn names_compare_without_case() {
        assert!(Fields::split(b"SUBJECT: x").has("subject"));
    }
}
