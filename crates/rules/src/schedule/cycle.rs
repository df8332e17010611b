//! What a finished cycle leaves on the mailbox.

use jiff::{SignedDuration, Timestamp};
use model::tables::{CredentialRetrieval, EmailServerProfile, Mailbox, Organization};
use model::work::Workload;
use model::{Change, Failure, FailureKind, Step, Update, words};

use super::{Outcome, next_run};
use crate::alert::{self, Alert};

/// So many answers that the credentials are wrong end the attempts, when at
/// least [`APART`] lies between one and the next.
const REFUSALS: i64 = 3;
const APART: SignedDuration = SignedDuration::from_secs(300);
/// A session that breaks off once, as all do when their server is stopped, says
/// nothing about the mailbox. The next try shows what it was: the server, whose
/// fault is told on the profile, or so many times this mailbox.
const PASSING: i64 = 3;
/// A clean cycle rewrites "last successful" this often at most: a quiet
/// mailbox is looked at every few seconds and should not be written as often.
const REMEMBER: SignedDuration = SignedDuration::from_secs(60);

/// What a failed cycle leads to.
#[derive(Debug, Clone, PartialEq)]
pub struct Aftermath {
    /// The mailbox and alerts.
    pub changes: Vec<Change>,
    /// When to try again; `None` when the workload was disabled.
    pub next_run: Option<Timestamp>,
    /// For the work item: consecutive failures of a passing kind.
    pub failures: i64,
    /// The mailbox is no longer enabled for the workload.
    pub disabled: bool,
}

/// After a cycle that failed. `failures` is what the work item counted before.
pub fn failed(
    mailbox: &Mailbox,
    profile: Option<&EmailServerProfile>,
    organization: &Organization,
    workload: Workload,
    failures: i64,
    failure: &Failure,
    now: Timestamp,
) -> Aftermath {
    let failures = failures.saturating_add(1);
    let mut after = Mailbox {
        last_error: format!("{}: {failure}", workload.as_str()).chars().take(2048).collect(),
        last_error_on: Some(now),
        last_error_count: mailbox.last_error_count.saturating_add(1),
        ..mailbox.clone()
    };
    let mut next = next_run(workload, Outcome::Failed(failure), profile, mailbox, failures, now);
    let mut disabled = false;
    if failure.kind == FailureKind::Credentials {
        let postponed = postponed_until(mailbox, workload);
        // Runs that somebody forced in between prove nothing new.
        if postponed.is_none_or(|until| until <= now) {
            let refusals = refusals(mailbox, workload) + 1;
            set_refusals(&mut after, workload, refusals);
            set_postponed(&mut after, workload, now.checked_add(APART).ok());
            disabled = refusals >= REFUSALS;
        } else {
            next = next.max(postponed);
        }
    } else if failure.during > Step::LogIn {
        set_refusals(&mut after, workload, 0);
    }
    if disabled {
        set_enabled(&mut after, workload, false);
        set_refusals(&mut after, workload, 0);
        set_postponed(&mut after, workload, None);
        next = None;
    }
    let mut changes: Vec<_> = Update::between(mailbox, &after).map(Change::from).into_iter().collect();
    let passes = failure.kind == FailureKind::Temporary && !failure.is_server_wide() && failures < PASSING;
    if !passes {
        changes.extend(alerts(&after, profile, organization, workload, failure, disabled, now));
    }
    Aftermath { changes, next_run: next, failures, disabled }
}

/// After a cycle that was `begun` and went through: `processed` and `failed`
/// items. Nothing to write in most cycles of a quiet mailbox.
pub fn succeeded(
    mailbox: &Mailbox,
    workload: Workload,
    processed: u64,
    failed: u64,
    begun: Timestamp,
    now: Timestamp,
) -> Option<Change> {
    let mut after = mailbox.clone();
    set_refusals(&mut after, workload, 0);
    if refusals(mailbox, workload) > 0 {
        set_postponed(&mut after, workload, None);
    }
    // Sending well says nothing about receiving.
    let others = [Workload::Incoming, Workload::Outgoing].into_iter().filter(|w| *w != workload);
    let mends =
        !mailbox.last_error.is_empty() && !others.map(Workload::as_str).any(|w| mailbox.last_error.starts_with(w));
    let clean = after == *mailbox && !mends;
    let fresh = mailbox.last_sync_completed.is_some_and(|at| now.duration_since(at) < REMEMBER);
    if processed == 0 && failed == 0 && clean && fresh {
        return None;
    }
    if processed > 0 || failed > 0 {
        after.items_processed = i64::try_from(processed).unwrap_or(i64::MAX);
        after.items_failed = i64::try_from(failed).unwrap_or(i64::MAX);
    }
    if workload == Workload::Incoming {
        // Counts what is written, one a minute: enough to tell quiet from busy.
        after.empty_cycles =
            if processed > 0 { 0 } else { mailbox.empty_cycles.saturating_add(REMEMBER.as_secs() / 5) };
    }
    after.last_sync_started = Some(begun);
    after.last_sync_completed = Some(now);
    if mends {
        after.last_error = String::new();
        after.last_error_count = 0;
    }
    Update::between(mailbox, &after).map(Change::from)
}

fn alerts(
    mailbox: &Mailbox,
    profile: Option<&EmailServerProfile>,
    organization: &Organization,
    workload: Workload,
    failure: &Failure,
    disabled: bool,
    now: Timestamp,
) -> Vec<Change> {
    let what = if workload == Workload::Outgoing { words!("sent from") } else { words!("received for") };
    let label = workload.as_str();
    let advice = alert::advice(failure);
    let mut changes = Vec::new();
    if disabled {
        let text = words!(
            "Mail is no longer {0} mailbox '{1}': the server has refused its credentials {2} times and said: \
             {3}. {4}",
            what,
            mailbox.name,
            REFUSALS,
            failure.detail,
            advice
        );
        changes.extend(alert::on_mailbox(
            Alert::error(format!("{label}-disabled"), text).of(failure),
            mailbox,
            organization,
            now,
        ));
        let shared = profile.filter(|profile| from_profile(profile, workload));
        if let Some(profile) = shared {
            let text = words!(
                "The server has refused the credentials of profile '{0}' and said: {1}. {2}",
                profile.name,
                failure.detail,
                advice
            );
            changes.extend(alert::on_profile(
                Alert::error(format!("{label}-credentials"), text).of(failure),
                profile,
                organization,
                now,
            ));
        }
    } else if failure.is_server_wide() {
        changes.extend(server_wide(mailbox, profile, organization, workload, failure, now));
    } else {
        let text = words!("Mail could not be {0} mailbox '{1}': {2}. {3}", what, mailbox.name, failure.detail, advice);
        changes.extend(alert::on_mailbox(
            Alert::warning(format!("{label}-{}", failure.kind), text).of(failure),
            mailbox,
            organization,
            now,
        ));
    }
    changes
}

/// A fault of the server is told on the profile; the owner of the mailbox
/// need not act, and hears of it only where the organization wants that.
fn server_wide(
    mailbox: &Mailbox,
    profile: Option<&EmailServerProfile>,
    organization: &Organization,
    workload: Workload,
    failure: &Failure,
    now: Timestamp,
) -> Vec<Change> {
    let label = workload.as_str();
    let level = if failure.kind == FailureKind::Misconfigured { Alert::error } else { Alert::warning };
    let cause = format!("{label}-server-{}", failure.kind);
    let mut changes = Vec::new();
    if let Some(profile) = profile {
        let text = words!(
            "The {0} server of profile '{1}' cannot be used: {2}. No mailbox is disabled for that. {3}",
            label,
            profile.name,
            failure.detail,
            alert::advice(failure)
        );
        changes.extend(alert::on_profile(level(cause.clone(), text).of(failure), profile, organization, now));
    }
    if organization.notify_owner {
        let text = words!(
            "The {0} server of mailbox '{1}' cannot be used: {2}. You need not do anything; its mail waits.",
            label,
            mailbox.name,
            failure.detail
        );
        changes.extend(alert::on_mailbox(level(cause, text).of(failure), mailbox, organization, now));
    }
    changes
}

fn from_profile(profile: &EmailServerProfile, workload: Workload) -> bool {
    let retrieval = if workload == Workload::Outgoing {
        crate::profile::outgoing_credentials(profile)
    } else {
        profile.incoming_credentials
    };
    retrieval == CredentialRetrieval::Profile
}

/// Refused credentials are counted in `transientfailurecount`, which Dataverse
/// describes as a packed counter per operation: eight bits a workload.
fn shift(workload: Workload) -> u32 {
    if workload == Workload::Outgoing { 8 } else { 0 }
}

fn refusals(mailbox: &Mailbox, workload: Workload) -> i64 {
    (mailbox.transient_failures >> shift(workload)) & 0xFF
}

pub(crate) fn set_refusals(mailbox: &mut Mailbox, workload: Workload, count: i64) {
    let cleared = mailbox.transient_failures & !(0xFF << shift(workload));
    mailbox.transient_failures = cleared | (count.clamp(0, 0xFF) << shift(workload));
}

fn postponed_until(mailbox: &Mailbox, workload: Workload) -> Option<Timestamp> {
    match workload {
        Workload::Outgoing => mailbox.sending_postponed_until,
        _ => mailbox.receiving_postponed_until,
    }
}

pub(crate) fn set_postponed(mailbox: &mut Mailbox, workload: Workload, until: Option<Timestamp>) {
    match workload {
        Workload::Outgoing => mailbox.sending_postponed_until = until,
        _ => mailbox.receiving_postponed_until = until,
    }
}

fn set_enabled(mailbox: &mut Mailbox, workload: Workload, enabled: bool) {
    match workload {
        Workload::Outgoing => mailbox.enabled_outgoing = enabled,
        _ => mailbox.enabled_incoming = enabled,
    }
}
