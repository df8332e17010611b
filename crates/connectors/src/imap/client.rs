//! Before and during the login: greeting, STARTTLS, authentication.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use model::{Failure, FailureKind, Step};
use tokio::io::{AsyncRead, AsyncWrite};

use super::capabilities::Capabilities;
use super::codes;
use super::engine::{Command, Done, Engine, Event};
use super::session::Session;
use super::wire::{NoLiterals, Response, Status};
use crate::sasl::{Credentials, Mechanism};

/// What the greeting made of the connection.
pub enum Greeting<S> {
    /// `OK`: we have to log in.
    Client(Client<S>),
    /// `PREAUTH`: the server knows us already.
    Session(Session<S>),
}

/// A connection whose greeting has been read and which is not logged in.
pub struct Client<S> {
    engine: Engine<S>,
    greeting: String,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Client<S> {
    /// Reads the greeting. `patience` is how long the server may be silent,
    /// now and later.
    pub async fn greet(stream: S, patience: Duration) -> Result<Greeting<S>, Failure> {
        let mut engine = Engine::new(stream, patience);
        let during = Step::Greeting;
        if let Err(error) = engine.wire.read(&mut NoLiterals).await {
            return Err(engine.broke(during, &error));
        }
        engine.heard.transcript.received(engine.wire.raw());
        let (status, words, refused) = match engine.wire.response() {
            Response::Status { status: status @ (Status::Ok | Status::PreAuth), code, text } => {
                if let Some(code) = code.filter(|c| c.is("CAPABILITY")) {
                    engine.heard.capabilities = Capabilities::parse(code.arguments);
                    engine.heard.capabilities_fresh = true;
                }
                (status, codes::shown(text), None)
            }
            Response::Status { status, code, text } => {
                // A greeting that is no greeting: usually BYE, always the server's trouble.
                let mut failure = codes::failure(during, status, code, text);
                failure.kind = FailureKind::Temporary;
                (status, String::new(), Some(failure))
            }
            _ => {
                let said = codes::shown(engine.wire.raw());
                let detail = format!("this is not an IMAP server; it greets with \"{said}\"");
                (Status::Bad, String::new(), Some(Failure::garbled(during, detail)))
            }
        };
        if let Some(failure) = refused {
            return Err(failure.with_transcript(engine.heard.transcript.lines()));
        }
        if !engine.heard.capabilities_fresh {
            ask_capabilities(&mut engine, during).await?;
        }
        if status == Status::PreAuth {
            return Ok(Greeting::Session(Session::new(engine, words)));
        }
        Ok(Greeting::Client(Self { engine, greeting: words }))
    }

    pub fn capabilities(&self) -> &Capabilities {
        &self.engine.heard.capabilities
    }

    /// The stream below.
    pub fn stream(&self) -> Option<&S> {
        self.engine.wire.transport.plain()
    }

    /// The server's words of welcome.
    pub fn greeting(&self) -> &str {
        &self.greeting
    }

    /// Asks for TLS and gives the stream back, on which TLS is to be
    /// negotiated now. Then: [`Client::after_tls`].
    pub async fn start_tls(mut self) -> Result<S, Failure> {
        let during = Step::Tls;
        if !self.capabilities().starttls {
            let detail = "the server offers no STARTTLS on this port; use the port for TLS (993), or another server";
            return Err(Failure::new(FailureKind::Misconfigured, during, detail)
                .with_transcript(self.engine.heard.transcript.lines()));
        }
        self.engine.run(during, "STARTTLS", &mut NoLiterals).await?.ok()?;
        // What came with the answer came before TLS, from whoever sits in between (CVE-2011-0411).
        if self.engine.wire.has_unread() {
            return Err(self.engine.confused(during, "somebody put words into the connection before TLS began"));
        }
        self.engine.wire.into_stream().ok_or_else(|| Failure::garbled(during, "no stream to put TLS on"))
    }

    /// Goes on under TLS. Nothing that was said before counts any more.
    pub async fn after_tls(stream: S, patience: Duration, greeting: String) -> Result<Self, Failure> {
        let mut engine = Engine::new(stream, patience);
        engine.heard.transcript.note("TLS established");
        ask_capabilities(&mut engine, Step::Greeting).await?;
        Ok(Self { engine, greeting })
    }

    /// Logs in by the best mechanism that the server has, or by `LOGIN`.
    /// `clear_text_ok`: the stream is under TLS, or the operator allows
    /// passwords in clear text.
    pub async fn log_in(mut self, credentials: &Credentials, clear_text_ok: bool) -> Result<Session<S>, Failure> {
        let offered: Vec<&str> = self.engine.heard.capabilities.auth.iter().map(String::as_str).collect();
        let mechanism = Mechanism::choose(&offered, credentials, clear_text_ok);
        self.engine.heard.capabilities_fresh = false;
        let done = match (mechanism, credentials) {
            (Some(mechanism), _) => self.authenticate(mechanism).await?,
            (None, Credentials::Password { user, password })
                if clear_text_ok && !self.engine.heard.capabilities.login_disabled =>
            {
                let command = Command::new("LOGIN").string(user).secret(password.expose());
                self.engine.run_with_literals(Step::LogIn, &command, &mut NoLiterals).await?.ok()?
            }
            _ => return Err(self.no_way(credentials, clear_text_ok)),
        };
        if !self.engine.heard.capabilities_fresh {
            ask_capabilities(&mut self.engine, Step::LogIn).await?;
        }
        Ok(Session::new(self.engine, done.text))
    }

    async fn authenticate(&mut self, mut mechanism: Mechanism) -> Result<Done, Failure> {
        let during = Step::LogIn;
        let name = mechanism.name();
        let initial = if self.capabilities().sasl_ir { mechanism.initial() } else { None };
        let tag = match initial {
            Some(response) => {
                let response = if response.is_empty() { "=".to_owned() } else { BASE64.encode(response) };
                let shown = format!("AUTHENTICATE {name} ***");
                self.engine.queue_shown(&format!("AUTHENTICATE {name} {response}"), &shown)
            }
            None => self.engine.queue(&format!("AUTHENTICATE {name}")),
        };
        self.engine.flush(during).await?;
        loop {
            match self.engine.event(during, &mut NoLiterals).await? {
                Event::Continue(challenge) => {
                    let answer = answer(&mut mechanism, &challenge);
                    let answer = match answer {
                        Ok(answer) => answer,
                        Err(failure) => return Err(self.cancel(failure).await),
                    };
                    self.engine.wire.queue(BASE64.encode(answer).as_bytes());
                    self.engine.wire.queue(b"\r\n");
                    self.engine.heard.transcript.sent("***");
                    self.engine.flush(during).await?;
                }
                Event::Done(done) if done.tag == tag => {
                    let done = done.ok().map_err(|f| with_refusal(f, &mechanism))?;
                    mechanism.finish().map_err(|f| f.with_transcript(self.engine.heard.transcript.lines()))?;
                    return Ok(done);
                }
                Event::Done(_) | Event::Untagged => {}
            }
        }
    }

    /// Ends the exchange; what the server says to that is of no interest.
    async fn cancel(&mut self, failure: Failure) -> Failure {
        self.engine.wire.queue(b"*\r\n");
        let _ended = self.engine.flush(Step::LogIn).await;
        self.engine.set_broken();
        failure.with_transcript(self.engine.heard.transcript.lines())
    }

    fn no_way(&self, credentials: &Credentials, clear_text_ok: bool) -> Failure {
        let offered = &self.engine.heard.capabilities.auth;
        let offered = if offered.is_empty() { "none".to_owned() } else { offered.join(", ") };
        let detail = match credentials {
            Credentials::OAuth { .. } => {
                format!("the server accepts no access tokens (it offers: {offered}); use a password")
            }
            Credentials::Password { .. } if !clear_text_ok => {
                format!("without TLS the server offers no login that hides the password (it offers: {offered})")
            }
            Credentials::Password { .. } => format!("the server accepts no passwords (it offers: {offered})"),
        };
        Failure::new(FailureKind::Misconfigured, Step::LogIn, detail)
            .with_transcript(self.engine.heard.transcript.lines())
    }
}

fn answer(mechanism: &mut Mechanism, challenge: &[u8]) -> Result<Vec<u8>, Failure> {
    let text = challenge.trim_ascii();
    // Some servers put words where an empty challenge belongs.
    let decoded = BASE64.decode(text).or_else(|_| match mechanism.name() {
        "SCRAM-SHA-256" => Err(Failure::garbled(Step::LogIn, "the server's challenge is not base64")),
        _ => Ok(Vec::new()),
    })?;
    mechanism.step(&decoded)
}

/// The reason in JSON says more than `AUTHENTICATE failed`.
fn with_refusal(mut failure: Failure, mechanism: &Mechanism) -> Failure {
    if let Some(refusal) = mechanism.refusal() {
        failure.detail.push_str(&format!(" (before that the server said: {refusal})"));
    }
    failure
}

pub(super) async fn ask_capabilities<S: AsyncRead + AsyncWrite + Unpin + Send>(
    engine: &mut Engine<S>,
    during: Step,
) -> Result<(), Failure> {
    engine.run(during, "CAPABILITY", &mut NoLiterals).await?.ok()?;
    Ok(())
}

#[cfg(test)]
mod tests;
