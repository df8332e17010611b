//! One conversation with a server: greeting, EHLO, STARTTLS, NOOP, QUIT.

use std::time::Duration;

use model::{Failure, FailureKind, Step};
use tokio::io::{AsyncRead, AsyncWrite};

use super::capabilities::Capabilities;
use super::classify::{self, Command};
use super::command::hello_name;
use super::reply::{Reply, ReplyParser};
use super::{Options, Timeouts};
use crate::lines::{Broken, Lines};
use crate::net::transcript::Transcript;

/// A SASL challenge may have this much (RFC 4954, section 4), and no other line is longer.
const LINE_LIMIT: usize = 12_288;
/// How long to wait for a last word of a server that has stopped reading.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(2);

/// A conversation, after EHLO. Logged in or not, as the server wants it.
#[derive(Debug)]
pub struct Session<S> {
    pub(super) lines: Lines<S>,
    pub(super) capabilities: Capabilities,
    pub(super) timeouts: Timeouts,
    pub(super) transcript: Transcript,
    /// Command and reply still belong together and the connection stands.
    pub(super) usable: bool,
    /// The server may have a transaction open.
    pub(super) in_transaction: bool,
    pub(super) secured: bool,
    greeting: String,
    hello: String,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Session<S> {
    /// Reads the greeting and says EHLO. `secured`: the stream is encrypted already.
    pub async fn begin(
        stream: S,
        secured: bool,
        command_timeout: Duration,
        options: &Options,
    ) -> Result<Self, Failure> {
        let mut session = Self::around(stream, secured, command_timeout, options, Transcript::new());
        let greeting = session.read_reply(Command::Greeting, session.timeouts.command).await?;
        if !greeting.is_positive() {
            return Err(session.refused(Command::Greeting, &greeting));
        }
        session.greeting = greeting.in_words();
        session.say_hello().await?;
        Ok(session)
    }

    /// Goes on after TLS was negotiated. What was said in clear text is forgotten (RFC 3207, section 4.2).
    pub async fn begin_again(
        stream: S,
        command_timeout: Duration,
        options: &Options,
        mut transcript: Transcript,
    ) -> Result<Self, Failure> {
        transcript.note("TLS established");
        let mut session = Self::around(stream, true, command_timeout, options, transcript);
        session.say_hello().await?;
        Ok(session)
    }

    fn around(stream: S, secured: bool, command_timeout: Duration, options: &Options, transcript: Transcript) -> Self {
        Self {
            lines: Lines::new(stream),
            capabilities: Capabilities::default(),
            timeouts: Timeouts::scaled(command_timeout),
            transcript,
            usable: true,
            in_transaction: false,
            secured,
            greeting: String::new(),
            hello: hello_name(&options.hello),
        }
    }

    async fn say_hello(&mut self) -> Result<(), Failure> {
        let reply = self.exchange(Command::Hello, &format!("EHLO {}", self.hello)).await?;
        if reply.is_positive() {
            self.capabilities = Capabilities::from_ehlo(&reply);
            return Ok(());
        }
        if !matches!(reply.code, 500..=504 | 550) {
            return Err(self.refused(Command::Hello, &reply));
        }
        // A server without extensions (RFC 5321, section 3.2).
        let reply = self.exchange(Command::Hello, &format!("HELO {}", self.hello)).await?;
        if !reply.is_positive() {
            return Err(self.refused(Command::Hello, &reply));
        }
        let lines = reply.lines.into_iter().take(1).collect();
        self.capabilities = Capabilities::from_ehlo(&Reply { lines, ..reply });
        Ok(())
    }

    /// STARTTLS (RFC 3207) up to the server's consent. Returns the bare stream, on which TLS comes next.
    pub async fn start_tls(mut self) -> Result<(S, Transcript), Failure> {
        if !self.capabilities.start_tls {
            let detail = "the server does not offer STARTTLS on this port, so that nothing secret can be said; choose \
                          implicit TLS (port 465) or another port";
            return Err(self.end(FailureKind::Misconfigured, Step::Tls, detail));
        }
        let reply = self.exchange(Command::StartTls, "STARTTLS").await?;
        if !reply.is_positive() {
            return Err(self.refused(Command::StartTls, &reply));
        }
        // Whoever sits in between could have put commands' answers here, to be taken for the
        // server's after the handshake (CVE-2011-0411 and its kin).
        if !self.lines.buffered().is_empty() {
            let detail = "the server, or somebody in between, sent clear text after it agreed to start TLS";
            return Err(self.end(FailureKind::Garbled, Step::Tls, detail));
        }
        Ok((self.lines.into_stream(), self.transcript))
    }

    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// The greeting in words; empty after STARTTLS.
    pub fn greeting(&self) -> &str {
        &self.greeting
    }

    /// Whether another message may be sent over this session, as far as is known without asking.
    pub fn is_usable(&self) -> bool {
        self.usable
    }

    /// Asks the server whether it is still there. To be called before a session is used again
    /// that has been idle for a while.
    pub async fn is_alive(&mut self) -> bool {
        if !self.usable || self.lines.has_news().await {
            // A server that speaks without being asked says goodbye.
            self.usable = false;
            return false;
        }
        let alive = matches!(self.exchange(Command::Other, "NOOP").await, Ok(reply) if reply.is_positive());
        self.usable &= alive;
        alive
    }

    /// Ends the conversation. Errors are of no interest any more.
    pub async fn quit(mut self) {
        if self.usable && self.lines.write(b"QUIT\r\n", self.timeouts.command).await.is_ok() {
            let _ = self.read_reply(Command::Other, self.timeouts.command).await;
        }
    }

    /// The last lines of the conversation.
    pub fn transcript(&self) -> Vec<String> {
        self.transcript.lines()
    }

    /// Writes a command and reads its reply, whatever it is. A failure means that there was none.
    pub(super) async fn exchange(&mut self, command: Command, line: &str) -> Result<Reply, Failure> {
        self.transcript.sent(line);
        self.exchange_unseen(command, format!("{line}\r\n").as_bytes()).await
    }

    /// The same with a line that must not be shown.
    pub(super) async fn exchange_unseen(&mut self, command: Command, line: &[u8]) -> Result<Reply, Failure> {
        self.write(command, line).await?;
        self.read_reply(command, self.timeouts.command).await
    }

    /// Writes commands. Where that fails, the server's last words are the failure.
    pub(super) async fn write(&mut self, command: Command, bytes: &[u8]) -> Result<(), Failure> {
        match self.lines.write(bytes, self.timeouts.command).await {
            Ok(()) => Ok(()),
            Err(broken) => match self.read_reply(command, LAST_WORDS).await {
                Ok(reply) if !reply.is_positive() => Err(self.ended_by(command, &reply)),
                _ => Err(self.broken(command, &broken)),
            },
        }
    }

    pub(super) async fn read_reply(&mut self, command: Command, wait: Duration) -> Result<Reply, Failure> {
        let mut parser = ReplyParser::default();
        loop {
            let line = match self.lines.read_line(LINE_LIMIT, wait).await {
                Ok(line) => line,
                Err(broken) => return Err(self.broken(command, &broken)),
            };
            self.transcript.received(&line);
            match parser.push(&line) {
                Ok(None) => {}
                Ok(Some(reply)) => {
                    // Nothing comes after it (RFC 5321, section 3.8).
                    self.usable &= reply.code != 421;
                    return Ok(reply);
                }
                Err(error) => return Err(self.end(FailureKind::Garbled, command.step(), error.to_string())),
            }
        }
    }

    /// A failure after which the conversation cannot go on.
    pub(super) fn end(&mut self, kind: FailureKind, during: Step, detail: impl Into<String>) -> Failure {
        self.usable = false;
        Failure::new(kind, during, detail).with_transcript(self.transcript.lines())
    }

    pub(super) fn broken(&mut self, command: Command, broken: &Broken) -> Failure {
        self.transcript.note(&broken.to_string());
        let failure = broken.failure(command.step());
        self.end(failure.kind, failure.during, failure.detail)
    }

    /// A failure of a reply after which the conversation may go on.
    pub(super) fn refused(&mut self, command: Command, reply: &Reply) -> Failure {
        let failure = classify::failure(command, reply).with_transcript(self.transcript.lines());
        // Who answers out of turn cannot be followed any more.
        self.usable &= failure.kind != FailureKind::Garbled;
        failure
    }

    pub(super) fn ended_by(&mut self, command: Command, reply: &Reply) -> Failure {
        self.usable = false;
        self.refused(command, reply)
    }
}
