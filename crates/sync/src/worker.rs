//! Claims due mailboxes and runs their workloads, each under a lease.

use std::sync::Arc;

use model::tables::WorkItem;
use model::work::Workload;
use model::{Change, Filter, Id, Lease, Query, Ref, SignedDuration, Timestamp};
use rules::schedule::{self, Outcome};
use store::CommitError;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Duration, sleep};

use crate::budget::Permit;
use crate::engine::Loaded;
use crate::pace::Running;
use crate::route::{self, Direction};
use crate::{Engine, SyncError, receive, send, stats, test_mailbox};

/// What one run of a workload did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Messages read, sent or tested.
    pub found: usize,
    pub failed: usize,
    /// There is more to do right now.
    pub more: bool,
    /// Something waits for this moment (an email that is to be tried again).
    pub wake: Option<Timestamp>,
}

/// The pause between two looks at the due work when nothing says otherwise.
const LOOK: Duration = Duration::from_millis(500);
/// How long to wait when a server's connections are all in use.
const BUSY: SignedDuration = SignedDuration::from_millis(700);

/// Runs all workloads until `stop` turns true, then lets what runs finish.
pub async fn serve(engine: Arc<Engine>, stop: watch::Receiver<bool>) {
    let lanes = [
        (Workload::Incoming, engine.settings.incoming_workers),
        (Workload::Outgoing, engine.settings.outgoing_workers),
        (Workload::Test, engine.settings.test_workers),
    ];
    let mut tasks = JoinSet::new();
    for (workload, size) in lanes {
        tasks.spawn(lane(Arc::clone(&engine), workload, size, stop.clone()));
    }
    while tasks.join_next().await.is_some() {}
    for open in engine.sessions.drain() {
        let _ = tokio::time::timeout(Duration::from_secs(2), open.reader.log_out()).await;
    }
}

/// One workload's lane: its own claims, its own limit, so that no workload
/// waits for another.
async fn lane(engine: Arc<Engine>, workload: Workload, size: usize, mut stop: watch::Receiver<bool>) {
    let slots = Arc::new(Semaphore::new(size));
    let mut changed = engine.store.changed();
    let mut running = JoinSet::new();
    while !*stop.borrow() {
        while running.try_join_next().is_some() {}
        let free = slots.available_permits();
        let claimed = if free > 0 { engine.claim(workload, free).await } else { Vec::new() };
        if claimed.is_empty() {
            for open in engine.sessions.forget_idle() {
                running.spawn(open.reader.log_out());
            }
            let wait = engine.until_due(workload).await;
            tokio::select! {
                () = sleep(wait) => {}
                _ = changed.changed() => {}
                Some(_) = running.join_next(), if !running.is_empty() && free == 0 => {}
                _ = stop.changed() => {}
            }
            continue;
        }
        for lease in claimed {
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { break };
            let engine = Arc::clone(&engine);
            running.spawn(async move {
                engine.run_claimed(lease).await;
                drop(slot);
            });
        }
    }
    while running.join_next().await.is_some() {}
}

/// Runs one workload of one mailbox now, due or not (the command line).
pub async fn run_once(engine: &Arc<Engine>, mailbox: Id, workload: Workload) -> Result<Progress, SyncError> {
    let now = engine.now();
    let until = now + engine.lease_time();
    let lease =
        engine.store.claim_one(mailbox, workload, &engine.settings.holder, now, until).await?.ok_or_else(|| {
            SyncError::NotReady("the mailbox is being processed right now; try again in a moment".into())
        })?;
    engine.run_leased(lease).await
}

impl Engine {
    fn lease_time(&self) -> SignedDuration {
        SignedDuration::try_from(self.settings.lease).unwrap_or(SignedDuration::from_secs(120))
    }

    async fn claim(&self, workload: Workload, most: usize) -> Vec<Lease> {
        let now = self.now();
        match self.store.claim(workload, &self.settings.holder, now, now + self.lease_time(), most, &[]).await {
            Ok(leases) => leases,
            Err(error) => {
                tracing::error!(%error, "cannot look for due work; trying again in a second");
                sleep(Duration::from_secs(1)).await;
                Vec::new()
            }
        }
    }

    /// How long until something is due: at the most [`LOOK`] when another node
    /// or a person may make something due in between.
    async fn until_due(&self, workload: Workload) -> Duration {
        let due = self.store.next_due(workload).await.ok().flatten();
        let wait = due.map_or(SignedDuration::from_secs(1), |due| due.duration_since(self.now()));
        Duration::try_from(wait).unwrap_or(Duration::ZERO).clamp(Duration::from_millis(20), LOOK)
    }

    async fn run_claimed(self: &Arc<Self>, lease: Lease) {
        if let Err(error) = self.run_leased(lease).await {
            match error {
                SyncError::LeaseLost => tracing::info!(mailbox = %lease.mailbox, "another worker has taken over"),
                SyncError::Server(_) | SyncError::NotReady(_) => {}
                other => tracing::error!(mailbox = %lease.mailbox, error = %other, "a cycle failed"),
            }
        }
    }

    /// Runs the workload of a lease and gives the lease back with the time of
    /// the next run.
    async fn run_leased(self: &Arc<Self>, lease: Lease) -> Result<Progress, SyncError> {
        let loaded = match self.load(lease.mailbox).await {
            Ok(loaded) => loaded,
            Err(SyncError::NotReady(why)) => {
                // Due again when somebody changes what is missing.
                self.store.release(&lease, None, 0).await?;
                return Err(SyncError::NotReady(why));
            }
            Err(other) => return Err(other),
        };
        let failures = self.failures(lease).await?;
        let running = self.pace.begin();
        let result = self.workload(&loaded, lease).await;
        self.conclude(&loaded, lease, failures, result, &running).await
    }

    async fn workload(self: &Arc<Self>, loaded: &Loaded, lease: Lease) -> Result<Progress, SyncError> {
        if lease.workload == Workload::Test {
            return test_mailbox::run(self, loaded, lease).await;
        }
        rules::mailbox::may_process(&loaded.mailbox, Some(&loaded.profile), &loaded.organization, lease.workload)
            .map_err(|refusal| SyncError::NotReady(refusal.to_string()))?;
        let direction = if lease.workload == Workload::Outgoing { Direction::Outgoing } else { Direction::Incoming };
        let server = self.server_name(loaded, direction);
        if let Some(until) = self.breaker_open_until(&server).await? {
            return Err(SyncError::Postponed { until });
        }
        let result = match direction {
            Direction::Incoming => receive::run(self, loaded.clone(), lease).await,
            Direction::Outgoing => send::run(self, loaded, lease).await,
        };
        let failure = match &result {
            Err(SyncError::Server(failure)) => Some(failure),
            Err(_) => return result,
            Ok(progress) if direction == Direction::Outgoing && progress.found == 0 => return result,
            Ok(_) => None,
        };
        if self.note_server(&loaded.organization, &server, failure).await? {
            tracing::warn!(server, "the server does not answer; its mailboxes wait, and go on by themselves");
        }
        result
    }

    pub(crate) fn server_name(&self, loaded: &Loaded, direction: Direction) -> String {
        let endpoint = route::endpoint(&loaded.profile, direction);
        format!("{}:{}", endpoint.host, endpoint.port)
    }

    /// Decides when the mailbox is due again, writes what people see of the
    /// cycle, and gives the lease back.
    async fn conclude(
        &self,
        loaded: &Loaded,
        lease: Lease,
        failures: i64,
        result: Result<Progress, SyncError>,
        running: &Running<'_>,
    ) -> Result<Progress, SyncError> {
        let now = self.now();
        stats::cycle(lease.workload, outcome_label(&result));
        let (next_run, failures, changes) = match &result {
            Ok(progress) => self.after_success(loaded, lease, *progress, running, now),
            Err(SyncError::Server(failure)) => {
                stats::failure(lease.workload, failure);
                let profile = Some(&loaded.profile);
                let after = schedule::failed(
                    &loaded.mailbox,
                    profile,
                    &loaded.organization,
                    lease.workload,
                    failures,
                    failure,
                    now,
                );
                (after.next_run, after.failures, after.changes)
            }
            Err(SyncError::Postponed { until }) => (Some(*until), failures, Vec::new()),
            Err(SyncError::NotReady(_)) => (None, 0, Vec::new()),
            Err(SyncError::LeaseLost) => return result,
            Err(_) => (Some(now + SignedDuration::from_secs(30)), failures + 1, Vec::new()),
        };
        match self.commit_plain(&loaded.organization, changes).await {
            Ok(()) | Err(SyncError::Commit(CommitError::NotFound(_))) => {}
            Err(error) => tracing::warn!(mailbox = %loaded.mailbox.name, %error, "cannot record the cycle"),
        }
        match self.store.release(&lease, next_run, failures).await {
            Ok(()) | Err(CommitError::Fenced) => result,
            Err(error) => Err(error.into()),
        }
    }

    fn after_success(
        &self,
        loaded: &Loaded,
        lease: Lease,
        progress: Progress,
        running: &Running<'_>,
        now: Timestamp,
    ) -> (Option<Timestamp>, i64, Vec<Change>) {
        let outcome = match progress {
            Progress { more: true, .. } => Outcome::More,
            Progress { found: 0, .. } => Outcome::Empty,
            Progress { found, .. } => Outcome::Found(found as u64),
        };
        let next = schedule::next_run(lease.workload, outcome, Some(&loaded.profile), &loaded.mailbox, 0, now);
        let next = match outcome {
            Outcome::Empty if lease.workload == Workload::Incoming => {
                let (mailboxes, cost) = running.empty(lease.mailbox);
                next.map(|next| schedule::sensible(next, mailboxes, cost, now))
            }
            _ => next,
        };
        let next = match progress.wake {
            Some(wake) => Some(next.map_or(wake, |next| next.min(wake)).max(now)),
            None => next,
        };
        let seen = (progress.found as u64, progress.failed as u64);
        let changes = if lease.workload == Workload::Test {
            Vec::new()
        } else {
            schedule::succeeded(&loaded.mailbox, lease.workload, seen.0, seen.1, now).into_iter().collect()
        };
        (next, 0, changes)
    }

    async fn failures(&self, lease: Lease) -> Result<i64, SyncError> {
        let query = Query::of::<WorkItem>()
            .filter(Filter::eq(WorkItem::C.mailbox, Some(Ref::new("mailbox", lease.mailbox))))
            .filter(Filter::eq(WorkItem::C.workload, lease.workload));
        let items = self.store.list::<WorkItem>(&query).await?;
        if let Some(due) = items.first().and_then(|item| item.next_run) {
            stats::lag(lease.workload, due, self.now());
        }
        Ok(items.first().map_or(0, |item| item.failures))
    }

    /// A lease with at least half of its time left.
    pub(crate) async fn renew(&self, lease: Lease) -> Result<Lease, SyncError> {
        let now = self.now();
        if lease.until.duration_since(now) > self.lease_time() / 2 {
            return Ok(lease);
        }
        match self.store.extend(&lease, now + self.lease_time()).await {
            Ok(lease) => Ok(lease),
            Err(CommitError::Fenced) => Err(SyncError::LeaseLost),
            Err(other) => Err(other.into()),
        }
    }

    /// A connection of the profile's budget. When all are in use the session
    /// that has waited longest makes room; when none waits, the mailbox does.
    pub(crate) async fn connection(&self, loaded: &Loaded, host: &str) -> Result<Permit, SyncError> {
        let profile = &loaded.profile;
        let most = usize::try_from(profile.max_connections).unwrap_or(1);
        if let Some(permit) = self.budgets.try_take(profile.id, host, most) {
            return Ok(permit);
        }
        if let Some(idle) = self.sessions.evict(profile.id) {
            let _ = tokio::time::timeout(Duration::from_secs(1), idle.reader.log_out()).await;
            drop(idle.permit);
            if let Some(permit) = self.budgets.try_take(profile.id, host, most) {
                return Ok(permit);
            }
        }
        Err(SyncError::Postponed { until: self.now() + BUSY })
    }
}

/// For metrics.
fn outcome_label(result: &Result<Progress, SyncError>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(SyncError::Server(_)) => "failed",
        Err(SyncError::Postponed { .. }) => "postponed",
        Err(SyncError::NotReady(_)) => "not ready",
        Err(SyncError::LeaseLost) => "lease lost",
        Err(_) => "error",
    }
}
