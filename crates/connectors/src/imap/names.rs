//! Names of folders: modified UTF-7 (RFC 3501, section 5.1.3), and strings as
//! arguments of commands.

use base64::Engine as _;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &IMAP_MUTF7,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A folder name as people write it → as it goes over the wire.
pub fn encode_utf7(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    let mut pending: Vec<u8> = Vec::new();
    let flush = |pending: &mut Vec<u8>, encoded: &mut String| {
        if !pending.is_empty() {
            encoded.push('&');
            BASE64.encode_string(&*pending, encoded);
            encoded.push('-');
            pending.clear();
        }
    };
    for c in name.chars() {
        if matches!(c, ' '..='~') {
            flush(&mut pending, &mut encoded);
            encoded.push(c);
            if c == '&' {
                encoded.push('-');
            }
        } else {
            let mut units = [0; 2];
            pending.extend(c.encode_utf16(&mut units).iter().flat_map(|u| u.to_be_bytes()));
        }
    }
    flush(&mut pending, &mut encoded);
    encoded
}

/// A folder name from the wire → as people write it. What is not modified
/// UTF-7 is taken as UTF-8, which some servers send.
pub fn decode_utf7(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name);
    try_decode(&text).unwrap_or_else(|| text.into_owned())
}

fn try_decode(text: &str) -> Option<String> {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        decoded.push_str(&rest[..at]);
        let (inside, after) = rest[at + 1..].split_once('-')?;
        if inside.is_empty() {
            decoded.push('&');
        } else {
            let bytes = BASE64.decode(inside).ok()?;
            let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
            decoded.push_str(&String::from_utf16(&units).ok()?);
        }
        rest = after;
    }
    decoded.push_str(rest);
    Some(decoded)
}

/// A string as a quoted string; `None` where it needs a literal.
pub fn quoted(text: &str) -> Option<String> {
    if text.bytes().any(|b| matches!(b, 0 | b'\r' | b'\n' | 0x80..)) || text.len() > 1000 {
        return None;
    }
    Some(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(name: &str, wire: &str) {
        assert_eq!(encode_utf7(name), wire);
        assert_eq!(decode_utf7(wire.as_bytes()), name);
    }

    #[test]
    fn names_in_modified_utf7() {
        check("INBOX", "INBOX");
        check("Entwürfe", "Entw&APw-rfe");
        check("Q&A", "Q&-A");
        check("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-");
        check("Входящие", "&BBIERQQ+BDQETwRJBDgENQ-");
        check("😀", "&2D3eAA-");
        check("", "");
    }

    #[test]
    fn what_is_not_utf7_stays_as_it_is() {
        assert_eq!(decode_utf7("Entwürfe".as_bytes()), "Entwürfe");
        assert_eq!(decode_utf7(b"R&D"), "R&D");
        assert_eq!(decode_utf7(b"&&&"), "&&&");
        assert_eq!(decode_utf7(b"&2D0-"), "&2D0-");
        assert_eq!(decode_utf7(b"a\xffb"), "a\u{fffd}b");
    }

    #[test]
    fn strings_are_quoted_where_that_is_safe() {
        assert_eq!(quoted("INBOX").as_deref(), Some("\"INBOX\""));
        assert_eq!(quoted("a\"b\\c").as_deref(), Some("\"a\\\"b\\\\c\""));
        assert_eq!(quoted("a\r\nA2 LOGOUT"), None);
        assert_eq!(quoted("pässword"), None);
        assert_eq!(quoted("a\0"), None);
    }

    proptest! {
        #[test]
        fn every_name_survives(name in "\\PC{0,20}") {
            prop_assert_eq!(decode_utf7(encode_utf7(&name).as_bytes()), name);
        }

        #[test]
        fn any_bytes_can_be_decoded(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            decode_utf7(&bytes);
        }
    }
}
