//! When a mailbox is woken for an email that is to be sent later.

use std::sync::{Arc, Mutex};

use connectors::net::{Dialer, NetConfig};
use model::tables::{Approval, EmailServerProfile, Mailbox, Organization, OutgoingMethod, WorkItem};
use model::work::Workload;
use model::{Actor, Clock, Commit, Entity, Id, SignedDuration};
use store::{Options, Store};

use super::*;
use crate::{Settings, run_once};

const MAILBOX: Id = Id::from_u128(3);

/// Stands still unless it is moved.
struct Hands(Mutex<Timestamp>);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A user's mailbox that sends, and a clock to be moved.
struct Desk {
    engine: Arc<Engine>,
    clock: Arc<Hands>,
    _place: tempfile::TempDir,
}

impl Desk {
    async fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let store = Store::create(&Options::new(place.path())).await.unwrap();
        let clock = Arc::new(Hands(Mutex::new(at("2026-11-24T09:00:00Z"))));
        let dialer = Dialer::new(NetConfig::default()).unwrap();
        let engine = Engine::new(store, dialer, Arc::clone(&clock) as Arc<dyn Clock>, Settings::default());
        let profile = EmailServerProfile { name: "Ours".into(), ..EmailServerProfile::blank(Id::from_u128(2)) };
        let mailbox = Mailbox {
            name: "Sam".into(),
            is_forward: false,
            regarding: Some(Ref::new("systemuser", Id::from_u128(9))),
            profile: Some(profile.reference()),
            outgoing: OutgoingMethod::ServerSide,
            enabled_outgoing: true,
            approval: Approval::Approved,
            ..Mailbox::blank(MAILBOX)
        };
        let this = Self { engine, clock, _place: place };
        this.write(Change::create(Organization::blank(Id::from_u128(1)))).await;
        this.write(Change::create(profile)).await;
        this.write(Change::create(mailbox)).await;
        for change in rules::schedule::due(MAILBOX, Workload::Outgoing, this.engine.now()) {
            this.write(change).await;
        }
        this
    }

    async fn write(&self, change: Change) {
        let commit = Commit::new(Actor { user: Id::nil() }, self.engine.now(), vec![change]);
        self.engine.store.commit(&commit).await.unwrap();
    }

    /// An email that waits to be sent, at this time or as soon as can be.
    async fn pending_send(&self, n: u128, later: Option<&str>) {
        let email = Email {
            status: EmailStatus::PendingSend,
            sender_mailbox: Some(Ref::new("mailbox", MAILBOX)),
            delayed_send: later.map(at),
            ..Email::blank(Id::from_u128(n))
        };
        self.write(Change::create(email)).await;
    }

    fn set(&self, time: &str) {
        *self.clock.0.lock().unwrap() = at(time);
    }

    async fn due(&self) -> Option<Timestamp> {
        let items = self.engine.store.list::<WorkItem>(&Query::of::<WorkItem>()).await.unwrap();
        items.into_iter().find(|item| item.workload == Workload::Outgoing).and_then(|item| item.next_run)
    }

    async fn cycle(&self) -> Progress {
        run_once(&self.engine, MAILBOX, Workload::Outgoing).await.unwrap()
    }

    async fn taken(&self) -> Vec<u128> {
        let loaded = self.engine.load(MAILBOX).await.unwrap();
        pending(&self.engine, &loaded).await.unwrap().iter().map(|email| email.id.as_u128()).collect()
    }

    async fn is_claimed(&self) -> bool {
        let now = self.engine.now();
        let until = now + SignedDuration::from_secs(60);
        let leases = self.engine.store.claim(Workload::Outgoing, "a worker", now, until, 8, &[]).await.unwrap();
        let claimed = leases.iter().any(|lease| lease.mailbox == MAILBOX);
        for lease in leases {
            self.engine.store.release(&lease, lease.due, 0).await.unwrap();
        }
        claimed
    }
}

#[tokio::test]
async fn a_mailbox_is_woken_at_the_time_of_send_later() {
    let desk = Desk::new().await;
    desk.pending_send(71, Some("2026-11-24T09:00:41Z")).await;
    desk.pending_send(72, Some("2026-11-24T09:00:25Z")).await;
    // Nothing is to be done yet, and it is known when there is.
    let progress = desk.cycle().await;
    assert_eq!((progress.found, progress.more), (0, false));
    assert_eq!(progress.wake, Some(at("2026-11-24T09:00:25Z")), "the first of them");
    assert_eq!(desk.due().await, progress.wake);
    assert!(desk.taken().await.is_empty(), "before its time nothing is sent");
    desk.set("2026-11-24T09:00:24Z");
    assert!(!desk.is_claimed().await, "a second too early");
    desk.set("2026-11-24T09:00:25Z");
    assert!(desk.is_claimed().await, "its time has come");
    assert_eq!(desk.taken().await, [72], "and not the other one's");
}

#[tokio::test]
async fn what_is_to_be_sent_long_after_does_not_keep_others_waiting() {
    let desk = Desk::new().await;
    desk.pending_send(71, Some("2026-12-24T18:00:00Z")).await;
    let progress = desk.cycle().await;
    assert_eq!(progress.wake, Some(at("2026-12-24T18:00:00Z")));
    // It looks for itself all the same, should a wake-up be lost.
    let due = desk.due().await.unwrap();
    assert!(due > at("2026-11-24T09:00:30Z") && due < at("2026-11-24T09:02:00Z"), "{due}");
    desk.set("2026-11-24T09:00:05Z");
    desk.pending_send(73, None).await;
    assert_eq!(desk.taken().await, [73]);
    desk.set("2026-12-24T18:00:00Z");
    assert_eq!(desk.taken().await, [71, 73]);
}
