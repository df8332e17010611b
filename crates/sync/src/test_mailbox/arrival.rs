//! Waits until the test's message has arrived, reads it, and removes exactly
//! that message.

use std::io;
use std::time::Duration;

use connectors::{Limit, MailSink};
use model::probe::Recorder;
use model::work::{Cursor, ImapCursor, Pop3Cursor, Position, Settle, SettleAction};
use model::{Failure, SignedDuration, Step};
use tokio::time::{Instant, sleep};

use super::INBOX;
use crate::engine::Loaded;
use crate::route::{self, Incoming};
use crate::sessions::Open;
use crate::{Engine, SyncError, receive};

/// Clocks of servers differ; the message is not older than this.
const SKEW: SignedDuration = SignedDuration::from_mins(15);
/// How often a connection is asked for while all of the profile are in use.
const TRIES: usize = 60;

pub(super) async fn find_again(engine: &Engine, loaded: &Loaded, message_id: &str, report: &mut Recorder<'_>) {
    let began = Instant::now();
    match wait_for(engine, loaded, message_id).await {
        Ok(Some((mut open, settle))) => {
            report.passed(Step::FindAgain, format!("the message arrived after {:.1} s", began.elapsed().as_secs_f64()));
            let said = match open.reader.settle(&[settle]).await {
                Ok(_) => "the message was removed again".to_owned(),
                // Receiving recognizes the mark and passes over it.
                Err(failure) => format!("the message was left in the mailbox: {}", failure.detail),
            };
            report.passed(Step::Settle, said);
            open.reader.log_out().await;
        }
        Ok(None) => report.failed(Failure::temporary(
            Step::FindAgain,
            format!(
                "the server accepted the message, but it did not arrive within {} s; look at the server's queue, and \
                 whether mail for {} is delivered to this mailbox",
                engine.settings.arrival_timeout.as_secs(),
                loaded.mailbox.address
            ),
        )),
        Err(error) => {
            let failure = super::failure(&error, Step::FindAgain);
            report.failed(Failure { during: Step::FindAgain, ..failure });
        }
    }
}

/// A session in which the message was found, and how to remove it.
async fn wait_for(engine: &Engine, loaded: &Loaded, message_id: &str) -> Result<Option<(Open, Settle)>, SyncError> {
    let protocol = route::incoming_protocol(&loaded.profile)?;
    let mut looked = Pop3Cursor { since: engine.now().checked_sub(SKEW).ok(), ..Pop3Cursor::default() };
    let mut pause = Duration::from_millis(150);
    let began = Instant::now();
    let mut open = open_soon(engine, loaded, protocol).await?;
    loop {
        let found = match protocol {
            Incoming::Imap => search(&mut open, message_id).await?,
            Incoming::Pop3 => look_through(&mut open, &mut looked, message_id).await?,
        };
        if let Some(settle) = found {
            return Ok(Some((open, settle)));
        }
        if began.elapsed() > engine.settings.arrival_timeout {
            open.reader.log_out().await;
            return Ok(None);
        }
        sleep(pause).await;
        pause = (pause * 3 / 2).min(Duration::from_secs(3));
        if protocol == Incoming::Pop3 {
            // A POP3 session shows the mailbox as it was at the login.
            open.reader.log_out().await;
            drop(open.permit);
            open = open_soon(engine, loaded, protocol).await?;
        }
    }
}

/// Waits for a connection of the profile, which others may be using.
async fn open_soon(engine: &Engine, loaded: &Loaded, protocol: Incoming) -> Result<Open, SyncError> {
    for _ in 0..TRIES {
        match receive::open(engine, loaded, protocol).await {
            Err(SyncError::Postponed { .. }) => sleep(Duration::from_millis(300)).await,
            other => return other,
        }
    }
    Err(SyncError::NotReady(format!(
        "all connections of the profile of '{}' are in use; test again later",
        loaded.mailbox.name
    )))
}

async fn search(open: &mut Open, message_id: &str) -> Result<Option<Settle>, Failure> {
    let found = open.reader.find(Some(INBOX), message_id).await?;
    let Some(Position::Imap { uid_validity, uid, .. }) = found.into_iter().next() else { return Ok(None) };
    let after = Cursor::Imap(ImapCursor { uid_validity, next_uid: uid, ..ImapCursor::default() });
    Ok(read(open, &after, message_id).await?.0)
}

async fn look_through(open: &mut Open, looked: &mut Pop3Cursor, message_id: &str) -> Result<Option<Settle>, Failure> {
    loop {
        let (found, cursor, more) = read(open, &Cursor::Pop3(looked.clone()), message_id).await?;
        if let Cursor::Pop3(cursor) = cursor {
            *looked = cursor;
        }
        if found.is_some() || !more {
            return Ok(found);
        }
    }
}

/// Reads the next few messages and picks ours.
async fn read(open: &mut Open, after: &Cursor, message_id: &str) -> Result<(Option<Settle>, Cursor, bool), Failure> {
    let mut kept = Kept::default();
    let limit = Limit { messages: 5, octets: 1024 * 1024 };
    let batch = open.reader.fetch(after, limit, &mut kept).await?;
    let ours = batch.mails.into_iter().find_map(|raw| {
        let mail = formats::mime::read(kept.messages.get(raw.ticket)?);
        (mail.message_id.as_deref() == Some(message_id)).then_some(Settle {
            position: raw.position,
            action: SettleAction::Delete,
            size: raw.size,
            header_digest: mail.header_digest,
        })
    });
    Ok((ours, batch.cursor, batch.more))
}

/// Keeps at most a little of each message: the test's own is small.
#[derive(Default)]
struct Kept {
    messages: Vec<Vec<u8>>,
    current: Vec<u8>,
}

const ENOUGH: usize = 64 * 1024;

impl MailSink for Kept {
    fn begin(&mut self, _size: u64) -> io::Result<()> {
        self.current.clear();
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let room = ENOUGH.saturating_sub(self.current.len()).min(bytes.len());
        self.current.extend_from_slice(&bytes[..room]);
        Ok(())
    }

    fn finish(&mut self) -> io::Result<usize> {
        self.messages.push(std::mem::take(&mut self.current));
        Ok(self.messages.len() - 1)
    }

    fn abandon(&mut self) {
        self.current.clear();
    }
}
