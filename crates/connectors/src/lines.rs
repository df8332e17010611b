//! A byte stream read line by line and written piece by piece, with a limit on
//! every wait. What SMTP and POP3 have in common.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use model::{Failure, Step};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, timeout_at};

use crate::net::stream_failure;

/// Room for one read; a TLS record carries at most this much.
const READ_AT_ONCE: usize = 16 * 1024;

/// Why nothing more will come, or go.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error("the server closed the connection")]
    Closed,
    #[error("the server did not answer within {} seconds", .0.as_secs_f64())]
    TimedOut(Duration),
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
    #[error("the server sent a line of more than {0} octets")]
    LineTooLong(usize),
}

impl Broken {
    /// What it means for the conversation.
    pub fn failure(&self, during: Step) -> Failure {
        match self {
            Self::LineTooLong(_) => Failure::garbled(during, self.to_string()),
            Self::Io(error) => stream_failure(during, error),
            Self::Closed | Self::TimedOut(_) => Failure::temporary(during, self.to_string()),
        }
    }
}

/// A stream with a read buffer.
#[derive(Debug)]
pub(crate) struct Lines<S> {
    stream: S,
    buffer: BytesMut,
    bare: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Lines<S> {
    pub fn new(stream: S) -> Self {
        Self { stream, buffer: BytesMut::new(), bare: false }
    }

    /// The next line without its end, which may be CRLF or a bare LF.
    pub async fn read_line(&mut self, limit: usize, wait: Duration) -> Result<Bytes, Broken> {
        let deadline = Instant::now() + wait;
        let mut searched = 0;
        loop {
            if let Some(at) = find_line_feed(&self.buffer[searched..]) {
                let end = searched + at;
                let mut line = self.buffer.split_to(end + 1).freeze();
                line.truncate(end);
                self.bare = line.last() != Some(&b'\r');
                if !self.bare {
                    line.truncate(line.len() - 1);
                }
                if line.len() > limit {
                    return Err(Broken::LineTooLong(limit));
                }
                return Ok(line);
            }
            searched = self.buffer.len();
            // One more octet for the CR that does not count.
            if searched > limit + 1 {
                return Err(Broken::LineTooLong(limit));
            }
            self.fill_until(deadline, wait).await?;
        }
    }

    /// Whether the last line ended in a bare LF.
    pub fn last_was_bare(&self) -> bool {
        self.bare
    }

    /// Waits until there is something in the buffer.
    pub async fn fill(&mut self, wait: Duration) -> Result<(), Broken> {
        if self.buffer.is_empty() {
            self.fill_until(Instant::now() + wait, wait).await?;
        }
        Ok(())
    }

    async fn fill_until(&mut self, deadline: Instant, wait: Duration) -> Result<(), Broken> {
        self.buffer.reserve(READ_AT_ONCE);
        match timeout_at(deadline, self.stream.read_buf(&mut self.buffer)).await {
            Err(_) => Err(Broken::TimedOut(wait)),
            Ok(Ok(0)) => Err(Broken::Closed),
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(error.into()),
        }
    }

    /// What has been received and not yet been read.
    pub fn buffered(&self) -> &[u8] {
        &self.buffer
    }

    pub fn consume(&mut self, octets: usize) {
        self.buffer.advance(octets);
    }

    /// Writes and flushes everything.
    pub async fn write(&mut self, bytes: &[u8], wait: Duration) -> Result<(), Broken> {
        let all = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        match tokio::time::timeout(wait, all).await {
            Err(_) => Err(Broken::TimedOut(wait)),
            Ok(result) => Ok(result?),
        }
    }

    /// Whether the server has said something, or hung up, while it was not its turn.
    /// Reads what is there and never waits.
    pub async fn has_news(&mut self) -> bool {
        if !self.buffer.is_empty() {
            return true;
        }
        let mut room = [0_u8; 1024];
        let read = poll_fn(|context| {
            let mut into = ReadBuf::new(&mut room);
            match Pin::new(&mut self.stream).poll_read(context, &mut into) {
                Poll::Ready(Ok(())) => Poll::Ready(Some(into.filled().len())),
                // The next read sees the error again.
                Poll::Ready(Err(_)) => Poll::Ready(Some(0)),
                Poll::Pending => Poll::Ready(None),
            }
        })
        .await;
        if let Some(octets) = read {
            self.buffer.extend_from_slice(&room[..octets]);
        }
        read.is_some()
    }

    pub fn into_stream(self) -> S {
        self.stream
    }
}

fn find_line_feed(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|&octet| octet == b'\n')
}

/// A line as it may be shown: what is not UTF-8 and what steers a terminal is replaced.
pub(crate) fn printable(line: &[u8]) -> String {
    String::from_utf8_lossy(line)
        .chars()
        .map(|c| match c {
            '\t' => ' ',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}

#[cfg(test)]
pub(crate) mod script;

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::from_secs(5);

    async fn check(server_says: &[u8], limit: usize, expected: &[Result<&str, &str>]) {
        let (ours, mut theirs) = tokio::io::duplex(64);
        let said = server_says.to_vec();
        let server = tokio::spawn(async move {
            for piece in said.chunks(3) {
                let _ = theirs.write_all(piece).await;
            }
        });
        let mut lines = Lines::new(ours);
        for want in expected {
            let got = lines.read_line(limit, WAIT).await;
            let got = got.map(|line| printable(&line)).map_err(|broken| broken.to_string());
            assert_eq!(got.as_deref().map_err(String::as_str), *want);
        }
        drop(lines);
        server.await.unwrap();
    }

    #[tokio::test]
    async fn crlf_bare_lf_and_nothing_between() {
        check(b"a\r\nb\n\r\n\nend\r\n", 10, &[Ok("a"), Ok("b"), Ok(""), Ok(""), Ok("end")]).await;
    }

    #[tokio::test]
    async fn half_a_line_is_no_line() {
        check(b"a\r\nhal", 10, &[Ok("a"), Err("the server closed the connection")]).await;
    }

    #[tokio::test]
    async fn a_line_may_be_as_long_as_the_limit() {
        check(b"12345\r\n", 5, &[Ok("12345")]).await;
    }

    #[tokio::test]
    async fn an_endless_line_is_cut_off() {
        check(&[b'x'; 100], 5, &[Err("the server sent a line of more than 5 octets")]).await;
    }

    #[tokio::test(start_paused = true)]
    async fn silence_ends_the_wait() {
        let (ours, _theirs) = tokio::io::duplex(64);
        let broken = Lines::new(ours).read_line(10, Duration::from_secs(3)).await.unwrap_err();
        assert_eq!(broken.to_string(), "the server did not answer within 3 seconds");
    }

    #[tokio::test]
    async fn news_without_waiting() {
        let (ours, mut theirs) = tokio::io::duplex(64);
        let mut lines = Lines::new(ours);
        assert!(!lines.has_news().await);
        theirs.write_all(b"421 bye\r\n").await.unwrap();
        assert!(lines.has_news().await);
        assert_eq!(&lines.read_line(99, WAIT).await.unwrap()[..], b"421 bye");
        assert!(!lines.has_news().await);
        drop(theirs);
        assert!(lines.has_news().await);
    }

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(printable(b"a\tb\x1b[31m\xff"), "a b\u{fffd}[31m\u{fffd}");
    }
}
