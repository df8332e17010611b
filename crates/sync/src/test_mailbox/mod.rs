//! Test & Enable: really connects, reads and sends, and writes down what each
//! step saw.

use connectors::net::Stream;
use connectors::{Envelope, SendMail};
use model::outgoing::OutgoingMail;
use model::probe::{ProbeReport, Recorder, Tell};
use model::tables::Mailbox;
use model::work::Workload;
use model::{Address, Failure, FailureKind, Lease, Step, id};
use rules::mailbox_test::{self, TestResults};

use crate::engine::Loaded;
use crate::route::{self, Direction, Incoming};
use crate::worker::Progress;
use crate::{Engine, SyncError, receive};

mod arrival;
mod progress;

use progress::Taken;

/// The folder in which the test's own message arrives.
const INBOX: &str = "INBOX";
/// The mark by which receiving recognizes a test's message.
const MARK: &str = "X-Postroom-Test";

pub(crate) async fn run(engine: &Engine, loaded: &Loaded, lease: Lease) -> Result<Progress, SyncError> {
    progress::forget(engine, loaded, lease).await?;
    let (taken, steps) = tokio::sync::mpsc::unbounded_channel();
    let (results, ()) =
        tokio::join!(try_out(engine, loaded, taken), progress::write_down(engine, loaded, lease, steps));
    let results = results?;
    for (report, direction) in [(&results.incoming, Direction::Incoming), (&results.outgoing, Direction::Outgoing)] {
        if let Some(report) = report {
            let server = engine.server_name(loaded, direction);
            engine.note_server(loaded, &server, report.failure.as_ref()).await?;
        }
    }
    // The record may have been changed while the servers were being asked.
    let loaded = engine.load(lease.mailbox).await?;
    let conclusion =
        mailbox_test::conclude(&loaded.mailbox, &loaded.profile, &loaded.organization, &results, engine.now());
    receive::commit(engine, &loaded, lease, conclusion.changes, Vec::new()).await?;
    Ok(Progress { found: 1, wake: conclusion.again, ..Progress::default() })
}

/// Both routes, one after the other, each step told as it is taken.
async fn try_out(
    engine: &Engine,
    loaded: &Loaded,
    taken: tokio::sync::mpsc::UnboundedSender<Taken>,
) -> Result<TestResults, SyncError> {
    let told = |route: Workload| {
        let taken = taken.clone();
        move |step: &model::probe::ProbeStep, failure: Option<&Failure>| {
            // Nobody listens any more when what is said cannot be written down.
            let _ = taken.send(Taken { route, step: step.clone(), failure: failure.cloned() });
        }
    };
    let plan = mailbox_test::plan(&loaded.mailbox);
    let incoming = if plan.incoming { Some(incoming(engine, loaded, &told(Workload::Incoming)).await?) } else { None };
    let readable = incoming.as_ref().is_some_and(ProbeReport::is_success);
    let outgoing = if plan.outgoing {
        let wait = plan.wait_for_arrival && readable;
        Some(outgoing(engine, loaded, wait, &told(Workload::Outgoing)).await?)
    } else {
        None
    };
    Ok(TestResults { incoming, outgoing })
}

/// A report that consists of a fault in the records.
fn not_ready(error: &SyncError, during: Step, tell: Tell<'_>) -> ProbeReport {
    let mut report = Recorder::telling(tell);
    report.failed(failure(error, during));
    report.into_report()
}

fn failure(error: &SyncError, during: Step) -> Failure {
    match error {
        SyncError::Server(failure) => failure.clone(),
        other => Failure::new(FailureKind::Misconfigured, during, other.to_string()),
    }
}

/// Fails only when all connections of the profile are in use: the test waits.
async fn incoming(engine: &Engine, loaded: &Loaded, tell: Tell<'_>) -> Result<ProbeReport, SyncError> {
    let protocol = match route::incoming_protocol(&loaded.profile) {
        Ok(protocol) => protocol,
        Err(error) => return Ok(not_ready(&error, Step::Resolve, tell)),
    };
    let route = match engine.route(loaded, Direction::Incoming).await {
        Ok(route) => route,
        Err(error) => return Ok(not_ready(&error, Step::LogIn, tell)),
    };
    let Some(credentials) = &route.credentials else {
        let error = SyncError::NotReady("mailboxes cannot be read without credentials".into());
        return Ok(not_ready(&error, Step::LogIn, tell));
    };
    let _permit = engine.connection(loaded, &route.endpoint.host).await?;
    Ok(match protocol {
        Incoming::Imap => {
            connectors::imap::probe(&engine.dialer, &route.endpoint, credentials, INBOX, None, tell).await
        }
        Incoming::Pop3 => connectors::pop3::probe(&engine.dialer, &route.endpoint, credentials, tell).await,
    })
}

/// Logs in, sends a message from the mailbox to itself and, where it is read
/// by us, waits for it and removes it.
async fn outgoing(engine: &Engine, loaded: &Loaded, wait: bool, tell: Tell<'_>) -> Result<ProbeReport, SyncError> {
    let route = match engine.route(loaded, Direction::Outgoing).await {
        Ok(route) => route,
        Err(error) => return Ok(not_ready(&error, Step::LogIn, tell)),
    };
    let permit = engine.connection(loaded, &route.endpoint.host).await?;
    let options = connectors::smtp::Options::default();
    let mut report = Recorder::telling(tell);
    let session =
        connectors::smtp::probe(&engine.dialer, &route.endpoint, route.credentials.as_ref(), &options, &mut report);
    let Some(mut session) = session.await else { return Ok(report.into_report()) };
    let message_id = send(engine, &loaded.mailbox, &mut session, &mut report).await;
    session.quit().await;
    drop(permit);
    if let (true, Some(message_id)) = (wait, message_id) {
        arrival::find_again(engine, loaded, &message_id, &mut report).await;
    }
    Ok(report.into_report())
}

async fn send(
    engine: &Engine,
    mailbox: &Mailbox,
    session: &mut connectors::smtp::Session<Stream>,
    report: &mut Recorder<'_>,
) -> Option<String> {
    let now = engine.now();
    let domain = mailbox.address.rsplit_once('@').map_or("localhost", |(_, domain)| domain);
    let unique = id::derived(now, &[b"test", mailbox.id.as_bytes(), &now.as_nanosecond().to_be_bytes()]);
    let message_id = format!("<test.{}@{domain}>", unique.simple());
    let own = Address::new(mailbox.name.clone(), mailbox.address.clone());
    let mail = OutgoingMail {
        message_id: message_id.clone(),
        date: now,
        from: own.clone(),
        to: vec![own],
        subject: "Your mailbox is now connected to Postroom".into(),
        html: "<p>This message was sent by Test &amp; Enable Mailbox. It shows that email can be sent from this mailbox and arrives in it. It may be deleted.</p>".into(),
        fields: vec![(MARK.into(), mailbox.id.to_string()), ("Auto-Submitted".into(), "auto-generated".into())],
        ..OutgoingMail::default()
    };
    let written = match formats::mime::write(&mail) {
        Ok(written) => written,
        Err(error) => {
            report.failed(Failure::new(FailureKind::Misconfigured, Step::Send, error.to_string()));
            return None;
        }
    };
    let envelope = Envelope {
        from: mailbox.address.clone(),
        to: vec![mailbox.address.clone()],
        utf8: written.needs_utf8,
        dsn: None,
    };
    match session.send(&envelope, &written.bytes).await {
        Ok(receipt) => {
            report.passed(
                Step::Send,
                format!("sent a message to {}; the server said \"{}\"", mailbox.address, receipt.reply),
            );
            Some(message_id)
        }
        Err(failure) => {
            report.failed(failure);
            None
        }
    }
}
