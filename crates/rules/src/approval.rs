//! Approval of addresses: who may approve, and what follows.

use jiff::Timestamp;
use model::mail::is_address;
use model::tables::{Approval, Mailbox, SystemUser};
use model::{Entity, Refusal, Refusals, words};

use crate::mailbox::{Regarding, test_in_progress};

/// What decides whether somebody may approve.
#[derive(Debug, Clone, Copy, Default)]
pub struct ApprovalFacts<'a> {
    /// `prvApproveEmailAddresses`.
    pub privilege: bool,
    /// `RequirePrivilegeToSelfApproveEmailAddress`: without the privilege not
    /// even one's own address can be approved.
    pub privilege_for_own: bool,
    /// The user or queue that the mailbox is for.
    pub regarding: Option<Regarding<'a>>,
}

/// Approve Email. Approval is bound to the address as it is now.
pub fn approve(
    mailbox: &Mailbox,
    by: &SystemUser,
    facts: ApprovalFacts<'_>,
    now: Timestamp,
) -> Result<Mailbox, Refusals> {
    let mut faults = faults(mailbox, by, facts);
    if !is_address(&mailbox.address) {
        faults.push(
            Refusal::new(
                0x8005_E221,
                "InvalidEmailAddressInMailbox",
                words!("there is no valid email address to approve; give the mailbox one"),
            )
            .at(Mailbox::C.address.name),
        );
    }
    Refusals::unless_none(faults)?;
    if mailbox.approval == Approval::Approved {
        // Who approved it first stays on the record.
        return Ok(mailbox.clone());
    }
    Ok(Mailbox {
        approval: Approval::Approved,
        approved_by: Some(by.reference()),
        approved_on: Some(now),
        ..mailbox.clone()
    })
}

/// Reject Email: where approval is required, both directions stop.
pub fn reject(mailbox: &Mailbox, by: &SystemUser, facts: ApprovalFacts<'_>) -> Result<Mailbox, Refusals> {
    let mut faults = faults(mailbox, by, facts);
    if mailbox.address.is_empty() {
        faults.push(
            Refusal::new(0x8005_E221, "InvalidEmailAddressInMailbox", words!("there is no email address to reject"))
                .at(Mailbox::C.address.name),
        );
    }
    Refusals::unless_none(faults)?;
    Ok(Mailbox { approval: Approval::Rejected, approved_by: None, approved_on: None, ..mailbox.clone() })
}

/// A PATCH of `emailrouteraccessapproval` (on mailbox, user or queue), as
/// clients do it.
pub fn set(
    mailbox: &Mailbox,
    approval: Approval,
    by: &SystemUser,
    facts: ApprovalFacts<'_>,
    now: Timestamp,
) -> Result<Mailbox, Refusals> {
    match approval {
        _ if approval == mailbox.approval => Ok(mailbox.clone()),
        Approval::Approved => approve(mailbox, by, facts, now),
        Approval::Rejected => reject(mailbox, by, facts),
        Approval::Pending | Approval::Empty => Err(Refusal::invalid(
            Some(Mailbox::C.approval.name),
            words!("Empty and Pending Approval follow from the address; set Approved (1) or Rejected (3)"),
        )
        .into()),
    }
}

fn faults(mailbox: &Mailbox, by: &SystemUser, facts: ApprovalFacts<'_>) -> Vec<Refusal> {
    let mut faults = Vec::new();
    let own = mailbox.regarding == Some(by.reference()) && !facts.privilege_for_own;
    if by.is_disabled || !(facts.privilege || own) {
        faults.push(Refusal::new(
            0x8004_0220,
            "PrivilegeDenied",
            words!(
                "user {0} is missing prvApproveEmailAddresses (Approve Email Addresses for Users or Queues); ask an \
                 administrator",
                by.domain_name
            ),
        ));
    }
    if mailbox.test_scheduled {
        faults.push(test_in_progress());
    }
    if facts.regarding.is_some_and(|regarding| regarding.is_disabled()) {
        faults.push(
            Refusal::new(
                0x8005_E230,
                "CannotActivateMailboxForDisabledUserOrQueue",
                words!("the user or queue of this mailbox is disabled; enable the user or activate the queue first"),
            )
            .at(Mailbox::C.regarding.name),
        );
    }
    faults
}

#[cfg(test)]
mod tests;
