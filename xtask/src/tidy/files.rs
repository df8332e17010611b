//! What a file must be: opened by `//!` and at most 400 production lines.
//! (The length of functions is clippy's `too_many_lines`.)

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

const FILE_LINES: usize = 400;

pub fn check(root: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for crate_dir in fs::read_dir(root.join("crates"))? {
        collect(&crate_dir?.path().join("src"), &mut files)?;
    }
    collect(&root.join("xtask/src"), &mut files)?;
    files.sort();
    let mut findings = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file)?;
        let shown = file.strip_prefix(root).unwrap_or(&file).display().to_string();
        findings.extend(check_file(&shown, &text, is_test_file(&file)));
    }
    Ok(findings)
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if !dir.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

fn is_test_file(path: &Path) -> bool {
    let in_tests = path.components().any(|c| c.as_os_str() == "tests");
    let stem = path.file_stem().and_then(|s| s.to_str()).unwrap_or_default();
    in_tests || stem == "tests" || stem.ends_with("_tests") || stem.starts_with("test_support")
}

fn check_file(name: &str, text: &str, test_file: bool) -> Vec<String> {
    let mut findings = Vec::new();
    if !text.trim_start().starts_with("//!") {
        findings.push(format!("{name}: does not open with a //! line that says what lives here"));
    }
    if test_file {
        return findings;
    }
    // Tests stand at the end of a file, as the style has it.
    let production = text.find("#[cfg(test)]\nmod ").map_or(text, |at| &text[..at]);
    let lines: Vec<&str> = production.lines().collect();
    if lines.len() > FILE_LINES {
        findings.push(format!("{name}: {} production lines (at most {FILE_LINES}); split it", lines.len()));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_first_line_is_found() {
        assert_eq!(check_file("a.rs", "fn a() {}\n", false).len(), 1);
        assert!(check_file("a.rs", "//! A.\nfn a() {}\n", false).is_empty());
    }

    #[test]
    fn tests_do_not_count() {
        let tests = format!("//! A.\n#[cfg(test)]\nmod tests {{\n{}}}\n", "    x\n".repeat(500));
        assert!(check_file("a.rs", &tests, false).is_empty());
    }
}
