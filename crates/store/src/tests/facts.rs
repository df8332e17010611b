//! `facts_for_mail`.

use std::collections::BTreeSet;

use super::backend::{at, commit, id};
use crate::{Store, StoreError};
use model::facts::{MailFacts, MailKeys};
use model::tables::*;
use model::{Change, Entity as _, Id, Record, Ref, Secret, Update, Value};

fn texts(list: &[&str]) -> BTreeSet<String> {
    list.iter().map(|t| (*t).to_owned()).collect()
}

fn create(entity: impl model::Entity, created: i64) -> Change {
    let mut record: Record = entity.into_record();
    record.set("createdon", Value::Time(at(created)));
    Change::Create(record)
}

/// An organization, Anna with a mailbox, a queue with one, and some customers.
async fn world(store: &Store) {
    let mut organization =
        Organization { system_user: Some(Ref::new("systemuser", id(99))), ..Organization::blank(id(1)) }.into_record();
    organization.set("pr_signingkey", Value::Secret(Secret::new("sign")));
    let user = SystemUser { address: "Anna@Example.com".into(), full_name: "Anna".into(), ..SystemUser::blank(id(10)) };
    let settings = UserSettings { filter: IncomingFilter::All, ..UserSettings::blank(id(10)) };
    let queue = Queue {
        name: "Support".into(),
        address: "support@example.com".into(),
        owner: Some(Ref::new("systemuser", id(10))),
        ..Queue::blank(id(20))
    };
    let of_user = Mailbox {
        address: user.address.clone(),
        regarding: Some(user.reference()),
        is_forward: false,
        ..Mailbox::blank(id(11))
    };
    let of_queue = Mailbox {
        address: queue.address.clone(),
        regarding: Some(queue.reference()),
        is_forward: false,
        ..Mailbox::blank(id(21))
    };
    let account = Account { name: "Firm".into(), address2: "müller@kunde.de".into(), ..Account::blank(id(30)) };
    let contact = Contact {
        full_name: "Müller".into(),
        address1: "MÜLLER@kunde.de".into(),
        company: Some(account.reference()),
        do_not_email: true,
        ..Contact::blank(id(31))
    };
    let lead = Lead {
        full_name: "L".into(),
        address3: "lead@kunde.de".into(),
        state: LeadState::Disqualified,
        ..Lead::blank(id(32))
    };
    let changes = vec![
        Change::Create(organization),
        create(user, 1),
        Change::create(settings),
        create(queue, 2),
        create(of_user, 3),
        create(of_queue, 4),
        create(account, 6),
        create(contact, 5),
        create(lead, 7),
    ];
    store.commit(&commit(changes)).await.unwrap();
}

async fn facts(store: &Store, mailbox: u128, keys: MailKeys) -> MailFacts {
    store.facts_for_mail(&MailKeys { mailbox: id(mailbox), ..keys }).await.unwrap()
}

fn known(facts: &MailFacts, address: &str) -> Vec<(Id, i64, bool)> {
    facts.known.get(address).into_iter().flatten().map(|k| (k.record.id, k.column, k.active)).collect()
}

super::backend::on_both! {
    async fn who_is_known_by_an_address(place, store) {
        world(store).await;
        let addresses = texts(&["müller@kunde.de", "anna@example.com", "support@example.com", "lead@kunde.de", "nobody@x"]);
        let facts = facts(store, 11, MailKeys { addresses, ..MailKeys::default() }).await;
        assert_eq!(known(&facts, "müller@kunde.de"), [(id(31), 1, true), (id(30), 2, true)]);
        assert_eq!(known(&facts, "anna@example.com"), [(id(10), 1, true)]);
        assert_eq!(known(&facts, "lead@kunde.de"), [(id(32), 3, false)]);
        assert_eq!(known(&facts, "nobody@x"), []);
        let contact = &facts.known["müller@kunde.de"][0];
        assert_eq!((contact.name.as_str(), contact.account, contact.do_not_email, contact.created_on), ("Müller", Some(id(30)), true, at(5)));
        assert_eq!(facts.known["support@example.com"][0].owner, Some(Ref::new("systemuser", id(10))));
    }

    async fn whose_mailboxes_are_served(place, store) {
        world(store).await;
        let facts = facts(store, 21, MailKeys { addresses: texts(&["anna@example.com"]), ..MailKeys::default() }).await;
        let served: Vec<_> = facts.served.iter().map(|s| (s.mailbox.id, s.who.id, s.filter, s.active, s.owner.id)).collect();
        assert_eq!(served, [
            (id(11), id(10), IncomingFilter::All, true, id(10)),
            (id(21), id(20), IncomingFilter::All, true, id(10)),
        ]);
        assert_eq!((facts.mailbox.id, facts.organization.id), (id(21), id(1)));
        assert_eq!(facts.signing_key.unwrap().expose(), "sign");
    }

    async fn a_user_without_settings_has_the_default_filter_and_a_disabled_one_is_not_active(place, store) {
        world(store).await;
        store.commit(&commit(vec![
            Change::delete::<UserSettings>(id(10)),
            Update::of::<SystemUser>(id(10)).set(SystemUser::C.is_disabled, true).into(),
        ])).await.unwrap();
        let facts = facts(store, 11, MailKeys { addresses: texts(&["anna@example.com"]), ..MailKeys::default() }).await;
        assert_eq!((facts.served[0].filter, facts.served[0].active), (IncomingFilter::Responses, false));
        assert!(!facts.known["anna@example.com"][0].active);
    }

    async fn an_address_follows_its_column(place, store) {
        world(store).await;
        let set = async |address: &str| {
            let update = Update::of::<Contact>(id(31)).set(Contact::C.address1, address.to_owned());
            store.commit(&commit(vec![update.into()])).await.unwrap();
        };
        let ask = async || facts(store, 11, MailKeys { addresses: texts(&["müller@kunde.de", "new@x"]), ..MailKeys::default() }).await;
        set("New@X").await;
        assert_eq!((known(&ask().await, "müller@kunde.de").len(), known(&ask().await, "new@x").len()), (1, 1));
        set("").await;
        assert_eq!(known(&ask().await, "new@x").len(), 0);
        set("new@x").await;
        store.commit(&commit(vec![Change::delete::<Contact>(id(31))])).await.unwrap();
        assert_eq!(known(&ask().await, "new@x").len(), 0);
    }

    async fn emails_are_found_by_each_key(place, store) {
        world(store).await;
        let blank = |n| Email { subject: format!("{n}"), ..Email::blank(id(n)) };
        let mut emails = [
            Email { message_id: "<a@x>".into(), ..blank(41) },
            Email { fingerprint: Some(vec![4; 32]), ..blank(42) },
            Email { duplicate_key: Some(id(4343)), ..blank(43) },
            Email { tracking_token: "CRM:001".into(), ..blank(44) },
            Email { conversation_hash: Some(-45), conversation_index: "AQIDBA==".into(), ..blank(45) },
            Email { message_id: "<other@x>".into(), ..blank(46) },
        ];
        emails[0].receiving_mailbox = Some(Ref::new("mailbox", id(11)));
        let mut changes: Vec<Change> = emails.into_iter().map(Change::create).collect();
        let party = |n, address: &str| ActivityParty { activity: Some(Ref::new("email", id(41))), address: address.into(), ..ActivityParty::blank(id(n)) };
        changes.extend([party(51, "A@x"), party(52, "b@x")].map(Change::create));
        changes.push(Change::create(QueueItem { queue: Some(Ref::new("queue", id(20))), object: Some(Ref::new("email", id(41))), ..QueueItem::blank(id(61)) }));
        let row = |n, mailbox| LedgerEntry {
            mailbox: Some(Ref::new("mailbox", id(mailbox))), folder: "INBOX".into(), position: format!("1/{n}"),
            fingerprint: hex::encode([4; 32]), activity: Some(Ref::new("email", id(41))), ..LedgerEntry::blank(id(n))
        };
        changes.extend([row(71, 21), row(72, 11)].map(Change::create));
        store.commit(&commit(changes)).await.unwrap();
        let facts = facts(store, 11, MailKeys {
            message_ids: texts(&["<a@x>", "<A@x>"]), fingerprints: BTreeSet::from([[4; 32]]), duplicate_keys: BTreeSet::from([id(4343)]),
            tokens: texts(&["CRM:001"]), conversations: BTreeSet::from([-45]), ..MailKeys::default()
        }).await;
        assert_eq!(facts.emails.iter().map(|e| e.id).collect::<Vec<_>>(), [41, 42, 43, 44, 45].map(id));
        assert_eq!(facts.emails[0].participants, texts(&["a@x", "b@x"]));
        assert_eq!(facts.emails[0].queues, BTreeSet::from([id(11), id(20), id(21)]));
        assert_eq!(facts.emails[1].fingerprint, Some([4; 32]));
        assert_eq!(facts.emails[4].conversation_index, "AQIDBA==");
        assert_eq!(facts.ledger.iter().map(|l| l.id).collect::<Vec<_>>(), [id(72)]);
    }

    async fn many_addresses_at_once(place, store) {
        world(store).await;
        let mut addresses: BTreeSet<String> = (0..5000).map(|n| format!("{n}@x")).collect();
        addresses.insert("anna@example.com".into());
        let facts = facts(store, 11, MailKeys { addresses, ..MailKeys::default() }).await;
        assert_eq!(facts.known.len(), 1);
    }

    async fn a_mailbox_that_is_gone_is_an_error(place, store) {
        world(store).await;
        let error = store.facts_for_mail(&MailKeys { mailbox: id(404), ..MailKeys::default() }).await.unwrap_err();
        assert!(matches!(error, StoreError::Missing(_)), "{error}");
    }
}
