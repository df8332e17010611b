//! Backups by the schedule: made whole or not at all, by one node, kept as
//! many as wanted, and told of when they fail.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use testkit::{Postgres, Postroom, postroom};

use crate::common::{self, *};

fn files(directory: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    if !directory.is_dir() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn whole(directory: &Path) -> Result<Vec<PathBuf>> {
    files(directory, ".backup")
}

fn wait<T>(what: &str, mut ask: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let began = Instant::now();
    loop {
        if let Some(found) = ask()? {
            return Ok(found);
        }
        ensure!(began.elapsed() < Duration::from_secs(60), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Says to the database of an installation that does not run.
fn tell(postroom: &Postroom, sql: &str) -> Result<()> {
    let database = common::database(&postroom.data_dir().join("postroom.db"))?;
    database.execute_batch(sql).with_context(|| sql.to_owned())
}

/// Every day, at the hour that has begun, and as if that had been so for long.
fn scheduled(keep: u32) -> String {
    format!(
        "UPDATE organization SET pr_backupschedule = 1, pr_backuptimezonecode = 92, pr_backupkeep = {keep}, \
         pr_backuphour = CAST(strftime('%H', 'now') AS INTEGER), pr_backupsince = 0;"
    )
}

/// As if the last one had been yesterday's, whose name it then has.
const YESTERDAY: &str = "UPDATE pr_job SET pr_scheduledfor = pr_scheduledfor - 86400000000, pr_jobid = randomblob(16);";

/// What `postroom doctor` finds wrong.
fn doctor(postroom: &Postroom) -> Result<String> {
    let output = postroom.run(&["doctor", "--json"])?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(!output.status.success(), "it finds nothing: {told}");
    Ok(told)
}

fn restorable(backup: &Path, from: &Postroom) -> Result<Postroom> {
    Postroom::restore(binary(), postroom::Options::default(), backup, &from.data_dir().join("keys"), from.token())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schedule_makes_backups_keeps_so_many_and_tells_of_failures() -> Result<()> {
    let elsewhere = tempfile::tempdir()?;
    let directory = elsewhere.path().join("shelf");
    let config = format!("\n[backups]\ndirectory = \"{}\"\n", directory.display());
    let mut postroom = Postroom::install(binary(), postroom::Options { config, ..postroom::Options::default() })?;
    // Set by hand in the middle of the day, it does not mean what was before.
    postroom.serve()?;
    let api = postroom.api();
    let id = api.get("organizations")?["value"][0]["organizationid"].as_str().context("no organization")?.to_owned();
    api.update(&format!("organizations({id})"), &json!({ "pr_backupschedule": 1, "pr_backuphour": 0 }))?;
    std::thread::sleep(Duration::from_secs(3));
    ensure!(whole(&directory)?.is_empty(), "it waits for its next hour");
    postroom.stop()?;

    tell(&postroom, &scheduled(1))?;
    postroom.serve()?;
    let first = wait("the first backup", || Ok(whole(&directory)?.pop()))?;
    std::thread::sleep(Duration::from_secs(3));
    ensure!(
        whole(&directory)?.len() == 1 && files(&directory, ".partial")?.is_empty(),
        "once, and nothing is left over"
    );
    postroom.stop()?;
    drop(restorable(&first, &postroom)?);

    tell(&postroom, YESTERDAY)?;
    postroom.serve()?;
    wait("the second one, and the first to go", || {
        let there = whole(&directory)?;
        Ok((there.len() == 1 && there[0] != first).then_some(()))
    })?;
    postroom.stop()?;

    // Something is in the way.
    fs::remove_dir_all(&directory)?;
    fs::write(&directory, "no directory")?;
    tell(&postroom, YESTERDAY)?;
    postroom.serve()?;
    let alert = wait("an alert", || Ok(postroom.api().list("tracelogs?$filter=level eq 3")?.into_iter().next()))?;
    let text = alert["text"].as_str().unwrap_or_default();
    let place = directory.display().to_string();
    ensure!(text.contains("was not made") && text.contains(&place) && text.contains("Make a backup now"), "{alert}");
    postroom.stop()?;
    let told = doctor(&postroom)?;
    ensure!(told.contains("failed: ") && told.contains(&place) && told.contains("Make a backup now"), "{told}");
    // Nor was today's made, as long as nothing runs.
    let overdue = "DELETE FROM pr_job; UPDATE organization SET pr_backuphour = (pr_backuphour + 20) % 24;";
    tell(&postroom, overdue)?;
    let told = doctor(&postroom)?;
    ensure!(told.contains("has not been made") && told.contains("postroom serve"), "{told}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_killed_leaves_no_half_one_by_the_name_of_a_whole() -> Result<()> {
    let mut postroom = Postroom::install(binary(), postroom::Options::default())?;
    let directory = postroom.data_dir().join("backups");
    // Enough that it takes a while.
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120000) \
        INSERT INTO pr_ledgerentry (pr_ledgerentryid, pr_subject, pr_fingerprint, pr_position, pr_disposition, \
        pr_seenon, versionnumber) SELECT randomblob(16), 'About ' || i, 'f' || i, i, 1, 1, 1 FROM n;";
    tell(&postroom, &format!("{many}{}", scheduled(7)))?;
    for _ in 0..2 {
        postroom.serve()?;
        wait("the backup to be in the middle", || Ok(files(&directory, ".partial")?.pop()))?;
        postroom.kill();
        ensure!(whole(&directory)?.is_empty(), "half a backup has the name of a whole one");
        // The lease of the process that is gone is over.
        tell(&postroom, "UPDATE pr_job SET pr_leaseuntil = 0;")?;
    }
    postroom.serve()?;
    let made = wait("the backup", || Ok(whole(&directory)?.pop()))?;
    wait("nothing to be left over", || Ok(files(&directory, ".partial")?.is_empty().then_some(())))?;
    postroom.stop()?;
    ensure!(whole(&directory)? == [made.clone()], "the same one, begun again");
    let other = restorable(&made, &postroom)?;
    let database = common::database(&other.data_dir().join("postroom.db"))?;
    let rows: i64 = database.query_row("SELECT count(*) FROM pr_ledgerentry", [], |row| row.get(0))?;
    ensure!(rows == 120_000, "{rows}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_nodes_one_alone_makes_the_backup() -> Result<()> {
    let server = Postgres::shared()?;
    let url = server.fresh_database()?;
    let options =
        postroom::Options { database: Some(url.clone()), role: Some("web".into()), ..postroom::Options::default() };
    let postroom = Postroom::start(binary(), options)?;
    let workers = [postroom.serve_another("worker")?, postroom.serve_another("worker")?];
    let directory = postroom.data_dir().join("backups");
    let set = "UPDATE organization SET pr_backupschedule = 1, pr_backuptimezonecode = 92, pr_backupsince = 0, \
        pr_backuphour = extract(hour FROM now() AT TIME ZONE 'UTC')";
    server.query(&url, set)?;
    for round in 1..=3 {
        wait("a backup", || Ok((whole(&directory)?.len() == round).then_some(())))?;
        std::thread::sleep(Duration::from_secs(3));
        ensure!(whole(&directory)?.len() == round, "it was made twice");
        let jobs = server.query(&url, "SELECT count(*) FROM pr_job WHERE pr_scheduledfor IS NOT NULL")?;
        ensure!(jobs.trim() == round.to_string(), "{jobs}");
        let yesterday =
            "UPDATE pr_job SET pr_scheduledfor = pr_scheduledfor - 86400000000, pr_jobid = gen_random_uuid()";
        server.query(&url, yesterday)?;
    }
    for worker in &workers {
        ensure!(!worker.log().contains("panicked"), "{}", worker.log());
    }
    Ok(())
}
