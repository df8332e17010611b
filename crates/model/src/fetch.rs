//! A question over several tables at once: rows joined to others, grouped,
//! counted. FetchXML, `$apply` and `sql=` all become this tree; the store
//! turns it into SQL.

use crate::query::{Filter, Seen};
use crate::table::Table;
use crate::value::Value;

/// Rows of one answer at most, in a page or by `top`.
pub const LARGEST_PAGE: usize = 5000;
/// Rows that one aggregate looks at, at most.
pub const MOST_AGGREGATED: usize = 50_000;
/// Totals are counted no further, wherever clients ask for them.
pub const HIGHEST_TOTAL: u64 = 5000;

#[derive(Debug, Clone, PartialEq)]
pub struct Fetch {
    pub root: Source,
    /// The first criterion counts most.
    pub order: Vec<Sort>,
    /// Rows that look alike come once.
    pub distinct: bool,
    /// Rows are grouped and reckoned with, not listed.
    pub aggregate: bool,
    /// So many rows in all, and no further page.
    pub top: Option<usize>,
    pub page: Page,
    /// The number of all rows is asked for, counted up to one more than this.
    pub total: Option<u64>,
    /// What the caller may read of each table; `None`: the program itself asks.
    pub seen: Option<Seen>,
}

/// Which part of the rows is wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// From 1.
    pub number: u64,
    pub size: usize,
    /// Where the last page ended, as the caller brought it.
    pub cookie: Option<String>,
    /// The sort keys of the last row before the page; where they are known,
    /// the number does not matter.
    pub after: Option<Vec<Value>>,
}

/// The rows of a table in the question, and what is joined to them.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    pub table: &'static Table,
    /// Empty for the root.
    pub alias: String,
    pub picks: Vec<Pick>,
    pub filter: Filter,
    pub links: Vec<Link>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    pub kind: LinkKind,
    /// The column of the linked table …
    pub from: &'static str,
    /// … that equals this one of the rows it is linked to.
    pub to: &'static str,
    pub source: Source,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    Inner,
    /// Rows without a partner stay.
    Outer,
    /// The first partner only; rows without one go.
    First,
}

/// One value in each row of the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Pick {
    /// A column of the source's table, or its primary key.
    pub column: &'static str,
    /// As the answer calls it.
    pub name: String,
    pub what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The value as it is; among aggregates: rows are grouped by it.
    Value,
    /// Rows are grouped by a part of the date.
    Part(DatePart),
    Reckoned(Aggregate),
}

/// In UTC; weeks begin on Sunday, the first being that of January 1st.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatePart {
    /// Of the month.
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregate {
    /// Rows.
    Count,
    /// Values that are there.
    CountColumn,
    CountDistinct,
    Sum,
    /// Of whole numbers, without the fraction.
    Average,
    Minimum,
    Maximum,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Sort {
    /// The alias of the source; empty: the root.
    pub of: String,
    pub by: By,
    pub descending: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum By {
    Column(&'static str),
    /// The pick with this name.
    Pick(String),
}

impl Fetch {
    pub fn of(table: &'static Table) -> Self {
        Self {
            root: Source::of(table, ""),
            order: Vec::new(),
            distinct: false,
            aggregate: false,
            top: None,
            page: Page { number: 1, size: LARGEST_PAGE, cookie: None, after: None },
            total: None,
            seen: None,
        }
    }

    /// Whether a row of the answer stands for one row of the root.
    pub fn is_plain(&self) -> bool {
        !self.distinct && !self.aggregate
    }

    /// Every pick with its source, in the order of the answer's values.
    pub fn picks(&self) -> Vec<(&Source, &Pick)> {
        self.sources().into_iter().flat_map(|s| s.picks.iter().map(move |p| (s, p))).collect()
    }

    pub fn source(&self, alias: &str) -> Option<&Source> {
        self.sources().into_iter().find(|s| s.alias == alias)
    }

    pub fn pick(&self, name: &str) -> Option<(&Source, &Pick)> {
        self.picks().into_iter().find(|(_, p)| p.name == name)
    }

    /// The columns whose values tell where a row stands, and whether they
    /// count down: what rows are sorted by, then the ids of all that is joined.
    pub fn keys(&self) -> Vec<(&Source, &'static str, bool)> {
        let mut keys = Vec::new();
        for sort in &self.order {
            let key = match &sort.by {
                By::Column(column) => self.source(&sort.of).map(|s| (s, *column)),
                By::Pick(name) => self.pick(name).map(|(s, p)| (s, p.column)),
            };
            keys.extend(key.map(|(source, column)| (source, column, sort.descending)));
        }
        keys.extend(self.sources().into_iter().map(|s| (s, s.table.id, false)));
        keys
    }

    /// The root and all that is joined, each before what is joined to it.
    pub fn sources(&self) -> Vec<&Source> {
        let mut all = Vec::new();
        self.root.walk(&mut all);
        all
    }
}

impl Source {
    pub fn of(table: &'static Table, alias: impl Into<String>) -> Self {
        Self { table, alias: alias.into(), picks: Vec::new(), filter: Filter::All, links: Vec::new() }
    }

    fn walk<'a>(&'a self, all: &mut Vec<&'a Self>) {
        all.push(self);
        self.links.iter().for_each(|l| l.source.walk(all));
    }
}

impl Pick {
    pub fn value(column: &'static str, name: impl Into<String>) -> Self {
        Self { column, name: name.into(), what: What::Value }
    }
}

/// The answer: for each row the values of the picks.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fetched {
    pub rows: Vec<Vec<Value>>,
    /// There are rows after these.
    pub more: bool,
    /// The sort keys of the last row, for [`Page::after`]; `None` where rows
    /// are no rows of a table.
    pub last: Option<Vec<Value>>,
    /// Counted up to one more than [`Fetch::total`].
    pub total: Option<u64>,
}
