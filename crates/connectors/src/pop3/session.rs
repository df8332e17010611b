//! A logged-in session: the mailbox is locked for us and does not change
//! until QUIT (RFC 1939, section 4).

use std::collections::{BTreeMap, BTreeSet};

use model::work::{Cursor, Pop3Cursor, Position, Settle, Settled};
use model::{Failure, FailureKind, Step};
use tokio::io::{AsyncRead, AsyncWrite};

use super::capabilities::Capabilities;
use super::reply::Status;
use super::wire::Wire;
use crate::{Batch, Limit, MailSink, ReadMail};

/// Commands in one write, where the server can take them.
const COMMANDS_AT_ONCE: usize = 32;

/// A session after the log in.
#[derive(Debug)]
pub struct Session<S> {
    pub(super) wire: Wire<S>,
    pub(super) capabilities: Capabilities,
    /// What is in the mailbox, once asked.
    pub(super) messages: Option<Vec<Message>>,
    /// Marked as deleted, to be gone after QUIT.
    pub(super) deleted: BTreeSet<u32>,
    /// TOP was tried and is not there.
    pub(super) top_fails: bool,
}

/// One message in the mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    /// The number that commands take, in this session only.
    pub number: u32,
    /// The unique-id; a second message with the same one is told apart by `#2`.
    pub uidl: String,
    /// Octets as LIST says.
    pub size: u64,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> ReadMail for Session<S> {
    async fn fetch(&mut self, after: &Cursor, limit: Limit, sink: &mut dyn MailSink) -> Result<Batch, Failure> {
        let fresh = Pop3Cursor::default();
        let after = match after {
            Cursor::Pop3(after) => after,
            // The profile's protocol was changed: everything is new.
            Cursor::Imap(_) => &fresh,
        };
        self.read_new(after, limit, sink).await
    }

    /// Ends the session where something was removed: only QUIT makes it so.
    async fn settle(&mut self, settles: &[Settle]) -> Result<Vec<Settled>, Failure> {
        self.remove(settles).await
    }

    /// POP3 cannot search.
    async fn find(&mut self, _folder: Option<&str>, _message_id: &str) -> Result<Vec<Position>, Failure> {
        Ok(Vec::new())
    }

    async fn log_out(mut self) {
        // QUIT would make deletions final that went wrong half-way; without it they are forgotten.
        if self.wire.is_usable() && self.deleted.is_empty() {
            let _ = self.wire.command(Step::Settle, "QUIT").await;
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Session<S> {
    pub(super) fn new(wire: Wire<S>, capabilities: Capabilities) -> Self {
        Self { wire, capabilities, messages: None, deleted: BTreeSet::new(), top_fails: false }
    }

    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Whether anything may be asked over this session any more.
    pub fn is_usable(&self) -> bool {
        self.wire.is_usable()
    }

    /// How many messages there are, and octets.
    pub async fn stat(&mut self) -> Result<(u64, u64), Failure> {
        let text = self.wire.ok(Step::Open, "STAT").await?;
        let mut numbers = text.split_ascii_whitespace().map(str::parse);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(messages)), Some(Ok(octets))) => Ok((messages, octets)),
            _ => {
                let detail = format!("the server's answer to STAT has no numbers: \"+OK {text}\"");
                Err(self.wire.end(FailureKind::Garbled, Step::Open, detail))
            }
        }
    }

    /// Lists the mailbox and looks at the newest message. Says in words what was seen.
    pub(super) async fn try_reading(&mut self) -> Result<String, Failure> {
        self.open().await?;
        let newest = self.messages.iter().flatten().next_back().map(|message| message.number);
        match newest {
            None => Ok("the mailbox is empty".to_owned()),
            Some(number) if self.may_top() => {
                let size = match self.header(Step::Read, number).await? {
                    Some(header) => header.octets,
                    None => 0,
                };
                Ok(format!("read {size} octets of the newest message"))
            }
            Some(_) => Ok("the messages were listed; reading without TOP would fetch one whole".to_owned()),
        }
    }

    /// How many commands may be on their way.
    pub(super) fn at_once(&self) -> usize {
        if self.capabilities.pipelining { COMMANDS_AT_ONCE } else { 1 }
    }

    pub(super) fn may_top(&self) -> bool {
        self.capabilities.may_top() && !self.top_fails
    }

    /// Asks once what is in the mailbox.
    pub(super) async fn open(&mut self) -> Result<(), Failure> {
        if self.messages.is_some() {
            return Ok(());
        }
        let (step, pipelining) = (Step::Read, self.capabilities.pipelining);
        let commands = ["UIDL".to_owned(), "LIST".to_owned()];
        self.wire.write(step, &commands[..if pipelining { 2 } else { 1 }]).await?;
        let uidls = match self.wire.status(step).await? {
            Status::Ok(_) => self.wire.listing(step).await?,
            // Unless it says that this will pass, it never worked.
            status @ Status::Err(..) => {
                let failure = match self.wire.expect_ok(step, status) {
                    Err(failure) => failure,
                    Ok(text) => Failure::garbled(step, text),
                };
                self.wire.close();
                return Err(without_uidl(failure));
            }
            status @ Status::Continue(_) => self.wire.expect_ok(step, status)?,
        };
        if !pipelining {
            self.wire.write(step, &commands[1..]).await?;
        }
        let status = self.wire.status(step).await?;
        self.wire.expect_ok(step, status)?;
        let sizes = self.wire.listing(step).await?;
        self.messages = Some(put_together(&uidls, &sizes));
        Ok(())
    }
}

fn without_uidl(failure: Failure) -> Failure {
    if failure.kind == FailureKind::Temporary {
        return failure;
    }
    let detail = format!(
        "the server does not give messages unique-ids (UIDL), so that what was read cannot be told from what was not; \
         use IMAP for this mailbox ({})",
        failure.detail
    );
    Failure { kind: FailureKind::Misconfigured, detail, ..failure }
}

/// The messages in the order of their numbers.
fn put_together(uidls: &str, sizes: &str) -> Vec<Message> {
    let sizes: BTreeMap<u32, u64> = sizes
        .lines()
        .filter_map(number_and_rest)
        .filter_map(|(number, rest)| Some((number, first_number(rest)?)))
        .collect();
    let uidls: BTreeMap<u32, &str> = uidls.lines().filter_map(number_and_rest).collect();
    let missing = sizes.keys().filter(|number| !uidls.contains_key(number)).count();
    if missing > 0 {
        tracing::warn!(missing, "the server lists messages without a unique-id; they are not read");
    }
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    let mut messages = Vec::with_capacity(uidls.len());
    for (number, uidl) in uidls {
        let times = seen.entry(uidl).or_default();
        *times += 1;
        let uidl = if *times == 1 { uidl.to_owned() } else { format!("{uidl}#{times}") };
        messages.push(Message { number, uidl, size: sizes.get(&number).copied().unwrap_or(0) });
    }
    messages
}

fn number_and_rest(line: &str) -> Option<(u32, &str)> {
    let (number, rest) = line.trim().split_once([' ', '\t'])?;
    let rest = rest.trim();
    Some((number.parse().ok()?, rest)).filter(|_| !rest.is_empty())
}

fn first_number(text: &str) -> Option<u64> {
    text.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(uidls: &str, sizes: &str, expected: &[(u32, &str, u64)]) {
        let expected: Vec<_> =
            expected.iter().map(|&(number, uidl, size)| Message { number, uidl: uidl.into(), size }).collect();
        assert_eq!(put_together(uidls, sizes), expected);
    }

    #[test]
    fn empty() {
        check("", "", &[]);
    }
    #[test]
    fn two() {
        check("1 a\r\n2 b\r\n", "1 10\r\n2 20\r\n", &[(1, "a", 10), (2, "b", 20)]);
    }
    #[test]
    fn out_of_order() {
        check("2 b\r\n1 a\r\n", "2 20\r\n1 10\r\n", &[(1, "a", 10), (2, "b", 20)]);
    }
    #[test]
    fn gaps() {
        check("1 a\r\n5 b\r\n", "1 10\r\n5 20\r\n", &[(1, "a", 10), (5, "b", 20)]);
    }
    #[test]
    fn the_same_unique_id_twice() {
        check("1 a\r\n2 a\r\n3 a\r\n", "1 1\r\n2 2\r\n3 3\r\n", &[(1, "a", 1), (2, "a#2", 2), (3, "a#3", 3)]);
    }
    #[test]
    fn no_unique_id() {
        check("1 \r\n2\r\n3 c\r\n", "1 1\r\n2 2\r\n3 3\r\n", &[(3, "c", 3)]);
    }
    #[test]
    fn no_size() {
        check("1 a\r\n", "", &[(1, "a", 0)]);
    }
    #[test]
    fn more_after_the_size() {
        check("1 a\r\n", "1 10 octets\r\n", &[(1, "a", 10)]);
    }
    #[test]
    fn odd_spaces() {
        check(" 1  a \r\n", "1\t10\r\n", &[(1, "a", 10)]);
    }
    #[test]
    fn nonsense_between() {
        check("x y\r\n-1 z\r\n1 a\r\n", "hello\r\n1 1\r\n", &[(1, "a", 1)]);
    }
}
