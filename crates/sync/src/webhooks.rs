//! Tells the receivers of webhooks what happened: at least once, in order for
//! each row, in parallel between rows and receivers.
//!
//! An event is claimed by a lease in its row, like a mailbox; whoever dies
//! with one loses it when the lease ends, and another goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use connectors::http::Client;
use futures::future::join_all;
use model::query::Compare;
use model::tables::{Event, EventState, Organization, ServiceEndpoint};
use model::{Change, Commit, Entity, Filter, Id, Order, Query, SignedDuration, Timestamp, Update, Value};
use store::CommitError;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::{Engine, SyncError};

mod delivery;
mod outcome;

/// The pause between two looks when nothing says otherwise.
const LOOK: Duration = Duration::from_secs(1);
/// Deliveries to one receiver at the same time.
const AT_A_TIME: usize = 8;
/// Due events looked at, to find some whose turn it is.
const LOOKED_AT: usize = 64;
/// Longer than a delivery takes at most.
const LEASE: SignedDuration = SignedDuration::from_secs(90);
/// How long events are kept that were delivered, and that failed.
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
const KEPT_FAILED: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Until `stop` turns true; deliveries that are on their way are finished.
pub(crate) async fn serve(engine: Arc<Engine>, mut stop: watch::Receiver<bool>) {
    let client = Client::over(Arc::clone(&engine.dialer));
    let mut changed = engine.store.changed();
    let mut running = JoinSet::new();
    let mut busy = BTreeSet::new();
    while !*stop.borrow() {
        while let Some(ended) = running.try_join_next() {
            match ended {
                Ok(endpoint) => busy.remove(&endpoint),
                Err(error) => {
                    tracing::error!(%error, "a delivery ended badly; its receiver waits until the service starts again");
                    false
                }
            };
        }
        match engine.receivers(&busy).await {
            Ok(due) => {
                for endpoint in due {
                    busy.insert(endpoint.id);
                    running.spawn(one_receiver(Arc::clone(&engine), client.clone(), endpoint, stop.clone()));
                }
            }
            Err(error) => tracing::error!(%error, "cannot look for events to deliver; trying again in a second"),
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = changed.changed() => {}
            _ = stop.changed() => {}
        }
    }
    while running.join_next().await.is_some() {}
}

/// Removes events that are over.
pub(crate) async fn forget(engine: &Engine) -> Result<(), SyncError> {
    const AT_ONCE: usize = 500;
    let organization = engine.organization().await?;
    let now = engine.now();
    for (state, before) in [(EventState::Delivered, now - KEPT), (EventState::Failed, now - KEPT_FAILED)] {
        loop {
            let mut query = Query::of::<Event>()
                .filter(Filter::eq(Event::C.state, state))
                .filter(Filter::Compare(Event::C.since.name.into(), Compare::Less, Value::Time(before)))
                .limit(AT_ONCE);
            query.select = vec![Event::C.state.name];
            let rows = engine.store.query(&query).await?;
            let changes: Vec<Change> = rows.iter().map(|row| Change::delete::<Event>(row.id)).collect();
            let full = changes.len() == AT_ONCE;
            engine.commit_plain(&organization, changes).await?;
            if !full {
                break;
            }
        }
    }
    Ok(())
}

/// Delivers what is due to one receiver until nothing is, or it is out of order.
async fn one_receiver(
    engine: Arc<Engine>,
    client: Client,
    endpoint: ServiceEndpoint,
    stop: watch::Receiver<bool>,
) -> Id {
    let id = endpoint.id;
    if let Err(error) = engine.tell_all(&client, &endpoint, &stop).await {
        tracing::error!(endpoint = %endpoint.name, %error, "events could not be delivered; trying again");
    }
    id
}

impl Engine {
    /// The receivers that something is due for and that nobody here tells yet.
    async fn receivers(&self, busy: &BTreeSet<Id>) -> Result<Vec<ServiceEndpoint>, SyncError> {
        let query = Query::of::<ServiceEndpoint>().filter(Filter::eq(ServiceEndpoint::C.enabled, true));
        let mut found = Vec::new();
        for endpoint in self.store.list::<ServiceEndpoint>(&query).await? {
            if busy.contains(&endpoint.id) || self.store.query(&due(endpoint.id, self.now(), 1)).await?.is_empty() {
                continue;
            }
            let breaker = self.load_server(&outcome::breaker(endpoint.id)).await?;
            if !rules::breaker::is_open(&breaker, self.now()) {
                found.push(endpoint);
            }
        }
        Ok(found)
    }

    async fn tell_all(
        &self,
        client: &Client,
        endpoint: &ServiceEndpoint,
        stop: &watch::Receiver<bool>,
    ) -> Result<(), SyncError> {
        let organization = self.organization().await?;
        while !*stop.borrow() {
            let breaker = self.load_server(&outcome::breaker(endpoint.id)).await?;
            if rules::breaker::is_open(&breaker, self.now()) {
                return Ok(());
            }
            // A receiver that failed is tried with one event.
            let most = if breaker.failures > 0 { 1 } else { AT_A_TIME };
            let claimed = self.claim_events(&organization, endpoint, most).await?;
            if claimed.is_empty() {
                return Ok(());
            }
            let told = claimed.iter().map(|event| self.tell(client, &organization, endpoint, event));
            for told in join_all(told).await {
                told?;
            }
        }
        Ok(())
    }

    async fn tell(
        &self,
        client: &Client,
        organization: &Organization,
        endpoint: &ServiceEndpoint,
        event: &Event,
    ) -> Result<(), SyncError> {
        let delivered = self.deliver(client, organization, endpoint, event).await?;
        self.conclude_event(organization, endpoint, event, delivered).await
    }

    /// Claims the next event of each of some rows.
    async fn claim_events(
        &self,
        organization: &Organization,
        endpoint: &ServiceEndpoint,
        most: usize,
    ) -> Result<Vec<Event>, SyncError> {
        let now = self.now();
        let candidates = self.store.list::<Event>(&due(endpoint.id, now, LOOKED_AT)).await?;
        let rows: BTreeSet<Id> = candidates.iter().filter_map(|event| event.row).collect();
        let first = self.first_of(endpoint.id, rows).await?;
        let mut claimed = Vec::new();
        for event in candidates {
            if claimed.len() >= most {
                break;
            }
            if event.row.is_some_and(|row| first.get(&row) != Some(&event.id)) {
                continue;
            }
            let lease = Some(now + LEASE);
            let (holder, attempts) = (self.settings.holder.clone(), event.attempts + 1);
            let update = Update::of::<Event>(event.id)
                .expect(Event::C.state, EventState::Waiting)
                .expect(Event::C.lease_until, event.lease_until)
                .expect(Event::C.attempts, event.attempts)
                .set(Event::C.lease_until, lease)
                .set(Event::C.holder, holder.clone())
                .set(Event::C.attempts, attempts);
            let commit = Commit::new(Self::actor(organization), now, vec![update.into()]);
            match self.store.commit(&commit).await {
                Ok(_) => claimed.push(Event { lease_until: lease, holder, attempts, ..event }),
                // Another node was faster, or it was deleted.
                Err(CommitError::Conflict { .. } | CommitError::NotFound(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(claimed)
    }

    /// Row → the first of its events that waits, due or not.
    async fn first_of(&self, endpoint: Id, rows: BTreeSet<Id>) -> Result<BTreeMap<Id, Id>, SyncError> {
        let mut first = BTreeMap::new();
        if rows.is_empty() {
            return Ok(first);
        }
        let mut query = Query::of::<Event>().filter(waiting(endpoint));
        query.filter =
            query.filter.and(Filter::In(Event::C.row.name.into(), rows.into_iter().map(Value::Id).collect()));
        query.select = vec![Event::C.row.name];
        query.order = vec![Order { column: Event::C.order.name.into(), descending: false }];
        for record in self.store.query(&query).await? {
            if let Some(row) = record.get(Event::C.row.name).as_id() {
                first.entry(row).or_insert(record.id);
            }
        }
        Ok(first)
    }
}

fn waiting(endpoint: Id) -> Filter {
    let endpoint = model::Ref::new(ServiceEndpoint::TABLE.logical, endpoint);
    Filter::eq(Event::C.endpoint, Some(endpoint)).and(Filter::eq(Event::C.state, EventState::Waiting))
}

/// Events that may be delivered now and that nobody holds, in order.
fn due(endpoint: Id, now: Timestamp, most: usize) -> Query {
    let by_now = |column: &'static str| Filter::Compare(column.into(), Compare::LessOrEqual, Value::Time(now));
    let free = Filter::IsNull(Event::C.lease_until.name.into()).or(by_now(Event::C.lease_until.name));
    let mut query =
        Query::of::<Event>().filter(waiting(endpoint).and(by_now(Event::C.next_run.name)).and(free)).limit(most);
    query.order = vec![Order { column: Event::C.order.name.into(), descending: false }];
    query
}
