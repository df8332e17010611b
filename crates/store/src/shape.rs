//! How a declared table stands in the database: one SQL column per declared
//! column, two for a lookup with several targets, none for a secret.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use model::table::Default as ColumnDefault;
use model::{Column, Id, Kind, Ref, Table, Value, tables};

use crate::error::StoreError;

/// What to read a SQL column as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Want {
    Bool,
    Int,
    Text,
    Id,
    Time,
    Bytes,
}

/// A column with its place in the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) column: &'static Column,
    /// Index among all columns of the table.
    pub(crate) index: usize,
    /// 1, 2, 3 for the e-mail columns of a table whose addresses are searched.
    pub(crate) email: Option<i64>,
}

pub(crate) struct Shape {
    pub(crate) table: &'static Table,
    pub(crate) places: Vec<Place>,
    by_name: HashMap<&'static str, usize>,
    /// Flag column → it belongs to a secret and is the store's to set.
    pub(crate) flags: BTreeMap<&'static str, &'static Column>,
}

/// Tables whose rows are found by their e-mail addresses.
const SEARCHED: &[&str] = &["account", "contact", "lead", "systemuser", "queue", "team", "mailbox"];

static SHAPES: LazyLock<HashMap<&'static str, Shape>> =
    LazyLock::new(|| tables::ALL.iter().chain([&tables::ACTIVITY]).map(|t| (t.logical, Shape::new(t))).collect());

impl Shape {
    pub(crate) fn of(table: &'static Table) -> Result<&'static Self, StoreError> {
        SHAPES.get(table.logical).ok_or_else(|| StoreError::no_column(table, table.id))
    }

    fn new(table: &'static Table) -> Self {
        let searched = SEARCHED.contains(&table.logical);
        let mut emails = 0;
        let places: Vec<Place> = table
            .all_columns()
            .enumerate()
            .map(|(index, column)| {
                let email = (searched && matches!(column.kind, Kind::Email { .. })).then(|| {
                    emails += 1;
                    emails
                });
                Place { column, index, email }
            })
            .collect();
        let by_name = places.iter().map(|p| (p.column.name, p.index)).collect();
        let flags = places
            .iter()
            .filter_map(|p| match p.column.kind {
                Kind::Secret { flag, .. } => Some((flag, p.column)),
                _ => None,
            })
            .collect();
        Self { table, places, by_name, flags }
    }

    pub(crate) fn place(&self, name: &str) -> Result<&Place, StoreError> {
        self.by_name
            .get(name)
            .and_then(|&index| self.places.get(index))
            .ok_or_else(|| StoreError::no_column(self.table, name))
    }
}

/// The companion of a lookup with several targets, which names the table.
pub(crate) fn companion(name: &str) -> String {
    format!("{name}__table")
}

/// Whether the lookup needs a second SQL column.
pub(crate) fn is_multi(kind: &Kind) -> bool {
    matches!(kind, Kind::Lookup(targets) if targets.len() > 1)
}

pub(crate) fn want(kind: &Kind) -> Option<Want> {
    Some(match kind {
        Kind::Bool => Want::Bool,
        Kind::Int { .. } | Kind::BigInt | Kind::Choice(_) => Want::Int,
        Kind::Text { .. } | Kind::Email { .. } | Kind::Memo => Want::Text,
        Kind::Time => Want::Time,
        Kind::Lookup(_) | Kind::Id => Want::Id,
        Kind::Bytes => Want::Bytes,
        Kind::Secret { .. } => return None,
    })
}

/// Whether a value may stand in a column of this kind.
pub(crate) fn fits(kind: &Kind, value: &Value) -> bool {
    match (kind, value) {
        (_, Value::Null) => true,
        (Kind::Bool, Value::Bool(_))
        | (Kind::Int { .. } | Kind::BigInt | Kind::Choice(_), Value::Int(_))
        | (Kind::Text { .. } | Kind::Email { .. } | Kind::Memo, Value::Text(_))
        | (Kind::Time, Value::Time(_))
        | (Kind::Id, Value::Id(_))
        | (Kind::Bytes, Value::Bytes(_))
        | (Kind::Secret { .. }, Value::Secret(_)) => true,
        (Kind::Lookup(targets), Value::Ref(r)) => targets.contains(&r.table),
        // An id alone is enough where there is only one table it can mean.
        (Kind::Lookup(targets), Value::Id(_)) => targets.len() == 1,
        _ => false,
    }
}

/// A lookup's value from its SQL columns.
pub(crate) fn lookup(targets: &'static [&'static str], id: Id, table: Option<&str>) -> Option<Value> {
    let table = match table {
        None => targets.first().copied(),
        Some(name) => targets.iter().copied().find(|t| *t == name),
    }?;
    Some(Value::Ref(Ref::new(table, id)))
}

/// Text that names something of a protocol is compared as it is: IMAP's
/// folders, POP3's unique ids and Message-IDs tell `a` from `A`. So is all
/// text of the tables that only the program itself asks.
pub(crate) fn is_exact(table: &Table, column: &str) -> bool {
    const EXACT: &[(&str, &[&str])] = &[
        ("email", &["messageid", "inreplyto", "trackingtoken", "conversationindex"]),
        ("pr_ledgerentry", &["pr_folder", "pr_position", "pr_fingerprint", "pr_messageid"]),
    ];
    !table.on_wire || EXACT.iter().any(|(t, columns)| *t == table.logical && columns.contains(&column))
}

/// Whether leaving the column out of an INSERT stores NULL.
pub(crate) fn defaults_to_null(column: &Column) -> bool {
    column.default == ColumnDefault::Null
}
