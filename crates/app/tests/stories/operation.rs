//! Stories of the operator: backup, restore, keys, doctor, and secrets that
//! stay secret.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use testkit::crm::{Member, Protocol};
use testkit::{Api, Crm, Postgres, Postroom, postroom, world};

use crate::common::*;

const PDF: &str = "JVBERi1oZWxsbw==";

fn with_attachment(n: usize) -> Vec<u8> {
    let body = format!(
        "--mix\r\nContent-Type: text/plain\r\n\r\nNumber {n}: see below.\r\n--mix\r\nContent-Type: application/pdf\r\n\
         Content-Disposition: attachment; filename=\"plan.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{PDF}\r\n--mix--"
    );
    let kind = "Content-Type: multipart/mixed; boundary=mix\r\n";
    letter("kim@customers.test", "anna@company.test", &format!("Plan {n}"), &format!("plan{n}"), kind, &body)
}

/// Some mail in, one email out.
async fn some_history(crm: &Crm, anna: &Member) -> Result<()> {
    for n in 0..5 {
        crm.mail.send("kim@customers.test", &["anna@company.test"], &with_attachment(n)).await?;
    }
    for n in 0..5 {
        crm.wait_in_ledger(anna.mailbox, &format!("Plan {n}"))?;
    }
    allow_unresolved(crm)?;
    crm.mail.user("kim@customers.test")?;
    let sent = send(crm, ("systemuser", anna.id), &[("kim@customers.test", 2)], "Thank you", "<p>Nice plans</p>")?;
    wait_for_status(crm, sent, SENT)?;
    Ok(())
}

/// Everything that a person would look at, without what time moves.
fn everything(api: &Api) -> Result<Vec<Value>> {
    let mut all =
        api.list("emails?$select=activityid,subject,description,messageid,statuscode,senton&$orderby=activityid")?;
    all.extend(api.list("activityparties?$select=addressused,participationtypemask&$orderby=activitypartyid")?);
    all.extend(api.list("pr_ledgerentries?$select=pr_position,pr_disposition,pr_reason&$orderby=pr_ledgerentryid")?);
    all.extend(api.list("mailboxes?$select=name,emailaddress,incomingemailstatus&$orderby=mailboxid")?);
    for attachment in
        api.list("activitymimeattachments?$select=activitymimeattachmentid&$orderby=activitymimeattachmentid")?
    {
        let id = attachment["activitymimeattachmentid"].as_str().context("no id")?;
        let one = api.get(&format!("activitymimeattachments({id})"))?;
        ensure!(one["body"].is_string(), "the attachment cannot be read: {one}");
        all.push(json!({ "filename": one["filename"], "body": one["body"] }));
    }
    // Where a row was read from is in its tags.
    for row in &mut all {
        if let Some(row) = row.as_object_mut() {
            row.retain(|name, _| !name.starts_with("@odata"));
        }
    }
    Ok(all)
}

fn check_healthy(postroom: &Postroom) -> Result<()> {
    let output = postroom.run(&["doctor", "--full", "--json"])?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "doctor: {said}");
    Ok(())
}

/// The saved installation goes on where the other one stopped.
async fn moves_to(crm: &mut Crm, anna: &Member, database: Option<String>) -> Result<()> {
    let place = tempfile::tempdir()?;
    let backup = place.path().join("backup");
    let file = backup.to_str().context("a path")?.to_owned();
    crm.postroom.cli(&["backup", &file])?;
    let keys = crm.postroom.data_dir().join("keys");
    let before = everything(&crm.api)?;
    assert!(before.iter().filter(|row| row["body"] == PDF).count() >= 5, "{before:?}");
    let options =
        postroom::Options { database, extra_ca: Some(crm.mail.ca_pem_path()), ..postroom::Options::default() };
    let mut other = Postroom::restore(binary(), options, &backup, &keys, crm.postroom.token())?;
    check_healthy(&other)?;
    crm.postroom.stop()?;
    other.serve()?;
    let api = other.api();
    assert_eq!(everything(&api)?, before);
    // The passwords open, and what was received is known.
    let raw = letter("kim@customers.test", "anna@company.test", "To the new machine", "moved", "", "hello");
    crm.mail.send("kim@customers.test", &["anna@company.test"], &raw).await?;
    crm.api = api;
    crm.wait_in_ledger(anna.mailbox, "To the new machine").with_context(|| other.log())?;
    assert_eq!(crm.emails("Plan 0")?.len(), 1, "nothing is made twice");
    let row = crm.api.test_and_enable(anna.mailbox)?;
    assert_eq!(row["outgoingemailstatus"], 1, "{}", row["pr_testlog"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_the_running_system_lives_on_another_machine() -> Result<()> {
    let mut crm = company().await?;
    let anna = ready_user(&crm, "Anna", Protocol::Imap)?;
    some_history(&crm, &anna).await?;
    moves_to(&mut crm, &anna, None).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_sqlite_can_move_to_postgresql() -> Result<()> {
    let mut crm = company().await?;
    let anna = ready_user(&crm, "Anna", Protocol::Pop3)?;
    some_history(&crm, &anna).await?;
    let database = Postgres::shared()?.fresh_database()?;
    moves_to(&mut crm, &anna, Some(database)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_is_changed_while_mail_flows() -> Result<()> {
    let crm = company().await?;
    let anna = ready_user(&crm, "Anna", Protocol::Imap)?;
    let carla = ready_user(&crm, "Carla", Protocol::Pop3)?;
    let keys = crm.postroom.data_dir().join("keys");
    let old = fs::read(&keys)?;
    for round in 0..3 {
        crm.postroom.cli(&["key", "rotate"])?;
        for user in [&anna, &carla] {
            let subject = format!("Round {round}");
            let id = format!("round{round}.{}", user.address.replace('@', "."));
            let raw = letter("kim@customers.test", &user.address, &subject, &id, "", "text");
            crm.mail.send("kim@customers.test", &[&user.address], &raw).await?;
            crm.wait_in_ledger(user.mailbox, &subject)?;
        }
    }
    let new = fs::read(&keys)?;
    assert_ne!(old, new, "there is another key");
    let row = crm.api.test_and_enable(anna.mailbox)?;
    assert_eq!(
        (&row["incomingemailstatus"], &row["outgoingemailstatus"]),
        (&json!(1), &json!(1)),
        "{}",
        row["pr_testlog"]
    );
    check_healthy(&crm.postroom)?;
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(fs::metadata(&keys)?.permissions().mode() & 0o777, 0o600);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_a_newer_program_is_not_opened() -> Result<()> {
    let server = Postgres::shared()?;
    let url = server.fresh_database()?;
    let options = postroom::Options { database: Some(url.clone()), ..postroom::Options::default() };
    let mut postroom = Postroom::install(binary(), options)?;
    server.query(&url, "INSERT INTO pr_migration (version, name, checksum) VALUES (9999, 'from the future', 'x')")?;
    for command in [["mailbox", "list"], ["profile", "list"]] {
        let output = postroom.run(&command)?;
        let said = String::from_utf8_lossy(&output.stderr).to_lowercase();
        assert!(!output.status.success(), "{said}");
        assert!(said.contains("newer"), "it says why: {said}");
    }
    assert!(postroom.serve().is_err(), "the service does not start either");
    server.query(&url, "DELETE FROM pr_migration WHERE version = 9999")?;
    postroom.cli(&["mailbox", "list"])?;
    Ok(())
}

/// Every file below a directory.
fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_finds_a_damaged_segment() -> Result<()> {
    let mut crm = company().await?;
    let anna = ready_user(&crm, "Anna", Protocol::Imap)?;
    some_history(&crm, &anna).await?;
    check_healthy(&crm.postroom)?;
    crm.postroom.stop()?;
    let segments = files(&crm.postroom.data_dir().join("blobs"))?;
    let largest = segments.into_iter().max_by_key(|f| fs::metadata(f).map_or(0, |m| m.len())).context("no segment")?;
    let mut bytes = fs::read(&largest)?;
    let middle = bytes.len() / 2;
    for byte in &mut bytes[middle..middle + 16] {
        *byte ^= 0x55;
    }
    fs::write(&largest, bytes)?;
    let output = crm.postroom.run(&["doctor", "--full"])?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.to_lowercase().contains("backup"), "it says what to do: {said}");
    Ok(())
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one story, told in order")]
async fn no_secret_is_anywhere_in_the_clear() -> Result<()> {
    let options = postroom::Options { config: "[log]\nlevel = \"trace\"\n".into(), ..postroom::Options::default() };
    let mut crm = Crm::start_with(binary(), world::Options::default(), options).await?;
    let anna = ready_user(&crm, "Anna", Protocol::Imap)?;
    let carla = ready_user(&crm, "Carla", Protocol::Pop3)?;
    some_history(&crm, &anna).await?;
    // A password that is refused is a secret as well.
    let berta = crm.user("Berta", "Test", "berta@company.test", Protocol::Imap)?;
    crm.api.update(
        &format!("mailboxes({})", berta.mailbox),
        &json!({ "emailrouteraccessapproval": 1, "username": "berta@company.test", "password": "almost-right-4711" }),
    )?;
    crm.api.test_and_enable(berta.mailbox)?;
    let profile = crm.api.create(
        "emailserverprofiles",
        &json!({ "name": "Shared", "servertype": 4, "incomingserverlocation": "imap.company.test",
                 "outgoingserverlocation": "smtp.company.test", "incomingcredentialretrieval": 1,
                 "outgoingcredentialretrieval": 1, "incomingusername": "shared", "incomingpassword": "shared-secret-0815" }),
    )?;
    let mut secrets =
        vec!["almost-right-4711".to_owned(), "shared-secret-0815".to_owned(), crm.postroom.token().to_owned()];
    for user in [&anna, &carla] {
        let password = crm.mail.user(&user.address)?.password;
        // As SASL PLAIN (RFC 4616) and LOGIN send it.
        secrets.push(STANDARD.encode(format!("\0{}\0{password}", user.address)));
        secrets.push(STANDARD.encode(&password));
        secrets.push(password);
    }
    let place = tempfile::tempdir()?;
    let backup = place.path().join("backup");
    crm.postroom.cli(&["backup", backup.to_str().context("a path")?])?;
    let mut texts: Vec<(String, Vec<u8>)> = Vec::new();
    for set in [
        "mailboxes",
        "emailserverprofiles",
        "tracelogs",
        "emails",
        "pr_ledgerentries",
        "pr_audits",
        "organizations",
        "systemusers",
        "pr_apitokens",
        "usersettingscollection",
    ] {
        let answer = crm.api.request("GET", set, None, &[])?;
        ensure!(answer.status == 200 || answer.status == 404, "{set}: {:?}", answer.body);
        texts.push((set.to_owned(), answer.body.to_string().into_bytes()));
    }
    let one = crm.api.get(&format!("emailserverprofiles({profile})"))?;
    assert_eq!(one["isincomingpasswordset"], true);
    texts.push(("one profile".into(), one.to_string().into_bytes()));
    texts.push((
        "the command line".into(),
        crm.postroom.cli(&["mailbox", "show", "anna@company.test", "--json"])?.into_bytes(),
    ));
    let scan = |crm: &Crm| -> Result<Vec<(String, Vec<u8>)>> {
        let mut all = Vec::new();
        for file in files(crm.postroom.data_dir())?.into_iter().chain([backup.clone()]) {
            all.push((file.display().to_string(), fs::read(&file)?));
        }
        Ok(all)
    };
    // With the write-ahead log, and once it has been folded in.
    texts.extend(scan(&crm)?);
    let mut logs = texts.iter().filter(|(name, _)| name.ends_with("serve.log"));
    assert!(logs.any(|(_, bytes)| contains(bytes, b"DEBUG")), "a talkative log:\n{}", crm.postroom.log());
    std::thread::sleep(Duration::from_millis(200));
    crm.postroom.stop()?;
    texts.extend(scan(&crm)?);
    for (name, bytes) in &texts {
        for secret in &secrets {
            assert!(!contains(bytes, secret.as_bytes()), "'{secret}' stands in {name}");
        }
    }
    Ok(())
}
