//! Rows grouped: by what they are asked to be grouped by, or, where each
//! different row is wanted once, by all of it. Texts that differ only in
//! case are the same, and one of them is shown.

use std::collections::BTreeSet;

use model::Fetch;
use model::fetch::{Aggregate, By, Pick, Source, What};

use super::frame::{self, Frame, Out};
use super::plain;
use crate::bind::Bind;
use crate::error::StoreError;
use crate::select::Builder;
use crate::select::scope::Term;
use crate::select::sort::direction;
use crate::shape::{Want, want};

/// Paging by number goes no further than this.
const FURTHEST: u64 = 50_000;

pub(super) fn rows(
    fetch: &Fetch,
    size: usize,
    builder: &mut Builder,
) -> Result<(String, Vec<Want>, Vec<Out>, usize), StoreError> {
    let mut frame = Frame::new(fetch, builder)?;
    let (mut columns, mut wants, mut outs) = (Vec::new(), Vec::new(), Vec::new());
    for (source, pick) in fetch.picks() {
        let (sql, want, out) = shown(source, pick, &frame, builder)?;
        columns.extend(sql);
        wants.extend(want);
        outs.push(out);
    }
    let groups = group_by(fetch, &mut frame, builder)?;
    let order = order_by(fetch, &frame, builder)?;
    let limit = plain::limit(fetch, size);
    let (limit, offset) = (builder.bind(Bind::Int(limit)), builder.bind(Bind::Int(skip(fetch, size)?)));
    let sql = format!(
        "SELECT {} FROM {}{groups}{order} LIMIT {limit} OFFSET {offset}",
        columns.join(", "),
        frame.tables_and_condition()
    );
    Ok((sql, wants, outs, 0))
}

/// Rows before the page, where they are counted.
pub(super) fn skip(fetch: &Fetch, size: usize) -> Result<i64, StoreError> {
    let skip = (fetch.page.number.max(1) - 1).saturating_mul(size as u64);
    if skip > FURTHEST {
        return Err(StoreError::PageTooFar(FURTHEST));
    }
    i64::try_from(skip).map_err(|_| StoreError::PageTooFar(FURTHEST))
}

/// ` GROUP BY …`, or nothing where all rows are one group.
pub(super) fn group_by(fetch: &Fetch, frame: &mut Frame, builder: &mut Builder) -> Result<String, StoreError> {
    let mut keys = Vec::new();
    for (source, pick) in fetch.picks() {
        keys.extend(key(source, pick, frame, builder)?);
    }
    for (source, column) in hidden(fetch) {
        keys.push(frame.term(source, column)?.comparable(builder.dialect));
    }
    keys.dedup();
    Ok(if keys.is_empty() { String::new() } else { format!(" GROUP BY {}", keys.join(", ")) })
}

/// Columns that different rows are sorted by and that are not shown: they
/// tell rows apart, too.
fn hidden(fetch: &Fetch) -> Vec<(&Source, &'static str)> {
    if fetch.aggregate {
        return Vec::new();
    }
    let mut out = Vec::new();
    for sort in &fetch.order {
        if let (By::Column(column), Some(source)) = (&sort.by, fetch.source(&sort.of))
            && !source.picks.iter().any(|p| p.column == *column)
        {
            out.push((source, *column));
        }
    }
    out
}

/// What a pick groups by; nothing for one that reckons.
fn key(source: &Source, pick: &Pick, frame: &Frame, builder: &Builder) -> Result<Vec<String>, StoreError> {
    let term = frame.term(source, pick.column)?;
    Ok(match pick.what {
        What::Reckoned(_) => Vec::new(),
        What::Part(part) => vec![builder.dialect.date_part(part, &term.sql)],
        What::Value => {
            let (mut sql, _, _) = frame::read(pick, &term)?;
            if let Some(first) = sql.first_mut() {
                *first = term.comparable(builder.dialect);
            }
            sql
        }
    })
}

fn shown(
    source: &Source,
    pick: &Pick,
    frame: &Frame,
    builder: &Builder,
) -> Result<(Vec<String>, Vec<Want>, Out), StoreError> {
    let term = frame.term(source, pick.column)?;
    Ok(match pick.what {
        What::Reckoned(aggregate) => {
            let (sql, want) = reckoned(aggregate, &term, builder)?;
            (vec![sql], vec![want], Out::Plain)
        }
        What::Part(part) => (vec![builder.dialect.date_part(part, &term.sql)], vec![Want::Int], Out::Plain),
        What::Value => {
            let (mut sql, wants, out) = frame::read(pick, &term)?;
            if term.is_folded() {
                sql = vec![format!("min({})", term.sql)];
            }
            (sql, wants, out)
        }
    })
}

fn reckoned(aggregate: Aggregate, term: &Term, builder: &Builder) -> Result<(String, Want), StoreError> {
    let of = &term.sql;
    let whole = |sql: String| format!("CAST({sql} AS bigint)");
    let kind = term.column.map_or(Some(Want::Id), |c| want(&c.kind));
    let kind = kind.ok_or_else(|| StoreError::no_column(term.table, "aggregate"))?;
    Ok(match aggregate {
        Aggregate::Count => ("count(*)".to_owned(), Want::Int),
        Aggregate::CountColumn => (format!("count({of})"), Want::Int),
        Aggregate::CountDistinct => (format!("count(DISTINCT {})", term.comparable(builder.dialect)), Want::Int),
        Aggregate::Sum => (whole(format!("sum({of})")), Want::Int),
        Aggregate::Average => (format!("{} / count({of})", whole(format!("sum({of})"))), Want::Int),
        Aggregate::Minimum => (format!("min({of})"), kind),
        Aggregate::Maximum => (format!("max({of})"), kind),
    })
}

/// As asked for, then by all that is grouped by: pages neither overlap nor
/// leave anything out.
fn order_by(fetch: &Fetch, frame: &Frame, builder: &Builder) -> Result<String, StoreError> {
    let mut criteria = Vec::new();
    for sort in &fetch.order {
        let by = direction(sort.descending, false);
        let expressions = match &sort.by {
            By::Column(column) => {
                let source = fetch.source(&sort.of).ok_or_else(|| StoreError::no_column(fetch.root.table, column))?;
                vec![frame.term(source, column)?.comparable(builder.dialect)]
            }
            By::Pick(name) => by_pick(fetch, name, frame, builder)?,
        };
        criteria.extend(expressions.into_iter().map(|e| (e, by)));
    }
    for (source, pick) in fetch.picks() {
        criteria.extend(key(source, pick, frame, builder)?.into_iter().map(|e| (e, direction(false, false))));
    }
    let mut seen = BTreeSet::new();
    criteria.retain(|(e, _)| seen.insert(e.clone()));
    let list: Vec<String> = criteria.into_iter().map(|(e, by)| format!("{e} {by}")).collect();
    Ok(if list.is_empty() { String::new() } else { format!(" ORDER BY {}", list.join(", ")) })
}

fn by_pick(fetch: &Fetch, name: &str, frame: &Frame, builder: &Builder) -> Result<Vec<String>, StoreError> {
    let (source, pick) = fetch.pick(name).ok_or_else(|| StoreError::no_column(fetch.root.table, name))?;
    match pick.what {
        What::Reckoned(aggregate) => {
            let term = frame.term(source, pick.column)?;
            Ok(vec![reckoned(aggregate, &term, builder)?.0])
        }
        _ => key(source, pick, frame, builder),
    }
}
