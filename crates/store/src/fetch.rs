//! Joined and reckoned rows: a [`Fetch`] as statements, and their answer.

use model::fetch::{Fetched, MOST_AGGREGATED};
use model::{Fetch, Value};

use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::select::Builder;
use crate::select::words::{ByIndex, Narrow, Statement};
use crate::shape::Want;
use crate::store::Store;
use crate::tx::{Tx, Work};

mod frame;
mod grouped;
mod plain;

use frame::{Frame, Out};

impl Store {
    /// The rows that a fetch asks for.
    ///
    /// # Errors
    /// [`StoreError::TooManyAggregated`], [`StoreError::PageTooFar`],
    /// [`StoreError::Timeout`]; and as [`Store::query`].
    pub async fn fetch(&self, fetch: &Fetch) -> Result<Fetched, StoreError> {
        let plan = FetchPlan::new(fetch, self.database().dialect())?;
        self.database().read(plan).await
    }
}

struct FetchPlan {
    statements: Statements,
    /// The same by an index of words.
    by_index: Option<Box<ByIndex<Statements>>>,
    wants: Vec<Want>,
    outs: Vec<Out>,
    /// Sort keys that stand after the picks in each row.
    keys: usize,
    /// Rows wanted; one more is asked for, to know whether there is another page.
    size: usize,
    paged: bool,
    /// Counts the rows that would be reckoned with.
    limit: Option<Statement>,
}

struct Statements {
    rows: Statement,
    total: Option<Statement>,
}

impl FetchPlan {
    fn new(fetch: &Fetch, dialect: Dialect) -> Result<Self, StoreError> {
        let size = fetch.top.unwrap_or(fetch.page.size).min(model::fetch::LARGEST_PAGE);
        let (rows, wants, outs, keys) = rows(fetch, size, dialect, None)?;
        let total = |narrow| fetch.total.map(|most| counted(fetch, dialect, most + 1, true, narrow)).transpose();
        let by_index = ByIndex::of(fetch.root.table, &fetch.root.filter, dialect, |narrow| {
            let (rows, ..) = self::rows(fetch, size, dialect, Some(narrow.clone()))?;
            Ok(Statements { rows, total: total(Some(narrow))? })
        })?;
        let limit = if fetch.aggregate {
            Some(counted(fetch, dialect, MOST_AGGREGATED as u64 + 1, false, None)?)
        } else {
            None
        };
        let statements = Statements { rows, total: total(None)? };
        Ok(Self { statements, by_index, wants, outs, keys, size, paged: fetch.top.is_none(), limit })
    }
}

fn rows(
    fetch: &Fetch,
    size: usize,
    dialect: Dialect,
    narrow: Option<Narrow>,
) -> Result<(Statement, Vec<Want>, Vec<Out>, usize), StoreError> {
    let mut builder = Builder::narrowed(dialect, fetch.seen.as_ref(), narrow);
    let (sql, wants, outs, keys) = if fetch.is_plain() {
        plain::rows(fetch, size, &mut builder)?
    } else {
        grouped::rows(fetch, size, &mut builder)?
    };
    Ok((Statement { sql, binds: builder.binds }, wants, outs, keys))
}

/// How many rows there are, counted up to `most`.
fn counted(
    fetch: &Fetch,
    dialect: Dialect,
    most: u64,
    grouped: bool,
    narrow: Option<Narrow>,
) -> Result<Statement, StoreError> {
    let mut builder = Builder::narrowed(dialect, fetch.seen.as_ref(), narrow);
    let mut frame = Frame::new(fetch, &mut builder)?;
    let groups =
        if grouped && !fetch.is_plain() { grouped::group_by(fetch, &mut frame, &mut builder)? } else { String::new() };
    let from = frame.tables_and_condition();
    let sql = format!("SELECT count(*) FROM (SELECT 1 AS one FROM {from}{groups} LIMIT {most}) AS counted");
    Ok(Statement { sql, binds: builder.binds })
}

impl Work for FetchPlan {
    type Out = Fetched;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<Fetched, StoreError> {
        if let Some(limit) = &self.limit
            && number(tx, limit).await? > MOST_AGGREGATED as u64
        {
            return Err(StoreError::TooManyAggregated(MOST_AGGREGATED));
        }
        let plain = &self.statements;
        let (rows, total) = match &self.by_index {
            Some(by_index) => {
                let density = by_index.density(tx).await?;
                let way = |counts| by_index.choose(density, counts, plain);
                (&way(false).rows, &way(true).total)
            }
            None => (&plain.rows, &plain.total),
        };
        let total = match total {
            Some(total) => Some(number(tx, total).await?),
            None => None,
        };
        // Only the number of rows was asked for: none is sorted for that.
        if self.size == 0 {
            return Ok(Fetched { total, ..Fetched::default() });
        }
        let mut read = tx.rows_once(&rows.sql, &rows.binds, &self.wants).await?;
        let more = read.len() > self.size && self.paged;
        read.truncate(self.size);
        let last = match read.last() {
            Some(row) if self.keys > 0 => Some(row[row.len() - self.keys..].to_vec()),
            _ => None,
        };
        let rows = read.into_iter().map(|row| frame::values(&self.outs, row)).collect::<Result<_, _>>()?;
        Ok(Fetched { rows, more, last, total })
    }
}

async fn number(tx: &mut Tx, statement: &Statement) -> Result<u64, StoreError> {
    let rows = tx.rows_once(&statement.sql, &statement.binds, &[Want::Int]).await?;
    let count = rows.first().and_then(|r| r.first()).and_then(Value::as_int);
    Ok(count.and_then(|n| u64::try_from(n).ok()).unwrap_or(0))
}
