//! What a token leaves of its user's rights. It never adds any.

use std::collections::BTreeSet;

use model::{Refusal, Table, Words, words};

use super::Right;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scopes {
    /// Nothing can be written.
    pub read_only: bool,
    /// Logical names of the only tables that can be touched; `None`: all.
    pub tables: Option<BTreeSet<String>>,
}

impl Scopes {
    pub(super) fn allow(&self, right: Right, table: &Table) -> Result<(), Refusal> {
        if self.read_only && right != Right::Read {
            return Err(read_only(&format!("{} on {}", right.as_str(), table.logical)));
        }
        if self.tables.as_ref().is_some_and(|tables| !tables.contains(table.logical)) {
            return Err(outside(words!("{0} is not among its tables", table.logical)));
        }
        Ok(())
    }
}

pub(super) fn read_only(what: &str) -> Refusal {
    outside(words!("it can only read, and {0} writes", what))
}

pub(super) fn some_tables(what: &str) -> Refusal {
    outside(words!("it is for some tables, and {0} concerns all", what))
}

/// 0x80040220
fn outside(why: Words) -> Refusal {
    let message =
        words!("The token's scopes do not allow this request: {0}. Use a token that was made with wider scopes.", why);
    Refusal::new(0x8004_0220, "PrivilegeDenied", message)
}
