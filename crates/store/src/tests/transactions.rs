//! Interactive transactions: what is seen from where, what stays, and that
//! nobody can hold the installation up.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use model::tables::{Account, Attachment, Email};
use model::{Change, Entity as _, Query, Update};

use super::backend::{at, commit, id, work};
use crate::{CommitError, Options, Store, StoreError};

fn account(n: u128, name: &str) -> Change {
    Change::create(Account { name: name.into(), ..Account::blank(id(n)) })
}

fn named(n: u128, name: &str) -> Change {
    Update::of::<Account>(id(n)).set(Account::C.name, name.to_owned()).into()
}

async fn put(store: &Store, change: Change) -> Result<crate::Committed, CommitError> {
    store.commit(&commit(vec![change])).await
}

async fn name(store: &Store, n: u128) -> Option<String> {
    store.load::<Account>(id(n)).await.unwrap().map(|a| a.name)
}

/// Until the database of others shows it: a connection that was dropped takes
/// a moment to be missed.
async fn until_free(store: &Store, change: Change) {
    let put = tokio::time::timeout(Duration::from_secs(20), put(store, change)).await;
    put.expect("the writer is free again").unwrap();
}

super::backend::on_both! {
    async fn is_read_back_inside_and_not_outside(place, store) {
        let transaction = store.begin().await.unwrap();
        let inside = transaction.store();
        put(&inside, account(1, "a")).await.unwrap();
        put(&inside, named(1, "b")).await.unwrap();
        assert_eq!(name(&inside, 1).await.as_deref(), Some("b"));
        assert_eq!(inside.count(&Query::of::<Account>()).await.unwrap(), 1);
        assert_eq!(name(store, 1).await, None);
        transaction.commit().await.unwrap();
        assert_eq!(name(store, 1).await.as_deref(), Some("b"));
        assert!(matches!(put(&inside, account(2, "x")).await, Err(CommitError::Store(StoreError::Closed))));
    }

    async fn rollback_takes_all_back(place, store) {
        let transaction = store.begin().await.unwrap();
        put(&transaction.store(), account(1, "a")).await.unwrap();
        transaction.rollback().await;
        assert_eq!(name(store, 1).await, None);
        until_free(store, account(1, "again")).await;
    }

    async fn dropping_takes_all_back(place, store) {
        let transaction = store.begin().await.unwrap();
        let inside = transaction.store();
        put(&inside, account(1, "a")).await.unwrap();
        drop(transaction);
        until_free(store, account(1, "again")).await;
        assert_eq!(name(store, 1).await.as_deref(), Some("again"));
        assert!(inside.get(Account::TABLE, id(1)).await.is_err());
    }

    async fn a_part_that_fails_leaves_the_others(place, store) {
        put(store, account(9, "taken")).await.unwrap();
        let transaction = store.begin().await.unwrap();
        let inside = transaction.store();
        put(&inside, account(1, "a")).await.unwrap();
        let twice = inside.commit(&commit(vec![account(2, "b"), account(9, "c")])).await;
        assert!(matches!(twice, Err(CommitError::Conflict { .. })), "{twice:?}");
        let absent = put(&inside, named(3, "c")).await;
        assert!(matches!(absent, Err(CommitError::NotFound(_))), "{absent:?}");
        let answers = inside.commit_all(vec![commit(vec![account(4, "d")]), commit(vec![account(4, "e")])]).await;
        assert!(answers[0].is_ok() && answers[1].is_err());
        transaction.commit().await.unwrap();
        assert_eq!(store.count(&Query::of::<Account>()).await.unwrap(), 3);
        assert_eq!(name(store, 2).await, None);
    }

    async fn versions_count_on(place, store) {
        let transaction = store.begin().await.unwrap();
        let first = put(&transaction.store(), account(1, "a")).await.unwrap();
        let second = put(&transaction.store(), named(1, "b")).await.unwrap();
        transaction.commit().await.unwrap();
        let third = put(store, named(1, "c")).await.unwrap();
        let version = |c: &crate::Committed| c.versions[0].1;
        assert!(version(&first) < version(&second) && version(&second) < version(&third));
        assert_eq!(store.get(Account::TABLE, id(1)).await.unwrap().unwrap().get("versionnumber").as_int(), Some(version(&third)));
    }

    async fn others_hear_of_it_when_it_is_committed(place, store) {
        let mut heard = store.changed();
        heard.mark_unchanged();
        let transaction = store.begin().await.unwrap();
        put(&transaction.store(), work(1, Some(0))).await.unwrap();
        assert!(!heard.has_changed().unwrap());
        transaction.commit().await.unwrap();
        assert!(heard.has_changed().unwrap());
        heard.mark_unchanged();
        let transaction = store.begin().await.unwrap();
        put(&transaction.store(), work(2, Some(0))).await.unwrap();
        transaction.rollback().await;
        assert!(!heard.has_changed().unwrap());
    }

    async fn single_commits_meanwhile_are_not_lost(place, store) {
        let transaction = store.begin().await.unwrap();
        put(&transaction.store(), account(1, "inside")).await.unwrap();
        let others: Vec<_> = (10..30).map(|n| {
            let store = store.clone();
            tokio::spawn(async move { put(&store, account(n, "outside")).await })
        }).collect();
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert_eq!(transaction.store().count(&Query::of::<Account>()).await.unwrap(), 1);
        transaction.commit().await.unwrap();
        for other in others {
            other.await.unwrap().unwrap();
        }
        assert_eq!(store.count(&Query::of::<Account>()).await.unwrap(), 21);
    }

    async fn time_is_limited_while_nothing_is_asked(place, store) {
        let transaction = store.begin_for(Duration::from_millis(150)).await.unwrap();
        put(&transaction.store(), account(1, "a")).await.unwrap();
        until_free(store, account(1, "again")).await;
        let late = put(&transaction.store(), account(2, "b")).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(matches!(late, Err(CommitError::Store(_))), "{late:?}");
        assert_eq!(transaction.commit().await, Err(StoreError::TooLong));
        assert_eq!(name(store, 1).await.as_deref(), Some("again"));
        assert_eq!(name(store, 2).await, None);
    }

    async fn time_is_limited_while_much_is_asked(place, store) {
        let transaction = store.begin_for(Duration::from_millis(200)).await.unwrap();
        let inside = transaction.store();
        let mut n = 100;
        let ended = loop {
            n += 1;
            if let Err(error) = put(&inside, account(n, "a")).await {
                break error;
            }
        };
        assert_eq!(ended, CommitError::Store(StoreError::TooLong));
        until_free(store, account(1, "a")).await;
        assert_eq!(store.count(&Query::of::<Account>()).await.unwrap(), 1);
    }

    async fn many_take_turns(place, store) {
        let all: Vec<_> = (0..12_u128).map(|n| {
            let store = store.clone();
            tokio::spawn(async move {
                let transaction = store.begin().await.unwrap();
                put(&transaction.store(), account(n + 1, "a")).await.unwrap();
                if n % 2 == 0 { transaction.commit().await.unwrap() } else { drop(transaction) }
            })
        }).collect();
        for one in all {
            one.await.unwrap();
        }
        assert_eq!(store.count(&Query::of::<Account>()).await.unwrap(), 6);
    }

    async fn there_is_none_inside_another(place, store) {
        let transaction = store.begin().await.unwrap();
        assert!(transaction.store().is_transaction() && !store.is_transaction());
        // On SQLite the only turn is taken, on PostgreSQL it is refused.
        let second = tokio::time::timeout(Duration::from_millis(100), transaction.store().begin()).await;
        assert!(second.is_err() || second.unwrap().is_err());
        transaction.rollback().await;
    }

    async fn bytes_are_found_inside_at_once(place, store) {
        let transaction = store.begin().await.unwrap();
        let inside = transaction.store();
        let (written, places) = inside.blobs().put(b"attached").await.unwrap();
        let mut row = Attachment::blank(id(5));
        row.blob = Some(written.id.0.to_vec());
        let changes = vec![Change::create(Email::blank(id(1))), Change::create(row)];
        inside.commit(&commit(changes).with_blobs(places)).await.unwrap();
        assert_eq!(inside.blobs().read(written.id).await.unwrap(), b"attached");
        assert!(matches!(store.blobs().read(written.id).await, Err(StoreError::NoBlob(_))));
        transaction.commit().await.unwrap();
        assert_eq!(store.blobs().read(written.id).await.unwrap(), b"attached");
    }

    async fn leases_hold_inside(place, store) {
        use model::work::Workload::Incoming;
        put(store, work(1, Some(0))).await.unwrap();
        let old = store.claim(Incoming, "a", at(1), at(10), 1, &[]).await.unwrap()[0];
        let new = store.claim(Incoming, "b", at(11), at(20), 1, &[]).await.unwrap()[0];
        let transaction = store.begin().await.unwrap();
        let inside = transaction.store();
        let late = inside.commit(&commit(vec![account(1, "a")]).under(old)).await;
        assert_eq!(late, Err(CommitError::Fenced));
        inside.commit(&commit(vec![account(2, "b")]).under(new)).await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(store.count(&Query::of::<Account>()).await.unwrap(), 1);
    }

    async fn killed_in_the_middle(place, store) {
        put(store, account(1, "before")).await.unwrap();
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tests::transactions::victim", "--ignored", "--nocapture"])
            .env("POSTROOM_TEST_VICTIM", &place.options.data_dir)
            .env("POSTROOM_TEST_VICTIM_DATABASE", place.options.database.as_deref().unwrap_or(""))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(victim.stdout.take().unwrap()).lines();
        assert!(lines.map_while(Result::ok).any(|line| line.contains("in the middle")), "the victim did not get there");
        victim.kill().unwrap();
        victim.wait().unwrap();
        until_free(store, named(1, "after")).await;
        assert_eq!(store.count(&Query::of::<Account>()).await.unwrap(), 1);
    }
}

/// Writes in a transaction and waits to be killed; a process of its own.
#[tokio::test]
#[ignore = "run by killed_in_the_middle"]
async fn victim() {
    #[expect(clippy::disallowed_methods, reason = "what the parent process says")]
    let said = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
    let Some(dir) = said("POSTROOM_TEST_VICTIM") else { return };
    let options = Options { database: said("POSTROOM_TEST_VICTIM_DATABASE"), ..Options::new(dir) };
    let store = Store::open(&options).await.unwrap();
    let transaction = store.begin().await.unwrap();
    for n in 2..50 {
        put(&transaction.store(), account(n, "never")).await.unwrap();
    }
    put(&transaction.store(), named(1, "never")).await.unwrap();
    println!("in the middle");
    std::future::pending::<()>().await;
}

/// The same row changed by somebody else since: the whole is to be done again.
#[tokio::test]
async fn a_race_on_postgres_spoils_the_transaction() {
    let Some(place) = super::backend::Place::postgres().await else { return };
    let store = place.create().await;
    put(&store, account(1, "a")).await.unwrap();
    let transaction = store.begin().await.unwrap();
    let inside = transaction.store();
    assert_eq!(name(&inside, 1).await.as_deref(), Some("a"));
    put(&store, named(1, "b")).await.unwrap();
    assert_eq!(name(&inside, 1).await.as_deref(), Some("a"), "one moment for all reads");
    let raced = put(&inside, named(1, "c")).await;
    assert!(matches!(raced, Err(CommitError::Store(StoreError::Busy(_)))), "{raced:?}");
    assert!(transaction.is_spoiled());
    assert!(matches!(put(&inside, account(2, "x")).await, Err(CommitError::Store(StoreError::Busy(_)))));
    assert!(transaction.commit().await.is_err());
    assert_eq!(name(&store, 1).await.as_deref(), Some("b"));
    drop((inside, store));
    place.clear().await;
}
