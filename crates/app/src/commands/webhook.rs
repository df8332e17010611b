//! `postroom webhook list|show|replay|test`: what receivers were told, and
//! telling them again.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use model::tables::{Event, EventState, ServiceEndpoint};
use model::{Col, Entity, Filter, Order, Query};
use serde_json::{Value, json};

use super::{Common, find};
use crate::output::{self, Listing};
use crate::session::Session;

#[derive(Debug, Args)]
pub struct Webhook {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// All webhooks with how many events wait, were delivered and failed.
    List,
    /// The events of a webhook, newest first. WEBHOOK: name or id.
    Show {
        webhook: String,
        /// How many.
        #[arg(long, default_value_t = 100)]
        top: usize,
    },
    /// Send the failed events of a webhook again. WEBHOOK: name or id.
    Replay {
        webhook: String,
        /// Only the event with this id (`pr_eventid`), whatever became of it.
        #[arg(long, value_name = "ID")]
        id: Option<String>,
    },
    /// Have the running service send an event of the message Test, and show
    /// what was answered. WEBHOOK: name or id.
    Test { webhook: String },
}

impl Webhook {
    pub async fn run(self) -> Result<()> {
        let session = Session::open(&self.common.data).await?;
        match self.verb {
            Verb::List => list(&session, self.common.json).await,
            Verb::Show { webhook, top } => show(&session, &webhook, top, self.common.json).await,
            Verb::Replay { webhook, id } => replay(&session, &webhook, id).await,
            Verb::Test { webhook } => test(&session, &webhook, self.common.json).await,
        }
    }
}

fn events(endpoint: &ServiceEndpoint) -> Query {
    Query::of::<Event>().filter(Filter::eq(Event::C.endpoint, Some(endpoint.reference())))
}

async fn list(session: &Session, json: bool) -> Result<()> {
    let mut listing = Listing::new(&[
        ("id", "Id"),
        ("name", "Name"),
        ("host", "Receiver"),
        ("enabled", "Enabled"),
        ("waiting", "Waiting"),
        ("delivered", "Delivered"),
        ("failed", "Failed"),
    ]);
    for endpoint in session.store.list::<ServiceEndpoint>(&Query::of::<ServiceEndpoint>()).await? {
        let mut counts = Vec::new();
        for state in [EventState::Waiting, EventState::Delivered, EventState::Failed] {
            let query = events(&endpoint).filter(Filter::eq(Event::C.state, state));
            counts.push(json!(session.store.count(&query).await?));
        }
        // The path may be what lets us in.
        let host = endpoint.url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
        let mut row = vec![json!(endpoint.id.to_string()), json!(endpoint.name), json!(host), json!(endpoint.enabled)];
        row.append(&mut counts);
        listing.rows.push(row);
    }
    listing.print(json);
    Ok(())
}

async fn show(session: &Session, webhook: &str, top: usize, json: bool) -> Result<()> {
    let endpoint = find::endpoint(&session.store, webhook).await?;
    let mut listing = Listing::new(&[
        ("id", "Id"),
        ("occurred", "Occurred"),
        ("message", "Message"),
        ("table", "Table"),
        ("row", "Row"),
        ("state", "State"),
        ("attempts", "Attempts"),
        ("status", "Status"),
        ("next", "Next Attempt"),
        ("answer", "Last Answer"),
    ]);
    let mut query = events(&endpoint).limit(top);
    let order: Col<i64> = Event::C.order;
    query.order = vec![Order { column: order.name.into(), descending: true }];
    for event in session.store.list::<Event>(&query).await? {
        let time = |at: Option<model::Timestamp>| at.map_or(Value::Null, |at| json!(at.to_string()));
        listing.rows.push(vec![
            json!(event.id.to_string()),
            time(event.occurred),
            json!(event.message),
            json!(event.table),
            json!(event.row.map(|row| row.to_string())),
            json!(event.state.label()),
            json!(event.attempts),
            json!(event.status),
            time(event.next_run),
            json!(event.answer.chars().take(200).collect::<String>()),
        ]);
    }
    listing.print(json);
    Ok(())
}

async fn replay(session: &Session, webhook: &str, id: Option<String>) -> Result<()> {
    let endpoint = find::endpoint(&session.store, webhook).await?;
    let context = session.context().await?;
    let Some(id) = id else {
        let sent = actions::webhook::replay_failed(&context, endpoint.id).await?;
        output::line(&format!("{sent} events are sent again."));
        return Ok(());
    };
    let id = id.parse().with_context(|| format!("'{id}' is not the id of an event"))?;
    let event = session.store.load::<Event>(id).await?;
    if event.is_none_or(|event| event.endpoint.is_none_or(|e| e.id != endpoint.id)) {
        bail!("webhook '{}' has no event {id}", endpoint.name);
    }
    actions::webhook::replay(&context, id).await?;
    output::line("1 event is sent again.");
    Ok(())
}

async fn test(session: &Session, webhook: &str, json: bool) -> Result<()> {
    const LOOKS: usize = 80;
    let endpoint = find::endpoint(&session.store, webhook).await?;
    let id = actions::webhook::test(&session.context().await?, endpoint.id).await?;
    for _ in 0..LOOKS {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let event = session.store.load::<Event>(id).await?.context("the event was deleted meanwhile")?;
        if event.status.is_none() && event.answer.is_empty() && event.state == EventState::Waiting {
            continue;
        }
        output::record(
            &[("state", json!(event.state.label())), ("status", json!(event.status)), ("answer", json!(event.answer))],
            json,
        );
        return if event.state == EventState::Delivered { Ok(()) } else { bail!("the receiver did not take it") };
    }
    bail!("nothing was sent within 40 s: is the service running, and the webhook enabled?")
}
