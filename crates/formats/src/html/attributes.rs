//! The attributes of one start tag: which stay, and what they would have
//! loaded.

use html5ever::Attribute;

use super::{Flaw, Show, Shown, Sign, css, elements, escape, links};

/// Bytes of one value, and of one picture that stands in the text.
const LONGEST_VALUE: usize = 2_048;
const LONGEST_DATA: usize = 512 * 1024;
const PICTURES: &[&str] = &[
    "data:image/png;base64,",
    "data:image/jpeg;base64,",
    "data:image/jpg;base64,",
    "data:image/gif;base64,",
    "data:image/webp;base64,",
];

/// Attributes whose value is an address that browsers load, besides `src` of `img`.
const LOADING: &[&str] = &[
    "background",
    "data",
    "dynsrc",
    "href",
    "lowsrc",
    "manifest",
    "poster",
    "src",
    "xlink:href",
    "code",
    "archive",
    "action",
    "formaction",
    "longdesc",
    "cite",
    "ping",
    "profile",
];

/// The value of an attribute.
pub(super) fn value<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a str> {
    attributes.iter().find(|a| &*a.name.local == name).map(|a| &*a.value)
}

/// What stays of the attributes, each with a space before it. `src` and `href`
/// are for the caller.
pub(super) fn kept(written: &str, attributes: &[Attribute], shown: &mut Shown) -> String {
    let mut out = String::new();
    for attribute in attributes {
        let name = &*attribute.name.local;
        if name.starts_with("on") {
            shown.flaws.insert(Flaw::EventHandler);
            continue;
        }
        if elements::ATTRIBUTES.binary_search(&name).is_err() || attribute.value.len() > LONGEST_VALUE * 4 {
            continue;
        }
        let text = attribute.value.trim();
        let text = match name {
            "style" => style(text, shown),
            "class" => foreign(text),
            "id" if text.starts_with("pr-") => String::new(),
            "title" if written == "a" => String::new(),
            _ if text.len() > LONGEST_VALUE => String::new(),
            "alt" | "title" | "abbr" | "summary" => text.to_owned(),
            // Numbers, colours, names: no more than these take.
            _ if text.len() > 120 => String::new(),
            "width" | "height" if oversized(text) => String::new(),
            _ => text.to_owned(),
        };
        if !text.is_empty() || name == "alt" {
            out.push_str(&format!(" {name}=\"{}\"", escape(&text)));
        }
    }
    out
}

/// What `<body>` sets for the whole message, as a `style` attribute.
pub(super) fn of_body(attributes: &[Attribute], shown: &mut Shown) -> String {
    let mut css = String::new();
    for (name, property) in [("bgcolor", "background-color"), ("text", "color")] {
        if let Some(colour) = value(attributes, name).filter(|c| c.len() < 40) {
            css.push_str(&format!("{property}:{colour};"));
        }
    }
    css.push_str(value(attributes, "style").unwrap_or_default());
    let css = style(&css, shown);
    let mut out = String::new();
    for name in ["class", "id", "dir", "lang"] {
        let text = foreign(value(attributes, name).unwrap_or_default());
        if !text.is_empty() && text.len() <= 120 {
            out.push_str(&format!(" {name}=\"{}\"", escape(&text)));
        }
    }
    if !css.is_empty() {
        out.push_str(&format!(" style=\"{}\"", escape(&css)));
    }
    out
}

fn style(text: &str, shown: &mut Shown) -> String {
    let cleaned = css::declarations(text);
    loads(cleaned.loads.iter().map(String::as_str), shown);
    if cleaned.overlays {
        shown.signs.insert(Sign::Overlay);
    }
    cleaned.css
}

/// Names that are not our own marks.
fn foreign(names: &str) -> String {
    names.split_ascii_whitespace().filter(|n| !n.starts_with("pr-")).collect::<Vec<_>>().join(" ")
}

fn oversized(text: &str) -> bool {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    digits.is_empty() || digits.parse::<u32>().map_or(true, |n| n > 4000)
}

/// Notes what an element that is not shown would have loaded.
pub(super) fn note_loads(attributes: &[Attribute], shown: &mut Shown) {
    for attribute in attributes {
        let name = &*attribute.name.local;
        if LOADING.contains(&name) {
            loads([&*attribute.value], shown);
        } else if matches!(name, "srcset" | "imagesrcset") {
            let candidates = attribute.value.split(',').filter_map(|c| c.split_ascii_whitespace().next());
            loads(candidates, shown);
        } else if name == "style" {
            style(&attribute.value, shown);
        } else if name.starts_with("on") {
            shown.flaws.insert(Flaw::EventHandler);
        }
    }
}

/// Remembers addresses on other machines.
pub(super) fn loads<'a>(addresses: impl IntoIterator<Item = &'a str>, shown: &mut Shown) {
    for address in addresses {
        if let Some(links::Target::Web(url)) = links::target(address)
            && shown.blocked.len() < 1_000
        {
            shown.blocked.insert(url.into());
        }
    }
}

/// The ` src` of a picture; empty where it is not shown.
pub(super) fn picture(attributes: &[Attribute], how: &Show<'_>, shown: &mut Shown) -> String {
    let others: Vec<Attribute> = attributes.iter().filter(|a| &*a.name.local != "src").cloned().collect();
    note_loads(&others, shown);
    let Some(src) = value(attributes, "src").map(str::trim).filter(|s| !s.is_empty()) else { return String::new() };
    let scheme = src.get(..4).unwrap_or_default().to_ascii_lowercase();
    if scheme == "cid:" {
        let id = percent_decoded(&src[4..]);
        shown.inline.insert(id.clone());
        return match (how.attachment)(&id) {
            Some(address) => format!(" src=\"{}\"", escape(&address)),
            None => {
                shown.flaws.insert(Flaw::MissingPicture);
                String::new()
            }
        };
    }
    if scheme == "data" {
        if is_data_picture(src) {
            return format!(" src=\"{}\"", escape(src));
        }
        shown.flaws.insert(Flaw::DataPicture);
        return String::new();
    }
    let Some(links::Target::Web(mut url)) = links::target(src) else { return String::new() };
    if links::is_nearby(&url) {
        loads([src], shown);
        return String::new();
    }
    if tracker(attributes) {
        shown.trackers += 1;
        return String::new();
    }
    // Asked for or not: only over TLS.
    if url.scheme() == "http" && url.set_scheme("https").is_err() {
        return String::new();
    }
    let address = String::from(url);
    let src = if how.remote { format!(" src=\"{}\"", escape(&address)) } else { String::new() };
    shown.remote.insert(address);
    src
}

/// A picture that nobody is meant to see.
fn tracker(attributes: &[Attribute]) -> bool {
    let small = |name: &str| {
        value(attributes, name).is_some_and(|v| v.trim().trim_end_matches("px").parse::<f32>().is_ok_and(|n| n <= 2.0))
    };
    let style: String = value(attributes, "style")
        .unwrap_or_default()
        .chars()
        .take(LONGEST_VALUE)
        .filter(|c| !c.is_whitespace())
        .collect::<String>()
        .to_ascii_lowercase();
    let said = |property: &str| {
        style.split(';').filter_map(|d| d.strip_prefix(property)).any(|v| {
            v.trim_start_matches(':')
                .trim_end_matches("!important")
                .trim_end_matches("px")
                .parse::<f32>()
                .is_ok_and(|n| n <= 2.0)
        })
    };
    ((small("width") || said("width")) && (small("height") || said("height")))
        || style.contains("display:none")
        || style.contains("visibility:hidden")
        || style.split(';').any(|d| matches!(d, "opacity:0" | "opacity:0.0"))
}

/// A picture of a harmless kind, in base64, not too large.
pub(super) fn is_data_picture(src: &str) -> bool {
    let head = src.get(..40).unwrap_or(src).to_ascii_lowercase();
    PICTURES.iter().any(|p| head.starts_with(p) && src[p.len()..].bytes().all(base64)) && src.len() <= LONGEST_DATA
}

fn base64(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'\r' | b'\n' | b' ' | b'\t')
}

/// RFC 2392: the id in a `cid:` address is percent-encoded.
fn percent_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        let mut ahead = bytes.clone();
        let digits = (ahead.next().and_then(hex), ahead.next().and_then(hex));
        match (b, digits) {
            (b'%', (Some(high), Some(low))) => {
                out.push(high * 16 + low);
                bytes = ahead;
            }
            (b, _) => out.push(b),
        }
    }
    String::from_utf8_lossy(&out).trim_matches(['<', '>', ' ']).to_owned()
}

fn hex(b: u8) -> Option<u8> {
    char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok())
}
