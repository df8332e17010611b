//! Queues: each with a mailbox, as users have one.

use model::tables::{Mailbox, Queue, QueueItem};
use model::{Change, Entity, Filter, Query, Record};
use rules::mailbox::Regarding;
use rules::user_queue::{OwnerFacts, queue_deleted, queue_saved};

use crate::context::Context;
use crate::error::ActionError;
use crate::facts;
use crate::plan::Plan;
use crate::tables::{mailbox, system_user};

pub(crate) async fn check(plan: &mut Plan<'_>) -> Result<(), ActionError> {
    let before = plan.before.as_ref().map(Queue::from_record).transpose()?;
    let after = Queue::from_record(&plan.after)?;
    let wanted = after.approval;
    let organization = facts::organization(plan.ctx).await?;
    let held = facts::mailbox_of(plan.ctx, after.reference()).await?;
    let default_profile = facts::profile(plan.ctx, organization.default_profile).await?;
    let mailbox_profile = facts::profile(plan.ctx, held.as_ref().and_then(|m| m.profile)).await?;
    let except = held.as_ref().map_or(model::Id::nil(), |m| m.id);
    let taken = facts::taken(plan.ctx, &after.address, except).await?;
    let facts = OwnerFacts {
        organization: &organization,
        default_profile: default_profile.as_ref(),
        mailbox: held.as_ref(),
        mailbox_profile: mailbox_profile.as_ref(),
        address_taken_by: taken.as_ref().map(|(mailbox, name)| (*mailbox, name.as_str())),
        new_mailbox: plan.ctx.new_id()?,
    };
    let mut saved = match queue_saved(before.as_ref(), after, &facts) {
        Ok(saved) => saved,
        Err(refusals) => {
            plan.faults.extend(refusals.0);
            return Ok(());
        }
    };
    if plan.was_given(Queue::C.approval) && wanted != saved.record.approval {
        let regarding = saved.record.clone();
        let alone = saved.changes.is_empty();
        let regarding = Regarding::Queue(&regarding);
        saved.record.approval = system_user::approve(plan, held.as_ref(), wanted, regarding, &organization, alone);
    }
    plan.also.extend(saved.changes);
    system_user::adopt_waiting(plan, saved.record.default_mailbox).await?;
    plan.after.values.extend(saved.record.into_record().values);
    Ok(())
}

/// A queue goes with its mailbox and its items; the emails stay.
pub(crate) async fn check_delete(ctx: &Context, row: &Record) -> Result<Vec<Change>, ActionError> {
    let queue = Queue::from_record(row)?;
    let held: Option<Mailbox> = facts::mailbox_of(ctx, queue.reference()).await?;
    let mut changes = Vec::new();
    if let Some(held) = &held {
        changes.extend(mailbox::parts(ctx, held.id).await?);
    }
    let query = Query::of::<QueueItem>().filter(Filter::eq(QueueItem::C.queue, Some(queue.reference())));
    for item in ctx.store.list::<QueueItem>(&query).await? {
        changes.push(Change::delete::<QueueItem>(item.id));
    }
    changes.extend(queue_deleted(&queue, held.as_ref()));
    Ok(changes)
}
