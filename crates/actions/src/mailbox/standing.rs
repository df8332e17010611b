//! What stands beside a mailbox: when it runs next, how it went last, its
//! servers, its alerts, its test, and what the one who looks may do with it.

use std::collections::BTreeMap;

use model::tables::{
    AlertLevel, Disposition, EmailServerProfile, LedgerEntry, Mailbox, Server, TestStep, TraceLog, WorkItem,
};
use model::work::Workload;
use model::{Entity, Filter, Id, Query, Record, Refusal, Refusals, Timestamp};
use rules::access::{Right, Special, fields};
use rules::mailbox::{may_process, may_test};
use rules::{breaker, profile};

use crate::context::Context;
use crate::error::ActionError;
use crate::monitoring::{self, Nodes};
use crate::{access, facts, read};

#[derive(Debug, Clone)]
pub struct Standing {
    pub incoming: Lane,
    pub outgoing: Lane,
    /// The steps of the test that runs, or of the last one.
    pub steps: Vec<TestStep>,
    /// Why the mailbox cannot be tested as it is; empty: it can.
    pub untestable: Vec<Refusal>,
    /// How many alerts there are, by level.
    pub alerts: BTreeMap<AlertLevel, u64>,
    /// How many messages the ledger has that somebody may want to look after.
    pub messages: BTreeMap<Disposition, u64>,
    /// Who is there to process it, and what they hold to its servers.
    pub nodes: Nodes,
    pub may: May,
}

/// One direction.
#[derive(Debug, Clone, Default)]
pub struct Lane {
    /// The first reason why nothing is done; `None`: it is.
    pub blocked: Option<Refusal>,
    pub next_run: Option<Timestamp>,
    /// Somebody works on it now: which node.
    pub running_on: Option<String>,
    /// Consecutive failures of a passing kind.
    pub failures: i64,
    /// `host:port`
    pub server: Option<String>,
    /// While in the future, nobody asks the server.
    pub server_waits_until: Option<Timestamp>,
    pub server_failures: i64,
    pub server_error: String,
}

/// What the one who looks may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each answers a question of its own")]
pub struct May {
    pub write: bool,
    pub delete: bool,
    pub assign: bool,
    pub approve: bool,
    pub test: bool,
    pub read_credentials: bool,
    pub write_credentials: bool,
}

/// What stands beside the mailbox.
pub async fn standing(ctx: &Context, mailbox: Id) -> Result<Standing, ActionError> {
    let row = access::seen(ctx, Mailbox::TABLE, mailbox).await?;
    let mailbox = Mailbox::from_record(&row)?;
    let owned = facts::mailbox(ctx, &mailbox).await?;
    let items = items(ctx, &mailbox).await?;
    let mut lanes = BTreeMap::new();
    for workload in [Workload::Incoming, Workload::Outgoing] {
        let item = items.iter().find(|item| item.workload == workload);
        let mut lane = lane(ctx, item, owned.profile.as_ref(), workload).await?;
        lane.blocked = may_process(&mailbox, owned.profile.as_ref(), &owned.organization, workload).err();
        lanes.insert(workload, lane);
    }
    let facts = owned.facts(false, mailbox.password_set || mailbox.oauth_token_set);
    let untestable = may_test(&mailbox, &facts).err().map(|Refusals(all)| all).unwrap_or_default();
    let nodes = match &owned.profile {
        Some(profile) => monitoring::nodes(ctx, Some(profile.id)).await?,
        None => Nodes { connections: Vec::new(), ..monitoring::nodes(ctx, None).await? },
    };
    Ok(Standing {
        nodes,
        incoming: lanes.remove(&Workload::Incoming).unwrap_or_default(),
        outgoing: lanes.remove(&Workload::Outgoing).unwrap_or_default(),
        steps: steps(ctx, &mailbox).await?,
        untestable,
        alerts: alerts(ctx, &mailbox).await?,
        messages: messages(ctx, &mailbox).await?,
        may: may(ctx, &row, &mailbox).await?,
    })
}

async fn items(ctx: &Context, mailbox: &Mailbox) -> Result<Vec<WorkItem>, ActionError> {
    let query = Query::of::<WorkItem>().filter(Filter::eq(WorkItem::C.mailbox, Some(mailbox.reference())));
    Ok(ctx.store.list::<WorkItem>(&query).await?)
}

async fn lane(
    ctx: &Context,
    item: Option<&WorkItem>,
    profile: Option<&EmailServerProfile>,
    workload: Workload,
) -> Result<Lane, ActionError> {
    let mut lane = Lane::default();
    if let Some(item) = item {
        lane.next_run = item.next_run;
        lane.failures = item.failures;
        lane.running_on = item.lease_until.is_some_and(|until| until > ctx.now).then(|| item.holder.clone());
    }
    if let Some(profile) = profile.filter(|p| !profile::is_exchange(p)) {
        let name = profile::server(profile, workload);
        if let Some(server) = ctx.store.load::<Server>(breaker::server_id(&name)).await? {
            lane.server_waits_until = breaker::is_open(&server, ctx.now).then_some(server.open_until).flatten();
            lane.server_failures = server.failures;
            lane.server_error = server.last_error;
        }
        lane.server = Some(name);
    }
    Ok(lane)
}

/// Those of the test that was asked for last: steps of an earlier one stand
/// there until the new one begins.
async fn steps(ctx: &Context, mailbox: &Mailbox) -> Result<Vec<TestStep>, ActionError> {
    let query = Query::of::<TestStep>()
        .filter(Filter::eq(TestStep::C.mailbox, Some(mailbox.reference())))
        .order_by(TestStep::C.number, false);
    let mut steps = ctx.store.list::<TestStep>(&query).await?;
    steps.retain(|step| step.taken_on >= mailbox.test_on);
    Ok(steps)
}

/// What the caller may read of them.
async fn alerts(ctx: &Context, mailbox: &Mailbox) -> Result<BTreeMap<AlertLevel, u64>, ActionError> {
    let mut found = BTreeMap::new();
    if access::any(ctx, Right::Read, TraceLog::TABLE).is_err() {
        return Ok(found);
    }
    for level in AlertLevel::ALL {
        let query = Query::of::<TraceLog>()
            .filter(Filter::eq(TraceLog::C.regarding, Some(mailbox.reference())))
            .filter(Filter::eq(TraceLog::C.level, *level));
        found.insert(*level, read::count(ctx, query).await?);
    }
    Ok(found)
}

/// Counted in the index of mailbox and disposition. What went well is much,
/// and counting it takes long.
async fn messages(ctx: &Context, mailbox: &Mailbox) -> Result<BTreeMap<Disposition, u64>, ActionError> {
    let mut found = BTreeMap::new();
    for disposition in [Disposition::Waiting, Disposition::Failed, Disposition::Unclaimed] {
        let query = Query::of::<LedgerEntry>()
            .filter(Filter::eq(LedgerEntry::C.mailbox, Some(mailbox.reference())))
            .filter(Filter::eq(LedgerEntry::C.disposition, disposition));
        found.insert(disposition, ctx.store.count(&query).await?);
    }
    Ok(found)
}

pub(super) async fn may(ctx: &Context, row: &Record, mailbox: &Mailbox) -> Result<May, ActionError> {
    let facts = access::facts(ctx, row).await?;
    let principal = &ctx.principal;
    let right = |right| rules::access::may(principal, right, Mailbox::TABLE, &facts).is_ok();
    let organization = crate::facts::organization(ctx).await?;
    let own = mailbox.regarding == Some(ctx.actor.reference()) && !organization.require_privilege_for_own;
    let credentials = |right| fields::may(principal, right, Mailbox::TABLE, "password", &facts);
    let write = right(Right::Write);
    let writes = principal.may_write(Mailbox::TABLE).is_ok();
    Ok(May {
        write,
        delete: right(Right::Delete) && rules::mailbox::refuse_delete(mailbox).is_ok(),
        assign: right(Right::Assign) && rules::mailbox::kind(mailbox) == rules::mailbox::Kind::Forward,
        approve: writes && (principal.has(Special::ApproveEmailAddresses) || own),
        test: writes && principal.special_covers(Special::TestMailbox, &facts),
        read_credentials: credentials(Right::Read),
        write_credentials: write && credentials(Right::Write),
    })
}
