//! Rows as they are, each of the root's with those joined to it.

use model::Fetch;

use super::frame::{self, Frame, Out};
use crate::bind::Bind;
use crate::error::StoreError;
use crate::select::Builder;
use crate::select::sort::{self, SortKey};
use crate::shape::{Want, want};

/// The statement, what it reads, and how many sort keys stand at the end of
/// each row.
pub(super) fn rows(
    fetch: &Fetch,
    size: usize,
    builder: &mut Builder,
) -> Result<(String, Vec<Want>, Vec<Out>, usize), StoreError> {
    let mut frame = Frame::new(fetch, builder)?;
    let (mut columns, mut wants, mut outs) = (Vec::new(), Vec::new(), Vec::new());
    for (source, pick) in fetch.picks() {
        let (sql, want, out) = frame::read(pick, &frame.term(source, pick.column)?)?;
        columns.extend(sql);
        wants.extend(want);
        outs.push(out);
    }
    let keys = keys(fetch, &frame, builder)?;
    for key in &keys {
        columns.push(key.term.sql.clone());
        let column = key.term.column;
        let want = column.map_or(Some(Want::Id), |c| want(&c.kind));
        wants.push(want.ok_or_else(|| StoreError::no_column(key.term.table, "order"))?);
    }
    let mut skip = 0;
    match &fetch.page.after {
        Some(values) if values.len() == keys.len() => {
            let after = sort::after(&keys, values, builder)?;
            frame.restrict(&after);
        }
        _ => skip = super::grouped::skip(fetch, size)?,
    }
    let limit = builder.bind(Bind::Int(limit(fetch, size)));
    let offset = builder.bind(Bind::Int(skip));
    let sql = format!(
        "SELECT {} FROM {} ORDER BY {} LIMIT {limit} OFFSET {offset}",
        columns.join(", "),
        frame.tables_and_condition(),
        sort::order_by(&keys)
    );
    Ok((sql, wants, outs, keys.len()))
}

/// Pages are asked for one row more than they have.
pub(super) fn limit(fetch: &Fetch, size: usize) -> i64 {
    let size = i64::try_from(size).unwrap_or(i64::MAX - 1);
    if fetch.top.is_some() { size } else { size + 1 }
}

fn keys(fetch: &Fetch, frame: &Frame, builder: &Builder) -> Result<Vec<SortKey>, StoreError> {
    let keys = fetch.keys().into_iter().map(|(source, column, descending)| {
        let term = frame.term(source, column)?;
        let is_id = source.alias.is_empty() && term.is_id();
        Ok(SortKey::new(term, descending, is_id, builder.dialect))
    });
    keys.collect()
}
