//! AUTH: RFC 4954.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use model::{Failure, FailureKind, Step};
use tokio::io::{AsyncRead, AsyncWrite};
use zeroize::Zeroizing;

use super::classify::Command;
use super::reply::Reply;
use super::session::Session;
use crate::sasl::{Credentials, Mechanism};

/// An initial response that makes the command longer than this has to wait for the
/// server's question (RFC 4954, section 4).
const COMMAND_LIMIT: usize = 510;
/// No mechanism of ours asks more often.
const MOST_QUESTIONS: usize = 8;

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Session<S> {
    /// Logs in with the best mechanism that both sides know. Returns its name.
    pub async fn log_in(&mut self, credentials: &Credentials) -> Result<&'static str, Failure> {
        let mut offered = self.capabilities.auth.clone();
        loop {
            let names: Vec<_> = offered.iter().map(String::as_str).collect();
            let Some(mechanism) = Mechanism::choose(&names, credentials, self.secured) else {
                let detail = no_way_in(&self.capabilities.auth, self.capabilities.start_tls, self.secured);
                return Err(Failure::new(FailureKind::Misconfigured, Step::LogIn, detail));
            };
            let name = mechanism.name();
            match self.authenticate(mechanism).await {
                Ok(()) => return Ok(name),
                // Offered, but not known after all: try the next best.
                Err(failure) if failure.code == Some(504) && self.usable && offered.len() > 1 => {
                    offered.retain(|other| other != name);
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    async fn authenticate(&mut self, mut mechanism: Mechanism) -> Result<(), Failure> {
        let name = mechanism.name();
        let mut command = Zeroizing::new(format!("AUTH {name}"));
        let mut waiting = mechanism.initial().map(|response| encode(&response));
        if let Some(response) = waiting.take_if(|response| command.len() + 1 + response.len() <= COMMAND_LIMIT) {
            command.push(' ');
            // RFC 4954, section 4: an empty initial response is an equals sign.
            command.push_str(if response.is_empty() { "=" } else { &response });
            self.transcript.sent(&format!("AUTH {name} ***"));
        } else {
            self.transcript.sent(&format!("AUTH {name}"));
        }
        command.push_str("\r\n");
        let mut reply = self.exchange_unseen(Command::Auth, command.as_bytes()).await?;
        for _ in 0..MOST_QUESTIONS {
            if reply.is_positive() {
                // The server, too, has to prove itself.
                return mechanism.finish().map_err(|failure| self.give_up(failure));
            }
            if reply.code != 334 {
                let mut failure = self.refused(Command::Auth, &reply);
                if let Some(words) = mechanism.refusal() {
                    failure.detail.push_str(&format!(" ({words})"));
                }
                return Err(failure);
            }
            let response = match waiting.take() {
                Some(response) => Ok(response),
                None => decode(&reply).and_then(|challenge| Ok(encode(&mechanism.step(&challenge)?))),
            };
            reply = match response {
                Ok(mut response) => {
                    self.transcript.sent("***");
                    response.push_str("\r\n");
                    self.exchange_unseen(Command::Auth, response.as_bytes()).await?
                }
                Err(failure) => {
                    // RFC 4954, section 4: cancelled by an asterisk.
                    self.exchange(Command::Auth, "*").await?;
                    return Err(failure.with_transcript(self.transcript.lines()));
                }
            };
        }
        Err(self.end(FailureKind::Garbled, Step::LogIn, format!("the server does not stop asking during {name}")))
    }

    fn give_up(&mut self, failure: Failure) -> Failure {
        self.usable = false;
        failure.with_transcript(self.transcript.lines())
    }
}

fn encode(response: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(BASE64.encode(response))
}

fn decode(reply: &Reply) -> Result<Vec<u8>, Failure> {
    let text = reply.lines.first().map_or("", |line| line.trim());
    BASE64.decode(text).map_err(|_| {
        Failure::garbled(Step::LogIn, format!("the server's question during the log in is not base64: \"{text}\""))
    })
}

fn no_way_in(offered: &[String], start_tls: bool, secured: bool) -> String {
    if offered.is_empty() {
        let mut detail = "the server does not offer to log in here".to_owned();
        if start_tls && !secured {
            detail.push_str(" before TLS; choose STARTTLS in the profile");
        } else {
            detail.push_str("; use its submission port (587 or 465), or set no credentials for outgoing mail");
        }
        return detail;
    }
    format!("none of the server's ways to log in fits the credentials: it offers {}", offered.join(", "))
}
