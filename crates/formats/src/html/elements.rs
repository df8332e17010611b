//! Which elements and attributes may stand in a message that is shown.

/// How an element nests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Goes on over the end of the block it was opened in (HTML, section
    /// 13.2.4.3, "formatting").
    Formatting,
    Inline,
    Block,
    /// Table, row, cell and the like.
    Table,
    Void,
}

/// Name in the mail, name that is written, kind.
const ELEMENTS: &[(&str, &str, Kind)] = &[
    ("a", "a", Kind::Formatting),
    ("abbr", "abbr", Kind::Inline),
    ("acronym", "acronym", Kind::Inline),
    ("address", "address", Kind::Block),
    ("article", "article", Kind::Block),
    ("aside", "aside", Kind::Block),
    ("b", "b", Kind::Formatting),
    ("bdi", "bdi", Kind::Inline),
    ("bdo", "span", Kind::Inline),
    ("big", "big", Kind::Formatting),
    ("blockquote", "blockquote", Kind::Block),
    ("body", "div", Kind::Block),
    ("br", "br", Kind::Void),
    ("button", "span", Kind::Inline),
    ("caption", "caption", Kind::Table),
    ("center", "center", Kind::Block),
    ("cite", "cite", Kind::Inline),
    ("code", "code", Kind::Formatting),
    ("col", "col", Kind::Void),
    ("colgroup", "colgroup", Kind::Table),
    ("dd", "dd", Kind::Block),
    ("del", "del", Kind::Inline),
    ("details", "div", Kind::Block),
    ("dfn", "dfn", Kind::Inline),
    ("dialog", "div", Kind::Block),
    ("dir", "ul", Kind::Block),
    ("div", "div", Kind::Block),
    ("dl", "dl", Kind::Block),
    ("dt", "dt", Kind::Block),
    ("em", "em", Kind::Formatting),
    ("fieldset", "div", Kind::Block),
    ("figcaption", "figcaption", Kind::Block),
    ("figure", "figure", Kind::Block),
    ("font", "font", Kind::Formatting),
    ("footer", "footer", Kind::Block),
    ("form", "div", Kind::Block),
    ("h1", "h1", Kind::Block),
    ("h2", "h2", Kind::Block),
    ("h3", "h3", Kind::Block),
    ("h4", "h4", Kind::Block),
    ("h5", "h5", Kind::Block),
    ("h6", "h6", Kind::Block),
    ("header", "header", Kind::Block),
    ("hr", "hr", Kind::Void),
    ("i", "i", Kind::Formatting),
    ("img", "img", Kind::Void),
    ("ins", "ins", Kind::Inline),
    ("kbd", "kbd", Kind::Inline),
    ("label", "span", Kind::Inline),
    ("legend", "div", Kind::Block),
    ("li", "li", Kind::Block),
    ("listing", "pre", Kind::Block),
    ("main", "main", Kind::Block),
    ("mark", "mark", Kind::Inline),
    ("menu", "ul", Kind::Block),
    ("nav", "nav", Kind::Block),
    ("nobr", "span", Kind::Inline),
    ("ol", "ol", Kind::Block),
    ("option", "div", Kind::Block),
    ("p", "p", Kind::Block),
    ("plaintext", "pre", Kind::Block),
    ("pre", "pre", Kind::Block),
    ("q", "q", Kind::Inline),
    ("s", "s", Kind::Formatting),
    ("samp", "samp", Kind::Inline),
    ("section", "section", Kind::Block),
    ("select", "div", Kind::Block),
    ("small", "small", Kind::Formatting),
    ("span", "span", Kind::Inline),
    ("strike", "strike", Kind::Formatting),
    ("strong", "strong", Kind::Formatting),
    ("sub", "sub", Kind::Inline),
    ("summary", "div", Kind::Block),
    ("sup", "sup", Kind::Inline),
    ("table", "table", Kind::Table),
    ("tbody", "tbody", Kind::Table),
    ("td", "td", Kind::Table),
    ("textarea", "pre", Kind::Block),
    ("tfoot", "tfoot", Kind::Table),
    ("th", "th", Kind::Table),
    ("thead", "thead", Kind::Table),
    ("time", "time", Kind::Inline),
    ("tr", "tr", Kind::Table),
    ("tt", "tt", Kind::Formatting),
    ("u", "u", Kind::Formatting),
    ("ul", "ul", Kind::Block),
    ("var", "var", Kind::Inline),
    ("wbr", "wbr", Kind::Void),
    ("xmp", "pre", Kind::Block),
];

/// Attributes that any of them may have. `href` and `src` are not among them.
pub(super) const ATTRIBUTES: &[&str] = &[
    "abbr",
    "align",
    "alt",
    "bgcolor",
    "border",
    "cellpadding",
    "cellspacing",
    "class",
    "color",
    "colspan",
    "dir",
    "face",
    "headers",
    "height",
    "hspace",
    "id",
    "lang",
    "reversed",
    "rowspan",
    "scope",
    "size",
    "span",
    "start",
    "style",
    "summary",
    "title",
    "type",
    "valign",
    "value",
    "vspace",
    "width",
];

/// Written by us alone.
pub(super) const OURS: &[&str] = &["details", "summary"];

/// An element that may be shown: what is written for it, and how it nests.
pub(super) fn element(name: &str) -> Option<(&'static str, Kind)> {
    let at = ELEMENTS.binary_search_by_key(&name, |(n, ..)| n).ok()?;
    ELEMENTS.get(at).map(|&(_, written, kind)| (written, kind))
}

/// The names of all elements that are written.
pub(super) fn written() -> impl Iterator<Item = &'static str> {
    ELEMENTS.iter().map(|&(_, written, _)| written).chain(OURS.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted() {
        assert!(ELEMENTS.is_sorted_by_key(|(n, ..)| n));
        assert!(ATTRIBUTES.is_sorted());
        assert!(ELEMENTS.iter().all(|(name, ..)| element(name).is_some()));
    }
    #[test]
    fn nothing_foreign_and_nothing_that_runs() {
        for name in ["script", "style", "svg", "math", "iframe", "object", "embed", "form", "input", "template", "base"]
        {
            assert!(written().all(|w| w != name), "{name}");
        }
    }
}
