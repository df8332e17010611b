//! Every page there is, opened and looked at: the pages that are known by name
//! and whatever they link to.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;

use anyhow::{Context, Result, bail};
use testkit::Browser;
use testkit::browser::Size;

use crate::lively::{Lively, WATCHER};
use crate::world::{NORA, SAM};

/// Pages of one kind that are looked at, such as emails.
const OF_A_KIND: usize = 2;

/// What is not a page: an answer that is kept, moved by a script, or not ours;
/// and what asks for the pictures of other servers, which are then asked.
fn is_page(path: &str) -> bool {
    !path.contains("remote=1")
        && !["/api", "/static", "/signout", "/oauth2", "/metrics"].iter().any(|p| path.starts_with(p))
}

/// `/work/emails/{}` for an email; queries count by their names.
fn kind(path: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let parts = path.split('/').map(|part| if part.parse::<uuid::Uuid>().is_ok() { "{}" } else { part });
    let names: BTreeSet<&str> = query.split('&').filter_map(|pair| pair.split('=').next()).collect();
    format!("{} {}", parts.collect::<Vec<_>>().join("/"), names.into_iter().collect::<Vec<_>>().join("&"))
}

/// The paths of this server that the page links to.
fn links(browser: &Browser) -> Result<Vec<String>> {
    let script = "return [...document.querySelectorAll('a[href]')].filter(a => !a.hasAttribute('download')) \
        .map(a => new URL(a.href)).filter(u => u.origin === location.origin).map(u => u.pathname + u.search)";
    let found = browser.driver().script(script, &[])?;
    Ok(found.as_array().context("no links")?.iter().filter_map(|l| l.as_str().map(str::to_owned)).collect())
}

/// Status and type of what the browser shows.
fn answer(browser: &Browser) -> Result<(u64, String)> {
    let script = "return [performance.getEntriesByType('navigation')[0].responseStatus, document.contentType]";
    let found = browser.driver().script(script, &[])?;
    Ok((found[0].as_u64().unwrap_or(0), found[1].as_str().unwrap_or_default().to_owned()))
}

/// Goes everywhere from `first`, and looks at each page; gives back what is
/// wrong and which kinds of page there were.
fn wander(browser: &Browser, first: &[String], allowed: &[u64]) -> Result<(Vec<String>, BTreeSet<String>)> {
    let (mut faults, mut count) = (Vec::new(), BTreeMap::<String, usize>::new());
    let mut queue: VecDeque<String> = first.iter().cloned().collect();
    let mut seen: BTreeSet<String> = queue.iter().cloned().collect();
    while let Some(path) = queue.pop_front() {
        let of_a_kind = count.entry(kind(&path)).or_default();
        *of_a_kind += 1;
        if *of_a_kind > OF_A_KIND {
            continue;
        }
        browser.go(&path)?;
        let (status, content) = answer(browser)?;
        if content != "text/html" {
            continue;
        }
        if !allowed.contains(&status) {
            faults.push(format!("{path}: status {status}"));
            continue;
        }
        if let Err(error) = browser.check() {
            faults.push(format!("{error:#}"));
            browser.forget_console()?;
            browser.forget_network()?;
        }
        browser.size(Size::Phone)?;
        let wide = browser.overflowing()?;
        if !wide.is_empty() {
            faults.push(format!("{path}: wider than a phone: {}", wide.join("\n    ")));
        }
        browser.size(Size::Desktop)?;
        for link in links(browser)? {
            if is_page(&link) && seen.insert(link.clone()) {
                queue.push_back(link);
            }
        }
    }
    Ok((faults, count.into_keys().collect()))
}

fn report(faults: &[String]) -> Result<()> {
    if faults.is_empty() {
        return Ok(());
    }
    let mut text = format!("{} fault(s):", faults.len());
    for fault in faults {
        let _ = write!(text, "\n- {fault}");
    }
    bail!(text)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_accessible_quiet_and_keeps_to_itself() -> Result<()> {
    let lively = Lively::start().await?;
    let browser = lively.world.browser(WATCHER)?;
    let first: Vec<String> = lively.pages().into_iter().map(|(_, path)| path).collect();
    let (faults, kinds) = wander(&browser, &first, &[200])?;
    println!("{} kinds of page:\n{}", kinds.len(), kinds.into_iter().collect::<Vec<_>>().join("\n"));
    report(&faults)?;
    // By the browser's own log: nobody else was asked, by no frame.
    let outside = browser.outside()?;
    if !outside.is_empty() {
        bail!("{outside:?} were asked");
    }
    Ok(())
}

/// Contrast differs in the dark, and so may what fits on a phone.
#[tokio::test(flavor = "multi_thread")]
async fn in_the_dark_on_a_phone_and_without_scripts() -> Result<()> {
    let lively = Lively::start().await?;
    let browser = lively.world.browser(WATCHER)?;
    let mut faults = Vec::new();
    browser.dark(true)?;
    browser.size(Size::Phone)?;
    for (name, path) in lively.pages() {
        browser.go(&path)?;
        if answer(&browser)? != (200, "text/html".to_owned()) {
            faults.push(format!("{name}: {path} is no page"));
            continue;
        }
        if let Err(error) = browser.check() {
            faults.push(format!("{name}, dark on a phone: {error:#}"));
            browser.forget_console()?;
            browser.forget_network()?;
        }
    }
    browser.dark(false)?;
    browser.size(Size::Desktop)?;
    browser.scripts(false)?;
    for (name, path) in lively.pages() {
        browser.go(&path)?;
        let heading = browser.driver().script("return document.querySelector('main h1')?.innerText || ''", &[])?;
        let buttons = "return [...document.querySelectorAll('button')].filter(b => b.checkVisibility() \
            && !b.form && !b.hidden && !b.closest('summary')).map(b => b.innerText || b.ariaLabel)";
        let dead = browser.driver().script(buttons, &[])?;
        if heading == "" {
            faults.push(format!("{name}: no heading without scripts"));
        }
        if dead.as_array().is_some_and(|b| !b.is_empty()) {
            faults.push(format!("{name}: without scripts these buttons do nothing: {dead}"));
        }
    }
    report(&faults)
}

/// Whoever may not, is told so in a page like the others.
#[tokio::test(flavor = "multi_thread")]
async fn pages_that_are_not_theirs_refuse_people_in_words() -> Result<()> {
    let lively = Lively::start().await?;
    let browser = lively.world.browser(SAM)?;
    let first: Vec<String> = lively.pages().into_iter().map(|(_, path)| path).collect();
    let mut faults = Vec::new();
    for person in [SAM, NORA] {
        lively.world.sign_in(&browser, person)?;
        let (found, _) = wander(&browser, &first, &[200, 403, 404])?;
        faults.extend(found.into_iter().map(|fault| format!("{}: {fault}", person.first)));
        for path in ["/settings/email", "/settings/security/sessions", "/settings/security/audit", "/settings/data"] {
            browser.go(path)?;
            let (status, _) = answer(&browser)?;
            // Settings may be looked at where they may not be changed.
            let looks = status == 200 && !browser.has("Save")?;
            if status != 403 && !looks {
                faults.push(format!("{}: {path} answers {status}", person.first));
            }
        }
    }
    report(&faults)
}
