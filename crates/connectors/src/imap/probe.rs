//! Testing an account: every step, and what the server said to it.

use model::probe::{ProbeReport, Recorder, Tell};
use model::{Failure, Step};
use tokio::io::{AsyncRead, AsyncWrite};

use super::client::Greeting;
use super::codes;
use super::engine::Listen;
use super::session::{Options, Session};
use super::wire::{Body, Response};
use crate::net::{Dialer, Endpoint, Stream};
use crate::sasl::Credentials;

/// Resolves, connects, secures, logs in, opens `folder` and reads the header of
/// the newest message. The report has one line for each step, each told as it
/// is taken, and ends with the first that failed.
pub async fn probe(
    dialer: &Dialer,
    endpoint: &Endpoint,
    credentials: &Credentials,
    folder: &str,
    options: Option<Options>,
    tell: Tell<'_>,
) -> ProbeReport {
    let mut report = Recorder::telling(tell);
    if let Err(failure) = try_all(dialer, endpoint, credentials, folder, options, &mut report).await {
        report.failed(failure);
    }
    report.into_report()
}

/// Resolves, connects and secures, and says how the server greets. Nobody logs in.
pub async fn hello(dialer: &Dialer, endpoint: &Endpoint) -> Result<String, Failure> {
    let dialed = dialer.connect(endpoint).await?;
    match super::greet(dialer, endpoint, dialed).await? {
        Greeting::Client(client) => Ok(client.greeting().to_owned()),
        Greeting::Session(session) => {
            let words = session.welcome().to_owned();
            session.log_out().await;
            Ok(words)
        }
    }
}

async fn try_all(
    dialer: &Dialer,
    endpoint: &Endpoint,
    credentials: &Credentials,
    folder: &str,
    options: Option<Options>,
    report: &mut Recorder<'_>,
) -> Result<(), Failure> {
    let dialed = dialer.connect_reporting(endpoint, report).await?;
    let options = options.unwrap_or_else(|| Options::for_stream(&dialed.stream));
    let must_start_tls = dialed.must_start_tls;
    let greeted = super::greet(dialer, endpoint, dialed).await?;
    let mut session: Session<Stream> = match greeted {
        Greeting::Client(client) => {
            if must_start_tls {
                report.passed(Step::Tls, client.tls_summary().unwrap_or_default());
            }
            report.passed(Step::Greeting, format!("the server says \"{}\"", client.greeting()));
            client.log_in(credentials, true).await?
        }
        Greeting::Session(session) => {
            report.passed(Step::Greeting, format!("the server knows us already: \"{}\"", session.welcome()));
            session
        }
    };
    session.settle_in(options).await?;
    report.passed(Step::LogIn, format!("logged in as {}: \"{}\"", credentials.user(), session.welcome()));
    let messages = session.examine(folder).await?.exists;
    report.passed(Step::Open, format!("'{folder}' has {messages} messages"));
    report.passed(Step::Read, session.read_newest().await?);
    session.log_out().await;
    Ok(())
}

impl super::client::Client<Stream> {
    /// What TLS was negotiated.
    fn tls_summary(&self) -> Option<String> {
        self.stream().and_then(Stream::tls_summary)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Session<S> {
    /// Reads the header of the newest message and says so in words.
    pub(super) async fn read_newest(&mut self) -> Result<String, Failure> {
        if self.open_folder().is_none_or(|open| open.exists == 0) {
            return Ok("there is nothing to read yet".to_owned());
        }
        let mut octets = None;
        let mut listen = Listen(|response: &Response<'_>| {
            if let Response::Fetch { items, .. } = response {
                match &items.header {
                    Some(Body::Inline(header)) => octets = Some(header.len() as u64),
                    Some(Body::Streamed(size)) => octets = Some(*size),
                    _ => {}
                }
            }
        });
        let done = self.engine.run(Step::Read, "FETCH * (UID BODY.PEEK[HEADER])", &mut listen).await?.ok()?;
        match octets {
            Some(octets) => Ok(format!("the header of the newest message has been read ({octets} octets)")),
            None => {
                let said = codes::shown(done.text.as_bytes());
                let detail = format!("the server delivers no header of the newest message; it says \"{said}\"");
                Err(Failure::garbled(Step::Read, detail).with_transcript(self.transcript()))
            }
        }
    }
}
