//! The law, held by a program: edges between crates, rooms of outside crates,
//! length of files and functions, a first line for every module.

use std::path::Path;

use anyhow::{Result, bail};

use crate::report;

mod edges;
mod files;

/// Runs every check and reports all findings together.
pub fn run() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let mut findings = edges::check(root)?;
    findings.extend(files::check(root)?);
    for finding in &findings {
        report(finding);
    }
    if !findings.is_empty() {
        bail!("tidy: {} finding(s)", findings.len());
    }
    report("tidy: nothing found");
    Ok(())
}
