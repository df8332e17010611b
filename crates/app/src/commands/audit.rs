//! `postroom audit show|export`: who did what, when and from where.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use actions::audit::{Entry, Export, Wanted};
use anyhow::{Context as _, Result, anyhow};
use clap::{Args, Subcommand, ValueEnum};
use model::{Id, SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Common, find};
use crate::output::{self, Listing};
use crate::session::Session;

#[derive(Debug, Args)]
pub struct Audit {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Args)]
struct Which {
    /// From this moment: 2026-11-24 or 2026-11-24T08:00:00Z; days are UTC.
    #[arg(long, value_name = "TIME", value_parser = begin)]
    from: Option<Timestamp>,
    /// Up to this moment; a day is meant to its end.
    #[arg(long, value_name = "TIME", value_parser = end)]
    to: Option<Timestamp>,
    /// Only what this user did or had done. USER: address, user name or id.
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Only rows of this table, by its logical name: mailbox.
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,
    /// Only what happened to the row with this id.
    #[arg(long, value_name = "ID")]
    row: Option<Id>,
    /// Only this action: create, update, delete, approve, test, sign-in, …
    #[arg(long, value_name = "ACTION")]
    action: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// A JSON object a line.
    Jsonl,
    /// For spreadsheets; cells that would be formulas begin with an apostrophe.
    Csv,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// The audit trail, newest first.
    Show {
        #[command(flatten)]
        which: Which,
        /// How many rows.
        #[arg(long, default_value_t = 100)]
        top: usize,
    },
    /// Write the audit trail out, oldest first. That it was exported is noted
    /// in the trail.
    Export {
        #[command(flatten)]
        which: Which,
        #[arg(long, value_enum, default_value_t = Format::Jsonl)]
        format: Format,
        /// The file to write, readable for its owner only; it must not exist.
        /// Without it: standard output.
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

impl Audit {
    pub async fn run(self) -> Result<()> {
        let session = Session::open(&self.common.data).await?;
        match self.verb {
            Verb::Show { which, top } => show(&session, which, top, self.common.json).await,
            Verb::Export { which, format, output } => export(&session, which, format, output.as_deref()).await,
        }
    }
}

impl Which {
    async fn wanted(self, session: &Session) -> Result<Wanted> {
        let user = match &self.user {
            Some(user) => Some(find::user(&session.store, user).await?.id),
            None => None,
        };
        Ok(Wanted { from: self.from, to: self.to, user, table: self.table, row: self.row, action: self.action })
    }
}

/// The name of every column, on every way out.
const COLUMNS: [(&str, &str); 12] = [
    ("at", "At"),
    ("user", "User"),
    ("callingUser", "On its behalf"),
    ("action", "Action"),
    ("table", "Table"),
    ("row", "Row"),
    ("door", "Through"),
    ("remoteAddress", "From"),
    ("userAgent", "With"),
    ("requestId", "Request"),
    ("detail", "Detail"),
    ("id", "Id"),
];

fn values(entry: &Entry) -> [Value; 12] {
    let audit = &entry.audit;
    let detail = serde_json::from_str(&audit.detail).unwrap_or_else(|_| json!(audit.detail));
    [
        json!(audit.at.map(|at| at.to_string())),
        json!(entry.user),
        json!(entry.calling_user),
        json!(audit.action),
        json!(audit.table),
        json!(audit.row.map(|row| row.to_string())),
        json!(audit.door),
        json!(audit.remote),
        json!(audit.user_agent),
        json!(audit.request),
        detail,
        json!(audit.id.to_string()),
    ]
}

async fn show(session: &Session, which: Which, top: usize, json: bool) -> Result<()> {
    let wanted = which.wanted(session).await?;
    let entries = actions::audit::show(&session.context().await?, &wanted, top).await?;
    // A terminal is not wide enough for all of it.
    let narrow = |key: &str| json || !matches!(key, "userAgent" | "requestId" | "id");
    let kept: Vec<(&str, &str)> = COLUMNS.into_iter().filter(|(key, _)| narrow(key)).collect();
    let mut listing = Listing::new(&kept);
    for entry in &entries {
        let all = COLUMNS.into_iter().zip(values(entry));
        listing.rows.push(all.filter(|((key, _), _)| narrow(key)).map(|(_, value)| value).collect());
    }
    listing.print(json);
    Ok(())
}

async fn export(session: &Session, which: Which, format: Format, to: Option<&Path>) -> Result<()> {
    let wanted = which.wanted(session).await?;
    let mut out = writer(to)?;
    let name = match format {
        Format::Jsonl => "jsonl",
        Format::Csv => "csv",
    };
    let mut export = Export::begin(&session.context().await?, &wanted, name).await?;
    let bar = output::progress("exporting");
    bar.set_length(export.total);
    if matches!(format, Format::Csv) {
        let cells: Vec<String> = COLUMNS.iter().map(|(key, _)| cell(&json!(key))).collect();
        write!(out, "{}\r\n", cells.join(","))?;
    }
    loop {
        let entries = export.next().await?;
        if entries.is_empty() {
            break;
        }
        for entry in &entries {
            match format {
                Format::Jsonl => {
                    let keys = COLUMNS.iter().map(|(key, _)| (*key).to_owned());
                    let object: serde_json::Map<String, Value> = keys.zip(values(entry)).collect();
                    writeln!(out, "{}", Value::Object(object))?;
                }
                Format::Csv => write!(out, "{}\r\n", values(entry).iter().map(cell).collect::<Vec<_>>().join(","))?,
            }
        }
        bar.inc(u64::try_from(entries.len()).unwrap_or(0));
    }
    out.flush()?;
    bar.finish_and_clear();
    Ok(())
}

fn writer(to: Option<&Path>) -> Result<Box<dyn Write + Send>> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let Some(path) = to else { return Ok(Box::new(BufWriter::new(std::io::stdout()))) };
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    Ok(Box::new(BufWriter::new(file.with_context(|| format!("cannot write {}", path.display()))?)))
}

/// RFC 4180, and nothing that a spreadsheet takes for a formula: user agents
/// are whatever a stranger sent.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text };
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

fn begin(text: &str) -> Result<Timestamp> {
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let day = format!("{text}T00:00:00Z");
    day.parse().map_err(|_| anyhow!("'{text}' is no time: write 2026-11-24 or 2026-11-24T08:00:00Z"))
}

fn end(text: &str) -> Result<Timestamp> {
    let begin = begin(text)?;
    if text.contains('T') || text.contains(' ') {
        return Ok(begin);
    }
    Ok(begin + SignedDuration::from_hours(24) - SignedDuration::from_millis(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &str, expected: &str) {
        assert_eq!(cell(&json!(value)), expected);
    }

    #[test]
    fn cells() {
        check("plain", "plain");
        check("a,b", "\"a,b\"");
        check("say \"x\"", "\"say \"\"x\"\"\"");
        check("two\nlines", "\"two\nlines\"");
        check("=HYPERLINK(1)", "'=HYPERLINK(1)");
        check("@x,1", "\"'@x,1\"");
        check("", "");
        assert_eq!(cell(&Value::Null), "");
        assert_eq!(cell(&json!({ "a": 1 })), "\"{\"\"a\"\":1}\"");
    }

    #[track_caller]
    fn times(text: &str, first: &str, last: &str) {
        assert_eq!((begin(text).unwrap().to_string(), end(text).unwrap().to_string()), (first.into(), last.into()));
    }

    #[test]
    fn days_and_moments() {
        times("2026-11-24", "2026-11-24T00:00:00Z", "2026-11-24T23:59:59.999Z");
        times("2026-11-24T08:00:00Z", "2026-11-24T08:00:00Z", "2026-11-24T08:00:00Z");
        times("2026-11-24T08:00:00+02:00", "2026-11-24T06:00:00Z", "2026-11-24T06:00:00Z");
        assert!(begin("yesterday").is_err() && end("2026-13-01").is_err());
    }
}
