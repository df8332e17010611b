//! Sentences for people: a template in English, and what stands in its places.
//!
//! Whoever makes a sentence does not know who will read it. So a sentence
//! stays apart until it is read: the pages look its template up in the
//! reader's language, everything else writes it down in English.

use std::fmt::{self, Display, Write as _};

/// What [`words!`](crate::words) makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    template: &'static str,
    values: Vec<Part>,
}

/// What stands at a place of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A name, a number, what a server said: the same in every language.
    Foreign(String),
    /// A part of the sentence, or the label of a column or an option.
    Ours(Words),
}

/// A sentence with values at `{0}`, `{1}`. A value that is itself [`Words`] is
/// translated with the sentence; everything else is shown as it is.
///
/// ```
/// use model::words;
/// let why = words!("no role grants it");
/// let text = words!("'{0}' may not do this: {1}.", "Ann", why);
/// assert_eq!(text.to_string(), "'Ann' may not do this: no role grants it.");
/// ```
///
/// Each place needs its value:
///
/// ```compile_fail
/// let text = model::words!("'{0}' may not do {1}.", "Ann");
/// ```
#[macro_export]
macro_rules! words {
    ($template:literal $(,)?) => {{
        const { assert!($crate::Words::places($template) == 0, "a place without a value") };
        $crate::Words::made($template, Vec::new())
    }};
    ($template:literal, $($value:expr),+ $(,)?) => {{
        use $crate::Displayed as _;
        const {
            let values = [$(stringify!($value)),+].len();
            assert!($crate::Words::places($template) == values, "a place without a value, or a value without a place");
        };
        $crate::Words::made($template, vec![$(($value).place()),+])
    }};
}

impl Words {
    /// By [`words!`](crate::words), which also sees to it that the template is
    /// one that translators get to see.
    #[doc(hidden)]
    pub fn made(template: &'static str, values: Vec<Part>) -> Self {
        Self { template, values }
    }

    /// What nobody translates: what a program said, not we.
    pub fn foreign(text: impl Into<String>) -> Self {
        Self { template: "{0}", values: vec![Part::Foreign(text.into())] }
    }

    /// The label of a table, a column or an option, which have their own
    /// translations.
    pub fn label(label: &'static str) -> Self {
        Self { template: label, values: Vec::new() }
    }

    /// Sentences one after the other.
    pub fn joined(all: impl IntoIterator<Item = Self>, separator: &str) -> Self {
        let mut all = all.into_iter();
        let Some(first) = all.next() else { return Self::foreign("") };
        all.fold(first, |before, next| {
            let values = vec![Part::Ours(before), Part::Foreign(separator.to_owned()), Part::Ours(next)];
            Self { template: "{0}{1}{2}", values }
        })
    }

    pub fn template(&self) -> &'static str {
        self.template
    }

    pub fn values(&self) -> &[Part] {
        &self.values
    }

    /// As a value of another sentence.
    pub fn place(&self) -> Part {
        Part::Ours(self.clone())
    }

    /// The templates, and with them everything that stands in their places,
    /// as `ours` and `foreign` tell it. What stands in single quotes is a name.
    pub fn told(&self, ours: &dyn Fn(&str, &[String]) -> String, foreign: &dyn Fn(&str) -> String) -> String {
        let told = |(place, part): (usize, &Part)| match part {
            Part::Ours(words) => words.told(ours, foreign),
            Part::Foreign(text) if self.template.contains(&format!("'{{{place}}}'")) => text.clone(),
            Part::Foreign(text) => foreign(text),
        };
        let values: Vec<String> = self.values.iter().enumerate().map(told).collect();
        if self.template == "{0}" || self.template == "{0}{1}{2}" {
            return values.concat();
        }
        ours(self.template, &values)
    }

    /// How many values a template takes: its highest place and one.
    pub const fn places(template: &str) -> usize {
        let text = template.as_bytes();
        let (mut i, mut places) = (0, 0);
        while i + 2 < text.len() {
            if text[i] == b'{' && text[i + 1].is_ascii_digit() && text[i + 2] == b'}' {
                let place = (text[i + 1] - b'0') as usize;
                if place >= places {
                    places = place + 1;
                }
            }
            i += 1;
        }
        places
    }
}

/// In English.
impl Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in pieces(self.template) {
            match piece {
                Piece::Text(text) => f.write_str(text)?,
                Piece::Place(place) => match self.values.get(place) {
                    Some(Part::Foreign(text)) => f.write_str(text)?,
                    Some(Part::Ours(words)) => Display::fmt(words, f)?,
                    None => write!(f, "{{{place}}}")?,
                },
            }
        }
        Ok(())
    }
}

/// Whatever can be written down, as a value of a sentence.
pub trait Displayed {
    fn place(&self) -> Part;
}

impl<T: Display + ?Sized> Displayed for T {
    fn place(&self) -> Part {
        Part::Foreign(self.to_string())
    }
}

/// A stretch of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    Text(&'a str),
    Place(usize),
}

/// A template in its stretches: `'{0}' is {1}.`
pub fn pieces(template: &str) -> Vec<Piece<'_>> {
    let (mut pieces, mut from, bytes) = (Vec::new(), 0, template.as_bytes());
    for (at, window) in bytes.windows(3).enumerate() {
        let &[b'{', digit @ b'0'..=b'9', b'}'] = window else { continue };
        if at > from {
            pieces.push(Piece::Text(&template[from..at]));
        }
        pieces.push(Piece::Place(usize::from(digit - b'0')));
        from = at + 3;
    }
    if from < template.len() {
        pieces.push(Piece::Text(&template[from..]));
    }
    pieces
}

/// A template with values at its places. What looks like a place within a
/// value is none.
pub fn fill(template: &str, values: &[impl Display]) -> String {
    let mut text = String::with_capacity(template.len() + 16 * values.len());
    for piece in pieces(template) {
        let _ = match piece {
            Piece::Text(stretch) => text.write_str(stretch),
            Piece::Place(place) => match values.get(place) {
                Some(value) => write!(text, "{value}"),
                None => write!(text, "{{{place}}}"),
            },
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(words: &Words, english: &str, shouted: &str) {
        assert_eq!(words.to_string(), english);
        assert_eq!(words.told(&|template, values| fill(&template.to_uppercase(), values), &str::to_owned), shouted);
    }

    #[test]
    fn values_stay_as_they_are() {
        check(&words!("done"), "done", "DONE");
        check(&words!("'{0}' is no {1}", "x", 5), "'x' is no 5", "'x' IS NO 5");
        check(&words!("{1} before {0}", "a".to_owned(), "b"), "b before a", "b BEFORE a");
        check(&words!("{0}, {0}", 'a'), "a, a", "a, a");
    }

    #[test]
    fn parts_are_told_with_the_whole() {
        let why = words!("'{0}' is missing", "key");
        check(&words!("{1}: {0}.", why, "no"), "no: 'key' is missing.", "no: 'key' IS MISSING.");
        check(&words!("{1}: {0}.", &why, "no"), "no: 'key' is missing.", "no: 'key' IS MISSING.");
        check(&words!("{1} {0}", Words::label("Name"), "set"), "set Name", "set NAME");
        check(
            &Words::joined([words!("a"), why, words!("b")], "; "),
            "a; 'key' is missing; b",
            "A; 'key' IS MISSING; B",
        );
        check(&Words::joined([], "; "), "", "");
    }

    #[test]
    fn hostile_values_stay_in_their_place() {
        check(&words!("'{0}' and '{1}'", "{1}", "{0}"), "'{1}' and '{0}'", "'{1}' AND '{0}'");
        check(&Words::foreign("{0} said 'no'"), "{0} said 'no'", "{0} said 'no'");
        check(&words!("keys: {\"id\":…} of {0}", "{"), "keys: {\"id\":…} of {", "KEYS: {\"ID\":…} OF {");
        assert_eq!(fill("{0} {1} {7}", &["{1}", "ü"]), "{1} ü {7}");
    }

    #[test]
    fn places_are_counted() {
        assert_eq!(Words::places("no {} and {name}"), 0);
        assert_eq!(Words::places("{1}{0}{1}"), 2);
        assert_eq!(pieces("{0}ä{1}"), [Piece::Place(0), Piece::Text("ä"), Piece::Place(1)]);
    }
}
