//! `postroom mailbox list|show|approve|test|process`.

use std::time::Duration;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use model::tables::{self, EmailServerProfile, TestStatus, WorkItem};
use model::work::Workload;
use model::{Clock, Filter, Id, Query, Ref, SignedDuration};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{Common, find};
use crate::clock::SystemClock;
use crate::output::{self, Listing};
use crate::session::Session;

#[derive(Debug, Args)]
pub struct Mailbox {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// All mailboxes with methods, approval and test results.
    List,
    /// One mailbox in full. MAILBOX: address, name or id.
    Show { mailbox: String },
    /// Approve Email.
    Approve { mailbox: String },
    /// Test & Enable Mailbox; shows each step and waits for the end.
    Test { mailbox: String },
    /// Receive and send for a mailbox now.
    Process { mailbox: String },
}

impl Mailbox {
    pub async fn run(self) -> Result<()> {
        let session = Session::open(&self.common.data).await?;
        let json = self.common.json;
        match &self.verb {
            Verb::List => list(&session, json).await,
            Verb::Show { mailbox } => show(&session, mailbox, json).await,
            Verb::Approve { mailbox } => approve(&session, mailbox).await,
            Verb::Test { mailbox } => test(&session, mailbox, json).await,
            Verb::Process { mailbox } => process(&session, mailbox, json).await,
        }
    }
}

async fn list(session: &Session, json: bool) -> Result<()> {
    let query = Query::of::<tables::Mailbox>().order_by(tables::Mailbox::C.name, false);
    let mut listing = Listing::new(&[
        ("mailboxid", "Id"),
        ("name", "Name"),
        ("emailaddress", "Address"),
        ("incoming", "Incoming"),
        ("outgoing", "Outgoing"),
        ("approval", "Approval"),
        ("incomingstatus", "In"),
        ("outgoingstatus", "Out"),
        ("state", "State"),
        ("error", "Last error"),
    ]);
    for mailbox in session.store.list::<tables::Mailbox>(&query).await? {
        let id = mailbox.id.to_string();
        listing.rows.push(vec![
            json!(if json { &id } else { &id[..8] }),
            json!(mailbox.name),
            json!(mailbox.address),
            json!(mailbox.incoming.label()),
            json!(mailbox.outgoing.label()),
            json!(mailbox.approval.label()),
            json!(mailbox.incoming_status.label()),
            json!(mailbox.outgoing_status.label()),
            json!(mailbox.state.label()),
            json!(mailbox.last_error),
        ]);
    }
    listing.print(json);
    Ok(())
}

async fn show(session: &Session, name: &str, json: bool) -> Result<()> {
    let mailbox = find::mailbox(&session.store, name).await?;
    let profile = match mailbox.profile {
        Some(profile) => session.store.load::<EmailServerProfile>(profile.id).await?.map(|p| p.name),
        None => None,
    };
    let time = |at: Option<model::Timestamp>| at.map_or(Value::Null, |at| json!(at.to_string()));
    let mut pairs = vec![
        ("mailboxid", json!(mailbox.id.to_string())),
        ("name", json!(mailbox.name)),
        ("emailaddress", json!(mailbox.address)),
        ("regarding", mailbox.regarding.map_or(Value::Null, |r| json!(r.to_string()))),
        ("isforwardmailbox", json!(mailbox.is_forward)),
        ("processanddeleteemails", json!(mailbox.delete_after)),
        ("emailserverprofile", json!(profile)),
        ("incoming", json!(mailbox.incoming.label())),
        ("outgoing", json!(mailbox.outgoing.label())),
        ("appointments, contacts, tasks", json!(mailbox.act.label())),
        ("approval", json!(mailbox.approval.label())),
        ("username", json!(mailbox.user_name)),
        ("password set", json!(mailbox.password_set)),
        ("incomingemailstatus", json!(mailbox.incoming_status.label())),
        ("outgoingemailstatus", json!(mailbox.outgoing_status.label())),
        ("enabledforincomingemail", json!(mailbox.enabled_incoming)),
        ("enabledforoutgoingemail", json!(mailbox.enabled_outgoing)),
        ("test completed on", time(mailbox.test_completed_on)),
        ("last successful sync", time(mailbox.last_sync_completed)),
        ("lastsyncerror", json!(mailbox.last_error)),
        ("state", json!(mailbox.state.label())),
    ];
    let items = Query::of::<WorkItem>().filter(Filter::eq(WorkItem::C.mailbox, Some(Ref::new("mailbox", mailbox.id))));
    for item in session.store.list::<WorkItem>(&items).await? {
        let label = match item.workload {
            Workload::Incoming => "next run, incoming",
            Workload::Outgoing => "next run, outgoing",
            Workload::Test => "next run, test",
        };
        pairs.push((label, time(item.next_run)));
    }
    pairs.push(("test log", json!(mailbox.test_log)));
    output::record(&pairs, json);
    Ok(())
}

async fn approve(session: &Session, name: &str) -> Result<()> {
    let mailbox = find::mailbox(&session.store, name).await?;
    actions::mailbox::approve(&session.context().await?, mailbox.id).await?;
    output::note(&format!("{} is approved; run `postroom mailbox test {0}` next", mailbox.address));
    Ok(())
}

async fn test(session: &Session, name: &str, json: bool) -> Result<()> {
    let mailbox = find::mailbox(&session.store, name).await?;
    actions::mailbox::test(&session.context().await?, mailbox.id).await?;
    run_or_wait(session, mailbox.id, Workload::Test).await?;
    let began = Instant::now();
    let tested = loop {
        let now = session.store.load::<tables::Mailbox>(mailbox.id).await?;
        match now {
            Some(row) if !row.test_scheduled => break row,
            None => bail!("the mailbox was deleted while it was being tested"),
            Some(_) if began.elapsed() > Duration::from_secs(300) => {
                bail!("the test has not ended after five minutes; see `postroom mailbox show {name}`")
            }
            Some(_) => sleep(Duration::from_millis(200)).await,
        }
    };
    if json {
        output::record(
            &[
                ("incomingemailstatus", json!(tested.incoming_status.number())),
                ("outgoingemailstatus", json!(tested.outgoing_status.number())),
                ("log", json!(tested.test_log.lines().collect::<Vec<_>>())),
            ],
            true,
        );
    } else {
        output::line(&tested.test_log);
        output::line(&format!(
            "incoming: {}, outgoing: {}",
            tested.incoming_status.label(),
            tested.outgoing_status.label()
        ));
    }
    if [tested.incoming_status, tested.outgoing_status].contains(&TestStatus::Failure) {
        bail!("the test failed; the lines above say where and what to do");
    }
    Ok(())
}

async fn process(session: &Session, name: &str, json: bool) -> Result<()> {
    let mailbox = find::mailbox(&session.store, name).await?;
    let engine = session.engine()?;
    let mut rows = Vec::new();
    for workload in [Workload::Incoming, Workload::Outgoing] {
        let said = loop {
            match sync::run_once(&engine, mailbox.id, workload).await {
                Ok(progress) if progress.more => output::note(&format!("{} so far …", progress.found)),
                Ok(progress) => break format!("{} processed, {} failed", progress.found, progress.failed),
                Err(error) => break error.to_string(),
            }
        };
        rows.push((workload.as_str(), json!(said)));
    }
    output::record(&rows, json);
    Ok(())
}

/// Leaves the work to a running service; where none takes it up within three
/// seconds, does it here.
async fn run_or_wait(session: &Session, mailbox: Id, workload: Workload) -> Result<()> {
    let query = Query::of::<WorkItem>()
        .filter(Filter::eq(WorkItem::C.mailbox, Some(Ref::new("mailbox", mailbox))))
        .filter(Filter::eq(WorkItem::C.workload, workload));
    let asked = SystemClock.now();
    for _ in 0..15 {
        let item = session.store.list::<WorkItem>(&query).await?.into_iter().next();
        let taken = item.is_none_or(|item| {
            item.lease_until.is_some_and(|until| until > SystemClock.now())
                || item.next_run.is_none_or(|next| next > asked)
        });
        if taken {
            return Ok(());
        }
        sleep(Duration::from_millis(200)).await;
    }
    output::note("no running service took it up; doing it here");
    let engine = session.engine()?;
    let began = SystemClock.now();
    loop {
        match sync::run_once(&engine, mailbox, workload).await {
            Ok(progress) if progress.more => {}
            Ok(_) => return Ok(()),
            Err(sync::SyncError::Postponed { until }) if until.duration_since(began) < SignedDuration::from_mins(2) => {
                sleep(Duration::from_millis(300)).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}
