//! The outgoing road: what is pending is claimed on the record, written as
//! MIME, submitted, and what the server said goes back on the record.

use connectors::SendMail;
use connectors::net::Stream;
use model::query::Compare;
use model::tables::{Email, EmailStatus};
use model::{Change, Failure, FailureKind, Filter, Lease, Order, Query, Ref, Timestamp, Update, Value};
use rules::outgoing;

use crate::engine::Loaded;
use crate::route::Direction;
use crate::worker::Progress;
use crate::{Engine, SyncError, receive, stats};

mod job;
mod lookup;

use job::{Facts, Job};

/// How many emails in one cycle; the rest waits until others had their turn.
const BATCH: usize = 50;

type Session = connectors::smtp::Session<Stream>;

/// One cycle of a mailbox's outgoing workload.
pub(crate) async fn run(engine: &Engine, loaded: &Loaded, lease: Lease) -> Result<Progress, SyncError> {
    let mut progress = Progress::default();
    lookup::uncertain(engine, loaded, lease).await?;
    let pending = pending(engine, loaded).await?;
    let full = pending.len() == BATCH;
    let mut line: Option<Line> = None;
    for email in pending {
        let Some(job) = job::write(engine, loaded, lease, email).await? else { continue };
        // The server has to be there before the record says that it is being sent.
        let mut open = match line.take().filter(|line| line.session.is_usable()) {
            Some(open) => open,
            None => match connect(engine, loaded).await {
                Ok(open) => open,
                Err(error) => {
                    job::waits_for_server(engine, loaded, lease, &job.email, &error).await?;
                    return Err(error);
                }
            },
        };
        let Some(job) = job::begin(engine, loaded, lease, job).await? else {
            line = Some(open);
            continue;
        };
        progress.found += 1;
        let delivered = submit(engine, loaded, lease, job, &mut open.session).await?;
        line = Some(open);
        progress.failed += usize::from(!delivered);
    }
    if let Some(line) = line {
        line.session.quit().await;
    }
    // Only if something could be done: what waits for a person or a date is not more.
    progress.more = full && progress.found > 0;
    progress.wake = next_wake(engine, loaded).await?;
    Ok(progress)
}

/// The column's time is not still to come.
fn not_later(column: &'static str, now: Timestamp) -> Filter {
    Filter::IsNull(column.into()).or(Filter::Compare(column.into(), Compare::LessOrEqual, Value::Time(now)))
}

/// Emails of this mailbox that wait to be sent, oldest first.
async fn pending(engine: &Engine, loaded: &Loaded) -> Result<Vec<Email>, SyncError> {
    let now = engine.now();
    let mut query = Query::of::<Email>()
        .filter(Filter::eq(Email::C.sender_mailbox, Some(Ref::new("mailbox", loaded.mailbox.id))))
        .filter(Filter::eq(Email::C.status, EmailStatus::PendingSend))
        .filter(not_later(Email::C.postponed_until.name, now))
        .filter(not_later(Email::C.delayed_send.name, now))
        .limit(BATCH);
    query.order = vec![Order { column: "createdon".into(), descending: false }];
    Ok(engine.store.list::<Email>(&query).await?)
}

/// When the next email of this mailbox is to be sent, tried again or looked up.
async fn next_wake(engine: &Engine, loaded: &Loaded) -> Result<Option<Timestamp>, SyncError> {
    let now = engine.now();
    let (postponed, delayed) = (Email::C.postponed_until, Email::C.delayed_send);
    let of_mailbox = Query::of::<Email>()
        .filter(Filter::eq(Email::C.sender_mailbox, Some(Ref::new("mailbox", loaded.mailbox.id))))
        .limit(1);
    let again = of_mailbox
        .clone()
        .filter(Filter::is_in(Email::C.status, [EmailStatus::PendingSend, EmailStatus::Sending]))
        .filter(Filter::Not(Box::new(Filter::IsNull(postponed.name.into()))))
        // Send Later comes first: until then nothing is tried.
        .filter(not_later(delayed.name, now).or(Filter::eq(Email::C.status, EmailStatus::Sending)))
        .order_by(postponed, false);
    let later = of_mailbox
        .filter(Filter::eq(Email::C.status, EmailStatus::PendingSend))
        .filter(Filter::Compare(delayed.name.into(), Compare::Greater, Value::Time(now)))
        .order_by(delayed, false);
    let again = engine.store.list::<Email>(&again).await?.pop().and_then(|email| email.postponed_until);
    let later = engine.store.list::<Email>(&later).await?.pop().and_then(|email| email.delayed_send);
    Ok(again.into_iter().chain(later).min())
}

/// An open session with the connection of the budget that it holds.
struct Line {
    session: Session,
    _permit: crate::budget::Permit,
}

async fn connect(engine: &Engine, loaded: &Loaded) -> Result<Line, SyncError> {
    let route = engine.route(loaded, Direction::Outgoing).await?;
    let permit = engine.connection(loaded, &route.endpoint.host).await?;
    let options = connectors::smtp::Options::default();
    let session =
        connectors::smtp::connect(&engine.dialer, &route.endpoint, route.credentials.as_ref(), &options).await?;
    Ok(Line { session, _permit: permit })
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
    let accepted = results.iter().any(|(_, result)| result.is_ok());
    // First what the server said: until it is on record, the outcome is in doubt.
    record(engine, loaded, lease, &job.email, &results, failure).await?;
    if accepted {
        keep_raw(engine, loaded, lease, &job).await?;
    }
    stats::sent(match failure.map(|f| f.kind) {
        None => "sent",
        Some(FailureKind::Uncertain) => "uncertain",
        Some(FailureKind::Temporary) => "postponed",
        Some(_) => "failed",
    });
    Ok(accepted)
}

/// Puts the server's answer on record, whatever else changed on it meanwhile.
async fn record(
    engine: &Engine,
    loaded: &Loaded,
    lease: Lease,
    email: &Email,
    results: &[(String, Result<String, Failure>)],
    failure: Option<&Failure>,
) -> Result<(), SyncError> {
    let mut email = email.clone();
    for _ in 0..3 {
        let facts = Facts::load(engine, &email).await?;
        let changes = outgoing::after(&facts.as_rule_facts(&email, loaded), results, failure, engine.now());
        if commit(engine, loaded, lease, changes).await? {
            return Ok(());
        }
        let Some(now) = engine.store.load::<Email>(email.id).await? else { return Ok(()) };
        email = now;
    }
    tracing::warn!(email = %email.id, "what the server said cannot be put on record: the email was changed meanwhile");
    Ok(())
}

/// The message as it went out is kept, like one that came in.
async fn keep_raw(engine: &Engine, loaded: &Loaded, lease: Lease, job: &Job) -> Result<(), SyncError> {
    let (written, rows) = engine.store.blobs().put(&job.bytes).await?;
    let update = Update::of::<Email>(job.email.id).set(Email::C.blob, Some(written.id.0.to_vec()));
    receive::commit(engine, loaded, lease, vec![update.into()], rows).await
}

/// `false`: the record was no longer as expected.
async fn commit(engine: &Engine, loaded: &Loaded, lease: Lease, changes: Vec<Change>) -> Result<bool, SyncError> {
    match receive::commit(engine, loaded, lease, changes, Vec::new()).await {
        Ok(()) => Ok(true),
        Err(SyncError::Commit(store::CommitError::Conflict { .. })) => Ok(false),
        Err(other) => Err(other),
    }
}

#[cfg(test)]
mod tests;
