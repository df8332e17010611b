//! Commits: all or nothing, versions, conflicts.

use super::backend::{ACTOR, at, commit, id, work};
use crate::{CommitError, Conflict, StoreError};
use model::tables::{Account, ActivityParty, Contact, Email, LedgerEntry, Mailbox, Server, SystemUser};
use model::{Change, Commit, Entity as _, Query, Record, Ref, Secret, Update, Value};

fn account(n: u128, name: &str) -> Account {
    Account { name: name.into(), ..Account::blank(id(n)) }
}

fn ledger(n: u128, position: &str) -> LedgerEntry {
    LedgerEntry {
        mailbox: Some(Ref::new("mailbox", id(1))),
        folder: "INBOX".into(),
        position: position.into(),
        ..LedgerEntry::blank(id(n))
    }
}

fn expectation(table: &'static str, n: u128, column: &'static str) -> CommitError {
    Conflict::Expectation { row: Ref::new(table, id(n)), column }.into()
}

super::backend::on_both! {
    async fn every_column_of_every_kind_comes_back(place, store) {
        let mut email = Email::blank(id(1));
        email.subject = "Grüße 👋".into();
        email.owner = Some(Ref::new("team", id(9)));
        email.regarding = Some(Ref::new("contact", id(8)));
        email.is_outgoing = false;
        email.fingerprint = Some(vec![0, 1, 255]);
        email.conversation_hash = Some(-5);
        email.conversation = Some(id(7));
        email.sent_on = Some(at(5));
        store.commit(&commit(vec![Change::create(email.clone())])).await.unwrap();
        assert_eq!(store.load::<Email>(id(1)).await.unwrap(), Some(email));
        assert_eq!(store.load::<Email>(id(2)).await.unwrap(), None);
    }

    async fn rows_on_the_wire_are_stamped(place, store) {
        let committed = store.commit(&commit(vec![Change::create(account(1, "a")), Change::create(account(2, "b"))])).await.unwrap();
        let row = store.get(Account::TABLE, id(2)).await.unwrap().unwrap();
        assert_eq!(row.get("createdon"), &Value::Time(at(0)));
        assert_eq!(row.get("createdby"), &Value::Ref(Ref::new("systemuser", ACTOR.user)));
        assert_eq!(row.get("versionnumber").as_int(), committed.version(row.reference()));
        let mut later = commit(vec![Update::of::<Account>(id(2)).set(Account::C.name, "c".to_owned()).into()]);
        later.at = at(60);
        let changed = store.commit(&later).await.unwrap();
        assert!(changed.version(row.reference()) > committed.version(row.reference()));
        let row = store.get(Account::TABLE, id(2)).await.unwrap().unwrap();
        assert_eq!((row.get("createdon"), row.get("modifiedon")), (&Value::Time(at(0)), &Value::Time(at(60))));
        assert_eq!(row.get("versionnumber").as_int(), changed.version(row.reference()));
    }

    async fn a_record_may_bring_its_creation(place, store) {
        let mut record = account(1, "a").into_record();
        record.set("createdon", Value::Time(at(-100)));
        store.commit(&commit(vec![Change::Create(record), Change::create(account(2, "b"))])).await.unwrap();
        let created = async |n| store.get(Account::TABLE, id(n)).await.unwrap().unwrap().get("createdon").as_time();
        assert_eq!((created(1).await, created(2).await), (Some(at(-100)), Some(at(0))));
    }

    async fn columns_that_are_not_given_hold_their_defaults(place, store) {
        store.commit(&commit(vec![Change::Create(Record::new(Mailbox::TABLE, id(1)))])).await.unwrap();
        assert_eq!(store.load::<Mailbox>(id(1)).await.unwrap(), Some(Mailbox::blank(id(1))));
    }

    async fn empty_text_is_absent(place, store) {
        store.commit(&commit(vec![Change::create(account(1, ""))])).await.unwrap();
        assert_eq!(store.get(Account::TABLE, id(1)).await.unwrap().unwrap().get("name"), &Value::Null);
    }

    async fn the_nul_character_is_replaced(place, store) {
        store.commit(&commit(vec![Change::create(account(1, "a\0b"))])).await.unwrap();
        assert_eq!(store.load::<Account>(id(1)).await.unwrap().unwrap().name, "a\u{FFFD}b");
    }

    async fn nothing_of_a_failed_commit_stays(place, store) {
        store.commit(&commit(vec![Change::create(account(1, "a"))])).await.unwrap();
        let failed = store.commit(&commit(vec![
            Change::create(account(2, "b")),
            Update::of::<Account>(id(1)).set(Account::C.name, "changed".to_owned()).into(),
            Change::create(account(1, "again")),
        ])).await;
        let taken = Conflict::Duplicate { table: "account", columns: vec!["accountid".into()] };
        assert_eq!(failed, Err(taken.into()));
        assert_eq!(store.count(&Query::of::<Account>()).await.unwrap(), 1);
        assert_eq!(store.load::<Account>(id(1)).await.unwrap().unwrap().name, "a");
    }

    async fn in_a_group_each_commit_stands_or_falls_alone(place, store) {
        let commits = vec![
            commit(vec![Change::create(account(1, "a"))]),
            commit(vec![Change::create(account(2, "b")), Change::create(account(1, "again"))]),
            commit(vec![Update::of::<Account>(id(1)).set(Account::C.name, "seen".to_owned()).into()]),
            commit(vec![Change::delete::<Account>(id(77))]),
            commit(vec![Change::create(account(3, "c"))]),
        ];
        let results = store.commit_all(commits).await;
        let ok: Vec<bool> = results.iter().map(Result::is_ok).collect();
        assert_eq!(ok, [true, false, true, false, true]);
        assert_eq!(results[3], Err(CommitError::NotFound(Ref::new("account", id(77)))));
        let names: Vec<String> = store.list::<Account>(&Query::of::<Account>()).await.unwrap().into_iter().map(|a| a.name).collect();
        assert_eq!(names, ["seen", "c"]);
    }

    async fn many_commits_in_one_call(place, store) {
        let commits: Vec<Commit> = (1..=300).map(|n| commit(vec![Change::create(account(n, "x"))])).collect();
        let results = store.commit_all(commits).await;
        assert!(results.iter().all(Result::is_ok));
        let versions: Vec<i64> = results.iter().map(|r| r.as_ref().unwrap().versions[0].1).collect();
        assert!(versions.is_sorted_by(|a, b| a < b));
    }

    async fn commits_from_many_tasks_all_arrive(place, store) {
        let tasks: Vec<_> = (1..=40_u128).map(|n| {
            let store = store.clone();
            tokio::spawn(async move { store.commit(&commit(vec![Change::create(account(n, "x"))])).await })
        }).collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        assert_eq!(store.count(&Query::of::<Account>()).await.unwrap(), 40);
    }

    async fn ensure_leaves_what_is_there(place, store) {
        let first = store.commit(&commit(vec![Change::Ensure(account(1, "first").into_record())])).await.unwrap();
        let second = store.commit(&commit(vec![
            Change::Ensure(account(1, "second").into_record()),
            Change::Ensure(account(2, "other").into_record()),
        ])).await.unwrap();
        assert_eq!(first.versions.len(), 1);
        assert_eq!(second.versions.len(), 1, "only what was written has a new version");
        assert_eq!(store.load::<Account>(id(1)).await.unwrap().unwrap().name, "first");
    }

    async fn an_ensure_that_finds_its_row_writes_nothing_beside_it(place, store) {
        let mut record = Mailbox { address: "one@x".into(), ..Mailbox::blank(id(1)) }.into_record();
        record.set("password", Value::Secret(Secret::new("first")));
        store.commit(&commit(vec![Change::Ensure(record.clone())])).await.unwrap();
        record.set("password", Value::Secret(Secret::new("second")));
        store.commit(&commit(vec![Change::Ensure(record)])).await.unwrap();
        assert_eq!(store.reveal(Mailbox::TABLE, id(1), "password").await.unwrap().unwrap().expose(), "first");
    }

    async fn an_expectation_must_hold(place, store) {
        let mut party = ActivityParty::blank(id(1));
        party.address = "a@x".into();
        store.commit(&commit(vec![Change::create(party)])).await.unwrap();
        let update = |expected: &str| commit(vec![
            Update::of::<ActivityParty>(id(1))
                .set(ActivityParty::C.address, "b@x".to_owned())
                .expect(ActivityParty::C.party, None)
                .expect(ActivityParty::C.address, expected.to_owned())
                .into(),
        ]);
        assert_eq!(store.commit(&update("other")).await, Err(expectation("activityparty", 1, "addressused")));
        store.commit(&update("a@x")).await.unwrap();
        assert_eq!(store.commit(&update("a@x")).await, Err(expectation("activityparty", 1, "addressused")));
    }

    async fn an_expected_absence_must_hold(place, store) {
        store.commit(&commit(vec![Change::create(Server { open_until: Some(at(1)), ..Server::blank(id(1)) })])).await.unwrap();
        let update = Update::of::<Server>(id(1)).set(Server::C.failures, 3).expect(Server::C.open_until, None);
        assert_eq!(store.commit(&commit(vec![update.into()])).await, Err(expectation("pr_server", 1, "pr_openuntil")));
    }

    async fn a_version_must_be_current(place, store) {
        let row = Ref::new("account", id(1));
        let version = store.commit(&commit(vec![Change::create(account(1, "a"))])).await.unwrap().version(row).unwrap();
        let mut update = Update::of::<Account>(id(1)).set(Account::C.name, "b".to_owned());
        update.version = Some(version);
        let current = store.commit(&commit(vec![update.clone().into()])).await.unwrap().version(row).unwrap();
        let error = store.commit(&commit(vec![update.into()])).await.unwrap_err();
        assert_eq!(error, Conflict::Version { row, current }.into());
    }

    async fn an_update_of_nothing_is_not_found(place, store) {
        let update = Update::of::<Account>(id(1)).set(Account::C.name, "b".to_owned());
        assert_eq!(store.commit(&commit(vec![update.into()])).await, Err(CommitError::NotFound(Ref::new("account", id(1)))));
    }

    async fn unique_keys_are_named_in_the_conflict(place, store) {
        store.commit(&commit(vec![Change::create(ledger(1, "7/1"))])).await.unwrap();
        let error = store.commit(&commit(vec![Change::create(ledger(2, "7/1"))])).await.unwrap_err();
        let columns = ["pr_mailboxid", "pr_folder", "pr_position"].map(str::to_owned).to_vec();
        assert_eq!(error, Conflict::Duplicate { table: "pr_ledgerentry", columns }.into());
        store.commit(&commit(vec![Change::create(ledger(3, "7/2")), Change::create(ledger(4, "7/X")), Change::create(ledger(5, "7/x"))])).await.unwrap();
    }

    async fn sign_in_names_are_unique_without_regard_to_case(place, store) {
        let user = |n, name: &str| SystemUser { domain_name: name.into(), ..SystemUser::blank(id(n)) };
        store.commit(&commit(vec![Change::create(user(1, "Anna@x")), Change::create(user(2, "")), Change::create(user(3, ""))])).await.unwrap();
        let error = store.commit(&commit(vec![Change::create(user(4, "anna@x"))])).await.unwrap_err();
        assert_eq!(error, Conflict::Duplicate { table: "systemuser", columns: vec!["domainname".into()] }.into());
    }

    async fn a_value_of_another_type_is_refused_before_anything_is_written(place, store) {
        let mut record = account(1, "a").into_record();
        record.set("donotemail", Value::Text("yes".into()));
        let error = store.commit(&commit(vec![Change::Create(record)])).await.unwrap_err();
        assert_eq!(error, StoreError::NoFit { table: "account", column: "donotemail" }.into());
        let mut record = account(1, "a").into_record();
        record.set("nosuchcolumn", Value::Null);
        assert!(matches!(store.commit(&commit(vec![Change::Create(record)])).await, Err(CommitError::Store(StoreError::NoColumn { .. }))));
        let wrong_target = Contact { company: Some(Ref::new("lead", id(1))), ..Contact::blank(id(1)) };
        assert!(store.commit(&commit(vec![Change::create(wrong_target)])).await.is_err());
    }

    async fn secrets_are_sealed_and_their_flag_tells_the_truth(place, store) {
        let mut record = Mailbox::blank(id(1)).into_record();
        record.set("password", Value::Secret(Secret::new("sesame")));
        store.commit(&commit(vec![Change::Create(record)])).await.unwrap();
        let row = store.get(Mailbox::TABLE, id(1)).await.unwrap().unwrap();
        assert_eq!((row.get("ispasswordset"), row.get("password")), (&Value::Bool(true), &Value::Null));
        assert_eq!(store.reveal(Mailbox::TABLE, id(1), "password").await.unwrap().unwrap().expose(), "sesame");
        let set = |column, value| {
            let mut update = Update::of::<Mailbox>(id(1));
            update.set.push((column, value));
            commit(vec![update.into()])
        };
        store.commit(&set("ispasswordset", Value::Bool(false))).await.unwrap();
        assert!(store.load::<Mailbox>(id(1)).await.unwrap().unwrap().password_set, "nobody writes the flag");
        store.commit(&set("password", Value::Secret(Secret::new("other")))).await.unwrap();
        assert_eq!(store.reveal(Mailbox::TABLE, id(1), "password").await.unwrap().unwrap().expose(), "other");
        store.commit(&set("password", Value::Null)).await.unwrap();
        assert!(store.reveal(Mailbox::TABLE, id(1), "password").await.unwrap().is_none());
        assert!(!store.load::<Mailbox>(id(1)).await.unwrap().unwrap().password_set);
    }

    async fn secrets_go_with_their_row(place, store) {
        let mut record = Mailbox::blank(id(1)).into_record();
        record.set("password", Value::Secret(Secret::new("sesame")));
        store.commit(&commit(vec![Change::Create(record)])).await.unwrap();
        store.commit(&commit(vec![Change::delete::<Mailbox>(id(1))])).await.unwrap();
        assert!(store.reveal(Mailbox::TABLE, id(1), "password").await.unwrap().is_none());
    }

    async fn the_key_can_be_changed_while_secrets_are_read(place, store) {
        let boxes: Vec<Change> = (1..=250).map(|n| {
            let mut record = Mailbox::blank(id(n)).into_record();
            record.set("password", Value::Secret(Secret::new(format!("secret {n}"))));
            Change::Create(record)
        }).collect();
        store.commit(&commit(boxes)).await.unwrap();
        let other = crate::Store::open(&place.options).await.unwrap();
        let reading = async {
            for n in 1..=250 {
                for s in [store, &other] {
                    let secret = s.reveal(Mailbox::TABLE, id(n), "password").await.unwrap().unwrap();
                    assert_eq!(secret.expose(), format!("secret {n}"));
                }
            }
        };
        let mut last = (0, 0);
        let (rotated, ()) = tokio::join!(store.rotate_key(at(1), |done, all| last = (done, all)), reading);
        rotated.unwrap();
        assert_eq!(last, (250, 250));
        let keys = std::fs::read_to_string(place.options.data_dir.join("keys")).unwrap();
        assert_eq!(keys.lines().count(), 1, "the old key is gone");
        assert!(other.reveal(Mailbox::TABLE, id(250), "password").await.unwrap().is_some());
    }

    async fn waiting_workers_hear_of_new_email_and_work(place, store) {
        let mut heard = store.changed();
        store.commit(&commit(vec![Change::create(account(1, "a"))])).await.unwrap();
        assert!(!heard.has_changed().unwrap());
        store.commit(&commit(vec![Change::create(Email::blank(id(1)))])).await.unwrap();
        assert!(heard.has_changed().unwrap());
        heard.mark_unchanged();
        store.commit_all(vec![commit(vec![work(1, Some(0))])]).await;
        assert!(heard.has_changed().unwrap());
    }

    async fn a_second_process_counts_versions_on(place, store) {
        let other = crate::Store::open(&place.options).await.unwrap();
        let mut versions = Vec::new();
        for n in 1..=6 {
            let s = if n % 2 == 0 { store } else { &other };
            versions.push(s.commit(&commit(vec![Change::create(account(n, "x"))])).await.unwrap().versions[0].1);
        }
        assert!(versions.is_sorted_by(|a, b| a < b), "{versions:?}");
    }
}
