//! What waits in queues, for those who work in them.

use jiff::Timestamp;
use model::query::{Compare, TextMatch};
use model::tables::{Queue, QueueItem, State};
use model::{Entity, Filter, Id, Order, Query, Record, Ref, Value};
use store::Waiting;

use crate::access;
use crate::context::Context;
use crate::error::ActionError;
use crate::queue::of_user;

/// A queue and what waits in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Overview {
    pub queue: Queue,
    /// Items that nobody works on.
    pub waiting: u64,
    /// Items that somebody works on.
    pub worked_on: u64,
    /// Those of them that the caller works on.
    pub mine: u64,
    /// Since when the first of the waiting ones waits.
    pub oldest: Option<Timestamp>,
}

/// Active queues that the caller may read, by name, with what waits in them:
/// those that they work in, or all. At most `most` after the queue `after`, and
/// after which queue the next page begins. `find`: words of the name or the
/// address.
///
/// # Errors
/// 0x80040220 for who may read no queues; 0x80040217 where `after` is none.
pub async fn overview(
    ctx: &Context,
    all: bool,
    find: &str,
    after: Option<Id>,
    most: usize,
) -> Result<(Vec<Overview>, Option<Id>), ActionError> {
    let mut query = active();
    if !all {
        query = query.filter(of_user(ctx, ctx.actor.id, true).await?);
    }
    for word in find.split_whitespace() {
        let contains = |column: &'static str| Filter::Text(column.into(), TextMatch::Contains, word.to_owned());
        query = query.filter(contains(Queue::C.name.name).or(contains(Queue::C.address.name)));
    }
    if let Some(after) = after {
        let last = access::seen(ctx, Queue::TABLE, after).await?;
        query.after = Some((vec![last.get(Queue::C.name.name).clone()], after));
    }
    let mut rows = crate::list(ctx, query.limit(most + 1)).await?;
    let more = rows.len() > most;
    rows.truncate(most);
    let next = rows.last().filter(|_| more).map(|row| row.id);
    Ok((with_what_waits(ctx, &rows).await?, next))
}

/// At most `most` of the queues that the caller works in: first those in which
/// something is, then the caller's own and their teams'. And whether these are
/// not all in which they work.
///
/// # Errors
/// 0x80040220 for who may read no queues.
pub async fn at_work(ctx: &Context, most: usize) -> Result<(Vec<Overview>, bool), ActionError> {
    let active_item = Filter::eq(QueueItem::C.state, State::Active);
    let busy = Filter::Any { table: QueueItem::TABLE, column: QueueItem::C.queue.name, filter: Box::new(active_item) };
    let any = of_user(ctx, ctx.actor.id, true).await?;
    let mut rows = crate::list(ctx, active().filter(any.clone()).filter(busy.clone()).limit(most + 1)).await?;
    let left = (most + 1).saturating_sub(rows.len());
    if left > 0 {
        let own = of_user(ctx, ctx.actor.id, false).await?;
        let idle = active().filter(own).filter(Filter::Not(Box::new(busy))).limit(left);
        rows.extend(crate::list(ctx, idle).await?);
    }
    let more = rows.len() > most || {
        let mut others = Query::of::<Queue>().filter(Filter::eq(Queue::C.state, State::Active)).filter(any);
        others.select = vec![Queue::TABLE.id];
        crate::list(ctx, others.limit(rows.len() + 1)).await?.len() > rows.len()
    };
    rows.truncate(most);
    Ok((with_what_waits(ctx, &rows).await?, more))
}

fn active() -> Query {
    Query::of::<Queue>().filter(Filter::eq(Queue::C.state, State::Active)).order_by(Queue::C.name, false)
}

async fn with_what_waits(ctx: &Context, rows: &[Record]) -> Result<Vec<Overview>, ActionError> {
    let queues: Vec<Queue> = rows.iter().map(Queue::from_record).collect::<Result<_, _>>()?;
    let ids: Vec<Id> = queues.iter().map(|queue| queue.id).collect();
    let mut waiting = ctx.store.waiting(&ids).await?;
    Ok(queues.into_iter().map(|queue| counted(ctx, waiting.remove(&queue.id).unwrap_or_default(), queue)).collect())
}

/// What waits in a queue that the caller has read.
pub async fn counted_one(ctx: &Context, queue: Queue) -> Result<Overview, ActionError> {
    let rows = ctx.store.waiting(&[queue.id]).await?.remove(&queue.id).unwrap_or_default();
    Ok(counted(ctx, rows, queue))
}

fn counted(ctx: &Context, rows: Vec<Waiting>, queue: Queue) -> Overview {
    let mut counted = Overview { queue, waiting: 0, worked_on: 0, mine: 0, oldest: None };
    for row in rows {
        match row.worker {
            None => (counted.waiting, counted.oldest) = (row.items, row.oldest),
            Some(worker) => {
                counted.worked_on += row.items;
                if worker == ctx.actor_ref() {
                    counted.mine += row.items;
                }
            }
        }
    }
    counted
}

/// Which items of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Which {
    #[default]
    All,
    /// Nobody works on them.
    Waiting,
    /// The caller works on them.
    Mine,
}

/// Where in a queue a page ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    pub entered: Option<Timestamp>,
    pub id: Id,
}

/// At most `most` active items of the queue, those first that came first, and
/// where the next page begins. `find`: words of the title or the sender.
///
/// # Errors
/// 0x80040220 for who may read no queues.
pub async fn items(
    ctx: &Context,
    queue: Id,
    which: Which,
    find: &str,
    after: Option<Mark>,
    most: usize,
) -> Result<(Vec<Record>, Option<Mark>), ActionError> {
    let mut query = Query::of::<QueueItem>()
        .filter(Filter::eq(QueueItem::C.queue, Some(Ref::new(Queue::TABLE.logical, queue))))
        .filter(Filter::eq(QueueItem::C.state, State::Active))
        .order_by(QueueItem::C.entered_on, false)
        .limit(most + 1);
    let worker = QueueItem::C.worker.name;
    query = match which {
        Which::All => query,
        // Said so that the queue is walked in its order and not sorted.
        Which::Waiting => query.filter(Filter::Not(Box::new(Filter::Not(Box::new(Filter::IsNull(worker.into())))))),
        Which::Mine => query.filter(Filter::eq(QueueItem::C.worker, Some(ctx.actor_ref()))),
    };
    for word in find.split_whitespace() {
        let contains = |column: &'static str| Filter::Text(column.into(), TextMatch::Contains, word.to_owned());
        query = query.filter(contains(QueueItem::C.title.name).or(contains(QueueItem::C.sender.name)));
    }
    if let Some(mark) = after {
        let at = mark.entered.map_or(Value::Null, Value::Time);
        if !at.is_null() {
            let column = QueueItem::C.entered_on.name.into();
            query = query.filter(Filter::Compare(column, Compare::GreaterOrEqual, at.clone()));
        }
        query.after = Some((vec![at], mark.id));
    }
    let mut rows = crate::list(ctx, query).await?;
    let more = rows.len() > most;
    rows.truncate(most);
    let mark = |row: &Record| Mark { entered: row.get(QueueItem::C.entered_on.name).as_time(), id: row.id };
    let next = rows.last().filter(|_| more).map(mark);
    Ok((rows, next))
}

/// The items that the caller works on, in all queues.
pub async fn worked_on(ctx: &Context, most: usize) -> Result<Vec<Record>, ActionError> {
    let mut query = Query::of::<QueueItem>()
        .filter(Filter::eq(QueueItem::C.worker, Some(ctx.actor_ref())))
        .filter(Filter::eq(QueueItem::C.state, State::Active))
        .limit(most);
    query.order.push(Order { column: QueueItem::C.worker_modified_on.name.into(), descending: true });
    crate::list(ctx, query).await
}
