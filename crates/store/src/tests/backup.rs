//! Backup, restore and the doctor.

use super::backend::{Place, at, commit, id};
use crate::{Store, StoreError};
use model::tables::*;
use model::{Change, Entity as _, Query, Record, Ref, Secret, Update, Value};

/// A bit of everything; the names of the blobs.
async fn fill(store: &Store) -> Vec<model::mail::BlobId> {
    let mut blobs = Vec::new();
    for n in 0..30_u128 {
        let content = format!("message {n} ").repeat(n as usize * 2000 + 1);
        let (written, places) = store.blobs().put(content.as_bytes()).await.unwrap();
        let email = Email {
            subject: format!("Größe {n}"),
            blob: Some(written.id.0.to_vec()),
            regarding: Some(Ref::new("contact", id(5))),
            sent_on: Some(at(n as i64)),
            ..Email::blank(id(1000 + n))
        };
        store.commit(&commit(vec![Change::create(email)]).with_blobs(places)).await.unwrap();
        blobs.push(written.id);
    }
    let many = (0..1200).map(|n| {
        Change::create(Account {
            name: format!("Firm {n}"),
            address1: format!("{n}@x"),
            ..Account::blank(id(10_000 + n))
        })
    });
    store.commit(&commit(many.collect())).await.unwrap();
    let mut mailbox = Mailbox { address: "a@x".into(), ..Mailbox::blank(id(1)) }.into_record();
    mailbox.set("password", Value::Secret(Secret::new("sesame")));
    store.commit(&commit(vec![Change::Create(mailbox), Change::create(Organization::blank(id(2)))])).await.unwrap();
    blobs
}

async fn everything(store: &Store) -> Vec<Record> {
    let mut all = Vec::new();
    for table in ALL {
        all.extend(store.query(&Query::table(table)).await.unwrap());
    }
    all
}

/// Saves one store and restores it into another place.
async fn there_and_back(from: &Store, from_place: &Place, to: &Place) -> Store {
    let blobs = fill(from).await;
    let file = from_place.options.data_dir.join("backup");
    let mut last = (0, 0);
    let saved = from.backup(&file, |done, all| last = (done, all)).await.unwrap();
    assert_eq!((last.0, saved.blobs, saved.lost_blobs.len()), (last.1, 30, 0));
    std::fs::create_dir_all(&to.options.data_dir).unwrap();
    std::fs::copy(from_place.options.data_dir.join("keys"), to.options.data_dir.join("keys")).unwrap();
    let (restored, report) = Store::restore(&file, &to.options, |done, all| last = (done, all)).await.unwrap();
    assert_eq!((last.0, report.rows, report.blobs, report.new_key), (last.1, saved.rows, 30, false));
    assert_eq!(everything(&restored).await, everything(from).await);
    for blob in blobs {
        assert!(restored.blobs().read(blob).await.unwrap() == from.blobs().read(blob).await.unwrap());
    }
    assert_eq!(restored.reveal(Mailbox::TABLE, id(1), "password").await.unwrap().unwrap().expose(), "sesame");
    for table in ALL.iter().filter(|t| t.on_wire && t.tracked) {
        assert!(restored.forgotten(table).await.unwrap() > from.last_version().await.unwrap());
        assert!(restored.forgotten(table).await.unwrap() <= restored.last_version().await.unwrap());
    }
    let change = || commit(vec![Update::of::<Account>(id(10_000)).set(Account::C.name, "x".to_owned()).into()]);
    let version = restored.commit(&change()).await.unwrap().versions[0].1;
    assert!(everything(from).await.iter().all(|r| r.get("versionnumber").as_int().is_none_or(|v| v < version)));
    restored
}

async fn bad_findings(store: &Store) -> Vec<String> {
    store.doctor(true, |_, _| ()).await.into_iter().filter(|f| !f.ok).map(|f| f.what).collect()
}

super::backend::on_both! {
    async fn what_is_saved_is_restored_on_sqlite(place, store) {
        let to = Place::sqlite().await;
        let restored = there_and_back(store, place, &to).await;
        assert_eq!(bad_findings(&restored).await, Vec::<String>::new());
    }

    async fn what_is_saved_is_restored_on_postgres(place, store) {
        let Some(to) = Place::postgres().await else { return };
        drop(there_and_back(store, place, &to).await);
        to.clear().await;
    }

    async fn a_backup_is_of_one_moment(place, store) {
        fill(store).await;
        let writing = async {
            for n in 0..40_u128 {
                let pair = [1, 2].map(|side| Change::create(Server { name: format!("{n}"), ..Server::blank(id(n * 10 + side)) }));
                store.commit(&commit(pair.into())).await.unwrap();
            }
        };
        let file = place.options.data_dir.join("backup");
        let (saved, ()) = tokio::join!(store.backup(&file, |_, _| ()), writing);
        saved.unwrap();
        let to = Place::sqlite().await;
        let (restored, _) = Store::restore(&file, &to.options, |_, _| ()).await.unwrap();
        assert_eq!(restored.count(&Query::of::<Server>()).await.unwrap() % 2, 0);
    }

    async fn without_the_old_key_file_secrets_stay_closed_and_the_doctor_says_so(place, store) {
        fill(store).await;
        let file = place.options.data_dir.join("backup");
        store.backup(&file, |_, _| ()).await.unwrap();
        let to = Place::sqlite().await;
        let (restored, report) = Store::restore(&file, &to.options, |_, _| ()).await.unwrap();
        assert!(report.new_key);
        assert!(matches!(restored.reveal(Mailbox::TABLE, id(1), "password").await, Err(StoreError::Keys(_))));
        let bad = bad_findings(&restored).await;
        assert!(bad.len() == 1 && bad[0].starts_with("1 of 1 sealed secrets"), "{bad:?}");
    }

    async fn a_damaged_backup_restores_nothing(place, store) {
        fill(store).await;
        let file = place.options.data_dir.join("backup");
        store.backup(&file, |_, _| ()).await.unwrap();
        let whole = std::fs::read(&file).unwrap();
        let mut cut = whole.clone();
        cut.truncate(whole.len() - 1000);
        let mut altered = whole.clone();
        altered[whole.len() / 2] ^= 0x10;
        for bytes in [cut, altered, b"something else entirely".to_vec(), Vec::new()] {
            std::fs::write(&file, bytes).unwrap();
            let to = Place::sqlite().await;
            let error = Store::restore(&file, &to.options, |_, _| ()).await.map(|_| ()).unwrap_err();
            assert!(matches!(error, StoreError::Backup(_)), "{error}");
            assert!(matches!(Store::open(&to.options).await, Err(StoreError::Absent(_))));
            std::fs::write(&file, &whole).unwrap();
            Store::restore(&file, &to.options, |_, _| ()).await.unwrap();
        }
    }

    async fn nothing_is_overwritten(place, store) {
        let file = place.options.data_dir.join("backup");
        store.backup(&file, |_, _| ()).await.unwrap();
        assert!(matches!(store.backup(&file, |_, _| ()).await, Err(StoreError::Backup(_))));
        let error = Store::restore(&file, &place.options, |_, _| ()).await.map(|_| ()).unwrap_err();
        assert!(matches!(error, StoreError::Present(_)), "{error}");
        assert!(store.query(&Query::of::<Account>()).await.is_ok());
    }

    async fn a_healthy_installation_has_no_bad_findings(place, store) {
        fill(store).await;
        let findings = store.doctor(false, |_, _| ()).await;
        assert!(findings.len() > 8 && findings.iter().all(|f| f.ok && f.advice.is_empty()), "{findings:?}");
    }

    async fn the_doctor_finds_orphans_and_lost_and_damaged_messages(place, store) {
        let blobs = fill(store).await;
        let lost = Email { blob: Some(vec![9; 32]), ..Email::blank(id(1)) };
        let party = ActivityParty { activity: Some(Ref::new("email", id(404))), ..ActivityParty::blank(id(2)) };
        store.commit(&commit(vec![Change::create(lost), Change::create(party)])).await.unwrap();
        let path = place.options.data_dir.join("blobs/segment-00000001");
        let at = store.blobs().find(blobs[0]).await.unwrap().unwrap().start as usize;
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[at + 30] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let bad = bad_findings(store).await;
        assert_eq!(bad.len(), 3, "{bad:?}");
        assert!(bad[0].starts_with("1 parties") && bad[1].starts_with("1 messages") && bad[2].starts_with("1 stored messages"), "{bad:?}");
    }

    async fn a_lost_blob_is_named_and_the_rest_is_saved(place, store) {
        let blobs = fill(store).await;
        std::fs::remove_file(place.options.data_dir.join("blobs/segment-00000001")).unwrap();
        let fresh = Store::open(&place.options).await.unwrap();
        let saved = fresh.backup(&place.options.data_dir.join("backup"), |_, _| ()).await.unwrap();
        assert_eq!((saved.blobs, saved.lost_blobs.len()), (0, blobs.len()));
    }
}
