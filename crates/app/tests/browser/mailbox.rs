//! The page that this product began with: create a forward mailbox, fill in
//! every field, save, test and enable, see the statuses; edit a user's
//! mailbox; be refused with the reason.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use testkit::Browser;
use testkit::crm::Member;

use crate::help_page::fact_is;
use crate::world::{ADMIN, CORA, MARA, NORA, SAM, World};

const SERVER_SIDE: &str = "Server-Side Synchronization or Email Router";

fn page(member: &Member) -> String {
    format!("/settings/mailboxes/{}", member.mailbox)
}

fn row(world: &World, member: &Member) -> Result<Value> {
    world.crm.api.get(&format!("mailboxes({})", member.mailbox))
}

/// The tests of real servers take their time.
fn patient(browser: &Browser) {
    browser.be_patient(Duration::from_secs(60));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forward_mailbox_from_nothing_to_success() -> Result<()> {
    let world = World::start().await?;
    let account = world.crm.mail.user("forward@company.test")?;
    let cora = world.browser(CORA)?;
    cora.go("/settings/mailboxes/new")?;
    cora.see("New Forward Mailbox")?;
    cora.check()?;
    // What a forward mailbox cannot have is there and says why.
    ensure!(!cora.can_change("Outgoing Email")?, "a forward mailbox sends nothing");
    cora.see("A forward mailbox only receives.")?;
    ensure!(!cora.can_change("Is Forward Mailbox")?);

    // Half filled in: every fault beside its field, nothing lost.
    cora.fill("Email Address", "not an address")?;
    cora.tick("Delete Emails After Processing")?;
    cora.press("Save")?;
    cora.see("It was not saved. Correct this first:")?;
    ensure!(cora.value("Email Address")? == "not an address");
    cora.check()?;

    cora.fill("Name", "Company mail")?;
    cora.fill("Email Address", &account.address)?;
    cora.tick("Allow to Use Credentials for Email Processing")?;
    cora.fill("User Name", &account.address)?;
    cora.fill("Password", &account.password)?;
    cora.choose("Server Profile", "IMAP and SMTP")?;
    cora.choose("Incoming Email", SERVER_SIDE)?;
    cora.press("Save")?;
    cora.told("Created.")?;
    cora.see("A password is stored.")?;
    ensure!(cora.value("Password")?.is_empty());
    fact_is(&cora, "Email Address Status", "Pending Approval")?;
    cora.see_in("Configuration Test Results", "Not Run")?;
    cora.check()?;
    let path = cora.path()?;
    let path = path.split('?').next().unwrap_or_default().to_owned();

    // Not approved yet: the test says so before it begins.
    cora.press("Test & Enable Mailbox")?;
    cora.see("The mailbox cannot be tested yet:")?;
    cora.see("not approved")?;
    cora.check()?;
    ensure!(!cora.has("Approve Email")?, "a customizer does not approve");
    let mara = world.browser(MARA)?;
    mara.go(&path)?;
    mara.press("Approve Email")?;
    mara.told("Done.")?;

    cora.go(&format!("{path}/test"))?;
    cora.check()?;
    cora.press("Test & Enable")?;
    patient(&cora);
    fact_is(&cora, "Incoming Email Status", "Success")?;
    cora.see_in("Configuration Test Results", "Log in")?;
    cora.see_in("Configuration Test Results", "Read a message")?;
    cora.not_see("being tested")?;
    cora.see_in("How it stands", "Enabled")?;
    cora.check()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_in_the_servers_words_and_what_to_do() -> Result<()> {
    let world = World::start().await?;
    world.crm.api.update(&format!("mailboxes({})", world.sam.mailbox), &json!({ "password": "of last year" }))?;
    let mara = world.browser(MARA)?;
    mara.go(&page(&world.sam))?;
    mara.press("Approve Email")?;
    mara.press("Test & Enable Mailbox")?;
    mara.press("Test & Enable")?;
    patient(&mara);
    fact_is(&mara, "Incoming Email Status", "Failure")?;
    mara.not_see("being tested")?;
    mara.see_in("Configuration Test Results", "Authentication failed")?;
    mara.see_in("Configuration Test Results", "What to do:")?;
    mara.see("Check user name and password")?;
    mara.check()?;
    // Mended where it was wrong: the password is written and never read.
    let account = world.crm.mail.user(SAM.address)?;
    mara.fill("Password", &account.password)?;
    mara.press("Save")?;
    mara.told("Saved.")?;
    mara.press("Test & Enable Mailbox")?;
    mara.press("Test & Enable")?;
    mara.see_in("Configuration Test Results", "See it arrive")?;
    fact_is(&mara, "Incoming Email Status", "Success")?;
    fact_is(&mara, "Outgoing Email Status", "Success")?;
    let row = row(&world, &world.sam)?;
    ensure!(row["enabledforincomingemail"] == true && row["enabledforoutgoingemail"] == true, "{row}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_test_runs_its_steps_are_seen_and_nothing_is_saved() -> Result<()> {
    let world = World::start().await?;
    // Nothing arrives: the test waits for its message.
    world.crm.mail.dovecot.set_sieve(SAM.address, "discard;")?;
    let mara = world.browser(MARA)?;
    mara.go(&page(&world.sam))?;
    mara.press("Approve Email")?;
    let late = world.browser(ADMIN)?;
    late.go(&page(&world.sam))?;
    late.fill("Name", "Too late")?;
    mara.press("Test & Enable Mailbox")?;
    mara.press("Test & Enable")?;
    patient(&mara);
    // The page fills itself while the test runs.
    mara.see_in("Configuration Test Results", "Read a message")?;
    mara.see_in("Configuration Test Results", "Send a message to the mailbox itself")?;
    mara.see("Waiting for the message to arrive in the mailbox.")?;
    mara.see("The mailbox is being tested and cannot be changed meanwhile.")?;
    ensure!(!mara.can_change("Name")?, "locked");
    mara.check()?;
    late.press("Save")?;
    late.see("being tested")?;
    ensure!(row(&world, &world.sam)?["name"] != "Too late");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_users_mailbox_is_edited_and_what_that_resets_is_said_before() -> Result<()> {
    let world = World::start().await?;
    world.crm.enable(&world.sam)?;
    let mara = world.browser(MARA)?;
    mara.go(&page(&world.sam))?;
    mara.see("stays on the server")?;
    ensure!(!mara.can_change("Delete Emails After Processing")?);
    mara.choose("Outgoing Email", "None")?;
    mara.see("Saving takes back:")?;
    mara.see("the outgoing test result")?;
    mara.not_see("the incoming test result")?;
    mara.check()?;

    // Somebody else is quicker: nothing is lost.
    let admin = world.browser(ADMIN)?;
    admin.go(&page(&world.sam))?;
    admin.fill("Name", "Sam the Seller")?;
    admin.press("Save")?;
    admin.told("Saved.")?;
    mara.press("Save")?;
    mara.see("changed the mailbox meanwhile")?;
    mara.see("Sam the Seller")?;
    ensure!(mara.value("Outgoing Email")? == "None");
    mara.check()?;
    mara.press("Save")?;
    mara.told("Saved.")?;
    let row = row(&world, &world.sam)?;
    ensure!(row["outgoingemaildeliverymethod"] == 0 && row["name"] == "Sam the Seller", "{row}");
    ensure!(row["enabledforincomingemail"] == true, "{row}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scripts_and_without_rights() -> Result<()> {
    let world = World::start().await?;
    world.crm.enable(&world.sam)?;
    // Sam looks after his own mailbox, without scripts.
    let sam = world.stranger()?;
    sam.scripts(false)?;
    world.sign_in(&sam, SAM)?;
    sam.go("/options/mailbox")?;
    sam.see(SAM.address)?;
    sam.choose("Outgoing Email", "None")?;
    sam.press("Save")?;
    sam.see("Not saved yet: please confirm.")?;
    sam.see("the outgoing test result")?;
    ensure!(row(&world, &world.sam)?["outgoingemaildeliverymethod"] == 2);
    sam.press("Save anyway")?;
    sam.told("Saved.")?;
    ensure!(row(&world, &world.sam)?["outgoingemaildeliverymethod"] == 0);
    // Nobody else's is there for him; Nora sees none at all.
    sam.go(&page(&world.cora))?;
    sam.see("Does Not Exist")?;
    world.sign_in(&sam, NORA)?;
    sam.go("/settings/mailboxes/new")?;
    sam.see("You may not do this")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_of_a_message_and_again() -> Result<()> {
    let world = World::start().await?;
    world.crm.enable(&world.sam)?;
    let letter = "From: stranger@elsewhere.test\r\nTo: sam@company.test\r\nSubject: Is anybody there?\r\n\
                  Message-ID: <q1@elsewhere.test>\r\nDate: Mon, 23 Nov 2026 09:15:00 +0000\r\n\r\nHello\r\n";
    world.crm.mail.dovecot.deliver(SAM.address, letter.as_bytes())?;
    let mara = world.browser(MARA)?;
    mara.go(&page(&world.sam))?;
    mara.press("What became of my message?")?;
    mara.wait("the message to be in the ledger", || {
        mara.reload()?;
        Ok(mara.text()?.contains("Is anybody there?").then_some(()))
    })?;
    mara.check()?;
    mara.fill("Sender, subject or Message-ID", "nothing like it")?;
    mara.press("Search")?;
    mara.see("No message fits.")?;
    mara.fill("Sender, subject or Message-ID", "STRANGER@elsewhere")?;
    mara.press("Search")?;
    mara.see_in("Is anybody there?", "Not accepted by the filter")?;
    mara.press_in("Is anybody there?", "Process again")?;
    mara.told("Done.")?;
    mara.check()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn email_configuration_settings_are_changed() -> Result<()> {
    let world = World::start().await?;
    let cora = world.browser(CORA)?;
    cora.go("/settings/email")?;
    cora.check()?;
    cora.fill("Maximum file size for attachments (KB)", "999999")?;
    cora.press("Save")?;
    cora.see("It was not saved. Correct this first:")?;
    cora.check()?;
    cora.fill("Maximum file size for attachments (KB)", "8192")?;
    cora.tick("Alerts for warnings")?;
    cora.choose("Default Incoming Email", "Forward Mailbox")?;
    cora.press("Save")?;
    cora.told("Saved.")?;
    let organization = &world.crm.api.get("organizations")?["value"][0];
    ensure!(organization["maxuploadfilesize"] == 8_388_608, "{organization}");
    ensure!(organization["generatealertsforwarnings"] == true && organization["pr_defaultincomingmethod"] == 3);
    Ok(())
}
