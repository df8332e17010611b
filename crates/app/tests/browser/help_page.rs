//! The help page that this product began with, "Create forward mailboxes or
//! edit mailboxes", followed step by step in the browser; and what it forbids.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use testkit::Browser;
use testkit::browser::key;

use crate::world::{ADMIN, CORA, NORA, PASSWORD, SAM, World};

/// Labels of the form, as the help page has them.
const NAME: &str = "Name";
const ADDRESS: &str = "Email Address";
const DELETE: &str = "Delete Emails After Processing";
const ALLOW: &str = "Allow to Use Credentials for Email Processing";
const USER_NAME: &str = "User Name";
const PASS: &str = "Password";
const PROFILE: &str = "Server Profile";
const INCOMING: &str = "Incoming Email";
const OUTGOING: &str = "Outgoing Email";
const ITEMS: &str = "Appointments, Contacts, and Tasks";
const SERVER_SIDE: &str = "Server-Side Synchronization or Email Router";

/// What stands beside a status in "Configuration Test Results".
fn fact(browser: &Browser, label: &str) -> Result<String> {
    let script = "const dt = [...document.querySelectorAll('dt')].find(d => d.innerText.trim() === arguments[0]); \
        return dt ? dt.nextElementSibling.innerText.trim() : ''";
    Ok(browser.driver().script(script, &[label.into()])?.as_str().unwrap_or_default().to_owned())
}

pub fn fact_is(browser: &Browser, label: &str, wanted: &str) -> Result<()> {
    let what = format!("'{label}' to be '{wanted}'");
    browser.wait(&what, || {
        let found = fact(browser, label)?;
        if found == wanted { Ok(Some(())) } else { anyhow::bail!("it is '{found}'") }
    })
}

/// Makes the browser send what its controls would not: whoever sends a request
/// by hand is told the rule as well. The page's own look at the form, which
/// locks the controls again, is kept from it.
fn unlock(browser: &Browser) -> Result<()> {
    let alone = "if (!window.storyAlone) document.addEventListener('htmx:beforeRequest', \
        e => { if (e.target.id === 'foreseen') e.preventDefault() }); window.storyAlone = true; \
        return !document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling')";
    browser.wait("the page to come to rest", || Ok((browser.driver().script(alone, &[])? == true).then_some(())))?;
    let script = "for (const e of document.querySelectorAll('#mailbox :disabled')) e.disabled = false";
    browser.driver().script(script, &[]).map(drop)
}

/// Fills in the form of a forward mailbox from top to bottom.
fn fill_in(browser: &Browser, address: &str, password: &str) -> Result<()> {
    browser.fill(NAME, "Collected mail")?;
    browser.fill(ADDRESS, address)?;
    browser.tick(DELETE)?;
    browser.tick(ALLOW)?;
    browser.fill(USER_NAME, address)?;
    browser.fill(PASS, password)?;
    browser.choose(PROFILE, "IMAP and SMTP")?;
    browser.choose(INCOMING, SERVER_SIDE)?;
    if browser.can_change(OUTGOING)? {
        browser.choose(OUTGOING, "None")?;
    }
    if browser.can_change(ITEMS)? {
        browser.choose(ITEMS, "None")?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customizer_creates_a_forward_mailbox_and_sees_it_work() -> Result<()> {
    let world = World::start().await?;
    let box_owner = world.crm.mail.user("collect@company.test")?;
    let cora = world.browser(CORA)?;
    cora.go("/settings/profiles")?;
    cora.press("Mailboxes")?;
    cora.at("/settings/mailboxes")?;
    cora.press("New Forward Mailbox")?;
    cora.at("/settings/mailboxes/new")?;
    cora.check()?;
    fill_in(&cora, &box_owner.address, &box_owner.password)?;
    cora.press("Save")?;
    cora.told("Created.")?;
    cora.check()?;
    ensure!(cora.value(ADDRESS)? == box_owner.address, "{}", cora.value(ADDRESS)?);
    ensure!(cora.value(PASS)?.is_empty(), "a stored password is not shown");
    cora.see("A password is stored.")?;
    fact_is(&cora, "Email Address Status", "Pending Approval")?;
    for status in ["Incoming Email Status", "Outgoing Email Status", "Appointments, Contacts, and Tasks Status"] {
        fact_is(&cora, status, "Not Run")?;
    }
    let path = cora.path()?.split('?').next().unwrap_or_default().to_owned();

    // A customizer tests, but does not approve; until somebody does, the test says why it cannot be.
    ensure!(!cora.has("Approve Email")?, "approving takes another privilege");
    cora.press("Test & Enable Mailbox")?;
    cora.see("cannot be tested yet")?;
    cora.see("not approved")?;
    cora.check()?;
    let admin = world.browser(ADMIN)?;
    admin.go(&path)?;
    admin.press("Approve Email")?;
    fact_is(&admin, "Email Address Status", "Approved")?;
    admin.check()?;

    cora.reload()?;
    cora.not_see("cannot be tested yet")?;
    cora.press("Test & Enable")?;
    cora.wait("the mailbox itself", || {
        Ok(cora.path()?.split(['?', '#']).next().is_some_and(|p| p == path).then_some(()))
    })?;
    cora.be_patient(Duration::from_secs(60));
    // By itself, without a reload: each step, then the three statuses.
    cora.see_in("Configuration Test Results", "Log in")?;
    fact_is(&cora, "Incoming Email Status", "Success")?;
    fact_is(&cora, "Outgoing Email Status", "Not Run")?;
    fact_is(&cora, "Appointments, Contacts, and Tasks Status", "Not Run")?;
    let completed = fact(&cora, "Mailbox Test Completed On")?;
    ensure!(completed.contains("2026") || completed.chars().any(|c| c.is_ascii_digit()), "completed on '{completed}'");
    cora.check()?;
    cora.press("Save & Close")?;
    cora.at("/settings/mailboxes?")?;
    cora.see("Collected mail")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_users_mailbox_is_edited_and_one_is_told_what_that_takes_back() -> Result<()> {
    let world = World::start().await?;
    world.crm.enable(&world.sam)?;
    let path = format!("/settings/mailboxes/{}", world.sam.mailbox);
    let cora = world.browser(CORA)?;
    cora.go(&path)?;
    cora.check()?;
    fact_is(&cora, "Incoming Email Status", "Success")?;
    ensure!(!cora.can_change(DELETE)?, "a user's messages stay on the server");

    // Before it is saved the page says what would be lost, and asks once more.
    cora.choose(INCOMING, "Forward Mailbox")?;
    cora.choose(OUTGOING, "None")?;
    cora.see("Saving takes back")?;
    cora.check()?;
    cora.press("Save & Close")?;
    cora.at("/settings/mailboxes?done=saved")?;
    cora.go(&path)?;
    ensure!(cora.value(INCOMING)? == "Forward Mailbox" && cora.value(OUTGOING)? == "None");
    fact_is(&cora, "Incoming Email Status", "Not Run")?;

    // Back again, with another password, which is the wrong one.
    cora.choose(INCOMING, SERVER_SIDE)?;
    cora.choose(OUTGOING, SERVER_SIDE)?;
    cora.fill(PASS, "not the password")?;
    cora.press("Save")?;
    cora.told("Saved.")?;
    cora.press("Test & Enable Mailbox")?;
    cora.press("Test & Enable")?;
    cora.be_patient(Duration::from_secs(60));
    fact_is(&cora, "Incoming Email Status", "Failure")?;
    fact_is(&cora, "Outgoing Email Status", "Failure")?;
    // The server's own words, and what to do.
    cora.see("authentication failed")?;
    cora.see("What to do")?;
    cora.check()?;
    let right = world.crm.mail.user(SAM.address)?.password;
    cora.fill(PASS, &right)?;
    cora.press("Save")?;
    // That takes back a test result, but a bad one: it is no loss.
    cora.told("Saved.")?;
    cora.press("Test & Enable Mailbox")?;
    cora.press("Test & Enable")?;
    fact_is(&cora, "Incoming Email Status", "Success")?;
    fact_is(&cora, "Outgoing Email Status", "Success")?;
    Ok(())
}

/// One rule: what is done to the form, and the words it is refused with.
type Attempt = (&'static str, fn(&Browser) -> Result<()>, &'static str);

const OF_A_FORWARD_MAILBOX: &[Attempt] = &[
    ("no address", |b| b.fill(ADDRESS, ""), "email address"),
    ("sends", |b| b.choose(OUTGOING, SERVER_SIDE), "forward mailbox"),
    ("received by another forward mailbox", |b| b.choose(INCOMING, "Forward Mailbox"), "forward mailbox"),
    ("no password for the credentials", |b| b.fill(USER_NAME, ""), "user name"),
    ("items with an IMAP server", |b| b.choose(ITEMS, "Server-Side Synchronization"), "appointments"),
];
const OF_A_USER_MAILBOX: &[Attempt] = &[
    ("deletes", |b| b.tick(DELETE), "delete"),
    ("items with an IMAP server", |b| b.choose(ITEMS, "Server-Side Synchronization"), "appointments"),
    ("no user name for the credentials", |b| b.fill(USER_NAME, ""), "user name"),
];
const OF_A_QUEUE_MAILBOX: &[Attempt] =
    &[("received by Outlook", |b| b.choose(INCOMING, "Microsoft Dynamics 365 for Outlook"), "queue")];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forbidden_is_refused_with_the_reason() -> Result<()> {
    let world = World::start().await?;
    let box_owner = world.crm.mail.user("collect@company.test")?;
    let queue = world.crm.queue("Support", "support@company.test", true)?;
    let cora = world.browser(CORA)?;
    for (what, change, words) in OF_A_FORWARD_MAILBOX {
        cora.go("/settings/mailboxes/new")?;
        fill_in(&cora, &box_owner.address, &box_owner.password)?;
        refused(&cora, what, *change, words)?;
    }
    for (what, change, words) in OF_A_USER_MAILBOX {
        cora.go(&format!("/settings/mailboxes/{}", world.sam.mailbox))?;
        refused(&cora, what, *change, words)?;
    }
    for (what, change, words) in OF_A_QUEUE_MAILBOX {
        cora.go(&format!("/settings/mailboxes/{}", queue.mailbox))?;
        refused(&cora, what, *change, words)?;
    }
    let made = world.crm.api.list("mailboxes?$filter=isforwardmailbox eq true")?;
    ensure!(made.is_empty(), "nothing was created: {made:?}");
    Ok(())
}

fn refused(browser: &Browser, what: &str, change: fn(&Browser) -> Result<()>, words: &str) -> Result<()> {
    unlock(browser)?;
    change(browser)?;
    unlock(browser)?;
    browser.press("Save")?;
    browser.see("It was not saved").map_err(|e| e.context(what.to_owned()))?;
    let text = browser.driver().script("return document.querySelector('[role=alert]').innerText", &[])?;
    let text = text.as_str().unwrap_or_default().to_lowercase();
    ensure!(text.contains(words), "{what}: '{words}' is not in: {text}");
    browser.check()?;
    browser
        .driver()
        .script("document.querySelectorAll('form[data-changed]').forEach(f => delete f.dataset.changed)", &[])?;
    Ok(())
}

/// The combinations are refused before anybody tries: greyed out, and why.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_set_is_shown_as_such() -> Result<()> {
    let world = World::start().await?;
    let cora = world.browser(CORA)?;
    cora.go("/settings/mailboxes/new")?;
    ensure!(!cora.can_change("Is Forward Mailbox")?, "decided when it is created");
    cora.go(&format!("/settings/mailboxes/{}", world.sam.mailbox))?;
    ensure!(!cora.can_change(DELETE)?);
    let why = cora.driver().script("return document.querySelector('#processanddeleteemails-why').innerText", &[])?;
    ensure!(why.as_str().is_some_and(|why| why.len() > 20), "{why}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn others_are_told_that_they_may_not() -> Result<()> {
    let world = World::start().await?;
    let browser = world.browser(SAM)?;
    // An ordinary user sees the own mailbox, and no other.
    browser.go("/settings/mailboxes")?;
    browser.see("sam@company.test")?;
    browser.not_see("Mara Mailer")?;
    ensure!(!browser.has("New Forward Mailbox")?);
    browser.go("/settings/mailboxes/new")?;
    browser.check()?;
    if browser.has("Save")? {
        browser.fill(NAME, "Mine")?;
        browser.fill(ADDRESS, "mine@company.test")?;
        browser.press("Save")?;
        browser.told("privilege")?;
    } else {
        browser.see("You may not do this")?;
    }
    browser.go(&format!("/settings/mailboxes/{}", world.mara.mailbox))?;
    browser.see("Not found")?;
    browser.check()?;

    // Without a role there is nothing, and a way to find out why.
    world.sign_in(&browser, NORA)?;
    ensure!(!browser.has("Mailboxes")?, "the menu leads nowhere in vain");
    browser.go("/settings/mailboxes")?;
    browser.see("You may not do this")?;
    browser.check()?;
    browser.press("security role")?;
    browser.at("/account/roles")?;
    browser.see("None. Without a role nothing can be done.")?;
    ensure!(!PASSWORD.is_empty() && !browser.text()?.contains(PASSWORD));
    Ok(())
}

/// Everything of the form can be reached and used with the keyboard alone.
#[tokio::test(flavor = "multi_thread")]
async fn the_form_is_worked_with_the_keyboard() -> Result<()> {
    let world = World::start().await?;
    let cora = world.browser(CORA)?;
    cora.go("/settings/mailboxes")?;
    // The list of keys, and one of them.
    cora.keys("?")?;
    cora.wait("for the list of keys", || {
        Ok((cora.driver().script("return !!document.querySelector('dialog[open]')", &[])? == true).then_some(()))
    })?;
    cora.check()?;
    cora.keys(key::ESCAPE)?;
    cora.wait("for the list to go", || {
        Ok((cora.driver().script("return !document.querySelector('dialog')", &[])? == true).then_some(()))
    })?;
    cora.keys("gp")?;
    cora.at("/settings/profiles")?;
    cora.keys("gm")?;
    cora.at("/settings/mailboxes")?;

    cora.go(&format!("/settings/mailboxes/{}", world.sam.mailbox))?;
    let mut reached = Vec::new();
    for _ in 0..120 {
        cora.keys(key::TAB)?;
        let name = cora.focus()?;
        let seen = "const e = document.activeElement; const s = getComputedStyle(e); return e === document.body || s.outlineStyle !== 'none' || s.boxShadow !== 'none'";
        ensure!(cora.driver().script(seen, &[])? == true, "the focus on '{name}' is not seen");
        if name.is_empty() {
            break;
        }
        reached.push(name);
    }
    for label in [NAME, ADDRESS, ALLOW, USER_NAME, PASS, PROFILE, INCOMING, OUTGOING, "Save", "Save & Close"] {
        let there = reached.iter().any(|r| r.starts_with(label));
        ensure!(there, "{label} is not reached by Tab: {reached:?}");
    }
    // Ctrl+S saves.
    cora.fill(NAME, "Sam's mailbox")?;
    cora.chord(key::CONTROL, "s")?;
    cora.told("Saved.")?;
    let row = world.crm.api.get(&format!("mailboxes({})", world.sam.mailbox))?;
    ensure!(row["name"] == json!("Sam's mailbox"), "{}", row["name"]);
    Ok(())
}
