//! How long the server takes for a list, with 5,000 mailboxes and 100,000
//! emails. Run by hand, optimized:
//! `cargo nextest run --release -p web --test pages speed --run-ignored all --no-capture`.

use std::time::Instant;

use model::tables::{Email, EmailState, EmailStatus, Mailbox, SystemUser, TestStatus};
use model::{Actor, Change, Commit, Entity, Id, Timestamp};

use crate::people::Person;
use crate::world::World;

const USERS: u128 = 5_000;
const EMAILS: u128 = 100_000;
const TIMES: usize = 40;

fn id(n: u128) -> Id {
    Id::from_u128(n)
}

fn at(seconds: u128) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + i64::try_from(seconds).unwrap()).unwrap()
}

fn user(n: u128) -> Vec<Change> {
    let user = SystemUser {
        domain_name: format!("user{n}@example.com"),
        full_name: format!(
            "{} Someone {n}",
            ["Anna", "Ben", "Clara", "Dmitri", "Élodie"][usize::try_from(n % 5).unwrap()]
        ),
        ..SystemUser::blank(id(1 << 40 | n))
    };
    let status = [TestStatus::Success, TestStatus::NotRun, TestStatus::Failure][usize::try_from(n % 3).unwrap()];
    let mailbox = Mailbox {
        name: user.full_name.clone(),
        address: format!("user{n}@example.com"),
        owner: Some(user.reference()),
        regarding: Some(user.reference()),
        is_forward: false,
        incoming_status: status,
        outgoing_status: status,
        mailbox_status: status,
        test_log: "Connect to mail.example.com:993: passed\n".repeat(12),
        ..Mailbox::blank(id(2 << 40 | n))
    };
    vec![Change::create(user), Change::create(mailbox)]
}

/// Every tenth is the administrator's.
fn email(n: u128, admin: Id) -> Change {
    let owner = if n.is_multiple_of(10) { admin } else { id(1 << 40 | (n % USERS)) };
    let status = match n % 1_000 {
        0 => EmailStatus::Failed,
        1 => EmailStatus::PendingSend,
        k if k % 3 == 0 => EmailStatus::Sent,
        _ => EmailStatus::Received,
    };
    let state = if status == EmailStatus::Failed { EmailState::Open } else { EmailState::Completed };
    Change::create(Email {
        subject: format!("About order {n}"),
        description: "<p>A line of text as people write it, some more words.</p>".repeat(30),
        owner: Some(model::Ref::new("systemuser", owner)),
        sender: format!("customer{}@example.org", n % 997),
        to_recipients: format!("user{}@example.com;", n % USERS),
        sort_date: Some(at(n)),
        state,
        status,
        ..Email::blank(id(3 << 40 | n))
    })
}

async fn fill(w: &World, admin: Id) {
    let actor = Actor { user: admin };
    for n in (0..USERS).step_by(250) {
        let changes = (n..n + 250).flat_map(user).collect();
        w.store.commit(&Commit::new(actor, at(n), changes)).await.unwrap();
    }
    for n in (0..EMAILS).step_by(500) {
        let changes = (n..n + 500).map(|n| email(n, admin)).collect();
        w.store.commit(&Commit::new(actor, at(n), changes)).await.unwrap();
    }
}

async fn time(person: &mut Person<'_>, name: &str, path: &str) {
    let mut all = Vec::new();
    let mut size = 0;
    for _ in 0..TIMES {
        let begun = Instant::now();
        let answer = person.open(path).await;
        all.push(begun.elapsed().as_secs_f64() * 1_000.0);
        size = answer.expect(200).body.len() / 1_024;
    }
    all.sort_by(f64::total_cmp);
    println!("  {name}: median {:.1} ms, 95 % {:.1} ms, {size} kB", all[TIMES / 2], all[TIMES * 95 / 100]);
}

async fn measure(name: &str, w: World) {
    let mut admin = w.administrator().await;
    let own: Id = admin.id.parse().unwrap();
    fill(&w, own).await;
    println!("{name}:");
    let found = w.read("/savedqueries?$select=name,returnedtypecode&$orderby=returnedtypecode,name").await;
    for one in found["value"].as_array().unwrap() {
        let base = match one["returnedtypecode"].as_str().unwrap() {
            "mailbox" => "/settings/mailboxes",
            "emailserverprofile" => "/settings/profiles",
            "tracelog" => "/settings/alerts",
            "email" => "/work/activities",
            _ => continue,
        };
        let path = format!("{base}?view={}", one["savedqueryid"].as_str().unwrap());
        if admin.open(&path).await.status == 200 {
            time(&mut admin, one["name"].as_str().unwrap(), &path).await;
        }
    }
    let found = w.read("/savedqueries?$filter=name%20eq%20'Active%20Mailboxes'").await;
    let active = found["value"][0]["savedqueryid"].as_str().unwrap();
    for (what, more) in [
        ("page 50", "page=50"),
        ("by owner", "sort=ownerid"),
        ("quick find", "find=user4321"),
        ("by status", "sort=-incomingemailstatus"),
    ] {
        time(&mut admin, &format!("Active Mailboxes, {what}"), &format!("/settings/mailboxes?view={active}&{more}"))
            .await;
    }
}

#[tokio::test]
#[ignore = "a measurement, run by hand"]
async fn lists_of_a_large_company_on_sqlite() {
    measure("SQLite", World::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, run by hand"]
async fn lists_of_a_large_company_on_postgres() {
    if let Some(w) = World::postgres().await {
        measure("PostgreSQL", w).await;
    }
}
