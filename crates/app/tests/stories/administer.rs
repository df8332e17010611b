//! Stories of the administrator at the command line: roles, sessions, the audit
//! trail, and what is kept no longer. No mail server is needed.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use testkit::{Postroom, postroom};

use crate::common::{self, binary};

const PASSWORD: &str = "four words and a half";

fn json_of(postroom: &Postroom, arguments: &[&str]) -> Result<Value> {
    let mut all = arguments.to_vec();
    all.push("--json");
    let text = postroom.cli(&all)?;
    serde_json::from_str(&text).with_context(|| format!("{arguments:?} printed: {text}"))
}

fn refused(postroom: &Postroom, arguments: &[&str], words: &str) -> Result<()> {
    let output = postroom.run(arguments)?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(!output.status.success() && said.contains(words), "{arguments:?}: {said}");
    Ok(())
}

/// A session as a browser opens it; its cookie.
fn sign_in(postroom: &Postroom, user: &str) -> Result<String> {
    let body = json!({ "user": user, "password": PASSWORD });
    use std::io::{Read as _, Write as _};
    let origin = postroom.base();
    let address = origin.strip_prefix("http://").context("plain http")?;
    let body = body.to_string();
    let mut stream = std::net::TcpStream::connect(address)?;
    write!(
        stream,
        "POST /signin HTTP/1.1\r\nHost: {address}\r\nOrigin: {origin}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let cookie = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let value = name.eq_ignore_ascii_case("set-cookie").then_some(value.trim())?;
        value.split(';').next().filter(|pair| pair.contains("session") || pair.starts_with("postroom="))
    });
    cookie.map(str::to_owned).with_context(|| format!("no session: {text}"))
}

fn installed() -> Result<Postroom> {
    let mut postroom = Postroom::install(binary(), postroom::Options::default())?;
    postroom.serve()?;
    let body =
        json!({ "internalemailaddress": "anna@example.com", "domainname": "anna@example.com", "lastname": "Anna" });
    postroom.api().create("systemusers", &body)?;
    postroom.set_password("anna@example.com", PASSWORD)?;
    Ok(postroom)
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_are_listed_shown_checked_given_and_taken() -> Result<()> {
    let postroom = installed()?;
    let roles = json_of(&postroom, &["role", "list"])?;
    let named = |name: &str| roles.as_array().into_iter().flatten().find(|role| role["name"] == name).cloned();
    let basic = named("Basic User").context("no Basic User")?;
    assert_eq!((&basic["users"], &basic["ready"]), (&json!(2), &json!(true)));
    let shown = json_of(&postroom, &["role", "show", "Mailbox Administrator"])?;
    assert!(shown.as_array().is_some_and(|all| all.iter().any(|p| p["privilege"] == "prvTestMailbox")), "{shown}");
    let before = postroom.cli(&["role", "check", "anna@example.com", "--for", "create mailbox"])?;
    assert!(before.contains("Not allowed") && before.contains("Mailbox Administrator"), "{before}");
    postroom.cli(&["role", "assign", "anna@example.com", "Mailbox Administrator"])?;
    let after = postroom.cli(&["role", "check", "anna@example.com", "--for", "create mailbox"])?;
    assert!(after.contains("Allowed"), "{after}");
    postroom.cli(&["role", "remove", "anna@example.com", "Mailbox Administrator"])?;
    refused(
        &postroom,
        &["role", "remove", postroom::ADMINISTRATOR, "System Administrator"],
        "last System Administrator",
    )?;
    refused(&postroom, &["role", "assign", "anna@example.com", "Nonsense"], "there is no role")?;
    refused(&postroom, &["role", "check", "anna@example.com", "--for", "fly"], "is no operation")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_listed_and_ended() -> Result<()> {
    let postroom = installed()?;
    for _ in 0..3 {
        sign_in(&postroom, "anna@example.com")?;
    }
    let sessions = json_of(&postroom, &["session", "list"])?;
    let sessions = sessions.as_array().context("a list")?;
    assert_eq!(sessions.len(), 3, "{sessions:?}");
    assert!(sessions.iter().all(|s| s["user"] == "anna@example.com" && s["with"] == "password"), "{sessions:?}");
    postroom.cli(&["session", "end", sessions[0]["id"].as_str().context("an id")?])?;
    assert_eq!(
        json_of(&postroom, &["session", "list", "--user", "anna@example.com"])?.as_array().map(Vec::len),
        Some(2)
    );
    postroom.cli(&["session", "end", "--user", "anna@example.com"])?;
    assert_eq!(json_of(&postroom, &["session", "list"])?, json!([]));
    refused(&postroom, &["session", "end", sessions[0]["id"].as_str().context("an id")?], "Does Not Exist")?;
    refused(&postroom, &["session", "end"], "required")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_trail_is_shown_and_exported() -> Result<()> {
    let postroom = installed()?;
    sign_in(&postroom, "anna@example.com")?;
    postroom.cli(&["role", "assign", "anna@example.com", "Auditor"])?;
    let shown = json_of(&postroom, &["audit", "show", "--user", "anna@example.com", "--action", "sign-in"])?;
    let rows = shown.as_array().context("a list")?;
    assert!(rows.len() == 1 && rows[0]["door"] == "sign-in", "{shown}");
    let given = json_of(&postroom, &["audit", "show", "--table", "systemuserroles", "--action", "create"])?;
    assert_eq!(given[0]["door"], "command line", "{given}");
    let place = tempfile::tempdir()?;
    let file = place.path().join("trail.csv");
    let path = file.to_str().context("a path")?;
    postroom.cli(&["audit", "export", "--format", "csv", "--output", path])?;
    let text = std::fs::read_to_string(&file)?;
    assert!(text.starts_with("at,user,") && text.contains("password-set"), "{text}");
    assert!(!text.contains(PASSWORD), "{text}");
    // Nothing is written over.
    refused(&postroom, &["audit", "export", "--output", path], "cannot write")?;
    let lines = postroom.cli(&["audit", "export", "--action", "audit-exported"])?;
    assert!(lines.lines().count() >= 2, "{lines}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_kept_long_enough_goes_and_the_rest_stays() -> Result<()> {
    let mut postroom = installed()?;
    postroom.stop()?;
    let path = postroom.data_dir().join("postroom.db");
    let old = "unixepoch('now', '-100 days') * 1000000";
    {
        let database = common::database(&path)?;
        for (id, disposition, seen) in [("01", 1, old), ("02", 9, old), ("03", 1, "unixepoch() * 1000000")] {
            let sql = format!(
                "INSERT INTO pr_ledgerentry (pr_ledgerentryid, pr_subject, pr_from, pr_reason, pr_fingerprint, pr_position, \
                 pr_disposition, pr_seenon, versionnumber) VALUES (X'000000000000000000000000000000{id}', 'About it', \
                 'kim@x', 'why', 'f{id}', '{id}', {disposition}, {seen}, 1)"
            );
            database.execute(&sql, [])?;
        }
        let sql = format!(
            "INSERT INTO pr_audit (pr_auditid, pr_at, pr_action, versionnumber) VALUES (X'00000000000000000000000000000009', {old}, 'ancient', 1)"
        );
        database.execute(&sql, [])?;
    }
    let subjects = || -> Result<Vec<String>> {
        let database = common::database(&path)?;
        let mut found =
            database.prepare("SELECT coalesce(pr_subject, '-') FROM pr_ledgerentry ORDER BY pr_position")?;
        let rows = found.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
        Ok(rows)
    };
    let ancient = || -> Result<usize> {
        let shown = json_of(&postroom, &["audit", "show", "--action", "ancient"])?;
        Ok(shown.as_array().map_or(0, Vec::len))
    };
    postroom.cli(&["compact"])?;
    assert_eq!((subjects()?, ancient()?), (vec!["About it".to_owned(); 3], 1), "nothing goes unless somebody says so");
    {
        let database = common::database(&path)?;
        assert!(database.execute("DELETE FROM pr_audit", []).is_err(), "the trail only grows");
        assert!(database.execute("UPDATE pr_audit SET pr_action = 'x'", []).is_err(), "the trail only grows");
        database.execute("UPDATE organization SET pr_ledgerretentiondays = 30, pr_auditretentiondays = 60", [])?;
    }
    postroom.cli(&["compact"])?;
    // What failed can still be processed again, and what is young stays.
    assert_eq!((subjects()?, ancient()?), (vec!["-".into(), "About it".into(), "About it".into()], 0));
    let noted = json_of(&postroom, &["audit", "show", "--action", "audit-expired"])?;
    assert_eq!((noted.as_array().map(Vec::len), &noted[0]["door"]), (Some(1), &json!("service")), "{noted}");
    let left = common::database(&path)?.query_row(
        "SELECT pr_fingerprint FROM pr_ledgerentry WHERE pr_position = '01' AND pr_clearedon IS NOT NULL",
        [],
        |row| row.get::<_, String>(0),
    )?;
    assert_eq!(left, "f01", "that it was seen is not forgotten");
    Ok(())
}
