//! Commands on many rows: who takes one up, what is noted of each row, and
//! when it is forgotten. See [`model::tables::BulkCommand`].
//!
//! A row is done in one transaction with the note that it is: whatever ends in
//! the middle, nothing is done twice and nothing is left out.

use model::query::Compare;
use model::tables::{BulkCommand, BulkOutcome, BulkRow, BulkState};
use model::{Entity, Filter, Query, Ref, Refusal, Refusals, SignedDuration, Timestamp, Update, Value, words};

/// Rows that are done in the request itself; more are a command of their own.
pub const AT_ONCE: usize = 50;
/// Rows of one command.
pub const MOST: usize = 10_000;
/// How long a command stays with a process that is not heard of. It says so
/// with every row.
const LEASE: SignedDuration = SignedDuration::from_secs(45);
/// How often a row is tried that fails for a reason which does not lie in it.
const TRIES: i64 = 4;
/// How long a command rests when all that is left of it has failed so.
const REST: SignedDuration = SignedDuration::from_secs(5);
/// How long one that nobody said yes to is kept.
const UNCONFIRMED: SignedDuration = SignedDuration::from_hours(24);
/// How long it is remembered what became of it.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Commands that nobody works on, though they should be.
pub fn due(now: Timestamp) -> Query {
    let lease = BulkCommand::C.lease_until;
    let left = Filter::Compare(lease.name.into(), Compare::Less, Value::Time(now));
    let free = Filter::eq(lease, None).or(left);
    Query::of::<BulkCommand>()
        .filter(Filter::is_in(BulkCommand::C.state, [BulkState::Waiting, BulkState::Running]).and(free))
        .order_by(BulkCommand::C.asked_on, false)
}

/// Somebody said yes. It is refused where they have said so before.
pub fn begun(command: &BulkCommand, title: &str, deed: String, back: &str, now: Timestamp) -> Update {
    Update::of::<BulkCommand>(command.id)
        .expect(BulkCommand::C.state, BulkState::Prepared)
        .set(BulkCommand::C.state, BulkState::Waiting)
        .set(BulkCommand::C.title, title.chars().take(200).collect())
        .set(BulkCommand::C.deed, deed)
        .set(BulkCommand::C.back, back.to_owned())
        .set(BulkCommand::C.asked_on, Some(now))
}

/// Takes the command up. It is refused where another process was faster.
pub fn taken(command: &BulkCommand, now: Timestamp) -> (BulkCommand, Update) {
    let taken = BulkCommand {
        state: BulkState::Running,
        started_on: command.started_on.or(Some(now)),
        lease_until: now.checked_add(LEASE).ok(),
        fence: command.fence + 1,
        ..command.clone()
    };
    let update = Update::between(command, &taken).unwrap_or_else(|| Update::of::<BulkCommand>(command.id));
    (taken, update.expect(BulkCommand::C.state, command.state).expect(BulkCommand::C.fence, command.fence))
}

/// What became of a row, and how far the command is with it. Whoever lost the
/// command, or works on one that was cancelled, is refused.
pub fn noted(command: &mut BulkCommand, row: &BulkRow, refused: Option<&Refusals>, now: Timestamp) -> [Update; 2] {
    match refused {
        None => {
            command.done += 1;
            note(command, row, BulkOutcome::Done, String::new(), now)
        }
        Some(refusals) => {
            command.refused += 1;
            note(command, row, BulkOutcome::Refused, lines(refusals), now)
        }
    }
}

/// The row failed for a reason that does not lie in it. It is tried again with
/// a later turn; when it was tried often enough, that is what became of it.
pub fn failed(command: &mut BulkCommand, row: &BulkRow, now: Timestamp) -> [Update; 2] {
    let tries = row.tries + 1;
    if tries < TRIES {
        command.lease_until = now.checked_add(LEASE).ok();
        let row =
            Update::of::<BulkRow>(row.id).expect(BulkRow::C.outcome, BulkOutcome::Waiting).set(BulkRow::C.tries, tries);
        return [row, ours(command).set(BulkCommand::C.lease_until, command.lease_until)];
    }
    command.failed += 1;
    let why = words!(
        "It failed {0} times for a reason that does not lie in the row. The log of the server says which; \
         `postroom doctor` looks for it there. When it is mended, choose the row in the list and give the command \
         again.",
        TRIES
    );
    note(command, row, BulkOutcome::Failed, why.to_string(), now)
}

fn note(command: &mut BulkCommand, row: &BulkRow, outcome: BulkOutcome, why: String, now: Timestamp) -> [Update; 2] {
    command.lease_until = now.checked_add(LEASE).ok();
    let row = Update::of::<BulkRow>(row.id)
        .expect(BulkRow::C.outcome, BulkOutcome::Waiting)
        .set(BulkRow::C.outcome, outcome)
        .set(BulkRow::C.why, why);
    let command = ours(command)
        .set(BulkCommand::C.done, command.done)
        .set(BulkCommand::C.refused, command.refused)
        .set(BulkCommand::C.failed, command.failed)
        .set(BulkCommand::C.lease_until, command.lease_until);
    [row, command]
}

/// A line a reason.
fn lines(refusals: &Refusals) -> String {
    let line = |r: &Refusal| {
        let message = r.message.to_string();
        message.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    refusals.0.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// How a turn of a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// There are rows to go on with.
    More,
    /// What is left has failed before: it is tried again in a while.
    Rest,
    Over,
}

/// Others may go on with it, if there is something to go on with.
pub fn released(command: &BulkCommand, turn: Turn, now: Timestamp) -> Update {
    let update = ours(command);
    match turn {
        Turn::More => update.set(BulkCommand::C.lease_until, None),
        Turn::Rest => update.set(BulkCommand::C.lease_until, now.checked_add(REST).ok()),
        Turn::Over => update
            .set(BulkCommand::C.lease_until, None)
            .set(BulkCommand::C.state, BulkState::Done)
            .set(BulkCommand::C.finished_on, Some(now)),
    }
}

/// What is not done yet is not done any more.
pub fn cancelled(command: &BulkCommand, now: Timestamp) -> Update {
    Update::of::<BulkCommand>(command.id)
        .expect(BulkCommand::C.state, command.state)
        .set(BulkCommand::C.state, BulkState::Cancelled)
        .set(BulkCommand::C.lease_until, None)
        .set(BulkCommand::C.finished_on, Some(now))
}

/// Rows of the command that nothing became of yet; those that failed, last.
pub fn left(command: &BulkCommand) -> Query {
    of(command)
        .filter(Filter::eq(BulkRow::C.outcome, BulkOutcome::Waiting))
        .order_by(BulkRow::C.tries, false)
        .order_by(BulkRow::C.position, false)
}

/// The rows of the command, in their order.
pub fn rows(command: &BulkCommand) -> Query {
    of(command).order_by(BulkRow::C.position, false)
}

fn of(command: &BulkCommand) -> Query {
    let this = Some(Ref::new(BulkCommand::TABLE.logical, command.id));
    Query::of::<BulkRow>().filter(Filter::eq(BulkRow::C.command, this))
}

/// What need not be remembered any more.
pub fn forgotten(now: Timestamp) -> Query {
    let before = |column: &'static str, age: SignedDuration| {
        let then = now.checked_sub(age).unwrap_or(Timestamp::UNIX_EPOCH);
        Filter::Compare(column.into(), Compare::Less, Value::Time(then))
    };
    let unconfirmed =
        Filter::eq(BulkCommand::C.state, BulkState::Prepared).and(before(BulkCommand::C.asked_on.name, UNCONFIRMED));
    let over = Filter::is_in(BulkCommand::C.state, [BulkState::Done, BulkState::Cancelled])
        .and(before(BulkCommand::C.finished_on.name, REMEMBERED));
    Query::of::<BulkCommand>().filter(unconfirmed.or(over))
}

fn ours(command: &BulkCommand) -> Update {
    Update::of::<BulkCommand>(command.id)
        .expect(BulkCommand::C.state, BulkState::Running)
        .expect(BulkCommand::C.fence, command.fence)
}

#[cfg(test)]
mod tests {
    use model::Id;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn command(state: BulkState) -> BulkCommand {
        BulkCommand { state, total: 3, ..BulkCommand::blank(Id::from_u128(7)) }
    }

    #[track_caller]
    fn sets(update: &Update, column: &str, expected: &Value) {
        assert_eq!(update.set.iter().find(|(name, _)| *name == column).map(|(_, v)| v), Some(expected), "{update:?}");
    }

    #[test]
    fn who_takes_it_up_expects_to_find_it_as_it_was() {
        let waiting = command(BulkState::Waiting);
        let (running, update) = taken(&waiting, at(0));
        assert_eq!((running.state, running.fence, running.started_on), (BulkState::Running, 1, Some(at(0))));
        assert_eq!(update.expect, [("pr_state", Value::Int(1)), ("pr_fence", Value::Int(0))]);
        let (again, _) = taken(&running, at(60));
        assert_eq!((again.fence, again.started_on), (2, Some(at(0))));
    }

    #[test]
    fn each_row_is_counted_once() {
        let (mut running, _) = taken(&command(BulkState::Waiting), at(0));
        let row = BulkRow::blank(Id::from_u128(9));
        let [noted_row, noted_command] = noted(&mut running, &row, None, at(1));
        sets(&noted_row, "pr_outcome", &Value::Int(1));
        assert_eq!(noted_row.expect, [("pr_outcome", Value::Int(0))]);
        sets(&noted_command, "pr_done", &Value::Int(1));
        assert_eq!(noted_command.expect, [("pr_state", Value::Int(2)), ("pr_fence", Value::Int(1))]);
        let refusals = Refusals(vec![
            Refusal::invalid(None, model::words!("One\nthing.")),
            Refusal::invalid(None, model::words!("Another.")),
        ]);
        let [noted_row, noted_command] = noted(&mut running, &row, Some(&refusals), at(2));
        sets(&noted_row, "pr_why", &Value::Text("One thing.\nAnother.".into()));
        sets(&noted_command, "pr_refused", &Value::Int(1));
        assert_eq!((running.done, running.refused), (1, 1));
    }

    #[test]
    fn a_command_is_begun_once() {
        let update = begun(&command(BulkState::Prepared), "Delete", "{}".into(), "/x", at(5));
        assert_eq!(update.expect, [("pr_state", Value::Int(0))]);
        sets(&update, "pr_state", &Value::Int(1));
    }

    #[test]
    fn released_or_over() {
        let (running, _) = taken(&command(BulkState::Waiting), at(0));
        assert_eq!(released(&running, Turn::More, at(1)).set, [("pr_leaseuntil", Value::Null)]);
        assert_eq!(released(&running, Turn::Rest, at(1)).set, [("pr_leaseuntil", Value::Time(at(6)))]);
        sets(&released(&running, Turn::Over, at(1)), "pr_state", &Value::Int(3));
    }

    #[test]
    fn what_fails_is_tried_again_but_not_for_ever() {
        let (mut running, _) = taken(&command(BulkState::Waiting), at(0));
        let mut row = BulkRow::blank(Id::from_u128(9));
        for tries in 1..TRIES {
            let [again, lease] = failed(&mut running, &row, at(tries));
            assert_eq!(again.set, [("pr_tries", Value::Int(tries))]);
            assert_eq!(lease.set, [("pr_leaseuntil", Value::Time(at(tries + LEASE.as_secs())))]);
            assert_eq!(running.worked_off(), 0);
            row.tries = tries;
        }
        let [last, counted] = failed(&mut running, &row, at(9));
        sets(&last, "pr_outcome", &Value::Int(3));
        sets(&counted, "pr_failed", &Value::Int(1));
        let why = last.set.iter().find(|(name, _)| *name == "pr_why").and_then(|(_, value)| value.as_text());
        assert!(why.is_some_and(|why| why.starts_with("It failed 4 times") && why.contains("give the command again")));
        assert_eq!(running.worked_off(), 1);
    }
}
