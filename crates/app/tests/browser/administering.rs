//! What administrators do now and then: read what people say of the help, move
//! a business unit, give a profile away, have backups made by a schedule.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::help_page::fact_is;
use crate::world::{ADMIN, CORA, SAM, World};

#[tokio::test(flavor = "multi_thread")]
async fn what_people_say_of_the_help_reaches_the_administrator() -> Result<()> {
    let world = World::start().await?;
    let sam = world.browser(SAM)?;
    sam.go("/work/queues")?;
    sam.press("Help")?;
    sam.at("/help/queues")?;
    sam.check()?;
    sam.tick("Yes")?;
    sam.press("Send feedback")?;
    sam.see("Thank you. An administrator will read it.")?;
    sam.check()?;
    sam.go("/help/email")?;
    // Something has to be chosen.
    sam.press("Send feedback")?;
    sam.at("/help/email")?;
    sam.tick("No")?;
    sam.fill("What was missing?", "How do I recall a message?")?;
    sam.press("Send feedback")?;
    sam.see("Thank you. An administrator will read it.")?;
    // What others said is not theirs to read.
    sam.go("/settings/feedback")?;
    sam.not_see("recall")?;

    let admin = world.browser(ADMIN)?;
    admin.go("/settings/feedback")?;
    admin.see("1 of 2 found what they needed.")?;
    admin.see("How do I recall a message?")?;
    admin.check()?;
    admin.press("Queues")?;
    admin.back()?;
    admin.tick_row("How do I recall a message?")?;
    admin.press("Delete the selected")?;
    admin.see("1 of 1 found what they needed.")?;
    admin.not_see("recall")?;
    admin.check()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_business_unit_moves_with_all_that_is_below_it() -> Result<()> {
    let world = World::start().await?;
    let admin = world.browser(ADMIN)?;
    let root = world.crm.api.list("businessunits?$select=businessunitid,name")?;
    let root = root[0]["businessunitid"].as_str().context("no root")?;
    for (name, parent) in [("North", ""), ("South", ""), ("Kiel", "North")] {
        admin.go(&format!("/settings/security/units/new?parent={root}"))?;
        admin.fill("Name", name)?;
        if !parent.is_empty() {
            admin.choose("Parent Business", parent)?;
        }
        admin.press("Create business unit")?;
        admin.told("Created.")?;
    }
    admin.check()?;
    // A unit cannot stand below itself.
    admin.go("/settings/security/units")?;
    admin.check()?;
    let depth = |name: &str| -> Result<String> {
        let script = "const a = [...document.querySelectorAll('table.tree a')].find(a => a.innerText === arguments[0]); \
            return a ? a.closest('th').className : 'not there'";
        Ok(admin.driver().script(script, &[name.into()])?.as_str().unwrap_or_default().to_owned())
    };
    ensure!((depth("North")?.as_str(), depth("Kiel")?.as_str()) == ("deep-1", "deep-2"), "{}", admin.text()?);
    admin.press("North")?;
    admin.choose("Parent Business", "South")?;
    admin.press("Save")?;
    admin.told("Saved.")?;
    admin.check()?;
    admin.go("/settings/security/units")?;
    let depths = [depth("South")?, depth("North")?, depth("Kiel")?];
    ensure!(depths == ["deep-1", "deep-2", "deep-3"], "{depths:?}");
    // Not below one of its own.
    admin.press("South")?;
    admin.choose("Parent Business", "Kiel")?;
    admin.press("Save")?;
    admin.see("A business unit cannot stand below itself.")?;
    admin.check()?;
    admin.go("/settings/security/units")?;
    ensure!(depth("South")? == "deep-1", "it stayed where it was");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_given_to_another_owner() -> Result<()> {
    let world = World::start().await?;
    let cora = world.browser(CORA)?;
    let path = format!("/settings/profiles/{}", world.crm.imap);
    cora.go(&path)?;
    cora.press("Assign")?;
    cora.see("These records go to somebody else")?;
    cora.check()?;
    cora.fill("Search users and teams", "Mara")?;
    cora.tick("Mara Mailer")?;
    cora.press("Assign")?;
    let profile = world.crm.api.get(&format!("emailserverprofiles({})", world.crm.imap))?;
    ensure!(profile["_ownerid_value"] == json!(world.mara.id.to_string()), "{profile}");
    cora.go(&path)?;
    fact_is(&cora, "Owner", "Mara Mailer")?;
    cora.check()?;
    // Who may only read profiles is not offered it.
    let sam = world.browser(SAM)?;
    sam.go(&path)?;
    ensure!(!sam.has("Assign")?, "there is no such command");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_are_scheduled_and_made_by_the_schedule() -> Result<()> {
    let mut world = World::start().await?;
    let admin = world.browser(ADMIN)?;
    admin.be_patient(Duration::from_secs(60));
    admin.go("/settings/data")?;
    admin.see("No backup is scheduled.")?;
    admin.choose("Scheduled Backups", "Every week")?;
    admin.choose("Backup Day", "Wednesday")?;
    admin.choose("Backup Hour", "03:00")?;
    admin.fill("Backups to Keep", "0")?;
    let loose = "document.querySelectorAll('form').forEach(f => f.noValidate = true)";
    admin.driver().script(loose, &[])?;
    admin.press("Save the schedule")?;
    ensure!(!admin.text()?.contains("Saved."), "none at all cannot be kept");
    let organization = world.crm.api.get("organizations")?["value"][0].take();
    ensure!(organization["pr_backupschedule"] == 0, "{organization}");
    admin.check()?;
    admin.choose("Scheduled Backups", "Every day")?;
    admin.fill("Backups to Keep", "2")?;
    admin.press("Save the schedule")?;
    admin.told("Saved.")?;
    admin.see("Next backup")?;
    admin.check()?;
    let stands = (admin.value("Scheduled Backups")?, admin.value("Backups to Keep")?);
    ensure!(stands == ("Every day".into(), "2".into()), "{stands:?}");

    // Its hour comes.
    world.crm.postroom.stop()?;
    let database = rusqlite::Connection::open(world.crm.postroom.data_dir().join("postroom.db"))?;
    database.execute("UPDATE organization SET pr_backupsince = 0", [])?;
    drop(database);
    world.crm.postroom.serve()?;
    admin.go("/settings/data")?;
    admin.see_in("by the schedule", "Succeeded")?;
    admin.see_in("by the schedule", "Download")?;
    admin.check()?;
    let directory = world.crm.postroom.data_dir().join("backups");
    let made = std::fs::read_dir(&directory)?.filter_map(Result::ok).next().context("no backup")?.path();
    ensure!(std::fs::read(&made)?.starts_with(b"postroom backup\n"), "{}", made.display());
    // Others are told that it is not theirs.
    let cora = world.browser(CORA)?;
    cora.go("/settings/data")?;
    cora.see("it is for System Administrators alone")?;
    ensure!(!cora.has("Save the schedule")?, "nothing to press");
    Ok(())
}
