//! Texts in the reader's language.
//!
//! As in gettext, the English text is the key: `texts.text("Save & Close")`.
//! Another language is a folder of `.po` files below `texts/`, one an area,
//! which translators edit with the tools that they have. What has no
//! translation is shown in English.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::LazyLock;

use model::Words;
use model::wording::fill;

use crate::pages::kit::Told;

mod sentence;

use sentence::Sentences;

pub(crate) struct Texts {
    /// As in `lang`: `de`.
    pub code: &'static str,
    /// In its own words: `Deutsch`.
    pub name: &'static str,
    /// Dataverse's number: 1031.
    pub locale: i64,
    texts: BTreeMap<String, String>,
    /// What was stored in English is recognized by these.
    sentences: Sentences,
}

impl Texts {
    pub fn text<'a>(&'a self, english: &'a str) -> &'a str {
        self.texts.get(english).map_or(english, String::as_str)
    }

    /// With values in the places `{0}`, `{1}`.
    pub fn with(&self, english: &str, values: &[&dyn Display]) -> String {
        fill(self.text(english), values)
    }

    /// What went wrong: a text of a page, or a sentence that was written down.
    pub fn fault(&self, english: &str, shown: &dyn Fn(&str) -> Option<String>) -> String {
        self.texts.get(english).map_or_else(|| self.said(english, shown), Clone::clone)
    }

    /// A text of its own for one, and one with the number at `{0}` for none or
    /// several.
    pub fn counted(&self, one: &str, many: &str, count: &dyn Display) -> String {
        if count.to_string() == "1" { self.text(one).to_owned() } else { self.with(many, &[count]) }
    }

    /// A sentence of the rules. `shown`: how a value is written that is none.
    pub fn words(&self, words: &Words, shown: &dyn Fn(&str) -> Option<String>) -> String {
        if self.texts.is_empty() {
            return words.to_string();
        }
        let ours = |english: &str, values: &[String]| sentence::tidy(self.text(english), values);
        // A name of one word is never taken for a part of a sentence.
        let foreign = |value: &str| {
            if value.contains(' ') { self.said(value, shown) } else { shown(value).unwrap_or_else(|| value.to_owned()) }
        };
        words.told(&ours, &foreign)
    }

    /// A sentence that only the service can have written down.
    pub fn told(&self, english: &str, shown: &dyn Fn(&str) -> Option<String>) -> Told {
        if self.texts.is_empty() || english.is_empty() {
            return Told::new(english.to_owned(), false);
        }
        let ours = self.sentences.ours(english, shown);
        let is_english = ours.is_none();
        Told::new(ours.unwrap_or_else(|| english.to_owned()), is_english)
    }

    /// A sentence that was written down in English, or words that are not
    /// ours, which stay as they are.
    pub fn said(&self, english: &str, shown: &dyn Fn(&str) -> Option<String>) -> String {
        if self.texts.is_empty() { english.to_owned() } else { self.sentences.said(english, shown) }
    }
}

macro_rules! files {
    ($language:literal: $($area:literal)+) => {
        &[$(include_str!(concat!("../../../texts/", $language, "/", $area, ".po"))),+]
    };
}

const GERMAN: &[&str] = files!("de": "kit" "model" "signin" "grid" "mailbox" "email_settings" "profile" "start" "email" "work" "options" "security" "data" "watch" "help");

/// What the rules say, refuse and write down.
const GERMAN_SENTENCES: &[&str] = files!("de": "refusals" "alerts" "ledger" "servers");

/// The languages that are shipped. A further one is a line here and its files.
static ALL: LazyLock<[Texts; 2]> = LazyLock::new(|| {
    [
        Texts { code: "en", name: "English", locale: 1033, texts: BTreeMap::new(), sentences: Sentences::default() },
        Texts {
            code: "de",
            name: "Deutsch",
            locale: 1031,
            texts: GERMAN.iter().chain(GERMAN_SENTENCES).flat_map(|f| entries(f)).collect(),
            sentences: Sentences::of(GERMAN_SENTENCES.iter().flat_map(|f| entries(f))),
        },
    ]
});

pub(crate) fn all() -> &'static [Texts] {
    ALL.as_slice()
}

pub(crate) fn english() -> &'static Texts {
    &all()[0]
}

pub(crate) fn by_locale(locale: i64) -> Option<&'static Texts> {
    all().iter().find(|t| t.locale == locale)
}

/// By an `Accept-Language` header: the first that we have.
pub(crate) fn accepted(header: &str) -> &'static Texts {
    let codes = header.split(',').map(|part| part.split(';').next().unwrap_or("").trim());
    let found = codes.filter_map(|code| {
        let language = code.split('-').next().unwrap_or("");
        all().iter().find(|t| t.code.eq_ignore_ascii_case(language))
    });
    found.into_iter().next().unwrap_or_else(english)
}

/// The translated entries of a `.po` file: `msgid` and `msgstr`, which may go
/// on over several quoted lines.
fn entries(file: &str) -> Vec<(String, String)> {
    let mut entries = Vec::new();
    let (mut id, mut text, mut in_text) = (String::new(), String::new(), false);
    for line in file.lines().map(str::trim).chain(["msgid \"\""]) {
        if let Some(rest) = line.strip_prefix("msgid ") {
            if !id.is_empty() && !text.is_empty() {
                entries.push((std::mem::take(&mut id), std::mem::take(&mut text)));
            }
            (id, text, in_text) = (unquoted(rest), String::new(), false);
        } else if let Some(rest) = line.strip_prefix("msgstr ") {
            (text, in_text) = (unquoted(rest), true);
        } else if line.starts_with('"') {
            if in_text { &mut text } else { &mut id }.push_str(&unquoted(line));
        }
    }
    entries
}

fn unquoted(text: &str) -> String {
    let inner = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(text);
    let mut out = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some(other) => out.push(other),
                None => {}
            },
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests;
