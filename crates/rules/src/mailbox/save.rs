//! Saving a mailbox: what may change, and what a change resets.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::mail::address_key;
use model::tables::{Approval, Mailbox, State, TestStatus};
use model::{Refusal, Refusals, Update, words};

use super::{Kind, MailboxFacts, Regarding, approval_of, kind, legal, process, status_of};
use crate::user_queue::OwnerFacts;

/// Decides a person's edit. Every fault is reported together.
///
/// `after` is `before` with what the person wrote. Columns that the machine
/// maintains keep their value whatever `after` says; so does the approval,
/// which [`crate::approval`] decides (apply it to the result). Setting
/// `test_scheduled` schedules the test; its preconditions hold for the
/// mailbox as it will be after this very save.
pub fn save(before: &Mailbox, after: Mailbox, facts: &MailboxFacts<'_>, now: Timestamp) -> Result<Mailbox, Refusals> {
    if before.test_scheduled {
        return Err(test_in_progress().into());
    }
    let mut faults = fixed(before, &after);
    let test = after.test_scheduled;
    let mut mailbox = with_machine_columns_of(after, before);
    mailbox.test_scheduled = false;
    mailbox.password_set = facts.password_set;
    settle_state(before, &mut mailbox);
    reset(before, &mut mailbox, facts.writing_credentials);
    faults.extend(legal::faults(&mailbox, facts));
    faults.extend(legal::process_after(&mailbox, Some(before), facts.profile));
    faults.extend(activation(before, &mailbox, facts));
    if test {
        faults.extend(process::test_faults(&mailbox, facts));
        schedule_test(&mut mailbox, now);
    }
    refuse_each_once(faults)?;
    Ok(mailbox)
}

/// The rules of saving and of testing overlap: the same fault of the same
/// field is told once.
pub(super) fn refuse_each_once(faults: Vec<Refusal>) -> Result<(), Refusals> {
    let mut seen = BTreeSet::new();
    Refusals::unless_none(faults.into_iter().filter(|fault| seen.insert((fault.code, fault.field))).collect())
}

/// A mailbox that follows its user or queue: the same resets and the same
/// rules of its kind, but owner and state are not the person's to choose.
pub(crate) fn follows(
    before: &Mailbox,
    mut after: Mailbox,
    regarding: Regarding<'_>,
    facts: &OwnerFacts<'_>,
) -> Result<Mailbox, Refusals> {
    reset(before, &mut after, false);
    let facts = MailboxFacts {
        organization: facts.organization,
        profile: facts.mailbox_profile,
        regarding: Some(regarding),
        address_taken_by: facts.address_taken_by,
        writing_credentials: false,
        password_set: before.password_set || before.oauth_token_set,
    };
    // An old fault of the mailbox is no reason to refuse an edit of the user.
    let known: BTreeSet<_> = legal::faults(before, &facts).into_iter().map(|fault| (fault.code, fault.field)).collect();
    let new = legal::faults(&after, &facts).into_iter().filter(|fault| !known.contains(&(fault.code, fault.field)));
    Refusals::unless_none(new.collect())?;
    Ok(after)
}

pub(crate) fn test_in_progress() -> Refusal {
    Refusal::new(
        0x8005_E248,
        "TestEmailConfigurationScheduledInProgress",
        words!("the mailbox is being tested and cannot be changed meanwhile; wait until the test has ended"),
    )
    .at(Mailbox::C.test_scheduled.name)
}

pub(super) fn schedule_test(mailbox: &mut Mailbox, now: Timestamp) {
    mailbox.test_scheduled = true;
    mailbox.test_on = Some(now);
    mailbox.test_retries = 0;
    mailbox.test_postponed_until = None;
}

/// What the form says before saving: the results that this edit takes back.
pub fn resets(before: &Mailbox, after: &Mailbox, writing_credentials: bool) -> Vec<&'static str> {
    let scope = scope(before, after, writing_credentials);
    let mut words = Vec::new();
    if scope.approval && before.approval != approval_of(&after.address) {
        words.push(if after.address.is_empty() {
            "the approval of the address"
        } else {
            "the approval of the address (the new one is pending approval)"
        });
    }
    if scope.incoming && (before.incoming_status != TestStatus::NotRun || before.enabled_incoming) {
        words.push("the incoming test result (no mail is received until the mailbox is tested again)");
    }
    if scope.outgoing && (before.outgoing_status != TestStatus::NotRun || before.enabled_outgoing) {
        words.push("the outgoing test result (no mail is sent until the mailbox is tested again)");
    }
    if scope.act && (before.act_status != TestStatus::NotRun || before.enabled_act) {
        words.push("the test result of appointments, contacts, and tasks");
    }
    words
}

/// Whether the edit takes back something that was achieved: an approval, a
/// test that passed, processing that goes on. Who does that is to confirm it.
pub fn loses(before: &Mailbox, after: &Mailbox, writing_credentials: bool) -> bool {
    let scope = scope(before, after, writing_credentials);
    let achieved = |status: TestStatus, enabled: bool| enabled || status == TestStatus::Success;
    (scope.approval && before.approval == Approval::Approved)
        || (scope.incoming && achieved(before.incoming_status, before.enabled_incoming))
        || (scope.outgoing && achieved(before.outgoing_status, before.enabled_outgoing))
        || (scope.act && achieved(before.act_status, before.enabled_act))
}

/// The edit of a profile as it reaches its mailboxes: their test results are
/// taken back. `None` when there is nothing to take back.
pub fn reset_tests(mailbox: &Mailbox, incoming: bool, outgoing: bool) -> Option<Update> {
    let mut after = mailbox.clone();
    apply(&Scope { approval: false, incoming, outgoing, act: incoming || outgoing }, &mut after);
    Update::between(mailbox, &after)
}

/// Gives the mailbox another address, with all that follows.
pub(crate) fn set_address(mailbox: &Mailbox, address: &str) -> Mailbox {
    let mut after = Mailbox { address: address.to_owned(), ..mailbox.clone() };
    reset(mailbox, &mut after, false);
    after
}

/// What an edit touches.
struct Scope {
    approval: bool,
    incoming: bool,
    outgoing: bool,
    act: bool,
}

fn scope(before: &Mailbox, after: &Mailbox, writing_credentials: bool) -> Scope {
    let approval = address_key(&before.address) != address_key(&after.address);
    let everything = approval
        || before.profile != after.profile
        || before.use_credentials != after.use_credentials
        || before.user_name != after.user_name
        || writing_credentials
        || (before.state == State::Active && after.state == State::Inactive);
    Scope {
        approval,
        incoming: everything || before.incoming != after.incoming,
        outgoing: everything || before.outgoing != after.outgoing,
        act: everything || before.act != after.act,
    }
}

pub(super) fn reset(before: &Mailbox, after: &mut Mailbox, writing_credentials: bool) {
    let scope = scope(before, after, writing_credentials);
    apply(&scope, after);
}

fn apply(scope: &Scope, mailbox: &mut Mailbox) {
    if scope.approval {
        mailbox.approval = approval_of(&mailbox.address);
        mailbox.approved_by = None;
        mailbox.approved_on = None;
    }
    if scope.incoming {
        mailbox.incoming_status = TestStatus::NotRun;
        mailbox.enabled_incoming = false;
    }
    if scope.outgoing {
        mailbox.outgoing_status = TestStatus::NotRun;
        mailbox.enabled_outgoing = false;
    }
    if scope.act {
        mailbox.act_status = TestStatus::NotRun;
        mailbox.enabled_act = false;
    }
    if scope.incoming || scope.outgoing {
        mailbox.mailbox_status = TestStatus::NotRun;
    }
}

/// What can never be changed.
fn fixed(before: &Mailbox, after: &Mailbox) -> Vec<Refusal> {
    let mut faults = Vec::new();
    // Regarding of a forward mailbox has its own code, from the rules of its kind.
    if before.regarding != after.regarding && kind(before) != Kind::Forward {
        faults.push(Refusal::invalid(
            Some(Mailbox::C.regarding.name),
            words!("the user or queue of a mailbox cannot be changed; it has been its own since it was created"),
        ));
    }
    if before.is_forward != after.is_forward {
        faults.push(Refusal::invalid(
            Some(Mailbox::C.is_forward.name),
            words!("whether a mailbox is a forward mailbox is decided when it is created"),
        ));
    }
    if before.owner != after.owner && kind(before) != Kind::Forward {
        faults.push(Refusal::invalid(
            Some(Mailbox::C.owner.name),
            match kind(before) {
                Kind::User => words!("the owner of a user's mailbox is the user"),
                _ => words!("the owner of a queue's mailbox is the queue's owner; assign the queue instead"),
            },
        ));
    }
    faults
}

/// State and status follow each other when only one of them was written.
fn settle_state(before: &Mailbox, after: &mut Mailbox) {
    let state_changed = before.state != after.state;
    let status_changed = before.status != after.status;
    if state_changed && !status_changed {
        after.status = status_of(after.state);
    }
}

fn activation(before: &Mailbox, after: &Mailbox, facts: &MailboxFacts<'_>) -> Option<Refusal> {
    let activates = before.state == State::Inactive && after.state == State::Active;
    (activates && facts.regarding.is_some_and(|regarding| regarding.is_disabled())).then(|| {
        Refusal::new(
            0x8005_E230,
            "CannotActivateMailboxForDisabledUserOrQueue",
            words!("the user or queue of this mailbox is disabled; enable the user or activate the queue first"),
        )
        .at(Mailbox::C.state.name)
    })
}

/// `written` with the columns that only the machine writes taken from `held`.
pub(super) fn with_machine_columns_of(written: Mailbox, held: &Mailbox) -> Mailbox {
    Mailbox {
        id: held.id,
        name: written.name,
        owner: written.owner,
        address: written.address.trim().to_owned(),
        regarding: written.regarding,
        is_forward: written.is_forward,
        delete_after: written.delete_after,
        profile: written.profile,
        incoming: written.incoming,
        outgoing: written.outgoing,
        act: written.act,
        use_credentials: written.use_credentials,
        user_name: written.user_name,
        process_after: written.process_after,
        postponed_until: written.postponed_until,
        state: written.state,
        status: written.status,
        ..held.clone()
    }
}
