//! The main job on real servers, as `./demo` shows it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use testkit::Crm;

mod company;
mod letters;
mod report;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (mut binary, mut once) = (PathBuf::from("target/debug/postroom"), false);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--once" => once = true,
            "--postroom" => binary = arguments.next().context("--postroom needs the program's path")?.into(),
            other => bail!("unknown argument '{other}'; usage: ./demo [--once]"),
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(&binary, once))
}

async fn run(binary: &std::path::Path, once: bool) -> Result<()> {
    report::chapter("Starting Dovecot, Postfix and Postroom on loopback");
    let crm = Crm::start(binary).await?;
    report::say(&format!(
        "Dovecot IMAPS on {}, Postfix submission on {}",
        crm.mail.dovecot.imaps_port(),
        crm.mail.postfix.submission_port()
    ));
    report::say(&format!("Postroom on {}", crm.postroom.base()));

    let company = company::found(&crm)?;
    let story = company::correspondence(&crm, &company).await;
    let faults = match story {
        Ok(()) => report::summary(&crm, &company)?,
        Err(error) => {
            report::say(&format!("the service's log:\n{}", crm.postroom.log()));
            return Err(error);
        }
    };
    if once {
        if faults > 0 {
            bail!("{faults} thing(s) were not as expected");
        }
        report::say("everything was as expected");
        return Ok(());
    }
    report::where_to_look(&crm)?;
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = tokio::time::sleep(Duration::from_secs(24 * 3600)) => {}
    }
    report::say("stopping what was started");
    Ok(())
}
