//! Waits, and what a failed cycle leads to.

use model::tables::{AlertLevel, CredentialRetrieval, Organization, TraceLog};
use model::{Record, Step, Value};

use super::*;

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn mailbox(n: u128) -> Mailbox {
    Mailbox { name: "Ann".into(), enabled_incoming: true, enabled_outgoing: true, ..Mailbox::blank(Id::from_u128(n)) }
}

fn profile() -> EmailServerProfile {
    EmailServerProfile { name: "Mail".into(), ..EmailServerProfile::blank(Id::from_u128(1)) }
}

fn organization() -> Organization {
    Organization { alert_warnings: true, ..Organization::blank(Id::nil()) }
}

fn down() -> Failure {
    Failure::temporary(Step::Connect, "connection refused")
}

fn wrong() -> Failure {
    Failure::new(FailureKind::Credentials, Step::LogIn, "NO wrong password")
}

/// The wait must lie in these seconds for any mailbox.
fn check(workload: Workload, outcome: Outcome<'_>, failures: i64, expected: std::ops::RangeInclusive<f64>) {
    check_with(&profile(), 0, workload, outcome, failures, expected);
}

fn check_with(
    profile: &EmailServerProfile,
    empty_cycles: i64,
    workload: Workload,
    outcome: Outcome<'_>,
    failures: i64,
    expected: std::ops::RangeInclusive<f64>,
) {
    for n in 0..50 {
        let mailbox = Mailbox { empty_cycles, ..mailbox(n) };
        let at = next_run(workload, outcome, Some(profile), &mailbox, failures, now()).unwrap();
        let seconds = at.duration_since(now()).as_secs_f64();
        assert!(expected.contains(&seconds), "{seconds} not in {expected:?} for mailbox {n}");
    }
}

#[test]
fn more_is_fetched_at_once() {
    check(Workload::Incoming, Outcome::More, 0, 0.0..=0.0);
    check(Workload::Outgoing, Outcome::More, 0, 0.0..=0.0);
}

#[test]
fn new_mail_is_seen_within_seconds() {
    check(Workload::Incoming, Outcome::Empty, 0, 5.0..=6.0);
    check(Workload::Incoming, Outcome::Found(3), 0, 1.0..=2.0);
    check_with(&profile(), 100_000, Workload::Incoming, Outcome::Empty, 0, 8.0..=9.0);
}

#[test]
fn the_polling_interval_is_a_floor() {
    let slow = EmailServerProfile { polling_minutes: 5, ..profile() };
    check_with(&slow, 0, Workload::Incoming, Outcome::Empty, 0, 300.0..=310.0);
    check_with(&slow, 0, Workload::Incoming, Outcome::Found(1), 0, 300.0..=310.0);
    check_with(&slow, 0, Workload::Incoming, Outcome::More, 0, 0.0..=0.0);
    let slowest = EmailServerProfile { polling_minutes: 1440, ..profile() };
    check_with(&slowest, 0, Workload::Incoming, Outcome::Empty, 0, 86_400.0..=86_410.0);
}

#[test]
fn outgoing_looks_once_a_minute_or_when_something_is_due() {
    check(Workload::Outgoing, Outcome::Empty, 0, 60.0..=65.0);
    check(Workload::Outgoing, Outcome::Until(now() + SignedDuration::from_secs(20)), 0, 20.0..=20.0);
    check(Workload::Outgoing, Outcome::Until(now() - SignedDuration::from_secs(20)), 0, 0.0..=0.0);
    check(Workload::Outgoing, Outcome::Until(now() + SignedDuration::from_hours(20)), 0, 60.0..=60.0);
}

#[test]
fn a_test_waits_until_it_is_asked_for() {
    assert_eq!(next_run(Workload::Test, Outcome::Empty, None, &mailbox(1), 0, now()), None);
    assert_eq!(next_run(Workload::Test, Outcome::Found(1), None, &mailbox(1), 0, now()), None);
    assert!(next_run(Workload::Test, Outcome::Failed(&down()), None, &mailbox(1), 1, now()).is_some());
}

#[test]
fn failures_back_off_to_five_minutes() {
    for (failures, seconds) in
        [(1, 30.0), (2, 60.0), (3, 120.0), (4, 240.0), (5, 300.0), (6, 300.0), (1_000_000, 300.0)]
    {
        check(Workload::Incoming, Outcome::Failed(&down()), failures, seconds..=seconds * 1.25);
    }
    check(Workload::Incoming, Outcome::Failed(&wrong()), 1, 300.0..=375.0);
}

#[test]
fn mailboxes_do_not_come_back_in_the_same_second() {
    let waits: std::collections::BTreeSet<_> = (0..100_u128)
        .map(|n| {
            let id = id::derived(Timestamp::UNIX_EPOCH, &[&n.to_be_bytes()]);
            back_off(&down(), 5, id)
        })
        .collect();
    assert!(waits.len() > 50, "{}", waits.len());
}

#[test]
fn there_is_one_work_item_per_workload() {
    assert_eq!(
        work_item(Id::from_u128(1), Workload::Incoming).target().id,
        work_item_id(Id::from_u128(1), Workload::Incoming)
    );
    assert_ne!(work_item_id(Id::from_u128(1), Workload::Incoming), work_item_id(Id::from_u128(1), Workload::Outgoing));
    assert_ne!(work_item_id(Id::from_u128(1), Workload::Incoming), work_item_id(Id::from_u128(2), Workload::Incoming));
    let [Change::Ensure(_), Change::Update(update)] = &due(Id::from_u128(1), Workload::Test, now())[..] else {
        panic!()
    };
    assert_eq!(update.set, [("pr_nextrun", Value::Time(now())), ("pr_failures", Value::Int(0))]);
}

// What a failed cycle leads to.

fn fail(mailbox: &Mailbox, workload: Workload, failure: &Failure, at: Timestamp) -> Aftermath {
    failed(mailbox, Some(&profile()), &organization(), workload, 0, failure, at)
}

/// The mailbox with an aftermath applied.
fn applied(mailbox: &Mailbox, changes: &[Change]) -> Mailbox {
    let mut record: Record = mailbox.clone().into_record();
    for change in changes {
        if let Change::Update(update) = change
            && update.id == mailbox.id
        {
            record.values.extend(update.set.iter().cloned());
        }
    }
    Mailbox::from_record(&record).unwrap()
}

fn levels(changes: &[Change]) -> Vec<(&'static str, AlertLevel)> {
    changes
        .iter()
        .filter_map(|change| match change {
            Change::Ensure(record) => TraceLog::from_record(record).ok(),
            _ => None,
        })
        .map(|row| (row.regarding.unwrap().table, row.level))
        .collect()
}

/// Failures at these seconds; gives whether each disabled the mailbox.
fn failing(workload: Workload, failures: &[(i64, Failure)]) -> (Mailbox, Vec<bool>) {
    let mut mailbox = mailbox(1);
    let mut disabled = Vec::new();
    for (seconds, failure) in failures {
        let aftermath = fail(&mailbox, workload, failure, now() + SignedDuration::from_secs(*seconds));
        mailbox = applied(&mailbox, &aftermath.changes);
        disabled.push(aftermath.disabled);
        assert_eq!(aftermath.next_run.is_none(), aftermath.disabled);
    }
    (mailbox, disabled)
}

#[test]
fn an_outage_never_disables_however_long() {
    let failures: Vec<_> = (0..2000).map(|n| (n * 300, down())).collect();
    let (mailbox, disabled) = failing(Workload::Incoming, &failures);
    assert!(mailbox.enabled_incoming && !disabled.contains(&true));
    assert_eq!(mailbox.last_error_count, 2000);
}

#[test]
fn no_other_failure_disables_either() {
    for kind in FailureKind::ALL.into_iter().filter(|kind| *kind != FailureKind::Credentials) {
        for step in [Step::Resolve, Step::Tls, Step::LogIn, Step::Open, Step::Read, Step::Send] {
            let failures: Vec<_> = (0..20).map(|n| (n * 600, Failure::new(kind, step, "x"))).collect();
            assert!(!failing(Workload::Incoming, &failures).1.contains(&true), "{kind} {step}");
        }
    }
}

#[test]
fn the_third_refusal_of_credentials_disables() {
    let (mailbox, disabled) = failing(Workload::Incoming, &[(0, wrong()), (300, wrong()), (600, wrong())]);
    assert_eq!(disabled, [false, false, true]);
    assert!(!mailbox.enabled_incoming && mailbox.enabled_outgoing);
    assert_eq!((mailbox.transient_failures, mailbox.receiving_postponed_until), (0, None));
}

#[test]
fn outgoing_is_counted_for_itself() {
    let (mailbox, disabled) = failing(Workload::Outgoing, &[(0, wrong()), (300, wrong()), (600, wrong())]);
    assert_eq!(disabled, [false, false, true]);
    assert!(mailbox.enabled_incoming && !mailbox.enabled_outgoing);
    let (mixed, _) = failing(Workload::Incoming, &[(0, wrong()), (300, wrong())]);
    let aftermath = fail(&mixed, Workload::Outgoing, &wrong(), now() + SignedDuration::from_secs(600));
    assert!(!aftermath.disabled);
}

#[test]
fn refusals_in_quick_succession_count_once() {
    let (mailbox, disabled) =
        failing(Workload::Incoming, &[(0, wrong()), (1, wrong()), (2, wrong()), (299, wrong()), (300, wrong())]);
    assert_eq!(disabled, [false; 5]);
    assert!(mailbox.enabled_incoming);
}

#[test]
fn an_outage_between_refusals_says_nothing_and_a_login_clears() {
    let read = Failure::temporary(Step::Read, "gone");
    let between = |failure: Failure| {
        failing(Workload::Incoming, &[(0, wrong()), (300, wrong()), (450, failure), (600, wrong())]).1[3]
    };
    assert!(between(down()));
    assert!(!between(read));
}

/// A cycle of a second and a half.
fn succeeded(mailbox: &Mailbox, workload: Workload, processed: u64, failed: u64, at: Timestamp) -> Option<Change> {
    super::succeeded(mailbox, workload, processed, failed, at - SignedDuration::from_millis(1500), at)
}

#[test]
fn a_cycle_is_remembered_from_its_beginning_to_its_end() {
    let after = applied(&mailbox(1), &[succeeded(&mailbox(1), Workload::Incoming, 1, 0, now()).unwrap()]);
    assert_eq!(after.last_sync_completed, Some(now()));
    assert_eq!(after.last_sync_started, Some(now() - SignedDuration::from_millis(1500)));
}

#[test]
fn success_clears_the_count() {
    let (mailbox, _) = failing(Workload::Incoming, &[(0, wrong()), (300, wrong())]);
    let at = now() + SignedDuration::from_secs(400);
    let change = succeeded(&mailbox, Workload::Incoming, 0, 0, at).unwrap();
    let mailbox = applied(&mailbox, &[change]);
    assert_eq!((mailbox.transient_failures, mailbox.receiving_postponed_until), (0, None));
    assert!(mailbox.last_error.is_empty() && mailbox.last_error_count == 0);
    assert!(!fail(&mailbox, Workload::Incoming, &wrong(), now() + SignedDuration::from_secs(600)).disabled);
}

#[test]
fn sending_well_says_nothing_about_receiving() {
    let (mailbox, _) = failing(Workload::Incoming, &[(0, wrong())]);
    let at = now() + SignedDuration::from_secs(5);
    let after = applied(&mailbox, &succeeded(&mailbox, Workload::Outgoing, 1, 0, at).into_iter().collect::<Vec<_>>());
    assert!(after.last_error.starts_with("incoming: ") && after.last_error_count == 1, "{}", after.last_error);
    let mended = applied(&after, &[succeeded(&after, Workload::Incoming, 0, 0, at).unwrap()]);
    assert!(mended.last_error.is_empty());
}

#[test]
fn a_quiet_mailbox_is_written_once_a_minute() {
    let quiet = Mailbox { last_sync_completed: Some(now()), ..mailbox(1) };
    let at = |seconds| succeeded(&quiet, Workload::Incoming, 0, 0, now() + SignedDuration::from_secs(seconds));
    assert_eq!(at(5), None);
    assert_eq!(at(59), None);
    let later = applied(&quiet, &[at(60).unwrap()]);
    assert_eq!(later.empty_cycles, 12);
    assert!(succeeded(&quiet, Workload::Incoming, 1, 0, now()).is_some());
    assert!(succeeded(&Mailbox { last_error: "x".into(), ..quiet.clone() }, Workload::Incoming, 0, 0, now()).is_some());
}

#[test]
fn finding_something_ends_the_quiet() {
    let quiet = Mailbox { empty_cycles: 1000, last_sync_completed: Some(now()), ..mailbox(1) };
    let busy = applied(&quiet, &[succeeded(&quiet, Workload::Incoming, 3, 1, now()).unwrap()]);
    assert_eq!((busy.empty_cycles, busy.items_processed, busy.items_failed), (0, 3, 1));
    let sent = applied(&quiet, &[succeeded(&quiet, Workload::Outgoing, 3, 0, now()).unwrap()]);
    assert_eq!(sent.empty_cycles, 1000);
}

#[test]
fn who_is_told_of_what() {
    use AlertLevel::{Error, Warning};
    let told = |failure: &Failure| levels(&fail(&mailbox(1), Workload::Incoming, failure, now()).changes);
    assert_eq!(told(&down()), [("emailserverprofile", Warning)]);
    let certificate = Failure::new(FailureKind::Misconfigured, Step::Tls, "unknown issuer");
    assert_eq!(told(&certificate), [("emailserverprofile", Error)]);
    assert_eq!(told(&wrong()), [("mailbox", Warning)]);
    assert_eq!(told(&Failure::new(FailureKind::Refused, Step::Open, "no")), [("mailbox", Warning)]);
}

#[test]
fn a_session_that_breaks_off_is_told_when_it_does_so_again_and_again() {
    let broken = Failure::temporary(Step::Read, "the server closed the connection");
    let told = |before: i64| {
        let (mailbox, organization) = (mailbox(1), organization());
        levels(&failed(&mailbox, Some(&profile()), &organization, Workload::Incoming, before, &broken, now()).changes)
    };
    assert_eq!(told(0), []);
    assert_eq!(told(1), []);
    assert_eq!(told(2), [("mailbox", AlertLevel::Warning)]);
    assert_eq!(told(3), [("mailbox", AlertLevel::Warning)]);
}

#[test]
fn owners_hear_of_outages_where_the_organization_wants_it() {
    let organization = Organization { notify_owner: true, ..organization() };
    let changes = failed(&mailbox(1), Some(&profile()), &organization, Workload::Incoming, 0, &down(), now()).changes;
    assert_eq!(levels(&changes).len(), 2);
}

#[test]
fn a_disabled_mailbox_and_a_shared_password_are_errors() {
    use AlertLevel::Error;
    let (mailbox, _) = failing(Workload::Incoming, &[(0, wrong()), (300, wrong())]);
    let at = now() + SignedDuration::from_secs(600);
    let own = fail(&mailbox, Workload::Incoming, &wrong(), at).changes;
    assert_eq!(levels(&own), [("mailbox", Error)]);
    let shared = EmailServerProfile { incoming_credentials: CredentialRetrieval::Profile, ..profile() };
    let changes = failed(&mailbox, Some(&shared), &organization(), Workload::Incoming, 2, &wrong(), at).changes;
    assert_eq!(levels(&changes), [("mailbox", Error), ("emailserverprofile", Error)]);
}

#[test]
fn the_alert_says_what_happened_and_what_to_do() {
    let (mailbox, _) = failing(Workload::Incoming, &[(0, wrong()), (300, wrong())]);
    let changes = fail(&mailbox, Workload::Incoming, &wrong(), now() + SignedDuration::from_secs(600)).changes;
    let Some(Change::Ensure(record)) = changes.last() else { panic!() };
    let text = TraceLog::from_record(record).unwrap().text;
    assert!(text.contains("NO wrong password") && text.contains("Test & Enable"), "{text}");
}

#[test]
fn many_quiet_mailboxes_are_looked_at_less_often() {
    let now = Timestamp::UNIX_EPOCH;
    let soon = now + SignedDuration::from_secs(5);
    let millis = std::time::Duration::from_millis;
    assert_eq!(sensible(soon, 10, millis(20), now), soon, "ten cost nothing");
    assert_eq!(sensible(soon, 1000, millis(20), now), now + SignedDuration::from_secs(40));
    assert_eq!(sensible(soon, 1_000_000, millis(20), now), now + LONGEST_POLL);
}

#[test]
fn what_was_held_back_resumes_where_it_is_enabled() {
    let mut mailbox = mailbox(7);
    mailbox.enabled_outgoing = false;
    assert_eq!(resume(&mailbox, now()), due(mailbox.id, Workload::Incoming, now()));
    mailbox.enabled_incoming = false;
    assert!(resume(&mailbox, now()).is_empty());
}
