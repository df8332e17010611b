//! What a table's rows hang from: an owner, a business unit, another row, or
//! nobody. It decides which depths the table's privileges can have.

use model::table::Ownership;
use model::tables::{Email, QueueItem};
use model::{Entity, Table, tables};

use super::{Depth, Right};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The lookup that names the owner, a user or a team.
    Owner(&'static str),
    /// The row is a user, or has a user's id.
    User,
    /// The row is a team; the lookup names its business unit.
    Team(&'static str),
    /// The lookup names the row's business unit.
    Unit(&'static str),
    /// The row is a business unit.
    UnitItself,
    /// The row follows the one that the lookup names.
    Parent { lookup: &'static str, table: &'static str },
    /// The organization's.
    Nobody,
}

/// Where the owner of a table's rows stands.
pub fn anchor(table: &Table) -> Anchor {
    match table.logical {
        "systemuser" | "usersettings" => Anchor::User,
        "team" => Anchor::Team("businessunitid"),
        "role" => Anchor::Unit("businessunitid"),
        "businessunit" => Anchor::UnitItself,
        "tracelog" => Anchor::Owner("regardingobjectownerid"),
        "pr_apitoken" => Anchor::Owner("pr_systemuserid"),
        "activityparty" => Anchor::Parent { lookup: "activityid", table: "email" },
        "activitymimeattachment" => Anchor::Parent { lookup: "objectid", table: "email" },
        "queueitem" => Anchor::Parent { lookup: "queueid", table: "queue" },
        "pr_ledgerentry" => Anchor::Parent { lookup: "pr_mailboxid", table: "mailbox" },
        "roleprivileges" => Anchor::Parent { lookup: "roleid", table: "role" },
        "systemuserroles" | "systemuserprofiles" => Anchor::Parent { lookup: "systemuserid", table: "systemuser" },
        "teamroles" | "teamprofiles" | "teammembership" => Anchor::Parent { lookup: "teamid", table: "team" },
        "fieldpermission" => Anchor::Parent { lookup: "fieldsecurityprofileid", table: "fieldsecurityprofile" },
        // What is shared with somebody is theirs to see.
        "principalobjectaccess" => Anchor::Owner("principalid"),
        _ if table.column("ownerid").is_some() && table.ownership != Ownership::Parent => Anchor::Owner("ownerid"),
        _ => Anchor::Nobody,
    }
}

/// The right and the table whose privilege decides: for a child row, reading
/// is reading its parent and everything else is writing it. What waits in a
/// queue is worked on by everybody who may put something there (Append To);
/// the queue itself is not theirs to write.
pub fn subject(right: Right, table: &'static Table) -> (Right, &'static Table) {
    // What activities have in common is read as the activities are.
    if table == tables::ACTIVITY {
        return (right, Email::TABLE);
    }
    let Anchor::Parent { table: parent, .. } = anchor(table) else { return (right, table) };
    let Some(parent) = tables::by_logical_name(parent) else { return (right, table) };
    let other = if table == QueueItem::TABLE { Right::AppendTo } else { Right::Write };
    subject(if right == Right::Read { Right::Read } else { other }, parent)
}

/// The depths that a privilege on the table can have.
pub fn depths(table: &Table) -> &'static [Depth] {
    match anchor(table) {
        Anchor::Nobody => &[Depth::Global],
        _ => &Depth::ALL,
    }
}

/// Whether setting a lookup of this table takes Append, and a lookup to it
/// Append To. Where neither is asked for, reading the target is enough.
pub fn checks_append(table: &Table) -> bool {
    match anchor(table) {
        Anchor::Owner("ownerid") => table.logical != "userquery",
        Anchor::User => table.logical == "systemuser",
        _ => false,
    }
}

/// Customers and what was written with them.
pub fn is_customer_data(table: &Table) -> bool {
    matches!(
        table.logical,
        "account"
            | "contact"
            | "lead"
            | "email"
            | "activitypointer"
            | "activityparty"
            | "activitymimeattachment"
            | "queueitem"
    )
}
