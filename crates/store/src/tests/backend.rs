//! Every story runs on both databases. PostgreSQL is the server named by
//! `POSTROOM_TEST_POSTGRES_URL`; each test has a schema of its own there.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::{Options, Store};
use model::tables::WorkItem;
use model::work::Workload;
use model::{Actor, Change, Commit, Entity as _, Id, Ref, Timestamp};

/// An empty place for an installation on one of the databases.
pub struct Place {
    pub options: Options,
    /// Server and schema on PostgreSQL.
    schema: Option<(String, String)>,
    _dir: tempfile::TempDir,
}

static COUNT: AtomicU32 = AtomicU32::new(0);

pub(super) fn postgres_url() -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the way in for the test server's address")]
    let url = std::env::var("POSTROOM_TEST_POSTGRES_URL").ok();
    if url.is_none() {
        eprintln!("skipped: POSTROOM_TEST_POSTGRES_URL names no PostgreSQL server");
    }
    url
}

pub async fn administer(url: &str, sql: &str) {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    let task = tokio::spawn(connection);
    client.batch_execute(sql).await.unwrap();
    drop(client);
    let _ = task.await;
}

impl Place {
    pub async fn sqlite() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { options: Options::new(dir.path().join("data")), schema: None, _dir: dir }
    }

    pub async fn postgres() -> Option<Self> {
        let url = postgres_url()?;
        let mark = COUNT.fetch_add(1, Ordering::Relaxed);
        let schema = format!("store_{}_{mark}", std::process::id());
        administer(&url, &format!("DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}")).await;
        let dir = tempfile::tempdir().unwrap();
        let mut options = Options::new(dir.path().join("data"));
        let question = if url.contains('?') { '&' } else { '?' };
        options.database = Some(format!("{url}{question}options=-csearch_path%3D{schema}"));
        Some(Self { options, schema: Some((url, schema)), _dir: dir })
    }

    pub async fn create(&self) -> Store {
        Store::create(&self.options).await.unwrap()
    }

    pub async fn clear(self) {
        if let Some((url, schema)) = &self.schema {
            administer(url, &format!("DROP SCHEMA {schema} CASCADE")).await;
        }
    }
}

/// `async fn name(place, store) { … }`: one test on each database.
macro_rules! on_both {
    ($(async fn $name:ident($place:ident, $store:ident) $body:block)*) => { $(
        mod $name {
            use super::*;

            async fn story($place: &$crate::tests::backend::Place, $store: &$crate::Store) {
                // Not every story needs both.
                let _ = ($place, $store);
                $body
            }

            #[tokio::test]
            async fn sqlite() {
                let place = $crate::tests::backend::Place::sqlite().await;
                let store = place.create().await;
                story(&place, &store).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let Some(place) = $crate::tests::backend::Place::postgres().await else { return };
                let store = place.create().await;
                story(&place, &store).await;
                drop(store);
                place.clear().await;
            }
        }
    )* };
}

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

pub(super) fn id(n: u128) -> Id {
    Id::from_u128(n)
}

pub const ACTOR: Actor = Actor { user: Id::from_u128(0xAC70) };

pub(super) fn commit(changes: Vec<Change>) -> Commit {
    Commit::new(ACTOR, at(0), changes)
}

/// Work on mailbox `n` that is due `due` seconds after the start.
pub(super) fn work(n: u128, due: Option<i64>) -> Change {
    let mut item = WorkItem::blank(id(0xF000 + n));
    item.mailbox = Some(Ref::new("mailbox", id(n)));
    item.workload = Workload::Incoming;
    item.next_run = due.map(at);
    Change::create(item)
}

pub(super) use on_both;
