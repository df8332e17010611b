//! Who may and who may not.

use Verb::{Approve, Create, Delete, Read, Send, Test, Write};
use model::{Id, tables};

use super::*;

fn user() -> SystemUser {
    SystemUser { domain_name: "ann".into(), ..SystemUser::blank(Id::from_u128(1)) }
}

fn own() -> Option<Ref> {
    Some(user().reference())
}

fn other() -> Option<Ref> {
    Some(Ref::new("systemuser", Id::from_u128(2)))
}

fn allowed(user: &SystemUser, verb: Verb, table: &str, owner: Option<Ref>) -> bool {
    may(user, verb, tables::by_logical_name(table).unwrap(), owner).is_ok()
}

#[test]
fn an_administrator_may_everything() {
    let admin = SystemUser { is_administrator: true, ..user() };
    for verb in [Create, Read, Write, Delete, Test, Approve, Send] {
        for table in tables::ALL {
            assert!(allowed(&admin, verb, table.logical, other()), "{verb:?} {}", table.logical);
        }
    }
}

#[test]
fn a_disabled_administrator_may_nothing() {
    let admin = SystemUser { is_administrator: true, is_disabled: true, ..user() };
    assert!(!allowed(&admin, Read, "account", own()));
}

#[test]
fn reading() {
    assert!(allowed(&user(), Read, "mailbox", own()));
    assert!(!allowed(&user(), Read, "mailbox", other()));
    assert!(!allowed(&user(), Read, "mailbox", None));
    assert!(allowed(&user(), Read, "account", other()));
    assert!(allowed(&user(), Read, "organization", None));
    assert!(allowed(&user(), Read, "tracelog", own()));
    assert!(!allowed(&user(), Read, "tracelog", other()));
    assert!(!allowed(&user(), Read, "email", other()));
    assert!(allowed(&user(), Read, "email", own()));
}

#[test]
fn writing() {
    assert!(allowed(&user(), Create, "email", own()));
    assert!(allowed(&user(), Create, "email", None));
    assert!(!allowed(&user(), Create, "email", other()));
    assert!(allowed(&user(), Write, "email", own()));
    assert!(!allowed(&user(), Write, "email", other()));
    assert!(allowed(&user(), Delete, "contact", own()));
    assert!(!allowed(&user(), Delete, "contact", other()));
    assert!(!allowed(&user(), Write, "mailbox", own()));
    assert!(!allowed(&user(), Write, "organization", None));
    assert!(!allowed(&user(), Create, "systemuser", None));
    assert!(!allowed(&user(), Create, "emailserverprofile", own()));
}

#[test]
fn sending_testing_approving() {
    assert!(allowed(&user(), Send, "email", own()));
    assert!(!allowed(&user(), Send, "email", other()));
    assert!(allowed(&user(), Test, "mailbox", own()));
    assert!(!allowed(&user(), Test, "mailbox", other()));
    assert!(allowed(&user(), Approve, "mailbox", own()), "RequirePrivilegeToSelfApproveEmailAddress is false");
    assert!(!allowed(&user(), Approve, "mailbox", other()));
}

#[test]
fn access_mode_read_only_reads() {
    let reader = SystemUser { access_mode: AccessMode::Read, ..user() };
    assert!(allowed(&reader, Read, "account", other()));
    assert!(!allowed(&reader, Write, "email", own()));
}

#[test]
fn the_refusal_names_the_privilege() {
    let refusal = may(&user(), Write, tables::by_logical_name("mailbox").unwrap(), other()).unwrap_err();
    assert_eq!(refusal.code, 0x8004_0220);
    assert!(refusal.message.contains("ann") && refusal.message.contains("prvWriteMailbox"), "{}", refusal.message);
}
