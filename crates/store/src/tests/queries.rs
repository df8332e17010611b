//! Queries: filters against an evaluator in memory, sorting, paging.

use std::collections::BTreeSet;

use super::backend::{at, commit, id};
use crate::{Store, StoreError};
use model::query::{Compare, Path, TextMatch};
use model::tables::{Account, ActivityParty, Contact, Email, EmailStatus, Folder, LedgerEntry, Participation};
use model::{Change, Entity as _, Filter, Id, Order, Query, Record, Ref, Table, Value};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

const NAMES: &[&str] = &[
    "",
    "Ärger",
    "ärger",
    "STRASSE",
    "straße",
    "100%",
    "1_0",
    "100x",
    "back\\slash",
    "Öl",
    "öl und mehr",
    "Ελλάδα",
    "ελλάδα",
];

/// Accounts 1…13 and contacts 101…140 that point to them, to each other, or nowhere.
fn people() -> Vec<Record> {
    let mut rows = Vec::new();
    for (n, name) in (1_u128..).zip(NAMES) {
        let mut account = Account::blank(id(n));
        account.name = (*name).into();
        account.do_not_email = n % 3 == 0;
        rows.push(account.into_record());
    }
    for n in 0..40_u128 {
        let mut contact = Contact::blank(id(101 + n));
        contact.first_name = NAMES[(n * 5 % 13) as usize].into();
        contact.last_name = NAMES[(n * 7 % 11) as usize].into();
        contact.do_not_email = n % 2 == 0;
        contact.company = match n % 4 {
            0 => None,
            1 => Some(Ref::new("contact", id(101 + (n + 1) % 40))),
            _ => Some(Ref::new("account", id(1 + n % 13))),
        };
        let mut record = contact.into_record();
        if n % 3 > 0 {
            record.set("birthdate", Value::Time(at((n % 5) as i64)));
            record.set("gendercode", Value::Int((n % 2) as i64 + 1));
        }
        rows.push(record);
    }
    rows
}

/// What a path leads to from a row.
fn at_path(rows: &[Record], row: &Record, path: &Path) -> Value {
    let mut here = row.clone();
    for lookup in &path.lookups {
        let Some(next) = here.get(lookup).as_ref_to() else { return Value::Null };
        let Some(found) = rows.iter().find(|r| r.reference() == next) else { return Value::Null };
        here = found.clone();
    }
    if path.column == here.table.id { Value::Id(here.id) } else { here.get(path.column).clone() }
}

fn folded(value: Value) -> Value {
    match value {
        Value::Text(text) if text.is_empty() => Value::Null,
        Value::Text(text) => Value::Text(text.to_lowercase()),
        Value::Ref(r) => Value::Id(r.id),
        other => other,
    }
}

fn compare(left: Value, how: Compare, right: Value, literal: bool) -> bool {
    let (left, right) = (folded(left), folded(right));
    if left.is_null() || right.is_null() {
        return match how {
            Compare::Equal => literal && left == right,
            Compare::NotEqual => left != right,
            _ => false,
        };
    }
    let ordering = match (&left, &right) {
        (Value::Text(a), Value::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Time(a), Value::Time(b)) => a.cmp(b),
        (Value::Id(a), Value::Id(b)) => a.cmp(b),
        _ => panic!("{left:?} is compared with {right:?}"),
    };
    match how {
        Compare::Equal => ordering.is_eq(),
        Compare::NotEqual => ordering.is_ne(),
        Compare::Less => ordering.is_lt(),
        Compare::LessOrEqual => ordering.is_le(),
        Compare::Greater => ordering.is_gt(),
        Compare::GreaterOrEqual => ordering.is_ge(),
    }
}

fn holds(rows: &[Record], row: &Record, filter: &Filter) -> bool {
    match filter {
        Filter::All => true,
        Filter::Of(..) | Filter::Across { .. } | Filter::Linked(_) => panic!("these are of a fetch"),
        Filter::Compare(path, how, value) => compare(at_path(rows, row, path), *how, value.clone(), true),
        Filter::Columns(a, how, b) => compare(at_path(rows, row, a), *how, at_path(rows, row, b), false),
        Filter::IsNull(path) => folded(at_path(rows, row, path)).is_null(),
        Filter::In(path, values) => {
            values.iter().any(|v| compare(at_path(rows, row, path), Compare::Equal, v.clone(), true))
        }
        Filter::Text(path, how, text) => {
            let Value::Text(here) = folded(at_path(rows, row, path)) else { return false };
            let text = text.to_lowercase();
            match how {
                TextMatch::Contains => here.contains(&text),
                TextMatch::StartsWith => here.starts_with(&text),
                TextMatch::EndsWith => here.ends_with(&text),
                TextMatch::Like | TextMatch::Words => panic!("these have tests of their own"),
            }
        }
        Filter::And(all) => all.iter().all(|f| holds(rows, row, f)),
        Filter::Or(any) => any.iter().any(|f| holds(rows, row, f)),
        Filter::Not(inner) => !holds(rows, row, inner),
        Filter::Any { table, column, filter } => rows
            .iter()
            .any(|r| r.table == *table && r.get(column).as_ref_to() == Some(row.reference()) && holds(rows, r, filter)),
        Filter::Within { path, table, column, filter } => {
            let here = folded(at_path(rows, row, path));
            let same = |r: &Record| folded(at_path(rows, r, &Path::from(*column))) == here;
            !here.is_null() && rows.iter().any(|r| r.table == *table && same(r) && holds(rows, r, filter))
        }
        Filter::Bits(path, bits) => at_path(rows, row, path).as_int().is_some_and(|n| n & bits == *bits),
    }
}

fn path(lookups: &[&'static str], column: &'static str) -> Path {
    Path { lookups: lookups.to_vec(), column }
}

fn how() -> impl Strategy<Value = Compare> {
    use Compare::*;
    prop::sample::select(vec![Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual])
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "", "ÄRGER", "strasse", "STRAßE", "100%", "%", "_", "1_", "\\", "öl", "ö", "λλ", "x'; --",
    ])
    .prop_map(str::to_owned)
}

/// A column of a contact that holds text; `deep`: also of what it points to.
fn text_path() -> impl Strategy<Value = Path> {
    prop::sample::select(vec![
        path(&[], "firstname"),
        path(&[], "lastname"),
        path(&["parentcustomerid"], "name"),
        path(&["parentcustomerid"], "firstname"),
    ])
}

fn leaf() -> impl Strategy<Value = Filter> {
    let value = prop_oneof![name().prop_map(Value::Text), Just(Value::Null)];
    prop_oneof![
        (text_path(), how(), value.clone()).prop_map(|(p, h, v)| Filter::Compare(p, h, v)),
        (text_path(), how(), text_path()).prop_map(|(a, h, b)| Filter::Columns(a, h, b)),
        text_path().prop_map(Filter::IsNull),
        (text_path(), prop::collection::vec(value, 0..4)).prop_map(|(p, v)| Filter::In(p, v)),
        (
            text_path(),
            prop::sample::select(vec![TextMatch::Contains, TextMatch::StartsWith, TextMatch::EndsWith]),
            name()
        )
            .prop_map(|(p, h, t)| Filter::Text(p, h, t)),
        (how(), 0_i64..6).prop_map(|(h, n)| Filter::Compare("birthdate".into(), h, Value::Time(at(n)))),
        (how(), 0_i64..4).prop_map(|(h, n)| Filter::Compare("gendercode".into(), h, Value::Int(n))),
        any::<bool>().prop_map(|b| Filter::Compare(
            path(&["parentcustomerid"], "donotemail"),
            Compare::Equal,
            Value::Bool(b)
        )),
        (how(), name()).prop_map(|(h, n)| Filter::Within {
            path: "parentcustomerid".into(),
            table: Account::TABLE,
            column: Account::TABLE.id,
            filter: Box::new(Filter::Compare("name".into(), h, Value::Text(n))),
        }),
        name().prop_map(|n| Filter::Within {
            path: Contact::TABLE.id.into(),
            table: Contact::TABLE,
            column: "parentcustomerid",
            filter: Box::new(Filter::Compare("lastname".into(), Compare::NotEqual, Value::Text(n))),
        }),
        (1_u128..14).prop_map(|n| Filter::Compare(
            "parentcustomerid".into(),
            Compare::Equal,
            Value::Ref(Ref::new("account", id(n)))
        )),
        (1_u128..150).prop_map(|n| Filter::Compare("contactid".into(), Compare::LessOrEqual, Value::Id(id(n)))),
        Just(Filter::All),
    ]
}

fn filter() -> impl Strategy<Value = Filter> {
    leaf().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::And),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::Or),
            inner.clone().prop_map(|f| Filter::Not(Box::new(f))),
            inner.prop_map(|f| Filter::Any { table: Contact::TABLE, column: "parentcustomerid", filter: Box::new(f) }),
        ]
    })
}

async fn found(store: &Store, table: &'static Table, filter: Filter) -> BTreeSet<Id> {
    store.query(&Query::table(table).filter(filter)).await.unwrap().into_iter().map(|r| r.id).collect()
}

async fn fill(store: &Store) -> Vec<Record> {
    let rows = people();
    store.commit(&commit(rows.iter().cloned().map(Change::Create).collect())).await.unwrap();
    rows
}

async fn names(store: &Store, query: &Query) -> Vec<String> {
    store.list::<Account>(query).await.unwrap().into_iter().map(|a| a.name).collect()
}

super::backend::on_both! {
    async fn a_filter_means_what_it_says(place, store) {
        let rows = fill(store).await;
        let mut runner = TestRunner::deterministic();
        for _ in 0..400 {
            let filter = filter().new_tree(&mut runner).unwrap().current();
            let expected: BTreeSet<Id> = rows.iter().filter(|r| r.table == Contact::TABLE && holds(&rows, r, &filter)).map(|r| r.id).collect();
            assert_eq!(found(store, Contact::TABLE, filter.clone()).await, expected, "{filter:?}");
            let count = store.count(&Query::of::<Contact>().filter(filter)).await.unwrap();
            assert_eq!(count, expected.len() as u64);
        }
    }

    async fn text_compares_without_regard_to_case_in_every_script(place, store) {
        fill(store).await;
        let count = async |name: &str| found(store, Account::TABLE, Filter::eq(Account::C.name, name.to_owned())).await.len();
        assert_eq!((count("ÄRGER").await, count("strasse").await, count("ΕΛΛΆΔΑ").await, count("Strasze").await), (2, 1, 2, 0));
        let umlaut = Filter::Text("name".into(), TextMatch::Contains, "Ö".into());
        assert_eq!(found(store, Account::TABLE, umlaut).await.len(), 2);
    }

    async fn names_of_a_protocol_compare_exactly(place, store) {
        let row = |n, position: &str| LedgerEntry { folder: "INBOX".into(), position: position.into(), mailbox: Some(Ref::new("mailbox", id(1))), ..LedgerEntry::blank(id(n)) };
        let folder = |n, name: &str| Folder { mailbox: Some(Ref::new("mailbox", id(1))), name: name.into(), ..Folder::blank(id(n)) };
        store.commit(&commit(vec![Change::create(row(1, "abC")), Change::create(row(2, "abc")), Change::create(folder(3, "Work")), Change::create(folder(4, "work"))])).await.unwrap();
        let both = Filter::eq(LedgerEntry::C.mailbox, Some(Ref::new("mailbox", id(1)))).and(Filter::eq(LedgerEntry::C.position, "abC".to_owned()));
        assert_eq!(found(store, LedgerEntry::TABLE, both).await, BTreeSet::from([id(1)]));
        assert_eq!(found(store, Folder::TABLE, Filter::eq(Folder::C.name, "work".to_owned())).await, BTreeSet::from([id(4)]));
    }

    async fn rows_that_point_here_are_asked_about(place, store) {
        let email = |n, status| Email { status, ..Email::blank(id(n)) };
        let party = |n, email, who| ActivityParty {
            activity: Some(Ref::new("email", id(email))), party: Some(Ref::new("contact", id(who))), participation: Participation::To, ..ActivityParty::blank(id(n))
        };
        store.commit(&commit(vec![
            Change::create(email(1, EmailStatus::Received)), Change::create(email(2, EmailStatus::Sent)), Change::create(email(3, EmailStatus::Sent)),
            Change::create(party(11, 1, 7)), Change::create(party(12, 2, 7)), Change::create(party(13, 3, 8)),
        ])).await.unwrap();
        let with = |who| Filter::Any { table: ActivityParty::TABLE, column: "activityid", filter: Box::new(Filter::eq(ActivityParty::C.party, Some(Ref::new("contact", id(who))))) };
        assert_eq!(found(store, Email::TABLE, with(7)).await, BTreeSet::from([id(1), id(2)]));
        let sent = with(7).and(Filter::eq(Email::C.status, EmailStatus::Sent));
        assert_eq!(found(store, Email::TABLE, sent).await, BTreeSet::from([id(2)]));
    }

    async fn only_the_selected_columns_are_read(place, store) {
        fill(store).await;
        let mut query = Query::of::<Account>().limit(1);
        query.select = vec!["name", "ownerid", "accountid"];
        let record = store.query(&query).await.unwrap().remove(0);
        assert_eq!(record.values.keys().copied().collect::<Vec<_>>(), ["name", "ownerid"]);
    }

    async fn sorting_ignores_case_and_puts_the_absent_first(place, store) {
        let changes = ["b", "", "C", "a", "Z"].iter().zip(1..).map(|(name, n)| Change::create(Account { name: (*name).into(), ..Account::blank(id(n)) }));
        store.commit(&commit(changes.collect())).await.unwrap();
        assert_eq!(names(store, &Query::of::<Account>().order_by(Account::C.name, false)).await, ["", "a", "b", "C", "Z"]);
        assert_eq!(names(store, &Query::of::<Account>().order_by(Account::C.name, true)).await, ["Z", "C", "b", "a", ""]);
        assert_eq!(names(store, &Query::of::<Account>().order_by(Account::C.name, true).limit(2)).await, ["Z", "C"]);
    }

    async fn pages_show_every_row_once(place, store) {
        let rows = fill(store).await;
        let orders: [&[(Path, bool)]; 5] = [
            &[],
            &[(path(&[], "firstname"), false)],
            &[(path(&[], "lastname"), true), (path(&[], "birthdate"), true)],
            &[(path(&[], "gendercode"), false), (path(&["parentcustomerid"], "name"), true)],
            &[(path(&[], "contactid"), true), (path(&[], "firstname"), false)],
        ];
        for order in orders {
            let mut query = Query::of::<Contact>().limit(7);
            query.order = order.iter().map(|(column, descending)| Order { column: column.clone(), descending: *descending }).collect();
            let mut whole = query.clone();
            whole.limit = None;
            let expected: Vec<Id> = store.query(&whole).await.unwrap().iter().map(|r| r.id).collect();
            let mut seen = Vec::new();
            loop {
                let page = store.query(&query).await.unwrap();
                seen.extend(page.iter().map(|r| r.id));
                let Some(last) = page.last() else { break };
                let values = order.iter().map(|(p, _)| at_path(&rows, last, p)).collect();
                query.after = Some((values, last.id));
            }
            assert_eq!((seen.len(), &seen), (40, &expected), "{order:?}");
        }
    }

    async fn pages_stay_right_while_rows_are_added(place, store) {
        let account = |n: u128| Change::create(Account { name: format!("{n:04}"), ..Account::blank(id(n)) });
        store.commit(&commit((0..50).map(|n| account(n * 10)).collect())).await.unwrap();
        let mut query = Query::of::<Account>().order_by(Account::C.name, false).limit(10);
        let mut seen = Vec::new();
        for round in 0.. {
            let page = store.list::<Account>(&query).await.unwrap();
            let Some(last) = page.last() else { break };
            query.after = Some((vec![Value::Text(last.name.clone())], last.id));
            seen.extend(page.iter().map(|a| a.id.as_u128()));
            // One before where we are, one after.
            if round < 5 {
                store.commit(&commit(vec![account(round * 100 + 1), account(495 + round)])).await.unwrap();
            }
        }
        assert!(seen.is_sorted_by(|a, b| a < b));
        assert!((0..50).all(|n| seen.contains(&(n * 10))));
    }

    async fn what_is_not_declared_is_refused(place, store) {
        for filter in [
            Filter::IsNull("nosuchcolumn".into()),
            Filter::IsNull(path(&["nosuchlookup"], "name")),
            Filter::IsNull(path(&["name"], "name")),
            Filter::Text("statecode".into(), TextMatch::Contains, "x".into()),
            Filter::Columns("name".into(), Compare::Equal, "statecode".into()),
            Filter::Any { table: Contact::TABLE, column: "firstname", filter: Box::new(Filter::All) },
        ] {
            let error = store.query(&Query::of::<Account>().filter(filter.clone())).await.unwrap_err();
            assert!(matches!(error, StoreError::NoColumn { .. }), "{filter:?}: {error}");
        }
        let wrong = Filter::Compare("statecode".into(), Compare::Equal, Value::Text("x' OR 1=1".into()));
        assert!(matches!(store.query(&Query::of::<Account>().filter(wrong)).await, Err(StoreError::NoFit { .. })));
        let secret = Filter::IsNull("password".into());
        assert!(store.query(&Query::of::<model::tables::Mailbox>().filter(secret)).await.is_err());
    }

    async fn columns_compare_with_columns(place, store) {
        let email = |n, sender: &str, to: &str| Change::create(Email { sender: sender.into(), to_recipients: to.into(), ..Email::blank(id(n)) });
        store.commit(&commit(vec![email(1, "a@x", "A@X"), email(2, "a@x", "b@x"), email(3, "", "")])).await.unwrap();
        let same = Filter::Columns("sender".into(), Compare::Equal, "torecipients".into());
        assert_eq!(found(store, Email::TABLE, same).await, BTreeSet::from([id(1)]));
        let other = Filter::Columns("sender".into(), Compare::NotEqual, "torecipients".into());
        assert_eq!(found(store, Email::TABLE, other).await, BTreeSet::from([id(2)]));
    }
}
