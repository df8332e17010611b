//! What commands print: tables for people, JSON for programs, progress on
//! long work.

use std::io::IsTerminal;

use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Map, Value};

/// Errors go to standard error, so that standard output stays for programs.
#[expect(clippy::print_stderr, reason = "the program's report to its user")]
pub fn error(line: &str) {
    eprintln!("postroom: {line}");
}

#[expect(clippy::print_stderr, reason = "the program's report to its user")]
pub fn note(line: &str) {
    eprintln!("{line}");
}

#[expect(clippy::print_stdout, reason = "the program's answer")]
pub fn line(text: &str) {
    println!("{text}");
}

/// Columns with their headings; rows of values in the same order.
pub struct Listing {
    pub headings: Vec<&'static str>,
    pub keys: Vec<&'static str>,
    pub rows: Vec<Vec<Value>>,
}

impl Listing {
    pub fn new(columns: &[(&'static str, &'static str)]) -> Self {
        Self {
            headings: columns.iter().map(|(_, heading)| *heading).collect(),
            keys: columns.iter().map(|(key, _)| *key).collect(),
            rows: Vec::new(),
        }
    }

    pub fn print(&self, json: bool) {
        if json {
            let rows: Vec<Value> = self
                .rows
                .iter()
                .map(|row| {
                    let pairs = self.keys.iter().zip(row).map(|(k, v)| ((*k).to_owned(), v.clone()));
                    Value::Object(pairs.collect::<Map<_, _>>())
                })
                .collect();
            line(&serde_json::to_string_pretty(&rows).unwrap_or_default());
            return;
        }
        let mut table = Table::new();
        table.load_preset(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(&self.headings);
        for row in &self.rows {
            table.add_row(row.iter().map(plain));
        }
        line(&table.to_string());
    }
}

/// One record, a line a property.
pub fn record(pairs: &[(&str, Value)], json: bool) {
    if json {
        let object: Map<String, Value> = pairs.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
        line(&serde_json::to_string_pretty(&object).unwrap_or_default());
        return;
    }
    let width = pairs.iter().map(|(key, _)| key.chars().count()).max().unwrap_or(0);
    for (key, value) in pairs {
        let text = plain(value);
        let mut lines = text.lines();
        line(&format!("{key:width$}  {}", lines.next().unwrap_or_default()));
        lines.for_each(|more| line(&format!("{:width$}  {more}", "")));
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".into(),
        Value::Bool(false) => "no".into(),
        other => other.to_string(),
    }
}

/// Something that moves on a terminal, nothing elsewhere: for work whose end is
/// not known.
pub fn spinner(what: &'static str) -> ProgressBar {
    let spinner = ProgressBar::new_spinner();
    if !std::io::stderr().is_terminal() {
        spinner.set_draw_target(ProgressDrawTarget::hidden());
    }
    spinner.set_message(what);
    spinner.enable_steady_tick(std::time::Duration::from_millis(200));
    spinner
}

/// A bar on a terminal, nothing elsewhere.
pub fn progress(what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(0);
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}") {
        bar.set_style(style);
    }
    bar.set_message(what);
    bar
}
