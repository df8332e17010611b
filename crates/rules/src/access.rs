//! Who may do what: privileges of roles, how far they reach, and what a row
//! has to do with the one who asks.
//!
//! A [`Principal`] is everything that is known of who asks; [`RowFacts`] what
//! is known of a row. Lists are not decided row by row: [`Principal::reading`]
//! describes the rows that may be read, and the store narrows by it.

use std::collections::{BTreeMap, BTreeSet};

use model::tables::AccessMode;
use model::{Id, Ref, Refusal, Table, words};

pub mod anchor;
pub mod catalogue;
pub mod fields;
pub mod filter;
pub mod impersonation;
pub mod operation;
pub mod refusals;
pub mod roles;
pub mod scopes;
pub mod sharing;
mod special;

pub use anchor::{Anchor, anchor};
pub use catalogue::{Special, privilege};
pub use scopes::Scopes;

/// What can be done with a row, with Dataverse's bits (`AccessRights`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Right {
    Create,
    Read,
    Write,
    Delete,
    Append,
    AppendTo,
    Assign,
    Share,
}

impl Right {
    pub const ALL: [Self; 8] =
        [Self::Create, Self::Read, Self::Write, Self::Delete, Self::Append, Self::AppendTo, Self::Assign, Self::Share];

    /// As it stands in the names of privileges.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Read => "Read",
            Self::Write => "Write",
            Self::Delete => "Delete",
            Self::Append => "Append",
            Self::AppendTo => "AppendTo",
            Self::Assign => "Assign",
            Self::Share => "Share",
        }
    }

    pub fn bit(self) -> i64 {
        match self {
            Self::Read => 1,
            Self::Write => 2,
            Self::Append => 4,
            Self::AppendTo => 16,
            Self::Create => 32,
            Self::Delete => 65_536,
            Self::Share => 262_144,
            Self::Assign => 524_288,
        }
    }

    /// `ReadAccess`, as `GrantAccess` writes it.
    pub fn access_name(self) -> String {
        format!("{}Access", self.as_str())
    }
}

/// How far a privilege reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Depth {
    /// One's own rows, and those of one's teams.
    Basic,
    /// The business unit.
    Local,
    /// The business unit and those below it.
    Deep,
    /// The organization.
    Global,
}

impl Depth {
    pub const ALL: [Self; 4] = [Self::Basic, Self::Local, Self::Deep, Self::Global];

    /// `privilegedepthmask`
    pub fn mask(self) -> i64 {
        1 << self.number()
    }

    /// `PrivilegeDepth`: 0 to 3.
    pub fn number(self) -> i64 {
        match self {
            Self::Basic => 0,
            Self::Local => 1,
            Self::Deep => 2,
            Self::Global => 3,
        }
    }

    pub fn from_mask(mask: i64) -> Option<Self> {
        // A mask with several bits counts as its highest.
        Self::ALL.into_iter().rev().find(|d| mask & d.mask() != 0)
    }

    /// `Basic`, as the Web API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Basic => "Basic",
            Self::Local => "Local",
            Self::Deep => "Deep",
            Self::Global => "Global",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|d| d.as_str().eq_ignore_ascii_case(name))
    }

    /// For people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Basic => "User",
            Self::Local => "Business Unit",
            Self::Deep => "Parent: Child Business Units",
            Self::Global => "Organization",
        }
    }
}

/// How far one privilege of one principal reaches, all roles together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// The greatest depth that some role grants.
    pub depth: Depth,
    /// The business units whose rows it covers.
    pub units: BTreeSet<Id>,
}

impl Reach {
    pub fn global() -> Self {
        Self { depth: Depth::Global, units: BTreeSet::new() }
    }
}

/// What a field security profile allows with one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FieldRights {
    pub read: bool,
    pub create: bool,
    pub update: bool,
}

/// The business units: each with the one above it.
pub type Tree = BTreeMap<Id, Option<Id>>;

/// The unit and all below it.
pub fn below(tree: &Tree, unit: Id) -> BTreeSet<Id> {
    let mut found = BTreeSet::from([unit]);
    loop {
        let before = found.len();
        let more: Vec<Id> =
            tree.iter().filter(|(_, up)| up.is_some_and(|up| found.contains(&up))).map(|(id, _)| *id).collect();
        found.extend(more);
        if found.len() == before {
            return found;
        }
    }
}

/// Everything that is known of who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    pub user: Id,
    /// User name, for messages.
    pub name: String,
    pub unit: Option<Id>,
    /// The business unit and those below it.
    pub subtree: BTreeSet<Id>,
    /// Teams, each with its business unit.
    pub teams: BTreeMap<Id, Option<Id>>,
    /// Roles, the user's own and those of the teams.
    pub roles: BTreeSet<Id>,
    /// Holds the role System Administrator: nothing is withheld.
    pub administrator: bool,
    privileges: BTreeMap<&'static str, Reach>,
    pub fields: BTreeMap<(String, String), FieldRights>,
    pub access_mode: AccessMode,
    pub disabled: bool,
    /// What the token allows of all this; `None`: all of it.
    pub scopes: Option<Scopes>,
    /// The user who acts for this one (`MSCRMCallerID`).
    pub behind: Option<Id>,
}

/// What is known of a row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowFacts {
    /// Whose it is; a user's row is the user's own.
    pub owner: Option<Ref>,
    /// The business unit of the owner, or the row's own.
    pub unit: Option<Id>,
    /// Who has which rights to it by sharing.
    pub shares: Vec<(Ref, i64)>,
}

/// The rows that somebody may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    All,
    /// Rows of these owners, of these business units, or shared with one of `owners`.
    Some {
        owners: BTreeSet<Ref>,
        units: BTreeSet<Id>,
    },
}

impl Principal {
    /// Somebody without any role.
    pub fn new(user: Id, name: impl Into<String>) -> Self {
        Self {
            user,
            name: name.into(),
            unit: None,
            subtree: BTreeSet::new(),
            teams: BTreeMap::new(),
            roles: BTreeSet::new(),
            administrator: false,
            privileges: BTreeMap::new(),
            fields: BTreeMap::new(),
            access_mode: AccessMode::ReadWrite,
            disabled: false,
            scopes: None,
            behind: None,
        }
    }

    /// Adds a privilege that a role of somebody in `unit` (the user, or a
    /// team of theirs) grants. A name that the catalogue has not is passed over.
    pub fn grant(&mut self, name: &str, depth: Depth, unit: Option<Id>, tree: &Tree) {
        let Some(known) = catalogue::named(name) else { return };
        let mut units = match (depth, unit) {
            (Depth::Local, Some(unit)) => BTreeSet::from([unit]),
            (Depth::Deep, Some(unit)) => below(tree, unit),
            _ => BTreeSet::new(),
        };
        match self.privileges.get_mut(known.name.as_str()) {
            Some(reach) => {
                reach.depth = reach.depth.max(depth);
                reach.units.append(&mut units);
            }
            None => {
                self.privileges.insert(&known.name, Reach { depth, units });
            }
        }
    }

    /// Makes them a System Administrator: every privilege, as far as it goes.
    pub fn make_administrator(&mut self) {
        self.administrator = true;
        for privilege in catalogue::all() {
            self.privileges.insert(&privilege.name, Reach { depth: privilege.deepest(), units: BTreeSet::new() });
        }
    }

    pub fn reach(&self, privilege: &str) -> Option<&Reach> {
        self.privileges.get(privilege)
    }

    /// All privileges with their reach, by name.
    pub fn privileges(&self) -> impl Iterator<Item = (&'static str, &Reach)> {
        self.privileges.iter().map(|(name, reach)| (*name, reach))
    }

    /// The user and the teams: whose rows are theirs.
    pub fn selves(&self) -> BTreeSet<Ref> {
        let teams = self.teams.keys().map(|id| Ref::new("team", *id));
        teams.chain([Ref::new("systemuser", self.user)]).collect()
    }

    fn is_self(&self, who: Ref) -> bool {
        match who.table {
            "team" => self.teams.contains_key(&who.id),
            _ => who.id == self.user,
        }
    }

    /// Whether the privilege reaches this row.
    pub fn covers(&self, reach: &Reach, row: &RowFacts, right: Right) -> bool {
        reach.depth == Depth::Global
            || row.owner.is_some_and(|owner| self.is_self(owner))
            || row.unit.is_some_and(|unit| reach.units.contains(&unit))
            || row.shares.iter().any(|(who, rights)| rights & right.bit() != 0 && self.is_self(*who))
    }

    /// What holds for every request, whatever it asks for.
    fn admitted(&self, right: Right, table: &Table) -> Result<(), Refusal> {
        if self.disabled {
            return Err(refusals::disabled(self));
        }
        if let Some(scopes) = &self.scopes {
            scopes.allow(right, table)?;
        }
        if self.access_mode == AccessMode::Read && right != Right::Read {
            return Err(refusals::access_mode(self, right, table, "Read", words!("nothing can be written")));
        }
        if self.access_mode == AccessMode::Administrative && anchor::is_customer_data(table) {
            return Err(refusals::access_mode(
                self,
                right,
                table,
                "Administrative",
                words!("customers and their emails are out of reach"),
            ));
        }
        if self.roles.is_empty() && !self.administrator {
            return Err(refusals::no_roles(self));
        }
        Ok(())
    }

    /// Whether anything of the table can be written with this token and in
    /// this access mode, whatever the privilege.
    pub fn may_write(&self, table: &Table) -> Result<(), Refusal> {
        self.admitted(Right::Write, table)
    }

    /// The privilege that decides about this right, with its reach; refused
    /// where no role grants it at any depth.
    pub fn granted(&self, right: Right, table: &'static Table) -> Result<Reach, Refusal> {
        self.admitted(right, table)?;
        if table.logical == "pr_audit" && right != Right::Read {
            return Err(refusals::append_only());
        }
        let (right, table) = anchor::subject(right, table);
        let name = privilege(right, table);
        let reach = self.reach(&name).ok_or_else(|| refusals::missing(self, &name, table, None))?;
        // An alert shows another's server conversations: the table's own
        // privilege reaches one's own alerts only.
        if table.logical == "tracelog" && right != Right::Create && !self.has(Special::ReadOthersAlerts) {
            return Ok(Reach { depth: Depth::Basic, units: BTreeSet::new() });
        }
        Ok(reach.clone())
    }

    /// The rows of the table that may be read.
    pub fn reading(&self, table: &'static Table) -> Result<Reading, Refusal> {
        let reach = self.granted(Right::Read, table)?;
        Ok(self.rows(&reach))
    }

    /// The rows that a privilege reaches.
    pub fn rows(&self, reach: &Reach) -> Reading {
        match reach.depth {
            Depth::Global => Reading::All,
            _ => Reading::Some { owners: self.selves(), units: reach.units.clone() },
        }
    }
}

/// May the principal do this to a row of `table` (for a child table: whose
/// parent) of which `row` is known?
pub fn may(principal: &Principal, right: Right, table: &'static Table, row: &RowFacts) -> Result<(), Refusal> {
    let reach = principal.granted(right, table)?;
    let (right, table) = anchor::subject(right, table);
    if principal.covers(&reach, row, right) {
        return Ok(());
    }
    Err(refusals::too_short(principal, &privilege(right, table), table, &reach, row))
}

#[cfg(test)]
mod tests;
