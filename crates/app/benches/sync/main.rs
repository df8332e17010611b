//! How fast mail comes in, beside peers in the same run: `cargo xtask bench`.
//!
//! Three ways to bring the same mailboxes from the same Dovecot, alternately,
//! each into fresh folders: a bare client that only fetches, `mbsync` as it
//! ships into a Maildir, and Postroom into its database and segments.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

mod contestants;
mod idle;
mod mailboxes;
mod measure;
mod report;

use measure::Sample;

/// What is measured, with the defaults of the published figures.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Mailboxes × messages in each.
    pub scenarios: Vec<(usize, usize)>,
    pub rounds: usize,
    /// Mailboxes for the cycle with nothing new; 0: left out.
    pub idle: usize,
    /// 0: a realistic mix of sizes; else every message has so many octets.
    pub octets: usize,
    pub postgres: bool,
}

fn main() -> Result<()> {
    let plan = arguments()?;
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_postroom"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        for (mailboxes, messages) in &plan.scenarios {
            let samples = scenario(&binary, &plan, *mailboxes, *messages).await?;
            report::print(*mailboxes, *messages, &samples);
        }
        if plan.idle > 0 {
            idle::run(&binary, plan.idle).await?;
        }
        Ok(())
    })
}

fn arguments() -> Result<Plan> {
    let mut plan =
        Plan { scenarios: vec![(1, 20_000), (200, 100)], rounds: 3, idle: 1000, octets: 20 * 1024, postgres: false };
    let mut all = std::env::args().skip(1);
    while let Some(argument) = all.next() {
        let mut number = || -> Result<usize> { Ok(all.next().context("a number is missing")?.parse()?) };
        match argument.as_str() {
            "--rounds" => plan.rounds = number()?,
            "--idle" => plan.idle = number()?,
            "--octets" => plan.octets = number()?,
            "--only" => plan.scenarios = vec![(number()?, number()?)],
            "--no-scenarios" => plan.scenarios.clear(),
            "--postgres" => plan.postgres = true,
            // What `cargo bench` adds by itself.
            "--bench" => {}
            other => bail!(
                "unknown argument '{other}': --rounds N, --idle N, --octets N (0: a mix), --only MAILBOXES MESSAGES, --postgres"
            ),
        }
    }
    Ok(plan)
}

async fn scenario(binary: &std::path::Path, plan: &Plan, mailboxes: usize, messages: usize) -> Result<Vec<Sample>> {
    report::say(&format!("filling {mailboxes} mailbox(es) with {messages} messages each"));
    let world = mailboxes::World::prepare(binary, plan, mailboxes, messages).await?;
    let mut samples = Vec::new();
    for round in 1..=plan.rounds {
        for contestant in contestants::ALL {
            let sample = contestants::run(*contestant, &world).await?;
            report::say(&format!("round {round}: {sample}"));
            samples.push(sample);
        }
    }
    Ok(samples)
}
