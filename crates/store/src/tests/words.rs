//! Words: what is found by the index is what is there, on both databases,
//! whatever happened to the rows.

use std::collections::BTreeSet;

use super::backend::{at, commit, id, on_both};
use crate::Store;
use crate::select::words::BATCH;
use model::query::TextMatch;
use model::tables::{Email, LedgerEntry};
use model::{Change, Entity as _, Fetch, Filter, Id, Query, Update};

const SUBJECTS: &[&str] = &[
    "Order 4711 from Müller & Söhne",
    "Re: [Ticket#99-4711] Größe STRASSE",
    "ΟΔΟΣ Αθηνών",
    "漢字、テスト 12",
    "\"quoted\" AND (not) NEAR/3 x*",
    "",
    "100% off_now",
    "İstanbul ıI",
];
const SENDERS: &[&str] =
    &["hans.mueller+crm@example.co.uk", "\"Doe, J\" <doe@shop.example>", "", "billing@müller.example"];

/// Hostile and harmless.
const ASKED: &[&str] = &[
    "order",
    "ORD 47",
    "müller",
    "söhne order",
    "strasse",
    "größe ticket",
    "οδος",
    "ΑΘΗΝ",
    "漢字",
    "テスト 1",
    "example",
    "hans.mueller@",
    "co.uk",
    "crm",
    "rm",
    "quoted and not near",
    "\"quoted\"",
    "x*",
    "*",
    "\"",
    "''",
    "'",
    "\\",
    "\\'':*",
    "a:b",
    "{subject} : (order",
    "order OR müller",
    "order NOT 4711",
    "NEAR(order 4711, 2)",
    "^order",
    "order - 4711",
    "or\0der",
    "\0",
    "!&|()<->",
    "'order':*A",
    "100%",
    "off_now",
    "ı",
    "i\u{307}stanbul",
    "zzz",
    "🙂 order",
    "",
    "   ",
];

fn email(n: u128) -> Email {
    let mut email = Email::blank(id(n));
    email.subject = format!("{} {n}", SUBJECTS[(n % 8) as usize]);
    email.sender = SENDERS[(n % 4) as usize].into();
    email.to_recipients = format!("queue{}@company.test;{}", n % 50, SENDERS[(n / 4 % 4) as usize]);
    email.sort_date = Some(at((n % 97) as i64));
    email
}

async fn write(store: &Store, numbers: impl Iterator<Item = u128>) {
    let changes: Vec<Change> = numbers.map(|n| Change::Create(email(n).into_record())).collect();
    for chunk in changes.chunks(200) {
        store.commit(&commit(chunk.to_vec())).await.unwrap();
    }
}

fn asked(column: &'static str, text: &str) -> Filter {
    Filter::Text(column.into(), TextMatch::Words, text.to_owned())
}

async fn found(store: &Store, filter: Filter) -> BTreeSet<Id> {
    let query = Query::of::<Email>().filter(filter);
    let rows: BTreeSet<Id> = store.query(&query).await.unwrap().into_iter().map(|r| r.id).collect();
    assert_eq!(store.count(&query).await.unwrap(), rows.len() as u64);
    rows
}

/// By the index, and by looking at every row: behind NOT no index helps.
async fn check(store: &Store, column: &'static str, text: &str) -> BTreeSet<Id> {
    let by_index = found(store, asked(column, text)).await;
    let no = |f| Filter::Not(Box::new(f));
    let looked_at = found(store, no(no(asked(column, text)))).await;
    assert_eq!(by_index, looked_at, "{column} {text:?}");
    by_index
}

async fn check_all(store: &Store) {
    for text in ASKED {
        for column in ["activityid", "subject", "sender", "torecipients"] {
            check(store, column, text).await;
        }
    }
}

async fn check_rows(store: &Store) {
    for text in ASKED.iter().step_by(3).chain(&["changed", "elsewhere 9"]) {
        check(store, "activityid", text).await;
    }
}

on_both! {
    async fn words_are_found_wherever_rows_are(place, store) {
        // Some in the index, some not yet.
        let all = (BATCH * 5 / 2) as u128;
        write(store, 1..=all).await;
        check_all(store).await;
        let orders = check(store, "activityid", "order müll söh").await;
        assert_eq!(orders.len() as u128, all / 8);
        assert_eq!(check(store, "sender", "uk").await.len() as u128, all / 4);
        assert_eq!(check(store, "activityid", "doe shop 9").await, check(store, "activityid", "9 SHOP, doe!").await);
        for nothing in ["\"", "", "*", "rder"] {
            assert!(check(store, "activityid", nothing).await.is_empty(), "{nothing}");
        }
        // Rows change, go, and come, before and behind what the index holds.
        let mut changes = Vec::new();
        for n in (1..=all).step_by(7) {
            let update = Update::of::<Email>(id(n)).set(Email::C.subject, format!("Changed order {n}"));
            changes.push(update.set(Email::C.sender, "new.sender@elsewhere.test".to_owned()).into());
        }
        for n in (2..=all).step_by(7) {
            changes.push(Update::of::<Email>(id(n)).set(Email::C.to_recipients, String::new()).into());
        }
        for n in (3..=all).step_by(7) {
            changes.push(Change::Delete { table: Email::TABLE, id: id(n) });
        }
        // The newest go: SQLite gives their numbers away again.
        for n in (all - 40..=all).filter(|n| n % 7 != 3) {
            changes.push(Change::Delete { table: Email::TABLE, id: id(n) });
        }
        store.commit(&commit(changes)).await.unwrap();
        check_rows(store).await;
        write(store, 10_000..10_300).await;
        check_rows(store).await;
        let all_at_once: Vec<Change> = (500..=all - 41).filter(|n| n % 7 != 3)
            .map(|n| Change::Delete { table: Email::TABLE, id: id(n) }).collect();
        store.commit(&commit(all_at_once)).await.unwrap();
        write(store, 20_000..20_100).await;
        check_rows(store).await;
        assert!(!check(store, "activityid", "changed elsewhere").await.is_empty());
        assert!(store.doctor(true, |_, _| {}).await.iter().all(|f| f.ok));
    }

    async fn common_words_are_found_another_way(place, store) {
        // Few of the newest have what most of the older have.
        let mut changes = Vec::new();
        for n in 1..=2_700_u128 {
            let mut email = Email::blank(id(n));
            email.subject = if n <= 2_300 { format!("Newsletter {n}") } else { format!("Report {n}") };
            email.sort_date = Some(at(n as i64));
            changes.push(Change::Create(email.into_record()));
        }
        for chunk in changes.chunks(500) {
            store.commit(&commit(chunk.to_vec())).await.unwrap();
        }
        for (word, count) in [("newsletter", 2_300), ("report", 400), ("newsletter 23", 12), ("nothing", 0)] {
            assert_eq!(check(store, "activityid", word).await.len(), count, "{word}");
            let mut fetch = Fetch::of(Email::TABLE);
            fetch.root.picks.push(model::fetch::Pick::value("activityid", "activityid"));
            fetch.root.filter = asked("activityid", word);
            fetch.page.size = 50;
            fetch.total = Some(1_000);
            let page = store.fetch(&fetch).await.unwrap();
            assert_eq!(page.rows.len(), count.min(50), "{word}");
            assert_eq!(page.total, Some(count.min(1_001) as u64), "{word}");
            fetch.page.size = 0;
            assert_eq!(store.fetch(&fetch).await.unwrap().total, page.total);
        }
        let newest = Query::of::<Email>().filter(asked("subject", "newsletter")).order_by(Email::C.sort_date, true).limit(2);
        let rows = store.query(&newest).await.unwrap();
        assert_eq!(rows.iter().map(|r| r.id).collect::<Vec<_>>(), [id(2_300), id(2_299)]);
    }

    async fn too_many_words_are_refused(place, store) {
        let many: Vec<String> = (0..40).map(|n| format!("w{n}")).collect();
        let query = Query::of::<Email>().filter(asked("activityid", &many.join(" ")));
        let error = store.query(&query).await.unwrap_err();
        assert!(error.to_string().contains("more than 32 words"), "{error}");
        let long = "x".repeat(100_000);
        assert!(found(store, asked("activityid", &long)).await.is_empty());
        // A table whose rows are not searched as a whole.
        let accounts = Query::of::<model::tables::Account>().filter(asked("accountid", "a"));
        assert!(store.query(&accounts).await.is_err());
    }

    async fn the_ledger_is_searched(place, store) {
        for n in 0..300_u128 {
            let mut row = LedgerEntry::blank(id(n + 1));
            (row.subject, row.from) = (format!("Invoice {n}"), format!("shop{}@example.com", n % 10));
            (row.folder, row.position) = ("INBOX".into(), n.to_string());
            store.commit(&commit(vec![Change::Create(row.into_record())])).await.unwrap();
        }
        let count = async |filter: Filter| store.count(&Query::of::<LedgerEntry>().filter(filter)).await.unwrap();
        assert_eq!(count(asked("pr_ledgerentryid", "shop3 inv")).await, 30);
        assert_eq!(count(asked("pr_ledgerentryid", "shop3@example.com 13")).await, 2);
        assert_eq!(count(asked("pr_from", "invoice")).await, 0);
    }
}

/// What SQLite remembers of its indexes: name and entries.
fn remembered(place: &super::backend::Place) -> Vec<(String, i64)> {
    let mut tx = crate::sqlite::SqliteTx::open(&place.options.sqlite_path(), crate::sqlite::Mode::Read).unwrap();
    let sql = "SELECT idx, CAST(stat AS INTEGER) FROM sqlite_stat1 WHERE tbl = 'email' ORDER BY idx";
    let rows = tx.rows(sql, &[], &[crate::shape::Want::Text, crate::shape::Want::Int]).unwrap_or_default();
    rows.iter().map(|row| (row[0].as_text().unwrap().to_owned(), row[1].as_int().unwrap())).collect()
}

#[tokio::test]
async fn small_tables_are_not_remembered_as_small() {
    let place = super::backend::Place::sqlite().await;
    let store = place.create().await;
    write(&store, 1..=20).await;
    drop(store);
    assert_eq!(remembered(&place), []);
    let store = Store::open(&place.options).await.unwrap();
    write(&store, 21..=1_500).await;
    drop(store);
    // Opening looks at all tables, whoever asked about them.
    drop(Store::open(&place.options).await.unwrap());
    let found = remembered(&place);
    assert!(found.iter().any(|(index, n)| index == "ix_email_ownerid_sortdate" && *n == 1_500), "{found:?}");
    assert!(found.iter().all(|(_, n)| *n >= 1_000), "{found:?}");
}

/// SQLite may give rows other numbers when somebody has it tidy its file.
#[tokio::test]
async fn a_vacuum_leaves_the_index_as_it_is() {
    let place = super::backend::Place::sqlite().await;
    let store = place.create().await;
    write(&store, 1..=600).await;
    let gone = (1..=300).step_by(2).map(|n| Change::Delete { table: Email::TABLE, id: id(n) }).collect();
    store.commit(&commit(gone)).await.unwrap();
    drop(store);
    let path = place.options.sqlite_path();
    let mut tx = crate::sqlite::SqliteTx::open(&path, crate::sqlite::Mode::Write).unwrap();
    tx.batch("VACUUM").unwrap();
    drop(tx);
    let store = Store::open(&place.options).await.unwrap();
    check_all(&store).await;
}
