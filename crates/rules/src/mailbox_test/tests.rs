//! Outcomes of a test.

use FailureKind::{Credentials, Garbled, Misconfigured, Refused, Temporary, Uncertain};
use model::tables::{ActMethod, AlertLevel, TraceLog};
use model::{Entity, Id, Refusal, Step};

use super::*;

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn mailbox() -> Mailbox {
    Mailbox {
        name: "Ann".into(),
        is_forward: false,
        regarding: Some(model::Ref::new("systemuser", Id::from_u128(1))),
        incoming: IncomingMethod::ServerSide,
        outgoing: OutgoingMethod::ServerSide,
        test_scheduled: true,
        ..Mailbox::blank(Id::from_u128(2))
    }
}

fn profile() -> EmailServerProfile {
    EmailServerProfile { name: "Mail".into(), ..EmailServerProfile::blank(Id::from_u128(3)) }
}

fn organization() -> Organization {
    Organization::blank(Id::nil())
}

fn good() -> Option<ProbeReport> {
    let mut report = ProbeReport::default();
    report.passed(Step::Connect, "connected to mail.example:993");
    report.passed(Step::LogIn, "a1 OK logged in");
    Some(report)
}

fn bad(kind: FailureKind, step: Step) -> Option<ProbeReport> {
    let mut report = ProbeReport::default();
    report.passed(Step::Connect, "connected");
    report.failed(Failure::new(kind, step, "server said no").with_transcript(vec!["C: x".into(), "S: y".into()]));
    Some(report)
}

fn results(incoming: Option<ProbeReport>, outgoing: Option<ProbeReport>) -> TestResults {
    TestResults { incoming, outgoing }
}

fn run(mailbox: &Mailbox, results: &TestResults) -> Conclusion {
    conclude(mailbox, &profile(), &organization(), results, now())
}

fn applied(mailbox: &Mailbox, changes: &[Change]) -> Mailbox {
    let mut record = mailbox.clone().into_record();
    for change in changes {
        if let Change::Update(update) = change
            && update.id == mailbox.id
        {
            record.values.extend(update.set.iter().cloned());
        }
    }
    Mailbox::from_record(&record).unwrap()
}

fn alerts(changes: &[Change]) -> Vec<TraceLog> {
    let row = |change: &Change| match change {
        Change::Ensure(record) => TraceLog::from_record(record).ok().filter(|_| record.table.logical == "tracelog"),
        _ => None,
    };
    changes.iter().filter_map(row).collect()
}

/// `S`uccess, `F`ailure, `-` not run, for incoming, outgoing, act, all; `e`nabled flags.
fn check(incoming: Option<ProbeReport>, outgoing: Option<ProbeReport>, expected: &str) {
    let mailbox = mailbox();
    let conclusion = run(&mailbox, &results(incoming, outgoing));
    assert_eq!(conclusion.again, None);
    let after = applied(&mailbox, &conclusion.changes);
    assert!(!after.test_scheduled);
    assert_eq!((after.test_completed_on, after.test_retries), (Some(now()), 0));
    let letter = |status| match status {
        TestStatus::NotRun => '-',
        TestStatus::Success => 'S',
        TestStatus::Failure => 'F',
    };
    let mut got: String = [after.incoming_status, after.outgoing_status, after.act_status, after.mailbox_status]
        .map(letter)
        .iter()
        .collect();
    for (enabled, name) in
        [(after.enabled_incoming, " in"), (after.enabled_outgoing, " out"), (after.enabled_act, " act")]
    {
        if enabled {
            got.push_str(name);
        }
    }
    assert_eq!(got, expected);
}

#[test]
fn outcomes() {
    check(good(), good(), "SS-S in out");
    check(good(), None, "S--S in");
    check(None, good(), "-S-S out");
    check(bad(Credentials, Step::LogIn), good(), "FS-F out");
    check(good(), bad(Refused, Step::Send), "SF-F in");
    check(bad(Misconfigured, Step::Tls), bad(Misconfigured, Step::Tls), "FF-F");
    check(bad(Garbled, Step::Greeting), None, "F--F");
    check(None, None, "----");
}

#[test]
fn an_outage_does_not_disable_what_worked() {
    let check = |kind, enabled: bool, expected: bool| {
        let retries = i64::try_from(RETRIES.len()).unwrap();
        let before =
            Mailbox { enabled_incoming: enabled, enabled_outgoing: enabled, test_retries: retries, ..mailbox() };
        let conclusion = run(&before, &results(bad(kind, Step::Connect), bad(kind, Step::Connect)));
        let after = applied(&before, &conclusion.changes);
        assert_eq!((after.incoming_status, after.outgoing_status), (TestStatus::Failure, TestStatus::Failure));
        assert_eq!((after.enabled_incoming, after.enabled_outgoing), (expected, expected), "{kind:?} {enabled}");
        assert!(!after.test_scheduled);
    };
    check(Temporary, true, true);
    check(Uncertain, true, true);
    check(Temporary, false, false);
    check(Uncertain, false, false);
    check(Credentials, true, false);
    check(Misconfigured, true, false);
    check(Refused, true, false);
    check(Garbled, true, false);
}

#[test]
fn what_is_tested() {
    let plan_of = |incoming, outgoing| {
        let plan = plan(&Mailbox { incoming, outgoing, act: ActMethod::ServerSide, ..mailbox() });
        (plan.incoming, plan.outgoing, plan.wait_for_arrival)
    };
    use {IncomingMethod as I, OutgoingMethod as O};
    assert_eq!(plan_of(I::ServerSide, O::ServerSide), (true, true, true));
    assert_eq!(plan_of(I::ServerSide, O::None), (true, false, false));
    assert_eq!(plan_of(I::ForwardMailbox, O::ServerSide), (false, true, false));
    assert_eq!(plan_of(I::Outlook, O::Outlook), (false, false, false));
    assert_eq!(plan_of(I::None, O::None), (false, false, false));
}

#[test]
fn a_forward_mailbox_has_no_outgoing_test() {
    let forward = Mailbox { is_forward: true, regarding: None, ..mailbox() };
    assert_eq!(plan(&forward), Plan { incoming: true, outgoing: false, wait_for_arrival: false });
}

#[test]
fn success_makes_the_work_due_and_forgets_what_held_it_back() {
    let held = Mailbox {
        transient_failures: 0x0202,
        receiving_postponed_until: Some(now()),
        sending_postponed_until: Some(now()),
        postponed_until: Some(now()),
        empty_cycles: 9,
        last_error: "x".into(),
        last_error_count: 3,
        ..mailbox()
    };
    let conclusion = run(&held, &results(good(), good()));
    let after = applied(&held, &conclusion.changes);
    assert_eq!((after.transient_failures, after.empty_cycles, after.last_error_count), (0, 0, 0));
    assert_eq!(
        (after.receiving_postponed_until, after.sending_postponed_until, after.postponed_until),
        (None, None, None)
    );
    let due: Vec<_> = conclusion
        .changes
        .iter()
        .filter(|change| matches!(change, Change::Update(_)) && change.target().table == "pr_workitem")
        .map(|change| change.target().id)
        .collect();
    assert_eq!(
        due,
        [schedule::work_item_id(held.id, Workload::Incoming), schedule::work_item_id(held.id, Workload::Outgoing)]
    );
}

#[test]
fn one_side_does_not_clear_the_other() {
    let held = Mailbox { transient_failures: 0x0202, sending_postponed_until: Some(now()), ..mailbox() };
    let after = applied(&held, &run(&held, &results(good(), bad(Credentials, Step::LogIn))).changes);
    assert_eq!((after.transient_failures, after.sending_postponed_until), (0x0200, Some(now())));
}

#[test]
fn failure_is_not_due() {
    let conclusion = run(&mailbox(), &results(bad(Credentials, Step::LogIn), None));
    assert!(conclusion.changes.iter().all(|change| change.target().table != "pr_workitem"));
}

#[test]
fn a_passing_fault_is_tried_again_three_times() {
    let faulty = results(bad(Temporary, Step::Connect), good());
    let mut mailbox = mailbox();
    for (retry, seconds) in [(1, 5), (2, 15), (3, 40)] {
        let conclusion = run(&mailbox, &faulty);
        assert_eq!(conclusion.again, Some(now() + SignedDuration::from_secs(seconds)));
        mailbox = applied(&mailbox, &conclusion.changes);
        assert_eq!(mailbox.test_retries, retry);
        assert!(mailbox.test_scheduled && mailbox.test_completed_on.is_none());
        assert_eq!(mailbox.test_postponed_until, conclusion.again);
        assert!(mailbox.test_log.contains("repeated at"), "{}", mailbox.test_log);
        assert!(alerts(&conclusion.changes).is_empty());
    }
    let conclusion = run(&mailbox, &faulty);
    assert_eq!(conclusion.again, None);
    assert_eq!(applied(&mailbox, &conclusion.changes).incoming_status, TestStatus::Failure);
}

#[test]
fn a_lasting_fault_is_reported_at_once() {
    for kind in [Credentials, Refused, Misconfigured, Garbled] {
        assert_eq!(run(&mailbox(), &results(bad(kind, Step::LogIn), None)).again, None, "{kind}");
    }
    assert_eq!(run(&mailbox(), &results(bad(Temporary, Step::Connect), bad(Credentials, Step::LogIn))).again, None);
    assert!(run(&mailbox(), &results(None, bad(Uncertain, Step::Send))).again.is_some());
}

#[test]
fn the_log_has_a_line_for_each_step() {
    let log = applied(&mailbox(), &run(&mailbox(), &results(good(), bad(Credentials, Step::LogIn))).changes).test_log;
    assert_eq!(
        log.lines().collect::<Vec<_>>(),
        [
            "Test of 2026-03-01T12:00:00Z",
            "Incoming: connect: ok: connected to mail.example:993",
            "Incoming: log in: ok: a1 OK logged in",
            "Outgoing: connect: ok: connected",
            "Outgoing: log in: FAILED: server said no",
            "Outgoing: Check user name and password where the profile takes them from (the mailbox or the profile), then \
             choose Test & Enable Mailbox.",
            "Outgoing:   C: x",
            "Outgoing:   S: y",
        ]
    );
}

#[test]
fn what_was_not_tested_says_so_and_lines_stay_lines() {
    let mut report = ProbeReport::default();
    report.passed(Step::Greeting, "220-one\r\n220 two");
    let log = applied(&mailbox(), &run(&mailbox(), &results(None, Some(report))).changes).test_log;
    assert!(log.contains("Incoming: not tested"), "{log}");
    assert!(log.contains("220-one / 220 two\n"), "{log}");
}

#[test]
fn alerts_of_a_test() {
    let told = |results: &TestResults| {
        alerts(&run(&mailbox(), results).changes)
            .into_iter()
            .map(|row| (row.regarding.unwrap().table, row.level))
            .collect::<Vec<_>>()
    };
    use AlertLevel::{Error, Information};
    assert_eq!(told(&results(good(), good())), [("mailbox", Information)]);
    assert_eq!(told(&results(good(), bad(Credentials, Step::LogIn))), [("mailbox", Information), ("mailbox", Error)]);
    assert_eq!(
        told(&results(bad(Misconfigured, Step::Tls), None)),
        [("mailbox", Error), ("emailserverprofile", Error)],
        "a fault of the server is told on the profile too"
    );
    assert_eq!(told(&results(None, None)), []);
}

#[test]
fn a_password_in_the_profile_is_the_profiles_matter() {
    let shared = EmailServerProfile { incoming_credentials: CredentialRetrieval::Profile, ..profile() };
    let changes =
        conclude(&mailbox(), &shared, &organization(), &results(bad(Credentials, Step::LogIn), None), now()).changes;
    assert_eq!(alerts(&changes).len(), 2);
}

#[test]
fn two_tests_a_day_are_two_alerts() {
    let id = |at| alerts(&conclude(&mailbox(), &profile(), &organization(), &results(good(), None), at).changes)[0].id;
    assert_ne!(id(now()), id(now() + SignedDuration::from_secs(60)));
}

#[test]
fn a_test_that_cannot_run_fails_what_it_was_for() {
    let why = Refusals::from(Refusal::new(
        0x8005_E219,
        "InactiveMailbox",
        model::words!("the mailbox is deactivated; activate it"),
    ));
    let enabled = Mailbox { enabled_incoming: true, outgoing: OutgoingMethod::None, ..mailbox() };
    let changes = cannot_run(&enabled, &organization(), &why, now());
    let after = applied(&enabled, &changes);
    assert_eq!((after.incoming_status, after.outgoing_status), (TestStatus::Failure, TestStatus::NotRun));
    assert!(!after.test_scheduled && !after.enabled_incoming && after.test_log.contains("activate it"));
    assert_eq!(alerts(&changes)[0].level, AlertLevel::Error);
}

#[test]
fn a_step_is_a_row_with_the_advice() {
    let mailbox = Mailbox { test_retries: 1, ..mailbox() };
    let report = bad(Credentials, Step::LogIn).unwrap();
    let passed = step(&mailbox, (Workload::Incoming, 0), &report.steps[0], None, now());
    assert_eq!((passed.step.as_str(), passed.passed, passed.advice.as_str()), ("connect", true, ""));
    assert_eq!((passed.attempt, passed.taken_on), (1, Some(now())));
    let failed = step(&mailbox, (Workload::Incoming, 1), &report.steps[1], report.failure.as_ref(), now());
    assert_eq!((failed.step.as_str(), failed.passed, failed.said.as_str()), ("log in", false, "server said no"));
    assert!(failed.advice.contains("user name and password"), "{}", failed.advice);
    assert_eq!(failed.transcript, "C: x\nS: y");
    assert_ne!(passed.id, failed.id);
    // The same step of the next test takes the row's place.
    assert_eq!(passed.id, step(&mailbox, (Workload::Outgoing, 0), &report.steps[0], None, now()).id);
}
