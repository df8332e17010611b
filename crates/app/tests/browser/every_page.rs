//! Every page there is, opened and looked at: the pages that are known by name
//! and whatever they link to.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

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

/// What the elements of the page are like, each kind once: everything that
/// decides how it is drawn and read out, but for its words.
fn shapes(browser: &Browser) -> Result<BTreeSet<String>> {
    let script = "const own = e => e.tagName + '.' + [...e.classList].sort().join('.'); \
        const words = e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()); \
        const shape = e => own(e.parentElement || e) + '>' + own(e) + [...e.attributes].map(a => \
            ['role', 'type', 'aria-hidden', 'aria-current', 'aria-sort', 'hidden', 'disabled'].includes(a.name) ? `[${a.name}=${a.value}]` \
            : a.value.trim() ? `[${a.name}]` : `[${a.name}=]`).sort().join('') + (words(e) ? '+' : e.childElementCount ? '' : '0'); \
        return [...new Set([...document.querySelectorAll('*')].map(shape))]";
    let found = browser.driver().script(script, &[])?;
    Ok(found.as_array().context("no shapes")?.iter().filter_map(|s| s.as_str().map(str::to_owned)).collect())
}

/// Status and type of what the browser shows.
fn answer(browser: &Browser) -> Result<(u64, String)> {
    let script = "return [performance.getEntriesByType('navigation')[0].responseStatus, document.contentType]";
    let found = browser.driver().script(script, &[])?;
    Ok((found[0].as_u64().unwrap_or(0), found[1].as_str().unwrap_or_default().to_owned()))
}

/// Goes everywhere from `first` within what is `ours`, and looks at each page;
/// gives back what is wrong and which kinds of page there were. axe-core, which
/// takes most of the time, looks where there is an element the like of which it
/// has not seen: `known`.
fn wander(
    browser: &Browser,
    first: &[String],
    ours: impl Fn(&str) -> bool,
    allowed: &[u64],
    known: &mut BTreeSet<String>,
) -> Result<(Vec<String>, BTreeSet<String>)> {
    let (mut faults, mut count) = (Vec::new(), BTreeMap::<String, usize>::new());
    let mut queue: VecDeque<String> = first.iter().filter(|path| ours(path)).cloned().collect();
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
        let before = known.len();
        known.extend(shapes(browser)?);
        let result = if known.len() > before { browser.check() } else { browser.check_quiet() };
        if let Err(error) = result {
            faults.push(format!("{error:#}"));
            browser.forget_console()?;
        }
        browser.forget_network()?;
        browser.size(Size::Phone)?;
        let wide = browser.overflowing()?;
        if !wide.is_empty() {
            faults.push(format!("{path}: wider than a phone: {}", wide.join("\n    ")));
        }
        browser.size(Size::Desktop)?;
        for link in links(browser)? {
            if is_page(&link) && ours(&link) && seen.insert(link.clone()) {
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

/// The pages in parts that are looked at side by side; what no beginning fits
/// belongs to the first.
const PARTS: [(&str, &[&str]); 3] = [
    ("work", &[]),
    (
        "email configuration",
        &[
            "/settings/mailboxes",
            "/settings/profiles",
            "/settings/email",
            "/settings/monitoring",
            "/settings/alerts",
            "/start",
        ],
    ),
    ("administration", &["/settings/security", "/settings/data", "/settings/feedback"]),
];

fn part(path: &str) -> &'static str {
    let fits = |beginnings: &&[&str]| beginnings.iter().any(|b| path.starts_with(b));
    PARTS.iter().find(|(_, beginnings)| fits(beginnings)).map_or(PARTS[0].0, |(name, _)| name)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_work_is_accessible_quiet_and_keeps_to_itself() -> Result<()> {
    look_at("work").await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_email_configuration_is_accessible_quiet_and_keeps_to_itself() -> Result<()> {
    look_at("email configuration").await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_administration_is_accessible_quiet_and_keeps_to_itself() -> Result<()> {
    look_at("administration").await
}

async fn look_at(name: &str) -> Result<()> {
    let lively = Lively::start().await?;
    let browser = lively.world.browser(WATCHER)?;
    browser.keep_axe()?;
    // Each page is linked to from one of its part, or stands here.
    let mut first: Vec<String> = lively.pages().into_iter().map(|(_, path)| path).collect();
    let collect = lively.collect.mailbox;
    first.extend([
        "/account".to_owned(),
        format!("/settings/mailboxes/{collect}/assign"),
        format!("/settings/mailboxes/{collect}/delete"),
        "/settings/mailboxes/tests?from=0&to=1".to_owned(),
        format!("/work/emails/{}/answer?how=reply", lively.attachments),
    ]);
    let (faults, kinds) = wander(&browser, &first, |path| part(path) == name, &[200], &mut BTreeSet::new())?;
    report(&faults)?;
    forgotten(name, &kinds)?;
    // By the browser's own log: nobody else was asked, by no frame.
    let outside = browser.outside()?;
    if !outside.is_empty() {
        bail!("{outside:?} were asked");
    }
    Ok(())
}

/// Pages that nothing leads to in the state that this company is in, and the
/// story that looks at each.
const ELSEWHERE: [(&str, &str); 6] = [
    ("/options/mailbox", "mailbox::without_scripts_and_without_rights"),
    ("/settings/profiles/inquiries/{id}", "profiles::settings_are_looked_up_tested_and_saved"),
    ("/work/commands/{id}", "bulk::two_hundred_mailboxes_at_once"),
    ("/work/emails/{id}/edit", "writing::a_formatted_email_arrives_as_it_was_written"),
    ("/work/emails/{id}/resolve", "filing::unknown_addresses_get_an_existing_and_a_new_record"),
    ("/work/messages/{id}", "filing::a_message_that_was_not_tracked_is_tracked_and_filed"),
];
/// What is asked for by a page and is none: parts that move, files, pictures.
const NO_PAGES: [&str; 19] = [
    "/favicon.ico",
    "/settings/data/backups",
    "/settings/data/encryption",
    "/settings/mailboxes/{id}/beside",
    "/settings/mailboxes/{id}/details",
    "/settings/mailboxes/{id}/progress",
    "/settings/profiles/{id}/connections",
    "/settings/profiles/{id}/mailboxes",
    "/settings/security/roles/{id}/assign",
    "/settings/security/teams/{id}/members",
    "/start/steps",
    "/static/{name}",
    "/work/emails/recipients",
    "/work/emails/{id}/body",
    "/work/emails/{id}/files/{file}",
    "/work/emails/{id}/quoted",
    "/work/emails/{id}/raw",
    "/work/messages/{id}/body",
    "/work/queues/{id}/news",
];

/// The addresses that the sources of the pages declare for `GET`.
fn routes() -> Result<BTreeSet<String>> {
    let (mut found, mut folders) =
        (BTreeSet::new(), vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/src/pages")]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path)?;
            let quoted = |text: &str| text.strip_prefix('"').and_then(|rest| rest.split('"').next()).map(str::to_owned);
            let own = text.split("const PATH: &str = ").nth(1).and_then(quoted);
            let named = |text: &str| if text.starts_with("PATH,") { own.clone() } else { quoted(text) };
            for call in text.split(".route(").skip(1).map(str::trim_start) {
                let mut depth = 1;
                let closes = |c: char| {
                    depth += i32::from(c == '(') - i32::from(c == ')');
                    depth == 0
                };
                let end = call.find(closes).unwrap_or(call.len());
                found.extend(named(call).filter(|_| call[..end].contains("get(")));
            }
            for base in text.split("\n    base: ").skip(1).filter_map(named) {
                found.insert(format!("{base}/design"));
                found.insert(base);
            }
        }
    }
    Ok(found)
}

/// No page of the program is left out.
fn forgotten(name: &str, kinds: &BTreeSet<String>) -> Result<()> {
    let fits = |route: &str, path: &str| {
        let (route, path): (Vec<_>, Vec<_>) = (route.split('/').collect(), path.split('/').collect());
        route.len() == path.len() && route.iter().zip(&path).all(|(r, p)| r == p || r.starts_with('{'))
    };
    let visited = |route: &str| kinds.iter().filter_map(|kind| kind.split(' ').next()).any(|path| fits(route, path));
    let known = |route: &str| ELSEWHERE.iter().any(|(r, _)| *r == route) || NO_PAGES.contains(&route);
    let ours: Vec<String> = routes()?.into_iter().filter(|route| part(route) == name).collect();
    let missing: Vec<&String> = ours.iter().filter(|route| !known(route) && !visited(route)).collect();
    if ours.len() < 10 || !missing.is_empty() {
        bail!("of {} pages never looked at: {missing:?}", ours.len());
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
    let (mut faults, mut known) = (Vec::new(), BTreeSet::new());
    browser.keep_axe()?;
    for person in [SAM, NORA] {
        lively.world.sign_in(&browser, person)?;
        let (found, _) = wander(&browser, &first, |_| true, &[200, 403, 404], &mut known)?;
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
