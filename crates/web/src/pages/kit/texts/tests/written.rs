//! Sentences that stand as literals in the program: what the connectors and
//! `sync` say of a conversation with a server, and what signing in says. They
//! are found by how they look, so that a new one without a translation is
//! noticed.

use std::collections::BTreeSet;
use std::path::Path;

use crate::pages::kit::texts::Texts;

/// What looks like a sentence and is none that people read on a page: words of
/// servers that are recognized, lines of a conversation, the log, the message
/// of a test, which is sent and not shown.
const NOT_SHOWN: &[&str] = &[
    "<p>This message was sent by Test &amp; Enable Mailbox. It shows that email can be sent from this mailbox and arrives in it. It may be deleted.</p>",
    "Your mailbox is now connected to Postroom",
    "client was not authenticated",
    "details of the ledger",
    "nodename nor servname",
    "not owned by",
    "rows of the audit trail",
    "send as this sender",
    "sender address rejected",
    "smtpclientauthentication is disabled",
    "the message, {0} octets",
    "{0} rows older than {1} days were removed",
];

/// Sentences of which the catalogue holds what they become: with what stands
/// at their places, or behind what they follow.
const PARTS: &[&str] = &[
    "(before that the server said: {0})",
    "the server said \"+OK {0}\"",
    "the server said \"-ERR {0}\"",
    "the server's answer to STAT has no numbers: \"+OK {0}\"",
    "the value of the header '{0}'",
    "the {0} is empty or contains a line break, which cannot be sent",
    "{0} cannot be written into an HTTP request",
    "{0} rows, {1} messages and attachments.{2}",
    "{0}; enter it and run Test & Enable",
];

/// The literals of these files that are sentences.
pub(super) fn sentences(folder: &Path, found: &mut BTreeSet<String>) {
    // Fakes for tests.
    each(folder, &|name| name != "script.rs", &mut |text, before| {
        let text = with_places(text);
        let text = text.trim_start_matches(['.', ';', ' ']).trim_end().to_owned();
        let logged = before.contains("tracing::") || before.contains("reason =");
        if !logged && is_sentence(&text) && !NOT_SHOWN.contains(&text.as_str()) {
            found.insert(text);
        }
    });
}

/// The same of signing in, whose sentences begin with a capital.
pub(super) fn of_sign_in(folder: &Path, found: &mut BTreeSet<String>) {
    // The token endpoint answers programs.
    each(folder, &|name| name != "oauth2.rs", &mut |text, before| {
        let begins = text.starts_with(|c: char| c.is_ascii_uppercase());
        if begins && text.ends_with('.') && text.contains(' ') && !before.contains("tracing::") {
            found.insert(with_places(text));
        }
    });
}

/// Whether a sentence of the catalogue holds it.
pub(super) fn is_part(language: &Texts, text: &str) -> bool {
    let placed = text.contains("{0}");
    PARTS.contains(&text) || (!placed && language.texts.keys().any(|known| known.contains(text)))
}

/// At least three words of small letters.
fn is_sentence(text: &str) -> bool {
    let words = text.split(' ').map(|word| word.trim_matches(['.', ',', ';', ':', '(', ')', '\'', '"']));
    words.filter(|w| w.len() >= 2 && w.chars().all(|c| c.is_ascii_lowercase())).count() >= 3
}

fn each(folder: &Path, wanted: &dyn Fn(&str) -> bool, f: &mut dyn FnMut(&str, &str)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "tests" {
                each(&path, wanted, f);
            }
        } else if name != "tests.rs" && wanted(&name) {
            let code = std::fs::read_to_string(&path).unwrap();
            literals(code.split("#[cfg(test)]").next().unwrap_or(""), f);
        }
    }
}

/// Each string literal, with the statement before it.
fn literals(code: &str, f: &mut dyn FnMut(&str, &str)) {
    let mut rest = code;
    let mut statement = String::new();
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        if let Some(comment) = rest.strip_prefix("//") {
            rest = comment.find('\n').map_or("", |end| &comment[end..]);
        } else if let Some((quoted, behind)) = raw(rest) {
            f(quoted, &statement);
            rest = behind;
        } else if c == '"' {
            let end = end(after);
            f(&unescaped(&after[..end]), &statement);
            rest = after.get(end + 1..).unwrap_or("");
        } else if let Some(behind) = character(rest) {
            rest = behind;
        } else {
            if matches!(c, ';' | '{' | '}') {
                statement.clear();
            }
            statement.push(c);
            rest = after;
        }
    }
}

/// `r#"…"#`
fn raw(code: &str) -> Option<(&str, &str)> {
    let hashes = code.strip_prefix('r')?;
    let inner = hashes.trim_start_matches('#');
    let ending = format!("\"{}", &hashes[..hashes.len() - inner.len()]);
    let inner = inner.strip_prefix('"')?;
    inner.split_once(&ending)
}

/// Behind a character, which may be a quote; a lifetime is none.
fn character(code: &str) -> Option<&str> {
    let inner = code.strip_prefix('\'')?;
    let escaped = inner.strip_prefix('\\');
    let inner = escaped.unwrap_or(inner);
    let first = inner.chars().next()?;
    let behind = &inner[first.len_utf8()..];
    if escaped.is_some() && first != '\'' && first != '"' {
        return behind.split_once('\'').map(|(_, behind)| behind);
    }
    behind.strip_prefix('\'')
}

/// Where the closing quote is.
fn end(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' if !escaped => return at,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

/// With lines put together that a backslash ended.
fn unescaped(literal: &str) -> String {
    let mut lines = literal.split("\\\n");
    let first = lines.next().unwrap_or_default().to_owned();
    lines.fold(first, |all, line| all + line.trim_start()).replace("\\\"", "\"").replace("\\n", "\n")
}

/// `{}`, `{name}` and `{name:?}` as `{0}`, `{1}`.
fn with_places(text: &str) -> String {
    let (mut out, mut rest, mut names) = (String::new(), text, Vec::<String>::new());
    while let Some((before, opened)) = rest.split_once('{') {
        out.push_str(before);
        let Some((inside, behind)) = opened.split_once('}') else {
            out.push('{');
            rest = opened;
            continue;
        };
        let name = inside.split(':').next().unwrap_or("");
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
        if !plain {
            out.push('{');
            rest = opened;
            continue;
        }
        let known = names.iter().position(|n| !n.is_empty() && n == name);
        let place = known.unwrap_or(names.len());
        if known.is_none() {
            names.push(name.to_owned());
        }
        out.push_str(&format!("{{{place}}}"));
        rest = behind;
    }
    out + rest
}

#[test]
fn literals_of_code() {
    let code =
        "let a = \"x \\\"y\\\"\"; // \"no\"\nlet b = '\"'; f::<'a>(b'\\'', r#\"raw \"z\"\"#); tracing::info!(\"l\");";
    let mut found = Vec::new();
    literals(code, &mut |text, before| found.push((text.to_owned(), before.contains("tracing::"))));
    let expected = [("x \"y\"", false), ("raw \"z\"", false), ("l", true)];
    assert_eq!(found, expected.map(|(text, logged)| (text.to_owned(), logged)));
    assert_eq!(with_places("{} of {n:?} and {n}, {}"), "{0} of {1} and {1}, {2}");
    assert!(is_sentence("the server said: \"{0}\"") && !is_sentence("UID FETCH {0}"));
}
