//! Stories of Test & Enable Mailbox, on real servers.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use testkit::crm::{Member, Protocol};
use testkit::{Crm, Misbehave, postroom, tls, world};
use uuid::Uuid;

use crate::common::*;

const NOT_RUN: i64 = 0;
const SUCCESS: i64 = 1;
const FAILURE: i64 = 2;

fn path(member: &Member) -> String {
    format!("mailboxes({})", member.mailbox)
}

fn approve(crm: &Crm, member: &Member) -> Result<()> {
    crm.api.update(&path(member), &json!({ "emailrouteraccessapproval": 1 }))
}

/// A user that is approved and ready to be tested.
fn approved_user(crm: &Crm, name: &str, protocol: Protocol) -> Result<Member> {
    let user = crm.user(name, "Test", &format!("{}@company.test", name.to_lowercase()), protocol)?;
    approve(crm, &user)?;
    Ok(user)
}

/// Incoming status, outgoing status, enabled for incoming, enabled for outgoing.
fn outcome(row: &Value) -> (i64, i64, bool, bool) {
    let number = |name: &str| row[name].as_i64().unwrap_or(-1);
    let flag = |name: &str| row[name].as_bool().unwrap_or(false);
    (
        number("incomingemailstatus"),
        number("outgoingemailstatus"),
        flag("enabledforincomingemail"),
        flag("enabledforoutgoingemail"),
    )
}

fn log(row: &Value) -> &str {
    row["pr_testlog"].as_str().unwrap_or_default()
}

/// Errors on a record.
fn errors_on(crm: &Crm, record: Uuid) -> Result<Vec<Value>> {
    crm.api.list(&format!("tracelogs?$filter=_regardingobjectid_value eq {record} and level eq 3"))
}

/// Scheduling the test is refused with exactly these codes.
#[track_caller]
fn check_refused(crm: &Crm, member: &Member, expected: &[&str]) -> Result<()> {
    let answer =
        crm.api.request("PATCH", &path(member), Some(&json!({ "testemailconfigurationscheduled": true })), &[])?;
    let text = answer.body.to_string().to_uppercase();
    assert_eq!(answer.status, 400, "{text}");
    for code in expected {
        assert!(text.contains(&code.to_uppercase()), "{code} is missing in {text}");
    }
    let row = crm.api.get(&path(member))?;
    assert_eq!(row["testemailconfigurationscheduled"], false, "nothing is scheduled");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn success_enables_both_directions_and_leaves_no_message() -> Result<()> {
    let crm = company().await?;
    let anna = approved_user(&crm, "Anna", Protocol::Imap)?;
    let row = crm.api.test_and_enable(anna.mailbox)?;
    assert_eq!(outcome(&row), (SUCCESS, SUCCESS, true, true), "{}", log(&row));
    assert_eq!(row["actstatus"], NOT_RUN);
    assert_eq!(row["mailboxstatus"], SUCCESS);
    assert!(row["testmailboxaccesscompletedon"].is_string(), "{row}");
    for step in ["Incoming: resolve", "Incoming: log in", "Outgoing: send", "Outgoing: find again"] {
        assert!(log(&row).to_lowercase().contains(&step.to_lowercase()), "'{step}' is not in:\n{}", log(&row));
    }
    assert!(crm.mail.dovecot.list("anna@company.test")?.is_empty(), "the test's message was removed");
    let told =
        crm.api.list(&format!("tracelogs?$filter=_regardingobjectid_value eq {} and level eq 1", anna.mailbox))?;
    assert_eq!(told.len(), 1, "{told:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn pop3_is_tested_from_end_to_end_too() -> Result<()> {
    let crm = company().await?;
    let carla = approved_user(&crm, "Carla", Protocol::Pop3)?;
    let row = crm.api.test_and_enable(carla.mailbox)?;
    assert_eq!(outcome(&row), (SUCCESS, SUCCESS, true, true), "{}", log(&row));
    crm.api.wait_for(Duration::from_secs(20), "the test's message to be gone", || {
        Ok(crm.mail.dovecot.list("carla@company.test")?.is_empty().then_some(()))
    })?;
    assert!(crm.api.list("emails")?.is_empty(), "a test makes no record");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_told_in_the_servers_words_and_can_be_mended() -> Result<()> {
    let crm = company().await?;
    let anna = approved_user(&crm, "Anna", Protocol::Imap)?;
    crm.api.update(&path(&anna), &json!({ "username": "anna@company.test", "password": "mistyped" }))?;
    let row = crm.api.test_and_enable(anna.mailbox)?;
    assert_eq!(outcome(&row), (FAILURE, FAILURE, false, false), "{}", log(&row));
    assert_eq!(row["mailboxstatus"], FAILURE);
    assert!(row["testmailboxaccesscompletedon"].is_string());
    assert!(log(&row).contains("Authentication failed"), "Dovecot's words are not in:\n{}", log(&row));
    assert!(log(&row).to_lowercase().contains("535"), "Postfix's words are not in:\n{}", log(&row));
    assert!(!log(&row).contains("mistyped"), "the password is in:\n{}", log(&row));
    let alerts = errors_on(&crm, anna.mailbox)?;
    assert_eq!(alerts.len(), 2, "one for each direction: {alerts:?}");
    for alert in &alerts {
        let text = alert["text"].as_str().unwrap_or_default();
        assert!(text.contains("Check user name and password"), "{text}");
        assert!(!alert.to_string().contains("mistyped"), "{alert}");
    }
    assert!(errors_on(&crm, crm.imap)?.is_empty(), "one mailbox's password is no fault of the profile");
    let password = crm.mail.user("anna@company.test")?.password;
    crm.api.update(&path(&anna), &json!({ "username": "anna@company.test", "password": password }))?;
    let between = crm.api.get(&path(&anna))?;
    assert_eq!(outcome(&between), (NOT_RUN, NOT_RUN, false, false), "new credentials take the results back");
    let row = crm.api.test_and_enable(anna.mailbox)?;
    assert_eq!(outcome(&row), (SUCCESS, SUCCESS, true, true), "{}", log(&row));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_host_is_a_fault_of_the_profile() -> Result<()> {
    let crm = company().await?;
    let anna = approved_user(&crm, "Anna", Protocol::Imap)?;
    let profile = format!("emailserverprofiles({})", crm.imap);
    crm.api.update(&profile, &json!({ "incomingserverlocation": "no-such-host.invalid" }))?;
    let row = crm.api.test_and_enable(anna.mailbox)?;
    assert_eq!(outcome(&row), (FAILURE, SUCCESS, false, true), "{}", log(&row));
    assert!(log(&row).contains("no-such-host.invalid"), "{}", log(&row));
    assert!(log(&row).contains("Check the server location"), "{}", log(&row));
    crm.api.update(&profile, &json!({ "incomingserverlocation": "localhost" }))?;
    let row = crm.api.get(&path(&anna))?;
    assert_eq!(outcome(&row), (NOT_RUN, SUCCESS, false, true), "only the incoming result is taken back");
    let row = crm.api.test_and_enable(anna.mailbox)?;
    assert_eq!(outcome(&row), (SUCCESS, SUCCESS, true, true), "{}", log(&row));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_during_an_outage_is_repeated_until_the_server_is_back() -> Result<()> {
    let crm = company().await?;
    let anna = approved_user(&crm, "Anna", Protocol::Imap)?;
    crm.mail.dovecot.stop().await;
    crm.api.update(&path(&anna), &json!({ "testemailconfigurationscheduled": true }))?;
    let waiting = crm.api.wait_for(Duration::from_secs(30), "the first try", || {
        let row = crm.api.get(&path(&anna))?;
        Ok(log(&row).contains("is repeated at").then_some(row))
    })?;
    assert_eq!(waiting["testemailconfigurationscheduled"], true, "still scheduled");
    assert!(waiting["postponetestemailconfigurationuntil"].is_string(), "{waiting}");
    let refused = crm.api.request("PATCH", &path(&anna), Some(&json!({ "name": "Other" })), &[])?;
    assert_eq!(refused.code().to_uppercase(), "0X8005E248", "{:?}", refused.body);
    crm.mail.dovecot.restart().await?;
    let row = crm.api.wait_for(Duration::from_secs(90), "the test to end", || {
        let row = crm.api.get(&path(&anna))?;
        Ok((row["testemailconfigurationscheduled"] == false).then_some(row))
    })?;
    assert_eq!(outcome(&row), (SUCCESS, SUCCESS, true, true), "{}", log(&row));
    assert!(errors_on(&crm, anna.mailbox)?.is_empty(), "what passed by itself is no alert");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_told_before_any_server_is_asked() -> Result<()> {
    let crm = company().await?;
    let anna = crm.user("Anna", "Test", "anna@company.test", Protocol::Imap)?;
    check_refused(&crm, &anna, &["0x8005E220"])?;
    approve(&crm, &anna)?;
    crm.api.update(&path(&anna), &json!({ "emailserverprofile@odata.bind": null }))?;
    check_refused(&crm, &anna, &["0x8005E222"])?;
    let bind = format!("/emailserverprofiles({})", crm.imap);
    crm.api.update(
        &path(&anna),
        &json!({ "emailserverprofile@odata.bind": bind, "allowemailconnectortousecredentials": false }),
    )?;
    check_refused(&crm, &anna, &["0x8005E229"])?;
    let bare = crm.api.request(
        "PATCH",
        &path(&anna),
        Some(&json!({ "allowemailconnectortousecredentials": true, "username": "" })),
        &[],
    )?;
    assert!(bare.body.to_string().to_uppercase().contains("0X8005E209"), "{:?}", bare.body);
    crm.api.update(&path(&anna), &json!({ "allowemailconnectortousecredentials": true }))?;
    crm.api.update(&format!("emailserverprofiles({})", crm.imap), &json!({ "statecode": 1, "statuscode": 2 }))?;
    check_refused(&crm, &anna, &["0x8005E228"])?;
    crm.api.update(&format!("emailserverprofiles({})", crm.imap), &json!({ "statecode": 0, "statuscode": 1 }))?;
    crm.api.update(&path(&anna), &json!({ "statecode": 1, "statuscode": 2 }))?;
    check_refused(&crm, &anna, &["0x8005E219"])?;
    crm.api.update(&path(&anna), &json!({ "statecode": 0, "statuscode": 1 }))?;
    let row = crm.api.test_and_enable(anna.mailbox)?;
    assert_eq!(outcome(&row), (SUCCESS, SUCCESS, true, true), "{}", log(&row));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workload_that_is_not_ours_stays_not_run() -> Result<()> {
    let crm = company().await?;
    let anna = approved_user(&crm, "Anna", Protocol::Imap)?;
    crm.api.update(&path(&anna), &json!({ "outgoingemaildeliverymethod": 1 }))?;
    let row = crm.api.test_and_enable(anna.mailbox)?;
    assert_eq!(outcome(&row).0, SUCCESS, "{}", log(&row));
    assert_eq!(outcome(&row).1, NOT_RUN, "Outlook sends: {}", log(&row));
    crm.api.update(&path(&anna), &json!({ "incomingemaildeliverymethod": 0, "outgoingemaildeliverymethod": 2 }))?;
    let row = crm.api.test_and_enable(anna.mailbox)?;
    assert_eq!(outcome(&row).0, NOT_RUN, "None is received: {}", log(&row));
    assert_eq!(outcome(&row).1, SUCCESS, "{}", log(&row));
    crm.api.update(&path(&anna), &json!({ "incomingemaildeliverymethod": 3, "outgoingemaildeliverymethod": 0 }))?;
    check_refused(&crm, &anna, &["0x8005E223", "0x8005E226"])?;
    crm.api.update(&path(&anna), &json!({ "incomingemaildeliverymethod": 0 }))?;
    check_refused(&crm, &anna, &["0x8005E224", "0x8005E226"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forward_mailbox_has_no_outgoing_test() -> Result<()> {
    let crm = company().await?;
    let collect = crm.forward_mailbox("Collection", "collect@company.test", true)?;
    approve(&crm, &collect)?;
    let row = crm.api.test_and_enable(collect.mailbox)?;
    let (incoming, outgoing, enabled, _) = outcome(&row);
    assert_eq!((incoming, outgoing, enabled), (SUCCESS, NOT_RUN, true), "{}", log(&row));
    assert!(log(&row).contains("Outgoing: not tested"), "{}", log(&row));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_address_takes_approval_and_results_back() -> Result<()> {
    let crm = company().await?;
    let anna = approved_user(&crm, "Anna", Protocol::Imap)?;
    crm.api.test_and_enable(anna.mailbox)?;
    crm.api.update(&path(&anna), &json!({ "emailaddress": "anna.new@company.test" }))?;
    let row = crm.api.get(&path(&anna))?;
    assert_eq!(row["emailrouteraccessapproval"], 2, "pending approval");
    assert_eq!(outcome(&row), (NOT_RUN, NOT_RUN, false, false));
    let user = crm.api.get(&format!("systemusers({})", anna.id))?;
    assert_eq!(user["internalemailaddress"], "anna.new@company.test");
    assert_eq!(user["emailrouteraccessapproval"], 2);
    check_refused(&crm, &anna, &["0x8005E220"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_profile_takes_back_what_it_affects() -> Result<()> {
    let crm = company().await?;
    let anna = approved_user(&crm, "Anna", Protocol::Imap)?;
    let carla = approved_user(&crm, "Carla", Protocol::Pop3)?;
    crm.api.test_and_enable(anna.mailbox)?;
    crm.api.test_and_enable(carla.mailbox)?;
    // From STARTTLS to implicit TLS.
    let port = crm.mail.postfix.submissions_port();
    crm.api.update(&format!("emailserverprofiles({})", crm.imap), &json!({ "outgoingportnumber": port }))?;
    let row = crm.api.get(&path(&anna))?;
    assert_eq!(outcome(&row), (SUCCESS, NOT_RUN, true, false), "only sending is to be tested again");
    assert_eq!(outcome(&crm.api.get(&path(&carla))?), (SUCCESS, SUCCESS, true, true), "another profile's mailbox");
    let row = crm.api.test_and_enable(anna.mailbox)?;
    assert_eq!(outcome(&row), (SUCCESS, SUCCESS, true, true), "{}", log(&row));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn starttls_is_used_where_the_port_is_not_tls_from_the_start() -> Result<()> {
    let crm = company().await?;
    crm.api.update(
        &format!("emailserverprofiles({})", crm.imap),
        &json!({ "incomingportnumber": crm.mail.dovecot.imap_port() }),
    )?;
    crm.api.update(
        &format!("emailserverprofiles({})", crm.pop3),
        &json!({ "incomingportnumber": crm.mail.dovecot.pop3_port() }),
    )?;
    for (name, protocol) in [("Anna", Protocol::Imap), ("Carla", Protocol::Pop3)] {
        let user = approved_user(&crm, name, protocol)?;
        let row = crm.api.test_and_enable(user.mailbox)?;
        assert_eq!(outcome(&row), (SUCCESS, SUCCESS, true, true), "{}", log(&row));
        let tls: Vec<&str> = log(&row).lines().filter(|line| line.contains("TLS")).collect();
        assert!(tls.len() >= 2, "both conversations are encrypted:\n{}", log(&row));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn loopback_is_refused_unless_the_operator_lists_it() -> Result<()> {
    let mut crm = company().await?;
    let anna = approved_user(&crm, "Anna", Protocol::Imap)?;
    let file = crm.postroom.data_dir().join("postroom.toml");
    let text = std::fs::read_to_string(&file)?;
    crm.postroom.stop()?;
    std::fs::write(&file, text.replace("\"127.0.0.0/8\", \"::1/128\"", "\"10.0.0.0/8\""))?;
    crm.postroom.serve()?;
    let row = crm.api.test_and_enable(anna.mailbox)?;
    assert_eq!(outcome(&row), (FAILURE, FAILURE, false, false), "{}", log(&row));
    assert!(log(&row).contains("allow_networks"), "it says where to permit it:\n{}", log(&row));
    crm.postroom.stop()?;
    std::fs::write(&file, text)?;
    crm.postroom.serve()?;
    let row = crm.api.test_and_enable(anna.mailbox)?;
    assert_eq!(outcome(&row), (SUCCESS, SUCCESS, true, true), "{}", log(&row));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_nobody_vouches_for_is_refused() -> Result<()> {
    // The incoming server shows one from an authority that is not trusted here.
    let strangers = tls::Authority::new()?;
    let dovecot = testkit::dovecot::Options { certificate: Some(strangers.for_localhost()?), ..Default::default() };
    let mail = world::Options { dovecot, ..world::Options::default() };
    let crm = Crm::start_with(binary(), mail, postroom::Options::default()).await?;
    let anna = approved_user(&crm, "Anna", Protocol::Imap)?;
    let row = crm.api.test_and_enable(anna.mailbox)?;
    assert_eq!(outcome(&row), (FAILURE, SUCCESS, false, true), "{}", log(&row));
    assert!(log(&row).to_lowercase().contains("certificate"), "{}", log(&row));
    let alerts = errors_on(&crm, anna.mailbox)?;
    let text = alerts.first().and_then(|a| a["text"].as_str()).context("an alert")?;
    assert!(text.contains("extra_ca"), "it says what to do: {text}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_another_kind_is_told_by_what_it_said() -> Result<()> {
    let crm = company().await?;
    let anna = approved_user(&crm, "Anna", Protocol::Imap)?;
    let talker = vec![testkit::Step::line("HTTP/1.1 400 Bad Request"), testkit::Step::line("Server: teapot")];
    let odd = Misbehave::start_tls(vec![talker; 8], crm.mail.authority())?;
    crm.api.update(&format!("emailserverprofiles({})", crm.imap), &json!({ "incomingportnumber": odd.port() }))?;
    let row = crm.api.test_and_enable(anna.mailbox)?;
    assert_eq!(outcome(&row), (FAILURE, SUCCESS, false, true), "{}", log(&row));
    assert!(log(&row).contains("HTTP/1.1 400"), "{}", log(&row));
    Ok(())
}
