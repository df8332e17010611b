//! What the service does with the installation as a whole: jobs that somebody
//! or the schedule asked for (a backup, a new key), and what was kept for long
//! enough.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use model::tables::{Audit, Job, JobKind, LedgerEntry, Organization, TraceLog};
use model::{Change, Commit, Entity, Id, Query, Timestamp};
use rules::{job, retention};
use store::{CommitError, StoreError};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::{Engine, SyncError};

/// The pause between two looks for jobs.
const LOOK: Duration = Duration::from_secs(1);
/// How often it is said how far a job is.
const TELL: Duration = Duration::from_millis(700);
/// Backups that are looked at: more than the schedule can keep.
const BACKUPS: usize = 800;
/// Rows of one transaction.
const AT_ONCE: usize = 500;
/// Rows of a table that go with one look: more go with the next.
const MOST: usize = 50_000;

/// Lets go, once, what was kept for as long as the organization says.
///
/// # Errors
/// When the database does not answer.
pub async fn keep_no_longer(engine: &Engine) -> Result<(), SyncError> {
    engine.keep_no_longer().await
}

/// Until `stop` turns true; a job that runs is finished.
pub(crate) async fn serve(engine: Arc<Engine>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        if let Err(error) = engine.work_off().await {
            tracing::error!(%error, "cannot look for jobs; trying again in a second");
        }
        tokio::select! {
            () = sleep(LOOK) => {}
            _ = stop.changed() => {}
        }
    }
}

/// What came of a job that went well.
struct Done {
    text: String,
    size: i64,
    /// Messages and attachments that are not in the backup.
    lost: usize,
}

/// How far a job is, between the thread that does it and who tells of it.
#[derive(Default)]
struct Progress {
    done: AtomicI64,
    total: AtomicI64,
}

impl Progress {
    fn set(&self, done: u64, total: u64) {
        self.done.store(i64::try_from(done).unwrap_or(i64::MAX), Ordering::Relaxed);
        self.total.store(i64::try_from(total).unwrap_or(i64::MAX), Ordering::Relaxed);
    }

    fn get(&self) -> (i64, i64) {
        (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }
}

impl Engine {
    async fn work_off(self: &Arc<Self>) -> Result<(), SyncError> {
        self.schedule_backup().await?;
        for job in self.store.list::<Job>(&job::due(self.now()).limit(10)).await? {
            let organization = self.organization().await?;
            if job::is_hopeless(&job) {
                let why = "The service ended each time while it was at it. See its log.".to_owned();
                self.conclude_job(&organization, &job, Err(why)).await?;
                continue;
            }
            let (taken, update) = job::taken(&job, &self.settings.holder, self.now());
            match self.commit_plain(&organization, vec![update.into()]).await {
                Ok(()) => self.do_job(&organization, &taken).await?,
                // Another node was faster.
                Err(SyncError::Commit(CommitError::Conflict { .. } | CommitError::NotFound(_))) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn do_job(self: &Arc<Self>, organization: &Organization, job: &Job) -> Result<(), SyncError> {
        tracing::info!(job = job.kind.label(), "a job was asked for and begins");
        let progress = Arc::new(Progress::default());
        let (engine, what, told) = (Arc::clone(self), job.clone(), Arc::clone(&progress));
        // It reads and writes files, and may not yield for long: a thread of its own.
        let here = tokio::runtime::Handle::current();
        let mut work = tokio::task::spawn_blocking(move || here.block_on(engine.result_of(&what, &told)));
        let result = loop {
            tokio::select! {
                ended = &mut work => break ended.unwrap_or_else(|error| Err(error.to_string())),
                () = sleep(TELL) => self.tell_progress(organization, job, progress.get()).await,
            }
        };
        match &result {
            Ok(_) => tracing::info!(job = job.kind.label(), "the job is done"),
            Err(error) => tracing::error!(job = job.kind.label(), %error, "Bad: the job failed"),
        }
        self.conclude_job(organization, job, result).await
    }

    async fn tell_progress(&self, organization: &Organization, job: &Job, (done, total): (i64, i64)) {
        let update = job::progress(job, done, total, self.now());
        if let Err(error) = self.commit_plain(organization, vec![update.into()]).await {
            tracing::debug!(%error, "it could not be told how far the job is");
        }
    }

    /// What came of it in words, and the size of the file that was made.
    async fn result_of(&self, job: &Job, progress: &Progress) -> Result<Done, String> {
        let step = |done, total| progress.set(done, total);
        let words = |error: StoreError| error.to_string();
        match job.kind {
            JobKind::Backup => {
                let (report, size) = self.store.backup_to_shelf(&job.file, step).await.map_err(words)?;
                let lost = report.lost_blobs.len();
                let warning = match lost {
                    0 => String::new(),
                    lost => format!(" {lost} messages could not be read and are not in it: run `postroom doctor`."),
                };
                let text = format!("{} rows, {} messages and attachments.{warning}", report.rows, report.blobs);
                Ok(Done { text, size: i64::try_from(size).unwrap_or(i64::MAX), lost })
            }
            JobKind::ChangeKey => {
                self.store.rotate_key(self.now(), step).await.map_err(words)?;
                let text = format!("{} secrets were sealed with the new key.", progress.get().0);
                Ok(Done { text, size: 0, lost: 0 })
            }
        }
    }

    async fn conclude_job(
        &self,
        organization: &Organization,
        job: &Job,
        result: Result<Done, String>,
    ) -> Result<(), SyncError> {
        let now = self.now();
        let audit = model::id::derived(now, &[b"job", job.id.as_bytes()]);
        let place = self.store.backup_directory().display().to_string();
        let outcome = result.as_ref().map(|done| done.lost).map_err(String::as_str);
        let alert = rules::backup::told(job, outcome, &place, organization, now);
        let failed = result.is_err();
        let mut changes = job::over(job, result.map(|done| (done.text, done.size)), organization, audit, now);
        changes.extend(alert);
        match self.commit_plain(organization, changes).await {
            // Somebody else has taken it over.
            Err(SyncError::Commit(CommitError::Conflict { .. })) => return Ok(()),
            other => other?,
        }
        if job.kind == JobKind::Backup && !job.file.is_empty() {
            self.tidy_shelf(organization, job, failed).await?;
        }
        Ok(())
    }

    /// Writes the backup that the schedule wants now, as a job like any other.
    async fn schedule_backup(&self) -> Result<(), SyncError> {
        let organization = self.organization().await?;
        if rules::backup::last(&organization, self.now()).is_none() {
            return Ok(());
        }
        let jobs = self.backups().await?;
        let Some(job) = rules::backup::due(&organization, &jobs, self.now()) else { return Ok(()) };
        let (id, now) = (audit_id(&organization, self.now()), self.now());
        let noted = job::noted(&organization, "backup", "scheduled", id, now);
        match self.commit_plain(&organization, vec![Change::create(job), noted]).await {
            // Another node was faster.
            Err(SyncError::Commit(CommitError::Conflict { .. })) => Ok(()),
            other => other,
        }
    }

    /// The newest that somebody may still ask about; more are not remembered
    /// with their files.
    async fn backups(&self) -> Result<Vec<Job>, SyncError> {
        let query = Query::of::<Job>()
            .filter(model::Filter::eq(Job::C.kind, JobKind::Backup))
            .order_by(Job::C.asked_on, true)
            .limit(BACKUPS);
        Ok(self.store.list::<Job>(&query).await?)
    }

    /// Takes away what a backup that failed left behind, and the files that
    /// the schedule made and that have been kept for long enough.
    async fn tidy_shelf(&self, organization: &Organization, job: &Job, failed: bool) -> Result<(), SyncError> {
        if failed {
            self.store.forget_partial(&job.file)?;
            return Ok(());
        }
        let jobs = self.backups().await?;
        for old in rules::backup::surplus(organization, &jobs) {
            self.store.forget_backup(&old.file)?;
            tracing::info!(file = old.file, "a scheduled backup was kept long enough, and let go");
            let update = model::Update::of::<Job>(old.id)
                .expect(Job::C.file, old.file.clone())
                .set(Job::C.file, String::new())
                .set(Job::C.outcome, format!("{} The schedule keeps {}.", old.outcome, organization.backup_keep));
            match self.commit_plain(organization, vec![update.into()]).await {
                Err(SyncError::Commit(CommitError::Conflict { .. } | CommitError::NotFound(_))) => {}
                other => other?,
            }
        }
        Ok(())
    }

    async fn keep_no_longer(&self) -> Result<(), SyncError> {
        let organization = self.organization().await?;
        let now = self.now();
        if let Some(query) = retention::ledger(&organization, now) {
            let cleared = self.each(&query, |row: &LedgerEntry| retention::without_details(row, now)).await?;
            told("details of the ledger", cleared);
        }
        if let Some(query) = retention::alerts(&organization, now) {
            let removed = self.each(&query, |row: &TraceLog| Change::delete::<TraceLog>(row.id)).await?;
            told("alerts", removed);
        }
        if let Some(query) = retention::audit(&organization, now) {
            let removed = self.each(&query, |row: &Audit| Change::delete::<Audit>(row.id)).await?;
            told("rows of the audit trail", removed);
            if removed > 0 {
                let what = format!("{removed} rows older than {} days were removed", organization.audit_days);
                let id = audit_id(&organization, now);
                let noted = job::noted(&organization, "audit-expired", &what, id, now);
                self.commit_plain(&organization, vec![noted]).await?;
            }
        }
        Ok(())
    }

    /// Changes the rows of the query, some at a time. A row that was changed
    /// meanwhile is left to the next look. Returns how many.
    async fn each<E: Entity>(&self, query: &Query, change: impl Fn(&E) -> Change) -> Result<usize, SyncError> {
        let organization = self.organization().await?;
        let actor = Self::actor(&organization);
        let mut changed = 0;
        let mut after: Option<Id> = None;
        while changed < MOST {
            let mut part = query.clone().limit(AT_ONCE);
            part.after = after.map(|id| (Vec::new(), id));
            let rows = self.store.list::<E>(&part).await?;
            let Some(last) = rows.last() else { break };
            after = Some(last.id());
            let changes: Vec<Change> = rows.iter().map(&change).collect();
            match self.store.commit(&Commit::new(actor, self.now(), changes)).await {
                Ok(_) => changed += rows.len(),
                // One of them is in the way: each by itself.
                Err(CommitError::Conflict { .. } | CommitError::NotFound(_)) => {
                    let one = |row: &E| Commit::new(actor, self.now(), vec![change(row)]);
                    let outcomes = self.store.commit_all(rows.iter().map(one).collect()).await;
                    changed += outcomes.iter().filter(|outcome| outcome.is_ok()).count();
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(changed)
    }
}

fn audit_id(organization: &Organization, now: Timestamp) -> Id {
    model::id::derived(now, &[b"audit expired", organization.id.as_bytes(), &now.as_microsecond().to_be_bytes()])
}

fn told(what: &'static str, count: usize) {
    if count > 0 {
        tracing::info!(count, what, "kept long enough, and let go");
    }
}
