//! Where mail belongs: tracked by hand, filed, addresses resolved, forwarded,
//! and handed on from queue to queue.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use testkit::Browser;
use testkit::mailgen::{self, Kind};

use crate::world::{CORA, SAM, World};

const CARA: &str = "cara@customers.test";
const DORA: &str = "dora@customers.test";

/// Only answers to what was sent from here.
const RESPONSES: i64 = 1;
const ALL: i64 = 0;

async fn sams_world(filter: i64) -> Result<World> {
    let world = World::start().await?;
    world.crm.set_user_filter(&world.sam, filter)?;
    world.crm.enable(&world.sam)?;
    world.crm.mail.user(CARA)?;
    world.crm.mail.user(DORA)?;
    Ok(world)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_not_tracked_is_tracked_and_filed() -> Result<()> {
    let world = sams_world(RESPONSES).await?;
    world.crm.api.create("accounts", &json!({ "name": "Customer Ltd" }))?;
    let raw = mailgen::message(801, Kind::Html, &format!("Cara Customer <{CARA}>"), SAM.address, "A wish");
    world.crm.mail.send(CARA, &[SAM.address], &raw).await?;
    let entry = world.crm.wait_in_ledger(world.sam.mailbox, "A wish")?;
    ensure!(entry["_pr_activityid_value"].is_null(), "{entry}");
    let sam = world.browser(SAM)?;
    sam.go(&format!("/settings/mailboxes/{}/ledger", world.sam.mailbox))?;
    sam.check()?;
    sam.press("A wish")?;
    sam.at("/work/messages/")?;
    sam.check()?;
    sam.press("Track It Now")?;
    sam.told("Created.")?;
    sam.at("/work/emails/")?;
    sam.check()?;
    let entry = world.crm.wait_in_ledger(world.sam.mailbox, "A wish")?;
    ensure!(entry["pr_reason"].as_str().is_some_and(|r| r.starts_with("Tracked by hand.")), "{entry}");
    ensure!(world.crm.emails("A wish")?.len() == 1, "one email");

    // What it is about, found by its name.
    sam.press("Change Regarding")?;
    sam.see("Now regarding:")?;
    sam.check()?;
    sam.fill("Search for a contact, account or lead", "customer l")?;
    sam.press("Search")?;
    sam.choose("Found", "Customer Ltd (Account)")?;
    sam.check()?;
    sam.press("Save")?;
    sam.see_in("Filing", "Customer Ltd")?;
    sam.press("Change Regarding")?;
    sam.press("Regarding nothing")?;
    sam.see_in("Filing", "nothing")?;
    let email = world.crm.emails("A wish")?.pop().context("no email")?;
    ensure!(email["_regardingobjectid_value"].is_null(), "{email}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_addresses_get_an_existing_and_a_new_record() -> Result<()> {
    let world = sams_world(ALL).await?;
    let me = format!("/systemusers({})", world.sam.id);
    let grace = json!({ "firstname": "Grace", "lastname": "Hopper", "ownerid@odata.bind": me });
    let grace = world.crm.api.create("contacts", &grace)?;
    let raw = format!(
        "From: Grace Hopper <grace@elsewhere.test>\r\nTo: {}\r\nCc: Dora Different <{DORA}>\r\nSubject: Both unknown\r\n\
         Message-ID: <both-1@elsewhere.test>\r\n\r\nHello.\r\n",
        SAM.address
    );
    world.crm.mail.send("grace@elsewhere.test", &[SAM.address], raw.as_bytes()).await?;
    world.crm.wait_in_ledger(world.sam.mailbox, "Both unknown")?;
    let email = world.crm.emails("Both unknown")?.pop().context("no email")?;
    let sam = world.browser(SAM)?;
    sam.go(&format!("/work/emails/{}", email["activityid"].as_str().context("no id")?))?;
    sam.see_in("grace@elsewhere.test", "Unknown")?;
    // Her name finds the record that lacks the address.
    sam.press("Resolve Grace Hopper")?;
    sam.see("Grace Hopper (Contact)")?;
    sam.check()?;
    sam.press("Resolve")?;
    sam.told("Saved.")?;
    let row = world.crm.api.list(&format!("contacts?$filter=contactid eq {grace}&$select=emailaddress1"))?;
    ensure!(row.first().is_some_and(|r| r["emailaddress1"] == "grace@elsewhere.test"), "{row:?}");
    // Nobody is called Dora yet.
    sam.press("Resolve Dora Different")?;
    sam.see("Nothing found.")?;
    sam.check()?;
    ensure!(sam.value("Last Name")? == "Different", "{}", sam.value("Last Name")?);
    sam.press("Create the contact and resolve")?;
    sam.told("Saved.")?;
    sam.not_see("Resolve")?;
    sam.press("Dora Different")?;
    sam.at("/work/contacts/")?;
    sam.see_in("Timeline", "Both unknown")?;
    sam.check()?;
    Ok(())
}

/// Two recipients, a picture in the text and a file.
fn with_files() -> Vec<u8> {
    format!(
        "From: Cara Customer <{CARA}>\r\nTo: {}, Dora Different <{DORA}>\r\nSubject: Drawings\r\nMessage-ID: <draw-1@customers.test>\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: multipart/related; boundary=r\r\n\r\n\
         --r\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>See the <b>plan</b>: <img src=\"cid:plan@x\" alt=\"Plan\"></p>\r\n\
         --r\r\nContent-Type: image/png; name=\"plan.png\"\r\nContent-ID: <plan@x>\r\nContent-Transfer-Encoding: base64\r\n\r\n\
         iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==\r\n--r--\r\n\
         --m\r\nContent-Type: text/plain; name=\"list.txt\"\r\nContent-Disposition: attachment; filename=\"list.txt\"\r\n\r\none\r\ntwo\r\n--m--\r\n",
        SAM.address
    )
    .into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_answered_and_files_are_forwarded() -> Result<()> {
    let world = sams_world(ALL).await?;
    world.contact("Cara", "Customer", CARA)?;
    world.contact("Dora", "Different", DORA)?;
    world.crm.mail.user("eve@customers.test")?;
    world.contact("Eve", "Else", "eve@customers.test")?;
    world.crm.mail.send(CARA, &[SAM.address], &with_files()).await?;
    world.crm.wait_in_ledger(world.sam.mailbox, "Drawings")?;
    let email = world.crm.emails("Drawings")?.pop().context("no email")?;
    let path = format!("/work/emails/{}", email["activityid"].as_str().context("no id")?);
    let sam = world.browser(SAM)?;
    sam.go(&path)?;
    sam.press("Reply All")?;
    let to = sam.value("To")?;
    ensure!(to.contains(CARA) && to.contains(DORA) && !to.contains(SAM.address), "{to}");
    sam.check()?;
    sam.fill("Text", "Seen by all.")?;
    sam.press("Send")?;
    sam.told("Handed over to be sent.")?;
    for address in [CARA, DORA] {
        let text = world.crm.mail.wait_for_text(address, "Seen by all.").await?.text();
        ensure!(text.contains("cid:plan@x") && text.contains("Content-ID: <plan@x>"), "the picture is lost: {text}");
        ensure!(text.contains("multipart/related") && !text.contains("list.txt"), "{text}");
    }
    sam.go(&path)?;
    sam.press("Forward")?;
    sam.see_in("Attachments", "list.txt")?;
    sam.check()?;
    sam.fill("To", "eve@customers.test")?;
    sam.fill("Text", "Here they are.")?;
    // Once it is saved, its files are its own and can be left out.
    world.wait_for_draft("Here they are.")?;
    sam.told("Saved ")?;
    sam.wait("the file to be the draft's", || sam.has("Remove list.txt").map(|has| has.then_some(())))?;
    sam.check()?;
    sam.press("Send")?;
    sam.told("Handed over to be sent.")?;
    let text = world.crm.mail.wait_for_text("eve@customers.test", "Here they are.").await?.text();
    ensure!(text.contains("list.txt") && text.contains("Content-ID: <plan@x>"), "{text}");
    ensure!(text.contains("Fw: Drawings") && !text.contains("In-Reply-To"), "{text}");
    Ok(())
}

/// Waits until what was typed is looked for, and this alone is found.
fn offered(browser: &Browser, name: &str) -> Result<()> {
    let script = "const all = document.querySelectorAll('#found label'); \
        return all.length === 1 && all[0].innerText.includes(arguments[0]) && !document.querySelector('.htmx-request')";
    browser.wait(&format!("{name} to be offered"), || {
        Ok((browser.driver().script(script, &[name.into()])? == true).then_some(()))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn items_of_a_queue_are_routed_and_assigned() -> Result<()> {
    let world = World::start().await?;
    let api = &world.crm.api;
    let [support, repairs] = ["Support", "Repairs"].map(|name| api.create("queues", &json!({ "name": name })));
    let (support, repairs) = (support?, repairs?);
    for subject in ["A broken pump", "A lost key"] {
        let me = format!("/systemusers({})", world.sam.id);
        let email = api.create("emails", &json!({ "subject": subject, "ownerid@odata.bind": me }))?;
        let item = json!({ "queueid@odata.bind": format!("/queues({support})"), "objectid_email@odata.bind": format!("/emails({email})") });
        api.create("queueitems", &item)?;
    }
    let sam = world.browser(SAM)?;
    sam.go(&format!("/work/queues/{support}"))?;
    sam.tick_row("A broken pump")?;
    sam.press("Route")?;
    sam.see("These items go to")?;
    sam.check()?;
    sam.fill("Search queues, users and teams", "Repairs")?;
    offered(&sam, "Repairs")?;
    sam.tick("Repairs")?;
    sam.check()?;
    sam.press("Route")?;
    sam.not_see("A broken pump")?;
    sam.check()?;
    sam.go(&format!("/work/queues/{repairs}"))?;
    sam.see("A broken pump")?;
    sam.go(&format!("/work/queues/{support}"))?;
    sam.tick_row("A lost key")?;
    sam.press("Assign")?;
    sam.fill("Search users and teams", CORA.last)?;
    offered(&sam, "Cora Custom")?;
    sam.tick("Cora Custom")?;
    sam.check()?;
    sam.press("Assign")?;
    sam.told("Done.")?;
    let items = api.list("queueitems?$filter=title eq 'A lost key'")?;
    ensure!(items.iter().any(|i| i["_workerid_value"] == json!(world.cora.id.to_string())), "{items:?}");
    Ok(())
}
