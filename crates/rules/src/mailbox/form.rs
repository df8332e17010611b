//! What a form shows before anything is saved: which settings this mailbox
//! can have and why not the others, and what else a change brings with it.
//!
//! What goes together is asked of the same rules that saving asks: an option
//! is closed exactly when choosing it would be refused.

use model::mail::address_key;
use model::tables::{
    ActMethod, CredentialRetrieval, EmailServerProfile, IncomingMethod, Mailbox, OutgoingMethod, Queue, State,
};
use model::{Entity, Ref};

use super::{Kind, kind, legal};

/// What of one column this mailbox cannot have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub column: &'static str,
    /// The options that would be refused, by their numbers; 1 is Yes.
    pub refused: Vec<i64>,
    /// Nothing about the column can be chosen.
    pub closed: bool,
    pub why: &'static str,
}

/// The columns that this mailbox cannot have, or not with every option. The
/// profile is the one that it names.
pub fn offers(mailbox: &Mailbox, profile: Option<&EmailServerProfile>) -> Vec<Offer> {
    let kind = kind(mailbox);
    let mut offers = fixed(kind, mailbox.regarding);
    offers.extend(choice(
        mailbox,
        profile,
        Mailbox::C.incoming.name,
        IncomingMethod::ALL.iter().map(|m| (m.number(), Mailbox { incoming: *m, ..mailbox.clone() })),
    ));
    offers.extend(choice(
        mailbox,
        profile,
        Mailbox::C.outgoing.name,
        OutgoingMethod::ALL.iter().map(|m| (m.number(), Mailbox { outgoing: *m, ..mailbox.clone() })),
    ));
    offers.extend(choice(
        mailbox,
        profile,
        Mailbox::C.act.name,
        ActMethod::ALL.iter().map(|m| (m.number(), Mailbox { act: *m, ..mailbox.clone() })),
    ));
    offers.extend(choice(
        mailbox,
        profile,
        Mailbox::C.delete_after.name,
        [false, true].map(|yes| (i64::from(yes), Mailbox { delete_after: yes, ..mailbox.clone() })).into_iter(),
    ));
    offers
}

/// What a profile takes from its mailboxes.
pub fn takes_credentials(profile: &EmailServerProfile) -> bool {
    let theirs = |retrieval| {
        matches!(
            retrieval,
            CredentialRetrieval::UserOrQueue | CredentialRetrieval::GmailOAuth | CredentialRetrieval::DirectoryOAuth
        )
    };
    theirs(profile.incoming_credentials) || theirs(crate::profile::outgoing_credentials(profile))
}

/// What a change brings with it besides what it takes back.
pub fn effects(before: &Mailbox, after: &Mailbox) -> Vec<&'static str> {
    let mut words = Vec::new();
    if address_key(&before.address) != address_key(&after.address) {
        match kind(before) {
            Kind::User => words.push("The primary email of the user changes, too."),
            Kind::Queue => words.push("The incoming email of the queue changes, too."),
            Kind::Forward => {}
        }
    }
    if before.state == State::Active && after.state == State::Inactive {
        words.push("Nothing is received or sent until the mailbox is activated and tested again.");
    }
    if !before.delete_after && after.delete_after {
        words.push("From now on messages are deleted on the server once they are processed.");
    }
    if after.incoming == IncomingMethod::ForwardMailbox && before.incoming != IncomingMethod::ForwardMailbox {
        words.push("The mailbox itself is not read any more: its mail has to arrive through a forward mailbox.");
    }
    if before.process_after != after.process_after && after.process_after.is_some() {
        words.push("Messages received before the new date are passed over.");
    }
    words
}

fn choice(
    mailbox: &Mailbox,
    profile: Option<&EmailServerProfile>,
    column: &'static str,
    options: impl Iterator<Item = (i64, Mailbox)>,
) -> Option<Offer> {
    let (mut refused, mut left) = (Vec::new(), 0);
    for (number, candidate) in options {
        if legal::together(&candidate, profile).iter().any(|fault| fault.field == Some(column)) {
            refused.push(number);
        } else {
            left += 1;
        }
    }
    (!refused.is_empty()).then(|| Offer { column, refused, closed: left <= 1, why: why(kind(mailbox), column) })
}

/// Why some options are closed. A rule about a column has a sentence here.
fn why(kind: Kind, column: &str) -> &'static str {
    let column = Column::of(column);
    match (kind, column) {
        (Kind::Forward, Column::Outgoing) => {
            "A forward mailbox only receives. Its users and queues send through their own mailboxes."
        }
        (Kind::Forward, Column::Incoming) => "A forward mailbox is read by server-side synchronization or not at all.",
        (Kind::Forward, Column::Act) => "A forward mailbox has no appointments, contacts, and tasks.",
        (Kind::Queue, Column::Incoming | Column::Outgoing) => "Nobody runs Outlook for a queue.",
        (Kind::Queue, Column::Act) => "A queue has no appointments, contacts, and tasks.",
        (Kind::User, Column::Act) => "The server of this profile has no appointments, contacts, and tasks.",
        (Kind::User, Column::DeleteAfter) => {
            "A user's mail stays on the server. Only mail of queues and forward mailboxes can be deleted."
        }
        _ => "This kind of mailbox does not have it.",
    }
}

enum Column {
    Incoming,
    Outgoing,
    Act,
    DeleteAfter,
    Other,
}

impl Column {
    fn of(name: &str) -> Self {
        match name {
            _ if name == Mailbox::C.incoming.name => Self::Incoming,
            _ if name == Mailbox::C.outgoing.name => Self::Outgoing,
            _ if name == Mailbox::C.act.name => Self::Act,
            _ if name == Mailbox::C.delete_after.name => Self::DeleteAfter,
            _ => Self::Other,
        }
    }
}

/// What nobody chooses on a mailbox.
fn fixed(kind: Kind, regarding: Option<Ref>) -> Vec<Offer> {
    let closed = |column, why| Offer { column, refused: Vec::new(), closed: true, why };
    let of_queue = regarding.is_some_and(|regarding| regarding.table == Queue::TABLE.logical);
    let mut offers = vec![
        closed(Mailbox::C.is_forward.name, "It is decided when the mailbox is made."),
        closed(
            Mailbox::C.regarding.name,
            match kind {
                Kind::Forward => "A forward mailbox serves many users and queues and belongs to none of them.",
                _ if of_queue => "The mailbox was made with its queue and stays with it.",
                _ => "The mailbox was made with its user and stays with them.",
            },
        ),
    ];
    match kind {
        Kind::User => offers.push(closed(Mailbox::C.owner.name, "The owner of a user's mailbox is the user.")),
        Kind::Queue => offers.push(closed(
            Mailbox::C.owner.name,
            "The owner of a queue's mailbox is the owner of the queue. Assign the queue instead.",
        )),
        Kind::Forward => {}
    }
    offers
}
