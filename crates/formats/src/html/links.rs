//! Where a link really leads, and the signs that it wants to be taken for
//! another.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use url::{Host, Url};

use super::{Link, Sign};

/// What is longer is no address that somebody clicks on.
const LONGEST: usize = 4_096;

/// Top-level domains that make a bare word in a link's text an address. Two
/// letters are a country, unless they are the ending of a file.
const TOP_LEVEL: &[&str] = &[
    "academy", "app", "bank", "biz", "cloud", "com", "dev", "edu", "email", "example", "finance", "gov", "info", "int",
    "live", "mil", "net", "online", "org", "shop", "site", "store", "tech", "test", "top", "xyz",
];
const FILE_ENDINGS: &[&str] =
    &["cs", "db", "gz", "hs", "js", "kt", "mb", "md", "pl", "ps", "py", "rb", "rs", "sh", "so", "ts", "vb"];

/// The address of a link as it may stand in the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// `http`, `https`
    Web(Url),
    /// `mailto`, `tel`
    Other(String),
    /// `#place` in the same message.
    Inside(String),
}

/// `None` for what may not be followed: scripts, data, files, addresses
/// relative to nothing.
pub(super) fn target(href: &str) -> Option<Target> {
    // As browsers do: no control characters at the ends, no line breaks within.
    let href: String = href
        .trim_matches(|c: char| c.is_control() || c == ' ')
        .chars()
        .filter(|c| !matches!(c, '\t' | '\r' | '\n'))
        .collect();
    if href.len() > LONGEST {
        return None;
    }
    if let Some(place) = href.strip_prefix('#') {
        return (!place.is_empty()).then(|| Target::Inside(place.to_owned()));
    }
    let absolute = if href.starts_with("//") { format!("https:{href}") } else { href };
    let url = Url::parse(&absolute).ok()?;
    match url.scheme() {
        "http" | "https" if url.host().is_some() => Some(Target::Web(url)),
        "mailto" | "tel" => Some(Target::Other(url.into())),
        _ => None,
    }
}

/// The link and what is suspicious about it, given the text that people see.
pub(super) fn judge(url: &Url, text: &str) -> (Link, BTreeSet<Sign>) {
    let mut signs = BTreeSet::new();
    let host = url.host_str().unwrap_or_default().to_owned();
    let shown = unicode(&host);
    if !url.username().is_empty() || url.password().is_some() {
        signs.insert(Sign::NameInAddress { host: host.clone() });
    }
    if matches!(url.host(), Some(Host::Ipv4(_) | Host::Ipv6(_))) {
        signs.insert(Sign::NumericHost { host: host.clone() });
    }
    if shown != host && deceptive(&shown) {
        signs.insert(Sign::LookAlike { host: host.clone(), shown: shown.clone() });
    }
    if let Some(named) = named_hosts(&legible(text)).into_iter().find(|named| !related(named, &host)) {
        signs.insert(Sign::LinkElsewhere { text: unicode(&named), host: host.clone() });
    }
    (Link { url: url.to_string(), text: clipped(text), host, signs: signs.clone() }, signs)
}

/// A host in the letters people would see.
fn unicode(host: &str) -> String {
    if !host.contains("xn--") {
        return host.to_owned();
    }
    let (text, result) = idna::domain_to_unicode(host);
    if result.is_ok() { text } else { host.to_owned() }
}

/// Whether letters of several scripts stand in one label, or all of them look
/// Latin without being so.
fn deceptive(host: &str) -> bool {
    host.split('.').any(|label| {
        let scripts: BTreeSet<u8> = label.chars().filter_map(script).collect();
        let letters = label.chars().filter(|c| c.is_alphabetic());
        scripts.len() > 1 || (!label.is_ascii() && letters.clone().count() > 0 && letters.clone().all(looks_latin))
    })
}

/// Latin, Greek, Cyrillic, Armenian, Cherokee and the rest: as far as they are confused.
fn script(c: char) -> Option<u8> {
    match c {
        'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' => Some(1),
        '\u{370}'..='\u{3ff}' => Some(2),
        '\u{400}'..='\u{52f}' => Some(3),
        '\u{530}'..='\u{58f}' => Some(4),
        '\u{13a0}'..='\u{13ff}' => Some(5),
        c if c.is_alphabetic() => Some(6),
        _ => None,
    }
}

/// Greek and Cyrillic letters that nobody tells from Latin ones, and the Latin ones.
fn looks_latin(c: char) -> bool {
    c.is_ascii_alphabetic() || "аеорсухіјѕԁһӏԛԝαονρκιτυχωɑɡɩ".contains(c)
}

/// A host with letters that are taken for others: how it looks, and how its
/// address really is.
pub fn look_alike(host: &str) -> Option<(String, String)> {
    let shown = unicode(host);
    let real = idna::domain_to_ascii(&shown).unwrap_or_else(|_| host.to_owned());
    deceptive(&shown).then_some((shown, real))
}

/// A machine of the reader's own network: no message has any business there.
pub(super) fn is_nearby(url: &Url) -> bool {
    const OWN: &[&str] = &["localhost", "local", "internal", "intranet", "lan", "corp", "home", "arpa"];
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name.rsplit_once('.').is_none_or(|(_, top)| OWN.contains(&top))
        }
        Some(Host::Ipv4(address)) => is_near(address),
        Some(Host::Ipv6(address)) => {
            let near = address.is_loopback() || address.is_unspecified();
            let mapped = address.to_ipv4().is_some_and(is_near);
            near || mapped || address.is_unique_local() || address.is_unicast_link_local()
        }
        None => true,
    }
}

fn is_near(address: Ipv4Addr) -> bool {
    let shared = address.octets()[0] == 100 && (64..128).contains(&address.octets()[1]);
    shared
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_unspecified()
        || address.is_broadcast()
        || address.is_multicast()
}

/// As people read it: without what takes no room, and with the wide letters and
/// the signs that are taken for plain ones.
fn legible(text: &str) -> String {
    let shown = text.chars().filter(|c| !takes_no_room(*c));
    shown
        .map(|c| match c {
            '\u{ff01}'..='\u{ff5e}' => u32::from(c).checked_sub(0xfee0).and_then(char::from_u32).unwrap_or(c),
            '\u{2024}' | '\u{3002}' | '\u{ff61}' => '.',
            '\u{2044}' | '\u{2215}' | '\u{29f8}' => '/',
            c => c,
        })
        .collect()
}

fn takes_no_room(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
        || turns_around(c)
}

/// The hosts that a text names, where it reads as addresses.
fn named_hosts(text: &str) -> Vec<String> {
    text.split_whitespace().filter_map(named_host).take(20).collect()
}

fn named_host(word: &str) -> Option<String> {
    let lower = word.to_ascii_lowercase();
    // Something that nobody sees may stand before it.
    let begins = ["https://", "http://"].iter().find_map(|scheme| lower.find(scheme)).unwrap_or(0);
    let word = &word[begins..];
    if !reads_as_address(word) {
        return None;
    }
    let word = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '/' && c != '[');
    let absolute = if word.contains("://") { word.to_owned() } else { format!("https://{word}") };
    let url = Url::parse(&absolute).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.host_str().map(str::to_owned))?
}

fn reads_as_address(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    let lower = word.to_lowercase();
    if lower.starts_with("http://") || lower.starts_with("https://") || lower.starts_with("www.") {
        return true;
    }
    // An address of a person is no place on the web.
    if lower.contains('@') {
        return false;
    }
    let host = lower.split(['/', '?', ':']).next().unwrap_or_default();
    let Some((rest, top)) = host.rsplit_once('.') else { return false };
    let known = TOP_LEVEL.contains(&top)
        || (top.len() == 2 && top.bytes().all(|b| b.is_ascii_lowercase()) && !FILE_ENDINGS.contains(&top));
    known
        && rest.chars().any(char::is_alphabetic)
        && rest.len() >= 2
        && rest.split('.').all(|l| !l.is_empty() && l.chars().all(|c| c.is_alphanumeric() || c == '-'))
}

/// The same host, or one below the other.
fn related(one: &str, other: &str) -> bool {
    let bare = |h: &str| h.trim_end_matches('.').trim_start_matches("www.").to_lowercase();
    let (one, other) = (bare(one), bare(other));
    one == other || below(&one, &other) || below(&other, &one) || (same_site(&one, &other))
}

fn below(host: &str, above: &str) -> bool {
    host.strip_suffix(above).is_some_and(|rest| rest.ends_with('.'))
}

/// `a.firm.example` and `b.firm.example`: the last two labels, or three where
/// the second last is short as in `co.uk`.
fn same_site(one: &str, other: &str) -> bool {
    let site = |h: &str| {
        let labels: Vec<&str> = h.rsplit('.').collect();
        let count = if labels.get(1).is_some_and(|l| l.len() <= 3) { 3 } else { 2 };
        (labels.len() >= count).then(|| labels[..count].iter().map(|l| (*l).to_owned()).collect::<Vec<_>>())
    };
    site(one).is_some_and(|s| Some(s) == site(other))
}

fn clipped(text: &str) -> String {
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.chars().take(200).collect()
}

/// Characters that turn the reading direction around.
pub(super) fn turns_around(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
