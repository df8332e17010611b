//! Writes the steps of a test down as they are taken, each a row of its own:
//! the mailbox's record stays as it is until the test has ended.

use model::probe::ProbeStep;
use model::tables::TestStep;
use model::work::Workload;
use model::{Change, Entity, Failure, Filter, Lease, Query};
use rules::mailbox_test;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::engine::Loaded;
use crate::{Engine, SyncError, receive};

/// A step that was taken.
pub(super) struct Taken {
    pub route: Workload,
    pub step: ProbeStep,
    pub failure: Option<Failure>,
}

/// The steps of an earlier attempt or test make room.
pub(super) async fn forget(engine: &Engine, loaded: &Loaded, lease: Lease) -> Result<(), SyncError> {
    let query = Query::of::<TestStep>().filter(Filter::eq(TestStep::C.mailbox, Some(loaded.mailbox.reference())));
    let earlier = engine.store.list::<TestStep>(&query).await?;
    let changes = earlier.into_iter().map(|step| Change::delete::<TestStep>(step.id)).collect();
    receive::commit(engine, loaded, lease, changes, Vec::new()).await
}

/// Writes until the test has ended. A test does not fail because somebody
/// cannot watch it: what cannot be written is in the log of the test all the
/// same.
pub(super) async fn write_down(engine: &Engine, loaded: &Loaded, lease: Lease, mut steps: UnboundedReceiver<Taken>) {
    let mut number = 0;
    while let Some(first) = steps.recv().await {
        let mut changes = Vec::new();
        let mut next = Some(first);
        while let Some(taken) = next {
            let at = (taken.route, number);
            let row = mailbox_test::step(&loaded.mailbox, at, &taken.step, taken.failure.as_ref(), engine.now());
            changes.push(Change::create(row));
            number += 1;
            next = steps.try_recv().ok();
        }
        if let Err(error) = receive::commit(engine, loaded, lease, changes, Vec::new()).await {
            tracing::debug!(mailbox = %loaded.mailbox.name, %error, "cannot write down a step of the test");
            return;
        }
    }
}
