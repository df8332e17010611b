//! Commands on many rows of a list. A page prepares one with the rows that
//! were chosen, asks, and says yes to it; a [`Bench`] works it off row by row,
//! with the rights of who asked, as they are at that moment.

mod deed;
mod work;

pub use deed::Deed;
pub use rules::bulk::{AT_ONCE, MOST};
pub use work::Bench;

use model::tables::{BulkCommand, BulkOutcome, BulkRow, BulkState};
use model::{Change, Commit, Entity, Filter, Id, Query, Refusal, Table, words};
use store::CommitError;

use crate::context::Context;
use crate::error::{ActionError, commit_failed, invalid_operation};

/// Characters of a row's name that are kept.
const LONGEST_NAME: usize = 200;
/// Rows that are written in one transaction.
const ROWS: usize = 500;

/// Keeps which rows a command is to be about. Nothing is done with them before
/// [`begin`].
///
/// # Errors
/// 0x8004023b for more rows than a command can have, or for none.
pub async fn prepare(ctx: &Context, table: &'static Table, rows: Vec<(Id, String)>) -> Result<Id, ActionError> {
    if rows.is_empty() || rows.len() > MOST {
        return Err(invalid_operation(words!("A command is about 1 to {0} rows.", MOST)).into());
    }
    let command = BulkCommand {
        table: table.logical.to_owned(),
        asked_by: Some(ctx.actor_ref()),
        asked_on: Some(ctx.now),
        total: i64::try_from(rows.len()).unwrap_or(i64::MAX),
        ..BulkCommand::blank(ctx.new_id()?)
    };
    let (id, this) = (command.id, command.reference());
    let mut changes = vec![Change::create(command)];
    let mut commits = Vec::new();
    for (position, (row, name)) in rows.into_iter().enumerate() {
        let position = i64::try_from(position).unwrap_or(i64::MAX);
        let name = name.chars().take(LONGEST_NAME).collect();
        let blank = BulkRow::blank(ctx.new_id()?);
        changes.push(Change::create(BulkRow { command: Some(this), position, row: Some(row), name, ..blank }));
        if changes.len() >= ROWS {
            commits.push(Commit::new(ctx.actor(), ctx.now, std::mem::take(&mut changes)));
        }
    }
    commits.push(Commit::new(ctx.actor(), ctx.now, changes));
    for outcome in ctx.store.commit_all(commits).await {
        outcome.map_err(|e| commit_failed(BulkCommand::TABLE.logical, e))?;
    }
    Ok(id)
}

/// Says yes: it begins within a second. Saying so twice changes nothing.
///
/// # Errors
/// 0x80040217 for a command that is not the caller's; 0x8004023b for one that
/// is about rows of another table, or was cancelled.
pub async fn begin(
    ctx: &Context,
    id: Id,
    table: &'static Table,
    title: &str,
    deed: &Deed,
    back: &str,
) -> Result<(), ActionError> {
    let command = mine(ctx, id).await?;
    match command.state {
        BulkState::Waiting | BulkState::Running | BulkState::Done => return Ok(()),
        BulkState::Cancelled => return Err(invalid_operation(words!("This command was cancelled.")).into()),
        BulkState::Prepared => {}
    }
    if command.table != table.logical {
        return Err(invalid_operation(words!("This command is about other rows.")).into());
    }
    let update = rules::bulk::begun(&command, title, deed.written()?, back, ctx.now);
    match ctx.store.commit(&Commit::new(ctx.actor(), ctx.now, vec![update.into()])).await {
        // The button was pressed twice.
        Ok(_) | Err(CommitError::Conflict { .. }) => Ok(()),
        Err(error) => Err(commit_failed(BulkCommand::TABLE.logical, error)),
    }
}

/// A command of the caller's own.
///
/// # Errors
/// 0x80040217 where there is none, or it is somebody else's.
pub async fn mine(ctx: &Context, id: Id) -> Result<BulkCommand, ActionError> {
    let found = ctx.store.load::<BulkCommand>(id).await?;
    let found = found.filter(|command| command.asked_by == Some(ctx.actor_ref()));
    found.ok_or_else(|| Refusal::does_not_exist("command", id).into())
}

/// The caller's commands that were begun, the newest first.
pub async fn all_mine(ctx: &Context, most: usize) -> Result<Vec<BulkCommand>, ActionError> {
    let query = Query::of::<BulkCommand>()
        .filter(Filter::eq(BulkCommand::C.asked_by, Some(ctx.actor_ref())))
        .filter(Filter::ne(BulkCommand::C.state, BulkState::Prepared))
        .order_by(BulkCommand::C.asked_on, true)
        .limit(most);
    Ok(ctx.store.list::<BulkCommand>(&query).await?)
}

/// The rows of a command, of one outcome or all of them, in their order.
pub async fn rows(
    ctx: &Context,
    command: &BulkCommand,
    outcome: Option<BulkOutcome>,
    most: usize,
) -> Result<Vec<BulkRow>, ActionError> {
    let mut query = rules::bulk::rows(command).limit(most);
    if let Some(outcome) = outcome {
        query = query.filter(Filter::eq(BulkRow::C.outcome, outcome));
    }
    Ok(ctx.store.list::<BulkRow>(&query).await?)
}

/// Does no more of it. What is done stays done.
///
/// # Errors
/// As [`mine`].
pub async fn cancel(ctx: &Context, id: Id) -> Result<(), ActionError> {
    loop {
        let command = mine(ctx, id).await?;
        if command.is_over() {
            return Ok(());
        }
        let update = rules::bulk::cancelled(&command, ctx.now);
        match ctx.store.commit(&Commit::new(ctx.actor(), ctx.now, vec![update.into()])).await {
            // It went from waiting to running just now.
            Err(CommitError::Conflict { .. }) => {}
            Ok(_) => return Ok(()),
            Err(error) => return Err(commit_failed(BulkCommand::TABLE.logical, error)),
        }
    }
}
