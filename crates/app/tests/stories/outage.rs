//! Stories of servers that are slow, busy or short of connections. Those of
//! servers that are gone for a while take longer: see `long::outage`.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use testkit::crm::{Member, Protocol};
use testkit::{Crm, CutProxy, Fault, mailgen};

use crate::common::*;

/// How many connections of a kind are open, as `/metrics` tells.
fn open_connections(crm: &Crm) -> Result<f64> {
    let page = crm.api.request("GET", "/metrics", None, &[])?.body;
    let text = page.as_str().unwrap_or_default().to_owned();
    let lines = text.lines().filter(|line| line.starts_with("postroom_connections{"));
    Ok(lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_is_enough_for_five_mailboxes() -> Result<()> {
    let crm = company().await?;
    crm.api.update(&format!("emailserverprofiles({})", crm.imap), &json!({ "maxconcurrentconnections": 1 }))?;
    let names = ["Anna", "Berta", "Carla", "Dora", "Emma"];
    let users = names.iter().map(|name| ready_user(&crm, name, Protocol::Imap)).collect::<Result<Vec<Member>>>()?;
    for user in &users {
        let raw = letter("kim@customers.test", &user.address, "For you", &user.address.replace('@', "."), "", "text");
        crm.mail.send("kim@customers.test", &[&user.address], &raw).await?;
    }
    let mut most = 0.0_f64;
    crm.api.wait_for(Duration::from_secs(60), "all five to be served", || {
        most = most.max(open_connections(&crm)?);
        let ledgers = users.iter().map(|user| crm.ledger(user.mailbox)).collect::<Result<Vec<_>>>()?;
        Ok(ledgers.iter().all(|rows| rows.iter().any(|r| r["pr_subject"] == "For you")).then_some(()))
    })?;
    assert!((0.5..1.5).contains(&most), "{most} connections were open at once");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_huge_mailbox_on_a_slow_line_delays_nobody() -> Result<()> {
    const MANY: u64 = 2_000;
    let crm = company().await?;
    let slow = CutProxy::start(crm.mail.dovecot.imaps_port())?;
    let anna = ready_user(&crm, "Anna", Protocol::Imap)?;
    let profile = crm.api.create(
        "emailserverprofiles",
        &json!({
            "name": "Slow", "servertype": 4,
            "incomingserverlocation": "localhost", "incomingportnumber": slow.port(),
            "outgoingserverlocation": "localhost", "outgoingportnumber": crm.mail.postfix.submission_port(),
        }),
    )?;
    let bert = crm.user("Bert", "Test", "bert@company.test", Protocol::Imap)?;
    crm.api.update(
        &format!("mailboxes({})", bert.mailbox),
        &json!({ "emailserverprofile@odata.bind": format!("/emailserverprofiles({profile})") }),
    )?;
    crm.set_user_filter(&bert, NO_MESSAGES)?;
    crm.enable(&bert)?;
    slow.set(Fault::Delay(Duration::from_millis(150)));
    crm.mail
        .dovecot
        .fill(&bert.address, MANY, |n| mailgen::sized(n, 4096, "kim@customers.test", "bert@company.test"))?;
    let read = |crm: &Crm| -> Result<u64> {
        let path = format!("pr_ledgerentries?$filter=_pr_mailboxid_value eq {}&$count=true&$top=1", bert.mailbox);
        Ok(crm.api.get(&path)?["@odata.count"].as_u64().unwrap_or(0))
    };
    crm.api.wait_for(Duration::from_secs(60), "the first of the many", || Ok((read(&crm)? > 0).then_some(())))?;
    let raw = letter("kim@customers.test", "anna@company.test", "Urgent", "urgent", "", "now");
    crm.mail.send("kim@customers.test", &["anna@company.test"], &raw).await?;
    crm.wait_in_ledger(anna.mailbox, "Urgent")?;
    let so_far = read(&crm)?;
    assert!(so_far < MANY, "Anna's message waited for all {so_far} of Bert's");
    slow.set(Fault::None);
    crm.api.wait_for(Duration::from_secs(120), "all of the many", || {
        // The message of the test, if it was seen, is one more.
        Ok((read(&crm)? >= MANY).then_some(()))
    })?;
    Ok(())
}
