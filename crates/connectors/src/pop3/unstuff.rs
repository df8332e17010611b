//! Takes the dots out of a multi-line answer and finds its end (RFC 1939,
//! section 3), in whatever pieces it arrives.

/// Where in a line we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// At the beginning of a line.
    Start,
    /// After a dot at the beginning of a line.
    Dot,
    /// After a dot and a CR at the beginning of a line.
    DotCr,
    /// After a CR elsewhere.
    Cr,
    Middle,
}

/// The state between two pieces.
#[derive(Debug, Clone)]
pub struct Unstuffer {
    at: At,
    /// The server ends its lines in a bare LF.
    bare: bool,
}

/// What one piece brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fed {
    /// Octets that belong to the answer. What follows belongs to the next one.
    pub consumed: usize,
    pub complete: bool,
}

impl Unstuffer {
    /// `bare`: the server ends its lines in a bare LF. For all others a LF without a CR is just
    /// an octet of the message: else a message could contain something that looks like its own
    /// end, and go on with forged answers.
    pub fn new(bare: bool) -> Self {
        Self { at: At::Start, bare }
    }

    /// Takes a piece and hands on what is content.
    pub fn feed<E>(&mut self, piece: &[u8], mut content: impl FnMut(&[u8]) -> Result<(), E>) -> Result<Fed, E> {
        // Content from `from` on has not been handed on yet.
        let (mut from, mut here) = (0, 0);
        while here < piece.len() {
            if self.at == At::Middle {
                // Most octets are neither CR nor LF.
                match piece[here..].iter().position(|octet| matches!(octet, b'\r' | b'\n')) {
                    None => break,
                    Some(octets) => here += octets,
                }
            }
            let octet = piece[here];
            let line_feed_ends = octet == b'\n' && self.bare;
            self.at = match (self.at, octet) {
                (At::Start, b'.') => {
                    // The dot itself is never content.
                    content_of(&piece[from..here], &mut content)?;
                    from = here + 1;
                    At::Dot
                }
                (At::Dot, b'\r') => At::DotCr,
                (At::DotCr, b'\n') => return Ok(Fed { consumed: here + 1, complete: true }),
                (At::Dot, _) if line_feed_ends => return Ok(Fed { consumed: here + 1, complete: true }),
                (At::DotCr, _) => {
                    // The CR was content after all; it was held back if it came with an earlier piece.
                    if here == 0 {
                        content(b"\r")?;
                    }
                    if octet == b'\r' { At::Cr } else { At::Middle }
                }
                (At::Cr, b'\n') => At::Start,
                (_, b'\n') if line_feed_ends => At::Start,
                (_, b'\r') => At::Cr,
                (_, _) => At::Middle,
            };
            here += 1;
        }
        // A CR after the dot is held back until it is clear what it is.
        let held_back = usize::from(self.at == At::DotCr && !piece.is_empty());
        content_of(&piece[from..piece.len() - held_back], &mut content)?;
        Ok(Fed { consumed: piece.len(), complete: false })
    }
}

fn content_of<E>(bytes: &[u8], content: &mut impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
    if bytes.is_empty() { Ok(()) } else { content(bytes) }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    /// Feeds in pieces of at most `octets`; returns the content, what was left over and whether the end was seen.
    fn unstuff(wire: &[u8], octets: usize, bare: bool) -> (Vec<u8>, Vec<u8>, bool) {
        let (mut unstuffer, mut out, mut used) = (Unstuffer::new(bare), Vec::new(), 0);
        for piece in wire.chunks(octets) {
            let fed = unstuffer
                .feed(piece, |bytes| {
                    assert!(!bytes.is_empty());
                    out.extend_from_slice(bytes);
                    Ok::<_, Infallible>(())
                })
                .unwrap();
            used += fed.consumed;
            if fed.complete {
                return (out, wire[used..].to_vec(), true);
            }
        }
        (out, Vec::new(), false)
    }

    #[track_caller]
    fn check_as(wire: &str, bare: bool, content: &str, rest: &str, complete: bool) {
        for octets in 1..=wire.len().max(1) {
            let (out, left, seen) = unstuff(wire.as_bytes(), octets, bare);
            assert_eq!(String::from_utf8(out).unwrap(), content, "content in pieces of {octets}");
            assert_eq!(seen, complete, "end in pieces of {octets}");
            assert_eq!(String::from_utf8(left).unwrap(), rest, "rest in pieces of {octets}");
        }
    }
    #[track_caller]
    fn check(wire: &str, content: &str, rest: &str) {
        check_as(wire, false, content, rest, true);
    }
    #[track_caller]
    fn unfinished(wire: &str, content: &str) {
        check_as(wire, false, content, "", false);
    }

    #[test]
    fn nothing() {
        check(".\r\n", "", "");
    }
    #[test]
    fn one_line() {
        check("a\r\n.\r\n", "a\r\n", "");
    }
    #[test]
    fn the_next_answer_stays() {
        check("a\r\n.\r\n+OK\r\n", "a\r\n", "+OK\r\n");
    }
    #[test]
    fn a_stuffed_dot() {
        check("..\r\n.\r\n", ".\r\n", "");
    }
    #[test]
    fn stuffed_dots() {
        check("...a\r\n..b\r\n.\r\n", "..a\r\n.b\r\n", "");
    }
    #[test]
    fn a_dot_that_was_not_stuffed() {
        check(".a\r\n.\r\n", "a\r\n", "");
    }
    #[test]
    fn dots_inside() {
        check("a.\r\nb.c\r\n.\r\n", "a.\r\nb.c\r\n", "");
    }
    #[test]
    fn dot_and_carriage_return_are_not_the_end() {
        check(".\ra\r\n.\r\n", "\ra\r\n", "");
    }
    #[test]
    fn dot_and_two_carriage_returns() {
        check(".\r\r\n.\r\n", "\r\r\n", "");
    }
    #[test]
    fn a_bare_line_feed_is_content() {
        check("a\n.\nb\n.\r\nc\r\n.\r\n", "a\n.\nb\n.\r\nc\r\n", "");
    }
    #[test]
    fn a_forged_end_is_content() {
        check("a\n.\r\n+OK forged\r\n.\r\n", "a\n.\r\n+OK forged\r\n", "");
    }
    #[test]
    fn a_dot_and_a_line_feed_are_not_the_end() {
        check(".\na\r\n.\r\n", "\na\r\n", "");
    }
    #[test]
    fn empty_lines() {
        check("\r\n\r\n.\r\n", "\r\n\r\n", "");
    }
    #[test]
    fn bare_carriage_returns() {
        check("a\rb\r\r\n.\r\n", "a\rb\r\r\n", "");
    }
    #[test]
    fn no_end_yet() {
        unfinished("a\r\n", "a\r\n");
        unfinished("a\r\n.", "a\r\n");
        unfinished("a\r\n.\r", "a\r\n");
        unfinished("a", "a");
    }
    #[test]
    fn a_server_with_bare_line_feeds() {
        check_as("a\n..b\n.\n+OK\n", true, "a\n.b\n", "+OK\n", true);
    }
    #[test]
    fn a_server_with_bare_line_feeds_says_nothing() {
        check_as(".\n", true, "", "", true);
    }
    #[test]
    fn the_sink_may_fail() {
        assert_eq!(Unstuffer::new(false).feed(b"abc", |_| Err("full")), Err("full"));
    }

    fn stuff(message: &str) -> String {
        let lines = message.split_inclusive("\r\n");
        let stuffed: String =
            lines.map(|line| if line.starts_with('.') { format!(".{line}") } else { line.into() }).collect();
        stuffed + ".\r\n"
    }

    proptest! {
        #[test]
        fn round_trip(lines in "([a.\r\n]{0,20}\r\n){0,5}", octets in 1_usize..12, next in "[+OK.\r\n]{0,8}") {
            let (out, rest, complete) = unstuff(format!("{}{next}", stuff(&lines)).as_bytes(), octets, false);
            // What follows a CR at the end of a line is still that line for the server.
            prop_assert_eq!(String::from_utf8(out).unwrap(), lines);
            prop_assert!(complete);
            prop_assert_eq!(String::from_utf8(rest).unwrap(), next);
        }

        /// The pieces make no difference, whatever the server sends.
        #[test]
        fn pieces_make_no_difference(wire in "[a.\r\n]{0,40}", octets in 1_usize..12, bare in any::<bool>()) {
            prop_assert_eq!(unstuff(wire.as_bytes(), octets, bare), unstuff(wire.as_bytes(), usize::MAX, bare));
        }
    }
}
