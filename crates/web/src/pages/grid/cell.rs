//! A value as people read it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use actions::Context;
use model::table::Kind;
use model::{Column, Ref, Value};

use crate::pages::grid::page_of;
use crate::pages::kit::Viewer;

/// Characters of a long text in a list.
const LONGEST: usize = 500;

/// The columns that hold sentences of the service. What people write is shown
/// as they wrote it, even where it reads like one of those.
const SENTENCES: [(&str, &str); 5] = [
    ("tracelog", "text"),
    ("email", "pr_failurereason"),
    ("pr_ledgerentry", "pr_reason"),
    ("mailbox", "lastsyncerror"),
    ("mailbox", "pr_testlog"),
];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    Nothing,
    Text(String),
    Link {
        href: String,
        text: String,
    },
    Time {
        iso: String,
        text: String,
    },
    /// A word with a colour of its own.
    State {
        tone: &'static str,
        text: String,
    },
    Number(String),
}

impl Cell {
    pub fn is_number(&self) -> bool {
        matches!(self, Self::Number(_))
    }
}

/// What shows values: language, zone, and the names of what lookups point to.
pub(crate) struct Shower<'a> {
    pub ctx: &'a Context,
    pub viewer: &'a Viewer,
    pub names: &'a BTreeMap<Ref, String>,
}

impl Shower<'_> {
    pub fn cell(&self, table: &str, column: Option<&'static Column>, value: &Value) -> Cell {
        match (value, column.map(|c| c.kind)) {
            (Value::Ref(target), _) => {
                let text = self.names.get(target).cloned().unwrap_or_default();
                match page_of(self.ctx, *target) {
                    _ if text.is_empty() && !self.names.contains_key(target) => Cell::Nothing,
                    Some(href) => Cell::Link { href, text: if text.is_empty() { "–".to_owned() } else { text } },
                    None => Cell::Text(text),
                }
            }
            (Value::Time(time), _) => {
                Cell::Time { iso: time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), text: self.viewer.time(*time) }
            }
            (Value::Int(n), Some(Kind::Choice(set))) => {
                let text = set.label(*n).map_or_else(|| n.to_string(), |l| self.viewer.texts.text(l).to_owned());
                match column.map(|c| tone(table, c.name, *n)) {
                    Some(tone) if !tone.is_empty() => Cell::State { tone, text },
                    _ => Cell::Text(text),
                }
            }
            (Value::Int(n), _) => Cell::Number(n.to_string()),
            (Value::Bool(yes), _) => Cell::Text(self.yes_or_no(column, *yes)),
            (Value::Text(text), _) if text.trim().is_empty() => Cell::Nothing,
            (Value::Text(text), _) => Cell::Text(shortened(&self.told(table, column, text))),
            (Value::Id(id), _) => Cell::Text(id.to_string()),
            (Value::Null | Value::Bytes(_) | Value::Secret(_), _) => Cell::Nothing,
        }
    }

    /// What the service wrote down in English, in the reader's language.
    fn told<'t>(&self, table: &str, column: Option<&'static Column>, text: &'t str) -> Cow<'t, str> {
        match column {
            Some(column) if SENTENCES.contains(&(table, column.name)) => Cow::Owned(self.viewer.said(text)),
            _ => Cow::Borrowed(text),
        }
    }

    /// A user's "Status" is whether they are disabled, and an email's
    /// "Direction" whether it goes out.
    fn yes_or_no(&self, column: Option<&'static Column>, yes: bool) -> String {
        let word = match (column.map(|c| c.name), yes) {
            (Some("isdisabled"), true) => "Disabled",
            (Some("isdisabled"), false) => "Enabled",
            (Some("directioncode"), true) => "Outgoing",
            (Some("directioncode"), false) => "Incoming",
            (_, true) => "Yes",
            (_, false) => "No",
        };
        self.viewer.texts.text(word).to_owned()
    }

    /// For a file: plain text, times as numbers.
    pub fn plain(&self, table: &str, column: Option<&'static Column>, value: &Value) -> String {
        match (self.cell(table, column, value), value) {
            (_, Value::Text(text)) => self.told(table, column, text).into_owned(),
            (_, Value::Time(time)) => {
                time.to_zoned_datetime(self.viewer.zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
            }
            (Cell::Text(text) | Cell::Number(text) | Cell::State { text, .. } | Cell::Link { text, .. }, _) => text,
            (Cell::Time { text, .. }, _) => text,
            (Cell::Nothing, _) => String::new(),
        }
    }
}

fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// The colour of a state: `good`, `bad`, `warn`, `busy`, `quiet`; empty for
/// what is no state.
pub(crate) fn tone(table: &str, column: &str, value: i64) -> &'static str {
    match (column, value) {
        ("incomingemailstatus" | "outgoingemailstatus" | "actstatus" | "mailboxstatus", 1) => "good",
        ("incomingemailstatus" | "outgoingemailstatus" | "actstatus" | "mailboxstatus", 2) => "bad",
        ("incomingemailstatus" | "outgoingemailstatus" | "actstatus" | "mailboxstatus", _) => "quiet",
        ("emailrouteraccessapproval", 1) => "good",
        ("emailrouteraccessapproval", 2) => "warn",
        ("emailrouteraccessapproval", 3) => "bad",
        ("emailrouteraccessapproval", _) => "quiet",
        ("level", 3) if table == "tracelog" => "bad",
        ("level", 2) if table == "tracelog" => "warn",
        ("level", _) if table == "tracelog" => "quiet",
        ("statuscode", 8) if table == "email" => "bad",
        ("statuscode", 6 | 7) if table == "email" => "busy",
        ("statuscode", 3 | 4) if table == "email" => "good",
        ("statuscode", _) if table == "email" => "quiet",
        ("statuscode", 2) if matches!(table, "mailbox" | "emailserverprofile" | "queue") => "quiet",
        ("pr_disposition", 1 | 2 | 7) => "good",
        ("pr_disposition", 0) => "busy",
        ("pr_disposition", 8) => "warn",
        ("pr_disposition", 9 | 10) => "bad",
        ("pr_disposition", _) => "quiet",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_with_sentences_are_there() {
        for (table, column) in SENTENCES {
            let found = model::tables::by_logical_name(table).and_then(|table| table.column(column));
            assert!(matches!(found.map(|c| c.kind), Some(Kind::Memo | Kind::Text { .. })), "{table}.{column}");
        }
    }
}
