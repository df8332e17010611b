//! The outgoing road: what is pending is claimed on the record, written as
//! MIME, submitted, and what the server said goes back on the record.

use std::collections::BTreeSet;

use connectors::net::Stream;
use connectors::{Envelope, SendMail};
use model::mail::{BlobId, Place};
use model::tables::{ActivityParty, Attachment, Delivery, Email, EmailStatus};
use model::{Change, Entity, Failure, FailureKind, Filter, Id, Lease, Query, Ref, Step, Timestamp, Update};
use rules::outgoing::{self, Dispatch, Parent, Ready, SendFacts};

use crate::engine::Loaded;
use crate::route::Direction;
use crate::worker::Progress;
use crate::{Engine, SyncError, receive, stats};

mod lookup;

/// How many emails in one cycle; the rest waits until others had their turn.
const BATCH: usize = 50;

type Session = connectors::smtp::Session<Stream>;

/// One cycle of a mailbox's outgoing workload.
pub(crate) async fn run(engine: &Engine, loaded: &Loaded, mut lease: Lease) -> Result<Progress, SyncError> {
    let mut progress = Progress::default();
    lookup::uncertain(engine, loaded, lease).await?;
    let pending = pending(engine, loaded).await?;
    progress.more = pending.len() == BATCH;
    let mut session: Option<Session> = None;
    let mut permit = None;
    for email in pending {
        lease = engine.renew(lease).await?;
        let Some(job) = prepare(engine, loaded, lease, email).await? else { continue };
        let mut submission = match session.take().filter(Session::is_usable) {
            Some(open) => open,
            None => {
                permit = None;
                let (open, taken) = connect(engine, loaded).await?;
                permit = Some(taken);
                open
            }
        };
        progress.found += 1;
        let delivered = submit(engine, loaded, lease, job, &mut submission).await?;
        session = Some(submission);
        progress.failed += usize::from(!delivered);
    }
    if let Some(session) = session {
        session.quit().await;
    }
    drop(permit);
    progress.wake = next_wake(engine, loaded).await?;
    Ok(progress)
}

/// Emails of this mailbox that wait to be sent, oldest first.
async fn pending(engine: &Engine, loaded: &Loaded) -> Result<Vec<Email>, SyncError> {
    let now = engine.now();
    let not_later = |column: &'static str| {
        Filter::IsNull(column.into()).or(Filter::Compare(
            column.into(),
            model::query::Compare::LessOrEqual,
            model::Value::Time(now),
        ))
    };
    let query = Query::of::<Email>()
        .filter(Filter::eq(Email::C.sender_mailbox, Some(Ref::new("mailbox", loaded.mailbox.id))))
        .filter(Filter::eq(Email::C.status, EmailStatus::PendingSend))
        .filter(not_later(Email::C.postponed_until.name))
        .filter(not_later(Email::C.delayed_send.name))
        .limit(BATCH);
    Ok(engine.store.list::<Email>(&query).await?)
}

/// When the next email of this mailbox is to be tried again or looked up.
async fn next_wake(engine: &Engine, loaded: &Loaded) -> Result<Option<Timestamp>, SyncError> {
    let waits = Filter::Not(Box::new(Filter::IsNull(Email::C.postponed_until.name.into())));
    let query = Query::of::<Email>()
        .filter(Filter::eq(Email::C.sender_mailbox, Some(Ref::new("mailbox", loaded.mailbox.id))))
        .filter(Filter::is_in(Email::C.status, [EmailStatus::PendingSend, EmailStatus::Sending]))
        .filter(waits)
        .order_by(Email::C.postponed_until, false)
        .limit(1);
    Ok(engine.store.list::<Email>(&query).await?.pop().and_then(|email| email.postponed_until))
}

async fn connect(engine: &Engine, loaded: &Loaded) -> Result<(Session, crate::budget::Permit), SyncError> {
    let route = engine.route(loaded, Direction::Outgoing).await?;
    let permit = engine.connection(loaded, &route.endpoint.host).await?;
    let options = connectors::smtp::Options::default();
    let session =
        connectors::smtp::connect(&engine.dialer, &route.endpoint, route.credentials.as_ref(), &options).await?;
    Ok((session, permit))
}

/// An email that has been claimed on its record and written as bytes.
struct Job {
    email: Email,
    envelope: Envelope,
    bytes: Vec<u8>,
}

/// Claims the email on its record (Sending) before the first byte goes out.
/// `None`: it is not to be sent now, and the record says why.
async fn prepare(engine: &Engine, loaded: &Loaded, lease: Lease, email: Email) -> Result<Option<Job>, SyncError> {
    let facts = Facts::load(engine, &email).await?;
    let send = facts.as_rule_facts(&email, loaded);
    let now = engine.now();
    let dispatch = match outgoing::ready(&send, now) {
        Ready::Yes(dispatch) => *dispatch,
        Ready::NotYet { why, change, .. } => {
            tracing::debug!(email = %email.id, why, "not to be sent yet");
            commit(engine, loaded, lease, change.into_iter().collect()).await?;
            return Ok(None);
        }
        Ready::Never { changes } => {
            commit(engine, loaded, lease, changes).await?;
            stats::sent("failed");
            return Ok(None);
        }
    };
    let Dispatch { envelope_from, recipients, mut mail, attachments, delivery_receipt } = dispatch;
    for (attachment, row) in mail.attachments.iter_mut().zip(&attachments) {
        attachment.bytes = attachment_bytes(engine, row).await?;
    }
    let written = match formats::mime::write(&mail) {
        Ok(written) => written,
        Err(error) => {
            let failure =
                Failure::new(FailureKind::Refused, Step::Send, format!("the email cannot be written: {error}"));
            let results: Vec<_> = recipients.iter().map(|r| (r.clone(), Err(failure.clone()))).collect();
            commit(engine, loaded, lease, outgoing::after(&send, &results, Some(&failure), now)).await?;
            stats::sent("failed");
            return Ok(None);
        }
    };
    if !commit(engine, loaded, lease, outgoing::begin(&email, &recipients, now)).await? {
        // Somebody changed or sent it in the meantime.
        return Ok(None);
    }
    let email = engine.store.load::<Email>(email.id).await?.unwrap_or(email);
    let envelope = Envelope {
        from: envelope_from,
        to: recipients,
        utf8: written.needs_utf8,
        dsn: delivery_receipt.then(|| email.id.simple().to_string()),
    };
    Ok(Some(Job { email, envelope, bytes: written.bytes }))
}

/// Returns whether the server took it, for somebody at least.
async fn submit(
    engine: &Engine,
    loaded: &Loaded,
    lease: Lease,
    job: Job,
    session: &mut Session,
) -> Result<bool, SyncError> {
    let sent = session.send(&job.envelope, &job.bytes).await;
    let (results, failure) = match &sent {
        Ok(receipt) => {
            let results = receipt.recipients.iter().map(|r| (r.address.clone(), r.result.clone())).collect();
            (results, None)
        }
        Err(failure) => {
            stats::failure(lease.workload, failure);
            let results = job.envelope.to.iter().map(|a| (a.clone(), Err(failure.clone()))).collect::<Vec<_>>();
            (results, Some(failure))
        }
    };
    let facts = Facts::load(engine, &job.email).await?;
    let mut changes = outgoing::after(&facts.as_rule_facts(&job.email, loaded), &results, failure, engine.now());
    let accepted = results.iter().any(|(_, result)| result.is_ok());
    if accepted {
        keep_raw(engine, loaded, lease, &job, &mut changes).await?;
    }
    commit(engine, loaded, lease, changes).await?;
    stats::sent(match failure.map(|f| f.kind) {
        None => "sent",
        Some(FailureKind::Uncertain) => "uncertain",
        Some(FailureKind::Temporary) => "postponed",
        Some(_) => "failed",
    });
    Ok(accepted)
}

/// The message as it went out is kept, like one that came in.
async fn keep_raw(
    engine: &Engine,
    loaded: &Loaded,
    lease: Lease,
    job: &Job,
    changes: &mut Vec<Change>,
) -> Result<(), SyncError> {
    let (written, rows) = engine.store.blobs().put(&job.bytes).await?;
    changes.push(Update::of::<Email>(job.email.id).set(Email::C.blob, Some(written.id.0.to_vec())).into());
    receive::commit(engine, loaded, lease, Vec::new(), rows).await
}

/// `false`: the record was no longer as expected.
async fn commit(engine: &Engine, loaded: &Loaded, lease: Lease, changes: Vec<Change>) -> Result<bool, SyncError> {
    match receive::commit(engine, loaded, lease, changes, Vec::new()).await {
        Ok(()) => Ok(true),
        Err(SyncError::Commit(store::CommitError::Conflict { .. })) => Ok(false),
        Err(other) => Err(other),
    }
}

async fn attachment_bytes(engine: &Engine, row: &Attachment) -> Result<Vec<u8>, SyncError> {
    let missing = || SyncError::Blobs(format!("the bytes of attachment '{}' are missing", row.file_name));
    let blob = row.blob.as_deref().and_then(|b| BlobId::try_from(b).ok()).ok_or_else(missing)?;
    let place: Place = row.place.parse().map_err(|_| missing())?;
    let raw = engine.store.blobs().read(blob).await?;
    Ok(formats::mime::extract(&raw, &place))
}

/// Everything about one email that the rules ask for.
struct Facts {
    parties: Vec<ActivityParty>,
    attachments: Vec<Attachment>,
    deliveries: Vec<Delivery>,
    parent: Option<Parent>,
    do_not_email: BTreeSet<String>,
}

impl Facts {
    async fn load(engine: &Engine, email: &Email) -> Result<Self, SyncError> {
        let this = Some(Ref::new(Email::TABLE.logical, email.id));
        let parties = Query::of::<ActivityParty>().filter(Filter::eq(ActivityParty::C.activity, this));
        let attachments = Query::of::<Attachment>()
            .filter(Filter::eq(Attachment::C.object, this))
            .order_by(Attachment::C.number, false);
        let deliveries = Query::of::<Delivery>().filter(Filter::eq(Delivery::C.email, this));
        let parent = match email.parent {
            Some(parent) => engine.store.load::<Email>(parent.id).await?.map(|email| Parent::of(&email)),
            None => None,
        };
        Ok(Self {
            parent,
            parties: engine.store.list(&parties).await?,
            attachments: engine.store.list(&attachments).await?,
            deliveries: engine.store.list(&deliveries).await?,
            do_not_email: BTreeSet::new(),
        })
    }

    fn as_rule_facts<'a>(&'a self, email: &'a Email, loaded: &'a Loaded) -> SendFacts<'a> {
        SendFacts {
            email,
            parties: &self.parties,
            attachments: &self.attachments,
            mailbox: Some(&loaded.mailbox),
            profile: Some(&loaded.profile),
            organization: &loaded.organization,
            deliveries: &self.deliveries,
            parent: self.parent.as_ref(),
            do_not_email: &self.do_not_email,
        }
    }
}

/// The emails of this mailbox whose outcome nobody knows.
async fn in_doubt(engine: &Engine, mailbox: Id) -> Result<Vec<Email>, SyncError> {
    let query = Query::of::<Email>()
        .filter(Filter::eq(Email::C.sender_mailbox, Some(Ref::new("mailbox", mailbox))))
        .filter(Filter::eq(Email::C.status, EmailStatus::Sending))
        .limit(BATCH);
    Ok(engine.store.list::<Email>(&query).await?)
}
