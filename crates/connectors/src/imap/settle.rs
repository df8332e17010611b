//! Removing what is durably ours, and nothing else.
//!
//! The header digest is SHA-256 over the octets of the header section: from the
//! first octet up to and including the empty line that ends it (CRLF CRLF; LF
//! LF is taken for it as well; a message may begin with the empty line). A message without an
//! empty line is header as a whole. That is what `BODY[HEADER]` returns
//! (RFC 9051, section 6.4.5); where a server renders it otherwise, or counts
//! RFC822.SIZE otherwise, the whole message is read again and decides.

use std::collections::BTreeMap;
use std::io;

use aws_lc_rs::digest::{Context, SHA256};
use model::work::{Position, Settle, SettleAction, Settled};
use model::{Failure, FailureKind, Step};
use tokio::io::{AsyncRead, AsyncWrite};

use super::engine::Handler;
use super::sequence::SequenceSet;
use super::session::Session;
use super::wire::{Body, Literals, NoLiterals, Response, is_header_literal, is_message_literal};

/// Messages verified and removed by one set of commands.
const AT_ONCE: usize = 200;
/// When the server removes none of so many messages, it removes none.
const NONE_OF_MANY: usize = 5;

/// Digest of the header section of a raw message, as [`Settle::header_digest`] holds it.
pub fn header_digest(message: &[u8]) -> [u8; 32] {
    let mut digest = HeaderDigest::default();
    digest.update(message);
    digest.finish()
}

/// The same, piece by piece.
pub struct HeaderDigest {
    context: Context,
    /// The line has no octets so far, or only a CR.
    line_is_empty: bool,
    /// The line is a CR so far.
    line_is_cr: bool,
    complete: bool,
}

impl Default for HeaderDigest {
    fn default() -> Self {
        Self { context: Context::new(&SHA256), line_is_empty: true, line_is_cr: false, complete: false }
    }
}

impl HeaderDigest {
    pub fn update(&mut self, bytes: &[u8]) {
        if self.complete {
            return;
        }
        let mut from = 0;
        while let Some(length) = memchr::memchr(b'\n', &bytes[from..]) {
            let line = &bytes[from..from + length];
            from += length + 1;
            if self.line_is_empty && (line.is_empty() || (line == b"\r" && !self.line_is_cr)) {
                self.complete = true;
                return self.context.update(&bytes[..from]);
            }
            (self.line_is_empty, self.line_is_cr) = (true, false);
        }
        match &bytes[from..] {
            b"" => {}
            b"\r" if self.line_is_empty && !self.line_is_cr => self.line_is_cr = true,
            _ => self.line_is_empty = false,
        }
        self.context.update(bytes);
    }

    pub fn finish(self) -> [u8; 32] {
        to_array(self.context)
    }
}

fn to_array(context: Context) -> [u8; 32] {
    let mut bytes = [0; 32];
    let digest = context.finish();
    for (to, from) in bytes.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    bytes
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Session<S> {
    /// Does what is to be done; one outcome per entry, in order.
    pub async fn settle(&mut self, settles: &[Settle]) -> Result<Vec<Settled>, Failure> {
        let mut outcomes = vec![Settled::Different; settles.len()];
        let mut groups: BTreeMap<(&str, u32), Vec<usize>> = BTreeMap::new();
        for (at, settle) in settles.iter().enumerate() {
            match &settle.position {
                Position::Imap { folder, uid_validity, .. } => {
                    groups.entry((folder, *uid_validity)).or_default().push(at);
                }
                // It was read by POP3 before the profile was changed, and cannot be found by IMAP.
                Position::Pop3 { .. } | Position::Api { .. } => {}
            }
        }
        for ((folder, uid_validity), members) in groups {
            let there = match self.open_for_settling(folder).await {
                Ok(there) => there,
                Err(failure) if self.is_refusal(&failure) => {
                    members.iter().for_each(|&at| outcomes[at] = Settled::Refused(failure.clone()));
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            if there != uid_validity {
                // Another UIDVALIDITY: the UIDs name other messages now.
                continue;
            }
            for part in members.chunks(AT_ONCE) {
                self.settle_part(settles, part, &mut outcomes).await?;
            }
        }
        Ok(outcomes)
    }

    /// The server said no, and the conversation goes on.
    fn is_refusal(&self, failure: &Failure) -> bool {
        !self.is_broken() && failure.kind != FailureKind::Garbled
    }

    async fn open_for_settling(&mut self, folder: &str) -> Result<u32, Failure> {
        let is_open = self.open_folder().is_some_and(|open| open.name == folder && !open.read_only);
        if !is_open {
            let open = self.select(folder).await?;
            if open.read_only {
                let detail = format!("the folder '{folder}' can only be read, so nothing can be removed from it");
                return Err(Failure::new(FailureKind::Refused, Step::Settle, detail));
            }
        }
        Ok(self.open_folder().map_or(0, |open| open.uid_validity))
    }

    async fn settle_part(
        &mut self,
        settles: &[Settle],
        part: &[usize],
        outcomes: &mut [Settled],
    ) -> Result<(), Failure> {
        let uids: SequenceSet = part.iter().filter_map(|&at| uid_of(&settles[at])).collect();
        let found = self.fingerprints(&uids).await?;
        let mut remove = SequenceSet::new();
        for &at in part {
            let settle = &settles[at];
            let Some(uid) = uid_of(settle) else { continue };
            let same = match found.get(&uid) {
                None => None,
                Some(print) if print.matches(settle) => Some(true),
                Some(_) => match self.whole_message(uid).await {
                    Ok(print) => print.map(|print| print.matches(settle)),
                    Err(failure) if self.is_refusal(&failure) => {
                        outcomes[at] = Settled::Refused(failure);
                        continue;
                    }
                    Err(failure) => return Err(failure),
                },
            };
            outcomes[at] = match (same, settle.action) {
                (None, _) => Settled::AlreadyGone,
                (Some(false), _) => Settled::Different,
                (Some(true), SettleAction::Delete) => {
                    remove.insert(uid);
                    Settled::Done
                }
            };
        }
        if remove.is_empty() {
            return Ok(());
        }
        for (uid, failure) in self.remove_what_goes(&remove).await? {
            let refused = |at: &&usize| uid_of(&settles[**at]) == Some(uid) && outcomes[**at] == Settled::Done;
            for at in part.iter().filter(refused).copied().collect::<Vec<_>>() {
                outcomes[at] = Settled::Refused(failure.clone());
            }
        }
        Ok(())
    }

    /// Removes these; where the server does not like it, one by one. Returns
    /// what it refused.
    async fn remove_what_goes(&mut self, uids: &SequenceSet) -> Result<Vec<(u32, Failure)>, Failure> {
        let all = match self.remove(uids).await {
            Ok(()) => return Ok(Vec::new()),
            Err(failure) if self.is_refusal(&failure) => failure,
            Err(failure) => return Err(failure),
        };
        let capabilities = self.capabilities();
        if uids.len() == 1 || !(capabilities.uidplus || capabilities.r#move) {
            return Ok(uids.iter().map(|uid| (uid, all.clone())).collect());
        }
        let (mut refused, mut went) = (Vec::new(), false);
        for uid in uids.iter() {
            // Nothing goes: it is not about single messages.
            if !went && refused.len() >= NONE_OF_MANY {
                refused.push((uid, all.clone()));
                continue;
            }
            match self.remove(&SequenceSet::range(uid, uid)).await {
                Ok(()) => went = true,
                Err(failure) if self.is_refusal(&failure) => refused.push((uid, failure)),
                Err(failure) => return Err(failure),
            }
        }
        Ok(refused)
    }

    async fn fingerprints(&mut self, uids: &SequenceSet) -> Result<BTreeMap<u32, Print>, Failure> {
        let mut prints = Prints { whole: false, ..Prints::default() };
        let command = format!("UID FETCH {uids} (UID RFC822.SIZE BODY.PEEK[HEADER])");
        self.engine.run_long(Step::Settle, &command, &mut prints).await?.ok()?;
        Ok(prints.found)
    }

    /// Reads the whole message again; for servers whose figures do not fit together.
    async fn whole_message(&mut self, uid: u32) -> Result<Option<Print>, Failure> {
        let mut prints = Prints { whole: true, ..Prints::default() };
        let command = format!("UID FETCH {uid} (UID BODY.PEEK[])");
        self.engine.run_long(Step::Settle, &command, &mut prints).await?.ok()?;
        Ok(prints.found.remove(&uid))
    }

    async fn remove(&mut self, uids: &SequenceSet) -> Result<(), Failure> {
        let during = Step::Settle;
        let capabilities = self.capabilities().clone();
        // At Gmail a message that is expunged from a folder lives on in another.
        if capabilities.r#move && (capabilities.x_gm_ext_1 || !capabilities.uidplus) {
            let names = ["Trash", "Deleted Items", "Deleted Messages", "Bin"];
            if let Some(trash) = self.special_folder("\\Trash", &names).await? {
                self.uid_move(uids, &trash).await?;
                return Ok(());
            }
        }
        if capabilities.uidplus {
            let store = self.engine.queue(&format!("UID STORE {uids} +FLAGS.SILENT (\\Deleted)"));
            let expunge = self.engine.queue(&format!("UID EXPUNGE {uids}"));
            self.engine.flush_long(during).await?;
            let store = self.engine.finish(during, store, &mut NoLiterals).await?;
            let expunge = self.engine.finish(during, expunge, &mut NoLiterals).await?;
            store.ok()?;
            expunge.ok()?;
            return Ok(());
        }
        self.add_flags(uids, "\\Deleted").await?;
        let detail = "the server has no UIDPLUS, so nothing can be removed safely; the messages are only marked as \
                      deleted";
        Err(Failure::new(FailureKind::Refused, during, detail))
    }
}

fn uid_of(settle: &Settle) -> Option<u32> {
    match settle.position {
        Position::Imap { uid, .. } => Some(uid),
        Position::Pop3 { .. } | Position::Api { .. } => None,
    }
}

/// By what a message is recognized.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Print {
    size: u64,
    digest: [u8; 32],
}

impl Print {
    fn matches(&self, settle: &Settle) -> bool {
        self.size == settle.size && self.digest == settle.header_digest
    }
}

/// Digests the headers, or the whole messages, as they come in.
#[derive(Default)]
struct Prints {
    whole: bool,
    running: Option<HeaderDigest>,
    octets: u64,
    found: BTreeMap<u32, Print>,
}

impl Literals for Prints {
    fn wants(&mut self, head: &[u8], _: u64) -> io::Result<bool> {
        let wanted = if self.whole { is_message_literal(head) } else { is_header_literal(head) };
        if wanted {
            (self.running, self.octets) = (Some(HeaderDigest::default()), 0);
        }
        Ok(wanted)
    }

    fn chunk(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.octets += bytes.len() as u64;
        if let Some(running) = &mut self.running {
            running.update(bytes);
        }
        Ok(())
    }
}

impl Handler for Prints {
    fn untagged(&mut self, response: &Response<'_>) -> Result<(), Failure> {
        let running = self.running.take();
        let Response::Fetch { items, .. } = response else { return Ok(()) };
        let section = if self.whole { &items.message } else { &items.header };
        let (digest, octets) = match section {
            Some(Body::Streamed(_)) => (running, self.octets),
            Some(Body::Inline(text)) => {
                let mut digest = HeaderDigest::default();
                digest.update(text);
                (Some(digest), text.len() as u64)
            }
            // There, but without a header to compare.
            Some(Body::Nil) => (Some(HeaderDigest::default()), 0),
            None => return Ok(()),
        };
        if let (Some(uid), Some(digest)) = (items.uid, digest) {
            let size = if self.whole { octets } else { items.size.unwrap_or(u64::MAX) };
            self.found.insert(uid, Print { size, digest: digest.finish() });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
