//! `postroom ledger show|retry MAILBOX`: what became of every message, and
//! another try.

use actions::ledger::Which;
use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use model::tables::LedgerEntry;
use model::{Filter, Query, Ref};
use serde_json::json;

use super::{Common, find};
use crate::output::{self, Listing};
use crate::session::Session;

#[derive(Debug, Args)]
pub struct Ledger {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// The ledger of a mailbox, newest first. MAILBOX: address, name or id.
    Show {
        mailbox: String,
        /// How many rows.
        #[arg(long, default_value_t = 200)]
        top: usize,
        /// Only messages whose subject, sender or Message-ID contains this.
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
    },
    /// Process messages again that no email came of, from the bytes that were
    /// kept. MAILBOX: address, name or id. Without an option: --failed.
    Retry {
        mailbox: String,
        /// Those that failed.
        #[arg(long, group = "which")]
        failed: bool,
        /// Those that were nobody's mail.
        #[arg(long, group = "which")]
        unclaimed: bool,
        /// Everything that was not tracked and can be decided anew: failed,
        /// nobody's, filtered, without a recipient here, unreadable.
        #[arg(long, group = "which")]
        all_not_tracked: bool,
        /// The one with this id (`pr_ledgerentryid`).
        #[arg(long, group = "which", value_name = "ID")]
        id: Option<String>,
    },
}

impl Ledger {
    pub async fn run(self) -> Result<()> {
        let session = Session::open(&self.common.data).await?;
        match self.verb {
            Verb::Show { mailbox, top, search } => show(&session, &mailbox, top, search, self.common.json).await,
            Verb::Retry { mailbox, id: Some(id), .. } => retry_one(&session, &mailbox, &id).await,
            Verb::Retry { mailbox, unclaimed, all_not_tracked, .. } => {
                let which = match (unclaimed, all_not_tracked) {
                    (true, _) => Which::Unclaimed,
                    (_, true) => Which::AllNotTracked,
                    _ => Which::Failed,
                };
                retry(&session, &mailbox, which, self.common.json).await
            }
        }
    }
}

async fn retry_one(session: &Session, mailbox: &str, id: &str) -> Result<()> {
    let mailbox = find::mailbox(&session.store, mailbox).await?;
    let id = id.parse().with_context(|| format!("'{id}' is not the id of a ledger entry"))?;
    let entry = session.store.load::<LedgerEntry>(id).await?;
    let entry = entry.filter(|e| e.mailbox.is_some_and(|m| m.id == mailbox.id));
    let entry = entry.with_context(|| format!("mailbox '{}' has no ledger entry {id}", mailbox.name))?;
    actions::ledger::retry(&session.context().await?, entry.id).await?;
    output::line("1 message is processed again when the service next looks at the mailbox.");
    Ok(())
}

async fn retry(session: &Session, mailbox: &str, which: Which, json: bool) -> Result<()> {
    let mailbox = find::mailbox(&session.store, mailbox).await?;
    let done = actions::ledger::retry_all(&session.context().await?, mailbox.id, which).await?;
    if json {
        output::record(&[("waiting", json!(done.waiting)), ("refused", json!(done.refused))], true);
        return Ok(());
    }
    output::line(&format!("{} messages are processed again when the service next looks at the mailbox.", done.waiting));
    if done.refused > 0 {
        output::note(&format!(
            "{} cannot be processed again: they were not kept, or came through a forward mailbox; --id says which.",
            done.refused
        ));
    }
    Ok(())
}

async fn show(session: &Session, mailbox: &str, top: usize, search: Option<String>, json: bool) -> Result<()> {
    let mailbox = find::mailbox(&session.store, mailbox).await?;
    let mut query = Query::of::<LedgerEntry>()
        .filter(Filter::eq(LedgerEntry::C.mailbox, Some(Ref::new("mailbox", mailbox.id))))
        .order_by(LedgerEntry::C.seen_on, true)
        .limit(top);
    if let Some(text) = search {
        let columns = [LedgerEntry::C.subject.name, LedgerEntry::C.from.name, LedgerEntry::C.message_id.name];
        let any = columns
            .iter()
            .map(|c| Filter::Text((*c).into(), model::query::TextMatch::Contains, text.clone()))
            .collect();
        query = query.filter(Filter::Or(any));
    }
    let mut listing = Listing::new(&[
        ("pr_ledgerentryid", "Id"),
        ("pr_seenon", "Seen"),
        ("position", "Position"),
        ("pr_from", "From"),
        ("pr_subject", "Subject"),
        ("pr_disposition", "Disposition"),
        ("pr_reason", "Reason"),
        ("pr_activityid", "Email"),
    ]);
    for row in session.store.list::<LedgerEntry>(&query).await? {
        listing.rows.push(vec![
            json!(row.id.to_string()),
            json!(row.seen_on.map(|at| at.strftime("%Y-%m-%d %H:%M:%S").to_string())),
            json!(format!("{} {}", row.folder, row.position)),
            json!(row.from),
            json!(row.subject),
            json!(row.disposition.label()),
            json!(row.reason),
            json!(row.activity.map(|a| a.id.to_string())),
        ]);
    }
    listing.print(json);
    Ok(())
}
