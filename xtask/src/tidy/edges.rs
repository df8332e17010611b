//! Who may depend on whom: the table of ARCHITECTURE.md, held against
//! `cargo metadata`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

/// Crate, and the crates of ours that it may use.
const EDGES: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("rules", &["model"]),
    ("formats", &["model"]),
    ("store", &["model"]),
    ("connectors", &["model", "formats"]),
    ("actions", &["model", "rules", "store"]),
    ("sync", &["model", "rules", "formats", "connectors", "store"]),
    ("web", &["model", "formats", "actions"]),
    ("app", &["model", "rules", "formats", "store", "connectors", "actions", "sync", "web"]),
    ("testkit", &["model", "formats", "connectors", "store"]),
    ("xtask", &[]),
];

/// Outside crates that only these crates of ours may use.
const ROOMS: &[(&str, &[&str])] = &[
    ("rusqlite", &["store"]),
    ("tokio-postgres", &["store"]),
    ("deadpool-postgres", &["store"]),
    ("tokio-postgres-rustls", &["store"]),
    ("chacha20poly1305", &["store"]),
    ("zstd", &["store"]),
    ("axum", &["web"]),
    ("tower", &["web"]),
    ("tower-http", &["web"]),
    ("hyper", &["connectors", "web", "testkit"]),
    ("hyper-util", &["connectors", "web", "testkit"]),
    ("http-body-util", &["connectors", "testkit"]),
    ("rustls", &["connectors", "store", "web", "app", "testkit"]),
    ("tokio-rustls", &["connectors", "web", "testkit"]),
    ("rustls-native-certs", &["connectors", "store"]),
    ("rsasl", &["connectors"]),
    ("hickory-resolver", &["connectors"]),
    ("mail-parser", &["formats"]),
    ("mail-builder", &["formats"]),
    ("quick-xml", &["formats"]),
    ("ammonia", &["formats"]),
    ("html5ever", &["formats"]),
    ("cssparser", &["formats"]),
    ("url", &["formats"]),
    ("idna", &["formats"]),
    ("clap", &["app"]),
    ("indicatif", &["app"]),
    ("comfy-table", &["app"]),
    ("metrics-exporter-prometheus", &["app"]),
    ("tracing-subscriber", &["app", "testkit"]),
];

/// May never appear in the pure crates, not even for tests.
const NOT_PURE: &[&str] = &["tokio", "async-std", "reqwest", "rand", "getrandom"];
const PURE: &[&str] = &["model", "rules", "formats"];

pub fn check(root: &Path) -> Result<Vec<String>> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--no-deps", "--locked"])
        .current_dir(root)
        .output()
        .context("cannot run cargo metadata")?;
    anyhow::ensure!(output.status.success(), "cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().context("no packages in cargo metadata")?;
    let ours: Vec<&str> = packages.iter().filter_map(|p| p["name"].as_str()).collect();
    let mut findings = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((_, may)) = EDGES.iter().find(|(c, _)| *c == name) else {
            findings.push(format!("crate {name} does not stand in the table of ARCHITECTURE.md"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let on = dependency["name"].as_str().unwrap_or_default();
            let for_tests = dependency["kind"] == "dev";
            findings.extend(edge(name, may, &ours, on, for_tests));
            findings.extend(room(name, on, for_tests));
        }
    }
    Ok(findings)
}

fn edge(name: &str, may: &[&str], ours: &[&str], on: &str, for_tests: bool) -> Option<String> {
    if !ours.contains(&on) || may.contains(&on) || for_tests {
        return None;
    }
    if on == "testkit" {
        return Some(format!("{name} → testkit: testkit is only ever a dev-dependency"));
    }
    Some(format!("{name} → {on}: not an edge of the table in ARCHITECTURE.md"))
}

fn room(name: &str, on: &str, for_tests: bool) -> Option<String> {
    if PURE.contains(&name) && NOT_PURE.contains(&on) {
        return Some(format!("{name} uses {on}: pure crates do no IO and roll no dice"));
    }
    let (_, rooms) = ROOMS.iter().find(|(c, _)| *c == on)?;
    (!for_tests && !rooms.contains(&name))
        .then(|| format!("{name} uses {on}, which belongs into {}", rooms.join(" and ")))
}
