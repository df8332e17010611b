//! PostgreSQL, where the run has one.

use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

/// The URL of a new, empty database.
pub fn fresh() -> Option<String> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let Some(url) = server() else {
        println!("skipped: POSTROOM_TEST_POSTGRES_URL is not set");
        return None;
    };
    let name = format!("web_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
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
