//! Charsets, and the encoded words of RFC 2047.

use std::borrow::Cow;

use mail_parser::decoders::charsets::map::charset_decoder;

use super::decode::{decode, hex_digit};
use model::mail::Encoding;

/// Text in a charset as its label says; `None` for the label: a guess.
/// `Err` gives the guess where the label is unknown.
pub fn decode_text(bytes: Vec<u8>, charset: Option<&str>) -> Result<String, String> {
    let label = charset.map(|c| c.trim().trim_matches(['"', '\'']).to_ascii_lowercase()).unwrap_or_default();
    match label.as_str() {
        "" | "us-ascii" | "ascii" | "utf-8" | "utf8" | "unknown-8bit" | "8bit" | "x-unknown" | "binary" | "default" => {
            Ok(guess(bytes))
        }
        _ => match charset_decoder(label.as_bytes()) {
            Some(decoder) => Ok(decoder(&bytes)),
            None => Err(guess(bytes)),
        },
    }
}

/// UTF-8 where it is valid, else Windows-1252 (the superset of ISO 8859-1
/// that people mean) unless most of it is UTF-8 after all.
pub fn guess(bytes: Vec<u8>) -> String {
    match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let bytes = error.into_bytes();
            let lossy = String::from_utf8_lossy(&bytes);
            let wrong = lossy.matches(char::REPLACEMENT_CHARACTER).count();
            let right = lossy.chars().filter(|c| !c.is_ascii()).count() - wrong;
            if right > wrong { lossy.into_owned() } else { windows_1252(&bytes) }
        }
    }
}

fn windows_1252(bytes: &[u8]) -> String {
    charset_decoder(b"windows-1252")
        .map_or_else(|| bytes.iter().map(|&b| char::from(b)).collect(), |decoder| decoder(bytes))
}

/// A header field's bytes as text: raw 8-bit is UTF-8 or Windows-1252.
pub fn field_text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(guess(bytes.to_vec())),
    }
}

/// Unstructured text (RFC 5322, section 3.2.5) with its encoded words
/// decoded, unfolded, white space at both ends and control characters gone.
pub fn unstructured(text: &str) -> String {
    let decoded = if text.contains("=?") { Cow::Owned(encoded_words(text)) } else { Cow::Borrowed(text) };
    let mut out = String::with_capacity(decoded.len());
    for c in decoded.chars() {
        match c {
            '\r' | '\n' => {}
            '\t' => out.push(' '),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    match out.trim() {
        trimmed if trimmed.len() == out.len() => out,
        trimmed => trimmed.to_owned(),
    }
}

/// One encoded word.
struct Word<'a> {
    charset: &'a str,
    bytes: Vec<u8>,
    rest: &'a str,
}

/// Decodes the encoded words in a text and leaves the rest as it is. White
/// space between two of them goes; a character that a sloppy writer split
/// between two words of one charset comes out whole.
pub fn encoded_words(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut pending: Option<(String, Vec<u8>)> = None;
    let mut rest = text;
    while let Some(at) = rest.find("=?") {
        let (before, from) = rest.split_at(at);
        let Some(word) = word(from) else {
            if !from.contains("?=") {
                // None of the rest can be one; looking at each would be quadratic.
                break;
            }
            flush(&mut out, &mut pending);
            out.push_str(before);
            out.push_str("=?");
            rest = &from[2..];
            continue;
        };
        let adjacent = before.chars().all(char::is_whitespace);
        match &mut pending {
            Some((charset, bytes)) if adjacent && joins(charset) && charset.eq_ignore_ascii_case(word.charset) => {
                bytes.extend(word.bytes);
            }
            _ => {
                let drop_space = adjacent && pending.is_some();
                flush(&mut out, &mut pending);
                if !drop_space {
                    out.push_str(before);
                }
                pending = Some((word.charset.to_owned(), word.bytes));
            }
        }
        rest = word.rest;
    }
    flush(&mut out, &mut pending);
    out.push_str(rest);
    out
}

/// Whether words of this charset may be decoded as one: not where each starts
/// in a state of its own.
fn joins(charset: &str) -> bool {
    let charset = charset.to_ascii_lowercase();
    !(charset.starts_with("iso-2022") || charset.starts_with("utf-7") || charset.starts_with("hz"))
}

fn flush(out: &mut String, pending: &mut Option<(String, Vec<u8>)>) {
    if let Some((charset, bytes)) = pending.take() {
        // An unknown charset gives the guess; the flaw is not worth a word's trouble.
        out.push_str(&decode_text(bytes, Some(&charset)).unwrap_or_else(|guess| guess));
    }
}

/// The encoded word at the start of `text`. Spaces inside the encoded text
/// are tolerated in Q as some writers leave them there.
fn word(text: &str) -> Option<Word<'_>> {
    let inner = text.strip_prefix("=?")?;
    let (charset, inner) = inner.split_once('?')?;
    let (encoding, inner) = inner.split_once('?')?;
    let known = matches!(encoding, "b" | "B" | "q" | "Q");
    if !known || charset.is_empty() || charset.len() > 40 || charset.contains(char::is_whitespace) {
        return None;
    }
    let end = inner.find("?=")?;
    let data = &inner[..end];
    let bytes = match encoding {
        "b" | "B" => decode(data.as_bytes(), Encoding::Base64),
        _ => q_word(data.as_bytes()),
    };
    // RFC 2231, section 5: a language after an asterisk.
    let charset = charset.split('*').next().unwrap_or(charset);
    if !data.is_ascii() && matches!(encoding, "q" | "Q") {
        // Raw letters inside: they are UTF-8 by now, whatever the word says.
        return Some(Word { charset: "utf-8", bytes: mixed_word(data, charset), rest: &inner[end + 2..] });
    }
    Some(Word { charset, bytes, rest: &inner[end + 2..] })
}

fn mixed_word(data: &str, charset: &str) -> Vec<u8> {
    let mut out = String::new();
    let mut rest = data;
    while !rest.is_empty() {
        let ascii = rest.find(|c: char| !c.is_ascii()).unwrap_or(rest.len());
        out.push_str(&decode_text(q_word(&rest.as_bytes()[..ascii]), Some(charset)).unwrap_or_else(|guess| guess));
        let raw = rest[ascii..].find(|c: char| c.is_ascii()).map_or(rest.len(), |n| ascii + n);
        out.push_str(&rest[ascii..raw]);
        rest = &rest[raw..];
    }
    out.into_bytes()
}

fn q_word(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len());
    let mut rest = data;
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'_' => out.push(b' '),
            b'\r' | b'\n' => {}
            b'=' => match tail {
                [a, b, after @ ..] if hex_digit(*a).is_some() && hex_digit(*b).is_some() => {
                    out.push(hex_digit(*a).unwrap_or(0) << 4 | hex_digit(*b).unwrap_or(0));
                    rest = after;
                }
                _ => out.push(b'='),
            },
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(input: &str, expected: &str) {
        assert_eq!(unstructured(input), expected);
    }
    fn text(bytes: &[u8], charset: &str, expected: &str) {
        assert_eq!(decode_text(bytes.to_vec(), Some(charset)).unwrap(), expected);
    }

    #[test]
    fn plain_text_is_untouched() {
        words("Hello, world", "Hello, world");
    }
    #[test]
    fn folding_goes_and_its_white_space_stays() {
        words("Hello,\r\n world", "Hello, world");
    }
    #[test]
    fn q_word() {
        words("=?utf-8?Q?Caf=C3=A9_au_lait?=", "Café au lait");
    }
    #[test]
    fn b_word() {
        words("=?UTF-8?B?w4RwZmVs?=", "Äpfel");
    }
    #[test]
    fn space_between_words_goes() {
        words("=?utf-8?q?a?=\r\n =?utf-8?q?b?=", "ab");
    }
    #[test]
    fn space_between_a_word_and_text_stays() {
        words("Re: =?utf-8?q?a?= b =?utf-8?q?c?=", "Re: a b c");
    }
    #[test]
    fn a_character_split_between_words() {
        words("=?utf-8?B?w4Q=?= =?utf-8?q?=C3?= =?utf-8?q?=A9?=", "Äé");
    }
    #[test]
    fn words_of_different_charsets() {
        words("=?iso-8859-1?q?=E9?= =?utf-8?q?=C3=A9?=", "éé");
    }
    #[test]
    fn language_after_the_charset() {
        words("=?utf-8*en?q?a?=", "a");
    }
    #[test]
    fn japanese() {
        words("=?ISO-2022-JP?B?GyRCJDMkcyRLJEEkTxsoQg==?=", "こんにちは");
    }
    #[test]
    fn japanese_words_are_not_joined() {
        words("=?ISO-2022-JP?B?GyRCJUYlOSVIGyhC?=\r\n =?ISO-2022-JP?B?GyRCJUYlOSVIGyhC?=", "テストテスト");
    }
    #[test]
    fn raw_letters_inside_a_word() {
        words("=?iso-8859-1?Q?Fr\u{f6}sche=20=F6?=", "Frösche ö");
    }
    #[test]
    fn unknown_charset_is_guessed() {
        words("=?x-nobody?q?abc?=", "abc");
    }
    #[test]
    fn unfinished_word_is_text() {
        words("=?utf-8?q?abc", "=?utf-8?q?abc");
    }
    #[test]
    fn unknown_encoding_is_text() {
        words("=?utf-8?x?abc?=", "=?utf-8?x?abc?=");
    }
    #[test]
    fn word_in_the_middle_of_text_without_space() {
        words("a=?utf-8?q?b?=c", "abc");
    }
    #[test]
    fn controls_go() {
        words("a\u{0}b\u{7}c\td", "abc d");
    }
    #[test]
    fn iso_8859_1_is_windows_1252() {
        text(b"\x80 \xe9", "ISO-8859-1", "€ é");
    }
    #[test]
    fn utf_16() {
        text(b"\xff\xfea\0b\0", "utf-16", "ab");
    }
    #[test]
    fn ascii_with_utf_8_in_it() {
        text("é".as_bytes(), "us-ascii", "é");
    }
    #[test]
    fn ascii_with_latin_1_in_it() {
        text(b"caf\xe9", "us-ascii", "café");
    }
    #[test]
    fn unknown_label_is_told() {
        assert_eq!(decode_text(b"abc".to_vec(), Some("x-nobody")), Err("abc".to_owned()));
    }
}
