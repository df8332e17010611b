//! What others wrote, made safe; and what is said about it in words.

use std::collections::{BTreeMap, BTreeSet};

use formats::html::{self, Flaw, Show, Shown, Sign};
use model::Id;

use crate::pages::kit::{Desk, Fault, Texts};

/// Texts up to here are cleaned where the request is handled.
const AT_ONCE: usize = 48 * 1024;

/// Before the address of a part while the text is cleaned.
const PART: &str = "/part/";

/// How incoming plain text is kept.
const PLAIN: [&str; 2] = ["<div style=\"white-space:pre-wrap\">", "<div style=\"white-space: pre-wrap\">"];

/// The HTML of an email or message, shown; `parts` by Content-ID in lower case.
pub(super) async fn clean(
    desk: &Desk,
    text: String,
    parts: BTreeMap<String, Id>,
    remote: bool,
) -> Result<Shown, Fault> {
    let texts = desk.viewer.texts;
    if text.len() <= AT_ONCE {
        return Ok(cleaned(texts, &text, &parts, remote));
    }
    let work = tokio::task::spawn_blocking(move || cleaned(texts, &text, &parts, remote));
    work.await.map_err(|_| Fault::new(axum::http::StatusCode::INTERNAL_SERVER_ERROR, "An unexpected error occurred."))
}

fn cleaned(texts: &Texts, text: &str, parts: &BTreeMap<String, Id>, remote: bool) -> Shown {
    let part = |id: &str| parts.get(&id.to_lowercase()).map(|id| format!("{PART}{id}"));
    let how =
        Show { attachment: &part, remote, quote: texts.text("Show quoted text"), leads_to: texts.text("leads to") };
    match plain(text) {
        Some(plain) => html::show_text(&plain, &how),
        None => html::show(text, &how),
    }
}

/// The plain text that an email was made from.
fn plain(html: &str) -> Option<String> {
    let inner = PLAIN.iter().find_map(|start| html.strip_prefix(start))?.strip_suffix("</div>")?;
    if inner.contains('<') {
        return None;
    }
    let text = inner.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'");
    Some(text.replace("&nbsp;", "\u{a0}").replace("&amp;", "&"))
}

/// The parts that stand in the text, for [`with_parts`].
pub(super) fn parts_in(html: &str) -> BTreeSet<Id> {
    let before = format!("src=\"{PART}");
    let starts = html.split(before.as_str()).skip(1);
    starts.filter_map(|rest| rest.split('"').next()?.parse().ok()).collect()
}

/// The text with its pictures in it: the frame has no session to ask for them with.
pub(super) fn with_parts(html: &str, pictures: &BTreeMap<Id, String>) -> String {
    let before = format!("src=\"{PART}");
    let mut out = String::with_capacity(html.len());
    let mut pieces = html.split(before.as_str());
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (name, rest) = piece.split_once('"').unwrap_or((piece, ""));
        match name.parse::<Id>().ok().and_then(|id| pictures.get(&id)) {
            Some(data) => out.push_str(&format!("src=\"{data}\"{rest}")),
            None => out.push_str(&format!("data-missing=\"\"{rest}")),
        }
    }
    out
}

/// Pixels of a line, and letters in it, on a wide screen.
const LINE: usize = 24;
const LETTERS: usize = 100;

/// Pixels that the text takes, guessed from what stands in it, as far as they
/// fit on a screen: a page cannot measure a frame that is walled off from it.
pub(super) fn height(html: &str) -> usize {
    let (mut pixels, mut letters) = (0, 0);
    let preserved = html.starts_with("<div class=\"pr-plain\">");
    let mut rest = html;
    while let Some((text, tag)) = rest.split_once('<') {
        for line in text.split_inclusive('\n') {
            letters += line.chars().count();
            if preserved && line.ends_with('\n') {
                end_of_line(&mut pixels, &mut letters);
            }
        }
        let (inside, after) = tag.split_once('>').unwrap_or((tag, ""));
        rest = after;
        match inside.split([' ', '/']).next().unwrap_or_default() {
            "br" => {
                letters = letters.max(1);
                end_of_line(&mut pixels, &mut letters);
            }
            "img" if inside.contains("src=") => {
                let said = inside.split_once("height=\"").and_then(|(_, h)| h.split('"').next()?.parse().ok());
                // One that does not say how high it is is no icon.
                letters += said.unwrap_or(160_usize).min(2_000).div_ceil(LINE) * LETTERS;
            }
            "details" => {
                end_of_line(&mut pixels, &mut letters);
                pixels += 2 * LINE;
                // Folded until somebody wants to see it.
                rest = rest.split_once("</details>").map_or("", |(_, after)| after);
            }
            "p" | "h1" | "h2" | "h3" | "hr" | "table" | "ul" | "ol" => {
                end_of_line(&mut pixels, &mut letters);
                pixels += 16;
            }
            "div" | "tr" | "li" | "blockquote" | "pre" => end_of_line(&mut pixels, &mut letters),
            _ => {}
        }
    }
    letters += rest.chars().count();
    end_of_line(&mut pixels, &mut letters);
    (pixels + 2 * LINE).clamp(5 * LINE, 26 * LINE)
}

fn end_of_line(pixels: &mut usize, letters: &mut usize) {
    *pixels += std::mem::take(letters).div_ceil(LETTERS) * LINE;
}

/// What is said above the text about tricks in it, worst first.
pub(super) fn warnings(texts: &Texts, shown: &Shown) -> Vec<String> {
    let mut said = Vec::new();
    for sign in &shown.signs {
        said.push(match sign {
            Sign::LinkElsewhere { text, host } => texts.with("A link says {0} but leads to {1}.", &[text, host]),
            Sign::LookAlike { host, shown } => {
                texts.with("The address {0} uses letters that only look familiar; it is {1}.", &[shown, host])
            }
            Sign::NameInAddress { host } => {
                texts.with("A link carries another name before its real address; it leads to {0}.", &[host])
            }
            Sign::NumericHost { host } => texts.with("A link leads to a number instead of a name: {0}.", &[host]),
            Sign::TurnedText => {
                texts.text("The text has characters that turn the reading direction around.").to_owned()
            }
            Sign::Form => texts.text("The message asked to fill in a form; it was removed.").to_owned(),
            Sign::Overlay => {
                texts.text("The message tried to lay something over its text; that was removed.").to_owned()
            }
        });
    }
    said.truncate(12);
    said
}

/// What was left out, in a word each.
pub(super) fn left_out(texts: &Texts, shown: &Shown) -> Vec<String> {
    let mut words: Vec<String> = shown
        .flaws
        .iter()
        .map(|flaw| {
            let word = match flaw {
                Flaw::Script | Flaw::EventHandler => "scripts",
                Flaw::Form => "forms",
                Flaw::Frame => "frames",
                Flaw::Embedded => "films, sounds and plug-ins",
                Flaw::Drawing => "drawings",
                Flaw::Redirect => "a redirection",
                Flaw::Base | Flaw::Link => "links that lead nowhere safe",
                Flaw::MissingPicture | Flaw::DataPicture => "pictures that are not there or none",
                Flaw::TooDeep | Flaw::TooManyTags => "formatting beyond all measure",
                Flaw::TooLong => "the end of a very long text",
            };
            texts.text(word).to_owned()
        })
        .collect();
    words.dedup();
    let mut seen = BTreeSet::new();
    words.retain(|word| seen.insert(word.clone()));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_known_again() {
        assert_eq!(plain("<div style=\"white-space:pre-wrap\">1 &lt; 2\n&amp;</div>").as_deref(), Some("1 < 2\n&"));
        assert_eq!(plain("<div style=\"white-space:pre-wrap\">a<b>c</b></div>"), None);
        assert_eq!(plain("<p>a</p>"), None);
    }
    #[test]
    fn short_texts_are_low() {
        assert_eq!(height("<p>Hello</p>"), 120);
        assert_eq!(height(&format!("<div class=\"pr-plain\">{}</div>", "a\n".repeat(20))), 22 * LINE);
        assert_eq!(height(&"<p>Hello</p>".repeat(10)), 448);
        assert_eq!(height(&format!("<p>a</p><details>{}</details>", "<p>Hello</p>".repeat(50))), 136);
        assert_eq!(height(&"x<br>".repeat(5_000)), 26 * LINE);
        assert_eq!(height("<p"), 120);
    }
    #[test]
    fn pictures_take_their_places() {
        let id: Id = "0193b0a0-0000-7000-8000-000000000001".parse().unwrap();
        let html = format!("<img src=\"/part/{id}\" alt=\"x\">y");
        assert_eq!(parts_in(&html).into_iter().collect::<Vec<_>>(), [id]);
        let with = with_parts(&html, &BTreeMap::from([(id, "data:image/png;base64,AA".to_owned())]));
        assert_eq!(with, "<img src=\"data:image/png;base64,AA\" alt=\"x\">y");
        assert_eq!(with_parts(&html, &BTreeMap::new()), "<img data-missing=\"\" alt=\"x\">y");
    }
}
