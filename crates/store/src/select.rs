//! A query as SQL. Identifiers come from the declarations, everything else is
//! bound.
//!
//! SQL knows a third truth value where a column is absent, a filter does not.
//! A condition that is unknown counts as false, which AND, OR and WHERE do by
//! themselves; only NOT needs help, and gets it as `IS NOT TRUE`.

use std::fmt::Write as _;
use std::sync::Arc;

use model::query::{Path, Seen};
use model::{Id, Kind, Order, Query, Record, Table, Value};

use crate::bind::Bind;
use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::select::scope::Scope;
use crate::select::sort::SortKey;
use crate::select::source::source;
use crate::select::words::{ByIndex, Narrow, Statement};
use crate::shape::{Shape, Want, companion, is_multi, lookup, want};
use crate::tx::Tx;

pub(crate) mod filter;
pub(crate) mod join;
mod pattern;
pub(crate) mod scope;
pub(crate) mod seen;
pub(crate) mod sort;
pub(crate) mod source;
pub(crate) mod words;

/// A statement that reads.
#[derive(Debug)]
pub(crate) struct Select {
    pub(crate) statement: Statement,
    /// The same by an index of words.
    pub(crate) by_index: Option<Box<ByIndex<Statement>>>,
    pub(crate) answer: Answer,
    /// The text is always the same: its plan may be kept.
    pub(crate) keep: bool,
}

#[derive(Debug)]
pub(crate) enum Answer {
    Count,
    Rows { table: &'static Table, reads: Vec<Read>, wants: Vec<Want> },
}

/// One column to read into the record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Read {
    column: &'static model::Column,
    /// The table that a lookup points to is in the SQL column after it.
    multi: bool,
}

/// The text so far and what is bound to it.
pub(crate) struct Builder {
    pub(crate) dialect: Dialect,
    pub(crate) binds: Vec<Bind>,
    aliases: usize,
    pub(crate) conditions: usize,
    pub(crate) joins: usize,
    /// What the caller may read; `None`: everything.
    seen: Option<Arc<Seen>>,
    /// How an index of words narrows the root's rows.
    narrow: Option<Narrow>,
}

impl Builder {
    pub(crate) fn new(dialect: Dialect, seen: Option<&Seen>) -> Self {
        let seen = seen.cloned().map(Arc::new);
        Self { dialect, binds: Vec::new(), aliases: 0, conditions: 0, joins: 0, seen, narrow: None }
    }

    pub(crate) fn narrowed(dialect: Dialect, seen: Option<&Seen>, narrow: Option<Narrow>) -> Self {
        Self { narrow, ..Self::new(dialect, seen) }
    }

    /// The condition on the root's rows, which an index of words may narrow.
    pub(crate) fn root(&mut self, condition: String, scope: &mut Scope) -> String {
        match self.narrow.take() {
            Some(narrow) => narrow.apply(&condition, scope, self),
            None => condition,
        }
    }

    /// Binds a value; its placeholder.
    pub(crate) fn bind(&mut self, bind: Bind) -> String {
        self.binds.push(bind);
        self.dialect.placeholder(self.binds.len())
    }

    pub(crate) fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("t{}", self.aliases)
    }
}

impl Select {
    pub(crate) fn row(table: &'static Table, id: Id) -> Result<Self, StoreError> {
        let (columns, answer) = columns(table, &[], "t")?;
        let sql = format!("SELECT {columns} FROM {} AS t WHERE t.\"{}\" = $1", source(table), table.id);
        Ok(Self { statement: Statement { sql, binds: vec![id.into()] }, by_index: None, answer, keep: true })
    }

    /// The rows that have one of these values in the column, compared exactly.
    /// Few different texts: the list is filled up to a power of two.
    pub(crate) fn listed(
        table: &'static Table,
        select: &[&'static str],
        column: &str,
        mut values: Vec<Bind>,
    ) -> Result<Self, StoreError> {
        let (columns, answer) = columns(table, select, "t")?;
        if let Some(last) = values.last().cloned() {
            values.resize(values.len().next_power_of_two(), last);
        }
        let list = Dialect::placeholders(1, values.len());
        let sql = format!("SELECT {columns} FROM {} AS t WHERE t.\"{column}\" IN ({list})", source(table));
        Ok(Self { statement: Statement { sql, binds: values }, by_index: None, answer, keep: true })
    }

    pub(crate) fn count(query: &Query, dialect: Dialect) -> Result<Self, StoreError> {
        let write = |narrow| {
            let mut builder = Builder::narrowed(dialect, query.seen.as_ref(), narrow);
            let mut scope = Scope::new(query.table, &mut builder);
            let condition = whole(query, &mut scope, &mut builder)?;
            let sql = format!("SELECT count(*) FROM {} WHERE {condition}", scope.from());
            Ok(Statement { sql, binds: builder.binds })
        };
        let by_index = ByIndex::of(query.table, &query.filter, dialect, |narrow| write(Some(narrow)))?;
        Ok(Self { statement: write(None)?, by_index, answer: Answer::Count, keep: false })
    }

    pub(crate) fn rows(query: &Query, dialect: Dialect) -> Result<Self, StoreError> {
        let write = |narrow| page(query, dialect, narrow);
        let by_index = ByIndex::of(query.table, &query.filter, dialect, |narrow| write(Some(narrow)))?;
        // The alias makes no difference to what is read.
        let (_, answer) = columns(query.table, &query.select, "t1")?;
        Ok(Self { statement: write(None)?, by_index, answer, keep: false })
    }

    /// The statement to run: SQLite is asked which way is the shortest.
    pub(crate) async fn chosen(&self, tx: &mut Tx) -> Result<&Statement, StoreError> {
        Ok(match &self.by_index {
            Some(by_index) => {
                let density = by_index.density(tx).await?;
                by_index.choose(density, matches!(self.answer, Answer::Count), &self.statement)
            }
            None => &self.statement,
        })
    }
}

fn page(query: &Query, dialect: Dialect, narrow: Option<Narrow>) -> Result<Statement, StoreError> {
    let mut builder = Builder::narrowed(dialect, query.seen.as_ref(), narrow);
    let mut scope = Scope::new(query.table, &mut builder);
    let (columns, _) = columns(query.table, &query.select, &scope.alias)?;
    let mut condition = whole(query, &mut scope, &mut builder)?;
    let keys = sort_keys(query, &mut scope, &mut builder)?;
    if let Some((values, id)) = &query.after {
        let mut values = values.clone();
        values.truncate(keys.len() - 1);
        values.resize(keys.len() - 1, Value::Null);
        values.push(Value::Id(*id));
        let after = sort::after(&keys, &values, &mut builder)?;
        condition = format!("({condition}) AND ({after})");
    }
    let order = sort::order_by(&keys);
    let mut sql = format!("SELECT {columns} FROM {} WHERE {condition} ORDER BY {order}", scope.from());
    if let Some(limit) = query.limit {
        let limit = builder.bind(Bind::Int(i64::try_from(limit).unwrap_or(i64::MAX)));
        let _ = write!(sql, " LIMIT {limit}");
    }
    Ok(Statement { sql, binds: builder.binds })
}

/// The columns to read, the primary key first.
fn columns(table: &'static Table, select: &[&'static str], alias: &str) -> Result<(String, Answer), StoreError> {
    let shape = Shape::of(table)?;
    let mut sql = format!("{alias}.\"{}\"", table.id);
    let mut wants = vec![Want::Id];
    let mut reads = Vec::new();
    let mut read = |column: &'static model::Column| {
        // A secret is never read.
        let Some(want) = want(&column.kind) else { return };
        let multi = is_multi(&column.kind);
        let _ = write!(sql, ", {alias}.\"{}\"", column.name);
        wants.push(want);
        if multi {
            let _ = write!(sql, ", {alias}.\"{}\"", companion(column.name));
            wants.push(Want::Text);
        }
        reads.push(Read { column, multi });
    };
    if select.is_empty() {
        shape.places.iter().for_each(|p| read(p.column));
    } else {
        for name in select.iter().filter(|name| **name != table.id) {
            read(shape.place(name)?.column);
        }
    }
    Ok((sql, Answer::Rows { table, reads, wants }))
}

/// A record from a row that was read.
pub(crate) fn record(table: &'static Table, reads: &[Read], row: Vec<Value>) -> Result<Record, StoreError> {
    let mut values = row.into_iter();
    let id = values.next().and_then(|v| v.as_id()).ok_or_else(|| StoreError::no_column(table, table.id))?;
    let mut record = Record::new(table, id);
    for read in reads {
        let value = values.next().unwrap_or(Value::Null);
        let target = if read.multi { values.next() } else { None };
        let value = match (read.column.kind, value) {
            (Kind::Lookup(targets), Value::Id(id)) => lookup(targets, id, target.as_ref().and_then(Value::as_text))
                .ok_or(model::record::WrongType { table: table.logical, column: read.column.name })?,
            (_, value) => value,
        };
        record.set(read.column.name, value);
    }
    Ok(record)
}

/// The query's filter, and that of what the caller may read.
fn whole(query: &Query, scope: &mut Scope, builder: &mut Builder) -> Result<String, StoreError> {
    let condition = filter::condition(&query.filter, scope, builder)?;
    let condition = match seen::condition(query.table, &scope.alias, builder)? {
        Some(seen) => format!("({condition}) AND {seen}"),
        None => condition,
    };
    Ok(builder.root(condition, scope))
}

fn sort_keys(query: &Query, scope: &mut Scope, builder: &mut Builder) -> Result<Vec<SortKey>, StoreError> {
    let mut keys = Vec::new();
    let id = Order { column: Path::from(query.table.id), descending: false };
    for order in query.order.iter().chain([&id]) {
        let term = scope.term(&order.column, builder)?;
        // The id behind a lookup may be absent, and the same for many rows.
        let is_id = order.column.lookups.is_empty() && term.is_id();
        keys.push(SortKey::new(term, order.descending, is_id, builder.dialect));
        if is_id {
            // Nothing after it can matter.
            break;
        }
    }
    Ok(keys)
}
