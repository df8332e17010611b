//! A message of a hundred megabytes passes through without being held in memory.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use testkit::crm::Protocol;
use testkit::mailgen::Random;
use testkit::{Crm, world};

use crate::common::*;

/// Bytes of the attachment; base64 makes some 100 MB of them.
const SIZE: usize = 74_000_000;

fn large(to: &str) -> (Vec<u8>, Vec<u8>) {
    let content = Random::new(100).bytes(SIZE);
    let mut raw = letter(
        "kim@customers.test",
        to,
        "Large",
        "large",
        "Content-Type: multipart/mixed; boundary=mix\r\n",
        "--mix\r\n\
        Content-Type: text/plain\r\n\r\nSee below.\r\n--mix\r\nContent-Type: application/octet-stream\r\n\
        Content-Disposition: attachment; filename=\"film.bin\"\r\nContent-Transfer-Encoding: base64\r\n",
    );
    for line in content.chunks(57) {
        raw.extend(STANDARD.encode(line).as_bytes());
        raw.extend(b"\r\n");
    }
    raw.extend(b"--mix--\r\n");
    (raw, content)
}

/// The most memory that the service ever had, in bytes.
fn peak(crm: &Crm) -> Result<u64> {
    let pid = crm.postroom.pid().context("the service runs")?;
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

async fn passes(protocol: Protocol) -> Result<()> {
    let mail = world::Options { message_size_limit: Some(300_000_000), ..world::Options::default() };
    let crm = Crm::start_with(binary(), mail, testkit::postroom::Options::default()).await?;
    let organization =
        crm.api.get("organizations")?["value"][0]["organizationid"].as_str().context("no organization")?.to_owned();
    crm.api
        .update(&format!("organizations({organization})"), &serde_json::json!({ "maxuploadfilesize": 134_217_728 }))?;
    let anna = ready_user(&crm, "Anna", protocol)?;
    let (raw, content) = large(&anna.address);
    assert!(raw.len() > 100_000_000);
    crm.mail.send("kim@customers.test", &[&anna.address], &raw).await?;
    drop(raw);
    let row = crm.api.wait_for(Duration::from_secs(180), "the large message", || {
        Ok(crm.ledger(anna.mailbox)?.into_iter().find(|row| row["pr_subject"] == "Large"))
    })?;
    assert_eq!(disposition(&row), TRACKED, "{row}");
    let peak = peak(&crm)?;
    assert!(peak < 150_000_000, "{} MB at most", peak / 1_000_000);
    let email = crm.emails("Large")?.remove(0);
    let id = email["activityid"].as_str().unwrap_or_default();
    let attachment = crm
        .api
        .list(&format!("activitymimeattachments?$filter=_objectid_value eq {id}&$select=filesize,filename"))?
        .remove(0);
    assert_eq!(attachment["filename"], "film.bin");
    assert_eq!(attachment["filesize"], SIZE);
    let one = crm.api.get(&format!(
        "activitymimeattachments({})",
        attachment["activitymimeattachmentid"].as_str().unwrap_or_default()
    ))?;
    let body = STANDARD.decode(one["body"].as_str().unwrap_or_default())?;
    assert!(body == content, "the attachment comes out as it went in");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_message_by_imap() -> Result<()> {
    passes(Protocol::Imap).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_message_by_pop3() -> Result<()> {
    passes(Protocol::Pop3).await
}
