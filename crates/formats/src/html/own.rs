//! What people of ours write: plain text, kept as simple HTML that turns into
//! the same text again.

use super::escape;

/// Before what is quoted below the own text.
const QUOTED: &str = "<div id=\"pr-quoted\">";

/// The HTML of an email that somebody here writes: their text, and below it
/// what they answer or forward (see [`super::quotable`]), if anything.
pub fn compose(text: &str, quoted: &str) -> String {
    let own = from_text(text);
    if quoted.is_empty() { own } else { format!("{own}\n{QUOTED}{quoted}</div>") }
}

/// The two parts of what [`compose`] made. HTML that somebody else made is all
/// in the second.
pub fn decompose(html: &str) -> (String, String) {
    let (own, quoted) = match html.split_once(QUOTED) {
        Some((own, quoted)) => (own.trim_end(), quoted.strip_suffix("</div>").unwrap_or(quoted)),
        None => (html, ""),
    };
    match to_text(own) {
        Some(text) => (text, quoted.to_owned()),
        None => (String::new(), html.to_owned()),
    }
}

/// Lines stay lines in every mail program, also where `white-space` is unknown.
fn from_text(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let mut out = String::from("<div>");
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            out.push_str("<br>\n");
        }
        let line = line.strip_suffix('\r').unwrap_or(line);
        let indent = line.len() - line.trim_start_matches(' ').len();
        out.push_str(&"&nbsp;".repeat(indent));
        out.push_str(&escape(&line[indent..]).replace("  ", " &nbsp;"));
    }
    out.push_str("</div>");
    out
}

/// `None` for what [`from_text`] did not make.
fn to_text(html: &str) -> Option<String> {
    if html.trim().is_empty() {
        return Some(String::new());
    }
    let inner = html.strip_prefix("<div>")?.strip_suffix("</div>")?;
    let inner = inner.replace("<br>\n", "\n");
    if inner.contains('<') {
        return None;
    }
    let text = inner.replace("&nbsp;", " ").replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">");
    Some(text.replace("&amp;", "&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, quoted: &str) {
        let html = compose(text, quoted);
        assert_eq!(decompose(&html), (text.to_owned(), quoted.to_owned()), "{html}");
    }

    #[test]
    fn text_comes_back() {
        check("", "");
        check("one", "");
        check("Dear B,\n\n  indented   text\n<b>& \"so\" &nbsp; on</b>\n\n", "");
        check("answer", "<p>old</p>");
        check("", "<p>old</p>");
        check("a </div> b", "<div>x</div>");
    }
    #[test]
    fn what_others_wrote_stays() {
        assert_eq!(decompose("<p>Hello <b>you</b></p>"), (String::new(), "<p>Hello <b>you</b></p>".to_owned()));
        assert_eq!(decompose("<div><b>x</b></div>").0, "");
    }
}
