//! Balanced output: every element that is opened is closed, in order.
//!
//! A browser repairs what nests wrongly by opening formatting again and again;
//! a few kilobytes written for that purpose become gigabytes. Here repairs are
//! counted, and depth is bounded.

use super::elements::Kind;

/// Elements within each other, and formatting among them.
const DEEPEST: usize = 200;
const DEEPEST_FORMATTING: usize = 24;
/// Elements that are remembered as open, written or not.
const MOST_OPEN: usize = 4_000;
/// Tags of a message.
const MOST_TAGS: usize = 120_000;
/// Bytes that are written for one message.
const LONGEST: usize = 8 << 20;

/// An element that is open.
#[derive(Debug)]
pub(super) struct Open {
    pub name: &'static str,
    pub kind: Kind,
    /// Its start tag; `None` where none was written.
    start: Option<String>,
    /// Its end was seen, but something in it is still open.
    ending: bool,
    /// Ends together with the element directly in it.
    around: bool,
}

/// What of the limits was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    Depth,
    Tags,
    Length,
}

/// An element was closed that the writer wants to know of.
pub(super) type Closed = Vec<&'static str>;

#[derive(Debug, Default)]
pub(super) struct Nesting {
    pieces: Vec<String>,
    open: Vec<Open>,
    /// Formatting that was cut off by the end of its block, to be opened again
    /// before the next thing that it applies to.
    due: Vec<Open>,
    written: usize,
    tags: usize,
    length: usize,
    formatting: usize,
    pub met: Vec<Limit>,
}

impl Nesting {
    pub fn finish(mut self) -> (String, Vec<Limit>) {
        self.close_from(0, false);
        (self.pieces.concat(), self.met)
    }

    /// Writes text.
    pub fn text(&mut self, text: &str) {
        if text.chars().any(|c| !c.is_whitespace()) {
            self.reopen();
        }
        self.push(text);
    }

    /// Writes text or markup that is closed in itself.
    pub fn push(&mut self, text: &str) {
        if self.length + text.len() > LONGEST {
            self.meet(Limit::Length);
            return;
        }
        self.length += text.len();
        match self.pieces.last_mut() {
            Some(last) => last.push_str(text),
            None => self.pieces.push(text.to_owned()),
        }
    }

    /// A void element.
    pub fn void(&mut self, tag: &str) {
        self.reopen();
        if self.counted() {
            self.push(tag);
        }
    }

    /// Opens an element. The piece in which its start tag stands alone, where
    /// it was written, so that it can be replaced once more is known.
    pub fn start(&mut self, name: &'static str, kind: Kind, attributes: &str) -> Option<usize> {
        if self.open.len() >= MOST_OPEN {
            self.meet(Limit::Depth);
            return None;
        }
        if matches!(kind, Kind::Formatting | Kind::Inline) {
            self.reopen();
        }
        let in_table = kind == Kind::Formatting && self.in_rows();
        let deep = self.written >= DEEPEST || (kind == Kind::Formatting && self.formatting >= DEEPEST_FORMATTING);
        if deep {
            self.meet(Limit::Depth);
        }
        let tag = format!("<{name}{attributes}>");
        let fits = !in_table && !deep && self.length + tag.len() <= LONGEST && self.counted();
        self.open.push(Open { name, kind, start: fits.then(|| tag.clone()), ending: false, around: false });
        if !fits {
            return None;
        }
        self.written += 1;
        self.formatting += usize::from(kind == Kind::Formatting);
        self.length += tag.len();
        self.pieces.push(tag);
        self.pieces.push(String::new());
        Some(self.pieces.len() - 2)
    }

    /// Marks the element opened last as ending with what is put directly in it.
    pub fn last_is_around(&mut self) {
        if let Some(last) = self.open.last_mut() {
            last.around = true;
        }
    }

    /// Replaces a piece that `start` gave.
    pub fn replace(&mut self, piece: usize, tag: String) {
        if let Some(place) = self.pieces.get_mut(piece) {
            self.length += tag.len();
            *place = tag;
        }
    }

    /// Closes the innermost element of this name, and what is open in it.
    pub fn end(&mut self, name: &str, kind: Kind) -> Closed {
        let Some(at) = self.find(name, kind) else {
            if let Some(at) = self.due.iter().rposition(|o| o.name == name) {
                self.due.remove(at);
            }
            return Vec::new();
        };
        let inner = &self.open[at + 1..];
        let light = matches!(kind, Kind::Formatting | Kind::Inline);
        if light && inner.iter().any(|o| !matches!(o.kind, Kind::Formatting | Kind::Inline)) {
            self.open[at].ending = true;
            return Vec::new();
        }
        self.close_from(at, kind != Kind::Table)
    }

    /// Closes what the start of this element ends without saying so.
    pub fn implied(&mut self, name: &str, kind: Kind) -> Closed {
        let ended: &[&str] = match name {
            "li" => &["li", "p"],
            "dd" | "dt" => &["dd", "dt", "p"],
            "td" | "th" => &["td", "th", "caption"],
            "tr" => &["tr", "caption"],
            "tbody" | "thead" | "tfoot" => &["tbody", "thead", "tfoot", "caption"],
            "a" => &["a"],
            _ if kind == Kind::Block || name == "hr" => &["p"],
            _ => return Vec::new(),
        };
        let mut closed = Vec::new();
        for one in ended {
            let found = self.open.iter().rposition(|o| o.name == *one || stops(o, name));
            if let Some(at) = found.filter(|&at| self.open[at].name == *one) {
                closed.extend(self.close_from(at, kind != Kind::Table));
            }
        }
        closed
    }

    /// Whether text here would belong to no cell.
    pub fn in_rows(&self) -> bool {
        let block = self.open.iter().rev().find(|o| matches!(o.kind, Kind::Block | Kind::Table) && o.start.is_some());
        block.is_some_and(|o| matches!(o.name, "table" | "tbody" | "thead" | "tfoot" | "tr" | "colgroup"))
    }

    fn counted(&mut self) -> bool {
        if self.tags >= MOST_TAGS {
            self.meet(Limit::Tags);
            return false;
        }
        self.tags += 1;
        true
    }

    fn meet(&mut self, limit: Limit) {
        if !self.met.contains(&limit) {
            self.met.push(limit);
        }
    }

    /// An end tag reaches no further than its cell; one of a cell, row or
    /// table no further than its table.
    fn find(&self, name: &str, kind: Kind) -> Option<usize> {
        let at = self.open.iter().rposition(|o| {
            o.name == name && !o.ending
                || match kind {
                    Kind::Table => o.name == "table" && name != "table",
                    _ => matches!(o.name, "td" | "th" | "caption" | "table"),
                }
        })?;
        (self.open[at].name == name).then_some(at)
    }

    /// Closes everything from `at` on; opens formatting again that was open in it.
    fn close_from(&mut self, at: usize, again: bool) -> Closed {
        let mut closed = Vec::new();
        let ended: Vec<Open> = self.open.drain(at..).collect();
        for element in ended.iter().rev() {
            closed.extend(self.write_end(element));
        }
        let around = self.open.last().is_some_and(|o| o.around);
        if around && let Some(element) = self.open.pop() {
            closed.extend(self.write_end(&element));
        }
        while self.open.last().is_some_and(|o| o.ending) {
            if let Some(element) = self.open.pop() {
                closed.extend(self.write_end(&element));
            }
        }
        if again {
            // A link that goes on elsewhere would be judged by half of its text.
            let cut = |o: &Open| o.kind == Kind::Formatting && o.start.is_some() && !o.ending && o.name != "a";
            self.due.extend(ended.into_iter().skip(1).filter(cut));
            self.due.truncate(DEEPEST_FORMATTING);
        } else {
            // Formatting does not leave its cell.
            self.due.clear();
        }
        closed
    }

    fn write_end(&mut self, element: &Open) -> Option<&'static str> {
        element.start.as_ref()?;
        self.written = self.written.saturating_sub(1);
        if element.kind == Kind::Formatting {
            self.formatting = self.formatting.saturating_sub(1);
        }
        // What was opened is closed, whatever the length.
        let end = format!("</{}>", element.name);
        self.length += end.len();
        match self.pieces.last_mut() {
            Some(last) => last.push_str(&end),
            None => self.pieces.push(end),
        }
        Some(element.name)
    }

    /// Opens what is due.
    fn reopen(&mut self) {
        if self.due.is_empty() || self.in_rows() {
            return;
        }
        for element in std::mem::take(&mut self.due) {
            let Some(tag) = &element.start else { continue };
            let fits = self.length + tag.len() <= LONGEST && self.written < DEEPEST;
            if self.formatting >= DEEPEST_FORMATTING || !fits || !self.counted() {
                continue;
            }
            self.written += 1;
            self.formatting += 1;
            self.length += tag.len();
            self.pieces.push(tag.clone());
            self.open.push(element);
        }
    }
}

/// Where looking for something to end stops.
fn stops(open: &Open, name: &str) -> bool {
    match name {
        "td" | "th" => matches!(open.name, "tr" | "table"),
        "tr" => matches!(open.name, "tbody" | "thead" | "tfoot" | "table"),
        "tbody" | "thead" | "tfoot" => open.name == "table",
        "li" => matches!(open.name, "ul" | "ol" | "td" | "th" | "table" | "caption"),
        "dd" | "dt" => matches!(open.name, "dl" | "td" | "th" | "table" | "caption"),
        _ => matches!(open.name, "td" | "th" | "table" | "caption"),
    }
}
