//! Content-Transfer-Encoding (RFC 2045, section 6), decoded line by line.
//!
//! One decoder serves whole stretches ([`decode`]) and streams, so the size
//! that reading a message reports is the number of bytes that extracting the
//! part gives, on any input.

use model::mail::{Encoding, Place};

use super::lines::{Line, Lines};

/// Decodes leniently: what does not belong is skipped (base64) or kept as it
/// stands (quoted-printable). Never fails.
pub fn decode(bytes: &[u8], encoding: Encoding) -> Vec<u8> {
    if encoding == Encoding::Identity {
        return bytes.to_vec();
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut decoder = Decoder::new(encoding);
    let mut lines = Lines::default();
    lines.push(bytes, |line| decoder.line(line, &mut out));
    lines.finish(|line| decoder.line(line, &mut out));
    decoder.finish(true, &mut out);
    out
}

/// The bytes of a part. A place that does not lie within `raw` gives what there is.
pub fn extract(raw: &[u8], place: &Place) -> Vec<u8> {
    let mut bytes: Option<Vec<u8>> = None;
    for stretch in &place.0 {
        let from = bytes.as_deref().unwrap_or(raw);
        let start = usize::try_from(stretch.offset).unwrap_or(usize::MAX).min(from.len());
        let end = start.saturating_add(usize::try_from(stretch.length).unwrap_or(usize::MAX)).min(from.len());
        bytes = Some(decode(&from[start..end], stretch.encoding));
    }
    bytes.unwrap_or_else(|| raw.to_vec())
}

/// Where decoded bytes go.
pub trait Sink {
    fn write(&mut self, bytes: &[u8]);

    /// Whether it is enough to know how many bytes there are.
    const ONLY_COUNTS: bool = false;

    fn skip(&mut self, _octets: usize) {}
}

impl Sink for Vec<u8> {
    fn write(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Decoding in progress. The line end before a delimiter belongs to the
/// delimiter (RFC 2046, section 5.1.1), so a line's end is held back until
/// the next line comes.
#[derive(Debug)]
pub struct Decoder {
    pub encoding: Encoding,
    held: &'static [u8],
    /// base64: bits not yet given out, and how many.
    bits: u32,
    count: u32,
    /// quoted-printable: the end of a piece of an overlong line that may be
    /// part of an escape or trailing white space.
    carry: Vec<u8>,
    /// uuencode: between `begin` and `end`.
    inside: bool,
    scratch: Vec<u8>,
}

impl Decoder {
    pub fn new(encoding: Encoding) -> Self {
        Self { encoding, held: b"", bits: 0, count: 0, carry: Vec::new(), inside: false, scratch: Vec::new() }
    }

    pub fn line(&mut self, line: Line<'_>, sink: &mut impl Sink) {
        if !self.held.is_empty() {
            sink.write(self.held);
            self.held = b"";
        }
        let end: &'static [u8] = match line.end {
            b"\r\n" => b"\r\n",
            b"\n" => b"\n",
            _ => b"",
        };
        match self.encoding {
            Encoding::Identity => {
                sink.write(line.text);
                self.held = end;
            }
            Encoding::Base64 => self.base64(line.text, sink),
            Encoding::QuotedPrintable => {
                let soft = self.quoted_printable(line.text, !end.is_empty(), sink);
                self.held = if soft { b"" } else { end };
            }
            Encoding::Uuencode => self.uuencode(line, sink),
        }
    }

    /// The end of the part. The held line end is content where no delimiter
    /// follows (`whole`), and the delimiter's otherwise.
    pub fn finish(&mut self, whole: bool, sink: &mut impl Sink) {
        if self.encoding == Encoding::QuotedPrintable {
            self.quoted_printable(b"", true, sink);
        }
        if whole {
            sink.write(self.held);
        }
        self.held = b"";
    }

    fn base64<S: Sink>(&mut self, text: &[u8], sink: &mut S) {
        let mut out = std::mem::take(&mut self.scratch);
        out.clear();
        out.reserve(text.len() / 4 * 3 + 3);
        let mut rest = text;
        if S::ONLY_COUNTS
            && self.count == 0
            && text.len().is_multiple_of(4)
            && text.iter().all(|&l| BASE64[usize::from(l)] <= 63)
        {
            sink.skip(text.len() / 4 * 3);
            self.scratch = out;
            return;
        }
        // The fast way while all is regular: four letters, three bytes.
        if self.count == 0 {
            while let [a, b, c, d, tail @ ..] = rest {
                let value = [a, b, c, d].map(|&l| BASE64[usize::from(l)]);
                if value.iter().any(|&v| v > 63) {
                    break;
                }
                let [a, b, c, d] = value.map(u32::from);
                let n = a << 18 | b << 12 | c << 6 | d;
                out.extend_from_slice(&n.to_be_bytes()[1..]);
                rest = tail;
            }
        }
        for &letter in rest {
            let value = BASE64[usize::from(letter)];
            if value == PAD {
                // What follows a padded group starts anew (parts pasted together).
                (self.bits, self.count) = (0, 0);
            } else if value <= 63 {
                self.bits = (self.bits << 6 | u32::from(value)) & 0xFFFF;
                self.count += 6;
                if self.count >= 8 {
                    self.count -= 8;
                    out.push(low_byte(self.bits >> self.count));
                }
            }
        }
        sink.write(&out);
        self.scratch = out;
    }

    /// Whether the line ends in a soft line break.
    fn quoted_printable(&mut self, text: &[u8], complete: bool, sink: &mut impl Sink) -> bool {
        let joined;
        let mut text = text;
        if !self.carry.is_empty() {
            joined = [&std::mem::take(&mut self.carry)[..], text].concat();
            text = &joined;
        }
        let trimmed = text.trim_ascii_end();
        if !complete {
            // Keep back what the rest of the line may change the meaning of.
            let keep =
                trimmed.iter().rev().take(2).position(|&b| b == b'=').map_or(trimmed.len(), |p| trimmed.len() - p - 1);
            self.carry = text[keep..].to_vec();
            unescape(&text[..keep], sink, &mut self.scratch);
            return false;
        }
        let soft = trimmed.last() == Some(&b'=');
        unescape(if soft { &trimmed[..trimmed.len() - 1] } else { trimmed }, sink, &mut self.scratch);
        soft
    }

    fn uuencode(&mut self, line: Line<'_>, sink: &mut impl Sink) {
        if !self.inside {
            self.inside = line.start && line.text.starts_with(b"begin ");
            return;
        }
        if line.text.trim_ascii_end() == b"end" {
            self.inside = false;
            return;
        }
        let Some((&first, letters)) = line.text.split_first() else { return };
        let want = usize::from(first.wrapping_sub(32) & 63);
        let mut out = std::mem::take(&mut self.scratch);
        out.clear();
        for group in letters.chunks(4) {
            let value = |n: usize| u32::from(group.get(n).map_or(0, |l| l.wrapping_sub(32) & 63));
            let n = value(0) << 18 | value(1) << 12 | value(2) << 6 | value(3);
            out.extend_from_slice(&n.to_be_bytes()[1..]);
        }
        out.truncate(want);
        sink.write(&out);
        self.scratch = out;
    }
}

fn unescape(text: &[u8], sink: &mut impl Sink, scratch: &mut Vec<u8>) {
    scratch.clear();
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'=', rest) {
        scratch.extend_from_slice(&rest[..at]);
        let hex = rest.get(at + 1..at + 3).and_then(|h| Some(hex_digit(h[0])? << 4 | hex_digit(h[1])?));
        if let Some(byte) = hex {
            scratch.push(byte);
            rest = &rest[at + 3..];
        } else {
            scratch.push(b'=');
            rest = &rest[at + 1..];
        }
    }
    if scratch.is_empty() {
        sink.write(rest);
    } else {
        scratch.extend_from_slice(rest);
        sink.write(scratch);
    }
}

pub fn hex_digit(letter: u8) -> Option<u8> {
    char::from(letter).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

fn low_byte(bits: u32) -> u8 {
    bits.to_be_bytes()[3]
}

/// Whether a line can be base64 at all: nothing but its letters, padding and white space.
pub fn looks_like_base64(line: &[u8]) -> bool {
    line.iter().all(|&l| BASE64[usize::from(l)] <= PAD || l.is_ascii_whitespace())
}

const PAD: u8 = 64;

const BASE64: [u8; 256] = {
    let mut table = [255_u8; 256];
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut n = 0;
    while n < letters.len() {
        table[letters[n] as usize] = n as u8;
        n += 1;
    }
    table[b'=' as usize] = PAD;
    table
};

#[cfg(test)]
mod tests {
    use model::mail::Stretch;

    use super::*;

    fn check(encoding: Encoding, input: &str, expected: &str) {
        assert_eq!(String::from_utf8_lossy(&decode(input.as_bytes(), encoding)), expected);
    }
    fn base64(input: &str, expected: &str) {
        check(Encoding::Base64, input, expected);
    }
    fn qp(input: &str, expected: &str) {
        check(Encoding::QuotedPrintable, input, expected);
    }
    fn uu(input: &str, expected: &str) {
        check(Encoding::Uuencode, input, expected);
    }

    #[test]
    fn identity_is_untouched() {
        check(Encoding::Identity, "a\r\n b \n", "a\r\n b \n");
    }
    #[test]
    fn base64_plain() {
        base64("aGVsbG8=", "hello");
    }
    #[test]
    fn base64_over_lines() {
        base64("aGVs\r\nbG8=\r\n", "hello");
    }
    #[test]
    fn base64_lines_of_odd_length() {
        base64("aGV\nsb\nG8=\n", "hello");
    }
    #[test]
    fn base64_without_padding() {
        base64("aGVsbG8", "hello");
    }
    #[test]
    fn base64_junk_is_skipped() {
        base64("aG!Vs-bG8=", "hello");
    }
    #[test]
    fn base64_two_pasted_together() {
        base64("aGk=\naGk=", "hihi");
    }
    #[test]
    fn base64_empty() {
        base64("", "");
    }
    #[test]
    fn base64_one_letter_is_nothing() {
        base64("a", "");
    }
    #[test]
    fn qp_escapes() {
        qp("caf=C3=A9 =3D", "café =");
    }
    #[test]
    fn qp_lower_case_hex() {
        qp("caf=c3=a9", "café");
    }
    #[test]
    fn qp_soft_break() {
        qp("one=\r\ntwo", "onetwo");
    }
    #[test]
    fn qp_soft_break_with_white_space_after() {
        qp("one= \t\r\ntwo", "onetwo");
    }
    #[test]
    fn qp_hard_break_kept() {
        qp("one\r\ntwo\n", "one\r\ntwo\n");
    }
    #[test]
    fn qp_trailing_white_space_goes() {
        qp("one  \t\r\ntwo", "one\r\ntwo");
    }
    #[test]
    fn qp_broken_escape_is_kept() {
        qp("100=ZZ a=b", "100=ZZ a=b");
    }
    #[test]
    fn qp_soft_break_at_the_end() {
        qp("one=", "one");
    }
    #[test]
    fn qp_escape_across_a_cut_of_an_overlong_line() {
        for lead in LINE_MAX_TESTS {
            let text = format!("{}=41=42{}", "x".repeat(lead), "y".repeat(9));
            qp(&text, &format!("{}AB{}", "x".repeat(lead), "y".repeat(9)));
        }
    }
    const LINE_MAX_TESTS: [usize; 6] = [65_530, 65_531, 65_532, 65_533, 65_534, 65_535];

    #[test]
    fn uuencoded() {
        uu("begin 644 a.txt\n%:&5L;&\\ \n`\nend\n", "hello");
    }
    #[test]
    fn uuencode_without_begin_is_nothing() {
        uu("%:&5L;&\\ \n", "");
    }

    #[test]
    fn a_place_of_two_stretches() {
        let inner = b"Subject: x\r\n\r\naGk=\r\n";
        let outer = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, inner);
        let raw = format!("--{outer}--");
        let place = Place(vec![
            Stretch { offset: 2, length: outer.len() as u64, encoding: Encoding::Base64 },
            Stretch { offset: 14, length: 4, encoding: Encoding::Base64 },
        ]);
        assert_eq!(extract(raw.as_bytes(), &place), b"hi");
    }
    #[test]
    fn a_place_outside_the_bytes_is_empty() {
        let place = Place(vec![Stretch { offset: 99, length: u64::MAX, encoding: Encoding::Identity }]);
        assert_eq!(extract(b"abc", &place), b"");
    }
}
