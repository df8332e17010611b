//! When a breaker opens, and when it closes.

use model::{Entity, Id, Step};

use super::*;

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn down() -> Failure {
    Failure::temporary(Step::Connect, "connection refused")
}

fn later(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

/// Failures at these seconds; gives `failures/open for so many seconds after the last`.
fn after_failures_at(seconds: &[i64]) -> String {
    let mut server = Server::blank(Id::nil());
    for s in seconds {
        server = after_failure(&server, &down(), later(*s));
    }
    let last = later(*seconds.last().unwrap());
    let open = server.open_until.map_or(0, |until| until.as_second() - last.as_second());
    format!("{}/{}", server.failures, open.max(0))
}

#[test]
fn two_failures_do_not_open_it() {
    assert_eq!(after_failures_at(&[0]), "1/0");
    assert_eq!(after_failures_at(&[0, 1]), "2/0");
}

#[test]
fn the_third_opens_it_for_half_a_minute() {
    assert_eq!(after_failures_at(&[0, 1, 2]), "3/30");
}

#[test]
fn each_failed_trial_doubles_the_wait_up_to_ten_minutes() {
    assert_eq!(after_failures_at(&[0, 1, 2, 100]), "4/60");
    assert_eq!(after_failures_at(&[0, 1, 2, 100, 300]), "5/120");
    assert_eq!(after_failures_at(&[0, 1, 2, 100, 300, 600]), "6/240");
    assert_eq!(after_failures_at(&[0, 1, 2, 100, 300, 600, 1000]), "7/480");
    assert_eq!(after_failures_at(&[0, 1, 2, 100, 300, 600, 1000, 2000]), "8/600");
    assert_eq!(after_failures_at(&[0, 1, 2, 100, 300, 600, 1000, 2000, 3000]), "9/600");
}

#[test]
fn attempts_that_were_under_way_do_not_prolong_it() {
    assert_eq!(after_failures_at(&[0, 0, 0, 0, 0, 0, 0]), "3/30");
    assert_eq!(after_failures_at(&[0, 1, 2, 12]), "3/20");
}

#[test]
fn it_is_open_until_the_moment_and_not_at_it() {
    let mut server = Server::blank(Id::nil());
    for _ in 0..3 {
        server = after_failure(&server, &down(), now());
    }
    assert!(is_open(&server, now()));
    assert!(is_open(&server, later(29)));
    assert!(!is_open(&server, later(30)));
}

#[test]
fn success_closes_it_and_forgets() {
    let mut server = Server::blank(Id::nil());
    for _ in 0..3 {
        server = after_failure(&server, &down(), now());
    }
    assert_eq!(server.last_error, "connection refused");
    assert_eq!(after_success(&server), Server::blank(Id::nil()));
}

#[test]
fn a_wrong_password_proves_that_the_server_is_there() {
    let server = after_failure(&Server::blank(Id::nil()), &down(), now());
    let wrong = Failure::new(FailureKind::Credentials, Step::LogIn, "no");
    assert_eq!(after_failure(&server, &wrong, now()).failures, 0);
    let refused = Failure::new(FailureKind::Refused, Step::Send, "no");
    assert_eq!(after_failure(&server, &refused, now()).failures, 0);
}

#[test]
fn a_fault_of_one_message_says_nothing() {
    let server = after_failure(&Server::blank(Id::nil()), &down(), now());
    for (kind, step) in [
        (FailureKind::Temporary, Step::Send),
        (FailureKind::Temporary, Step::LogIn),
        (FailureKind::Garbled, Step::Read),
        (FailureKind::Uncertain, Step::Send),
    ] {
        assert_eq!(after_failure(&server, &Failure::new(kind, step, "x"), now()), server, "{kind} {step}");
    }
}

#[test]
fn a_certificate_that_is_not_trusted_is_server_wide() {
    let failure = Failure::new(FailureKind::Misconfigured, Step::Tls, "unknown issuer");
    assert_eq!(after_failure(&Server::blank(Id::nil()), &failure, now()).failures, 1);
}

#[test]
fn counts_do_not_overflow() {
    let server = Server { failures: i64::MAX, ..Server::blank(Id::nil()) };
    assert!(is_open(&after_failure(&server, &down(), now()), now()));
}

#[test]
fn only_what_lasts_is_told_as_an_error() {
    let profile = EmailServerProfile { name: "House".into(), ..EmailServerProfile::blank(Id::nil()) };
    let server = |failures| Server {
        name: "mail.example:993".into(),
        failures,
        last_error: "connection refused".into(),
        ..Server::blank(Id::nil())
    };
    assert_eq!(lasting_alert(&server(LASTING - 1), &profile), None);
    let text = lasting_alert(&server(LASTING), &profile).unwrap().text.to_string();
    for words in ["mail.example:993", "'House'", "connection refused", "Check that the server runs"] {
        assert!(text.contains(words), "{words} is missing in {text}");
    }
}

#[test]
fn an_hour_passes_before_an_outage_counts_as_lasting() {
    let mut server = Server::blank(Id::nil());
    let mut at = now();
    while server.failures < LASTING {
        server = after_failure(&server, &down(), at);
        at = server.open_until.unwrap_or(at).max(at);
    }
    let minutes = at.duration_since(now()).as_mins();
    assert!((40..90).contains(&minutes), "{minutes} minutes");
}
