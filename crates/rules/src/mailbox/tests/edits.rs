//! What an edit resets, and what cannot be edited.

use super::*;

/// A user's mailbox that works.
fn working() -> Mailbox {
    Mailbox {
        approval: Approval::Approved,
        approved_by: Some(user().reference()),
        approved_on: Some(now()),
        incoming_status: TestStatus::Success,
        outgoing_status: TestStatus::Success,
        act_status: TestStatus::NotRun,
        mailbox_status: TestStatus::Success,
        enabled_incoming: true,
        enabled_outgoing: true,
        ..user_mailbox()
    }
}

/// Letters of what an edit took back: `a`pproval, `i`ncoming, `o`utgoing.
fn check(writing: bool, change: impl FnOnce(&mut Mailbox), expected: &str) {
    let before = working();
    let mut after = before.clone();
    change(&mut after);
    let words = resets(&before, &after, writing);
    let saved = with_facts(|facts| {
        let facts = MailboxFacts { writing_credentials: writing, password_set: true, ..facts };
        save(&before, after, &facts, now()).unwrap()
    });
    let mut got = String::new();
    if saved.approval != Approval::Approved {
        assert!(saved.approved_by.is_none() && saved.approved_on.is_none());
        got.push('a');
    }
    if saved.incoming_status == TestStatus::NotRun {
        assert!(!saved.enabled_incoming);
        got.push('i');
    }
    if saved.outgoing_status == TestStatus::NotRun {
        assert!(!saved.enabled_outgoing);
        got.push('o');
    }
    assert_eq!(got, expected);
    assert_eq!(words.len(), expected.len(), "the form says what saving does: {words:?}");
    assert_eq!(saved.mailbox_status == TestStatus::NotRun, expected.contains(['i', 'o']));
}

#[test]
fn nothing_resets_nothing() {
    check(false, |_| {}, "");
    check(false, |m| m.name = "Other".into(), "");
    check(false, |m| m.process_after = Some(now()), "");
    check(false, |m| m.postponed_until = Some(now()), "");
}

#[test]
fn the_address_resets_all() {
    check(false, |m| m.address = "new@x.example".into(), "aio");
    check(false, |m| m.address = String::new(), "aio");
    check(false, |m| m.address = "ANN@x.example".into(), "");
    check(false, |m| m.address = " ann@x.example ".into(), "");
}

#[test]
fn an_empty_address_is_empty_and_a_new_one_pending() {
    let saved = |address: &str| {
        with_facts(|f| save(&working(), Mailbox { address: address.into(), ..working() }, &f, now()).unwrap().approval)
    };
    assert_eq!(saved(""), Approval::Empty);
    assert_eq!(saved("new@x.example"), Approval::Pending);
}

#[test]
fn the_profile_resets_both_tests() {
    check(false, |m| m.profile = None, "io");
    check(false, |m| m.profile = Some(Ref::new("emailserverprofile", Id::from_u128(77))), "io");
}

#[test]
fn a_method_resets_its_own_test() {
    check(false, |m| m.incoming = IncomingMethod::None, "i");
    check(false, |m| m.incoming = IncomingMethod::ForwardMailbox, "i");
    check(false, |m| m.outgoing = OutgoingMethod::None, "o");
    check(false, |m| m.act = ActMethod::Outlook, "");
}

#[test]
fn credentials_reset_both_tests() {
    check(true, |_| {}, "io");
    check(false, |m| m.user_name = "ann".into(), "io");
    check(false, |m| (m.use_credentials, m.user_name) = (true, "ann".into()), "io");
}

#[test]
fn deactivating_takes_the_tests_back() {
    check(false, |m| m.state = State::Inactive, "io");
}

#[test]
fn state_and_status_follow_each_other() {
    let saved = |state, status| {
        with_facts(|f| save(&working(), Mailbox { state, status, ..working() }, &f, now()).map(|m| (m.state, m.status)))
    };
    assert_eq!(saved(State::Inactive, Status::Active).unwrap(), (State::Inactive, Status::Inactive));
    assert_eq!(saved(State::Inactive, Status::Inactive).unwrap(), (State::Inactive, Status::Inactive));
    assert_eq!(saved(State::Active, Status::Inactive).unwrap_err().codes(), [0x8004_8408]);
}

#[test]
fn e230_activation_of_the_disabled() {
    let before = Mailbox { state: State::Inactive, status: Status::Inactive, ..working() };
    let after = Mailbox { state: State::Active, ..before.clone() };
    let activate = |disabled| {
        let user = SystemUser { is_disabled: disabled, ..user() };
        with_facts(|facts| {
            let facts = MailboxFacts { regarding: Some(Regarding::User(&user)), ..facts };
            codes(save(&before, after.clone(), &facts, now()))
        })
    };
    assert_eq!(activate(true), [0x8005_E230]);
    assert_eq!(activate(false), []);
}

#[test]
fn e230_for_an_inactive_queue() {
    let queue = Queue { state: State::Inactive, ..queue() };
    let before = Mailbox { state: State::Inactive, status: Status::Inactive, ..queue_mailbox() };
    let after = Mailbox { state: State::Active, ..before.clone() };
    let refused = with_facts(|facts| {
        let facts = MailboxFacts { regarding: Some(Regarding::Queue(&queue)), ..facts };
        codes(save(&before, after, &facts, now()))
    });
    assert_eq!(refused, [0x8005_E230]);
}

#[test]
fn e248_nothing_changes_during_a_test() {
    let testing = Mailbox { test_scheduled: true, ..working() };
    assert_eq!(edit(testing.clone(), |m| m.name = "x".into()), [0x8005_E248]);
    assert_eq!(edit(testing.clone(), |m| m.address = String::new()), [0x8005_E248]);
    assert_eq!(edit(testing.clone(), |m| m.test_scheduled = false), [0x8005_E248]);
    assert_eq!(edit(testing, |_| {}), [0x8005_E248], "set true again");
}

#[test]
fn what_the_machine_maintains_cannot_be_written() {
    let before = user_mailbox();
    let after = Mailbox {
        approval: Approval::Approved,
        incoming_status: TestStatus::Success,
        enabled_outgoing: true,
        test_log: "fine".into(),
        transient_failures: 5,
        password_set: true,
        ..before.clone()
    };
    let saved = with_facts(|facts| save(&before, after, &facts, now()).unwrap());
    assert_eq!(saved, before);
}

#[test]
fn regarding_owner_and_kind_are_fixed() {
    assert_eq!(edit(user_mailbox(), |m| m.regarding = Some(queue().reference()))[0], 0x8004_0203);
    assert_eq!(edit(user_mailbox(), |m| m.owner = None), [0x8004_0203]);
    assert_eq!(edit(queue_mailbox(), |m| m.owner = None), [0x8004_0203]);
    assert_eq!(edit(forward_mailbox(), |m| m.owner = Some(user().reference())), []);
    assert_eq!(edit(forward_mailbox(), |m| m.is_forward = false), [0x8004_0203]);
}

#[test]
fn a_profile_edit_resets_what_it_touches() {
    assert_eq!(reset_tests(&working(), false, false), None);
    let columns = |incoming, outgoing| -> Vec<_> {
        reset_tests(&working(), incoming, outgoing).unwrap().set.into_iter().map(|(column, _)| column).collect()
    };
    assert_eq!(columns(true, false), ["enabledforincomingemail", "incomingemailstatus", "mailboxstatus"]);
    assert_eq!(columns(false, true), ["enabledforoutgoingemail", "mailboxstatus", "outgoingemailstatus"]);
    assert_eq!(reset_tests(&user_mailbox(), true, true), None, "nothing to take back");
}
