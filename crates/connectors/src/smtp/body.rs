//! The message between `354` and the final dot: RFC 5321, section 4.5.2, and
//! what has to be known of it before.

/// RFC 5321, section 4.5.3.1.6, without the CRLF.
pub const MAX_LINE: usize = 998;

/// What of a message matters to the transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyFacts {
    /// Octets as SIZE counts them (RFC 1870, section 5): with CRLF line ends and a
    /// CRLF at the end, without the dots that are stuffed in.
    pub size: u64,
    /// There is an octet above 127.
    pub eight_bit: bool,
    /// Octets of the longest line without its end, and its number (from 1).
    pub longest_line: (usize, u64),
}

impl BodyFacts {
    pub fn of(message: &[u8]) -> Self {
        let mut facts = Self { size: 0, eight_bit: !message.is_ascii(), longest_line: (0, 0) };
        for (number, line) in (1..).zip(Lines { rest: message }) {
            facts.size += u64::try_from(line.len()).unwrap_or(u64::MAX) + 2;
            if line.len() > facts.longest_line.0 {
                facts.longest_line = (line.len(), number);
            }
        }
        facts
    }
}

/// Turns a message piece by piece into what goes over the wire.
///
/// A bare CR or LF becomes CRLF: servers that take a bare LF for a line end could otherwise be
/// made to see a final dot where there is none ("SMTP smuggling").
pub struct Stuffed<'a> {
    lines: Lines<'a>,
    /// A line of which only a part has been handed out.
    begun: Option<&'a [u8]>,
}

impl<'a> Stuffed<'a> {
    pub fn new(message: &'a [u8]) -> Self {
        Self { lines: Lines { rest: message }, begun: None }
    }

    /// Appends up to about `octets` to `out`; returns whether the message is complete. The
    /// final dot is not part of it.
    pub fn fill(&mut self, out: &mut Vec<u8>, octets: usize) -> bool {
        let end = out.len() + octets;
        while out.len() < end {
            let line = match self.begun.take() {
                Some(rest) => rest,
                None => match self.lines.next() {
                    None => return true,
                    Some(line) => {
                        if line.first() == Some(&b'.') {
                            out.push(b'.');
                        }
                        line
                    }
                },
            };
            let room = end.saturating_sub(out.len()).max(1);
            if line.len() > room {
                out.extend_from_slice(&line[..room]);
                self.begun = Some(&line[room..]);
            } else {
                out.extend_from_slice(line);
                out.extend_from_slice(b"\r\n");
            }
        }
        self.begun.is_none() && self.lines.rest.is_empty()
    }
}

/// Lines without their ends: CRLF, and also a bare CR or LF.
struct Lines<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self.rest.iter().position(|octet| matches!(octet, b'\r' | b'\n'));
        let (line, after) = match end {
            None => (self.rest, &self.rest[self.rest.len()..]),
            Some(at) => {
                let ends = if self.rest[at..].starts_with(b"\r\n") { 2 } else { 1 };
                (&self.rest[..at], &self.rest[at + ends..])
            }
        };
        self.rest = after;
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stuffed(message: &[u8], octets: usize) -> Vec<u8> {
        let (mut out, mut stuffed) = (Vec::new(), Stuffed::new(message));
        while !stuffed.fill(&mut out, octets) {}
        out
    }

    #[track_caller]
    fn check(message: &str, expected: &str) {
        for octets in [1, 2, 3, 7, 100_000] {
            assert_eq!(String::from_utf8(stuffed(message.as_bytes(), octets)).unwrap(), expected, "{octets}");
        }
        let dots =
            stuffed(message.as_bytes(), 100_000).split_inclusive(|&o| o == b'\n').filter(|l| l[0] == b'.').count();
        let size = BodyFacts::of(message.as_bytes()).size;
        assert_eq!(size + u64::try_from(dots).unwrap(), u64::try_from(expected.len()).unwrap(), "size");
    }

    #[test]
    fn empty() {
        check("", "");
    }
    #[test]
    fn one_line() {
        check("a\r\n", "a\r\n");
    }
    #[test]
    fn no_end() {
        check("a", "a\r\n");
    }
    #[test]
    fn only_line_ends() {
        check("\r\n\r\n", "\r\n\r\n");
    }
    #[test]
    fn a_dot() {
        check(".\r\n", "..\r\n");
    }
    #[test]
    fn a_dot_without_an_end() {
        check(".", "..\r\n");
    }
    #[test]
    fn two_dots() {
        check("..\r\n", "...\r\n");
    }
    #[test]
    fn a_dot_before_text() {
        check("a\r\n.b\r\n", "a\r\n..b\r\n");
    }
    #[test]
    fn a_dot_inside() {
        check("a.b\r\n", "a.b\r\n");
    }
    #[test]
    fn a_dot_after_a_bare_line_feed() {
        check("a\n.\nb\r\n", "a\r\n..\r\nb\r\n");
    }
    #[test]
    fn a_dot_after_a_bare_carriage_return() {
        check("a\r.\rb", "a\r\n..\r\nb\r\n");
    }
    #[test]
    fn smuggling() {
        check("a\n.\r\nMAIL FROM:<x@y>\r\n", "a\r\n..\r\nMAIL FROM:<x@y>\r\n");
    }
    #[test]
    fn carriage_return_twice() {
        check("a\r\r\nb", "a\r\n\r\nb\r\n");
    }
    #[test]
    fn facts_of_a_small_message() {
        let facts = BodyFacts::of("a\r\nbcd\r\n\r\nü\r\n".as_bytes());
        assert_eq!(facts, BodyFacts { size: 14, eight_bit: true, longest_line: (3, 2) });
    }
    #[test]
    fn facts_of_nothing() {
        assert_eq!(BodyFacts::of(b""), BodyFacts { size: 0, eight_bit: false, longest_line: (0, 0) });
    }
    #[test]
    fn a_long_line_is_found() {
        let message = format!("a\r\n{}\r\nb\r\n", "x".repeat(999));
        assert_eq!(BodyFacts::of(message.as_bytes()).longest_line, (999, 2));
    }

    fn unstuff(wire: &[u8]) -> Vec<u8> {
        wire.split_inclusive(|&octet| octet == b'\n')
            .flat_map(|line| line.strip_prefix(b".").unwrap_or(line))
            .copied()
            .collect()
    }

    proptest! {
        /// No piece of the message looks like the final dot, and taking the dots out again gives
        /// the message with CRLF line ends, in whatever pieces it was written.
        #[test]
        fn round_trip(message in "[a.\r\n\u{fc}]{0,60}", octets in 1_usize..40) {
            let wire = stuffed(message.as_bytes(), octets);
            let framed = [b"\r\n", wire.as_slice()].concat();
            prop_assert!(!framed.windows(5).any(|w| w == b"\r\n.\r\n"));
            prop_assert!(!framed.windows(3).any(|w| w == b"\n.\n" || w == b"\r.\r"));
            let canonical = message.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n");
            let back = String::from_utf8(unstuff(&wire)).unwrap();
            prop_assert_eq!(back.trim_end_matches("\r\n"), canonical.trim_end_matches("\r\n"));
            prop_assert!(wire.is_empty() || wire.ends_with(b"\r\n"));
            prop_assert_eq!(BodyFacts::of(message.as_bytes()).size, u64::try_from(unstuff(&wire).len()).unwrap());
        }
    }
}
