//! Conversations with mail servers.
//!
//! A connector knows a server and a protocol. It does **not** know records,
//! the database, or a clock that was not passed in. Each protocol engine is
//! generic over the byte stream, so that it is tested with bytes.

use std::io;

use jiff::Timestamp;
use model::Failure;
use model::work::{Cursor, Position, Settle, Settled};

pub mod discovery;
pub mod http;
pub mod imap;
mod lines;
pub mod net;
pub mod pop3;
pub mod sasl;
pub mod smtp;

/// Where streamed messages go. Called in order: `begin`, any number of
/// `write`, then `finish`; or `abandon` when the connection broke in between.
///
/// Writing may block for as long as a write to the page cache does; durability
/// is the caller's business, after the batch.
pub trait MailSink: Send {
    /// A message of `size` octets (as announced; the server may be wrong) begins.
    fn begin(&mut self, size: u64) -> io::Result<()>;
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// The message is complete. Returns the ticket by which the caller finds it again.
    fn finish(&mut self) -> io::Result<usize>;
    fn abandon(&mut self);
}

/// One message that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawMail {
    pub position: Position,
    /// When the server received it (IMAP INTERNALDATE); POP3 does not say.
    pub received: Option<Timestamp>,
    /// Octets that went to the sink.
    pub size: u64,
    /// What [`MailSink::finish`] returned for it.
    pub ticket: usize,
}

/// How much to read at the most in one batch; at least one message is read.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    pub messages: usize,
    pub octets: u64,
}

/// What one call of fetch brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    pub mails: Vec<RawMail>,
    /// Messages that the server listed but could not deliver, and why. They get
    /// a ledger row; the mailbox goes on.
    pub undeliverable: Vec<(Position, String)>,
    /// Where to go on. To be stored together with what was read.
    pub cursor: Cursor,
    /// There is more to read right now.
    pub more: bool,
    /// IMAP: UIDVALIDITY is another than the cursor's, or UIDNEXT went back;
    /// everything is read anew and has to be recognized by fingerprint.
    pub reset: bool,
    /// Reading ended early, at a message that is neither among these nor behind
    /// the cursor. What came whole before it is in the batch. The session may
    /// be of no use any more.
    pub interrupted: Option<Interrupted>,
}

/// The connection broke, or the server refused for the moment, while this
/// message was to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interrupted {
    pub at: Position,
    pub failure: Failure,
}

/// Reads a mailbox. Implemented by the logged-in IMAP and POP3 sessions.
pub trait ReadMail {
    /// Reads the next messages after `after` into `sink`.
    fn fetch(
        &mut self,
        after: &Cursor,
        limit: Limit,
        sink: &mut dyn MailSink,
    ) -> impl Future<Output = Result<Batch, Failure>> + Send;

    /// Does what is still to be done. Idempotent. One outcome per entry, in order;
    /// what the server refuses is an outcome, an error is the conversation's.
    fn settle(&mut self, settles: &[Settle]) -> impl Future<Output = Result<Vec<Settled>, Failure>> + Send;

    /// Looks for a message by its Message-ID (with angle brackets) and says where it stands.
    /// IMAP: `folder` or, where `None`, the folder with the `\Sent` attribute.
    fn find(
        &mut self,
        folder: Option<&str>,
        message_id: &str,
    ) -> impl Future<Output = Result<Vec<Position>, Failure>> + Send;

    /// Ends the session in an orderly way; errors are of no interest any more.
    fn log_out(self) -> impl Future<Output = ()> + Send;
}

/// Who the message is from and for, on the envelope (RFC 5321).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Envelope {
    /// Reverse-path; empty for `<>`.
    pub from: String,
    pub to: Vec<String>,
    /// Needs SMTPUTF8 (RFC 6531): an address or a header field is not ASCII.
    pub utf8: bool,
    /// RFC 3461 ENVID, and notification on failure and delay for every recipient.
    pub dsn: Option<String>,
}

/// What the server said of one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientResult {
    pub address: String,
    /// `Ok` with the reply text, or why not.
    pub result: Result<String, Failure>,
}

/// The server has taken responsibility for the message, at least for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    pub recipients: Vec<RecipientResult>,
    /// The reply to the final dot, e.g. `250 2.0.0 Ok: queued as 4F2`.
    pub reply: String,
}

/// Submits messages. Implemented by the SMTP session.
pub trait SendMail {
    /// Submits one message. `message` is RFC 5322 with CRLF line ends; dot-stuffing is done here.
    /// An error means that no recipient got it, or (`Uncertain`) that nobody knows.
    fn send(&mut self, envelope: &Envelope, message: &[u8]) -> impl Future<Output = Result<Receipt, Failure>> + Send;
}
