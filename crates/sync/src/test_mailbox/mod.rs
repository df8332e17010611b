//! Test & Enable: really connects, reads and sends, and writes down what each
//! step saw.

use connectors::net::Stream;
use connectors::{Envelope, SendMail};
use model::outgoing::OutgoingMail;
use model::probe::ProbeReport;
use model::tables::Mailbox;
use model::{Address, Failure, FailureKind, Lease, Step, id};
use rules::mailbox_test::{self, TestResults};

use crate::engine::Loaded;
use crate::route::{self, Direction, Incoming};
use crate::worker::Progress;
use crate::{Engine, SyncError, receive};

mod arrival;

/// The folder in which the test's own message arrives.
const INBOX: &str = "INBOX";
/// The mark by which receiving recognizes a test's message.
const MARK: &str = "X-Postroom-Test";

pub(crate) async fn run(engine: &Engine, loaded: &Loaded, lease: Lease) -> Result<Progress, SyncError> {
    let plan = mailbox_test::plan(&loaded.mailbox);
    let incoming = if plan.incoming { Some(incoming(engine, loaded).await?) } else { None };
    let readable = incoming.as_ref().is_some_and(ProbeReport::is_success);
    let outgoing =
        if plan.outgoing { Some(outgoing(engine, loaded, plan.wait_for_arrival && readable).await?) } else { None };
    for (report, direction) in [(&incoming, Direction::Incoming), (&outgoing, Direction::Outgoing)] {
        if let Some(report) = report {
            let server = engine.server_name(loaded, direction);
            engine.note_server(loaded, &server, report.failure.as_ref()).await?;
        }
    }
    let results = TestResults { incoming, outgoing };
    // The record may have been changed while the servers were being asked.
    let loaded = engine.load(lease.mailbox).await?;
    let conclusion =
        mailbox_test::conclude(&loaded.mailbox, &loaded.profile, &loaded.organization, &results, engine.now());
    receive::commit(engine, &loaded, lease, conclusion.changes, Vec::new()).await?;
    Ok(Progress { found: 1, wake: conclusion.again, ..Progress::default() })
}

/// A report that consists of a fault in the records.
fn not_ready(error: &SyncError, during: Step) -> ProbeReport {
    let mut report = ProbeReport::default();
    report.failed(match error {
        SyncError::Server(failure) => failure.clone(),
        other => Failure::new(FailureKind::Misconfigured, during, other.to_string()),
    });
    report
}

/// Fails only when all connections of the profile are in use: the test waits.
async fn incoming(engine: &Engine, loaded: &Loaded) -> Result<ProbeReport, SyncError> {
    let protocol = match route::incoming_protocol(&loaded.profile) {
        Ok(protocol) => protocol,
        Err(error) => return Ok(not_ready(&error, Step::Resolve)),
    };
    let route = match engine.route(loaded, Direction::Incoming).await {
        Ok(route) => route,
        Err(error) => return Ok(not_ready(&error, Step::LogIn)),
    };
    let Some(credentials) = &route.credentials else {
        let error = SyncError::NotReady("mailboxes cannot be read without credentials".into());
        return Ok(not_ready(&error, Step::LogIn));
    };
    let _permit = engine.connection(loaded, &route.endpoint.host).await?;
    Ok(match protocol {
        Incoming::Imap => connectors::imap::probe(&engine.dialer, &route.endpoint, credentials, INBOX, None).await,
        Incoming::Pop3 => connectors::pop3::probe(&engine.dialer, &route.endpoint, credentials).await,
    })
}

/// Logs in, sends a message from the mailbox to itself and, where it is read
/// by us, waits for it and removes it.
async fn outgoing(engine: &Engine, loaded: &Loaded, wait: bool) -> Result<ProbeReport, SyncError> {
    let route = match engine.route(loaded, Direction::Outgoing).await {
        Ok(route) => route,
        Err(error) => return Ok(not_ready(&error, Step::LogIn)),
    };
    let permit = engine.connection(loaded, &route.endpoint.host).await?;
    let options = connectors::smtp::Options::default();
    let (mut report, session) =
        connectors::smtp::probe(&engine.dialer, &route.endpoint, route.credentials.as_ref(), &options).await;
    let Some(mut session) = session.filter(|_| report.is_success()) else { return Ok(report) };
    let message_id = send(engine, &loaded.mailbox, &mut session, &mut report).await;
    session.quit().await;
    drop(permit);
    if let (true, Some(message_id)) = (wait, message_id) {
        arrival::find_again(engine, loaded, &message_id, &mut report).await;
    }
    Ok(report)
}

async fn send(
    engine: &Engine,
    mailbox: &Mailbox,
    session: &mut connectors::smtp::Session<Stream>,
    report: &mut ProbeReport,
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
