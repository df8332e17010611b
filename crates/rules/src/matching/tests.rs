//! Tests of identity and correlation.

use model::facts::StoredEmail;

use super::*;
use crate::incoming::world::{World, enclosing, id, key, mail};

/// alice wrote to carol: `first`.
fn world() -> (World, StoredEmail) {
    let mut world = World::usual();
    let sent = world.sent("first", "alice@our.example", "carol@there.example", "Your order");
    (world, sent)
}

fn found(world: &World, mail: &Mail) -> String {
    let own = [world.facts.mailbox.address.clone()].into();
    let found = correlate(mail, &world.facts, &own);
    match found.email {
        Some(email) => {
            let name = ["first", "second", "third"].into_iter().find(|n| id(n) == email.id).unwrap_or("another");
            format!("{name} {:?}", found.method)
        }
        None => found.notes.join("; "),
    }
}

/// `{id}`, `{token}` stand for those of `first`.
fn check(text: &str, expected: &str) {
    let (world, sent) = world();
    let text = text.replace("{id}", &sent.message_id).replace("{token}", &sent.token);
    assert_eq!(found(&world, &mail(&text)), expected, "{text}");
}

const ANSWER: &str = "From: carol@there.example | To: alice@our.example";

#[test]
fn in_reply_to_is_an_answer() {
    check(&format!("{ANSWER} | In-Reply-To: {{id}}"), "first InReplyTo");
}
#[test]
fn the_second_id_in_in_reply_to_counts() {
    check(&format!("{ANSWER} | In-Reply-To: <other@x> {{id}}"), "first InReplyTo");
}
#[test]
fn references_are_an_answer() {
    check(&format!("{ANSWER} | References: <a@x> {{id}} <b@x>"), "first InReplyTo");
}
#[test]
fn the_subject_plays_no_part_in_it() {
    check(&format!("{ANSWER} | Subject: Something else | In-Reply-To: {{id}}"), "first InReplyTo");
}
#[test]
fn a_signed_id_proves_itself_whoever_answers_to_whom() {
    check("From: colleague@there.example | To: other@our.example | In-Reply-To: {id}", "first InReplyTo");
}
#[test]
fn nothing_answered() {
    check(ANSWER, "");
    check(&format!("{ANSWER} | In-Reply-To: <unknown@x>"), "");
}
#[test]
fn a_token_is_of_the_conversation() {
    check(&format!("{ANSWER} | Subject: Re: Your order {{token}}"), "first TrackingToken");
}
#[test]
fn headers_go_before_the_token() {
    let (mut world, sent) = world();
    let other = world.sent("second", "alice@our.example", "carol@there.example", "Another");
    let text = format!("{ANSWER} | In-Reply-To: {} | Subject: {}", sent.message_id, other.token);
    assert_eq!(found(&world, &mail(&text)), "first InReplyTo");
}
#[test]
fn a_token_between_others_is_not_followed() {
    check(
        "From: x@y.example | To: support@our.example | Subject: {token}",
        &format!("the tracking token {} belongs to a conversation between others", world().1.token),
    );
}
#[test]
fn a_token_with_a_participant_in_cc_is_followed() {
    check(
        "From: x@y.example | To: support@our.example | Cc: carol@there.example | Subject: {token}",
        "first TrackingToken",
    );
}
#[test]
fn an_edited_token_is_not_followed() {
    let (world, sent) = world();
    let body = &sent.token[4..];
    let edited = format!("CRM:{}{}", if body.starts_with('7') { "8" } else { "7" }, &body[1..]);
    let text = format!("{ANSWER} | Subject: {edited}");
    assert_eq!(found(&world, &mail(&text)), format!("the tracking token {edited} was not made here"));
}
#[test]
fn a_genuine_token_of_an_email_that_is_gone() {
    let (world, _) = world();
    let token = token::make(id("gone"), "CRM:", &key());
    let text = format!("{ANSWER} | Subject: {token}");
    assert_eq!(found(&world, &mail(&text)), format!("the tracking token {token} belongs to no email that is known"));
}
#[test]
fn numbers_of_other_systems_are_not_tokens() {
    check(&format!("{ANSWER} | Subject: Re: Your order CRM:0001005"), "");
}
#[test]
fn no_tokens_where_the_organization_has_none() {
    let (mut world, sent) = world();
    world.facts.organization.tracking_tokens = false;
    assert_eq!(found(&world, &mail(&format!("{ANSWER} | Subject: {}", sent.token))), "");
}
#[test]
fn no_tokens_without_a_key() {
    let (mut world, sent) = world();
    world.facts.signing_key = None;
    assert_eq!(found(&world, &mail(&format!("{ANSWER} | Subject: {}", sent.token))), "");
}
#[test]
fn without_correlation_only_tokens_count() {
    let (mut world, sent) = world();
    world.facts.organization.correlation = false;
    assert_eq!(found(&world, &mail(&format!("{ANSWER} | In-Reply-To: {}", sent.message_id))), "");
    let both = format!("{ANSWER} | In-Reply-To: {} | Subject: {}", sent.message_id, sent.token);
    assert_eq!(found(&world, &mail(&both)), "first TrackingToken");
}

/// `first` as something that arrived, with an id that anybody may have chosen.
fn foreign() -> World {
    let (mut world, _) = world();
    let email = &mut world.facts.emails[0];
    email.is_outgoing = false;
    email.message_id = "<chosen@there.example>".to_owned();
    world
}
#[test]
fn a_foreign_id_needs_a_participant() {
    let check = |text: &str, expected: &str| assert_eq!(found(&foreign(), &mail(text)), expected, "{text}");
    check(&format!("{ANSWER} | In-Reply-To: <chosen@there.example>"), "first InReplyTo");
    check(
        "From: x@y.example | To: q@y.example, carol@there.example | In-Reply-To: <chosen@there.example>",
        "first InReplyTo",
    );
    // The mailbox that holds the message took part.
    check("From: x@y.example | To: list@y.example | In-Reply-To: <chosen@there.example>", "first InReplyTo");
}
#[test]
fn a_foreign_id_between_others_is_noted() {
    let mut world = foreign();
    world.read("support@our.example");
    let message = mail("From: x@y.example | To: support@our.example | In-Reply-To: <chosen@there.example>");
    let note = "it names <chosen@there.example> as what it answers, but shares no participant with that email";
    assert_eq!(found(&world, &message), note);
}
#[test]
fn the_newest_reference_goes_first() {
    let (mut world, first) = world();
    let second = world.sent("second", "alice@our.example", "carol@there.example", "Your order");
    let text = format!("{ANSWER} | References: {} {}", first.message_id, second.message_id);
    assert_eq!(found(&world, &mail(&text)), "second InReplyTo");
    let text = format!("{ANSWER} | References: {} {}", second.message_id, first.message_id);
    assert_eq!(found(&world, &mail(&text)), "first InReplyTo");
}
#[test]
fn in_reply_to_goes_before_references() {
    let (mut world, first) = world();
    let second = world.sent("second", "alice@our.example", "carol@there.example", "Your order");
    let text = format!("{ANSWER} | In-Reply-To: {} | References: {}", first.message_id, second.message_id);
    assert_eq!(found(&world, &mail(&text)), "first InReplyTo");
}
#[test]
fn what_was_sent_goes_before_the_copy_that_arrived() {
    let (mut world, first) = world();
    world.facts.emails.insert(0, StoredEmail { id: id("second"), is_outgoing: false, ..first.clone() });
    assert_eq!(found(&world, &mail(&format!("{ANSWER} | In-Reply-To: {}", first.message_id))), "first InReplyTo");
}
#[test]
fn a_message_does_not_answer_itself() {
    let mut world = foreign();
    world.facts.emails[0].message_id = "<self@x>".to_owned();
    assert_eq!(found(&world, &mail(&format!("{ANSWER} | Message-ID: <self@x> | In-Reply-To: <self@x>"))), "");
}
#[test]
fn a_thousand_references_are_not_all_followed() {
    let many: Vec<String> = (0..1_000).map(|n| format!("<r{n}@x>")).collect();
    assert_eq!(answered(&mail(&format!("{ANSWER} | References: {}", many.join(" ")))).count(), MOST_REFERENCES);
}
#[test]
fn a_report_answers_what_it_encloses() {
    let (world, sent) = world();
    let original =
        mail(&format!("From: alice@our.example | To: carol@there.example | Message-ID: {}", sent.message_id));
    let report = "From: mailer-daemon@there.example | To: alice@our.example | Automatic: yes";
    assert_eq!(found(&world, &enclosing(report, std::slice::from_ref(&original))), "first InReplyTo");
    let person = "From: x@y.example | To: alice@our.example";
    assert_eq!(found(&world, &enclosing(person, &[original])), "");
}

/// `first` with a conversation index.
fn indexed() -> World {
    let (mut world, _) = world();
    let message = mail("Thread: t");
    world.facts.emails[0].conversation_hash = conversation_hash(&message);
    world.facts.emails[0].conversation_index = STANDARD.encode(message.conversation_index.unwrap());
    world
}
#[track_caller]
fn check_thread(text: &str, expected: &str) {
    assert_eq!(found(&indexed(), &mail(text)), expected, "{text}");
}
const OTHERS: &str = "its conversation index belongs to a conversation between others";
#[test]
fn the_conversation_index_with_the_same_people() {
    check_thread(&format!("{ANSWER} | Subject: Something else | Thread: t"), "first ConversationIndex");
    check_thread(
        "From: x@y.example | To: support@our.example | Cc: carol@there.example | Thread: t",
        "first ConversationIndex",
    );
    check_thread(&format!("{ANSWER} | Subject: Re: Your order | Thread: u"), "");
}
#[test]
fn the_author_may_be_one_of_us() {
    check_thread("From: alice@our.example | To: support@our.example | Thread: t", "first ConversationIndex");
}
#[test]
fn a_conversation_index_of_others_is_not_followed() {
    check_thread("From: x@y.example | To: z@y.example | Subject: AW: Re: your ORDER | Thread: t", OTHERS);
    // Whom a stranger writes to does not make them a participant.
    check_thread("From: x@y.example | To: alice@our.example | Subject: Re: Your order | Thread: t", OTHERS);
    check_thread("From: x@y.example | To: support@our.example | Cc: alice@our.example | Thread: t", OTHERS);
}
#[test]
fn a_hash_alone_is_no_conversation() {
    let mut world = indexed();
    // Another conversation whose hash happens to be the same.
    world.facts.emails[0].conversation_index = STANDARD.encode([9; 27]);
    assert_eq!(found(&world, &mail(&format!("{ANSWER} | Subject: Re: Your order | Thread: t"))), "");
    world.facts.emails[0].conversation_index = String::new();
    assert_eq!(found(&world, &mail(&format!("{ANSWER} | Subject: Re: Your order | Thread: t"))), "");
}
#[test]
fn the_base_of_a_stored_index() {
    let check = |octets: usize, expected: bool| {
        let index: Vec<u8> = (0..=255).take(octets).collect();
        let base = conversation_base(&STANDARD.encode(&index));
        assert_eq!(base.map(|b| b.to_vec()), expected.then(|| index[..CONVERSATION_BASE].to_vec()), "{octets}");
    };
    [0, 1, 21].iter().for_each(|octets| check(*octets, false));
    [22, 23, 24, 25, 27, 200].iter().for_each(|octets| check(*octets, true));
    assert_eq!(conversation_base(&"?".repeat(32)), None);
    assert_eq!(conversation_base(&"é".repeat(32)), None);
}
#[test]
fn a_token_named_to_two_of_us_is_not_followed() {
    check(
        "From: x@y.example | To: support@our.example | Cc: alice@our.example | Subject: {token}",
        &format!("the tracking token {} belongs to a conversation between others", world().1.token),
    );
}
#[test]
fn the_token_goes_before_the_conversation_index() {
    let mut world = indexed();
    let second = world.sent("second", "alice@our.example", "carol@there.example", "Your order");
    let text = format!("{ANSWER} | Subject: Your order {} | Thread: t", second.token);
    assert_eq!(found(&world, &mail(&text)), "second TrackingToken");
}
#[test]
fn no_conversation_index_where_correlation_is_off() {
    let mut world = indexed();
    world.facts.organization.correlation = false;
    assert_eq!(found(&world, &mail(&format!("{ANSWER} | Subject: Re: Your order | Thread: t"))), "");
}
#[test]
fn the_newest_of_a_conversation_is_the_parent() {
    let mut world = indexed();
    let mut later = world.facts.emails[0].clone();
    later.id = id("second");
    later.created_on = "2026-03-03T00:00:00Z".parse().unwrap();
    world.facts.emails.push(later);
    assert_eq!(found(&world, &mail(&format!("{ANSWER} | Thread: t"))), "second ConversationIndex");
}
#[test]
fn a_short_index_says_nothing() {
    let mut message = mail(ANSWER);
    message.conversation_index = Some(vec![1; CONVERSATION_BASE - 1]);
    assert_eq!(conversation_hash(&message), None);
}
#[test]
fn what_was_sent_from_here_is_recognised() {
    let text = "From: alice@our.example | To: support@our.example | Message-ID: {id}";
    check(text, "first XHeader");
    // Somebody else's message with the same id is not it.
    check("From: x@y.example | To: support@our.example | Message-ID: {id}", "");
}
#[test]
fn parents_by_headers_and_index_only() {
    let is_parent = |method| Correlation { method, ..Correlation::default() }.is_parent();
    use CorrelationMethod as M;
    assert!(is_parent(M::InReplyTo) && is_parent(M::ConversationIndex));
    assert!(!is_parent(M::TrackingToken) && !is_parent(M::XHeader) && !is_parent(M::None));
}

/// Whether two messages are the same, in both senses: keys and facts.
fn same(a: &str, b: &str) -> bool {
    let mut world = World::usual();
    world.read("support@our.example");
    let first = world.receive(a);
    assert!(first.email.is_some(), "{}", first.why);
    let (one, two) = (mail(a), mail(b));
    let found = duplicate(&two, &world.facts).is_some();
    assert_eq!(found, duplicate_key(&one) == duplicate_key(&two) || one.fingerprint == two.fingerprint, "{a}\n{b}");
    found
}

const MAIL: &str = "From: x@y.example | To: support@our.example | Message-ID: <1@y.example>";

#[test]
fn the_same_id_author_and_date_are_the_same_message() {
    assert!(same(MAIL, MAIL));
    assert!(same(MAIL, &format!("{MAIL} | Body: with a list's footer")));
    assert!(same(MAIL, &format!("{MAIL} | Subject: [list] changed")));
    assert!(same(MAIL, &MAIL.replace("x@y", "X@Y")));
}
#[test]
fn the_same_id_alone_is_not_enough() {
    assert!(!same(MAIL, &format!("{MAIL} | Date: 2026-03-01T09:00:01Z | Body: other")));
    assert!(!same(MAIL, &format!("{} | Body: other", MAIL.replace("x@y", "z@y"))));
}
#[test]
fn another_id_is_another_message() {
    assert!(!same(MAIL, &format!("{} | Body: other", MAIL.replace("<1@", "<2@"))));
}
#[test]
fn without_an_id_the_content_decides() {
    let none = MAIL.replace("<1@y.example>", "none");
    assert!(same(&none, &none));
    assert!(!same(&none, &format!("{none} | Body: other")));
}
#[test]
fn an_id_that_only_one_road_added() {
    assert!(same(MAIL, &MAIL.replace("<1@y.example>", "none")));
    assert!(same(&MAIL.replace("<1@y.example>", "none"), MAIL));
}
#[test]
fn without_a_date_the_content_decides() {
    let none = format!("{MAIL} | Date: none");
    assert!(same(&none, &none));
    assert!(!same(&none, &format!("{none} | Body: other")));
}
#[test]
fn very_long_ids_are_compared_as_they_are_stored() {
    let long = format!("<{}@y.example>", "a".repeat(1_000));
    assert_eq!(id_key(&long).len(), 320);
    assert!(same(&MAIL.replace("<1@y.example>", &long), &MAIL.replace("<1@y.example>", &long)));
}
#[test]
fn folded_ids_are_the_same() {
    assert_eq!(id_key("<a\r\n b@c>"), "<ab@c>");
}
