//! Sentences that were written down in English, in the reader's language.
//!
//! Alerts, reasons in the ledger and results of tests are stored as the
//! reference product stores them: as English text. What the rules wrote is
//! recognized by its template, and told anew with the same values. A sentence
//! may stand within another, or several one after the other. What nobody of us
//! wrote (the words of a server, above all) stays as it is.

use std::collections::BTreeMap;

use model::wording::{Piece, fill, pieces};

/// Sentences within sentences are looked for so deep.
const DEEPEST: usize = 5;
/// Longer texts are not ours.
const LONGEST: usize = 20_000;

/// Between sentences that stand one after the other.
const BETWEEN: [&str; 3] = ["\n", ". ", "; "];

#[derive(Default)]
pub(crate) struct Sentences {
    /// Without values.
    whole: BTreeMap<String, String>,
    /// With values; those of which most is fixed come first.
    with_values: Vec<Template>,
}

struct Template {
    english: String,
    told: String,
    /// How much of it is fixed.
    fixed: usize,
    /// The longest fixed stretch: what lacks it is not looked at further.
    longest: String,
}

impl Sentences {
    pub fn of(entries: impl Iterator<Item = (String, String)>) -> Self {
        let (mut whole, mut with_values) = (BTreeMap::new(), Vec::new());
        for (english, told) in entries {
            let stretches =
                pieces(&english).into_iter().filter_map(|p| if let Piece::Text(t) = p { Some(t) } else { None });
            let stretches: Vec<&str> = stretches.collect();
            let fixed = stretches.iter().map(|stretch| stretch.len()).sum();
            let longest = stretches.iter().max_by_key(|stretch| stretch.len()).map(|stretch| (*stretch).to_owned());
            if fixed == english.len() {
                whole.insert(english, told);
            } else if is_telling(&english) {
                with_values.push(Template { english, told, fixed, longest: longest.unwrap_or_default() });
            }
        }
        with_values.sort_by(|a, b| b.fixed.cmp(&a.fixed).then_with(|| a.english.cmp(&b.english)));
        Self { whole, with_values }
    }

    /// The sentence in this language; as it is where it is none of ours.
    /// `shown` is asked how to write a value that is no sentence.
    pub fn said(&self, english: &str, shown: &dyn Fn(&str) -> Option<String>) -> String {
        self.ours(english, shown).or_else(|| shown(english)).unwrap_or_else(|| english.to_owned())
    }

    /// The same; `None` where nothing of it is ours.
    pub fn ours(&self, english: &str, shown: &dyn Fn(&str) -> Option<String>) -> Option<String> {
        self.find(english, shown, DEEPEST).or_else(|| self.as_far_as_known(english, shown, DEEPEST))
    }

    /// `None` where something in it is not recognized.
    fn find(&self, text: &str, shown: &dyn Fn(&str) -> Option<String>, depth: usize) -> Option<String> {
        if depth == 0 || text.is_empty() || text.len() > LONGEST {
            return None;
        }
        if let Some(told) = self.whole.get(text) {
            return Some(told.clone());
        }
        self.one_after_the_other(text, shown, depth)
            .or_else(|| self.by_template(text, shown, depth))
            .or_else(|| self.with_advice(text, shown, depth))
            .or_else(|| {
                // A full stop is put after some, and taken from others.
                let (other, stop) = match text.strip_suffix('.') {
                    Some(without) => (without.to_owned(), "."),
                    None => (format!("{text}."), ""),
                };
                let told = self.whole.get(&other).cloned().or_else(|| self.by_template(&other, shown, depth))?;
                Some(if told.ends_with('.') { told } else { told + stop })
            })
    }

    /// What a server said, in quotes, and after a colon what it means.
    fn with_advice(&self, text: &str, shown: &dyn Fn(&str) -> Option<String>, depth: usize) -> Option<String> {
        text.match_indices("\": ").find_map(|(at, between)| {
            let said = self.find(&text[..=at], shown, depth - 1)?;
            let means = self.find(&text[at + between.len()..], shown, depth - 1)?;
            Some(format!("{said}: {means}"))
        })
    }

    fn by_template(&self, text: &str, shown: &dyn Fn(&str) -> Option<String>, depth: usize) -> Option<String> {
        self.with_values.iter().filter(|template| text.contains(&template.longest)).find_map(|template| {
            let values = values(&template.english, text)?;
            let named = |place: usize| {
                ['\'', '"'].iter().any(|quote| template.english.contains(&format!("{quote}{{{place}}}{quote}")))
            };
            let told: Vec<String> = values
                .iter()
                .enumerate()
                .map(|(place, value)| if named(place) { (*value).to_owned() } else { self.inner(value, shown, depth) })
                .collect();
            Some(tidy(&template.told, &told))
        })
    }

    /// A value, which may be a sentence itself.
    fn inner(&self, value: &str, shown: &dyn Fn(&str) -> Option<String>, depth: usize) -> String {
        self.find(value, shown, depth - 1)
            .or_else(|| self.as_far_as_known(value, shown, depth - 1))
            .or_else(|| shown(value))
            .unwrap_or_else(|| value.to_owned())
    }

    /// Several sentences, all of them ours.
    fn one_after_the_other(&self, text: &str, shown: &dyn Fn(&str) -> Option<String>, depth: usize) -> Option<String> {
        BETWEEN.iter().find_map(|between| {
            let parts = split(text, between);
            if parts.len() < 2 {
                return None;
            }
            let told: Option<Vec<String>> = parts.iter().map(|part| self.find(part, shown, depth - 1)).collect();
            Some(together(told?, between))
        })
    }

    /// Several sentences, some of them ours.
    fn as_far_as_known(&self, text: &str, shown: &dyn Fn(&str) -> Option<String>, depth: usize) -> Option<String> {
        if depth == 0 || text.len() > LONGEST {
            return None;
        }
        BETWEEN.iter().find_map(|between| {
            let parts = split(text, between);
            let told: Vec<Option<String>> = parts.iter().map(|part| self.find(part, shown, depth - 1)).collect();
            if parts.len() < 2 || told.iter().all(Option::is_none) {
                return None;
            }
            let each = parts.iter().zip(told).map(|(part, told)| told.unwrap_or_else(|| (*part).to_owned()));
            Some(together(each.collect(), between))
        })
    }
}

/// Whether so much of a template is fixed that what others wrote does not look
/// like it by chance. `{0}: {1}` is like anything.
pub(super) fn is_telling(template: &str) -> bool {
    let pieces = pieces(template);
    let letters = |piece: &Piece<'_>| match piece {
        Piece::Text(text) => text.chars().filter(|c| c.is_alphabetic()).count(),
        Piece::Place(_) => 0,
    };
    let all: usize = pieces.iter().map(letters).sum();
    pieces.first().is_some_and(|first| letters(first) >= 4)
        || all >= 12
        || pieces.last().is_some_and(|last| letters(last) >= 6)
}

/// The values that make this text of the template.
pub(super) fn values<'t>(template: &str, text: &'t str) -> Option<Vec<&'t str>> {
    let pieces = pieces(template);
    let mut values: Vec<Option<&'t str>> = vec![None; model::Words::places(template)];
    let mut rest = text;
    let mut open: Option<usize> = None;
    for (i, piece) in pieces.iter().enumerate() {
        match *piece {
            Piece::Place(place) => {
                // Two places without anything between them cannot be told apart.
                if open.replace(place).is_some() {
                    return None;
                }
            }
            Piece::Text(fixed) => {
                let at = match open {
                    None => rest.starts_with(fixed).then_some(0)?,
                    Some(_) if i + 1 == pieces.len() => rest.ends_with(fixed).then(|| rest.len() - fixed.len())?,
                    Some(_) => outside_of_quotes(rest, fixed)?,
                };
                if let Some(place) = open.take() {
                    keep(&mut values, place, &rest[..at])?;
                }
                rest = &rest[at + fixed.len()..];
            }
        }
    }
    match open {
        Some(place) => keep(&mut values, place, rest)?,
        None if !rest.is_empty() => return None,
        None => {}
    }
    let begins_with_value = matches!(pieces.first(), Some(Piece::Place(_)));
    let values: Option<Vec<&str>> = values.into_iter().collect();
    values.filter(|values| !begins_with_value || !values.first().is_some_and(|first| first.is_empty()))
}

/// Where it stands first, but for what stands in double quotes: those are
/// around what a server said.
fn outside_of_quotes(text: &str, fixed: &str) -> Option<usize> {
    if text.matches('"').count() % 2 == 1 {
        // One that has no other is a character like any.
        return text.find(fixed);
    }
    let mut quoted = false;
    text.char_indices().find_map(|(at, c)| {
        if !quoted && text[at..].starts_with(fixed) {
            return Some(at);
        }
        quoted ^= c == '"';
        None
    })
}

/// `None` where the same place would have two values.
fn keep<'t>(values: &mut [Option<&'t str>], place: usize, value: &'t str) -> Option<()> {
    let slot = values.get_mut(place)?;
    if slot.is_some_and(|held| held != value) {
        return None;
    }
    *slot = Some(value);
    Some(())
}

/// One after the other again. The full stop between two is there already.
fn together(mut parts: Vec<String>, between: &str) -> String {
    let last = parts.len().saturating_sub(1);
    for part in &mut parts[..last] {
        if between != "\n" && part.ends_with('.') {
            part.pop();
        }
    }
    parts.join(between)
}

/// At each `between` that does not stand in double quotes.
fn split<'t>(text: &'t str, between: &str) -> Vec<&'t str> {
    let (mut parts, mut from, mut quoted) = (Vec::new(), 0, false);
    for (at, c) in text.char_indices() {
        if c == '"' {
            quoted = !quoted;
        }
        if !quoted && at >= from && text[at..].starts_with(between) {
            parts.push(&text[from..at]);
            from = at + between.len();
        }
    }
    parts.push(&text[from..]);
    parts
}

/// With the values in their places, and not two full stops where a value ends
/// with one and the template goes on with the other.
pub(super) fn tidy(template: &str, values: &[String]) -> String {
    let followed =
        |place: usize| ['.', ';', ',', ':'].iter().any(|stop| template.contains(&format!("{{{place}}}{stop}")));
    let tidied: Vec<&str> = values
        .iter()
        .enumerate()
        .map(|(place, value)| match value.strip_suffix('.') {
            Some(without) if followed(place) && !without.ends_with('.') => without,
            _ => value.as_str(),
        })
        .collect();
    fill(template, &tidied)
}
