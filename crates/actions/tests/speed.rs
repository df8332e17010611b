//! How long a person waits for what they work with, with 100,000 emails. Run
//! by hand: `cargo nextest run -p actions --test speed --run-ignored all --no-capture`.
//! `POSTROOM_TEST_POSTGRES_URL` names an empty PostgreSQL database, if any.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a measurement")]

use std::time::Instant;

use actions::timeline::{Sort, timeline};
use actions::{Context, Random, Settings, Store, my_work, queue, unresolved};
use model::tables::*;
use model::{Actor, Change, Commit, Entity as _, Id, Ref, Timestamp};
use store::Options;

const EMAILS: u128 = 100_000;
const CONTACTS: u128 = 2_000;

fn id(n: u128) -> Id {
    Id::from_u128(n)
}

fn at(seconds: u128) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + i64::try_from(seconds).unwrap()).unwrap()
}

fn contact(n: u128) -> Ref {
    Ref::new("contact", id(1_000_000 + n))
}

const QUEUE: Ref = Ref::new("queue", Id::from_u128(77));

fn message(n: u128, owner: Ref) -> Vec<Change> {
    let email = id((n + 1) << 32);
    let reference = Some(Ref::new("email", email));
    let row = Email {
        subject: format!("About order {n}"),
        description: "<p>A line of text as people write it, some more words.</p>".repeat(20),
        owner: Some(owner),
        regarding: n.is_multiple_of(3).then(|| contact(n % CONTACTS)),
        sort_date: Some(at(n)),
        received_on: Some(at(n)),
        is_outgoing: false,
        state: EmailState::Completed,
        status: EmailStatus::Received,
        ..Email::blank(email)
    };
    let party = |k: u128, participation, party: Option<Ref>| {
        Change::create(ActivityParty {
            activity: reference,
            address: format!("customer{n}@example.com"),
            participation,
            party,
            ..ActivityParty::blank(id(((n + 1) << 32) + k))
        })
    };
    let item = QueueItem {
        queue: Some(QUEUE),
        object: reference,
        entered_on: Some(at(n)),
        worker: n.is_multiple_of(50).then_some(owner),
        ..QueueItem::blank(id(((n + 1) << 32) + 9))
    };
    vec![
        Change::create(row),
        party(1, Participation::Sender, n.is_multiple_of(2).then(|| contact(n % CONTACTS))),
        party(2, Participation::To, Some(QUEUE)),
        Change::create(item),
    ]
}

async fn fill(ctx: &Context) {
    let actor = Actor { user: ctx.actor.id };
    let owner = ctx.actor.reference();
    let mut first: Vec<Change> = (0..CONTACTS)
        .map(|n| {
            Change::create(Contact {
                full_name: format!("Customer {n}"),
                owner: Some(owner),
                ..Contact::blank(contact(n).id)
            })
        })
        .collect();
    first.push(Change::create(Queue { name: "Support".into(), owner: Some(owner), ..Queue::blank(QUEUE.id) }));
    ctx.store.commit(&Commit::new(actor, ctx.now, first)).await.unwrap();
    for n in (0..EMAILS).step_by(500) {
        let changes = (n..n + 500).flat_map(|n| message(n, owner)).collect();
        ctx.store.commit(&Commit::new(actor, at(n), changes)).await.unwrap();
    }
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
    let mut ctx = Context::new(store, actor, now, Random::system(), Settings::default()).await.unwrap();
    fill(&ctx).await;
    eprintln!("{name}:");
    for who in ["administrator", "ordinary user"] {
        eprintln!(" {who}");
        time("timeline of a contact", async || timeline(&ctx, contact(0), Sort::All, None, 25).await.unwrap()).await;
        time("timeline of the queue", async || timeline(&ctx, QUEUE, Sort::All, None, 25).await.unwrap()).await;
        let last = timeline(&ctx, QUEUE, Sort::All, None, 25).await.unwrap().next;
        time("its next page", async || timeline(&ctx, QUEUE, Sort::All, last, 25).await.unwrap()).await;
        time("queues with counts", async || queue::overview(&ctx, true, "", None, 50).await.unwrap()).await;
        let waits = [EmailStatus::PendingSend, EmailStatus::Sending, EmailStatus::Failed];
        time("what has not gone out", async || my_work::emails(&ctx, &waits, 10).await.unwrap()).await;
        time("alerts", async || my_work::alerts(&ctx, 10).await.unwrap()).await;
        time("addresses without a record", async || unresolved::list(&ctx, "", 50).await.unwrap()).await;
        // The same person with Basic User only: every question is narrowed.
        let mut basic = rules::access::Principal::new(ctx.actor.id, "basic");
        basic.roles.insert(rules::access::roles::BASIC_USER);
        let ready = rules::access::roles::by_template(rules::access::roles::BASIC_USER).unwrap();
        for (privilege, depth) in ready.privileges() {
            basic.grant(&privilege, depth, None, &rules::access::Tree::new());
        }
        ctx.principal = std::sync::Arc::new(basic);
    }
}

#[tokio::test]
#[ignore = "a measurement, run by hand"]
async fn with_a_hundred_thousand_emails() {
    let dir = tempfile::tempdir().unwrap();
    measure("SQLite", &Options::new(dir.path().join("sqlite"))).await;
    #[expect(clippy::disallowed_methods, reason = "the way in for the test server's address")]
    let database = std::env::var("POSTROOM_TEST_POSTGRES_URL").ok();
    if database.is_some() {
        measure("PostgreSQL", &Options { database, ..Options::new(dir.path().join("postgres")) }).await;
    }
}
