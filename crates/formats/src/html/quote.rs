//! Where the quotation of an earlier message begins, by the marks that mail
//! programs leave.

/// What is quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quote {
    /// The element itself.
    Element,
    /// All that follows, to the end of what encloses it.
    Rest,
}

/// Whether the element begins a quotation. `value` gives an attribute's value.
pub(super) fn begins<'a>(name: &str, value: impl Fn(&str) -> Option<&'a str>) -> Option<Quote> {
    let class = value("class").unwrap_or_default();
    let id = value("id").unwrap_or_default();
    let classed = |names: &[&str]| class.split_ascii_whitespace().any(|c| names.contains(&c));
    match name {
        "blockquote" if value("type").is_some_and(|t| t.eq_ignore_ascii_case("cite")) => Some(Quote::Element),
        "blockquote" | "div" if classed(&["gmail_quote", "protonmail_quote", "yahoo_quoted", "tutanota_quote"]) => {
            Some(Quote::Element)
        }
        // Outlook on the web, Outlook, and Outlook on phones.
        "div" if matches!(id, "divRplyFwdMsg" | "x_divRplyFwdMsg" | "mail-editor-reference-message-container") => {
            Some(Quote::Rest)
        }
        "hr" if id == "stopSpelling" => Some(Quote::Rest),
        "div" if value("style").is_some_and(outlook_rule) => Some(Quote::Rest),
        _ => None,
    }
}

/// The thin line that Outlook draws above the header of what it quotes.
fn outlook_rule(style: &str) -> bool {
    let style: String = style.to_ascii_lowercase().chars().filter(|c| !c.is_whitespace()).collect();
    ["border:none;border-top:solid#e1e1e11.0pt", "border:none;border-top:solid#b5c4df1.0pt"]
        .iter()
        .any(|rule| style.starts_with(rule))
}
