//! Messages that a program delivers: `CheckIncomingEmail`,
//! `DeliverIncomingEmail` and their siblings for tracking by hand. They take
//! the road of received mail: facts, `rules::incoming::decide`, one commit
//! with the ledger's row.

use model::facts::MailFacts;
use model::mail::{BlobId, StoredBlob};
use model::tables::{Disposition, Email, LedgerEntry, Organization, QueueItem};
use model::verdict::{ReasonCode, Verdict};
use model::{Change, Commit, Entity, Filter, Id, Mail, Query, Ref, Refusal, Timestamp, words};
use rules::incoming::{self, Arrival, handed};
use rules::{matching, token};
use store::CommitError;

use crate::context::Context;
use crate::error::{ActionError, commit_failed};
use crate::{access, audit, blobs, facts};

/// How often a message is decided anew because something changed meanwhile.
const TRIES: usize = 4;

/// A message as a program hands it over.
#[derive(Debug, Clone)]
pub struct Message {
    pub mail: Mail,
    /// The message as bytes: what is kept, and where the attachments stand in.
    pub raw: Vec<u8>,
    pub received: Option<Timestamp>,
}

/// Whether a message would be made an email, and by which rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opinion {
    pub accepts: bool,
    pub code: ReasonCode,
}

/// Who wants the message to be an email.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// The recipients' filters say.
    Recipients,
    /// The caller tracks it by hand.
    Caller,
}

/// What [`deliver`] would say now; nothing is written.
pub async fn check(ctx: &Context, mail: Mail) -> Result<Opinion, ActionError> {
    access::create(ctx, Email::TABLE)?;
    let arrival = arrival(mail, None, BlobId([0; 32]));
    let verdict = match facts(ctx, &arrival, By::Recipients).await? {
        Some((facts, _)) => incoming::decide(&arrival, &facts, ctx.now),
        None => return Ok(Opinion { accepts: false, code: ReasonCode::NoRecipientMatch }),
    };
    Ok(Opinion { accepts: verdict.disposition == Disposition::Tracked, code: verdict.code })
}

/// Whether a message that is tracked by hand is not there yet. Of one that is
/// on its way only the Message-ID and the subject are asked for.
pub async fn check_promote(
    ctx: &Context,
    message_id: &str,
    subject: &str,
    outgoing: Option<bool>,
) -> Result<Opinion, ActionError> {
    access::read(ctx, Email::TABLE)?;
    let same = Query::of::<Email>().filter(Filter::eq(Email::C.message_id, matching::id_key(message_id)));
    let standing = ctx.store.list::<Email>(&same).await?;
    if standing.iter().any(|email| outgoing.is_none_or(|outgoing| email.is_outgoing == outgoing)) {
        return Ok(Opinion { accepts: false, code: ReasonCode::Duplicate });
    }
    let organization = facts::organization(ctx).await?;
    let tokens = if organization.tracking_tokens { genuine(ctx, &organization, subject).await? } else { Vec::new() };
    let known = Query::of::<Email>().filter(Filter::is_in(Email::C.tracking_token, tokens.clone()));
    let answers = !tokens.is_empty() && ctx.store.count(&known).await? > 0;
    let code = if answers { ReasonCode::CorrelationMatch } else { ReasonCode::AcceptAll };
    Ok(Opinion { accepts: true, code })
}

/// The tracking tokens in a subject that were made here.
async fn genuine(ctx: &Context, organization: &Organization, subject: &str) -> Result<Vec<String>, ActionError> {
    let Some(key) = ctx.store.reveal(Organization::TABLE, organization.id, "pr_signingkey").await? else {
        return Ok(Vec::new());
    };
    let found = token::find(subject, &token::prefixes(organization));
    Ok(found.into_iter().filter(|text| token::verify(text, &key)).collect())
}

/// Takes a message over and returns the email that came of it. Where none
/// does, the ledger says why all the same, and the refusal (0x8005E20B) too.
pub async fn deliver(ctx: &Context, message: Message) -> Result<Id, ActionError> {
    take(ctx, message, By::Recipients).await
}

/// The same for a message that the caller tracks by hand.
pub async fn promote(ctx: &Context, message: Message) -> Result<Id, ActionError> {
    take(ctx, message, By::Caller).await
}

async fn take(ctx: &Context, message: Message, by: By) -> Result<Id, ActionError> {
    access::create(ctx, Email::TABLE)?;
    let (blob, places) = blobs::put(ctx, &message.raw).await?;
    let arrival = arrival(message.mail, message.received, blob);
    for _ in 0..TRIES {
        let Some((facts, aside)) = facts(ctx, &arrival, by).await? else {
            let why = words!("No recipient is a user or queue whose email is processed here, and you have no mailbox");
            return Err(cannot_accept(ReasonCode::NoRecipientMatch, &why.to_string()).into());
        };
        let mut verdict = incoming::decide(&arrival, &facts, ctx.now);
        handed::settle_aside(&aside, &arrival.mail, &mut verdict);
        allowed(ctx, &verdict).await?;
        match commit(ctx, &verdict, &places).await? {
            Ok(()) => return outcome(verdict),
            Err(CommitError::Conflict { .. }) => {}
            Err(error) => return Err(commit_failed(Email::TABLE.logical, error)),
        }
    }
    Err(crate::error::version_mismatch(Email::TABLE.logical).into())
}

fn arrival(mail: Mail, received: Option<Timestamp>, blob: BlobId) -> Arrival {
    let position = handed::position(&mail);
    Arrival { mail, position, received, blob, attempts: 0 }
}

/// The facts, with the mailbox that the message counts as received in, and the
/// rows of the ledger that do not count; `None` where there is no mailbox that
/// it could be noted in.
async fn facts(ctx: &Context, arrival: &Arrival, by: By) -> Result<Option<(MailFacts, Vec<LedgerEntry>)>, ActionError> {
    let own = facts::mailbox_of(ctx, ctx.actor_ref()).await?.map(|mailbox| mailbox.id);
    let organization = facts::organization(ctx).await?;
    let prefixes: Vec<String> = organization.tracking_prefix.split(';').map(str::to_owned).collect();
    let load = async |mailbox: Id| {
        let keys = incoming::keys(std::slice::from_ref(arrival), mailbox, &prefixes);
        ctx.store.facts_for_mail(&keys).await
    };
    if by == By::Caller {
        let Some(own) = own else { return Ok(None) };
        let mut facts = load(own).await?;
        return Ok(handed::tracked_by(ctx.actor_ref(), &mut facts).map(|aside| (facts, aside)));
    }
    let Some(any) = own.or(some_recipient(ctx, &arrival.mail).await?) else { return Ok(None) };
    let mut facts = load(any).await?;
    match handed::receiver(&arrival.mail, &facts).map(|served| served.mailbox.id) {
        Some(receiver) if receiver == any => {}
        Some(receiver) => facts = load(receiver).await?,
        None => handed::held_by_nobody(&mut facts),
    }
    Ok(Some((facts, Vec::new())))
}

/// For a caller without a mailbox of their own.
async fn some_recipient(ctx: &Context, mail: &Mail) -> Result<Option<Id>, ActionError> {
    for address in mail.to.iter().chain(&mail.cc).chain(&mail.bcc) {
        if let Some((mailbox, _)) = facts::taken(ctx, &address.address, Id::nil()).await? {
            return Ok(Some(mailbox.id));
        }
    }
    Ok(None)
}

/// Nobody makes emails and queue items by this road that they could not create.
async fn allowed(ctx: &Context, verdict: &Verdict) -> Result<(), ActionError> {
    for change in &verdict.changes {
        if let Change::Create(row) | Change::Ensure(row) = change
            && (row.table == Email::TABLE || row.table == QueueItem::TABLE)
        {
            access::create_row(ctx, row).await??;
        }
    }
    Ok(())
}

async fn commit(
    ctx: &Context,
    verdict: &Verdict,
    places: &[StoredBlob],
) -> Result<Result<(), CommitError>, ActionError> {
    let mut changes = verdict.changes.clone();
    // Handled before: the ledger says so already.
    let Some(Ref { table, id }) = changes.last().map(Change::target) else { return Ok(Ok(())) };
    if let Some(table) = model::tables::by_logical_name(table) {
        changes.push(audit::noted(ctx, "deliver", table, id)?);
    }
    let commit = Commit::new(ctx.actor(), ctx.now, changes).with_blobs(places.to_vec());
    Ok(ctx.store.commit(&commit).await.map(|_| ()))
}

fn outcome(verdict: Verdict) -> Result<Id, ActionError> {
    match verdict.email {
        Some(email) if verdict.disposition == Disposition::Tracked => Ok(email),
        _ => Err(cannot_accept(verdict.code, &verdict.why).into()),
    }
}

/// 0x8005E20B
fn cannot_accept(code: ReasonCode, why: &str) -> Refusal {
    let why = why.trim_end_matches('.');
    let message =
        words!("The email cannot be accepted. Reason code: {0} ({1}). {2}.", code as i8, format!("{code:?}"), why);
    Refusal::new(0x8005_E20B, "CannotAcceptEmail", message)
}
