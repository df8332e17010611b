//! Whether an email can be sent as it is.

use std::collections::BTreeSet;

use model::mail::{address_key, is_address};
use model::tables::{ActivityParty, Email, EmailStatus, Participation, Queue, SystemUser};
use model::{Entity, Refusal, Refusals, Words, words};

use super::{SendFacts, waits_for_person};

/// The rules of `SendEmail`, all of them. The state of the sender's mailbox is
/// none of them: such an email waits in Pending Send and says why.
pub fn check_send(facts: &SendFacts<'_>) -> Result<(), Refusals> {
    let mut faults = Vec::new();
    faults.extend(state(facts.email));
    sender(facts, &mut faults);
    recipients(facts, &mut faults);
    attachments(facts, &mut faults);
    Refusals::unless_none(faults)
}

pub(super) fn state(email: &Email) -> Option<Refusal> {
    if !email.is_outgoing {
        return Some(
            Refusal::new(
                0x8004_023B,
                "InvalidOperation",
                words!("this email was received; only outgoing emails are sent"),
            )
            .at(Email::C.is_outgoing.name),
        );
    }
    let sendable = matches!(email.status, EmailStatus::Draft | EmailStatus::Failed) || waits_for_person(email);
    (!sendable).then(|| {
        Refusal::new(
            0x8004_0233,
            "InvalidState",
            words!(
                "the email is {0}; only one that is Draft or Failed can be sent",
                Words::label(email.status.label())
            ),
        )
        .at(Email::C.status.name)
    })
}

fn sender(facts: &SendFacts<'_>, faults: &mut Vec<Refusal>) {
    let senders: Vec<_> = facts.senders().collect();
    let fault = |code, name, message: Words| Refusal::new(code, name, message).at("email_activity_parties");
    let [sender] = senders.as_slice() else {
        faults.push(if senders.is_empty() {
            fault(0x8004_0B02, "NoSender", words!("the email has no sender; choose a user or queue in From"))
        } else {
            fault(
                0x8004_0B08,
                "MultipleSenders",
                words!("the email has {0} senders; choose one user or queue in From", senders.len()),
            )
        });
        return;
    };
    let may_send = [SystemUser::TABLE.logical, Queue::TABLE.logical];
    if !sender.party.is_some_and(|party| may_send.contains(&party.table)) {
        faults.push(fault(
            0x8004_0B01,
            "InvalidSender",
            words!("only a user or a queue can be the sender; choose one in From"),
        ));
    } else if !is_address(sender.address.trim()) {
        faults.push(fault(
            0x8004_0B00,
            "PartyHasNoAddress",
            words!("the sender {0} has no valid email address; give the user or queue one", named(sender)),
        ));
    }
}

fn recipients(facts: &SendFacts<'_>, faults: &mut Vec<Refusal>) {
    let recipients = facts.recipients();
    let fault = |code, name, message: Words| Refusal::new(code, name, message).at("email_activity_parties");
    if recipients.is_empty() {
        faults.push(fault(
            0x8004_0B05,
            "NoRecipients",
            words!("the email has no recipients; give at least one in To, Cc or Bcc"),
        ));
    }
    let mut told = BTreeSet::new();
    for party in recipients {
        let address = party.address.trim();
        if address.is_empty() {
            faults.push(fault(
                0x8004_0B0A,
                "NoAddressFoundForRecipient",
                words!("the recipient {0} has no email address; give the record one, or remove it", named(party)),
            ));
        } else if !told.insert(address_key(address)) {
            // The same address in To and Cc is one fault.
        } else if !is_address(address) {
            faults.push(fault(
                0x8004_0B0B,
                "InvalidRecipientAddress",
                words!("'{0}' is not an email address; write it as name@domain", address),
            ));
        } else if facts.do_not_email.contains(&address_key(address)) {
            faults.push(fault(
                0x8004_0B09,
                "RecipientMarkedDoNotEmail",
                words!("the recipient {0} does not want emails (Do not allow Emails is Yes); remove it", named(party)),
            ));
        } else if party.party.is_none() && !facts.organization.allow_unresolved_on_send {
            faults.push(fault(
                0x8004_0B00,
                "UnresolvedRecipient",
                words!(
                    "no record is known for the recipient {0}; resolve it, or allow messages with unresolved \
                     email recipients to be sent in the organization's settings",
                    address
                ),
            ));
        }
    }
}

fn attachments(facts: &SendFacts<'_>, faults: &mut Vec<Refusal>) {
    let blocked: Vec<_> = facts
        .organization
        .blocked_attachments
        .split([';', ','])
        .map(|extension| extension.trim().trim_start_matches('.').to_lowercase())
        .filter(|extension| !extension.is_empty())
        .collect();
    for attachment in facts.attachments {
        let name = attachment.file_name.as_str();
        let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_lowercase());
        if extension.is_some_and(|extension| blocked.contains(&extension)) {
            faults.push(
                Refusal::new(
                    0x8004_3E09,
                    "AttachmentBlocked",
                    words!("the attachment '{0}' is of a blocked type; remove it or send it in another form", name),
                )
                .at("email_activity_mime_attachment"),
            );
        }
        if attachment.size > facts.organization.max_upload {
            faults.push(
                Refusal::new(
                    0x8004_4A02,
                    "AttachmentInvalidFileSize",
                    words!("the attachment '{0}' has {1} bytes; at most {2} are allowed (Maximum file size for attachments)", name, attachment.size, facts.organization.max_upload),
                )
                .at("email_activity_mime_attachment"),
            );
        }
    }
}

fn named(party: &ActivityParty) -> Words {
    let kind = match party.participation {
        Participation::Sender => words!("in From"),
        Participation::To => words!("in To"),
        Participation::Cc => words!("in Cc"),
        _ => words!("in Bcc"),
    };
    let name = [&party.name, &party.unresolved_name, &party.address].into_iter().find(|text| !text.trim().is_empty());
    name.map_or(kind.clone(), |name| words!("'{0}' {1}", name, kind))
}
