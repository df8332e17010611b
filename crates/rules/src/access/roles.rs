//! The roles that every installation has from the start, as data. The first
//! three grant what the reference product's grant, with two exceptions: System
//! Customizer may do everything with mailboxes and run their tests, as the
//! product's own help promises.

use std::collections::BTreeMap;

use model::tables::{Event, Privilege, Role, RolePrivilege};
use model::{Entity, Id, Ref, Timestamp};

use super::Right::{self, Append, AppendTo, Assign, Create, Delete, Read, Share, Write};
use super::catalogue::{self, Special};
use super::{Depth, privilege};
use Depth::{Basic, Global, Local};

/// A role as it comes.
#[derive(Debug)]
pub struct Ready {
    /// `roletemplateid`
    pub template: Id,
    pub name: &'static str,
    pub description: &'static str,
    grants: Grants,
}

#[derive(Debug)]
enum Grants {
    Everything,
    /// Reading of every table, and these specials.
    Reading(&'static [(Special, Depth)]),
    Listed(&'static [Line], &'static [(Special, Depth)]),
}

/// These rights to these tables, so far.
type Line = (&'static [&'static str], &'static [Right], Depth);

pub const SYSTEM_ADMINISTRATOR: Id = Id::from_u128(0x6270_90FF_40A3_4053_8790_584E_DC5B_E201);
pub const SYSTEM_CUSTOMIZER: Id = Id::from_u128(0x119F_245C_3CC8_4B62_B31C_D1A0_46CE_D15D);
pub const BASIC_USER: Id = Id::from_u128(0x9AF1_5B8C_6E5B_4C59_9D10_6F4D_2E0A_0001);
pub const MAILBOX_ADMINISTRATOR: Id = Id::from_u128(0x9AF1_5B8C_6E5B_4C59_9D10_6F4D_2E0A_0002);
pub const QUEUE_MEMBER: Id = Id::from_u128(0x9AF1_5B8C_6E5B_4C59_9D10_6F4D_2E0A_0003);
pub const AUDITOR: Id = Id::from_u128(0x9AF1_5B8C_6E5B_4C59_9D10_6F4D_2E0A_0004);
pub const INTEGRATION: Id = Id::from_u128(0x9AF1_5B8C_6E5B_4C59_9D10_6F4D_2E0A_0005);

const EIGHT: &[Right] = &Right::ALL;
const SIX: &[Right] = &[Create, Read, Write, Delete, Append, AppendTo];
const WORK: &[&str] = &["email", "account", "contact", "lead"];
/// One's own tokens.
const TOKENS: &[&str] = &["pr_apitoken"];
/// What everybody needs to know to find their way.
const KNOWN: &[&str] =
    &["systemuser", "usersettings", "organization", "businessunit", "team", "savedquery", "privilege"];

pub static ALL: &[Ready] = &[
    Ready {
        template: SYSTEM_ADMINISTRATOR,
        name: "System Administrator",
        description: "May do everything. Cannot be changed.",
        grants: Grants::Everything,
    },
    Ready {
        template: SYSTEM_CUSTOMIZER,
        name: "System Customizer",
        description: "Sets the system up: mailboxes, server profiles, queues, settings. Sees own customers and emails only.",
        grants: Grants::Listed(
            CUSTOMIZER,
            &[(Special::TestMailbox, Global), (Special::ManageCredentials, Global), (Special::ReadEmailContent, Basic)],
        ),
    },
    Ready {
        template: BASIC_USER,
        name: "Basic User",
        description: "Works with own customers and emails, and with the own mailbox.",
        grants: Grants::Listed(USER, USER_SPECIALS),
    },
    Ready {
        template: MAILBOX_ADMINISTRATOR,
        name: "Mailbox Administrator",
        description: "Runs mailboxes, server profiles and queues: approves, tests, sees all alerts. Sees no emails of others.",
        grants: Grants::Listed(
            MAILBOXES,
            &[
                (Special::ApproveEmailAddresses, Global),
                (Special::ReadOthersAlerts, Global),
                (Special::TestMailbox, Global),
                (Special::ManageCredentials, Global),
            ],
        ),
    },
    Ready {
        template: QUEUE_MEMBER,
        name: "Queue Member",
        description: "Works on the emails of the queues of the own business unit. Goes with Basic User.",
        grants: Grants::Listed(QUEUES, &[(Special::ReadEmailContent, Local)]),
    },
    Ready {
        template: AUDITOR,
        name: "Auditor",
        description: "Reads everything but the content of emails and credentials, and the audit trail. Changes nothing.",
        grants: Grants::Reading(&[
            (Special::ReadOthersAlerts, Global),
            (Special::ReadAudit, Global),
            (Special::Export, Global),
        ]),
    },
    Ready {
        template: INTEGRATION,
        name: "Integration",
        description: "For programs: customers, emails and queue items of everybody, on behalf of users. No settings.",
        grants: Grants::Listed(
            PROGRAM,
            &[
                (Special::ActOnBehalfOfAnotherUser, Global),
                (Special::SendAsUser, Global),
                (Special::ReadEmailContent, Global),
            ],
        ),
    },
];

const CUSTOMIZER: &[Line] = &[
    (TOKENS, &[Read, Write, Delete], Basic),
    (&["mailbox", "emailserverprofile", "queue"], EIGHT, Global),
    (WORK, EIGHT, Basic),
    (&["systemuser"], &[Append, AppendTo, Write], Local),
    (&["systemuser", "role", "businessunit", "team", "privilege", "fieldsecurityprofile"], &[Read], Global),
    (&["usersettings"], &[Create, Read, Write], Local),
    (&["tracelog"], &[Append, AppendTo, Create, Read], Global),
    (&["organization"], &[Read, Write], Global),
    (&["savedquery"], &[Create, Delete, Read, Write], Global),
    (&["userquery"], &[Assign, Create, Delete, Read, Share, Write], Basic),
];

const USER: &[Line] = &[
    (TOKENS, &[Read, Write, Delete], Basic),
    (&["mailbox"], &[Append, Read, Write], Basic),
    (&["emailserverprofile"], &[AppendTo, Read], Global),
    (&["queue"], &[AppendTo, Read], Basic),
    (WORK, EIGHT, Basic),
    (KNOWN, &[Read], Global),
    (&["systemuser"], &[Append, AppendTo], Local),
    (&["usersettings"], &[AppendTo, Create, Delete, Write], Local),
    (&["tracelog"], &[Append, AppendTo, Create, Read], Global),
    (&["role"], &[Read], Local),
    (&["userquery"], &[Assign, Create, Delete, Read, Share, Write], Basic),
    (&["principalobjectaccess"], &[Read], Basic),
];

const USER_SPECIALS: &[(Special, Depth)] =
    &[(Special::TestMailbox, Basic), (Special::ManageCredentials, Basic), (Special::ReadEmailContent, Basic)];

const MAILBOXES: &[Line] = &[
    (TOKENS, &[Read, Write, Delete], Basic),
    (&["mailbox", "emailserverprofile", "queue"], EIGHT, Global),
    (KNOWN, &[Read], Global),
    (&["systemuser", "usersettings"], &[Append, AppendTo], Global),
    (&["tracelog"], SIX, Global),
    (&["organization"], &[Write], Global),
    (&["role"], &[Read], Local),
    (&["userquery"], &[Assign, Create, Delete, Read, Share, Write], Basic),
];

const QUEUES: &[Line] = &[
    (TOKENS, &[Read, Write, Delete], Basic),
    (&["queue"], &[Read, Write, Append, AppendTo], Local),
    (WORK, &[Read, Write, Append, AppendTo, Assign], Local),
    (KNOWN, &[Read], Global),
];

const PROGRAM: &[Line] = &[
    (TOKENS, &[Read, Write, Delete], Basic),
    (WORK, EIGHT, Global),
    (&["queue"], &[Read, Write, Append, AppendTo], Global),
    (&["mailbox", "emailserverprofile"], &[Read, AppendTo], Global),
    (KNOWN, &[Read], Global),
    (&["systemuser", "team"], &[Append, AppendTo], Global),
    (&["tracelog"], &[Create, Read, Append], Global),
    (&["userquery"], &[Assign, Create, Delete, Read, Share, Write], Basic),
];

impl Ready {
    pub fn id(&self) -> Id {
        model::id::derived(Timestamp::UNIX_EPOCH, &[b"role", self.template.as_bytes()])
    }

    pub fn reference(&self) -> Ref {
        Ref::new(Role::TABLE.logical, self.id())
    }

    /// The role's row, in the root business unit.
    pub fn row(&self, root: Option<Ref>) -> model::Record {
        let role = Role {
            name: self.name.to_owned(),
            business_unit: root,
            template: Some(self.template),
            is_managed: true,
            ..Role::blank(self.id())
        };
        let mut record = role.into_record();
        record.set("description", model::Value::Text(self.description.to_owned()));
        record
    }

    /// What it grants: names of privileges, each once, at its greatest depth.
    pub fn privileges(&self) -> BTreeMap<String, Depth> {
        let mut granted: BTreeMap<String, Depth> = BTreeMap::new();
        let mut add = |name: String, depth: Depth| {
            // A table's privileges may not exist at every depth.
            let Some(known) = catalogue::named(&name) else { return };
            let depth = if known.depths.contains(&depth) { depth } else { known.deepest() };
            let held = granted.entry(name).or_insert(depth);
            *held = (*held).max(depth);
        };
        match &self.grants {
            Grants::Everything => {
                catalogue::all().iter().for_each(|p| add(p.name.clone(), p.deepest()));
            }
            Grants::Reading(specials) => {
                // What webhooks were told of holds the content of emails.
                let shown = |table: &model::Table| table != Event::TABLE;
                let reads = catalogue::all().iter().filter(|p| p.right == Some(Read) && p.table.is_some_and(shown));
                reads.for_each(|p| add(p.name.clone(), Global));
                specials.iter().for_each(|(s, depth)| add(s.name().to_owned(), *depth));
            }
            Grants::Listed(lines, specials) => {
                for (tables, rights, depth) in *lines {
                    for table in tables.iter().filter_map(|t| model::tables::by_logical_name(t)) {
                        rights.iter().for_each(|r| add(privilege(*r, table), *depth));
                    }
                }
                specials.iter().for_each(|(s, depth)| add(s.name().to_owned(), *depth));
            }
        }
        granted
    }

    /// The rows that say so. None for System Administrator: that role has
    /// every privilege that there is, those of later versions too.
    pub fn privilege_rows(&self) -> Vec<RolePrivilege> {
        if matches!(self.grants, Grants::Everything) {
            return Vec::new();
        }
        let rows = self.privileges().into_iter().filter_map(|(name, depth)| {
            catalogue::named(&name).map(|known| role_privilege(self.id(), known.id(), depth))
        });
        rows.collect()
    }
}

/// The row that grants a privilege to a role.
pub fn role_privilege(role: Id, privilege: Id, depth: Depth) -> RolePrivilege {
    let id = model::id::derived(Timestamp::UNIX_EPOCH, &[role.as_bytes(), privilege.as_bytes()]);
    RolePrivilege {
        role: Some(Ref::new(Role::TABLE.logical, role)),
        privilege: Some(Ref::new(Privilege::TABLE.logical, privilege)),
        depth: depth.mask(),
        ..RolePrivilege::blank(id)
    }
}

/// The catalogue as rows.
pub fn privilege_rows() -> Vec<Privilege> {
    let row = |p: &catalogue::Privilege| Privilege {
        name: p.name.clone(),
        right: p.right.map_or(0, Right::bit),
        can_be_basic: p.depths.contains(&Depth::Basic),
        can_be_local: p.depths.contains(&Depth::Local),
        can_be_deep: p.depths.contains(&Depth::Deep),
        can_be_global: p.depths.contains(&Depth::Global),
        ..Privilege::blank(p.id())
    };
    catalogue::all().iter().map(row).collect()
}

pub fn by_template(template: Id) -> Option<&'static Ready> {
    ALL.iter().find(|r| r.template == template)
}
