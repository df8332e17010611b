//! What went wrong in a conversation with a server, classified by what the
//! server actually said.

use std::fmt;

/// Answers the caller's next question: try again, ask somebody, or look first?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FailureKind {
    /// Network trouble, time-out, `4xx`, `[UNAVAILABLE]`, `[INUSE]`: try again later.
    Temporary,
    /// The server said that user name, password or token are wrong or not sufficient.
    Credentials,
    /// The server understood and said no for good (`5xx`, `NO` without a temporary code).
    Refused,
    /// The profile cannot work as it is: unknown host, wrong port, certificate
    /// not trusted, a location that is not allowed.
    Misconfigured,
    /// The server said something that cannot be understood.
    Garbled,
    /// The connection was lost at a moment where the server may or may not
    /// have done what was asked: ask before trying again.
    Uncertain,
}

impl FailureKind {
    pub const ALL: [Self; 6] =
        [Self::Temporary, Self::Credentials, Self::Refused, Self::Misconfigured, Self::Garbled, Self::Uncertain];

    /// The label used in metrics and in stored reasons.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Temporary => "temporary",
            Self::Credentials => "credentials",
            Self::Refused => "refused",
            Self::Misconfigured => "misconfigured",
            Self::Garbled => "garbled",
            Self::Uncertain => "uncertain",
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The steps of a conversation, in order. Also the lines of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// Look the host name up, and check that the address may be used.
    Resolve,
    /// Open the TCP connection.
    Connect,
    /// Negotiate TLS and verify the certificate.
    Tls,
    /// Read the greeting and the capabilities.
    Greeting,
    LogIn,
    /// Open the folder (IMAP `SELECT`, POP3 `STAT`).
    Open,
    /// List or fetch messages.
    Read,
    /// Submit a message (`MAIL FROM` up to the final dot).
    Send,
    /// Find a message again that was sent before.
    FindAgain,
    /// Delete, move or flag.
    Settle,
}

impl Step {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Tls => "TLS",
            Self::Greeting => "greeting",
            Self::LogIn => "log in",
            Self::Open => "open",
            Self::Read => "read",
            Self::Send => "send",
            Self::FindAgain => "find again",
            Self::Settle => "settle",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A conversation that ended early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub kind: FailureKind,
    pub during: Step,
    /// What happened, in words, with the server's own words where it spoke.
    pub detail: String,
    /// The SMTP reply code or `None`. IMAP and POP3 have no numbers.
    pub code: Option<u16>,
    /// RFC 3463 status of an SMTP reply, e.g. `5.1.1`.
    pub enhanced: Option<(u8, u16, u16)>,
    /// The last lines of the conversation, without secrets.
    pub transcript: Vec<String>,
}

impl Failure {
    pub fn new(kind: FailureKind, during: Step, detail: impl Into<String>) -> Self {
        Self { kind, during, detail: detail.into(), code: None, enhanced: None, transcript: Vec::new() }
    }

    pub fn temporary(during: Step, detail: impl Into<String>) -> Self {
        Self::new(FailureKind::Temporary, during, detail)
    }

    pub fn garbled(during: Step, detail: impl Into<String>) -> Self {
        Self::new(FailureKind::Garbled, during, detail)
    }

    #[must_use]
    pub fn with_transcript(mut self, lines: Vec<String>) -> Self {
        self.transcript = lines;
        self
    }

    /// Whether the fault lies with the server as a whole and not with one
    /// mailbox or message: it then counts towards the breaker of that server.
    pub fn is_server_wide(&self) -> bool {
        matches!(self.kind, FailureKind::Temporary | FailureKind::Misconfigured) && self.during <= Step::Greeting
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failure at step '{}': {}", self.kind, self.during, self.detail)
    }
}

impl std::error::Error for Failure {}
