//! A row of any table.

use std::collections::BTreeMap;

use crate::id::Id;
use crate::table::{Col, Table};
use crate::value::{ColumnType, Ref, Value};

/// A row: some or all columns of one table. A column that is absent was not
/// read, or is not to be written; `Null` is a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    pub table: &'static Table,
    pub id: Id,
    pub values: BTreeMap<&'static str, Value>,
}

/// The database holds something that the program does not expect there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {table}.{column} holds a value of another type; run `postroom doctor`")]
pub struct WrongType {
    pub table: &'static str,
    pub column: &'static str,
}

impl Record {
    pub fn new(table: &'static Table, id: Id) -> Self {
        Self { table, id, values: BTreeMap::new() }
    }

    /// A new row with every column's default.
    pub fn with_defaults(table: &'static Table, id: Id) -> Self {
        let mut record = Self::new(table, id);
        for column in table.columns {
            record.set(column.name, column.default_value());
        }
        record
    }

    pub fn reference(&self) -> Ref {
        Ref::new(self.table.logical, self.id)
    }

    pub fn get(&self, column: &str) -> &Value {
        self.values.get(column).unwrap_or(&Value::Null)
    }

    pub fn set(&mut self, column: &'static str, value: Value) {
        self.values.insert(column, value);
    }

    pub fn put<T: ColumnType>(&mut self, column: Col<T>, value: T) {
        self.values.insert(column.name, value.into_value());
    }

    pub fn typed<T: ColumnType>(&self, column: Col<T>) -> Result<T, WrongType> {
        T::from_value(self.get(column.name)).ok_or(WrongType { table: self.table.logical, column: column.name })
    }
}

/// A table's struct.
pub trait Entity: Sized {
    const TABLE: &'static Table;
    /// A row in which every column holds its default.
    fn blank(id: Id) -> Self;
    fn id(&self) -> Id;
    fn from_record(record: &Record) -> Result<Self, WrongType>;
    fn into_record(self) -> Record;

    fn reference(&self) -> Ref {
        Ref::new(Self::TABLE.logical, self.id())
    }
}
