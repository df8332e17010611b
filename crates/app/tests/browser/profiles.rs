//! Email server profiles in the browser, with real servers behind them.

use std::time::Duration;

use anyhow::{Result, ensure};
use testkit::dns::Record;
use testkit::{Dns, postroom};

use crate::world::{ADMIN, CORA, SAM, World};

async fn world_with_dns() -> Result<(World, Dns)> {
    let dns = Dns::start()?;
    let config = format!("name_servers = [\"{}\"]\n", dns.address());
    let world = World::start_with(postroom::Options { config, ..postroom::Options::default() }).await?;
    let srv = |port| Record::Srv { priority: 0, weight: 1, port, host: "localhost".into() };
    dns.add("_imaps._tcp.company.test", srv(world.crm.mail.dovecot.imaps_port()));
    dns.add("_submissions._tcp.company.test", srv(world.crm.mail.postfix.submissions_port()));
    Ok((world, dns))
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_looked_up_tested_and_saved() -> Result<()> {
    let (world, _dns) = world_with_dns().await?;
    let cora = world.browser(CORA)?;
    cora.be_patient(Duration::from_secs(40));
    cora.go("/settings/profiles/new")?;
    cora.check()?;
    cora.fill("Email Address", "sam@company.test")?;
    cora.press("Look Up Settings")?;
    cora.see("Settings were found.")?;
    cora.see(&format!("localhost:{}", world.crm.mail.dovecot.imaps_port()))?;
    cora.check()?;
    cora.press("Use these settings")?;
    cora.see("What comes next")?;
    ensure!(cora.value("Incoming Server Location")? == "localhost", "the form is filled in");
    cora.check()?;

    // What is typed is tested, right or wrong, before anything is saved.
    cora.fill("Name", "Looked up")?;
    cora.fill("User name for the test", SAM.address)?;
    cora.fill("Password for the test", "wrong")?;
    cora.press("Test Connection")?;
    cora.see("The connection does not work yet.")?;
    cora.see("Check user name and password.")?;
    cora.check()?;
    let sam = world.crm.mail.user(SAM.address)?;
    cora.fill("Password for the test", &sam.password)?;
    cora.press("Test Connection")?;
    cora.see("The connection works in both directions.")?;
    cora.check()?;
    cora.press("Save & Close")?;
    cora.wait("the list", || {
        Ok(cora.path()?.split('?').next().is_some_and(|p| p == "/settings/profiles").then_some(()))
    })?;
    cora.see("Looked up")?;
    let saved = world.crm.api.list("emailserverprofiles?$filter=name eq 'Looked up'&$select=incomingserverlocation")?;
    ensure!(saved.len() == 1 && saved[0]["incomingserverlocation"] == "localhost", "{saved:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_stands_beside_its_field() -> Result<()> {
    let (world, _dns) = world_with_dns().await?;
    let cora = world.browser(CORA)?;
    cora.go("/settings/profiles/new")?;
    cora.press("POP3/SMTP")?;
    cora.fill("Name", "Old server")?;
    cora.fill("Incoming Server Location", "pop://mail.company.test")?;
    cora.fill("Outgoing Server Location", "mail.company.test")?;
    cora.press("Save")?;
    cora.see("It was not saved. Correct this first:")?;
    cora.see("give the incoming server's host name alone")?;
    cora.check()?;
    cora.fill("Incoming Server Location", "mail.company.test")?;
    cora.press("Save")?;
    cora.told("Created.")?;
    ensure!(cora.value("Incoming Port")? == "995", "the port was filled in: {}", cora.value("Incoming Port")?);
    cora.check()
}

#[tokio::test(flavor = "multi_thread")]
async fn its_mailboxes_are_tested_and_a_change_says_what_it_takes_back() -> Result<()> {
    let (world, _dns) = world_with_dns().await?;
    let admin = world.browser(ADMIN)?;
    admin.be_patient(Duration::from_secs(60));
    admin.go("/settings/mailboxes")?;
    for member in [&world.sam, &world.mara] {
        world.crm.postroom.cli(&["mailbox", "approve", &member.address])?;
    }
    let path = format!("/settings/profiles/{}", world.crm.imap);
    admin.go(&path)?;
    admin.check()?;
    admin.tick_row("mara@company.test")?;
    admin.tick_row("sam@company.test")?;
    admin.press("Test & Enable Mailboxes")?;
    admin.see("Tests begun: 2")?;
    // By itself, without a reload.
    admin.wait("for both tests", || {
        let good = admin.driver().script("return document.querySelectorAll('#mailboxes .state.good').length", &[])?;
        Ok((good.as_u64() == Some(4)).then_some(()))
    })?;
    admin.check()?;
    admin.fill("Incoming Server Location", "other.company.test")?;
    admin.fill("Description", "moved")?;
    admin.see("Saving returns the Incoming Email Status of 2 tested mailboxes to Not Run")?;
    admin.check()?;
    admin.press("Save")?;
    admin.told("Saved.")?;
    admin.see_in("mara@company.test", "Not Run")?;
    admin.press("Deactivate")?;
    admin.see("Its 4 mailboxes neither receive nor send")?;
    admin.check()?;
    admin.press("Deactivate")?;
    admin.see("Its mailboxes are not processed.")?;
    admin.press("Activate")?;
    admin.press("Delete")?;
    admin.see("stay, without a profile and untested")?;
    admin.check()?;
    admin.press("Cancel")?;
    admin.wait("the profile again", || Ok((admin.path()? == path).then_some(())))
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_change_profiles_is_told_so() -> Result<()> {
    let (world, _dns) = world_with_dns().await?;
    let sam = world.browser(SAM)?;
    sam.go("/settings/profiles/new")?;
    sam.see("You may not")?;
    sam.go("/start")?;
    sam.see("You may not")?;
    Ok(())
}
