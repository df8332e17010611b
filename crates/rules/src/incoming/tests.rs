//! Tests of the whole decision about a message in a user's or queue's mailbox.

use std::slice::from_ref;

use model::facts::MailFacts;
use model::tables::{
    ActivityParty, Attachment, CorrelationMethod, Email, EmailState, EmailStatus, IncomingFilter, Notifications,
    QueueItem, Settlement, TraceLog,
};
use proptest::prelude::*;

use super::world::{World, enclosing, id, key, ledger, mail, now, only, rows, said, seal, typed};
use super::*;
use crate::token;

const ANYTHING: &str = "From: carol@there.example | To: support@our.example | Subject: Order";

fn support() -> World {
    let mut world = World::usual();
    world.read("support@our.example");
    world
}

fn email(text: &str) -> Email {
    only(&support().receive(text))
}

#[test]
fn who_tracks_everything() {
    support().check(ANYTHING, "Tracked AcceptAll");
}
#[test]
fn who_tracks_answers() {
    let mut world = World::usual();
    let sent = world.sent("first", "alice@our.example", "carol@there.example", "Order");
    let answer = format!("From: carol@there.example | To: alice@our.example | In-Reply-To: {}", sent.message_id);
    world.check(&answer, "Tracked CorrelationMatch");
    world.check("From: carol@there.example | To: alice@our.example", "Filtered NoCorrelationMatch");
}
#[test]
fn another_recipient_accepts() {
    let verdict = World::usual()
        .check("From: carol@there.example | To: alice@our.example, support@our.example", "Tracked AcceptAll");
    let email: Email = only(&verdict);
    assert_eq!(email.accepting_entity, Some(Ref::new("queue", id("support@our.example"))));
    assert_eq!(email.receiving_mailbox, Some(Ref::new("mailbox", id("mailbox alice@our.example"))));
    assert_eq!(only::<QueueItem>(&verdict).queue, Some(Ref::new("queue", id("support@our.example"))));
}
#[test]
fn nobody_is_named() {
    World::usual().check("From: carol@there.example | To: list@there.example", "NoRecipientMatch NoRecipientMatch");
}
#[test]
fn no_sender() {
    support().check("To: support@our.example", "InvalidSender InvalidSender");
    support().check("From: nobody | To: support@our.example", "InvalidSender InvalidSender");
}
#[test]
fn the_reason_names_the_rule_and_who() {
    let verdict = World::usual().receive("From: carol@there.example | To: alice@our.example");
    let why = "alice@our.example tracks only replies to CRM email; this message answers none that is known.";
    assert_eq!(verdict.why, why);
}

#[test]
fn the_email_says_all_that_the_message_said() {
    let email = email(
        "From: carol@there.example | Sender: office@there.example | To: support@our.example, x@y.example \
         | Subject: Order | Message-ID: <1@there.example> | In-Reply-To: <0@there.example> | References: <a@x> <0@there.example>",
    );
    assert_eq!(email.subject, "Order");
    assert_eq!(email.sender, "carol@there.example");
    assert_eq!(email.submitted_by, "office@there.example");
    assert_eq!(email.to_recipients, "support@our.example;x@y.example");
    assert_eq!(email.message_id, "<1@there.example>");
    assert_eq!(email.in_reply_to, "<0@there.example>");
    assert_eq!(email.references, "<a@x> <0@there.example>");
    assert_eq!((email.state, email.status, email.is_outgoing), (EmailState::Completed, EmailStatus::Received, false));
    assert_eq!(email.sent_on, Some("2026-03-01T09:00:00Z".parse().unwrap()));
    assert_eq!(email.received_on, Some(now()));
    assert_eq!(email.email_sender, Some(Ref::new("contact", id("contact carol@there.example"))));
    assert_eq!(email.conversation, Some(email.id));
    assert_eq!(email.correlation, CorrelationMethod::None);
    assert!(email.headers.contains("Sender: office@there.example"));
    assert!(email.blob.is_some() && email.fingerprint.is_some() && email.duplicate_key.is_some());
    assert_eq!(email.owner, Some(Ref::new("systemuser", id("queue owner"))));
}

#[test]
fn plain_text_becomes_html_that_looks_the_same() {
    let email = email("From: x@y.example | To: support@our.example | Body: 1 < 2 & \"so\"");
    assert_eq!(email.description, "<div style=\"white-space:pre-wrap\">1 &lt; 2 &amp; &quot;so&quot;</div>");
}
#[test]
fn html_stays_html() {
    assert_eq!(email("From: x@y.example | To: support@our.example | Html: <b>x</b>").description, "<b>x</b>");
}
#[test]
fn an_empty_html_part_does_not_hide_the_text() {
    let email = email("From: x@y.example | To: support@our.example | Html: | Body: x");
    assert!(email.description.contains(">x<"), "{}", email.description);
}
#[test]
fn nul_bytes_do_not_reach_the_database() {
    let mut message = mail(ANYTHING);
    message.text = Some("a\0b".to_owned());
    message.subject = "a\0b".to_owned();
    message.headers = "X: a\0b".to_owned();
    let email: Email = only(&support().take(message));
    assert!(!format!("{}{}{}", email.description, email.subject, email.headers).contains('\0'));
}
#[test]
fn texts_are_cut_to_their_columns() {
    let mut message = mail(ANYTHING);
    message.subject = "é".repeat(2_000);
    message.to = (0..100).map(|n| model::Address::new("", format!("recipient{n}@there.example"))).collect();
    message.to.push(model::Address::new("", "support@our.example"));
    message.message_id = Some(format!("<{}@x>", "a".repeat(2_000)));
    message.conversation_index = Some(vec![1; 10_000]);
    let email: Email = only(&support().take(message));
    assert_eq!(email.subject.chars().count(), 800);
    assert!(email.to_recipients.len() <= 500 && email.to_recipients.ends_with("@there.example"));
    assert_eq!(email.message_id.len(), 320);
    assert_eq!(email.conversation_index.len(), 2048);
}

#[test]
fn an_answer_takes_over_what_it_belongs_to() {
    let mut world = World::usual();
    let sent = world.sent("first", "alice@our.example", "carol@there.example", "Order");
    let text = format!("From: carol@there.example | To: alice@our.example | In-Reply-To: {}", sent.message_id);
    let email: Email = only(&world.receive(&text));
    let link = Some(Ref::new("email", sent.id));
    assert_eq!((email.parent, email.correlated), (link, link));
    assert_eq!((email.regarding, email.conversation), (sent.regarding, sent.conversation));
    assert_eq!(email.correlation, CorrelationMethod::InReplyTo);
}
#[test]
fn a_token_makes_no_parent() {
    let mut world = World::usual();
    let sent = world.sent("first", "alice@our.example", "carol@there.example", "Order");
    let text = format!("From: carol@there.example | To: alice@our.example | Subject: Re: Order {}", sent.token);
    let email: Email = only(&world.receive(&text));
    assert_eq!((email.parent, email.correlated), (None, Some(Ref::new("email", sent.id))));
    assert_eq!((email.tracking_token, email.regarding), (sent.token, sent.regarding));
}
#[test]
fn a_thread_is_put_together_within_a_batch() {
    let mut world = support();
    let first: Email = only(&world.receive(&format!("{ANYTHING} | Message-ID: <1@there.example>")));
    let answer = "From: x@y.example | To: support@our.example, carol@there.example | In-Reply-To: <1@there.example>";
    let second: Email = only(&world.receive(answer));
    assert_eq!((second.parent, second.conversation), (Some(Ref::new("email", first.id)), Some(first.id)));
}
#[test]
fn an_answer_to_a_strangers_conversation_says_so() {
    let mut world = support();
    world.facts.emails.push(model::facts::StoredEmail {
        message_id: "<0@z.example>".to_owned(),
        participants: ["p@z.example".to_owned()].into(),
        is_outgoing: false,
        ..World::usual().sent("other", "p@z.example", "q@z.example", "Secret")
    });
    let verdict = world.receive(&format!("{ANYTHING} | In-Reply-To: <0@z.example>"));
    assert!(verdict.why.contains("shares no participant"), "{}", verdict.why);
    assert_eq!(only::<Email>(&verdict).correlated, None);
}

#[test]
fn a_second_mailbox_has_its_own_row_and_no_second_email() {
    let mut world = support();
    let text = "From: carol@there.example | To: support@our.example, alice@our.example";
    let first = world.check(text, "Tracked AcceptAll");
    world.read("alice@our.example");
    let second = world.check(text, "Duplicate Duplicate");
    assert_eq!(second.email, first.email);
    assert!(rows(&second, "email").is_empty());
    let row: LedgerEntry = only(&second);
    assert_eq!(row.activity, first.email.map(|e| Ref::new("email", e)));
    assert_eq!(row.mailbox, Some(Ref::new("mailbox", id("mailbox alice@our.example"))));
}
#[test]
fn a_queue_that_gets_the_second_copy_gets_its_item() {
    let mut world = World::usual();
    world.user("bob@our.example", IncomingFilter::All);
    world.read("bob@our.example");
    // A list brings it to both; support is not named.
    let text = "From: carol@there.example | To: list@there.example";
    let first = world.receive(text);
    assert!(rows(&first, "queueitem").is_empty());
    world.read("support@our.example");
    let second = world.check(text, "Duplicate Duplicate");
    assert_eq!(only::<QueueItem>(&second).object, first.email.map(|e| Ref::new("email", e)));
    world.facts.ledger.clear();
    assert!(rows(&world.receive(text), "queueitem").is_empty(), "it has one now");
}
#[test]
fn the_same_id_with_other_content_is_another_email() {
    let mut world = support();
    let text = "From: carol@there.example | To: support@our.example | Message-ID: <1@x>";
    let first = world.check(text, "Tracked AcceptAll");
    let second = world.check(&format!("{text} | Date: 2026-02-01T00:00:00Z"), "Tracked AcceptAll");
    assert_ne!(first.email, second.email);
    assert_ne!(only::<Email>(&first).duplicate_key, only::<Email>(&second).duplicate_key);
}
#[test]
fn email_between_us_is_two_activities() {
    let mut world = support();
    let sent = world.sent("first", "alice@our.example", "support@our.example", "Order");
    let text = format!("From: alice@our.example | To: support@our.example | Message-ID: {}", sent.message_id);
    let verdict = world.check(&text, "Tracked AcceptAll");
    let email: Email = only(&verdict);
    assert_eq!((email.correlation, email.regarding), (CorrelationMethod::XHeader, sent.regarding));
    assert_eq!((email.conversation, email.parent), (sent.conversation, None));
}
#[test]
fn email_between_us_reaches_who_tracks_only_answers() {
    let mut world = World::usual();
    let sent = world.sent("first", "support@our.example", "alice@our.example", "Order");
    let text = format!("From: support@our.example | To: alice@our.example | Message-ID: {}", sent.message_id);
    world.check(&text, "Tracked CorrelationMatch");
}
#[test]
fn email_between_us_that_is_ignored_is_the_sent_one_in_the_queue() {
    let mut world = support();
    world.facts.organization.ignore_internal = true;
    let sent = world.sent("first", "alice@our.example", "support@our.example", "Order");
    let text = format!("From: alice@our.example | To: support@our.example | Message-ID: {}", sent.message_id);
    let verdict = world.check(&text, "Duplicate Duplicate");
    assert_eq!(verdict.email, Some(sent.id));
    assert_eq!(only::<QueueItem>(&verdict).object, Some(Ref::new("email", sent.id)));
}
#[test]
fn a_copy_of_what_was_sent_from_here() {
    let mut world = support();
    let sent = world.sent("first", "support@our.example", "carol@there.example", "Order");
    let text = format!("From: support@our.example | To: carol@there.example | Message-ID: {}", sent.message_id);
    let verdict = world.check(&text, "OwnCopy Duplicate");
    assert_eq!(verdict.email, Some(sent.id));
}
#[test]
fn what_was_sent_to_oneself_is_mail() {
    let mut world = support();
    let sent = world.sent("first", "support@our.example", "support@our.example", "Note");
    let text = format!("From: support@our.example | To: support@our.example | Message-ID: {}", sent.message_id);
    world.check(&text, "Tracked AcceptAll");
}

#[test]
fn a_new_uid_validity_creates_nothing() {
    let mut world = support();
    let first = world.receive(ANYTHING);
    let mut arrival = world.arrival(mail(ANYTHING));
    arrival.position = Position::Imap { folder: "INBOX".to_owned(), uid_validity: 8, uid: 1 };
    let second = decide(&arrival, &world.facts, now());
    assert_eq!((said(&second).as_str(), second.email), ("SeenBefore Duplicate", first.email));
    assert_eq!(ledger(&second), ["INBOX 8/1 SeenBefore"]);
    assert_eq!(second.changes.len(), 1, "only the ledger row");
}
#[test]
fn seen_before_is_deleted_where_the_first_would_be() {
    let mut world = support();
    world.facts.mailbox.delete_after = true;
    world.receive(ANYTHING);
    let second = world.receive(ANYTHING);
    assert_eq!(said(&second), "SeenBefore Duplicate");
    assert_eq!(only::<Settlement>(&second).position, "7/2");
}
#[test]
fn what_waits_elsewhere_does_not_make_it_seen() {
    let mut world = support();
    let first = world.arrival(mail(ANYTHING));
    let waiting = failed(&first.poison(&world.facts), 1, "no room", now());
    learn(&mut world.facts, &waiting);
    world.check(ANYTHING, "Tracked AcceptAll");
}
#[test]
fn filtered_once_is_filtered_again() {
    let mut world = World::usual();
    let text = "From: carol@there.example | To: alice@our.example";
    world.check(text, "Filtered NoCorrelationMatch");
    world.check(text, "SeenBefore Duplicate");
}
#[test]
fn work_that_runs_twice_changes_nothing() {
    let mut world = support();
    let arrival = world.arrival(mail(ANYTHING));
    let first = decide(&arrival, &world.facts, now());
    learn(&mut world.facts, &first);
    let second = decide(&arrival, &world.facts, now());
    assert_eq!((said(&second).as_str(), second.email), ("SeenBefore Duplicate", first.email));
    assert!(second.changes.is_empty());
}
#[test]
fn what_was_filtered_can_be_processed_again() {
    let mut world = World::usual();
    let arrival = world.arrival(mail("From: carol@there.example | To: alice@our.example"));
    let first = decide(&arrival, &world.facts, now());
    learn(&mut world.facts, &first);
    world.served("alice@our.example").filter = IncomingFilter::All;
    let second = decide(&arrival, &world.facts, now());
    assert_eq!(said(&second), "Tracked AcceptAll");
    assert!(second.changes.iter().any(|c| matches!(c, Change::Update(u) if u.table.logical == "pr_ledgerentry")));
}

#[test]
fn what_was_filtered_can_be_tracked_by_hand() {
    let mut world = World::usual();
    let arrival = world.arrival(mail("From: carol@there.example | To: alice@our.example"));
    let first = decide(&arrival, &world.facts, now());
    assert_eq!(said(&first), "Filtered NoCorrelationMatch");
    learn(&mut world.facts, &first);
    let by_hand = Arrival { position: handed::position(&arrival.mail), ..arrival };
    assert_eq!(said(&decide(&by_hand, &world.facts, now())), "SeenBefore Duplicate");

    let alice = Ref::new("systemuser", id("alice@our.example"));
    let aside = handed::tracked_by(alice, &mut world.facts).expect("alice has a mailbox");
    let mut second = decide(&by_hand, &world.facts, now());
    handed::settle_aside(&aside, &by_hand.mail, &mut second);
    assert_eq!(said(&second), "Tracked AcceptAll");
    // The row of the message in the mailbox says what became of it, too.
    let Some(Change::Update(update)) = second.changes.last() else { panic!("{:?}", second.changes) };
    assert_eq!((update.table, update.id), (LedgerEntry::TABLE, aside[0].id));
    let email = second.email.map(|email| model::Value::Ref(Ref::new("email", email)));
    assert_eq!(update.set.iter().find(|(name, _)| *name == "pr_activityid").map(|(_, v)| v.clone()), email);
    // Once more, there is nothing to track.
    learn(&mut world.facts, &second);
    assert_eq!(said(&decide(&by_hand, &world.facts, now())), "SeenBefore Duplicate");
}

/// A test's message in alice's mailbox with this value of the mark.
fn test_message(from: &str, value: &str) -> Verdict {
    World::usual().receive(&format!("From: {from} | To: alice@our.example | Mark: {TEST_MARK}={value}"))
}
#[test]
fn the_mailboxs_own_test_message_is_removed() {
    let verdict = test_message("alice@our.example", &id("mailbox alice@our.example").to_string());
    assert_eq!(said(&verdict), "TestMessage Unknown");
    assert_eq!(only::<Settlement>(&verdict).position, "7/1");
    assert!(rows(&verdict, "email").is_empty());
}
#[test]
fn another_test_or_a_forged_one_is_mail() {
    let other = test_message("alice@our.example", &id("mailbox support@our.example").to_string());
    assert_eq!(said(&other), "Filtered NoCorrelationMatch");
    let forged = test_message("x@y.example", &id("mailbox alice@our.example").to_string());
    assert_eq!(said(&forged), "Filtered NoCorrelationMatch");
    assert!(rows(&forged, "pr_settlement").is_empty());
}

/// What stays of these attachments: their names, and the notification.
fn attached(names: &[&str], change: impl FnOnce(&mut World, &mut Mail)) -> (Vec<String>, Verdict) {
    let mut world = support();
    let fields: Vec<String> = names.iter().map(|n| format!(" | Attach: {n}")).collect();
    let mut message = mail(&format!("{ANYTHING}{}", fields.concat()));
    change(&mut world, &mut message);
    let verdict = world.take(message);
    let kept: Vec<Attachment> = typed(&verdict);
    (kept.into_iter().map(|a| format!("{} {}", a.number, a.file_name)).collect(), verdict)
}
#[test]
fn attachments_are_numbered_rows() {
    let (kept, verdict) = attached(&["a.pdf", "b.png"], |_, _| {});
    assert_eq!(kept, ["1 a.pdf", "2 b.png"]);
    let email: Email = only(&verdict);
    assert_eq!((email.attachment_count, email.notifications), (2, Notifications::None));
}
#[test]
fn attachments_share_the_blob() {
    let (_, verdict) = attached(&["a.pdf"], |_, mail| {
        mail.attachments[0].place = "10+20:base64".parse().unwrap();
        mail.attachments[0].content_id = Some("pic@x".to_owned());
        mail.attachments[0].inline = true;
    });
    let row: Attachment = only(&verdict);
    assert_eq!((row.blob, row.place.as_str()), (only::<Email>(&verdict).blob, "10+20:base64"));
    assert_eq!((row.content_id.as_str(), row.is_inline), ("pic@x", true));
}
#[test]
fn blocked_kinds_are_not_kept() {
    let names = ["a.exe", "b.EXE", "c.pdf.js", "d.exe.", "e.exe ", "f.pdf", "exe", "g.exe.txt", ".vbs"];
    let (kept, verdict) = attached(&names, |_, _| {});
    assert_eq!(kept, ["6 f.pdf", "7 exe", "8 g.exe.txt"]);
    let email: Email = only(&verdict);
    assert_eq!((email.attachment_count, email.notifications), (3, Notifications::AttachmentsBlocked));
    assert!(verdict.why.contains("a.exe (files of this kind are blocked)"), "{}", verdict.why);
}
#[test]
fn the_list_of_kinds_may_be_written_in_any_way() {
    let change =
        |world: &mut World, _: &mut Mail| world.facts.organization.blocked_attachments = " .exe ; ;JS".to_owned();
    assert_eq!(attached(&["a.exe", "b.js", "c.", "d"], change).0, ["3 c.", "4 d"]);
}
#[test]
fn too_large_is_not_kept_but_the_email_is() {
    let (kept, verdict) = attached(&["a.pdf", "b.pdf"], |world, mail| {
        world.facts.organization.max_upload = 10;
        mail.attachments[1].size = 11;
    });
    assert_eq!(kept, ["1 a.pdf"]);
    assert_eq!(only::<Email>(&verdict).notifications, Notifications::AttachmentsBlocked);
}
#[test]
fn a_cut_body_is_noted() {
    assert_eq!(email(&format!("{ANYTHING} | Truncated: yes")).notifications, Notifications::TruncatedBody);
}
#[test]
fn a_place_too_long_for_its_column_is_left_out() {
    let (kept, _) = attached(&["a.pdf"], |_, mail| {
        mail.attachments[0].place = ["1+2:base64"; 50].join("/").parse().unwrap();
    });
    assert!(kept.is_empty());
}

#[test]
fn nothing_is_deleted_from_a_users_mailbox() {
    let mut world = World::usual();
    world.facts.mailbox.delete_after = true;
    let verdict = world.receive("From: carol@there.example | To: alice@our.example, support@our.example");
    assert!(rows(&verdict, "pr_settlement").is_empty());
}
#[test]
fn a_queue_that_deletes_deletes_whatever_was_evaluated() {
    for text in [ANYTHING, "From: nobody | To: support@our.example", "From: carol@there.example | To: list@x.example"] {
        for filter in [IncomingFilter::All, IncomingFilter::None] {
            let mut world = support();
            world.served("support@our.example").filter = filter;
            world.facts.mailbox.delete_after = true;
            let message = mail(text);
            let (size, digest) = (message.size as i64, message.header_digest.to_vec());
            let row: Settlement = only(&world.take(message));
            assert_eq!((row.size, row.header_digest), (size, Some(digest)));
        }
    }
}

#[test]
fn a_row_has_the_same_id_whenever_it_is_written() {
    let mut world = support();
    let arrival = world.arrival(mail(ANYTHING));
    let early: LedgerEntry = only(&decide(&arrival, &world.facts, now()));
    let later = "2026-05-05T05:05:05Z".parse().unwrap();
    let late: LedgerEntry = only(&decide(&Arrival { received: None, ..arrival }, &world.facts, later));
    assert_eq!(early.id, late.id);
}
#[test]
fn trouble_waits_four_times_and_fails_the_fifth() {
    let mut world = support();
    let arrival = world.arrival(mail(ANYTHING));
    for attempt in 1..=4 {
        let verdict = failed(&arrival.poison(&world.facts), attempt, "no room", now());
        assert_eq!(said(&verdict), "Waiting Unknown");
        assert!(rows(&verdict, "tracelog").is_empty());
        assert_eq!(only::<LedgerEntry>(&verdict).attempts, attempt);
    }
    let verdict = failed(&arrival.poison(&world.facts), 5, "no room", now());
    assert_eq!(said(&verdict), "Failed Unknown");
    assert!(only::<TraceLog>(&verdict).text.contains("no room"));
    learn(&mut world.facts, &verdict);
    let again = decide(&Arrival { attempts: 5, ..arrival }, &world.facts, now());
    assert_eq!(said(&again), "Tracked AcceptAll");
    assert!(!again.changes.iter().any(|c| matches!(c, Change::Create(r) if r.table.logical == "pr_ledgerentry")));
}
#[test]
fn what_could_not_be_read_waits_and_is_neither_lost_nor_mistaken() {
    let mut world = support();
    world.facts.mailbox.delete_after = true;
    for uid in 1..=2 {
        let verdict = world.take(Mail::default());
        assert_eq!(said(&verdict), "Waiting Unknown");
        assert_eq!(ledger(&verdict), [format!("INBOX 7/{uid} Waiting")]);
        assert!(rows(&verdict, "pr_settlement").is_empty());
    }
    let arrival = Arrival { attempts: 4, ..world.arrival(Mail::default()) };
    assert_eq!(said(&decide(&arrival, &world.facts, now())), "Failed Unknown");
}
#[test]
fn a_long_thread_keeps_its_newest_references() {
    let many: Vec<String> = (0..1_000).map(|n| format!("<reference-{n}@there.example>")).collect();
    let email = email(&format!("{ANYTHING} | References: {}", many.join(" ")));
    assert!(email.references.len() <= 8_000 && email.references.ends_with("<reference-999@there.example>"));
    assert!(email.references.starts_with('<'), "{}", &email.references[..40]);
}
#[test]
fn an_email_that_somebody_brought_in_is_the_same_by_its_id() {
    let mut world = support();
    let brought = model::facts::StoredEmail {
        is_outgoing: false,
        message_id: "<1@x>".to_owned(),
        ..World::usual().sent("old", "carol@there.example", "support@our.example", "Order")
    };
    world.facts.emails.push(brought);
    let verdict = world.check(&format!("{ANYTHING} | Message-ID: <1@x>"), "Duplicate Duplicate");
    assert_eq!(verdict.email, Some(id("old")));
}
#[test]
fn a_reason_stays_readable_with_a_hundred_recipients() {
    let mut world = support();
    let users: Vec<String> = (0..100).map(|n| format!("u{n}@our.example")).collect();
    users.iter().for_each(|u| world.user(u, IncomingFilter::All));
    let verdict = world.receive(&format!("{ANYTHING}, {}", users.join(", ")).replace(" | Subject: Order", ""));
    assert!(verdict.why.contains("and 91 more"), "{}", verdict.why);
}

#[test]
fn trouble_is_never_a_reason_to_delete() {
    let mut world = support();
    world.facts.mailbox.delete_after = true;
    let arrival = world.arrival(mail(ANYTHING));
    for attempt in 1..=6 {
        assert!(rows(&failed(&arrival.poison(&world.facts), attempt, "x", now()), "pr_settlement").is_empty());
    }
}
#[test]
fn what_the_server_does_not_deliver_has_a_row() {
    let position = Position::Pop3 { uidl: "abc".to_owned() };
    let world = support();
    let (mailbox, organization) = (&world.facts.mailbox, &world.facts.organization);
    let verdict = undeliverable(mailbox, organization, &position, "-ERR gone", now());
    assert_eq!(ledger(&verdict), ["INBOX abc Unreadable"]);
    assert_eq!(verdict.why, "-ERR gone.");
    let alert: TraceLog = only(&verdict);
    assert!(alert.text.contains("INBOX:abc") && alert.text.contains("-ERR gone."), "{}", alert.text);
    // The same mailbox and day: the same alert.
    let next = Position::Pop3 { uidl: "abd".to_owned() };
    assert_eq!(only::<TraceLog>(&undeliverable(mailbox, organization, &next, "x", now())).id, alert.id);
}
#[test]
fn what_cannot_be_read_again_fails_in_the_end() {
    let world = support();
    let mut row = LedgerEntry { attempts: 1, ..LedgerEntry::blank(id("row")) };
    for (attempts, expected, alerts) in [(1, "Waiting", 0), (3, "Waiting", 0), (4, "Failed", 1)] {
        row.attempts = attempts;
        let verdict = failed_again(&row, &world.facts.mailbox, &world.facts.organization, "it is damaged", now());
        assert_eq!(format!("{:?}", verdict.disposition), expected);
        assert_eq!(rows(&verdict, "tracelog").len(), alerts);
        assert!(verdict.why.contains("it is damaged"));
        assert!(matches!(&verdict.changes[0], Change::Update(update) if update.id == row.id));
    }
}
#[test]
fn attempts_are_spaced() {
    let minutes: Vec<_> = ripe(now()).into_iter().map(|(n, at)| (n, now().duration_since(at).as_mins())).collect();
    assert_eq!(minutes, [(1, 1), (2, 5), (3, 15), (4, 60)]);
    assert_eq!(minutes.len() as i64, ATTEMPTS - 1);
}
#[test]
fn another_message_under_an_old_number_is_not_the_old_one() {
    let mut world = support();
    let first = world.receive(ANYTHING);
    let mut other = world.arrival(mail("From: carol@there.example | To: support@our.example | Subject: other"));
    other.position = Position::Imap { folder: "INBOX".to_owned(), uid_validity: 7, uid: 1 };
    assert_eq!(ledger(&first), ["INBOX 7/1 Tracked"]);
    let second = decide(&other, &world.facts, now());
    assert_eq!(said(&second), "Tracked AcceptAll");
    assert_ne!(second.email, first.email);
}
#[test]
fn records_come_before_the_row_that_refers_to_them() {
    let verdict = support().receive(ANYTHING);
    let tables: Vec<&str> = verdict.changes.iter().map(|c| c.target().table).collect();
    assert_eq!(tables, ["email", "activityparty", "activityparty", "queueitem", "pr_ledgerentry"]);
}

#[test]
fn keys_ask_for_all_that_deciding_needs() {
    let mut world = World::forwarding();
    let sent = world.sent("first", "dora@our.example", "carol@there.example", "Order");
    let inner = format!(
        "From: carol@there.example | To: dora@our.example | Message-ID: <1@x> | In-Reply-To: <0@x> | References: <r@x> \
         | Thread: t | Subject: Re: {} | Bcc: b@x.example | Sender: s@x.example",
        sent.token
    );
    let outer =
        "From: robot@our.example | To: forward@our.example | X-Forwarded-For: finn@our.example | Message-ID: <2@x>";
    let arrival = world.arrival(enclosing(outer, &[mail(&inner)]));
    let keys = keys(from_ref(&arrival), id("mailbox"), &["CRM:".to_owned()]);
    for address in [
        "carol@there.example",
        "dora@our.example",
        "b@x.example",
        "s@x.example",
        "finn@our.example",
        "robot@our.example",
    ] {
        assert!(keys.addresses.contains(address), "{address}");
    }
    for id in ["<0@x>", "<1@x>", "<2@x>", "<r@x>"] {
        assert!(keys.message_ids.contains(id), "{id}");
    }
    assert!(keys.tokens.contains(&sent.token));
    assert_eq!((keys.fingerprints.len(), keys.duplicate_keys.len(), keys.conversations.len()), (2, 2, 1));
    assert_eq!(keys.mailbox, id("mailbox"));
}

fn any_address() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("alice@our.example".to_owned()),
        Just("support@our.example".to_owned()),
        Just("dora@our.example".to_owned()),
        Just("finn@our.example".to_owned()),
        Just("desk@our.example".to_owned()),
        Just("carol@there.example".to_owned()),
        Just("forward@our.example".to_owned()),
        "\\PC{0,12}",
    ]
}

fn any_addresses() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(any_address(), 0..4)
}

fn any_id() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        Just(None),
        Just(Some("<1@x>".to_owned())),
        Just(Some(token::message_id(id("first"), "our.example", &key()))),
        "\\PC{0,400}".prop_map(Some),
    ]
}

fn any_ids() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(any_id().prop_map(Option::unwrap_or_default), 0..3)
}

fn any_subject() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(format!("Re: {}", token::make(id("first"), "CRM:", &key()))),
        Just("Order".to_owned()),
        "\\PC{0,40}",
        ".{0,40}",
    ]
}

prop_compose! {
    /// Any message, most of it plausible enough to get somewhere.
    fn any_mail()(
        (from, to, cc, delivered_to) in (any_addresses(), any_addresses(), any_addresses(), any_addresses()),
        (message_id, in_reply_to, references) in (any_id(), any_ids(), any_ids()),
        conversation_index in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..40)),
        subject in any_subject(),
        automatic in any::<bool>(),
        body in "\\PC{0,40}",
        date in proptest::option::of(0_i64..9),
    ) -> Mail {
        let all = |list: Vec<String>| list.into_iter().map(|a| model::Address::new("", a)).collect::<Vec<_>>();
        let mut mail = Mail {
            sender: all(cc.clone()).pop(),
            from: all(from),
            to: all(to),
            cc: all(cc),
            delivered_to,
            message_id,
            in_reply_to,
            references,
            conversation_index,
            subject,
            automatic,
            text: Some(body),
            date: date.and_then(|d| Timestamp::from_second(d).ok()),
            ..Mail::default()
        };
        seal(&mut mail);
        mail
    }
}

fn worlds() -> Vec<World> {
    let mut worlds = vec![World::usual(), support(), World::forwarding(), World::forwarding()];
    worlds[3].facts.organization.ignore_internal = true;
    worlds[1].facts.organization.ignore_internal = true;
    for world in &mut worlds {
        world.sent("first", "alice@our.example", "carol@there.example", "Order");
        world.facts.mailbox.delete_after = true;
    }
    worlds
}

/// Looks at what must hold for every verdict.
fn sound(verdict: &Verdict, facts: &MailFacts, arrival: &Arrival) -> Result<(), TestCaseError> {
    prop_assert!(!verdict.why.trim().is_empty());
    let mut ids: Vec<_> =
        verdict.changes.iter().filter(|c| !matches!(c, Change::Update(_))).map(Change::target).collect();
    let count = ids.len();
    ids.sort();
    ids.dedup();
    prop_assert_eq!(ids.len(), count, "two changes create one row");
    let own = typed::<LedgerEntry>(verdict).into_iter().filter(|r| r.mailbox.is_some_and(|m| m.id == facts.mailbox.id));
    prop_assert_eq!(own.count(), 1, "one row for the message in its mailbox");
    for change in &verdict.changes {
        let (Change::Create(record) | Change::Ensure(record)) = change else { continue };
        for column in record.table.columns {
            if let (model::Kind::Text { max }, Some(text)) = (column.kind, record.get(column.name).as_text()) {
                prop_assert!(text.chars().count() <= max, "{} is too long", column.name);
                prop_assert!(!text.contains('\0'));
            }
        }
    }
    let emails = rows(verdict, "email").len();
    prop_assert!(emails == 0 || verdict.email.is_some() || verdict.disposition == Disposition::Unclaimed);
    for party in typed::<ActivityParty>(verdict) {
        prop_assert!(party.activity.is_some());
    }
    let keys = keys(from_ref(arrival), facts.mailbox.id, &["CRM:".to_owned(), "OLD:".to_owned()]);
    for email in typed::<Email>(verdict) {
        prop_assert!(keys.duplicate_keys.contains(&email.duplicate_key.unwrap_or_default()));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn any_message_is_decided_the_same_twice_and_tracked_once(
        outer in any_mail(),
        inner in proptest::collection::vec(any_mail(), 0..3),
        attempts in 0_i64..2,
    ) {
        let mut outer = outer;
        outer.enclosed = inner.into_iter().map(|mail| model::mail::Enclosed { mail, place: model::mail::Place::default() }).collect();
        for mut world in worlds() {
            let mut arrival = world.arrival(outer.clone());
            arrival.attempts = attempts;
            let first = decide(&arrival, &world.facts, now());
            prop_assert_eq!(&first, &decide(&arrival, &world.facts, now()));
            sound(&first, &world.facts, &arrival)?;
            learn(&mut world.facts, &first);
            let same = decide(&arrival, &world.facts, now());
            prop_assert!(rows(&same, "email").is_empty(), "tracked twice at one position");
            let moved = world.take(outer.clone());
            prop_assert!(rows(&moved, "email").is_empty(), "tracked twice at two positions");
            if finished_here(&first) {
                prop_assert_eq!(moved.disposition, Disposition::SeenBefore);
            }
            sound(&moved, &world.facts, &arrival)?;
            // In somebody else's mailbox it is a copy.
            if let (Some(email), Disposition::Tracked) = (first.email, first.disposition) {
                let other = if world.facts.mailbox.address.starts_with("alice") { "support@our.example" } else { "alice@our.example" };
                world.read(other);
                let copy = world.take(outer.clone());
                prop_assert!(rows(&copy, "email").is_empty());
                prop_assert!(copy.email == Some(email) || copy.disposition == Disposition::OwnCopy);
            }
        }
    }
}

fn finished_here(verdict: &Verdict) -> bool {
    !matches!(verdict.disposition, Disposition::Unclaimed)
}
