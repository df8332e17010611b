//! Why not, and what to do: each names the privilege and the depth.

use model::{Refusal, Table, Words, words};

use super::{Depth, Principal, Reach, Right, RowFacts, Special, privilege};

/// 0x80040220
fn denied(message: Words) -> Refusal {
    Refusal::new(0x8004_0220, "PrivilegeDenied", message)
}

pub(super) fn disabled(principal: &Principal) -> Refusal {
    let message = words!(
        "The user {0} is disabled and may do nothing. An administrator enables users: isdisabled = false.",
        principal.name
    );
    Refusal::new(0x8004_0225, "UserDisabled", message)
}

/// 0x80042F09
pub(super) fn no_roles(principal: &Principal) -> Refusal {
    let message = words!(
        "The user {0} has no security role, so nothing is allowed. Ask a System Administrator to assign one, for \
         instance Basic User.",
        principal.name
    );
    Refusal::new(0x8004_2F09, "UserNotAssignedRoles", message)
}

pub(super) fn access_mode(principal: &Principal, right: Right, table: &Table, mode: &str, what: Words) -> Refusal {
    denied(words!(
        "Principal user ({0}) may not use {1}: the user's access mode is {2}, so {3}. An administrator changes it: \
         accessmode.",
        principal.name,
        privilege(right, table),
        mode,
        what
    ))
}

/// The access mode leaves no special privilege that changes something.
pub(super) fn access_mode_special(principal: &Principal, special: Special) -> Refusal {
    denied(words!(
        "Principal user ({0}) may not use {1}: the user's access mode is Read, so nothing can be written. An \
         administrator changes it: accessmode.",
        principal.name,
        special.name()
    ))
}

/// 0x80040800: nobody has, and nobody can be given, the right to do that.
pub(super) fn append_only() -> Refusal {
    let message = words!(
        "The audit trail only grows, by what the service itself notes; nobody adds to it, changes it or \
                   deletes of it. Read it: GET pr_audits, or postroom audit export."
    );
    Refusal::new(0x8004_0800, "NotSupported", message)
}

/// No role grants the privilege.
pub(super) fn missing(principal: &Principal, name: &str, table: &Table, depth: Option<Depth>) -> Refusal {
    denied(match depth {
        None => words!(
            "Principal user ({0}) is missing {1} privilege on {2}: no role grants it. Ask a System Administrator for a \
             role that does.",
            principal.name,
            name,
            table.logical
        ),
        Some(depth) => words!(
            "Principal user ({0}) is missing {1} privilege at depth {2} ({3}) on {4}: no role grants it. Ask a System \
             Administrator for a role that does.",
            principal.name,
            name,
            depth.as_str(),
            Words::label(depth.label()),
            table.logical
        ),
    })
}

/// A role grants the privilege, but not as far as this row.
pub(super) fn too_short(principal: &Principal, name: &str, table: &Table, reach: &Reach, row: &RowFacts) -> Refusal {
    let needed = match row.unit {
        Some(unit) if principal.unit == Some(unit) => Depth::Local,
        Some(unit) if principal.subtree.contains(&unit) => Depth::Deep,
        _ => Depth::Global,
    };
    denied(words!(
        "Principal user ({0}) is missing {1} privilege at depth {2} ({3}) on this {4}: the roles reach {5} ({6}). Ask a \
         System Administrator for a role that reaches further, or the owner to share the row.",
        principal.name,
        name,
        needed.as_str(),
        Words::label(needed.label()),
        table.logical,
        reach.depth.as_str(),
        Words::label(reach.depth.label())
    ))
}

/// A special privilege that is missing altogether, or does not reach.
pub fn missing_special(principal: &Principal, special: Special) -> Refusal {
    let held = match principal.reach(special.name()) {
        Some(reach) => {
            words!("the roles reach {0} ({1})", reach.depth.as_str(), Words::label(reach.depth.label()))
        }
        None => words!("no role grants it"),
    };
    let message = words!(
        "Principal user ({0}) is missing {1} privilege ({2}): {3}. Ask a System Administrator for a role that has it.",
        principal.name,
        special.name(),
        Words::label(special.label()),
        held
    );
    match special {
        Special::TestMailbox => Refusal::new(0x8005_E232, "NoTestEmailAccessPrivilege", message),
        Special::ActOnBehalfOfAnotherUser => Refusal::new(0x8004_A110, "CannotActOnBehalfOfAnotherUser", message),
        _ => denied(message),
    }
}

/// A new owner who could not read what they are given: no role of theirs
/// reads the table.
pub fn cannot_own(owner: &Principal, table: &'static Table) -> Option<Refusal> {
    let (right, subject) = super::anchor::subject(Right::Read, table);
    let name = privilege(right, subject);
    if owner.administrator || owner.reach(&name).is_some() {
        return None;
    }
    let held =
        if owner.roles.is_empty() { words!("has no security role") } else { words!("has no role that grants it") };
    Some(denied(words!(
        "The new owner ({0}) is missing {1} privilege and {2}; an owner must be able to read rows of {3}. Give \
         them a role that grants it at any depth, or choose another owner.",
        owner.name,
        name,
        held,
        table.logical
    )))
}

/// 0x8004020D: giving what one does not have.
pub fn more_than_own(principal: &Principal, what: Words) -> Refusal {
    let message = words!(
        "Principal user ({0}) cannot give what they do not have: {1}. Ask somebody who has it.",
        principal.name,
        what
    );
    Refusal::new(0x8004_020D, "InvalidAccessRights", message)
}
