//! The work of queues: putting an email in, picking, releasing, routing and
//! removing an item. Who works on an item owns its email, as in Dataverse.

use std::collections::BTreeMap;

use model::tables::{Email, Queue, QueueItem, State, SystemUser, TeamMembership};
use model::{Change, Commit, Entity, Filter, Id, Query, Record, Ref, Refusal, Update, Value, Words, words};
use rules::access::Right;
use rules::queue_work::Standing;

use crate::context::Context;
use crate::draft::{Draft, Precondition};
use crate::error::{ActionError, commit_failed, version_mismatch};
use crate::tables::queue_item;
use crate::{access, audit};

mod overview;

pub use overview::{Mark, Overview, Which, at_work, counted_one, items, overview, worked_on};

/// How often a change is decided anew because a row changed meanwhile.
const TRIES: usize = 4;

/// Puts `object` into the queue: by a new item with these properties, or by
/// moving the item that it has in `source`. Returns the item.
pub async fn add(
    ctx: &Context,
    queue: Id,
    object: Ref,
    source: Option<Id>,
    properties: Draft,
) -> Result<Id, ActionError> {
    exists(ctx, Queue::TABLE.logical, queue).await?;
    exists(ctx, object.table, object.id).await?;
    let queue = Ref::new(Queue::TABLE.logical, queue);
    let Some(source) = source else {
        let draft = properties.with(QueueItem::C.queue, Some(queue)).with(QueueItem::C.object, Some(object));
        return crate::create::create(ctx, draft).await;
    };
    let source = Ref::new(Queue::TABLE.logical, source);
    let standing = Query::of::<QueueItem>()
        .filter(Filter::eq(QueueItem::C.queue, Some(source)))
        .filter(Filter::eq(QueueItem::C.object, Some(object)))
        .filter(Filter::eq(QueueItem::C.state, State::Active))
        .limit(1);
    let Some(item) = ctx.store.list::<QueueItem>(&standing).await?.pop() else {
        let message = words!("{0} has no active item in the source queue {1}.", object, source.id);
        return Err(Refusal::invalid(Some("SourceQueue"), message).into());
    };
    let moved = properties.with(QueueItem::C.queue, Some(queue)).with(QueueItem::C.worker, None);
    crate::update::update(ctx, item.id, moved, Precondition::Exists).await?;
    Ok(item.id)
}

/// `user` takes the item on. With `remove` it leaves the queue.
pub async fn pick(ctx: &Context, item: Id, user: Id, remove: bool) -> Result<(), ActionError> {
    enabled(ctx, user).await?;
    let worker = Ref::new(SystemUser::TABLE.logical, user);
    on_item(ctx, item, "pick", |standing, _| {
        if let Some(other) = standing.worker.filter(|other| *other != worker) {
            let message = words!("{0} works on this item already. Release it first, or route it.", other);
            return Err(invalid_state(message));
        }
        Ok(After { worker: Some(worker), owner: Some(worker), gone: remove, queue: None })
    })
    .await
}

/// Nobody works on the item any more, and its email is the queue's owner's.
pub async fn release(ctx: &Context, item: Id) -> Result<(), ActionError> {
    on_item(ctx, item, "release", |_, queue| {
        Ok(After { worker: None, owner: queue.and_then(|q| q.owner), gone: false, queue: None })
    })
    .await
}

/// Takes the item out of its queue; the email stays.
pub async fn remove(ctx: &Context, item: Id) -> Result<(), ActionError> {
    crate::delete::delete(ctx, QueueItem::TABLE, item, Precondition::Exists).await
}

/// Hands the item to another queue, or to a user or team who works on it.
pub async fn route(ctx: &Context, item: Id, target: Ref) -> Result<(), ActionError> {
    match target.table {
        "queue" => access::target(ctx, &exists(ctx, target.table, target.id).await?).await?,
        "team" => {
            exists(ctx, target.table, target.id).await?;
        }
        "systemuser" => enabled(ctx, target.id).await?,
        other => {
            let message = words!("'Target' is a queue, a systemuser or a team, not a row of {0}.", other);
            return Err(Refusal::invalid(Some("Target"), message).into());
        }
    }
    on_item(ctx, item, "route", |standing, _| {
        Ok(if target.table == "queue" {
            let stays = standing.queue == Some(target);
            After { worker: standing.worker.filter(|_| stays), owner: None, gone: false, queue: Some(target) }
        } else {
            After { worker: Some(target), owner: Some(target), gone: false, queue: None }
        })
    })
    .await
}

/// The queues that a user works in: their own and those of their teams; with
/// `public` those that are everybody's, too.
pub async fn of_user(ctx: &Context, user: Id, public: bool) -> Result<Filter, ActionError> {
    exists(ctx, SystemUser::TABLE.logical, user).await?;
    let user = Ref::new(SystemUser::TABLE.logical, user);
    let memberships = Query::of::<TeamMembership>().filter(Filter::eq(TeamMembership::C.user, Some(user)));
    let teams = ctx.store.list::<TeamMembership>(&memberships).await?.into_iter().filter_map(|m| m.team);
    let owners: Vec<Option<Ref>> = std::iter::once(user).chain(teams).map(Some).collect();
    let own = Filter::is_in(Queue::C.owner, owners);
    Ok(if public { own.or(Filter::eq(Queue::C.view, model::tables::QueueView::Public)) } else { own })
}

/// What becomes of an item.
struct After {
    worker: Option<Ref>,
    /// Of the email; `None`: stays.
    owner: Option<Ref>,
    /// The item leaves the queue.
    gone: bool,
    /// Another queue.
    queue: Option<Ref>,
}

async fn on_item(
    ctx: &Context,
    id: Id,
    verb: &'static str,
    decide: impl Fn(&QueueItem, Option<&Queue>) -> Result<After, Refusal>,
) -> Result<(), ActionError> {
    for _ in 0..TRIES {
        let Some(row) = ctx.store.get(QueueItem::TABLE, id).await? else {
            return Err(Refusal::does_not_exist(QueueItem::TABLE.logical, id).into());
        };
        access::on_row(ctx, Right::Write, &row).await?;
        let item = QueueItem::from_record(&row)?;
        if item.state != State::Active {
            return Err(invalid_state(words!("The queue item is not active: nobody can work on it any more.")).into());
        }
        let queue = match item.queue {
            Some(queue) => ctx.store.load::<Queue>(queue.id).await?,
            None => None,
        };
        let after = decide(&item, queue.as_ref())?;
        if after.queue.is_some_and(|queue| item.queue != Some(queue))
            && queue_item::is_in(ctx, after.queue, item.object, id).await?
        {
            return Err(queue_item::active_item_exists().into());
        }
        let owner = queue.as_ref().and_then(|queue| queue.owner);
        let changes = changes(ctx, verb, &row, &item, &after, owner).await?;
        if changes.is_empty() {
            return Ok(());
        }
        match ctx.store.commit(&Commit::new(ctx.actor(), ctx.now, changes)).await {
            Ok(_) => return Ok(()),
            Err(store::CommitError::Conflict { .. }) => {}
            Err(error) => return Err(commit_failed(QueueItem::TABLE.logical, error)),
        }
    }
    Err(version_mismatch(QueueItem::TABLE.logical).into())
}

async fn changes(
    ctx: &Context,
    verb: &str,
    row: &Record,
    item: &QueueItem,
    after: &After,
    queue_owner: Option<Ref>,
) -> Result<Vec<Change>, ActionError> {
    let mut changes = Vec::new();
    if after.gone {
        changes.push(Change::Delete { table: QueueItem::TABLE, id: item.id });
        changes.push(audit::deleted(ctx, row)?);
    } else {
        let mut set: BTreeMap<&'static str, Value> = BTreeMap::new();
        if item.worker != after.worker {
            set.insert(QueueItem::C.worker.name, after.worker.map_or(Value::Null, Value::Ref));
            set.insert(QueueItem::C.worker_modified_on.name, Value::Time(ctx.now));
        }
        if let Some(queue) = after.queue.filter(|queue| item.queue != Some(*queue)) {
            set.insert(QueueItem::C.queue.name, Value::Ref(queue));
            set.insert(QueueItem::C.entered_on.name, Value::Time(ctx.now));
        }
        changes.extend(update(ctx, verb, row, set)?);
    }
    if let (Some(owner), Some(object)) = (after.owner, item.object)
        && let Some(email) = ctx.store.get(Email::TABLE, object.id).await?
        && email.get(Email::C.owner.name) != &Value::Ref(owner)
    {
        let email_owner = email.get(Email::C.owner.name).as_ref_to();
        let standing = Standing { actor: ctx.actor_ref(), queue_owner, worker: item.worker, email_owner };
        let right = if standing.is_own_work(owner) { Right::Read } else { Right::Assign };
        access::on_row(ctx, right, &email).await?;
        let set = BTreeMap::from([(Email::C.owner.name, Value::Ref(owner))]);
        changes.extend(update(ctx, verb, &email, set)?);
    }
    Ok(changes)
}

/// The change of a row as it was read, with its audit row.
fn update(
    ctx: &Context,
    verb: &str,
    before: &Record,
    set: BTreeMap<&'static str, Value>,
) -> Result<Vec<Change>, ActionError> {
    if set.is_empty() {
        return Ok(Vec::new());
    }
    let mut update = Update::row(before.table, before.id);
    update.set = set.into_iter().collect();
    update.version = before.get("versionnumber").as_int();
    let entry = audit::updated(ctx, verb, before, &update.set)?;
    Ok(vec![update.into(), entry])
}

/// The row is there, and the caller may see it.
async fn exists(ctx: &Context, table: &'static str, id: Id) -> Result<Record, ActionError> {
    match model::tables::by_logical_name(table) {
        Some(table) => access::seen(ctx, table, id).await,
        None => Err(Refusal::does_not_exist(table, id).into()),
    }
}

async fn enabled(ctx: &Context, user: Id) -> Result<(), ActionError> {
    let row = exists(ctx, SystemUser::TABLE.logical, user).await?;
    if row.typed(SystemUser::C.is_disabled)? {
        return Err(invalid_state(words!("The user {0} is disabled and cannot work on a queue item.", user)).into());
    }
    Ok(())
}

/// 0x80040233
fn invalid_state(message: Words) -> Refusal {
    Refusal::new(0x8004_0233, "InvalidState", message)
}
