//! The Web API in this process, on a database of its own for every test: once
//! SQLite, once PostgreSQL.

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

mod access;
mod administer;
mod associations;
mod attacks;
mod audit;
mod basics;
mod batch;
mod bulk;
mod columns;
mod database;
mod delivery;
mod emails;
mod expanding;
mod fetch;
mod fuzz;
mod hostile;
mod ledger;
mod limits;
mod mailboxes;
mod matrix;
mod metadata;
mod profiles;
mod queues;
mod reading;
mod references;
mod server;
mod sharing;
mod sign_in;
mod tracking;
mod upgrade;
mod webhooks;
mod wire;
mod work;
mod world;
mod writing;
