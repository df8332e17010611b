//! The conversation before the log in: greeting, CAPA, STLS, and the log in
//! itself by SASL (RFC 5034) or USER and PASS.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use model::{Failure, FailureKind, Step};
use tokio::io::{AsyncRead, AsyncWrite};
use zeroize::Zeroizing;

use super::capabilities::Capabilities;
use super::reply::Status;
use super::session::Session;
use super::wire::Wire;
use crate::net::transcript::Transcript;
use crate::sasl::{Credentials, Mechanism};

/// RFC 2449, section 4: the longest command, without its CRLF.
const COMMAND_LIMIT: usize = 253;
const MOST_QUESTIONS: usize = 8;

/// A server that has greeted. Only logging in makes a [`Session`] of it.
#[derive(Debug)]
pub struct Greeted<S> {
    wire: Wire<S>,
    capabilities: Capabilities,
    may_say_secrets: bool,
    greeting: String,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Greeted<S> {
    /// Reads the greeting and asks for the capabilities. `may_say_secrets`: the stream is
    /// encrypted, or the operator allows passwords in clear text.
    pub async fn begin(stream: S, may_say_secrets: bool, command_timeout: Duration) -> Result<Self, Failure> {
        let mut wire = Wire::new(stream, command_timeout, Transcript::new());
        let status = wire.status(Step::Greeting).await?;
        // A banner for APOP may be in there (RFC 1939, section 7): MD5 is not worth using any more.
        let greeting = wire.expect_ok(Step::Greeting, status)?;
        let capabilities = ask(&mut wire).await?;
        Ok(Self { wire, capabilities, may_say_secrets, greeting })
    }

    /// Goes on after TLS was negotiated. What was said in clear text is forgotten (RFC 2595, section 4).
    pub async fn begin_again(
        stream: S,
        command_timeout: Duration,
        mut transcript: Transcript,
    ) -> Result<Self, Failure> {
        transcript.note("TLS established");
        let mut wire = Wire::new(stream, command_timeout, transcript);
        let capabilities = ask(&mut wire).await?;
        Ok(Self { wire, capabilities, may_say_secrets: true, greeting: String::new() })
    }

    /// STLS (RFC 2595) up to the server's consent. Returns the bare stream, on which TLS comes next.
    pub async fn start_tls(mut self) -> Result<(S, Transcript), Failure> {
        if self.capabilities.known && !self.capabilities.stls {
            let detail = "the server does not offer STLS on this port, so that nothing secret can be said; choose \
                          implicit TLS (port 995) or another port";
            return Err(self.wire.end(FailureKind::Misconfigured, Step::Tls, detail));
        }
        self.wire.ok(Step::Tls, "STLS").await?;
        // Somebody in between could have put answers here, to be taken for the server's later.
        if self.wire.has_buffered() {
            let detail = "the server, or somebody in between, sent clear text after it agreed to start TLS";
            return Err(self.wire.end(FailureKind::Garbled, Step::Tls, detail));
        }
        Ok(self.wire.into_parts())
    }

    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// The text of the greeting; empty after STLS.
    pub fn greeting(&self) -> &str {
        &self.greeting
    }

    /// Logs in with the best way that both sides know. Says which it was.
    pub async fn log_in(mut self, credentials: &Credentials) -> Result<(Session<S>, &'static str), Failure> {
        let offered: Vec<_> = self.capabilities.sasl.iter().map(String::as_str).collect();
        let way = match (Mechanism::choose(&offered, credentials, self.may_say_secrets), credentials) {
            (Some(mechanism), _) => {
                let name = mechanism.name();
                self.authenticate(mechanism).await?;
                name
            }
            (None, Credentials::Password { user, password }) if self.may_say_secrets && self.may_use_user() => {
                self.user_and_pass(user, password.expose()).await?;
                "USER"
            }
            (None, _) => {
                let detail = self.no_way_in();
                return Err(self.wire.end(FailureKind::Misconfigured, Step::LogIn, detail));
            }
        };
        // More may be on offer now (RFC 2449, section 3).
        let again = ask(&mut self.wire).await?;
        let capabilities = if again.known { again } else { self.capabilities };
        Ok((Session::new(self.wire, capabilities), way))
    }

    fn may_use_user(&self) -> bool {
        self.capabilities.user || !self.capabilities.known || self.capabilities.sasl.is_empty()
    }

    fn no_way_in(&self) -> String {
        if self.capabilities.stls && !self.may_say_secrets {
            return "the server wants TLS before the log in; choose STARTTLS in the profile".to_owned();
        }
        format!(
            "none of the server's ways to log in fits the credentials: it offers {}",
            if self.capabilities.sasl.is_empty() { "USER".to_owned() } else { self.capabilities.sasl.join(", ") }
        )
    }

    async fn user_and_pass(&mut self, user: &str, password: &str) -> Result<(), Failure> {
        for (what, text) in [("user name", user), ("password", password)] {
            if text.chars().any(char::is_control) || text.is_empty() {
                let detail = format!("the {what} is empty or contains a line break, which cannot be sent");
                return Err(self.wire.end(FailureKind::Credentials, Step::LogIn, detail));
            }
        }
        let status = self.wire.command(Step::LogIn, &format!("USER {user}")).await?;
        self.wire.expect_ok(Step::LogIn, status)?;
        let line = Zeroizing::new(format!("PASS {password}"));
        let status = self.wire.secret_command(Step::LogIn, &line, "PASS ***").await?;
        self.wire.expect_ok(Step::LogIn, status)?;
        Ok(())
    }

    async fn authenticate(&mut self, mut mechanism: Mechanism) -> Result<(), Failure> {
        let name = mechanism.name();
        let mut command = Zeroizing::new(format!("AUTH {name}"));
        let mut shown = command.to_string();
        let mut waiting = mechanism.initial().map(|response| Zeroizing::new(BASE64.encode(response)));
        if let Some(response) = waiting.take_if(|response| command.len() + 1 + response.len() <= COMMAND_LIMIT) {
            command.push(' ');
            command.push_str(if response.is_empty() { "=" } else { &response });
            shown.push_str(" ***");
        }
        let mut status = self.wire.secret_command(Step::LogIn, &command, &shown).await?;
        for _ in 0..MOST_QUESTIONS {
            let question = match status {
                Status::Ok(_) => return mechanism.finish().map_err(|failure| self.give_up(failure)),
                Status::Err(..) => {
                    let said = self.wire.expect_ok(Step::LogIn, status);
                    return said.map(|_| ()).map_err(|mut failure| {
                        if let Some(words) = mechanism.refusal() {
                            failure.detail.push_str(&format!(" ({words})"));
                        }
                        failure
                    });
                }
                Status::Continue(question) => question,
            };
            let response = match waiting.take() {
                Some(response) => Ok(response),
                None => decode(&question)
                    .and_then(|challenge| Ok(Zeroizing::new(BASE64.encode(mechanism.step(&challenge)?)))),
            };
            status = match response {
                Ok(response) => self.wire.secret_command(Step::LogIn, &response, "***").await?,
                Err(failure) => {
                    // RFC 5034, section 4: cancelled by an asterisk.
                    self.wire.command(Step::LogIn, "*").await?;
                    return Err(self.give_up(failure));
                }
            };
        }
        let detail = format!("the server does not stop asking during {name}");
        Err(self.wire.end(FailureKind::Garbled, Step::LogIn, detail))
    }

    fn give_up(&mut self, failure: Failure) -> Failure {
        self.wire.close();
        failure.with_transcript(self.wire.transcript())
    }
}

/// CAPA. A server that does not know it is none the worse.
async fn ask<S: AsyncRead + AsyncWrite + Unpin + Send>(wire: &mut Wire<S>) -> Result<Capabilities, Failure> {
    match wire.command(Step::Greeting, "CAPA").await? {
        Status::Ok(_) => Ok(Capabilities::of(wire.listing(Step::Greeting).await?.lines())),
        Status::Err(..) => Ok(Capabilities::default()),
        status @ Status::Continue(_) => wire.expect_ok(Step::Greeting, status).map(|_| Capabilities::default()),
    }
}

fn decode(question: &str) -> Result<Vec<u8>, Failure> {
    BASE64.decode(question).map_err(|_| {
        Failure::garbled(Step::LogIn, format!("the server's question during the log in is not base64: \"{question}\""))
    })
}
