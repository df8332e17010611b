//! `postroom ledger show MAILBOX`: what became of every message.

use anyhow::Result;
use clap::{Args, Subcommand};
use model::tables::LedgerEntry;
use model::{Filter, Query, Ref};
use serde_json::json;

use super::{Common, find};
use crate::output::Listing;
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
}

impl Ledger {
    pub async fn run(self) -> Result<()> {
        let session = Session::open(&self.common.data).await?;
        let Verb::Show { mailbox, top, search } = self.verb;
        let mailbox = find::mailbox(&session.store, &mailbox).await?;
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
                json!(row.seen_on.map(|at| at.strftime("%Y-%m-%d %H:%M:%S").to_string())),
                json!(format!("{} {}", row.folder, row.position)),
                json!(row.from),
                json!(row.subject),
                json!(row.disposition.label()),
                json!(row.reason),
                json!(row.activity.map(|a| a.id.to_string())),
            ]);
        }
        listing.print(self.common.json);
        Ok(())
    }
}
