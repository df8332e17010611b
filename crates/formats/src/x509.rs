//! From a certificate (RFC 5280), only how long it is valid: the rest is the
//! business of whoever verifies it.

use model::Timestamp;

/// Both ends are included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    pub not_before: Timestamp,
    pub not_after: Timestamp,
}

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xA0;

/// `None` for what is not a certificate in DER.
pub fn validity(der: &[u8]) -> Option<Validity> {
    let (certificate, _) = expect(der, SEQUENCE)?;
    let (mut body, _) = expect(certificate, SEQUENCE)?;
    if body.first() == Some(&VERSION) {
        (_, body) = expect(body, VERSION)?;
    }
    let (_serial, rest) = expect(body, INTEGER)?;
    let (_algorithm, rest) = expect(rest, SEQUENCE)?;
    let (_issuer, rest) = expect(rest, SEQUENCE)?;
    let (validity, _) = expect(rest, SEQUENCE)?;
    let (not_before, rest) = time(validity)?;
    let (not_after, _) = time(rest)?;
    Some(Validity { not_before, not_after })
}

/// The content of an element with this tag, and what follows it.
fn expect(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, content, rest) = element(der)?;
    (found == tag).then_some((content, rest))
}

fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let mut length = usize::from(first);
    if first >= 0x80 {
        let octets = usize::from(first & 0x7F);
        let (long, after) = rest.split_at_checked(octets).filter(|_| (1..=4).contains(&octets))?;
        length = long.iter().fold(0, |n, octet| n << 8 | usize::from(*octet));
        rest = after;
    }
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// `YYMMDDHHMMSSZ` until 2049, `YYYYMMDDHHMMSSZ` after.
fn time(der: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (tag, content, rest) = element(der)?;
    let text = std::str::from_utf8(content).ok()?.strip_suffix('Z')?;
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits = match (tag, text.len()) {
        (UTC_TIME, 12) => format!("{}{text}", if text < "50" { "20" } else { "19" }),
        (GENERALIZED_TIME, 14) => text.to_owned(),
        _ => return None,
    };
    let part = |range: std::ops::Range<usize>| digits.get(range);
    let iso = format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0..4)?,
        part(4..6)?,
        part(6..8)?,
        part(8..10)?,
        part(10..12)?,
        part(12..14)?
    );
    let at = match iso.parse() {
        Ok(at) => at,
        // RFC 5280, 4.1.2.5: no end, which is later than we can say.
        Err(_) if digits == "99991231235959" => Timestamp::MAX,
        Err(_) => return None,
    };
    Some((at, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate's frame around a validity.
    fn framed(validity: &[u8]) -> Vec<u8> {
        let wrap = |tag: u8, content: &[u8]| [&[tag, 0x81, u8::try_from(content.len()).unwrap()], content].concat();
        let body = [
            &wrap(VERSION, &[2, 1, 2])[..],
            &wrap(INTEGER, &[5]),
            &wrap(SEQUENCE, &[]),
            &wrap(SEQUENCE, &[]),
            &wrap(SEQUENCE, validity),
        ]
        .concat();
        wrap(SEQUENCE, &wrap(SEQUENCE, &body))
    }

    fn dated(tag: u8, before: &str, after: &str) -> Vec<u8> {
        let one = |text: &str| [&[tag, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
        framed(&[one(before), one(after)].concat())
    }

    #[track_caller]
    fn check(der: &[u8], expected: Option<(&str, &str)>) {
        let found = validity(der).map(|v| (v.not_before.to_string(), v.not_after.to_string()));
        assert_eq!(found.as_ref().map(|(a, b)| (a.as_str(), b.as_str())), expected);
    }

    #[test]
    fn short_years() {
        let der = dated(UTC_TIME, "260301090000Z", "491231235959Z");
        check(&der, Some(("2026-03-01T09:00:00Z", "2049-12-31T23:59:59Z")));
    }
    #[test]
    fn the_last_century() {
        check(
            &dated(UTC_TIME, "500101000000Z", "991231235959Z"),
            Some(("1950-01-01T00:00:00Z", "1999-12-31T23:59:59Z")),
        );
    }
    #[test]
    fn long_years() {
        let der = dated(GENERALIZED_TIME, "20500101000000Z", "99991231235959Z");
        check(&der, Some(("2050-01-01T00:00:00Z", &Timestamp::MAX.to_string())));
    }
    #[test]
    fn no_date() {
        check(&dated(UTC_TIME, "261301090000Z", "491231235959Z"), None);
        check(&dated(UTC_TIME, "2603010900Z", "491231235959Z"), None);
        check(&dated(GENERALIZED_TIME, "2026030109000Z", "20491231235959Z"), None);
    }
    #[test]
    fn cut_anywhere_it_is_none() {
        let der = dated(UTC_TIME, "260301090000Z", "491231235959Z");
        for end in 0..der.len() {
            check(&der[..end], None);
        }
        check(b"not a certificate", None);
    }
}
