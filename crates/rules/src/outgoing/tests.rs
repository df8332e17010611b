//! What can be sent, what issuing sets, what goes to the server.

use std::collections::BTreeMap;

use model::tables::{Approval, EmailState, IncomingMethod, OutgoingMethod, Queue, State, SystemUser, TraceLog};
use model::{Change, Entity, Failure, FailureKind, Record, Ref, SignedDuration, Step, Timestamp};

use super::*;

mod attempts;
mod threads;

pub(super) fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

pub(super) const EMAIL: Id = Id::from_u128(1);

/// An email with everything around it; changes are applied to it as the store would.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub email: Email,
    pub parties: Vec<ActivityParty>,
    pub attachments: Vec<Attachment>,
    pub mailbox: Option<Mailbox>,
    pub profile: Option<EmailServerProfile>,
    pub organization: Organization,
    pub deliveries: Vec<Delivery>,
    pub parent: Option<Parent>,
    pub do_not_email: BTreeSet<String>,
    pub alerts: Vec<TraceLog>,
}

pub(super) fn party(participation: Participation, table: &'static str, name: &str, address: &str) -> ActivityParty {
    ActivityParty {
        activity: Some(Ref::new("email", EMAIL)),
        party: (!table.is_empty()).then(|| Ref::new(table, model::id::derived(now(), &[name.as_bytes()]))),
        address: address.into(),
        name: name.into(),
        participation,
        ..ActivityParty::blank(model::id::derived(now(), &[name.as_bytes(), address.as_bytes()]))
    }
}

/// A draft from Ann to Bob that can go out.
pub(super) fn draft() -> World {
    let profile = EmailServerProfile { name: "Mail".into(), ..EmailServerProfile::blank(Id::from_u128(2)) };
    World {
        email: Email { subject: "Hello".into(), description: "<p>Hi</p>".into(), ..Email::blank(EMAIL) },
        parties: vec![
            party(Participation::Sender, "systemuser", "Ann", "ann@x.example"),
            party(Participation::To, "contact", "Bob", "bob@y.example"),
        ],
        attachments: Vec::new(),
        mailbox: Some(Mailbox {
            name: "Ann".into(),
            address: "ann@x.example".into(),
            is_forward: false,
            regarding: Some(Ref::new("systemuser", Id::from_u128(4))),
            incoming: IncomingMethod::ServerSide,
            outgoing: OutgoingMethod::ServerSide,
            enabled_outgoing: true,
            approval: Approval::Approved,
            profile: Some(profile.reference()),
            ..Mailbox::blank(Id::from_u128(3))
        }),
        profile: Some(profile),
        organization: Organization { alert_warnings: true, ..Organization::blank(Id::nil()) },
        deliveries: Vec::new(),
        parent: None,
        do_not_email: BTreeSet::new(),
        alerts: Vec::new(),
    }
}

/// The same, issued.
pub(super) fn pending() -> World {
    let mut world = draft();
    let changes = issue(&world.facts(), now(), None, None).unwrap();
    world.apply(&changes);
    world
}

impl World {
    pub fn facts(&self) -> SendFacts<'_> {
        SendFacts {
            email: &self.email,
            parties: &self.parties,
            attachments: &self.attachments,
            mailbox: self.mailbox.as_ref(),
            profile: self.profile.as_ref(),
            organization: &self.organization,
            deliveries: &self.deliveries,
            parent: self.parent.as_ref(),
            do_not_email: &self.do_not_email,
        }
    }

    pub fn apply(&mut self, changes: &[Change]) {
        let mut email: Record = self.email.clone().into_record();
        let mut rows: BTreeMap<_, _> = self.deliveries.iter().map(|row| (row.id, row.clone().into_record())).collect();
        for change in changes {
            match change {
                Change::Update(update) if update.table.logical == "email" => {
                    for (column, value) in &update.expect {
                        assert_eq!(email.get(column), value, "an expectation of the commit fails");
                    }
                    email.values.extend(update.set.iter().cloned());
                }
                Change::Update(update) if update.table.logical == "pr_delivery" => {
                    let row = rows.get_mut(&update.id).expect("a row that is updated exists");
                    row.values.extend(update.set.iter().cloned());
                }
                Change::Ensure(record) if record.table.logical == "pr_delivery" => {
                    rows.entry(record.id).or_insert_with(|| record.clone());
                }
                Change::Ensure(record) if record.table.logical == "tracelog" => {
                    self.alerts.push(TraceLog::from_record(record).unwrap());
                }
                Change::Delete { table, id } if table.logical == "pr_delivery" => {
                    rows.remove(id).expect("a row that is deleted exists");
                }
                other => assert_eq!(other.target().table, "pr_workitem", "{other:?}"),
            }
        }
        self.email = Email::from_record(&email).unwrap();
        assert_eq!(self.email.state, self.email.status.state(), "state and status agree");
        self.deliveries = rows.values().map(|row| Delivery::from_record(row).unwrap()).collect();
    }

    pub fn to(mut self, addresses: &[&str]) -> Self {
        self.parties.retain(|party| party.participation == Participation::Sender);
        for (n, address) in addresses.iter().enumerate() {
            let mut party = party(Participation::To, "contact", address, address);
            party.number = i64::try_from(n).unwrap();
            self.parties.push(party);
        }
        self
    }

    pub fn dispatch(&self, at: Timestamp) -> Dispatch {
        match ready(&self.facts(), at) {
            Ready::Yes(dispatch) => *dispatch,
            other => panic!("not ready: {other:?}"),
        }
    }
}

fn codes(world: &World) -> Vec<u32> {
    match check_send(&world.facts()) {
        Ok(()) => Vec::new(),
        Err(refusals) => {
            for refusal in &refusals.0 {
                assert!(refusal.field.is_some() && refusal.message.to_string().len() > 20, "{refusal}");
            }
            refusals.codes()
        }
    }
}

fn check(change: impl FnOnce(&mut World), expected: &[u32]) {
    let mut world = draft();
    change(&mut world);
    let got = codes(&world);
    assert_eq!(got, expected, "got {got:X?}");
}

// What can be sent.

#[test]
fn a_good_draft() {
    check(|_| {}, &[]);
}

#[test]
fn only_drafts_and_failed_ones() {
    for status in EmailStatus::ALL {
        let expected: &[u32] = match status {
            EmailStatus::Draft | EmailStatus::Failed => &[],
            _ => &[0x8004_0233],
        };
        check(|w| w.email.status = *status, expected);
    }
    check(|w| w.email.is_outgoing = false, &[0x8004_023B]);
}

#[test]
fn one_sender() {
    check(|w| w.parties.retain(|p| p.participation != Participation::Sender), &[0x8004_0B02]);
    check(|w| w.parties.push(party(Participation::Sender, "queue", "Q", "q@x.example")), &[0x8004_0B08]);
    check(|w| w.parties[0] = party(Participation::Sender, "queue", "Q", "q@x.example"), &[]);
    for table in ["contact", "account", "lead", "team", ""] {
        check(|w| w.parties[0] = party(Participation::Sender, table, "C", "c@x.example"), &[0x8004_0B01]);
    }
    assert_eq!((SystemUser::TABLE.logical, Queue::TABLE.logical), ("systemuser", "queue"));
}

#[test]
fn the_sender_has_an_address() {
    for address in ["", "ann", "ann@"] {
        check(|w| w.parties[0].address = address.into(), &[0x8004_0B00]);
    }
}

#[test]
fn somebody_receives_it() {
    check(|w| w.parties.truncate(1), &[0x8004_0B05]);
    for participation in [Participation::Cc, Participation::Bcc] {
        check(|w| w.parties[1].participation = participation, &[]);
    }
    check(|w| w.parties[1].participation = Participation::Required, &[0x8004_0B05]);
}

#[test]
fn recipients_have_addresses() {
    check(|w| w.parties[1].address = String::new(), &[0x8004_0B0A]);
    for address in ["bob", "@y.example", "bob @y.example", "<bob@y.example>", "bob@y.example, x@y.example"] {
        check(|w| w.parties[1].address = address.into(), &[0x8004_0B0B]);
    }
    check(|w| w.parties[1].address = " bob@y.example ".into(), &[]);
}

#[test]
fn recipients_who_want_no_email() {
    check(|w| w.do_not_email = ["bob@y.example".to_owned()].into(), &[0x8004_0B09]);
    check(|w| w.do_not_email = ["other@y.example".to_owned()].into(), &[]);
    let upper = |w: &mut World| {
        w.do_not_email = ["bob@y.example".to_owned()].into();
        w.parties[1].address = "BOB@Y.example".into();
    };
    check(upper, &[0x8004_0B09]);
}

#[test]
fn unresolved_recipients_by_the_switch() {
    check(|w| w.parties[1].party = None, &[0x8004_0B00]);
    check(|w| (w.parties[1].party, w.organization.allow_unresolved_on_send) = (None, true), &[]);
    check(
        |w| {
            (w.parties[1].party, w.organization.allow_unresolved_on_send) = (None, true);
            w.parties[1].address = String::new();
        },
        &[0x8004_0B0A],
    );
}

fn attachment(name: &str, size: i64) -> Attachment {
    Attachment { file_name: name.into(), size, ..Attachment::blank(model::id::derived(now(), &[name.as_bytes()])) }
}

#[test]
fn attachments_by_size_and_type() {
    check(|w| w.attachments.push(attachment("a.pdf", 5_242_880)), &[]);
    check(|w| w.attachments.push(attachment("a.pdf", 5_242_881)), &[0x8004_4A02]);
    let blocked = |name: &str, expected: &[u32]| {
        check(
            |w| {
                w.organization.blocked_attachments = "exe; .Bat,com".into();
                w.attachments.push(attachment(name, 1));
            },
            expected,
        );
    };
    for name in ["a.exe", "a.EXE", "a.txt.bat", "a.com", ".exe"] {
        blocked(name, &[0x8004_3E09]);
    }
    for name in ["a.txt", "exe", "a.exe.txt", "a.exec"] {
        blocked(name, &[]);
    }
}

#[test]
fn several_faults_are_reported_together() {
    check(
        |w| {
            w.email.status = EmailStatus::Sent;
            w.parties[0].party = None;
            w.parties[1].address = "bob".into();
            w.parties.push(party(Participation::Cc, "contact", "Carol", ""));
            w.attachments.push(attachment("a.pdf", i64::MAX));
        },
        &[0x8004_0233, 0x8004_0B01, 0x8004_0B0B, 0x8004_0B0A, 0x8004_4A02],
    );
}

#[test]
fn the_same_address_is_one_fault() {
    check(
        |w| {
            w.parties[1].address = "bob".into();
            w.parties.push(party(Participation::Cc, "contact", "Bob again", "BOB"));
        },
        &[0x8004_0B0B],
    );
}

#[test]
fn a_refusal_names_the_recipient() {
    let mut world = draft();
    world.parties[1].address = String::new();
    let refusals = check_send(&world.facts()).unwrap_err();
    assert!(refusals.0[0].message.to_string().contains("'Bob' in To"), "{refusals}");
}

// Issuing.

#[test]
fn issuing_makes_it_pending() {
    let mut world = draft();
    world.email.status = EmailStatus::Failed;
    world.email.delivery_attempts = 4;
    world.email.failure_reason = "old".into();
    let changes = issue(&world.facts(), now(), Some("CRM:abc".into()), None).unwrap();
    assert!(changes.iter().any(|change| matches!(change, Change::Update(u) if u.table.logical == "pr_workitem")));
    world.apply(&changes);
    let email = &world.email;
    assert_eq!((email.status, email.state), (EmailStatus::PendingSend, EmailState::Completed));
    assert_eq!(email.message_id, "<postroom.00000000000000000000000000000001@x.example>");
    assert_eq!(email.subject, "Hello CRM:abc");
    assert_eq!(email.tracking_token, "CRM:abc");
    assert_eq!((email.sender.as_str(), email.to_recipients.as_str()), ("ann@x.example", "bob@y.example;"));
    assert_eq!(email.sender_mailbox, Some(Ref::new("mailbox", Id::from_u128(3))));
    assert_eq!(email.email_sender, world.parties[0].party);
    assert_eq!((email.delivery_attempts, email.failure_reason.as_str()), (0, ""));
    assert_eq!(email.conversation, Some(EMAIL), "it begins a conversation");
}

#[test]
fn issuing_a_refused_one_changes_nothing() {
    let mut world = draft();
    world.parties.truncate(1);
    assert_eq!(issue(&world.facts(), now(), None, None).unwrap_err().codes(), [0x8004_0B05]);
}

#[test]
fn the_message_id_is_signed_where_there_is_a_key() {
    let mut world = draft();
    let key = model::Secret::new("key");
    let changes = issue(&world.facts(), now(), None, Some(&key)).unwrap();
    world.apply(&changes);
    assert!(world.email.message_id.ends_with("@x.example>"), "{}", world.email.message_id);
    assert_eq!(crate::token::email_of(&world.email.message_id, &key), Some(EMAIL));
}

#[test]
fn the_message_id_stays() {
    let mut world = draft();
    world.email.message_id = "<mine@x.example>".into();
    let changes = issue(&world.facts(), now(), None, None).unwrap();
    world.apply(&changes);
    assert_eq!(world.email.message_id, "<mine@x.example>");
}

#[test]
fn the_token_is_never_cut_nor_doubled() {
    let subject = |subject: &str| {
        let mut world = draft();
        world.email.subject = subject.into();
        let changes = issue(&world.facts(), now(), Some("CRM:abc".into()), None).unwrap();
        world.apply(&changes);
        world.email.subject
    };
    assert_eq!(subject(""), "CRM:abc");
    assert_eq!(subject("RE: Hello CRM:abc"), "RE: Hello CRM:abc");
    let long = subject(&"é".repeat(800));
    assert_eq!(long.chars().count(), 800);
    assert!(long.ends_with("é CRM:abc"));
}

#[test]
fn issuing_again_tries_the_refused_again_and_spares_the_others() {
    let mut world = draft().to(&["a@y.example", "b@y.example"]);
    let row = |address: &str, state| Delivery {
        address: address.into(),
        state,
        ..Delivery::blank(delivery_id(EMAIL, address))
    };
    world.email.status = EmailStatus::Failed;
    world.deliveries = vec![row("a@y.example", DeliveryState::Accepted), row("b@y.example", DeliveryState::Refused)];
    let changes = issue(&world.facts(), now(), None, None).unwrap();
    world.apply(&changes);
    assert_eq!(world.dispatch(now()).recipients, ["b@y.example"]);
}

#[test]
fn marking_as_sent() {
    let mut world = draft();
    world.parties.clear();
    let changes = mark_sent(&world.facts(), now(), None, None).unwrap();
    world.apply(&changes);
    assert_eq!((world.email.status, world.email.sent_on), (EmailStatus::Sent, Some(now())));
    assert_eq!(mark_sent(&world.facts(), now(), None, None).unwrap_err().codes(), [0x8004_0233]);
}

// Ready or not.

/// What holds a pending email back.
fn not_yet(change: impl FnOnce(&mut World)) -> String {
    let mut world = pending();
    change(&mut world);
    match ready(&world.facts(), now()) {
        Ready::NotYet { why, change, .. } => {
            let changes: Vec<_> = change.into_iter().collect();
            world.apply(&changes);
            assert_eq!(world.email.failure_reason, why, "it stands on the record");
            assert_eq!(world.email.status, EmailStatus::PendingSend);
            let Ready::NotYet { change, .. } = ready(&world.facts(), now()) else { panic!() };
            assert_eq!(change, None, "and is not written again");
            why
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_mailbox_that_cannot_send_is_explained() {
    let mailbox = |change: fn(&mut Mailbox)| not_yet(|w| change(w.mailbox.as_mut().unwrap()));
    assert!(mailbox(|m| m.approval = Approval::Pending).contains("approve it"));
    assert!(mailbox(|m| m.enabled_outgoing = false).contains("Test & Enable"));
    assert!(mailbox(|m| m.state = State::Inactive).contains("activate it"));
    assert!(mailbox(|m| m.outgoing = OutgoingMethod::None).contains("Outgoing Email"));
    assert!(mailbox(|m| m.outgoing = OutgoingMethod::Outlook).contains("Outgoing Email"));
    assert!(mailbox(|m| m.is_forward = true).contains("forward mailbox never sends"));
    assert!(not_yet(|w| w.profile = None).contains("no email server profile"));
    assert!(not_yet(|w| w.mailbox = None).contains("no mailbox"));
}

#[test]
fn the_person_who_sends_is_told_at_once() {
    let mut world = draft();
    world.mailbox.as_mut().unwrap().approval = Approval::Pending;
    let changes = issue(&world.facts(), now(), None, None).unwrap();
    world.apply(&changes);
    assert_eq!(world.email.status, EmailStatus::PendingSend);
    assert!(world.email.failure_reason.contains("not approved"), "{}", world.email.failure_reason);
}

#[test]
fn times_to_wait_for() {
    let later = now() + SignedDuration::from_secs(60);
    assert!(not_yet(|w| w.email.delayed_send = Some(later)).contains("Send Later"));
    assert!(not_yet(|w| w.mailbox.as_mut().unwrap().sending_postponed_until = Some(later)).contains("postponed"));
    assert!(not_yet(|w| w.mailbox.as_mut().unwrap().postponed_until = Some(later)).contains("postponed"));
    assert_eq!(
        not_yet(|w| (w.email.postponed_until, w.email.failure_reason) = (Some(later), "452 full".into())),
        "452 full"
    );
    let mut world = pending();
    world.email.delayed_send = Some(later);
    assert!(matches!(ready(&world.facts(), later), Ready::Yes(_)));
}

#[test]
fn what_is_not_pending_is_never_sent() {
    for status in EmailStatus::ALL.iter().filter(|status| **status != EmailStatus::PendingSend) {
        let mut world = pending();
        world.email.status = *status;
        assert_eq!(ready(&world.facts(), now()), Ready::Never { changes: Vec::new() }, "{status:?}");
    }
}

#[test]
fn what_has_become_wrong_since_fails_with_words() {
    let mut world = pending();
    world.do_not_email = ["bob@y.example".to_owned()].into();
    let Ready::Never { changes } = ready(&world.facts(), now()) else { panic!() };
    world.apply(&changes);
    assert_eq!(world.email.status, EmailStatus::Failed);
    assert!(world.email.failure_reason.contains("Do not allow Emails"), "{}", world.email.failure_reason);
    assert_eq!(world.alerts.len(), 1);
}

#[test]
fn the_message_is_complete() {
    let mut world = pending();
    world.email.read_receipt = true;
    world.email.delivery_receipt = true;
    world.email.priority = model::tables::Priority::High;
    world.parties.push(party(Participation::Cc, "contact", "Carol", "carol@y.example"));
    world.attachments = vec![
        Attachment { number: 2, content_id: "<pic>".into(), mime_type: "image/png".into(), ..attachment("b.png", 1) },
        Attachment { number: 1, ..attachment("a.pdf", 1) },
    ];
    let dispatch = world.dispatch(now());
    let mail = &dispatch.mail;
    assert_eq!(dispatch.envelope_from, "ann@x.example");
    assert_eq!((mail.from.name.as_str(), mail.from.address.as_str()), ("Ann", "ann@x.example"));
    assert_eq!(mail.to, [model::Address::new("Bob", "bob@y.example")]);
    assert_eq!(mail.cc, [model::Address::new("Carol", "carol@y.example")]);
    assert_eq!((mail.subject.as_str(), mail.html.as_str()), ("Hello", "<p>Hi</p>"));
    assert_eq!(mail.message_id, world.email.message_id);
    assert_eq!(mail.fields, [("X-Postroom-Email".to_owned(), EMAIL.to_string())]);
    assert!(mail.read_receipt && dispatch.delivery_receipt);
    let names: Vec<_> = mail.attachments.iter().map(|a| (a.name.as_str(), a.content_id.as_deref())).collect();
    assert_eq!(names, [("a.pdf", None), ("b.png", Some("pic"))]);
    assert_eq!(mail.attachments[0].mime_type, "application/octet-stream");
    let rows: Vec<_> = dispatch.attachments.iter().map(|a| a.file_name.as_str()).collect();
    assert_eq!(rows, ["a.pdf", "b.png"], "one for one");
}

#[test]
fn bcc_is_in_the_envelope_alone() {
    let mut world = pending();
    world.parties.push(party(Participation::Bcc, "contact", "Secret", "secret@y.example"));
    let dispatch = world.dispatch(now());
    assert_eq!(dispatch.recipients, ["bob@y.example", "secret@y.example"]);
    assert!(!format!("{:?}", dispatch.mail).to_lowercase().contains("secret"));
}

#[test]
fn everybody_gets_it_once() {
    let mut world = pending();
    world.parties.push(party(Participation::Cc, "contact", "Bobby", "BOB@y.example"));
    world.parties.push(party(Participation::Bcc, "contact", "Robert", "bob@y.example"));
    assert_eq!(world.dispatch(now()).recipients, ["bob@y.example"]);
}

#[test]
fn an_address_is_not_its_own_name() {
    let world = pending().to(&["a@y.example"]);
    assert_eq!(world.dispatch(now()).mail.to, [model::Address::new("", "a@y.example")]);
}
