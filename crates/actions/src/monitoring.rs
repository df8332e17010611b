//! What a dashboard shows of the installation as a whole.

mod connections;

pub(crate) use connections::nodes;
pub use connections::{Connection, Nodes};

use model::overview::{EmailTally, Held, WorkTally};
use model::query::{Compare, Order};
use model::tables::{AlertLevel, Mailbox, Node, Server, TraceLog, WorkItem};
use model::work::Workload;
use model::{Entity, Filter, Query, Refusal, SignedDuration, Timestamp, Value, words};
use rules::access::{Depth, Right};
use rules::monitoring;
pub use rules::monitoring::{BreakerState, Fate, Hour, Standing, breaker_state, is_alive};

use crate::context::Context;
use crate::error::ActionError;

/// Hours that the chart of messages has.
const HOURS: i64 = 24;
/// Rows of a list beside the charts.
const FEW: usize = 8;

#[derive(Debug)]
pub struct Board {
    pub now: Timestamp,
    /// Mailboxes by how they stand, for each workload.
    pub incoming: Vec<(Standing, u64)>,
    pub outgoing: Vec<(Standing, u64)>,
    pub hours: Vec<Hour>,
    pub work: Vec<WorkTally>,
    /// Those that wait the longest.
    pub late: Vec<Late>,
    pub emails: Vec<EmailTally>,
    /// Of the last day.
    pub alerts: Vec<(AlertLevel, u64)>,
    pub latest: Vec<Recent>,
    pub servers: Vec<Server>,
    pub nodes: Vec<Node>,
    pub held: Vec<Held>,
    pub connections: Vec<Connection>,
}

/// A mailbox that has been due for a while.
#[derive(Debug)]
pub struct Late {
    pub mailbox: Mailbox,
    pub workload: Workload,
    pub since: Timestamp,
}

/// An alert, and when it was last raised.
#[derive(Debug)]
pub struct Recent {
    pub alert: TraceLog,
    pub at: Option<Timestamp>,
}

/// The counts of everything: only for those who may read every mailbox.
///
/// # Errors
/// 0x80040220 for everybody else.
pub async fn board(ctx: &Context) -> Result<Board, ActionError> {
    let reach = ctx.principal.granted(Right::Read, Mailbox::TABLE)?;
    if reach.depth != Depth::Global {
        let message = words!(
            "The monitoring page counts the mailboxes of the whole organization. It takes the privilege \
             prvReadMailbox at the organization's level; ask an administrator for a role that has it."
        );
        return Err(Refusal::new(0x8004_0220, "PrivilegeDenied", message).into());
    }
    let day = SignedDuration::from_hours(HOURS);
    let facts = ctx.store.overview(ctx.now, ctx.now - day).await?;
    let standings = |workload| {
        let counted = monitoring::by_standing(&facts.mailboxes, workload);
        Standing::ALL.iter().filter_map(|s| counted.get(s).map(|n| (*s, *n))).collect()
    };
    Ok(Board {
        now: ctx.now,
        incoming: standings(Workload::Incoming),
        outgoing: standings(Workload::Outgoing),
        hours: monitoring::hours(&facts.messages, ctx.now, HOURS),
        late: late(ctx).await?,
        latest: latest(ctx).await?,
        servers: ctx.store.list(&sorted::<Server>("pr_name", false)).await?,
        nodes: ctx.store.list(&sorted::<Node>("pr_name", false)).await?,
        work: facts.work,
        emails: facts.emails,
        alerts: facts.alerts,
        held: facts.held,
        connections: nodes(ctx, None).await?.connections,
    })
}

async fn late(ctx: &Context) -> Result<Vec<Late>, ActionError> {
    // A moment's delay is no lag.
    let before = ctx.now - SignedDuration::from_secs(60);
    let less = |column: &'static str, time| Filter::Compare(column.into(), Compare::Less, Value::Time(time));
    let due = less("pr_nextrun", before);
    let free = Filter::IsNull("pr_leaseuntil".into()).or(less("pr_leaseuntil", ctx.now));
    let query = sorted::<WorkItem>("pr_nextrun", false).filter(due.and(free)).limit(FEW);
    let mut late = Vec::new();
    for item in ctx.store.list::<WorkItem>(&query).await? {
        let (Some(mailbox), Some(since)) = (item.mailbox, item.next_run) else { continue };
        if let Some(mailbox) = ctx.store.load::<Mailbox>(mailbox.id).await? {
            late.push(Late { mailbox, workload: item.workload, since });
        }
    }
    Ok(late)
}

async fn latest(ctx: &Context) -> Result<Vec<Recent>, ActionError> {
    if ctx.principal.granted(Right::Read, TraceLog::TABLE).is_err() {
        return Ok(Vec::new());
    }
    let serious = Filter::is_in(TraceLog::C.level, [AlertLevel::Error, AlertLevel::Warning]);
    let query = crate::fetch::limited(ctx, sorted::<TraceLog>("modifiedon", true).filter(serious).limit(FEW))?;
    let rows = ctx.store.query(&query).await?;
    let recent =
        |row: &model::Record| Ok(Recent { alert: TraceLog::from_record(row)?, at: row.get("modifiedon").as_time() });
    rows.iter().map(recent).collect()
}

fn sorted<E: Entity>(column: &'static str, descending: bool) -> Query {
    let mut query = Query::of::<E>();
    query.order = vec![Order { column: column.into(), descending }];
    query
}
