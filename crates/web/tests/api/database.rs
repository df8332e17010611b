//! PostgreSQL, where the run has one.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::process::Command;

/// The URL of a new, empty database.
pub fn fresh() -> Option<String> {
    let Some(url) = server() else {
        println!("skipped: POSTROOM_TEST_POSTGRES_URL is not set");
        return None;
    };
    // The numbers of processes come round again in the course of a run.
    let name = format!("web_{:x}", RandomState::new().build_hasher().finish());
    let sql = format!("create database {name} template template0");
    let made = Command::new("psql").args(["-X", "-q", "-d", &url, "-c", &sql]).status().expect("psql");
    assert!(made.success());
    let (server, _) = url.rsplit_once('/').expect("a URL with a database");
    Some(format!("{server}/{name}"))
}

#[expect(clippy::disallowed_methods, reason = "the test runner's environment says which server the run shares")]
fn server() -> Option<String> {
    std::env::var("POSTROOM_TEST_POSTGRES_URL").ok().filter(|url| !url.is_empty())
}
