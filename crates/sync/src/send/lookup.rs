//! Emails that were being sent when the connection or the process was lost:
//! the server is asked before anything is sent again.
//!
//! Being found (in the Sent folder, or as an own copy in the Inbox) proves
//! that it was sent. Not being found proves something only where the server
//! is known to keep copies: where an earlier email is found that can only be
//! there as a copy.

use model::query::{Compare, TextMatch};
use model::tables::{ActivityParty, Disposition, Email, EmailStatus, IncomingMethod, LedgerEntry, ServerType};
use model::{Entity, Failure, FailureKind, Filter, Id, Lease, Query, Ref, SignedDuration, Update, Value};
use rules::outgoing;

use super::{Facts, commit};
use crate::engine::Loaded;
use crate::route::Incoming;
use crate::sessions::{Open, Reader};
use crate::{Engine, SyncError, receive};

/// How many in one cycle.
const BATCH: usize = 50;
/// Earlier emails that are looked for to see whether the server keeps copies.
const EARLIER: usize = 5;
/// When the server cannot be asked right now.
const LATER: SignedDuration = SignedDuration::from_mins(2);

pub(crate) async fn uncertain(engine: &Engine, loaded: &Loaded, lease: Lease) -> Result<(), SyncError> {
    let emails = in_doubt(engine, loaded.mailbox.id).await?;
    let mut session: Option<Open> = None;
    for email in &emails {
        let facts = Facts::load(engine, email).await?;
        let facts = facts.as_rule_facts(email, loaded);
        if email.postponed_until.is_none() {
            // The process ended in the middle of sending it.
            commit(engine, loaded, lease, outgoing::recover(&facts, engine.now())).await?;
            continue;
        }
        if !is_searchable(loaded) {
            commit(engine, loaded, lease, outgoing::looked_up(&facts, None, engine.now())).await?;
            continue;
        }
        match ask(engine, loaded, &mut session, email).await {
            Ok(found) => commit(engine, loaded, lease, outgoing::looked_up(&facts, found, engine.now())).await?,
            Err(SyncError::LeaseLost) => return Err(SyncError::LeaseLost),
            Err(error) => {
                // That the server cannot be asked now says nothing about the email.
                tracing::warn!(mailbox = %loaded.mailbox.name, %error, "cannot look for an email whose outcome is uncertain; trying again");
                session = None;
                let later = Update::of::<Email>(email.id)
                    .expect(Email::C.status, EmailStatus::Sending)
                    .set(Email::C.postponed_until, engine.now().checked_add(LATER).ok());
                commit(engine, loaded, lease, vec![later.into()]).await?
            }
        };
    }
    if let Some(open) = session {
        open.reader.log_out().await;
    }
    Ok(())
}

/// The emails of this mailbox whose outcome nobody knows and that are ripe to
/// be looked for. What a person was asked about already is theirs to decide.
async fn in_doubt(engine: &Engine, mailbox: Id) -> Result<Vec<Email>, SyncError> {
    let asked =
        Filter::Text(Email::C.failure_reason.name.into(), TextMatch::StartsWith, outgoing::UNDECIDED.to_owned());
    let postponed = Email::C.postponed_until.name;
    let ripe = Filter::IsNull(postponed.into()).or(Filter::Compare(
        postponed.into(),
        Compare::LessOrEqual,
        Value::Time(engine.now()),
    ));
    let query = Query::of::<Email>()
        .filter(Filter::eq(Email::C.sender_mailbox, Some(Ref::new("mailbox", mailbox))))
        .filter(Filter::eq(Email::C.status, EmailStatus::Sending))
        .filter(Filter::Not(Box::new(asked)))
        .filter(ripe)
        .limit(BATCH);
    Ok(engine.store.list::<Email>(&query).await?)
}

/// Whether there is a mailbox of ours in which a copy could be looked for.
fn is_searchable(loaded: &Loaded) -> bool {
    loaded.profile.server_type == ServerType::ImapSmtp
        && matches!(loaded.mailbox.incoming, IncomingMethod::ServerSide | IncomingMethod::ForwardMailbox)
}

/// `None`: the server cannot tell.
async fn ask(
    engine: &Engine,
    loaded: &Loaded,
    session: &mut Option<Open>,
    email: &Email,
) -> Result<Option<bool>, SyncError> {
    if was_received(engine, loaded, email).await? {
        return Ok(Some(true));
    }
    let open = match session {
        Some(open) => open,
        None => session.insert(receive::open(engine, loaded, Incoming::Imap).await?),
    };
    let reader = &mut open.reader;
    if find(reader, None, &email.message_id).await? || find(reader, Some("INBOX"), &email.message_id).await? {
        return Ok(Some(true));
    }
    for sent in earlier(engine, loaded).await? {
        let is_copy = find(reader, None, &sent.message_id).await?
            || (!was_for_itself(engine, loaded, &sent).await? && find(reader, Some("INBOX"), &sent.message_id).await?);
        if is_copy {
            return Ok(Some(false));
        }
    }
    Ok(None)
}

/// An own copy was received, and may have been deleted since.
async fn was_received(engine: &Engine, loaded: &Loaded, email: &Email) -> Result<bool, SyncError> {
    let copy = Query::of::<LedgerEntry>()
        .filter(Filter::eq(LedgerEntry::C.mailbox, Some(Ref::new("mailbox", loaded.mailbox.id))))
        .filter(Filter::eq(LedgerEntry::C.disposition, Disposition::OwnCopy))
        .filter(Filter::eq(LedgerEntry::C.activity, Some(Ref::new(Email::TABLE.logical, email.id))))
        .limit(1);
    Ok(!engine.store.list::<LedgerEntry>(&copy).await?.is_empty())
}

async fn earlier(engine: &Engine, loaded: &Loaded) -> Result<Vec<Email>, SyncError> {
    let query = Query::of::<Email>()
        .filter(Filter::eq(Email::C.sender_mailbox, Some(Ref::new("mailbox", loaded.mailbox.id))))
        .filter(Filter::eq(Email::C.status, EmailStatus::Sent))
        .order_by(Email::C.sent_on, true)
        .limit(EARLIER);
    Ok(engine.store.list::<Email>(&query).await?)
}

/// Whether the email was addressed to the mailbox it was sent from: then it
/// lies in the Inbox as mail, not as a copy.
async fn was_for_itself(engine: &Engine, loaded: &Loaded, email: &Email) -> Result<bool, SyncError> {
    let query = Query::of::<ActivityParty>()
        .filter(Filter::eq(ActivityParty::C.activity, Some(Ref::new(Email::TABLE.logical, email.id))));
    let own = model::mail::address_key(&loaded.mailbox.address);
    let parties = engine.store.list::<ActivityParty>(&query).await?;
    let recipients = parties.iter().filter(|p| p.participation != model::tables::Participation::Sender);
    Ok(recipients.into_iter().any(|p| model::mail::address_key(&p.address) == own))
}

/// `folder: None`: the Sent folder. A mailbox without that folder has nothing in it.
async fn find(reader: &mut Reader, folder: Option<&str>, message_id: &str) -> Result<bool, Failure> {
    match reader.find(folder, message_id).await {
        Ok(found) => Ok(!found.is_empty()),
        Err(failure) if matches!(failure.kind, FailureKind::Refused | FailureKind::Misconfigured) => Ok(false),
        Err(failure) => Err(failure),
    }
}
