//! What privileges there are, for whoever describes them.

use model::{Id, Table};
use rules::access::{Depth, catalogue};

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
