//! Plain text as a page: links to follow, quotations folded.

use super::{Show, Shown, escape, links};

/// What is longer is cut.
const LONGEST: usize = 1 << 20;
/// Quotations within quotations that are told apart.
const DEEPEST: usize = 12;

/// Plain text as HTML.
pub fn show_text(text: &str, how: &Show<'_>) -> Shown {
    let cut = text.len() > LONGEST;
    let text = &text[..text.floor_char_boundary(LONGEST)];
    let mut shown = Shown::default();
    if cut {
        shown.flaws.insert(super::Flaw::TooLong);
    }
    let mut depth = 0;
    let mut before = false;
    let mut folded = false;
    shown.html.push_str("<div class=\"pr-plain\">");
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let (quoted, rest) = level(line);
        if quoted > depth && depth == 0 {
            let open = if before { "" } else { " open" };
            shown.html.push_str(&format!("<details class=\"pr-quote\"{open}><summary>{}</summary>", escape(how.quote)));
            folded = true;
        }
        while depth < quoted {
            shown.html.push_str("<blockquote>");
            depth += 1;
        }
        while depth > quoted {
            shown.html.push_str("</blockquote>");
            depth -= 1;
        }
        if depth == 0 && folded {
            shown.html.push_str("</details>");
            folded = false;
        }
        before |= depth == 0 && !rest.trim().is_empty();
        line_of(rest, &mut shown);
        shown.html.push('\n');
    }
    (0..depth).for_each(|_| shown.html.push_str("</blockquote>"));
    if folded {
        shown.html.push_str("</details>");
    }
    shown.html.push_str("</div>");
    if text.chars().any(links::turns_around) {
        shown.signs.insert(super::Sign::TurnedText);
    }
    shown
}

/// How often a line is quoted, and what is.
fn level(line: &str) -> (usize, &str) {
    let mut rest = line;
    let mut level = 0;
    while level < DEEPEST {
        let next = rest.strip_prefix("> ").or_else(|| rest.strip_prefix('>'));
        // `>From` is a mail folder's escape.
        let Some(next) = next.filter(|n| level > 0 || !n.starts_with("From ") || line.starts_with("> ")) else { break };
        rest = next;
        level += 1;
    }
    (level, rest)
}

/// Words that are addresses become links.
fn line_of(line: &str, shown: &mut Shown) {
    let mut rest = line;
    while let Some((start, end)) = address(rest) {
        shown.html.push_str(&escape(&rest[..start]));
        let word = &rest[start..end];
        let href = if word.contains("://") {
            word.to_owned()
        } else if word.contains('@') {
            format!("mailto:{word}")
        } else {
            format!("https://{word}")
        };
        match links::target(&href) {
            Some(links::Target::Web(url)) => {
                let (link, signs) = links::judge(&url, word);
                shown.html.push_str(&format!(
                    "<a href=\"{0}\" title=\"{0}\" target=\"_blank\" rel=\"noopener noreferrer\">{1}</a>",
                    escape(url.as_str()),
                    escape(word)
                ));
                shown.signs.extend(signs);
                shown.links.push(link);
            }
            Some(links::Target::Other(address)) => {
                shown.html.push_str(&format!(
                    "<a href=\"{}\" target=\"_blank\" rel=\"noopener noreferrer\">{}</a>",
                    escape(&address),
                    escape(word)
                ));
            }
            _ => shown.html.push_str(&escape(word)),
        }
        rest = &rest[end..];
    }
    shown.html.push_str(&escape(rest));
}

/// Where the first word of a line is that can be followed.
fn address(line: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    for word in line.split([' ', '\t', '<', '>', '"', '\u{a0}', '(', '[', '|']) {
        let start = from;
        from += word.len() + line[from + word.len()..].chars().next().map_or(0, char::len_utf8);
        let word = word.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '\'', '*', '_']);
        let lower = word.get(..8).unwrap_or(word).to_ascii_lowercase();
        let web = ["http://", "https://", "www."].iter().any(|p| lower.starts_with(p) && word.len() > p.len());
        let mail = !word.contains(['/', '?', '&', '%']) && model::mail::is_address(word) && word.contains('.');
        if web || mail {
            return Some((start, start + word.len()));
        }
    }
    None
}
