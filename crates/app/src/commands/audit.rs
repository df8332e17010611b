//! `postroom audit show|export`: who did what, when and from where.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use actions::audit::{COLUMNS, Export, Wanted, csv_head, csv_line, json_line, values};
use anyhow::{Context as _, Result, anyhow};
use clap::{Args, Subcommand, ValueEnum};
use model::{Id, SignedDuration, Timestamp};

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
        out.write_all(csv_head().as_bytes())?;
    }
    loop {
        let entries = export.next().await?;
        if entries.is_empty() {
            break;
        }
        for entry in &entries {
            let line = match format {
                Format::Jsonl => json_line(entry),
                Format::Csv => csv_line(entry),
            };
            out.write_all(line.as_bytes())?;
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
