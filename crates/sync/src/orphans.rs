//! Leases of processes that died: given back at the start, so that what they
//! were working on goes on at once instead of when the lease runs out.

use model::tables::{Event, EventState, WorkItem};
use model::{Commit, Entity, Filter, Query, Update};
use store::CommitError;

use crate::{Engine, SyncError};

/// Gives back the leases of holders that are `gone` and makes their work due
/// now. Returns how many. A holder that lives after all is fenced off by the
/// next claim, like anyone whose lease has run out.
pub async fn free_orphans(engine: &Engine, gone: impl Fn(&str) -> bool) -> Result<usize, SyncError> {
    let organization = engine.organization().await?;
    let held = Filter::Not(Box::new(Filter::IsNull(WorkItem::C.lease_until.name.into())));
    let now = engine.now();
    let mut freed = 0;
    for item in engine.store.list::<WorkItem>(&Query::of::<WorkItem>().filter(held)).await? {
        if item.holder.is_empty() || !gone(&item.holder) {
            continue;
        }
        let update = Update::of::<WorkItem>(item.id())
            .expect(WorkItem::C.fence, item.fence)
            .set(WorkItem::C.lease_until, None)
            .set(WorkItem::C.holder, String::new())
            .set(WorkItem::C.next_run, Some(now));
        match engine.store.commit(&Commit::new(Engine::actor(&organization), now, vec![update.into()])).await {
            Ok(_) => freed += 1,
            // Somebody has claimed it in the meantime.
            Err(CommitError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let held = Filter::eq(Event::C.state, EventState::Waiting)
        .and(Filter::Not(Box::new(Filter::IsNull(Event::C.lease_until.name.into()))));
    for event in engine.store.list::<Event>(&Query::of::<Event>().filter(held)).await? {
        if event.holder.is_empty() || !gone(&event.holder) {
            continue;
        }
        let update = Update::of::<Event>(event.id)
            .expect(Event::C.holder, event.holder)
            .expect(Event::C.state, EventState::Waiting)
            .set(Event::C.lease_until, None)
            .set(Event::C.holder, String::new());
        match engine.store.commit(&Commit::new(Engine::actor(&organization), now, vec![update.into()])).await {
            Ok(_) => freed += 1,
            Err(CommitError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(freed)
}
