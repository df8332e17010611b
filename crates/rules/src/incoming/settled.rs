//! What became of removing a message from the server.

use model::change::Change;
use model::tables::{Mailbox, Organization, Settlement, SettlementState};
use model::work::Settled;
use model::{Failure, FailureKind, Timestamp, Update, words};

use crate::alert::{self, Alert};

/// So often the server may refuse for good before it is left alone.
const REFUSALS: i64 = 5;
/// So often it may say that it will pass.
const DELAYS: i64 = 100;

/// Writes it down. A message that cannot be removed stays, with an alert (one
/// per mailbox and day) that says what to do.
pub fn settled(
    row: &Settlement,
    outcome: &Settled,
    mailbox: &Mailbox,
    organization: &Organization,
    now: Timestamp,
) -> Vec<Change> {
    let attempts = row.attempts + 1;
    let state = match outcome {
        Settled::Done => SettlementState::Done,
        Settled::AlreadyGone => SettlementState::AlreadyGone,
        Settled::Different => SettlementState::Different,
        Settled::Refused(failure) if attempts >= patience(failure) => SettlementState::CannotBeRemoved,
        Settled::Refused(_) => SettlementState::Due,
    };
    let update = Update::of::<Settlement>(row.id).set(Settlement::C.state, state).set(Settlement::C.attempts, attempts);
    let mut changes = vec![update.into()];
    if let (SettlementState::CannotBeRemoved, Settled::Refused(failure)) = (state, outcome) {
        changes.extend(given_up(row, failure, mailbox, organization, now));
    }
    changes
}

fn patience(failure: &Failure) -> i64 {
    if failure.kind == FailureKind::Temporary { DELAYS } else { REFUSALS }
}

fn given_up(
    row: &Settlement,
    failure: &Failure,
    mailbox: &Mailbox,
    organization: &Organization,
    now: Timestamp,
) -> Option<Change> {
    let text = words!(
        "A message that was processed cannot be removed from the server ({0}:{1}): {2}. It is left there, and there may be \
         more. Delete such messages with a mail program. So that it does not happen again, allow this account to \
         delete messages on the server, or clear 'Delete Emails after Processing' of the mailbox.",
        row.folder,
        row.position,
        failure.detail
    );
    let alert = Alert::warning("incoming-cannot-remove", text).of(failure);
    alert::on_mailbox(alert, mailbox, organization, now)
}

#[cfg(test)]
mod tests {
    use model::tables::TraceLog;
    use model::{Entity, Id, Step};

    use super::*;

    fn refused(kind: FailureKind) -> Settled {
        Settled::Refused(Failure::new(kind, Step::Settle, "the server said: \"NO [NOPERM] no\""))
    }

    /// The state after so many attempts before, and how many alerts.
    #[track_caller]
    fn check(attempts: i64, outcome: &Settled, expected: SettlementState, alerts: usize) {
        let row = Settlement { attempts, ..Settlement::blank(Id::nil()) };
        let organization = Organization { alert_errors: true, alert_warnings: true, ..Organization::blank(Id::nil()) };
        let now = Timestamp::UNIX_EPOCH;
        let changes = settled(&row, outcome, &Mailbox::blank(Id::nil()), &organization, now);
        let Change::Update(update) = &changes[0] else { panic!("{changes:?}") };
        let mut record = row.into_record();
        for (column, value) in &update.set {
            record.set(column, value.clone());
        }
        let row = Settlement::from_record(&record).unwrap();
        assert_eq!((row.state, row.attempts), (expected, attempts + 1));
        assert_eq!(changes[1..].iter().filter(|c| c.target().table == TraceLog::TABLE.logical).count(), alerts);
    }

    #[test]
    fn what_went_is_done() {
        check(0, &Settled::Done, SettlementState::Done, 0);
        check(9, &Settled::AlreadyGone, SettlementState::AlreadyGone, 0);
        check(0, &Settled::Different, SettlementState::Different, 0);
    }
    #[test]
    fn a_refusal_is_tried_again() {
        check(0, &refused(FailureKind::Refused), SettlementState::Due, 0);
        check(3, &refused(FailureKind::Refused), SettlementState::Due, 0);
    }
    #[test]
    fn the_fifth_refusal_is_the_last() {
        check(4, &refused(FailureKind::Refused), SettlementState::CannotBeRemoved, 1);
        check(4, &refused(FailureKind::Misconfigured), SettlementState::CannotBeRemoved, 1);
    }
    #[test]
    fn what_will_pass_is_waited_for_longer() {
        check(4, &refused(FailureKind::Temporary), SettlementState::Due, 0);
        check(99, &refused(FailureKind::Temporary), SettlementState::CannotBeRemoved, 1);
    }
}
