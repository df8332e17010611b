//! What the server's answer means, and what nobody knows.

use FailureKind::{Credentials, Garbled, Misconfigured, Refused, Temporary, Uncertain};
use proptest::prelude::*;

use super::*;

fn failure(kind: FailureKind, step: Step) -> Failure {
    Failure::new(kind, step, format!("{kind} words"))
}

type Results = Vec<(String, Result<String, Failure>)>;

fn ok(address: &str) -> (String, Result<String, Failure>) {
    (address.to_owned(), Ok("250 queued".to_owned()))
}

fn no(address: &str, kind: FailureKind) -> (String, Result<String, Failure>) {
    (address.to_owned(), Err(failure(kind, Step::Send)))
}

/// One attempt, as the machine does it.
fn attempt(world: &mut World, results: &[(String, Result<String, Failure>)], failure: Option<&Failure>, at: Timestamp) {
    let dispatch = world.dispatch(at);
    let before = world.email.clone();
    let changes = begin(&world.email, &dispatch.recipients, at);
    let stale = world.deliveries.clone();
    world.apply(&changes);
    assert_eq!(world.email, begun(&before, at));
    assert_eq!(world.email.status, EmailStatus::Sending);
    // The rows as they were before the attempt: what a worker has in hand.
    let facts = SendFacts { deliveries: &stale, ..world.facts() };
    let changes = after(&facts, results, failure, at);
    world.apply(&changes);
}

/// `status attempts: states of the recipients`, in the order of addresses a, b, …
fn check(to: &[&str], results: &Results, failure: Option<Failure>, expected: &str) -> World {
    let mut world = pending().to(to);
    attempt(&mut world, results, failure.as_ref(), now());
    assert_eq!(summary(&world), expected, "{}", world.email.failure_reason);
    world
}

fn summary(world: &World) -> String {
    let mut rows: Vec<_> = world.deliveries.iter().collect();
    rows.sort_by_key(|row| row.address.clone());
    let states: String = rows
        .iter()
        .map(|row| match row.state {
            DeliveryState::Waiting => 'w',
            DeliveryState::Accepted => 'a',
            DeliveryState::Refused => 'r',
            DeliveryState::Uncertain => 'u',
        })
        .collect();
    format!("{} {}: {states}", world.email.status.label(), world.email.delivery_attempts)
}

const A: &str = "a@y.example";
const B: &str = "b@y.example";
const C: &str = "c@y.example";

#[test]
fn accepted_by_all() {
    let world = check(&[A, B], &vec![ok(A), ok(B)], None, "Sent 1: aa");
    assert_eq!((world.email.sent_on, world.email.actual_end), (Some(now()), Some(now())));
    assert_eq!((world.email.failure_reason.as_str(), world.email.postponed_until), ("", None));
    assert!(world.alerts.is_empty());
    assert_eq!(world.deliveries[0].reply, "250 queued");
}

#[test]
fn refused_by_all_fails_with_the_servers_words() {
    let world = check(&[A], &vec![no(A, Refused)], None, "Failed 1: r");
    assert_eq!(world.email.failure_reason, "Not sent: a@y.example: refused words");
    assert_eq!(world.alerts[0].level, model::tables::AlertLevel::Error);
    assert!(world.alerts[0].text.contains("refused words"));
}

#[test]
fn refused_as_a_whole() {
    let whole = Some(failure(Refused, Step::Send));
    check(&[A, B], &vec![], whole.clone(), "Failed 1: rr");
    check(&[A, B], &vec![no(A, Refused)], whole, "Failed 1: rr");
}

#[test]
fn accepted_by_some_is_sent_and_names_the_others() {
    let world = check(&[A, B], &vec![ok(A), no(B, Refused)], None, "Sent 1: ar");
    assert_eq!(world.email.failure_reason, "Sent, but not to everybody: b@y.example: refused words");
    assert_eq!(world.alerts[0].level, model::tables::AlertLevel::Warning);
}

#[test]
fn put_off_waits_and_only_the_rest_is_tried_again() {
    let mut world = check(&[A, B, C], &vec![ok(A), no(B, Temporary), no(C, Refused)], None, "Pending Send 1: awr");
    assert_eq!(world.email.postponed_until, Some(now() + SignedDuration::from_mins(1)));
    assert!(world.email.failure_reason.contains("temporary words"));
    let later = now() + SignedDuration::from_mins(1);
    let dispatch = world.dispatch(later);
    assert_eq!(dispatch.recipients, [B]);
    assert_eq!(dispatch.mail.to.len(), 3, "the header shows everybody");
    attempt(&mut world, &[ok(B)], None, later);
    assert_eq!(summary(&world), "Sent 2: aar");
    assert!(world.email.failure_reason.contains(C));
}

#[test]
fn ten_attempts() {
    let mut world = pending().to(&[A]);
    let mut at = now();
    for n in 1..10 {
        attempt(&mut world, &[no(A, Temporary)], None, at);
        assert_eq!(summary(&world), format!("Pending Send {n}: w"));
        at = world.email.postponed_until.unwrap();
    }
    attempt(&mut world, &[no(A, Temporary)], None, at);
    assert_eq!(summary(&world), "Failed 10: r");
    assert!(world.email.failure_reason.contains("temporary words"), "{}", world.email.failure_reason);
}

#[test]
fn who_never_took_it_is_named_when_others_did() {
    let mut world = pending().to(&[A, B]);
    attempt(&mut world, &[ok(A), no(B, Temporary)], None, now());
    world.email.delivery_attempts = 9;
    let at = world.email.postponed_until.unwrap();
    attempt(&mut world, &[no(B, Temporary)], None, at);
    assert_eq!(summary(&world), "Sent 10: ar");
    assert!(world.email.failure_reason.contains(B));
}

#[test]
fn an_outage_costs_no_attempt() {
    for (kind, step) in [
        (Temporary, Step::Resolve),
        (Temporary, Step::Connect),
        (Temporary, Step::LogIn),
        (Misconfigured, Step::Tls),
        (Credentials, Step::LogIn),
        (Refused, Step::LogIn),
        (Garbled, Step::Greeting),
    ] {
        check(&[A], &vec![], Some(failure(kind, step)), "Pending Send 0: w");
    }
    check(&[A], &vec![], Some(failure(Temporary, Step::Send)), "Pending Send 1: w");
}

#[test]
fn a_server_that_answers_nothing_for_a_recipient() {
    check(&[A, B], &vec![ok(A)], None, "Pending Send 1: aw");
}

#[test]
fn a_lost_connection_at_the_final_dot_is_uncertain() {
    let mut world = check(&[A, B], &vec![no(A, Refused)], Some(failure(Uncertain, Step::Send)), "Sending 1: ru");
    assert!(world.email.failure_reason.contains("asked before"), "{}", world.email.failure_reason);
    assert_eq!(ready(&world.facts(), now()), Ready::Never { changes: vec![] }, "not sent again by itself");
    let changes = looked_up(&world.facts(), Some(true), now());
    world.apply(&changes);
    assert_eq!(summary(&world), "Sent 1: ra");
}

#[test]
fn not_found_is_sent_again() {
    let mut world = check(&[A], &vec![], Some(failure(Uncertain, Step::Send)), "Sending 1: u");
    let changes = looked_up(&world.facts(), Some(false), now());
    world.apply(&changes);
    assert_eq!(summary(&world), "Pending Send 1: w");
    let at = world.email.postponed_until.unwrap();
    let id = world.email.message_id.clone();
    assert_eq!(world.dispatch(at).mail.message_id, id, "under the same Message-ID");
    attempt(&mut world, &[ok(A)], None, at);
    assert_eq!(summary(&world), "Sent 2: a");
}

#[test]
fn nowhere_to_look_is_for_a_person() {
    let mut world = check(&[A], &vec![], Some(failure(Uncertain, Step::Send)), "Sending 1: u");
    let changes = looked_up(&world.facts(), None, now());
    world.apply(&changes);
    assert_eq!(summary(&world), "Sending 1: u");
    assert!(waits_for_person(&world.email));
    assert_eq!(world.alerts.len(), 1);
    assert_eq!(looked_up(&world.facts(), None, now()), [], "told once");
    assert_eq!(recover(&world.facts(), now()), [], "left alone by the machine");
}

#[test]
fn a_person_sends_it_again_or_marks_it() {
    let mut world = check(&[A], &vec![], Some(failure(Uncertain, Step::Send)), "Sending 1: u");
    assert_eq!(
        issue(&world.facts(), now(), None, None).unwrap_err().codes(),
        [0x8004_0233],
        "not while it is looked up"
    );
    let changes = looked_up(&world.facts(), None, now());
    world.apply(&changes);
    let mut again = world.clone();
    let changes = issue(&again.facts(), now(), None, None).unwrap();
    again.apply(&changes);
    assert_eq!(again.dispatch(now()).recipients, [A]);
    let changes = mark_sent(&world.facts(), now(), None, None).unwrap();
    world.apply(&changes);
    assert_eq!(world.email.status, EmailStatus::Sent);
}

#[test]
fn after_a_crash_it_is_uncertain() {
    let mut world = pending().to(&[A, B]);
    let changes = begin(&world.email, &world.dispatch(now()).recipients, now());
    world.apply(&changes);
    let changes = recover(&world.facts(), now());
    world.apply(&changes);
    assert_eq!(summary(&world), "Sending 1: uu");
    let changes = looked_up(&world.facts(), Some(true), now());
    world.apply(&changes);
    assert_eq!(summary(&world), "Sent 1: aa");
}

#[test]
fn looking_without_recovering_first_does_not_send_twice() {
    let mut world = pending().to(&[A]);
    let changes = begin(&world.email, &world.dispatch(now()).recipients, now());
    world.apply(&changes);
    let changes = looked_up(&world.facts(), Some(true), now());
    world.apply(&changes);
    assert_eq!(summary(&world), "Sent 1: a");
}

#[test]
fn one_who_was_put_off_is_not_among_the_found() {
    let mut world = check(&[A, B], &vec![no(A, Temporary)], Some(failure(Uncertain, Step::Send)), "Sending 1: wu");
    let changes = looked_up(&world.facts(), Some(true), now());
    world.apply(&changes);
    assert_eq!(summary(&world), "Pending Send 1: wa");
}

#[test]
fn looking_up_what_is_not_being_sent_does_nothing() {
    let world = pending();
    for found in [Some(true), Some(false), None] {
        assert_eq!(looked_up(&world.facts(), found, now()), []);
    }
    assert_eq!(recover(&world.facts(), now()), []);
}

#[test]
fn begin_is_refused_when_somebody_else_was_faster() {
    let changes = begin(&pending().email, &["a@y.example".to_owned()], now());
    let Change::Update(update) = &changes[0] else { panic!() };
    assert_eq!(update.expect, [("statuscode", model::Value::Int(6))]);
}

#[test]
fn nothing_left_to_do_ends_it() {
    let row = |state| Delivery {
        address: "bob@y.example".into(),
        state,
        ..Delivery::blank(delivery_id(EMAIL, "bob@y.example"))
    };
    for (state, status) in [(DeliveryState::Accepted, EmailStatus::Sent), (DeliveryState::Refused, EmailStatus::Failed)]
    {
        let mut world = pending();
        world.deliveries = vec![row(state)];
        let Ready::Never { changes } = ready(&world.facts(), now()) else { panic!() };
        world.apply(&changes);
        assert_eq!(world.email.status, status);
    }
}

fn any_kind() -> impl Strategy<Value = FailureKind> {
    prop::sample::select(FailureKind::ALL.to_vec())
}

fn any_step() -> impl Strategy<Value = Step> {
    prop::sample::select(vec![Step::Resolve, Step::Connect, Step::Tls, Step::Greeting, Step::LogIn, Step::Send])
}

proptest! {
    /// However an attempt ends, the email does not stay in Sending unless
    /// somebody's outcome is uncertain; nobody who has it gets it again; and
    /// it goes on until it is Sent or Failed.
    #[test]
    fn an_attempt_always_ends(
        script in prop::collection::vec(
            (
                prop::collection::vec(prop::option::of(prop::option::of(any_kind())), 3),
                prop::option::of((any_kind(), any_step())),
                prop::option::of(any::<bool>()),
            ),
            1..30,
        )
    ) {
        let mut world = pending().to(&[A, B, C]);
        let mut at = now();
        let mut accepted = BTreeSet::new();
        for (results, whole, found) in script {
            if world.email.status != EmailStatus::PendingSend {
                break;
            }
            at = world.email.postponed_until.unwrap_or(at).max(at);
            let recipients = world.dispatch(at).recipients;
            prop_assert!(recipients.iter().all(|address| !accepted.contains(address)), "sent twice");
            let results: Results = recipients
                .iter()
                .zip(results)
                .filter_map(|(address, result)| match result? {
                    None => Some(ok(address)),
                    Some(kind) => Some(no(address, kind)),
                })
                .collect();
            let whole = whole.map(|(kind, step)| failure(kind, step));
            attempt(&mut world, &results, whole.as_ref(), at);
            let uncertain = world.deliveries.iter().any(|row| row.state == DeliveryState::Uncertain);
            prop_assert_eq!(world.email.status == EmailStatus::Sending, uncertain);
            if uncertain {
                let changes = looked_up(&world.facts(), found, at);
                world.apply(&changes);
                prop_assert_eq!(world.email.status == EmailStatus::Sending, found.is_none());
            }
            for row in &world.deliveries {
                if row.state == DeliveryState::Accepted {
                    accepted.insert(row.address.clone());
                }
            }
            match world.email.status {
                EmailStatus::Sent => prop_assert!(!accepted.is_empty()),
                EmailStatus::Failed => prop_assert!(accepted.is_empty() && !world.email.failure_reason.is_empty()),
                EmailStatus::PendingSend => prop_assert!(world.email.postponed_until >= Some(at)),
                _ => prop_assert!(waits_for_person(&world.email)),
            }
        }
    }
}
