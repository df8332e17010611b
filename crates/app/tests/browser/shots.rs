//! Pictures of the main pages for `docs/screenshots`: `cargo xtask shots`.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use testkit::Browser;
use testkit::browser::Size;

use crate::lively::{Lively, WATCHER};

/// Those whose pictures are kept; the rest goes to `shots/` of the target directory.
const KEPT: [&str; 9] =
    ["work", "queues", "email", "compose", "mailboxes", "mailbox", "profile", "monitoring", "email-settings"];

fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/screenshots")
}

fn shoot(browser: &Browser, path: &str, name: &str, place: &Path, look: (&str, bool, Size)) -> Result<()> {
    let (suffix, dark, size) = look;
    browser.dark(dark)?;
    browser.size(size)?;
    browser.go(path)?;
    ensure!(browser.title()?.contains("Postroom"), "{path} is no page");
    // What moves by itself has come to rest.
    std::thread::sleep(std::time::Duration::from_millis(400));
    browser.screenshot(&place.join(format!("{name}-{suffix}.png")), false)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "writes docs/screenshots; cargo xtask shots runs it"]
async fn the_main_pages() -> Result<()> {
    let lively = Lively::start().await?;
    let browser = lively.world.browser(WATCHER)?;
    browser.time_zone("Europe/Berlin")?;
    let all = testkit::browser::target()?.join("shots");
    for (name, path) in lively.pages() {
        let keep = KEPT.contains(&name);
        let place = if keep { kept() } else { all.clone() };
        shoot(&browser, &path, name, &place, ("light", false, Size::Desktop))?;
        let others =
            if keep && ["email", "mailbox", "mailboxes", "monitoring"].contains(&name) { kept() } else { all.clone() };
        shoot(&browser, &path, name, &others, ("dark", true, Size::Desktop))?;
        shoot(&browser, &path, name, &others, ("phone", false, Size::Phone))?;
    }
    Ok(())
}
