//! Catalogues, and that they are complete.

use std::collections::BTreeSet;
use std::path::Path;

use super::*;

#[track_caller]
fn check(file: &str, expected: &[(&str, &str)]) {
    let expected: Vec<_> = expected.iter().map(|(i, t)| ((*i).to_owned(), (*t).to_owned())).collect();
    assert_eq!(entries(file), expected, "{file}");
}

#[test]
fn entries_of_a_file() {
    check("msgid \"a\"\nmsgstr \"b\"\n", &[("a", "b")]);
    check("# c\nmsgid \"a\"\nmsgstr \"b\"\n\nmsgid \"c\"\nmsgstr \"d\"", &[("a", "b"), ("c", "d")]);
    check("msgid \"\"\n\"a \"\n\"b\"\nmsgstr \"\"\n\"c \"\n\"d\"", &[("a b", "c d")]);
    check("msgid \"say \\\"a\\\"\"\nmsgstr \"b\\nc\"", &[("say \"a\"", "b\nc")]);
    check("msgid \"not yet\"\nmsgstr \"\"", &[]);
    check("", &[]);
}

#[test]
fn values_in_their_places() {
    assert_eq!(english().with("{1} of {0}", &[&5, &"a"]), "a of 5");
}

#[test]
fn languages() {
    assert_eq!(accepted("de-AT,de;q=0.9,en;q=0.8").code, "de");
    assert_eq!(accepted("fr, en").code, "en");
    assert_eq!(accepted("").code, "en");
    assert_eq!(by_locale(1031).map(|t| t.code), Some("de"));
    assert_eq!(by_locale(1036).map(|t| t.code), None);
}

/// Every text that a template or a page asks for has a translation in every
/// language, with the same places for values.
#[test]
fn every_text_is_translated() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut used = BTreeSet::new();
    for folder in ["templates", "src/pages"] {
        collect(&root.join(folder), &mut used);
    }
    assert!(used.len() > 20, "no texts were found");
    for language in &all()[1..] {
        let missing: Vec<_> = used.iter().filter(|text| !language.texts.contains_key(*text)).collect();
        assert!(missing.is_empty(), "without a translation in texts/{}: {missing:#?}", language.code);
        for (english, text) in &language.texts {
            for place in ["{0}", "{1}", "{2}"] {
                assert_eq!(english.contains(place), text.contains(place), "{place} in {english:?}");
            }
        }
    }
}

fn collect(folder: &Path, used: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, used);
        } else if !path.ends_with("tests.rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or("");
            let code = code.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
            for call in [".t(", ".t1(", ".t2(", ".frame(", "texts.text(", "texts.with("] {
                for rest in code.split(call).skip(1) {
                    if let Some(rest) = rest.trim_start().strip_prefix('"') {
                        used.insert(unquoted(&format!("\"{}\"", literal(rest))));
                    }
                }
            }
        }
    }
}

/// What stands before the closing quote.
fn literal(rest: &str) -> &str {
    let mut escaped = false;
    for (i, c) in rest.char_indices() {
        match c {
            '"' if !escaped => return &rest[..i],
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    rest
}
