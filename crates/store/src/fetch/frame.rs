//! What every statement of a fetch has in common: the tables it joins and the
//! condition on their rows.

use model::fetch::{Pick, Source};
use model::{Column, Fetch, Kind, Value};

use crate::error::StoreError;
use crate::select::scope::{Scope, Term};
use crate::select::{Builder, filter, join, seen};
use crate::shape::{Want, companion, is_multi, lookup, want};

pub(super) struct Frame {
    pub scope: Scope,
    condition: String,
}

/// A value of the answer, and how to read it from the columns of a row.
pub(super) enum Out {
    /// As it comes.
    Plain,
    /// The reference of a lookup, whose table is in the next column where it
    /// has several.
    Reference(&'static Column),
}

impl Frame {
    pub fn new(fetch: &Fetch, builder: &mut Builder) -> Result<Self, StoreError> {
        let mut scope = Scope::new(fetch.root.table, builder);
        let alias = scope.alias.clone();
        join::links(&fetch.root, &alias, &mut scope, builder)?;
        let mut condition = filter::condition(&fetch.root.filter, &mut scope, builder)?;
        if let Some(seen) = seen::condition(fetch.root.table, &alias, builder)? {
            condition = format!("({condition}) AND {seen}");
        }
        let condition = builder.root(condition, &mut scope);
        Ok(Self { scope, condition })
    }

    pub fn restrict(&mut self, condition: &str) {
        self.condition = format!("({}) AND ({condition})", self.condition);
    }

    pub fn term(&self, source: &Source, column: &str) -> Result<Term, StoreError> {
        self.scope.named_term(&source.alias, column)
    }

    /// `FROM` and what follows, without the word.
    pub fn tables_and_condition(&self) -> String {
        format!("{} WHERE {}", self.scope.from(), self.condition)
    }
}

/// The SQL columns that a pick is read from.
pub(super) fn read(pick: &Pick, term: &Term) -> Result<(Vec<String>, Vec<Want>, Out), StoreError> {
    let Some(column) = term.column else { return Ok((vec![term.sql.clone()], vec![Want::Id], Out::Plain)) };
    let want = want(&column.kind).ok_or_else(|| StoreError::no_column(term.table, pick.column))?;
    let Kind::Lookup(_) = column.kind else { return Ok((vec![term.sql.clone()], vec![want], Out::Plain)) };
    let mut sql = vec![term.sql.clone()];
    let mut wants = vec![want];
    if is_multi(&column.kind) {
        let alias = term.sql.split('.').next().unwrap_or_default();
        sql.push(format!("{alias}.\"{}\"", companion(column.name)));
        wants.push(Want::Text);
    }
    Ok((sql, wants, Out::Reference(column)))
}

/// The values of a row that was read.
pub(super) fn values(outs: &[Out], row: Vec<Value>) -> Result<Vec<Value>, StoreError> {
    let mut columns = row.into_iter();
    let mut values = Vec::with_capacity(outs.len());
    for out in outs {
        let value = columns.next().unwrap_or(Value::Null);
        values.push(match out {
            Out::Plain => value,
            Out::Reference(column) => reference(column, value, &mut columns)?,
        });
    }
    Ok(values)
}

fn reference(
    column: &'static Column,
    value: Value,
    columns: &mut impl Iterator<Item = Value>,
) -> Result<Value, StoreError> {
    let Kind::Lookup(targets) = column.kind else { return Ok(value) };
    let target = if targets.len() > 1 { columns.next() } else { None };
    match value {
        Value::Id(id) => lookup(targets, id, target.as_ref().and_then(Value::as_text))
            .ok_or_else(|| model::record::WrongType { table: "lookup", column: column.name }.into()),
        other => Ok(other),
    }
}
