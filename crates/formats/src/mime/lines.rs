//! Cutting a stream of chunks into lines, the same way however it is chunked.

/// A line without a line feed is cut after so many bytes, so that no input
/// makes us hold more than this.
pub const LINE_MAX: usize = 64 * 1024;

/// One line, or a piece of an overlong one.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// Without its end.
    pub text: &'a [u8],
    /// `\r\n`, `\n`, or nothing where the line goes on or the stream ends.
    pub end: &'a [u8],
    /// Offset of the line's first byte in the stream.
    pub offset: u64,
    /// Whether this is where the line starts: a delimiter or a header field
    /// can only be here.
    pub start: bool,
}

impl Line<'_> {
    pub fn is_empty(&self) -> bool {
        self.start && self.text.is_empty()
    }

    /// Offset of the first byte after the line.
    pub fn after(&self) -> u64 {
        self.offset + (self.text.len() + self.end.len()) as u64
    }
}

/// The piece of a line that the chunks so far left unfinished.
#[derive(Debug, Default)]
pub struct Lines {
    pending: Vec<u8>,
    offset: u64,
    middle: bool,
}

impl Lines {
    /// Calls `each` for every line that is complete with this chunk.
    pub fn push(&mut self, mut chunk: &[u8], mut each: impl FnMut(Line<'_>)) {
        while !chunk.is_empty() {
            let room = (LINE_MAX - self.pending.len()).min(chunk.len());
            let found = memchr::memchr(b'\n', &chunk[..room]);
            let take = found.map_or(room, |at| at + 1);
            let full = self.pending.len() + take == LINE_MAX;
            let (head, rest) = chunk.split_at(take);
            chunk = rest;
            if found.is_none() && !full {
                self.pending.extend_from_slice(head);
                return;
            }
            if self.pending.is_empty() {
                self.emit(head, &mut each);
            } else {
                let mut whole = std::mem::take(&mut self.pending);
                whole.extend_from_slice(head);
                self.emit(&whole, &mut each);
                whole.clear();
                self.pending = whole;
            }
        }
    }

    /// The last line, where it has no end.
    pub fn finish(&mut self, mut each: impl FnMut(Line<'_>)) {
        let whole = std::mem::take(&mut self.pending);
        if !whole.is_empty() {
            self.emit(&whole, &mut each);
        }
    }

    fn emit(&mut self, whole: &[u8], each: &mut impl FnMut(Line<'_>)) {
        let end = match whole {
            [.., b'\r', b'\n'] => 2,
            [.., b'\n'] => 1,
            _ => 0,
        };
        let (text, end) = whole.split_at(whole.len() - end);
        each(Line { text, end, offset: self.offset, start: !self.middle });
        self.offset += whole.len() as u64;
        self.middle = end.is_empty();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(chunks: &[&[u8]]) -> Vec<(usize, usize, u64, bool)> {
        let mut out = Vec::new();
        let mut lines = Lines::default();
        for chunk in chunks {
            lines.push(chunk, |l| out.push((l.text.len(), l.end.len(), l.offset, l.start)));
        }
        lines.finish(|l| out.push((l.text.len(), l.end.len(), l.offset, l.start)));
        out
    }

    #[test]
    fn line_ends() {
        assert_eq!(cut(&[b"a\r\nb\n\nc"]), [(1, 2, 0, true), (1, 1, 3, true), (0, 1, 5, true), (1, 0, 6, true)]);
    }

    #[test]
    fn a_line_end_split_between_chunks() {
        assert_eq!(cut(&[b"a\r", b"\nb"]), [(1, 2, 0, true), (1, 0, 3, true)]);
    }

    #[test]
    fn an_overlong_line_is_cut_at_the_same_place_however_it_comes() {
        let long = vec![b'x'; LINE_MAX + 5];
        let expected = [(LINE_MAX, 0, 0, true), (5, 0, LINE_MAX as u64, false)];
        assert_eq!(cut(&[&long]), expected);
        assert_eq!(cut(&[&long[..10], &long[10..LINE_MAX], &long[LINE_MAX..]]), expected);
    }
}
