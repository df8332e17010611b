//! A column's value, whatever the table.

use std::fmt;

use jiff::Timestamp;

use crate::id::Id;
use crate::secret::Secret;

/// A reference to a row: the target table's logical name and the row's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ref {
    pub table: &'static str,
    pub id: Id,
}

impl Ref {
    pub const fn new(table: &'static str, id: Id) -> Self {
        Self { table, id }
    }
}

impl fmt::Display for Ref {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.table, self.id)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    /// Whole numbers, and choices (option sets).
    Int(i64),
    Text(String),
    Id(Id),
    Ref(Ref),
    Time(Timestamp),
    Bytes(Vec<u8>),
    /// Only ever on its way in: the store seals it and never returns it here.
    Secret(Secret),
}

impl Value {
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub fn as_int(&self) -> Option<i64> {
        if let Self::Int(n) = self { Some(*n) } else { None }
    }

    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(b) = self { Some(*b) } else { None }
    }

    pub fn as_time(&self) -> Option<Timestamp> {
        if let Self::Time(t) = self { Some(*t) } else { None }
    }

    pub fn as_ref_to(&self) -> Option<Ref> {
        if let Self::Ref(r) = self { Some(*r) } else { None }
    }

    /// The id in an `Id` or a `Ref`.
    pub fn as_id(&self) -> Option<Id> {
        match self {
            Self::Id(id) => Some(*id),
            Self::Ref(r) => Some(r.id),
            _ => None,
        }
    }
}

/// A Rust type that a column can hold.
pub trait ColumnType: Sized {
    fn into_value(self) -> Value;
    /// `None` when the value is of another type: a fault in the program, or a
    /// database that somebody else wrote to.
    fn from_value(value: &Value) -> Option<Self>;
}

impl ColumnType for bool {
    fn into_value(self) -> Value {
        Value::Bool(self)
    }
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(b) => Some(*b),
            Value::Int(n) => Some(*n != 0),
            Value::Null => Some(false),
            _ => None,
        }
    }
}

impl ColumnType for i64 {
    fn into_value(self) -> Value {
        Value::Int(self)
    }
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Int(n) => Some(*n),
            Value::Null => Some(0),
            _ => None,
        }
    }
}

impl ColumnType for String {
    fn into_value(self) -> Value {
        Value::Text(self)
    }
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.clone()),
            Value::Null => Some(Self::new()),
            _ => None,
        }
    }
}

impl ColumnType for Id {
    fn into_value(self) -> Value {
        Value::Id(self)
    }
    fn from_value(value: &Value) -> Option<Self> {
        value.as_id()
    }
}

impl ColumnType for Ref {
    fn into_value(self) -> Value {
        Value::Ref(self)
    }
    fn from_value(value: &Value) -> Option<Self> {
        value.as_ref_to()
    }
}

impl ColumnType for Timestamp {
    fn into_value(self) -> Value {
        Value::Time(self)
    }
    fn from_value(value: &Value) -> Option<Self> {
        value.as_time()
    }
}

impl ColumnType for Vec<u8> {
    fn into_value(self) -> Value {
        Value::Bytes(self)
    }
    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Bytes(bytes) = value { Some(bytes.clone()) } else { None }
    }
}

impl<T: ColumnType> ColumnType for Option<T> {
    fn into_value(self) -> Value {
        self.map_or(Value::Null, T::into_value)
    }
    fn from_value(value: &Value) -> Option<Self> {
        if value.is_null() { Some(None) } else { T::from_value(value).map(Some) }
    }
}
