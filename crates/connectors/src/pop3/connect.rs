//! From an endpoint to a logged-in session, step by step.

use model::probe::{ProbeReport, Recorder, Tell};
use model::{Failure, FailureKind, Step};

use super::greeted::Greeted;
use super::session::Session;
use crate::net::{Dialer, Endpoint, Stream};
use crate::sasl::Credentials;

/// Resolves, connects, negotiates TLS, greets and logs in.
pub async fn connect(
    dialer: &Dialer,
    endpoint: &Endpoint,
    credentials: &Credentials,
) -> Result<Session<Stream>, Failure> {
    open(dialer, endpoint, credentials, &mut Recorder::silent()).await
}

/// The same, then opens the mailbox and reads the newest message's header, with every step reported.
pub async fn probe(dialer: &Dialer, endpoint: &Endpoint, credentials: &Credentials, tell: Tell<'_>) -> ProbeReport {
    let mut report = Recorder::telling(tell);
    if let Err(failure) = try_out(dialer, endpoint, credentials, &mut report).await {
        report.failed(failure);
    }
    report.into_report()
}

/// Resolves, connects and secures, and says how the server greets. Nobody logs in.
pub async fn hello(dialer: &Dialer, endpoint: &Endpoint) -> Result<String, Failure> {
    let greeted = greet(dialer, endpoint, &mut Recorder::silent()).await?;
    Ok(greeted.greeting().to_owned())
}

async fn try_out(
    dialer: &Dialer,
    endpoint: &Endpoint,
    credentials: &Credentials,
    report: &mut Recorder<'_>,
) -> Result<(), Failure> {
    let mut session = open(dialer, endpoint, credentials, report).await?;
    let (messages, octets) = session.stat().await?;
    report.passed(Step::Open, format!("the mailbox has {messages} messages of {octets} octets"));
    let said = session.try_reading().await?;
    report.passed(Step::Read, said);
    crate::ReadMail::log_out(session).await;
    Ok(())
}

async fn open(
    dialer: &Dialer,
    endpoint: &Endpoint,
    credentials: &Credentials,
    report: &mut Recorder<'_>,
) -> Result<Session<Stream>, Failure> {
    let greeted = greet(dialer, endpoint, report).await?;
    let (session, way) = greeted.log_in(credentials).await?;
    report.passed(Step::LogIn, format!("logged in with {way}"));
    Ok(session)
}

async fn greet(dialer: &Dialer, endpoint: &Endpoint, report: &mut Recorder<'_>) -> Result<Greeted<Stream>, Failure> {
    let dialed = dialer.connect_reporting(endpoint, report).await?;
    let wait = endpoint.command_timeout;
    // What is not secured and need not be is what the operator allows in clear text.
    let mut greeted = Greeted::begin(dialed.stream, !dialed.must_start_tls, wait)
        .await
        .map_err(|failure| if dialed.secured { failure } else { perhaps_implicit_tls(failure) })?;
    let greeting = greeted.greeting().to_owned();
    if dialed.must_start_tls {
        let (stream, transcript) = greeted.start_tls().await?;
        let stream = dialer.start_tls(stream, &endpoint.host, endpoint.connect_timeout).await?;
        let summary = stream.tls_summary().unwrap_or_default();
        greeted = Greeted::begin_again(stream, wait, transcript).await?;
        report.passed(Step::Tls, format!("STLS: {summary}"));
    }
    report.passed(Step::Greeting, format!("the server said \"+OK {greeting}\""));
    Ok(greeted)
}

/// A server that waits for TLS says nothing, and we would wait for its greeting forever.
fn perhaps_implicit_tls(mut failure: Failure) -> Failure {
    if failure.kind == FailureKind::Temporary && failure.during == Step::Greeting {
        failure.detail.push_str("; if this port wants TLS from the start, choose TLS in the profile");
    }
    failure
}
