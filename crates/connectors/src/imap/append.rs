//! APPEND (RFC 9051, section 6.3.12): putting a message into a folder.

use jiff::Timestamp;
use model::{Failure, FailureKind, Step};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};

use super::date;
use super::engine::Command;
use super::session::Session;
use super::wire::NoLiterals;

const CHUNK: usize = 32 * 1024;

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Session<S> {
    /// Appends a message of exactly `size` octets, read from `content` piece by
    /// piece. Returns UIDVALIDITY and UID where the server says them (RFC 4315).
    ///
    /// `flags` as on the wire, e.g. `\Seen`. `Uncertain` when the connection is
    /// lost after the last octet.
    pub async fn append(
        &mut self,
        folder: &str,
        flags: &str,
        at: Option<Timestamp>,
        size: u64,
        content: &mut (dyn AsyncRead + Unpin + Send),
    ) -> Result<Option<(u32, u32)>, Failure> {
        let during = Step::Settle;
        let mut command = Command::new("APPEND").string(&self.wire_name(folder));
        if !flags.is_empty() {
            command = command.word(&format!("({flags})"));
        }
        if let Some(at) = at.and_then(date::append_date) {
            command = command.word(&format!("\"{at}\""));
        }
        let tag = match self.engine.begin_with_literals(during, &command).await? {
            Ok(tag) => tag,
            Err(done) => return done.ok().map(|_| None),
        };
        let free = self.capabilities().literal_without_waiting(size);
        self.engine.wire.queue(format!(" {{{size}{}}}\r\n", if free { "+" } else { "" }).as_bytes());
        self.engine.flush(during).await?;
        if !free && let Err(done) = self.engine.wait_continue(during, tag).await? {
            return done.ok().map(|_| None);
        }
        self.send_content(size, content).await?;
        self.engine.wire.queue(b"\r\n");
        let uncertain = |mut failure: Failure| {
            if failure.kind == FailureKind::Temporary {
                failure.kind = FailureKind::Uncertain;
            }
            failure
        };
        self.engine.flush_long(during).await.map_err(uncertain)?;
        let done = self.engine.finish(during, tag, &mut NoLiterals).await.map_err(uncertain)?.ok()?;
        let place = done.code.filter(|(name, _)| name == "APPENDUID").and_then(|(_, arguments)| {
            let mut numbers = arguments.split_ascii_whitespace().map(|n| n.parse::<u32>().ok());
            Some((numbers.next()??, numbers.next()??))
        });
        Ok(place)
    }

    async fn send_content(&mut self, size: u64, content: &mut (dyn AsyncRead + Unpin + Send)) -> Result<(), Failure> {
        let during = Step::Settle;
        let mut left = size;
        let mut chunk = vec![0; CHUNK];
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
            let read = content.read(&mut chunk[..most]).await;
            let length = match read {
                Ok(length) if length > 0 => length,
                // The server waits for octets that there are not: the connection is lost.
                other => {
                    self.engine.set_broken();
                    let why = other.err().map_or("it is shorter than announced".to_owned(), |e| e.to_string());
                    return Err(Failure::temporary(during, format!("the message to append could not be read: {why}")));
                }
            };
            if let Err(error) = self.engine.wire.send_now(&chunk[..length]).await {
                return Err(self.engine.broke(during, &error));
            }
            left -= length as u64;
        }
        Ok(())
    }
}
