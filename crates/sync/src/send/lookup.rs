//! Emails that were being sent when the connection or the process was lost:
//! the server is asked before anything is sent again.
//!
//! Being found (in the Sent folder, or as an own copy in the Inbox) proves
//! that it was sent. Not being found proves something only where the server
//! is known to keep copies: where an earlier email of ours is found.

use model::tables::{Disposition, Email, EmailStatus, IncomingMethod, LedgerEntry, ServerType};
use model::{Failure, FailureKind, Filter, Lease, Query, Ref, Step};

use super::{Facts, commit, in_doubt};
use crate::engine::Loaded;
use crate::route::Incoming;
use crate::sessions::Reader;
use crate::{Engine, SyncError, receive};

pub(crate) async fn uncertain(engine: &Engine, loaded: &Loaded, lease: Lease) -> Result<(), SyncError> {
    let emails = in_doubt(engine, loaded.mailbox.id).await?;
    let now = engine.now();
    let ripe: Vec<&Email> = emails
        .iter()
        // A person was asked already: theirs to decide.
        .filter(|email| !rules::outgoing::waits_for_person(email))
        .filter(|email| email.postponed_until.is_none_or(|until| until <= now))
        .collect();
    if ripe.is_empty() {
        return Ok(());
    }
    let mut reader = open(engine, loaded).await;
    for email in ripe {
        let facts = Facts::load(engine, email).await?;
        let facts = facts.as_rule_facts(email, loaded);
        if email.postponed_until.is_none() {
            // The process ended in the middle of sending it.
            commit(engine, loaded, lease, rules::outgoing::recover(&facts, now)).await?;
            continue;
        }
        let found = match &mut reader {
            _ if received(engine, loaded, email).await? => Some(true),
            Some(reader) => ask(engine, loaded, reader, email).await?,
            None => None,
        };
        let changes = rules::outgoing::looked_up(&facts, found, engine.now());
        commit(engine, loaded, lease, changes).await?;
    }
    if let Some(reader) = reader {
        reader.log_out().await;
    }
    Ok(())
}

/// A session that can search, where the mailbox has one.
async fn open(engine: &Engine, loaded: &Loaded) -> Option<Reader> {
    let searchable = loaded.profile.server_type == ServerType::ImapSmtp
        && matches!(loaded.mailbox.incoming, IncomingMethod::ServerSide | IncomingMethod::ForwardMailbox);
    if !searchable {
        return None;
    }
    match receive::open(engine, loaded, Incoming::Imap).await {
        Ok(open) => Some(open.reader),
        Err(error) => {
            tracing::warn!(mailbox = %loaded.mailbox.name, %error, "cannot look for an email whose outcome is uncertain");
            None
        }
    }
}

/// An own copy was received, and may have been deleted since.
async fn received(engine: &Engine, loaded: &Loaded, email: &Email) -> Result<bool, SyncError> {
    let copy = Query::of::<LedgerEntry>()
        .filter(Filter::eq(LedgerEntry::C.mailbox, Some(Ref::new("mailbox", loaded.mailbox.id))))
        .filter(Filter::eq(LedgerEntry::C.disposition, Disposition::OwnCopy))
        .filter(Filter::eq(LedgerEntry::C.activity, Some(Ref::new("email", email.id))))
        .limit(1);
    Ok(!engine.store.list::<LedgerEntry>(&copy).await?.is_empty())
}

/// `None`: the server cannot tell.
async fn ask(engine: &Engine, loaded: &Loaded, reader: &mut Reader, email: &Email) -> Result<Option<bool>, SyncError> {
    if is_there(reader, &email.message_id).await? {
        return Ok(Some(true));
    }
    let earlier = Query::of::<Email>()
        .filter(Filter::eq(Email::C.sender_mailbox, Some(Ref::new("mailbox", loaded.mailbox.id))))
        .filter(Filter::eq(Email::C.status, EmailStatus::Sent))
        .order_by(Email::C.sent_on, true)
        .limit(3);
    for sent in engine.store.list::<Email>(&earlier).await? {
        if is_there(reader, &sent.message_id).await? {
            return Ok(Some(false));
        }
    }
    Ok(None)
}

async fn is_there(reader: &mut Reader, message_id: &str) -> Result<bool, Failure> {
    for folder in [None, Some("INBOX")] {
        match reader.find(folder, message_id).await {
            Ok(found) if !found.is_empty() => return Ok(true),
            Ok(_) => {}
            // A mailbox without a Sent folder is not an error.
            Err(failure)
                if failure.during == Step::FindAgain
                    && matches!(failure.kind, FailureKind::Refused | FailureKind::Misconfigured) => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(false)
}
