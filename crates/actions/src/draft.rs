//! What a person wants a row to be, before anything is checked.

use std::collections::BTreeMap;

use model::table::Child;
use model::{Column, Id, Refusal, Table, Value};

/// New values for a row of `table`, and rows that hang from it.
#[derive(Debug, Clone)]
pub struct Draft {
    pub table: &'static Table,
    /// The primary key, where the caller chose it.
    pub id: Option<Id>,
    pub values: BTreeMap<&'static str, Value>,
    /// Rows of collection-valued navigation properties (deep insert).
    pub children: Vec<(Child, Vec<Draft>)>,
    /// Rows that lookups are to point to, made with this one (deep insert).
    pub parents: Vec<(&'static Column, Draft)>,
    /// The bytes of an attachment.
    pub body: Option<Vec<u8>>,
    /// What was already found wrong when the request was read: reported
    /// together with what the checks find.
    pub faults: Vec<Refusal>,
}

impl Draft {
    pub fn new(table: &'static Table) -> Self {
        Self {
            table,
            id: None,
            values: BTreeMap::new(),
            children: Vec::new(),
            parents: Vec::new(),
            body: None,
            faults: Vec::new(),
        }
    }

    #[must_use]
    pub fn with<T: model::value::ColumnType>(mut self, column: model::Col<T>, value: T) -> Self {
        self.values.insert(column.name, value.into_value());
        self
    }

    /// Sets a column that has no field in the table's struct.
    #[must_use]
    pub fn set(mut self, column: &'static str, value: Value) -> Self {
        self.values.insert(column, value);
        self
    }
}

/// What must hold of the row before an update is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precondition {
    /// Updates the row, or creates it where there is none (upsert).
    Any,
    /// `If-Match: *`
    Exists,
    /// `If-Match: W/"n"`
    Version(i64),
    /// `If-None-Match: *`
    Absent,
}

/// What an update did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Saved {
    pub id: Id,
    pub created: bool,
    /// The `versionnumber` that the update gave the row, or that it has where
    /// nothing was to be changed; `None` where that was no plain update.
    pub version: Option<i64>,
}
