//! One email on its way: its facts, its bytes, and the claim on its record.

use std::collections::BTreeSet;

use connectors::Envelope;
use model::mail::{BlobId, Place};
use model::tables::{ActivityParty, Attachment, Delivery, Email, EmailStatus};
use model::{Entity, Failure, FailureKind, Filter, Lease, Query, Ref, Step, Update};
use rules::outgoing::{self, Dispatch, Parent, Ready, SendFacts};

use super::commit;
use crate::engine::Loaded;
use crate::{Engine, SyncError, stats};

/// An email written as bytes.
pub(super) struct Job {
    pub email: Email,
    pub envelope: Envelope,
    pub bytes: Vec<u8>,
}

/// Writes the email as MIME. `None`: it is not to be sent now, and the record
/// says why.
pub(super) async fn write(
    engine: &Engine,
    loaded: &Loaded,
    lease: Lease,
    email: Email,
) -> Result<Option<Job>, SyncError> {
    let facts = Facts::load(engine, &email).await?;
    let send = facts.as_rule_facts(&email, loaded);
    let dispatch = match outgoing::ready(&send, engine.now()) {
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
    match formats::mime::write(&mail) {
        Ok(written) => {
            let envelope = Envelope {
                from: envelope_from,
                to: recipients,
                utf8: written.needs_utf8,
                dsn: delivery_receipt.then(|| email.id.simple().to_string()),
            };
            Ok(Some(Job { email, envelope, bytes: written.bytes }))
        }
        Err(error) => {
            let detail = format!("the email cannot be written: {error}");
            let failure = Failure::new(FailureKind::Refused, Step::Send, detail);
            let results: Vec<_> = recipients.into_iter().map(|r| (r, Err(failure.clone()))).collect();
            let begun = outgoing::begun(&email, engine.now());
            let send = SendFacts { email: &begun, ..send };
            commit(engine, loaded, lease, outgoing::after(&send, &results, Some(&failure), engine.now())).await?;
            stats::sent("failed");
            Ok(None)
        }
    }
}

/// Claims the email on its record: Sending is committed before the first byte
/// goes out. `None`: somebody changed or sent it in the meantime.
pub(super) async fn begin(engine: &Engine, loaded: &Loaded, lease: Lease, job: Job) -> Result<Option<Job>, SyncError> {
    let now = engine.now();
    if !commit(engine, loaded, lease, outgoing::begin(&job.email, &job.envelope.to, now)).await? {
        return Ok(None);
    }
    Ok(Some(Job { email: outgoing::begun(&job.email, now), ..job }))
}

/// Says on the record that the server cannot be reached: the email stays
/// Pending Send and has not been tried.
pub(super) async fn waits_for_server(
    engine: &Engine,
    loaded: &Loaded,
    lease: Lease,
    email: &Email,
    error: &SyncError,
) -> Result<(), SyncError> {
    let SyncError::Server(failure) = error else { return Ok(()) };
    let why: String = format!("Waiting: the server cannot be used: {}", failure.detail).chars().take(2000).collect();
    if email.failure_reason == why {
        return Ok(());
    }
    let update = Update::of::<Email>(email.id)
        .expect(Email::C.status, EmailStatus::PendingSend)
        .set(Email::C.failure_reason, why);
    commit(engine, loaded, lease, vec![update.into()]).await.map(drop)
}

async fn attachment_bytes(engine: &Engine, row: &Attachment) -> Result<Vec<u8>, SyncError> {
    let missing = || SyncError::Blobs(format!("the bytes of attachment '{}' are missing", row.file_name));
    let blob = row.blob.as_deref().and_then(|b| BlobId::try_from(b).ok()).ok_or_else(missing)?;
    let place: Place = row.place.parse().map_err(|_| missing())?;
    let raw = engine.store.blobs().read(blob).await?;
    Ok(formats::mime::extract(&raw, &place))
}

/// Everything about one email that the rules ask for.
pub(super) struct Facts {
    parties: Vec<ActivityParty>,
    attachments: Vec<Attachment>,
    deliveries: Vec<Delivery>,
    parent: Option<Parent>,
    do_not_email: BTreeSet<String>,
}

impl Facts {
    pub async fn load(engine: &Engine, email: &Email) -> Result<Self, SyncError> {
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
            parties: engine.store.list(&parties).await?,
            attachments: engine.store.list(&attachments).await?,
            deliveries: engine.store.list(&deliveries).await?,
            parent,
            // Checked when the person sent it; nobody is asked twice.
            do_not_email: BTreeSet::new(),
        })
    }

    pub fn as_rule_facts<'a>(&'a self, email: &'a Email, loaded: &'a Loaded) -> SendFacts<'a> {
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
