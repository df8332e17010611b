//! Real messages of many programs, the broken ones included, through the whole
//! road: a user's mailbox by IMAP and by POP3, and a forward mailbox, wrapped
//! and redirected. Not one of them stops a mailbox. The corpus is not ours;
//! where it is missing the stories say so and pass.
#![expect(clippy::print_stdout, reason = "a story that is skipped says so")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use testkit::Crm;
use testkit::crm::{Member, Protocol};

use crate::common::*;
use crate::proxied;

/// Dispositions that say that something is left to do, or went wrong.
const UNFINISHED: [i64; 3] = [WAITING, 9, 10];
/// Messages for which that is right, each with its reason.
const EXCEPTIONS: [(&str, &str); 0] = [];

/// Every message with its name, in the order of names.
fn messages() -> Vec<(String, Vec<u8>)> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let mut files: Vec<PathBuf> = Vec::new();
    for kind in ["eml", "msg"] {
        for set in fs::read_dir(corpus.join(kind)).into_iter().flatten().flatten() {
            files.extend(fs::read_dir(set.path()).into_iter().flatten().flatten().map(|file| file.path()));
        }
    }
    files.sort();
    if files.is_empty() {
        println!("skipped: no corpus at {}", corpus.display());
    }
    let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    files
        .iter()
        .filter_map(|path| Some((name(path), fs::read(path).ok()?)))
        .filter(|(_, raw)| !raw.is_empty())
        .collect()
}

fn last(member: &Member) -> Vec<u8> {
    letter("kim@customers.test", &member.address, "Behind them all", "behind", "", "An ordinary message.")
}

/// Waits for the message behind the others; the mailbox that was read is as before.
fn all_through(crm: &Crm, member: &Member, read: &Member) -> Result<Vec<Value>> {
    let behind = crm.api.wait_for(Duration::from_secs(200), "the message behind the others", || {
        Ok(crm.ledger(member.mailbox)?.iter().any(|row| row["pr_subject"] == "Behind them all").then_some(()))
    });
    behind.with_context(|| format!("{:?}\n{}", proxied::mailbox(crm, member), crm.postroom.log()))?;
    let row = proxied::mailbox(crm, read)?;
    assert_eq!(row["enabledforincomingemail"], true, "{row}");
    let log = crm.postroom.log();
    assert!(!log.contains("panicked"), "{log}");
    Ok(crm.ledger(member.mailbox)?.into_iter().filter(|row| disposition(row) != 12).collect())
}

/// One row for each message, and none of them unfinished.
fn check_rows(rows: &[Value], sent: usize) {
    let mut count: BTreeMap<i64, usize> = BTreeMap::new();
    for row in rows {
        *count.entry(disposition(row)).or_default() += 1;
        let excused = EXCEPTIONS.iter().any(|(subject, _)| row["pr_subject"] == *subject);
        assert!(excused || !UNFINISHED.contains(&disposition(row)), "{row}");
        assert!(row["pr_reason"].as_str().is_some_and(|why| !why.is_empty()), "a reason: {row}");
    }
    let mut positions: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for row in rows {
        positions.entry(row["pr_position"].as_str().unwrap_or_default()).or_default().push(row);
    }
    let twice: Vec<_> = positions.values().filter(|rows| rows.len() > 1).collect();
    assert!(twice.is_empty(), "more than one row: {twice:?}");
    assert_eq!(rows.len(), sent + 1, "one row for each message: {count:?}");
}

async fn directly(protocol: Protocol) -> Result<()> {
    let messages = messages();
    if messages.is_empty() {
        return Ok(());
    }
    let mut crm = company().await?;
    let anna = ready_user(&crm, "Anna", protocol)?;
    // A mailbox that nobody has open is filled: Dovecot may give a message another UID
    // when it meets the file in both folders of a Maildir.
    crm.postroom.stop()?;
    for (_, raw) in &messages {
        crm.mail.dovecot.deliver(&anna.address, raw)?;
    }
    crm.mail.dovecot.deliver(&anna.address, &last(&anna))?;
    crm.postroom.serve()?;
    let rows = all_through(&crm, &anna, &anna)?;
    check_rows(&rows, messages.len());
    assert_eq!(crm.mail.dovecot.list(&anna.address)?.len(), messages.len() + 1, "all stays on the server");
    check_attachments(&crm)?;
    crm.postroom.cli(&["doctor"])?;
    Ok(())
}

/// Attachments read back are as long as their records say.
fn check_attachments(crm: &Crm) -> Result<()> {
    let rows = crm.api.list("activitymimeattachments?$select=filename,filesize")?;
    assert!(rows.len() > 50, "{} attachments", rows.len());
    for row in rows.iter().step_by(5) {
        let id = row["activitymimeattachmentid"].as_str().context("no id")?;
        let one = crm.api.get(&format!("activitymimeattachments({id})"))?;
        let body = STANDARD.decode(one["body"].as_str().unwrap_or_default())?;
        assert_eq!(one["filesize"], body.len(), "{}", one["filename"]);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn by_imap() -> Result<()> {
    directly(Protocol::Imap).await
}

#[tokio::test(flavor = "multi_thread")]
async fn by_pop3() -> Result<()> {
    directly(Protocol::Pop3).await
}

async fn forwarded(wrap: impl Fn(usize, &[u8]) -> Vec<u8>) -> Result<()> {
    let messages = messages();
    if messages.is_empty() {
        return Ok(());
    }
    let mut crm = company().await?;
    let dora = crm.forwarded_user("Dora", "Lind", "dora@company.test", "collect@company.test")?;
    crm.set_user_filter(&dora, ALL_MESSAGES)?;
    crm.enable(&dora)?;
    let collect = crm.forward_mailbox("Collection", "collect@company.test", false)?;
    crm.enable(&collect)?;
    crm.postroom.stop()?;
    for (number, (_, raw)) in messages.iter().enumerate() {
        crm.mail.dovecot.deliver(&collect.address, &wrap(number, raw))?;
    }
    crm.mail.dovecot.deliver(&collect.address, &wrap(messages.len(), &last(&dora)))?;
    crm.postroom.serve()?;
    all_through(&crm, &dora, &collect)?;
    // Dora's own configuration test was forwarded as well.
    let test = |row: &Value| row["pr_subject"] == "FW: Your mailbox is now connected to Postroom";
    let rows: Vec<_> = crm.ledger(collect.mailbox)?.into_iter().filter(|row| !test(row)).collect();
    check_rows(&rows, messages.len());
    let served = crm.ledger(dora.mailbox)?;
    assert!(served.len() > messages.len() / 2, "{} of {} were found to be Dora's", served.len(), messages.len());
    crm.postroom.cli(&["doctor"])?;
    Ok(())
}

/// As `fwd` of a mail program: the original as message/rfc822.
#[tokio::test(flavor = "multi_thread")]
async fn wrapped_into_a_forward_mailbox() -> Result<()> {
    forwarded(|number, raw| {
        let head = format!(
            "From: dora@company.test\r\nTo: collect@company.test\r\nSubject: Fwd {number}\r\nMIME-Version: 1.0\r\n\
             Message-ID: <wrapped{number}@company.test>\r\nContent-Type: multipart/mixed; boundary=\"=_outer_{number}\"\r\n\r\n\
             --=_outer_{number}\r\nContent-Type: message/rfc822\r\n\r\n"
        );
        [head.as_bytes(), raw, format!("\r\n--=_outer_{number}--\r\n").as_bytes()].concat()
    })
    .await
}

/// As a server's redirect: the original with more header fields in front.
#[tokio::test(flavor = "multi_thread")]
async fn redirected_into_a_forward_mailbox() -> Result<()> {
    forwarded(|_, raw| {
        let head =
            b"Resent-From: dora@company.test\r\nResent-To: collect@company.test\r\nDelivered-To: dora@company.test\r\n";
        [head.as_slice(), raw].concat()
    })
    .await
}
