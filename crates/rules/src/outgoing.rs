//! Outgoing email: from the person's "send" to the server's answer.
//!
//! Draft → Pending Send → Sending → Sent, with Failed for what a server
//! refused for good. Sending is committed before the first byte. When nobody
//! knows whether the server took a message, the email stays in Sending until
//! the server was asked, and is never sent again by itself.

use std::collections::BTreeSet;

use model::Id;
use model::mail::address_key;
use model::tables::{
    ActivityParty, Attachment, Delivery, DeliveryState, Email, EmailServerProfile, EmailStatus, Mailbox, Organization,
    Participation,
};

mod after;
mod check;
mod issue;
mod parent;
mod ready;

pub use after::{after, begin, begun, looked_up, recover};
pub use check::check_send;
pub use issue::{issue, mark_sent};
pub use parent::Parent;
pub use ready::{Dispatch, Ready, ready};

/// What the rules must know of an email that is to be sent.
#[derive(Debug, Clone)]
pub struct SendFacts<'a> {
    pub email: &'a Email,
    pub parties: &'a [ActivityParty],
    pub attachments: &'a [Attachment],
    /// The mailbox of the sender (the user or queue in From).
    pub mailbox: Option<&'a Mailbox>,
    /// That mailbox's profile.
    pub profile: Option<&'a EmailServerProfile>,
    pub organization: &'a Organization,
    /// What has become of its recipients so far.
    pub deliveries: &'a [Delivery],
    /// The email that this one answers (`parentactivityid`).
    pub parent: Option<&'a Parent>,
    /// Address keys of recipients whose record says `donotemail`.
    pub do_not_email: &'a BTreeSet<String>,
}

impl SendFacts<'_> {
    fn senders(&self) -> impl Iterator<Item = &ActivityParty> {
        self.parties.iter().filter(|party| party.participation == Participation::Sender)
    }

    /// To, then Cc, then Bcc, each in the order of the record.
    fn recipients(&self) -> Vec<&ActivityParty> {
        let mut recipients: Vec<_> = self
            .parties
            .iter()
            .filter(|p| matches!(p.participation, Participation::To | Participation::Cc | Participation::Bcc))
            .collect();
        recipients.sort_by_key(|party| (party.participation, party.number));
        recipients
    }

    /// Envelope recipients: every address once, as first written.
    fn envelope(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        self.recipients()
            .into_iter()
            .map(|party| party.address.trim().to_owned())
            .filter(|address| !address.is_empty() && seen.insert(address_key(address)))
            .collect()
    }

    fn delivery(&self, address: &str) -> Option<&Delivery> {
        let key = address_key(address);
        self.deliveries.iter().find(|delivery| address_key(&delivery.address) == key)
    }

    fn state_of(&self, address: &str) -> DeliveryState {
        self.delivery(address).map_or(DeliveryState::Waiting, |delivery| delivery.state)
    }
}

/// The id of the row that follows one recipient of one email.
pub fn delivery_id(email: Id, address: &str) -> Id {
    model::id::derived(
        model::Timestamp::UNIX_EPOCH,
        &[b"pr_delivery", email.as_bytes(), address_key(address).as_bytes()],
    )
}

/// Begins the failure reason of an email whose outcome cannot be found out: a
/// person decides, by sending it again or by marking it as sent.
pub const UNDECIDED: &str = "Uncertain, a person has to decide";

/// The outcome of its last attempt is unknown and cannot be looked up.
pub fn waits_for_person(email: &Email) -> bool {
    email.status == EmailStatus::Sending && email.failure_reason.starts_with(UNDECIDED)
}

/// Cuts at a character, for columns of limited length.
fn clipped(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

#[cfg(test)]
mod tests;
