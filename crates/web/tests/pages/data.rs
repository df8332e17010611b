//! Settings › Data Management: encryption, backups, retention.

use model::tables::{Job, JobKind, JobState, Organization};
use model::{Entity, Query, Update};

use crate::world::World;

const DATA: &str = "/settings/data";

/// What the service does with the job that was asked for last.
async fn concluded(w: &World, state: JobState, file: &str, size: i64) -> String {
    let jobs = w.store.list::<Job>(&Query::of::<Job>().order_by(Job::C.asked_on, true)).await.unwrap();
    let update = Update::of::<Job>(jobs[0].id)
        .set(Job::C.state, state)
        .set(Job::C.file, file.to_owned())
        .set(Job::C.size, size)
        .set(Job::C.outcome, "42 rows, 7 messages and attachments.".to_owned());
    let user = w.context().await.actor.id;
    let commit = model::Commit::new(model::Actor { user }, model::Clock::now(&*w.clock), vec![update.into()]);
    w.store.commit(&commit).await.unwrap();
    jobs[0].id.to_string()
}

story!(a_backup_is_asked_for_watched_and_taken_away, |w| {
    let mut admin = w.administrator().await;
    admin.open(DATA).await.expect(200).sees("No backup has been made here yet.").sees("postroom restore");
    let page = admin.submit("/settings/data/backups", &[]).await;
    assert!(page.text().contains("hx-get=\"/settings/data/backups\""), "it moves by itself");
    page.sees("Waiting").sees("Waits for the service");
    admin.send("/settings/data/backups", &[]).await.expect(405).sees("A backup is being made already.");
    let (_, size) = w.store.backup_to_shelf("one.backup", |_, _| ()).await.unwrap();
    let id = concluded(&w, JobState::Succeeded, "one.backup", i64::try_from(size).unwrap()).await;
    let part = admin.part("/settings/data/backups").await.expect(200);
    assert!(!part.text().contains("<html") && !part.text().contains("hx-get"), "{}", part.text());
    part.sees("Succeeded").sees("42 rows");
    let path = format!("/settings/data/backups/{id}");
    let file = admin.send(&format!("{path}/download"), &[]).await.expect(200);
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"one.backup\"");
    assert!(file.body.starts_with(b"postroom backup\n") && file.body.len() as u64 == size);
    admin.submit(&format!("{path}/delete"), &[]).await.sees("The file was deleted");
    admin.send(&format!("{path}/download"), &[]).await.expect(405).sees("This backup is not there any more.");
});

story!(the_key_is_changed_by_who_says_that_they_have_a_copy, |w| {
    let mut admin = w.administrator().await;
    let page = admin.open(DATA).await.expect(200);
    let keys = std::fs::read_to_string(w.data_dir().join("keys")).unwrap();
    let key = keys.split("\"key\":\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(!page.text().contains(key), "no page shows a key");
    page.sees("Active").sees("In use").sees("Backups made before stay sealed with the old key");
    admin.send("/settings/data/encryption/change", &[]).await.expect(400).sees("Tick the box first");
    admin.submit("/settings/data/encryption/change", &[("sure", "1")]).await.sees("Last change of the key");
    admin.send("/settings/data/encryption/change", &[("sure", "1")]).await.expect(405).sees("being changed already");
});

story!(a_key_that_comes_back_opens_what_it_sealed, |w| {
    let path = w.data_dir().join("keys");
    let old = std::fs::read_to_string(&path).unwrap();
    // Somebody put another key file there.
    let other = tempfile::tempdir().unwrap();
    store::Store::create(&store::Options::new(other.path())).await.unwrap();
    std::fs::copy(other.path().join("keys"), &path).unwrap();
    let mut admin = w.administrator().await;
    let page = admin.open(DATA).await.expect(200);
    page.sees("Inactive").sees("1 secret does not open").sees("While a key is missing the key cannot be changed");
    let activate = "/settings/data/encryption/activate";
    let refused = admin.send(activate, &[("key", "sesame-4711")]).await.expect(400);
    assert!(!refused.text().contains("sesame"), "what was typed may be a key");
    refused.sees("That is no key");
    admin.submit(activate, &[("key", &old)]).await.sees("Active").sees("Opens old secrets");
    admin.open("/settings/security/audit?action=key-activation").await.expect(200).sees("activated");
});

story!(how_long_things_are_kept, |w| {
    let mut admin = w.administrator().await;
    let retention = "/settings/data/retention";
    let fields = [("pr_ledgerretentiondays", "90"), ("pr_alertretentiondays", "30"), ("pr_auditretentiondays", "365")];
    let page = admin.submit(retention, &fields).await;
    assert!(page.text().contains("value=\"365\""), "{}", page.text());
    admin.send(retention, &[("pr_auditretentiondays", "5")]).await.expect(400).sees("30 days at least");
    admin.send(retention, &[("pr_ledgerretentiondays", "many")]).await.expect(400);
    let mut customizer = w.customizer().await;
    let page = customizer.open(DATA).await.expect(200);
    page.sees("set by System Administrators alone")
        .sees("Shown to who may manage data encryption keys")
        .sees("for System Administrators alone");
    customizer.submit(retention, &[("pr_ledgerretentiondays", "60")]).await.sees("Saved.");
    customizer.send(retention, &[("pr_auditretentiondays", "0")]).await.expect(403);
    customizer.send("/settings/data/backups", &[]).await.expect(403);
    customizer
        .send("/settings/data/encryption/change", &[("sure", "1")])
        .await
        .expect(403)
        .sees("prvManageEncryptionKeys");
});

story!(data_management_is_not_for_everybody, |w| {
    w.salesperson().await.open(DATA).await.expect(403).sees("Data management is for who may change");
    let mut nobody = w.nobody().await;
    nobody.open(DATA).await.expect(403);
    nobody.send("/settings/data/retention", &[("pr_ledgerretentiondays", "1")]).await.expect(403);
});

const SCHEDULE: &str = "/settings/data/schedule";

story!(backups_are_scheduled_by_the_zone_of_who_sets_it, |w| {
    let mut admin = w.administrator().await;
    let page = admin.open(DATA).await.expect(200).sees("No backup is scheduled.").sees("backups on the server");
    page.sees("03:00").sees("Amsterdam, Berlin, Bern");
    let weekly = [
        ("pr_backupschedule", "2"),
        ("pr_backupday", "3"),
        ("pr_backuphour", "22"),
        ("pr_backuptimezonecode", "110"),
        ("pr_backupkeep", "3"),
    ];
    let page = admin.submit(SCHEDULE, &weekly).await.sees("Next backup");
    let organization = w.store.list::<Organization>(&Query::of::<Organization>()).await.unwrap().remove(0);
    let now = model::Clock::now(&*w.clock);
    let next = rules_next(&organization, now);
    assert!(next > now && page.text().contains(&next.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()), "{next}");
    let kept = (organization.backup_keep, organization.backup_zone, organization.backup_since);
    assert_eq!(kept, (3, 110, Some(now)), "it does not mean what was before it was set");
    // How many are kept is no other schedule.
    w.clock.advance(3600);
    admin.submit(SCHEDULE, &[("pr_backupkeep", "5")]).await;
    let organization = w.store.list::<Organization>(&Query::of::<Organization>()).await.unwrap().remove(0);
    assert_eq!((organization.backup_keep, organization.backup_since), (5, Some(now)));
    admin.send(SCHEDULE, &[("pr_backupkeep", "0")]).await.expect(400);
    admin.send(SCHEDULE, &[("pr_backuptimezonecode", "4711")]).await.expect(400).sees("no time zone with this code");
    admin.send(SCHEDULE, &[("pr_backuphour", "noon")]).await.expect(400).sees("Enter a number.");
    admin.submit(SCHEDULE, &[("pr_backupschedule", "0")]).await.sees("No backup is scheduled.");
});

/// The Wednesday of the next days, at 22:00 in Berlin.
fn rules_next(organization: &Organization, now: model::Timestamp) -> model::Timestamp {
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    let mut day = now.to_zoned_datetime(zone.clone()).date();
    loop {
        let at = day.at(22, 0, 0, 0).to_zoned_datetime(zone.clone()).unwrap().timestamp();
        if day.weekday() == jiff::civil::Weekday::Wednesday && at > now {
            assert_eq!(organization.backup_hour, 22);
            return at;
        }
        day = day.tomorrow().unwrap();
    }
}

story!(a_scheduled_backup_that_is_not_made_or_failed_is_known, |w| {
    let standing = async || actions::upkeep::standing(&w.store, model::Clock::now(&*w.clock)).await.unwrap();
    assert_eq!(standing().await, None);
    let mut admin = w.administrator().await;
    let daily = [
        ("pr_backupschedule", "1"),
        ("pr_backupday", "0"),
        ("pr_backuphour", "10"),
        ("pr_backuptimezonecode", "92"),
        ("pr_backupkeep", "3"),
    ];
    admin.submit(SCHEDULE, &daily).await.sees("Next backup");
    let due: model::Timestamp = "2026-03-01T10:00:00Z".parse().unwrap();
    let fresh = standing().await.unwrap();
    assert_eq!((fresh.made, fresh.next, fresh.overdue), (None, Some(due), None));
    // Its hour is over and nothing works off what is due.
    w.clock.advance(4 * 3600);
    assert_eq!(standing().await.unwrap().overdue, Some(due));
    let write = async |changes: Vec<model::Change>| {
        let user = w.context().await.actor.id;
        let commit = model::Commit::new(model::Actor { user }, model::Clock::now(&*w.clock), changes);
        w.store.commit(&commit).await.unwrap();
    };
    let job = Job {
        kind: JobKind::Backup,
        state: JobState::Failed,
        asked_on: Some(due),
        finished_on: Some(due),
        scheduled_for: Some(due),
        outcome: "There is no room.".to_owned(),
        ..Job::blank(model::Id::from_u128(4711))
    };
    write(vec![model::Change::create(job.clone())]).await;
    let failed = standing().await.unwrap();
    assert_eq!((failed.overdue, failed.failed), (None, Some((due, "There is no room.".to_owned()))));
    // One by hand is as good.
    let now = model::Clock::now(&*w.clock);
    let by_hand = Job {
        state: JobState::Succeeded,
        asked_on: Some(now),
        finished_on: Some(now),
        scheduled_for: None,
        ..Job { id: model::Id::from_u128(4712), ..job }
    };
    write(vec![model::Change::create(by_hand)]).await;
    let mended = standing().await.unwrap();
    assert_eq!((mended.made, mended.overdue, mended.failed), (Some(now), None, None));
});

story!(who_may_not_make_backups_does_not_schedule_them, |w| {
    let mut customizer = w.customizer().await;
    let page = customizer.open(DATA).await.expect(200);
    assert!(!page.text().contains(SCHEDULE), "nothing to press");
    customizer.send(SCHEDULE, &[("pr_backupschedule", "1")]).await.expect(403);
    w.salesperson().await.send(SCHEDULE, &[("pr_backupschedule", "1")]).await.expect(403);
});

story!(the_api_schedules_backups_for_administrators_alone, |w| {
    let organizations = w.read("/organizations?$select=organizationid,pr_backupkeep,pr_backuphour").await;
    let row = &organizations["value"][0];
    assert_eq!((&row["pr_backupkeep"], &row["pr_backuphour"]), (&serde_json::json!(7), &serde_json::json!(2)));
    let path = format!("/organizations({})", row["organizationid"].as_str().unwrap());
    let daily = serde_json::json!({ "pr_backupschedule": 1, "pr_backuphour": 4 });
    w.patch(&path, daily.clone()).await.expect(204);
    let set = w.read(&format!("{path}?$select=pr_backupschedule,pr_backupsince")).await;
    assert_eq!(set["pr_backupschedule"], 1);
    assert!(set["pr_backupsince"].is_string(), "{set}");
    let nonsense = serde_json::json!({ "pr_backuphour": 24 });
    w.patch(&path, nonsense).await.expect(400);
});
