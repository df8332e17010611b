//! Backups by a schedule: when one is due, which files have been kept long
//! enough, and what is told when one fails.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use model::tables::{BackupDay, BackupSchedule, Job, JobKind, JobState, Organization};
use model::{Change, Entity, Id, Refusal, SignedDuration, Timestamp, id, time_zone, words};

use crate::alert::{self, Alert};

/// A backup that was to be made so long ago should have been.
const LATE: SignedDuration = SignedDuration::from_hours(2);
/// Days of a week, and one more: the hour of today may be over or to come.
const DAYS: usize = 8;

/// The columns that make up the schedule.
pub const COLUMNS: [&str; 5] = [
    Organization::C.backup_schedule.name,
    Organization::C.backup_hour.name,
    Organization::C.backup_day.name,
    Organization::C.backup_zone.name,
    Organization::C.backup_keep.name,
];

/// The zone in which the hour is meant.
pub fn zone(organization: &Organization) -> Result<TimeZone, Refusal> {
    let known = time_zone::by_code(organization.backup_zone).and_then(time_zone::TimeZone::rules);
    let column = Organization::C.backup_zone.name;
    known.ok_or_else(|| Refusal::invalid(Some(column), words!("There is no time zone with this code.")))
}

/// The last moment up to now at which a backup was to be made.
#[must_use]
pub fn last(organization: &Organization, now: Timestamp) -> Option<Timestamp> {
    let zone = zone(organization).ok()?;
    let mut day = Some(today(&zone, now));
    for _ in 0..=DAYS {
        let this = day?;
        if let Some(at) = moment(organization, &zone, this).filter(|at| *at <= now) {
            return Some(at);
        }
        day = this.yesterday().ok();
    }
    None
}

/// The next one.
#[must_use]
pub fn next(organization: &Organization, now: Timestamp) -> Option<Timestamp> {
    let zone = zone(organization).ok()?;
    let mut day = Some(today(&zone, now));
    for _ in 0..=DAYS {
        let this = day?;
        if let Some(at) = moment(organization, &zone, this).filter(|at| *at > now) {
            return Some(at);
        }
        day = this.tomorrow().ok();
    }
    None
}

fn today(zone: &TimeZone, now: Timestamp) -> Date {
    now.to_zoned_datetime(zone.clone()).date()
}

/// When the backup of this day is to be made; `None`: there is none. An hour
/// that the clocks skip is made up for by the one after it.
fn moment(organization: &Organization, zone: &TimeZone, day: Date) -> Option<Timestamp> {
    let fits = match organization.backup_schedule {
        BackupSchedule::Never => false,
        BackupSchedule::Daily => true,
        BackupSchedule::Weekly => day.weekday() == weekday(organization.backup_day),
    };
    let hour = i8::try_from(organization.backup_hour).ok().filter(|hour| (0..24).contains(hour))?;
    let at = fits.then(|| day.at(hour, 0, 0, 0).to_zoned_datetime(zone.clone()).ok())??;
    Some(at.timestamp())
}

fn weekday(day: BackupDay) -> Weekday {
    match day {
        BackupDay::Sunday => Weekday::Sunday,
        BackupDay::Monday => Weekday::Monday,
        BackupDay::Tuesday => Weekday::Tuesday,
        BackupDay::Wednesday => Weekday::Wednesday,
        BackupDay::Thursday => Weekday::Thursday,
        BackupDay::Friday => Weekday::Friday,
        BackupDay::Saturday => Weekday::Saturday,
    }
}

/// The backup that is to be begun now, besides those there are. One that was
/// missed while nothing ran is made up for, once. Its id follows from the
/// moment: of several nodes one alone can write it.
#[must_use]
pub fn due(organization: &Organization, jobs: &[Job], now: Timestamp) -> Option<Job> {
    let at = last(organization, now)?;
    // Whoever sets a schedule in the afternoon does not mean last night.
    if organization.backup_since.is_none_or(|since| at < since) {
        return None;
    }
    let backups = || jobs.iter().filter(|job| job.kind == JobKind::Backup);
    let busy = backups().any(|job| matches!(job.state, JobState::Waiting | JobState::Running));
    let begun = backups().any(|job| job.scheduled_for.is_some_and(|done| done >= at));
    if busy || begun {
        return None;
    }
    Some(Job {
        kind: JobKind::Backup,
        asked_by: organization.system_user,
        asked_on: Some(now),
        scheduled_for: Some(at),
        ..Job::blank(job_id(at))
    })
}

fn job_id(at: Timestamp) -> Id {
    id::derived(at, &[b"scheduled backup"])
}

/// Of the backups that the schedule made, those whose files go: the newest
/// ones stay. What somebody made by hand stays until they delete it.
#[must_use]
pub fn surplus<'a>(organization: &Organization, jobs: &'a [Job]) -> Vec<&'a Job> {
    let keep = usize::try_from(organization.backup_keep).unwrap_or(1).max(1);
    let made = |job: &&Job| {
        job.kind == JobKind::Backup
            && job.state == JobState::Succeeded
            && job.scheduled_for.is_some()
            && !job.file.is_empty()
    };
    let mut made: Vec<&Job> = jobs.iter().filter(made).collect();
    made.sort_by_key(|job| std::cmp::Reverse((job.scheduled_for, job.id)));
    made.split_off(keep.min(made.len()))
}

/// How the backups by the schedule stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// When the last backup, by the schedule or by hand, was finished.
    pub made: Option<Timestamp>,
    pub next: Option<Timestamp>,
    /// One that should have been made by now: when it was to be.
    pub overdue: Option<Timestamp>,
    /// The last one by the schedule failed, and no other was made since: when
    /// it was to be made, and why it was not.
    pub failed: Option<(Timestamp, String)>,
}

/// `None`: no backup is scheduled.
#[must_use]
pub fn standing(organization: &Organization, jobs: &[Job], now: Timestamp) -> Option<Standing> {
    let last = last(organization, now)?;
    let backups = || jobs.iter().filter(|job| job.kind == JobKind::Backup);
    let made = backups().filter(|job| job.state == JobState::Succeeded).filter_map(|job| job.finished_on).max();
    let wanted = organization.backup_since.is_some_and(|since| last >= since) && now.duration_since(last) >= LATE;
    let settled = |job: &Job| match job.state {
        JobState::Succeeded | JobState::Failed => true,
        JobState::Running => job.lease_until.is_some_and(|until| until >= now),
        JobState::Waiting => false,
    };
    let begun = backups().any(|job| job.scheduled_for.is_some_and(|at| at >= last) && settled(job));
    let over = |job: &&Job| matches!(job.state, JobState::Succeeded | JobState::Failed) && job.scheduled_for.is_some();
    let latest = backups().filter(over).max_by_key(|job| job.scheduled_for);
    let failed = latest.filter(|job| job.state == JobState::Failed && job.finished_on >= made);
    Some(Standing {
        made,
        next: next(organization, now),
        overdue: (wanted && !begun).then_some(last),
        failed: failed.and_then(|job| Some((job.scheduled_for?, job.outcome.clone()))),
    })
}

/// What is told of a scheduled backup that failed, or that is not whole.
#[must_use]
pub fn told(
    job: &Job,
    result: Result<usize, &str>,
    place: &str,
    organization: &Organization,
    now: Timestamp,
) -> Option<Change> {
    let at = job.scheduled_for?;
    let alert = match result {
        Ok(0) => return None,
        Ok(lost) => Alert::warning(
            "backup-incomplete",
            words!(
                "The scheduled backup is not whole: {0} messages or attachments could not be read and are not in \
                 it. Run `postroom doctor` on the server, which names them, and keep an older backup that has them.",
                lost
            ),
        ),
        Err(error) => Alert::error(
            "backup-failed",
            words!(
                "The backup that was scheduled for {0} was not made: {1} Look whether {2} on the server can be \
                 written to and has room, then choose \"Make a backup now\" in Settings, Data Management. Until one \
                 succeeds, the last backup is the one that is listed there.",
                at.strftime("%Y-%m-%d %H:%M UTC"),
                error,
                place
            ),
        ),
    };
    alert::raise(alert, organization.reference(), None, organization, now)
}

#[cfg(test)]
mod tests;
