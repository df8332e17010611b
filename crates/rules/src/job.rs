//! Jobs of the machine: who takes one up, when it is given up, and what is
//! noted of it. See [`model::tables::Job`].

use model::query::Compare;
use model::tables::{Audit, Job, JobKind, JobState, Organization, SystemUser};
use model::{Change, Entity, Filter, Id, Query, Ref, Refusal, SignedDuration, Timestamp, Update, Value, words};

/// How long a job stays with a process that is not heard of.
pub const LEASE: SignedDuration = SignedDuration::from_mins(2);
/// A job whose process ended is begun again so often.
const TRIES: i64 = 3;
/// Between two changes of the key.
const PAUSE: SignedDuration = SignedDuration::from_mins(10);
/// What is shown of an error.
const LONGEST: usize = 2000;

/// Whether such a job may be asked for, besides the ones there are.
pub fn may_begin(kind: JobKind, others: &[Job], now: Timestamp) -> Result<(), Refusal> {
    let same = || others.iter().filter(|job| job.kind == kind);
    if same().any(|job| matches!(job.state, JobState::Waiting | JobState::Running)) {
        let message = match kind {
            JobKind::Backup => words!("A backup is being made already."),
            JobKind::ChangeKey => words!("The encryption key is being changed already."),
        };
        return Err(Refusal::new(0x8004_023B, "InvalidOperation", message));
    }
    let last = same().filter(|job| job.state == JobState::Succeeded).filter_map(|job| job.finished_on).max();
    if kind == JobKind::ChangeKey && last.is_some_and(|last| now.duration_since(last) < PAUSE) {
        let message = words!(
            "The encryption key was changed a moment ago. It can be changed every {0} minutes.",
            PAUSE.as_mins()
        );
        return Err(Refusal::new(0x8004_023B, "InvalidOperation", message));
    }
    Ok(())
}

/// Jobs that nobody works on: those that wait, and those whose process is not
/// heard of any more.
pub fn due(now: Timestamp) -> Query {
    let left = Filter::Compare(Job::C.lease_until.name.into(), Compare::Less, Value::Time(now));
    let left = Filter::eq(Job::C.state, JobState::Running).and(left);
    Query::of::<Job>().filter(Filter::eq(Job::C.state, JobState::Waiting).or(left)).order_by(Job::C.asked_on, false)
}

/// Takes the job up. It is refused where somebody else was faster.
pub fn taken(job: &Job, holder: &str, now: Timestamp) -> (Job, Update) {
    let taken = Job {
        state: JobState::Running,
        started_on: job.started_on.or(Some(now)),
        lease_until: now.checked_add(LEASE).ok(),
        holder: holder.to_owned(),
        attempts: job.attempts + 1,
        file: if job.kind == JobKind::Backup { file_name(job) } else { String::new() },
        ..job.clone()
    };
    let update = Update::between(job, &taken).unwrap_or_else(|| Update::of::<Job>(job.id));
    let update = update.expect(Job::C.state, job.state).expect(Job::C.attempts, job.attempts);
    (taken, update)
}

/// Whether it was begun often enough.
pub fn is_hopeless(job: &Job) -> bool {
    job.attempts >= TRIES
}

/// How far it is; whoever lost the job is refused.
pub fn progress(job: &Job, done: i64, total: i64, now: Timestamp) -> Update {
    ours(job).set(Job::C.done, done).set(Job::C.total, total).set(Job::C.lease_until, now.checked_add(LEASE).ok())
}

/// It is over, well or badly; with the row of the audit trail.
pub fn over(
    job: &Job,
    result: Result<(String, i64), String>,
    organization: &Organization,
    audit: Id,
    now: Timestamp,
) -> Vec<Change> {
    let verb = match (job.kind, result.is_ok()) {
        (JobKind::Backup, true) => "backup-made",
        (JobKind::Backup, false) => "backup-failed",
        (JobKind::ChangeKey, true) => "key-rotated",
        (JobKind::ChangeKey, false) => "key-rotation-failed",
    };
    let state = if result.is_ok() { JobState::Succeeded } else { JobState::Failed };
    let kept = if result.is_ok() { job.file.clone() } else { String::new() };
    let (text, size) = result.unwrap_or_else(|error| (error, 0));
    let text: String = text.chars().take(LONGEST).collect();
    let update = ours(job)
        .set(Job::C.state, state)
        .set(Job::C.finished_on, Some(now))
        .set(Job::C.lease_until, None)
        .set(Job::C.file, kept)
        .set(Job::C.size, size)
        .set(Job::C.outcome, text.clone());
    vec![update.into(), noted(organization, verb, &text, audit, now)]
}

/// A row of the audit trail for what the service did by itself.
pub fn noted(organization: &Organization, verb: &str, what: &str, id: Id, now: Timestamp) -> Change {
    Change::create(Audit {
        at: Some(now),
        user: organization.system_user.map(|user| Ref::new(SystemUser::TABLE.logical, user.id)),
        action: verb.to_owned(),
        table: Organization::TABLE.logical.to_owned(),
        row: Some(organization.id),
        door: "service".to_owned(),
        detail: format!("{{\"result\":{}}}", quoted(what)),
        ..Audit::blank(id)
    })
}

fn ours(job: &Job) -> Update {
    Update::of::<Job>(job.id).expect(Job::C.state, JobState::Running).expect(Job::C.attempts, job.attempts)
}

/// `postroom-20261124T115510Z-0193f0c2.backup`
fn file_name(job: &Job) -> String {
    let asked = job.asked_on.unwrap_or(Timestamp::UNIX_EPOCH).strftime("%Y%m%dT%H%M%SZ");
    let id = job.id.simple().to_string();
    format!("postroom-{asked}-{}.backup", id.get(id.len().saturating_sub(8)..).unwrap_or_default())
}

/// As a JSON text.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn job(kind: JobKind, state: JobState) -> Job {
        Job { kind, state, asked_on: Some(at(0)), ..Job::blank(Id::from_u128(7)) }
    }

    #[track_caller]
    fn check(kind: JobKind, others: &[Job], now: i64, good: bool) {
        assert_eq!(may_begin(kind, others, at(now)).is_ok(), good);
    }

    #[test]
    fn one_at_a_time() {
        check(JobKind::Backup, &[], 0, true);
        check(JobKind::Backup, &[job(JobKind::Backup, JobState::Waiting)], 0, false);
        check(JobKind::Backup, &[job(JobKind::Backup, JobState::Running)], 0, false);
        check(JobKind::Backup, &[job(JobKind::Backup, JobState::Succeeded)], 0, true);
        check(JobKind::Backup, &[job(JobKind::ChangeKey, JobState::Running)], 0, true);
    }

    #[test]
    fn the_key_is_not_changed_all_the_time() {
        let last = Job { finished_on: Some(at(0)), ..job(JobKind::ChangeKey, JobState::Succeeded) };
        check(JobKind::ChangeKey, std::slice::from_ref(&last), 599, false);
        check(JobKind::ChangeKey, std::slice::from_ref(&last), 600, true);
        let failed = Job { state: JobState::Failed, ..last };
        check(JobKind::ChangeKey, &[failed], 1, true);
    }

    #[test]
    fn who_takes_it_up_expects_to_find_it_as_it_was() {
        let before = job(JobKind::Backup, JobState::Waiting);
        let (after, update) = taken(&before, "node", at(5));
        assert_eq!((after.state, after.attempts, after.started_on), (JobState::Running, 1, Some(at(5))));
        assert_eq!(after.file, "postroom-20270115T080000Z-00000007.backup");
        assert_eq!(update.expect.len(), 2);
        let again = taken(&after, "other", at(500)).0;
        assert_eq!((again.attempts, again.started_on, is_hopeless(&again)), (2, Some(at(5)), false));
        assert!(is_hopeless(&taken(&again, "other", at(900)).0));
    }

    #[test]
    fn a_failure_leaves_no_file_behind_and_says_why() {
        let (running, _) = taken(&job(JobKind::Backup, JobState::Waiting), "node", at(5));
        let organization = Organization::blank(Id::from_u128(1));
        let changes = over(&running, Err("no \"room\"".into()), &organization, Id::from_u128(9), at(9));
        let [Change::Update(update), Change::Create(audit)] = &changes[..] else { panic!("{changes:?}") };
        assert!(update.set.contains(&("pr_state", Value::Int(3))));
        assert!(update.set.iter().any(|(name, value)| *name == "pr_file" && value.as_text().unwrap_or("").is_empty()));
        assert_eq!(audit.get("pr_action").as_text(), Some("backup-failed"));
        assert_eq!(audit.get("pr_detail").as_text(), Some(r#"{"result":"no \"room\""}"#));
    }
}
