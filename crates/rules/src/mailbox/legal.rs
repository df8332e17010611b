//! Which settings of a mailbox go together, with the codes of the rules.

use jiff::Timestamp;
use model::mail::is_address;
use model::tables::{ActMethod, EmailServerProfile, IncomingMethod, Mailbox, OutgoingMethod};
use model::{Refusal, SignedDuration, Words, words};

use super::{Kind, MailboxFacts, kind, status_of};
use crate::profile::is_exchange;

/// Everything that is wrong with a mailbox as it is to be saved.
pub(super) fn faults(mailbox: &Mailbox, facts: &MailboxFacts<'_>) -> Vec<Refusal> {
    let mut faults = Vec::new();
    if mailbox.name.trim().is_empty() {
        faults.push(Refusal::invalid(Some(Mailbox::C.name.name), words!("a mailbox needs a name")));
    }
    faults.extend(together(mailbox, facts.profile));
    address(mailbox, facts, &mut faults);
    credentials(mailbox, facts.password_set, &mut faults);
    if mailbox.status != status_of(mailbox.state) {
        faults.push(
            Refusal::new(
                0x8004_8408,
                "InvalidStateCodeStatusCode",
                words!("status {0} does not belong to state {1}", mailbox.status.number(), mailbox.state.number()),
            )
            .at(Mailbox::C.status.name),
        );
    }
    faults
}

/// What a mailbox of its kind, with this profile, cannot have.
pub(super) fn together(mailbox: &Mailbox, profile: Option<&EmailServerProfile>) -> Vec<Refusal> {
    let mut faults = Vec::new();
    match kind(mailbox) {
        Kind::User => user(mailbox, &mut faults),
        Kind::Queue => queue(mailbox, &mut faults),
        Kind::Forward => forward(mailbox, &mut faults),
    }
    act(mailbox, profile, &mut faults);
    faults
}

fn user(mailbox: &Mailbox, faults: &mut Vec<Refusal>) {
    if mailbox.delete_after {
        faults.push(
            Refusal::new(
                0x8005_E233,
                "MailboxCannotDeleteEmails",
                words!("Delete Emails After Processing is for queue and forward mailboxes only; a user's mail stays on the server"),
            )
            .at(Mailbox::C.delete_after.name),
        );
    }
}

fn queue(mailbox: &Mailbox, faults: &mut Vec<Refusal>) {
    let unexpected = |column: &'static str, instead: Words| {
        Refusal::new(
            0x8005_E210,
            "QueueMailboxUnexpectedDeliveryMethod",
            words!("a queue mailbox cannot use Outlook; choose {0}", instead),
        )
        .at(column)
    };
    if mailbox.incoming == IncomingMethod::Outlook {
        faults.push(unexpected(
            Mailbox::C.incoming.name,
            words!("None (0), Server-Side Synchronization (2) or Forward Mailbox (3)"),
        ));
    }
    if mailbox.outgoing == OutgoingMethod::Outlook {
        faults.push(unexpected(Mailbox::C.outgoing.name, words!("None (0) or Server-Side Synchronization (2)")));
    }
    match mailbox.act {
        ActMethod::None => {}
        ActMethod::Outlook => faults.push(unexpected(Mailbox::C.act.name, words!("None (2)"))),
        ActMethod::ServerSide => faults.push(Refusal::invalid(
            Some(Mailbox::C.act.name),
            words!("a queue mailbox has no appointments, contacts and tasks; choose None (2)"),
        )),
    }
}

fn forward(mailbox: &Mailbox, faults: &mut Vec<Refusal>) {
    let mut fault = |code, name, column, message: Words| faults.push(Refusal::new(code, name, message).at(column));
    if mailbox.regarding.is_some() {
        fault(
            0x8005_E207,
            "ForwardMailboxCannotAssociateWithUser",
            Mailbox::C.regarding.name,
            words!("a forward mailbox serves many and cannot be tied to one user or queue; leave Regarding empty"),
        );
    }
    if mailbox.address.trim().is_empty() {
        fault(
            0x8005_E211,
            "ForwardMailboxEmailAddressRequired",
            Mailbox::C.address.name,
            words!("a forward mailbox needs the address that mail is forwarded to"),
        );
    }
    if !matches!(mailbox.incoming, IncomingMethod::None | IncomingMethod::ServerSide) {
        fault(
            0x8005_E212,
            "ForwardMailboxUnexpectedIncomingDeliveryMethod",
            Mailbox::C.incoming.name,
            words!("a forward mailbox receives by None (0) or Server-Side Synchronization (2)"),
        );
    }
    if mailbox.outgoing != OutgoingMethod::None {
        fault(
            0x8005_E213,
            "ForwardMailboxUnexpectedOutgoingDeliveryMethod",
            Mailbox::C.outgoing.name,
            words!(
                "a forward mailbox never sends; choose None (0). Its users and queues send through their own mailboxes"
            ),
        );
    }
    if mailbox.act != ActMethod::None {
        faults.push(Refusal::invalid(
            Some(Mailbox::C.act.name),
            words!("a forward mailbox has no appointments, contacts and tasks; choose None (2)"),
        ));
    }
}

fn address(mailbox: &Mailbox, facts: &MailboxFacts<'_>, faults: &mut Vec<Refusal>) {
    let text = mailbox.address.as_str();
    if text.is_empty() {
        return;
    }
    if !is_address(text) || text.chars().count() > 100 {
        // E211 has said it already where there are only spaces.
        if kind(mailbox) != Kind::Forward || !text.trim().is_empty() {
            faults.push(
                Refusal::new(
                    0x8004_4192,
                    "InvalidEmailAddressFormat",
                    words!("'{0}' is not an email address of at most 100 characters; write it as name@domain", text),
                )
                .at(Mailbox::C.address.name),
            );
        }
    } else if let Some((_, name)) = facts.address_taken_by {
        faults.push(
            Refusal::new(
                0x8004_0237,
                "DuplicateRecord",
                words!(
                    "{0} is the address of mailbox '{1}' already, and its mail would be read twice; change or \
                     deactivate that one first",
                    text,
                    name
                ),
            )
            .at(Mailbox::C.address.name),
        );
    }
}

fn act(mailbox: &Mailbox, profile: Option<&EmailServerProfile>, faults: &mut Vec<Refusal>) {
    if kind(mailbox) == Kind::User
        && mailbox.act == ActMethod::ServerSide
        && let Some(profile) = profile
        && !is_exchange(profile)
    {
        faults.push(
            Refusal::new(
                0x8005_E247,
                "MailboxUnsupportedEmailServerType",
                words!(
                    "'{0}' is an {1} profile, which has no appointments, contacts and tasks; choose None (2)",
                    profile.name,
                    Words::label(profile.server_type.label())
                ),
            )
            .at(Mailbox::C.act.name),
        );
    }
}

fn credentials(mailbox: &Mailbox, password_set: bool, faults: &mut Vec<Refusal>) {
    if !mailbox.use_credentials {
        return;
    }
    let mut missing = |column, what: Words| {
        faults.push(
            Refusal::new(
                0x8005_E209,
                "MailboxCredentialNotSpecified",
                words!(
                    "Allow to Use Credentials for Email Processing is Yes, so {0} is needed; give it, or say No",
                    what
                ),
            )
            .at(column),
        );
    };
    if mailbox.user_name.trim().is_empty() {
        missing(Mailbox::C.user_name.name, words!("a user name"));
    }
    if !password_set {
        missing("password", words!("a password"));
    }
}

/// Process Email From: not before 1900, and, when it is changed, not before
/// the profile's own bound, which would win anyway. The column holds a date,
/// so a bound on the same day is not earlier.
pub(super) fn process_after(
    mailbox: &Mailbox,
    before: Option<&Mailbox>,
    profile: Option<&EmailServerProfile>,
) -> Option<Refusal> {
    let from = mailbox.process_after?;
    if before.is_some_and(|before| before.process_after == Some(from)) {
        return None;
    }
    let fault = |message: Words| {
        Some(Refusal::new(0x8005_E244, "InvalidValueProcessEmailAfter", message).at(Mailbox::C.process_after.name))
    };
    if from < first_of_1900() {
        return fault(words!("process email from {0} is too early; the earliest is 1900-01-01", from));
    }
    let bound = profile?.process_after?;
    if from + SignedDuration::from_hours(24) <= bound {
        return fault(words!(
            "process email from {0} is earlier than the profile's {1}, which would win; choose a later date or \
             change the profile",
            from,
            bound
        ));
    }
    None
}

/// 1900-01-01T00:00:00Z, the earliest time that Dataverse's columns hold.
pub(crate) fn first_of_1900() -> Timestamp {
    Timestamp::from_second(-2_208_988_800).unwrap_or(Timestamp::MIN)
}
