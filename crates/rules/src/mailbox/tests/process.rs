//! When a mailbox may be tested and processed.

use model::tables::{CredentialRetrieval, EmailConnectionChannel};
use model::work::Workload;

use super::*;

/// A user's mailbox with nothing against it.
fn fit() -> Mailbox {
    Mailbox { approval: Approval::Approved, enabled_incoming: true, enabled_outgoing: true, ..user_mailbox() }
}

fn schedule(mailbox: &Mailbox, change: impl FnOnce(&mut MailboxFacts<'_>)) -> Vec<u32> {
    with_facts(|mut facts| {
        change(&mut facts);
        codes(save(mailbox, Mailbox { test_scheduled: true, ..mailbox.clone() }, &facts, now()))
    })
}

#[test]
fn a_fit_mailbox_is_scheduled() {
    let before = Mailbox { test_retries: 2, test_postponed_until: Some(now()), ..fit() };
    let saved = with_facts(|f| save(&before, Mailbox { test_scheduled: true, ..before.clone() }, &f, now()).unwrap());
    assert!(saved.test_scheduled);
    assert_eq!((saved.test_on, saved.test_retries, saved.test_postponed_until), (Some(now()), 0, None));
    assert!(saved.enabled_incoming, "it works on until the test says otherwise");
}

#[test]
fn e219_inactive() {
    let mailbox = Mailbox { state: State::Inactive, status: Status::Inactive, ..fit() };
    assert_eq!(schedule(&mailbox, |_| {}), [0x8005_E219]);
}

#[test]
fn e220_unapproved_by_the_switch_of_its_kind() {
    for (approval, expected) in [
        (Approval::Empty, &[0x8005_E220_u32][..]),
        (Approval::Pending, &[0x8005_E220]),
        (Approval::Rejected, &[0x8005_E220]),
        (Approval::Approved, &[]),
    ] {
        assert_eq!(schedule(&Mailbox { approval, ..fit() }, |_| {}), expected, "{approval:?}");
    }
    let check = |mailbox: Mailbox, users, queues| {
        let organization =
            Organization { require_user_approval: users, require_queue_approval: queues, ..organization() };
        needs_approval(&mailbox, &organization)
    };
    for (users, queues) in [(false, false), (false, true), (true, false), (true, true)] {
        assert_eq!(check(user_mailbox(), users, queues), users);
        assert_eq!(check(queue_mailbox(), users, queues), queues);
        assert_eq!(check(forward_mailbox(), users, queues), users || queues);
    }
}

#[test]
fn e221_address() {
    assert_eq!(schedule(&Mailbox { address: String::new(), ..fit() }, |_| {}), [0x8005_E221]);
    let odd = Mailbox { address: "ann".into(), ..fit() };
    assert_eq!(schedule(&odd, |_| {}), [0x8004_4192, 0x8005_E221]);
}

#[test]
fn e222_e228_e242_profile() {
    assert_eq!(schedule(&Mailbox { profile: None, ..fit() }, |f| f.profile = None), [0x8005_E222]);
    let inactive = EmailServerProfile { state: State::Inactive, ..profile() };
    let exchange = exchange();
    with_facts(|facts| {
        let test = |profile| may_test(&fit(), &MailboxFacts { profile: Some(profile), ..facts });
        assert_eq!(codes(test(&inactive)), [0x8005_E228]);
        assert_eq!(codes(test(&exchange)), [0x8005_E242]);
    });
}

#[test]
fn e223_e224_e226_nothing_is_ours() {
    let with = |incoming, outgoing| Mailbox { incoming, outgoing, ..fit() };
    let check = |incoming, outgoing| schedule(&with(incoming, outgoing), |_| {});
    assert_eq!(check(IncomingMethod::ForwardMailbox, OutgoingMethod::None), [0x8005_E223, 0x8005_E226]);
    assert_eq!(check(IncomingMethod::None, OutgoingMethod::None), [0x8005_E224, 0x8005_E226]);
    assert_eq!(check(IncomingMethod::Outlook, OutgoingMethod::Outlook), [0x8005_E224, 0x8005_E226]);
    assert_eq!(check(IncomingMethod::ForwardMailbox, OutgoingMethod::ServerSide), []);
    assert_eq!(check(IncomingMethod::None, OutgoingMethod::ServerSide), []);
    assert_eq!(check(IncomingMethod::ServerSide, OutgoingMethod::None), []);
    let forward = Mailbox { incoming: IncomingMethod::None, approval: Approval::Approved, ..forward_mailbox() };
    assert_eq!(schedule(&forward, |_| {}), [0x8005_E224]);
}

#[test]
fn e229_e209_credentials_of_the_mailbox() {
    let own = EmailServerProfile { incoming_credentials: CredentialRetrieval::UserOrQueue, ..profile() };
    let check = |mailbox: Mailbox, password_set| {
        with_facts(|facts| codes(may_test(&mailbox, &MailboxFacts { profile: Some(&own), password_set, ..facts })))
    };
    let credentials = Mailbox { use_credentials: true, user_name: "ann".into(), ..fit() };
    assert_eq!(check(fit(), true), [0x8005_E229]);
    assert_eq!(check(credentials.clone(), false), [0x8005_E209]);
    assert_eq!(check(Mailbox { user_name: String::new(), ..credentials.clone() }, true), [0x8005_E209]);
    assert_eq!(check(Mailbox { oauth_token_set: true, ..credentials.clone() }, false), []);
    assert_eq!(check(credentials, true), []);
}

#[test]
fn outgoing_credentials_count_only_where_outgoing_is_ours() {
    let mixed = EmailServerProfile {
        same_outgoing: false,
        outgoing_credentials: CredentialRetrieval::UserOrQueue,
        ..profile()
    };
    let check = |mailbox: Mailbox| {
        with_facts(|facts| codes(may_test(&mailbox, &MailboxFacts { profile: Some(&mixed), ..facts })))
    };
    assert_eq!(check(fit()), [0x8005_E229]);
    assert_eq!(check(Mailbox { outgoing: OutgoingMethod::None, ..fit() }), []);
}

#[test]
fn the_preconditions_are_reported_together() {
    let mailbox = Mailbox {
        state: State::Inactive,
        status: Status::Inactive,
        approval: Approval::Pending,
        address: String::new(),
        profile: None,
        incoming: IncomingMethod::ForwardMailbox,
        outgoing: OutgoingMethod::None,
        ..user_mailbox()
    };
    assert_eq!(
        schedule(&mailbox, |facts| facts.profile = None),
        [0x8005_E219, 0x8005_E220, 0x8005_E222, 0x8005_E221, 0x8005_E223, 0x8005_E226]
    );
}

#[test]
fn a_new_address_in_the_same_save_is_not_approved() {
    let after = Mailbox { address: "new@x.example".into(), test_scheduled: true, ..fit() };
    assert_eq!(with_facts(|facts| codes(save(&fit(), after, &facts, now()))), [0x8005_E220]);
}

#[test]
fn the_same_fault_is_told_once() {
    let after = Mailbox { use_credentials: true, test_scheduled: true, ..fit() };
    let own = EmailServerProfile { incoming_credentials: CredentialRetrieval::UserOrQueue, ..profile() };
    let refused = with_facts(|f| codes(save(&fit(), after, &MailboxFacts { profile: Some(&own), ..f }, now())));
    assert_eq!(refused, [0x8005_E209, 0x8005_E209], "user name and password, each once");
}

/// The first reason for each of incoming, outgoing, test; `-` where there is none.
fn reasons(mailbox: &Mailbox, profile: Option<&EmailServerProfile>, organization: &Organization) -> String {
    [Workload::Incoming, Workload::Outgoing, Workload::Test]
        .map(|workload| match may_process(mailbox, profile, organization, workload) {
            Ok(()) => "-".to_owned(),
            Err(refusal) => format!("{:X}", refusal.code & 0xFFF),
        })
        .join(" ")
}

fn check(mailbox: Mailbox, expected: &str) {
    assert_eq!(reasons(&mailbox, Some(&profile()), &organization()), expected);
}

#[test]
fn processing() {
    check(fit(), "- - -");
    check(Mailbox { state: State::Inactive, ..fit() }, "219 219 219");
    check(Mailbox { approval: Approval::Pending, ..fit() }, "220 220 220");
    check(Mailbox { enabled_incoming: false, ..fit() }, "219 - -");
    check(Mailbox { enabled_outgoing: false, ..fit() }, "- 219 -");
    check(Mailbox { incoming: IncomingMethod::ForwardMailbox, ..fit() }, "223 - -");
    check(Mailbox { incoming: IncomingMethod::None, ..fit() }, "224 - -");
    check(Mailbox { outgoing: OutgoingMethod::Outlook, ..fit() }, "- 226 -");
    check(Mailbox { approval: Approval::Approved, enabled_incoming: true, ..forward_mailbox() }, "- 225 -");
    assert_eq!(reasons(&fit(), None, &organization()), "222 222 222");
}

#[test]
fn an_organization_with_the_router_is_not_ours() {
    let organization = Organization { channel: EmailConnectionChannel::EmailRouter, ..organization() };
    assert_eq!(reasons(&fit(), Some(&profile()), &organization), "23B 23B 23B");
}

#[test]
fn without_the_switch_nobody_needs_approval() {
    let organization = Organization { require_user_approval: false, ..organization() };
    assert_eq!(reasons(&Mailbox { approval: Approval::Rejected, ..fit() }, Some(&profile()), &organization), "- - -");
}
