//! A small world for tests: an organization with users, queues and customers,
//! and messages from a few lines of text.

use std::collections::{BTreeMap, BTreeSet};

use model::facts::{Known, MailFacts, Served, StoredEmail};
use model::mail::{BlobId, Enclosed, Place};
use model::tables::{Approval, EmailStatus, IncomingFilter, IncomingMethod, LedgerEntry, Mailbox, Organization, State};
use model::value::Ref;
use model::verdict::Verdict;
use model::work::Position;
use model::{Address, Change, Entity, Id, Mail, Record, Secret, Timestamp};
use sha2::{Digest, Sha256};

use super::{Arrival, decide, learn};
use crate::token;

pub(crate) fn now() -> Timestamp {
    "2026-03-02T12:00:00Z".parse().unwrap()
}

/// The id of anything that has a name.
pub(crate) fn id(name: &str) -> Id {
    model::id::derived(Timestamp::UNIX_EPOCH, &[name.as_bytes()])
}

pub(crate) fn key() -> Secret {
    Secret::new("bm90IGEgc2VjcmV0IGF0IGFsbCwgZm9yIHRlc3RzIQ==")
}

pub(crate) struct World {
    pub facts: MailFacts,
    next_uid: u32,
}

impl World {
    /// Nobody and nothing yet.
    pub(crate) fn new() -> Self {
        let mut organization = Organization::blank(id("organization"));
        organization.tracking_prefix = "CRM:;OLD:".to_owned();
        organization.system_user = Some(Ref::new("systemuser", id("SYSTEM")));
        organization.blocked_attachments = "exe;js;vbs".to_owned();
        let facts = MailFacts {
            organization,
            signing_key: Some(key()),
            mailbox: Mailbox::blank(id("no mailbox")),
            known: BTreeMap::new(),
            served: Vec::new(),
            emails: Vec::new(),
            ledger: Vec::new(),
        };
        Self { facts, next_uid: 1 }
    }

    /// alice (user, replies only), support (queue, everything), carol (a
    /// contact), acme (an account), lee (a lead); alice's mailbox is read.
    pub(crate) fn usual() -> Self {
        let mut world = Self::new();
        world.user("alice@our.example", IncomingFilter::Responses);
        world.queue("support@our.example", IncomingFilter::All);
        world.known("contact", "carol@there.example");
        world.known("account", "acme@there.example");
        world.known("lead", "lee@there.example");
        world.read("alice@our.example");
        world
    }

    /// A forward mailbox that serves dora (everything), finn (replies only)
    /// and the queue desk (everything); alice is read directly.
    pub(crate) fn forwarding() -> Self {
        let mut world = Self::usual();
        world.user("dora@our.example", IncomingFilter::All);
        world.user("finn@our.example", IncomingFilter::Responses);
        world.queue("desk@our.example", IncomingFilter::All);
        for address in ["dora@our.example", "finn@our.example", "desk@our.example"] {
            world.served(address).mailbox.incoming = IncomingMethod::ForwardMailbox;
        }
        let mut mailbox = mailbox("forward@our.example");
        mailbox.is_forward = true;
        mailbox.delete_after = true;
        mailbox.owner = Some(Ref::new("systemuser", id("admin")));
        world.facts.mailbox = mailbox;
        world
    }

    pub(crate) fn user(&mut self, address: &str, filter: IncomingFilter) {
        let who = Ref::new("systemuser", id(address));
        self.serve(address, who, who, filter);
    }

    pub(crate) fn queue(&mut self, address: &str, filter: IncomingFilter) {
        let owner = Ref::new("systemuser", id("queue owner"));
        self.serve(address, Ref::new("queue", id(address)), owner, filter);
    }

    fn serve(&mut self, address: &str, who: Ref, owner: Ref, filter: IncomingFilter) {
        let mut mailbox = mailbox(address);
        mailbox.regarding = Some(who);
        mailbox.owner = Some(owner);
        self.facts.served.push(Served { mailbox, who, filter, active: true, owner });
        self.add(known(who, address, Some(owner)));
    }

    pub(crate) fn known(&mut self, table: &'static str, address: &str) -> Ref {
        let record = Ref::new(table, id(&format!("{table} {address}")));
        self.add(known(record, address, None));
        record
    }

    pub(crate) fn add(&mut self, (address, known): (String, Known)) {
        self.facts.known.entry(address).or_default().push(known);
    }

    pub(crate) fn served(&mut self, address: &str) -> &mut Served {
        self.facts.served.iter_mut().find(|s| s.mailbox.address == address).expect("nobody has this address")
    }

    /// Whose mailbox is read.
    pub(crate) fn read(&mut self, address: &str) {
        self.facts.mailbox = self.served(address).mailbox.clone();
        self.facts.ledger.clear();
    }

    /// An email that was sent from here.
    pub(crate) fn sent(&mut self, name: &str, from: &str, to: &str, subject: &str) -> StoredEmail {
        let email = StoredEmail {
            id: id(name),
            subject: subject.to_owned(),
            message_id: token::message_id(id(name), "our.example", &key()),
            fingerprint: None,
            duplicate_key: None,
            is_outgoing: true,
            status: EmailStatus::Sent,
            token: token::make(id(name), "CRM:", &key()),
            conversation_hash: None,
            conversation_index: String::new(),
            conversation: Some(id(name)),
            regarding: Some(Ref::new("account", id("acme"))),
            owner: Some(Ref::new("systemuser", id(from))),
            created_on: now(),
            participants: [from.to_owned(), to.to_owned()].into(),
            queues: BTreeSet::new(),
        };
        self.facts.emails.push(email.clone());
        email
    }

    pub(crate) fn arrival(&mut self, mail: Mail) -> Arrival {
        let uid = self.next_uid;
        self.next_uid += 1;
        Arrival {
            blob: BlobId(mail.fingerprint),
            mail,
            position: Position::Imap { folder: "INBOX".to_owned(), uid_validity: 7, uid },
            received: Some(now()),
            attempts: 0,
        }
    }

    /// Decides without remembering.
    pub(crate) fn decide(&mut self, mail: Mail) -> Verdict {
        let arrival = self.arrival(mail);
        decide(&arrival, &self.facts, now())
    }

    pub(crate) fn receive(&mut self, text: &str) -> Verdict {
        self.take(mail(text))
    }

    /// Decides and remembers.
    pub(crate) fn take(&mut self, mail: Mail) -> Verdict {
        let verdict = self.decide(mail);
        learn(&mut self.facts, &verdict);
        verdict
    }

    /// `Tracked AcceptAll`
    pub(crate) fn check(&mut self, text: &str, expected: &str) -> Verdict {
        let verdict = self.receive(text);
        assert_eq!(said(&verdict), expected, "{text}\n{}", verdict.why);
        assert!(verdict.why.ends_with(['.', '!', '?']), "{}", verdict.why);
        verdict
    }
}

pub(crate) fn said(verdict: &Verdict) -> String {
    let Verdict { disposition, code, .. } = verdict;
    format!("{disposition:?} {code:?}")
}

fn mailbox(address: &str) -> Mailbox {
    let mut mailbox = Mailbox::blank(id(&format!("mailbox {address}")));
    mailbox.name = address.to_owned();
    mailbox.address = address.to_owned();
    mailbox.is_forward = false;
    mailbox.incoming = IncomingMethod::ServerSide;
    mailbox.approval = Approval::Approved;
    mailbox.state = State::Active;
    mailbox
}

pub(crate) fn known(record: Ref, address: &str, owner: Option<Ref>) -> (String, Known) {
    let known = Known {
        record,
        name: format!("{} {address}", record.table),
        owner,
        column: 1,
        active: true,
        created_on: Timestamp::UNIX_EPOCH,
        do_not_email: false,
        account: None,
    };
    (address.to_owned(), known)
}

/// `From: a@b | To: c@d, e@f | Subject: …`, fields separated by `|` or line
/// ends; `Body`, `Html`, `Attach: name`, `Mark: name=value` beside the usual
/// fields. Message-ID and Date are made up from the rest unless given (`none`
/// leaves them out).
pub(crate) fn mail(text: &str) -> Mail {
    let mut mail = Mail { text: Some("Hello".to_owned()), ..Mail::default() };
    let digest = Sha256::digest(text.as_bytes());
    mail.message_id =
        Some(format!("<{:02x}{:02x}{:02x}{:02x}@there.example>", digest[0], digest[1], digest[2], digest[3]));
    mail.date = Some("2026-03-01T09:00:00Z".parse().unwrap());
    for field in text.split(['|', '\n']).map(str::trim).filter(|f| !f.is_empty()) {
        let (name, value) = field.split_once(':').unwrap_or((field, ""));
        set(&mut mail, name.trim(), value.trim());
    }
    seal(&mut mail);
    mail
}

/// Makes fingerprint, digest and size fit the content.
pub(crate) fn seal(mail: &mut Mail) {
    let content = format!(
        "{:?}{:?}{:?}{:?}{:?}{}",
        mail.from,
        mail.date,
        mail.subject,
        mail.text,
        mail.html,
        mail.enclosed.len()
    );
    mail.fingerprint = Sha256::digest(content.as_bytes()).into();
    mail.header_digest = Sha256::digest(mail.headers.as_bytes()).into();
    mail.size = 1000 + content.len() as u64;
}

fn set(mail: &mut Mail, name: &str, value: &str) {
    let addresses = || {
        let all = value.split(',').map(str::trim).filter(|a| !a.is_empty());
        all.map(|a| Address::new("", a)).collect::<Vec<_>>()
    };
    let words = || value.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    mail.headers.push_str(&format!("{name}: {value}\r\n"));
    match name.to_lowercase().as_str() {
        "from" => mail.from = addresses(),
        "sender" => mail.sender = addresses().pop(),
        "to" => mail.to = addresses(),
        "cc" => mail.cc = addresses(),
        "bcc" => mail.bcc = addresses(),
        "delivered-to" => mail.delivered_to = words(),
        "subject" => mail.subject = value.to_owned(),
        "message-id" => mail.message_id = (value != "none").then(|| value.to_owned()),
        "date" => mail.date = value.parse().ok(),
        "in-reply-to" => mail.in_reply_to = words(),
        "references" => mail.references = words(),
        "thread" => mail.conversation_index = Some(Sha256::digest(value.as_bytes())[..27].to_vec()),
        "body" => mail.text = Some(value.to_owned()),
        "html" => mail.html = Some(value.to_owned()),
        "automatic" => mail.automatic = true,
        "truncated" => mail.truncated = true,
        "attach" => mail.attachments.push(model::mail::Attached {
            name: value.to_owned(),
            mime_type: "application/octet-stream".to_owned(),
            size: 10,
            ..Default::default()
        }),
        "mark" => {
            let (name, value) = value.split_once('=').unwrap_or((value, ""));
            mail.marks.push((name.to_owned(), value.to_owned()));
        }
        _ => {}
    }
}

/// A message that encloses others.
pub(crate) fn enclosing(outer: &str, inner: &[Mail]) -> Mail {
    let mut mail = mail(outer);
    mail.enclosed = inner.iter().map(|m| Enclosed { mail: m.clone(), place: Place::default() }).collect();
    seal(&mut mail);
    let inside: Vec<u8> = inner.iter().flat_map(|m| m.fingerprint).collect();
    mail.fingerprint = Sha256::digest([&mail.fingerprint[..], &inside].concat()).into();
    mail
}

/// What a verdict creates in one table.
pub(crate) fn rows<'a>(verdict: &'a Verdict, table: &str) -> Vec<&'a Record> {
    let record = |change: &'a Change| match change {
        Change::Create(record) | Change::Ensure(record) if record.table.logical == table => Some(record),
        _ => None,
    };
    verdict.changes.iter().filter_map(record).collect()
}

pub(crate) fn typed<E: Entity>(verdict: &Verdict) -> Vec<E> {
    rows(verdict, E::TABLE.logical).into_iter().map(|r| E::from_record(r).unwrap()).collect()
}

/// The ledger rows: `mailbox-less folder position disposition`.
pub(crate) fn ledger(verdict: &Verdict) -> Vec<String> {
    let row = |e: LedgerEntry| format!("{} {} {:?}", e.folder, e.position, e.disposition);
    typed::<LedgerEntry>(verdict).into_iter().map(row).collect()
}

pub(crate) fn only<E: Entity>(verdict: &Verdict) -> E {
    let mut all = typed::<E>(verdict);
    assert_eq!(all.len(), 1, "rows of {}", E::TABLE.logical);
    all.remove(0)
}
