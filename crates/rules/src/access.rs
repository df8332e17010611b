//! Who may do what. Stands in for security roles, which replace it.

use model::tables::{AccessMode, SystemUser};
use model::{Entity, Ref, Refusal, Table};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    Create,
    Read,
    Write,
    Delete,
    /// Test & Enable Mailbox.
    Test,
    /// Approve or reject an address.
    Approve,
    Send,
}

impl Verb {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Read => "Read",
            Self::Write => "Write",
            Self::Delete => "Delete",
            Self::Test => "Test",
            Self::Approve => "Approve",
            Self::Send => "Send",
        }
    }
}

/// Rows of these tables can be read by everybody who can log in.
const PUBLIC: &[&str] = &["organization", "businessunit", "systemuser", "team", "queue", "account", "contact", "lead"];
/// Rows of these tables are everybody's daily work, each on their own rows.
const DAILY: &[&str] =
    &["email", "activityparty", "activitymimeattachment", "queueitem", "account", "contact", "lead", "usersettings"];

/// May `user` do this to a row of `table` whose owner (the row's `ownerid`,
/// its parent's for rows that have none) is `owner`? An administrator may
/// everything. Others read what is common and what is theirs, and write their
/// own activities and customers.
pub fn may(user: &SystemUser, verb: Verb, table: &Table, owner: Option<Ref>) -> Result<(), Refusal> {
    if user.is_disabled {
        return Err(denied(user, verb, table, "the user is disabled"));
    }
    if user.is_administrator {
        return Ok(());
    }
    if user.access_mode == AccessMode::Read && verb != Verb::Read {
        return Err(denied(user, verb, table, "the access mode of the user is Read"));
    }
    let own = owner == Some(user.reference());
    let granted = match verb {
        Verb::Read => own || PUBLIC.contains(&table.logical),
        Verb::Create => DAILY.contains(&table.logical) && (own || owner.is_none()),
        Verb::Write | Verb::Delete => DAILY.contains(&table.logical) && own,
        Verb::Send => table.logical == "email" && own,
        Verb::Test | Verb::Approve => table.logical == "mailbox" && own,
    };
    if granted { Ok(()) } else { Err(denied(user, verb, table, "ask an administrator")) }
}

fn denied(user: &SystemUser, verb: Verb, table: &Table, why: &str) -> Refusal {
    Refusal::new(
        0x8004_0220,
        "PrivilegeDenied",
        format!("user {} is missing prv{}{}: {why}", user.domain_name, verb.as_str(), table.schema),
    )
}

#[cfg(test)]
mod tests;
