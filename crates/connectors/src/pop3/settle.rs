//! Removing what is durably ours: compare, DELE, and QUIT, which makes it so.

use std::collections::BTreeMap;

use model::work::{Position, Settle, Settled};
use model::{Failure, FailureKind, Step};
use tokio::io::{AsyncRead, AsyncWrite};

use super::fetch::Header;
use super::header::HeaderReader;
use super::reply::Status;
use super::session::{Message, Session};

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Session<S> {
    pub(super) async fn remove(&mut self, settles: &[Settle]) -> Result<Vec<Settled>, Failure> {
        self.open().await.map_err(during_settle)?;
        let there: BTreeMap<&str, &Message> =
            self.messages.iter().flatten().map(|message| (message.uidl.as_str(), message)).collect();
        let found: Vec<Option<Message>> = settles
            .iter()
            .map(|settle| match &settle.position {
                Position::Pop3 { uidl } => there.get(uidl.as_str()).map(|&message| message.clone()),
                Position::Imap { .. } | Position::Api { .. } => None,
            })
            .collect();
        let mut outcomes = Vec::with_capacity(settles.len());
        for (settles, found) in settles.chunks(self.at_once()).zip(found.chunks(self.at_once())) {
            outcomes.extend(self.compare(settles, found).await?);
        }
        self.delete(&mut outcomes, &found).await?;
        Ok(outcomes)
    }

    /// `Done` stands for "is to be removed" until it is.
    async fn compare(&mut self, settles: &[Settle], found: &[Option<Message>]) -> Result<Vec<Settled>, Failure> {
        // Where the listed size is right, the header will do.
        let cheap: Vec<u32> = settles
            .iter()
            .zip(found)
            .filter_map(|(settle, message)| message.as_ref().filter(|message| message.size == settle.size))
            .filter(|_| self.may_top())
            .map(|message| message.number)
            .collect();
        let headers = self.headers(Step::Settle, &cheap).await?;
        let digests: BTreeMap<u32, [u8; 32]> = cheap
            .into_iter()
            .zip(headers)
            .filter_map(|(number, header)| Some((number, header?.digest.finish())))
            .collect();
        let mut outcomes = Vec::with_capacity(settles.len());
        for (settle, message) in settles.iter().zip(found) {
            outcomes.push(match message {
                None if !matches!(settle.position, Position::Pop3 { .. }) => Settled::Different,
                None => Settled::AlreadyGone,
                Some(message) if digests.get(&message.number) == Some(&settle.header_digest) => Settled::Done,
                Some(message) => self.compare_whole(settle, message).await?,
            });
        }
        Ok(outcomes)
    }

    /// For servers whose LIST counts otherwise than RETR, or whose TOP adds something: only the
    /// whole message tells.
    async fn compare_whole(&mut self, settle: &Settle, message: &Message) -> Result<Settled, Failure> {
        let step = Step::Settle;
        let status = self.wire.command(step, &format!("RETR {}", message.number)).await?;
        if let Status::Err(code, text) = &status {
            let failure = super::reply::failure(step, code.as_ref(), text);
            // What cannot be read cannot be compared, and stays.
            let passes = failure.kind == FailureKind::Temporary;
            return Ok(if passes { Settled::Refused(failure) } else { Settled::Different });
        }
        self.wire.expect_ok(step, status)?;
        let mut header = Header { digest: HeaderReader::default(), octets: 0 };
        self.whole(step, &mut header).await?;
        let same = header.octets == settle.size && header.digest.finish() == settle.header_digest;
        Ok(if same { Settled::Done } else { Settled::Different })
    }

    /// What the server refuses to delete stays, and the outcomes say so; the others go.
    async fn delete(&mut self, outcomes: &mut [Settled], found: &[Option<Message>]) -> Result<(), Failure> {
        let doomed = outcomes.iter().zip(found).filter(|(outcome, _)| **outcome == Settled::Done);
        self.deleted = doomed.filter_map(|(_, message)| Some(message.as_ref()?.number)).collect();
        if self.deleted.is_empty() {
            return Ok(());
        }
        let numbers: Vec<_> = self.deleted.iter().copied().collect();
        let mut refused: BTreeMap<u32, Failure> = BTreeMap::new();
        for some in numbers.chunks(self.at_once()) {
            let commands: Vec<_> = some.iter().map(|number| format!("DELE {number}")).collect();
            self.wire.write(Step::Settle, &commands).await?;
            for number in some {
                let status = self.wire.status(Step::Settle).await?;
                if let Err(failure) = self.wire.expect_ok(Step::Settle, status) {
                    if !self.wire.is_usable() {
                        return Err(failure);
                    }
                    refused.insert(*number, failure);
                }
            }
        }
        for (outcome, message) in outcomes.iter_mut().zip(found) {
            if *outcome == Settled::Done
                && let Some(failure) = message.as_ref().and_then(|message| refused.get(&message.number))
            {
                *outcome = Settled::Refused(failure.clone());
            }
        }
        self.deleted.retain(|number| !refused.contains_key(number));
        if self.deleted.is_empty() {
            return Ok(());
        }
        let quit = self.wire.command(Step::Settle, "QUIT").await;
        self.wire.close();
        let status = quit.map_err(|failure| Failure {
            detail: format!(
                "whether the messages were removed is not known and is looked at again: {}",
                failure.detail
            ),
            ..failure
        })?;
        match status {
            Status::Ok(_) => Ok(()),
            status => {
                // RFC 1939, section 6: some of the messages were not removed.
                let said = self.wire.expect_ok(Step::Settle, status);
                said.map(|_| ()).map_err(|failure| Failure { kind: FailureKind::Temporary, ..failure })
            }
        }
    }
}

fn during_settle(failure: Failure) -> Failure {
    Failure { during: Step::Settle, ..failure }
}
