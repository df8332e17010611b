//! Values on their way into a statement, for both drivers.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::{BufMut, BytesMut};
use model::{Id, Value};
use rusqlite::types::{ToSqlOutput, ValueRef};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

/// The last moment that can be read back: a fraction of the very last second
/// could not.
const LATEST: i64 = 253_402_207_200_000_000;

/// A bound value. Times are whole microseconds since 1970 in both databases.
#[derive(Debug, Clone)]
pub(crate) enum Bind {
    Null,
    Bool(bool),
    Int(i64),
    Text(String),
    Id(Id),
    Bytes(Vec<u8>),
    /// So many after the first version number that the transaction reserved.
    Version(Arc<AtomicI64>, i64),
}

impl Bind {
    /// Text as it is stored: empty text is absent (as in Dataverse), and the
    /// NUL character, which PostgreSQL cannot store, becomes U+FFFD.
    pub(crate) fn text(text: String) -> Self {
        if text.is_empty() {
            Self::Null
        } else if text.contains('\0') {
            Self::Text(text.replace('\0', "\u{FFFD}"))
        } else {
            Self::Text(text)
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// A value as it is stored. A secret has no place here.
    pub(crate) fn from_value(value: Value) -> Option<Self> {
        Some(match value {
            Value::Null => Self::Null,
            Value::Bool(b) => Self::Bool(b),
            Value::Int(n) => Self::Int(n),
            Value::Text(text) => Self::text(text),
            Value::Id(id) => Self::Id(id),
            Value::Ref(r) => Self::Id(r.id),
            Value::Time(t) => t.into(),
            Value::Bytes(bytes) => Self::Bytes(bytes),
            Value::Secret(_) => return None,
        })
    }
}

impl From<i64> for Bind {
    fn from(n: i64) -> Self {
        Self::Int(n)
    }
}
impl From<Id> for Bind {
    fn from(id: Id) -> Self {
        Self::Id(id)
    }
}
impl From<&str> for Bind {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<String> for Bind {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
impl From<model::Timestamp> for Bind {
    fn from(at: model::Timestamp) -> Self {
        Self::Int(at.as_microsecond().min(LATEST))
    }
}
impl From<Vec<u8>> for Bind {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl rusqlite::ToSql for Bind {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Bool(b) => ValueRef::Integer(i64::from(*b)),
            Self::Int(n) => ValueRef::Integer(*n),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Id(id) => ValueRef::Blob(id.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
            Self::Version(first, n) => ValueRef::Integer(first.load(Ordering::Relaxed) + n),
        }))
    }
}

impl ToSql for Bind {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match (self, ty) {
            (Self::Null, _) => return Ok(IsNull::Yes),
            (Self::Bool(b), &Type::BOOL) => out.put_u8(u8::from(*b)),
            (Self::Int(n), &Type::INT8) => out.put_i64(*n),
            (Self::Int(n), &Type::INT4) => out.put_i32(i32::try_from(*n)?),
            (Self::Text(text), &Type::TEXT | &Type::VARCHAR | &Type::NAME) => out.put_slice(text.as_bytes()),
            (Self::Id(id), &Type::UUID) => out.put_slice(id.as_bytes()),
            (Self::Bytes(bytes), &Type::BYTEA) => out.put_slice(bytes),
            (Self::Version(first, n), &Type::INT8) => out.put_i64(first.load(Ordering::Relaxed) + n),
            _ => return Err(format!("a value of another type than {ty}").into()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl Bind {
    /// Whether both mean the same stored value.
    pub(crate) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Id(a), Self::Id(b)) => a == b,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            _ => false,
        }
    }
}
