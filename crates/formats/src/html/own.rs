//! What people of ours write: plain text, kept as simple HTML that turns into
//! the same text again, or the little HTML that the editor makes.

use super::{escape, tidy, wall};

/// Around formatted text of ours. Text of others cannot carry this id.
const FORMATTED: &str = "<div id=\"pr-text\">";
/// Before what is quoted below the own text.
const QUOTED: &str = "<div id=\"pr-quoted\">";
const END: &str = "</div>";
/// What is longer is cut.
const LONGEST: usize = 1 << 20;

/// A text of somebody here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Own {
    Plain(String),
    /// Paragraphs, lists, quotations, links, bold and the like; made by [`Own::formatted`].
    Formatted(String),
}

impl Default for Own {
    fn default() -> Self {
        Self::Plain(String::new())
    }
}

impl Own {
    /// HTML as an editor gives it, without all that our editor cannot make.
    pub fn formatted(html: &str) -> Self {
        let html = &html[..html.floor_char_boundary(LONGEST)];
        let clean = wall::own(&tidy::plainly(html).html);
        let blank = crate::mime::from_html(&clean).trim().is_empty() && !clean.contains("<hr");
        if blank { Self::default() } else { Self::Formatted(clean) }
    }

    /// As [`Own::html`] wrote it.
    pub fn of_html(html: &str) -> Option<Self> {
        match html.strip_prefix(FORMATTED).and_then(|rest| rest.strip_suffix(END)) {
            // Others than our editor may have put it there.
            Some(inner) => Some(Self::formatted(inner)),
            None => to_text(html).map(Self::Plain),
        }
    }

    /// As it stands in a column of its own: text as it is, formatted text as HTML.
    pub fn of_column(text: &str) -> Self {
        match text.strip_prefix(FORMATTED).and_then(|rest| rest.strip_suffix(END)) {
            Some(inner) => Self::formatted(inner),
            None => Self::Plain(text.to_owned()),
        }
    }

    /// What [`Own::of_column`] reads.
    pub fn column(&self) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Formatted(_) => self.html(),
        }
    }

    /// Below empty lines to write in; nothing stays nothing.
    #[must_use]
    pub fn below_blank_lines(self) -> Self {
        match self {
            Self::Plain(text) if text.is_empty() => Self::Plain(text),
            Self::Plain(text) => Self::Plain(format!("\n\n{text}")),
            Self::Formatted(html) => Self::Formatted(format!("<div><br></div><div><br></div>{html}")),
        }
    }

    /// What somebody typed who was shown `standing` without its formatting: if
    /// they changed nothing, that is what they mean.
    #[must_use]
    pub fn or_standing(&self, standing: &Self) -> Self {
        match (self, standing) {
            (Self::Plain(typed), Self::Formatted(_)) if *typed == standing.text() => standing.clone(),
            _ => self.clone(),
        }
    }

    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Plain(text) if text.is_empty())
    }

    /// As it stands in an email.
    pub fn html(&self) -> String {
        match self {
            Self::Plain(text) => from_text(text),
            Self::Formatted(html) => format!("{FORMATTED}{html}{END}"),
        }
    }

    /// Without formatting.
    pub fn text(&self) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Formatted(html) => crate::mime::from_html(html),
        }
    }
}

/// The HTML of an email that somebody here writes: their text, and below it
/// what they answer or forward (see [`super::quotable`]), if anything.
pub fn compose(own: &Own, quoted: &str) -> String {
    let own = own.html();
    if quoted.is_empty() { own } else { format!("{own}\n{QUOTED}{quoted}{END}") }
}

/// The two parts of what [`compose`] made. HTML that somebody else made is all
/// in the second.
pub fn decompose(html: &str) -> (Own, String) {
    let (own, quoted) = match html.split_once(QUOTED) {
        Some((own, quoted)) => (own.trim_end(), quoted.strip_suffix(END).unwrap_or(quoted)),
        None => (html, ""),
    };
    match Own::of_html(own) {
        Some(own) => (own, quoted.to_owned()),
        None => (Own::default(), html.to_owned()),
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
    out.push_str(END);
    out
}

/// `None` for what [`from_text`] did not make.
fn to_text(html: &str) -> Option<String> {
    if html.trim().is_empty() {
        return Some(String::new());
    }
    let inner = html.strip_prefix("<div>")?.strip_suffix(END)?;
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

    fn plain(text: &str) -> Own {
        Own::Plain(text.to_owned())
    }

    #[track_caller]
    fn check(text: &str, quoted: &str) {
        let html = compose(&plain(text), quoted);
        assert_eq!(decompose(&html), (plain(text), quoted.to_owned()), "{html}");
    }

    #[track_caller]
    fn cleaned(html: &str, expected: &str) {
        let own = Own::formatted(html);
        assert_eq!(own, Own::Formatted(expected.to_owned()), "{html}");
        // What was cleaned once stays as it is.
        assert_eq!(decompose(&compose(&own, "<p>q</p>")), (own, "<p>q</p>".to_owned()), "{html}");
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
        assert_eq!(decompose("<p>Hello <b>you</b></p>"), (plain(""), "<p>Hello <b>you</b></p>".to_owned()));
        assert_eq!(decompose("<div><b>x</b></div>").0, plain(""));
    }
    #[test]
    fn formatting_stays() {
        cleaned("<div>a <b>b</b> <i>c</i> <u>d</u><br></div>", "<div>a <b>b</b> <i>c</i> <u>d</u><br></div>");
        cleaned("<ul><li><div>x</div></li></ul>", "<ul><li><div>x</div></li></ul>");
        cleaned(
            "<ol><li>x</li></ol><blockquote><div>y</div></blockquote>",
            "<ol><li>x</li></ol><blockquote><div>y</div></blockquote>",
        );
        cleaned("<a href=\"https://x.example/?a=1&amp;b=2\">y</a>", "<a href=\"https://x.example/?a=1&amp;b=2\">y</a>");
        cleaned("<a href=\"mailto:a@b.example\">y</a>", "<a href=\"mailto:a@b.example\">y</a>");
    }
    #[test]
    fn the_rest_goes() {
        cleaned("<p style=\"color:red\" class=x id=pr-quoted onclick=x()>a</p>", "<p>a</p>");
        cleaned("<script>alert(1)</script><img src=x onerror=x()><p>a</p>", "<p>a</p>");
        cleaned("<a href=\"javascript:x()\">y</a>", "<a>y</a>");
        cleaned("<a href=\"/work/emails\">y</a>", "<a>y</a>");
        cleaned("<div id=\"pr-quoted\">a</div></div></div>b", "<div>a</div>b");
        cleaned("<svg><a xlink:href=\"javascript:x()\"><b>z</b></svg>", "<a><b>z</b></a>");
    }
    #[test]
    fn nothing_is_nothing() {
        for html in ["", "<div><br></div>", "<p> &nbsp; </p>", "<b></b>", "<script>x</script>"] {
            assert_eq!(Own::formatted(html), plain(""), "{html}");
        }
    }
    #[test]
    fn in_a_column() {
        for own in [plain(""), plain("a\n<b>"), plain("<div>a</div>"), Own::formatted("<div><b>a</b></div>")] {
            assert_eq!(Own::of_column(&own.column()), own);
        }
    }
    #[test]
    fn what_was_not_changed_keeps_its_formatting() {
        let standing = Own::formatted("<div><b>a</b></div><div>b</div>");
        assert_eq!(plain("a\nb").or_standing(&standing), standing);
        assert_eq!(plain("a\nc").or_standing(&standing), plain("a\nc"));
    }
    #[test]
    fn formatted_text_as_text() {
        let own = Own::formatted("<div>Dear B,</div><ul><li><div>one</div></li><li>two</li></ul>");
        assert_eq!(own.text(), "Dear B,\n\n* one\n* two");
    }
}
