//! Signing in and out, the second step, one's own account.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use aws_lc_rs::hmac;
use testkit::Browser;

use crate::world::{CORA, NORA, PASSWORD, SAM, World};

/// A code of an authenticator (RFC 6238), `later` steps from now.
#[expect(clippy::disallowed_methods, reason = "an authenticator has a clock")]
fn code(secret: &str, later: u64) -> Result<String> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut key, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for c in secret.chars().filter(|c| !c.is_whitespace()) {
        bits = bits << 5 | u32::try_from(ALPHABET.find(c).context("not a base32 secret")?)?;
        held += 5;
        if held >= 8 {
            held -= 8;
            key.push(u8::try_from(bits >> held & 0xFF)?);
        }
    }
    let step = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() / 30 + later;
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key), &step.to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag[19] & 0xF);
    let number = u32::from_be_bytes(tag[at..at + 4].try_into()?) & 0x7FFF_FFFF;
    Ok(format!("{:06}", number % 1_000_000))
}

fn try_to_sign_in(browser: &Browser, name: &str, password: &str) -> Result<()> {
    browser.go("/signin")?;
    browser.fill("User name or email address", name)?;
    browser.fill("Password", password)?;
    browser.press("Sign in")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_opens_the_pages_and_a_wrong_one_does_not() -> Result<()> {
    let world = World::start().await?;
    let browser = world.stranger()?;
    // Whoever is not signed in comes back to where they wanted to go.
    browser.go("/account")?;
    browser.at("/signin")?;
    browser.check()?;
    browser.fill("User name or email address", SAM.address)?;
    browser.fill("Password", "not the password")?;
    browser.press("Sign in")?;
    browser.told("wrong")?;
    browser.at("/signin")?;
    browser.check()?;
    browser.fill("User name or email address", SAM.address)?;
    browser.fill("Password", PASSWORD)?;
    browser.press("Sign in")?;
    browser.at("/account")?;
    browser.see("Sam Seller")?;
    browser.check()?;
    browser.go("/account/roles")?;
    browser.see("Basic User")?;
    browser.check()?;
    browser.press("Sign out")?;
    browser.at("/signin")?;
    browser.go("/account")?;
    browser.at("/signin")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_step_is_set_up_used_and_switched_off() -> Result<()> {
    let world = World::start().await?;
    let browser = world.browser(CORA)?;
    browser.go("/account")?;
    browser.check()?;
    browser.fill_in("Set up a second step", "Present password", PASSWORD)?;
    browser.press("Set up a second step")?;
    browser.see("Open in an authenticator")?;
    browser.check()?;
    let link = "return [...document.links].map(a => a.href).find(h => h.startsWith('otpauth:'))";
    let uri = browser.driver().script(link, &[])?;
    let uri = uri.as_str().context("no link for an authenticator")?;
    let secret = uri.split("secret=").nth(1).and_then(|s| s.split('&').next()).context("no secret")?;
    browser.fill("The code that the authenticator shows", &code(secret, 0)?)?;
    browser.press("Switch the second step on")?;
    browser.see("recovery codes")?;
    browser.check()?;

    let other = world.stranger()?;
    try_to_sign_in(&other, CORA.address, PASSWORD)?;
    other.at("/signin/code")?;
    other.check()?;
    other.fill("Code of your authenticator", "000000")?;
    other.press("Sign in")?;
    other.told("wrong")?;
    // Each code is good for once: this is the next one.
    other.fill("Code of your authenticator", &code(secret, 1)?)?;
    other.press("Sign in")?;
    other.wait("to be signed in", || Ok((!other.path()?.starts_with("/signin")).then_some(())))?;
    other.go("/account")?;
    other.see(CORA.address)?;

    // One's other sessions can be ended from here.
    browser.go("/account")?;
    browser.press("End all others")?;
    other.reload()?;
    other.at("/signin")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn people_look_after_their_own_account_without_scripts() -> Result<()> {
    let world = World::start().await?;
    let browser = world.stranger()?;
    browser.scripts(false)?;
    browser.sign_in(NORA.address, PASSWORD)?;
    browser.go("/account/roles")?;
    browser.see("None. Without a role nothing can be done.")?;
    browser.fill("May the user do this", "create mailbox")?;
    browser.press("Check")?;
    browser.see("may not do this")?;
    browser.go("/account")?;
    browser.fill("What it is for", "a program of mine")?;
    browser.fill("Scopes", "read")?;
    browser.press("Make a token")?;
    browser.go("/account")?;
    browser.see("a program of mine")?;
    browser.press_in("a program of mine", "Revoke a program of mine")?;
    browser.press_in("a program of mine", "Revoke it for good")?;
    browser.go("/account")?;
    browser.not_see("a program of mine")?;
    let next = "another four words here";
    browser.fill_in("Change the password", "Present password", PASSWORD)?;
    browser.fill("New password", next)?;
    browser.fill("The same again", next)?;
    browser.press("Change the password")?;
    let again = world.stranger()?;
    try_to_sign_in(&again, NORA.address, PASSWORD)?;
    again.told("wrong")?;
    again.sign_in(NORA.address, next)?;
    ensure!(browser.outside()?.is_empty(), "{:?}", browser.outside()?);
    Ok(())
}
