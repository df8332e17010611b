//! The monitoring board.

use model::tables::{Disposition, LedgerEntry, Node, NodeConnection, Server};
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
    let page = page.sees("0 mailboxes receive. 0 mailboxes send.").sees("Longest wait");
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

/// A node that was last heard of so many seconds ago, and what it holds under
/// the profile: open, idle, most, waiting.
pub fn node(w: &World, name: &str, ago: i64, profile: Id, held: [i64; 4]) -> Vec<Change> {
    let seen = model::Clock::now(w.clock.as_ref()) - SignedDuration::from_secs(ago);
    let id = model::id::derived(seen, &[name.as_bytes()]);
    let [open, idle, most, waiting] = held;
    let connection = NodeConnection {
        node: Some(Ref::new("pr_node", id)),
        profile: Some(Ref::new("emailserverprofile", profile)),
        host: "mail.example.com".into(),
        open,
        idle,
        most,
        waiting,
        ..NodeConnection::blank(model::id::derived(seen, &[b"held", name.as_bytes()]))
    };
    let node = Node { name: name.into(), seen_on: Some(seen), ..Node::blank(id) };
    vec![Change::create(node), Change::create(connection)]
}

story!(connections_are_shown_by_node_and_not_believed_of_one_that_is_silent, |w| {
    let body = serde_json::json!({ "name": "Local", "servertype": 4,
        "incomingserverlocation": "mail.example.com", "outgoingserverlocation": "mail.example.com" });
    let profile: Id = w.create("emailserverprofiles", body).await.parse().unwrap();
    let mut admin = w.administrator().await;
    let form = format!("/settings/profiles/{profile}");
    admin.open(&form).await.expect(200).sees("No node is there to process mail.");
    put(&w, node(&w, "alpha", 5, profile, [4, 3, 10, 0])).await;
    put(&w, node(&w, "beta", 300, profile, [7, 2, 10, 5])).await;
    put(&w, node(&w, "gamma", 5, Id::nil(), [1, 0, 2, 6])).await;
    let board = admin.open("/settings/monitoring").await.expect(200);
    let board = board.sees("mail.example.com (Local): 4 of 10 open, 3 of them kept for the next cycle");
    board.sees("mail.example.com: 1 of 2 open 6 mailboxes wait for one").sees("It held 7 then");
    let page = admin.open(&form).await.expect(200).sees("4 of 10 open").sees("alpha").sees("beta");
    assert!(!page.text().contains("gamma"), "that is another profile's");
    assert!(!page.text().contains("5 mailboxes wait"), "nobody knows that of a silent node");
    let part = admin.part(&format!("{form}/connections")).await.expect(200).sees("4 of 10 open");
    assert!(!part.text().contains("<html"));
});
