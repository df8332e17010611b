//! Queue items that people make by hand.

use model::tables::{Email, QueueItem};
use model::{Entity, Filter, Query, Refusal};

use crate::error::ActionError;
use crate::plan::Plan;

pub(crate) async fn check(plan: &mut Plan<'_>) -> Result<(), ActionError> {
    if plan.changes(QueueItem::C.worker) && !plan.creating() {
        plan.put(QueueItem::C.worker_modified_on, Some(plan.ctx.now));
    }
    if !plan.creating() {
        return Ok(());
    }
    plan.put(QueueItem::C.object_type, i64::from(Email::TABLE.code));
    plan.put(QueueItem::C.entered_on, Some(plan.ctx.now));
    let (queue, object) = (plan.after.typed(QueueItem::C.queue)?, plan.after.typed(QueueItem::C.object)?);
    let (Some(_), Some(object)) = (queue, object) else { return Ok(()) };
    if let Some(email) = plan.ctx.store.load::<Email>(object.id).await? {
        plan.put(QueueItem::C.title, email.subject.chars().take(300).collect());
        plan.put(QueueItem::C.sender, email.sender.chars().take(250).collect());
        plan.put(QueueItem::C.to, email.to_recipients.chars().take(500).collect());
    }
    let query = Query::of::<QueueItem>()
        .filter(Filter::eq(QueueItem::C.queue, queue))
        .filter(Filter::eq(QueueItem::C.object, Some(object)))
        .filter(Filter::eq(QueueItem::C.state, model::tables::State::Active));
    if plan.ctx.store.count(&query).await? > 0 {
        let message = "The email is in this queue already.";
        plan.fault(Refusal::new(0x8004_0523, "EmailAlreadyInQueue", message).at("objectid"));
    }
    Ok(())
}
