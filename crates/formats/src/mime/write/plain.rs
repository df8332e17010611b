//! The plain-text alternative of an HTML text: light, linear in its input,
//! without recursion, so that no HTML makes it slow or deep.

use mail_parser::decoders::html::add_html_token;

/// What is longer than this is cut: nobody reads it as plain text.
const LONGEST: usize = 1 << 20;

/// Quotations within quotations, and lists within lists, that are told apart.
const DEEPEST: usize = 8;

/// Text with blocks on lines of their own, list items marked or numbered,
/// quotations behind `>`, link targets after their text; scripts, styles and
/// comments left out.
pub fn from_html(html: &str) -> String {
    let html = &html[..html.floor_char_boundary(LONGEST)];
    let mut writer = Writer::default();
    let mut rest = html;
    while let Some(at) = memchr::memchr(b'<', rest.as_bytes()) {
        writer.text(&rest[..at]);
        rest = &rest[at..];
        rest = writer.tag(rest);
    }
    writer.text(rest);
    while !writer.quotes.is_empty() {
        writer.quote_end();
    }
    writer.out.trim_end().to_owned()
}

#[derive(Default)]
struct Writer {
    out: String,
    /// White space is due before the next word.
    space: bool,
    pre: u32,
    /// Target of the link that is open, and where its text started.
    link: Option<(String, usize)>,
    /// Where the open quotations start.
    quotes: Vec<usize>,
    /// The open lists, with the last number of those that count.
    lists: Vec<Option<u32>>,
    /// Where a list item's mark ends: its text begins on the same line.
    marked: usize,
}

impl Writer {
    /// Takes the tag at the start of `rest`; gives what follows it.
    fn tag<'a>(&mut self, rest: &'a str) -> &'a str {
        if let Some(comment) = rest.strip_prefix("<!--") {
            return comment.split_once("-->").map_or("", |(_, after)| after);
        }
        let body = &rest[1..];
        let closing = body.starts_with('/');
        let name_start = body.trim_start_matches('/');
        let name: String = name_start
            .chars()
            .take(12)
            .take_while(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_lowercase();
        if name.is_empty() && !body.starts_with(['!', '?', '/']) {
            self.text("<");
            return body;
        }
        let (attributes, after) = split_tag(body);
        match name.as_str() {
            "script" | "style" | "head" | "title" | "template" if !closing => return skip(after, &name),
            "br" => self.line(),
            "blockquote" if closing => self.quote_end(),
            "blockquote" => {
                self.paragraph();
                if self.quotes.len() < DEEPEST {
                    self.quotes.push(self.out.len());
                }
            }
            "ul" | "ol" => self.list(name == "ol", closing),
            "p" | "table" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.paragraph(),
            "pre" => {
                self.paragraph();
                self.pre = if closing { self.pre.saturating_sub(1) } else { self.pre + 1 };
            }
            "div" | "tr" | "section" | "article" | "header" | "footer" | "form" | "dt" | "dd" => self.fresh_line(),
            "td" | "th" => self.space = true,
            "li" if closing => self.marked = 0,
            "li" => self.item(),
            "hr" => {
                self.fresh_line();
                self.out.push_str("----------------------------------------\n");
            }
            "img" => {
                if let Some(alt) = attribute(attributes, "alt").filter(|a| !a.trim().is_empty()) {
                    self.text(&format!(" [{}] ", alt.trim()));
                }
            }
            "a" if closing => self.link_end(),
            "a" => {
                let target = attribute(attributes, "href").map(|t| decoded(&t)).unwrap_or_default();
                let shown =
                    target.starts_with("http://") || target.starts_with("https://") || target.starts_with("mailto:");
                self.link = shown.then_some((target, self.out.len()));
            }
            _ => {}
        }
        after
    }

    fn list(&mut self, numbered: bool, closing: bool) {
        self.marked = 0;
        // A list within another is part of its item.
        if self.lists.len() > usize::from(closing) {
            self.fresh_line()
        } else {
            self.paragraph()
        }
        if closing {
            self.lists.pop();
        } else {
            self.lists.push(numbered.then_some(0));
        }
    }

    fn item(&mut self) {
        self.marked = 0;
        self.fresh_line();
        self.out.push_str(&"  ".repeat(self.lists.len().saturating_sub(1).min(DEEPEST)));
        match self.lists.last_mut() {
            Some(Some(number)) => {
                *number = number.saturating_add(1);
                self.out.push_str(&format!("{number}. "));
            }
            _ => self.out.push_str("* "),
        }
        self.space = false;
        self.marked = self.out.len();
    }

    /// Puts `>` before the lines of the quotation that ends.
    fn quote_end(&mut self) {
        self.fresh_line();
        let Some(start) = self.quotes.pop() else { return };
        let quoted = self.out.split_off(start.min(self.out.len()));
        let quoted = quoted.trim_matches('\n');
        if !quoted.is_empty() {
            for line in quoted.split('\n') {
                self.out.push_str(if line.is_empty() || line.starts_with('>') { ">" } else { "> " });
                self.out.push_str(line);
                self.out.push('\n');
            }
        }
        self.paragraph();
    }

    fn link_end(&mut self) {
        if let Some((target, start)) = self.link.take() {
            let text = self.out.get(start..).unwrap_or_default().trim();
            let bare = target.trim_start_matches("mailto:").trim_end_matches('/');
            if !text.contains(bare) {
                self.out.push_str(&format!(" <{target}>"));
            }
        }
    }

    fn text(&mut self, text: &str) {
        let text = decoded(text);
        if self.pre > 0 {
            self.out.push_str(&text.replace("\r\n", "\n").replace('\r', "\n"));
            return;
        }
        if text.starts_with(collapses) {
            self.space = true;
        }
        for word in text.split(collapses).filter(|w| !w.is_empty()) {
            if self.space && !self.out.is_empty() && !self.out.ends_with(['\n', ' ']) {
                self.out.push(' ');
            }
            self.out.extend(word.chars().map(|c| if c == '\u{A0}' { ' ' } else { c }));
            self.space = true;
        }
        if !text.is_empty() {
            self.space = text.ends_with(collapses);
        }
    }

    fn line(&mut self) {
        self.trim_spaces();
        self.out.push('\n');
        self.space = false;
    }

    fn fresh_line(&mut self) {
        if self.marked > 0 && self.out.len() == self.marked {
            return;
        }
        self.trim_spaces();
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
        self.space = false;
    }

    fn paragraph(&mut self) {
        self.fresh_line();
        let begins = self.quotes.last().is_some_and(|start| *start == self.out.len());
        let marked = self.marked > 0 && self.out.len() == self.marked;
        if !self.out.is_empty() && !self.out.ends_with("\n\n") && !begins && !marked {
            self.out.push('\n');
        }
    }

    fn trim_spaces(&mut self) {
        self.out.truncate(self.out.trim_end_matches(' ').len());
    }
}

/// White space that HTML collapses; a no-break space is not among it.
fn collapses(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n' | '\u{c}')
}

/// The inside of a tag, and what follows its `>`. A `>` in quotes ends nothing.
fn split_tag(body: &str) -> (&str, &str) {
    let mut quote = None;
    for (at, b) in body.bytes().enumerate() {
        match (quote, b) {
            (Some(q), b) if b == q => quote = None,
            (None, b'"' | b'\'') if body[..at].trim_end().ends_with('=') => quote = Some(b),
            (None, b'>') => return (&body[..at], &body[at + 1..]),
            // An unbalanced quote: better lose a line than the text.
            (Some(_), _) if at > 10_000 => return (&body[..at], &body[body.ceil_char_boundary(at)..]),
            _ => {}
        }
    }
    (body, "")
}

/// What follows the end tag of an element whose content is not shown.
fn skip<'a>(after: &'a str, name: &str) -> &'a str {
    let mut rest = after;
    while let Some(at) = memchr::memmem::find(rest.as_bytes(), b"</") {
        rest = &rest[at + 2..];
        if rest.get(..name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name)) {
            return rest.split_once('>').map_or("", |(_, after)| after);
        }
    }
    ""
}

/// The value of an attribute, still with its character references.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let lower = tag.to_ascii_lowercase();
    let (at, _) = lower.match_indices(name).find(|(at, _)| {
        lower[..*at].ends_with(|c: char| c.is_whitespace()) && lower[at + name.len()..].trim_start().starts_with('=')
    })?;
    let value = tag[at + name.len()..].trim_start().strip_prefix('=')?.trim_start();
    let quoted = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    Some(match quoted {
        Some(quote) => value[1..].split(quote).next().unwrap_or_default().to_owned(),
        None => value.split(|c: char| c.is_whitespace() || c == '>').next().unwrap_or_default().to_owned(),
    })
}

/// Character references decoded.
fn decoded(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let window = &rest[..rest.floor_char_boundary(34)];
        match window.find(';') {
            Some(end) if window[1..end].bytes().all(|b| b.is_ascii_alphanumeric() || b == b'#') => {
                add_html_token(&mut out, &rest.as_bytes()[..=end], false);
                rest = &rest[end + 1..];
            }
            _ => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::from_html;

    fn check(html: &str, expected: &str) {
        assert_eq!(from_html(html), expected, "{html}");
    }

    #[test]
    fn texts() {
        check("", "");
        check("hello", "hello");
        check("a &amp; b &lt;c&gt; &eacute; &#8364; &#x20ac;", "a & b <c> é € €");
        check("AT&T &nosuch; &", "AT&T &nosuch; &");
        check("<p>one</p><p>two</p>", "one\n\ntwo");
        check("one<br>two<br/>three", "one\ntwo\nthree");
        check("<div>one</div><div>two</div>", "one\ntwo");
        check("a  \n b", "a b");
        check("<b>a</b> <i>b</i>c", "a bc");
        check("<ul><li>x</li><li>y</li></ul>", "* x\n* y");
        check("<ul><li><div>x</div></li><li><p>y</p></li></ul>z", "* x\n* y\n\nz");
        check("<ol><li>x</li><li>y<ul><li>z</li></ul></li></ol>", "1. x\n2. y\n  * z");
        check("<ol><li></li><li>y</li></ol>", "1.\n2. y");
        check("a<blockquote>b<br>c</blockquote>d", "a\n\n> b\n> c\n\nd");
        check("<blockquote><p>a</p><blockquote>b</blockquote></blockquote>", "> a\n>\n>> b");
        check("<blockquote>open", "> open");
        check("</blockquote></ul>a", "a");
        check("<style>p{}</style><script>x<y</script>z", "z");
        check("<head><title>t</title></head><body>b</body>", "b");
        check("<!-- c <p> -->d", "d");
        check("<a href=\"https://x.example/y\">here</a>", "here <https://x.example/y>");
        check("<a href='https://x.example/'>https://x.example</a>", "https://x.example");
        check("<a href=\"mailto:a@b.c\">a@b.c</a>", "a@b.c");
        check("<a href=\"javascript:x\">y</a>", "y");
        check("<img src=x alt=\"Logo\">", "[Logo]");
        check("<pre>a  b\n c</pre>", "a  b\n c");
        check("1 < 2", "1 < 2");
        check("a<p title=\"x>y\">b</p>", "a\n\nb");
        check("<tr><td>a</td><td>b</td></tr>", "a b");
        check("a&nbsp;b", "a b");
        check("<unfinished", "");
        check("<script>never ends", "");
    }
    #[test]
    fn long_and_deep_is_fast() {
        let deep = "<div>".repeat(200_000);
        assert_eq!(from_html(&deep), "");
        from_html(&format!("{}x{}", "<blockquote>".repeat(100_000), "</blockquote>".repeat(100_000)));
        from_html(&"<ul><li>x".repeat(50_000));
        from_html(&"<a href=\"".repeat(100_000));
        from_html(&"&".repeat(1_000_000));
    }
}
