//! Mail in the browser: what others wrote harms nobody, what people write
//! arrives.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use testkit::browser::key;
use testkit::crm::encode;

use crate::world::{SAM, World};

const ALL_MESSAGES: i64 = 0;

/// Whether a click on the link with the id `bank` meets that link.
const CLICKED: &str = "const bank = document.getElementById('bank'); \
    const seen = bank ? [...bank.getClientRects()].filter((box) => box.bottom < innerHeight && box.right < innerWidth) : []; \
    return seen.every((box) => [0.1, 0.3, 0.5, 0.7, 0.9].every((part) => \
        bank.contains(document.elementFromPoint(box.left + box.width * part, box.top + box.height / 2))));";

/// The messages of the hostile corpus, written to Sam.
fn hostile() -> Result<BTreeMap<String, Vec<u8>>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../formats/tests/hostile");
    let mut messages = BTreeMap::new();
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        let raw = fs::read(&path)?;
        let text = b"To: alice@our.example";
        let at = raw.windows(text.len()).position(|w| w == text).context("no recipient")?;
        let to = format!("To: {}", SAM.address);
        let raw = [&raw[..at], to.as_bytes(), &raw[at + text.len()..]].concat();
        messages.insert(path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), raw);
    }
    Ok(messages)
}

/// A letter of a customer.
fn letter(subject: &str, id: &str, body: &str) -> Vec<u8> {
    format!(
        "From: Cara Customer <cara@customers.test>\r\nTo: Sam Seller <{}>\r\nSubject: {subject}\r\nMessage-ID: <{id}@customers.test>\r\n\
         Date: Tue, 24 Nov 2026 09:15:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{body}\r\n",
        SAM.address
    )
    .into_bytes()
}

async fn sams_world() -> Result<World> {
    let world = World::start().await?;
    world.crm.set_user_filter(&world.sam, ALL_MESSAGES)?;
    world.crm.enable(&world.sam)?;
    Ok(world)
}

fn path_of(email: &Value) -> Result<String> {
    Ok(format!("/work/emails/{}", email["activityid"].as_str().context("no id")?))
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_mail_runs_nothing_and_calls_nobody() -> Result<()> {
    let world = sams_world().await?;
    let messages = hostile()?;
    for raw in messages.values() {
        world.crm.mail.send("mallory@customers.test", &[SAM.address], raw).await?;
    }
    let query = format!("emails?$select=subject&$filter=startswith(subject,'{}')", encode("Hostile "));
    let emails = world.crm.api.wait_for(Duration::from_secs(180), "all hostile messages", || {
        let emails = world.crm.api.list(&query)?;
        Ok((emails.len() >= messages.len()).then_some(emails))
    })?;
    let sam = world.browser(SAM)?;
    sam.forget_network()?;
    let (mut remote, mut faults) = (String::new(), Vec::new());
    for email in &emails {
        let (path, subject) = (path_of(email)?, email["subject"].as_str().unwrap_or_default());
        sam.go(&path)?;
        sam.enter_frame("Text of the message").with_context(|| subject.to_owned())?;
        // A quotation may be folded; it is text all the same.
        let text = sam.driver().script("return document.body.textContent", &[])?;
        if !text.as_str().unwrap_or_default().contains("visible text") {
            faults.push(format!("{subject}: its text is not there: {text}"));
        }
        if sam.driver().script(CLICKED, &[])? != json!(true) {
            faults.push(format!("{subject}: something lies upon the link that is read"));
        }
        let ran = sam.driver().script("return window.ran === undefined && document.title !== 'ran'", &[])?;
        sam.leave_frame()?;
        let quiet = sam.driver().script("return window.ran === undefined && document.title !== 'ran'", &[])?;
        if ran != json!(true) || quiet != json!(true) {
            faults.push(format!("{subject}: something ran"));
        }
        if sam.driver().command("GET", "alert/text", None).is_ok() {
            faults.push(format!("{subject}: a dialog"));
        }
        if sam.path()? != path {
            faults.push(format!("{subject}: the page went to {}", sam.path()?));
        }
        if subject.contains("remote pictures") {
            remote = path;
        }
    }
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    let base = world.crm.postroom.base();
    let strange: Vec<_> =
        sam.network()?.into_iter().filter(|r| !r.url.starts_with(&base) && !r.url.starts_with("data:")).collect();
    ensure!(strange.is_empty(), "{strange:?}");
    ensure!(sam.outside()?.is_empty(), "{:?}", sam.outside()?);
    // Asked for, the pictures of one message are looked for, and nothing else.
    sam.go(&remote)?;
    sam.see("3 pictures on other servers were not loaded.")?;
    sam.check()?;
    sam.press("Load remote pictures")?;
    sam.see("Pictures on other servers are shown.")?;
    sam.enter_frame("Text of the message")?;
    let shown = sam.driver().script("return [...document.images].map(i => i.currentSrc || i.src)", &[])?;
    sam.leave_frame()?;
    let shown = shown.to_string();
    ensure!(shown.contains("https://pictures.example/a.png") && !shown.contains("http://"), "{shown}");
    let asked = sam.outside()?;
    ensure!(asked.iter().all(|host| host.contains("pictures.example")) && !asked.is_empty(), "{asked:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_reaches_the_customer_and_stays_in_the_conversation() -> Result<()> {
    let world = sams_world().await?;
    world.contact("Cara", "Customer", "cara@customers.test")?;
    world.crm.mail.user("cara@customers.test")?;
    let raw = letter("Order 7", "order-7", "<p>Where is <b>my order</b>?</p>");
    world.crm.mail.send("cara@customers.test", &[SAM.address], &raw).await?;
    world.crm.wait_in_ledger(world.sam.mailbox, "Order 7")?;
    let path = path_of(world.crm.emails("Order 7")?.first().context("no email")?)?;
    let sam = world.browser(SAM)?;
    sam.go(&path)?;
    sam.see("Cara Customer")?;
    sam.see("Received")?;
    sam.check()?;
    sam.enter_frame("Text of the message")?;
    sam.see("Where is my order?")?;
    sam.leave_frame()?;
    // Looking changes nothing on the server.
    let stored = world.crm.mail.dovecot.list(SAM.address)?;
    ensure!(stored.iter().all(|m| !m.flags().contains('S')), "reading marked the message as read");
    sam.press("Message Source")?;
    sam.see("<order-7@customers.test>")?;
    sam.check()?;
    sam.press("Back to the email")?;
    sam.press("Reply")?;
    sam.wait("the form", || Ok(sam.path()?.contains("/answer").then_some(())))?;
    sam.check()?;
    ensure!(sam.value("Subject")? == "Re: Order 7", "{}", sam.value("Subject")?);
    ensure!(sam.value("To")?.contains("cara@customers.test"), "{}", sam.value("To")?);
    sam.fill("Text", "Dear Cara,\n\nit is on its way.")?;
    world.wait_for_draft("it is on its way")?;
    sam.told("Saved ")?;
    sam.press("Send")?;
    sam.told("Handed over to be sent.")?;
    // The page follows what becomes of it.
    sam.be_patient(Duration::from_secs(60));
    sam.see_in("Status", "Accepted by the server")?;
    sam.check()?;
    let text = world.crm.mail.wait_for_text("cara@customers.test", "it is on its way").await?.text();
    ensure!(text.contains("In-Reply-To: <order-7@customers.test>"), "{text}");
    ensure!(text.contains("my order"), "the original is not quoted: {text}");
    sam.go(&path)?;
    sam.see_in("Conversation", "Re: Order 7")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_email_is_written_with_offers_files_and_a_draft_that_saves_itself() -> Result<()> {
    let world = sams_world().await?;
    world.contact("Cara", "Customer", "cara@customers.test")?;
    world.crm.mail.user("cara@customers.test")?;
    let file = world.crm.mail.ca_pem_path().with_file_name("price list.txt");
    fs::write(&file, "one: 1\ntwo: 2\n")?;
    let sam = world.browser(SAM)?;
    sam.go("/work/emails/new")?;
    sam.check()?;
    sam.fill("To", "cara@")?;
    sam.see("cara@customers.test – Contact")?;
    sam.keys(key::DOWN)?;
    sam.keys(key::ENTER)?;
    ensure!(sam.value("To")? == "Cara Customer <cara@customers.test>; ", "{:?}", sam.value("To")?);
    sam.fill("Subject", "Prices")?;
    sam.fill("Text", "See the list.")?;
    world.wait_for_draft("See the list.")?;
    sam.told("Saved ")?;
    sam.wait("the address of the draft", || Ok(sam.path()?.ends_with("/edit").then_some(())))?;
    // What was typed is there again, in another window too.
    sam.reload()?;
    ensure!(sam.value("Text")? == "See the list.", "{}", sam.value("Text")?);
    ensure!(world.crm.emails("Prices")?.len() == 1, "one draft, not several");
    sam.set_file("Add files", &file)?;
    sam.press("Attach")?;
    sam.see_in("Attachments", "price list.txt")?;
    sam.check()?;
    // Another one is dropped onto the form.
    let drop = "const data = new DataTransfer(); data.items.add(new File(['x'], 'dropped.txt', { type: 'text/plain' })); \
        document.querySelector('#compose').dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));";
    sam.driver().script(drop, &[])?;
    sam.see_in("Attachments", "dropped.txt")?;
    sam.press("Remove dropped.txt")?;
    sam.not_see("dropped.txt")?;
    sam.press("Send")?;
    sam.be_patient(Duration::from_secs(60));
    sam.see_in("Status", "Accepted by the server")?;
    let text = world.crm.mail.wait_for_text("cara@customers.test", "Prices").await?.text();
    ensure!(text.contains("price list.txt") || text.contains("price%20list.txt"), "{text}");
    // An address that nobody knows is refused beside the field.
    sam.go("/work/emails/new")?;
    sam.fill("To", "stranger@nowhere.test")?;
    sam.fill("Subject", "Hello")?;
    sam.press("Send")?;
    sam.see("No record is known for the recipient stranger@nowhere.test")?;
    sam.check()?;
    sam.press("Discard")?;
    sam.press("Discard the draft")?;
    sam.told("Discarded.")?;
    ensure!(world.crm.emails("Hello")?.is_empty(), "the draft is still there");
    ensure!(sam.outside()?.is_empty(), "{:?}", sam.outside()?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_is_read_and_written_without_scripts() -> Result<()> {
    let world = sams_world().await?;
    world.crm.mail.user("cara@customers.test")?;
    let raw = letter("Question", "question-1", "<p>May I ask?</p><blockquote type=\"cite\">earlier words</blockquote>");
    world.crm.mail.send("cara@customers.test", &[SAM.address], &raw).await?;
    world.crm.wait_in_ledger(world.sam.mailbox, "Question")?;
    let path = path_of(world.crm.emails("Question")?.first().context("no email")?)?;
    let sam = world.stranger()?;
    sam.scripts(false)?;
    sam.sign_in(SAM.address, crate::world::PASSWORD)?;
    sam.go(&path)?;
    sam.see_in("cara@customers.test", "Unknown")?;
    sam.press("Resolve")?;
    sam.press("Create the contact and resolve")?;
    sam.told("Saved.")?;
    sam.press("Change Regarding")?;
    sam.fill("Search for a contact, account or lead", "Customer")?;
    sam.press("Search")?;
    sam.press("Save")?;
    sam.see_in("Filing", "Cara Customer")?;
    sam.press("Reply")?;
    sam.fill("Text", "You may.")?;
    sam.press("Send")?;
    sam.told("Handed over to be sent.")?;
    world.crm.mail.wait_for_text("cara@customers.test", "You may.").await?;
    Ok(())
}
