//! Claims due mailboxes and runs their workloads, each under a lease.

use std::sync::Arc;

use model::tables::{Mailbox, WorkItem};
use model::work::Workload;
use model::{Change, Filter, Id, Lease, Query, Ref, Refusal, SignedDuration, Timestamp, Words};
use rules::schedule::{self, Outcome};
use store::CommitError;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Duration, sleep};

use crate::budget::Permit;
use crate::engine::Loaded;
use crate::pace::Running;
use crate::route::{self, Direction};
use crate::{Engine, SyncError, heartbeat, inquiries, receive, send, stats, test_mailbox, upkeep, webhooks};

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

/// How often the room of erased messages is looked after; younger segments are left alone.
const TIDY: Duration = Duration::from_secs(3600);
/// How long until a mailbox that may not be processed is looked at again.
const NOT_READY: SignedDuration = SignedDuration::from_mins(5);

/// Runs all workloads until `stop` turns true, then lets what runs finish.
pub async fn serve(engine: Arc<Engine>, stop: watch::Receiver<bool>) {
    let mut tidying = JoinSet::new();
    tidying.spawn(tidy_up(Arc::clone(&engine)));
    let lanes = [
        (Workload::Incoming, engine.settings.incoming_workers),
        (Workload::Outgoing, engine.settings.outgoing_workers),
        (Workload::Test, engine.settings.test_workers),
    ];
    let mut tasks = JoinSet::new();
    for (workload, size) in lanes {
        tasks.spawn(lane(Arc::clone(&engine), workload, size, stop.clone()));
    }
    tasks.spawn(inquiries::serve(Arc::clone(&engine), stop.clone()));
    tasks.spawn(upkeep::serve(Arc::clone(&engine), stop.clone()));
    tasks.spawn(heartbeat::serve(Arc::clone(&engine), stop.clone()));
    tasks.spawn(webhooks::serve(Arc::clone(&engine), stop));
    while tasks.join_next().await.is_some() {}
    for open in engine.sessions.drain() {
        let _ = tokio::time::timeout(Duration::from_secs(2), open.reader.log_out()).await;
    }
}

/// Gives the room of erased messages back, now and then.
async fn tidy_up(engine: Arc<Engine>) {
    loop {
        sleep(TIDY).await;
        match engine.store.blobs().compact(TIDY).await {
            Ok(done) if done.segments_removed > 0 => tracing::info!(?done, "compacted the raw messages"),
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "cannot compact the raw messages; trying again in an hour"),
        }
        if let Err(error) = forget_deleted(&engine).await {
            tracing::warn!(%error, "cannot remove old marks of deleted rows; trying again in an hour");
        }
        if let Err(error) = upkeep::keep_no_longer(&engine).await {
            tracing::warn!(%error, "cannot remove what was kept long enough; trying again in an hour");
        }
        if let Err(error) = webhooks::forget(&engine).await {
            tracing::warn!(%error, "cannot remove old events; trying again in an hour");
        }
    }
}

/// Who follows changes must do so within the days that the organization says.
async fn forget_deleted(engine: &Engine) -> Result<(), SyncError> {
    let days = engine.organization().await?.tracking_days;
    engine.store.forget_deleted(engine.now() - SignedDuration::from_hours(24 * days)).await?;
    Ok(())
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
                if lease.workload == Workload::Test {
                    self.end_test(lease, Words::foreign(why.clone())).await?;
                }
                self.store.release(&lease, self.not_ready_until(lease), 0).await?;
                return Err(SyncError::NotReady(why));
            }
            Err(other) => return Err(other),
        };
        if let Some(due) = lease.due {
            stats::lag(lease.workload, due, self.now());
        }
        let failures = self.failures(lease).await?;
        let running = self.pace.begin();
        let begun = self.now();
        let result = self.under(lease, self.workload(&loaded, lease)).await;
        self.conclude(&loaded, lease, failures, result, &running, begun).await
    }

    /// A test whose mailbox cannot be tested any more (its profile is gone)
    /// must not stay scheduled: the record could not be saved again.
    async fn end_test(&self, lease: Lease, why: Words) -> Result<(), SyncError> {
        let organization = self.organization().await?;
        let Some(mailbox) = self.store.load::<Mailbox>(lease.mailbox).await? else { return Ok(()) };
        let why = Refusal::new(0x8005_E222, "EmailServerProfileNotAssociated", why).into();
        let changes = rules::mailbox_test::cannot_run(&mailbox, &organization, &why, self.now());
        self.commit_under(&organization, lease, changes).await
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
        // A server that failed is tried by one mailbox at a time, so that it
        // cannot hold all the workers there are.
        let Some(_turn) = self.breakers.enter(&server) else {
            return Err(SyncError::Postponed { until: self.now() + BUSY * 4 });
        };
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
        if self.note_server(loaded, &server, failure).await? {
            tracing::warn!(server, "the server does not answer; its mailboxes wait, and go on by themselves");
        }
        result
    }

    pub(crate) fn server_name(&self, loaded: &Loaded, direction: Direction) -> String {
        let endpoint = route::endpoint(&loaded.profile, direction);
        format!("{}:{}", endpoint.host, endpoint.port)
    }

    /// Whoever changes what is missing makes the mailbox due. A setting of the
    /// organization concerns too many for that: they are looked at now and then.
    fn not_ready_until(&self, lease: Lease) -> Option<Timestamp> {
        (lease.workload != Workload::Test).then(|| self.now() + NOT_READY)
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
        begun: Timestamp,
    ) -> Result<Progress, SyncError> {
        let now = self.now();
        stats::cycle(lease.workload, outcome_label(&result));
        told(loaded, lease.workload, &result);
        let (next_run, failures, changes) = match &result {
            Ok(progress) => self.after_success(loaded, lease, *progress, running, (begun, now)),
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
            Err(SyncError::NotReady(_)) => (self.not_ready_until(lease), 0, Vec::new()),
            Err(SyncError::LeaseLost) => return result,
            Err(_) => (Some(now + SignedDuration::from_secs(30)), failures + 1, Vec::new()),
        };
        match self.record(loaded, lease, changes).await {
            Ok(()) | Err(SyncError::Commit(CommitError::NotFound(_) | CommitError::Fenced)) => {}
            Err(error) => tracing::warn!(mailbox = %loaded.mailbox.name, %error, "cannot record the cycle"),
        }
        match self.store.release(&lease, next_run, failures).await {
            Ok(()) | Err(CommitError::Fenced) => result,
            Err(error) => Err(error.into()),
        }
    }

    /// Writes what follows from the cycle, unless somebody changed the mailbox
    /// meanwhile in a way that the cycle knew nothing of.
    async fn record(&self, loaded: &Loaded, lease: Lease, changes: Vec<Change>) -> Result<(), SyncError> {
        if changes.is_empty() {
            return Ok(());
        }
        let settings = |m: &Mailbox| {
            (m.profile, m.state, m.test_completed_on, m.incoming_status, m.outgoing_status, m.test_scheduled)
        };
        let now = self.store.load::<Mailbox>(lease.mailbox).await?;
        if now.is_none_or(|now| settings(&now) != settings(&loaded.mailbox)) {
            tracing::debug!(mailbox = %loaded.mailbox.name, "the mailbox was changed during the cycle");
            return Ok(());
        }
        self.commit_under(&loaded.organization, lease, changes).await
    }

    fn after_success(
        &self,
        loaded: &Loaded,
        lease: Lease,
        progress: Progress,
        running: &Running<'_>,
        (begun, now): (Timestamp, Timestamp),
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
            schedule::succeeded(&loaded.mailbox, lease.workload, seen.0, seen.1, begun, now).into_iter().collect()
        };
        (next, 0, changes)
    }

    async fn failures(&self, lease: Lease) -> Result<i64, SyncError> {
        let query = Query::of::<WorkItem>()
            .filter(Filter::eq(WorkItem::C.mailbox, Some(Ref::new("mailbox", lease.mailbox))))
            .filter(Filter::eq(WorkItem::C.workload, lease.workload));
        let items = self.store.list::<WorkItem>(&query).await?;
        Ok(items.first().map_or(0, |item| item.failures))
    }

    /// A connection of the profile's budget. When all are in use the session
    /// that has waited longest makes room; when none waits, the mailbox does.
    pub(crate) async fn connection(&self, loaded: &Loaded, host: &str) -> Result<Permit, SyncError> {
        let profile = &loaded.profile;
        let most = usize::try_from(profile.max_connections).unwrap_or(1);
        let take = || self.budgets.try_take(profile.id, host, most, loaded.mailbox.id);
        if let Some(permit) = take() {
            return Ok(permit);
        }
        if let Some(idle) = self.sessions.evict(profile.id) {
            let _ = tokio::time::timeout(Duration::from_secs(1), idle.reader.log_out()).await;
            drop(idle.permit);
            if let Some(permit) = take() {
                return Ok(permit);
            }
        }
        Err(SyncError::Postponed { until: self.now() + BUSY })
    }
}

/// For the log: what an administrator can act on, and at the level `debug`
/// what was done.
fn told(loaded: &Loaded, workload: Workload, result: &Result<Progress, SyncError>) {
    let mailbox = &loaded.mailbox.name;
    let workload = workload.as_str();
    match result {
        Ok(Progress { found: 0, .. }) => tracing::trace!(mailbox, workload, "nothing to do"),
        Ok(Progress { found, failed, .. }) => tracing::debug!(mailbox, workload, found, failed, "processed"),
        Err(SyncError::Server(failure)) => {
            tracing::warn!(mailbox, workload, %failure, "the server could not be used; it is tried again");
        }
        Err(error @ (SyncError::Postponed { .. } | SyncError::NotReady(_))) => {
            tracing::debug!(mailbox, workload, %error, "not now");
        }
        // Told where it is met.
        Err(_) => {}
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
