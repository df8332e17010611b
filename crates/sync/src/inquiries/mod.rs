//! What pages want to know of servers: settings looked up from an address, a
//! connection tested before it is saved.
//!
//! An inquiry is a row. It is taken at once by a lease in the row, tells of
//! every step as it happens, and loses its passwords when it ends. Whoever dies
//! with one leaves it behind as failed: the person asks again.

use std::sync::Arc;
use std::time::Duration;

use model::discovery::{InquiryKind, InquiryState, Line, Topic};
use model::query::Compare;
use model::tables::{Inquiry, Organization};
use model::{Change, Commit, Filter, Order, Query, SignedDuration, Update, Value};
use store::CommitError;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::{Engine, SyncError};

mod look_up;
mod progress;
mod test_connection;

use progress::Progress;

/// The pause between two looks when nothing says otherwise: a person waits.
const LOOK: Duration = Duration::from_millis(250);
/// The longest that an inquiry may take; then it has failed.
const LONGEST: Duration = Duration::from_secs(90);
/// Longer than that.
const LEASE: SignedDuration = SignedDuration::from_secs(120);
/// How long a row can be looked at.
const KEPT: SignedDuration = SignedDuration::from_hours(1);
const AT_A_TIME: usize = 4;
const TIDY: Duration = Duration::from_secs(60);

/// Until `stop` turns true; what runs is finished.
pub(crate) async fn serve(engine: Arc<Engine>, mut stop: watch::Receiver<bool>) {
    if engine.settings.test_workers == 0 {
        return;
    }
    let mut changed = engine.store.changed();
    let mut running = JoinSet::new();
    let mut tidied = None;
    while !*stop.borrow() {
        while running.try_join_next().is_some() {}
        if tidied.is_none_or(|at: tokio::time::Instant| at.elapsed() > TIDY) {
            tidied = Some(tokio::time::Instant::now());
            if let Err(error) = engine.forget_inquiries().await {
                tracing::warn!(%error, "cannot remove old inquiries; trying again in a minute");
            }
        }
        match engine.take_inquiries(AT_A_TIME.saturating_sub(running.len())).await {
            Ok(taken) => {
                for inquiry in taken {
                    running.spawn(Arc::clone(&engine).answer(inquiry));
                }
            }
            Err(error) => tracing::error!(%error, "cannot look for inquiries; trying again"),
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = changed.changed() => {}
            Some(_) = running.join_next(), if !running.is_empty() => {}
            _ = stop.changed() => {}
        }
    }
    while running.join_next().await.is_some() {}
}

impl Engine {
    /// Takes waiting inquiries, the oldest first.
    async fn take_inquiries(&self, most: usize) -> Result<Vec<Inquiry>, SyncError> {
        if most == 0 {
            return Ok(Vec::new());
        }
        let mut query = Query::of::<Inquiry>().filter(Filter::eq(Inquiry::C.state, InquiryState::Waiting)).limit(most);
        query.order = vec![Order { column: Inquiry::C.asked_on.name.into(), descending: false }];
        let waiting = self.store.list::<Inquiry>(&query).await?;
        if waiting.is_empty() {
            return Ok(Vec::new());
        }
        let organization = self.organization().await?;
        let mut taken = Vec::new();
        for inquiry in waiting {
            let update = Update::of::<Inquiry>(inquiry.id)
                .expect(Inquiry::C.state, InquiryState::Waiting)
                .set(Inquiry::C.state, InquiryState::Running)
                .set(Inquiry::C.holder, self.settings.holder.clone())
                .set(Inquiry::C.lease_until, Some(self.now() + LEASE));
            match self.commit_inquiry(&organization, update).await {
                Ok(()) => taken.push(inquiry),
                // Another node was faster, or it was deleted.
                Err(SyncError::Commit(CommitError::Conflict { .. } | CommitError::NotFound(_))) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(taken)
    }

    /// Works one inquiry off, and ends it whatever happens.
    async fn answer(self: Arc<Self>, inquiry: Inquiry) {
        let progress = Progress::begin(Arc::clone(&self), inquiry.id);
        let work = async {
            match inquiry.kind {
                InquiryKind::LookUp => look_up::run(&self, &inquiry, &progress).await,
                InquiryKind::TestConnection => test_connection::run(&self, &inquiry, &progress).await,
            }
        };
        let (state, result) = match tokio::time::timeout(LONGEST, work).await {
            Ok(Ok(ended)) => ended,
            Ok(Err(error)) => {
                tracing::warn!(%error, "an inquiry failed");
                progress.tell(failed(error.to_string()));
                (InquiryState::Failed, String::new())
            }
            Err(_) => {
                progress.tell(failed(format!("given up after {} seconds", LONGEST.as_secs())));
                (InquiryState::Failed, String::new())
            }
        };
        let text = progress.end().await;
        if let Err(error) = self.end_inquiry(&inquiry, state, text, result).await {
            tracing::warn!(%error, "an inquiry cannot be ended; it is given up when its lease ends");
        }
    }

    async fn end_inquiry(
        &self,
        inquiry: &Inquiry,
        state: InquiryState,
        progress: String,
        result: String,
    ) -> Result<(), SyncError> {
        let update = ended(Update::of::<Inquiry>(inquiry.id), state)
            .set(Inquiry::C.progress, progress)
            .set(Inquiry::C.result, result);
        match self.commit_inquiry(&self.organization().await?, update).await {
            Err(SyncError::Commit(CommitError::NotFound(_))) => Ok(()),
            other => other,
        }
    }

    pub(crate) async fn commit_inquiry(&self, organization: &Organization, update: Update) -> Result<(), SyncError> {
        self.store.commit(&Commit::new(Self::actor(organization), self.now(), vec![update.into()])).await?;
        Ok(())
    }

    /// Removes rows that nobody looks at any more, and gives those up whose
    /// worker has died.
    async fn forget_inquiries(&self) -> Result<(), SyncError> {
        let now = self.now();
        let before = |column: &'static str, at| Filter::Compare(column.into(), Compare::Less, Value::Time(at));
        let mut query = Query::of::<Inquiry>().filter(before(Inquiry::C.asked_on.name, now - KEPT)).limit(500);
        query.select = vec![Inquiry::C.state.name];
        let old = self.store.query(&query).await?;
        let query = Query::of::<Inquiry>()
            .filter(Filter::eq(Inquiry::C.state, InquiryState::Running))
            .filter(before(Inquiry::C.lease_until.name, now))
            .limit(100);
        let lost = self.store.list::<Inquiry>(&query).await?;
        if old.is_empty() && lost.is_empty() {
            return Ok(());
        }
        let organization = self.organization().await?;
        self.commit_plain(&organization, old.iter().map(|row| Change::delete::<Inquiry>(row.id)).collect()).await?;
        for inquiry in lost.into_iter().filter(|i| !old.iter().any(|row| row.id == i.id)) {
            let line = formats::inquiry::write_line(&failed("the service was stopped meanwhile; ask again".to_owned()));
            let update = ended(Update::of::<Inquiry>(inquiry.id), InquiryState::Failed)
                .expect(Inquiry::C.lease_until, inquiry.lease_until)
                .set(Inquiry::C.progress, format!("{}{line}\n", inquiry.progress));
            match self.commit_inquiry(&organization, update).await {
                Ok(()) | Err(SyncError::Commit(CommitError::Conflict { .. } | CommitError::NotFound(_))) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Over, and without passwords.
fn ended(mut update: Update, state: InquiryState) -> Update {
    update.set.push(("pr_incomingpassword", Value::Null));
    update.set.push(("pr_outgoingpassword", Value::Null));
    update.set(Inquiry::C.state, state).set(Inquiry::C.lease_until, None)
}

fn failed(said: String) -> Line {
    Line { topic: Topic::Server, step: String::new(), ok: Some(false), said }
}
