//! Mailboxes: forward mailboxes are made by hand, all are edited, approved
//! and sent to their test here.

use std::collections::BTreeSet;

use model::tables::{Approval, Folder, Mailbox, Settlement, TestStep, TraceLog, WorkItem};
use model::work::Workload;
use model::{Change, Entity, Filter, Id, Query, Record, Ref};
use rules::access::{Depth, Right, Special, may, privilege, refusals};
use rules::approval::{self, ApprovalFacts};
use rules::mailbox::{create_forward, refuse_delete, save};
use rules::{schedule, user_queue};

use crate::access;
use crate::context::Context;
use crate::error::ActionError;
use crate::facts::{self, Owned};
use crate::plan::Plan;

/// Columns that hold a password or a token.
const CREDENTIALS: &[&str] = &["password", "oauthaccesstoken", "oauthrefreshtoken"];

pub(crate) fn writes_credentials(given: &BTreeSet<&'static str>) -> bool {
    CREDENTIALS.iter().any(|c| given.contains(c))
}

pub(crate) async fn check(plan: &mut Plan<'_>) -> Result<(), ActionError> {
    let after = Mailbox::from_record(&plan.after)?;
    let wanted = plan.was_given(Mailbox::C.approval).then_some(after.approval);
    let owned = facts::mailbox(plan.ctx, &after).await?;
    let writing = writes_credentials(&plan.given);
    let facts = owned.facts(writing, after.password_set || after.oauth_token_set);
    let decided = match &plan.before {
        None => create_forward(after, &facts, plan.ctx.now),
        Some(before) => save(&Mailbox::from_record(before)?, after, &facts, plan.ctx.now),
    };
    let mut decided = match decided {
        Ok(decided) => decided,
        Err(refusals) => {
            plan.faults.extend(refusals.0);
            return Ok(());
        }
    };
    if let Some(wanted) = wanted.filter(|w| *w != decided.approval) {
        match approve(plan.ctx, &decided, wanted, &owned) {
            Ok(approved) => {
                plan.verb = if wanted == Approval::Approved { "approve" } else { "reject" };
                decided = approved;
            }
            Err(refusals) => plan.faults.extend(refusals.0),
        }
    }
    may_readdress(plan).await?;
    let test = decided.test_scheduled;
    if test {
        may_test(plan).await?;
    }
    if test {
        decided.test_by = Some(plan.ctx.actor_ref());
        plan.verb = "test";
    }
    follow_up(plan, &decided, &owned, test);
    plan.after.values.extend(decided.into_record().values);
    Ok(())
}

/// The address of a user's or queue's mailbox is theirs, and stands in their
/// row: who may not write that, nor looks after mailboxes, cannot send their
/// own mailbox to somebody else's address.
async fn may_readdress(plan: &mut Plan<'_>) -> Result<(), ActionError> {
    let (ctx, column) = (plan.ctx, Mailbox::C.address);
    let Some(regarding) = plan.after.get(Mailbox::C.regarding.name).as_ref_to() else { return Ok(()) };
    if plan.creating() || !plan.was_given(column) || !plan.changes(column) {
        return Ok(());
    }
    let principal = &ctx.principal;
    let looks_after = principal.reach(&privilege(Right::Write, plan.table())).is_some_and(|r| r.depth > Depth::Basic);
    if looks_after || principal.has(Special::ApproveEmailAddresses) {
        return Ok(());
    }
    let Some(table) = model::tables::by_logical_name(regarding.table) else { return Ok(()) };
    let Some(row) = ctx.store.get(table, regarding.id).await? else { return Ok(()) };
    let facts = access::facts(ctx, &row).await?;
    if let Err(refusal) = may(principal, Right::Write, table, &facts) {
        plan.fault(refusal.at(column.name));
    }
    Ok(())
}

/// 0x8005E232
async fn may_test(plan: &mut Plan<'_>) -> Result<(), ActionError> {
    let principal = &plan.ctx.principal;
    let row = access::facts(plan.ctx, plan.before.as_ref().unwrap_or(&plan.after)).await?;
    if !principal.special_covers(Special::TestMailbox, &row) {
        plan.faults.push(refusals::missing_special(principal, Special::TestMailbox));
    }
    Ok(())
}

fn approve(ctx: &Context, mailbox: &Mailbox, wanted: Approval, owned: &Owned) -> Result<Mailbox, model::Refusals> {
    let facts = ApprovalFacts {
        privilege: ctx.principal.has(Special::ApproveEmailAddresses),
        privilege_for_own: owned.organization.require_privilege_for_own,
        regarding: owned.facts(false, false).regarding,
    };
    approval::set(mailbox, wanted, &ctx.actor, facts, ctx.now)
}

/// What a saved mailbox means for other rows.
fn follow_up(plan: &mut Plan<'_>, mailbox: &Mailbox, owned: &Owned, test: bool) {
    if plan.creating() {
        let items = [Workload::Incoming, Workload::Outgoing, Workload::Test];
        plan.also.extend(items.map(|w| schedule::work_item(mailbox.id, w)));
    }
    if test {
        plan.also.extend(schedule::due(mailbox.id, Workload::Test, plan.ctx.now));
    } else if !plan.creating() {
        plan.also.extend(schedule::resume(mailbox, plan.ctx.now));
    }
    if let Some(regarding) = owned.facts(false, false).regarding {
        plan.also.extend(user_queue::mailbox_saved(mailbox, regarding));
    }
}

pub(crate) async fn check_delete(ctx: &Context, row: &Record) -> Result<Vec<Change>, ActionError> {
    let mailbox = Mailbox::from_record(row)?;
    refuse_delete(&mailbox)?;
    parts(ctx, mailbox.id).await
}

/// What goes with a mailbox: its due work, its cursors, test steps and alerts. What the
/// ledger says of its messages stays, without the mailbox.
pub(crate) async fn parts(ctx: &Context, mailbox: Id) -> Result<Vec<Change>, ActionError> {
    let this = Some(Ref::new("mailbox", mailbox));
    let mut changes = Vec::new();
    for item in
        ctx.store.list::<WorkItem>(&Query::of::<WorkItem>().filter(Filter::eq(WorkItem::C.mailbox, this))).await?
    {
        changes.push(Change::delete::<WorkItem>(item.id));
    }
    for folder in ctx.store.list::<Folder>(&Query::of::<Folder>().filter(Filter::eq(Folder::C.mailbox, this))).await? {
        changes.push(Change::delete::<Folder>(folder.id));
    }
    let query = Query::of::<Settlement>().filter(Filter::eq(Settlement::C.mailbox, this));
    for settlement in ctx.store.list::<Settlement>(&query).await? {
        changes.push(Change::delete::<Settlement>(settlement.id));
    }
    let query = Query::of::<TestStep>().filter(Filter::eq(TestStep::C.mailbox, this));
    for step in ctx.store.list::<TestStep>(&query).await? {
        changes.push(Change::delete::<TestStep>(step.id));
    }
    let query = Query::of::<TraceLog>().filter(Filter::eq(TraceLog::C.regarding, this));
    for alert in ctx.store.list::<TraceLog>(&query).await? {
        changes.push(Change::delete::<TraceLog>(alert.id));
    }
    Ok(changes)
}
