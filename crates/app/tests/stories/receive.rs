//! Stories of receiving, each ending in a look at the server and the records.

use std::time::Duration;

use crate::common::*;
use anyhow::Result;
use serde_json::json;
use testkit::crm::Protocol;

#[tokio::test(flavor = "multi_thread")]
async fn a_message_becomes_an_email_with_its_parties() -> Result<()> {
    let crm = company().await?;
    let anna = ready_user(&crm, "Anna", Protocol::Imap)?;
    let contact = crm.api.create("contacts", &json!({ "lastname": "Park", "emailaddress1": "kim@customers.test" }))?;
    let raw = letter(
        "Kim <kim@customers.test>",
        "Anna <anna@company.test>",
        "Hello",
        "m1",
        "Cc: other@elsewhere.test\r\n",
        "Good day.",
    );
    crm.mail.send("kim@customers.test", &["anna@company.test"], &raw).await?;
    let row = crm.wait_in_ledger(anna.mailbox, "Hello")?;
    assert_eq!(disposition(&row), TRACKED, "{row}");
    let email = crm.emails("Hello")?.remove(0);
    assert_eq!(email["statuscode"], 4);
    assert_eq!(email["directioncode"], false);
    assert_eq!(email["sender"], "kim@customers.test");
    assert_eq!(email["messageid"], "<m1@customers.test>");
    assert_eq!(email["_emailsender_value"], contact.to_string());
    let parties = email["email_activity_parties"].as_array().cloned().unwrap_or_default();
    let mut seen: Vec<(i64, String)> = parties
        .iter()
        .map(|p| {
            (p["participationtypemask"].as_i64().unwrap_or(0), p["addressused"].as_str().unwrap_or_default().to_owned())
        })
        .collect();
    seen.sort();
    let expected = [(1, "kim@customers.test"), (2, "anna@company.test"), (3, "other@elsewhere.test")];
    assert_eq!(seen, expected.map(|(mask, address)| (mask, address.to_owned())));
    let on_server = crm.mail.dovecot.list("anna@company.test")?;
    assert_eq!(on_server.len(), 1, "a user's mail stays on the server");
    assert!(!on_server[0].flags().contains('S'), "and is not marked as read");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_to_two_mailboxes_is_one_email_and_two_ledger_rows() -> Result<()> {
    let crm = company().await?;
    let anna = ready_user(&crm, "Anna", Protocol::Imap)?;
    let carla = ready_user(&crm, "Carla", Protocol::Pop3)?;
    let raw = letter("kim@customers.test", "anna@company.test, carla@company.test", "Both", "both", "", "For both.");
    crm.mail.send("kim@customers.test", &["anna@company.test", "carla@company.test"], &raw).await?;
    let one = crm.wait_in_ledger(anna.mailbox, "Both")?;
    let other = crm.wait_in_ledger(carla.mailbox, "Both")?;
    let mut dispositions = [disposition(&one), disposition(&other)];
    dispositions.sort_unstable();
    assert_eq!(dispositions, [TRACKED, DUPLICATE]);
    assert_eq!(one["_pr_activityid_value"], other["_pr_activityid_value"]);
    assert_eq!(crm.emails("Both")?.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_filter_of_a_user_decides_and_the_ledger_says_why() -> Result<()> {
    let crm = company().await?;
    let anna = ready_user(&crm, "Anna", Protocol::Imap)?;
    crm.api.create("contacts", &json!({ "lastname": "Park", "emailaddress1": "kim@customers.test" }))?;
    for (filter, sender, subject, wanted) in [
        (RESPONSES, "kim@customers.test", "not a reply", FILTERED),
        (KNOWN_SENDERS, "kim@customers.test", "from a contact", TRACKED),
        (KNOWN_SENDERS, "stranger@elsewhere.test", "from a stranger", FILTERED),
        (NO_MESSAGES, "kim@customers.test", "nothing please", FILTERED),
        (ALL_MESSAGES, "stranger@elsewhere.test", "everything", TRACKED),
    ] {
        crm.set_user_filter(&anna, filter)?;
        let raw = letter(sender, "anna@company.test", subject, &subject.replace(' ', "."), "", "text");
        crm.mail.send(sender, &["anna@company.test"], &raw).await?;
        let row = crm.wait_in_ledger(anna.mailbox, subject)?;
        assert_eq!(disposition(&row), wanted, "{subject}: {row}");
        assert!(row["pr_reason"].as_str().is_some_and(|why| why.len() > 10), "a reason in plain words: {row}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_cycle_begins_at_process_email_from() -> Result<()> {
    let crm = company().await?;
    let user = crm.mail.user("anna@company.test")?;
    let old = letter("kim@customers.test", &user.address, "Old", "old", "", "long ago");
    crm.mail.dovecot.deliver_dated(&user.address, &old, "2020-01-02T03:04:05Z".parse()?)?;
    let recent = letter("kim@customers.test", &user.address, "Recent", "recent", "", "today");
    crm.mail.dovecot.deliver(&user.address, &recent)?;
    let anna = crm.user("Anna", "Test", &user.address, Protocol::Imap)?;
    crm.set_user_filter(&anna, ALL_MESSAGES)?;
    crm.api.update(
        &format!("mailboxes({})", anna.mailbox),
        &json!({ "processemailreceivedafter": "2026-01-01T00:00:00Z" }),
    )?;
    crm.enable(&anna)?;
    crm.wait_in_ledger(anna.mailbox, "Recent")?;
    assert!(crm.emails("Old")?.is_empty(), "the old message is not fetched");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_uidvalidity_creates_nothing_twice() -> Result<()> {
    let crm = company().await?;
    let anna = ready_user(&crm, "Anna", Protocol::Imap)?;
    for n in 0..10 {
        let raw =
            letter("kim@customers.test", "anna@company.test", &format!("Number {n}"), &format!("n{n}"), "", "text");
        crm.mail.send("kim@customers.test", &["anna@company.test"], &raw).await?;
    }
    for n in 0..10 {
        crm.wait_in_ledger(anna.mailbox, &format!("Number {n}"))?;
    }
    crm.mail.dovecot.stop().await;
    crm.mail.dovecot.reset_uidvalidity("anna@company.test")?;
    crm.mail.dovecot.restart().await?;
    let raw = letter("kim@customers.test", "anna@company.test", "After", "after", "", "text");
    crm.mail.send("kim@customers.test", &["anna@company.test"], &raw).await?;
    crm.api.wait_for(Duration::from_secs(120), "the message after the reset", || {
        Ok(crm.ledger(anna.mailbox)?.into_iter().find(|row| row["pr_subject"] == "After"))
    })?;
    for n in 0..10 {
        assert_eq!(crm.emails(&format!("Number {n}"))?.len(), 1);
    }
    let again = crm.ledger(anna.mailbox)?.iter().filter(|row| disposition(row) == SEEN_BEFORE).count();
    assert_eq!(again, 10, "each message is recognized under its new position");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_deletes_leaves_nothing_but_what_is_not_its_own() -> Result<()> {
    let crm = company().await?;
    let support = ready_queue(&crm, "Support", true)?;
    for n in 0..5 {
        let raw =
            letter("kim@customers.test", "support@company.test", &format!("Case {n}"), &format!("c{n}"), "", "help");
        crm.mail.send("kim@customers.test", &["support@company.test"], &raw).await?;
    }
    for n in 0..5 {
        crm.wait_in_ledger(support.mailbox, &format!("Case {n}"))?;
    }
    crm.api.wait_for(Duration::from_secs(30), "an empty mailbox on the server", || {
        Ok(crm.mail.dovecot.list("support@company.test")?.is_empty().then_some(()))
    })?;
    let items = crm.api.list(&format!("queueitems?$filter=_queueid_value eq {}", support.id))?;
    assert_eq!(items.len(), 5);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn attachments_share_the_raw_message() -> Result<()> {
    let crm = company().await?;
    let anna = ready_user(&crm, "Anna", Protocol::Imap)?;
    let body = "--mix\r\nContent-Type: text/plain\r\n\r\nSee below.\r\n--mix\r\nContent-Type: application/pdf\r\n\
                Content-Disposition: attachment; filename=\"plan.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n\
                JVBERi1oZWxsbw==\r\n--mix\r\nContent-Type: application/x-msdownload\r\n\
                Content-Disposition: attachment; filename=\"evil.exe\"\r\n\r\nMZ\r\n--mix--";
    let raw = letter(
        "kim@customers.test",
        "anna@company.test",
        "Files",
        "files",
        "Content-Type: multipart/mixed; boundary=mix\r\n",
        body,
    );
    crm.mail.send("kim@customers.test", &["anna@company.test"], &raw).await?;
    crm.wait_in_ledger(anna.mailbox, "Files")?;
    let email = crm.emails("Files")?.remove(0);
    assert_eq!(email["notifications"], 1, "a blocked attachment is said");
    let id = email["activityid"].as_str().unwrap_or_default();
    let rows = crm.api.list(&format!("activitymimeattachments?$filter=_objectid_value eq {id}"))?;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0]["filename"], "plan.pdf");
    let one = crm.api.get(&format!(
        "activitymimeattachments({})",
        rows[0]["activitymimeattachmentid"].as_str().unwrap_or_default()
    ))?;
    assert_eq!(one["body"], "JVBERi1oZWxsbw==");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn pop3_looks_once_at_what_is_too_old() -> Result<()> {
    let crm = company().await?;
    let user = crm.mail.user("carla@company.test")?;
    for n in 0..3 {
        let raw = letter("kim@customers.test", &user.address, &format!("Old {n}"), &format!("old{n}"), "", "long ago");
        let raw = String::from_utf8(raw)?.replace("23 Nov 2026", "23 Nov 2020").replace("Mon,", "");
        crm.mail.dovecot.deliver(&user.address, raw.as_bytes())?;
    }
    let recent = letter("kim@customers.test", &user.address, "Recent", "recent", "", "today");
    crm.mail.dovecot.deliver(&user.address, &recent)?;
    let carla = crm.user("Carla", "Test", &user.address, Protocol::Pop3)?;
    crm.set_user_filter(&carla, ALL_MESSAGES)?;
    let path = format!("mailboxes({})", carla.mailbox);
    crm.api.update(&path, &json!({ "processemailreceivedafter": "2026-01-01T00:00:00Z" }))?;
    crm.enable(&carla)?;
    crm.wait_in_ledger(carla.mailbox, "Recent")?;
    let rows = crm.ledger(carla.mailbox)?;
    let old: Vec<_> = rows.iter().filter(|row| disposition(row) == TOO_OLD).collect();
    assert_eq!(old.len(), 3, "{rows:?}");
    assert_eq!(crm.api.list("emails")?.len(), 1, "only the recent one");
    // Later cycles know them by their rows.
    let raw = letter("kim@customers.test", &user.address, "Next", "next", "", "now");
    crm.mail.send("kim@customers.test", &[&user.address], &raw).await?;
    crm.wait_in_ledger(carla.mailbox, "Next")?;
    let again = crm.ledger(carla.mailbox)?.iter().filter(|row| disposition(row) == TOO_OLD).count();
    assert_eq!(again, 3);
    assert_eq!(crm.mail.dovecot.list(&user.address)?.len(), 5, "all stay on the server");
    Ok(())
}

#[track_caller]
fn check_disposition(row: &serde_json::Value, expected: i64) {
    assert_eq!(disposition(row), expected, "{row}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_filter_lets_in_has_its_own_words_in_the_ledger() -> Result<()> {
    let crm = company().await?;
    let anna = ready_user(&crm, "Anna", Protocol::Imap)?;
    let bert = ready_user(&crm, "Bert", Protocol::Imap)?;
    crm.api.create("contacts", &json!({ "lastname": "Park", "emailaddress1": "kim@customers.test" }))?;
    // Between colleagues: tracked as a second activity unless that is off.
    let inside =
        |id: &str| letter("anna@company.test", "bert@company.test", &format!("Lunch {id}"), id, "", "at noon?");
    crm.mail.dovecot.deliver("bert@company.test", &inside("one"))?;
    check_disposition(&crm.wait_in_ledger(bert.mailbox, "Lunch one")?, TRACKED);
    let organization =
        crm.api.get("organizations")?["value"][0]["organizationid"].as_str().unwrap_or_default().to_owned();
    crm.api.update(&format!("organizations({organization})"), &json!({ "ignoreinternalemail": true }))?;
    crm.mail.dovecot.deliver("bert@company.test", &inside("two"))?;
    check_disposition(&crm.wait_in_ledger(bert.mailbox, "Lunch two")?, INTERNAL);
    // Addressed to nobody here: only who takes everything takes it.
    let listed = |id: &str| letter("kim@customers.test", "list@elsewhere.test", &format!("News {id}"), id, "", "read");
    crm.mail.send("kim@customers.test", &["anna@company.test"], &listed("three")).await?;
    check_disposition(&crm.wait_in_ledger(anna.mailbox, "News three")?, TRACKED);
    crm.set_user_filter(&anna, KNOWN_SENDERS)?;
    crm.mail.send("kim@customers.test", &["anna@company.test"], &listed("four")).await?;
    check_disposition(&crm.wait_in_ledger(anna.mailbox, "News four")?, NO_RECIPIENT);
    crm.set_user_filter(&anna, ALL_MESSAGES)?;
    let nobody = letter("<>", "anna@company.test", "From nobody", "five", "", "who am I?");
    crm.mail.dovecot.deliver("anna@company.test", &nobody)?;
    check_disposition(&crm.wait_in_ledger(anna.mailbox, "From nobody")?, INVALID_SENDER);
    for mailbox in [anna.mailbox, bert.mailbox] {
        for row in crm.ledger(mailbox)? {
            assert!(row["pr_reason"].as_str().is_some_and(|why| why.len() > 10), "a reason in plain words: {row}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_or_a_profile_that_comes_back_brings_the_mail() -> Result<()> {
    let crm = company().await?;
    let anna = ready_user(&crm, "Anna", Protocol::Imap)?;
    let profile = format!("emailserverprofiles({})", crm.imap);
    let mailbox = format!("mailboxes({})", anna.mailbox);
    for (n, path, off, on) in [
        (1, &profile, json!({ "statecode": 1, "statuscode": 2 }), json!({ "statecode": 0, "statuscode": 1 })),
        (2, &mailbox, json!({ "emailrouteraccessapproval": 3 }), json!({ "emailrouteraccessapproval": 1 })),
    ] {
        crm.api.update(path, &off)?;
        // A cycle that had begun before may still be looking.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let subject = format!("Held back {n}");
        let raw = letter("kim@customers.test", &anna.address, &subject, &format!("held{n}"), "", "text");
        crm.mail.send("kim@customers.test", &[&anna.address], &raw).await?;
        crm.mail.wait_for_text(&anna.address, &subject).await?;
        // Long enough for a cycle to have come and gone.
        tokio::time::sleep(Duration::from_secs(8)).await;
        assert!(!crm.ledger(anna.mailbox)?.iter().any(|row| row["pr_subject"] == subject), "{subject}");
        crm.api.update(path, &on)?;
        crm.wait_in_ledger(anna.mailbox, &subject)?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_raw_message_that_is_damaged_does_not_stop_the_mailbox() -> Result<()> {
    let crm = company().await?;
    let anna = ready_user(&crm, "Anna", Protocol::Imap)?;
    crm.set_user_filter(&anna, NO_MESSAGES)?;
    let filler = "text ".repeat(2_000);
    let raw = letter("kim@customers.test", "anna@company.test", "Damaged", "damaged", "", &filler);
    crm.mail.send("kim@customers.test", &["anna@company.test"], &raw).await?;
    let row = crm.wait_in_ledger(anna.mailbox, "Damaged")?;
    for entry in std::fs::read_dir(crm.postroom.data_dir().join("blobs"))? {
        let path = entry?.path();
        if path.is_file() {
            let bytes: Vec<u8> = std::fs::read(&path)?.iter().map(|byte| byte ^ 0x55).collect();
            std::fs::write(&path, bytes)?;
        }
    }
    let path = format!("pr_ledgerentries({})", row["pr_ledgerentryid"].as_str().unwrap_or_default());
    crm.api.update(&path, &json!({ "pr_disposition": 0 }))?;
    let row = crm.api.wait_for(Duration::from_secs(30), "the attempt", || {
        let row = crm.api.get(&path)?;
        Ok((row["pr_attempts"] == 1).then_some(row))
    })?;
    assert!(row["pr_reason"].as_str().is_some_and(|why| why.contains("blob store")), "{row}");
    assert_eq!((disposition(&row), &row["pr_subject"]), (0, &json!("Damaged")), "it waits for the next attempt: {row}");
    crm.set_user_filter(&anna, ALL_MESSAGES)?;
    let next = letter("kim@customers.test", "anna@company.test", "Next", "next", "", "text");
    crm.mail.send("kim@customers.test", &["anna@company.test"], &next).await?;
    check_disposition(&crm.wait_in_ledger(anna.mailbox, "Next")?, TRACKED);
    assert_eq!(crm.api.get(&path)?["pr_attempts"], 1, "the next attempt is a minute later");
    Ok(())
}
