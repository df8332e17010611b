//! A command line whose arguments may be literals (RFC 9051, section 4.3).

/// A command whose arguments may need literals.
pub(super) struct Command {
    /// Text and literals, alternating, text first.
    pub(super) parts: Vec<String>,
    /// For the transcript.
    pub(super) shown: String,
}

impl Command {
    pub fn new(verb: &str) -> Self {
        Self { parts: vec![verb.to_owned()], shown: verb.to_owned() }
    }

    /// Adds a blank and an atom.
    pub fn word(mut self, word: &str) -> Self {
        for text in [" ", word] {
            self.text(text);
            self.shown.push_str(text);
        }
        self
    }

    /// Adds a blank and a string of any content.
    pub fn string(mut self, string: &str) -> Self {
        self.add(string);
        self.shown.push_str(&format!(" \"{string}\""));
        self
    }

    /// The same, not shown in the transcript.
    pub fn secret(mut self, string: &str) -> Self {
        self.add(string);
        self.shown.push_str(" ***");
        self
    }

    fn add(&mut self, string: &str) {
        self.text(" ");
        match super::names::quoted(string) {
            Some(quoted) => self.text(&quoted),
            None => self.parts.push(string.to_owned()),
        }
    }

    fn text(&mut self, text: &str) {
        if self.parts.len().is_multiple_of(2) {
            self.parts.push(String::new());
        }
        if let Some(last) = self.parts.last_mut() {
            last.push_str(text);
        }
    }
}
