//! The monitoring board in use: a server that goes away and comes back, a node
//! that is killed, and connections beside what uses them.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use testkit::{Browser, Postgres, postroom};

use crate::bulk::shown_view;
use crate::world::{ADMIN, World};

const BOARD: &str = "/settings/monitoring";

/// What stands in the row of this table that begins with a text.
fn row(browser: &Browser, section: &str, beginning: &str) -> Result<String> {
    let script = "const section = document.querySelector(`[aria-labelledby=${arguments[0]}]`); \
        const row = [...section.querySelectorAll('tbody tr')].find(r => r.innerText.trim().startsWith(arguments[1])); \
        return row ? row.innerText : ''";
    let found = browser.driver().script(script, &[section.into(), beginning.into()])?;
    Ok(found.as_str().unwrap_or_default().replace(['\n', '\t'], " "))
}

fn row_says(browser: &Browser, section: &str, beginning: &str, words: &str) -> Result<String> {
    browser.wait(&format!("'{words}' beside '{beginning}'"), || {
        let found = row(browser, section, beginning)?;
        if found.contains(words) { Ok(Some(found)) } else { anyhow::bail!("there stands '{found}'") }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_opens_its_breaker_on_the_board_and_disables_nobody() -> Result<()> {
    let world = World::start().await?;
    // Each of them finds out by itself; three failures open the breaker.
    for member in [&world.sam, &world.mara, &world.cora] {
        world.crm.enable(member)?;
    }
    let admin = world.browser(ADMIN)?;
    // The board refreshes itself every ten seconds.
    admin.be_patient(Duration::from_secs(200));
    admin.go(BOARD)?;
    let server = format!("localhost:{}", world.crm.mail.dovecot.imaps_port());
    admin.see("No server has failed so far.")?;
    admin.check()?;
    // The wall view is the same board without menus.
    admin.press("Wall view")?;
    admin.at("/settings/monitoring?wall=1")?;
    let menu = "return getComputedStyle(document.querySelector('.side')).display";
    ensure!(admin.driver().script(menu, &[])? == "none", "no menu on the wall");
    admin.check()?;

    world.crm.mail.dovecot.stop().await;
    let down = row_says(&admin, "servers", &server, "Paused")?;
    ensure!(down.contains("until"), "when it is tried again: {down}");
    admin.see_in("Servers in trouble", "See the servers below.")?;
    admin.check()?;
    let mailbox = world.crm.api.get(&format!("mailboxes({})", world.sam.mailbox))?;
    ensure!(mailbox["enabledforincomingemail"] == true && mailbox["incomingemailstatus"] == 1, "{mailbox}");

    // Beside the mailbox and its profile the same is told.
    let desk = world.browser(ADMIN)?;
    desk.go(&format!("/settings/mailboxes/{}", world.sam.mailbox))?;
    desk.see("The server does not answer")?;
    desk.see("Nobody asks this server before")?;
    desk.check()?;
    desk.go(&format!("/settings/profiles/{}", world.crm.imap))?;
    desk.see("No mailbox is disabled for that.")?;
    desk.check()?;

    world.crm.mail.dovecot.restart().await?;
    // It is tried again when the pause of half a minute or more is over.
    admin.be_patient(Duration::from_secs(240));
    row_says(&admin, "servers", &server, "Answers")?;
    admin.see_in("Servers in trouble", "All servers answer.")?;
    let mailbox = world.crm.api.get(&format!("mailboxes({})", world.sam.mailbox))?;
    ensure!(mailbox["enabledforincomingemail"] == true, "{mailbox}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_numbers_behind_the_charts_and_the_lists_behind_the_numbers() -> Result<()> {
    let world = World::start().await?;
    world.crm.set_user_filter(&world.sam, 0)?;
    world.crm.enable(&world.sam)?;
    let raw = b"From: kim@customers.test\r\nTo: sam@company.test\r\nSubject: For the chart\r\n\r\nHello\r\n";
    world.crm.mail.send("kim@customers.test", &["sam@company.test"], raw).await?;
    world.crm.wait_in_ledger(world.sam.mailbox, "For the chart")?;
    // A mailbox whose password is wrong.
    let mara = format!("mailboxes({})", world.mara.mailbox);
    let wrong = json!({ "password": "of last year", "emailrouteraccessapproval": 1 });
    world.crm.api.update(&mara, &wrong)?;
    world.crm.api.update(&mara, &json!({ "testemailconfigurationscheduled": true }))?;
    world.crm.api.wait_for(Duration::from_secs(60), "the test to fail", || {
        Ok((world.crm.api.get(&mara)?["incomingemailstatus"] == 2).then_some(()))
    })?;

    let admin = world.browser(ADMIN)?;
    admin.be_patient(Duration::from_secs(40));
    admin.go(BOARD)?;
    // While somebody reads the table, it does not move away.
    let open = "const all = [...document.querySelectorAll('summary')].filter(s => s.innerText.includes('numbers')); \
        all.forEach(s => s.click()); return all.length";
    ensure!(admin.driver().script(open, &[])? == 2, "a table behind each chart");
    let totals = "const rows = [...document.querySelectorAll('[aria-labelledby=messages] tbody tr')]; \
        return [rows.length, rows.flatMap(r => [...r.querySelectorAll('td')]).reduce((n, c) => n + Number(c.innerText), 0)]";
    let totals = admin.driver().script(totals, &[])?;
    let seen = world.crm.ledger(world.sam.mailbox)?.len();
    ensure!(totals[0] == 24, "an hour a row: {totals}");
    ensure!(totals[1].as_u64() >= u64::try_from(seen).ok(), "{totals}, and the ledger has {seen}");
    admin.check()?;

    // What needs somebody leads to the rows that do.
    admin.go(BOARD)?;
    admin.press("Test failed: 1")?;
    admin.wait("the view", || Ok((shown_view(&admin)? == "Mailboxes with Failed Tests").then_some(())))?;
    admin.see("Mara Mailer")?;
    admin.not_see("Sam Seller")?;
    admin.go(BOARD)?;
    admin.press("Errors in 24 hours")?;
    admin.at("/settings/alerts?view=")?;
    ensure!(shown_view(&admin)? == "Errors", "{}", shown_view(&admin)?);
    admin.check()?;
    admin.go(BOARD)?;
    admin.press("Emails that failed")?;
    admin.wait("the view", || Ok((shown_view(&admin)? == "Failed Emails").then_some(())))?;
    admin.check()
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_in_use_stand_beside_mailbox_and_profile() -> Result<()> {
    let world = World::start().await?;
    world.crm.enable(&world.sam)?;
    let admin = world.browser(ADMIN)?;
    admin.be_patient(Duration::from_secs(60));
    for path in [format!("/settings/mailboxes/{}", world.sam.mailbox), format!("/settings/profiles/{}", world.crm.imap)]
    {
        admin.go(&path)?;
        // IMAP sessions are kept for the next cycle.
        admin.see("of 10 open")?;
        admin.see("kept for the next cycle")?;
        admin.check()?;
    }
    admin.go(BOARD)?;
    admin.see("(IMAP and SMTP)")?;
    admin.see("of 10 open")?;
    admin.check()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_killed_is_shown_as_gone() -> Result<()> {
    let options = postroom::Options {
        database: Some(Postgres::shared()?.fresh_database()?),
        config: "\n[workers]\nlease_seconds = 10\n".into(),
        role: Some("web".into()),
        ..postroom::Options::default()
    };
    let world = World::start_with(options).await?;
    let admin = world.browser(ADMIN)?;
    admin.be_patient(Duration::from_secs(60));
    admin.go(BOARD)?;
    admin.see("No node is there to process mail.")?;
    let mut first = world.crm.postroom.serve_another("worker")?;
    let second = world.crm.postroom.serve_another("worker")?;
    world.crm.enable(&world.sam)?;
    let there = "return [...document.querySelectorAll('[aria-labelledby=nodes] tbody tr')].map(r => r.innerText)";
    let nodes = admin.wait("two nodes", || {
        let rows = admin.driver().script(there, &[])?;
        let rows = rows.as_array().cloned().unwrap_or_default();
        Ok((rows.iter().filter(|r| r.as_str().is_some_and(|r| r.contains("There"))).count() == 2).then_some(rows))
    })?;
    admin.check()?;
    let name = |pid: u32| {
        let mut names = nodes.iter().filter_map(|r| r.as_str()?.lines().next());
        names.find(|name| name.contains(&pid.to_string())).map(str::to_owned).context("no such node")
    };
    let (gone, left) = (name(first.pid())?, name(second.pid())?);
    first.kill();
    admin.be_patient(Duration::from_secs(120));
    let silent = row_says(&admin, "nodes", &gone, "Silent")?;
    ensure!(silent.contains("since"), "{silent}");
    row_says(&admin, "nodes", &left, "There")?;
    admin.check()?;
    // Nothing that it held is believed any more, and the other goes on.
    let raw = b"From: kim@customers.test\r\nTo: sam@company.test\r\nSubject: Afterwards\r\n\r\nHello\r\n";
    world.crm.mail.send("kim@customers.test", &["sam@company.test"], raw).await?;
    world.crm.wait_in_ledger(world.sam.mailbox, "Afterwards")?;
    admin.go(&format!("/settings/mailboxes/{}", world.sam.mailbox))?;
    admin.see("of 10 open")?;
    admin.see(&left)?;
    let page = admin.text()?;
    ensure!(!page.contains(&gone) || page.contains("what it holds now is not known"), "{page}");
    admin.check()
}
