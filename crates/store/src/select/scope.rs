//! The tables that a query looks at: its own, and those that its paths reach.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use model::query::Path;
use model::{Column, Kind, Table, Value, tables};

use crate::bind::Bind;
use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::select::source::source;
use crate::select::{Builder, seen};
use crate::shape::{Shape, fits, is_exact, is_multi};

/// Tables that the lookups of a query reach: SQLite joins no more than 64.
const MOST_JOINS: usize = 50;

/// One SELECT's FROM: the table and what is joined to it.
pub(crate) struct Scope {
    pub(crate) table: &'static Table,
    pub(crate) alias: String,
    pub(crate) joins: String,
    /// What SQLite is told about the table itself.
    pub(crate) hint: &'static str,
    /// The tables that are joined under a name of the caller's, and their aliases.
    pub(crate) named: BTreeMap<String, (&'static Table, String)>,
    /// Alias of what a lookup of an alias reaches, by target table.
    reached: BTreeMap<(String, &'static str, &'static str), String>,
}

/// A column in SQL, with what it holds.
#[derive(Clone)]
pub(crate) struct Term {
    pub(crate) sql: String,
    pub(crate) table: &'static Table,
    /// `None`: the primary key.
    pub(crate) column: Option<&'static Column>,
}

impl Scope {
    pub(crate) fn new(table: &'static Table, builder: &mut Builder) -> Self {
        let alias = builder.alias();
        Self::at(table, &alias)
    }

    /// On a row that stands in somebody else's FROM.
    pub(crate) fn at(table: &'static Table, alias: &str) -> Self {
        let alias = alias.to_owned();
        Self { table, alias, joins: String::new(), hint: "", named: BTreeMap::new(), reached: BTreeMap::new() }
    }

    pub(crate) fn joins_anything(&self) -> bool {
        !self.joins.is_empty()
    }

    /// The column of a row that is joined under a name; empty: the root.
    pub(crate) fn named_term(&self, name: &str, column_name: &str) -> Result<Term, StoreError> {
        let (table, alias) = self.source(name)?;
        column(table, &alias, column_name).ok_or_else(|| StoreError::no_column(table, column_name))
    }

    pub(crate) fn source(&self, name: &str) -> Result<(&'static Table, String), StoreError> {
        match self.named.get(name) {
            Some((table, alias)) => Ok((table, alias.clone())),
            None if name.is_empty() => Ok((self.table, self.alias.clone())),
            None => Err(StoreError::no_column(self.table, name)),
        }
    }

    pub(crate) fn from(&self) -> String {
        format!("{} AS {}{}{}", source(self.table), self.alias, self.hint, self.joins)
    }

    /// The column at the end of a path. A lookup with several targets is
    /// followed to all those that have what comes next.
    pub(crate) fn term(&mut self, path: &Path, builder: &mut Builder) -> Result<Term, StoreError> {
        let mut places = vec![(self.table, self.alias.clone())];
        for name in &path.lookups {
            let mut next = Vec::new();
            for (table, alias) in &places {
                if let Some(column) = table.column(name) {
                    self.follow(alias, column, builder, &mut next)?;
                }
            }
            if next.is_empty() {
                return Err(StoreError::no_column(self.table, name));
            }
            places = next;
        }
        let terms: Vec<Term> = places.iter().filter_map(|(table, alias)| column(table, alias, path.column)).collect();
        let sql = terms.iter().map(|t| t.sql.as_str()).collect::<Vec<_>>().join(", ");
        match terms.into_iter().next() {
            None => Err(StoreError::no_column(self.table, path.column)),
            Some(only) if !sql.contains(", ") => Ok(only),
            Some(first) => Ok(Term { sql: format!("COALESCE({sql})"), ..first }),
        }
    }

    fn follow(
        &mut self,
        alias: &str,
        column: &'static Column,
        builder: &mut Builder,
        next: &mut Vec<(&'static Table, String)>,
    ) -> Result<(), StoreError> {
        let Kind::Lookup(targets) = column.kind else { return Ok(()) };
        for table in targets.iter().filter_map(|t| tables::by_logical_name(t)) {
            let key = (alias.to_owned(), column.name, table.logical);
            if let Some(joined) = self.reached.get(&key) {
                next.push((table, joined.clone()));
                continue;
            }
            builder.joins += 1;
            if builder.joins > MOST_JOINS {
                let message = format!("The query follows lookups to more than {MOST_JOINS} tables. Follow fewer.");
                return Err(StoreError::TooComplex(message));
            }
            let fresh = builder.alias();
            let _ = write!(
                self.joins,
                " LEFT JOIN {} AS {fresh} ON {fresh}.\"{}\" = {alias}.\"{}\"",
                source(table),
                table.id,
                column.name
            );
            if let Some(seen) = seen::condition(table, &fresh, builder)? {
                let _ = write!(self.joins, " AND {seen}");
            }
            self.reached.insert(key, fresh.clone());
            next.push((table, fresh));
        }
        Ok(())
    }
}

pub(crate) fn column(table: &'static Table, alias: &str, name: &str) -> Option<Term> {
    if name == table.id {
        return Some(Term { sql: format!("{alias}.\"{}\"", table.id), table, column: None });
    }
    let column = table.column(name)?;
    if matches!(column.kind, Kind::Secret { .. }) {
        return None;
    }
    Some(Term { sql: format!("{alias}.\"{}\"", column.name), table, column: Some(column) })
}

impl Term {
    pub(crate) fn is_id(&self) -> bool {
        self.column.is_none()
    }

    pub(crate) fn is_text(&self) -> bool {
        self.column.is_some_and(|c| matches!(c.kind, Kind::Text { .. } | Kind::Email { .. } | Kind::Memo))
    }

    /// Text that compares without regard to case.
    pub(crate) fn is_folded(&self) -> bool {
        self.is_text() && self.column.is_some_and(|c| !is_exact(self.table, c.name))
    }

    /// The column as it is compared and sorted.
    pub(crate) fn comparable(&self, dialect: Dialect) -> String {
        if self.is_folded() { dialect.fold(&self.sql) } else { self.sql.clone() }
    }

    /// A placeholder as it is compared with the column.
    pub(crate) fn given(&self, placeholder: &str, dialect: Dialect) -> String {
        if self.is_folded() { dialect.fold(placeholder) } else { placeholder.to_owned() }
    }

    /// The value as it is stored in the column, if it fits.
    pub(crate) fn bind(&self, value: &Value) -> Result<Bind, StoreError> {
        let no_fit = |column| StoreError::NoFit { table: self.table.logical, column };
        let Some(column) = self.column else {
            return match value {
                Value::Null => Ok(Bind::Null),
                other => other.as_id().map(Bind::Id).ok_or_else(|| no_fit(self.table.id)),
            };
        };
        // An id alone will do for any lookup: ids are unique.
        let id_of_many = is_multi(&column.kind) && matches!(value, Value::Id(_));
        let id_of_lookup = matches!(column.kind, Kind::Id) && matches!(value, Value::Ref(_));
        if !id_of_many && !id_of_lookup && !fits(&column.kind, value) {
            return Err(no_fit(column.name));
        }
        Bind::from_value(value.clone()).ok_or_else(|| no_fit(column.name))
    }

    /// Whether both can be compared with each other.
    pub(crate) fn matches(&self, other: &Self) -> bool {
        let want = |t: &Self| t.column.map_or(Some(crate::shape::Want::Id), |c| crate::shape::want(&c.kind));
        want(self) == want(other)
    }
}

/// The shape of a table that a filter names, and its lookup.
pub(crate) fn pointing_column(table: &'static Table, name: &str) -> Result<&'static Column, StoreError> {
    let column = Shape::of(table)?.place(name)?.column;
    if matches!(column.kind, Kind::Lookup(_)) { Ok(column) } else { Err(StoreError::no_column(table, name)) }
}
