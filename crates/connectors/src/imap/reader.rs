//! [`ReadMail`] over IMAP: what is new, in order, and nothing twice.

use std::collections::VecDeque;
use std::time::Duration;

use model::work::{Cursor, ImapCursor, Position, Settle, Settled};
use model::{Failure, FailureKind, Step};
use tokio::io::{AsyncRead, AsyncWrite};

use super::date;
use super::fetch::Listed;
use super::sequence::SequenceSet;
use super::session::{OpenFolder, Session};
use crate::{Batch, Interrupted, Limit, MailSink, RawMail, ReadMail};

/// Messages listed at once, ahead of fetching them.
const LIST_AHEAD: u64 = 1000;
/// Octets of a set in one command; RFC 7162, section 4, advises to stay below 8192.
const SET_LENGTH: usize = 6000;
/// Windows without a single message that one call looks through; a server
/// that claims to have billions of messages gets a new chance to be cancelled.
const EMPTY_WINDOWS: usize = 50;

/// Reads one folder of an account.
pub struct ImapReader<S> {
    session: Session<S>,
    folder: String,
    plan: Option<Plan>,
    /// The folder for sent mail, once it has been looked for.
    sent: Option<String>,
}

/// What is still to be read, as far as it is known from the last look.
#[derive(Debug)]
struct Plan {
    /// Where a cursor has to stand for the plan to be valid.
    cursor: ImapCursor,
    /// UIDs not yet listed.
    left: SequenceSet,
    /// Listed and not yet fetched, ascending.
    listed: VecDeque<Listed>,
    /// UIDNEXT at the time of the look.
    uid_next: u32,
}

impl Plan {
    fn is_done(&self) -> bool {
        self.left.is_empty() && self.listed.is_empty()
    }

    /// The lowest UID not yet read.
    fn next_uid(&self) -> u32 {
        let listed = self.listed.front().map(|l| l.uid);
        listed.or(self.left.first()).unwrap_or(self.uid_next).max(self.cursor.next_uid)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> ImapReader<S> {
    /// `folder` as people write it, usually `INBOX`.
    pub fn new(session: Session<S>, folder: impl Into<String>) -> Self {
        Self { session, folder: folder.into(), plan: None, sent: None }
    }

    pub fn session(&self) -> &Session<S> {
        &self.session
    }

    pub fn session_mut(&mut self) -> &mut Session<S> {
        &mut self.session
    }

    pub fn into_session(self) -> Session<S> {
        self.session
    }

    /// The connection is of no use any more.
    pub fn is_broken(&self) -> bool {
        self.session.is_broken()
    }

    /// Waits until there is new mail, at most for `limit`; says whether there
    /// may be some. IDLE (RFC 2177) where the server has it.
    pub async fn wait_for_news(&mut self, limit: Duration) -> Result<bool, Failure> {
        if self.plan.as_ref().is_some_and(|plan| !plan.is_done()) {
            return Ok(true);
        }
        if self.session.open_folder().is_none_or(|open| open.name != self.folder) {
            // Between the last look and now anything may have come.
            self.session.examine(&self.folder).await?;
            return Ok(true);
        }
        self.session.wait_for_news(limit).await
    }

    /// Looks at the folder anew. Returns UIDVALIDITY and UIDNEXT. A folder
    /// whose UIDNEXT is below `next_uid` is opened anew to be sure of it.
    async fn look(&mut self, next_uid: u32) -> Result<(u32, u32), Failure> {
        let is_open = self.session.open_folder().is_some_and(|open| open.name == self.folder);
        let looks_back = |open: Option<&OpenFolder>| open.and_then(|open| open.uid_next).is_some_and(|n| n < next_uid);
        if !is_open || self.session.noop().await? || looks_back(self.session.open_folder()) {
            self.session.examine(&self.folder).await?;
        }
        let Some(open) = self.session.open_folder().cloned() else {
            return Err(Failure::garbled(Step::Open, "no folder is open"));
        };
        let uid_next = match open.uid_next {
            Some(uid_next) => uid_next,
            None => self.session.highest_uid().await?.map_or(1, |uid| uid.saturating_add(1)),
        };
        Ok((open.uid_validity, uid_next))
    }

    /// Makes a plan for what stands after `cursor`; says whether all is to be read anew.
    async fn make_plan(&mut self, cursor: &ImapCursor) -> Result<(Plan, bool), Failure> {
        let (uid_validity, uid_next) = self.look(cursor.next_uid).await?;
        let mut cursor = cursor.clone();
        // UIDs never fall (RFC 9051, section 2.3.1.1): where they did, a backup was put back, or it is
        // another folder. Without a UIDNEXT it only means that the last message went.
        let said = self.session.open_folder().and_then(|open| open.uid_next);
        let fell = said.is_some_and(|said| said < cursor.next_uid);
        let reset = cursor.uid_validity != 0 && (cursor.uid_validity != uid_validity || fell);
        if cursor.uid_validity != uid_validity || reset {
            cursor = ImapCursor { uid_validity, next_uid: 1, backlog_end: uid_next, ..cursor };
        }
        cursor.next_uid = cursor.next_uid.max(1);
        cursor.highest_modseq = self.session.open_folder().and_then(|open| open.highest_modseq);
        let left = self.unread(&cursor, uid_next).await?;
        Ok((Plan { cursor, left, listed: VecDeque::new(), uid_next }, reset))
    }

    /// The UIDs from the cursor on, of the backlog only those since the given day.
    async fn unread(&mut self, cursor: &ImapCursor, uid_next: u32) -> Result<SequenceSet, Failure> {
        let Some(last) = uid_next.checked_sub(1).filter(|&last| last >= cursor.next_uid) else {
            return Ok(SequenceSet::new());
        };
        let all = SequenceSet::range(cursor.next_uid, last);
        let backlog_last = cursor.backlog_end.saturating_sub(1).min(last);
        let since = cursor.since.and_then(date::search_since).filter(|_| cursor.next_uid <= backlog_last);
        let criteria = match &since {
            Some(date) => format!("UID {}:{backlog_last} SINCE {date}", cursor.next_uid),
            None if all.len() <= LIST_AHEAD => return Ok(all),
            None => format!("UID {}:{last}", cursor.next_uid),
        };
        let mut found = match self.session.uid_search(&criteria).await {
            Ok(found) => found,
            // A server that cannot search can still list: the dates decide then.
            Err(failure) if failure.kind == FailureKind::Refused && !self.session.is_broken() => return Ok(all),
            Err(failure) => return Err(failure),
        };
        if since.is_some() {
            found.clamp(cursor.next_uid, backlog_last);
            if backlog_last < last {
                found.insert_range(backlog_last.saturating_add(1), last);
            }
        } else {
            found.clamp(cursor.next_uid, last);
        }
        Ok(found)
    }

    /// Lists the next messages of the plan, so that there is something to fetch.
    async fn list_ahead(&mut self, plan: &mut Plan) -> Result<(), Failure> {
        for _ in 0..EMPTY_WINDOWS {
            if !plan.listed.is_empty() || plan.left.is_empty() {
                return Ok(());
            }
            let window = plan.left.take_front(LIST_AHEAD, SET_LENGTH);
            let listed = self.session.list_messages(&window).await?;
            let last = window.last().unwrap_or(u32::MAX);
            plan.left.clamp(last.saturating_add(1), u32::MAX);
            if last == u32::MAX {
                plan.left = SequenceSet::new();
            }
            let cursor = &plan.cursor;
            let too_old = |l: &Listed| match (cursor.since, l.received) {
                (Some(since), Some(received)) => l.uid < cursor.backlog_end && received < since,
                _ => false,
            };
            plan.listed.extend(listed.into_iter().filter(|l| !too_old(l)));
        }
        Ok(())
    }

    async fn read_batch(&mut self, plan: &mut Plan, limit: Limit, sink: &mut dyn MailSink) -> Result<Batch, Failure> {
        self.list_ahead(plan).await?;
        let count = fitting(&plan.listed, limit);
        let batch: Vec<Listed> = plan.listed.drain(..count).collect();
        let uids: Vec<u32> = batch.iter().map(|l| l.uid).collect();
        let fetched =
            if uids.is_empty() { Default::default() } else { self.session.fetch_messages(&uids, sink).await? };
        let position =
            |uid| Position::Imap { folder: self.folder.clone(), uid_validity: plan.cursor.uid_validity, uid };
        let received = |uid: u32| {
            let at = batch.binary_search_by_key(&uid, |l| l.uid).ok()?;
            batch[at].received
        };
        let mails = fetched.delivered.iter().map(|d| RawMail {
            position: position(d.uid),
            received: received(d.uid),
            size: d.octets,
            ticket: d.ticket,
        });
        let mails = mails.collect();
        let undeliverable = fetched.undeliverable.into_iter().map(|(uid, why)| (position(uid), why)).collect();
        let interrupted = fetched.interrupted.map(|(uid, failure)| (uid, Interrupted { at: position(uid), failure }));
        let (next_uid, interrupted) = match interrupted {
            Some((uid, interrupted)) => (uid, Some(interrupted)),
            None => (plan.next_uid(), None),
        };
        plan.cursor.next_uid = next_uid;
        let cursor = Cursor::Imap(plan.cursor.clone());
        let more = interrupted.is_some() || !plan.is_done();
        Ok(Batch { mails, undeliverable, cursor, more, reset: false, interrupted })
    }

    async fn find_in(&mut self, folder: &str, message_id: &str) -> Result<Vec<Position>, Failure> {
        let uid_validity = self.session.examine(folder).await?.uid_validity;
        let uids = self.session.uid_search_header("Message-ID", message_id).await?;
        let position = |uid| Position::Imap { folder: folder.to_owned(), uid_validity, uid };
        Ok(uids.iter().take(1000).map(position).collect())
    }

    async fn sent_folder(&mut self) -> Result<String, Failure> {
        if let Some(folder) = &self.sent {
            return Ok(folder.clone());
        }
        let names = ["Sent", "Sent Items", "Sent Messages", "Sent Mail"];
        match self.session.special_folder("\\Sent", &names).await? {
            Some(folder) => Ok(self.sent.insert(folder).clone()),
            None => Err(Failure::new(
                FailureKind::Misconfigured,
                Step::FindAgain,
                "the account has no folder for sent mail, so nothing can be looked up there",
            )),
        }
    }
}

/// How many of the listed messages one batch takes: at least one.
fn fitting(listed: &VecDeque<Listed>, limit: Limit) -> usize {
    let mut octets = 0u64;
    let fits = listed.iter().take(limit.messages.max(1)).take_while(|l| {
        octets = octets.saturating_add(l.size);
        octets <= limit.octets
    });
    fits.count().max(usize::from(!listed.is_empty()))
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> ReadMail for ImapReader<S> {
    async fn fetch(&mut self, after: &Cursor, limit: Limit, sink: &mut dyn MailSink) -> Result<Batch, Failure> {
        let Cursor::Imap(after) = after else {
            return Err(Failure::new(FailureKind::Misconfigured, Step::Read, "the mailbox was read by POP3 before"));
        };
        let (mut plan, reset) = match self.plan.take() {
            Some(plan) if !plan.is_done() && plan.cursor == *after => (plan, false),
            _ => self.make_plan(after).await?,
        };
        let mut batch = self.read_batch(&mut plan, limit, sink).await?;
        batch.reset = reset;
        // What comes after an interruption is looked at anew.
        self.plan = batch.interrupted.is_none().then_some(plan);
        Ok(batch)
    }

    async fn settle(&mut self, settles: &[Settle]) -> Result<Vec<Settled>, Failure> {
        self.session.settle(settles).await
    }

    async fn find(&mut self, folder: Option<&str>, message_id: &str) -> Result<Vec<Position>, Failure> {
        let as_finding = |failure: Failure| Failure { during: Step::FindAgain, ..failure };
        let folder = match folder {
            Some(folder) => folder.to_owned(),
            None => self.sent_folder().await.map_err(as_finding)?,
        };
        self.find_in(&folder, message_id).await.map_err(as_finding)
    }

    async fn log_out(self) {
        self.session.log_out().await;
    }
}

#[cfg(test)]
mod tests;
