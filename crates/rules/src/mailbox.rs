//! Mailboxes: which settings go together, what an edit resets, when a mailbox
//! may be tested and processed.

use jiff::Timestamp;
use model::tables::{
    ActMethod, Approval, EmailServerProfile, IncomingMethod, Mailbox, Organization, OutgoingMethod, Queue, State,
    Status, SystemUser,
};
use model::{Entity, Id, Ref, Refusal, Refusals, words};

mod form;
mod legal;
mod process;
mod save;

pub use form::{Offer, effects, offers, takes_credentials};
pub use process::{may_process, may_test, needs_approval};
pub use save::{loses, reset_tests, resets, save};

pub(crate) use legal::first_of_1900;
pub(crate) use save::{follows, set_address, test_in_progress};

/// What a rule must know besides the mailbox itself.
#[derive(Debug, Clone, Copy)]
pub struct MailboxFacts<'a> {
    pub organization: &'a Organization,
    /// The profile that the mailbox names after this save.
    pub profile: Option<&'a EmailServerProfile>,
    /// The user or queue that the mailbox is for.
    pub regarding: Option<Regarding<'a>>,
    /// Another active mailbox with the address that this one is to have.
    pub address_taken_by: Option<(Ref, &'a str)>,
    /// This save sets or clears a password or token.
    pub writing_credentials: bool,
    /// A password or token is stored after this save.
    pub password_set: bool,
}

/// The user or queue behind a mailbox.
#[derive(Debug, Clone, Copy)]
pub enum Regarding<'a> {
    User(&'a SystemUser),
    Queue(&'a Queue),
}

impl Regarding<'_> {
    pub fn reference(&self) -> Ref {
        match self {
            Self::User(user) => user.reference(),
            Self::Queue(queue) => queue.reference(),
        }
    }

    /// The user is disabled, the queue inactive.
    pub fn is_disabled(&self) -> bool {
        match self {
            Self::User(user) => user.is_disabled,
            Self::Queue(queue) => queue.state == State::Inactive,
        }
    }

    /// Who owns the mailbox: the user, or the queue's owner.
    pub fn owner(&self) -> Option<Ref> {
        match self {
            Self::User(user) => Some(user.reference()),
            Self::Queue(queue) => queue.owner,
        }
    }
}

/// The three kinds of mailbox, each with rules of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    User,
    Queue,
    Forward,
}

/// What kind of mailbox this is. One without a user or queue is a forward mailbox.
pub fn kind(mailbox: &Mailbox) -> Kind {
    match mailbox.regarding {
        _ if mailbox.is_forward => Kind::Forward,
        Some(regarding) if regarding.table == Queue::TABLE.logical => Kind::Queue,
        Some(_) => Kind::User,
        None => Kind::Forward,
    }
}

/// A mailbox made by hand: always a forward mailbox. What the machine
/// maintains is set here, whatever the draft says.
pub fn create_forward(draft: Mailbox, facts: &MailboxFacts<'_>, now: Timestamp) -> Result<Mailbox, Refusals> {
    let mut faults = Vec::new();
    if !draft.is_forward {
        faults.push(Refusal::invalid(
            Some(Mailbox::C.is_forward.name),
            words!(
                "only forward mailboxes are created by hand; the mailboxes of users and queues are created with them"
            ),
        ));
    }
    let blank = Mailbox::blank(draft.id);
    let test_scheduled = draft.test_scheduled;
    let mut mailbox = Mailbox {
        is_forward: true,
        approval: approval_of(&draft.address),
        test_scheduled: false,
        password_set: facts.password_set,
        status: status_of(draft.state),
        ..save::with_machine_columns_of(draft, &blank)
    };
    faults.extend(legal::faults(&mailbox, facts));
    faults.extend(legal::process_after(&mailbox, None, facts.profile));
    if test_scheduled {
        faults.extend(process::test_faults(&mailbox, facts));
        save::schedule_test(&mut mailbox, now);
    }
    save::refuse_each_once(faults)?;
    Ok(mailbox)
}

/// The mailbox that a new user gets, with the organization's default methods
/// and profile (`profile`: the row behind `default_profile`).
pub fn for_user(
    user: &SystemUser,
    organization: &Organization,
    profile: Option<&EmailServerProfile>,
    id: Id,
) -> Mailbox {
    let blank = Mailbox { act: act_with(organization.default_act, profile), ..Mailbox::blank(id) };
    Mailbox {
        name: user.full_name.clone(),
        owner: Some(user.reference()),
        address: user.address.clone(),
        regarding: Some(user.reference()),
        state: if user.is_disabled { State::Inactive } else { State::Active },
        status: if user.is_disabled { Status::Inactive } else { Status::Active },
        ..with_defaults(blank, organization, &user.address)
    }
}

/// The mailbox that a new queue gets. A queue has neither Outlook nor
/// appointments, contacts and tasks: such defaults become None.
pub fn for_queue(queue: &Queue, organization: &Organization, id: Id) -> Mailbox {
    let standard = with_defaults(Mailbox::blank(id), organization, &queue.address);
    let incoming = match standard.incoming {
        IncomingMethod::Outlook => IncomingMethod::None,
        other => other,
    };
    let outgoing = match standard.outgoing {
        OutgoingMethod::Outlook => OutgoingMethod::None,
        other => other,
    };
    let mailbox = Mailbox {
        name: queue.name.clone(),
        owner: queue.owner,
        address: queue.address.clone(),
        regarding: Some(queue.reference()),
        incoming,
        outgoing,
        act: ActMethod::None,
        state: queue.state,
        status: status_of(queue.state),
        ..standard
    };
    let profile = if uses_server(&mailbox) { organization.default_profile } else { None };
    Mailbox { profile, ..mailbox }
}

/// Apply Default Email Settings: the methods and the profile that a new mailbox
/// of this kind would get. A forward mailbox takes of them what it can have.
/// (`profile`: the row behind `default_profile`.)
#[must_use]
pub fn with_default_settings(
    mailbox: &Mailbox,
    organization: &Organization,
    profile: Option<&EmailServerProfile>,
) -> Mailbox {
    let server = |method: IncomingMethod| match method {
        IncomingMethod::Outlook | IncomingMethod::ForwardMailbox => IncomingMethod::None,
        other => other,
    };
    let (incoming, outgoing) = (organization.default_incoming, organization.default_outgoing);
    let mut after = match kind(mailbox) {
        Kind::User => {
            Mailbox { incoming, outgoing, act: act_with(organization.default_act, profile), ..mailbox.clone() }
        }
        Kind::Queue => Mailbox {
            incoming: if incoming == IncomingMethod::Outlook { IncomingMethod::None } else { incoming },
            outgoing: if outgoing == OutgoingMethod::Outlook { OutgoingMethod::None } else { outgoing },
            act: ActMethod::None,
            ..mailbox.clone()
        },
        Kind::Forward => Mailbox {
            incoming: server(incoming),
            outgoing: OutgoingMethod::None,
            act: ActMethod::None,
            ..mailbox.clone()
        },
    };
    if uses_server(&after) {
        after.profile = organization.default_profile;
    }
    after
}

/// A mailbox that belongs to a user or queue goes with it and not before.
pub fn refuse_delete(mailbox: &Mailbox) -> Result<(), Refusal> {
    if mailbox.is_forward && mailbox.regarding.is_none() {
        return Ok(());
    }
    Err(Refusal::new(
        0x8005_E200,
        "CannotDeleteUserMailbox",
        words!(
            "this mailbox belongs to a user or queue and cannot be deleted; deactivate it, or set its methods to None"
        ),
    ))
}

/// Whether any of its methods needs a server profile.
pub(crate) fn uses_server(mailbox: &Mailbox) -> bool {
    mailbox.incoming == IncomingMethod::ServerSide
        || mailbox.outgoing == OutgoingMethod::ServerSide
        || mailbox.act == ActMethod::ServerSide
}

pub(crate) fn status_of(state: State) -> Status {
    match state {
        State::Active => Status::Active,
        State::Inactive => Status::Inactive,
    }
}

/// What a new or changed address starts from.
pub(crate) fn approval_of(address: &str) -> Approval {
    if address.trim().is_empty() { Approval::Empty } else { Approval::Pending }
}

fn with_defaults(blank: Mailbox, organization: &Organization, address: &str) -> Mailbox {
    let mailbox = Mailbox {
        is_forward: false,
        incoming: organization.default_incoming,
        outgoing: organization.default_outgoing,
        approval: approval_of(address),
        ..blank
    };
    let profile = if uses_server(&mailbox) { organization.default_profile } else { None };
    Mailbox { profile, ..mailbox }
}

/// The default for appointments, contacts and tasks, where the profile can do it.
fn act_with(default: ActMethod, profile: Option<&EmailServerProfile>) -> ActMethod {
    if default == ActMethod::ServerSide && !profile.is_some_and(crate::profile::is_exchange) {
        ActMethod::None
    } else {
        default
    }
}

#[cfg(test)]
mod tests;
