//! Stories of sending.

use crate::common::*;
use anyhow::{Context, Result};
use serde_json::json;
use testkit::crm::Protocol;

#[tokio::test(flavor = "multi_thread")]
async fn an_email_arrives_and_bcc_stays_secret() -> Result<()> {
    let crm = company().await?;
    allow_unresolved(&crm)?;
    let anna = ready_user(&crm, "Anna", Protocol::Imap)?;
    for address in ["kim@customers.test", "boss@customers.test"] {
        crm.mail.user(address)?;
    }
    let to = [("kim@customers.test", 2), ("boss@customers.test", 4)];
    let email = send(&crm, ("systemuser", anna.id), &to, "Offer", "<p>Our <b>offer</b>: 10 €</p>")?;
    let sent = wait_for_status(&crm, email, SENT)?;
    assert!(sent["messageid"].as_str().is_some_and(|id| id.starts_with('<')), "{sent}");
    for address in ["kim@customers.test", "boss@customers.test"] {
        let arrived = crm.mail.wait_for_text(address, "Offer").await?.text();
        let head =
            arrived.split("\r\n\r\n").next().unwrap_or_default().split("\n\n").next().unwrap_or_default().to_owned();
        let ours: String =
            head.lines().skip_while(|l| !l.starts_with("From:") && !l.starts_with("Message-ID:")).collect();
        assert!(!ours.contains("boss@"), "Bcc leaked to {address}: {head}");
        assert!(!head.to_lowercase().contains("\nbcc:"), "{head}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_recipient_is_named_with_the_servers_words() -> Result<()> {
    let crm = company().await?;
    allow_unresolved(&crm)?;
    let anna = ready_user(&crm, "Anna", Protocol::Imap)?;
    crm.mail.user("kim@customers.test")?;
    crm.mail.postfix.reject_recipient("gone@customers.test", "550 5.1.1 nobody of that name works here")?;
    let both = [("kim@customers.test", 2), ("gone@customers.test", 2)];
    let email = send(&crm, ("systemuser", anna.id), &both, "To two", "<p>hello</p>")?;
    let sent = wait_for_status(&crm, email, SENT)?;
    assert!(sent["pr_failurereason"].as_str().is_some_and(|w| w.contains("nobody of that name")), "{sent}");
    let nobody = send(&crm, ("systemuser", anna.id), &[("gone@customers.test", 2)], "To none", "<p>hello</p>")?;
    let failed = wait_for_status(&crm, nobody, FAILED)?;
    assert_eq!(failed["statecode"], 0);
    assert!(failed["pr_failurereason"].as_str().is_some_and(|w| w.contains("nobody of that name")), "{failed}");
    let alerts = crm.api.list(&format!("tracelogs?$filter=_regardingobjectid_value eq {nobody}"))?;
    assert_eq!(alerts.len(), 1, "an alert on the email");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deferred_recipient_is_tried_again() -> Result<()> {
    let crm = company().await?;
    allow_unresolved(&crm)?;
    let anna = ready_user(&crm, "Anna", Protocol::Imap)?;
    crm.mail.user("slow@customers.test")?;
    crm.mail.postfix.reject_recipient("slow@customers.test", "450 4.2.0 greylisted, come back later")?;
    let email = send(&crm, ("systemuser", anna.id), &[("slow@customers.test", 2)], "Patience", "<p>hello</p>")?;
    let waiting = crm.api.wait_for(std::time::Duration::from_secs(30), "the server's words on the record", || {
        let row = crm.api.get(&format!("emails({email})"))?;
        Ok(row["pr_failurereason"].as_str().is_some_and(|w| w.contains("greylisted")).then_some(row))
    })?;
    assert_eq!(waiting["statuscode"], PENDING_SEND);
    assert!(waiting["postponeemailprocessinguntil"].is_string(), "{waiting}");
    crm.mail.postfix.accept("slow@customers.test")?;
    let sent = wait_for_status_for(&crm, email, SENT, 120)?;
    assert_eq!(sent["deliveryattempts"], 2);
    Ok(())
}

fn wait_for_status_for(crm: &testkit::Crm, email: uuid::Uuid, status: i64, seconds: u64) -> Result<serde_json::Value> {
    crm.api.wait_for(std::time::Duration::from_secs(seconds), "the email's status", || {
        let row = crm.api.get(&format!("emails({email})"))?;
        Ok((row["statuscode"] == status).then_some(row))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn attachments_and_inline_pictures_go_out() -> Result<()> {
    let crm = company().await?;
    allow_unresolved(&crm)?;
    let support = ready_queue(&crm, "Support", false)?;
    crm.mail.user("kim@customers.test")?;
    let email = crm.api.create(
        "emails",
        &json!({
            "subject": "Größe", "description": "<p>See <img src=\"cid:pic\"></p>", "directioncode": true,
            "email_activity_parties": [
                { "partyid_queue@odata.bind": format!("/queues({})", support.id), "participationtypemask": 1 },
                { "addressused": "kim@customers.test", "participationtypemask": 2 },
            ],
            "email_activity_mime_attachment": [
                { "filename": "Übersicht.txt", "mimetype": "text/plain", "body": "aGVsbG8gd29ybGQ=" },
                { "filename": "pic.png", "mimetype": "image/png", "body": "iVBORw0KGgo=", "attachmentcontentid": "pic" },
            ],
        }),
    )?;
    crm.api.post(&format!("emails({email})/Microsoft.Dynamics.CRM.SendEmail"), &json!({ "IssueSend": true }))?;
    wait_for_status(&crm, email, SENT)?;
    let arrived = crm.mail.wait_for_text("kim@customers.test", "aGVsbG8gd29ybGQ").await?.text();
    assert!(arrived.contains("multipart/related") && arrived.contains("multipart/mixed"), "{arrived}");
    assert!(arrived.contains("Content-ID: <pic>"), "{arrived}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_finds_its_conversation_and_a_forged_token_does_not() -> Result<()> {
    let crm = company().await?;
    let support = ready_queue(&crm, "Support", false)?;
    let anna = ready_user(&crm, "Anna", Protocol::Imap)?;
    crm.set_user_filter(&anna, RESPONSES)?;
    crm.mail.user("kim@customers.test")?;
    crm.api.create("contacts", &json!({ "lastname": "Park", "emailaddress1": "kim@customers.test" }))?;
    allow_unresolved(&crm)?;
    let email = send(&crm, ("queue", support.id), &[("kim@customers.test", 2)], "Your case", "<p>What happened?</p>")?;
    wait_for_status(&crm, email, SENT)?;
    let arrived = crm.mail.wait_for_text("kim@customers.test", "Your case").await?.text();
    let subject = arrived.lines().find(|l| l.starts_with("Subject:")).context("no subject")?[8..].trim().to_owned();
    assert!(subject.contains("CRM:"), "the token is in the subject: {subject}");
    // A program that drops In-Reply-To: the token alone has to do.
    let raw = letter(
        "Kim <kim@customers.test>",
        "support@company.test",
        &format!("RE: {subject}"),
        "by-token",
        "",
        "It fell.",
    );
    crm.mail.send("kim@customers.test", &["support@company.test"], &raw).await?;
    crm.wait_in_ledger(support.mailbox, &format!("RE: {subject}"))?;
    let reply = crm.api.list("emails?$filter=messageid eq '<by-token@customers.test>'")?.remove(0);
    assert_eq!(reply["_correlatedactivityid_value"], email.to_string());
    assert_eq!(reply["correlationmethod"], 4);
    // Somebody else has seen the token: not a participant, not correlated.
    let raw = letter(
        "Eve <eve@elsewhere.test>",
        "support@company.test",
        &format!("RE: {subject}"),
        "forged",
        "",
        "Give me access.",
    );
    crm.mail.send("eve@elsewhere.test", &["support@company.test"], &raw).await?;
    crm.api
        .wait_for(std::time::Duration::from_secs(30), "the forged message", || {
            Ok(crm.api.list("emails?$filter=messageid eq '<forged@customers.test>'")?.pop())
        })
        .map(|forged| assert!(forged["_correlatedactivityid_value"].is_null(), "{forged}"))?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_email_that_cannot_go_says_why_it_waits() -> Result<()> {
    let crm = company().await?;
    allow_unresolved(&crm)?;
    let anna = crm.user("Anna", "Test", "anna@company.test", Protocol::Imap)?;
    crm.mail.user("kim@customers.test")?;
    let email = send(&crm, ("systemuser", anna.id), &[("kim@customers.test", 2)], "Too early", "<p>hello</p>")?;
    let row = crm.api.get(&format!("emails({email})"))?;
    assert_eq!(row["statuscode"], PENDING_SEND);
    assert!(row["pr_failurereason"].as_str().is_some_and(|w| !w.is_empty()), "{row}");
    crm.enable(&anna)?;
    wait_for_status(&crm, email, SENT)?;
    Ok(())
}
