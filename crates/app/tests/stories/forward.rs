//! Stories of forward mailboxes.

use std::time::Duration;

use crate::common::*;
use anyhow::Result;
use serde_json::json;
use testkit::Crm;
use testkit::crm::{Member, Protocol};

async fn with_collection() -> Result<(Crm, Member, Member)> {
    let crm = company().await?;
    let dora = crm.forwarded_user("Dora", "Lind", "dora@company.test", "collect@company.test")?;
    crm.set_user_filter(&dora, ALL_MESSAGES)?;
    let collect = crm.forward_mailbox("Collection", "collect@company.test", true)?;
    crm.enable(&dora)?;
    crm.enable(&collect)?;
    Ok((crm, dora, collect))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forwarded_attachment_is_handled_for_whom_it_was() -> Result<()> {
    let (crm, dora, collect) = with_collection().await?;
    let raw = letter("Kim <kim@customers.test>", "dora@company.test", "Call me", "call", "", "please");
    crm.mail.send("kim@customers.test", &["dora@company.test"], &raw).await?;
    let row = crm.wait_in_ledger(dora.mailbox, "Call me")?;
    assert_eq!(disposition(&row), TRACKED, "{row}");
    let email = crm.emails("Call me")?.remove(0);
    assert_eq!(email["sender"], "kim@customers.test", "the original's sender, not the forwarder");
    assert_eq!(email["messageid"], "<call@customers.test>");
    crm.api.wait_for(Duration::from_secs(30), "the collection box to be empty", || {
        Ok(crm.mail.dovecot.list("collect@company.test")?.is_empty().then_some(()))
    })?;
    // The message and the one that dora's own test sent, which was forwarded like any other.
    assert_eq!(crm.mail.dovecot.list("dora@company.test")?.len(), 2, "the own mailbox is never touched");
    let outer = crm.ledger(collect.mailbox)?;
    assert_eq!(outer.iter().filter(|r| disposition(r) == FORWARDED).count(), 2, "{outer:?}");
    let served: Vec<i64> = crm.ledger(dora.mailbox)?.iter().map(disposition).collect();
    assert_eq!(served.iter().filter(|d| **d == TEST_MESSAGE).count(), 1, "{served:?}");
    assert_eq!(crm.api.list("emails")?.len(), 1, "the test's message makes no record");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn bcc_mail_is_found_by_who_forwarded_it() -> Result<()> {
    let (crm, dora, _) = with_collection().await?;
    let raw = letter("kim@customers.test", "list@customers.test", "Newsletter", "bcc", "", "you are in Bcc");
    crm.mail.send("kim@customers.test", &["dora@company.test"], &raw).await?;
    let row = crm.wait_in_ledger(dora.mailbox, "Newsletter")?;
    assert_eq!(disposition(&row), TRACKED, "{row}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_claims_is_kept_with_one_alert() -> Result<()> {
    let (crm, _, collect) = with_collection().await?;
    for n in 0..3 {
        let raw = letter(
            "lost@elsewhere.test",
            "collect@company.test",
            &format!("Lost {n}"),
            &format!("lost{n}"),
            "",
            "hello?",
        );
        crm.mail.send("lost@elsewhere.test", &["collect@company.test"], &raw).await?;
        let row = crm.wait_in_ledger(collect.mailbox, &format!("Lost {n}"))?;
        assert_eq!(disposition(&row), UNCLAIMED, "{row}");
    }
    let alerts =
        crm.api.list(&format!("tracelogs?$filter=_regardingobjectid_value eq {} and level gt 1", collect.mailbox))?;
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert_eq!(crm.mail.dovecot.list("collect@company.test")?.len(), 3, "kept on the server");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn several_enclosed_messages_and_several_served_people() -> Result<()> {
    let (crm, dora, collect) = with_collection().await?;
    let emil = crm.forwarded_user("Emil", "Ott", "emil@company.test", "collect@company.test")?;
    crm.set_user_filter(&emil, ALL_MESSAGES)?;
    crm.enable(&emil)?;
    let inner = |to: &str, subject: &str, id: &str| {
        String::from_utf8(letter("kim@customers.test", to, subject, id, "", "inner")).unwrap()
    };
    let body = format!(
        "--out\r\nContent-Type: text/plain\r\n\r\ntwo for you\r\n--out\r\nContent-Type: multipart/mixed; boundary=in\r\n\r\n\
         --in\r\nContent-Type: message/rfc822\r\n\r\n{}\r\n--in\r\nContent-Type: message/rfc822\r\n\r\n{}\r\n--in--\r\n--out--",
        inner("dora@company.test, emil@company.test", "For two", "two"),
        inner("emil@company.test", "For one", "one"),
    );
    let raw = letter(
        "dora@company.test",
        "collect@company.test",
        "Fwd",
        "outer",
        "Content-Type: multipart/mixed; boundary=out\r\n",
        &body,
    );
    crm.mail.send("dora@company.test", &["collect@company.test"], &raw).await?;
    crm.wait_in_ledger(collect.mailbox, "Fwd")?;
    crm.wait_in_ledger(dora.mailbox, "For two")?;
    crm.wait_in_ledger(emil.mailbox, "For two")?;
    crm.wait_in_ledger(emil.mailbox, "For one")?;
    assert_eq!(crm.emails("For two")?.len(), 1);
    assert_eq!(crm.emails("For one")?.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_redirect_arrives_unwrapped() -> Result<()> {
    let (crm, dora, _) = with_collection().await?;
    let raw = letter(
        "kim@customers.test",
        "dora@company.test",
        "Redirected",
        "redirected",
        "Resent-To: collect@company.test\r\nResent-From: dora@company.test\r\n",
        "as it was",
    );
    crm.mail.send("kim@customers.test", &["collect@company.test"], &raw).await?;
    let row = crm.wait_in_ledger(dora.mailbox, "Redirected")?;
    assert_eq!(disposition(&row), TRACKED, "{row}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_served_users_own_filter_decides() -> Result<()> {
    let (crm, dora, _) = with_collection().await?;
    crm.set_user_filter(&dora, RESPONSES)?;
    let raw = letter("kim@customers.test", "dora@company.test", "Unasked", "unasked", "", "buy this");
    crm.mail.send("kim@customers.test", &["dora@company.test"], &raw).await?;
    let row = crm.wait_in_ledger(dora.mailbox, "Unasked")?;
    assert_eq!(disposition(&row), FILTERED, "{row}");
    assert!(crm.emails("Unasked")?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forward_mailbox_has_no_outgoing_and_no_regarding() -> Result<()> {
    let crm = company().await?;
    let anna = crm.user("Anna", "Test", "anna@company.test", Protocol::Imap)?;
    let body = json!({
        "name": "Wrong", "incomingemaildeliverymethod": 1, "outgoingemaildeliverymethod": 2,
        "regardingobjectid_systemuser@odata.bind": format!("/systemusers({})", anna.id),
    });
    let answer = crm.api.request("POST", "mailboxes", Some(&body), &[])?;
    assert_eq!(answer.status, 400);
    let text = answer.body.to_string();
    for code in ["0x8005E211", "0x8005E212", "0x8005E213", "0x8005E207"] {
        assert!(text.to_uppercase().contains(&code.to_uppercase()), "{code} is missing in {text}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_original_can_be_had_with_what_was_attached_to_it() -> Result<()> {
    let (crm, dora, _) = with_collection().await?;
    let body = "--mix\r\nContent-Type: text/plain\r\n\r\nSee below.\r\n--mix\r\nContent-Type: application/pdf\r\n\
                Content-Disposition: attachment; filename=\"plan.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n\
                JVBERi1oZWxsbw==\r\n--mix--";
    let kind = "Content-Type: multipart/mixed; boundary=mix\r\n";
    let raw = letter("kim@customers.test", "dora@company.test", "Plan", "plan", kind, body);
    crm.mail.send("kim@customers.test", &["dora@company.test"], &raw).await?;
    crm.wait_in_ledger(dora.mailbox, "Plan")?;
    let email = crm.emails("Plan")?.remove(0);
    let id = email["activityid"].as_str().unwrap_or_default();
    let rows = crm.api.list(&format!("activitymimeattachments?$filter=_objectid_value eq {id}"))?;
    let attachment = rows[0]["activitymimeattachmentid"].as_str().unwrap_or_default();
    assert_eq!(crm.api.get(&format!("activitymimeattachments({attachment})"))?["body"], "JVBERi1oZWxsbw==");
    let text = crm.api.get(&format!("emails({id})/pr_rawmessage/$value"))?;
    let text = text.as_str().unwrap_or_default();
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    assert!(head.contains("From: kim@customers.test"), "the original, not what enclosed it:\n{head}");
    assert!(text.trim_end().ends_with("--mix--"), "and nothing after it:\n{text}");
    Ok(())
}
