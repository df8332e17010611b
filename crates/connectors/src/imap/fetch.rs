//! Listing and fetching messages: several commands in flight, bodies straight
//! into the sink.

use std::collections::VecDeque;
use std::io;

use jiff::Timestamp;
use model::{Failure, FailureKind, Step};
use tokio::io::{AsyncRead, AsyncWrite};

use super::date;
use super::engine::{Done, Event, Handler, Listen, Tag};
use super::sequence::SequenceSet;
use super::session::Session;
use super::wire::{Body, FetchItems, Literals, Response, Status, is_message_literal};
use crate::MailSink;

/// Messages asked for by one command; a refusal then touches no more than these.
const PER_COMMAND: usize = 100;
/// Commands in flight.
const IN_FLIGHT: usize = 4;
/// When the server delivers none of so many messages, the trouble is its own.
const NONE_OF_MANY: usize = 10;

/// A message as the server lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub uid: u32,
    /// RFC822.SIZE; not every server counts right.
    pub size: u64,
    /// INTERNALDATE, where it can be read.
    pub received: Option<Timestamp>,
}

/// A message that went to the sink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Delivered {
    pub uid: u32,
    pub octets: u64,
    pub ticket: usize,
}

/// What became of the messages asked for, up to the one at which it went wrong.
/// What is in neither list has vanished.
#[derive(Debug, Default)]
pub(super) struct Fetched {
    pub delivered: Vec<Delivered>,
    pub undeliverable: Vec<(u32, String)>,
    /// Nothing is known of this message and of those with higher UIDs.
    pub interrupted: Option<(u32, Failure)>,
}

impl Fetched {
    /// Went wrong at this message: those after it have to be read again, so
    /// that the cursor can stand before it.
    fn interrupt(&mut self, uid: u32, failure: Failure) {
        self.delivered.retain(|d| d.uid < uid);
        self.undeliverable.retain(|(u, _)| *u < uid);
        self.interrupted = Some((uid, failure));
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Session<S> {
    /// UID, size and date of messages in the open folder, in ascending order.
    pub async fn list_messages(&mut self, uids: &SequenceSet) -> Result<Vec<Listed>, Failure> {
        let mut listed = Vec::new();
        let mut listen = Listen(|response: &Response<'_>| {
            if let Response::Fetch { items: FetchItems { uid: Some(uid), size, internal_date, .. }, .. } = response
                && uids.contains(*uid)
                && (size.is_some() || internal_date.is_some())
            {
                let received = internal_date.as_deref().and_then(date::internal_date);
                listed.push(Listed { uid: *uid, size: size.unwrap_or(0), received });
            }
        });
        let command = format!("UID FETCH {uids} (UID RFC822.SIZE INTERNALDATE)");
        let done = self.engine.run_long(Step::Read, &command, &mut listen).await?;
        if done.status == Status::Bad {
            done.ok()?;
        } else if done.status != Status::Ok {
            // A NO for one of them must not hide it: what is there will be fetched, and then we shall see.
            let known: SequenceSet = listed.iter().map(|l: &Listed| l.uid).collect();
            let there = self.existing(uids).await?;
            let unknown = there.iter().filter(|&uid| !known.contains(uid));
            listed.extend(unknown.map(|uid| Listed { uid, size: 0, received: None }));
        }
        listed.sort_by_key(|l| l.uid);
        listed.dedup_by_key(|l| l.uid);
        Ok(listed)
    }

    /// Which of these messages are there.
    pub(super) async fn existing(&mut self, uids: &SequenceSet) -> Result<SequenceSet, Failure> {
        let mut there = SequenceSet::new();
        let mut listen = Listen(|response: &Response<'_>| {
            if let Response::Fetch { items: FetchItems { uid: Some(uid), .. }, .. } = response
                && uids.contains(*uid)
            {
                there.insert(*uid);
            }
        });
        self.engine.run_long(Step::Read, &format!("UID FETCH {uids} (UID)"), &mut listen).await?.ok()?;
        Ok(there)
    }

    /// The highest UID in the open folder; `None` when it is empty.
    pub(super) async fn highest_uid(&mut self) -> Result<Option<u32>, Failure> {
        let mut highest = None;
        let mut listen = Listen(|response: &Response<'_>| {
            if let Response::Fetch { items, .. } = response {
                highest = highest.max(items.uid);
            }
        });
        // An empty folder is answered with NO, BAD or nothing.
        self.engine.run(Step::Read, "UID FETCH * (UID)", &mut listen).await?;
        Ok(highest)
    }

    /// Fetches messages, given in ascending order, into the sink.
    pub(super) async fn fetch_messages(&mut self, wanted: &[u32], sink: &mut dyn MailSink) -> Result<Fetched, Failure> {
        let mut bodies = Bodies::new(wanted, sink);
        let result = self.fetch_into(&mut bodies).await;
        if bodies.began {
            bodies.sink.abandon();
        }
        let missing = bodies.missing();
        let stored = !bodies.sink_failed;
        let mut fetched = Fetched { delivered: bodies.delivered, ..Fetched::default() };
        match (result, missing.first()) {
            (Ok(()), None) => {}
            (Ok(()), Some(_)) => self.fetch_again(&missing, sink, &mut fetched).await?,
            // Servers deliver in order: the first that did not come is where it broke.
            (Err(failure), Some(uid)) if stored => fetched.interrupt(uid, failure),
            (Err(failure), _) => return Err(failure),
        }
        fetched.delivered.sort_unstable_by_key(|d| d.uid);
        Ok(fetched)
    }

    /// All that `bodies` wants, a few commands at a time.
    async fn fetch_into(&mut self, bodies: &mut Bodies<'_>) -> Result<(), Failure> {
        let during = Step::Read;
        let wanted = bodies.wanted;
        let mut chunks = wanted.chunks(PER_COMMAND);
        let mut in_flight: VecDeque<Tag> = VecDeque::new();
        loop {
            let mut queued = false;
            while in_flight.len() < IN_FLIGHT
                && let Some(chunk) = chunks.next()
            {
                let uids: SequenceSet = chunk.iter().copied().collect();
                in_flight.push_back(self.engine.queue(&format!("UID FETCH {uids} (UID BODY.PEEK[])")));
                queued = true;
            }
            if queued {
                self.engine.flush_long(during).await?;
            }
            if in_flight.is_empty() {
                return Ok(());
            }
            match self.engine.event(during, bodies).await? {
                Event::Done(done) => {
                    in_flight.retain(|&tag| tag != done.tag);
                    // What is missing after a NO or BAD is tried again alone.
                }
                Event::Untagged => {}
                Event::Continue(_) => return Err(self.engine.confused(during, "the server wants more of a FETCH")),
            }
        }
    }

    /// Tries every missing message alone and finds out why it does not come.
    async fn fetch_again(
        &mut self,
        missing: &SequenceSet,
        sink: &mut dyn MailSink,
        fetched: &mut Fetched,
    ) -> Result<(), Failure> {
        let there = match (self.existing(missing).await, missing.first()) {
            (Ok(there), _) => there,
            (Err(failure), Some(uid)) => {
                fetched.interrupt(uid, failure);
                return Ok(());
            }
            (Err(failure), None) => return Err(failure),
        };
        for uid in there.iter() {
            let wanted = [uid];
            let mut bodies = Bodies::new(&wanted, sink);
            let command = format!("UID FETCH {uid} (UID BODY.PEEK[])");
            let done = self.engine.run_long(Step::Read, &command, &mut bodies).await;
            if bodies.began {
                bodies.sink.abandon();
            }
            let done = match done {
                Err(failure) if bodies.sink_failed => return Err(failure),
                done => done,
            };
            if let Some(delivered) = bodies.delivered.pop() {
                fetched.delivered.push(delivered);
                continue;
            }
            let reason = bodies.faults.pop().unwrap_or("the server lists the message but does not deliver it");
            match done.and_then(|done| why_not(done, reason)) {
                Ok(why) => fetched.undeliverable.push((uid, why)),
                Err(failure) => {
                    fetched.interrupt(uid, failure);
                    return Ok(());
                }
            }
            if fetched.delivered.is_empty() && fetched.undeliverable.len() >= NONE_OF_MANY {
                let said = fetched.undeliverable.pop().map(|(_, said)| said).unwrap_or_default();
                let detail = format!("the server delivers none of {NONE_OF_MANY} messages: {said}");
                return Err(Failure::temporary(Step::Read, detail).with_transcript(self.transcript()));
            }
        }
        Ok(())
    }
}

/// Why one message cannot be had; an error where it is not about the message.
fn why_not(done: Done, otherwise: &str) -> Result<String, Failure> {
    let about_the_message = done.has_code("SERVERBUG") || done.has_code("EXPUNGEISSUED");
    match done.failure {
        None => Ok(otherwise.to_owned()),
        Some(failure) if done.status == Status::Bad => Err(failure),
        Some(failure) if failure.kind == FailureKind::Temporary && !about_the_message => Err(failure),
        Some(failure) => Ok(failure.detail),
    }
}

/// Sorts what comes in: bodies into the sink, and who got one.
struct Bodies<'a> {
    /// Ascending.
    wanted: &'a [u32],
    arrived: Vec<bool>,
    sink: &'a mut dyn MailSink,
    /// A message has begun in the sink and neither been finished nor abandoned.
    began: bool,
    octets: u64,
    delivered: Vec<Delivered>,
    faults: Vec<&'static str>,
    /// The trouble is here and not with the server.
    sink_failed: bool,
}

impl<'a> Bodies<'a> {
    fn new(wanted: &'a [u32], sink: &'a mut dyn MailSink) -> Self {
        let delivered = Vec::with_capacity(wanted.len());
        Self {
            wanted,
            arrived: vec![false; wanted.len()],
            sink,
            began: false,
            octets: 0,
            delivered,
            faults: Vec::new(),
            sink_failed: false,
        }
    }

    fn missing(&self) -> SequenceSet {
        self.wanted.iter().zip(&self.arrived).filter(|(_, arrived)| !**arrived).map(|(&uid, _)| uid).collect()
    }

    fn abandon(&mut self) {
        if std::mem::take(&mut self.began) {
            self.sink.abandon();
        }
    }

    fn begin(&mut self, size: u64) -> io::Result<()> {
        self.abandon();
        self.sink.begin(size).inspect_err(|_| self.sink_failed = true)?;
        (self.began, self.octets) = (true, 0);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.octets += bytes.len() as u64;
        self.sink.write(bytes).inspect_err(|_| self.sink_failed = true)
    }

    fn take(&mut self, items: &FetchItems<'_>) -> io::Result<()> {
        match &items.message {
            Some(Body::Inline(text)) if !text.is_empty() => {
                self.begin(text.len() as u64)?;
                self.write(text)?;
            }
            Some(Body::Streamed(_)) => {}
            Some(_) => {
                self.faults.push("the server delivers an empty message");
                return Ok(());
            }
            // Flags that somebody changed meanwhile.
            None => return Ok(()),
        }
        // A message that nobody asked for, or that comes twice, is abandoned by the caller.
        let at = items.uid.and_then(|uid| self.wanted.binary_search(&uid).ok());
        let Some(at) = at.filter(|&at| self.began && !self.arrived[at]) else { return Ok(()) };
        self.began = false;
        let ticket = self.sink.finish().inspect_err(|_| self.sink_failed = true)?;
        self.arrived[at] = true;
        self.delivered.push(Delivered { uid: self.wanted[at], octets: self.octets, ticket });
        Ok(())
    }
}

impl Literals for Bodies<'_> {
    fn wants(&mut self, head: &[u8], size: u64) -> io::Result<bool> {
        if size == 0 || !is_message_literal(head) {
            return Ok(false);
        }
        self.begin(size)?;
        Ok(true)
    }

    fn chunk(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write(bytes)
    }
}

impl Handler for Bodies<'_> {
    fn untagged(&mut self, response: &Response<'_>) -> Result<(), Failure> {
        let taken = match response {
            Response::Fetch { items, .. } => self.take(items),
            _ => Ok(()),
        };
        self.abandon();
        taken.map_err(|e| Failure::temporary(Step::Read, format!("the message could not be stored: {e}")))
    }
}
