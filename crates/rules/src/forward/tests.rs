//! Tests of forward mailboxes.

use model::tables::{Approval, Email, IncomingMethod, LedgerEntry, QueueItem, Settlement, TraceLog};

use super::*;
use crate::incoming::world::{World, enclosing, id, ledger, mail, only, rows, said, typed};

/// What a rule of dora's sends to the forward mailbox.
const WRAPPER: &str = "From: dora@our.example | To: forward@our.example | Delivered-To: forward@our.example";

fn wrapped(inner: &[&str]) -> Mail {
    let inner: Vec<Mail> = inner.iter().map(|text| mail(text)).collect();
    enclosing(WRAPPER, &inner)
}

/// The mailboxes whose rows a verdict creates, with their dispositions.
fn served(verdict: &Verdict) -> String {
    let forward = id("mailbox forward@our.example");
    let names = ["dora", "finn", "desk", "alice", "support"];
    let rows = typed::<LedgerEntry>(verdict).into_iter().filter(|r| r.mailbox.is_some_and(|m| m.id != forward));
    let show = |row: LedgerEntry| {
        let is = |n: &&str| row.mailbox.is_some_and(|m| m.id == id(&format!("mailbox {n}@our.example")));
        format!("{} {:?}", names.into_iter().find(is).unwrap_or("?"), row.disposition)
    };
    rows.map(show).collect::<Vec<_>>().join(", ")
}

fn check(message: Mail, own: &str, others: &str) -> Verdict {
    let verdict = World::forwarding().take(message);
    assert_eq!((said(&verdict).as_str(), served(&verdict).as_str()), (own, others), "{}", verdict.why);
    verdict
}

const FORWARDED: &str = "Forwarded AcceptAll";
const UNCLAIMED: &str = "Unclaimed NoRecipientMatch";

#[test]
fn an_enclosed_original_is_tracked_for_its_recipient() {
    let verdict = check(wrapped(&["From: carol@there.example | To: dora@our.example"]), FORWARDED, "dora Tracked");
    let email: Email = only(&verdict);
    assert_eq!(email.sender, "carol@there.example");
    assert_eq!(email.accepting_entity, Some(Ref::new("systemuser", id("dora@our.example"))));
    assert_eq!(email.receiving_mailbox, Some(Ref::new("mailbox", id("mailbox forward@our.example"))));
    assert_eq!(email.owner, Some(Ref::new("systemuser", id("dora@our.example"))));
}

#[test]
fn the_served_row_says_where_it_came_from() {
    let verdict = World::forwarding().take(wrapped(&["From: carol@there.example | To: dora@our.example"]));
    assert_eq!(ledger(&verdict), ["forward@our.example:INBOX 7/1#1 Tracked", "INBOX 7/1 Forwarded"]);
}

#[test]
fn the_email_knows_where_its_original_stands() {
    let mut message = wrapped(&["From: carol@there.example | To: dora@our.example"]);
    message.enclosed[0].place = "120+40:base64".parse().unwrap();
    assert_eq!(only::<Email>(&World::forwarding().take(message)).raw_place, "120+40:base64");
    let redirected = mail("From: carol@there.example | To: dora@our.example | Delivered-To: forward@our.example");
    assert_eq!(only::<Email>(&World::forwarding().take(redirected)).raw_place, "", "the whole message");
}

fn test_of_dora(from: &str) -> Mail {
    let mark = id("mailbox dora@our.example").to_string();
    let mut inner = mail(&format!("From: {from} | To: dora@our.example"));
    inner.marks.push((incoming::TEST_MARK.to_owned(), mark));
    inner
}

#[test]
fn the_served_mailboxs_own_test_makes_nothing() {
    for message in [enclosing(WRAPPER, &[test_of_dora("dora@our.example")]), test_of_dora("dora@our.example")] {
        let verdict = World::forwarding().take(message);
        assert_eq!(served(&verdict), "dora TestMessage");
        assert_eq!(said(&verdict), "Forwarded Unknown", "{}", verdict.why);
        assert!(rows(&verdict, "email").is_empty());
        assert_eq!(rows(&verdict, "pr_settlement").len(), 1, "it goes where the mailbox deletes");
    }
}

#[test]
fn a_strangers_mark_hides_no_mail() {
    check(enclosing(WRAPPER, &[test_of_dora("carol@there.example")]), FORWARDED, "dora Tracked");
}

#[test]
fn several_recipients_are_each_served_by_one_email() {
    let message =
        wrapped(&["From: carol@there.example | To: dora@our.example, desk@our.example | Cc: finn@our.example"]);
    let verdict = check(message, FORWARDED, "dora Tracked, desk Tracked, finn Filtered");
    only::<Email>(&verdict);
    assert_eq!(only::<QueueItem>(&verdict).queue, Some(Ref::new("queue", id("desk@our.example"))));
}

#[test]
fn several_originals_in_one_message() {
    let message = enclosing(
        "From: robot@our.example | To: forward@our.example",
        &[
            mail("From: carol@there.example | To: dora@our.example | Subject: one"),
            mail("From: acme@there.example | To: desk@our.example | Subject: two"),
        ],
    );
    let verdict = check(message, FORWARDED, "dora Tracked, desk Tracked");
    assert_eq!(typed::<Email>(&verdict).len(), 2);
    assert_eq!(
        ledger(&verdict)[..2],
        ["forward@our.example:INBOX 7/1#1 Tracked", "forward@our.example:INBOX 7/1#2 Tracked"]
    );
}

#[test]
fn the_same_original_twice_in_one_message_is_one_email() {
    let text = "From: carol@there.example | To: dora@our.example";
    let verdict = check(wrapped(&[text, text]), FORWARDED, "dora Tracked, dora Duplicate");
    only::<Email>(&verdict);
}

#[test]
fn the_filter_of_the_served_mailbox_decides() {
    let message = wrapped(&["From: carol@there.example | To: finn@our.example"]);
    let mut world = World::forwarding();
    let wrapper = Mail { from: vec![Address::new("", "finn@our.example")], ..message };
    let verdict = world.take(wrapper);
    assert_eq!((said(&verdict).as_str(), served(&verdict).as_str()), ("Forwarded NoCorrelationMatch", "finn Filtered"));
    assert!(rows(&verdict, "email").is_empty());
}

#[test]
fn an_answer_is_tracked_for_who_wants_answers() {
    let mut world = World::forwarding();
    let sent = world.sent("first", "finn@our.example", "carol@there.example", "Order");
    let answer = format!("From: carol@there.example | To: finn@our.example | In-Reply-To: {}", sent.message_id);
    let verdict = world.take(enclosing("From: finn@our.example | To: forward@our.example", &[mail(&answer)]));
    assert_eq!(served(&verdict), "finn Tracked");
    assert_eq!(only::<Email>(&verdict).parent, Some(Ref::new("email", sent.id)));
}

#[test]
fn every_place_that_names_a_recipient_counts() {
    for field in ["To", "Cc", "Bcc", "Delivered-To"] {
        let text = format!("From: carol@there.example | {field}: desk@our.example");
        let message = enclosing("From: robot@our.example | To: forward@our.example", &[mail(&text)]);
        check(message, FORWARDED, "desk Tracked");
    }
}

#[test]
fn mail_by_bcc_is_for_who_passed_it_on() {
    check(wrapped(&["From: carol@there.example | To: list@there.example"]), FORWARDED, "dora Tracked");
}

#[test]
fn who_passed_it_on_is_served_beside_those_named() {
    check(wrapped(&["From: carol@there.example | To: desk@our.example"]), FORWARDED, "desk Tracked, dora Tracked");
}

#[test]
fn who_passed_it_on_stands_in_many_fields() {
    for field in ["Sender", "X-Forwarded-For", "Resent-From", "Resent-Sender"] {
        let outer = format!("From: robot@our.example | To: forward@our.example | {field}: dora@our.example");
        let message = enclosing(&outer, &[mail("From: carol@there.example | To: list@there.example")]);
        check(message, FORWARDED, "dora Tracked");
    }
}

#[test]
fn a_redirected_message_is_its_own_original() {
    for text in [
        "From: carol@there.example | To: dora@our.example | Delivered-To: forward@our.example",
        "From: carol@there.example | To: list@there.example | Delivered-To: dora@our.example forward@our.example",
        "From: carol@there.example | To: list@there.example | Resent-From: Dora <dora@our.example>",
        "From: carol@there.example | To: list@there.example | X-Forwarded-For: dora@our.example forward@our.example",
    ] {
        let verdict = check(mail(text), FORWARDED, "dora Tracked");
        assert_eq!(only::<Email>(&verdict).sender, "carol@there.example");
    }
}

#[test]
fn a_redirected_message_keeps_what_it_encloses_as_its_own_affair() {
    let inner = mail("From: dora@our.example | To: carol@there.example | Subject: what you wrote");
    let verdict = check(
        enclosing("From: carol@there.example | To: dora@our.example | Subject: see attached", &[inner]),
        FORWARDED,
        "dora Tracked",
    );
    assert_eq!(only::<Email>(&verdict).subject, "see attached");
}

#[test]
fn a_rule_that_copies_trace_fields_still_encloses() {
    let outer =
        "From: carol@there.example | To: forward@our.example | Delivered-To: dora@our.example forward@our.example";
    let inner = mail("From: carol@there.example | To: list@there.example | Subject: original");
    let verdict = check(enclosing(outer, &[inner]), FORWARDED, "dora Tracked");
    assert_eq!(only::<Email>(&verdict).subject, "original");
}

#[test]
fn nobodys_mail_is_kept_and_raises_an_alert() {
    let message = enclosing(
        "From: robot@our.example | To: forward@our.example",
        &[mail("From: carol@there.example | To: stranger@there.example")],
    );
    let verdict = check(message, UNCLAIMED, "");
    assert!(rows(&verdict, "pr_settlement").is_empty(), "it would be deleted");
    assert!(rows(&verdict, "email").is_empty());
    assert!(verdict.why.contains("stranger@there.example"), "{}", verdict.why);
    assert!(verdict.why.contains("kept in the mailbox, although"), "{}", verdict.why);
    assert_eq!(only::<TraceLog>(&verdict).regarding, Some(Ref::new("mailbox", id("mailbox forward@our.example"))));
}

#[test]
fn one_alert_for_many_of_them() {
    let mut world = World::forwarding();
    let mut alert = |to: &str| {
        let text = format!("From: carol@there.example | To: {to}");
        let verdict = world.take(enclosing("From: robot@our.example | To: forward@our.example", &[mail(&text)]));
        only::<TraceLog>(&verdict).id
    };
    assert_eq!(alert("a@there.example"), alert("b@there.example"));
}

#[test]
fn no_alert_where_alerts_are_off() {
    let mut world = World::forwarding();
    world.facts.organization.alert_errors = false;
    let verdict = world.receive("From: x@y.example | To: forward@our.example");
    assert!(rows(&verdict, "tracelog").is_empty());
}

#[test]
fn nothing_enclosed_and_nobody_named() {
    let verdict = check(mail("From: x@y.example | To: forward@our.example | Attach: photo.jpg"), UNCLAIMED, "");
    assert!(verdict.why.contains("encloses no message"), "{}", verdict.why);
}

#[test]
fn who_is_read_directly_is_not_served_but_named() {
    let message = enclosing(
        "From: robot@our.example | To: forward@our.example",
        &[mail("From: carol@there.example | To: support@our.example")],
    );
    let verdict = check(message, UNCLAIMED, "");
    assert!(verdict.why.contains("support@our.example has Incoming Email set to"), "{}", verdict.why);
}

#[test]
fn who_is_read_directly_is_named_beside_the_served() {
    let verdict = check(
        wrapped(&["From: carol@there.example | To: dora@our.example, support@our.example"]),
        FORWARDED,
        "dora Tracked",
    );
    assert!(verdict.why.contains("support@our.example has Incoming Email set to"), "{}", verdict.why);
}

fn refused(change: impl FnOnce(&mut World), because: &str) {
    let mut world = World::forwarding();
    change(&mut world);
    let verdict = world.take(wrapped(&["From: carol@there.example | To: dora@our.example"]));
    assert_eq!(said(&verdict), UNCLAIMED, "{}", verdict.why);
    assert!(verdict.why.contains(because), "{}", verdict.why);
}

#[test]
fn the_served_mailbox_must_be_approved_and_active() {
    refused(|w| w.served("dora@our.example").mailbox.approval = Approval::Pending, "not approved");
    refused(|w| w.served("dora@our.example").mailbox.state = model::tables::State::Inactive, "is not active");
    refused(|w| w.served("dora@our.example").active = false, "the user behind dora@our.example is not active");
    refused(|w| w.served("dora@our.example").mailbox.incoming = IncomingMethod::None, "set to 'None'");
}

#[test]
fn without_the_approval_switch_approval_does_not_matter() {
    let mut world = World::forwarding();
    world.served("dora@our.example").mailbox.approval = Approval::Pending;
    world.facts.organization.require_user_approval = false;
    let verdict = world.take(wrapped(&["From: carol@there.example | To: dora@our.example"]));
    assert_eq!(served(&verdict), "dora Tracked");
}

#[test]
fn an_original_that_came_before_is_a_duplicate_with_a_row() {
    let mut world = World::forwarding();
    let inner = mail("From: carol@there.example | To: dora@our.example, desk@our.example");
    let first = world.take(enclosing(WRAPPER, std::slice::from_ref(&inner)));
    let second = world.take(enclosing("From: desk@our.example | To: forward@our.example", &[inner]));
    assert_eq!(served(&second), "dora Duplicate, desk Duplicate");
    assert_eq!(said(&second), "Forwarded Duplicate");
    assert_eq!(second.email, first.email);
    assert!(rows(&second, "email").is_empty());
    assert!(rows(&second, "queueitem").is_empty(), "the queue has its item");
}

#[test]
fn what_a_direct_mailbox_tracked_still_reaches_a_served_queue() {
    let mut world = World::forwarding();
    let forward = world.facts.mailbox.clone();
    let text = "From: carol@there.example | To: support@our.example, desk@our.example";
    world.read("support@our.example");
    let first = world.receive(text);
    assert_eq!(typed::<QueueItem>(&first).len(), 1, "{}", first.why);
    world.facts.mailbox = forward;
    let second = world.take(enclosing("From: desk@our.example | To: forward@our.example", &[mail(text)]));
    assert_eq!(served(&second), "desk Duplicate");
    assert_eq!(only::<QueueItem>(&second).object, first.email.map(|e| Ref::new("email", e)));
}

#[test]
fn handled_messages_are_deleted_where_the_mailbox_says_so() {
    let message = wrapped(&["From: carol@there.example | To: dora@our.example"]);
    let digest = message.header_digest.to_vec();
    let verdict = World::forwarding().take(message.clone());
    let settlement: Settlement = only(&verdict);
    assert_eq!((settlement.header_digest, settlement.position.as_str()), (Some(digest), "7/1"));
    let mut keeping = World::forwarding();
    keeping.facts.mailbox.delete_after = false;
    assert!(rows(&keeping.take(message), "pr_settlement").is_empty());
}

#[test]
fn filtered_messages_are_deleted_too() {
    let inner = mail("From: carol@there.example | To: finn@our.example");
    let verdict = World::forwarding().take(enclosing("From: finn@our.example | To: forward@our.example", &[inner]));
    assert_eq!(rows(&verdict, "pr_settlement").len(), 1);
}

#[test]
fn partly_claimed_is_kept() {
    let message = enclosing(
        "From: robot@our.example | To: forward@our.example",
        &[
            mail("From: carol@there.example | To: dora@our.example"),
            mail("From: carol@there.example | To: stranger@there.example"),
        ],
    );
    let verdict = check(message, UNCLAIMED, "dora Tracked");
    assert!(rows(&verdict, "pr_settlement").is_empty());
    assert_eq!(rows(&verdict, "email").len(), 1);
    assert!(verdict.why.contains("handled for dora@our.example"), "{}", verdict.why);
}

#[test]
fn an_original_without_sender_is_not_tracked() {
    let message = wrapped(&["To: dora@our.example"]);
    check(message, "Forwarded InvalidSender", "dora InvalidSender");
}

#[test]
fn internal_mail_that_the_organization_ignores() {
    let mut world = World::forwarding();
    world.facts.organization.ignore_internal = true;
    let verdict = world.take(wrapped(&["From: alice@our.example | To: dora@our.example, desk@our.example"]));
    assert_eq!(served(&verdict), "dora InternalEmail, desk Tracked");
}

#[test]
fn the_reason_lists_what_became_of_it() {
    let verdict = World::forwarding()
        .take(wrapped(&["From: carol@there.example | To: dora@our.example, finn@our.example | Subject: Hi"]));
    let expected = "'Hi' was handled for dora@our.example (tracked as a new email), finn@our.example (not accepted by the filter).";
    assert_eq!(verdict.why, expected);
}

#[test]
fn a_message_in_a_message_in_a_message_is_not_unwrapped_twice() {
    let innermost = mail("From: x@y.example | To: desk@our.example");
    let inner = enclosing("From: carol@there.example | To: dora@our.example", &[innermost]);
    check(enclosing(WRAPPER, &[inner]), FORWARDED, "dora Tracked");
}

#[test]
fn the_same_message_moved_away_and_back() {
    let mut world = World::forwarding();
    let message = wrapped(&["From: carol@there.example | To: dora@our.example"]);
    world.take(message.clone());
    let again = world.take(message);
    assert_eq!(said(&again), "SeenBefore Duplicate");
    assert_eq!(ledger(&again), ["INBOX 7/2 SeenBefore"]);
}

#[test]
fn nobodys_mail_is_decided_again_when_processed_again() {
    let mut world = World::forwarding();
    world.served("dora@our.example").mailbox.approval = Approval::Pending;
    let arrival = world.arrival(wrapped(&["From: carol@there.example | To: dora@our.example"]));
    let now = crate::incoming::world::now();
    let first = incoming::decide(&arrival, &world.facts, now);
    incoming::learn(&mut world.facts, &first);
    world.served("dora@our.example").mailbox.approval = Approval::Approved;
    let second = incoming::decide(&arrival, &world.facts, now);
    assert_eq!((said(&first).as_str(), said(&second).as_str()), (UNCLAIMED, FORWARDED));
    let creates =
        second.changes.iter().filter(|c| matches!(c, Change::Create(r) if r.table.logical == "pr_ledgerentry"));
    assert_eq!(creates.count(), 0, "the row stands already");
}

#[test]
fn addresses_in_folded_fields() {
    let message = Mail {
        headers: "X-Forwarded-For: a@b.example\r\n c@d.example\r\nTo: e@f.example\r\n".to_owned(),
        ..Mail::default()
    };
    assert_eq!(forwarders(&message), ["a@b.example", "c@d.example"]);
}
