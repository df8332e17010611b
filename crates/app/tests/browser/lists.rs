//! Lists: an administrator brings mailboxes into service, several at once;
//! alerts are read and deleted; views of one's own; keys and no scripts.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use testkit::Browser;
use testkit::browser::{Size, key};
use testkit::crm::Protocol;

use crate::bulk::shown_view;
use crate::world::{CORA, MARA, NORA, SAM, World, join};

/// Opens the list of mailboxes with this view.
fn view(browser: &Browser, name: &str) -> Result<()> {
    browser.go("/settings/mailboxes")?;
    if shown_view(browser)? == name {
        return Ok(());
    }
    browser.driver().script("document.querySelector('.picker').open = true", &[])?;
    browser.press(name)?;
    browser.wait(&format!("the view {name}"), || Ok((shown_view(browser)? == name).then_some(())))
}

#[tokio::test(flavor = "multi_thread")]
async fn mailboxes_are_brought_into_service_together() -> Result<()> {
    let world = World::start().await?;
    let felix = world.crm.user("Felix", "Grau", "felix@company.test", Protocol::Imap)?;
    world.crm.api.update(&format!("mailboxes({})", felix.mailbox), &json!({ "password": "of last year" }))?;
    let browser = world.browser(MARA)?;
    view(&browser, "Mailboxes Pending Approval")?;
    browser.see("felix@company.test")?;
    browser.check()?;
    for name in ["felix@company.test", "sam@company.test", "cora@company.test"] {
        browser.tick_row(name)?;
    }
    browser.see("3 selected")?;
    browser.press("Approve Email")?;
    browser.see("3 done, 0 refused")?;
    browser.check()?;

    view(&browser, "Active Mailboxes Not Tested")?;
    for name in ["felix@company.test", "sam@company.test", "cora@company.test", "nora@company.test"] {
        browser.tick_row(name)?;
    }
    browser.press("Test & Enable Mailboxes")?;
    // Nora's address was not approved.
    browser.see("3 done, 1 refused")?;
    browser.see_in("Nora Nobody", "approve")?;
    browser.see("of 3 done")?;
    browser.be_patient(Duration::from_secs(120));
    browser.see("3 of 3 done")?;
    browser.see_in("Felix Grau", "Failure")?;
    browser.see_in("Sam Seller", "Success")?;
    browser.check()?;
    let sam = world.crm.api.get(&format!("mailboxes({})", world.sam.mailbox))?;
    ensure!(sam["enabledforincomingemail"] == true && sam["enabledforoutgoingemail"] == true, "{sam}");

    // What went wrong is told, and leads to the mailbox.
    view(&browser, "Mailboxes with Failed Tests")?;
    browser.tick_row("felix@company.test")?;
    browser.press_in("Download Mailbox Details", "Alerts")?;
    browser.at("/settings/alerts")?;
    browser.see("Regarding: Felix Grau")?;
    browser.see_in("Felix Grau", "Error")?;
    browser.check()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn several_are_changed_and_what_that_resets_is_said_before() -> Result<()> {
    let world = World::start().await?;
    world.crm.enable(&world.sam)?;
    let browser = world.browser(MARA)?;
    view(&browser, "Active Mailboxes")?;
    browser.tick_row("sam@company.test")?;
    browser.tick_row("cora@company.test")?;
    browser.press("Edit")?;
    browser.see("2 mailboxes are selected")?;
    browser.check()?;
    browser.press("Next: see what it means")?;
    browser.see("Nothing is ticked")?;
    browser.tick("Change Outgoing Email")?;
    browser.choose("Outgoing Email", "None")?;
    browser.press("Next: see what it means")?;
    browser.see_in("Sam Seller", "the outgoing test result")?;
    browser.check()?;
    browser.press("Save")?;
    browser.see("2 done, 0 refused")?;
    let sam = world.crm.api.get(&format!("mailboxes({})", world.sam.mailbox))?;
    ensure!(sam["outgoingemaildeliverymethod"] == 0 && sam["outgoingemailstatus"] == 0, "{sam}");
    ensure!(sam["incomingemailstatus"] == 1, "what was not ticked stays: {sam}");

    // Deactivating asks first; Cancel leaves everything as it is.
    view(&browser, "Active Mailboxes")?;
    browser.tick_row("sam@company.test")?;
    browser.press("Deactivate")?;
    browser.see("Will be reset")?;
    browser.check()?;
    browser.press("Cancel")?;
    browser.tick_row("sam@company.test")?;
    browser.press("Deactivate")?;
    browser.press("Deactivate")?;
    browser.see("1 done, 0 refused")?;
    view(&browser, "Inactive Mailboxes")?;
    browser.see("sam@company.test")?;
    // And back to what the organization has as default, tested with it.
    browser.tick_row("sam@company.test")?;
    browser.press("Activate")?;
    browser.see("1 done")?;
    view(&browser, "Active Mailboxes")?;
    browser.tick_row("sam@company.test")?;
    browser.press("Apply Default Email Settings")?;
    browser.check()?;
    browser.press("Apply Default Email Settings")?;
    browser.be_patient(Duration::from_secs(120));
    browser.see("1 of 1 done")?;
    browser.see_in("Sam Seller", "Success")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_made_ones_own() -> Result<()> {
    let world = World::start().await?;
    let browser = world.browser(MARA)?;
    view(&browser, "Active Mailboxes")?;
    browser.fill("Quick find", "company sam")?;
    browser.keys(key::ENTER)?;
    browser.see("1–1 of 1")?;
    browser.see("sam@company.test")?;
    browser.press("Columns")?;
    browser.tick("User Name")?;
    browser.untick("Owner")?;
    browser.press("Show these columns")?;
    let header = "return [...document.querySelectorAll('thead th')].map(th => th.innerText.trim())";
    let headers = browser.driver().script(header, &[])?.to_string();
    ensure!(headers.contains("User Name") && !headers.contains("Owner"), "{headers}");
    browser.press("Name")?;
    let sorted = "return document.querySelector('thead th[aria-sort]')?.innerText.includes('Name')";
    ensure!(browser.driver().script(sorted, &[])? == true, "not sorted by the name: {}", browser.path()?);
    browser.press("Save view as")?;
    browser.fill("Name of the view", "Sam's")?;
    browser.check()?;
    browser.press("Save as a new view")?;
    browser.told("Saved.")?;
    ensure!(shown_view(&browser)? == "Sam's", "{}", shown_view(&browser)?);
    browser.go("/settings/mailboxes")?;
    view(&browser, "Sam's")?;
    browser.see("1–1 of 1")?;
    browser.press("Save view as")?;
    browser.press("Delete this view")?;
    browser.press("Delete")?;
    browser.told("Deleted.")?;
    // Keys: `/` is the quick find, `v` the views, Escape closes.
    browser.keys("/")?;
    ensure!(browser.focus()? == "Quick find", "{}", browser.focus()?);
    browser.keys(key::TAB)?;
    browser.press("Columns")?;
    browser.keys(key::ESCAPE)?;
    let open = browser.driver().script("return document.querySelectorAll('details.picker[open]').length", &[])?;
    ensure!(open == 0, "{open} stay open");
    // On a phone the rows are cards.
    browser.size(Size::Phone)?;
    view(&browser, "Active Mailboxes")?;
    ensure!(!browser.overflows()?, "wider than a phone");
    browser.check()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_need_no_scripts() -> Result<()> {
    let world = World::start().await?;
    let browser = world.stranger()?;
    browser.scripts(false)?;
    world.sign_in(&browser, MARA)?;
    view_without_scripts(&browser, "Mailboxes Pending Approval")?;
    browser.see("sam@company.test")?;
    browser.tick_row("sam@company.test")?;
    browser.press("Approve Email")?;
    browser.see("1 done, 0 refused")?;
    browser.press("Back to the list")?;
    browser.not_see("sam@company.test")?;
    view_without_scripts(&browser, "Active Mailboxes")?;
    browser.tick_row("sam@company.test")?;
    browser.press("Test & Enable Mailboxes")?;
    browser.see("1 done, 0 refused")?;
    browser.press("Follow the tests")?;
    browser.wait("the test to end", || {
        browser.reload()?;
        Ok(browser.text()?.contains("1 of 1 done").then_some(()))
    })?;
    browser.press("Sam Seller")?;
    Ok(())
}

fn view_without_scripts(browser: &Browser, name: &str) -> Result<()> {
    browser.go("/settings/mailboxes")?;
    let link = "const name = arguments[0]; return [...document.querySelectorAll('.picker a')].find(a => a.textContent.trim() === name)?.getAttribute('href')";
    let path = browser.driver().script(link, &[json!(name)])?;
    browser.go(path.as_str().context("no such view")?)
}

#[tokio::test(flavor = "multi_thread")]
async fn people_see_what_is_theirs_to_do() -> Result<()> {
    let world = World::start().await?;
    // Sam: the own mailbox, which may be tested once it is approved.
    let browser = world.browser(SAM)?;
    browser.go("/settings/mailboxes")?;
    browser.see("sam@company.test")?;
    browser.not_see("cora@company.test")?;
    ensure!(!browser.has("Approve Email")? && !browser.has("New Forward Mailbox")?);
    browser.tick_row("sam@company.test")?;
    browser.press("Test & Enable Mailboxes")?;
    browser.see("0 done, 1 refused")?;
    // Cora sets up, but does not approve.
    world.sign_in(&browser, CORA)?;
    browser.go("/settings/mailboxes")?;
    ensure!(browser.has("New Forward Mailbox")? && !browser.has("Approve Email")?);
    browser.go("/settings/profiles")?;
    browser.see("New mailboxes get the profile")?;
    browser.tick_row("IMAP/SMTP")?;
    browser.press("Deactivate")?;
    browser.see("4 mailboxes use it and wait until it is active again")?;
    browser.check()?;
    browser.press("Cancel")?;
    browser.check()?;
    // Nora has no role.
    world.sign_in(&browser, NORA)?;
    browser.go("/settings/mailboxes")?;
    browser.see("You may not do this")?;
    browser.check()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_read_and_deleted() -> Result<()> {
    let world = World::start().await?;
    let felix = join(
        &world.crm,
        crate::world::Person { first: "Felix", last: "Grau", address: "felix@company.test", roles: &["Basic User"] },
    )?;
    world.crm.api.update(&format!("mailboxes({})", felix.mailbox), &json!({ "password": "of last year" }))?;
    world.crm.api.update(&format!("mailboxes({})", felix.mailbox), &json!({ "emailrouteraccessapproval": 1 }))?;
    world.crm.api.test_and_enable(felix.mailbox)?;
    // Whose mailbox it is may take its alerts away without a privilege.
    let browser = world.stranger()?;
    browser.sign_in("felix@company.test", crate::world::PASSWORD)?;
    browser.go("/settings/alerts")?;
    browser.see_in("Felix Grau", "Error")?;
    browser.check()?;
    browser.press_in("Felix Grau", "Error")?;
    browser.see("What the server said")?;
    browser.see("Test & Enable Mailbox")?;
    browser.check()?;
    browser.press("Delete")?;
    browser.told("Deleted.")?;
    Ok(())
}
