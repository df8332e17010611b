//! Webhooks: which events there are, sending one again, and trying a receiver.

use jiff::Timestamp;
use model::tables::{self, Event, EventState, SdkMessage, SdkMessageFilter, ServiceEndpoint};
use model::{Change, Commit, Entity, Filter, Id, Query, Ref, Refusal, Table, Update, id, words};
use rules::access::Right;
use store::Store;

use crate::context::Context;
use crate::error::{ActionError, commit_failed};
use crate::{access, audit};

/// What can happen to a row.
const MESSAGES: [&str; 3] = ["Create", "Update", "Delete"];
/// What tells of telling is not told, nor what the audit trail holds.
const SILENT: &[&str] =
    &["pr_event", "serviceendpoint", "sdkmessage", "sdkmessagefilter", "sdkmessageprocessingstep", "pr_audit"];

/// Events of one transaction.
const AT_ONCE: usize = 500;

pub(crate) fn is_told(table: &Table) -> bool {
    table.on_wire && !SILENT.contains(&table.logical)
}

fn message_id(message: &str) -> Id {
    id::derived(Timestamp::UNIX_EPOCH, &[b"sdkmessage", message.as_bytes()])
}

/// The rows that say which events there are: every message on every table.
pub(crate) fn messages() -> Vec<Change> {
    let mut changes = Vec::new();
    for name in MESSAGES {
        let message = SdkMessage { name: name.to_owned(), ..SdkMessage::blank(message_id(name)) };
        let reference = message.reference();
        changes.push(Change::Ensure(message.into_record()));
        for table in tables::ALL.iter().filter(|table| is_told(table)) {
            let parts: [&[u8]; 3] = [b"sdkmessagefilter", name.as_bytes(), table.logical.as_bytes()];
            let filter = SdkMessageFilter {
                name: format!("{name} of {}", table.logical),
                message: Some(reference),
                table: table.logical.to_owned(),
                ..SdkMessageFilter::blank(id::derived(Timestamp::UNIX_EPOCH, &parts))
            };
            changes.push(Change::Ensure(filter.into_record()));
        }
    }
    changes
}

/// Those rows, where there are fewer than this program knows.
pub(crate) async fn missing(store: &Store) -> Result<Vec<Change>, ActionError> {
    let expected = messages();
    let filters = store.count(&Query::of::<SdkMessageFilter>()).await?;
    let complete = usize::try_from(filters).unwrap_or(0) + MESSAGES.len() >= expected.len();
    Ok(if complete { Vec::new() } else { expected })
}

/// Sends one event again, whatever became of it.
pub async fn replay(ctx: &Context, event: Id) -> Result<(), ActionError> {
    let Some(row) = ctx.store.get(Event::TABLE, event).await? else {
        return Err(Refusal::does_not_exist(Event::TABLE.logical, event).into());
    };
    access::on_row(ctx, Right::Write, &row).await?;
    let event = Event::from_record(&row)?;
    if event.endpoint.is_none() {
        let message = words!("The endpoint of this event was deleted; there is nobody to tell any more.");
        return Err(crate::error::invalid_operation(message).into());
    }
    if event.state == EventState::Waiting {
        return Ok(());
    }
    again(ctx, &[event]).await
}

/// Sends all failed events of an endpoint again; how many.
pub async fn replay_failed(ctx: &Context, endpoint: Id) -> Result<usize, ActionError> {
    access::create(ctx, ServiceEndpoint::TABLE)?;
    let mut sent = 0;
    loop {
        let query = of(endpoint).filter(Filter::eq(Event::C.state, EventState::Failed)).limit(AT_ONCE);
        let rows = ctx.store.list::<Event>(&query).await?;
        sent += rows.len();
        if rows.is_empty() {
            return Ok(sent);
        }
        again(ctx, &rows).await?;
    }
}

async fn again(ctx: &Context, events: &[Event]) -> Result<(), ActionError> {
    let mut changes = Vec::new();
    for event in events {
        let update = Update::of::<Event>(event.id)
            .expect(Event::C.state, event.state)
            .set(Event::C.state, EventState::Waiting)
            .set(Event::C.attempts, 0)
            .set(Event::C.since, Some(ctx.now))
            .set(Event::C.next_run, Some(ctx.now))
            .set(Event::C.delivered, None);
        changes.push(update.into());
        changes.push(audit::noted(ctx, "replay", Event::TABLE, event.id)?);
    }
    let commit = Commit::new(ctx.actor(), ctx.now, changes);
    ctx.store.commit(&commit).await.map_err(|e| commit_failed(Event::TABLE.logical, e))?;
    Ok(())
}

/// Has an event of the message `Test` delivered to the endpoint; its id.
pub async fn test(ctx: &Context, endpoint: Id) -> Result<Id, ActionError> {
    let Some(row) = ctx.store.get(ServiceEndpoint::TABLE, endpoint).await? else {
        return Err(Refusal::does_not_exist(ServiceEndpoint::TABLE.logical, endpoint).into());
    };
    access::on_row(ctx, Right::Write, &row).await?;
    let event = Event {
        endpoint: Some(row.reference()),
        message: "Test".to_owned(),
        table: ServiceEndpoint::TABLE.logical.to_owned(),
        row: Some(endpoint),
        user: Some(ctx.actor_ref()),
        occurred: Some(ctx.now),
        correlation: Some(ctx.new_id()?),
        values: "{}".to_owned(),
        since: Some(ctx.now),
        next_run: Some(ctx.now),
        ..Event::blank(ctx.new_id()?)
    };
    let id = event.id;
    let noted = audit::noted(ctx, "test", ServiceEndpoint::TABLE, endpoint)?;
    let commit = Commit::new(ctx.actor(), ctx.now, vec![Change::create(event), noted]);
    ctx.store.commit(&commit).await.map_err(|e| commit_failed(Event::TABLE.logical, e))?;
    Ok(id)
}

/// The events of an endpoint.
pub(crate) fn of(endpoint: Id) -> Query {
    let endpoint = Ref::new(ServiceEndpoint::TABLE.logical, endpoint);
    Query::of::<Event>().filter(Filter::eq(Event::C.endpoint, Some(endpoint)))
}
