//! `$filter` cut into tokens.

use super::{ODataError, excerpt};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A name, an operator, `null`, `true`; dots may stand inside.
    Word,
    /// With its quotes.
    Text,
    /// A number, GUID or date without quotes.
    Bare,
    /// `@p1`
    Alias,
    /// One of `( ) , / : = [ ]`
    Sign(u8),
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    pub kind: Kind,
    pub text: &'a str,
    /// Octets from the start.
    pub position: usize,
}

/// More tokens than this nobody wrote by hand, nor should a program.
const MOST: usize = 5_000;

/// Every token, the last one being [`Kind::End`].
pub fn tokens(source: &str) -> Result<Vec<Token<'_>>, ODataError> {
    let mut out = Vec::new();
    let bytes = source.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let rest = &source[at..];
        let (kind, length) = match byte {
            b' ' | b'\t' | b'\r' | b'\n' => {
                at += 1;
                continue;
            }
            b'(' | b')' | b',' | b'/' | b':' | b'=' | b'[' | b']' => (Kind::Sign(byte), 1),
            b'\'' => (Kind::Text, text(rest).ok_or_else(|| unterminated(source, at))?),
            b'@' => (Kind::Alias, 1 + run(&rest[1..], |b| b.is_ascii_alphanumeric() || b == b'_')),
            b'0'..=b'9' | b'-' | b'+' => (Kind::Bare, run(rest, |b| b.is_ascii_alphanumeric() || b"-+.:".contains(&b))),
            b if b.is_ascii_alphabetic() || b == b'_' || b == b'$' => match guid(rest) {
                Some(length) => (Kind::Bare, length),
                None => (Kind::Word, 1 + run(&rest[1..], |b| b.is_ascii_alphanumeric() || b"_.".contains(&b))),
            },
            _ => return Err(syntax(source, at)),
        };
        if out.len() >= MOST {
            return Err(ODataError::new(at, "The query specified in the URI is too long."));
        }
        out.push(Token { kind, text: &rest[..length], position: at });
        at += length;
    }
    out.push(Token { kind: Kind::End, text: "", position: source.len() });
    Ok(out)
}

fn run(rest: &str, of: impl Fn(u8) -> bool) -> usize {
    rest.bytes().position(|b| !of(b)).unwrap_or(rest.len())
}

/// Length of the quoted text at the start; two quotes inside are one.
fn text(rest: &str) -> Option<usize> {
    let mut bytes = rest.bytes().enumerate().skip(1).peekable();
    while let Some((at, byte)) = bytes.next() {
        if byte == b'\'' && bytes.next_if(|(_, b)| *b == b'\'').is_none() {
            return Some(at + 1);
        }
    }
    None
}

/// A GUID that starts with a letter.
fn guid(rest: &str) -> Option<usize> {
    let candidate = rest.get(..36)?;
    let shaped = candidate.bytes().enumerate().all(|(at, b)| match at {
        8 | 13 | 18 | 23 => b == b'-',
        _ => b.is_ascii_hexdigit(),
    });
    let ends = !rest[36..].starts_with(|c: char| c.is_ascii_alphanumeric() || "_-.".contains(c));
    (shaped && ends).then_some(36)
}

/// The error for everything that is no expression.
pub fn syntax(source: &str, position: usize) -> ODataError {
    ODataError::new(position, format!("Syntax error at position {position} in '{}'.", excerpt(source)))
}

fn unterminated(source: &str, position: usize) -> ODataError {
    let message = format!("There is an unterminated string literal at position {position} in '{}'.", excerpt(source));
    ODataError::new(position, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, expected: &[&str]) {
        let tokens = tokens(source).unwrap();
        let texts: Vec<&str> = tokens.iter().filter(|t| t.kind != Kind::End).map(|t| t.text).collect();
        assert_eq!(texts, expected);
        for token in tokens {
            assert!(source[token.position..].starts_with(token.text));
        }
    }

    #[test]
    fn cuts() {
        check("", &[]);
        check("a eq 'b'", &["a", "eq", "'b'"]);
        check("a eq 'it''s'", &["a", "eq", "'it''s'"]);
        check("a eq ''", &["a", "eq", "''"]);
        check("(a)", &["(", "a", ")"]);
        check(
            "x/any(p:p/y ge 2024-01-01T10:00:00Z)",
            &["x", "/", "any", "(", "p", ":", "p", "/", "y", "ge", "2024-01-01T10:00:00Z", ")"],
        );
        check("a eq -1.5", &["a", "eq", "-1.5"]);
        check("a eq @p1", &["a", "eq", "@p1"]);
        check(
            "_a_value eq abcdef01-0000-0000-0000-000000000000",
            &["_a_value", "eq", "abcdef01-0000-0000-0000-000000000000"],
        );
        check(
            "Microsoft.Dynamics.CRM.In(A='x',B=['1','2'])",
            &["Microsoft.Dynamics.CRM.In", "(", "A", "=", "'x'", ",", "B", "=", "[", "'1'", ",", "'2'", "]", ")"],
        );
        check("a eq 'é'", &["a", "eq", "'é'"]);
    }
    #[test]
    fn errors() {
        assert_eq!(tokens("a eq 'b").unwrap_err().position, 5);
        assert_eq!(tokens("a eq é").unwrap_err().position, 5);
        assert!(tokens("a;b").is_err());
        assert!(tokens(&"a ".repeat(6000)).is_err());
    }
}
