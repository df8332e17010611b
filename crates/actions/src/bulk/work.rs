//! Works commands off. Whose rights apply is looked at anew with every part of
//! a command: a role that is taken away, or a user who is disabled, counts
//! from the next rows on.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use model::tables::{BulkCommand, BulkRow, SystemUser};
use model::{Actor, Change, Clock, Commit, Entity, Id, Refusals, Table, Update, Words, words};
use rules::bulk::Turn;
use store::{CommitError, Store};

use super::Deed;
use crate::change_set::ChangeSet;
use crate::context::{Context, Origin, Random, Settings};
use crate::error::{ActionError, commit_failed, invalid_operation};

/// Rows of a command before another one has its turn.
const TURN: usize = 100;
/// Commands of one look.
const COMMANDS: usize = 20;
/// Seconds between two looks at what can be forgotten.
const SWEEP: i64 = 3600;
/// Rows that go in one transaction.
const SWEPT: usize = 500;

/// Where commands are worked off. Several processes may each have one.
pub struct Bench {
    store: Store,
    clock: Arc<dyn Clock>,
    random: Random,
    settings: Settings,
    /// When it was looked last for what can be forgotten.
    swept: AtomicI64,
}

/// How a row ended.
enum Ended {
    Noted,
    /// It failed for a reason of ours and is tried again.
    Again,
    /// The command is somebody else's by now, or was cancelled.
    Lost,
}

impl Bench {
    pub fn new(store: Store, clock: Arc<dyn Clock>, random: Random, settings: Settings) -> Self {
        Self { store, clock, random, settings, swept: AtomicI64::new(0) }
    }

    /// Works off a turn of each command that is due, until `stop` says so.
    /// Returns how many rows were looked at: none, when nothing is due.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn work_off(&self, stop: impl Fn() -> bool + Sync) -> Result<usize, ActionError> {
        let mut worked = 0;
        for command in self.store.list::<BulkCommand>(&rules::bulk::due(self.clock.now()).limit(COMMANDS)).await? {
            if stop() {
                return Ok(worked);
            }
            let (taken, update) = rules::bulk::taken(&command, self.clock.now());
            match self.store.commit(&self.commit(&command, vec![update.into()])).await {
                Ok(_) => worked += self.turn(taken, &stop).await?,
                // Another process was faster, or it was cancelled.
                Err(CommitError::Conflict { .. } | CommitError::NotFound(_)) => {}
                Err(error) => return Err(commit_failed(BulkCommand::TABLE.logical, error)),
            }
        }
        if worked == 0 {
            self.sweep().await?;
        }
        Ok(worked)
    }

    fn commit(&self, command: &BulkCommand, changes: Vec<Change>) -> Commit {
        let user = command.asked_by.map_or(Id::nil(), |who| who.id);
        Commit::new(Actor { user }, self.clock.now(), changes)
    }

    async fn turn(&self, mut command: BulkCommand, stop: &(impl Fn() -> bool + Sync)) -> Result<usize, ActionError> {
        let rows = self.store.list::<BulkRow>(&rules::bulk::left(&command).limit(TURN)).await?;
        // Rows that have failed come last: where the first has, all have.
        let last = rows.len() < TURN || rows.first().is_some_and(|row| row.tries > 0);
        let table = model::tables::by_logical_name(&command.table);
        let deed = table.and_then(|table| Some((table, Deed::read(table, &command.deed)?)));
        let ctx = self.context(&command).await?;
        let (mut worked, mut again) = (0, 0);
        for row in &rows {
            if stop() {
                break;
            }
            let ended = match (&ctx, &deed) {
                (Some(ctx), Some((table, deed))) => {
                    // The time of each row is its own.
                    let ctx = Context { now: self.clock.now(), ..ctx.clone() };
                    self.row(&ctx, &mut command, row, table, deed).await
                }
                (None, _) => {
                    self.refuse(&mut command, row, &gone(words!("Who asked for this is not there any more."))).await
                }
                (_, None) => {
                    self.refuse(&mut command, row, &gone(words!("This version does not know the command."))).await
                }
            };
            match ended {
                Ok(Ended::Noted) => worked += 1,
                Ok(Ended::Again) => again += 1,
                Ok(Ended::Lost) => return Ok(worked),
                // The row waits for the next turn.
                Err(ActionError::Busy(why)) => {
                    tracing::info!(why, "a command waits for others to end");
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        let turn = match (last && worked + again == rows.len(), again) {
            (true, 0) if rows.len() < TURN => Turn::Over,
            (true, 1..) => Turn::Rest,
            _ => Turn::More,
        };
        let update = rules::bulk::released(&command, turn, self.clock.now());
        match self.store.commit(&self.commit(&command, vec![update.into()])).await {
            Ok(_) | Err(CommitError::Conflict { .. } | CommitError::NotFound(_)) => Ok(worked),
            Err(error) => Err(commit_failed(BulkCommand::TABLE.logical, error)),
        }
    }

    /// `None`: the user was deleted.
    async fn context(&self, command: &BulkCommand) -> Result<Option<Context>, ActionError> {
        let Some(who) = command.asked_by else { return Ok(None) };
        let Some(user) = self.store.load::<SystemUser>(who.id).await? else { return Ok(None) };
        let now = self.clock.now();
        let ctx = Context::new(self.store.clone(), user, now, self.random.clone(), self.settings).await?;
        let origin = Origin { door: "page", request: command.id.to_string(), ..Origin::default() };
        Ok(Some(ctx.from(origin)))
    }

    /// The deed and the note of it, together or not at all.
    async fn row(
        &self,
        ctx: &Context,
        command: &mut BulkCommand,
        row: &BulkRow,
        table: &'static Table,
        deed: &Deed,
    ) -> Result<Ended, ActionError> {
        let id = row.row.unwrap_or_default();
        let mut tries = 0;
        loop {
            let set = ChangeSet::begin(ctx).await?;
            let mut after = command.clone();
            let result: Result<Ended, ActionError> = async {
                deed.on(set.context(), table, id).await?;
                let updates = rules::bulk::noted(&mut after, row, None, ctx.now);
                note(set.context(), command, updates).await
            }
            .await;
            let lost = matches!(result, Ok(Ended::Lost));
            // What was done for a command that is not ours any more is taken back.
            let result = if lost { Err(lost_it()) } else { result };
            let Some(result) = set.conclude(result, &mut tries).await else { continue };
            return match result {
                Ok(ended) => {
                    *command = after;
                    Ok(ended)
                }
                Err(_) if lost => Ok(Ended::Lost),
                Err(ActionError::Refused(refusals)) => self.refuse(command, row, &refusals).await,
                Err(ActionError::Internal(detail)) => {
                    tracing::error!(detail, row = %id, "Bad: a row of a command failed for a reason of ours");
                    self.failed(command, row).await
                }
                Err(busy @ ActionError::Busy(_)) => Err(busy),
            };
        }
    }

    async fn refuse(
        &self,
        command: &mut BulkCommand,
        row: &BulkRow,
        refusals: &Refusals,
    ) -> Result<Ended, ActionError> {
        let mut after = command.clone();
        let updates = rules::bulk::noted(&mut after, row, Some(refusals), self.clock.now());
        self.write(command, after, updates).await
    }

    async fn failed(&self, command: &mut BulkCommand, row: &BulkRow) -> Result<Ended, ActionError> {
        let mut after = command.clone();
        let updates = rules::bulk::failed(&mut after, row, self.clock.now());
        self.write(command, after, updates).await
    }

    async fn write(
        &self,
        command: &mut BulkCommand,
        after: BulkCommand,
        updates: [Update; 2],
    ) -> Result<Ended, ActionError> {
        let changes = updates.into_iter().map(Change::from).collect();
        match self.store.commit(&self.commit(command, changes)).await {
            Ok(_) => {
                let noted = after.worked_off() > command.worked_off();
                *command = after;
                Ok(if noted { Ended::Noted } else { Ended::Again })
            }
            Err(CommitError::Conflict { .. } | CommitError::NotFound(_)) => Ok(Ended::Lost),
            Err(error) => Err(commit_failed(BulkRow::TABLE.logical, error)),
        }
    }

    /// Forgets commands that are long over.
    async fn sweep(&self) -> Result<(), ActionError> {
        let now = self.clock.now();
        if now.as_second() - self.swept.swap(now.as_second(), Ordering::Relaxed) < SWEEP {
            return Ok(());
        }
        for command in self.store.list::<BulkCommand>(&rules::bulk::forgotten(now).limit(COMMANDS)).await? {
            loop {
                let rows = self.store.list::<BulkRow>(&rules::bulk::rows(&command).limit(SWEPT)).await?;
                let more = rows.len() == SWEPT;
                let mut changes: Vec<Change> = rows.iter().map(|row| Change::delete::<BulkRow>(row.id)).collect();
                if !more {
                    changes.push(Change::delete::<BulkCommand>(command.id));
                }
                match self.store.commit(&self.commit(&command, changes)).await {
                    Ok(_) if more => {}
                    Ok(_) | Err(CommitError::Conflict { .. } | CommitError::NotFound(_)) => break,
                    Err(error) => return Err(commit_failed(BulkCommand::TABLE.logical, error)),
                }
            }
        }
        Ok(())
    }
}

async fn note(ctx: &Context, command: &BulkCommand, updates: [Update; 2]) -> Result<Ended, ActionError> {
    let user = command.asked_by.map_or(Id::nil(), |who| who.id);
    let changes = updates.into_iter().map(Change::from).collect();
    match ctx.store.commit(&Commit::new(Actor { user }, ctx.now, changes)).await {
        Ok(_) => Ok(Ended::Noted),
        Err(CommitError::Conflict { .. } | CommitError::NotFound(_)) => Ok(Ended::Lost),
        Err(error) => Err(commit_failed(BulkRow::TABLE.logical, error)),
    }
}

fn lost_it() -> ActionError {
    invalid_operation(words!("Another process has this command.")).into()
}

fn gone(message: Words) -> Refusals {
    invalid_operation(message).into()
}
