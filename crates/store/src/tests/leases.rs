//! Claims, leases and fences.

use super::backend::{at, commit, id, work};
use crate::{CommitError, Store};
use model::tables::{Account, WorkItem};
use model::work::Workload::Incoming;
use model::{Change, Entity as _, Lease, Query, Update};

async fn claim(store: &Store, now: i64, most: usize) -> Vec<Lease> {
    store.claim(Incoming, "me", at(now), at(now + 60), most, &[]).await.unwrap()
}

fn boxes(leases: &[Lease]) -> Vec<u128> {
    leases.iter().map(|l| l.mailbox.as_u128()).collect()
}

async fn item(store: &Store, n: u128) -> WorkItem {
    store.load::<WorkItem>(id(0xF000 + n)).await.unwrap().unwrap()
}

super::backend::on_both! {
    async fn what_is_due_longest_is_claimed_first(place, store) {
        let items = vec![work(1, Some(30)), work(2, Some(10)), work(3, Some(20)), work(4, Some(99)), work(5, None)];
        store.commit(&commit(items)).await.unwrap();
        assert_eq!(boxes(&claim(store, 50, 2).await), [2, 3]);
        assert_eq!(boxes(&claim(store, 50, 9).await), [1]);
        assert!(claim(store, 50, 9).await.is_empty());
        assert_eq!(item(store, 2).await.holder, "me");
    }

    async fn nothing_is_claimed_where_nothing_is_wanted(place, store) {
        store.commit(&commit(vec![work(1, Some(0))])).await.unwrap();
        assert!(claim(store, 50, 0).await.is_empty());
        assert!(store.claim(model::work::Workload::Outgoing, "me", at(9), at(60), 9, &[]).await.unwrap().is_empty());
    }

    async fn mailboxes_can_be_skipped(place, store) {
        store.commit(&commit((1..=9).map(|n| work(n, Some(0))).collect())).await.unwrap();
        let skip = [id(1), id(2), id(3)];
        let leases = store.claim(Incoming, "me", at(1), at(60), 3, &skip).await.unwrap();
        assert!(leases.len() == 3 && leases.iter().all(|l| !skip.contains(&l.mailbox)));
    }

    async fn many_claimers_never_get_the_same(place, store) {
        store.commit(&commit((1..=60).map(|n| work(n, Some(0))).collect())).await.unwrap();
        let tasks: Vec<_> = (0..6).map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut got = Vec::new();
                for _ in 0..6 {
                    got.extend(claim(&store, 10, 4).await);
                }
                got
            })
        }).collect();
        let mut all = Vec::new();
        for task in tasks {
            all.extend(boxes(&task.await.unwrap()));
        }
        all.extend(boxes(&claim(store, 10, 60).await));
        all.sort_unstable();
        assert_eq!(all, (1..=60).collect::<Vec<_>>());
    }

    async fn an_expired_lease_is_claimed_again_and_the_late_worker_is_refused(place, store) {
        store.commit(&commit(vec![work(1, Some(0))])).await.unwrap();
        let first = claim(store, 10, 1).await[0];
        assert!(claim(store, 69, 1).await.is_empty());
        let second = claim(store, 70, 1).await[0];
        assert!(second.fence > first.fence);
        let late = commit(vec![Change::create(Account::blank(id(1)))]).under(first);
        assert_eq!(store.commit(&late).await, Err(CommitError::Fenced));
        assert_eq!(store.count(&Query::of::<Account>()).await.unwrap(), 0);
        assert_eq!(store.extend(&first, at(500)).await, Err(CommitError::Fenced));
        assert_eq!(store.release(&first, None, 0).await, Err(CommitError::Fenced));
        store.commit(&commit(vec![Change::create(Account::blank(id(1)))]).under(second)).await.unwrap();
        let results = store.commit_all(vec![late.clone(), commit(vec![Change::create(Account::blank(id(2)))]).under(second)]).await;
        assert!(results[0] == Err(CommitError::Fenced) && results[1].is_ok());
    }

    async fn a_released_item_is_due_when_it_was_said(place, store) {
        store.commit(&commit(vec![work(1, Some(0))])).await.unwrap();
        let lease = claim(store, 10, 1).await[0];
        store.release(&lease, Some(at(40)), 2).await.unwrap();
        let row = item(store, 1).await;
        assert_eq!((row.next_run, row.lease_until, row.failures, row.holder.as_str()), (Some(at(40)), None, 2, ""));
        assert!(claim(store, 39, 1).await.is_empty());
        assert_eq!(claim(store, 40, 1).await.len(), 1);
        assert_eq!(store.release(&lease, None, 0).await, Err(CommitError::Fenced));
    }

    async fn a_lease_is_given_back_once(place, store) {
        store.commit(&commit(vec![work(1, Some(0))])).await.unwrap();
        let lease = claim(store, 10, 1).await[0];
        store.release(&lease, Some(at(40)), 0).await.unwrap();
        assert_eq!(store.release(&lease, Some(at(90)), 0).await, Err(CommitError::Fenced));
    }

    async fn a_run_that_was_asked_for_meanwhile_is_kept(place, store) {
        store.commit(&commit(vec![work(1, Some(0))])).await.unwrap();
        let lease = claim(store, 10, 1).await[0];
        let ask = Update::of::<WorkItem>(id(0xF001)).set(WorkItem::C.next_run, Some(at(20)));
        store.commit(&commit(vec![ask.into()])).await.unwrap();
        let lease = store.extend(&lease, at(200)).await.unwrap();
        store.release(&lease, Some(at(300)), 0).await.unwrap();
        assert_eq!(item(store, 1).await.next_run, Some(at(20)));
        let lease = claim(store, 20, 1).await[0];
        store.release(&lease, None, 0).await.unwrap();
        assert_eq!(item(store, 1).await.next_run, None);
    }

    async fn an_extended_lease_lasts_longer(place, store) {
        store.commit(&commit(vec![work(1, Some(0))])).await.unwrap();
        let lease = claim(store, 10, 1).await[0];
        let lease = store.extend(&lease, at(100)).await.unwrap();
        assert_eq!(lease.until, at(100));
        assert!(claim(store, 99, 1).await.is_empty());
        assert_eq!(claim(store, 100, 1).await.len(), 1);
    }

    async fn one_mailbox_can_be_claimed_before_it_is_due(place, store) {
        store.commit(&commit(vec![work(1, None)])).await.unwrap();
        let lease = store.claim_one(id(1), Incoming, "me", at(5), at(60)).await.unwrap().unwrap();
        assert_eq!(store.claim_one(id(1), Incoming, "you", at(6), at(60)).await.unwrap(), None);
        store.release(&lease, Some(at(50)), 0).await.unwrap();
        assert!(store.claim_one(id(1), Incoming, "you", at(6), at(60)).await.unwrap().is_some());
        assert_eq!(store.claim_one(id(2), Incoming, "me", at(5), at(60)).await.unwrap(), None);
    }

    async fn the_next_due_time_is_known(place, store) {
        assert_eq!(store.next_due(Incoming).await.unwrap(), None);
        store.commit(&commit(vec![work(1, Some(30)), work(2, Some(10)), work(3, None)])).await.unwrap();
        assert_eq!(store.next_due(Incoming).await.unwrap(), Some(at(10)));
        claim(store, 10, 1).await;
        assert_eq!(store.next_due(Incoming).await.unwrap(), Some(at(30)));
    }
}
