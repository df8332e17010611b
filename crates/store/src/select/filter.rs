//! A filter as a condition.

use model::query::{Compare, Path, TextMatch};
use model::{Filter, Kind, Table, Value};

use crate::bind::Bind;
use crate::error::StoreError;
use crate::select::Builder;
use crate::select::scope::{Scope, Term, pointing_column};
use crate::select::{join, pattern, seen, words};
use crate::shape::{companion, is_multi};

pub(crate) const TRUE: &str = "1 = 1";
pub(crate) const FALSE: &str = "1 = 0";

/// Conditions of a query: SQLite takes no expression deeper than a thousand,
/// and a chain of OR is as deep as it is long.
const MOST_CONDITIONS: usize = 500;
/// Values of a query: SQLite takes no more than 32,766.
const MOST_VALUES: usize = 30_000;

pub(crate) fn condition(filter: &Filter, scope: &mut Scope, builder: &mut Builder) -> Result<String, StoreError> {
    if !matches!(filter, Filter::All | Filter::And(_) | Filter::Or(_) | Filter::Not(_)) {
        builder.conditions += 1;
    }
    if builder.conditions > MOST_CONDITIONS {
        let message = format!("The filter has more than {MOST_CONDITIONS} conditions. Ask with fewer, or with In.");
        return Err(StoreError::TooComplex(message));
    }
    if builder.binds.len() > MOST_VALUES {
        let message = format!("The filter has more than {MOST_VALUES} values. Ask in several queries.");
        return Err(StoreError::TooComplex(message));
    }
    match filter {
        Filter::All => Ok(TRUE.into()),
        Filter::Compare(path, compare, value) => comparison(path, *compare, value, scope, builder),
        Filter::Columns(left, compare, right) => columns(left, *compare, right, scope, builder),
        Filter::IsNull(path) => Ok(format!("{} IS NULL", scope.term(path, builder)?.sql)),
        Filter::In(path, values) => one_of(path, values, scope, builder),
        Filter::Text(path, how, text) => text_match(path, *how, text, scope, builder),
        Filter::And(all) => join(all, " AND ", TRUE, scope, builder),
        Filter::Or(any) => join(any, " OR ", FALSE, scope, builder),
        Filter::Not(inner) => Ok(format!("({}) IS NOT TRUE", condition(inner, scope, builder)?)),
        Filter::Any { table, column, filter } => {
            let column = pointing_column(table, column)?;
            let mut inner = Scope::new(table, builder);
            let mut here = format!("{}.\"{}\" = {}.\"{}\"", inner.alias, column.name, scope.alias, scope.table.id);
            if is_multi(&column.kind) {
                let target = builder.bind(scope.table.logical.into());
                here = format!("{here} AND {}.\"{}\" = {target}", inner.alias, companion(column.name));
            }
            let mut condition = condition(filter, &mut inner, builder)?;
            if let Some(seen) = seen::condition(table, &inner.alias, builder)? {
                condition = format!("{condition} AND {seen}");
            }
            Ok(format!("EXISTS (SELECT 1 FROM {} WHERE {here} AND {condition})", inner.from()))
        }
        Filter::Of(name, inner) => {
            let (table, alias) = scope.source(name)?;
            let (table, alias) =
                (std::mem::replace(&mut scope.table, table), std::mem::replace(&mut scope.alias, alias));
            let condition = condition(inner, scope, builder);
            (scope.table, scope.alias) = (table, alias);
            condition
        }
        Filter::Across { left, compare, right } => {
            let (left, right) = (scope.named_term(&left.0, left.1)?, scope.named_term(&right.0, right.1)?);
            between(&left, operator(*compare), &right, builder)
        }
        Filter::Linked(link) => join::exists(link, scope, builder),
        Filter::Within { path, table, column, filter } => within(path, (table, column), filter, scope, builder),
        Filter::Bits(path, bits) => has_bits(path, *bits, scope, builder),
    }
}

/// The path's value is a column of some row that satisfies the filter.
fn within(
    path: &Path,
    (table, column): (&'static Table, &'static str),
    filter: &Filter,
    scope: &mut Scope,
    builder: &mut Builder,
) -> Result<String, StoreError> {
    let term = scope.term(path, builder)?;
    let mut inner = Scope::new(table, builder);
    let listed = inner.term(&Path::from(column), builder)?;
    if !term.matches(&listed) {
        return Err(StoreError::no_column(table, column));
    }
    let mut condition = condition(filter, &mut inner, builder)?;
    if let Some(seen) = seen::condition(table, &inner.alias, builder)? {
        condition = format!("{condition} AND {seen}");
    }
    Ok(format!("{} IN (SELECT {} FROM {} WHERE {condition})", term.sql, listed.sql, inner.from()))
}

fn has_bits(path: &Path, bits: i64, scope: &mut Scope, builder: &mut Builder) -> Result<String, StoreError> {
    let term = scope.term(path, builder)?;
    if !term.column.is_some_and(|c| matches!(c.kind, Kind::Int { .. } | Kind::BigInt)) {
        return Err(StoreError::no_column(term.table, path.column));
    }
    let placeholder = builder.bind(Bind::Int(bits));
    Ok(format!("({0} & {placeholder}) = {placeholder}", term.sql))
}

fn join(
    filters: &[Filter],
    operator: &str,
    nothing: &str,
    scope: &mut Scope,
    builder: &mut Builder,
) -> Result<String, StoreError> {
    let parts: Result<Vec<String>, StoreError> = filters.iter().map(|f| condition(f, scope, builder)).collect();
    let parts = parts?;
    Ok(if parts.is_empty() { nothing.into() } else { format!("({})", parts.join(operator)) })
}

fn operator(compare: Compare) -> &'static str {
    match compare {
        Compare::Equal => "=",
        // True where one side is absent.
        Compare::NotEqual => "IS DISTINCT FROM",
        Compare::Less => "<",
        Compare::LessOrEqual => "<=",
        Compare::Greater => ">",
        Compare::GreaterOrEqual => ">=",
    }
}

fn comparison(
    path: &Path,
    compare: Compare,
    value: &Value,
    scope: &mut Scope,
    builder: &mut Builder,
) -> Result<String, StoreError> {
    let term = scope.term(path, builder)?;
    let bind = term.bind(value)?;
    if bind.is_null() {
        return Ok(match compare {
            Compare::Equal => format!("{} IS NULL", term.sql),
            Compare::NotEqual => format!("{} IS NOT NULL", term.sql),
            _ => FALSE.into(),
        });
    }
    let placeholder = builder.bind(bind);
    let (left, right) = (term.comparable(builder.dialect), term.given(&placeholder, builder.dialect));
    Ok(format!("{left} {} {right}", operator(compare)))
}

fn columns(
    left: &Path,
    compare: Compare,
    right: &Path,
    scope: &mut Scope,
    builder: &mut Builder,
) -> Result<String, StoreError> {
    let (left, right) = (scope.term(left, builder)?, scope.term(right, builder)?);
    between(&left, operator(compare), &right, builder)
}

/// One column beside another, as both compare.
pub(crate) fn between(left: &Term, operator: &str, right: &Term, builder: &Builder) -> Result<String, StoreError> {
    if !left.matches(right) {
        return Err(StoreError::no_column(right.table, right.column.map_or(right.table.id, |c| c.name)));
    }
    let folded = left.is_folded() || right.is_folded();
    let side = |sql: &str| if folded { builder.dialect.fold(sql) } else { sql.to_owned() };
    Ok(format!("{} {operator} {}", side(&left.sql), side(&right.sql)))
}

fn one_of(path: &Path, values: &[Value], scope: &mut Scope, builder: &mut Builder) -> Result<String, StoreError> {
    let term = scope.term(path, builder)?;
    let mut or_absent = false;
    let mut list = Vec::new();
    for value in values {
        match term.bind(value)? {
            Bind::Null => or_absent = true,
            bind => {
                let placeholder = builder.bind(bind);
                list.push(term.given(&placeholder, builder.dialect));
            }
        }
    }
    let listed = format!("{} IN ({})", term.comparable(builder.dialect), list.join(", "));
    Ok(match (list.is_empty(), or_absent) {
        (true, false) => FALSE.into(),
        (true, true) => format!("{} IS NULL", term.sql),
        (false, false) => listed,
        (false, true) => format!("({listed} OR {} IS NULL)", term.sql),
    })
}

fn text_match(
    path: &Path,
    how: TextMatch,
    text: &str,
    scope: &mut Scope,
    builder: &mut Builder,
) -> Result<String, StoreError> {
    let term = scope.term(path, builder)?;
    if how == TextMatch::Words {
        return words::condition(&term, text, builder);
    }
    if !term.is_text() {
        return Err(StoreError::no_column(term.table, path.column));
    }
    if how == TextMatch::Like {
        return Ok(like(&term, text, builder));
    }
    let escaped = escape(text);
    let pattern = match how {
        TextMatch::Contains => format!("%{escaped}%"),
        TextMatch::StartsWith => format!("{escaped}%"),
        TextMatch::EndsWith | TextMatch::Like | TextMatch::Words => format!("%{escaped}"),
    };
    let placeholder = builder.bind(Bind::Text(pattern));
    // Without regard to case even where the column compares exactly.
    let (left, right) = (builder.dialect.fold(&term.sql), builder.dialect.fold(&placeholder));
    Ok(format!("{left} LIKE {right} ESCAPE '\\'"))
}

/// A pattern of the caller's, whose brackets neither database's LIKE knows.
fn like(term: &Term, text: &str, builder: &mut Builder) -> String {
    let (operator, text, after) = pattern::translate(builder.dialect, &text.replace('\0', "\u{FFFD}"));
    let placeholder = builder.bind(Bind::Text(text));
    let (left, right) = (builder.dialect.fold(&term.sql), builder.dialect.fold(&placeholder));
    format!("{left} {operator} {right}{after}")
}

/// LIKE's wild cards, taken literally.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            out.push('\\');
        }
        out.push(if c == '\0' { '\u{FFFD}' } else { c });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn wild_cards_are_taken_literally() {
        assert_eq!(escape(r"50%_\x"), r"50\%\_\\x");
    }
}
