//! The project's own tools. `cargo xtask tidy` checks the law of
//! ARCHITECTURE.md; `cargo xtask bench`, `bench-api` and `bench-pages` measure beside peers;
//! `shots` takes pictures of the pages, `lighthouse` measures them.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

mod tidy;

fn main() -> ExitCode {
    let task = std::env::args().nth(1).unwrap_or_default();
    let done = match task.as_str() {
        "tidy" => tidy::run(),
        "bench" => cargo(&["bench", "-p", "app", "--bench", "sync", "--"], 2),
        "bench-pages" => cargo(&["bench", "-p", "app", "--bench", "pages", "--"], 2),
        "bench-api" => cargo(&["bench", "-p", "app", "--bench", "api", "--"], 2),
        "shots" => {
            cargo(&["test", "-q", "-p", "app", "--test", "browser", "--", "--ignored", "--nocapture", "shots"], 2)
        }
        "lighthouse" => {
            cargo(&["test", "-q", "-p", "app", "--test", "browser", "--", "--ignored", "--nocapture", "lighthouse"], 2)
        }
        "docs" => cargo(&["run", "-q", "-p", "app", "--bin", "postroom", "--", "docs", "--write"], 2),
        _ => Err(anyhow::anyhow!(
            "usage: cargo xtask tidy | bench [OPTIONS] | bench-api [OPTIONS] | bench-pages [OPTIONS] | shots | lighthouse | docs"
        )),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Runs cargo in the workspace, handing on what stands after the task's name.
fn cargo(args: &[&str], skip: usize) -> Result<()> {
    let status =
        Command::new("cargo").args(args).args(std::env::args().skip(skip)).status().context("cannot start cargo")?;
    if !status.success() {
        bail!("cargo {} failed", args.join(" "));
    }
    Ok(())
}

#[expect(clippy::print_stderr, reason = "a command's report to its user")]
fn report(line: &str) {
    eprintln!("{line}");
}
