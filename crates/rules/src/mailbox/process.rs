//! When a mailbox may be tested, and when mail is received and sent for it.

use model::mail::is_address;
use model::tables::{
    Approval, CredentialRetrieval, EmailConnectionChannel, EmailServerProfile, IncomingMethod, Mailbox, Organization,
    OutgoingMethod, State,
};
use model::work::Workload;
use model::{Refusal, Refusals, Words, words};

use super::{Kind, MailboxFacts, kind};
use crate::profile::is_exchange;

/// Whether an address has to be approved before its mail is processed. A
/// forward mailbox carries mail of users and queues: either switch holds for it.
pub fn needs_approval(mailbox: &Mailbox, organization: &Organization) -> bool {
    match kind(mailbox) {
        Kind::User => organization.require_user_approval,
        Kind::Queue => organization.require_queue_approval,
        Kind::Forward => organization.require_user_approval || organization.require_queue_approval,
    }
}

/// The preconditions of Test & Enable Mailbox, all of them.
pub fn may_test(mailbox: &Mailbox, facts: &MailboxFacts<'_>) -> Result<(), Refusals> {
    Refusals::unless_none(test_faults(mailbox, facts))
}

pub(super) fn test_faults(mailbox: &Mailbox, facts: &MailboxFacts<'_>) -> Vec<Refusal> {
    let mut faults = common(mailbox, facts.profile, facts.organization);
    if !is_address(&mailbox.address) {
        faults.push(
            Refusal::new(
                0x8005_E221,
                "InvalidEmailAddressInMailbox",
                if mailbox.address.is_empty() {
                    words!("the mailbox has no email address; give it one")
                } else {
                    words!("'{0}' is not an email address; correct it", mailbox.address)
                },
            )
            .at(Mailbox::C.address.name),
        );
    }
    let incoming = mailbox.incoming == IncomingMethod::ServerSide;
    let outgoing = mailbox.outgoing == OutgoingMethod::ServerSide;
    if !incoming && !outgoing {
        faults.push(incoming_not_ours(mailbox));
        if kind(mailbox) != Kind::Forward {
            faults.push(outgoing_not_ours());
        }
    }
    if let Some(profile) = facts.profile {
        faults.extend(credentials(mailbox, profile, incoming, outgoing, facts.password_set));
    }
    faults
}

/// Whether mail is received ([`Workload::Incoming`]) or sent
/// ([`Workload::Outgoing`]) for this mailbox, or why not: the first reason.
/// For [`Workload::Test`]: whether a test that was scheduled may still run.
pub fn may_process(
    mailbox: &Mailbox,
    profile: Option<&EmailServerProfile>,
    organization: &Organization,
    workload: Workload,
) -> Result<(), Refusal> {
    let method = match workload {
        Workload::Incoming if mailbox.incoming != IncomingMethod::ServerSide => Some(incoming_not_ours(mailbox)),
        Workload::Outgoing if kind(mailbox) == Kind::Forward => Some(forward_never_sends()),
        Workload::Outgoing if mailbox.outgoing != OutgoingMethod::ServerSide => Some(outgoing_not_ours()),
        _ => None,
    };
    let enabled = match workload {
        Workload::Incoming if !mailbox.enabled_incoming => {
            Some(not_enabled(words!("receiving"), Mailbox::C.enabled_incoming.name))
        }
        Workload::Outgoing if !mailbox.enabled_outgoing => {
            Some(not_enabled(words!("sending"), Mailbox::C.enabled_outgoing.name))
        }
        _ => None,
    };
    method.into_iter().chain(common(mailbox, profile, organization)).chain(enabled).next().map_or(Ok(()), Err)
}

/// What every workload needs.
fn common(mailbox: &Mailbox, profile: Option<&EmailServerProfile>, organization: &Organization) -> Vec<Refusal> {
    let mut faults = Vec::new();
    if organization.channel == EmailConnectionChannel::EmailRouter {
        faults.push(Refusal::new(
            0x8004_023B,
            "InvalidOperation",
            words!("the organization processes email using the Email Router; set Process Email Using to Server-Side Synchronization"),
        ));
    }
    if mailbox.state == State::Inactive {
        faults.push(
            Refusal::new(0x8005_E219, "InactiveMailbox", words!("the mailbox is deactivated; activate it"))
                .at(Mailbox::C.state.name),
        );
    }
    if needs_approval(mailbox, organization) && mailbox.approval != Approval::Approved {
        faults.push(
            Refusal::new(
                0x8005_E220,
                "UnapprovedMailbox",
                words!("the email address is not approved (its status is {0}); approve it, then choose Test & Enable Mailbox", Words::label(mailbox.approval.label())),
            )
            .at(Mailbox::C.approval.name),
        );
    }
    faults.extend(profile_fault(profile));
    faults
}

fn profile_fault(profile: Option<&EmailServerProfile>) -> Option<Refusal> {
    let fault = |code, name, message: Words| Some(Refusal::new(code, name, message).at(Mailbox::C.profile.name));
    match profile {
        None => fault(
            0x8005_E222,
            "EmailServerProfileNotAssociated",
            words!("the mailbox has no email server profile; choose one"),
        ),
        Some(profile) if profile.state == State::Inactive => fault(
            0x8005_E228,
            "InactiveEmailServerProfile",
            words!("the email server profile '{0}' is deactivated; activate it or choose another", profile.name),
        ),
        Some(profile) if is_exchange(profile) => fault(
            0x8005_E242,
            "UnsupportedEmailServer",
            words!(
                "'{0}' is a profile for {1}, which is not processed yet; choose an IMAP/SMTP or POP3/SMTP profile",
                profile.name,
                Words::label(profile.server_type.label())
            ),
        ),
        Some(_) => None,
    }
}

/// Credentials that the profile expects to find on the mailbox.
fn credentials(
    mailbox: &Mailbox,
    profile: &EmailServerProfile,
    incoming: bool,
    outgoing: bool,
    password_set: bool,
) -> Option<Refusal> {
    let from_mailbox = |retrieval| {
        matches!(
            retrieval,
            CredentialRetrieval::UserOrQueue | CredentialRetrieval::GmailOAuth | CredentialRetrieval::DirectoryOAuth
        )
    };
    let needed = (incoming && from_mailbox(profile.incoming_credentials))
        || (outgoing && from_mailbox(crate::profile::outgoing_credentials(profile)));
    if !needed {
        return None;
    }
    if !mailbox.use_credentials {
        return Some(
            Refusal::new(
                0x8005_E229,
                "CannotUseUserCredentials",
                words!(
                    "the profile '{0}' takes the credentials from the mailbox; set Allow to Use Credentials for Email \
                     Processing to Yes and give user name and password",
                    profile.name
                ),
            )
            .at(Mailbox::C.use_credentials.name),
        );
    }
    // With the switch on, saving has checked user name and password already;
    // a mailbox from an older database may still lack them.
    (mailbox.user_name.is_empty() || !(password_set || mailbox.oauth_token_set)).then(|| {
        Refusal::new(
            0x8005_E209,
            "MailboxCredentialNotSpecified",
            words!(
                "the profile '{0}' takes the credentials from the mailbox; give user name and password",
                profile.name
            ),
        )
        .at(if mailbox.user_name.is_empty() { Mailbox::C.user_name.name } else { "password" })
    })
}

fn incoming_not_ours(mailbox: &Mailbox) -> Refusal {
    if mailbox.incoming == IncomingMethod::ForwardMailbox {
        Refusal::new(
            0x8005_E223,
            "IncomingDeliveryIsForwardMailbox",
            words!("mail for this mailbox arrives through a forward mailbox; its own is never read. Test the forward mailbox"),
        )
    } else {
        Refusal::new(
            0x8005_E224,
            "InvalidIncomingDeliveryExpectingEmailConnector",
            words!("the incoming method is {0}, so no mail is received by server-side synchronization; set Incoming Email \
                 to Server-Side Synchronization (2)", Words::label(mailbox.incoming.label())),
        )
    }
    .at(Mailbox::C.incoming.name)
}

fn outgoing_not_ours() -> Refusal {
    Refusal::new(
        0x8005_E226,
        "InvalidOutgoingDeliveryExpectingEmailConnector",
        words!(
            "the outgoing method is not server-side synchronization, so no mail is sent; set Outgoing Email to \
         Server-Side Synchronization (2)"
        ),
    )
    .at(Mailbox::C.outgoing.name)
}

fn forward_never_sends() -> Refusal {
    Refusal::new(
        0x8005_E225,
        "OutgoingNotAllowedForForwardMailbox",
        words!("a forward mailbox never sends; send from the user's or queue's own mailbox"),
    )
    .at(Mailbox::C.outgoing.name)
}

fn not_enabled(what: Words, column: &'static str) -> Refusal {
    Refusal::new(
        0x8005_E219,
        "MailboxDisabled",
        words!("the mailbox is not enabled for {0}; choose Test & Enable Mailbox", what),
    )
    .at(column)
}
