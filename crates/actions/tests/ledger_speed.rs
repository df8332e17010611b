//! How long a search in the ledger of a mailbox takes with 100,000 messages.
//! Run by hand: `cargo nextest run -p actions --test ledger_speed --run-ignored all --no-capture`.
//! `POSTROOM_TEST_POSTGRES_URL` names an empty PostgreSQL database, if any.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a measurement")]

use std::collections::BTreeSet;
use std::time::Instant;

use actions::ledger::{Place, Search, search};
use actions::{Context, Random, Settings, Store};
use model::tables::{Disposition, LedgerEntry, Mailbox};
use model::{Actor, Change, Commit, Entity as _, Id, Timestamp};
use store::Options;

const MESSAGES: u128 = 100_000;
const MAILBOX: Id = Id::from_u128(7);

fn at(seconds: u128) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + i64::try_from(seconds).unwrap()).unwrap()
}

fn message(n: u128) -> Change {
    let disposition = if n.is_multiple_of(1000) { Disposition::Failed } else { Disposition::Tracked };
    Change::create(LedgerEntry {
        mailbox: Some(model::Ref::new("mailbox", MAILBOX)),
        folder: "INBOX".to_owned(),
        position: format!("1/{n}"),
        message_id: format!("<message.{n}@customer{}.example.com>", n % 997),
        fingerprint: format!("{n:064x}"),
        subject: format!("About order {n} and what else there is to say"),
        from: format!("customer{}@example.com", n % 2000),
        received_on: Some(at(n)),
        seen_on: Some(at(n)),
        disposition,
        reason: "It answers an email that was tracked before".to_owned(),
        ..LedgerEntry::blank(Id::from_u128(n << 32 | 1))
    })
}

async fn time<T>(name: &str, mut ask: impl AsyncFnMut() -> T) {
    let mut all = Vec::new();
    for _ in 0..15 {
        let begin = Instant::now();
        ask().await;
        all.push(begin.elapsed().as_secs_f64() * 1000.0);
    }
    all.sort_by(f64::total_cmp);
    eprintln!("  {name}: median {:.1} ms, worst {:.1} ms", all[7], all[14]);
}

async fn measure(name: &str, options: &Options) {
    let store = Store::create(options).await.unwrap();
    let now: Timestamp = "2026-03-01T09:00:00Z".parse().unwrap();
    let token = actions::init(&store, "admin@example.com", now, &Random::system()).await.unwrap();
    let actor = actions::token::authenticate(&store, &token, now).await.unwrap().unwrap().user;
    let ctx = Context::new(store, actor, now, Random::system(), Settings::default()).await.unwrap();
    let mailbox = Mailbox { name: "Busy".into(), owner: Some(ctx.actor.reference()), ..Mailbox::blank(MAILBOX) };
    let actor = Actor { user: ctx.actor.id };
    ctx.store.commit(&Commit::new(actor, now, vec![Change::create(mailbox)])).await.unwrap();
    for n in (0..MESSAGES).step_by(1000) {
        let changes = (n..n + 1000).map(message).collect();
        ctx.store.commit(&Commit::new(actor, now, changes)).await.unwrap();
    }
    eprintln!("{name}:");
    let ask = async |wanted: &Search, after| search(&ctx, MAILBOX, wanted, after, 50).await.unwrap();
    let all = Search::default();
    time("the newest", async || ask(&all, None).await).await;
    let middle = Place { seen_on: Some(at(MESSAGES / 2)), id: Id::from_u128((MESSAGES / 2) << 32 | 1) };
    time("a page in the middle", async || ask(&all, Some(middle)).await).await;
    let id = Search { message_id: "message.777@customer777.example.com".into(), ..all.clone() };
    time("by Message-ID", async || assert_eq!(ask(&id, None).await.entries.len(), 1)).await;
    let failed = Search { dispositions: BTreeSet::from([Disposition::Failed]), ..all.clone() };
    time("by disposition", async || assert_eq!(ask(&failed, None).await.entries.len(), 50)).await;
    let sender = Search { sender: "customer3@example.com".into(), ..all.clone() };
    time("by sender", async || assert_eq!(ask(&sender, None).await.entries.len(), 50)).await;
    let day = Search { since: Some(at(40_000)), before: Some(at(40_100)), ..all.clone() };
    time("of a time", async || assert_eq!(ask(&day, None).await.entries.len(), 50)).await;
    let subject = Search { subject: "order 12 and".into(), ..all.clone() };
    time("by the subject of one old message", async || assert_eq!(ask(&subject, None).await.entries.len(), 1)).await;
    let text = Search { text: "there is none like it".into(), ..all.clone() };
    time("by words that no message has", async || assert!(ask(&text, None).await.entries.is_empty())).await;
}

#[tokio::test]
#[ignore = "a measurement, run by hand"]
async fn with_a_hundred_thousand_messages() {
    let dir = tempfile::tempdir().unwrap();
    measure("SQLite", &Options::new(dir.path().join("sqlite"))).await;
    #[expect(clippy::disallowed_methods, reason = "the way in for the test server's address")]
    let database = std::env::var("POSTROOM_TEST_POSTGRES_URL").ok();
    if database.is_some() {
        measure("PostgreSQL", &Options { database, ..Options::new(dir.path().join("postgres")) }).await;
    }
}
