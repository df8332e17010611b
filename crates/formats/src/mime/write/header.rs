//! Header fields: folding, encoded words, address lists, parameters.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::mail::Address;

use super::{WriteError, check_address};

/// Lines are folded to this where there is a place to fold.
const WIDTH: usize = 78;

/// A header section while it is written.
#[derive(Default)]
pub struct Header {
    out: Vec<u8>,
    pub needs_utf8: bool,
}

impl Header {
    pub fn finish(self) -> Vec<u8> {
        self.out
    }

    /// A value that is ASCII and needs no encoding; folded at its spaces.
    pub fn plain(&mut self, name: &str, value: &str) {
        self.out.extend_from_slice(name.as_bytes());
        self.out.push(b':');
        let mut column = name.len() + 1;
        for (n, word) in value.split(' ').enumerate() {
            if n > 0 && column + 1 + word.len() > WIDTH {
                self.out.extend_from_slice(b"\r\n");
                column = 0;
            }
            self.out.push(b' ');
            self.out.extend_from_slice(word.as_bytes());
            column += 1 + word.len();
        }
        self.out.extend_from_slice(b"\r\n");
    }

    /// Unstructured text.
    pub fn text(&mut self, name: &str, value: &str) {
        let value = value.trim();
        let plain = value.bytes().all(|b| (32..=126).contains(&b))
            && !value.contains("=?")
            && !value.contains("  ")
            && value.split(' ').all(|word| word.len() < 70);
        if plain {
            self.plain(name, value);
        } else {
            // The first word stands on a line with the field's name.
            self.plain(name, &encoded_words(value, name.len() + 2).join(" "));
        }
    }

    /// # Errors
    /// See [`check_address`].
    pub fn addresses(&mut self, name: &str, list: &[Address]) -> Result<(), WriteError> {
        let mut words = Vec::new();
        for (n, address) in list.iter().enumerate() {
            check_address(name, address)?;
            self.needs_utf8 |= !address.address.is_ascii();
            let comma = if n + 1 < list.len() { "," } else { "" };
            let display = address.name.trim();
            if display.is_empty() {
                words.push(format!("{}{comma}", address.address));
            } else {
                words.extend(phrase(display));
                words.push(format!("<{}>{comma}", address.address));
            }
        }
        self.plain(name, &words.join(" "));
        Ok(())
    }

    /// A field with one parameter whose value may be anything (RFC 2231).
    pub fn parameter(&mut self, name: &str, value: &str, param: &str, text: &str) {
        let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
        let simple = text.bytes().all(|b| (32..=126).contains(&b)) && !text.contains("=?") && !text.contains("  ");
        if simple && quoted.len() < 60 {
            self.plain(name, &format!("{value}; {param}=\"{quoted}\""));
            return;
        }
        let mut folded = format!("{value};");
        let pieces = percent_encoded(text, 50);
        let several = pieces.len() > 1;
        for (n, piece) in pieces.iter().enumerate() {
            let number = if several { format!("*{n}") } else { String::new() };
            let charset = if n == 0 { "utf-8''" } else { "" };
            let semicolon = if n + 1 < pieces.len() { ";" } else { "" };
            folded.push_str(&format!(" {param}{number}*={charset}{piece}{semicolon}"));
        }
        self.plain(name, &folded);
    }
}

/// A display name as words that may be folded between.
fn phrase(name: &str) -> Vec<String> {
    let ascii = name.bytes().all(|b| (32..=126).contains(&b)) && !name.contains("=?") && !name.contains("  ");
    if !ascii || name.split(' ').any(|w| w.len() > 60) {
        return encoded_words(name, 0);
    }
    let atoms = name.bytes().all(|b| b.is_ascii_alphanumeric() || b" !#$%&*+-/=?^_`{|}~".contains(&b));
    if atoms {
        return name.split(' ').map(str::to_owned).collect();
    }
    // Folding inside a quoted string is allowed at its spaces.
    let quoted = format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
    quoted.split(' ').map(str::to_owned).collect()
}

/// RFC 2047: words of at most 75 characters, each whole in itself. The first
/// leaves room for what stands before it.
fn encoded_words(text: &str, before: usize) -> Vec<String> {
    let escaped = text.chars().filter(|c| !q_safe(*c)).map(char::len_utf8).sum::<usize>();
    let q = escaped * 3 <= text.len();
    let mut words = Vec::new();
    let mut piece = String::new();
    let mut cost = 0;
    let mut room = 75_usize.saturating_sub(12 + before.min(40));
    for c in text.chars() {
        // In base64 the worst case of what the character adds.
        let adds = if !q {
            c.len_utf8() * 4
        } else if q_safe(c) || c == ' ' {
            3
        } else {
            c.len_utf8() * 9
        };
        if cost + adds > room * 3 {
            words.push(encoded_word(&piece, q));
            piece.clear();
            cost = 0;
            room = 75 - 12;
        }
        piece.push(c);
        cost += adds;
    }
    words.push(encoded_word(&piece, q));
    words
}

fn q_safe(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!*+-/".contains(c)
}

fn encoded_word(text: &str, q: bool) -> String {
    if !q {
        return format!("=?utf-8?B?{}?=", STANDARD.encode(text));
    }
    let mut out = String::from("=?utf-8?Q?");
    for c in text.chars() {
        match c {
            ' ' => out.push('_'),
            c if q_safe(c) => out.push(c),
            c => c.encode_utf8(&mut [0; 4]).bytes().for_each(|b| out.push_str(&format!("={b:02X}"))),
        }
    }
    out.push_str("?=");
    out
}

/// Pieces of at most so many characters, cut between characters of the text.
fn percent_encoded(text: &str, width: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for c in text.chars() {
        let mut encoded = String::new();
        if c.is_ascii_alphanumeric() || "!#$&+-.^_`|~".contains(c) {
            encoded.push(c);
        } else {
            c.encode_utf8(&mut [0; 4]).bytes().for_each(|b| encoded.push_str(&format!("%{b:02X}")));
        }
        match pieces.last_mut() {
            Some(last) if last.len() + encoded.len() <= width => last.push_str(&encoded),
            _ => pieces.push(encoded),
        }
    }
    pieces
}
