//! The monitoring board.

use model::tables::{Disposition, LedgerEntry, Node, Server};
use model::{Actor, Change, Commit, Entity, Id, Ref, SignedDuration};

use crate::world::World;

async fn put(w: &World, changes: Vec<Change>) {
    let at = model::Clock::now(w.clock.as_ref());
    w.store.commit(&Commit::new(Actor { user: Id::nil() }, at, changes)).await.unwrap();
}

fn seen(n: u8, mailbox: Id, at: model::Timestamp, disposition: Disposition) -> Change {
    let id = model::id::derived(at, &[&[n]]);
    Change::create(LedgerEntry {
        mailbox: Some(Ref::new("mailbox", mailbox)),
        folder: "INBOX".into(),
        position: n.to_string(),
        seen_on: Some(at),
        disposition,
        ..LedgerEntry::blank(id)
    })
}

story!(the_board_counts_what_is_there, |w| {
    let mut admin = w.administrator().await;
    let mailbox: Id = w.mailbox_of(&admin.id).await.parse().unwrap();
    let now = model::Clock::now(w.clock.as_ref());
    let server = Server {
        name: "imap.example.com:993".into(),
        failures: 4,
        open_until: Some(now + SignedDuration::from_mins(5)),
        last_error: "connection refused".into(),
        ..Server::blank(model::id::derived(now, &[b"s"]))
    };
    let node = |name: &str, seen| {
        let id = model::id::derived(now, &[name.as_bytes()]);
        Change::create(Node { name: name.into(), seen_on: Some(seen), ..Node::blank(id) })
    };
    put(
        &w,
        vec![
            seen(1, mailbox, now, Disposition::Tracked),
            seen(2, mailbox, now, Disposition::Filtered),
            seen(3, mailbox, now - SignedDuration::from_hours(2), Disposition::Failed),
            seen(4, mailbox, now - SignedDuration::from_hours(48), Disposition::Tracked),
            Change::create(server),
            node("alpha", now),
            node("beta", now - SignedDuration::from_mins(10)),
        ],
    )
    .await;
    let page = admin.open("/settings/monitoring").await.expect(200);
    let page = page.sees("3 messages in 24 hours, 2 in the busiest hour.");
    let page = page.sees("imap.example.com:993 connection refused Paused").sees("alpha There").sees("beta Silent");
    let page = page.sees("09:00: Tracked 1, Not for the CRM 1").sees("1 Servers in trouble See the servers below.");
    assert!(page.text().contains("role=\"img\""));
    let part = admin.part("/settings/monitoring").await.expect(200);
    assert!(part.text().starts_with("<div id=\"board\""), "{}", part.text());
});

story!(the_board_is_for_those_who_may_read_every_mailbox, |w| {
    let page = w.salesperson().await.open("/settings/monitoring").await.expect(403);
    page.sees("prvReadMailbox").sees("Check your security role");
    w.nobody().await.open("/settings/monitoring").await.expect(403);
});
