//! What the service wrote down in English, as a page tells it.

use std::fmt;

use askama::filters::{Escaper, Html, HtmlSafe};

/// A sentence of ours in the reader's language; where it has no translation,
/// in English, and marked as such (WCAG 3.1.2). Not for what somebody else may
/// have said: nobody knows the language of that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    text: String,
    english: bool,
}

impl Told {
    /// `english`: in a page of another language.
    pub fn new(text: String, english: bool) -> Self {
        Self { text, english }
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

/// As HTML.
impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.english {
            return Html.write_escaped_str(f, &self.text);
        }
        f.write_str("<span lang=\"en\">")?;
        Html.write_escaped_str(&mut *f, &self.text)?;
        f.write_str("</span>")
    }
}

impl HtmlSafe for Told {}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, english: bool, expected: &str) {
        assert_eq!(Told::new(text.to_owned(), english).to_string(), expected);
    }

    #[test]
    fn as_html() {
        check("a <b> & c", false, "a &#60;b&#62; &#38; c");
        check("a <b>", true, "<span lang=\"en\">a &#60;b&#62;</span>");
        check("", false, "");
    }
}
