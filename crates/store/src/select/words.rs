//! Words that rows are found by. Every text can be looked through; where a
//! table declares the columns that are searched, an index knows the words.
//!
//! PostgreSQL's planner knows how often a word occurs and decides by itself.
//! SQLite knows nothing about its index of words, so it is asked first: what
//! few rows have is looked up; what very many have is soon found by walking
//! the rows in the order in which they are wanted; what is between is walked,
//! too, past all that the index does not name.

use model::query::TextMatch;
use model::{Filter, Table};

use crate::bind::Bind;
use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::select::scope::{Scope, Term};
use crate::select::{Builder, filter};
use crate::shape::Want;
use crate::tx::Tx;
use crate::words;

/// Rows that are looked up one by one, at most.
const RARE: i64 = 2_000;
/// The newest rows of a table, by which it is told how common words are.
const SAMPLE: i64 = 256;
/// So many of them: walking is the shortest way to a page of rows …
const COMMON: i64 = SAMPLE / 8;
/// … and to count them.
const COMMON_TO_COUNT: i64 = SAMPLE / 2;
/// Rows are put into SQLite's index when so many have come: see the migrations.
#[cfg(test)]
pub(crate) const BATCH: i64 = 256;

/// A statement that reads.
#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) sql: String,
    pub(crate) binds: Vec<Bind>,
}

/// The condition that a text holds the words, or, where the primary key is
/// asked, that the row's searched texts do.
pub(crate) fn condition(term: &Term, text: &str, builder: &mut Builder) -> Result<String, StoreError> {
    let asked = words::asked(text)?;
    let columns = columns(term)?;
    if asked.is_empty() {
        return Ok(filter::FALSE.to_owned());
    }
    Ok(match builder.dialect {
        Dialect::Sqlite => {
            let placeholder = builder.bind(Bind::Text(asked.join(" ")));
            format!("has_words({placeholder}, {})", columns.join(", "))
        }
        Dialect::Postgres => postgres(term, &columns, &asked, builder),
    })
}

/// The texts that are looked through.
fn columns(term: &Term) -> Result<Vec<String>, StoreError> {
    if term.is_text() {
        return Ok(vec![term.sql.clone()]);
    }
    let no_text = || StoreError::no_column(term.table, term.column.map_or(term.table.id, |c| c.name));
    let alias = term.sql.strip_suffix(&format!(".\"{}\"", term.table.id)).ok_or_else(no_text)?;
    if !term.is_id() || term.table.words.is_empty() || alias.contains('(') {
        return Err(no_text());
    }
    Ok(of_row(term.table, alias))
}

fn of_row(table: &Table, alias: &str) -> Vec<String> {
    table.words.iter().map(|name| format!("{alias}.\"{name}\"")).collect()
}

/// Said of all searched texts, as the index is made of them: each word begins
/// with the number of its text.
fn postgres(term: &Term, columns: &[String], asked: &[String], builder: &mut Builder) -> String {
    let place = term.column.and_then(|c| term.table.words.iter().position(|name| *name == c.name));
    let alias = term.sql.split('.').next().unwrap_or_default();
    let (texts, places) = match place {
        Some(place) if !alias.contains('(') => (of_row(term.table, alias), vec![place + 1]),
        _ => (columns.to_vec(), (1..=columns.len()).collect()),
    };
    let word = |word: &String| {
        let anywhere: Vec<String> = places.iter().map(|place| format!("'{place}{word}':*")).collect();
        format!("({})", anywhere.join(" | "))
    };
    let query = asked.iter().map(word).collect::<Vec<_>>().join(" & ");
    let placeholder = builder.bind(Bind::Text(query));
    format!("pr_words({}) @@ CAST(CAST({placeholder} AS text) AS tsquery)", texts.join(", "))
}

/// What rows of a table must hold anyhow, and SQLite's index knows.
#[derive(Debug, Clone)]
pub(crate) struct Sought {
    table: &'static Table,
    /// In the language of the index.
    expression: String,
    asked: Vec<(Vec<&'static str>, String)>,
}

impl Sought {
    fn of(table: &'static Table, filter: &Filter) -> Result<Option<Self>, StoreError> {
        let mut asked = Vec::new();
        if !table.words.is_empty() {
            gather(table, filter, &mut asked)?;
        }
        if asked.is_empty() {
            return Ok(None);
        }
        let part = |(columns, all): &(Vec<&'static str>, String)| {
            let all: Vec<String> = all.split(' ').map(|word| format!("\"{word}\" *")).collect();
            format!("{{{}}} : ({})", columns.join(" "), all.join(" AND "))
        };
        let expression = asked.iter().map(part).collect::<Vec<_>>().join(" AND ");
        Ok(Some(Self { table, expression, asked }))
    }

    fn index(&self) -> String {
        format!("\"{}__words\"", self.table.logical)
    }

    /// How common the words are: among the newest rows, and, where they are
    /// not very common, in all.
    fn probe(&self) -> Statement {
        let mut builder = Builder::new(Dialect::Sqlite, None);
        let mut holds = Vec::new();
        for (columns, all) in &self.asked {
            let placeholder = builder.bind(Bind::Text(all.clone()));
            let columns: Vec<String> = columns.iter().map(|name| format!("\"{name}\"")).collect();
            holds.push(format!("has_words({placeholder}, {})", columns.join(", ")));
        }
        let (table, index) = (self.table.logical, self.index());
        let expression = builder.bind(Bind::Text(self.expression.clone()));
        let texts: Vec<String> = self.table.words.iter().map(|name| format!("\"{name}\"")).collect();
        let sql = format!(
            "WITH sample (n) AS MATERIALIZED (SELECT count(*) FROM (SELECT {} FROM \"{table}\" \
             ORDER BY rowid DESC LIMIT {SAMPLE}) WHERE {}) \
             SELECT n, CASE WHEN n >= {COMMON_TO_COUNT} THEN {} ELSE \
             (SELECT count(*) FROM (SELECT 1 FROM {index} WHERE {index} MATCH {expression} LIMIT {})) END FROM sample",
            texts.join(", "),
            holds.join(" AND "),
            RARE + 1,
            RARE + 1,
        );
        Statement { sql, binds: builder.binds }
    }
}

/// What all of the rows must hold.
fn gather(
    table: &'static Table,
    filter: &Filter,
    asked: &mut Vec<(Vec<&'static str>, String)>,
) -> Result<(), StoreError> {
    match filter {
        Filter::And(all) => all.iter().try_for_each(|f| gather(table, f, asked))?,
        Filter::Text(path, TextMatch::Words, text) if path.lookups.is_empty() => {
            let columns: Vec<&'static str> =
                table.words.iter().copied().filter(|name| path.column == table.id || path.column == *name).collect();
            let all = words::asked(text)?.join(" ");
            if !columns.is_empty() && !all.is_empty() {
                asked.push((columns, all));
            }
        }
        _ => {}
    }
    Ok(())
}

/// How the index helps a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Help {
    /// It says where the rows are.
    LooksUp,
    /// It says which rows to pass by.
    Sieves,
}

/// A statement's rows by the index.
#[derive(Debug, Clone)]
pub(crate) struct Narrow {
    sought: Sought,
    help: Help,
}

impl Narrow {
    /// The condition of a statement whose root stands in the scope. Rows that
    /// have not come into the index yet are looked at, too: the statement's
    /// own condition decides.
    pub(crate) fn apply(self, condition: &str, scope: &mut Scope, builder: &mut Builder) -> String {
        let (table, index) = (self.sought.table.logical, self.sought.index());
        let expression = builder.bind(Bind::Text(self.sought.expression));
        let sign = match self.help {
            Help::LooksUp => {
                scope.hint = " NOT INDEXED";
                ""
            }
            Help::Sieves => "+",
        };
        format!(
            "{sign}{}.rowid IN (SELECT rowid FROM {index} WHERE {index} MATCH {expression} UNION ALL \
             SELECT rowid FROM \"{table}\" WHERE rowid > (SELECT value FROM pr_counter WHERE name = 'words {table}')) \
             AND ({condition})",
            scope.alias
        )
    }
}

/// The same question in the two ways in which the index helps.
#[derive(Debug)]
pub(crate) struct ByIndex<T> {
    probe: Statement,
    looked_up: T,
    sieved: T,
}

/// How common the words of a question are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Density {
    sample: i64,
    found: i64,
}

impl<T> ByIndex<T> {
    /// `None` where no index of words helps, or the database sees to it itself.
    pub(crate) fn of(
        table: &'static Table,
        filter: &Filter,
        dialect: Dialect,
        write: impl Fn(Narrow) -> Result<T, StoreError>,
    ) -> Result<Option<Box<Self>>, StoreError> {
        if dialect != Dialect::Sqlite {
            return Ok(None);
        }
        let Some(sought) = Sought::of(table, filter)? else { return Ok(None) };
        let way = |help| write(Narrow { sought: sought.clone(), help });
        Ok(Some(Box::new(Self { probe: sought.probe(), looked_up: way(Help::LooksUp)?, sieved: way(Help::Sieves)? })))
    }

    pub(crate) async fn density(&self, tx: &mut Tx) -> Result<Density, StoreError> {
        let rows = tx.rows_once(&self.probe.sql, &self.probe.binds, &[Want::Int, Want::Int]).await?;
        let number = |n: usize| rows.first().and_then(|row| row.get(n)).and_then(model::Value::as_int).unwrap_or(0);
        Ok(Density { sample: number(0), found: number(1) })
    }

    /// The way to a page of rows, or to their number; `plain`: without the index.
    pub(crate) fn choose<'a>(&'a self, density: Density, counts: bool, plain: &'a T) -> &'a T {
        let common = if counts { COMMON_TO_COUNT } else { COMMON };
        match density {
            Density { found, .. } if found <= RARE => &self.looked_up,
            Density { sample, .. } if sample >= common => plain,
            _ => &self.sieved,
        }
    }
}
