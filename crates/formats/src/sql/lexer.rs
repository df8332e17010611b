//! SQL cut into tokens.

use super::syntax;
use crate::fetchxml::FetchError;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// A name or a keyword, in small letters.
    Word(String),
    /// The same as it was written, between brackets or quotation marks.
    Quoted(String),
    Text(String),
    Number(String),
    /// `( ) , . * ; = < > <= >= <>`
    Sign(&'static str),
}

const LONGEST: usize = 64 * 1024;
const MOST: usize = 5_000;
const SIGNS: &[&str] = &["<=", ">=", "<>", "!=", "(", ")", ",", ".", "*", ";", "=", "<", ">"];

pub fn tokens(source: &str) -> Result<Vec<Token>, FetchError> {
    if source.len() > LONGEST {
        return Err(FetchError::invalid("The SQL is too long."));
    }
    let mut out = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        if out.len() >= MOST {
            return Err(FetchError::invalid("The SQL is too long."));
        }
        let broken = || syntax(&source[source.len() - rest.len()..]);
        let length = if first.is_whitespace() {
            first.len_utf8()
        } else if rest.starts_with("--") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").ok_or_else(broken)? + 2
        } else if first == '\'' {
            let (text, length) = between(rest, '\'', '\'').ok_or_else(broken)?;
            out.push(Token::Text(text));
            length
        } else if first == '[' || first == '"' {
            let close = if first == '[' { ']' } else { '"' };
            let (name, length) = between(rest, first, close).ok_or_else(broken)?;
            out.push(Token::Quoted(name));
            length
        } else if rest.starts_with("N'") || rest.starts_with("n'") {
            let (text, length) = between(&rest[1..], '\'', '\'').ok_or_else(broken)?;
            out.push(Token::Text(text));
            length + 1
        } else if first.is_ascii_digit() || (first == '-' && rest[1..].starts_with(|c: char| c.is_ascii_digit())) {
            let length = 1 + run(&rest[1..], |c| c.is_ascii_digit() || c == '.');
            out.push(Token::Number(rest[..length].to_owned()));
            length
        } else if first.is_ascii_alphabetic() || first == '_' {
            let length = run(rest, |c| c.is_ascii_alphanumeric() || c == '_');
            out.push(Token::Word(rest[..length].to_ascii_lowercase()));
            length
        } else {
            let sign = SIGNS.iter().find(|s| rest.starts_with(**s)).ok_or_else(broken)?;
            out.push(Token::Sign(if *sign == "!=" { "<>" } else { sign }));
            sign.len()
        };
        rest = &rest[length..];
    }
    Ok(out)
}

fn run(text: &str, of: impl Fn(char) -> bool) -> usize {
    text.find(|c| !of(c)).unwrap_or(text.len())
}

/// What stands between the marks at the start, a doubled closing mark being
/// one of the text; and how long all of it is.
fn between(text: &str, open: char, close: char) -> Option<(String, usize)> {
    let mut out = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    debug_assert!(text.starts_with(open));
    while let Some((at, c)) = chars.next() {
        if c != close {
            out.push(c);
        } else if chars.next_if(|(_, next)| *next == close).is_some() {
            out.push(close);
        } else {
            return Some((out, at + close.len_utf8()));
        }
    }
    None
}
