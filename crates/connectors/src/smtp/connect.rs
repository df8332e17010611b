//! From an endpoint to a session that is ready to send, step by step.

use model::probe::Recorder;
use model::{Failure, FailureKind, Step};

use super::Options;
use super::capabilities::Capabilities;
use super::session::Session;
use crate::net::{Dialer, Endpoint, Stream};
use crate::sasl::Credentials;

/// Resolves, connects, negotiates TLS, greets, and logs in where there are credentials.
pub async fn connect(
    dialer: &Dialer,
    endpoint: &Endpoint,
    credentials: Option<&Credentials>,
    options: &Options,
) -> Result<Session<Stream>, Failure> {
    open(dialer, endpoint, credentials, options, &mut Recorder::silent()).await
}

/// The same, with every step reported. Where all went well, the session comes along: sending the
/// test message is the caller's.
pub async fn probe(
    dialer: &Dialer,
    endpoint: &Endpoint,
    credentials: Option<&Credentials>,
    options: &Options,
    report: &mut Recorder<'_>,
) -> Option<Session<Stream>> {
    match open(dialer, endpoint, credentials, options, report).await {
        Ok(session) => Some(session),
        Err(failure) => {
            report.failed(failure);
            None
        }
    }
}

/// Resolves, connects and secures, and says how the server greets. Nobody logs in.
pub async fn hello(dialer: &Dialer, endpoint: &Endpoint) -> Result<String, Failure> {
    let session = open(dialer, endpoint, None, &Options::default(), &mut Recorder::silent()).await?;
    let words = session.greeting().to_owned();
    session.quit().await;
    Ok(words)
}

async fn open(
    dialer: &Dialer,
    endpoint: &Endpoint,
    credentials: Option<&Credentials>,
    options: &Options,
    report: &mut Recorder<'_>,
) -> Result<Session<Stream>, Failure> {
    let dialed = dialer.connect_reporting(endpoint, report).await?;
    let wait = endpoint.command_timeout;
    // What is not secured and need not be is what the operator allows in clear text.
    let may_say_secrets = !dialed.must_start_tls;
    let mut session = Session::begin(dialed.stream, may_say_secrets, wait, options)
        .await
        .map_err(|failure| if dialed.secured { failure } else { perhaps_implicit_tls(failure) })?;
    let mut greeting = format!("the server said \"{}\"", session.greeting());
    if dialed.must_start_tls {
        let (stream, transcript) = session.start_tls().await?;
        let stream = dialer.start_tls(stream, &endpoint.host, endpoint.connect_timeout).await?;
        let summary = stream.tls_summary().unwrap_or_default();
        session = Session::begin_again(stream, wait, options, transcript).await?;
        report.passed(Step::Tls, format!("STARTTLS: {summary}"));
    }
    greeting.push_str(&format!(" and offers {}", in_words(session.capabilities())));
    report.passed(Step::Greeting, greeting);
    match credentials {
        Some(credentials) => {
            let mechanism = session.log_in(credentials).await?;
            report.passed(Step::LogIn, format!("logged in with {mechanism}"));
        }
        None => report.passed(Step::LogIn, "no log in, as set"),
    }
    Ok(session)
}

/// A server that waits for TLS says nothing, and we would wait for its greeting forever.
fn perhaps_implicit_tls(mut failure: Failure) -> Failure {
    if failure.kind == FailureKind::Temporary && failure.code.is_none() {
        failure.detail.push_str("; if this port wants TLS from the start, choose TLS in the profile");
    }
    failure
}

fn in_words(offered: &Capabilities) -> String {
    let mut words = Vec::new();
    let known = [
        (offered.pipelining, "PIPELINING"),
        (offered.eight_bit_mime, "8BITMIME"),
        (offered.smtp_utf8, "SMTPUTF8"),
        (offered.dsn, "DSN"),
    ];
    words.extend(known.iter().filter(|(there, _)| *there).map(|(_, name)| (*name).to_owned()));
    if let Some(limit) = offered.max_size {
        words.push(format!("SIZE {limit}"));
    }
    if !offered.auth.is_empty() {
        words.push(format!("AUTH {}", offered.auth.join(" ")));
    }
    if words.is_empty() { "no extensions".to_owned() } else { words.join(", ") }
}
