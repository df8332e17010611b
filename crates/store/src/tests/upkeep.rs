//! The key ring's state, a key that comes back, backups on the shelf, and the
//! audit trail that only grows.

use super::backend::{Place, at, commit, id};
use crate::{Activation, Store, StoreError};
use model::tables::*;
use model::{Change, Entity as _, Query, Secret, Update, Value};

async fn with_secrets(store: &Store) {
    for n in 1..=3 {
        let mut mailbox = Mailbox { address: format!("{n}@x"), ..Mailbox::blank(id(n)) }.into_record();
        mailbox.set("password", Value::Secret(Secret::new("sesame")));
        store.commit(&commit(vec![Change::Create(mailbox)])).await.unwrap();
    }
}

async fn opens(store: &Store) -> bool {
    store.reveal(Mailbox::TABLE, id(1), "password").await.is_ok()
}

fn audit(n: u128, days: i64) -> Change {
    Change::create(Audit { at: Some(at(-86_400 * days)), action: "create".into(), ..Audit::blank(id(n)) })
}

/// The store's clock in tests is not the database's.
async fn kept_for(store: &Store, days: i64) {
    let organization = store.list::<Organization>(&Query::of::<Organization>()).await.unwrap().pop();
    let change = match organization {
        Some(found) => Update::of::<Organization>(found.id).set(Organization::C.audit_days, days).into(),
        None => Change::create(Organization { audit_days: days, ..Organization::blank(id(900)) }),
    };
    store.commit(&commit(vec![change])).await.unwrap();
}

super::backend::on_both! {
    async fn it_is_known_which_key_seals_what(place, store) {
        with_secrets(store).await;
        let before = store.encryption().await.unwrap();
        assert_eq!((before.keys.len(), before.keys[0].sealed, before.keys[0].made), (1, 3, None));
        assert!(before.is_active() && before.keys[0].current && before.keys[0].present);
        store.rotate_key(at(5), |_, _| ()).await.unwrap();
        let after = store.encryption().await.unwrap();
        assert_eq!((after.keys.len(), after.keys[0].sealed, after.keys[0].made), (1, 3, Some(at(5))));
        assert_ne!(after.keys[0].id, before.keys[0].id);
    }

    async fn the_key_of_a_database_that_was_moved_comes_back(place, store) {
        with_secrets(store).await;
        let old = Secret::new(std::fs::read_to_string(place.options.data_dir.join("keys")).unwrap());
        let file = place.options.data_dir.join("backup");
        store.backup(&file, |_, _| ()).await.unwrap();
        let to = Place::sqlite().await;
        let (moved, _) = Store::restore(&file, &to.options, |_, _| ()).await.unwrap();
        let state = moved.encryption().await.unwrap();
        assert_eq!((state.is_active(), state.closed(), state.keys.len()), (false, 3, 2));
        assert!(!opens(&moved).await);
        assert_eq!(moved.activate_key(&Secret::new("sesame")).await.unwrap(), Activation::NotAKey);
        let (before, after) = old.expose().split_once("\"key\":\"").unwrap();
        let other = if after.starts_with('A') { "B" } else { "A" };
        let wrong = format!("{before}\"key\":\"{other}{}", &after[1..]);
        assert_eq!(moved.activate_key(&Secret::new(wrong)).await.unwrap(), Activation::Wrong);
        assert!(!opens(&moved).await);
        assert_eq!(moved.activate_key(&old).await.unwrap(), Activation::Added { secrets: 3 });
        assert!(opens(&moved).await && moved.encryption().await.unwrap().is_active());
        assert_eq!(moved.activate_key(&old).await.unwrap(), Activation::NotNeeded);
        // What is entered now is sealed with the new one.
        assert!(moved.encryption().await.unwrap().keys.last().unwrap().current);
        moved.rotate_key(at(9), |_, _| ()).await.unwrap();
        assert!(opens(&moved).await && moved.encryption().await.unwrap().keys.len() == 1);
    }

    async fn backups_stand_on_a_shelf(place, store) {
        with_secrets(store).await;
        let (report, size) = store.backup_to_shelf("one.backup", |_, _| ()).await.unwrap();
        assert!(report.rows > 3 && size > 100);
        // What an earlier try left is written over.
        store.backup_to_shelf("one.backup", |_, _| ()).await.unwrap();
        assert_eq!(store.open_backup("one.backup").unwrap().unwrap().metadata().unwrap().len(), size);
        let to = Place::sqlite().await;
        let path = store.backup_directory().join("one.backup");
        Store::restore(&path, &to.options, |_, _| ()).await.unwrap();
        assert!(store.forget_backup("one.backup").unwrap() && !store.forget_backup("one.backup").unwrap());
        assert!(store.open_backup("one.backup").unwrap().is_none());
        for name in ["", ".", "..", "../keys", "a/b", ".hidden", "a\\b", "ä"] {
            assert!(matches!(store.open_backup(name), Err(StoreError::Backup(_))), "{name}");
        }
    }

    async fn a_job_is_not_in_a_backup(place, store) {
        store.commit(&commit(vec![Change::create(Job { state: JobState::Running, ..Job::blank(id(1)) })])).await.unwrap();
        let file = place.options.data_dir.join("backup");
        store.backup(&file, |_, _| ()).await.unwrap();
        let to = Place::sqlite().await;
        let (restored, _) = Store::restore(&file, &to.options, |_, _| ()).await.unwrap();
        assert_eq!(restored.count(&Query::of::<Job>()).await.unwrap(), 0);
    }

    async fn the_audit_trail_only_grows(place, store) {
        store.commit(&commit(vec![audit(1, 0), audit(2, 20_000)])).await.unwrap();
        kept_for(store, 0).await;
        let update = Update::of::<Audit>(id(1)).set(Audit::C.action, "x".to_owned());
        let error = store.commit(&commit(vec![update.into()])).await.unwrap_err();
        assert!(error.to_string().contains("only grows"), "{error}");
        for n in [1, 2] {
            let error = store.commit(&commit(vec![Change::delete::<Audit>(id(n))])).await.unwrap_err();
            assert!(error.to_string().contains("only grows"), "{error}");
        }
        // Too short a time counts as none, whoever wrote it there.
        kept_for(store, 29).await;
        assert!(store.commit(&commit(vec![Change::delete::<Audit>(id(2))])).await.is_err());
        kept_for(store, 10_000).await;
        store.commit(&commit(vec![Change::delete::<Audit>(id(2))])).await.unwrap();
        assert!(store.commit(&commit(vec![Change::delete::<Audit>(id(1))])).await.is_err());
        assert_eq!(store.count(&Query::of::<Audit>()).await.unwrap(), 1);
    }
}
