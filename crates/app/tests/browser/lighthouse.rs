//! Lighthouse on the main pages, signed in: `cargo xtask lighthouse` writes its
//! table into `docs/benchmarks.md`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::lively::{Lively, WATCHER};

const PAGES: [&str; 7] = ["work", "queues", "email", "mailboxes", "mailbox", "email-settings", "monitoring"];
const CATEGORIES: [&str; 4] = ["performance", "accessibility", "best-practices", "seo"];
const BEGIN: &str = "<!-- lighthouse: written by `cargo xtask lighthouse` -->\n";
const END: &str = "<!-- end of lighthouse -->";

/// Lighthouse's own report on one page.
fn measure(place: &Path, url: &str, cookies: &str, preset: &[&str]) -> Result<Value> {
    let directory = tempfile::tempdir()?;
    let (headers, report) = (directory.path().join("headers.json"), directory.path().join("report.json"));
    fs::write(&headers, json!({ "Cookie": cookies }).to_string())?;
    let root = Command::new("id").arg("-u").output()?.stdout.trim_ascii() == b"0";
    let sandbox = if root { " --no-sandbox" } else { "" };
    let output = Command::new("node")
        .arg(place.join("node_modules/lighthouse/cli/index.js"))
        .arg(url)
        .args(["--quiet", "--output=json", "--disable-full-page-screenshot"])
        .arg(format!("--only-categories={}", CATEGORIES.join(",")))
        .arg(format!("--output-path={}", report.display()))
        .arg(format!("--extra-headers={}", headers.display()))
        .arg(format!("--chrome-flags=--headless=new --disable-gpu --disable-dev-shm-usage{sandbox}"))
        .args(preset)
        .env("CHROME_PATH", "/usr/bin/chromium")
        .output()
        .context("node cannot be started")?;
    ensure!(output.status.success(), "{url}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_str(&fs::read_to_string(report)?)?)
}

fn score(report: &Value, category: &str) -> i64 {
    report["categories"][category]["score"].as_f64().map_or(0, |s| (s * 100.0).round() as i64)
}

/// Of three runs the one in the middle, as Lighthouse's makers advise: what else
/// runs on the machine shows in single runs.
fn median(place: &Path, url: &str, cookies: &str) -> Result<Value> {
    let mut runs = Vec::new();
    for _ in 0..3 {
        runs.push(measure(place, url, cookies, &[])?);
    }
    runs.sort_by_key(|report| score(report, "performance"));
    Ok(runs.swap_remove(1))
}

/// What took the processor, in milliseconds, and what the page made of it.
fn time(report: &Value) -> String {
    let mut out = String::new();
    for metric in
        ["first-contentful-paint", "largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift"]
    {
        let _ = write!(out, "{metric} {}; ", report["audits"][metric]["displayValue"].as_str().unwrap_or("?"));
    }
    let groups = report["audits"]["mainthread-work-breakdown"]["details"]["items"].as_array();
    for group in groups.into_iter().flatten() {
        let label = group["groupLabel"].as_str().unwrap_or_default();
        let _ = write!(out, "{label} {:.0}; ", group["duration"].as_f64().unwrap_or(0.0));
    }
    out
}

/// Audits that cost points.
fn losses(report: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for category in CATEGORIES {
        for reference in report["categories"][category]["auditRefs"].as_array().into_iter().flatten() {
            let id = reference["id"].as_str().unwrap_or_default();
            let audit = &report["audits"][id];
            let weighs = reference["weight"].as_f64().unwrap_or(0.0) > 0.0;
            if weighs && audit["score"].as_f64().is_some_and(|s| s < 0.9) {
                let shown = audit["displayValue"].as_str().unwrap_or_default();
                found.push(format!("{category}: {} {shown}", audit["title"].as_str().unwrap_or(id)));
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "writes docs/benchmarks.md; cargo xtask lighthouse runs it"]
async fn the_main_pages() -> Result<()> {
    let place = testkit::browser::target()?.join("clients/lighthouse");
    ensure!(place.join("installed").exists(), "scripts/setup lighthouse installs it");
    let lively = Lively::start().await?;
    let browser = lively.world.browser(WATCHER)?;
    browser.go("/")?;
    let cookies = browser.cookies()?;
    let base = lively.world.crm.postroom.base();
    let pages = lively.pages();
    let mut table = String::from(
        "| page | phone: performance | accessibility | best practices | SEO | desktop: performance | kB on the wire, first visit |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for name in PAGES {
        let (_, path) = pages.iter().find(|(n, _)| *n == name).with_context(|| format!("no page {name}"))?;
        let url = format!("{base}{path}");
        let phone = median(&place, &url, &cookies)?;
        let desktop = measure(&place, &url, &cookies, &["--preset=desktop"])?;
        let scores: Vec<String> = CATEGORIES.iter().map(|c| score(&phone, c).to_string()).collect();
        let bytes = phone["audits"]["total-byte-weight"]["numericValue"].as_f64().unwrap_or(0.0) / 1000.0;
        let row = format!("| {name} | {} | {} | {bytes:.0} |\n", scores.join(" | "), score(&desktop, "performance"));
        println!("{row}{}\n{}", time(&phone), losses(&phone).join("\n"));
        table += &row;
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/benchmarks.md");
    let text = fs::read_to_string(&file)?;
    let (before, rest) = text.split_once(BEGIN).context("no place for the table in docs/benchmarks.md")?;
    let (_, after) = rest.split_once(END).context("no end of the table in docs/benchmarks.md")?;
    let mut out = String::new();
    let _ = write!(out, "{before}{BEGIN}{table}{END}{after}");
    Ok(fs::write(&file, out)?)
}
