//! What an alert row says, and when there is one.

use model::{Id, SignedDuration};

use super::*;

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn organization() -> Organization {
    Organization::blank(Id::nil())
}

fn mailbox() -> Mailbox {
    Mailbox { owner: Some(Ref::new("systemuser", Id::from_u128(7))), ..Mailbox::blank(Id::from_u128(1)) }
}

fn row(change: Option<Change>) -> TraceLog {
    match change {
        Some(Change::Ensure(record)) => TraceLog::from_record(&record).unwrap(),
        other => panic!("no alert: {other:?}"),
    }
}

#[test]
fn a_row_says_all() {
    let failure = Failure::new(FailureKind::Credentials, Step::LogIn, "NO wrong").with_transcript(vec!["C: a".into()]);
    let alert = Alert::error("incoming-credentials", model::words!("Wrong password.")).code(0x8005_E220).of(&failure);
    let row = row(on_mailbox(alert, &mailbox(), &organization(), now()));
    assert_eq!(row.text, "Wrong password.");
    assert_eq!(row.kind, "incoming-credentials");
    assert_eq!(row.code, Some(-2_147_098_080));
    assert_eq!(row.regarding, Some(mailbox().reference()));
    assert_eq!(row.regarding_owner, mailbox().owner);
    assert_eq!(row.details, "credentials failure at step 'log in': NO wrong\nC: a");
    assert_eq!(row.occurrences, 1);
}

#[test]
fn the_same_cause_on_the_same_day_is_the_same_row() {
    let at = |hours| {
        row(on_mailbox(
            Alert::error("x", model::words!("y")),
            &mailbox(),
            &organization(),
            now() + SignedDuration::from_hours(hours),
        ))
    };
    assert_eq!(at(0).id, at(11).id);
    assert_ne!(at(0).id, at(12).id, "a new day, a new alert");
    assert_eq!(at(0).hash, at(12).hash);
}

#[test]
fn another_cause_or_record_is_another_row() {
    let of = |cause: &str, mailbox: &Mailbox| {
        row(on_mailbox(Alert::error(cause, model::words!("y")), mailbox, &organization(), now())).id
    };
    assert_ne!(of("a", &mailbox()), of("b", &mailbox()));
    assert_ne!(of("a", &mailbox()), of("a", &Mailbox::blank(Id::from_u128(2))));
}

#[test]
fn the_switches_decide_by_level() {
    let raised = |level, organization: &Organization| {
        on_mailbox(Alert::new(level, "x", model::words!("y")), &mailbox(), organization, now()).is_some()
    };
    let standard = organization();
    assert!(raised(AlertLevel::Error, &standard));
    assert!(!raised(AlertLevel::Warning, &standard));
    assert!(raised(AlertLevel::Information, &standard));
    let silent = Organization { alert_errors: false, alert_information: false, alert_warnings: true, ..organization() };
    assert!(!raised(AlertLevel::Error, &silent));
    assert!(raised(AlertLevel::Warning, &silent));
    assert!(!raised(AlertLevel::Information, &silent));
}

#[test]
fn there_is_advice_for_every_failure() {
    let steps =
        [Step::Resolve, Step::Connect, Step::Tls, Step::Greeting, Step::LogIn, Step::Open, Step::Read, Step::Send];
    for kind in FailureKind::ALL {
        for step in steps {
            let text = advice(&Failure::new(kind, step, "")).to_string();
            assert!(text.ends_with('.') && text.len() > 20, "{kind} {step}: {text}");
        }
    }
}

#[test]
fn profiles_and_emails_take_alerts_too() {
    let profile = EmailServerProfile::blank(Id::from_u128(3));
    let email = Email::blank(Id::from_u128(4));
    let on = row(on_profile(Alert::error("x", model::words!("y")), &profile, &organization(), now()));
    assert_eq!(on.regarding, Some(profile.reference()));
    let on = row(on_email(Alert::error("x", model::words!("y")), &email, &organization(), now()));
    assert_eq!(on.regarding, Some(email.reference()));
}

#[test]
fn who_may_dismiss() {
    let alert = TraceLog { can_be_deleted: true, ..TraceLog::blank(Id::nil()) };
    assert!(may_dismiss(&alert, true, false).is_ok());
    assert!(may_dismiss(&alert, false, true).is_ok());
    assert_eq!(may_dismiss(&alert, false, false).unwrap_err().code, 0x8004_0220);
    let kept = TraceLog { can_be_deleted: false, ..alert };
    assert_eq!(may_dismiss(&kept, true, true).unwrap_err().code, 0x8004_023B);
}
