//! An ordinary user's day: a queue that real mail comes into, customers,
//! addresses without a record, options.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use testkit::mailgen::{self, Kind};

use crate::world::{ADMIN, NORA, SAM, World};

const ADA: &str = "ada@customers.test";
const SUBJECT: &str = "The pump stands still";

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one story, told from its beginning to its end")]
async fn a_mail_to_support_is_picked_answered_and_done() -> Result<()> {
    let world = World::start().await?;
    let crm = &world.crm;
    world.contact("Ada", "Lovelace", ADA)?;
    crm.mail.user(ADA)?;
    let support = crm.queue("Support", "support@company.test", true)?;
    crm.enable(&support)?;
    crm.enable(&world.sam)?;

    let sam = world.browser(SAM)?;
    sam.keys("gq")?;
    sam.at("/work/queues")?;
    sam.press("All queues")?;
    sam.press("Support")?;
    sam.see("Nothing waits here.")?;
    sam.check()?;
    let raw = mailgen::message(700, Kind::Plain, &format!("Ada Lovelace <{ADA}>"), "support@company.test", SUBJECT);
    crm.mail.send(ADA, &["support@company.test"], &raw).await?;
    crm.wait_in_ledger(support.mailbox, SUBJECT)?;
    // The page says by itself that something came.
    sam.be_patient(Duration::from_secs(40));
    sam.press("Show the queue as it is now")?;
    sam.see(SUBJECT)?;
    sam.see_in(SUBJECT, "Nobody")?;
    sam.check()?;

    sam.tick_row(SUBJECT)?;
    sam.keys("p")?;
    sam.see("0 waiting, 1 worked on")?;
    sam.check()?;
    sam.go("/")?;
    sam.see("I am working on")?;
    sam.check()?;
    sam.press(SUBJECT)?;
    sam.see("Ada Lovelace")?;
    sam.press("Reply")?;
    sam.fill("Text", "Press the green button.")?;
    sam.press("Send")?;
    sam.told("Handed over to be sent.")?;
    // The subject has a tracking token at its end.
    let answers = "emails?$filter=startswith(subject,'Re%3A%20The%20pump')&$select=subject,statuscode,pr_failurereason";
    let sent = || Ok(crm.api.list(answers)?.into_iter().find(|email| email["statuscode"] == 3));
    crm.api
        .wait_for(Duration::from_secs(60), "the answer to be sent", sent)
        .with_context(|| format!("{:?}", crm.api.list(answers)))?;

    // Given back, taken again, and out of the queue.
    sam.go("/work/queues?all=1")?;
    sam.press("Support")?;
    sam.tick_row(SUBJECT)?;
    sam.press("Release")?;
    sam.see_in(SUBJECT, "Nobody")?;
    sam.tick_row(SUBJECT)?;
    sam.press("Pick & Remove")?;
    sam.see("Nothing waits here.")?;

    // Ada's timeline has both.
    sam.go("/work/contacts")?;
    let contact = crm.api.list(&format!("contacts?$filter=emailaddress1 eq '{ADA}'&$select=contactid"))?;
    let contact = contact.first().and_then(|c| c["contactid"].as_str()).context("no contact")?.to_owned();
    crm.api.update(
        &format!("contacts({contact})"),
        &json!({ "ownerid@odata.bind": format!("/systemusers({})", world.sam.id) }),
    )?;
    sam.go(&format!("/work/contacts/{contact}"))?;
    sam.see_in("Timeline", SUBJECT)?;
    sam.check()?;
    sam.press("Sent")?;
    sam.see_in("Timeline", &format!("Re: {SUBJECT}"))?;
    ensure!(sam.outside()?.is_empty(), "{:?}", sam.outside()?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_rights_is_told_why() -> Result<()> {
    let world = World::start().await?;
    let crm = &world.crm;
    let queue = crm.api.create("queues", &json!({ "name": "Returns" }))?;
    let email = crm.api.create("emails", &json!({ "subject": "Broken cup" }))?;
    let item = json!({ "queueid@odata.bind": format!("/queues({queue})"), "objectid_email@odata.bind": format!("/emails({email})") });
    crm.api.create("queueitems", &item)?;
    let nora = world.browser(NORA)?;
    nora.go(&format!("/work/queues/{queue}"))?;
    nora.see("no security role")?;
    nora.check()?;
    nora.press("Check your security role")?;
    nora.at("/account/roles")?;
    // The administrator works on it; Sam is told so, beside the item.
    let admin = world.browser(ADMIN)?;
    admin.go(&format!("/work/queues/{queue}"))?;
    admin.tick_row("Broken cup")?;
    admin.press("Pick")?;
    admin.see("0 waiting, 1 worked on")?;
    let sam = world.browser(SAM)?;
    sam.go(&format!("/work/queues/{queue}"))?;
    sam.tick_row("Broken cup")?;
    sam.press("Pick")?;
    sam.see("0 done, 1 refused")?;
    sam.see_in("Broken cup", "Release it first, or route it")?;
    sam.check()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_and_options_without_scripts() -> Result<()> {
    let world = World::start().await?;
    let browser = world.stranger()?;
    browser.scripts(false)?;
    browser.sign_in(SAM.address, crate::world::PASSWORD)?;
    browser.go("/work/accounts/new")?;
    browser.fill("Account Name", "Analytical Engines")?;
    browser.press("Save & Close")?;
    browser.at("/work/accounts?")?;
    browser.see("Analytical Engines")?;
    browser.go("/work/contacts/new")?;
    browser.fill("First Name", "Ada")?;
    browser.fill("Last Name", "Lovelace")?;
    browser.fill("Email", ADA)?;
    browser.fill("Company Name", "Difference Engines")?;
    browser.press("Save")?;
    browser.see("Nothing active is called “Difference Engines”.")?;
    ensure!(browser.value("Email")? == ADA, "what was typed is gone");
    browser.fill("Company Name", "Analytical Engines")?;
    browser.press("Save")?;
    browser.told("Created.")?;
    browser.see("Nothing yet.")?;
    ensure!(browser.value("Company Name")? == "Analytical Engines");
    browser.press("Deactivate")?;
    browser.press("Deactivate")?;
    browser.see("1 done, 0 refused")?;

    // An address that nobody has gets its record.
    let api = &world.crm.api;
    let me = format!("/systemusers({})", world.sam.id);
    let parties = json!([{ "addressused": "grace@elsewhere.test", "unresolvedpartyname": "Grace Hopper", "participationtypemask": 2 }]);
    api.create("emails", &json!({ "subject": "Hello", "ownerid@odata.bind": me, "email_activity_parties": parties }))?;
    browser.go("/work/unresolved")?;
    browser.press("Resolve grace@elsewhere.test")?;
    ensure!(browser.value("Last Name")? == "Hopper");
    browser.press("Create the contact and resolve")?;
    browser.not_see("grace@elsewhere.test")?;
    browser.go("/work/contacts")?;
    browser.press("Grace Hopper")?;
    browser.see("Hello")?;

    browser.go("/options")?;
    browser.choose("Language", "Deutsch")?;
    browser.choose("Time Zone", "(UTC+09:00) Osaka")?;
    browser.choose("Appearance", "Dark")?;
    browser.fill("Signature", "Sam\nSales")?;
    browser.press("Save")?;
    browser.see("Gespeichert.")?;
    browser.see("Persönliche Optionen")?;
    browser.go("/work/queues")?;
    browser.see("Warteschlangen")?;
    let theme = browser
        .driver()
        .script("return document.documentElement.dataset.theme + document.documentElement.lang", &[])?;
    ensure!(theme == "darkde", "{theme}");
    Ok(())
}
