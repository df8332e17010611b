//! How fast the API answers, beside the database driver alone in the same run:
//! `cargo xtask bench-api`.
//!
//! Three requests, each over connections that stay open: one mailbox by its id,
//! a page of emails with their parties, a new email with two parties. The
//! limit is the driver in this process on a copy of the same database, with
//! the same pragmas: the same rows read or written by the least SQL that does
//! it, and nothing made of them.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

mod driver;
mod http;
mod report;
mod world;

use report::Sample;

/// What is measured, with the defaults of the published figures.
#[derive(Debug, Clone)]
pub struct Plan {
    pub rounds: usize,
    /// Seconds that each measurement takes.
    pub seconds: f64,
    pub connections: usize,
    /// Emails that are there before.
    pub emails: usize,
    pub postgres: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    ReadMailbox,
    ListEmails,
    CreateEmail,
}

impl Work {
    pub const ALL: [Self; 3] = [Self::ReadMailbox, Self::ListEmails, Self::CreateEmail];

    pub fn name(self) -> &'static str {
        match self {
            Self::ReadMailbox => "one mailbox by id",
            Self::ListEmails => "50 emails with parties",
            Self::CreateEmail => "a new email with 2 parties",
        }
    }
}

fn main() -> Result<()> {
    let plan = arguments()?;
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_postroom"));
    report::say(&format!("writing {} emails", plan.emails));
    let world = world::World::prepare(&binary, &plan)?;
    let mut samples = Vec::new();
    for round in 1..=plan.rounds {
        for work in Work::ALL {
            for who in ["driver", "postroom"] {
                let times = match who {
                    "driver" => driver::run(&world, &plan, work)?,
                    _ => http::run(&world, &plan, work)?,
                };
                let sample = Sample::new(who, work, times, plan.seconds);
                report::say(&format!("round {round}: {sample}"));
                samples.push(sample);
            }
        }
    }
    report::print(&samples);
    Ok(())
}

fn arguments() -> Result<Plan> {
    let mut plan = Plan { rounds: 5, seconds: 3.0, connections: 8, emails: 5000, postgres: false };
    let mut all = std::env::args().skip(1);
    while let Some(argument) = all.next() {
        let mut number = || -> Result<usize> { Ok(all.next().context("a number is missing")?.parse()?) };
        match argument.as_str() {
            "--rounds" => plan.rounds = number()?,
            "--seconds" => plan.seconds = number()? as f64,
            "--connections" => plan.connections = number()?,
            "--emails" => plan.emails = number()?,
            "--postgres" => plan.postgres = true,
            // What `cargo bench` adds by itself.
            "--bench" => {}
            other => bail!(
                "unknown argument '{other}': --rounds N, --seconds N, --connections N, --emails N, --postgres (the driver stays SQLite's)"
            ),
        }
    }
    Ok(plan)
}
