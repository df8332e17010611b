//! The last lines of a conversation, for the person who has to find out what
//! went wrong.

use std::collections::VecDeque;

/// How many lines are kept.
const LINES: usize = 30;
/// How much of a line is kept, in bytes.
const LINE_LENGTH: usize = 240;

/// A ring of the last lines. Secrets never come in: the caller writes
/// `AUTHENTICATE PLAIN ***` instead of what was sent.
#[derive(Debug, Clone, Default)]
pub struct Transcript {
    lines: VecDeque<String>,
}

impl Transcript {
    pub fn new() -> Self {
        Self::default()
    }

    /// A line that we sent, already without secrets.
    pub fn sent(&mut self, line: &str) {
        self.push("C: ", line.as_bytes());
    }

    /// A line that the server sent.
    pub fn received(&mut self, line: &[u8]) {
        self.push("S: ", line);
    }

    /// What happened besides, e.g. `TLS established`.
    pub fn note(&mut self, line: &str) {
        self.push("-- ", line.as_bytes());
    }

    /// All lines, oldest first.
    pub fn lines(&self) -> Vec<String> {
        self.lines.iter().cloned().collect()
    }

    fn push(&mut self, prefix: &str, line: &[u8]) {
        // The oldest line lends its memory to the newest.
        let mut text = if self.lines.len() >= LINES { self.lines.pop_front() } else { None }.unwrap_or_default();
        text.clear();
        text.push_str(prefix);
        let line = line.trim_ascii_end();
        let shown = String::from_utf8_lossy(&line[..line.len().min(LINE_LENGTH)]);
        text.extend(shown.chars().map(|c| if c.is_control() { '.' } else { c }));
        if line.len() > LINE_LENGTH {
            text.push('…');
        }
        self.lines.push_back(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_lines_are_kept() {
        let mut transcript = Transcript::new();
        for n in 0..100 {
            transcript.sent(&format!("A{n} NOOP\r\n"));
        }
        let lines = transcript.lines();
        assert_eq!(lines.len(), LINES);
        assert_eq!(lines[0], "C: A70 NOOP");
        assert_eq!(lines[29], "C: A99 NOOP");
    }

    #[test]
    fn long_and_wild_lines_are_tamed() {
        let mut transcript = Transcript::new();
        transcript.received(&[b'x'; 5000]);
        transcript.received(b"* OK \x1b[31m\xff\r\n");
        transcript.note("TLS established");
        let lines = transcript.lines();
        assert!(lines[0].len() < 260 && lines[0].ends_with('…'));
        assert_eq!(lines[1], "S: * OK .[31m\u{fffd}");
        assert_eq!(lines[2], "-- TLS established");
    }
}
