//! The pages, through the router, on a database of its own for every test:
//! once SQLite, once PostgreSQL. What only a browser can show stands in
//! `crates/app/tests/browser`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

/// A test on both databases.
macro_rules! story {
    ($name:ident, |$w:ident| $body:block) => {
        async fn $name($w: crate::world::World) $body

        mod $name {
            use crate::world::World;

            #[tokio::test]
            async fn on_sqlite() {
                Box::pin(super::$name(World::sqlite().await)).await;
            }

            #[tokio::test]
            async fn on_postgres() {
                if let Some(w) = World::postgres().await {
                    Box::pin(super::$name(w)).await;
                }
            }
        }
    };
}

#[path = "../api/sign_in/browser.rs"]
#[expect(dead_code, reason = "shared with the tests of the API, which use more of it")]
mod browser;
mod bulk;
mod data;
#[path = "../api/database.rs"]
mod database;
mod email_settings;
mod emails;
mod frame;
mod grid;
mod help;
mod languages;
mod lists;
mod mailbox;
mod people;
mod profile;
mod security;
mod start;
mod views;
mod watch;
mod work;
#[path = "../api/world.rs"]
#[expect(dead_code, reason = "shared with the tests of the API, which use more of it")]
mod world;
