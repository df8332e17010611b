//! `Content-Type`, `Content-Disposition` and their parameters (RFC 2045,
//! 2183, 2231), read leniently.

use super::charset::{decode_text, encoded_words};
use super::decode::hex_digit;

/// A value with parameters.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Parameterized {
    /// Lower-case, without white space: `text/plain`, `attachment`.
    pub value: String,
    /// Lower-case names; RFC 2231 pieces put together, values decoded.
    pub params: Vec<(String, String)>,
}

impl Parameterized {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// Splits `value; name=value; …`.
pub fn parse(field: &str) -> Parameterized {
    let mut scanner = Scanner { rest: field };
    let value: String = scanner.until(&[';']).chars().filter(|c| !c.is_whitespace()).collect();
    let mut raw = Vec::new();
    while raw.len() < 100 && scanner.skip_separators() {
        let name: String = scanner.until(&['=', ';']).trim().to_ascii_lowercase();
        if scanner.rest.starts_with('=') {
            scanner.rest = &scanner.rest[1..];
            raw.push((name, scanner.value()));
        }
    }
    Parameterized { value: value.to_ascii_lowercase(), params: combine(raw) }
}

struct Scanner<'a> {
    rest: &'a str,
}

impl Scanner<'_> {
    /// Up to one of these characters outside comments, which are dropped.
    fn until(&mut self, stops: &[char]) -> String {
        let mut out = String::new();
        let mut depth = 0_u32;
        for (at, c) in self.rest.char_indices() {
            match c {
                '(' => depth += 1,
                ')' if depth > 0 => depth -= 1,
                c if depth > 0 && c != '\n' => {}
                c if stops.contains(&c) => {
                    self.rest = &self.rest[at..];
                    return out;
                }
                c => out.push(c),
            }
        }
        self.rest = "";
        out
    }

    fn skip_separators(&mut self) -> bool {
        self.rest = self.rest.trim_start_matches(|c: char| c == ';' || c.is_whitespace());
        !self.rest.is_empty()
    }

    /// A quoted string, or everything up to the next semicolon.
    fn value(&mut self) -> String {
        let start = self.rest.trim_start();
        let Some(quoted) = start.strip_prefix('"') else {
            let end = start.find(';').unwrap_or(start.len());
            self.rest = &start[end..];
            // A field that was cut at the next line by a writer who forgot the semicolon.
            let token = start[..end].split('\n').next().unwrap_or_default().trim();
            return match token.find(" (") {
                Some(comment) => token[..comment].trim_end().to_owned(),
                None => token.to_owned(),
            };
        };
        let mut out = String::new();
        let mut escaped = false;
        for (at, c) in quoted.char_indices() {
            match c {
                '\r' | '\n' => {}
                c if escaped => {
                    // `C:\temp` is meant as it stands; only these need the backslash.
                    if c != '"' && c != '\\' {
                        out.push('\\');
                    }
                    out.push(c);
                    escaped = false;
                }
                '\\' => escaped = true,
                '"' => {
                    self.rest = &quoted[at + 1..];
                    return out;
                }
                c => out.push(c),
            }
        }
        self.rest = "";
        out
    }
}

/// One piece of a continued parameter: its number, whether it is percent-encoded, the text.
type Piece = (u32, bool, String);

/// Puts `name*0*=…; name*1=…` together and decodes.
fn combine(raw: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = Vec::with_capacity(raw.len());
    let mut pieces: Vec<(String, Vec<Piece>)> = Vec::new();
    for (name, value) in raw {
        let Some((base, index)) = name.split_once('*') else {
            if !out.iter().any(|(n, _)| *n == name) {
                out.push((name, if value.contains("=?") { encoded_words(&value) } else { value }));
            }
            continue;
        };
        let encoded = index.is_empty() || index.ends_with('*');
        let number = index.trim_end_matches('*').parse().unwrap_or(0);
        let piece = (number, encoded, value);
        match pieces.iter_mut().find(|(n, _)| n == base) {
            Some((_, all)) => all.push(piece),
            None => pieces.push((base.to_owned(), vec![piece])),
        }
    }
    for (name, mut all) in pieces {
        all.sort_by_key(|(number, ..)| *number);
        let value = join(&all);
        // RFC 6266, section 4.3: the extended form wins over the plain one.
        match out.iter_mut().find(|(n, _)| *n == name) {
            Some(plain) => plain.1 = value,
            None => out.push((name, value)),
        }
    }
    out
}

fn join(pieces: &[Piece]) -> String {
    let mut charset = None;
    let mut bytes = Vec::new();
    for (n, (_, encoded, text)) in pieces.iter().enumerate() {
        let mut text = text.as_str();
        if n == 0
            && *encoded
            && let Some((label, tail)) = text.split_once('\'')
            && let Some((_language, tail)) = tail.split_once('\'')
        {
            charset = Some(label);
            text = tail;
        }
        if *encoded {
            percent_decode(text.as_bytes(), &mut bytes);
        } else {
            bytes.extend_from_slice(text.as_bytes());
        }
    }
    let text = decode_text(bytes, charset).unwrap_or_else(|guess| guess);
    if text.contains("=?") { encoded_words(&text) } else { text }
}

fn percent_decode(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|h| Some(hex_digit(h[0])? << 4 | hex_digit(h[1])?));
        match hex {
            Some(byte) if first == b'%' => {
                out.push(byte);
                rest = &tail[2..];
            }
            _ => {
                out.push(first);
                rest = tail;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(field: &str, value: &str, params: &[(&str, &str)]) {
        let got = parse(field);
        assert_eq!(got.value, value);
        let pairs: Vec<(&str, &str)> = got.params.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(pairs, params);
    }

    #[test]
    fn bare() {
        check("text/plain", "text/plain", &[]);
    }
    #[test]
    fn charset() {
        check("Text/Plain; Charset=UTF-8", "text/plain", &[("charset", "UTF-8")]);
    }
    #[test]
    fn quoted() {
        check("a/b; name=\"x; \\\"y\\\".txt\"", "a/b", &[("name", "x; \"y\".txt")]);
    }
    #[test]
    fn backslashes_of_a_path_are_kept() {
        check(r#"a/b; name="C:\temp\x.txt""#, "a/b", &[("name", r"C:\temp\x.txt")]);
    }
    #[test]
    fn folded() {
        check("a/b;\r\n\tname=x;\r\n boundary=\"q r\"", "a/b", &[("name", "x"), ("boundary", "q r")]);
    }
    #[test]
    fn unquoted_name_with_spaces() {
        check("a/b; name=my file.txt; x=y", "a/b", &[("name", "my file.txt"), ("x", "y")]);
    }
    #[test]
    fn comment() {
        check("text/plain (really); charset=utf-8 (yes)", "text/plain", &[("charset", "utf-8")]);
    }
    #[test]
    fn missing_semicolon() {
        check("a/b; name=x\r\n charset=y", "a/b", &[("name", "x")]);
    }
    #[test]
    fn doubled_and_trailing_semicolons() {
        check("a/b;; name=x;", "a/b", &[("name", "x")]);
    }
    #[test]
    fn unterminated_quote() {
        check("a/b; name=\"x", "a/b", &[("name", "x")]);
    }
    #[test]
    fn rfc_2231_single() {
        check("attachment; filename*=UTF-8''na%C3%AFve.txt", "attachment", &[("filename", "naïve.txt")]);
    }
    #[test]
    fn rfc_2231_continued() {
        check("a/b; name*1*=%C3%A9; name*0*=utf-8''a; name*2=\"c.txt\"", "a/b", &[("name", "aéc.txt")]);
    }
    #[test]
    fn rfc_2231_quoted() {
        check("a/b; name*=\"utf-8''%41\"", "a/b", &[("name", "A")]);
    }
    #[test]
    fn rfc_2231_character_split_between_pieces() {
        check("a/b; name*0*=utf-8''%C3; name*1*=%A9", "a/b", &[("name", "é")]);
    }
    #[test]
    fn extended_wins_over_plain() {
        check("a/b; filename=x; filename*=''y", "a/b", &[("filename", "y")]);
    }
    #[test]
    fn encoded_word() {
        check("a/b; name=\"=?utf-8?q?=C3=A9?=.txt\"", "a/b", &[("name", "é.txt")]);
    }
    #[test]
    fn first_of_two_wins() {
        check("a/b; name=x; name=y", "a/b", &[("name", "x")]);
    }
    #[test]
    fn empty() {
        check("", "", &[]);
    }
}
