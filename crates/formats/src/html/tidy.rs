//! The first wall: tokens of a message in, a small HTML of our own out.

use std::cell::RefCell;

use html5ever::Attribute;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer};

use super::elements::{Kind, element};
use super::nesting::{Limit, Nesting};
use super::quote::{self, Quote};
use super::{Flaw, Show, Shown, Sign, attributes, css, escape, links};

/// Of a link's text this much is looked at.
const LONGEST_LINK_TEXT: usize = 600;

/// Reads all of `html`. What it gives is balanced, but not yet through the
/// second wall.
pub(super) fn tidy(html: &str, how: &Show<'_>) -> Shown {
    run(html, how, true)
}

/// Without anything of our own in it.
pub(super) fn plainly(html: &str) -> Shown {
    let same = |id: &str| Some(format!("cid:{id}"));
    run(html, &Show { attachment: &same, remote: true, quote: "", leads_to: "" }, false)
}

fn run(html: &str, how: &Show<'_>, marked: bool) -> Shown {
    let sink = Sink(RefCell::new(Tidy {
        how,
        marked,
        shown: Shown::default(),
        nesting: Nesting::default(),
        hidden: None,
        foreign: 0,
        sheet: String::new(),
        link: None,
        seen: false,
        folded: false,
    }));
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(html));
    let tokenizer = Tokenizer::new(sink, html5ever::tokenizer::TokenizerOpts::default());
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.0.into_inner().finish()
}

struct Sink<'a>(RefCell<Tidy<'a>>);

impl TokenSink for Sink<'_> {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let Ok(mut tidy) = self.0.try_borrow_mut() else { return TokenSinkResult::Continue };
        match token {
            Token::CharacterTokens(text) => tidy.text(&text),
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => return tidy.start(&tag),
            Token::TagToken(tag) => tidy.end(&tag.name),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

/// A link that is being written.
struct OpenLink {
    piece: usize,
    target: links::Target,
    attributes: String,
    text: String,
}

struct Tidy<'a> {
    how: &'a Show<'a>,
    /// With folded quotations and marks at links.
    marked: bool,
    shown: Shown,
    nesting: Nesting,
    /// The element whose content is not shown, and how often it is open.
    hidden: Option<(String, usize)>,
    /// Drawings that are open.
    foreign: usize,
    sheet: String,
    link: Option<OpenLink>,
    /// Something to read was written.
    seen: bool,
    /// A quotation is folded already.
    folded: bool,
}

impl Tidy<'_> {
    fn finish(mut self) -> Shown {
        self.close_link();
        let (html, met) = self.nesting.finish();
        self.shown.html = html;
        for limit in met {
            self.shown.flaws.insert(match limit {
                Limit::Depth => Flaw::TooDeep,
                Limit::Tags => Flaw::TooManyTags,
                Limit::Length => Flaw::TooLong,
            });
        }
        let cleaned = css::sheet(&self.sheet);
        attributes::loads(cleaned.loads.iter().map(String::as_str), &mut self.shown);
        if cleaned.overlays {
            self.shown.signs.insert(Sign::Overlay);
        }
        self.shown.style = cleaned.css;
        self.shown
    }

    fn text(&mut self, text: &str) {
        if let Some((name, _)) = &self.hidden {
            if name == "style" {
                self.sheet.push_str(text);
                self.sheet.push('\n');
            }
            return;
        }
        if text.chars().any(links::turns_around) {
            self.shown.signs.insert(Sign::TurnedText);
        }
        self.seen |= text.chars().any(|c| !c.is_whitespace());
        self.link_text(text);
        self.nesting.text(&escape(text));
    }

    /// People see this of the link that is being written.
    fn link_text(&mut self, text: &str) {
        if let Some(link) = &mut self.link {
            let room = LONGEST_LINK_TEXT.saturating_sub(link.text.len());
            link.text.push_str(&text[..text.floor_char_boundary(room)]);
        }
    }

    /// What stays of the attributes. Within a link the tip says where it leads,
    /// and nobody else's tip stands before that.
    fn kept(&mut self, written: &str, given: &[Attribute]) -> String {
        if self.link.is_none() {
            return attributes::kept(written, given, &mut self.shown);
        }
        let others: Vec<Attribute> = given.iter().filter(|a| &*a.name.local != "title").cloned().collect();
        attributes::kept(written, &others, &mut self.shown)
    }

    fn start(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name = &*tag.name;
        if let Some((hidden, count)) = &mut self.hidden {
            if hidden == name {
                *count += 1;
            }
            return TokenSinkResult::Continue;
        }
        self.note(name, tag);
        if matches!(name, "svg" | "math") {
            self.foreign += usize::from(!tag.self_closing);
        }
        if let Some(raw) = hides(name) {
            // Among drawings a tag may close itself.
            if tag.self_closing && self.foreign > 0 {
                return TokenSinkResult::Continue;
            }
            self.hidden = Some((name.to_owned(), 1));
            return raw.map_or(TokenSinkResult::Continue, TokenSinkResult::RawData);
        }
        match name {
            "img" | "image" => self.picture(tag),
            "br" | "wbr" => {
                self.link_text(if name == "br" { " " } else { "" });
                self.nesting.void(&format!("<{name}>"));
            }
            "hr" | "col" => {
                let closed = self.nesting.implied(name, Kind::Void);
                self.closed(&closed);
                self.quote(name, tag);
                let kept = self.kept(name, &tag.attrs);
                self.nesting.void(&format!("<{name}{kept}>"));
            }
            _ => self.element(name, tag),
        }
        match name {
            "textarea" => TokenSinkResult::RawData(RawKind::Rcdata),
            "xmp" => TokenSinkResult::RawData(RawKind::Rawtext),
            "plaintext" => TokenSinkResult::Plaintext,
            _ => TokenSinkResult::Continue,
        }
    }

    /// What an element says that is not shown, or not shown as it is.
    fn note(&mut self, name: &str, tag: &Tag) {
        let flaw = match name {
            "script" => Flaw::Script,
            "form" | "input" | "button" | "select" | "textarea" => Flaw::Form,
            "iframe" | "frame" | "frameset" | "portal" | "fencedframe" => Flaw::Frame,
            "object" | "embed" | "applet" | "video" | "audio" | "source" | "track" | "bgsound" | "param" => {
                Flaw::Embedded
            }
            "svg" | "math" => Flaw::Drawing,
            "base" => Flaw::Base,
            "meta" => {
                let refresh = attributes::value(&tag.attrs, "http-equiv")
                    .is_some_and(|v| v.trim().eq_ignore_ascii_case("refresh"));
                if refresh {
                    self.shown.flaws.insert(Flaw::Redirect);
                }
                return;
            }
            "a" | "area" | "img" | "image" => return,
            _ => {
                attributes::note_loads(&tag.attrs, &mut self.shown);
                return;
            }
        };
        self.shown.flaws.insert(flaw);
        if flaw == Flaw::Form && matches!(name, "input" | "select" | "textarea") {
            self.shown.signs.insert(Sign::Form);
        }
        attributes::note_loads(&tag.attrs, &mut self.shown);
    }

    fn picture(&mut self, tag: &Tag) {
        let before = self.shown.remote.len();
        let src = attributes::picture(&tag.attrs, self.how, &mut self.shown);
        let mut kept = self.kept("img", &tag.attrs);
        let blocked = src.is_empty() && self.shown.remote.len() > before && self.marked;
        // Something that cannot be shown and says nothing only makes holes.
        if src.is_empty() && !blocked && attributes::value(&tag.attrs, "alt").is_none_or(|a| a.trim().is_empty()) {
            return;
        }
        self.seen = true;
        // Read in place of a picture that is not there, or aloud.
        self.link_text(&format!(" {} ", attributes::value(&tag.attrs, "alt").unwrap_or_default()));
        if blocked {
            // No value has a quote in it: they are escaped.
            kept = match kept.split_once(" class=\"") {
                Some((before, after)) => format!("{before} class=\"pr-blocked {after}"),
                None => format!("{kept} class=\"pr-blocked\""),
            };
        }
        self.nesting.void(&format!("<img{src}{kept}>"));
    }

    fn element(&mut self, name: &str, tag: &Tag) {
        let Some((written, kind)) = element(name) else { return };
        let closed = self.nesting.implied(written, kind);
        self.closed(&closed);
        if written == "a" {
            self.link(tag);
            return;
        }
        self.quote(name, tag);
        let kept = if name == "body" {
            attributes::of_body(&tag.attrs, &mut self.shown)
        } else {
            self.kept(written, &tag.attrs)
        };
        if matches!(kind, Kind::Block | Kind::Table) {
            self.link_text(" ");
        }
        let _ = self.nesting.start(written, kind, &kept);
    }

    /// Opens what folds a quotation, before the element that begins one.
    fn quote(&mut self, name: &str, tag: &Tag) {
        if !self.marked || self.folded || !self.seen || self.nesting.in_rows() || self.link.is_some() {
            return;
        }
        let Some(begun) = quote::begins(name, |a| attributes::value(&tag.attrs, a)) else { return };
        let start = self.nesting.start("details", Kind::Block, " class=\"pr-quote\"");
        if start.is_none() {
            return;
        }
        self.folded = true;
        if begun == Quote::Element {
            self.nesting.last_is_around();
        }
        self.nesting.push(&format!("<summary>{}</summary>", escape(self.how.quote)));
    }

    fn link(&mut self, tag: &Tag) {
        attributes::note_loads(
            &tag.attrs.iter().filter(|a| !matches!(&*a.name.local, "href")).cloned().collect::<Vec<_>>(),
            &mut self.shown,
        );
        let kept = attributes::kept("a", &tag.attrs, &mut self.shown);
        let href = attributes::value(&tag.attrs, "href");
        let target = href.and_then(links::target);
        if target.is_none() && href.is_some_and(|h| !h.trim().is_empty() && h.trim() != "#") {
            self.shown.flaws.insert(Flaw::Link);
        }
        let piece = self.nesting.start("a", Kind::Formatting, &kept);
        if let (Some(target), Some(piece)) = (target, piece) {
            self.link = Some(OpenLink { piece, target, attributes: kept, text: String::new() });
        }
    }

    fn end(&mut self, name: &str) {
        if let Some((hidden, count)) = &mut self.hidden {
            if hidden == name {
                *count -= 1;
                if *count == 0 {
                    self.hidden = None;
                }
            }
            return;
        }
        match name {
            "svg" | "math" => self.foreign = self.foreign.saturating_sub(1),
            "br" => self.nesting.void("<br>"),
            // What stands after the end of the body belongs to it.
            "body" | "html" => {}
            _ => {
                let Some((written, kind)) = element(name) else { return };
                let closed = self.nesting.end(written, kind);
                self.closed(&closed);
            }
        }
    }

    fn closed(&mut self, names: &[&str]) {
        if names.contains(&"a") {
            self.close_link();
        }
        if names.contains(&"details") {
            self.folded = false;
        }
    }

    /// Writes the start of the link now that its text is known.
    fn close_link(&mut self) {
        let Some(link) = self.link.take() else { return };
        let href = match &link.target {
            links::Target::Web(url) => url.to_string(),
            links::Target::Other(address) => address.clone(),
            links::Target::Inside(place) => format!("#{place}"),
        };
        let mut extra = String::new();
        let mut warning = String::new();
        if let links::Target::Web(url) = &link.target {
            let (judged, signs) = links::judge(url, &link.text);
            if self.marked && !signs.is_empty() && signs.iter().any(|s| !matches!(s, Sign::NumericHost { .. })) {
                warning = format!(
                    " <span class=\"pr-warning\">({} {})</span>",
                    escape(self.how.leads_to),
                    escape(&judged.host)
                );
            }
            self.shown.signs.extend(signs);
            self.shown.links.push(judged);
        }
        if !matches!(link.target, links::Target::Inside(_)) {
            if self.marked {
                extra.push_str(&format!(" title=\"{}\"", escape(&href)));
            }
            extra.push_str(" target=\"_blank\"");
        }
        self.nesting.replace(link.piece, format!("<a href=\"{}\"{extra}{}>", escape(&href), link.attributes));
        self.nesting.push(&warning);
    }
}

/// Elements whose content is not shown; and how the tokenizer has to read it.
fn hides(name: &str) -> Option<Option<RawKind>> {
    Some(match name {
        "script" => Some(RawKind::ScriptData),
        "style" | "iframe" | "noembed" | "noframes" => Some(RawKind::Rawtext),
        "title" => Some(RawKind::Rcdata),
        "template" => None,
        _ => return None,
    })
}
