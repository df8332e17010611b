//! The rules of the three kinds of mailbox, code by code.

use model::tables::{ServerType, TestStatus};
use proptest::prelude::*;

use super::*;

mod edits;
mod form;
mod process;

pub(super) fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

pub(super) fn organization() -> Organization {
    Organization { default_profile: Some(profile().reference()), ..Organization::blank(Id::from_u128(1)) }
}

pub(super) fn profile() -> EmailServerProfile {
    EmailServerProfile {
        name: "Mail".into(),
        same_outgoing: true,
        incoming_credentials: model::tables::CredentialRetrieval::Profile,
        ..EmailServerProfile::blank(Id::from_u128(2))
    }
}

pub(super) fn exchange() -> EmailServerProfile {
    EmailServerProfile { server_type: ServerType::Exchange, ..profile() }
}

pub(super) fn user() -> SystemUser {
    SystemUser { full_name: "Ann Lee".into(), address: "ann@x.example".into(), ..SystemUser::blank(Id::from_u128(3)) }
}

pub(super) fn queue() -> Queue {
    Queue {
        name: "Support".into(),
        address: "support@x.example".into(),
        owner: Some(user().reference()),
        ..Queue::blank(Id::from_u128(4))
    }
}

pub(super) fn user_mailbox() -> Mailbox {
    for_user(&user(), &organization(), Some(&profile()), Id::from_u128(5))
}

pub(super) fn queue_mailbox() -> Mailbox {
    for_queue(&queue(), &organization(), Id::from_u128(6))
}

pub(super) fn forward_mailbox() -> Mailbox {
    Mailbox {
        name: "Forward".into(),
        address: "forward@x.example".into(),
        incoming: IncomingMethod::ServerSide,
        profile: Some(profile().reference()),
        approval: Approval::Pending,
        ..Mailbox::blank(Id::from_u128(7))
    }
}

pub(super) fn with_facts<T>(f: impl FnOnce(MailboxFacts<'_>) -> T) -> T {
    let (organization, profile) = (organization(), profile());
    f(MailboxFacts {
        organization: &organization,
        profile: Some(&profile),
        regarding: None,
        address_taken_by: None,
        writing_credentials: false,
        password_set: false,
    })
}

pub(super) fn codes<T: std::fmt::Debug>(result: Result<T, Refusals>) -> Vec<u32> {
    match result {
        Ok(_) => Vec::new(),
        Err(refusals) => {
            for refusal in &refusals.0 {
                assert!(refusal.message.to_string().len() > 15, "says what to do: {refusal}");
            }
            refusals.codes()
        }
    }
}

/// Saves the edit of a mailbox and gives the codes of what is refused.
fn edit(before: Mailbox, change: impl FnOnce(&mut Mailbox)) -> Vec<u32> {
    let mut after = before.clone();
    change(&mut after);
    with_facts(|facts| codes(save(&before, after, &facts, now())))
}

/// One line for each incoming method 0-3; in it a group for each outgoing
/// method 0-2, in which `.` is legal and `X` refused for act methods 0-2.
fn table(mailbox: &Mailbox, profile: &EmailServerProfile) -> String {
    let mut lines = Vec::new();
    for incoming in 0..4 {
        let mut groups = Vec::new();
        for outgoing in 0..3 {
            let mut group = String::new();
            for act in 0..3 {
                let after = Mailbox {
                    incoming: IncomingMethod::from_number(incoming).unwrap(),
                    outgoing: OutgoingMethod::from_number(outgoing).unwrap(),
                    act: ActMethod::from_number(act).unwrap(),
                    ..mailbox.clone()
                };
                let refused = with_facts(|facts| {
                    save(mailbox, after, &MailboxFacts { profile: Some(profile), ..facts }, now()).is_err()
                });
                group.push(if refused { 'X' } else { '.' });
            }
            groups.push(group);
        }
        lines.push(groups.join(" "));
    }
    lines.join("\n")
}

#[test]
fn methods_of_a_user_on_imap() {
    assert_eq!(table(&user_mailbox(), &profile()), ".X. .X. .X.\n.X. .X. .X.\n.X. .X. .X.\n.X. .X. .X.");
}

#[test]
fn methods_of_a_user_on_pop3() {
    let pop3 = EmailServerProfile { server_type: ServerType::Pop3Smtp, ..profile() };
    assert_eq!(table(&user_mailbox(), &pop3), ".X. .X. .X.\n.X. .X. .X.\n.X. .X. .X.\n.X. .X. .X.");
}

#[test]
fn methods_of_a_user_on_exchange() {
    assert_eq!(table(&user_mailbox(), &exchange()), "... ... ...\n... ... ...\n... ... ...\n... ... ...");
}

#[test]
fn methods_of_a_queue() {
    let expected = "XX. XXX XX.\nXXX XXX XXX\nXX. XXX XX.\nXX. XXX XX.";
    assert_eq!(table(&queue_mailbox(), &profile()), expected);
    assert_eq!(table(&queue_mailbox(), &exchange()), expected);
}

#[test]
fn methods_of_a_forward_mailbox() {
    let expected = "XX. XXX XXX\nXXX XXX XXX\nXX. XXX XXX\nXXX XXX XXX";
    assert_eq!(table(&forward_mailbox(), &profile()), expected);
    assert_eq!(table(&forward_mailbox(), &exchange()), expected);
}

#[test]
fn e210_queue_and_outlook() {
    assert_eq!(edit(queue_mailbox(), |m| m.incoming = IncomingMethod::Outlook), [0x8005_E210]);
    assert_eq!(edit(queue_mailbox(), |m| m.outgoing = OutgoingMethod::Outlook), [0x8005_E210]);
    assert_eq!(edit(queue_mailbox(), |m| m.act = ActMethod::Outlook), [0x8005_E210]);
    assert_eq!(edit(queue_mailbox(), |m| m.incoming = IncomingMethod::ForwardMailbox), []);
}

#[test]
fn e212_e213_forward_methods() {
    assert_eq!(edit(forward_mailbox(), |m| m.incoming = IncomingMethod::Outlook), [0x8005_E212]);
    assert_eq!(edit(forward_mailbox(), |m| m.incoming = IncomingMethod::ForwardMailbox), [0x8005_E212]);
    assert_eq!(edit(forward_mailbox(), |m| m.incoming = IncomingMethod::None), []);
    assert_eq!(edit(forward_mailbox(), |m| m.outgoing = OutgoingMethod::ServerSide), [0x8005_E213]);
    assert_eq!(edit(forward_mailbox(), |m| m.outgoing = OutgoingMethod::Outlook), [0x8005_E213]);
}

#[test]
fn e207_e211_forward_regarding_and_address() {
    assert_eq!(edit(forward_mailbox(), |m| m.regarding = Some(user().reference())), [0x8005_E207]);
    assert_eq!(edit(forward_mailbox(), |m| m.address = String::new()), [0x8005_E211]);
    assert_eq!(edit(forward_mailbox(), |m| m.address = "   ".into()), [0x8005_E211]);
    assert_eq!(edit(user_mailbox(), |m| m.address = String::new()), [], "a user may have none");
}

#[test]
fn e233_delete_after() {
    assert_eq!(edit(user_mailbox(), |m| m.delete_after = true), [0x8005_E233]);
    assert_eq!(edit(queue_mailbox(), |m| m.delete_after = true), []);
    assert_eq!(edit(forward_mailbox(), |m| m.delete_after = true), []);
}

#[test]
fn e247_act_needs_exchange() {
    assert_eq!(edit(user_mailbox(), |m| m.act = ActMethod::ServerSide), [0x8005_E247]);
    assert_eq!(edit(user_mailbox(), |m| m.act = ActMethod::Outlook), []);
}

#[test]
fn e209_credentials() {
    assert_eq!(edit(user_mailbox(), |m| m.use_credentials = true), [0x8005_E209, 0x8005_E209]);
    let after = Mailbox { use_credentials: true, user_name: "ann".into(), ..user_mailbox() };
    let saved = |password_set| {
        with_facts(|facts| codes(save(&user_mailbox(), after.clone(), &MailboxFacts { password_set, ..facts }, now())))
    };
    assert_eq!(saved(false), [0x8005_E209]);
    assert_eq!(saved(true), []);
}

#[test]
fn e244_process_after() {
    let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
    assert_eq!(edit(user_mailbox(), |m| m.process_after = at("1899-12-31T23:59:59Z")), [0x8005_E244]);
    assert_eq!(edit(user_mailbox(), |m| m.process_after = at("1900-01-01T00:00:00Z")), []);
    let profile = EmailServerProfile { process_after: at("2026-02-10T08:00:00Z"), ..profile() };
    let check = |text: &str| {
        let after = Mailbox { process_after: at(text), ..user_mailbox() };
        with_facts(|f| codes(save(&user_mailbox(), after, &MailboxFacts { profile: Some(&profile), ..f }, now())))
    };
    assert_eq!(check("2026-02-09T00:00:00Z"), [0x8005_E244]);
    assert_eq!(check("2026-02-10T00:00:00Z"), [], "the same day");
    assert_eq!(check("2026-02-11T00:00:00Z"), []);
}

#[test]
fn addresses_have_a_form() {
    for address in ["ann", "ann@", "@x.example", "a b@x.example", "a@x..example", "<a@x.example>"] {
        assert_eq!(edit(user_mailbox(), |m| m.address = address.into()), [0x8004_4192], "{address}");
    }
    for address in ["ann@localhost", "ann+tag@x.example", "jürgen@bücher.example", "a@[127.0.0.1]", " ann@y.example "]
    {
        assert_eq!(edit(user_mailbox(), |m| m.address = address.into()), [], "{address}");
    }
    let long = |n| format!("{}@x.example", "a".repeat(n));
    assert_eq!(edit(user_mailbox(), |m| m.address = long(90)), [], "100 characters");
    assert_eq!(edit(user_mailbox(), |m| m.address = long(91)), [0x8004_4192]);
}

#[test]
fn an_address_belongs_to_one_mailbox() {
    let other = Ref::new("mailbox", Id::from_u128(99));
    let taken = with_facts(|facts| {
        let facts = MailboxFacts { address_taken_by: Some((other, "Sales")), ..facts };
        save(&user_mailbox(), user_mailbox(), &facts, now()).unwrap_err()
    });
    assert_eq!(taken.codes(), [0x8004_0237]);
    assert!(taken.0[0].message.to_string().contains("Sales"));
}

#[test]
fn several_faults_are_reported_together() {
    let draft = Mailbox {
        name: String::new(),
        regarding: Some(user().reference()),
        address: String::new(),
        incoming: IncomingMethod::Outlook,
        outgoing: OutgoingMethod::ServerSide,
        act: ActMethod::ServerSide,
        use_credentials: true,
        process_after: Some("1800-01-01T00:00:00Z".parse().unwrap()),
        ..Mailbox::blank(Id::from_u128(9))
    };
    let refusals = with_facts(|facts| create_forward(draft, &facts, now()).unwrap_err());
    assert_eq!(
        refusals.codes(),
        [
            0x8004_0203,
            0x8005_E207,
            0x8005_E211,
            0x8005_E212,
            0x8005_E213,
            0x8004_0203,
            0x8005_E209,
            0x8005_E209,
            0x8005_E244
        ]
    );
    let fields: Vec<_> = refusals.0.iter().map(|refusal| refusal.field.unwrap()).collect();
    assert_eq!(
        fields,
        [
            "name",
            "regardingobjectid",
            "emailaddress",
            "incomingemaildeliverymethod",
            "outgoingemaildeliverymethod",
            "actdeliverymethod",
            "username",
            "password",
            "processemailreceivedafter"
        ]
    );
}

#[test]
fn made_by_hand_is_a_forward_mailbox() {
    let made = with_facts(|facts| create_forward(forward_mailbox(), &facts, now()).unwrap());
    assert_eq!(made.approval, Approval::Pending);
    assert!(made.is_forward && !made.enabled_incoming && !made.test_scheduled);
    let hand = with_facts(|f| codes(create_forward(Mailbox { is_forward: false, ..forward_mailbox() }, &f, now())));
    assert_eq!(hand, [0x8004_0203]);
}

#[test]
fn a_draft_cannot_approve_or_enable_itself() {
    let draft = Mailbox {
        approval: Approval::Approved,
        enabled_incoming: true,
        incoming_status: TestStatus::Success,
        last_error: "x".into(),
        ..forward_mailbox()
    };
    let made = with_facts(|facts| create_forward(draft, &facts, now()).unwrap());
    assert_eq!(made.approval, Approval::Pending);
    assert!(!made.enabled_incoming && made.last_error.is_empty());
    assert_eq!(made.incoming_status, TestStatus::NotRun);
}

#[test]
fn e200_delete() {
    assert_eq!(refuse_delete(&user_mailbox()).unwrap_err().code, 0x8005_E200);
    assert_eq!(refuse_delete(&queue_mailbox()).unwrap_err().code, 0x8005_E200);
    assert!(refuse_delete(&forward_mailbox()).is_ok());
}

#[test]
fn defaults_of_a_user() {
    let mailbox = user_mailbox();
    assert_eq!(mailbox.name, "Ann Lee");
    assert_eq!(mailbox.address, "ann@x.example");
    assert_eq!(mailbox.owner, Some(user().reference()));
    assert_eq!(mailbox.regarding, Some(user().reference()));
    assert_eq!(mailbox.approval, Approval::Pending);
    assert_eq!(mailbox.profile, organization().default_profile);
    assert_eq!((mailbox.incoming, mailbox.outgoing), (IncomingMethod::ServerSide, OutgoingMethod::ServerSide));
    assert!(!mailbox.is_forward && !mailbox.enabled_incoming && !mailbox.enabled_outgoing);
}

#[test]
fn defaults_of_a_user_without_address_or_disabled() {
    let nobody = SystemUser { address: String::new(), is_disabled: true, ..user() };
    let mailbox = for_user(&nobody, &organization(), None, Id::nil());
    assert_eq!(mailbox.approval, Approval::Empty);
    assert_eq!((mailbox.state, mailbox.status), (State::Inactive, Status::Inactive));
}

#[test]
fn the_default_profile_comes_only_with_server_side_methods() {
    let organization = Organization {
        default_incoming: IncomingMethod::Outlook,
        default_outgoing: OutgoingMethod::None,
        ..organization()
    };
    assert_eq!(for_user(&user(), &organization, Some(&profile()), Id::nil()).profile, None);
    assert_eq!(for_user(&user(), &self::organization(), None, Id::nil()).profile, Some(profile().reference()));
}

#[test]
fn a_queue_gets_none_for_outlook() {
    let organization = Organization {
        default_incoming: IncomingMethod::Outlook,
        default_outgoing: OutgoingMethod::Outlook,
        default_act: ActMethod::ServerSide,
        ..organization()
    };
    let mailbox = for_queue(&queue(), &organization, Id::nil());
    assert_eq!((mailbox.incoming, mailbox.outgoing), (IncomingMethod::None, OutgoingMethod::None));
    assert_eq!((mailbox.act, mailbox.profile), (ActMethod::None, None));
    assert_eq!(mailbox.owner, queue().owner);
}

#[test]
fn act_by_default_only_where_the_profile_can() {
    let organization = Organization { default_act: ActMethod::ServerSide, ..organization() };
    assert_eq!(for_user(&user(), &organization, Some(&profile()), Id::nil()).act, ActMethod::None);
    assert_eq!(for_user(&user(), &organization, Some(&exchange()), Id::nil()).act, ActMethod::ServerSide);
}

#[test]
fn default_settings_by_kind() {
    let organization = Organization { default_act: ActMethod::ServerSide, ..organization() };
    let set = |mailbox: Mailbox| with_default_settings(&mailbox, &organization, Some(&exchange()));
    let bare = |mailbox: Mailbox| Mailbox {
        profile: None,
        incoming: IncomingMethod::None,
        outgoing: OutgoingMethod::None,
        act: ActMethod::None,
        ..mailbox
    };
    let methods = |m: &Mailbox| (m.incoming, m.outgoing, m.act);
    let user = set(bare(user_mailbox()));
    assert_eq!(methods(&user), (IncomingMethod::ServerSide, OutgoingMethod::ServerSide, ActMethod::ServerSide));
    let queue = set(bare(queue_mailbox()));
    assert_eq!(methods(&queue), (IncomingMethod::ServerSide, OutgoingMethod::ServerSide, ActMethod::None));
    let forward = set(bare(forward_mailbox()));
    assert_eq!(methods(&forward), (IncomingMethod::ServerSide, OutgoingMethod::None, ActMethod::None));
    for mailbox in [user, queue, forward] {
        assert_eq!(mailbox.profile, organization.default_profile);
    }
}

#[test]
fn default_settings_without_a_server_leave_the_profile() {
    let organization = Organization {
        default_incoming: IncomingMethod::ForwardMailbox,
        default_outgoing: OutgoingMethod::None,
        default_profile: None,
        ..organization()
    };
    let after = with_default_settings(&user_mailbox(), &organization, None);
    assert_eq!((after.incoming, after.profile), (IncomingMethod::ForwardMailbox, user_mailbox().profile));
    let forward = with_default_settings(&forward_mailbox(), &organization, None);
    assert_eq!(forward.incoming, IncomingMethod::None, "a forward mailbox is not served by another");
}

fn any_mailbox() -> impl Strategy<Value = (u8, i64, i64, i64, bool, bool, String, bool)> {
    (
        0..3_u8,
        0..4_i64,
        0..3_i64,
        0..3_i64,
        any::<bool>(),
        any::<bool>(),
        prop_oneof!["[a-z]{1,5}@[a-z]{1,5}\\.example", Just(String::new()), ".{0,8}"],
        any::<bool>(),
    )
}

proptest! {
    /// What was saved can be saved again, and stays the same; nothing that is
    /// saved breaks the rules of its kind.
    #[test]
    fn saving_twice_changes_nothing((kind_no, i, o, a, delete, tested, address, inactive) in any_mailbox()) {
        let before = match kind_no { 0 => user_mailbox(), 1 => queue_mailbox(), _ => forward_mailbox() };
        let before = Mailbox {
            incoming_status: if tested { TestStatus::Success } else { TestStatus::NotRun },
            enabled_incoming: tested,
            enabled_outgoing: tested,
            approval: if tested { Approval::Approved } else { Approval::Pending },
            ..before
        };
        let after = Mailbox {
            incoming: IncomingMethod::from_number(i).unwrap(),
            outgoing: OutgoingMethod::from_number(o).unwrap(),
            act: ActMethod::from_number(a).unwrap(),
            delete_after: delete,
            address,
            state: if inactive { State::Inactive } else { State::Active },
            ..before.clone()
        };
        with_facts(|facts| {
            if let Ok(saved) = save(&before, after, &facts, now()) {
                let again = save(&saved, saved.clone(), &facts, now());
                prop_assert_eq!(again.as_ref(), Ok(&saved));
                prop_assert!(resets(&saved, &saved, false).is_empty());
                if saved.address != before.address {
                    prop_assert_ne!(saved.approval, Approval::Approved);
                    prop_assert!(!saved.enabled_incoming && !saved.enabled_outgoing);
                }
            }
            Ok(())
        })?;
    }
}

#[test]
fn kinds() {
    assert_eq!(kind(&user_mailbox()), Kind::User);
    assert_eq!(kind(&queue_mailbox()), Kind::Queue);
    assert_eq!(kind(&forward_mailbox()), Kind::Forward);
    assert!(uses_server(&user_mailbox()) && !uses_server(&Mailbox::blank(Id::nil())));
}
