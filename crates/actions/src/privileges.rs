//! What privileges there are, for whoever describes them.

use model::{Id, Table};
use rules::access::{Depth, Special, catalogue};

/// A privilege of a table, with the depths that it can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TablePrivilege {
    pub name: &'static str,
    /// `AppendTo`
    pub right: &'static str,
    /// That of its row in `privileges`.
    pub id: Id,
    pub basic: bool,
    pub local: bool,
    pub deep: bool,
    pub global: bool,
}

pub fn table_privileges(table: &Table) -> Vec<TablePrivilege> {
    let of = |p: &'static catalogue::Privilege| {
        let right = p.right.filter(|_| p.table.is_some_and(|t| t == table))?;
        Some(TablePrivilege {
            name: &p.name,
            right: right.as_str(),
            id: p.id(),
            basic: p.depths.contains(&Depth::Basic),
            local: p.depths.contains(&Depth::Local),
            deep: p.depths.contains(&Depth::Deep),
            global: p.depths.contains(&Depth::Global),
        })
    };
    catalogue::all().iter().filter_map(of).collect()
}

/// A privilege that concerns no table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpecialPrivilege {
    /// That of its row in `privileges`.
    pub id: Id,
    pub name: &'static str,
    /// For people.
    pub label: &'static str,
    pub depths: &'static [Depth],
}

pub fn special_privileges() -> Vec<SpecialPrivilege> {
    let of = |special: Special| {
        let known = catalogue::named(special.name())?;
        Some(SpecialPrivilege {
            id: known.id(),
            name: special.name(),
            label: special.label(),
            depths: special.depths(),
        })
    };
    Special::ALL.into_iter().filter_map(of).collect()
}

/// The tables that have privileges of their own, in the order in which they
/// are declared.
pub fn secured_tables() -> impl Iterator<Item = &'static Table> {
    model::tables::on_wire().filter(|table| catalogue::has_own(table))
}
