//! Users and queues, and what they share with their mailboxes: the address,
//! the methods, the approval, the state.

use jiff::Timestamp;
use model::mail::{address_key, is_address};
use model::tables::{
    Approval, Email, EmailServerProfile, EmailStatus, FullNameConvention, IncomingMethod, Mailbox, Organization,
    OutgoingMethod, Queue, State, SystemUser, UserSettings,
};
use model::work::Workload;
use model::{Change, Entity, Id, Ref, Refusal, Refusals, Update, words};

use crate::mailbox::{self, Regarding, approval_of, set_address, status_of, test_in_progress};
use crate::schedule;

/// What a rule must know besides the user or queue.
#[derive(Debug, Clone, Copy)]
pub struct OwnerFacts<'a> {
    pub organization: &'a Organization,
    /// The organization's default profile.
    pub default_profile: Option<&'a EmailServerProfile>,
    /// The user's or queue's mailbox, where there is one.
    pub mailbox: Option<&'a Mailbox>,
    /// The profile of that mailbox.
    pub mailbox_profile: Option<&'a EmailServerProfile>,
    /// Another active mailbox with the address.
    pub address_taken_by: Option<(Ref, &'a str)>,
    /// For the mailbox that may have to be created.
    pub new_mailbox: Id,
}

/// The user or queue as it is to be stored, and what is to be written besides.
#[derive(Debug, Clone, PartialEq)]
pub struct Saved<T> {
    pub record: T,
    /// The mailbox, the user's settings, due work. They refer to the record:
    /// commit them after it, in the same transaction.
    pub changes: Vec<Change>,
}

/// A new user (`before` is `None`) or an edit of one. Every fault is reported together.
pub fn user_saved(
    before: Option<&SystemUser>,
    after: SystemUser,
    facts: &OwnerFacts<'_>,
) -> Result<Saved<SystemUser>, Refusals> {
    let mut user = SystemUser {
        full_name: full_name(facts.organization.full_name, &after.first_name, "", &after.last_name),
        address: after.address.trim().to_owned(),
        ..after
    };
    if user.full_name.is_empty() {
        user.full_name.clone_from(&user.domain_name);
    }
    // Approval is decided by `approval`, not by writing the column.
    user.approval = before.map_or(Approval::Empty, |before| before.approval);
    let changed_address = before.is_none_or(|before| address_key(&before.address) != address_key(&user.address));
    if changed_address {
        user.approval = approval_of(&user.address);
    }
    let mut faults = Vec::new();
    if user.domain_name.trim().is_empty() {
        faults.push(Refusal::invalid(Some(SystemUser::C.domain_name.name), words!("a user needs a user name")));
    }
    address_faults(&user.address, SystemUser::C.address.name, changed_address, facts, &mut faults);
    let mut changes = Vec::new();
    if before.is_none() {
        changes.push(Change::Ensure(settings_of(&user).into_record()));
    }
    match facts.mailbox {
        None if creates(before.is_none(), &user.address, user.is_disabled, facts) => {
            let mailbox = mailbox::for_user(&user, facts.organization, facts.default_profile, facts.new_mailbox);
            user.default_mailbox = Some(mailbox.reference());
            (user.incoming, user.outgoing) = (mailbox.incoming, mailbox.outgoing);
            changes.extend(new_mailbox(mailbox));
        }
        None => {}
        Some(held) => {
            let link = Link {
                address: &user.address,
                methods: (user.incoming, user.outgoing),
                held_methods: before.map(|before| (before.incoming, before.outgoing)),
                owner: Some(user.reference()),
                disabled: user.is_disabled,
            };
            changes.extend(follow(held, &link, Regarding::User(&user), facts, &mut faults));
            user.default_mailbox = Some(held.reference());
        }
    }
    Refusals::unless_none(faults)?;
    Ok(Saved { record: user, changes })
}

/// A new queue or an edit of one.
pub fn queue_saved(before: Option<&Queue>, after: Queue, facts: &OwnerFacts<'_>) -> Result<Saved<Queue>, Refusals> {
    let mut queue = Queue { address: after.address.trim().to_owned(), ..after };
    queue.approval = before.map_or(Approval::Empty, |before| before.approval);
    let changed_address = before.is_none_or(|before| address_key(&before.address) != address_key(&queue.address));
    if changed_address {
        queue.approval = approval_of(&queue.address);
    }
    let mut faults = Vec::new();
    if queue.name.trim().is_empty() {
        faults.push(Refusal::invalid(Some(Queue::C.name.name), words!("a queue needs a name")));
    }
    if before.is_none_or(|before| before.state != queue.state && before.status == queue.status) {
        queue.status = status_of(queue.state);
    }
    address_faults(&queue.address, Queue::C.address.name, changed_address, facts, &mut faults);
    let mut changes = Vec::new();
    match facts.mailbox {
        None if creates(before.is_none(), &queue.address, queue.state == State::Inactive, facts) => {
            let mailbox = mailbox::for_queue(&queue, facts.organization, facts.new_mailbox);
            queue.default_mailbox = Some(mailbox.reference());
            (queue.incoming, queue.outgoing) = (mailbox.incoming, mailbox.outgoing);
            changes.extend(new_mailbox(mailbox));
        }
        None => {}
        Some(held) => {
            let link = Link {
                address: &queue.address,
                methods: (queue.incoming, queue.outgoing),
                held_methods: before.map(|before| (before.incoming, before.outgoing)),
                owner: queue.owner,
                disabled: queue.state == State::Inactive,
            };
            changes.extend(follow(held, &link, Regarding::Queue(&queue), facts, &mut faults));
            queue.default_mailbox = Some(held.reference());
        }
    }
    Refusals::unless_none(faults)?;
    Ok(Saved { record: queue, changes })
}

/// A queue takes its mailbox with it.
pub fn queue_deleted(queue: &Queue, mailbox: Option<&Mailbox>) -> Vec<Change> {
    let mut changes: Vec<_> = mailbox.map(|mailbox| Change::delete::<Mailbox>(mailbox.id)).into_iter().collect();
    changes.push(Change::delete::<Queue>(queue.id));
    changes
}

/// The other way round: what a saved, approved or rejected mailbox means for
/// its user or queue.
pub fn mailbox_saved(mailbox: &Mailbox, regarding: Regarding<'_>) -> Option<Change> {
    let update = match regarding {
        Regarding::User(user) => Update::between(
            user,
            &SystemUser {
                address: mailbox.address.clone(),
                approval: mailbox.approval,
                incoming: mailbox.incoming,
                outgoing: mailbox.outgoing,
                default_mailbox: Some(mailbox.reference()),
                ..user.clone()
            },
        ),
        Regarding::Queue(queue) => Update::between(
            queue,
            &Queue {
                address: mailbox.address.clone(),
                approval: mailbox.approval,
                incoming: mailbox.incoming,
                outgoing: mailbox.outgoing,
                default_mailbox: Some(mailbox.reference()),
                ..queue.clone()
            },
        ),
    };
    update.map(Change::from)
}

/// A new user or queue gets a mailbox where the organization says so; one that
/// was made while it said otherwise gets it with the next edit, once it has an
/// address of its own to serve.
fn creates(new: bool, address: &str, disabled: bool, facts: &OwnerFacts<'_>) -> bool {
    let served = !address.is_empty() && !disabled && facts.address_taken_by.is_none();
    facts.organization.create_mailboxes && (new || served)
}

/// What somebody sent before there was a mailbox waits for one: this mailbox
/// takes it over, and looks at it at once.
pub fn adopt(mailbox: Id, waiting: &[Email], now: Timestamp) -> Vec<Change> {
    let adopted = |email: &Email| {
        let update = Update::of::<Email>(email.id)
            .set(Email::C.sender_mailbox, Some(Ref::new(Mailbox::TABLE.logical, mailbox)))
            .expect(Email::C.status, EmailStatus::PendingSend);
        Change::from(update)
    };
    let mut changes: Vec<Change> = waiting.iter().map(adopted).collect();
    if !changes.is_empty() {
        changes.extend(schedule::due(mailbox, Workload::Outgoing, now));
    }
    changes
}

/// A mailbox that is created: the row and its work items, none of them due.
pub fn new_mailbox(mailbox: Mailbox) -> Vec<Change> {
    let id = mailbox.id;
    let mut changes = vec![Change::create(mailbox)];
    changes.extend([Workload::Incoming, Workload::Outgoing, Workload::Test].map(|w| schedule::work_item(id, w)));
    changes
}

/// The display name by the organization's convention
/// (`fullnameconventioncode`); parts that are missing leave no trace.
pub fn full_name(convention: FullNameConvention, first: &str, middle: &str, last: &str) -> String {
    let (first, middle, last) = (first.trim(), middle.trim(), last.trim());
    let initial = middle.chars().next().map(|c| format!("{c}.")).unwrap_or_default();
    let join = |parts: &[&str]| parts.iter().copied().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    let comma = |front: &str, back: String| match (front.is_empty(), back.is_empty()) {
        (false, false) => format!("{front}, {back}"),
        _ => format!("{front}{back}"),
    };
    match convention {
        FullNameConvention::LastFirst => comma(last, first.to_owned()),
        FullNameConvention::FirstLast => join(&[first, last]),
        FullNameConvention::LastFirstMiddleInitial => comma(last, join(&[first, &initial])),
        FullNameConvention::FirstMiddleInitialLast => join(&[first, &initial, last]),
        FullNameConvention::LastFirstMiddle => comma(last, join(&[first, middle])),
        FullNameConvention::FirstMiddleLast => join(&[first, middle, last]),
        FullNameConvention::LastSpaceFirst => join(&[last, first]),
        FullNameConvention::LastNoSpaceFirst => format!("{last}{first}"),
    }
}

fn settings_of(user: &SystemUser) -> UserSettings {
    UserSettings { business_unit: user.business_unit, ..UserSettings::blank(user.id) }
}

fn address_faults(
    address: &str,
    column: &'static str,
    changed: bool,
    facts: &OwnerFacts<'_>,
    faults: &mut Vec<Refusal>,
) {
    if address.is_empty() || !changed {
        return;
    }
    if !is_address(address) || address.chars().count() > 100 {
        faults.push(
            Refusal::new(
                0x8004_4192,
                "InvalidEmailAddressFormat",
                words!("'{0}' is not an email address of at most 100 characters; write it as name@domain", address),
            )
            .at(column),
        );
    } else if let Some((_, name)) = facts.address_taken_by {
        faults.push(
            Refusal::new(
                0x8004_0237,
                "DuplicateRecord",
                words!(
                    "{0} is the address of mailbox '{1}' already; change or deactivate that one first",
                    address,
                    name
                ),
            )
            .at(column),
        );
    }
}

/// What a user or queue hands on to its mailbox.
struct Link<'a> {
    address: &'a str,
    methods: (IncomingMethod, OutgoingMethod),
    held_methods: Option<(IncomingMethod, OutgoingMethod)>,
    owner: Option<Ref>,
    disabled: bool,
}

/// The mailbox after an edit of its user or queue.
fn follow(
    held: &Mailbox,
    link: &Link<'_>,
    regarding: Regarding<'_>,
    facts: &OwnerFacts<'_>,
    faults: &mut Vec<Refusal>,
) -> Vec<Change> {
    let mut after = if address_key(&held.address) == address_key(link.address) {
        Mailbox { address: link.address.to_owned(), ..held.clone() }
    } else {
        set_address(held, link.address)
    };
    after.owner = link.owner;
    // Only what this edit changed: the mailbox's own methods win otherwise.
    if let Some((incoming, outgoing)) = link.held_methods {
        if incoming != link.methods.0 {
            after.incoming = link.methods.0;
        }
        if outgoing != link.methods.1 {
            after.outgoing = link.methods.1;
        }
    }
    if link.disabled {
        after.state = State::Inactive;
        after.status = status_of(State::Inactive);
    }
    if after == *held {
        return Vec::new();
    }
    // A test that runs must not stop a user from being disabled; it finds the
    // mailbox deactivated when it ends.
    if held.test_scheduled && !link.disabled {
        faults.push(test_in_progress());
        return Vec::new();
    }
    match mailbox::follows(held, after, regarding, facts) {
        Ok(after) => Update::between(held, &after).map(Change::from).into_iter().collect(),
        Err(Refusals(more)) => {
            // The address has been judged under the name of the person's own column.
            faults.extend(more.into_iter().filter(|fault| fault.field != Some(Mailbox::C.address.name)));
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests;
