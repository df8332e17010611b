//! Queue items that people make by hand.

use model::tables::{Email, QueueItem, State};
use model::{Entity, Filter, Id, Query, Ref, Refusal, words};

use crate::context::Context;
use crate::error::ActionError;
use crate::plan::Plan;

pub(crate) async fn check(plan: &mut Plan<'_>) -> Result<(), ActionError> {
    if plan.changes(QueueItem::C.worker) && !plan.creating() {
        plan.put(QueueItem::C.worker_modified_on, Some(plan.ctx.now));
    }
    let enters = plan.changes(QueueItem::C.queue) || plan.changes(QueueItem::C.object);
    if enters || plan.changes(QueueItem::C.state) {
        only_once(plan).await?;
    }
    if enters && !plan.creating() {
        plan.put(QueueItem::C.entered_on, Some(plan.ctx.now));
    }
    if !plan.creating() {
        return Ok(());
    }
    plan.put(QueueItem::C.object_type, i64::from(Email::TABLE.code));
    plan.put(QueueItem::C.entered_on, Some(plan.ctx.now));
    let Some(object) = plan.after.typed(QueueItem::C.object)? else { return Ok(()) };
    if let Some(email) = plan.ctx.store.load::<Email>(object.id).await? {
        plan.put(QueueItem::C.title, email.subject.chars().take(300).collect());
        plan.put(QueueItem::C.sender, email.sender.chars().take(250).collect());
        plan.put(QueueItem::C.to, email.to_recipients.chars().take(500).collect());
    }
    Ok(())
}

/// An email waits in a queue once: 0x80040523 where it is put there,
/// 0x80040526 where an item is moved there or activated again.
async fn only_once(plan: &mut Plan<'_>) -> Result<(), ActionError> {
    let (queue, object) = (plan.after.typed(QueueItem::C.queue)?, plan.after.typed(QueueItem::C.object)?);
    if queue.is_none() || object.is_none() || plan.after.typed(QueueItem::C.state)? != State::Active {
        return Ok(());
    }
    if is_in(plan.ctx, queue, object, plan.after.id).await? {
        plan.fault(if plan.creating() {
            Refusal::new(0x8004_0523, "EmailAlreadyInQueue", words!("The email is in this queue already."))
                .at("objectid")
        } else {
            active_item_exists()
        });
    }
    Ok(())
}

/// Whether another active item has the object in the queue.
pub(crate) async fn is_in(
    ctx: &Context,
    queue: Option<Ref>,
    object: Option<Ref>,
    except: Id,
) -> Result<bool, ActionError> {
    let query = Query::of::<QueueItem>()
        .filter(Filter::eq(QueueItem::C.queue, queue))
        .filter(Filter::eq(QueueItem::C.object, object))
        .filter(Filter::eq(QueueItem::C.state, State::Active))
        .limit(2);
    Ok(ctx.store.list::<QueueItem>(&query).await?.iter().any(|item| item.id != except))
}

/// 0x80040526
pub(crate) fn active_item_exists() -> Refusal {
    let message = words!("An active queue item for this email exists in that queue already.");
    Refusal::new(0x8004_0526, "ActiveQueueItemAlreadyExists", message).at("queueid")
}
