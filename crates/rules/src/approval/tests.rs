//! Who approves what, and what follows.

use model::{Id, Ref};

use super::*;
use crate::mailbox;

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn user() -> SystemUser {
    SystemUser { domain_name: "ann".into(), ..SystemUser::blank(Id::from_u128(1)) }
}

fn admin() -> SystemUser {
    SystemUser::blank(Id::from_u128(2))
}

fn privileged() -> ApprovalFacts<'static> {
    ApprovalFacts { privilege: true, ..ApprovalFacts::default() }
}

fn pending() -> Mailbox {
    Mailbox {
        address: "ann@x.example".into(),
        is_forward: false,
        regarding: Some(user().reference()),
        approval: Approval::Pending,
        ..Mailbox::blank(Id::from_u128(3))
    }
}

fn codes<T>(result: Result<T, Refusals>) -> Vec<u32> {
    result.err().map(|refusals| refusals.codes()).unwrap_or_default()
}

#[test]
fn an_administrator_approves() {
    let approved = approve(&pending(), &admin(), privileged(), now()).unwrap();
    assert_eq!(approved.approval, Approval::Approved);
    assert_eq!((approved.approved_by, approved.approved_on), (Some(admin().reference()), Some(now())));
}

#[test]
fn the_privilege_is_enough() {
    let facts = ApprovalFacts { privilege: true, ..ApprovalFacts::default() };
    let other = SystemUser::blank(Id::from_u128(9));
    assert!(approve(&pending(), &other, facts, now()).is_ok());
    assert_eq!(codes(approve(&pending(), &other, ApprovalFacts::default(), now())), [0x8004_0220]);
}

#[test]
fn ones_own_unless_the_organization_says_otherwise() {
    assert!(approve(&pending(), &user(), ApprovalFacts::default(), now()).is_ok());
    let strict = ApprovalFacts { privilege_for_own: true, ..ApprovalFacts::default() };
    assert_eq!(codes(approve(&pending(), &user(), strict, now())), [0x8004_0220]);
}

#[test]
fn the_disabled_approve_nothing() {
    let disabled = SystemUser { is_disabled: true, ..admin() };
    assert_eq!(codes(approve(&pending(), &disabled, ApprovalFacts::default(), now())), [0x8004_0220]);
}

#[test]
fn there_must_be_an_address() {
    let empty = Mailbox { address: String::new(), ..pending() };
    assert_eq!(codes(approve(&empty, &admin(), privileged(), now())), [0x8005_E221]);
    assert_eq!(codes(reject(&empty, &admin(), privileged())), [0x8005_E221]);
    let odd = Mailbox { address: "ann".into(), ..pending() };
    assert_eq!(codes(approve(&odd, &admin(), privileged(), now())), [0x8005_E221]);
    assert!(reject(&odd, &admin(), privileged()).is_ok());
}

#[test]
fn not_during_a_test_and_all_faults_together() {
    let testing = Mailbox { test_scheduled: true, address: String::new(), ..pending() };
    let stranger = SystemUser::blank(Id::from_u128(9));
    assert_eq!(
        codes(approve(&testing, &stranger, ApprovalFacts::default(), now())),
        [0x8004_0220, 0x8005_E248, 0x8005_E221]
    );
}

#[test]
fn not_for_a_disabled_user() {
    let disabled = SystemUser { is_disabled: true, ..user() };
    let facts = ApprovalFacts { regarding: Some(mailbox::Regarding::User(&disabled)), ..privileged() };
    assert_eq!(codes(approve(&pending(), &admin(), facts, now())), [0x8005_E230]);
}

#[test]
fn approving_twice_keeps_who_was_first() {
    let first = approve(&pending(), &admin(), privileged(), now()).unwrap();
    let again = approve(&first, &user(), ApprovalFacts::default(), Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(again, first);
}

#[test]
fn rejecting_forgets_the_approval() {
    let approved = approve(&pending(), &admin(), privileged(), now()).unwrap();
    let rejected = reject(&approved, &admin(), privileged()).unwrap();
    assert_eq!(rejected.approval, Approval::Rejected);
    assert_eq!((rejected.approved_by, rejected.approved_on), (None, None));
}

#[test]
fn by_writing_the_column() {
    let set = |value| set(&pending(), value, &admin(), privileged(), now());
    assert_eq!(set(Approval::Approved).unwrap().approval, Approval::Approved);
    assert_eq!(set(Approval::Rejected).unwrap().approval, Approval::Rejected);
    assert_eq!(set(Approval::Pending).unwrap(), pending(), "no change");
    assert_eq!(codes(set(Approval::Empty)), [0x8004_0203]);
    assert_eq!(pending().regarding, Some(Ref::new("systemuser", Id::from_u128(1))));
}
