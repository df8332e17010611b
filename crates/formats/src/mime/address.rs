//! Address lists (RFC 5322, section 3.4), as people and programs write them.

use model::mail::{Address, Flaw, is_address};

use super::charset::unstructured;

/// More addresses than this in one field are not looked at.
const MOST: usize = 10_000;

/// Reads an address list: groups flattened, comments taken as names where
/// there is no other, semicolons accepted between addresses. What is no
/// address becomes a flaw, and stays out unless it contains an `@`.
pub fn list(field: &str, out: &mut Vec<Address>, flaws: &mut Vec<Flaw>) {
    let mut one = One::default();
    let mut chars = field.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if out.len() >= MOST {
            return;
        }
        match c {
            // A quote that nobody closes is nothing.
            '"' if !field[at + 1..].contains('"') => {}
            '"' => quoted(&mut chars, one.target()),
            '(' => comment(&mut chars, &mut one.comment),
            '=' if field[at..].starts_with("=?") => {
                let word = encoded_word(&field[at..]);
                one.target().push_str(word);
                while chars.next_if(|(next, _)| *next < at + word.len()).is_some() {}
            }
            '<' if !one.inside => {
                one.inside = true;
                one.angle.get_or_insert_default().clear();
            }
            '>' => one.inside = false,
            ',' | ';' if !one.inside || one.angle.as_deref().is_some_and(|a| a.find('@').is_some_and(|at| at > 0)) => {
                one.end(out, flaws);
            }
            // The display name of a group; a colon in an address is a route.
            ':' if !one.inside && one.angle.is_none() && !one.plain.contains('@') => one = One::default(),
            c => one.target().push(c),
        }
    }
    one.end(out, flaws);
}

/// One address while it is read.
#[derive(Default)]
struct One {
    plain: String,
    comment: String,
    angle: Option<String>,
    inside: bool,
}

impl One {
    fn target(&mut self) -> &mut String {
        if self.inside { self.angle.get_or_insert_default() } else { &mut self.plain }
    }

    fn end(&mut self, out: &mut Vec<Address>, flaws: &mut Vec<Flaw>) {
        let one = std::mem::take(self);
        let (name, address) = match &one.angle {
            Some(angle) => (one.plain.as_str(), angle.as_str()),
            None => ("", one.plain.as_str()),
        };
        let mut address = bare(address);
        let mut name = unquote(&unstructured(name.trim()));
        // `user@example.org <>` and the like.
        if address.is_empty() && one.angle.is_some() && is_address(&name) {
            address = std::mem::take(&mut name);
        }
        if name.is_empty() {
            name = unstructured(one.comment.trim());
        }
        if address.is_empty() {
            if !name.is_empty() {
                flaws.push(Flaw::BadAddress(name));
            }
            return;
        }
        if is_address(&address) {
            out.push(Address { name, address });
            return;
        }
        // `Name user@example.org` without angle brackets.
        if one.angle.is_none()
            && let Some((before, last)) = address.rsplit_once(char::is_whitespace)
            && is_address(last)
        {
            out.push(Address::new(unquote(&unstructured(before)), last));
            flaws.push(Flaw::BadAddress(address));
            return;
        }
        let address = unstructured(&address);
        if address.contains('@') {
            let kept: String = address.chars().filter(|c| !c.is_whitespace()).collect();
            out.push(Address::new(name, kept));
        }
        flaws.push(Flaw::BadAddress(address));
    }
}

/// An address without white space around its dots and `@`, and without a
/// source route (`@a,@b:user@c`, RFC 5322, section 4.4).
fn bare(text: &str) -> String {
    let text = text.trim().trim_start_matches("mailto:");
    let text = match text.split_once(':') {
        Some((route, rest)) if route.starts_with('@') => rest,
        _ => text,
    };
    if !text.contains(char::is_whitespace) {
        return text.trim_matches(['\'', '\u{0}']).to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut words = text.split_whitespace().peekable();
    while let Some(word) = words.next() {
        out.push_str(word);
        if let Some(next) = words.peek()
            && !word.ends_with(['.', '@'])
            && !next.starts_with(['.', '@'])
        {
            out.push(' ');
        }
    }
    out
}

fn unquote(name: &str) -> String {
    let trimmed = name.trim();
    let inner = trimmed.strip_prefix('\'').and_then(|n| n.strip_suffix('\'')).unwrap_or(trimmed);
    inner.trim().to_owned()
}

type Chars<'a> = std::iter::Peekable<std::str::CharIndices<'a>>;

/// A quoted string. In a name the quotes go; a local part keeps them where it
/// cannot do without.
fn quoted(chars: &mut Chars<'_>, out: &mut String) {
    let start = out.len();
    let mut raw = String::from("\"");
    let mut special = false;
    while let Some((_, c)) = chars.next() {
        match c {
            '"' => break,
            '\\' => {
                if let Some((_, next)) = chars.next() {
                    special = true;
                    out.push(next);
                    raw.extend(['\\', next]);
                }
            }
            '\r' | '\n' => {}
            c => {
                special |= "<>,;: ()@".contains(c);
                out.push(c);
                raw.push(c);
            }
        }
    }
    if (special || out.len() == start) && chars.peek().is_some_and(|(_, c)| *c == '@') {
        raw.push('"');
        out.replace_range(start.., &raw);
    }
}

fn comment(chars: &mut Chars<'_>, out: &mut String) {
    let mut depth = 1_u32;
    if !out.is_empty() {
        out.push(' ');
    }
    while let Some((_, c)) = chars.next() {
        match c {
            '(' => depth += 1,
            ')' => {
                depth -= 1;
                if depth == 0 {
                    return;
                }
            }
            '\\' => {
                if let Some((_, next)) = chars.next() {
                    out.push(next);
                }
                continue;
            }
            _ => {}
        }
        out.push(c);
    }
}

/// An encoded word whole, so that a comma inside it parts nothing; `=?` where
/// it is none.
fn encoded_word(text: &str) -> &str {
    let text = &text[..text.floor_char_boundary(1_000)];
    let end = text[2..]
        .match_indices('?')
        .nth(1)
        .and_then(|(second, _)| text[second + 3..].find("?=").map(|end| second + 3 + end + 2));
    match end {
        Some(end) if !text[..end].contains(['<', '\n']) => &text[..end],
        _ => &text[..2],
    }
}

#[cfg(test)]
#[path = "address/tests.rs"]
mod tests;
