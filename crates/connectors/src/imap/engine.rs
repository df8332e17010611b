//! Commands out, responses in: tags, pipelining, deadlines, and what the
//! server tells us by the way.

use std::time::Duration;

use model::{Failure, Step};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use super::capabilities::Capabilities;
use super::codes;
pub(super) use super::command::Command;
use super::wire::{Literals, NoLiterals, Response, Status, Wire, WireError};
use crate::net::Transcript;

/// What a command that carries messages, or may list very many, may take as a
/// whole, however lively the server: one that trickles must not hold us for ever.
const LONG_COMMAND: Duration = Duration::from_mins(30);

/// Takes what the server says while a command runs.
pub(super) trait Handler: Literals {
    fn untagged(&mut self, response: &Response<'_>) -> Result<(), Failure>;
}

/// Ignores it.
impl Handler for NoLiterals {
    fn untagged(&mut self, _: &Response<'_>) -> Result<(), Failure> {
        Ok(())
    }
}

/// A closure that looks at untagged responses.
pub(super) struct Listen<F>(pub F);

impl<F: Send> Literals for Listen<F> {
    fn wants(&mut self, _: &[u8], _: u64) -> std::io::Result<bool> {
        Ok(false)
    }

    fn chunk(&mut self, _: &[u8]) -> std::io::Result<()> {
        Ok(())
    }
}

impl<F: FnMut(&Response<'_>) + Send> Handler for Listen<F> {
    fn untagged(&mut self, response: &Response<'_>) -> Result<(), Failure> {
        (self.0)(response);
        Ok(())
    }
}

/// Names a command in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tag(u32);

impl Tag {
    fn read(text: &[u8]) -> Option<Self> {
        std::str::from_utf8(text.strip_prefix(b"A")?).ok()?.parse().ok().map(Self)
    }
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Done {
    pub tag: Tag,
    pub status: Status,
    /// Name in capitals, and arguments.
    pub code: Option<(String, String)>,
    pub failure: Option<Failure>,
    /// The server's words.
    pub text: String,
}

impl Done {
    pub fn ok(self) -> Result<Self, Failure> {
        match self.failure {
            Some(failure) => Err(failure),
            None => Ok(self),
        }
    }

    pub fn has_code(&self, name: &str) -> bool {
        self.code.as_ref().is_some_and(|(n, _)| n == name)
    }
}

/// What one response was.
pub(super) enum Event {
    Done(Done),
    Continue(Vec<u8>),
    Untagged,
}

pub(super) struct Engine<S> {
    pub wire: Wire<S>,
    pub heard: Heard,
    tags: u32,
    /// The conversation has ended, or cannot be understood any more.
    broken: bool,
    deadline: Option<Instant>,
}

/// What the server has told us by the way.
#[derive(Default)]
pub(super) struct Heard {
    pub capabilities: Capabilities,
    /// A `CAPABILITY` response or code has come since this was set to false.
    pub capabilities_fresh: bool,
    /// Number of messages in the open folder.
    pub exists: u32,
    /// The number has been said anew: there may be new messages.
    pub news: bool,
    pub bye: Option<Failure>,
    pub transcript: Transcript,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Engine<S> {
    pub fn new(stream: S, patience: Duration) -> Self {
        Self { wire: Wire::new(stream, patience), heard: Heard::default(), tags: 0, broken: false, deadline: None }
    }

    /// Queues a command; `shown` is what the transcript may have of it.
    pub fn queue_shown(&mut self, command: &str, shown: &str) -> Tag {
        self.tags += 1;
        let tag = format!("A{}", self.tags);
        self.wire.queue(tag.as_bytes());
        self.wire.queue(b" ");
        self.wire.queue(command.as_bytes());
        self.wire.queue(b"\r\n");
        self.heard.transcript.sent(&format!("{tag} {shown}"));
        Tag(self.tags)
    }

    pub fn queue(&mut self, command: &str) -> Tag {
        self.queue_shown(command, command)
    }

    /// Sends what is queued, in one write.
    /// What it answers is short: all of it has to come before the server would
    /// have been silent for too long.
    pub async fn flush(&mut self, during: Step) -> Result<(), Failure> {
        self.flush_within(during, self.wire.patience).await
    }

    /// The same for commands that carry messages or list very many.
    pub async fn flush_long(&mut self, during: Step) -> Result<(), Failure> {
        self.flush_within(during, self.wire.patience.max(LONG_COMMAND)).await
    }

    async fn flush_within(&mut self, during: Step, limit: Duration) -> Result<(), Failure> {
        if self.broken {
            return Err(self.lost(during));
        }
        self.deadline = Some(Instant::now() + limit);
        let sent = self.wire.flush().await;
        sent.map_err(|e| self.broke(during, &e))
    }

    /// Sends one command and waits for its end.
    pub async fn run(&mut self, during: Step, command: &str, handler: &mut dyn Handler) -> Result<Done, Failure> {
        let tag = self.queue(command);
        self.flush(during).await?;
        self.finish(during, tag, handler).await
    }

    /// The same for a command that carries messages or lists very many.
    pub async fn run_long(&mut self, during: Step, command: &str, handler: &mut dyn Handler) -> Result<Done, Failure> {
        let tag = self.queue(command);
        self.flush_long(during).await?;
        self.finish(during, tag, handler).await
    }

    /// Waits for the end of a command.
    pub async fn finish(&mut self, during: Step, tag: Tag, handler: &mut dyn Handler) -> Result<Done, Failure> {
        loop {
            match self.event(during, handler).await? {
                Event::Done(done) if done.tag == tag => return Ok(done),
                Event::Done(_) | Event::Untagged => {}
                Event::Continue(_) => {
                    return Err(self.confused(during, "the server wants more of a command that is whole"));
                }
            }
        }
    }

    /// Waits for `+`, or for the early end of the command.
    pub async fn wait_continue(&mut self, during: Step, tag: Tag) -> Result<Result<Vec<u8>, Done>, Failure> {
        loop {
            match self.event(during, &mut NoLiterals).await? {
                Event::Continue(text) => return Ok(Ok(text)),
                Event::Done(done) if done.tag == tag => return Ok(Err(done)),
                Event::Done(_) | Event::Untagged => {}
            }
        }
    }

    /// Reads one response and lets `handler` and ourselves know of it.
    pub async fn event(&mut self, during: Step, handler: &mut dyn Handler) -> Result<Event, Failure> {
        if self.broken {
            return Err(self.lost(during));
        }
        let read = match self.deadline {
            Some(deadline) => tokio::time::timeout_at(deadline, self.wire.read(handler)).await,
            None => Ok(self.wire.read(handler).await),
        };
        match read {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(self.broke(during, &error)),
            Err(_elapsed) => {
                self.broken = true;
                let failure = Failure::temporary(during, "the server takes too long over one command");
                return Err(failure.with_transcript(self.heard.transcript.lines()));
            }
        }
        let response = self.wire.response();
        self.heard.note(during, &response, self.wire.raw());
        let event = match &response {
            Response::Tagged { tag, status, code, text } => match Tag::read(tag) {
                Some(tag) => {
                    let failed = *status != Status::Ok;
                    let failure = failed.then(|| {
                        codes::failure(during, *status, *code, text).with_transcript(self.heard.transcript.lines())
                    });
                    let code = code.map(|c| (codes::shown(c.name).to_ascii_uppercase(), codes::shown(c.arguments)));
                    let text = codes::shown(text);
                    Ok(Event::Done(Done { tag, status: *status, code, failure, text }))
                }
                None => Ok(Event::Untagged),
            },
            Response::Continue(text) => Ok(Event::Continue(text.to_vec())),
            other => handler.untagged(other).map(|()| Event::Untagged),
        };
        event.inspect_err(|_| self.broken = true)
    }

    /// Sends a command whose arguments may be literals, and waits for its end.
    pub async fn run_with_literals(
        &mut self,
        during: Step,
        command: &Command,
        handler: &mut dyn Handler,
    ) -> Result<Done, Failure> {
        match self.begin_with_literals(during, command).await? {
            Ok(tag) => {
                self.wire.queue(b"\r\n");
                self.flush(during).await?;
                self.finish(during, tag, handler).await
            }
            Err(done) => Ok(done),
        }
    }

    /// Sends or queues a command up to the end of its line. Waits for the
    /// server's `+` where that has to be waited for; the command may end there.
    pub async fn begin_with_literals(&mut self, during: Step, command: &Command) -> Result<Result<Tag, Done>, Failure> {
        let tag = self.begin_line(&command.parts[0], &command.shown);
        for pair in command.parts[1..].chunks(2) {
            let literal = &pair[0];
            let free = self.heard.capabilities.literal_without_waiting(literal.len() as u64);
            let plus = if free { "+" } else { "" };
            self.wire.queue(format!("{{{}{plus}}}\r\n", literal.len()).as_bytes());
            if !free {
                self.flush(during).await?;
                if let Err(done) = self.wait_continue(during, tag).await? {
                    return Ok(Err(done));
                }
            }
            self.wire.queue(literal.as_bytes());
            self.wire.queue(pair.get(1).map_or(&b""[..], |rest| rest.as_bytes()));
        }
        Ok(Ok(tag))
    }

    /// For commands that last as long as they like (IDLE).
    pub fn without_deadline(&mut self) {
        self.deadline = None;
    }

    /// Waits until the server says something; `false` when it was silent until then.
    pub async fn wait_readable(&mut self, during: Step, until: Instant) -> Result<bool, Failure> {
        let readable = self.wire.wait_readable(until).await;
        readable.map_err(|e| self.broke(during, &e))
    }

    /// Queues the beginning of a command whose line goes on.
    fn begin_line(&mut self, beginning: &str, shown: &str) -> Tag {
        self.tags += 1;
        let tag = format!("A{}", self.tags);
        self.wire.queue(format!("{tag} {beginning}").as_bytes());
        self.heard.transcript.sent(&format!("{tag} {shown}"));
        Tag(self.tags)
    }

    /// The conversation went wrong in a way that cannot be mended.
    pub fn confused(&mut self, during: Step, what: &str) -> Failure {
        self.broken = true;
        Failure::garbled(during, what).with_transcript(self.heard.transcript.lines())
    }

    pub fn broke(&mut self, during: Step, error: &WireError) -> Failure {
        self.broken = true;
        // A server that says goodbye says why.
        let failure = match (&self.heard.bye, error) {
            (Some(bye), WireError::Io(_)) => Failure { during, ..bye.clone() },
            _ => codes::wire_failure(during, error),
        };
        failure.with_transcript(self.heard.transcript.lines())
    }

    fn lost(&self, during: Step) -> Failure {
        match &self.heard.bye {
            Some(bye) => Failure { during, ..bye.clone() },
            None => Failure::temporary(during, "the connection has been lost before"),
        }
        .with_transcript(self.heard.transcript.lines())
    }

    pub fn is_broken(&self) -> bool {
        self.broken
    }

    pub fn set_broken(&mut self) {
        self.broken = true;
    }
}

impl Heard {
    fn note(&mut self, during: Step, response: &Response<'_>, raw: &[u8]) {
        match response {
            Response::Fetch { .. } | Response::Search(_) => return,
            Response::Capability(words) => self.learn(words),
            Response::Exists(count) => {
                self.exists = *count;
                self.news = true;
            }
            Response::Expunge(_) => self.exists = self.exists.saturating_sub(1),
            Response::Tagged { code, .. } => self.learn_from_code(*code),
            Response::Status { status, code, text } => {
                self.learn_from_code(*code);
                if *status == Status::Bye {
                    self.bye = Some(codes::failure(during, *status, *code, text));
                }
            }
            _ => {}
        }
        self.transcript.received(raw);
    }

    fn learn_from_code(&mut self, code: Option<super::wire::Code<'_>>) {
        if let Some(code) = code.filter(|c| c.is("CAPABILITY")) {
            self.learn(code.arguments);
        }
    }

    fn learn(&mut self, words: &[u8]) {
        self.capabilities = Capabilities::parse(words);
        self.capabilities_fresh = true;
    }
}
