//! The second wall: `ammonia` with the lists of the first.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};

use super::{attributes, css, elements};

/// Elements whose content goes with them, should the first wall ever let one pass.
const WITH_CONTENT: &[&str] =
    &["script", "style", "title", "template", "iframe", "noembed", "noframes", "svg", "math", "noscript"];

static WALL: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut wall = Builder::empty();
    wall.tags(elements::written().collect::<HashSet<_>>())
        .clean_content_tags(WITH_CONTENT.iter().copied().collect())
        .generic_attributes(elements::ATTRIBUTES.iter().copied().collect())
        .tag_attributes(HashMap::from([
            ("a", HashSet::from(["href", "target"])),
            ("img", HashSet::from(["src"])),
            ("details", HashSet::from(["open"])),
        ]))
        .url_schemes(HashSet::from(["http", "https", "mailto", "tel", "data", "cid"]))
        .url_relative(UrlRelative::PassThrough)
        .link_rel(Some("noopener noreferrer"))
        .strip_comments(true)
        .attribute_filter(filter);
    wall
});

/// Cleans what the first wall wrote.
pub(super) fn clean(html: &str) -> String {
    WALL.clean(html).to_string()
}

/// What the editor of our own pages makes, and nothing else.
const OWN: &[&str] = &[
    "a",
    "b",
    "blockquote",
    "br",
    "code",
    "div",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "hr",
    "i",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "strong",
    "sub",
    "sup",
    "u",
    "ul",
];

static OWN_WALL: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut wall = Builder::empty();
    wall.tags(OWN.iter().copied().collect())
        .clean_content_tags(WITH_CONTENT.iter().copied().collect())
        .tag_attributes(HashMap::from([("a", HashSet::from(["href"]))]))
        .url_schemes(HashSet::from(["http", "https", "mailto", "tel"]))
        .url_relative(UrlRelative::Deny)
        .link_rel(None)
        .strip_comments(true);
    wall
});

/// Cleans what somebody here wrote.
pub(super) fn own(html: &str) -> String {
    OWN_WALL.clean(html).to_string()
}

fn filter<'v>(element: &str, attribute: &str, value: &'v str) -> Option<Cow<'v, str>> {
    let good = match (element, attribute) {
        ("a", "href") => ["http://", "https://", "mailto:", "tel:", "#"].iter().any(|scheme| value.starts_with(scheme)),
        ("a", "target") => value == "_blank",
        ("img", "src") => {
            value.starts_with("https://")
                || value.starts_with("cid:")
                || (value.starts_with('/') && !value.starts_with("//") && !value.starts_with("/\\"))
                || attributes::is_data_picture(value)
        }
        (_, "style") => {
            let cleaned = css::declarations(value).css;
            return (!cleaned.is_empty()).then_some(Cow::Owned(cleaned));
        }
        _ => true,
    };
    good.then_some(Cow::Borrowed(value))
}
