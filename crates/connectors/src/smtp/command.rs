//! The commands of a mail transaction as bytes, and the guard that keeps an
//! address from becoming a command of its own.

use std::fmt::Write as _;

use model::{Failure, FailureKind, Step};

use super::capabilities::Capabilities;
use crate::Envelope;

/// RFC 5321, section 4.5.3.1.3 says 256 octets; RFC 6531 and real systems go further.
const MAX_PATH: usize = 900;

/// Refuses an address that must not stand in a command line. `empty_is_fine`: `<>` is a
/// reverse-path but no recipient.
pub(crate) fn check_address(address: &str, empty_is_fine: bool) -> Result<(), Failure> {
    let problem = if address.is_empty() {
        (!empty_is_fine).then_some("it is empty")
    } else if address.len() > MAX_PATH {
        Some("it is too long")
    } else if address.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
        Some("it contains a line break or another control character")
    } else if address.contains(['<', '>']) {
        Some("it contains an angle bracket")
    } else if address.chars().any(char::is_whitespace) {
        Some("it contains a space")
    } else {
        None
    };
    match problem {
        None => Ok(()),
        Some(problem) => {
            let detail = format!("the address {address:?} cannot be used on an envelope: {problem}");
            Err(Failure::new(FailureKind::Refused, Step::Send, detail))
        }
    }
}

/// Checks all addresses before anything is written.
pub(crate) fn check_envelope(envelope: &Envelope) -> Result<(), Failure> {
    check_address(&envelope.from, true)?;
    if envelope.to.is_empty() {
        return Err(Failure::new(FailureKind::Refused, Step::Send, "the message has no recipient"));
    }
    envelope.to.iter().try_for_each(|address| check_address(address, false))
}

/// Whether the envelope needs SMTPUTF8, whatever it says itself.
pub(crate) fn needs_utf8(envelope: &Envelope) -> bool {
    envelope.utf8 || !envelope.from.is_ascii() || envelope.to.iter().any(|address| !address.is_ascii())
}

/// `MAIL FROM:<..>` with the parameters that the server knows.
pub(crate) fn mail_from(envelope: &Envelope, offered: &Capabilities, size: u64, eight_bit: bool) -> String {
    let mut line = format!("MAIL FROM:<{}>", envelope.from);
    if offered.size {
        // Writing to a String cannot fail.
        let _ = write!(line, " SIZE={size}");
    }
    let utf8 = needs_utf8(envelope) && offered.smtp_utf8;
    if (eight_bit || utf8) && offered.eight_bit_mime {
        line.push_str(" BODY=8BITMIME");
    }
    if utf8 {
        line.push_str(" SMTPUTF8");
    }
    if let (Some(id), true) = (&envelope.dsn, offered.dsn) {
        line.push_str(" RET=HDRS");
        // RFC 3461, section 4.4: at most 100 characters before encoding.
        if !id.is_empty() && id.is_ascii() && id.len() <= 100 {
            let _ = write!(line, " ENVID={}", xtext(id));
        }
    }
    line
}

/// `RCPT TO:<..>` with the parameters that the server knows.
pub(crate) fn rcpt_to(envelope: &Envelope, address: &str, offered: &Capabilities) -> String {
    let mut line = format!("RCPT TO:<{address}>");
    if envelope.dsn.is_some() && offered.dsn {
        line.push_str(" NOTIFY=FAILURE,DELAY");
        // RFC 6533 would allow more; an original recipient in UTF-8 is left out instead.
        if address.is_ascii() {
            let _ = write!(line, " ORCPT=rfc822;{}", xtext(address));
        }
    }
    line
}

/// RFC 3461, section 4.
fn xtext(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for octet in text.bytes() {
        match octet {
            b'!'..=b'~' if !matches!(octet, b'+' | b'=') => out.push(char::from(octet)),
            _ => {
                let _ = write!(out, "+{octet:02X}");
            }
        }
    }
    out
}

/// What we call ourselves in EHLO: a name that cannot break the line.
pub(crate) fn hello_name(name: &str) -> String {
    let name: String =
        name.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '[' | ']' | ':')).collect();
    if name.is_empty() { "[127.0.0.1]".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(address: &str, problem: &str) {
        let failure = check_address(address, false).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Refused);
        assert!(failure.detail.ends_with(problem), "{}", failure.detail);
    }

    #[test]
    fn carriage_return() {
        refused("a@b\rRCPT TO:<c@d>", "line break or another control character");
    }
    #[test]
    fn line_feed() {
        refused("a@b\nDATA", "line break or another control character");
    }
    #[test]
    fn null() {
        refused("a\0@b", "line break or another control character");
    }
    #[test]
    fn c1_control() {
        refused("a\u{85}@b", "line break or another control character");
    }
    #[test]
    fn line_separator() {
        refused("a\u{2028}@b", "line break or another control character");
    }
    #[test]
    fn space() {
        refused("a b@c", "a space");
    }
    #[test]
    fn no_break_space() {
        refused("a\u{a0}b@c", "a space");
    }
    #[test]
    fn parameter() {
        refused("a@b NOTIFY=NEVER", "a space");
    }
    #[test]
    fn left_angle() {
        refused("<a@b", "an angle bracket");
    }
    #[test]
    fn right_angle() {
        refused("a@b>", "an angle bracket");
    }
    #[test]
    fn empty() {
        refused("", "empty");
    }
    #[test]
    fn too_long() {
        refused(&"a".repeat(901), "too long");
    }
    #[test]
    fn the_failure_shows_no_raw_control_character() {
        let failure = check_address("a\x1b[2J@b", false).unwrap_err();
        assert!(!failure.detail.contains('\x1b'));
    }
    #[test]
    fn usual_and_unusual_addresses_pass() {
        for address in
            ["a@b.example", "o'brien+x=y@b", "jürgen@münchen.example", "a@[192.0.2.1]", "\"a\"@b", "postmaster"]
        {
            assert_eq!(check_address(address, false), Ok(()), "{address}");
        }
    }
    #[test]
    fn nobody_may_send() {
        assert_eq!(check_address("", true), Ok(()));
    }
    #[test]
    fn no_recipient() {
        let envelope = Envelope { from: "a@b".into(), ..Envelope::default() };
        assert_eq!(check_envelope(&envelope).unwrap_err().detail, "the message has no recipient");
    }
    #[test]
    fn one_bad_recipient_of_several() {
        let envelope = Envelope { from: "a@b".into(), to: vec!["c@d".into(), "e f@g".into()], ..Envelope::default() };
        assert!(check_envelope(&envelope).is_err());
    }

    fn all() -> Capabilities {
        Capabilities { size: true, eight_bit_mime: true, smtp_utf8: true, dsn: true, ..Capabilities::default() }
    }
    fn envelope(from: &str, dsn: Option<&str>) -> Envelope {
        Envelope { from: from.into(), to: vec!["c@d".into()], utf8: false, dsn: dsn.map(Into::into) }
    }

    #[test]
    fn mail_to_a_plain_server() {
        let line = mail_from(&envelope("a@b", Some("id")), &Capabilities::default(), 5, true);
        assert_eq!(line, "MAIL FROM:<a@b>");
    }
    #[test]
    fn mail_with_size() {
        assert_eq!(mail_from(&envelope("a@b", None), &all(), 5, false), "MAIL FROM:<a@b> SIZE=5");
    }
    #[test]
    fn mail_from_nobody() {
        assert_eq!(mail_from(&envelope("", None), &all(), 5, false), "MAIL FROM:<> SIZE=5");
    }
    #[test]
    fn mail_with_eight_bits() {
        assert_eq!(mail_from(&envelope("a@b", None), &all(), 5, true), "MAIL FROM:<a@b> SIZE=5 BODY=8BITMIME");
    }
    #[test]
    fn mail_with_utf8() {
        let line = mail_from(&envelope("ü@b", None), &all(), 5, false);
        assert_eq!(line, "MAIL FROM:<ü@b> SIZE=5 BODY=8BITMIME SMTPUTF8");
    }
    #[test]
    fn mail_with_dsn() {
        let line = mail_from(&envelope("a@b", Some("q=1+2")), &all(), 5, false);
        assert_eq!(line, "MAIL FROM:<a@b> SIZE=5 RET=HDRS ENVID=q+3D1+2B2");
    }
    #[test]
    fn an_envelope_id_that_is_too_long_is_left_out() {
        let line = mail_from(&envelope("a@b", Some(&"x".repeat(101))), &all(), 5, false);
        assert_eq!(line, "MAIL FROM:<a@b> SIZE=5 RET=HDRS");
    }
    #[test]
    fn rcpt_plain() {
        assert_eq!(rcpt_to(&envelope("a@b", None), "c@d", &all()), "RCPT TO:<c@d>");
    }
    #[test]
    fn rcpt_with_dsn() {
        let line = rcpt_to(&envelope("a@b", Some("1")), "c+x@d", &all());
        assert_eq!(line, "RCPT TO:<c+x@d> NOTIFY=FAILURE,DELAY ORCPT=rfc822;c+2Bx@d");
    }
    #[test]
    fn rcpt_with_dsn_in_utf8() {
        assert_eq!(rcpt_to(&envelope("a@b", Some("1")), "ü@d", &all()), "RCPT TO:<ü@d> NOTIFY=FAILURE,DELAY");
    }
    #[test]
    fn rcpt_without_dsn_offered() {
        assert_eq!(rcpt_to(&envelope("a@b", Some("1")), "c@d", &Capabilities::default()), "RCPT TO:<c@d>");
    }
    #[test]
    fn xtext_hides_what_would_break_the_line() {
        assert_eq!(xtext("a b\r\n"), "a+20b+0D+0A");
    }
    #[test]
    fn utf8_is_needed_for_a_recipient() {
        let envelope = Envelope { from: "a@b".into(), to: vec!["ü@d".into()], ..Envelope::default() };
        assert!(needs_utf8(&envelope));
    }
    #[test]
    fn hello() {
        assert_eq!(hello_name("crm.example.org"), "crm.example.org");
        assert_eq!(hello_name("[IPv6:::1]"), "[IPv6:::1]");
        assert_eq!(hello_name("a\r\nMAIL"), "aMAIL");
        assert_eq!(hello_name(""), "[127.0.0.1]");
    }
}
