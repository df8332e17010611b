//! Fetches on both databases; what they mean is tested through the API.

use std::time::Duration;

use model::fetch::{Aggregate, By, Link, LinkKind, Pick, Sort, Source, What};
use model::query::Seen;
use model::tables::Account;
use model::{Change, Entity as _, Fetch, Filter, Value};

use super::backend::{commit, id, on_both};
use crate::{Store, StoreError};

async fn accounts(store: &Store, count: u128) {
    let rows = (1..=count).map(|n| Change::create(Account { name: "Same".into(), ..Account::blank(id(n)) }));
    store.commit(&commit(rows.collect())).await.unwrap();
}

/// The accounts with each one of the same name, so many times over.
fn squared(times: usize) -> Fetch {
    let mut fetch = Fetch::of(Account::TABLE);
    fetch.root.picks.push(Pick::value("name", "name"));
    for n in 0..times {
        let source = Source::of(Account::TABLE, format!("a{n}"));
        fetch.root.links.push(Link { kind: LinkKind::Inner, from: "name", to: "name", source });
    }
    fetch
}

on_both! {
    async fn a_fetch_that_runs_away_is_stopped(place, store) {
        accounts(store, 200).await;
        let mut fetch = squared(4);
        // Nothing is found before very many rows have been sorted.
        fetch.order.push(Sort { of: "a3".into(), by: By::Column("accountnumber"), descending: false });
        let options = crate::Options { query_timeout: Duration::from_millis(300), ..place.options.clone() };
        let hasty = Store::open(&options).await.unwrap();
        assert_eq!(hasty.fetch(&fetch).await, Err(StoreError::Timeout));
        // And the next one is answered.
        assert_eq!(hasty.fetch(&squared(0)).await.unwrap().rows.len(), 200);
    }

    async fn aggregates_have_a_limit(_place, store) {
        accounts(store, 40).await;
        let mut fetch = squared(2);
        fetch.aggregate = true;
        fetch.root.picks = vec![Pick { column: "accountid", name: "n".into(), what: What::Reckoned(Aggregate::Count) }];
        assert_eq!(store.fetch(&fetch).await, Err(StoreError::TooManyAggregated(50_000)));
        fetch.root.links.pop();
        assert_eq!(store.fetch(&fetch).await.unwrap().rows, [[Value::Int(1600)]]);
    }

    async fn what_is_not_seen_is_not_there(_place, store) {
        accounts(store, 3).await;
        let mut fetch = squared(1);
        fetch.seen = Some(Seen::new());
        assert_eq!(store.fetch(&fetch).await.unwrap().rows.len(), 0);
        let two = Filter::In("accountid".into(), vec![Value::Id(id(1)), Value::Id(id(2))]);
        fetch.seen = Some(Seen::from([("account", two)]));
        assert_eq!(store.fetch(&fetch).await.unwrap().rows.len(), 4);
        fetch.root.links[0].kind = LinkKind::First;
        assert_eq!(store.fetch(&fetch).await.unwrap().rows.len(), 2);
    }
}
