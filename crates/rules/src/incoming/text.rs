//! Text on its way into columns: cut to their size, without what databases refuse.

/// At most `max` characters, without NUL (PostgreSQL refuses it).
pub(crate) fn cut(text: &str, max: usize) -> String {
    text.chars().filter(|c| *c != '\0').take(max).collect()
}

/// The same on one line: control characters become spaces.
pub(crate) fn line(text: &str, max: usize) -> String {
    let one_line: String = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(max).collect();
    one_line.trim_end().to_owned()
}

/// With a full stop.
pub(super) fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

/// Plain text as HTML that looks the same.
pub(super) fn text_as_html(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + text.len() / 8 + 48);
    html.push_str("<div style=\"white-space:pre-wrap\">");
    // Stretches between what must be escaped are copied whole: this looks at
    // every octet of every message. All that is escaped is ASCII.
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escaped = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            0 | b'\r' => "",
            _ => continue,
        };
        html.push_str(&text[from..at]);
        html.push_str(escaped);
        from = at + 1;
    }
    html.push_str(&text[from..]);
    html.push_str("</div>");
    html
}

/// `a@x;b@y`, whole addresses only, in at most `max` characters.
pub(super) fn address_list<'a>(addresses: impl Iterator<Item = &'a str>, max: usize) -> String {
    let mut text = String::new();
    for address in addresses {
        let address = line(address, max);
        let separator = usize::from(!text.is_empty());
        if text.chars().count() + separator + address.chars().count() > max {
            break;
        }
        if separator > 0 {
            text.push(';');
        }
        text.push_str(&address);
    }
    text
}
