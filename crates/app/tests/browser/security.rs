//! Settings › Security and Data Management, in a real browser: an
//! administrator makes a user who signs in, ends their session and sees it all
//! in the trail; others are told why they may not.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::world::{ADMIN, CORA, NORA, PASSWORD, SAM, World};

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one story, told in order")]
async fn a_new_user_signs_in_by_the_link_and_is_signed_out_by_the_administrator() -> Result<()> {
    let world = World::start().await?;
    let admin = world.browser(ADMIN)?;
    admin.go("/settings/security/users")?;
    admin.check()?;
    admin.press("New User")?;
    admin.at("/settings/security/users/new")?;
    admin.check()?;
    admin.fill("First Name", "Otto")?;
    admin.fill("Last Name", "Ordinary")?;
    admin.fill("Primary Email", "otto@company.test")?;
    admin.tick("Queue Member")?;
    admin.press("Create user")?;
    admin.see("Whoever has the link can sign in as this user")?;
    admin.check()?;
    let link = admin.driver().script("return document.querySelector('pre').textContent.trim()", &[])?;
    let link = link.as_str().context("no link")?.to_owned();
    let (_, path) = link.split_once("/password").context("a link to set a password")?;

    let otto = world.stranger()?;
    otto.go(&format!("/password{path}"))?;
    otto.check()?;
    otto.fill("New password", PASSWORD)?;
    otto.fill("The same again", PASSWORD)?;
    otto.press("Set the password")?;
    otto.sign_in("otto@company.test", PASSWORD)?;
    otto.go("/account/roles")?;
    otto.see("Queue Member")?;
    // The link is good once.
    let again = world.stranger()?;
    again.go(&format!("/password{path}"))?;
    again.see("The link was used or has expired")?;

    admin.press("Go on to the user")?;
    admin.see("Otto Ordinary")?;
    admin.see_in("Sessions", "password")?;
    admin.check()?;
    // What they may do is told by their roles.
    admin.press("Check security role")?;
    admin.fill("May the user do this?", "create mailbox")?;
    admin.press("Check")?;
    admin.see("may not do this")?;
    admin.see("Mailbox Administrator")?;
    admin.check()?;
    admin.press("Back to the user")?;
    admin.tick("Mailbox Administrator")?;
    admin.press("Save roles")?;
    admin.told("Done.")?;
    admin.press("Check security role")?;
    admin.fill("May the user do this?", "create mailbox")?;
    admin.press("Check")?;
    admin.see("may do this, as far as the roles reach")?;
    admin.press("Back to the user")?;

    admin.press("End all sessions")?;
    admin.see("The user is signed in nowhere.")?;
    otto.go("/account")?;
    otto.at("/signin")?;
    admin.press("Audit")?;
    for verb in ["sessions-ended", "password-set", "create"] {
        admin.see_in(verb, "user")?;
    }
    admin.check()?;
    admin.back()?;
    admin.press("Disable")?;
    admin.press("Disable this user")?;
    let user =
        world.crm.api.list("systemusers?$filter=internalemailaddress eq 'otto@company.test'&$select=isdisabled")?;
    ensure!(user.len() == 1 && user[0]["isdisabled"] == true, "{user:?}");
    otto.fill("User name or email address", "otto@company.test")?;
    otto.fill("Password", PASSWORD)?;
    otto.press("Sign in")?;
    otto.told("wrong")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_is_copied_and_set_cell_by_cell() -> Result<()> {
    let world = World::start().await?;
    let admin = world.browser(ADMIN)?;
    admin.go("/settings/security/roles")?;
    admin.check()?;
    admin.press("Auditor")?;
    admin.check()?;
    admin.press("Copy Role")?;
    admin.fill("Name of the copy", "Clerk")?;
    admin.press("Make the copy")?;
    admin.told("Created.")?;
    admin.choose("Write, Account", "◑ Business Unit")?;
    admin.choose("Read, Account", "○ None Selected")?;
    admin.press("Save privileges")?;
    admin.told("Saved.")?;
    admin.check()?;
    let stands = (admin.value("Write, Account")?, admin.value("Read, Account")?);
    ensure!(
        stands == ("◑ Business Unit".to_owned(), "○ None Selected".to_owned()),
        "it stands as it was set: {stands:?}"
    );
    admin.fill("Give the role to", "nora")?;
    admin.not_see("Sam Seller")?;
    admin.tick("Nora Nobody nora@company.test")?;
    admin.press("Give")?;
    admin.see_in("Who has it", "Nora Nobody")?;
    admin.press_in("Nora Nobody", "Take away")?;
    admin.see("Nobody has this role.")?;
    // What has everything cannot be changed.
    admin.go("/settings/security/roles")?;
    admin.press("System Administrator")?;
    admin.see("has every privilege that there is")?;
    ensure!(!admin.has("Save privileges")?, "there is nothing to save");
    admin.check()?;
    for page in ["units", "teams", "tokens", "sessions"] {
        admin.go(&format!("/settings/security/{page}"))?;
        admin.check()?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_is_told_why_and_where_to_ask() -> Result<()> {
    let world = World::start().await?;
    let browser = world.stranger()?;
    for (person, page, words) in [
        (CORA, "/settings/security/sessions", "prvManageTokens"),
        (CORA, "/settings/security/audit", "prvReadAudit"),
        (SAM, "/settings/security/users/new", "lack the right to create users"),
        (SAM, "/settings/data", "Data management is for who may change"),
        (NORA, "/settings/security/users", "prvReadUser"),
    ] {
        world.sign_in(&browser, person)?;
        browser.go(page)?;
        browser.see("You may not do this")?;
        if page != "/settings/security/users" {
            browser.see(words)?;
        }
        browser.press("Check your security role")?;
        browser.at("/account/roles")?;
    }
    // A customizer sees users, but not how they sign in.
    world.sign_in(&browser, CORA)?;
    browser.go(&format!("/settings/security/users/{}", world.sam.id))?;
    browser.see("Sam Seller")?;
    browser.see("shown to who may manage tokens and sessions of others")?;
    browser.check()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_made_while_one_watches_and_the_key_is_changed() -> Result<()> {
    let world = World::start().await?;
    let admin = world.browser(ADMIN)?;
    admin.be_patient(Duration::from_secs(40));
    admin.go("/settings/data")?;
    admin.check()?;
    admin.press("Make a backup now")?;
    // The page moves by itself. (The schedule's own words speak of success, too.)
    admin.see_in("Make a backup now", "Succeeded")?;
    admin.see_in("Succeeded", "rows")?;
    admin.see_in("Succeeded", "Download")?;
    admin.check()?;
    let directory = world.crm.postroom.data_dir().join("backups");
    let made = std::fs::read_dir(&directory)?.filter_map(Result::ok).next().context("no backup")?.path();
    ensure!(std::fs::read(&made)?.starts_with(b"postroom backup\n"), "{}", made.display());

    let keys = world.crm.postroom.data_dir().join("keys");
    let before = std::fs::read_to_string(&keys)?;
    admin.press("Change the key")?;
    admin.tick("I have a copy of the present key file")?;
    admin.press("Change the encryption key")?;
    admin.see("secrets were sealed with the new key")?;
    ensure!(std::fs::read_to_string(&keys)? != before, "there is another key");
    world.crm.postroom.cli(&["doctor"])?;
    // Mail goes on.
    world.crm.enable(&world.sam)?;

    admin.fill("Days to Keep the Audit Trail", "5")?;
    admin.press_in("Retention", "Save")?;
    admin.see("The audit trail is kept for 30 days at least")?;
    admin.check()?;
    admin.fill("Days to Keep the Audit Trail", "365")?;
    admin.press_in("Retention", "Save")?;
    admin.told("Saved.")?;
    admin.press_in("Backup", "Delete")?;
    admin.press("Delete the file")?;
    admin.see("The file was deleted")?;
    ensure!(!made.exists(), "the file is gone");
    Ok(())
}
