//! Webhooks: a receiver on loopback is told what happens.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use testkit::crm::Protocol;
use testkit::hook::{Hook, Told, hmac_sha256};
use testkit::{Api, Crm, Postgres, Postroom, postroom, world};
use uuid::Uuid;

use crate::common::*;

const SECRET: &str = "a signing secret";

fn options(database: Option<String>) -> postroom::Options {
    // Behind the section [servers].
    postroom::Options { database, config: "allow_insecure = true\n".into(), ..postroom::Options::default() }
}

/// A webhook that is told of these messages on a table.
fn subscribe(api: &Api, hook: &Hook, table: &str, messages: &[&str]) -> Result<Uuid> {
    let endpoint = api.create(
        "serviceendpoints",
        &json!({
            "name": "hook", "contract": 8, "authtype": 4, "authvalue": "the key", "url": hook.url("/in?a=b"),
            "pr_signingsecret": SECRET,
        }),
    )?;
    for message in messages {
        let path = format!(
            "sdkmessagefilters?$filter=primaryobjecttypecode eq '{table}' and sdkmessageid/name eq '{message}'&$expand=sdkmessageid($select=name)"
        );
        let found = api.get(&path)?;
        let filter = found["value"][0]["sdkmessagefilterid"].as_str().context("no filter")?.to_owned();
        let id = found["value"][0]["_sdkmessageid_value"].as_str().context("no message")?.to_owned();
        api.create(
            "sdkmessageprocessingsteps",
            &json!({
                "name": format!("{message} of {table}"), "stage": 40, "mode": 1, "pr_postimageattributes": "*",
                "eventhandler_serviceendpoint@odata.bind": format!("/serviceendpoints({endpoint})"),
                "sdkmessageid@odata.bind": format!("/sdkmessages({id})"),
                "sdkmessagefilterid@odata.bind": format!("/sdkmessagefilters({filter})"),
            }),
        )?;
    }
    Ok(endpoint)
}

fn check_signature(told: &Told) {
    let timestamp = told.header("x-postroom-timestamp").unwrap_or_default().to_owned();
    let signed = [format!("{timestamp}.").as_bytes(), &told.body].concat();
    let expected = format!("sha256={}", hmac_sha256(SECRET.as_bytes(), &signed));
    assert_eq!(told.header("x-postroom-signature"), Some(expected.as_str()));
    assert_eq!(told.json()["OperationId"].as_str(), told.header("x-postroom-event"));
}

/// Message and, of a contact's last name, the value.
fn said(told: &Told) -> (String, String) {
    let json = told.json();
    let attributes = json["InputParameters"][0]["value"]["Attributes"].as_array().cloned().unwrap_or_default();
    let name = attributes.iter().find(|a| a["key"] == "lastname").and_then(|a| a["value"].as_str()).unwrap_or_default();
    (json["MessageName"].as_str().unwrap_or_default().to_owned(), name.to_owned())
}

fn events(api: &Api) -> Result<Vec<Value>> {
    Ok(api.get("pr_events?$orderby=pr_order")?["value"].as_array().cloned().unwrap_or_default())
}

fn wait_for_states(api: &Api, expected: &[i64]) -> Result<Vec<Value>> {
    api.wait_for(Duration::from_secs(60), "the states of the events", || {
        let events = events(api)?;
        let states: Vec<i64> = events.iter().filter_map(|e| e["pr_state"].as_i64()).collect();
        Ok((states == expected).then_some(events))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_arrives_is_told_and_signed() -> Result<()> {
    let crm = Crm::start_with(binary(), world::Options::default(), options(None)).await?;
    let anna = ready_user(&crm, "Anna", Protocol::Imap)?;
    let hook = Hook::start()?;
    subscribe(&crm.api, &hook, "email", &["Create"])?;
    let raw = letter("kim@customers.test", "anna@company.test", "Hello", "m1", "", "Good day.");
    crm.mail.send("kim@customers.test", &["anna@company.test"], &raw).await?;
    crm.wait_in_ledger(anna.mailbox, "Hello")?;
    let told = hook.wait_for(1)?.remove(0);
    check_signature(&told);
    assert_eq!(told.target, "/in?a=b&code=the%20key");
    assert_eq!(told.header("x-ms-dynamics-entity-name"), Some("email"));
    assert_eq!(told.header("x-ms-dynamics-request-name"), Some("Create"));
    assert_eq!(told.header("x-ms-dynamics-organization"), Some("crm.test"));
    let json = told.json();
    assert_eq!((&json["MessageName"], &json["PrimaryEntityName"]), (&json!("Create"), &json!("email")));
    let email = crm.emails("Hello")?.remove(0);
    assert_eq!(json["PrimaryEntityId"], email["activityid"]);
    let image = json["PostEntityImages"][0]["value"]["Attributes"].as_array().context("no image")?;
    assert!(image.iter().any(|a| a["key"] == "subject" && a["value"] == "Hello"));
    wait_for_states(&crm.api, &[1])?;
    Ok(())
}

/// A receiver that is out of order gets everything later, in order, also when
/// the service was killed meanwhile; what it refused is sent again when asked.
fn out_of_order_and_back(database: Option<String>) -> Result<()> {
    let mut service = Postroom::start(binary(), options(database))?;
    let api = service.api();
    let hook = Hook::start()?;
    subscribe(&api, &hook, "contact", &["Create", "Update", "Delete"])?;
    hook.answer(503);
    let contact = api.create("contacts", &json!({ "lastname": "one" }))?;
    api.update(&format!("contacts({contact})"), &json!({ "lastname": "two" }))?;
    api.update(&format!("contacts({contact})"), &json!({ "lastname": "three" }))?;
    hook.wait_for(1)?;
    service.kill();
    hook.answer(200);
    let before = hook.told().len();
    service.serve()?;
    let told = hook.wait_for(before + 3)?;
    let delivered: Vec<_> = told[before..].iter().map(said).collect();
    let expected = [("Create", "one"), ("Update", "two"), ("Update", "three")];
    assert_eq!(delivered, expected.map(|(message, name)| (message.to_owned(), name.to_owned())));
    told.iter().for_each(check_signature);
    let all = wait_for_states(&api, &[1, 1, 1])?;
    assert!(all.iter().all(|e| e["pr_status"] == 200 && e["pr_answer"] == "seen"));

    hook.answer(400);
    api.update(&format!("contacts({contact})"), &json!({ "lastname": "four" }))?;
    let failed = wait_for_states(&api, &[1, 1, 1, 2])?;
    assert_eq!(failed[3]["pr_status"], 400);
    let alerts = api.get("tracelogs?$filter=errortypedisplay eq 'webhook-failed'")?;
    assert!(alerts["value"][0]["text"].as_str().is_some_and(|t| t.contains("postroom webhook replay")), "{alerts}");
    let before = hook.told().len();
    hook.answer(204);
    let event = failed[3]["pr_eventid"].as_str().context("no id")?.to_owned();
    api.update(&format!("pr_events({event})"), &json!({ "pr_state": 0 }))?;
    let again = hook.wait_for(before + 1)?.pop().context("nothing")?;
    assert_eq!(said(&again), ("Update".to_owned(), "four".to_owned()));
    assert_eq!(again.header("x-postroom-event"), Some(event.as_str()));
    wait_for_states(&api, &[1, 1, 1, 1])?;

    let listing = service.cli(&["webhook", "list", "--json"])?;
    assert!(listing.contains("\"delivered\": 4"), "{listing}");
    assert!(!listing.contains("/in"), "{listing}");
    service.cli(&["webhook", "replay", "hook", "--id", &event])?;
    hook.wait_for(before + 2)?;
    let tested = service.cli(&["webhook", "test", "hook", "--json"])?;
    assert!(tested.contains("\"status\": 204"), "{tested}");
    let shown = service.cli(&["webhook", "show", "hook", "--json"])?;
    assert!(shown.contains("\"Test\"") && shown.contains("\"Create\""), "{shown}");
    for secret in [SECRET, "the key"] {
        assert!(!service.log().contains(secret), "the log holds a secret");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_on_sqlite() -> Result<()> {
    out_of_order_and_back(None)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_on_postgres() -> Result<()> {
    out_of_order_and_back(Some(Postgres::shared()?.fresh_database()?))
}

/// The networks of the machine are not for webhooks to look into.
#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_is_not_allowed_is_not_told() -> Result<()> {
    let mut service = Postroom::install(binary(), options(None))?;
    service.reconfigure("[\"127.0.0.0/8\", \"::1/128\"]", "[]")?;
    service.serve()?;
    let api = service.api();
    let hook = Hook::start()?;
    subscribe(&api, &hook, "contact", &["Create"])?;
    api.create("contacts", &json!({ "lastname": "one" }))?;
    let event = api.wait_for(Duration::from_secs(30), "an attempt", || {
        Ok(events(&api)?.pop().filter(|event| event["pr_answer"].is_string()))
    })?;
    assert!(event["pr_answer"].as_str().is_some_and(|text| text.contains("not allowed")), "{event}");
    assert!(hook.told().is_empty());
    Ok(())
}
