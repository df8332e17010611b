//! Lists in earnest: a command on two hundred mailboxes, a view with order and
//! filter that is there again tomorrow, and the keyboard alone.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use testkit::Browser;
use testkit::browser::{Size, key};

use crate::world::{ADMIN, MARA, SAM, World};

fn mailboxes(world: &World, count: usize) -> Result<()> {
    let rows: Vec<_> = (0..count)
        .map(|n| {
            json!({ "@odata.type": "Microsoft.Dynamics.CRM.mailbox", "name": format!("Box {n:03}"),
                "emailaddress": format!("box{n:03}@company.test"), "incomingemaildeliverymethod": 2 })
        })
        .collect();
    world.crm.api.post("mailboxes/Microsoft.Dynamics.CRM.CreateMultiple", &json!({ "Targets": rows }))?;
    Ok(())
}

fn view(browser: &Browser, path: &str, name: &str) -> Result<()> {
    browser.go(path)?;
    let link = "const name = arguments[0]; return [...document.querySelectorAll('.picker a')].find(a => a.textContent.trim() === name)?.getAttribute('href')";
    let found = browser.driver().script(link, &[json!(name)])?;
    browser.go(found.as_str().context("no such view")?)
}

/// The name on the button that opens the list of views.
pub fn shown_view(browser: &Browser) -> Result<String> {
    let found = browser.driver().script("return document.querySelector('.picker summary').innerText.trim()", &[])?;
    Ok(found.as_str().unwrap_or_default().to_owned())
}

fn number(browser: &Browser, script: &str) -> Result<i64> {
    browser.driver().script(script, &[])?.as_i64().context("no number")
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_mailboxes_at_once() -> Result<()> {
    let world = World::start().await?;
    mailboxes(&world, 200)?;
    let browser = world.browser(MARA)?;
    view(&browser, "/settings/mailboxes", "Forward Mailboxes")?;
    browser.see("1–50 of 200")?;
    // All rows of the page, and then all of the view.
    browser.tick("Select all rows of this page")?;
    browser.see("50 selected")?;
    browser.tick("all 200 rows of this view")?;
    let chosen = number(&browser, "return document.querySelectorAll('tr[aria-selected=true]').length")?;
    ensure!(chosen == 50, "{chosen} rows are shown as chosen");
    browser.check()?;
    browser.press("Approve Email")?;
    browser.see("and 100 more")?;
    browser.see("200 selected")?;
    browser.check()?;
    browser.press("Approve Email")?;
    browser.see("of 200 worked off")?;
    let bar = "const bar = document.querySelector('[role=progressbar]'); return bar.max === 200 && bar.getAttribute('aria-labelledby') !== null";
    ensure!(browser.driver().script(bar, &[])? == true, "no bar that says how far it is");
    browser.check()?;
    // The page is left; the command goes on.
    let page = browser.path()?;
    browser.go("/")?;
    browser.be_patient(Duration::from_secs(90));
    browser.go(&page)?;
    browser.see("200 of 200 worked off")?;
    browser.see("200 done, 0 refused")?;
    browser.check()?;
    let approved = world
        .crm
        .api
        .list("mailboxes?$filter=emailrouteraccessapproval eq 1 and isforwardmailbox eq true&$select=name")?;
    ensure!(approved.len() == 200, "{}", approved.len());
    // What is refused says why: without a server profile nothing is tested.
    view(&browser, "/settings/mailboxes", "Forward Mailboxes")?;
    browser.tick("all 200 rows of this view")?;
    browser.press("Test & Enable Mailboxes")?;
    browser.press("Test & Enable Mailboxes")?;
    browser.see("200 of 200 worked off")?;
    browser.see("0 done, 200 refused")?;
    browser.see_in("Box 007", "profile")?;
    browser.press("My commands")?;
    browser.see_in("Approve Email", "200")?;
    browser.check()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_is_there_again_after_signing_in() -> Result<()> {
    let world = World::start().await?;
    for (first, last) in [("Ada", "Zorn"), ("Bert", "Alt"), ("Carl", "Alt")] {
        world.contact(first, last, &format!("{first}@customer.test").to_lowercase())?;
    }
    let browser = world.browser(ADMIN)?;
    view(&browser, "/work/contacts", "Active Contacts")?;
    browser.press("Edit view")?;
    browser.see("Columns of the list")?;
    browser.choose("One more condition on", "Last Name")?;
    browser.press_in("One more condition on", "Add")?;
    browser.fill("Last Name: Value", "alt")?;
    browser.choose("Sort by", "Last Name")?;
    browser.choose("Then by", "First Name")?;
    browser.choose("Then by: Direction", "downwards")?;
    browser.press("Move “Full Name” down")?;
    browser.check()?;
    browser.press("Show the list so")?;
    browser.see("1–2 of 2")?;
    browser.see("Filter: 2 conditions")?;
    browser.check()?;
    browser.press("Save view as")?;
    browser.fill("Name of the view", "All the Alts")?;
    browser.press("Save as a new view")?;
    browser.told("Saved.")?;
    browser.driver().script("document.querySelector('.picker').open = true", &[])?;
    browser.press("Always open with “All the Alts”")?;
    browser.told("Saved.")?;
    // The next day, elsewhere.
    let tomorrow = world.browser(ADMIN)?;
    tomorrow.go("/work/contacts")?;
    tomorrow.wait("the view", || Ok((shown_view(&tomorrow)? == "All the Alts").then_some(())))?;
    tomorrow.see("1–2 of 2")?;
    let order = "return [...document.querySelectorAll('tbody tr')].map(row => row.innerText.includes('Carl') ? 'Carl' : 'Bert').join()";
    ensure!(tomorrow.driver().script(order, &[])? == "Carl,Bert", "{}", tomorrow.text()?);
    // Shared with Sam, who sees what he may see.
    tomorrow.press("Save view as")?;
    tomorrow.press("Share this view")?;
    tomorrow.fill("Search users and teams", "sam")?;
    tomorrow.tick("Sam Seller sam@company.test")?;
    tomorrow.check()?;
    tomorrow.press("Share")?;
    tomorrow.see("Take back")?;
    let sam = world.browser(SAM)?;
    view(&sam, "/work/contacts", "All the Alts")?;
    ensure!(shown_view(&sam)? == "All the Alts", "{}", shown_view(&sam)?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_are_drawn_to_their_place_and_an_order_within_another_is_clicked() -> Result<()> {
    let world = World::start().await?;
    world.contact("Ada", "Zorn", "ada@customer.test")?;
    let browser = world.browser(ADMIN)?;
    view(&browser, "/work/contacts", "Active Contacts")?;
    browser.press("Edit view")?;
    let names = |selector: &str| -> Result<Vec<String>> {
        let script = "return [...document.querySelectorAll(arguments[0])].map(e => e.innerText.trim())";
        let found = browser.driver().script(script, &[selector.into()])?;
        Ok(found.as_array().into_iter().flatten().filter_map(|n| n.as_str().map(str::to_owned)).collect())
    };
    let mut columns = names("[data-order] .name")?;
    ensure!(columns.len() > 2, "{columns:?}");
    browser.drag("[data-order] li:first-child .name", "[data-order] li:last-child .name")?;
    let first = columns.remove(0);
    columns.push(first);
    browser.wait("the first column to be the last", || Ok((names("[data-order] .name")? == columns).then_some(())))?;
    browser.check()?;
    browser.press("Show the list so")?;
    let headers = names("thead th a")?;
    ensure!(headers.iter().zip(&columns).all(|(header, column)| header.starts_with(column)), "{headers:?}");
    // Sorted by one, and by another within it.
    browser.press(&columns[0])?;
    let sorted = "return document.querySelector('thead th[aria-sort]')?.innerText.trim() || ''";
    let by = browser.driver().script(sorted, &[])?;
    ensure!(by.as_str().is_some_and(|by| by.starts_with(&columns[0])), "{by}");
    browser.click_with(key::SHIFT, &columns[1])?;
    browser.see("(second in the order)")?;
    let by = browser.driver().script(sorted, &[])?;
    ensure!(by.as_str().is_some_and(|by| by.starts_with(&columns[0])), "the first order stays: {by}");
    let second = names("thead th a")?.into_iter().find(|header| header.contains("(second in the order)"));
    ensure!(second.as_ref().is_some_and(|header| header.starts_with(&columns[1])), "{second:?}");
    browser.check()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keyboard_is_enough() -> Result<()> {
    let world = World::start().await?;
    for (first, last) in [("Ada", "Alt"), ("Bert", "Berg"), ("Carl", "Cross")] {
        world.contact(first, last, &format!("{first}@customer.test").to_lowercase())?;
    }
    let browser = world.browser(ADMIN)?;
    view(&browser, "/work/contacts", "Active Contacts")?;
    browser.keys("j")?;
    ensure!(browser.focus()? == "Ada Alt", "{}", browser.focus()?);
    browser.keys("jk")?;
    ensure!(browser.focus()? == "Ada Alt", "{}", browser.focus()?);
    browser.keys(" ")?;
    browser.see("1 selected")?;
    browser.keys(key::DOWN)?;
    ensure!(browser.focus()? == "Bert Berg", "{}", browser.focus()?);
    browser.keys("x")?;
    browser.see("2 selected")?;
    browser.keys(key::UP)?;
    browser.keys(" ")?;
    browser.see("1 selected")?;
    let chosen = "return [...document.querySelectorAll('tr[aria-selected=true]')].map(row => row.innerText).join()";
    let chosen = browser.driver().script(chosen, &[])?;
    ensure!(chosen.as_str().is_some_and(|text| text.contains("Bert") && !text.contains("Ada")), "{chosen}");
    browser.check()?;
    browser.keys(key::DOWN)?;
    browser.keys(key::DOWN)?;
    browser.keys(key::ENTER)?;
    browser.at("/work/contacts/")?;
    browser.wait("the contact", || Ok(browser.title()?.contains("Carl Cross").then_some(())))?;
    browser.keys("?")?;
    browser.see("In a list: open the row")?;
    browser.keys(key::ESCAPE)?;
    // On a phone it can be done, too.
    browser.size(Size::Phone)?;
    view(&browser, "/work/contacts", "Active Contacts")?;
    browser.press("Edit view")?;
    browser.see("Columns of the list")?;
    ensure!(!browser.overflows()?, "wider than a phone: {:?}", browser.overflowing()?);
    browser.check()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn many_rows_need_no_scripts() -> Result<()> {
    let world = World::start().await?;
    mailboxes(&world, 60)?;
    let browser = world.stranger()?;
    browser.scripts(false)?;
    world.sign_in(&browser, MARA)?;
    view(&browser, "/settings/mailboxes", "Forward Mailboxes")?;
    browser.tick("all 60 rows of this view")?;
    browser.press("Approve Email")?;
    browser.see("60 selected")?;
    browser.press("Approve Email")?;
    browser.wait("the command to end", || {
        browser.reload()?;
        Ok(browser.text()?.contains("60 of 60 worked off").then_some(()))
    })?;
    browser.see("60 done, 0 refused")?;
    Ok(())
}
