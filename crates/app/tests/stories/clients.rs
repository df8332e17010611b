//! Other people's clients of the Web API against the real program.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use testkit::{Postroom, postroom};

use crate::common::*;

/// Where `scripts/setup clients` puts them: beside the program's own directory.
#[expect(clippy::print_stdout, reason = "whoever runs the tests should see what was left out")]
fn python() -> Result<Option<PathBuf>> {
    let target = binary().parent().and_then(Path::parent).context("the program is in no target directory")?;
    let python = target.join("clients/python/bin/python");
    if python.exists() {
        return Ok(Some(python));
    }
    if full_run() {
        bail!("{} is not there: scripts/setup clients", python.display());
    }
    println!("skipped: {} is not there; scripts/setup clients installs it", python.display());
    Ok(None)
}

#[expect(clippy::disallowed_methods, reason = "the test runner's environment says which run this is")]
pub fn full_run() -> bool {
    std::env::var("NEXTEST_PROFILE").is_ok_and(|profile| profile == "ci")
}

/// python-odata makes its classes from `$metadata` alone, then lists, filters,
/// creates, follows, updates and deletes by them.
#[test]
fn a_generic_odata_client_finds_its_way_by_the_metadata() -> Result<()> {
    let Some(python) = python()? else { return Ok(()) };
    let postroom = Postroom::start(binary(), postroom::Options::default())?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stories/clients/odata_client.py");
    let output = Command::new(python)
        .arg(script)
        .arg(format!("{}/api/data/v9.2/", postroom.base()))
        .arg(postroom.token())
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let api = postroom.api();
    let sets = api.get("")?["value"].as_array().context("no service document")?.len();
    ensure!(said.trim() == format!("{sets} sets"), "the client found {said}, and there are {sets}");
    // What the client left is what it says it left.
    ensure!(api.list("contacts")?.is_empty() && api.list("accounts")?.len() == 1);
    Ok(())
}
