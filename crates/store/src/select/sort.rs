//! The order of rows, and where in it a page begins.

use std::fmt::Write as _;

use model::Value;

use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::select::Builder;
use crate::select::scope::Term;

/// What rows are sorted by.
pub(crate) struct SortKey {
    pub(crate) sql: String,
    pub(crate) term: Term,
    pub(crate) descending: bool,
    /// Never absent.
    pub(crate) is_id: bool,
}

impl SortKey {
    pub(crate) fn new(term: Term, descending: bool, is_id: bool, dialect: Dialect) -> Self {
        Self { sql: term.comparable(dialect), term, descending, is_id }
    }
}

/// SQLite's own order, said aloud for PostgreSQL.
pub(crate) fn direction(descending: bool, is_id: bool) -> &'static str {
    match (descending, is_id) {
        (false, true) => "ASC",
        (true, true) => "DESC",
        (false, false) => "ASC NULLS FIRST",
        (true, false) => "DESC NULLS LAST",
    }
}

pub(crate) fn order_by(keys: &[SortKey]) -> String {
    let mut sql = String::new();
    for (n, key) in keys.iter().enumerate() {
        let comma = if n > 0 { ", " } else { "" };
        let _ = write!(sql, "{comma}{} {}", key.sql, direction(key.descending, key.is_id));
    }
    sql
}

/// Rows after the one with these values: further in the first key, or equal
/// in it and further in the second, and so on.
pub(crate) fn after(keys: &[SortKey], values: &[Value], builder: &mut Builder) -> Result<String, StoreError> {
    let mut sql = String::from("1 = 0");
    for (n, key) in keys.iter().enumerate() {
        let mut all = String::new();
        for (earlier, value) in keys.iter().zip(values).take(n) {
            let bind = earlier.term.bind(value)?;
            let same = if bind.is_null() {
                format!("{} IS NULL", earlier.sql)
            } else {
                let placeholder = builder.bind(bind);
                format!("{} = {}", earlier.sql, earlier.term.given(&placeholder, builder.dialect))
            };
            let _ = write!(all, "{same} AND ");
        }
        let bind = key.term.bind(values.get(n).unwrap_or(&Value::Null))?;
        let further = match (bind.is_null(), key.descending) {
            (true, false) => format!("{} IS NOT NULL", key.sql),
            (true, true) => "1 = 0".to_owned(),
            (false, descending) => {
                let placeholder = builder.bind(bind);
                let given = key.term.given(&placeholder, builder.dialect);
                if descending {
                    format!("({0} < {given} OR {0} IS NULL)", key.sql)
                } else {
                    format!("{} > {given}", key.sql)
                }
            }
        };
        let _ = write!(sql, " OR ({all}{further})");
    }
    Ok(sql)
}
