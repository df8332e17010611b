//! Every privilege there is: `prv<Right><Table>` from the declarations of the
//! tables, and those that concern no table.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use model::tables::Audit;
use model::{Entity, Id, Table, Timestamp, tables};

use super::anchor::{self, Anchor};
use super::{Depth, Right};

#[derive(Debug)]
pub struct Privilege {
    /// `prvReadMailbox`
    pub name: String,
    /// `None`: a special one.
    pub right: Option<Right>,
    pub table: Option<&'static Table>,
    pub depths: &'static [Depth],
}

impl Privilege {
    pub fn deepest(&self) -> Depth {
        self.depths.iter().copied().max().unwrap_or(Depth::Global)
    }

    /// The same in every installation.
    pub fn id(&self) -> Id {
        model::id::derived(Timestamp::UNIX_EPOCH, &[b"privilege", self.name.as_bytes()])
    }
}

/// Privileges that concern no table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Special {
    /// Approve Email Addresses for Users or Queues.
    ApproveEmailAddresses,
    SendAsUser,
    ActOnBehalfOfAnotherUser,
    /// See and clear the alerts of mailboxes that are not one's own.
    ReadOthersAlerts,
    ManageEncryptionKeys,
    /// Test & Enable Mailbox, and processing it now.
    TestMailbox,
    /// User names and passwords of mailboxes and profiles.
    ManageCredentials,
    /// Bodies, attachments and raw messages of emails that may be read.
    ReadEmailContent,
    /// Tokens and sessions of others.
    ManageTokens,
    ReadAudit,
    Export,
}

impl Special {
    pub const ALL: [Self; 11] = [
        Self::ApproveEmailAddresses,
        Self::SendAsUser,
        Self::ActOnBehalfOfAnotherUser,
        Self::ReadOthersAlerts,
        Self::ManageEncryptionKeys,
        Self::TestMailbox,
        Self::ManageCredentials,
        Self::ReadEmailContent,
        Self::ManageTokens,
        Self::ReadAudit,
        Self::Export,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::ApproveEmailAddresses => "prvApproveEmailAddresses",
            Self::SendAsUser => "prvSendAsUser",
            Self::ActOnBehalfOfAnotherUser => "prvActOnBehalfOfAnotherUser",
            Self::ReadOthersAlerts => "prvReadOthersAlerts",
            Self::ManageEncryptionKeys => "prvManageEncryptionKeys",
            Self::TestMailbox => "prvTestMailbox",
            Self::ManageCredentials => "prvManageCredentials",
            Self::ReadEmailContent => "prvReadEmailContent",
            Self::ManageTokens => "prvManageTokens",
            Self::ReadAudit => "prvReadAudit",
            Self::Export => "prvExport",
        }
    }

    /// For people.
    pub fn label(self) -> &'static str {
        match self {
            Self::ApproveEmailAddresses => "Approve Email Addresses for Users or Queues",
            Self::SendAsUser => "Send Email as Another User",
            Self::ActOnBehalfOfAnotherUser => "Act on Behalf of Another User",
            Self::ReadOthersAlerts => "Read and Clear Alerts of Others",
            Self::ManageEncryptionKeys => "Manage Data Encryption Keys",
            Self::TestMailbox => "Test and Enable Mailboxes",
            Self::ManageCredentials => "Read and Write Credentials of Mailboxes and Profiles",
            Self::ReadEmailContent => "Read the Content of Emails",
            Self::ManageTokens => "Manage Tokens and Sessions of Others",
            Self::ReadAudit => "View Audit History",
            Self::Export => "Export Data",
        }
    }

    pub fn depths(self) -> &'static [Depth] {
        match self {
            Self::TestMailbox | Self::ManageCredentials | Self::ReadEmailContent => &Depth::ALL,
            _ => &[Depth::Global],
        }
    }

    /// Whether it goes beyond single tables.
    pub(super) fn concerns_everything(self) -> bool {
        matches!(self, Self::ManageEncryptionKeys | Self::ManageTokens | Self::ReadAudit | Self::Export)
    }

    pub(super) fn only_reads(self) -> bool {
        matches!(self, Self::ReadOthersAlerts | Self::ReadEmailContent | Self::ReadAudit | Self::Export)
    }
}

static ALL: LazyLock<Vec<Privilege>> = LazyLock::new(|| {
    let mut all = Vec::new();
    for table in tables::ALL.iter().copied().filter(|t| has_own(t)) {
        for right in rights(table) {
            let depths = anchor::depths(table);
            all.push(Privilege { name: privilege(*right, table), right: Some(*right), table: Some(table), depths });
        }
    }
    for special in Special::ALL {
        all.push(Privilege { name: special.name().to_owned(), right: None, table: None, depths: special.depths() });
    }
    all
});

static BY_NAME: LazyLock<BTreeMap<&'static str, &'static Privilege>> =
    LazyLock::new(|| all().iter().map(|p| (p.name.as_str(), p)).collect());

static BY_ID: LazyLock<BTreeMap<Id, &'static Privilege>> =
    LazyLock::new(|| all().iter().map(|p| (p.id(), p)).collect());

/// Every privilege, the tables' first, in the order of the tables.
pub fn all() -> &'static [Privilege] {
    &ALL
}

pub fn named(name: &str) -> Option<&'static Privilege> {
    BY_NAME.get(name).copied()
}

pub fn by_id(id: Id) -> Option<&'static Privilege> {
    BY_ID.get(&id).copied()
}

/// `prvReadMailbox`
pub fn privilege(right: Right, table: &Table) -> String {
    if table == Audit::TABLE && right == Right::Read {
        return Special::ReadAudit.name().to_owned();
    }
    format!("prv{}{}", right.as_str(), table.schema)
}

/// Whether the table has privileges of its own and does not follow a parent.
pub fn has_own(table: &Table) -> bool {
    // The audit trail is read with a special privilege.
    table.on_wire && table != Audit::TABLE && !matches!(anchor::anchor(table), Anchor::Parent { .. })
}

/// The rights that exist for the table: only what has an owner can be
/// assigned and shared.
pub fn rights(table: &Table) -> &'static [Right] {
    use Right::{Append, AppendTo, Assign, Create, Delete, Read, Write};
    match table.logical {
        "privilege" | "principalobjectaccess" | "pr_audit" => &[Read],
        "tracelog" => &[Create, Read, Write, Delete, Append, AppendTo],
        // Giving a role to somebody.
        "role" => &[Create, Read, Write, Delete, Append, AppendTo, Assign],
        _ => match anchor::anchor(table) {
            Anchor::Owner(_) => &Right::ALL,
            _ => &[Create, Read, Write, Delete, Append, AppendTo],
        },
    }
}
