//! `postroom email list|show|send`.

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use model::tables::{self, ActivityParty, Attachment};
use model::{Entity, Filter, Id, Query, Ref};
use serde_json::json;

use super::Common;
use crate::output::{self, Listing};
use crate::session::Session;

#[derive(Debug, Args)]
pub struct Email {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// The newest emails.
    List {
        /// How many.
        #[arg(long, default_value_t = 50)]
        top: usize,
    },
    /// One email with its parties and attachments.
    Show { email: Id },
    /// Send a draft: it becomes Pending Send.
    Send { email: Id },
}

impl Email {
    pub async fn run(self) -> Result<()> {
        let session = Session::open(&self.common.data).await?;
        match self.verb {
            Verb::List { top } => list(&session, top, self.common.json).await,
            Verb::Show { email } => show(&session, email, self.common.json).await,
            Verb::Send { email } => send(&session, email).await,
        }
    }
}

async fn list(session: &Session, top: usize, json: bool) -> Result<()> {
    let mut query = Query::of::<tables::Email>().limit(top);
    query.order = vec![model::Order { column: "createdon".into(), descending: true }];
    let mut listing = Listing::new(&[
        ("activityid", "Id"),
        ("direction", "Direction"),
        ("sender", "From"),
        ("torecipients", "To"),
        ("subject", "Subject"),
        ("status", "Status"),
        ("reason", "Reason"),
    ]);
    for email in session.store.list::<tables::Email>(&query).await? {
        listing.rows.push(vec![
            json!(email.id.to_string()),
            json!(if email.is_outgoing { "out" } else { "in" }),
            json!(email.sender),
            json!(email.to_recipients),
            json!(email.subject),
            json!(email.status.label()),
            json!(email.failure_reason),
        ]);
    }
    listing.print(json);
    Ok(())
}

async fn show(session: &Session, id: Id, json: bool) -> Result<()> {
    let email = session.store.load::<tables::Email>(id).await?.with_context(|| format!("there is no email {id}"))?;
    let this = Some(Ref::new(tables::Email::TABLE.logical, id));
    let parties = Query::of::<ActivityParty>().filter(Filter::eq(ActivityParty::C.activity, this));
    let parties: Vec<String> = session
        .store
        .list::<ActivityParty>(&parties)
        .await?
        .into_iter()
        .map(|p| {
            let record = p.party.map_or_else(|| "unresolved".to_owned(), |r| r.to_string());
            format!("{}: {} <{}> {record}", p.participation.label(), p.name, p.address)
        })
        .collect();
    let attachments = Query::of::<Attachment>().filter(Filter::eq(Attachment::C.object, this));
    let attachments: Vec<String> = session
        .store
        .list::<Attachment>(&attachments)
        .await?
        .into_iter()
        .map(|a| format!("{} ({}, {} bytes)", a.file_name, a.mime_type, a.size))
        .collect();
    let lines = |all: Vec<String>| if json { json!(all) } else { json!(all.join("\n")) };
    output::record(
        &[
            ("activityid", json!(email.id.to_string())),
            ("subject", json!(email.subject)),
            ("direction", json!(if email.is_outgoing { "outgoing" } else { "incoming" })),
            ("status", json!(email.status.label())),
            ("failure reason", json!(email.failure_reason)),
            ("messageid", json!(email.message_id)),
            ("correlation", json!(email.correlation.label())),
            ("regarding", json!(email.regarding.map(|r| r.to_string()))),
            ("sent on", json!(email.sent_on.map(|at| at.to_string()))),
            ("received on", json!(email.received_on.map(|at| at.to_string()))),
            ("parties", lines(parties)),
            ("attachments", lines(attachments)),
        ],
        json,
    );
    Ok(())
}

async fn send(session: &Session, id: Id) -> Result<()> {
    actions::email::send(&session.context().await?, id, true, None).await?;
    output::note("the email is Pending Send; the running service sends it");
    Ok(())
}
