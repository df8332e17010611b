//! Slots across clock changes, what is due, and what is kept.

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// In Berlin.
fn organization(schedule: BackupSchedule, hour: i64, day: BackupDay) -> Organization {
    Organization {
        backup_schedule: schedule,
        backup_hour: hour,
        backup_day: day,
        backup_zone: 110,
        backup_keep: 2,
        backup_since: Some(at("2026-01-01T00:00:00Z")),
        ..Organization::blank(Id::from_u128(1))
    }
}

fn daily(hour: i64) -> Organization {
    organization(BackupSchedule::Daily, hour, BackupDay::Sunday)
}

#[track_caller]
fn check(organization: &Organization, now: &str, before: &str, after: &str) {
    let found = [last(organization, at(now)), next(organization, at(now))];
    assert_eq!(found, [before, after].map(|text| (!text.is_empty()).then(|| at(text))));
}

#[test]
fn every_day_at_an_hour_of_the_zone() {
    check(&daily(2), "2026-11-24T12:00:00Z", "2026-11-24T01:00:00Z", "2026-11-25T01:00:00Z");
    check(&daily(2), "2026-11-24T01:00:00Z", "2026-11-24T01:00:00Z", "2026-11-25T01:00:00Z");
    check(&daily(2), "2026-11-24T00:59:59Z", "2026-11-23T01:00:00Z", "2026-11-24T01:00:00Z");
    // The day of the zone, not that of UTC.
    check(&daily(0), "2026-11-24T23:30:00Z", "2026-11-24T23:00:00Z", "2026-11-25T23:00:00Z");
}

#[test]
fn every_week_on_a_day() {
    let weekly = |day| organization(BackupSchedule::Weekly, 3, day);
    // The 24th of November 2026 is a Tuesday.
    check(&weekly(BackupDay::Tuesday), "2026-11-24T12:00:00Z", "2026-11-24T02:00:00Z", "2026-12-01T02:00:00Z");
    check(&weekly(BackupDay::Tuesday), "2026-11-24T01:00:00Z", "2026-11-17T02:00:00Z", "2026-11-24T02:00:00Z");
    check(&weekly(BackupDay::Wednesday), "2026-11-24T12:00:00Z", "2026-11-18T02:00:00Z", "2026-11-25T02:00:00Z");
    check(&weekly(BackupDay::Monday), "2026-11-24T12:00:00Z", "2026-11-23T02:00:00Z", "2026-11-30T02:00:00Z");
}

#[test]
fn when_the_clocks_change() {
    // Skipped in spring, there twice in autumn: once each.
    check(&daily(2), "2026-03-29T12:00:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z");
    check(&daily(2), "2026-10-25T12:00:00Z", "2026-10-25T00:00:00Z", "2026-10-26T01:00:00Z");
}

#[test]
fn without_a_schedule_or_with_a_zone_that_is_none() {
    check(&organization(BackupSchedule::Never, 2, BackupDay::Sunday), "2026-11-24T12:00:00Z", "", "");
    check(&Organization { backup_zone: 4711, ..daily(2) }, "2026-11-24T12:00:00Z", "", "");
    assert!(zone(&Organization { backup_zone: 4711, ..daily(2) }).is_err());
}

fn job(state: JobState, scheduled: Option<&str>) -> Job {
    Job {
        kind: JobKind::Backup,
        state,
        scheduled_for: scheduled.map(at),
        file: "f".into(),
        ..Job::blank(Id::from_u128(7))
    }
}

#[test]
fn one_is_due_once() {
    let now = at("2026-11-24T12:00:00Z");
    let due_now = |jobs: &[Job]| due(&daily(2), jobs, now).map(|job| job.scheduled_for.unwrap());
    let slot = Some(at("2026-11-24T01:00:00Z"));
    assert_eq!(due_now(&[]), slot);
    assert_eq!(due_now(&[job(JobState::Succeeded, Some("2026-11-23T01:00:00Z"))]), slot);
    assert_eq!(due_now(&[job(JobState::Succeeded, None)]), slot, "one made by hand is another");
    assert_eq!(due_now(&[job(JobState::Succeeded, Some("2026-11-24T01:00:00Z"))]), None);
    assert_eq!(due_now(&[job(JobState::Failed, Some("2026-11-24T01:00:00Z"))]), None, "the alert says what to do");
    assert_eq!(due_now(&[job(JobState::Running, None)]), None, "it waits for the other");
    // Of two nodes that look at the same time one alone can write it.
    let twice = [now, now + SignedDuration::from_secs(3)].map(|now| due(&daily(2), &[], now).unwrap().id);
    assert_eq!(twice[0], twice[1]);
}

#[test]
fn a_new_schedule_does_not_mean_last_night() {
    let set = Organization { backup_since: Some(at("2026-11-24T09:00:00Z")), ..daily(2) };
    assert_eq!(due(&set, &[], at("2026-11-24T12:00:00Z")), None);
    assert!(due(&set, &[], at("2026-11-25T01:00:00Z")).is_some());
    assert_eq!(due(&Organization { backup_since: None, ..daily(2) }, &[], at("2026-11-24T12:00:00Z")), None);
}

#[track_caller]
fn stands(jobs: &[Job], now: &str, overdue: &str, failed: &str) -> Standing {
    let standing = standing(&daily(2), jobs, at(now)).unwrap();
    assert_eq!(standing.overdue, (!overdue.is_empty()).then(|| at(overdue)), "{standing:?}");
    assert_eq!(standing.failed.as_ref().map(|(at, _)| *at), (!failed.is_empty()).then(|| at(failed)), "{standing:?}");
    standing
}

#[test]
fn a_backup_is_overdue_when_it_should_have_been_made() {
    let finished =
        |state, scheduled: Option<&str>, end: &str| Job { finished_on: Some(at(end)), ..job(state, scheduled) };
    let slot = "2026-11-24T01:00:00Z";
    let yesterday = finished(JobState::Succeeded, Some("2026-11-23T01:00:00Z"), "2026-11-23T01:03:00Z");
    let standing = stands(std::slice::from_ref(&yesterday), "2026-11-24T12:00:00Z", slot, "");
    assert_eq!((standing.made, standing.next), (yesterday.finished_on, Some(at("2026-11-25T01:00:00Z"))));
    // It is given the time that it may take.
    stands(std::slice::from_ref(&yesterday), "2026-11-24T02:30:00Z", "", "");
    let today = finished(JobState::Succeeded, Some(slot), "2026-11-24T01:03:00Z");
    stands(&[today, yesterday.clone()], "2026-11-24T12:00:00Z", "", "");
    // One that nobody takes up, or whose process is gone, is not made; one that is worked on is.
    stands(&[job(JobState::Waiting, Some(slot))], "2026-11-24T12:00:00Z", slot, "");
    let running = |until: &str| Job { lease_until: Some(at(until)), ..job(JobState::Running, Some(slot)) };
    stands(&[running("2026-11-24T11:00:00Z")], "2026-11-24T12:00:00Z", slot, "");
    stands(&[running("2026-11-24T12:01:00Z")], "2026-11-24T12:00:00Z", "", "");
    // One by hand is none by the schedule.
    let by_hand = finished(JobState::Succeeded, None, "2026-11-24T09:00:00Z");
    stands(&[by_hand], "2026-11-24T12:00:00Z", slot, "");
    let set = Organization { backup_since: Some(at("2026-11-24T09:00:00Z")), ..daily(2) };
    assert_eq!(super::standing(&set, &[], at("2026-11-24T12:00:00Z")).unwrap().overdue, None, "not yet");
    let never = organization(BackupSchedule::Never, 2, BackupDay::Sunday);
    assert_eq!(super::standing(&never, &[], at("2026-11-24T12:00:00Z")), None);
}

#[test]
fn that_the_last_one_failed_holds_until_another_is_made() {
    let finished = |state, scheduled: Option<&str>, end: &str| Job {
        finished_on: Some(at(end)),
        outcome: "no space left".into(),
        ..job(state, scheduled)
    };
    let slot = "2026-11-24T01:00:00Z";
    let failed = finished(JobState::Failed, Some(slot), "2026-11-24T01:01:00Z");
    let before = finished(JobState::Succeeded, Some("2026-11-23T01:00:00Z"), "2026-11-23T01:03:00Z");
    let standing = stands(&[failed.clone(), before], "2026-11-24T12:00:00Z", "", slot);
    assert_eq!(standing.failed.unwrap().1, "no space left");
    // The next hour comes while nothing runs.
    stands(std::slice::from_ref(&failed), "2026-11-25T12:00:00Z", "2026-11-25T01:00:00Z", slot);
    let by_hand = finished(JobState::Succeeded, None, "2026-11-24T09:00:00Z");
    stands(&[by_hand, failed.clone()], "2026-11-24T12:00:00Z", "", "");
    let next = finished(JobState::Succeeded, Some("2026-11-25T01:00:00Z"), "2026-11-25T01:03:00Z");
    stands(&[failed, next], "2026-11-25T12:00:00Z", "", "");
}

#[test]
fn the_newest_are_kept_and_those_made_by_hand() {
    let made = |n: u128, day: u32| {
        let scheduled = at(&format!("2026-11-{day:02}T01:00:00Z"));
        Job { scheduled_for: Some(scheduled), ..Job { id: Id::from_u128(n), ..job(JobState::Succeeded, None) } }
    };
    let jobs = [
        made(1, 20),
        job(JobState::Succeeded, None),
        made(2, 23),
        made(3, 22),
        made(4, 21),
        job(JobState::Failed, Some("2026-11-24T01:00:00Z")),
        Job { file: String::new(), ..made(5, 19) },
    ];
    let gone: Vec<u128> = surplus(&daily(2), &jobs).iter().map(|job| job.id.as_u128()).collect();
    assert_eq!(gone, [4, 1]);
    assert!(surplus(&Organization { backup_keep: 365, ..daily(2) }, &jobs).is_empty());
}

#[test]
fn what_failed_is_told_with_what_to_do() {
    let wanted = Organization { alert_errors: true, alert_warnings: true, ..daily(2) };
    let scheduled = job(JobState::Running, Some("2026-11-24T01:00:00Z"));
    let tell = |job: &Job, result| told(job, result, "/srv/backups", &wanted, at("2026-11-24T01:05:00Z"));
    let text = |change: Option<Change>| match change {
        Some(Change::Ensure(row)) => row.get("text").as_text().unwrap().to_owned(),
        other => panic!("{other:?}"),
    };
    let failed = text(tell(&scheduled, Err("no space left on device.")));
    assert!(failed.contains("2026-11-24 01:00 UTC was not made: no space left on device. Look whether /srv/backups"));
    assert!(text(tell(&scheduled, Ok(3))).contains("3 messages or attachments could not be read"));
    assert_eq!(tell(&scheduled, Ok(0)), None);
    assert_eq!(tell(&job(JobState::Running, None), Err("x")), None, "who made it by hand is looking at it");
}
