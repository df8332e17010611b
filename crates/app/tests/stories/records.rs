//! Stories of the records: users, queues and their mailboxes.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use testkit::crm::Protocol;
use testkit::{Crm, Postroom, postroom};
use uuid::Uuid;

use crate::common::*;

fn installation() -> Result<(Postroom, testkit::Api)> {
    let postroom = Postroom::start(binary(), postroom::Options::default())?;
    let api = postroom.api();
    Ok((postroom, api))
}

fn organization(api: &testkit::Api) -> Result<String> {
    let all = api.get("organizations")?;
    let id = all["value"][0]["organizationid"].as_str().context("no organization")?;
    Ok(format!("organizations({id})"))
}

fn user(api: &testkit::Api, name: &str, address: &str) -> Result<Uuid> {
    api.create(
        "systemusers",
        &json!({ "firstname": name, "lastname": "Test", "internalemailaddress": address, "domainname": address }),
    )
}

fn mailbox_path(row: &Value) -> String {
    format!("mailboxes({})", row["mailboxid"].as_str().unwrap_or_default())
}

/// The request is refused with exactly these codes somewhere in the answer.
#[track_caller]
fn check_refused(api: &testkit::Api, method: &str, path: &str, body: &Value, codes: &[&str]) -> Result<String> {
    let answer = api.request(method, path, Some(body), &[])?;
    let text = answer.body.to_string();
    // A key that is taken is a precondition that fails.
    let status = if codes.contains(&"0x80040237") { 412 } else { 400 };
    assert_eq!(answer.status, status, "{method} {path}: {text}");
    for code in codes {
        assert!(text.to_uppercase().contains(&code.to_uppercase()), "{code} is missing in {text}");
    }
    Ok(text)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_user_or_queue_gets_a_mailbox_with_the_defaults() -> Result<()> {
    let (_postroom, api) = installation()?;
    let profile = api.create(
        "emailserverprofiles",
        &json!({ "name": "House", "servertype": 4, "incomingserverlocation": "imap.company.test",
                 "outgoingserverlocation": "smtp.company.test" }),
    )?;
    api.update(
        &organization(&api)?,
        &json!({ "defaultemailserverprofileid@odata.bind": format!("/emailserverprofiles({profile})") }),
    )?;
    let anna = user(&api, "Anna", "anna@company.test")?;
    let row = api.mailbox_of(anna)?;
    assert_eq!(row["emailaddress"], "anna@company.test");
    assert_eq!(row["name"], "Anna Test");
    assert_eq!(row["isforwardmailbox"], false);
    assert_eq!(row["_ownerid_value"], anna.to_string(), "a user's mailbox is the user's");
    assert_eq!(row["incomingemailstatus"], 0);
    assert_eq!(row["emailrouteraccessapproval"], 2, "a new address waits for approval");
    if row["incomingemaildeliverymethod"] == 2 {
        assert_eq!(row["_emailserverprofile_value"], profile.to_string());
    }
    let record = api.get(&format!("systemusers({anna})"))?;
    assert_eq!(record["_defaultmailbox_value"], row["mailboxid"]);
    let support = api.create("queues", &json!({ "name": "Support", "emailaddress": "support@company.test" }))?;
    let row = api.mailbox_of(support)?;
    let queue = api.get(&format!("queues({support})"))?;
    assert_eq!(row["_ownerid_value"], queue["_ownerid_value"], "a queue's mailbox is its owner's");
    assert_eq!(row["actdeliverymethod"], 2, "a queue synchronizes no appointments");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_switch_turns_mailboxes_of_new_users_off() -> Result<()> {
    let (_postroom, api) = installation()?;
    api.update(&organization(&api)?, &json!({ "pr_createmailboxes": false }))?;
    let anna = user(&api, "Anna", "anna@company.test")?;
    assert!(api.mailbox_of(anna).is_err(), "no mailbox was created");
    api.update(&organization(&api)?, &json!({ "pr_createmailboxes": true }))?;
    let berta = user(&api, "Berta", "berta@company.test")?;
    assert!(api.mailbox_of(berta).is_ok());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_is_mirrored_both_ways() -> Result<()> {
    let (_postroom, api) = installation()?;
    let anna = user(&api, "Anna", "anna@company.test")?;
    let mailbox = mailbox_path(&api.mailbox_of(anna)?);
    api.update(&format!("systemusers({anna})"), &json!({ "internalemailaddress": "anna.one@company.test" }))?;
    assert_eq!(api.get(&mailbox)?["emailaddress"], "anna.one@company.test");
    api.update(&mailbox, &json!({ "emailaddress": "anna.two@company.test" }))?;
    assert_eq!(api.get(&format!("systemusers({anna})"))?["internalemailaddress"], "anna.two@company.test");
    let support = api.create("queues", &json!({ "name": "Support", "emailaddress": "support@company.test" }))?;
    let mailbox = mailbox_path(&api.mailbox_of(support)?);
    api.update(&format!("queues({support})"), &json!({ "emailaddress": "help@company.test" }))?;
    assert_eq!(api.get(&mailbox)?["emailaddress"], "help@company.test");
    api.update(&mailbox, &json!({ "emailaddress": "care@company.test" }))?;
    assert_eq!(api.get(&format!("queues({support})"))?["emailaddress"], "care@company.test");
    // An address is one mailbox's alone, whichever door it comes through.
    let taken = json!({ "internalemailaddress": "CARE@company.test" });
    let text = check_refused(&api, "PATCH", &format!("systemusers({anna})"), &taken, &["0x80040237"])?;
    assert!(text.contains("Support"), "it says whose it is: {text}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_one_mailbox_for_each_and_it_goes_with_its_owner() -> Result<()> {
    let (_postroom, api) = installation()?;
    let anna = user(&api, "Anna", "anna@company.test")?;
    let second = json!({
        "name": "Second", "emailaddress": "second@company.test",
        "regardingobjectid_systemuser@odata.bind": format!("/systemusers({anna})"),
    });
    check_refused(&api, "POST", "mailboxes", &second, &["0x8005E207"])?;
    let all = api.list(&format!("mailboxes?$filter=_regardingobjectid_value eq {anna}"))?;
    assert_eq!(all.len(), 1);
    let answer = api.request("DELETE", &mailbox_path(&all[0]), None, &[])?;
    assert_eq!((answer.status, answer.code().to_uppercase().as_str()), (400, "0X8005E200"), "{:?}", answer.body);
    let support = api.create("queues", &json!({ "name": "Support", "emailaddress": "support@company.test" }))?;
    let mailbox = mailbox_path(&api.mailbox_of(support)?);
    assert_eq!(api.request("DELETE", &mailbox, None, &[])?.code().to_uppercase(), "0X8005E200");
    api.delete(&format!("queues({support})"))?;
    assert_eq!(api.request("GET", &mailbox, None, &[])?.status, 404, "it went with the queue");
    let forward = api.create(
        "mailboxes",
        &json!({ "name": "Collection", "emailaddress": "collect@company.test", "incomingemaildeliverymethod": 0,
                 "outgoingemaildeliverymethod": 0 }),
    )?;
    assert_eq!(api.get(&format!("mailboxes({forward})"))?["isforwardmailbox"], true);
    api.delete(&format!("mailboxes({forward})"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_user_receives_nothing_more() -> Result<()> {
    let crm = company().await?;
    let anna = ready_user(&crm, "Anna", Protocol::Imap)?;
    crm.api.update(&format!("systemusers({})", anna.id), &json!({ "isdisabled": true }))?;
    let path = format!("mailboxes({})", anna.mailbox);
    assert_eq!(crm.api.get(&path)?["statecode"], 1, "the mailbox is deactivated with the user");
    check_refused(&crm.api, "PATCH", &path, &json!({ "statecode": 0, "statuscode": 1 }), &["0x8005E230"])?;
    let raw = letter("kim@customers.test", "anna@company.test", "Anybody there", "there", "", "hello?");
    crm.mail.send("kim@customers.test", &["anna@company.test"], &raw).await?;
    crm.mail.wait_for_text("anna@company.test", "Anybody there").await?;
    let berta = ready_user(&crm, "Berta", Protocol::Imap)?;
    let raw = letter("kim@customers.test", "berta@company.test", "Somebody there", "some", "", "hello?");
    crm.mail.send("kim@customers.test", &["berta@company.test"], &raw).await?;
    crm.wait_in_ledger(berta.mailbox, "Somebody there")?;
    let heard = |crm: &Crm| {
        Ok::<_, anyhow::Error>(crm.ledger(anna.mailbox)?.iter().any(|r| r["pr_subject"] == "Anybody there"))
    };
    assert!(!heard(&crm)?, "the mailbox is not read");
    crm.api.update(&format!("systemusers({})", anna.id), &json!({ "isdisabled": false }))?;
    crm.api.update(&path, &json!({ "statecode": 0, "statuscode": 1 }))?;
    crm.api.test_and_enable(anna.mailbox)?;
    crm.wait_in_ledger(anna.mailbox, "Anybody there")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn several_faults_are_told_together_each_with_its_field() -> Result<()> {
    let (_postroom, api) = installation()?;
    let anna = user(&api, "Anna", "anna@company.test")?;
    let mailbox = mailbox_path(&api.mailbox_of(anna)?);
    let body = json!({
        "processanddeleteemails": true, "allowemailconnectortousecredentials": true, "emailaddress": "not an address",
    });
    let answer = api.request("PATCH", &mailbox, Some(&body), &[])?;
    let text = answer.body.to_string();
    assert_eq!(answer.status, 400, "{text}");
    for word in ["processanddeleteemails", "emailaddress", "username"] {
        assert!(text.contains(word), "{word} is not named in {text}");
    }
    let before = api.get(&mailbox)?;
    assert_eq!(before["processanddeleteemails"], false, "nothing of it was written");
    assert_eq!(before["emailaddress"], "anna@company.test");
    let profile = json!({
        "name": "Odd", "servertype": 1, "incomingserverlocation": "", "outgoingserverlocation": "smtp.company.test",
        "incomingcredentialretrieval": 1, "outgoingportnumber": 0,
    });
    let text = check_refused(&api, "POST", "emailserverprofiles", &profile, &["0x8005E214"])?;
    assert!(text.contains("incomingserverlocation"), "{text}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_switch_no_approval_is_needed() -> Result<()> {
    let crm = company().await?;
    let path = organization(&crm.api)?;
    let anna = crm.user("Anna", "Test", "anna@company.test", Protocol::Imap)?;
    let support = crm.queue("Support", "support@company.test", false)?;
    let test = json!({ "testemailconfigurationscheduled": true });
    let row = |id: Uuid| format!("mailboxes({id})");
    check_refused(&crm.api, "PATCH", &row(anna.mailbox), &test, &["0x8005E220"])?;
    crm.api.update(&path, &json!({ "requireapprovalforuseremail": false }))?;
    let tested = crm.api.test_and_enable(anna.mailbox)?;
    assert_eq!(tested["incomingemailstatus"], 1, "{}", tested["pr_testlog"]);
    check_refused(&crm.api, "PATCH", &row(support.mailbox), &test, &["0x8005E220"])?;
    crm.api.update(&path, &json!({ "requireapprovalforqueueemail": false }))?;
    let tested = crm.api.test_and_enable(support.mailbox)?;
    assert_eq!(tested["incomingemailstatus"], 1, "{}", tested["pr_testlog"]);
    // Switched on again, nothing more is received for what nobody approved.
    crm.api.update(&path, &json!({ "requireapprovalforuseremail": true }))?;
    let raw = letter("kim@customers.test", "anna@company.test", "Unapproved", "unapproved", "", "hello");
    crm.set_user_filter(&anna, ALL_MESSAGES)?;
    crm.mail.send("kim@customers.test", &["anna@company.test"], &raw).await?;
    crm.mail.wait_for_text("anna@company.test", "Unapproved").await?;
    let raw = letter("kim@customers.test", "support@company.test", "Later", "later", "", "hello");
    crm.mail.send("kim@customers.test", &["support@company.test"], &raw).await?;
    crm.wait_in_ledger(support.mailbox, "Later")?;
    assert!(!crm.ledger(anna.mailbox)?.iter().any(|r| r["pr_subject"] == "Unapproved"));
    crm.api.update(&row(anna.mailbox), &json!({ "emailrouteraccessapproval": 1 }))?;
    crm.wait_in_ledger(anna.mailbox, "Unapproved")?;
    Ok(())
}
