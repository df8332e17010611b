//! Writing emails: formatted, in two windows, to be sent later, and not at all.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use testkit::Browser;
use testkit::browser::key;

use crate::world::{PASSWORD, SAM, World};

const CARA: &str = "cara@customers.test";

async fn sams_world() -> Result<World> {
    let world = World::start().await?;
    world.crm.enable(&world.sam)?;
    world.contact("Cara", "Customer", CARA)?;
    world.crm.mail.user(CARA)?;
    Ok(world)
}

fn drafts(world: &World) -> Result<usize> {
    Ok(world.crm.api.list("emails?$filter=statuscode eq 1&$select=subject")?.len())
}

/// Puts the cursor into the editor.
fn into_editor(browser: &Browser) -> Result<()> {
    browser.driver().script("document.getElementById('body-editor').focus()", &[]).map(drop)
}

fn pressed(browser: &Browser, command: &str) -> Result<bool> {
    let script = "return document.querySelector(`[data-does=${arguments[0]}]`).getAttribute('aria-pressed')";
    Ok(browser.driver().script(script, &[command.into()])? == "true")
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one story, told from its beginning to its end")]
async fn a_formatted_email_arrives_as_it_was_written() -> Result<()> {
    let world = sams_world().await?;
    let sam = world.browser(SAM)?;
    sam.go("/options")?;
    sam.check()?;
    sam.fill("Signature", "Sam Seller\nSales")?;
    sam.press("Save")?;
    sam.told("Saved.")?;

    sam.go("/work/emails/new")?;
    sam.check()?;
    sam.fill("To", CARA)?;
    sam.fill("Subject", "Offer")?;
    ensure!(sam.value("Text")?.ends_with("Sam Seller\nSales"), "{:?}", sam.value("Text")?);
    into_editor(&sam)?;
    sam.chord(key::CONTROL, "b")?;
    ensure!(pressed(&sam, "bold")?, "the toolbar does not say that bold is on");
    sam.keys("Our offer")?;
    sam.chord(key::CONTROL, "b")?;
    ensure!(!pressed(&sam, "bold")?, "the toolbar does not say that bold is off");
    sam.keys(" for you:")?;
    sam.keys(key::ENTER)?;
    sam.press("Bullets")?;
    ensure!(pressed(&sam, "bullets")?, "no list");
    sam.keys("one pump")?;
    sam.keys(key::ENTER)?;
    sam.keys("two hoses")?;
    sam.keys(key::ENTER)?;
    sam.keys(key::ENTER)?;
    ensure!(!pressed(&sam, "bullets")?, "the list does not end");
    // A link, by its key and its dialog.
    sam.chord(key::CONTROL, "k")?;
    sam.fill("Address of the link", "nothing")?;
    sam.press("Set link")?;
    sam.see("An address begins with https:// or is an email address.")?;
    sam.check()?;
    sam.fill("Address of the link", "prices.test/list")?;
    sam.press("Set link")?;
    sam.see("prices.test/list")?;
    sam.keys(" ")?;
    // The toolbar by keys alone.
    sam.chord(key::ALT, key::F10)?;
    sam.keys(key::RIGHT)?;
    ensure!(sam.focus()? == "Italic" || sam.focus()? == "Bold", "{}", sam.focus()?);
    sam.keys(key::ESCAPE)?;
    ensure!(sam.focus()? == "Text", "{}", sam.focus()?);
    // What is pasted loses what could harm and keeps what it says.
    let paste = "const data = new DataTransfer(); data.setData('text/html', \
        `<p onclick=\"window.ran=1\">pasted <span style=\"font-weight:700\">heavily</span></p><img src=x onerror=\"window.ran=1\"><script>window.ran=1</script>`); \
        document.getElementById('body-editor').dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));";
    sam.driver().script(paste, &[])?;
    sam.see("pasted heavily")?;
    let html = sam.driver().script("return document.getElementById('body-editor').innerHTML", &[])?;
    let html = html.as_str().unwrap_or_default();
    ensure!(html.contains("<b>heavily</b>"), "{html}");
    ensure!(!html.contains("onclick") && !html.contains("<img") && !html.contains("<script"), "{html}");
    ensure!(sam.driver().script("return window.ran === undefined", &[])? == true, "something pasted ran");
    world.wait_for_draft("heavily")?;
    sam.told("Saved ")?;
    sam.check()?;
    // It is there again as it was.
    sam.wait("the address of the draft", || Ok(sam.path()?.ends_with("/edit").then_some(())))?;
    sam.reload()?;
    sam.see("two hoses")?;
    let html = sam.driver().script("return document.getElementById('body-editor').innerHTML", &[])?;
    ensure!(html.as_str().is_some_and(|h| h.contains("<b>Our offer</b>") && h.contains("<li>")), "{html}");

    into_editor(&sam)?;
    sam.chord(key::CONTROL, key::ENTER)?;
    sam.told("Handed over to be sent.")?;
    let text = world.crm.mail.wait_for_text(CARA, "Our offer").await?.text();
    ensure!(text.contains("multipart/alternative"), "{text}");
    ensure!(text.contains("<b>Our offer</b> for you:"), "{text}");
    ensure!(text.contains("<li>") && text.contains("* one pump") && text.contains("* two hoses"), "{text}");
    ensure!(text.contains("<a href=3D\"https://prices.test/list\">"), "{text}");
    ensure!(text.contains("Sam Seller") && text.contains("heavily"), "{text}");
    ensure!(sam.outside()?.is_empty(), "{:?}", sam.outside()?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_windows_on_one_draft_lose_nothing() -> Result<()> {
    let world = sams_world().await?;
    let (one, two) = (world.browser(SAM)?, world.browser(SAM)?);
    one.go("/work/emails/new")?;
    one.fill("Subject", "Two windows")?;
    one.fill("Text", "The beginning.")?;
    world.wait_for_draft("The beginning.")?;
    one.told("Saved ")?;
    let path = one.wait("the address of the draft", || Ok(Some(one.path()?).filter(|p| p.ends_with("/edit"))))?;
    two.go(&path)?;
    ensure!(two.value("Text")?.trim() == "The beginning.", "{:?}", two.value("Text")?);
    two.fill("Text", "Written in the second window.")?;
    world.wait_for_draft("Written in the second window.")?;
    two.told("Saved ")?;

    one.fill("Text", "Written in the first window.")?;
    one.see("This email was saved elsewhere meanwhile")?;
    one.check()?;
    one.see("Not saved any more")?;
    ensure!(one.value("Text")?.trim() == "Written in the first window.", "{:?}", one.value("Text")?);
    // Nor does a button overwrite it.
    one.chord(key::CONTROL, "s")?;
    one.wait("the page with the conflict", || Ok(one.path()?.ends_with("/save").then_some(())))?;
    one.see("This email was saved elsewhere meanwhile")?;
    one.check()?;
    two.reload()?;
    ensure!(two.value("Text")?.trim() == "Written in the second window.", "{:?}", two.value("Text")?);
    one.press("Save mine as a second draft")?;
    one.told("Saved.")?;
    ensure!(one.value("Text")?.trim() == "Written in the first window.", "{:?}", one.value("Text")?);
    ensure!(world.crm.emails("Two windows")?.len() == 2, "both drafts are kept");

    // The other way out: what the other window wrote.
    let path = one.path()?;
    two.go(&path)?;
    two.fill("Text", "The second window again.")?;
    world.wait_for_draft("The second window again.")?;
    one.fill("Subject", "Of the first window")?;
    one.see("Load the other version instead")?;
    one.press("Load the other version instead")?;
    // The browser may ask whether what was typed is to be left.
    let _ = one.driver().command("POST", "alert/accept", None);
    one.wait("the other's text", || {
        Ok((one.value("Text").unwrap_or_default().trim() == "The second window again.").then_some(()))
    })?;
    ensure!(one.value("Subject")? == "Two windows", "{}", one.value("Subject")?);
    one.fill("Text", "And once more.")?;
    world.wait_for_draft("And once more.")?;
    one.told("Saved ")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_email_is_sent_at_the_time_that_was_set() -> Result<()> {
    let world = sams_world().await?;
    let sam = world.stranger()?;
    sam.time_zone("Asia/Tokyo")?;
    sam.sign_in(SAM.address, PASSWORD)?;
    sam.go("/")?;
    sam.go("/work/emails/new")?;
    sam.fill("To", CARA)?;
    sam.fill("Subject", "In a minute")?;
    sam.fill("Text", "The time has come.")?;
    sam.press("Send Later")?;
    sam.see("In your time zone, Asia/Tokyo.")?;
    sam.check()?;
    sam.fill("Send on", "2001-01-01T08:00")?;
    sam.press("Send at this time")?;
    sam.see("Choose a date and time that is still to come.")?;
    sam.check()?;
    // Twenty to eighty seconds from now, as the clock on Sam's wall shows it.
    let soon = "const at = new Date(Date.now() + 80000); const two = n => String(n).padStart(2, '0'); \
        return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`";
    let soon = sam.driver().script(soon, &[])?;
    sam.fill("Send on", soon.as_str().context("no time")?)?;
    sam.press("Send at this time")?;
    sam.told("It will be sent at the time that you set.")?;
    sam.see_in("Status", "To be sent on")?;
    sam.check()?;
    let row = || {
        let rows = world.crm.api.list(
            "emails?$filter=startswith(subject,'In%20a%20minute')&$select=statuscode,senton,delayedemailsendtime",
        )?;
        rows.into_iter().next().context("no email")
    };
    ensure!(row()?["statuscode"] == 6, "{}", row()?);
    // The page follows, and what it was told comes true: not before, and not long after.
    sam.be_patient(Duration::from_secs(110));
    sam.see_in("Status", "Accepted by the server")?;
    let sent = row()?;
    let time = |column: &str| sent[column].as_str().unwrap_or_default().trim_end_matches('Z').to_owned();
    ensure!(time("senton") >= time("delayedemailsendtime"), "{sent}");
    world.crm.mail.wait_for_text(CARA, "The time has come.").await?;

    // Another one is called back.
    sam.be_patient(Duration::from_secs(20));
    sam.go("/work/emails/new")?;
    sam.fill("To", CARA)?;
    sam.fill("Subject", "In a hundred years")?;
    sam.press("Send Later")?;
    sam.fill("Send on", "2126-01-01T08:00")?;
    sam.press("Send at this time")?;
    sam.see_in("Status", "1 Jan 2126, 08:00")?;
    sam.press("Stop Sending")?;
    ensure!(sam.value("Send on")? == "2126-01-01T08:00", "{}", sam.value("Send on")?);
    sam.press("Send")?;
    sam.told("Handed over to be sent.")?;
    world.crm.mail.wait_for_text(CARA, "In a hundred years").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_wrote_is_not_kept() -> Result<()> {
    let world = sams_world().await?;
    world.crm.set_user_filter(&world.sam, 0)?;
    let raw = format!(
        "From: Cara Customer <{CARA}>\r\nTo: {}\r\nSubject: Question\r\nMessage-ID: <q-1@customers.test>\r\n\r\nMay I ask?\r\n",
        SAM.address
    );
    world.crm.mail.send(CARA, &[SAM.address], raw.as_bytes()).await?;
    world.crm.wait_in_ledger(world.sam.mailbox, "Question")?;
    let email = world.crm.emails("Question")?.pop().context("no email")?;
    let path = format!("/work/emails/{}", email["activityid"].as_str().context("no id")?);
    let sam = world.browser(SAM)?;
    sam.go(&path)?;
    sam.keys("r")?;
    sam.wait("the reply", || Ok(sam.path()?.contains("/answer").then_some(())))?;
    sam.check()?;
    ensure!(sam.focus()? == "Text", "the cursor is in {}", sam.focus()?);
    sam.enter_frame("Text of the message")?;
    sam.see("May I ask?")?;
    sam.leave_frame()?;
    sam.back()?;
    sam.at(&path)?;
    ensure!(drafts(&world)? == 0, "a reply that nobody has written was kept");
    // What was begun is kept, until it is discarded.
    sam.press("Reply")?;
    sam.fill("Text", "You may")?;
    world.wait_for_draft("You may")?;
    sam.told("Saved ")?;
    ensure!(drafts(&world)? == 1, "what was written is not kept");
    sam.press("Discard")?;
    sam.check()?;
    sam.press("Discard the draft")?;
    sam.told("Discarded.")?;
    sam.at(&path)?;
    ensure!(drafts(&world)? == 0, "what was discarded was kept");
    Ok(())
}
