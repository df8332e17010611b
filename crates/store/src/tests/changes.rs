//! Following changes: whatever is written at the same time, nobody who reads
//! up to the watermark misses a row.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::backend::{at, commit, id};
use crate::{Owners, Store};
use model::query::Compare;
use model::tables::{Account, Server};
use model::{Change, Entity as _, Filter, Query, Update, Value};

fn account(n: u128, name: &str) -> Change {
    Change::create(Account { name: name.into(), ..Account::blank(id(n)) })
}

fn above(after: i64, upto: i64) -> Query {
    let version = |compare, n| Filter::Compare("versionnumber".into(), compare, Value::Int(n));
    Query::of::<Account>().filter(version(Compare::Greater, after)).filter(version(Compare::LessOrEqual, upto))
}

type Names = BTreeMap<model::Id, String>;

/// One step of somebody who follows the table.
async fn follow(store: &Store, copy: &mut Names, after: i64) -> i64 {
    let upto = store.watermark().await.unwrap().max(after);
    for gone in store.deleted(Account::TABLE, after, upto, Owners::All, usize::MAX >> 1).await.unwrap() {
        copy.remove(&gone.id);
    }
    for row in store.list::<Account>(&above(after, upto)).await.unwrap() {
        copy.insert(row.id, row.name);
    }
    upto
}

async fn whole(store: &Store) -> Names {
    store.list::<Account>(&Query::of::<Account>()).await.unwrap().into_iter().map(|a| (a.id, a.name)).collect()
}

super::backend::on_both! {
    async fn a_deleted_row_leaves_a_mark(place, store) {
        assert_eq!(store.watermark().await.unwrap(), 0);
        store.commit(&commit(vec![account(1, "a"), account(2, "b")])).await.unwrap();
        let before = store.watermark().await.unwrap();
        store.commit(&commit(vec![Change::delete::<Account>(id(1)), account(3, "c")])).await.unwrap();
        let upto = store.watermark().await.unwrap();
        let gone = store.deleted(Account::TABLE, before, upto, Owners::All, 10).await.unwrap();
        assert_eq!(gone.len(), 1);
        assert_eq!(gone[0].id, id(1));
        assert!(gone[0].version > before && gone[0].version <= upto);
        // Made again: the row itself tells of it.
        store.commit(&commit(vec![account(1, "a")])).await.unwrap();
        assert!(store.deleted(Account::TABLE, before, upto, Owners::All, 10).await.unwrap().is_empty());
        // A table that nobody can follow leaves none.
        store.commit(&commit(vec![Change::create(Server::blank(id(9)))])).await.unwrap();
        store.commit(&commit(vec![Change::delete::<Server>(id(9))])).await.unwrap();
        assert!(store.deleted(Server::TABLE, 0, i64::MAX, Owners::All, 10).await.unwrap().is_empty());
    }

    async fn a_refused_commit_leaves_no_mark(place, store) {
        store.commit(&commit(vec![account(1, "a")])).await.unwrap();
        store.commit(&commit(vec![Change::delete::<Account>(id(1)), Change::delete::<Account>(id(2))])).await.unwrap_err();
        assert!(store.deleted(Account::TABLE, 0, i64::MAX, Owners::All, 10).await.unwrap().is_empty());
    }

    async fn old_marks_are_forgotten_and_that_is_remembered(place, store) {
        store.commit(&commit(vec![account(1, "a"), account(2, "b")])).await.unwrap();
        let deleted = async |n, seconds| {
            let mut gone = commit(vec![Change::delete::<Account>(id(n))]);
            gone.at = at(seconds);
            store.commit(&gone).await.unwrap();
            store.watermark().await.unwrap()
        };
        let first = deleted(1, 10).await;
        let second = deleted(2, 20).await;
        assert_eq!(store.forgotten(Account::TABLE).await.unwrap(), 0);
        assert_eq!(store.forget_deleted(at(15)).await.unwrap(), 1);
        assert_eq!(store.forgotten(Account::TABLE).await.unwrap(), first);
        assert_eq!(store.deleted(Account::TABLE, 0, i64::MAX, Owners::All, 10).await.unwrap().len(), 1);
        assert_eq!(store.forget_deleted(at(15)).await.unwrap(), 0);
        assert_eq!(store.forget_deleted(at(25)).await.unwrap(), 1);
        assert_eq!(store.forgotten(Account::TABLE).await.unwrap(), second);
    }

    async fn who_follows_misses_nothing_however_many_write(place, store) {
        const WRITERS: u128 = 6;
        const ROUNDS: u128 = 60;
        let done = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..WRITERS).map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for round in 0..ROUNDS {
                    let n = 1000 * (writer + 1) + round;
                    // Commits of different lengths end in another order than they began.
                    let many = (0..(writer * 7 + round) % 23).map(|k| account(1_000_000 * n + k, "many"));
                    store.commit(&commit(std::iter::once(account(n, "new")).chain(many).collect())).await.unwrap();
                    if round % 3 == 1 {
                        let update = Update::of::<Account>(id(n)).set(Account::C.name, format!("changed {round}"));
                        let gone = Change::delete::<Account>(id(n - 1));
                        let changes = vec![update.into(), gone];
                        for answer in store.commit_all(vec![commit(changes), commit(Vec::new())]).await {
                            answer.unwrap();
                        }
                    }
                }
            })
        }).collect();
        let follower = |done: Arc<AtomicBool>| {
            let store = store.clone();
            tokio::spawn(async move {
                let (mut copy, mut after, mut steps) = (Names::new(), 0, 0);
                loop {
                    let last = done.load(Ordering::Relaxed);
                    after = follow(&store, &mut copy, after).await;
                    steps += 1;
                    if last {
                        return (copy, steps);
                    }
                    tokio::task::yield_now().await;
                }
            })
        };
        let followers = [follower(Arc::clone(&done)), follower(Arc::clone(&done))];
        for writer in writers {
            writer.await.unwrap();
        }
        done.store(true, Ordering::Relaxed);
        let expected = whole(store).await;
        for follower in followers {
            let (copy, steps) = follower.await.unwrap();
            assert!(steps > 2, "{steps}");
            assert_eq!(copy.len(), expected.len());
            assert_eq!(copy, expected);
        }
    }
}
