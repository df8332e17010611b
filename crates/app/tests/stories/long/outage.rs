//! Servers that are gone for a while: everything goes on by itself.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use testkit::Crm;
use testkit::crm::{Member, Protocol};
use uuid::Uuid;

use crate::common::*;

fn alerts(crm: &Crm, record: Uuid) -> Result<Vec<Value>> {
    crm.api.list(&format!("tracelogs?$filter=_regardingobjectid_value eq {record} and level gt 1"))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_mailbox_is_disabled_because_a_server_was_down() -> Result<()> {
    let crm = company().await?;
    let organization = crm.api.get("organizations")?["value"][0]["organizationid"].clone();
    // What passes by itself is a warning, and warnings are off unless wanted.
    crm.api.update(
        &format!("organizations({})", organization.as_str().unwrap_or_default()),
        &json!({ "generatealertsforwarnings": true }),
    )?;
    let users = ["Anna", "Berta", "Carla"]
        .iter()
        .map(|name| ready_user(&crm, name, Protocol::Imap))
        .collect::<Result<Vec<Member>>>()?;
    crm.mail.dovecot.stop().await;
    crm.api.wait_for(Duration::from_secs(60), "an alert on the profile", || {
        Ok((!alerts(&crm, crm.imap)?.is_empty()).then_some(()))
    })?;
    // Long enough for every mailbox to have met the fault, and some to meet it again.
    tokio::time::sleep(Duration::from_secs(15)).await;
    let told = alerts(&crm, crm.imap)?;
    assert_eq!(told.len(), 1, "one alert, whatever the number of mailboxes: {told:?}");
    let text = told[0]["text"].as_str().unwrap_or_default();
    assert!(text.contains("No mailbox is disabled"), "{text}");
    for user in &users {
        let row = crm.api.get(&format!("mailboxes({})", user.mailbox))?;
        assert_eq!(row["enabledforincomingemail"], true, "{}", user.address);
        assert_eq!(row["incomingemailstatus"], 1, "{}", user.address);
        assert!(alerts(&crm, user.mailbox)?.is_empty(), "{}: the owner need not act", user.address);
    }
    crm.mail.dovecot.restart().await?;
    for user in &users {
        let id = user.address.replace('@', ".");
        let raw = letter("kim@customers.test", &user.address, "After the outage", &id, "", "text");
        crm.mail.send("kim@customers.test", &[&user.address], &raw).await?;
    }
    for user in &users {
        crm.api.wait_for(Duration::from_secs(120), "mail to flow again", || {
            Ok(crm.ledger(user.mailbox)?.iter().any(|r| r["pr_subject"] == "After the outage").then_some(()))
        })?;
    }
    assert_eq!(alerts(&crm, crm.imap)?.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pending_while_the_server_is_down_goes_out_once() -> Result<()> {
    const EMAILS: usize = 4;
    let crm = company().await?;
    allow_unresolved(&crm)?;
    let anna = ready_user(&crm, "Anna", Protocol::Imap)?;
    crm.mail.user("kim@customers.test")?;
    crm.mail.postfix.stop().await;
    let emails = (0..EMAILS)
        .map(|n| {
            let to = [("kim@customers.test", 2)];
            send(&crm, ("systemuser", anna.id), &to, &format!("Waiting {n}"), "<p>patience</p>")
        })
        .collect::<Result<Vec<Uuid>>>()?;
    let waiting = crm.api.wait_for(Duration::from_secs(60), "the reason on a record", || {
        let row = crm.api.get(&format!("emails({})", emails[0]))?;
        Ok(row["pr_failurereason"].as_str().is_some_and(|why| !why.is_empty()).then_some(row))
    })?;
    assert_eq!(waiting["statuscode"], PENDING_SEND, "{waiting}");
    tokio::time::sleep(Duration::from_secs(10)).await;
    crm.mail.postfix.restart().await?;
    for email in &emails {
        let path = format!("emails({email})");
        crm.api.wait_for(Duration::from_secs(180), "the email to be sent", || {
            Ok((crm.api.get(&path)?["statuscode"] == SENT).then_some(()))
        })?;
    }
    crm.mail.postfix.wait_delivered(Duration::from_secs(30)).await?;
    for n in 0..EMAILS {
        let subject = format!("Waiting {n}");
        let copies = crm.mail.dovecot.list("kim@customers.test")?;
        assert_eq!(copies.iter().filter(|m| m.text().contains(&subject)).count(), 1, "{subject} arrived once");
    }
    let row = crm.api.get(&format!("mailboxes({})", anna.mailbox))?;
    assert_eq!(row["enabledforoutgoingemail"], true, "nothing was disabled");
    let unbroken = crm.api.get(&format!("emails({})", emails[0]))?;
    assert_eq!(unbroken["deliveryattempts"], 1, "an outage is no attempt of the message: {unbroken}");
    Ok(())
}
