//! How fast emails are committed. Run by hand with optimization:
//! `cargo test --release -p store --test speed -- --ignored --nocapture`.
//! `POSTROOM_TEST_POSTGRES_URL` names an empty PostgreSQL database, if any.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a measurement")]

use std::time::Instant;

use model::tables::*;
use model::{Actor, Change, Commit, Entity as _, Id, Ref, Timestamp};
use sha2::{Digest as _, Sha256};
use store::{Options, Store, Written};

fn id(n: u128) -> Id {
    Id::from_u128(n)
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

/// What one received message becomes: the email, its parties, the ledger's row.
fn message(n: u128, written: Written, places: Vec<model::mail::StoredBlob>) -> Commit {
    let hash: [u8; 32] = Sha256::digest(n.to_be_bytes()).into();
    let email_id = id((n + 1) << 16);
    let email = Email {
        subject: format!("About order {n}"),
        description: "<p>A line of text as people write it, some more words.</p>".repeat(40),
        owner: Some(Ref::new("systemuser", id(1))),
        is_outgoing: false,
        sender: format!("customer{n}@example.com"),
        to_recipients: "support@example.org;".into(),
        message_id: format!("<{}@example.com>", hex::encode(&hash[..12])),
        duplicate_key: Some(Id::from_slice(&hash[..16]).unwrap()),
        fingerprint: Some(hash.to_vec()),
        conversation_hash: Some(i64::from(n as u32)),
        conversation: Some(email_id),
        receiving_mailbox: Some(Ref::new("mailbox", id(2))),
        accepting_entity: Some(Ref::new("queue", id(3))),
        sent_on: Some(at(n as i64)),
        received_on: Some(at(n as i64)),
        headers: "Received: from somewhere by somewhere else with ESMTPS\r\n".repeat(12),
        blob: Some(written.id.0.to_vec()),
        state: EmailState::Completed,
        status: EmailStatus::Received,
        ..Email::blank(email_id)
    };
    let party = |k: u128, participation| ActivityParty {
        activity: Some(Ref::new("email", email_id)),
        address: format!("customer{n}@example.com"),
        unresolved_name: "A Customer".into(),
        participation,
        ..ActivityParty::blank(id(((n + 1) << 16) + k))
    };
    let ledger = LedgerEntry {
        mailbox: Some(Ref::new("mailbox", id(2))),
        folder: "INBOX".into(),
        position: format!("1700000000/{n}"),
        message_id: email.message_id.clone(),
        fingerprint: hex::encode(hash),
        subject: email.subject.clone(),
        from: email.sender.clone(),
        received_on: Some(at(0)),
        seen_on: Some(at(0)),
        disposition: Disposition::Tracked,
        reason: "Accepted: all email messages".into(),
        activity: Some(Ref::new("email", email_id)),
        size: 20_000,
        blob: Some(written.id.0.to_vec()),
        header_digest: Some(hash.to_vec()),
        ..LedgerEntry::blank(id(((n + 1) << 16) + 9))
    };
    let parties = [(1, Participation::Sender), (2, Participation::To), (3, Participation::Cc)];
    let mut changes = vec![Change::create(email)];
    changes.extend(parties.map(|(k, p)| Change::create(party(k, p))));
    changes.push(Change::create(ledger));
    Commit::new(Actor { user: id(1) }, at(0), changes).with_blobs(places)
}

async fn fill(name: &str, store: &Store, count: u128) {
    let batch = 200;
    let content: Vec<u8> = "Some words of a message, and some more of them.\r\n".bytes().cycle().take(20_000).collect();
    let (mut blobs, mut rows) = (0.0, 0.0);
    let begin = Instant::now();
    let mut writer = store.blobs().writer();
    for first in (0..count).step_by(batch) {
        let started = Instant::now();
        let mut written = Vec::new();
        for n in first..first + batch as u128 {
            writer.begin(20_000).unwrap();
            writer.write(&n.to_be_bytes()).unwrap();
            writer.write(&content).unwrap();
            written.push(writer.finish().unwrap());
        }
        let mut places = writer.sync().await.unwrap().into_iter();
        blobs += started.elapsed().as_secs_f64();
        let commits: Vec<Commit> =
            written.into_iter().zip(first..).map(|(w, n)| message(n, w, places.next().into_iter().collect())).collect();
        let started = Instant::now();
        for result in store.commit_all(commits).await {
            result.unwrap();
        }
        rows += started.elapsed().as_secs_f64();
    }
    let all = begin.elapsed().as_secs_f64();
    let rate = |seconds: f64| count as f64 / seconds;
    eprintln!(
        "{name}: {:.0} emails/s in all; rows alone {:.0}/s, blobs alone {:.0}/s",
        rate(all),
        rate(rows),
        rate(blobs)
    );
}

#[tokio::test]
#[ignore = "a measurement, run by hand"]
async fn emails_per_second() {
    let dir = tempfile::tempdir().unwrap();
    let sqlite = Options::new(dir.path().join("sqlite"));
    fill("SQLite", &Store::create(&sqlite).await.unwrap(), 20_000).await;
    #[expect(clippy::disallowed_methods, reason = "the way in for the test server's address")]
    let database = std::env::var("POSTROOM_TEST_POSTGRES_URL").ok();
    if database.is_some() {
        let postgres = Options { database, ..Options::new(dir.path().join("postgres")) };
        fill("PostgreSQL", &Store::create(&postgres).await.unwrap(), 5_000).await;
    }
}
