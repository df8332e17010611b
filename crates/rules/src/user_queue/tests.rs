//! Users and queues with their mailboxes.

use FullNameConvention::{
    FirstLast, FirstMiddleInitialLast, FirstMiddleLast, LastFirst, LastFirstMiddle, LastFirstMiddleInitial,
    LastNoSpaceFirst, LastSpaceFirst,
};
use model::Value;
use model::tables::{ActMethod, Status, TestStatus};

use super::*;

fn organization() -> Organization {
    Organization::blank(Id::from_u128(1))
}

fn user() -> SystemUser {
    SystemUser {
        domain_name: "ann".into(),
        first_name: "Ann".into(),
        last_name: "Lee".into(),
        address: "ann@x.example".into(),
        ..SystemUser::blank(Id::from_u128(3))
    }
}

fn queue() -> Queue {
    Queue {
        name: "Support".into(),
        address: "s@x.example".into(),
        owner: Some(user().reference()),
        ..Queue::blank(Id::from_u128(4))
    }
}

const NEW: Id = Id::from_u128(77);

fn with<T>(mailbox: Option<&Mailbox>, f: impl FnOnce(OwnerFacts<'_>) -> T) -> T {
    let organization = organization();
    f(OwnerFacts {
        organization: &organization,
        default_profile: None,
        mailbox,
        mailbox_profile: None,
        address_taken_by: None,
        new_mailbox: NEW,
    })
}

/// A user as stored, with a mailbox that works.
fn stored() -> (SystemUser, Mailbox) {
    let saved = with(None, |facts| user_saved(None, user(), &facts).unwrap());
    let mailbox = saved.changes.iter().find_map(|change| match change {
        Change::Create(record) => Mailbox::from_record(record).ok(),
        _ => None,
    });
    let working = Mailbox {
        approval: Approval::Approved,
        incoming_status: TestStatus::Success,
        enabled_incoming: true,
        ..mailbox.unwrap()
    };
    (SystemUser { approval: Approval::Approved, ..saved.record }, working)
}

/// The columns of the only update, with their values.
fn update(changes: &[Change]) -> Vec<(&'static str, Value)> {
    match changes {
        [Change::Update(update)] => update.set.clone(),
        other => panic!("not one update: {other:?}"),
    }
}

fn tables(changes: &[Change]) -> Vec<&'static str> {
    changes.iter().map(|change| change.target().table).collect()
}

#[test]
fn a_new_user_gets_settings_a_mailbox_and_work_items() {
    let saved = with(None, |facts| user_saved(None, user(), &facts).unwrap());
    assert_eq!(saved.record.full_name, "Ann Lee");
    assert_eq!(saved.record.default_mailbox, Some(Ref::new("mailbox", NEW)));
    assert_eq!(saved.record.approval, Approval::Pending);
    assert_eq!(
        (saved.record.incoming, saved.record.outgoing),
        (IncomingMethod::ServerSide, OutgoingMethod::ServerSide)
    );
    assert_eq!(tables(&saved.changes), ["usersettings", "mailbox", "pr_workitem", "pr_workitem", "pr_workitem"]);
}

#[test]
fn the_switch_turns_mailboxes_off() {
    let organization = Organization { create_mailboxes: false, ..organization() };
    let saved =
        with(None, |facts| user_saved(None, user(), &OwnerFacts { organization: &organization, ..facts }).unwrap());
    assert_eq!(tables(&saved.changes), ["usersettings"]);
    assert_eq!(saved.record.default_mailbox, None);
}

#[test]
fn a_mailbox_that_is_missing_comes_with_the_next_edit() {
    let before = user();
    let edit = |after: SystemUser| with(None, |f| user_saved(Some(&before), after, &f).unwrap());
    let saved = edit(SystemUser { first_name: "Anna".into(), ..user() });
    assert_eq!(tables(&saved.changes), ["mailbox", "pr_workitem", "pr_workitem", "pr_workitem"]);
    assert_eq!(saved.record.default_mailbox, Some(Ref::new("mailbox", NEW)));
    assert_eq!(edit(SystemUser { address: String::new(), ..user() }).changes, [], "nothing to serve");
    assert_eq!(edit(SystemUser { is_disabled: true, ..user() }).changes, [], "nobody to serve");
    let saved = with(None, |f| queue_saved(Some(&queue()), queue(), &f).unwrap());
    assert_eq!(tables(&saved.changes), ["mailbox", "pr_workitem", "pr_workitem", "pr_workitem"]);
}

#[test]
fn what_waits_for_a_mailbox_is_taken_over() {
    let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    let waiting: Vec<Email> = [7, 8].map(|n| Email::blank(Id::from_u128(n))).into();
    let changes = adopt(NEW, &waiting, now);
    assert_eq!(tables(&changes), ["email", "email", "pr_workitem", "pr_workitem"]);
    let Change::Update(first) = &changes[0] else { panic!("{changes:?}") };
    assert_eq!(first.set, [("sendermailboxid", Value::Ref(Ref::new("mailbox", NEW)))]);
    assert_eq!(first.expect, [("statuscode", Value::Int(6))]);
    assert!(matches!(&changes[3], Change::Update(u) if u.set[0] == ("pr_nextrun", Value::Time(now))));
    assert_eq!(adopt(NEW, &[], now), []);
}

#[test]
fn a_new_queue_gets_a_mailbox() {
    let saved = with(None, |facts| queue_saved(None, queue(), &facts).unwrap());
    assert_eq!(tables(&saved.changes), ["mailbox", "pr_workitem", "pr_workitem", "pr_workitem"]);
    assert_eq!(saved.record.default_mailbox, Some(Ref::new("mailbox", NEW)));
    assert_eq!(saved.record.approval, Approval::Pending);
}

#[test]
fn a_user_cannot_approve_itself_by_writing_the_column() {
    let saved = with(None, |f| user_saved(None, SystemUser { approval: Approval::Approved, ..user() }, &f).unwrap());
    assert_eq!(saved.record.approval, Approval::Pending);
    let saved = with(None, |f| queue_saved(None, Queue { approval: Approval::Approved, ..queue() }, &f).unwrap());
    assert_eq!(saved.record.approval, Approval::Pending);
}

#[test]
fn an_edit_without_consequence_changes_nothing_else() {
    let (user, mailbox) = stored();
    let after = SystemUser { last_name: "Bell".into(), ..user.clone() };
    let saved = with(Some(&mailbox), |facts| user_saved(Some(&user), after, &facts).unwrap());
    assert_eq!(saved.changes, []);
    assert_eq!(saved.record.full_name, "Ann Bell");
    assert_eq!(saved.record.approval, Approval::Approved);
}

#[test]
fn a_new_address_reaches_the_mailbox_and_takes_approval_back() {
    let (user, mailbox) = stored();
    let after = SystemUser { address: " new@x.example ".into(), ..user.clone() };
    let saved = with(Some(&mailbox), |facts| user_saved(Some(&user), after, &facts).unwrap());
    assert_eq!(saved.record.address, "new@x.example");
    assert_eq!(saved.record.approval, Approval::Pending);
    let set = update(&saved.changes);
    assert!(set.contains(&("emailaddress", Value::Text("new@x.example".into()))));
    assert!(set.contains(&("emailrouteraccessapproval", Value::Int(2))));
    assert!(set.contains(&("incomingemailstatus", Value::Int(0))));
    assert!(set.contains(&("enabledforincomingemail", Value::Bool(false))));
}

#[test]
fn another_spelling_is_no_new_address() {
    let (user, mailbox) = stored();
    let after = SystemUser { address: "Ann@x.example".into(), ..user.clone() };
    let saved = with(Some(&mailbox), |facts| user_saved(Some(&user), after, &facts).unwrap());
    assert_eq!(update(&saved.changes), [("emailaddress", Value::Text("Ann@x.example".into()))]);
    assert_eq!(saved.record.approval, Approval::Approved);
}

#[test]
fn an_address_taken_away() {
    let (user, mailbox) = stored();
    let after = SystemUser { address: String::new(), ..user.clone() };
    let saved = with(Some(&mailbox), |facts| user_saved(Some(&user), after, &facts).unwrap());
    assert_eq!(saved.record.approval, Approval::Empty);
}

#[test]
fn disabling_a_user_deactivates_the_mailbox_and_enabling_does_not_activate_it() {
    let (user, mailbox) = stored();
    let disabled = SystemUser { is_disabled: true, ..user.clone() };
    let saved = with(Some(&mailbox), |facts| user_saved(Some(&user), disabled.clone(), &facts).unwrap());
    let set = update(&saved.changes);
    assert!(set.contains(&("statecode", Value::Int(1))) && set.contains(&("statuscode", Value::Int(2))));
    assert!(set.contains(&("enabledforincomingemail", Value::Bool(false))));
    let off = Mailbox { state: State::Inactive, status: Status::Inactive, ..mailbox };
    let saved = with(Some(&off), |facts| user_saved(Some(&disabled), user.clone(), &facts).unwrap());
    assert_eq!(saved.changes, []);
}

#[test]
fn a_method_changed_on_the_user_reaches_the_mailbox() {
    let (user, mailbox) = stored();
    let after = SystemUser { incoming: IncomingMethod::ForwardMailbox, ..user.clone() };
    let saved = with(Some(&mailbox), |facts| user_saved(Some(&user), after, &facts).unwrap());
    assert!(update(&saved.changes).contains(&("incomingemaildeliverymethod", Value::Int(3))));
}

#[test]
fn a_queue_cannot_take_outlook_by_this_door_either() {
    let mailbox = mailbox::for_queue(&queue(), &organization(), NEW);
    let before =
        Queue { incoming: mailbox.incoming, outgoing: mailbox.outgoing, approval: Approval::Pending, ..queue() };
    let after = Queue { incoming: IncomingMethod::Outlook, ..before.clone() };
    let refused = with(Some(&mailbox), |facts| queue_saved(Some(&before), after, &facts).unwrap_err());
    assert_eq!(refused.codes(), [0x8005_E210]);
}

#[test]
fn e248_during_a_test() {
    let (user, mailbox) = stored();
    let testing = Mailbox { test_scheduled: true, ..mailbox };
    let moved = SystemUser { address: "new@x.example".into(), ..user.clone() };
    let refused = with(Some(&testing), |facts| user_saved(Some(&user), moved, &facts).unwrap_err());
    assert_eq!(refused.codes(), [0x8005_E248]);
    let renamed = SystemUser { first_name: "Anna".into(), ..user.clone() };
    assert!(with(Some(&testing), |facts| user_saved(Some(&user), renamed, &facts)).is_ok());
    let disabled = SystemUser { is_disabled: true, ..user.clone() };
    assert!(with(Some(&testing), |facts| user_saved(Some(&user), disabled, &facts)).is_ok(), "must always be possible");
}

#[test]
fn an_old_fault_of_the_mailbox_does_not_stop_an_edit_of_the_user() {
    let (user, mailbox) = stored();
    let odd = Mailbox { use_credentials: true, user_name: String::new(), ..mailbox };
    let disabled = SystemUser { is_disabled: true, ..user.clone() };
    assert!(with(Some(&odd), |facts| user_saved(Some(&user), disabled, &facts)).is_ok());
}

#[test]
fn faults_of_users_and_queues_together() {
    let bad = SystemUser { domain_name: String::new(), address: "x".into(), ..user() };
    let refused = with(None, |facts| user_saved(None, bad, &facts).unwrap_err());
    assert_eq!(refused.codes(), [0x8004_0203, 0x8004_4192]);
    assert_eq!(refused.0[1].field, Some("internalemailaddress"));
    let bad = Queue { name: String::new(), address: "x".into(), ..queue() };
    let refused = with(None, |facts| queue_saved(None, bad, &facts).unwrap_err());
    assert_eq!(refused.codes(), [0x8004_0203, 0x8004_4192]);
    assert_eq!(refused.0[1].field, Some("emailaddress"));
}

#[test]
fn an_address_belongs_to_one() {
    let taken = Some((Ref::new("mailbox", Id::from_u128(5)), "Sales"));
    let refused = with(None, |f| user_saved(None, user(), &OwnerFacts { address_taken_by: taken, ..f }).unwrap_err());
    assert_eq!(refused.codes(), [0x8004_0237]);
    let (user, mailbox) = stored();
    let saved =
        with(Some(&mailbox), |f| user_saved(Some(&user), user.clone(), &OwnerFacts { address_taken_by: taken, ..f }));
    assert!(saved.is_ok(), "an address that does not change is not judged again");
}

#[test]
fn the_owner_of_a_queue_owns_its_mailbox() {
    let mailbox = mailbox::for_queue(&queue(), &organization(), NEW);
    let before =
        Queue { incoming: mailbox.incoming, outgoing: mailbox.outgoing, approval: Approval::Pending, ..queue() };
    let team = Ref::new("team", Id::from_u128(8));
    let after = Queue { owner: Some(team), ..before.clone() };
    let saved = with(Some(&mailbox), |facts| queue_saved(Some(&before), after, &facts).unwrap());
    assert_eq!(update(&saved.changes), [("ownerid", Value::Ref(team))]);
}

#[test]
fn an_inactive_queue() {
    let mailbox = mailbox::for_queue(&queue(), &organization(), NEW);
    let before =
        Queue { incoming: mailbox.incoming, outgoing: mailbox.outgoing, approval: Approval::Pending, ..queue() };
    let after = Queue { state: State::Inactive, ..before.clone() };
    let saved = with(Some(&mailbox), |facts| queue_saved(Some(&before), after, &facts).unwrap());
    assert_eq!(saved.record.status, Status::Inactive);
    assert!(update(&saved.changes).contains(&("statecode", Value::Int(1))));
}

#[test]
fn deleting_a_queue_deletes_its_mailbox_first() {
    let mailbox = mailbox::for_queue(&queue(), &organization(), NEW);
    assert_eq!(tables(&queue_deleted(&queue(), Some(&mailbox))), ["mailbox", "queue"]);
    assert_eq!(tables(&queue_deleted(&queue(), None)), ["queue"]);
}

#[test]
fn a_saved_mailbox_is_mirrored() {
    let (user, mailbox) = stored();
    assert_eq!(mailbox_saved(&mailbox, Regarding::User(&user)), None, "nothing differs");
    let moved = Mailbox { address: "new@x.example".into(), approval: Approval::Pending, ..mailbox };
    let changes: Vec<_> = mailbox_saved(&moved, Regarding::User(&user)).into_iter().collect();
    assert_eq!(
        update(&changes),
        [("emailrouteraccessapproval", Value::Int(2)), ("internalemailaddress", Value::Text("new@x.example".into()))]
    );
    let queued = mailbox::for_queue(&queue(), &organization(), NEW);
    let queue = Queue {
        incoming: queued.incoming,
        outgoing: queued.outgoing,
        approval: queued.approval,
        default_mailbox: Some(queued.reference()),
        ..queue()
    };
    assert_eq!(mailbox_saved(&queued, Regarding::Queue(&queue)), None);
    let approved = Mailbox { approval: Approval::Approved, act: ActMethod::None, ..queued };
    let changes: Vec<_> = mailbox_saved(&approved, Regarding::Queue(&queue)).into_iter().collect();
    assert_eq!(update(&changes), [("emailrouteraccessapproval", Value::Int(1))]);
}

#[test]
fn mirror_and_back_comes_to_rest() {
    let (user, mailbox) = stored();
    let after = SystemUser { address: "new@x.example".into(), ..user.clone() };
    let saved = with(Some(&mailbox), |facts| user_saved(Some(&user), after, &facts).unwrap());
    let mut record = mailbox.into_record();
    for (column, value) in update(&saved.changes) {
        record.set(column, value);
    }
    let mailbox = Mailbox::from_record(&record).unwrap();
    assert_eq!(mailbox_saved(&mailbox, Regarding::User(&saved.record)), None);
    let again = with(Some(&mailbox), |f| user_saved(Some(&saved.record), saved.record.clone(), &f).unwrap());
    assert_eq!(again.changes, Vec::<Change>::new());
}

/// First, middle, last name by a convention.
fn name(convention: FullNameConvention, expected: [&str; 3]) {
    assert_eq!(full_name(convention, "Ann", "Mary", "Lee"), expected[0]);
    assert_eq!(full_name(convention, "Ann", "", "Lee"), expected[1]);
    assert_eq!(full_name(convention, "", "", "Lee"), expected[2]);
}

#[test]
fn full_names() {
    name(LastFirst, ["Lee, Ann", "Lee, Ann", "Lee"]);
    name(FirstLast, ["Ann Lee", "Ann Lee", "Lee"]);
    name(LastFirstMiddleInitial, ["Lee, Ann M.", "Lee, Ann", "Lee"]);
    name(FirstMiddleInitialLast, ["Ann M. Lee", "Ann Lee", "Lee"]);
    name(LastFirstMiddle, ["Lee, Ann Mary", "Lee, Ann", "Lee"]);
    name(FirstMiddleLast, ["Ann Mary Lee", "Ann Lee", "Lee"]);
    name(LastSpaceFirst, ["Lee Ann", "Lee Ann", "Lee"]);
    name(LastNoSpaceFirst, ["LeeAnn", "LeeAnn", "Lee"]);
}

#[test]
fn a_user_without_a_name_is_called_by_the_user_name() {
    let nameless = SystemUser { first_name: String::new(), last_name: String::new(), ..user() };
    assert_eq!(with(None, |f| user_saved(None, nameless, &f).unwrap().record.full_name), "ann");
}
