//! Words in texts: what is found by how it begins. PostgreSQL's `pr_words` in
//! the migrations says the same.

use crate::error::StoreError;

/// Words that one condition may ask for.
const MOST: usize = 32;
/// Characters of a word that count.
const LONGEST: usize = 64;

/// What stands between words: signs, spaces, symbols. Said by code points and
/// not by properties, of which the databases know different versions.
fn separates(c: char) -> bool {
    matches!(c,
        '\0'..='/' | ':'..='@' | '['..='`' | '{'..='\u{BF}' | '\u{D7}' | '\u{F7}'
        | '\u{2000}'..='\u{206F}' | '\u{20A0}'..='\u{20CF}' | '\u{2190}'..='\u{2BFF}' | '\u{3000}'..='\u{303F}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{FF00}'..='\u{FF0F}' | '\u{FF1A}'..='\u{FF20}' | '\u{FF3B}'..='\u{FF40}'
        | '\u{FF5B}'..='\u{FF65}' | '\u{FFFD}' | '\u{1F000}'..='\u{1FAFF}')
}

/// Text without regard to case: what `Dialect::fold` is on PostgreSQL.
pub(crate) fn fold(text: &str) -> String {
    let lower = text.to_lowercase();
    if lower.contains('ς') { lower.replace('ς', "σ") } else { lower }
}

fn start(word: &str) -> &str {
    word.char_indices().nth(LONGEST).map_or(word, |(end, _)| &word[..end])
}

/// The words of a text, folded, with a space between them.
pub(crate) fn canonical(text: &str) -> String {
    let folded = fold(text);
    let mut out = String::with_capacity(folded.len());
    for word in folded.split(separates).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(start(word));
    }
    out
}

/// The words that somebody looks for.
///
/// # Errors
/// [`StoreError::TooComplex`] for too many of them.
pub(crate) fn asked(text: &str) -> Result<Vec<String>, StoreError> {
    let canonical = canonical(text);
    let mut words: Vec<String> = Vec::new();
    for word in canonical.split(' ').filter(|word| !word.is_empty()) {
        if !words.iter().any(|known| known == word) {
            words.push(word.to_owned());
        }
        if words.len() > MOST {
            return Err(StoreError::TooComplex(format!("The search has more than {MOST} words. Search for fewer.")));
        }
    }
    Ok(words)
}

/// Whether each of the words, given with a space between them, begins a word
/// of one of the texts. No word is in no text.
pub(crate) fn hold<'a>(asked: &str, texts: impl Iterator<Item = &'a str> + Clone) -> bool {
    let mut any = false;
    for word in asked.split(' ').filter(|word| !word.is_empty()) {
        any = true;
        if !texts.clone().any(|text| holds(word, text)) {
            return false;
        }
    }
    any
}

fn holds(asked: &str, text: &str) -> bool {
    if text.is_ascii() {
        let wanted = asked.as_bytes();
        let mut words = text.as_bytes().split(|b| !b.is_ascii_alphanumeric());
        return words.any(|w| w.len() >= wanted.len() && w[..wanted.len()].eq_ignore_ascii_case(wanted));
    }
    fold(text).split(separates).any(|word| word.starts_with(asked))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(canonical(text), expected);
        // What was read once is read the same again.
        assert_eq!(canonical(expected), expected);
    }

    #[test]
    fn an_address_falls_apart() {
        check("Hans.Müller+x@Example.co.uk", "hans müller x example co uk");
    }
    #[test]
    fn signs_are_no_words() {
        check("Re: [Ticket#12-34] «a_b»\r\n\0…", "re ticket 12 34 a b");
        check("\"'*():^-+{}", "");
        check("", "");
    }
    #[test]
    fn case_does_not_count() {
        check("ΟΔΟΣ Straße İ", "οδοσ straße i\u{307}");
    }
    #[test]
    fn a_word_counts_up_to_its_64th_character() {
        check(&"ä".repeat(100), &"ä".repeat(64));
        assert!(hold(&canonical(&"x".repeat(100)), [&*"x".repeat(64)].into_iter()));
    }
    #[test]
    fn every_word_begins_one() {
        let texts = || ["Your invoice 4711", "billing@shop.example"].into_iter();
        for (asked, expected) in
            [("inv", true), ("INV shop", true), ("voice", false), ("inv nothing", false), ("@", false), ("4711", true)]
        {
            assert_eq!(hold(&canonical(asked), texts()), expected, "{asked}");
        }
        assert!(hold("größ", ["Die GRÖSSTE", "Größe"].into_iter()));
    }
    #[test]
    fn words_are_asked_for_once_and_not_without_end() {
        assert_eq!(asked("a A b,a").unwrap(), ["a", "b"]);
        let many: Vec<String> = (0..40).map(|n| n.to_string()).collect();
        assert!(matches!(asked(&many.join(" ")), Err(StoreError::TooComplex(_))));
    }
}
