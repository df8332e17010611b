//! A cycle over many mailboxes with nothing new.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::{Plan, mailboxes, measure, report};

pub async fn run(binary: &Path, mailboxes: usize) -> Result<()> {
    report::say(&format!("enabling {mailboxes} empty mailboxes"));
    let plan = Plan { scenarios: Vec::new(), rounds: 1, idle: mailboxes, octets: 1024, postgres: false };
    let world = mailboxes::World::prepare(binary, &plan, mailboxes, 0).await?;
    let mut postroom = world.installation()?;
    let began = Instant::now();
    postroom.serve()?;
    let api = postroom.api();
    loop {
        let done = cycles(&api)?;
        if done >= mailboxes {
            break;
        }
        if began.elapsed() > Duration::from_secs(300) {
            bail!("only {done} of {mailboxes} cycles ended:\n{}", postroom.log());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let wall = began.elapsed();
    let (cpu, peak) = postroom.pid().map(measure::usage).unwrap_or_default();
    report::idle(mailboxes, wall, cpu, peak);
    Ok(())
}

/// Incoming cycles that ended well since the start.
fn cycles(api: &testkit::Api) -> Result<usize> {
    let metrics = api.get("/metrics")?;
    let text = metrics.as_str().unwrap_or_default();
    let wanted = |l: &&str| l.starts_with("postroom_cycles_total") && l.contains("incoming") && l.contains("\"ok\"");
    Ok(text.lines().filter(wanted).filter_map(|l| l.rsplit(' ').next()?.parse::<usize>().ok()).sum())
}
