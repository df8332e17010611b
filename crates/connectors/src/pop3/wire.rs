//! Commands out, answers in; what comes before and after the log in have in common.

use std::time::Duration;

use model::{Failure, FailureKind, Step};
use tokio::io::{AsyncRead, AsyncWrite};

use super::reply::{self, Status};
use super::unstuff::Unstuffer;
use crate::lines::{Broken, Lines, printable};
use crate::net::transcript::Transcript;

/// RFC 2449 says 512 octets; SASL questions are longer.
const LINE_LIMIT: usize = 12_288;
/// Octets of a listing (CAPA, LIST, UIDL): a million messages with the longest of UIDLs.
const LISTING_LIMIT: usize = 80 << 20;

#[derive(Debug)]
pub(super) struct Wire<S> {
    lines: Lines<S>,
    transcript: Transcript,
    wait: Duration,
    usable: bool,
}

/// Why an answer of several lines stopped.
pub(super) enum Stopped<E> {
    Conversation(Failure),
    /// Whoever takes the content does not want any more.
    Content(E),
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Wire<S> {
    pub fn new(stream: S, wait: Duration, transcript: Transcript) -> Self {
        Self { lines: Lines::new(stream), transcript, wait, usable: true }
    }

    pub fn is_usable(&self) -> bool {
        self.usable
    }

    /// Nothing is to be said any more.
    pub fn close(&mut self) {
        self.usable = false;
    }

    /// Writes a command and reads the status line.
    pub async fn command(&mut self, step: Step, line: &str) -> Result<Status, Failure> {
        self.write(step, &[line.to_owned()]).await?;
        self.status(step).await
    }

    /// The same for a line that must not be shown; `shown` stands for it.
    pub async fn secret_command(&mut self, step: Step, line: &str, shown: &str) -> Result<Status, Failure> {
        self.transcript.sent(shown);
        let bytes = zeroize::Zeroizing::new(format!("{line}\r\n"));
        self.write_bytes(step, bytes.as_bytes()).await?;
        self.status(step).await
    }

    /// Writes several commands at once.
    pub async fn write(&mut self, step: Step, commands: &[String]) -> Result<(), Failure> {
        for command in commands {
            self.transcript.sent(command);
        }
        self.write_bytes(step, (commands.join("\r\n") + "\r\n").as_bytes()).await
    }

    async fn write_bytes(&mut self, step: Step, bytes: &[u8]) -> Result<(), Failure> {
        if !self.usable {
            return Err(self.end(FailureKind::Temporary, step, "the session has ended; connect again"));
        }
        let written = self.lines.write(bytes, self.wait).await;
        written.map_err(|broken| self.broken(step, &broken))
    }

    pub async fn status(&mut self, step: Step) -> Result<Status, Failure> {
        let line = match self.lines.read_line(LINE_LIMIT, self.wait).await {
            Ok(line) => line,
            Err(broken) => return Err(self.broken(step, &broken)),
        };
        self.transcript.received(&line);
        Status::read(&line).ok_or_else(|| {
            let shown = printable(&line[..line.len().min(200)]);
            self.end(FailureKind::Garbled, step, format!("the server's answer is neither +OK nor -ERR: \"{shown}\""))
        })
    }

    /// `+OK`, or else a failure. Returns the text.
    pub async fn ok(&mut self, step: Step, line: &str) -> Result<String, Failure> {
        let status = self.command(step, line).await?;
        self.expect_ok(step, status)
    }

    pub fn expect_ok(&mut self, step: Step, status: Status) -> Result<String, Failure> {
        match status {
            Status::Ok(text) => Ok(text),
            Status::Err(code, text) => {
                Err(reply::failure(step, code.as_ref(), &text).with_transcript(self.transcript.lines()))
            }
            Status::Continue(text) => {
                Err(self.end(FailureKind::Garbled, step, format!("the server asks \"{text}\" out of turn")))
            }
        }
    }

    /// Reads the rest of an answer of several lines and hands its content on in pieces.
    pub async fn content<E>(
        &mut self,
        step: Step,
        mut take: impl FnMut(&[u8]) -> Result<(), E> + Send,
    ) -> Result<(), Stopped<E>> {
        let mut unstuffer = Unstuffer::new(self.lines.last_was_bare());
        loop {
            if let Err(broken) = self.lines.fill(self.wait).await {
                return Err(Stopped::Conversation(self.broken(step, &broken)));
            }
            let fed = match unstuffer.feed(self.lines.buffered(), &mut take) {
                Ok(fed) => fed,
                Err(error) => {
                    self.usable = false;
                    return Err(Stopped::Content(error));
                }
            };
            self.lines.consume(fed.consumed);
            if fed.complete {
                return Ok(());
            }
        }
    }

    /// Reads the rest of a listing.
    pub async fn listing(&mut self, step: Step) -> Result<String, Failure> {
        let mut text = Vec::new();
        let taken = self.content(step, |piece| {
            text.extend_from_slice(piece);
            if text.len() > LISTING_LIMIT { Err(()) } else { Ok(()) }
        });
        match taken.await {
            Ok(()) => Ok(String::from_utf8_lossy(&text).into_owned()),
            Err(Stopped::Conversation(failure)) => Err(failure),
            Err(Stopped::Content(())) => Err(self.end(FailureKind::Garbled, step, "the server's listing does not end")),
        }
    }

    /// Whether something stands in the buffer that nobody asked for.
    pub fn has_buffered(&self) -> bool {
        !self.lines.buffered().is_empty()
    }

    pub fn into_parts(self) -> (S, Transcript) {
        (self.lines.into_stream(), self.transcript)
    }

    /// A failure after which the conversation cannot go on.
    pub fn end(&mut self, kind: FailureKind, step: Step, detail: impl Into<String>) -> Failure {
        self.usable = false;
        Failure::new(kind, step, detail).with_transcript(self.transcript.lines())
    }

    pub fn transcript(&self) -> Vec<String> {
        self.transcript.lines()
    }

    fn broken(&mut self, step: Step, broken: &Broken) -> Failure {
        self.transcript.note(&broken.to_string());
        let failure = broken.failure(step);
        self.end(failure.kind, step, failure.detail)
    }
}
