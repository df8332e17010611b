//! Tests of who accepts: the decision table, row by row.

use model::tables::{Approval, IncomingFilter as F, IncomingMethod, State};

use super::*;
use crate::incoming::world::{World, id, mail};

/// Who sends, as the filters see it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Stranger,
    Contact,
    Account,
    Lead,
    Team,
    User,
    Queue,
}

use Kind::{Account, Contact, Lead, Queue, Stranger, Team, User};

/// A message from such a sender to a user (or queue) with this filter.
fn verdict(world: &mut World, filter: F, kind: Kind, correlated: bool, who: &str) -> String {
    world.facts.served.iter_mut().for_each(|s| s.filter = filter);
    let table = match kind {
        Stranger => None,
        Contact => Some("contact"),
        Account => Some("account"),
        Lead => Some("lead"),
        Team => Some("team"),
        User => Some("systemuser"),
        Queue => Some("queue"),
    };
    if let Some(table) = table {
        world.known(table, "writer@there.example");
    }
    let sent = world.sent("first", who, "writer@there.example", "Hello");
    let answer = if correlated { sent.message_id } else { "<nothing@there.example>".to_owned() };
    let text = format!("From: writer@there.example | To: {who} | In-Reply-To: {answer}");
    let verdict = world.receive(&text);
    format!("{:?} {:?}", verdict.disposition, verdict.code)
}

fn row(filter: F, kind: Kind, correlated: bool, expected: &str) {
    for who in ["alice@our.example", "support@our.example"] {
        let mut world = World::usual();
        world.read(who);
        assert_eq!(
            verdict(&mut world, filter, kind, correlated, who),
            expected,
            "{filter:?} {kind:?} {correlated} {who}"
        );
    }
}

const ALL: &str = "Tracked AcceptAll";
const SENDER: &str = "Tracked SenderMatch";
const ANSWER: &str = "Tracked CorrelationMatch";
const NO: &str = "Filtered NoCorrelationMatch";

#[test]
fn the_decision_table() {
    let everybody = [Stranger, Contact, Account, Lead, Team, User, Queue];
    for kind in everybody {
        for correlated in [false, true] {
            row(F::All, kind, correlated, ALL);
            row(F::None, kind, correlated, NO);
            row(F::Responses, kind, correlated, if correlated { ANSWER } else { NO });
        }
    }
    for kind in [Contact, Account, Lead] {
        row(F::LeadsContactsAccounts, kind, false, SENDER);
        row(F::LeadsContactsAccounts, kind, true, SENDER);
    }
    for kind in [Stranger, Team, User, Queue] {
        row(F::LeadsContactsAccounts, kind, false, NO);
        row(F::LeadsContactsAccounts, kind, true, ANSWER);
    }
    for kind in [Contact, Account, Lead, Team, User, Queue] {
        row(F::EmailEnabled, kind, false, SENDER);
        row(F::EmailEnabled, kind, true, SENDER);
    }
    row(F::EmailEnabled, Stranger, false, NO);
    row(F::EmailEnabled, Stranger, true, ANSWER);
}

#[test]
fn email_between_users_where_the_organization_ignores_it() {
    for filter in [F::All, F::Responses, F::LeadsContactsAccounts, F::EmailEnabled, F::None] {
        for kind in [User, Queue] {
            let mut world = World::usual();
            world.facts.organization.ignore_internal = true;
            let said = verdict(&mut world, filter, kind, true, "alice@our.example");
            assert_eq!(said, "InternalEmail InternalEmailReject", "{filter:?} {kind:?}");
        }
    }
}

#[test]
fn email_from_users_to_queues_is_not_ignored() {
    let mut world = World::usual();
    world.facts.organization.ignore_internal = true;
    world.read("support@our.example");
    assert_eq!(verdict(&mut world, F::All, User, false, "support@our.example"), ALL);
}

#[test]
fn email_from_customers_is_not_internal() {
    let mut world = World::usual();
    world.facts.organization.ignore_internal = true;
    assert_eq!(verdict(&mut world, F::All, Contact, false, "alice@our.example"), ALL);
}

#[test]
fn without_correlation_nothing_answers() {
    let mut world = World::usual();
    world.facts.organization.correlation = false;
    assert_eq!(verdict(&mut world, F::Responses, Contact, true, "alice@our.example"), NO);
}

/// Who of the world's users and queues is a candidate: `name` or, where not
/// among the recipients, `(name)`.
fn asked(world: &World, text: &str) -> String {
    let (candidates, _) = candidates(&mail(text), &world.facts);
    let name = |c: &Candidate<'_>| {
        let name = label(c.served).split('@').next().unwrap_or_default();
        if c.named { name.to_owned() } else { format!("({name})") }
    };
    candidates.iter().map(name).collect::<Vec<_>>().join(" ")
}

#[test]
fn candidates_stand_in_the_order_of_the_fields() {
    let world = World::usual();
    assert_eq!(asked(&world, "From: x@y.example | To: support@our.example, alice@our.example"), "support alice");
    assert_eq!(asked(&world, "From: x@y.example | Cc: support@our.example | To: alice@our.example"), "alice support");
    assert_eq!(asked(&world, "From: x@y.example | Bcc: support@our.example | Cc: alice@our.example"), "alice support");
}
#[test]
fn who_holds_the_message_is_asked_though_not_named() {
    assert_eq!(asked(&World::usual(), "From: x@y.example | To: list@there.example"), "(alice)");
    assert_eq!(asked(&World::usual(), "From: x@y.example | To: support@our.example"), "support (alice)");
}
#[test]
fn to_whom_it_was_delivered_is_asked_though_not_named() {
    let text = "From: x@y.example | To: list@there.example | Delivered-To: alice@our.example";
    assert_eq!(asked(&World::usual(), text), "(alice)");
    let text = "From: x@y.example | To: list@there.example | Delivered-To: support@our.example";
    assert_eq!(asked(&World::usual(), text), "(support) (alice)");
}
#[test]
fn case_does_not_matter() {
    assert_eq!(asked(&World::usual(), "From: x@y.example | To: Alice@OUR.example"), "alice");
}
#[test]
fn nobody_is_asked_twice() {
    let text = "From: x@y.example | To: alice@our.example, ALICE@our.example | Cc: alice@our.example";
    assert_eq!(asked(&World::usual(), text), "alice");
}
#[test]
fn another_address_of_the_user_counts() {
    let mut world = World::usual();
    let (address, mut known) =
        crate::incoming::world::known(world.served("alice@our.example").who, "al@our.example", None);
    known.column = 2;
    world.add((address, known));
    assert_eq!(asked(&world, "From: x@y.example | To: al@our.example"), "alice");
}

/// Whether support is asked about a message in alice's mailbox after a change.
fn asks_support(change: impl FnOnce(&mut World)) -> bool {
    let mut world = World::usual();
    change(&mut world);
    asked(&world, "From: x@y.example | To: support@our.example").contains("support")
}

#[test]
fn others_are_asked_only_if_their_mail_is_processed() {
    assert!(asks_support(|_| {}));
    for method in [IncomingMethod::None, IncomingMethod::Outlook, IncomingMethod::ForwardMailbox] {
        assert!(!asks_support(|w| w.served("support@our.example").mailbox.incoming = method));
    }
    assert!(!asks_support(|w| w.served("support@our.example").mailbox.state = State::Inactive));
    assert!(!asks_support(|w| w.served("support@our.example").active = false));
}
#[test]
fn others_are_asked_only_if_approved() {
    for approval in [Approval::Empty, Approval::Pending, Approval::Rejected] {
        assert!(!asks_support(|w| w.served("support@our.example").mailbox.approval = approval));
        assert!(asks_support(|w| {
            w.served("support@our.example").mailbox.approval = approval;
            w.facts.organization.require_queue_approval = false;
        }));
        assert!(!asks_support(|w| {
            w.served("support@our.example").mailbox.approval = approval;
            w.facts.organization.require_user_approval = false;
        }));
    }
}
#[test]
fn the_reason_says_why_somebody_is_not_asked() {
    let mut world = World::usual();
    world.served("support@our.example").mailbox.approval = Approval::Pending;
    let verdict = world.receive("From: x@y.example | To: support@our.example, alice@our.example");
    assert!(verdict.why.contains("the address support@our.example is not approved"), "{}", verdict.why);
}

/// Not named: accepted only by 'All' or as an answer.
#[test]
fn who_is_not_named_accepts_all_or_answers() {
    let check = |filter, correlated: bool, expected: &str| {
        let mut world = World::usual();
        world.served("alice@our.example").filter = filter;
        let sent = world.sent("first", "alice@our.example", "carol@there.example", "Hello");
        let answer = if correlated { sent.message_id } else { String::new() };
        world.check(&format!("From: carol@there.example | To: list@there.example | In-Reply-To: {answer}"), expected);
    };
    let nobody = "NoRecipientMatch NoRecipientMatch";
    check(F::All, false, ALL);
    check(F::Responses, false, nobody);
    check(F::Responses, true, ANSWER);
    check(F::LeadsContactsAccounts, false, nobody);
    check(F::LeadsContactsAccounts, true, ANSWER);
    check(F::EmailEnabled, false, nobody);
    check(F::EmailEnabled, true, ANSWER);
    check(F::None, false, nobody);
    check(F::None, true, nobody);
}

/// The owner of the email that the text becomes in support's mailbox.
fn owner_of(world: &mut World, text: &str) -> Option<Ref> {
    let message = mail(text);
    let sender = crate::parties::sender(&message, &world.facts, None).unwrap();
    let correlated = world.facts.emails.first();
    owner(&message, &world.facts, correlated, &sender, None)
}

fn user(name: &str) -> Option<Ref> {
    Some(Ref::new("systemuser", id(name)))
}

#[test]
fn the_first_recipient_owns_it() {
    let text = "From: x@y.example | To: support@our.example, alice@our.example";
    assert_eq!(owner_of(&mut World::usual(), text), user("queue owner"));
}
#[test]
fn to_goes_before_cc() {
    let text = "From: x@y.example | Cc: support@our.example | To: alice@our.example";
    assert_eq!(owner_of(&mut World::usual(), text), user("alice@our.example"));
}
#[test]
fn cc_decides_where_to_names_nobody() {
    let text = "From: x@y.example | To: q@z.example | Cc: alice@our.example | Bcc: support@our.example";
    assert_eq!(owner_of(&mut World::usual(), text), user("alice@our.example"));
}
#[test]
fn the_owner_of_the_answered_email_goes_first_in_its_list() {
    let mut world = World::usual();
    world.sent("first", "alice@our.example", "x@y.example", "Hello");
    assert_eq!(
        owner_of(&mut world, "From: x@y.example | To: support@our.example, alice@our.example"),
        user("alice@our.example")
    );
    assert_eq!(
        owner_of(&mut world, "From: x@y.example | To: support@our.example | Cc: alice@our.example"),
        user("queue owner")
    );
}
#[test]
fn the_owner_of_the_senders_record_goes_next() {
    let mut world = World::usual();
    world.facts.known.get_mut("carol@there.example").unwrap()[0].owner = user("alice@our.example");
    assert_eq!(
        owner_of(&mut world, "From: carol@there.example | To: support@our.example, alice@our.example"),
        user("alice@our.example")
    );
}
#[test]
fn a_stranger_to_all_lists_is_nobodys_wish() {
    let mut world = World::usual();
    world.sent("first", "someone@our.example", "x@y.example", "Hello");
    assert_eq!(owner_of(&mut world, "From: x@y.example | To: support@our.example"), user("queue owner"));
}
#[test]
fn where_nobody_is_named_the_mailbox_owner() {
    assert_eq!(owner_of(&mut World::usual(), "From: x@y.example | To: list@z.example"), user("alice@our.example"));
}
#[test]
fn who_is_disabled_owns_nothing_new() {
    let mut world = World::usual();
    world.served("alice@our.example").active = false;
    assert_eq!(
        owner_of(&mut world, "From: x@y.example | To: alice@our.example, support@our.example"),
        user("queue owner")
    );
}
