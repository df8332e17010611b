//! Changes a row, or creates it where the caller allows that (upsert).

use model::tables::{Disposition, Event, EventState, LedgerEntry};
use model::{Change, Commit, Entity, Id, Record, Refusal, words};
use rules::access::Right;
use store::CommitError;

use crate::context::Context;
use crate::create::{self, targets_exist};
use crate::draft::{Draft, Precondition, Saved};
use crate::error::{ActionError, commit_failed, duplicate, version_mismatch};
use crate::plan::Plan;
use crate::{access, ledger, resolve, tables, validate, webhook};

/// How often a change is decided anew because the row changed meanwhile.
const TRIES: usize = 5;

/// Changes the row `id`. All faults are reported together.
pub async fn update(ctx: &Context, id: Id, draft: Draft, precondition: Precondition) -> Result<Saved, ActionError> {
    let table = draft.table;
    resolve::refuse_activity(table)?;
    for _ in 0..TRIES {
        let Some(before) = ctx.store.get(table, id).await? else {
            return match precondition {
                Precondition::Any | Precondition::Absent => {
                    let draft = Draft { id: Some(id), ..draft };
                    create::create(ctx, draft).await.map(|id| Saved { id, created: true, version: None })
                }
                Precondition::Exists | Precondition::Version(_) => {
                    Err(Refusal::does_not_exist(table.logical, id).into())
                }
            };
        };
        if is_retry(&draft) {
            access::on_row(ctx, Right::Read, &before).await?;
            check(precondition, &before)?;
            ledger::retry(ctx, id).await?;
            return Ok(Saved { id, created: false, version: None });
        }
        if is_replay(&draft) {
            access::on_row(ctx, Right::Read, &before).await?;
            check(precondition, &before)?;
            webhook::replay(ctx, id).await?;
            return Ok(Saved { id, created: false, version: None });
        }
        let right = right(&draft);
        access::on_row(ctx, right, &before).await?;
        if right == Right::Read {
            // It is a write all the same, which a token or access mode may not allow.
            ctx.principal.may_write(table)?;
        }
        check(precondition, &before)?;
        let (row, version) = (before.reference(), before.get("versionnumber").as_int());
        let commit = plan(ctx, before, draft.clone()).await?;
        if commit.changes.is_empty() {
            return Ok(Saved { id, created: false, version });
        }
        match ctx.store.commit(&commit).await {
            Ok(committed) => {
                return Ok(Saved { id, created: false, version: committed.version(row).or(version) });
            }
            // What was decided on is no longer so; decide again.
            Err(CommitError::Conflict { .. }) if changed(ctx, &commit).await? => {}
            Err(error) => return Err(commit_failed(table.logical, error)),
        }
    }
    Err(version_mismatch(table.logical).into())
}

/// Approving and testing have privileges of their own, which their checks ask
/// for: who has them need not be allowed to write the row.
fn right(draft: &Draft) -> Right {
    let only = |column: &str| draft.values.len() == 1 && draft.values.contains_key(column) && draft.children.is_empty();
    match draft.table.logical {
        "mailbox" | "systemuser" | "queue" if only("emailrouteraccessapproval") => Right::Read,
        "mailbox" if only("testemailconfigurationscheduled") => Right::Read,
        // Another owner alone takes Assign and nothing else.
        _ if only("ownerid") => Right::Assign,
        _ => Right::Write,
    }
}

/// The one thing that can be done with a message in the ledger: let it wait to
/// be processed again.
fn is_retry(draft: &Draft) -> bool {
    let column = LedgerEntry::C.disposition.name;
    draft.table == LedgerEntry::TABLE
        && draft.faults.is_empty()
        && draft.values.len() == 1
        && draft.values.get(column).and_then(model::Value::as_int) == Some(Disposition::Waiting.number())
}

/// The same for an event: it is told again.
fn is_replay(draft: &Draft) -> bool {
    let column = Event::C.state.name;
    draft.table == Event::TABLE
        && draft.faults.is_empty()
        && draft.values.len() == 1
        && draft.values.get(column).and_then(model::Value::as_int) == Some(EventState::Waiting.number())
}

/// A row before and after an update that is not made.
#[derive(Debug, Clone, PartialEq)]
pub struct Foreseen {
    pub before: Record,
    pub after: Record,
}

/// What the update would make of the row, or all that it would be refused
/// for: what a form says before it saves. Nothing is written.
pub async fn foresee(ctx: &Context, id: Id, draft: Draft) -> Result<Foreseen, ActionError> {
    let table = draft.table;
    resolve::refuse_activity(table)?;
    let Some(before) = ctx.store.get(table, id).await? else {
        return Err(Refusal::does_not_exist(table.logical, id).into());
    };
    let right = right(&draft);
    access::on_row(ctx, right, &before).await?;
    if right == Right::Read {
        ctx.principal.may_write(table)?;
    }
    let plan = planned(ctx, before.clone(), draft).await?;
    model::Refusals::unless_none(plan.faults)?;
    let mut rows = vec![before, plan.after];
    access::hide(ctx, table, &mut rows).await?;
    match (rows.pop(), rows.pop()) {
        (Some(after), Some(before)) => Ok(Foreseen { before, after }),
        _ => Err(Refusal::does_not_exist(table.logical, id).into()),
    }
}

/// The commit that changes the row.
pub(crate) async fn plan(ctx: &Context, before: Record, draft: Draft) -> Result<Commit, ActionError> {
    planned(ctx, before, draft).await?.into_commit()
}

async fn planned(ctx: &Context, before: Record, draft: Draft) -> Result<Plan<'_>, ActionError> {
    let after = before.clone();
    let mut plan = Plan::new(ctx, Some(before), after, draft);
    let table = plan.table();
    for column in table.columns.iter().filter(|c| c.required) {
        let blank = plan.after.get(column.name).as_text().is_some_and(|t| t.trim().is_empty());
        if blank && plan.given.contains(column.name) {
            plan.fault(validate::required(table, column));
        }
    }
    tables::state::settle(&mut plan);
    tables::check(&mut plan).await?;
    plan.refuse_children();
    targets_exist(&mut plan).await?;
    access::check_columns(&mut plan).await?;
    Ok(plan)
}

fn check(precondition: Precondition, before: &Record) -> Result<(), ActionError> {
    let table = before.table.logical;
    match precondition {
        Precondition::Any | Precondition::Exists => Ok(()),
        Precondition::Absent => Err(duplicate(words!("{0} with id {1}", table, before.id)).into()),
        Precondition::Version(version) if before.get("versionnumber").as_int() == Some(version) => Ok(()),
        Precondition::Version(_) => Err(version_mismatch(table).into()),
    }
}

/// Whether a row that the commit wanted to change has another version by now:
/// then the conflict is a race and not the caller's fault.
async fn changed(ctx: &Context, commit: &Commit) -> Result<bool, ActionError> {
    for change in &commit.changes {
        let Change::Update(update) = change else { continue };
        let Some(version) = update.version else { continue };
        let now = ctx.store.get(update.table, update.id).await?;
        if now.is_none_or(|r| r.get("versionnumber").as_int() != Some(version)) {
            return Ok(true);
        }
    }
    Ok(false)
}
