//! Test & Enable Mailbox: what is tested, and what the results mean.

use jiff::{SignedDuration, Timestamp};
use model::probe::{ProbeReport, ProbeStep};
use model::tables::{
    CredentialRetrieval, EmailServerProfile, IncomingMethod, Mailbox, Organization, OutgoingMethod, TestStatus,
    TestStep,
};
use model::work::Workload;
use model::{Change, Entity, Failure, FailureKind, Refusals, Update, id, words};

use crate::alert::{self, Alert};
use crate::mailbox::{Kind, kind};
use crate::schedule;

/// Which routes a test tries. A workload that is not ours is not tested and
/// stays Not Run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Plan {
    pub incoming: bool,
    /// Really sends a message from the mailbox to itself.
    pub outgoing: bool,
    /// The message is waited for in the mailbox, and removed.
    pub wait_for_arrival: bool,
}

pub fn plan(mailbox: &Mailbox) -> Plan {
    let incoming = mailbox.incoming == IncomingMethod::ServerSide;
    let outgoing = mailbox.outgoing == OutgoingMethod::ServerSide && kind(mailbox) != Kind::Forward;
    Plan { incoming, outgoing, wait_for_arrival: incoming && outgoing }
}

/// What was seen on each route that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TestResults {
    pub incoming: Option<ProbeReport>,
    pub outgoing: Option<ProbeReport>,
}

/// The row of a step that was taken, for those who wait for the test. It is
/// no part of the mailbox: what they see does not change the record that they
/// or others have open.
pub fn step(
    mailbox: &Mailbox,
    (route, number): (Workload, i64),
    step: &ProbeStep,
    failure: Option<&Failure>,
    now: Timestamp,
) -> TestStep {
    let parts: [&[u8]; 3] = [b"pr_teststep", mailbox.id.as_bytes(), &number.to_be_bytes()];
    TestStep {
        mailbox: Some(mailbox.reference()),
        route,
        number,
        attempt: mailbox.test_retries,
        taken_on: Some(now),
        step: step.step.as_str().to_owned(),
        passed: step.ok,
        said: one_line(&step.said),
        advice: failure.map(|failure| alert::advice(failure).to_string()).unwrap_or_default(),
        transcript: failure.map(|failure| failure.transcript.join("\n")).unwrap_or_default(),
        ..TestStep::blank(id::derived(Timestamp::UNIX_EPOCH, &parts))
    }
}

/// What a test leads to.
#[derive(Debug, Clone, PartialEq)]
pub struct Conclusion {
    pub changes: Vec<Change>,
    /// The test met a passing fault and is repeated then; it is still scheduled.
    pub again: Option<Timestamp>,
}

/// Seconds before a test that met a passing fault is repeated; then it counts.
const RETRIES: [i64; 3] = [5, 15, 40];

/// Decides over a test that ran. Statuses, enabled flags, the log and alerts;
/// on success the mailbox's work is due at once.
pub fn conclude(
    mailbox: &Mailbox,
    profile: &EmailServerProfile,
    organization: &Organization,
    results: &TestResults,
    now: Timestamp,
) -> Conclusion {
    let log = log(results, now);
    if let Some(wait) = retry_wait(mailbox, results) {
        let at = now.checked_add(wait).unwrap_or(now);
        let update = Update::of::<model::tables::Mailbox>(mailbox.id)
            .set(Mailbox::C.test_retries, mailbox.test_retries.saturating_add(1))
            .set(Mailbox::C.test_postponed_until, Some(at))
            .set(Mailbox::C.test_log, format!("{log}{}\n", words!("The test is repeated at {0}.", at)));
        return Conclusion { changes: vec![update.into()], again: Some(at) };
    }
    let mut after = ended(mailbox, log, now);
    let routes = [(Workload::Incoming, &results.incoming), (Workload::Outgoing, &results.outgoing)];
    for (workload, report) in routes {
        if let Some(report) = report {
            let keeps = |failure| may_pass(failure) && is_enabled(mailbox, workload);
            let enabled = report.failure.as_ref().is_none_or(keeps);
            set_result(&mut after, workload, report.is_success(), enabled);
        }
    }
    after.mailbox_status = overall(results);
    let mut changes: Vec<_> = Update::between(mailbox, &after).map(Change::from).into_iter().collect();
    for (workload, report) in routes {
        match report {
            Some(report) if report.is_success() => changes.extend(schedule::due(mailbox.id, workload, now)),
            _ => {}
        }
    }
    changes.extend(alerts(&after, profile, organization, results, now));
    Conclusion { changes, again: None }
}

/// The test that was scheduled cannot run: somebody deactivated or changed
/// something meanwhile. Counts as a failure of what it was to test.
pub fn cannot_run(mailbox: &Mailbox, organization: &Organization, why: &Refusals, now: Timestamp) -> Vec<Change> {
    let plan = plan(mailbox);
    let mut after = ended(mailbox, format!("{}\n", words!("The test could not run: {0}", why)), now);
    if plan.incoming {
        set_result(&mut after, Workload::Incoming, false, false);
    }
    if plan.outgoing {
        set_result(&mut after, Workload::Outgoing, false, false);
    }
    after.mailbox_status = TestStatus::Failure;
    let mut changes: Vec<_> = Update::between(mailbox, &after).map(Change::from).into_iter().collect();
    let text = words!("The test of mailbox '{0}' could not run: {1}", mailbox.name, why);
    changes.extend(alert::on_mailbox(Alert::error(format!("test {now}"), text), mailbox, organization, now));
    changes
}

fn ended(mailbox: &Mailbox, test_log: String, now: Timestamp) -> Mailbox {
    Mailbox {
        test_scheduled: false,
        test_completed_on: Some(now),
        test_retries: 0,
        test_postponed_until: None,
        test_log,
        ..mailbox.clone()
    }
}

/// Nobody has to mend it: an outage, or an answer that did not come.
fn may_pass(failure: &Failure) -> bool {
    matches!(failure.kind, FailureKind::Temporary | FailureKind::Uncertain)
}

fn is_enabled(mailbox: &Mailbox, workload: Workload) -> bool {
    if workload == Workload::Outgoing { mailbox.enabled_outgoing } else { mailbox.enabled_incoming }
}

/// Success enables and forgets what held the workload back. What does not pass
/// its test is not worked on, unless it worked before and only met an outage:
/// that never disables anything.
fn set_result(mailbox: &mut Mailbox, workload: Workload, success: bool, enabled: bool) {
    let status = if success { TestStatus::Success } else { TestStatus::Failure };
    if workload == Workload::Outgoing {
        mailbox.outgoing_status = status;
        mailbox.enabled_outgoing = enabled;
    } else {
        mailbox.incoming_status = status;
        mailbox.enabled_incoming = enabled;
    }
    if success {
        schedule::set_refusals(mailbox, workload, 0);
        schedule::set_postponed(mailbox, workload, None);
        mailbox.postponed_until = None;
        mailbox.empty_cycles = 0;
        mailbox.last_error = String::new();
        mailbox.last_error_count = 0;
    }
}

fn overall(results: &TestResults) -> TestStatus {
    let mut reports = results.incoming.iter().chain(&results.outgoing).peekable();
    if reports.peek().is_none() {
        TestStatus::NotRun
    } else if reports.all(ProbeReport::is_success) {
        TestStatus::Success
    } else {
        TestStatus::Failure
    }
}

/// Repeated only when every fault that was seen may pass by itself: a wrong
/// password on the other route is reported at once.
fn retry_wait(mailbox: &Mailbox, results: &TestResults) -> Option<SignedDuration> {
    let failures: Vec<_> = failures(results).map(|(_, failure)| failure).collect();
    let passing = !failures.is_empty() && failures.iter().all(|failure| may_pass(failure));
    let wait = RETRIES.get(usize::try_from(mailbox.test_retries).ok()?)?;
    passing.then(|| SignedDuration::from_secs(*wait))
}

fn failures(results: &TestResults) -> impl Iterator<Item = (Workload, &Failure)> {
    [(Workload::Incoming, &results.incoming), (Workload::Outgoing, &results.outgoing)]
        .into_iter()
        .filter_map(|(workload, report)| Some((workload, report.as_ref()?.failure.as_ref()?)))
}

/// One line a step, as the server answered.
fn log(results: &TestResults, now: Timestamp) -> String {
    let mut log = format!("Test of {now}\n");
    for (name, report) in [("Incoming", &results.incoming), ("Outgoing", &results.outgoing)] {
        let Some(report) = report else {
            log.push_str(&format!("{name}: {}\n", words!("not tested, the method is not server-side synchronization")));
            continue;
        };
        for step in &report.steps {
            let mark = if step.ok { "ok" } else { "FAILED" };
            log.push_str(&format!("{name}: {}: {mark}: {}\n", step.step, one_line(&step.said)));
        }
        if let Some(failure) = &report.failure {
            log.push_str(&format!("{name}: {}\n", alert::advice(failure)));
            for line in &failure.transcript {
                log.push_str(&format!("{name}:   {}\n", one_line(line)));
            }
        }
    }
    log
}

fn one_line(text: &str) -> String {
    text.split(['\r', '\n']).map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" / ")
}

fn alerts(
    mailbox: &Mailbox,
    profile: &EmailServerProfile,
    organization: &Organization,
    results: &TestResults,
    now: Timestamp,
) -> Vec<Change> {
    let mut changes = Vec::new();
    let passed = |report: &Option<ProbeReport>| report.as_ref().is_some_and(ProbeReport::is_success);
    let passed = match (passed(&results.incoming), passed(&results.outgoing)) {
        (true, true) => Some(words!("receiving and sending")),
        (true, false) => Some(words!("receiving")),
        (false, true) => Some(words!("sending")),
        (false, false) => None,
    };
    if let Some(both) = passed {
        let text = words!("Mailbox '{0}' was tested and is enabled for {1}.", mailbox.name, both);
        // Every test is told for itself, be it the second one of a day.
        let alert = Alert::information(format!("test success {now}"), text);
        changes.extend(alert::on_mailbox(alert, mailbox, organization, now));
    }
    for (workload, failure) in failures(results) {
        let cause = format!("test {} {now}", workload.as_str());
        let advice = alert::advice(failure);
        let text = words!(
            "The {0} test of mailbox '{1}' failed at step '{2}': {3}. {4}",
            workload.as_str(),
            mailbox.name,
            failure.during,
            failure.detail,
            advice
        );
        changes.extend(alert::on_mailbox(Alert::error(cause, text).of(failure), mailbox, organization, now));
        if failure.is_server_wide() || uses_profile_credentials(profile, workload, failure) {
            let text = words!(
                "The {0} server of profile '{1}' did not pass a test at step '{2}': {3}. {4}",
                workload.as_str(),
                profile.name,
                failure.during,
                failure.detail,
                advice
            );
            let alert = Alert::error(format!("test {}-{}", workload.as_str(), failure.kind), text).of(failure);
            changes.extend(alert::on_profile(alert, profile, organization, now));
        }
    }
    changes
}

fn uses_profile_credentials(profile: &EmailServerProfile, workload: Workload, failure: &Failure) -> bool {
    let retrieval = if workload == Workload::Outgoing {
        crate::profile::outgoing_credentials(profile)
    } else {
        profile.incoming_credentials
    };
    failure.kind == FailureKind::Credentials && retrieval == CredentialRetrieval::Profile
}

#[cfg(test)]
mod tests;
