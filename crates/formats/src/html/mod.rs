//! HTML of others, made safe to look at.
//!
//! Two walls, one behind the other. The first reads the text as tokens and
//! writes a small, balanced HTML of its own: only elements and attributes of
//! the lists here, styles cleaned property by property, links judged, pictures
//! from elsewhere taken out and remembered, quotations folded. The second is
//! `ammonia`, which parses that as a browser would and lets through nothing
//! but the same lists. What shows it adds a sandboxed frame and a policy that
//! loads nothing.
//!
//! Nothing fails: what had to be left out is said beside the result.

mod attributes;
mod css;
mod elements;
mod links;
mod nesting;
mod own;
mod properties;
mod quote;
mod text;
mod tidy;
mod wall;

use std::collections::BTreeSet;

pub use links::look_alike;
pub use own::{Own, compose, decompose};
pub use text::show_text;

/// How a message is to be shown.
#[derive(Clone, Copy)]
pub struct Show<'a> {
    /// The address of the part with this Content-ID (without angle brackets).
    pub attachment: &'a dyn Fn(&str) -> Option<String>,
    /// The reader asked for pictures from elsewhere.
    pub remote: bool,
    /// What a folded quotation is called.
    pub quote: &'a str,
    /// What stands after a link that pretends: `leads to`.
    pub leads_to: &'a str,
}

/// A message that is safe to show.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shown {
    pub html: String,
    /// Rules for a `<style>` element.
    pub style: String,
    /// Pictures that are loaded only when the reader asks, as `https` addresses.
    pub remote: BTreeSet<String>,
    /// Addresses of other things that would have been loaded; never are.
    pub blocked: BTreeSet<String>,
    /// Pictures too small to be seen: they tell the sender that somebody reads. Never loaded.
    pub trackers: usize,
    pub links: Vec<Link>,
    pub signs: BTreeSet<Sign>,
    pub flaws: BTreeSet<Flaw>,
    /// Content-IDs of parts that stand in the text.
    pub inline: BTreeSet<String>,
}

/// Where a link leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub url: String,
    /// What people see of it.
    pub text: String,
    pub host: String,
    pub signs: BTreeSet<Sign>,
}

/// Something that those do who want to deceive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    /// The text names one host, the link leads to another.
    LinkElsewhere { text: String, host: String },
    /// Letters of another alphabet that look like ours.
    LookAlike { host: String, shown: String },
    /// `https://bank.example@elsewhere.example/`
    NameInAddress { host: String },
    /// A number instead of a name.
    NumericHost { host: String },
    /// Characters that turn the reading direction around.
    TurnedText,
    /// Asks to fill in a form.
    Form,
    /// Lays something over something else.
    Overlay,
}

/// What was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flaw {
    Script,
    EventHandler,
    Form,
    Frame,
    /// A plug-in, a film, a sound.
    Embedded,
    /// SVG or MathML.
    Drawing,
    /// `<meta http-equiv=refresh>`
    Redirect,
    /// `<base>`
    Base,
    /// A link that would run something or leads nowhere.
    Link,
    /// A picture that refers to a part that the message does not have.
    MissingPicture,
    /// A picture in the text itself that is none, or too large.
    DataPicture,
    TooDeep,
    TooLong,
    TooManyTags,
}

/// What is longer is cut.
const LONGEST: usize = 2 << 20;

/// HTML as it came, as HTML that may be shown.
pub fn show(html: &str, how: &Show<'_>) -> Shown {
    let cut = html.len() > LONGEST;
    let mut shown = tidy::tidy(&html[..html.floor_char_boundary(LONGEST)], how);
    if cut {
        shown.flaws.insert(Flaw::TooLong);
    }
    shown.html = wall::clean(&shown.html);
    shown
}

/// HTML to stand in a text of our own that is sent on (a quotation): the same
/// without style sheets, without marks and with nothing folded. Pictures among
/// the attachments are referred to as they were.
pub fn quotable(html: &str) -> String {
    let html = &html[..html.floor_char_boundary(LONGEST)];
    wall::clean(&tidy::plainly(html).html)
}

/// For attributes in double quotes, and for text.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{a0}' => out.push_str("&nbsp;"),
            '\0' => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests;
