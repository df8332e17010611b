//! A question to the store, as data. The API's `$filter`, the views and the
//! program's own look-ups all become this tree; the store turns it into SQL.

use std::collections::BTreeMap;

use crate::fetch::Link;
use crate::id::Id;
use crate::record::Entity;
use crate::table::{Col, Table};
use crate::value::{ColumnType, Value};

#[derive(Debug, Clone)]
pub struct Query {
    pub table: &'static Table,
    /// Columns to read; empty: all. The primary key always comes.
    pub select: Vec<&'static str>,
    pub filter: Filter,
    /// The primary key is added as the last criterion, so the order is total.
    pub order: Vec<Order>,
    pub limit: Option<usize>,
    /// Keyset paging: rows after the one with these order values and this id.
    pub after: Option<(Vec<Value>, Id)>,
    /// What the caller may read of each table; `None`: the program itself asks.
    pub seen: Option<Seen>,
}

/// The rows of each table, by logical name, that a caller may read. It holds
/// for every table that a question reaches: by lookups, lambdas, joins. Rows
/// that do not pass are absent, and of a table that is not listed all are.
pub type Seen = BTreeMap<&'static str, Filter>;

#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    pub column: Path,
    pub descending: bool,
}

/// A column, possibly of the row that a lookup points to:
/// `["emailserverprofile"] / "name"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    pub lookups: Vec<&'static str>,
    pub column: &'static str,
}

impl From<&'static str> for Path {
    fn from(column: &'static str) -> Self {
        Self { lookups: Vec::new(), column }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextMatch {
    Contains,
    StartsWith,
    EndsWith,
    /// With `%` for any text, `_` for any character and `[a-c]` for one of some.
    Like,
    /// Each word of the text begins a word that stands there, in any order;
    /// signs are no part of words. Of the primary key: in one of the texts
    /// that the table declares as searched ([`Table::words`]).
    Words,
}

/// Text compares without regard to case. A comparison with an absent value is
/// false, except `NotEqual`, which is true (as Dataverse has it).
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// Everything.
    All,
    Compare(Path, Compare, Value),
    Columns(Path, Compare, Path),
    IsNull(Path),
    In(Path, Vec<Value>),
    Text(Path, TextMatch, String),
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    /// Some row of `table` whose lookup `column` points here satisfies `filter`.
    Any {
        table: &'static Table,
        column: &'static str,
        filter: Box<Filter>,
    },
    /// The row joined under this name (empty: the root) satisfies the filter.
    Of(String, Box<Filter>),
    /// Columns of rows that are joined under these names.
    Across {
        left: (String, &'static str),
        compare: Compare,
        right: (String, &'static str),
    },
    /// Some row can be linked that satisfies its source's filter.
    Linked(Box<Link>),
    /// The path's value is the `column` (the primary key, too) of some row of
    /// `table` that satisfies `filter`.
    Within {
        path: Path,
        table: &'static Table,
        column: &'static str,
        filter: Box<Filter>,
    },
    /// The whole number has all these bits.
    Bits(Path, i64),
}

impl Query {
    pub fn of<E: Entity>() -> Self {
        Self::table(E::TABLE)
    }

    pub fn table(table: &'static Table) -> Self {
        Self { table, select: Vec::new(), filter: Filter::All, order: Vec::new(), limit: None, after: None, seen: None }
    }

    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = match self.filter {
            Filter::All => filter,
            already => already.and(filter),
        };
        self
    }

    #[must_use]
    pub fn order_by<T>(mut self, column: Col<T>, descending: bool) -> Self {
        self.order.push(Order { column: column.name.into(), descending });
        self
    }

    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }
}

impl Filter {
    pub fn eq<T: ColumnType>(column: Col<T>, value: T) -> Self {
        Self::Compare(column.name.into(), Compare::Equal, value.into_value())
    }
    pub fn ne<T: ColumnType>(column: Col<T>, value: T) -> Self {
        Self::Compare(column.name.into(), Compare::NotEqual, value.into_value())
    }
    pub fn is_in<T: ColumnType>(column: Col<T>, values: impl IntoIterator<Item = T>) -> Self {
        Self::In(column.name.into(), values.into_iter().map(T::into_value).collect())
    }
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match self {
            Self::And(mut all) => {
                all.push(other);
                Self::And(all)
            }
            one => Self::And(vec![one, other]),
        }
    }
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match self {
            Self::Or(mut any) => {
                any.push(other);
                Self::Or(any)
            }
            one => Self::Or(vec![one, other]),
        }
    }
}
