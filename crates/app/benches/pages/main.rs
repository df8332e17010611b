//! How fast pages are made with 100,000 emails and 5,000 mailboxes in the
//! database: `cargo xtask bench-pages`.
//!
//! One person's browser asks page after page over a connection that stays
//! open, each many times. Beside every page stands the ratio to the style
//! sheet, which the same server sends without looking at anything.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

mod asking;
mod world;

use asking::Browser;

/// What is measured, with the defaults of the published figures.
#[derive(Debug, Clone)]
pub struct Plan {
    pub emails: usize,
    pub mailboxes: usize,
    pub times: usize,
    pub postgres: bool,
}

/// The 95th percentile that a page may take.
const AIM: Duration = Duration::from_millis(20);

fn main() -> Result<()> {
    let plan = arguments()?;
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_postroom"));
    say(&format!("writing {} emails and {} mailboxes", plan.emails, plan.mailboxes));
    let world = world::World::prepare(&binary, &plan)?;
    let mut browser = Browser::sign_in(&world.postroom)?;
    let still = measure(&mut browser, "/static/postroom.css", plan.times)?;
    say("\n| page | median ms | p95 ms | × the style sheet | kB |\n|---|---|---|---|---|");
    let mut slow = Vec::new();
    for path in &world.paths {
        let taken = measure(&mut browser, path, plan.times)?;
        say(&format!(
            "| `{}` | {:.1} | {:.1} | {:.1} | {:.0} |",
            world.shown(path),
            millis(taken.median),
            millis(taken.p95),
            taken.median.as_secs_f64() / still.median.as_secs_f64(),
            taken.octets as f64 / 1000.0
        ));
        if taken.p95 > AIM {
            slow.push(path.as_str());
        }
    }
    say(&format!("\nover {} ms at the 95th percentile: {}", AIM.as_millis(), slow.join(", ")));
    Ok(())
}

struct Taken {
    median: Duration,
    p95: Duration,
    octets: usize,
}

fn measure(browser: &mut Browser, path: &str, times: usize) -> Result<Taken> {
    let mut all = Vec::new();
    let mut octets = 0;
    for n in 0..times + 3 {
        let began = Instant::now();
        let answer = browser.get(path)?;
        // The first fill caches that a day's work finds full.
        if n >= 3 {
            all.push(began.elapsed());
        }
        ensure!(answer.status == 200, "{path}: {}: {}", answer.status, answer.body);
        octets = answer.body.len();
    }
    all.sort_unstable();
    let at = |part: f64| all.get((all.len() as f64 * part) as usize).copied().unwrap_or_default();
    Ok(Taken { median: at(0.5), p95: at(0.95), octets })
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[expect(clippy::print_stdout, reason = "a benchmark is run for what it prints")]
fn say(line: &str) {
    println!("{line}");
}

fn arguments() -> Result<Plan> {
    let mut plan = Plan { emails: 100_000, mailboxes: 5000, times: 100, postgres: false };
    let mut all = std::env::args().skip(1);
    while let Some(argument) = all.next() {
        let mut number = || -> Result<usize> { Ok(all.next().context("a number is missing")?.parse()?) };
        match argument.as_str() {
            "--emails" => plan.emails = number()?,
            "--mailboxes" => plan.mailboxes = number()?,
            "--times" => plan.times = number()?,
            "--postgres" => plan.postgres = true,
            // What `cargo bench` adds by itself.
            "--bench" => {}
            other => bail!("unknown argument '{other}': --emails N, --mailboxes N, --times N, --postgres"),
        }
    }
    Ok(plan)
}
