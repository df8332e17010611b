//! Processes messages again from the ledger: from the bytes that were kept,
//! the server is not asked.

use model::mail::{BlobId, is_address};
use model::tables::{Disposition, LedgerEntry, Mailbox};
use model::work::Workload;
use model::{Change, Commit, Entity, Filter, Id, Query, Ref, Refusal, Update, Words, words};
use rules::access::Special;
use rules::schedule;

use crate::context::Context;
use crate::error::{ActionError, commit_failed, invalid_operation};
use crate::{access, audit};

mod search;

pub use search::{Entry, Page, Place, Search, search};

/// Rows of one transaction.
const AT_ONCE: usize = 500;

/// Which of a mailbox's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    Failed,
    Unclaimed,
    /// Everything that no email came of and that can be decided anew.
    AllNotTracked,
}

impl Which {
    fn dispositions(self) -> &'static [Disposition] {
        match self {
            Self::Failed => &[Disposition::Failed],
            Self::Unclaimed => &[Disposition::Unclaimed],
            Self::AllNotTracked => REPEATABLE,
        }
    }
}

/// What became of a request for many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retried {
    /// Wait to be processed.
    pub waiting: usize,
    /// Could not be: their bytes were not kept, or belong to a forward mailbox.
    pub refused: usize,
}

/// What a change of settings, rules or software may turn out otherwise.
const REPEATABLE: &[Disposition] = &[
    Disposition::Failed,
    Disposition::Unclaimed,
    Disposition::Filtered,
    Disposition::NoRecipientMatch,
    Disposition::Unreadable,
];

/// Decides about one message again, soon: its mailbox looks at it at once.
pub async fn retry(ctx: &Context, entry: Id) -> Result<(), ActionError> {
    let Some(row) = ctx.store.load::<LedgerEntry>(entry).await? else {
        return Err(Refusal::does_not_exist(LedgerEntry::TABLE.logical, entry).into());
    };
    let mailbox = mailbox_of(ctx, &row).await?;
    if row.disposition == Disposition::Waiting {
        return Ok(());
    }
    repeatable(&row)?;
    commit(ctx, mailbox, &[row]).await
}

/// Decides about all such messages of a mailbox again.
pub async fn retry_all(ctx: &Context, mailbox: Id, which: Which) -> Result<Retried, ActionError> {
    may(ctx, mailbox).await?;
    let mut retried = Retried::default();
    let mut after = None;
    loop {
        let mut query = Query::of::<LedgerEntry>()
            .filter(Filter::eq(LedgerEntry::C.mailbox, Some(Ref::new(Mailbox::TABLE.logical, mailbox))))
            .filter(Filter::is_in(LedgerEntry::C.disposition, which.dispositions().iter().copied()))
            .limit(AT_ONCE);
        query.after = after.map(|id| (Vec::new(), id));
        let rows = ctx.store.list::<LedgerEntry>(&query).await?;
        let Some(last) = rows.last() else { return Ok(retried) };
        after = Some(last.id);
        let all = rows.len();
        let rows: Vec<LedgerEntry> = rows.into_iter().filter(|row| repeatable(row).is_ok()).collect();
        retried.refused += all - rows.len();
        retried.waiting += rows.len();
        if !rows.is_empty() {
            commit(ctx, mailbox, &rows).await?;
        }
    }
}

/// The bytes of a message in the ledger; `None` where they were not kept.
///
/// # Errors
/// 0x80040217 where the caller may not read the row.
pub async fn raw(ctx: &Context, entry: Id) -> Result<Option<Vec<u8>>, ActionError> {
    let row = LedgerEntry::from_record(&access::seen(ctx, LedgerEntry::TABLE, entry).await?)?;
    let Some(mailbox) = row.mailbox else { return Ok(None) };
    let mailbox = access::seen(ctx, Mailbox::TABLE, mailbox.id).await?;
    access::special_on(ctx, Special::ReadEmailContent, &mailbox).await?;
    match row.blob.as_deref().and_then(|b| BlobId::try_from(b).ok()) {
        Some(blob) => Ok(Some(crate::blobs::get(ctx, blob).await?)),
        None => Ok(None),
    }
}

async fn mailbox_of(ctx: &Context, row: &LedgerEntry) -> Result<Id, ActionError> {
    let Some(mailbox) = row.mailbox else {
        let message = words!("The mailbox of this message was deleted; nobody can process it any more.");
        return Err(invalid_operation(message).into());
    };
    may(ctx, mailbox.id).await?;
    Ok(mailbox.id)
}

/// Who may have the mailbox processed may have its messages processed again.
async fn may(ctx: &Context, mailbox: Id) -> Result<(), ActionError> {
    let row = access::seen(ctx, Mailbox::TABLE, mailbox).await?;
    access::special_on(ctx, Special::TestMailbox, &row).await
}

/// 0x8004023b
fn repeatable(row: &LedgerEntry) -> Result<(), Refusal> {
    if !REPEATABLE.contains(&row.disposition) {
        let message = words!(
            "The message is '{0}' in the ledger: there is nothing to process again.",
            Words::label(row.disposition.label())
        );
        return Err(invalid_operation(message));
    }
    if let Some(through) = through(row) {
        let message = words!(
            "The message came through the forward mailbox {0} and cannot be processed again by itself; forward it once more.",
            through
        );
        return Err(invalid_operation(message));
    }
    if row.blob.is_none() {
        let message = words!(
            "The message itself was not kept, and must be fetched from the server again. Move it to another folder there and back: then it is a new one."
        );
        return Err(invalid_operation(message));
    }
    Ok(())
}

/// The forward mailbox through which a served mailbox got a message: such a
/// row's folder begins with its address.
fn through(row: &LedgerEntry) -> Option<&str> {
    let (address, _) = row.folder.split_once(':')?;
    let (_, number) = row.position.rsplit_once('#')?;
    (is_address(address) && number.parse::<usize>().is_ok()).then_some(address)
}

async fn commit(ctx: &Context, mailbox: Id, rows: &[LedgerEntry]) -> Result<(), ActionError> {
    let mut changes: Vec<Change> = rows.iter().map(again).collect();
    changes.extend(schedule::due(mailbox, Workload::Incoming, ctx.now));
    for row in rows {
        changes.push(audit::noted(ctx, "retry", LedgerEntry::TABLE, row.id)?);
    }
    let commit = Commit::new(ctx.actor(), ctx.now, changes);
    ctx.store.commit(&commit).await.map_err(|e| commit_failed(LedgerEntry::TABLE.logical, e))?;
    Ok(())
}

fn again(row: &LedgerEntry) -> Change {
    const LONGEST: usize = 4000;
    let reason: String = format!("Is processed again. Before: {}", row.reason).chars().take(LONGEST).collect();
    // A message that could not be read has no fingerprint by which its row is
    // found again; an attempt that is counted says that there is one.
    let attempts = i64::from(row.fingerprint.is_empty());
    Update::of::<LedgerEntry>(row.id)
        .set(LedgerEntry::C.disposition, Disposition::Waiting)
        .set(LedgerEntry::C.attempts, attempts)
        .set(LedgerEntry::C.reason, reason)
        .expect(LedgerEntry::C.disposition, row.disposition)
        .into()
}
