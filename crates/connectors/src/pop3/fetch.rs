//! Reading what is new: UIDL minus what is known, TOP where the date matters,
//! RETR into the sink.

use std::collections::{BTreeSet, VecDeque};
use std::io;

use jiff::Timestamp;
use model::work::{Cursor, Pop3Cursor, Position};
use model::{Failure, FailureKind, Step};
use tokio::io::{AsyncRead, AsyncWrite};

use super::header::HeaderReader;
use super::reply::{ResponseCode, Status};
use super::session::{Message, Session};
use super::wire::Stopped;
use crate::{Batch, Interrupted, Limit, MailSink, RawMail};

/// So many dates are looked at in one batch at the most, so that progress is kept even in a
/// large mailbox where all is too old.
const DATES_AT_ONCE: usize = 1000;

/// The header section of a message, as TOP gives it.
pub(super) struct Header {
    pub digest: HeaderReader,
    pub octets: u64,
}

/// Why a message was not read: the server, or (`Content`) that it could not be stored here.
type NotRead = Stopped<Failure>;

/// How reading one message ended.
enum Read {
    Mail(RawMail),
    /// Received before what is wanted.
    Old,
    /// The server will not give it.
    Undeliverable(String),
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Session<S> {
    pub(super) async fn read_new(
        &mut self,
        after: &Pop3Cursor,
        limit: Limit,
        sink: &mut dyn MailSink,
    ) -> Result<Batch, Failure> {
        self.open().await?;
        let messages = self.messages.as_deref().unwrap_or_default();
        let there: BTreeSet<&str> = messages.iter().map(|message| message.uidl.as_str()).collect();
        let known = after.known.iter().filter(|uidl| there.contains(uidl.as_str())).cloned().collect();
        let mut new: VecDeque<Message> =
            messages.iter().filter(|message| !after.known.contains(&message.uidl)).cloned().collect();
        let mut cursor = Pop3Cursor { known, since: after.since };
        let mut to_read = Vec::new();
        match after.since {
            Some(since) if self.may_top() => {
                self.leave_out_old(since, limit, &mut new, &mut to_read, &mut cursor).await?
            }
            _ => take(limit, &mut new, &mut to_read),
        }
        let mut batch = Batch {
            mails: Vec::with_capacity(to_read.len()),
            undeliverable: Vec::new(),
            cursor: Cursor::Pop3(Pop3Cursor::default()),
            more: !new.is_empty(),
            reset: false,
            interrupted: None,
        };
        if let Err(failure) = self.retrieve(&to_read, sink, &mut batch, &mut cursor).await {
            // No message is to blame: there is no room here, or nobody hears us any more.
            if batch.mails.is_empty() && batch.undeliverable.is_empty() && cursor.known == after.known {
                return Err(failure);
            }
            tracing::debug!(%failure, "reading ended early");
            batch.more = true;
        }
        // What arrived whole is kept; the next session meets the same fault again if it persists.
        batch.more |= batch.interrupted.is_some() && !self.wire.is_usable();
        batch.cursor = Cursor::Pop3(cursor);
        Ok(batch)
    }

    /// Moves messages from `new` to `to_read` up to the limit; the old ones become known instead.
    async fn leave_out_old(
        &mut self,
        since: Timestamp,
        limit: Limit,
        new: &mut VecDeque<Message>,
        to_read: &mut Vec<Message>,
        cursor: &mut Pop3Cursor,
    ) -> Result<(), Failure> {
        let mut looked_at = 0;
        while looked_at < DATES_AT_ONCE && self.may_top() && !new.is_empty() {
            let some: Vec<_> = new.iter().take(self.at_once()).cloned().collect();
            looked_at += some.len();
            let headers =
                self.headers(Step::Read, &some.iter().map(|message| message.number).collect::<Vec<_>>()).await?;
            for (message, header) in some.into_iter().zip(headers) {
                let is_old = header.and_then(|header| header.digest.received_on()).is_some_and(|on| on < since);
                if is_old {
                    cursor.known.insert(message.uidl);
                } else if fits(limit, to_read, &message) {
                    to_read.push(message);
                } else {
                    return Ok(());
                }
                new.pop_front();
            }
        }
        if !self.may_top() {
            // RETR has to tell the date.
            take(limit, new, to_read);
        }
        Ok(())
    }

    /// The headers of some messages; `None` where the server refuses one.
    pub(super) async fn headers(&mut self, step: Step, numbers: &[u32]) -> Result<Vec<Option<Header>>, Failure> {
        let mut headers = Vec::with_capacity(numbers.len());
        for some in numbers.chunks(self.at_once()) {
            let commands: Vec<_> = some.iter().map(|number| format!("TOP {number} 0")).collect();
            self.wire.write(step, &commands).await?;
            for _ in some {
                headers.push(self.read_header(step).await?);
            }
        }
        Ok(headers)
    }

    pub(super) async fn header(&mut self, step: Step, number: u32) -> Result<Option<Header>, Failure> {
        Ok(self.headers(step, &[number]).await?.pop().flatten())
    }

    async fn read_header(&mut self, step: Step) -> Result<Option<Header>, Failure> {
        match self.wire.status(step).await? {
            Status::Err(..) => {
                // A server that does not say whether it can do TOP has said it now.
                self.top_fails |= !self.capabilities.top;
                Ok(None)
            }
            status => {
                self.wire.expect_ok(step, status)?;
                let mut header = Header { digest: HeaderReader::default(), octets: 0 };
                self.whole(step, &mut header).await?;
                Ok(Some(header))
            }
        }
    }

    /// The rest of an answer to TOP or RETR, of which only the header is kept.
    pub(super) async fn whole(&mut self, step: Step, header: &mut Header) -> Result<(), Failure> {
        let taken = self.wire.content(step, |piece| {
            header.digest.feed(piece);
            header.octets += octets(piece);
            Ok::<_, std::convert::Infallible>(())
        });
        match taken.await {
            Ok(()) => Ok(()),
            Err(Stopped::Conversation(failure)) => Err(failure),
            Err(Stopped::Content(never)) => match never {},
        }
    }

    /// Reads what it can. Where a message cannot be had now, the batch says at which it was.
    async fn retrieve(
        &mut self,
        messages: &[Message],
        sink: &mut dyn MailSink,
        batch: &mut Batch,
        cursor: &mut Pop3Cursor,
    ) -> Result<(), Failure> {
        for some in messages.chunks(self.at_once()) {
            let commands: Vec<_> = some.iter().map(|message| format!("RETR {}", message.number)).collect();
            self.wire.write(Step::Read, &commands).await?;
            for message in some {
                match self.read_message(message, cursor.since, sink).await {
                    Ok(Read::Mail(mail)) => batch.mails.push(mail),
                    Ok(Read::Old) => {}
                    Ok(Read::Undeliverable(why)) => batch.undeliverable.push((position(message), why)),
                    // A fault of this message that will pass: the answers to come still have to be read.
                    Err(NotRead::Conversation(failure)) => {
                        interrupt(batch, message, failure);
                        if self.wire.is_usable() {
                            continue;
                        }
                        return Ok(());
                    }
                    Err(NotRead::Content(failure)) => return Err(failure),
                }
                cursor.known.insert(message.uidl.clone());
            }
        }
        Ok(())
    }

    async fn read_message(
        &mut self,
        message: &Message,
        since: Option<Timestamp>,
        sink: &mut dyn MailSink,
    ) -> Result<Read, NotRead> {
        match self.wire.status(Step::Read).await.map_err(Stopped::Conversation)? {
            Status::Err(code, text) if !matches!(code, Some(ResponseCode::SysTemp | ResponseCode::InUse)) => {
                return Ok(Read::Undeliverable(format!("the server said \"-ERR {text}\"")));
            }
            status => self.wire.expect_ok(Step::Read, status).map_err(Stopped::Conversation)?,
        };
        let mut digest = HeaderReader::default();
        let mut size = 0;
        let begun = sink.begin(message.size);
        let mut began = false;
        let taken = match begun {
            Err(error) => Err(Stopped::Content(error)),
            Ok(()) => {
                began = true;
                let take = |piece: &[u8]| -> io::Result<()> {
                    digest.feed(piece);
                    size += octets(piece);
                    sink.write(piece)
                };
                self.wire.content(Step::Read, take).await
            }
        };
        // TOP has looked at the date already, where there is TOP.
        let is_old = |since| digest.received_on().is_some_and(|on| on < since);
        let ticket = match taken {
            Ok(()) if !self.may_top() && since.is_some_and(is_old) => {
                sink.abandon();
                return Ok(Read::Old);
            }
            Ok(()) => sink.finish(),
            Err(stopped) => {
                if began {
                    sink.abandon();
                }
                match stopped {
                    Stopped::Conversation(failure) => return Err(Stopped::Conversation(failure)),
                    Stopped::Content(error) => Err(error),
                }
            }
        };
        match ticket {
            Ok(ticket) => Ok(Read::Mail(RawMail { position: position(message), received: None, size, ticket })),
            Err(error) => {
                let detail = format!("the message could not be stored here: {error}");
                Err(Stopped::Content(self.wire.end(FailureKind::Temporary, Step::Read, detail)))
            }
        }
    }
}

/// The first one counts: the others may only have been hit along with it.
fn interrupt(batch: &mut Batch, message: &Message, failure: Failure) {
    if batch.interrupted.is_none() {
        batch.interrupted = Some(Interrupted { at: position(message), failure });
    }
}

fn position(message: &Message) -> Position {
    Position::Pop3 { uidl: message.uidl.clone() }
}

/// Takes messages up to the limit, one at least.
fn take(limit: Limit, new: &mut VecDeque<Message>, to_read: &mut Vec<Message>) {
    while let Some(message) = new.pop_front_if(|message| fits(limit, to_read, message)) {
        to_read.push(message);
    }
}

fn fits(limit: Limit, to_read: &[Message], next: &Message) -> bool {
    let octets: u64 = to_read.iter().map(|message| message.size).sum();
    to_read.is_empty() || (to_read.len() < limit.messages && octets.saturating_add(next.size) <= limit.octets)
}

fn octets(piece: &[u8]) -> u64 {
    u64::try_from(piece.len()).unwrap_or(u64::MAX)
}
