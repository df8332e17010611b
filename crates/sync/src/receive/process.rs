//! From the bytes of a batch to one transaction: parse, gather facts, decide,
//! commit records, ledger and cursor together.

use std::collections::BTreeSet;
use std::sync::Arc;

use connectors::{Batch, RawMail};
use model::mail::{Mail, StoredBlob};
use model::tables::Disposition;
use model::verdict::Verdict;
use model::work::{Cursor, Position};
use model::{Change, Commit, Lease, Ref};
use rules::incoming::{self, Arrival, Poison};
use store::{BlobWriter, CommitError};

use super::sink::{BatchSink, Content, Taken};
use crate::engine::Loaded;
use crate::{Engine, SyncError, stats};

/// Another worker may commit between our look at the facts and our commit
/// (the same message in another mailbox): look again.
const TRIES: usize = 4;

/// What has been committed of a batch.
pub(crate) struct Processed {
    pub writer: BlobWriter,
    pub messages: usize,
    pub failed: usize,
}

/// Messages of a batch, ready to be decided, and where the cursor goes.
struct Work {
    arrivals: Vec<Arrival>,
    undeliverable: Vec<(Position, String)>,
    /// Not read, because they are older than what is wanted (POP3, where the
    /// ledger is the cursor).
    too_old: Vec<Position>,
    cursor: Cursor,
    /// `user@host:port` for which the cursor holds.
    account: String,
    blobs: Vec<StoredBlob>,
}

/// Takes over a batch that was read `after` this cursor, and the sink that
/// holds its bytes.
pub(crate) async fn batch(
    engine: Arc<Engine>,
    loaded: Arc<Loaded>,
    lease: Lease,
    after: Cursor,
    batch: Batch,
    sink: BatchSink,
    account: String,
) -> Result<Processed, SyncError> {
    let BatchSink { mut writer, taken, .. } = sink;
    // Durable first: one fsync for the batch, before the transaction that refers to it.
    // Meanwhile the messages are parsed.
    let Batch { mails, undeliverable, cursor, .. } = batch;
    let too_old = too_old(&after, &cursor, &mails, &undeliverable);
    let parsing = tokio::task::spawn_blocking(move || parse_all(mails, taken));
    let blobs = writer.sync().await?;
    let arrivals = parsing.await.map_err(|error| SyncError::Blobs(error.to_string()))?;
    let work = Work { arrivals, undeliverable, too_old, cursor, account, blobs };
    let messages = work.arrivals.len() + work.undeliverable.len();
    let failed = if messages == 0 && work.too_old.is_empty() {
        commit(
            &engine,
            &loaded,
            lease,
            super::cursor::changes(loaded.mailbox.id, &work.cursor, &work.account),
            Vec::new(),
        )
        .await?;
        0
    } else {
        decide_and_commit(&engine, &loaded, lease, work).await?
    };
    Ok(Processed { writer, messages, failed })
}

/// A message that makes the parser panic is a message without content, not
/// the end of the batch.
fn parse_all(mails: Vec<RawMail>, taken: Vec<Taken>) -> Vec<Arrival> {
    let mut taken: Vec<Option<Taken>> = taken.into_iter().map(Some).collect();
    let mut arrivals = Vec::with_capacity(mails.len());
    for raw in mails {
        let Some(Taken { blob, content }) = taken.get_mut(raw.ticket).and_then(Option::take) else { continue };
        let mail = parse(content);
        arrivals.push(Arrival { mail, position: raw.position, received: raw.received, blob, attempts: 0 });
    }
    arrivals
}

fn parse(content: Content) -> Mail {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| content.parse())).unwrap_or_else(|_| Mail {
        flaws: vec![model::mail::Flaw::Other("the message could not be parsed at all".into())],
        ..Mail::default()
    })
}

async fn decide_and_commit(engine: &Engine, loaded: &Loaded, lease: Lease, work: Work) -> Result<usize, SyncError> {
    for _ in 0..TRIES {
        let mut verdicts = decide(engine, loaded, &work.arrivals).await?;
        verdicts.extend(not_read(engine, loaded, &work));
        let mut changes: Vec<Change> = Vec::new();
        // Moved, not copied: the bodies of a whole batch are in here.
        verdicts.iter_mut().for_each(|verdict| changes.append(&mut verdict.changes));
        changes.extend(super::cursor::changes(loaded.mailbox.id, &work.cursor, &work.account));
        match commit(engine, loaded, lease, changes, work.blobs.clone()).await {
            Ok(()) => {
                verdicts.iter().for_each(|verdict| stats::message(verdict.disposition));
                return Ok(work.undeliverable.len());
            }
            Err(SyncError::Commit(CommitError::Conflict { .. })) => {}
            Err(SyncError::Commit(CommitError::Store(error))) => {
                tracing::warn!(mailbox = %loaded.mailbox.name, %error, "a batch cannot be committed as one; going message by message");
                break;
            }
            Err(other) => return Err(other),
        }
    }
    one_by_one(engine, loaded, lease, work).await
}

async fn decide(engine: &Engine, loaded: &Loaded, arrivals: &[Arrival]) -> Result<Vec<Verdict>, SyncError> {
    let prefixes: Vec<String> = loaded.organization.tracking_prefix.split(';').map(str::to_owned).collect();
    let keys = incoming::keys(arrivals, loaded.mailbox.id, &prefixes);
    let mut facts = engine.store.facts_for_mail(&keys).await?;
    let now = engine.now();
    Ok(arrivals
        .iter()
        .map(|arrival| {
            let verdict = incoming::decide(arrival, &facts, now);
            incoming::learn(&mut facts, &verdict);
            verdict
        })
        .collect())
}

/// What the server would not give, and what is too old to be wanted.
fn not_read(engine: &Engine, loaded: &Loaded, work: &Work) -> Vec<Verdict> {
    let mailbox = Ref::new("mailbox", loaded.mailbox.id);
    let now = engine.now();
    let lost = work
        .undeliverable
        .iter()
        .map(|(position, why)| incoming::undeliverable(&loaded.mailbox, &loaded.organization, position, why, now));
    let why = "It was received before the time from which email is processed";
    let old =
        work.too_old.iter().map(|position| incoming::passed_over(mailbox, position, Disposition::TooOld, why, now));
    lost.chain(old).collect()
}

/// UIDLs that the batch made known without reading their messages.
fn too_old(after: &Cursor, now: &Cursor, mails: &[RawMail], undeliverable: &[(Position, String)]) -> Vec<Position> {
    let (Cursor::Pop3(before), Cursor::Pop3(now)) = (after, now) else { return Vec::new() };
    let handled = mails.iter().map(|mail| &mail.position).chain(undeliverable.iter().map(|(p, _)| p));
    let handled: BTreeSet<String> = handled.map(Position::in_folder).collect();
    now.known
        .difference(&before.known)
        .filter(|uidl| !handled.contains(*uidl))
        .map(|uidl| Position::Pop3 { uidl: uidl.clone() })
        .collect()
}

/// The slow road, when one message spoils the batch: each in a transaction of
/// its own, the spoiler gets its own ledger row, and then the cursor moves.
async fn one_by_one(engine: &Engine, loaded: &Loaded, lease: Lease, mut work: Work) -> Result<usize, SyncError> {
    let mut failed = 0;
    let mut blobs = std::mem::take(&mut work.blobs);
    for arrival in &work.arrivals {
        if !commit_one(engine, loaded, lease, arrival, std::mem::take(&mut blobs)).await? {
            failed += 1;
        }
    }
    let lost = not_read(engine, loaded, &work);
    let mut changes: Vec<Change> = lost.iter().flat_map(|verdict| verdict.changes.iter().cloned()).collect();
    changes.extend(super::cursor::changes(loaded.mailbox.id, &work.cursor, &work.account));
    commit(engine, loaded, lease, changes, blobs).await?;
    lost.iter().for_each(|verdict| stats::message(verdict.disposition));
    Ok(failed + work.undeliverable.len())
}

/// Decides and commits one message; when that is impossible, commits that it
/// is. `false`: it failed.
pub(crate) async fn commit_one(
    engine: &Engine,
    loaded: &Loaded,
    lease: Lease,
    arrival: &Arrival,
    blobs: Vec<StoredBlob>,
) -> Result<bool, SyncError> {
    let mut error = String::new();
    for _ in 0..TRIES {
        let verdicts = decide(engine, loaded, std::slice::from_ref(arrival)).await?;
        let changes = verdicts.iter().flat_map(|verdict| verdict.changes.iter().cloned()).collect();
        match commit(engine, loaded, lease, changes, blobs.clone()).await {
            Ok(()) => {
                verdicts.iter().for_each(|verdict| stats::message(verdict.disposition));
                return Ok(true);
            }
            Err(SyncError::LeaseLost) => return Err(SyncError::LeaseLost),
            Err(other) => error = other.to_string(),
        }
    }
    let poison = Poison {
        mailbox: &loaded.mailbox,
        organization: &loaded.organization,
        position: &arrival.position,
        received: arrival.received,
        blob: Some(arrival.blob),
        mail: Some(&arrival.mail),
        size: arrival.mail.size,
    };
    let verdict = incoming::failed(&poison, arrival.attempts + 1, &error, engine.now());
    commit(engine, loaded, lease, verdict.changes, blobs).await?;
    stats::message(verdict.disposition);
    Ok(false)
}

pub(crate) async fn commit(
    engine: &Engine,
    loaded: &Loaded,
    lease: Lease,
    changes: Vec<Change>,
    blobs: Vec<StoredBlob>,
) -> Result<(), SyncError> {
    if changes.is_empty() && blobs.is_empty() {
        return Ok(());
    }
    let mut commit = Commit::new(Engine::actor(&loaded.organization), engine.now(), changes).under(lease);
    commit.blobs = blobs;
    match engine.store.commit(&commit).await {
        Ok(_) => Ok(()),
        Err(CommitError::Fenced) => Err(SyncError::LeaseLost),
        Err(other) => Err(other.into()),
    }
}

#[cfg(test)]
mod tests {
    use model::work::{ImapCursor, Pop3Cursor};

    use super::*;

    fn pop3(known: &[&str]) -> Cursor {
        Cursor::Pop3(Pop3Cursor { known: known.iter().map(ToString::to_string).collect(), since: None })
    }

    fn position(uidl: &str) -> Position {
        Position::Pop3 { uidl: uidl.into() }
    }

    #[test]
    fn what_became_known_unread_is_too_old() {
        let raw = RawMail { position: position("read"), received: None, size: 1, ticket: 0 };
        let undeliverable = vec![(position("lost"), "-ERR".to_owned())];
        let (before, now) = (pop3(&["before", "gone"]), pop3(&["before", "lost", "old", "read"]));
        assert_eq!(too_old(&before, &now, &[raw], &undeliverable), [position("old")]);
    }

    #[test]
    fn imap_has_a_cursor_of_its_own() {
        let cursor = Cursor::Imap(ImapCursor { next_uid: 9, ..ImapCursor::default() });
        assert_eq!(too_old(&Cursor::Imap(ImapCursor::default()), &cursor, &[], &[]), []);
    }
}
