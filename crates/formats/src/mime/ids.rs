//! Message identifiers (RFC 5322, section 3.6.4), normalised.

use model::mail::Flaw;

/// More than so many references are not looked at; the last ones count most,
/// but threads of that length are somebody's joke.
const MOST: usize = 1_000;

/// The identifier of the message itself: with angle brackets and without
/// white space. `a@b` gets its brackets; anything else is kept as it stands,
/// with a flaw.
pub fn own(field: &str, flaws: &mut Vec<Flaw>) -> Option<String> {
    let field = field.trim();
    if let Some(id) = bracketed(field) {
        return Some(id);
    }
    let bare: String = strip_comments(field).chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    if bare.trim_matches(['<', '>']).is_empty() {
        if !bare.is_empty() {
            flaws.push(Flaw::BadMessageId(bare));
        }
        return None;
    }
    flaws.push(Flaw::BadMessageId(bare.clone()));
    let inner = bare.trim_matches(['<', '>']);
    if inner.contains('@') && !inner.contains(['<', '>']) { Some(format!("<{inner}>")) } else { Some(bare) }
}

/// The first `<…>` of a text that has something in it.
fn bracketed(field: &str) -> Option<String> {
    let (_, rest) = field.split_once('<')?;
    let (inner, _) = rest.split_once('>')?;
    // `<<a@b>>`
    let inner = inner.rsplit('<').next().unwrap_or(inner);
    let inner: String = inner.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    (!inner.is_empty()).then(|| format!("<{inner}>"))
}

/// The identifiers in References or In-Reply-To, in order, each once. Where
/// nothing stands in brackets, words with an `@` count.
pub fn list(field: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    let mut rest = field;
    while let Some((_, tail)) = rest.split_once('<') {
        let Some((inner, after)) = tail.split_once('>') else {
            // An unfinished last one: `<a@b`.
            push(tail.rsplit('<').next().unwrap_or(tail), &mut out, &mut seen);
            break;
        };
        rest = after;
        push(inner.rsplit('<').next().unwrap_or(inner), &mut out, &mut seen);
        if out.len() >= MOST {
            break;
        }
    }
    if out.is_empty() {
        for word in
            strip_comments(field).split(|c: char| c.is_whitespace() || c == ',' || c == ';' || c == '"').take(MOST)
        {
            if word.contains('@') {
                push(word, &mut out, &mut seen);
            }
        }
    }
    out
}

fn push(inner: &str, out: &mut Vec<String>, seen: &mut std::collections::BTreeSet<String>) {
    let inner: String =
        inner.chars().filter(|c| !c.is_whitespace() && !c.is_control() && *c != '<' && *c != '>').collect();
    if !inner.is_empty() && seen.insert(inner.clone()) {
        out.push(format!("<{inner}>"));
    }
}

fn strip_comments(text: &str) -> String {
    let mut depth = 0_u32;
    text.chars()
        .filter(|&c| match c {
            '(' => {
                depth += 1;
                false
            }
            ')' if depth > 0 => {
                depth -= 1;
                false
            }
            _ => depth == 0,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own_id(field: &str, expected: Option<&str>, flawed: bool) {
        let mut flaws = Vec::new();
        assert_eq!(own(field, &mut flaws).as_deref(), expected, "{field}");
        assert_eq!(!flaws.is_empty(), flawed, "{field}: {flaws:?}");
    }
    fn ids(field: &str, expected: &[&str]) {
        assert_eq!(list(field), expected, "{field}");
    }

    #[test]
    fn own_ids() {
        own_id("<a@b>", Some("<a@b>"), false);
        own_id(" <a@b> ", Some("<a@b>"), false);
        own_id("<a\r\n @b>", Some("<a@b>"), false);
        own_id("<a@b> (comment)", Some("<a@b>"), false);
        own_id("<no-at-sign>", Some("<no-at-sign>"), false);
        own_id("<<a@b>>", Some("<a@b>"), false);
        own_id("a@b", Some("<a@b>"), true);
        own_id("<a@b", Some("<a@b>"), true);
        own_id("rubbish", Some("rubbish"), true);
        own_id("", None, false);
        own_id("<>", None, true);
        own_id("< >", None, true);
    }

    #[test]
    fn lists() {
        ids("", &[]);
        ids("<a@b>", &["<a@b>"]);
        ids("<a@b> <c@d>", &["<a@b>", "<c@d>"]);
        ids("<a@b><c@d>", &["<a@b>", "<c@d>"]);
        ids("<a@b>,\r\n\t<c@d>", &["<a@b>", "<c@d>"]);
        ids("<a@b> (x <y>) <c@d>", &["<a@b>", "<y>", "<c@d>"]);
        ids("Your message of \"Mon, 1 Jan\" <a@b>", &["<a@b>"]);
        ids("a@b c@d", &["<a@b>", "<c@d>"]);
        ids("(me@home) a@b", &["<a@b>"]);
        ids("<a@b> <a@b>", &["<a@b>"]);
        ids("<a@\r\n b>", &["<a@b>"]);
        ids("<a@b> <c@d", &["<a@b>", "<c@d>"]);
        ids("hello", &[]);
        ids("<>", &[]);
    }

    #[test]
    fn very_many() {
        let field: String = (0..5_000).map(|n| format!("<{n}@x> ")).collect();
        assert_eq!(list(&field).len(), MOST);
    }
}
