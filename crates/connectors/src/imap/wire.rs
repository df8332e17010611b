//! From bytes to responses: framing, literals, limits.
//!
//! A response is a line that may contain literals (RFC 9051, section 4.3).
//! Small literals stay in it; the bodies of messages, and whatever is larger
//! than [`INLINE_LITERAL`], go chunk by chunk to a [`Literals`] and leave only
//! their announcement behind. So a connection needs one read buffer and one
//! response buffer, however large a message is.
//!
//! Only broken framing ends a conversation. What cannot be understood within
//! a response makes it [`Response::Other`], which is skipped.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::transport::Transport;

mod items;
mod response;
mod scan;

pub use items::{Body, FetchItems, ListedFolder};
pub use response::{Code, Response, Status};
pub use scan::Scanner;

/// Octets that are read at once.
pub const READ_BUFFER: usize = 64 * 1024;
/// Literals up to this size are kept within the response.
pub const INLINE_LITERAL: u64 = 64 * 1024;
/// A response without its streamed literals; a `SEARCH` of a million messages fits.
pub const LONGEST_RESPONSE: usize = 8 * 1024 * 1024;
/// Lists within lists; ENVELOPE and BODYSTRUCTURE of honest messages need less.
pub const DEEPEST_NESTING: usize = 64;

/// What ended the conversation below the level of responses.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("the server was silent for {} s", .0.as_secs_f32())]
    Silent(Duration),
    #[error("{0}")]
    Framing(&'static str),
    /// The message could not be written away; the connection is in the middle of it.
    #[error("the message could not be stored: {0}")]
    Sink(io::Error),
}

/// Takes the literals that are too large, or too interesting, to be buffered.
pub trait Literals: Send {
    /// `head` is the response up to and including the announcement, e.g.
    /// `* 4 FETCH (UID 7 BODY[] {1200}`. Small literals that nobody wants are
    /// kept in the response, large ones are thrown away.
    fn wants(&mut self, head: &[u8], size: u64) -> io::Result<bool>;
    /// The next octets of the literal that was wanted.
    fn chunk(&mut self, bytes: &[u8]) -> io::Result<()>;
}

/// Wants none.
pub struct NoLiterals;

impl Literals for NoLiterals {
    fn wants(&mut self, _: &[u8], _: u64) -> io::Result<bool> {
        Ok(false)
    }

    fn chunk(&mut self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

/// Both directions of one connection, buffered.
pub struct Wire<S> {
    pub(super) transport: Transport<S>,
    /// Octets `start..end` have been read from the stream and not yet been looked at.
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// The response being read, in the form that [`Scanner`] takes.
    response: Vec<u8>,
    streamed: Vec<usize>,
    out: Vec<u8>,
    /// How long the server may be silent.
    pub(super) patience: Duration,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Wire<S> {
    pub fn new(stream: S, patience: Duration) -> Self {
        Self {
            transport: Transport::Plain(stream),
            buffer: vec![0; READ_BUFFER].into_boxed_slice(),
            start: 0,
            end: 0,
            response: Vec::new(),
            streamed: Vec::new(),
            out: Vec::new(),
            patience,
        }
    }

    /// Memory held for reading, in octets.
    pub fn buffered(&self) -> usize {
        self.buffer.len() + self.response.capacity()
    }

    /// Octets read from the server that no response has used up.
    pub fn has_unread(&self) -> bool {
        self.start < self.end
    }

    /// Gives the stream back, e.g. for TLS. What is unread is lost: ask [`Self::has_unread`] first.
    pub fn into_stream(self) -> Option<S> {
        match self.transport {
            Transport::Plain(stream) => Some(stream),
            _ => None,
        }
    }

    /// From here on both directions are compressed (RFC 4978).
    pub fn start_deflate(&mut self) {
        let unread = self.buffer[self.start..self.end].to_vec();
        (self.start, self.end) = (0, 0);
        self.transport.start_deflate(unread);
    }

    /// Adds to what the next [`Self::flush`] sends.
    pub fn queue(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Sends everything queued in one write.
    pub async fn flush(&mut self) -> Result<(), WireError> {
        let send = async {
            self.transport.write_all(&self.out).await?;
            self.transport.flush().await
        };
        let sent = tokio::time::timeout(self.patience, send).await;
        self.out.clear();
        sent.map_err(|_| WireError::Silent(self.patience))??;
        Ok(())
    }

    /// Reads one response to its end. It is then found in [`Self::response`].
    pub async fn read(&mut self, literals: &mut dyn Literals) -> Result<(), WireError> {
        self.response.clear();
        self.response.shrink_to(READ_BUFFER);
        self.streamed.clear();
        loop {
            self.read_line().await?;
            let Some(size) = literal_at_end(&self.response)? else { return Ok(()) };
            let wanted = literals.wants(&self.response, size).map_err(WireError::Sink)?;
            self.response.extend_from_slice(b"\r\n");
            if wanted || size > INLINE_LITERAL {
                self.streamed.push(self.response.len());
                self.stream_literal(size, if wanted { Some(literals) } else { None }).await?;
            } else {
                self.keep_literal(size).await?;
            }
        }
    }

    /// The response that was read last.
    pub fn response(&self) -> Response<'_> {
        Response::parse(&self.response, &self.streamed)
    }

    /// The same in raw form, for the transcript.
    pub fn raw(&self) -> &[u8] {
        &self.response
    }

    /// Appends one line, without its end, to the response.
    async fn read_line(&mut self) -> Result<(), WireError> {
        loop {
            let fresh = &self.buffer[self.start..self.end];
            if let Some(at) = memchr::memchr(b'\n', fresh) {
                self.response.extend_from_slice(&fresh[..at]);
                self.start += at + 1;
                if self.response.last() == Some(&b'\r') {
                    self.response.pop();
                }
                return if self.response.len() > LONGEST_RESPONSE { Err(too_long()) } else { Ok(()) };
            }
            self.response.extend_from_slice(fresh);
            self.start = self.end;
            if self.response.len() > LONGEST_RESPONSE {
                return Err(too_long());
            }
            self.fill().await?;
        }
    }

    async fn keep_literal(&mut self, mut left: u64) -> Result<(), WireError> {
        while left > 0 {
            let chunk = self.next_chunk(left).await?;
            self.response.extend_from_slice(&self.buffer[chunk.clone()]);
            left -= chunk.len() as u64;
        }
        if self.response.len() > LONGEST_RESPONSE { Err(too_long()) } else { Ok(()) }
    }

    async fn stream_literal(&mut self, mut left: u64, mut to: Option<&mut dyn Literals>) -> Result<(), WireError> {
        while left > 0 {
            let chunk = self.next_chunk(left).await?;
            left -= chunk.len() as u64;
            if let Some(to) = &mut to {
                to.chunk(&self.buffer[chunk]).map_err(WireError::Sink)?;
            }
        }
        Ok(())
    }

    /// At least one and at most `most` octets of the buffer, taken as read.
    async fn next_chunk(&mut self, most: u64) -> Result<std::ops::Range<usize>, WireError> {
        if self.start == self.end {
            self.fill().await?;
        }
        let from = self.start;
        let length = usize::try_from(most).unwrap_or(usize::MAX).min(self.end - from);
        self.start += length;
        Ok(from..self.start)
    }

    /// Reads more into the buffer, which is empty.
    async fn fill(&mut self) -> Result<(), WireError> {
        let read = tokio::time::timeout(self.patience, self.fill_once()).await;
        read.map_err(|_| WireError::Silent(self.patience))?
    }

    async fn fill_once(&mut self) -> Result<(), WireError> {
        (self.start, self.end) = (0, 0);
        let length = self.transport.read(&mut self.buffer).await?;
        if length == 0 {
            return Err(WireError::Io(io::ErrorKind::UnexpectedEof.into()));
        }
        self.end = length;
        Ok(())
    }

    /// Waits until the server says something, without using any of it up;
    /// `false` when it was silent until then.
    pub async fn wait_readable(&mut self, until: tokio::time::Instant) -> Result<bool, WireError> {
        if self.start < self.end {
            return Ok(true);
        }
        match tokio::time::timeout_at(until, self.fill_once()).await {
            Ok(read) => read.map(|()| true),
            Err(_) => Ok(false),
        }
    }

    /// Sends a part of a streamed literal without queueing it.
    pub async fn send_now(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        let sent = tokio::time::timeout(self.patience, self.transport.write_all(bytes)).await;
        sent.map_err(|_| WireError::Silent(self.patience))??;
        Ok(())
    }
}

fn too_long() -> WireError {
    WireError::Framing("the server sent a response that is too long")
}

/// Whether the line announces a literal: `{5}`, `{5+}`, `~{5}` or `~{5+}` at its end.
///
/// The human text of a status response may end like that by accident.
fn literal_at_end(line: &[u8]) -> Result<Option<u64>, WireError> {
    let Some(inside) = line.strip_suffix(b"}") else { return Ok(None) };
    let inside = inside.strip_suffix(b"+").unwrap_or(inside);
    let digits = inside.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    let at = inside.len() - digits;
    if digits == 0 || !inside[..at].ends_with(b"{") || response::is_status(line) {
        return Ok(None);
    }
    let number = std::str::from_utf8(&inside[at..]).ok().and_then(|n| n.parse::<u64>().ok());
    match number {
        Some(size) if i64::try_from(size).is_ok() => Ok(Some(size)),
        _ => Err(WireError::Framing("the server announced a literal of absurd size")),
    }
}

/// Whether the literal announced at the end of `head` is a whole message.
pub fn is_message_literal(head: &[u8]) -> bool {
    section_before_literal(head).is_some_and(|section| {
        [&b"BODY[]"[..], b"BODY[]<0>", b"RFC822", b"BINARY[]"].iter().any(|name| ends_with_word(section, name))
    })
}

/// Whether the literal announced at the end of `head` is a header section.
pub fn is_header_literal(head: &[u8]) -> bool {
    section_before_literal(head).is_some_and(|section| {
        [&b"BODY[HEADER]"[..], b"RFC822.HEADER"].iter().any(|name| ends_with_word(section, name))
    })
}

/// `* 4 FETCH (UID 7 BODY[] {1200}` → `* 4 FETCH (UID 7 BODY[]`
fn section_before_literal(head: &[u8]) -> Option<&[u8]> {
    let at = memchr::memrchr(b'{', head)?;
    let section = head[..at].strip_suffix(b"~").unwrap_or(&head[..at]);
    head.starts_with(b"* ").then_some(section.trim_ascii_end())
}

fn ends_with_word(text: &[u8], word: &[u8]) -> bool {
    text.len() > word.len() && {
        let (before, end) = text.split_at(text.len() - word.len());
        end.eq_ignore_ascii_case(word) && !before.last().is_some_and(u8::is_ascii_alphanumeric)
    }
}

/// Reads one whole response from memory: the pure entry point. Literals must
/// be complete. `None` where the bytes end too early or the framing is broken.
///
/// Returns the response and how many octets it took.
pub fn parse_response(bytes: &[u8]) -> Option<(Response<'_>, usize)> {
    let mut at = 0;
    loop {
        let end = at + memchr::memchr(b'\n', &bytes[at..])?;
        let line = bytes[..end].strip_suffix(b"\r").unwrap_or(&bytes[..end]);
        match literal_at_end(line).ok()? {
            None => return Some((Response::parse(line, &[]), end + 1)),
            Some(size) => {
                at = (end + 1).checked_add(usize::try_from(size).ok()?)?;
                if at > bytes.len() {
                    return None;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
