//! Messages written to harm: shown, then parsed again as a browser would, and
//! looked at node by node.
//!
//! Each file of `hostile/` says in `X-Expect` what has to be noticed.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so")]

use std::fs;
use std::path::Path;

use formats::html::{self, Show, Shown};
use formats::mime;
use html5ever::tendril::TendrilSink;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use model::mail::Mail;
use proptest::prelude::*;

const HTML: &str = "http://www.w3.org/1999/xhtml";

/// Elements that do something by being there.
const ACTIVE: &[&str] = &[
    "script",
    "iframe",
    "frame",
    "frameset",
    "object",
    "embed",
    "applet",
    "form",
    "input",
    "button",
    "select",
    "textarea",
    "svg",
    "math",
    "link",
    "base",
    "video",
    "audio",
    "source",
    "track",
    "template",
    "noscript",
    "style",
    "title",
    "marquee",
    "portal",
    "meta",
    "param",
    "bgsound",
    "picture",
    "dialog",
    "slot",
    "xmp",
    "plaintext",
];
const ATTRIBUTES: &[&str] = &[
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
    "nowrap",
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
    "rel",
    "open",
    "href",
    "target",
    "src",
];

struct Seen {
    text: String,
    remote: usize,
    depth: usize,
    links: usize,
}

/// The page as it is served, parsed with scripting on.
fn parse(body: &str) -> Handle {
    let page = format!("<!DOCTYPE html><html><head></head><body>{body}</body></html>");
    parse_document(RcDom::default(), ParseOpts::default()).one(page).document
}

fn look(node: &Handle, depth: usize, remote: bool, seen: &mut Seen) {
    seen.depth = seen.depth.max(depth);
    match &node.data {
        NodeData::Text { contents } => seen.text.push_str(&contents.borrow()),
        NodeData::Comment { .. } => panic!("a comment is left"),
        NodeData::Element { name, attrs, .. } => {
            assert_eq!(&*name.ns, HTML, "an element of another language: {}", name.local);
            assert!(!ACTIVE.contains(&&*name.local), "<{}>", name.local);
            for attribute in attrs.borrow().iter() {
                check_attribute(&name.local, &attribute.name.local, &attribute.value, remote, seen);
            }
        }
        _ => {}
    }
    for child in node.children.borrow().iter() {
        look(child, depth + 1, remote, seen);
    }
}

fn check_attribute(element: &str, name: &str, value: &str, remote: bool, seen: &mut Seen) {
    assert!(ATTRIBUTES.contains(&name), "<{element} {name}={value:?}>");
    match name {
        "href" => {
            assert_eq!(element, "a");
            seen.links += 1;
            let safe = ["http://", "https://", "mailto:", "tel:", "#"].iter().any(|s| value.starts_with(s));
            assert!(safe, "href={value:?}");
        }
        "src" => {
            assert_eq!(element, "img");
            let ours = value.starts_with("/part/");
            let elsewhere = value.starts_with("https://");
            // Only in what is quoted; it loads nothing.
            let ours = ours || (remote && value.starts_with("cid:"));
            assert!(ours || elsewhere || value.starts_with("data:image/"), "src={value:?}");
            assert!(!value.contains("svg"), "src={value:?}");
            assert!(remote || !elsewhere, "loads {value:?}");
            seen.remote += usize::from(elsewhere);
        }
        "target" => assert_eq!(value, "_blank"),
        "rel" => assert_eq!(value, "noopener noreferrer"),
        "style" => check_css(value),
        _ => {}
    }
}

fn check_css(css: &str) {
    let css = css.to_ascii_lowercase();
    for word in [
        "url(",
        "expression",
        "@import",
        "behavior",
        "binding",
        "\\",
        "<",
        "@font",
        "!important",
        "image-set",
        "var(",
        "javascript",
        "/*",
    ] {
        assert!(!css.contains(word), "{word} in {css:?}");
    }
    for declaration in css.split([';', '{', '}']) {
        let property = declaration.split(':').next().unwrap_or_default();
        let moves = ["position", "z-index", "content", "transform", "animation", "opacity", "visibility", "inset"];
        assert!(!moves.contains(&property), "{declaration:?}");
    }
}

fn part(id: &str) -> Option<String> {
    (id == "logo@x").then(|| "/part/1".to_owned())
}

fn how(remote: bool) -> Show<'static> {
    Show { attachment: &part, remote, quote: "Quoted text", leads_to: "leads to" }
}

fn shown(mail: &Mail, remote: bool) -> Shown {
    match &mail.html {
        Some(html) => html::show(html, &how(remote)),
        None => html::show_text(mail.text.as_deref().unwrap_or_default(), &how(remote)),
    }
}

fn inspect(shown: &Shown, remote: bool) -> Seen {
    check_css(&shown.style);
    let mut seen = Seen { text: String::new(), remote: 0, depth: 0, links: 0 };
    // The document, <html> and what follows it.
    let document = parse(&shown.html);
    look(&document, 0, remote, &mut seen);
    seen
}

/// What was noticed, in the words of `X-Expect`.
fn noticed(shown: &Shown) -> Vec<String> {
    let mut words: Vec<String> = shown.flaws.iter().map(|f| format!("{f:?}")).collect();
    words.extend(shown.signs.iter().map(|s| format!("{s:?}").split([' ', '{']).next().unwrap_or_default().to_owned()));
    words.push(format!("remote={}", shown.remote.len()));
    words.push(format!("blocked={}", shown.blocked.len()));
    words.push(format!("trackers={}", shown.trackers));
    words
}

fn hostile() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 60);
    files.into_iter().map(|f| (f.display().to_string(), fs::read(f).unwrap())).collect()
}

#[test]
fn hostile_messages_do_nothing_and_are_noticed() {
    let mut faults = Vec::new();
    for (name, raw) in hostile() {
        let mail = mime::read(&raw);
        for remote in [false, true] {
            let shown = shown(&mail, remote);
            let result = std::panic::catch_unwind(|| inspect(&shown, remote));
            let Ok(seen) = result else {
                faults.push(format!("{name}: {}", shown.html));
                continue;
            };
            if !seen.text.contains("visible text") {
                faults.push(format!("{name}: the text is lost: {}", shown.html));
            }
            assert!(seen.depth < 300, "{name}");
            assert!(shown.html.len() < 200_000 + raw.len() * 4, "{name}: {}", shown.html.len());
            let expected = mail.headers.lines().find_map(|l| l.strip_prefix("X-Expect:")).unwrap_or_default();
            let noticed = noticed(&shown);
            for word in expected.split(',').map(str::trim).filter(|w| !w.is_empty()) {
                if !noticed.iter().any(|n| n == word) {
                    faults.push(format!("{name}: {word} is not among {noticed:?}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn what_is_quoted_in_an_answer_is_safe_too() {
    for (name, raw) in hostile() {
        let mail = mime::read(&raw);
        let html = html::quotable(mail.html.as_deref().unwrap_or_default());
        let mut seen = Seen { text: String::new(), remote: 0, depth: 0, links: 0 };
        println!("{name}");
        look(&parse(&html), 0, true, &mut seen);
        assert!(!html.contains("<details") && !html.contains("pr-"), "{name}: {html}");
    }
}

fn visible(node: &Handle, out: &mut String) {
    match &node.data {
        NodeData::Text { contents } => out.extend(contents.borrow().chars().filter(|c| c.is_alphanumeric())),
        NodeData::Element { name, .. }
            if ["script", "style", "title", "head", "template", "noscript", "iframe", "noframes", "noembed"]
                .contains(&&*name.local) => {}
        _ => node.children.borrow().iter().for_each(|child| visible(child, out)),
    }
}

/// Real messages keep every word that people see.
#[test]
fn real_messages_lose_no_text() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/eml");
    let Ok(sets) = fs::read_dir(&corpus) else {
        println!("skipped: no corpus at {}", corpus.display());
        return;
    };
    let (mut count, mut faults) = (0, Vec::new());
    for file in sets.flatten().flat_map(|s| fs::read_dir(s.path()).into_iter().flatten().flatten()) {
        let Ok(raw) = fs::read(file.path()) else { continue };
        let mail = mime::read(&raw);
        let Some(html) = mail.html.as_deref() else { continue };
        count += 1;
        let plain = Show { attachment: &|_| None, remote: false, quote: "", leads_to: "" };
        let shown = html::show(html, &plain);
        let name = file.path().display().to_string();
        if std::panic::catch_unwind(|| inspect(&shown, false)).is_err() {
            faults.push(format!("{name}: is not safe"));
            continue;
        }
        let (mut before, mut after) = (String::new(), String::new());
        visible(&parse_document(RcDom::default(), ParseOpts::default()).one(html.to_owned()).document, &mut before);
        visible(&parse(&without_warnings(&shown.html)), &mut after);
        let loss = i64::try_from(before.len()).unwrap() - i64::try_from(after.len()).unwrap();
        if loss > 0 || -loss > i64::try_from(before.len() / 50 + 40).unwrap() {
            faults.push(format!("{}: {} -> {} ({:?})", name, before.len(), after.len(), shown.flaws));
        }
    }
    println!("{count} messages");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn without_warnings(html: &str) -> String {
    let mut out = String::new();
    let mut rest = html;
    while let Some((before, after)) = rest.split_once("<span class=\"pr-warning\">") {
        out.push_str(before);
        rest = after.split_once("</span>").map_or("", |(_, r)| r);
    }
    out.push_str(rest);
    out
}

const PIECES: &[&str] = &[
    "<p>",
    "</p>",
    "<b>",
    "</b>",
    "<i>",
    "<a href=x>",
    "<a href='https://a.example/'>",
    "</a>",
    "<table>",
    "<tr>",
    "<td>",
    "</td>",
    "</table>",
    "<div>",
    "</div>",
    "<svg>",
    "</svg>",
    "<math>",
    "<mtext>",
    "<style>",
    "</style>",
    "<script>",
    "</script>",
    "<!--",
    "-->",
    "<img src=x onerror=a()>",
    "<title>",
    "</title>",
    "<template>",
    "</template>",
    "<noscript>",
    "</noscript>",
    "<select>",
    "<option>",
    "<blockquote type=cite>",
    "</blockquote>",
    "<form>",
    "<textarea>",
    "</textarea>",
    "<plaintext>",
    "<body>",
    "<li>",
    "<ul>",
    "</ul>",
    "<font>",
    "</font>",
    "<![CDATA[",
    "]]>",
    "<details>",
    "<p title=\"",
    "\">",
    "'",
    "\"",
    "&lt;",
    "&#0;",
    "<br/",
    "<xmp>",
    "</xmp>",
    "<iframe>",
    "</iframe>",
    "<caption>",
    "<colgroup>",
    "<col>",
    "<h1>",
    "<nobr>",
    "<annotation-xml encoding=text/html>",
    "<mglyph>",
    "<foreignObject>",
    "<desc>",
    "<p style=\"color:red;background:url(x)\">",
];

fn markup() -> impl Strategy<Value = String> {
    let piece =
        prop_oneof![prop::sample::select(PIECES).prop_map(str::to_owned), "[a-z<>/\"'= &;\\-!]{0,6}", any::<String>(),];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn anything_becomes_safe(html in markup(), remote: bool) {
        let shown = html::show(&html, &how(remote));
        inspect(&shown, remote);
        let again = html::show(&shown.html, &how(remote));
        inspect(&again, remote);
        look(&parse(&html::quotable(&html)), 0, true, &mut Seen { text: String::new(), remote: 0, depth: 0, links: 0 });
    }

    #[test]
    fn any_text_becomes_safe(text in any::<String>(), quoted in "(>{0,4} ?[a-z:/.@<&\"]{0,20}\n){0,8}") {
        let shown = html::show_text(&format!("{quoted}{text}"), &how(false));
        inspect(&shown, false);
    }

    #[test]
    fn any_style_becomes_safe(css in "[a-z:;{}()@#.,!'\"\\\\/* <>-]{0,80}", value in any::<String>()) {
        let html = format!("<style>{css}</style><p style='{}'>x</p>", value.replace('\'', ""));
        inspect(&html::show(&html, &how(false)), false);
        let html = format!("<style>p{{{css}}}</style><p style=\"background:{}\">x</p>", css.replace('"', ""));
        inspect(&html::show(&html, &how(false)), false);
    }
}
