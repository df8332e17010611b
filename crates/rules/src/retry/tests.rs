//! Which failures are tried again, and when.

use FailureKind::{Credentials, Garbled, Misconfigured, Refused, Temporary, Uncertain};

use super::*;

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

/// `again 5`, `free 5` (not counted), `give up`, `look`.
fn check(kind: FailureKind, during: Step, attempt: i64, expected: &str) {
    let got = match after(&Failure::new(kind, during, "452 full"), attempt, now()) {
        Next::Again { at, counted } => {
            let minutes = (at.as_second() - now().as_second()) / 60;
            format!("{} {minutes}", if counted { "again" } else { "free" })
        }
        Next::GiveUp { why } => {
            assert!(why.contains("452 full"), "the server's words are kept: {why}");
            "give up".to_owned()
        }
        Next::LookFirst => "look".to_owned(),
    };
    assert_eq!(got, expected, "{kind} during {during}, attempt {attempt}");
}

#[test]
fn a_put_off_message_waits_longer_each_time() {
    for (attempt, minutes) in [(1, 1), (2, 2), (3, 5), (4, 10), (5, 15), (6, 30), (7, 60), (8, 60), (9, 60)] {
        check(Temporary, Step::Send, attempt, &format!("again {minutes}"));
    }
}

#[test]
fn the_tenth_attempt_is_the_last() {
    check(Temporary, Step::Send, 9, "again 60");
    check(Temporary, Step::Send, 10, "give up");
    check(Temporary, Step::Send, 11, "give up");
}

#[test]
fn a_refused_message_is_given_up_at_once() {
    check(Refused, Step::Send, 1, "give up");
}

#[test]
fn a_garbled_answer_is_tried_again() {
    check(Garbled, Step::Send, 1, "again 1");
    check(Garbled, Step::Send, 10, "give up");
}

#[test]
fn an_outage_never_counts() {
    for step in [Step::Resolve, Step::Connect, Step::Tls, Step::Greeting, Step::LogIn] {
        check(Temporary, step, 1, "free 1");
        check(Temporary, step, 10, "free 1");
        check(Temporary, step, 1000, "free 1");
    }
}

#[test]
fn a_wrong_password_is_not_the_messages_fault() {
    check(Credentials, Step::LogIn, 10, "free 5");
    check(Credentials, Step::Send, 10, "free 5");
    check(Refused, Step::LogIn, 10, "free 5");
    check(Refused, Step::Greeting, 10, "free 5");
}

#[test]
fn a_wrong_profile_is_not_the_messages_fault() {
    check(Misconfigured, Step::Tls, 10, "free 10");
    check(Misconfigured, Step::Send, 10, "free 10");
}

#[test]
fn an_uncertain_outcome_is_looked_up_whatever_else() {
    for step in [Step::Connect, Step::Send, Step::FindAgain] {
        for attempt in [1, 10, 100] {
            check(Uncertain, step, attempt, "look");
        }
    }
}

#[test]
fn attempts_below_one_wait_the_first_wait() {
    assert_eq!(wait(0), SignedDuration::from_mins(1));
    assert_eq!(wait(-5), SignedDuration::from_mins(1));
}
