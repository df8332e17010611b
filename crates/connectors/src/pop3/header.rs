//! The header section of a message: its fingerprint, and when the message came.

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

use crate::imap::HeaderDigest;

/// Of the header only this much is looked at for a date.
const KEPT: usize = 64 * 1024;

/// Reads the header section of a message as it passes, in pieces.
#[derive(Default)]
pub(super) struct HeaderReader {
    digest: HeaderDigest,
    /// The beginning, for the date.
    kept: Vec<u8>,
}

impl HeaderReader {
    pub fn feed(&mut self, piece: &[u8]) {
        self.digest.update(piece);
        let room = KEPT.saturating_sub(self.kept.len());
        self.kept.extend_from_slice(&piece[..piece.len().min(room)]);
    }

    /// The fingerprint as [`Settle::header_digest`](model::work::Settle::header_digest) holds it.
    pub fn finish(self) -> [u8; 32] {
        self.digest.finish()
    }

    /// What [`received_on`] says of the header.
    pub fn received_on(&self) -> Option<Timestamp> {
        received_on(&self.kept)
    }
}

/// About when the server received the message: POP3 does not say, so it is the date of the
/// topmost Received field, which the last server wrote, or else what the sender wrote into Date.
pub fn received_on(header: &[u8]) -> Option<Timestamp> {
    let header = String::from_utf8_lossy(header);
    let received = field(&header, "received");
    let written = received.as_deref().and_then(|value| value.rsplit_once(';')).and_then(|(_, date)| parse_date(date));
    written.or_else(|| parse_date(&field(&header, "date")?))
}

/// The value of the topmost field of that name, unfolded.
fn field(header: &str, name: &str) -> Option<String> {
    let mut value: Option<String> = None;
    for line in header.lines() {
        if line.is_empty() {
            break;
        }
        if line.starts_with([' ', '\t']) {
            if let Some(value) = &mut value {
                value.push_str(line);
            }
        } else if value.is_some() {
            break;
        } else if let Some((found, rest)) = line.split_once(':')
            && found.trim_end().eq_ignore_ascii_case(name)
        {
            value = Some(rest.to_owned());
        }
    }
    value
}

fn parse_date(text: &str) -> Option<Timestamp> {
    let parser = DateTimeParser::new().relaxed_weekday(true);
    let text = text.trim();
    parser.parse_timestamp(text).ok().or_else(|| {
        // Comments in odd places are the usual reason.
        parser.parse_timestamp(text.split_once('(')?.0.trim()).ok()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::imap::header_digest;

    fn read(message: &[u8], octets: usize) -> HeaderReader {
        let mut reader = HeaderReader::default();
        message.chunks(octets).for_each(|piece| reader.feed(piece));
        reader
    }

    #[test]
    fn the_fingerprint_is_that_of_the_whole_message() {
        let message = b"A: b\r\nC: d\r\n\r\nbody\r\n\r\n";
        for octets in 1..=message.len() {
            assert_eq!(read(message, octets).finish(), header_digest(message), "in pieces of {octets}");
        }
        assert_eq!(header_digest(message), header_digest(b"A: b\r\nC: d\r\n\r\n"));
    }
    #[test]
    fn only_the_beginning_is_kept() {
        assert_eq!(read(&vec![b'x'; KEPT + 1000], 7).kept.len(), KEPT);
    }

    #[track_caller]
    fn check_date(header: &str, expected: Option<&str>) {
        assert_eq!(received_on(header.as_bytes()).map(|at| at.to_string()).as_deref(), expected);
    }
    const DATE: &str = "Date: Tue, 1 Jul 2003 10:52:37 +0200\r\n";

    #[test]
    fn date() {
        check_date(DATE, Some("2003-07-01T08:52:37Z"));
    }
    #[test]
    fn date_with_a_comment() {
        check_date("Date: Tue, 1 Jul 2003 10:52:37 +0200 (CEST)\r\n", Some("2003-07-01T08:52:37Z"));
    }
    #[test]
    fn date_with_the_wrong_day() {
        check_date("Date: Mon, 1 Jul 2003 10:52:37 +0200\r\n", Some("2003-07-01T08:52:37Z"));
    }
    #[test]
    fn date_without_day_and_seconds() {
        check_date("Date: 1 Jul 2003 10:52 GMT\r\n", Some("2003-07-01T10:52:00Z"));
    }
    #[test]
    fn received_wins() {
        let received = "Received: from a (b [192.0.2.1])\r\n\tby c; Wed, 2 Jul 2003 00:00:00 +0000\r\n";
        check_date(&format!("{received}{DATE}"), Some("2003-07-02T00:00:00Z"));
    }
    #[test]
    fn the_topmost_received_counts() {
        let received =
            "Received: by c; Wed, 2 Jul 2003 00:00:00 +0000\r\nReceived: by d; Wed, 2 Jul 2002 00:00:00 +0000\r\n";
        check_date(received, Some("2003-07-02T00:00:00Z"));
    }
    #[test]
    fn received_without_a_date() {
        check_date(&format!("Received: by c\r\n{DATE}"), Some("2003-07-01T08:52:37Z"));
    }
    #[test]
    fn received_with_a_broken_date() {
        check_date(&format!("Received: by c; yesterday\r\n{DATE}"), Some("2003-07-01T08:52:37Z"));
    }
    #[test]
    fn no_date() {
        check_date("Subject: x\r\n", None);
    }
    #[test]
    fn a_date_in_the_body_does_not_count() {
        check_date(&format!("Subject: x\r\n\r\n{DATE}"), None);
    }
    #[test]
    fn nonsense() {
        check_date("Date: \r\n", None);
        check_date("Date: the day after\r\n", None);
        check_date(": :\r\n \r\nDate\r\n", None);
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(message in "[a:\r\n]{0,40}", octets in 1_usize..12) {
            prop_assert_eq!(read(message.as_bytes(), octets).finish(), header_digest(message.as_bytes()));
        }

        #[test]
        fn any_header(header in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = received_on(&header);
        }
    }
}
