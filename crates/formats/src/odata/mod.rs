//! OData query options (OData 4.0, part 2) as Dataverse has them, read
//! against the declaration of a table.
//!
//! `$filter` becomes a [`Filter`], its literals typed by the columns they are
//! compared with. What cannot be read is refused with the reference product's
//! words and the position; nothing is guessed.

mod apply;
pub mod batch;
mod comparison;
pub(crate) mod crm;
mod expand;
mod filter;
mod functions;
mod lexer;
pub(crate) mod literal;
mod period;
pub(crate) mod resolve;
pub mod untyped;

pub use apply::apply;

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use model::query::{Filter, Order};
use model::{Id, Table};

/// The query options of one URL or of one `$expand`.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Columns by their logical name (a lookup without `_…_value`), each once; empty: all.
    pub select: Vec<&'static str>,
    pub filter: Filter,
    pub order: Vec<Order>,
    pub top: Option<usize>,
    pub expand: Vec<Expand>,
    pub count: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { select: Vec::new(), filter: Filter::All, order: Vec::new(), top: None, expand: Vec::new(), count: false }
    }
}

/// One navigation property to expand.
#[derive(Debug, Clone, PartialEq)]
pub struct Expand {
    /// As written.
    pub nav: String,
    pub options: Options,
    /// The options as they were given, for the link to the next page.
    pub given: Vec<(String, String)>,
}

/// Who asks, and when: what the conditions about the present and about one's
/// own rows need.
#[derive(Debug, Clone, Default)]
pub struct Asker {
    pub now: Option<Timestamp>,
    pub user: Option<Id>,
    /// The user's business unit.
    pub unit: Option<Id>,
    /// The teams that the user is a member of.
    pub teams: Vec<Id>,
    /// The locale of the user's language: 1033.
    pub language: Option<i64>,
    /// Every business unit with its parent, where the question is about the
    /// tree of them.
    pub units: Vec<(Id, Option<Id>)>,
}

/// A query option cannot be read. Becomes a 400.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ODataError {
    pub message: String,
    /// Octets from the start of the option's value.
    pub position: usize,
}

impl fmt::Display for ODataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ODataError {}

impl ODataError {
    fn new(position: usize, message: impl Into<String>) -> Self {
        Self { message: message.into(), position }
    }
}

/// Longest value of an option, in octets: what a URL may hold.
const LONGEST: usize = 32 * 1024;
/// Criteria of an order: a page after the first asks about each pair of them.
const MOST_CRITERIA: usize = 16;

/// Reads decoded query options. Names that start with neither `$` nor `@` are
/// somebody else's and passed over.
///
/// # Errors
/// An option, a column, a literal or an operator that is not as it should be.
pub fn parse(table: &'static Table, options: &[(&str, &str)]) -> Result<Options, ODataError> {
    parse_for(table, options, Asker::default())
}

/// As [`parse`], with the functions about the present (`Today`, `LastXDays`,
/// `EqualUserId`, …).
///
/// # Errors
/// As [`parse`].
pub fn parse_for(table: &'static Table, options: &[(&str, &str)], asker: Asker) -> Result<Options, ODataError> {
    let aliases = options.iter().filter(|(name, _)| name.starts_with('@')).copied().collect();
    let options = Reader { aliases, asker }.options(table, options, 0)?;
    if expand::count(&options) > expand::MOST {
        let message = format!("Number of $expand properties exceeds the limit of {}.", expand::MOST);
        return Err(ODataError::new(0, message));
    }
    Ok(options)
}

/// What holds for the whole URL.
struct Reader<'a> {
    /// Parameter aliases: `@p1='x'`.
    aliases: BTreeMap<&'a str, &'a str>,
    asker: Asker,
}

impl Reader<'_> {
    fn options(&self, table: &'static Table, given: &[(&str, &str)], depth: usize) -> Result<Options, ODataError> {
        let mut out = Options::default();
        let mut seen: Vec<String> = Vec::new();
        for (name, value) in given.iter().filter(|(name, _)| name.starts_with('$')) {
            let name = name.to_ascii_lowercase();
            if value.len() > LONGEST {
                return Err(ODataError::new(0, format!("The value of the query option '{name}' is too long.")));
            }
            if seen.contains(&name) {
                let message = format!(
                    "Query option '{name}' was specified more than once, but it must be specified at most once."
                );
                return Err(ODataError::new(0, message));
            }
            match name.as_str() {
                "$select" => out.select = select(table, value)?,
                "$filter" => out.filter = self.filter(table, value)?,
                "$orderby" => out.order = order(table, value)?,
                "$top" => out.top = Some(top(value)?),
                "$count" => out.count = flag(value)?,
                "$expand" => out.expand = self.expand(table, value, depth)?,
                "$skip" => return Err(ODataError::new(0, "Skip Clause is not supported in CRM")),
                // The caller's own: a place in a list.
                "$skiptoken" => {}
                _ => return Err(ODataError::new(0, format!("The query parameter {name} is not supported"))),
            }
            seen.push(name);
        }
        Ok(out)
    }
}

fn select(table: &'static Table, value: &str) -> Result<Vec<&'static str>, ODataError> {
    let mut out = Vec::new();
    let mut position = 0;
    for name in value.split(',') {
        let trimmed = name.trim();
        if trimmed == "*" {
            return Ok(Vec::new());
        }
        let column = resolve::selectable(table, trimmed, position)?;
        if !out.contains(&column) {
            out.push(column);
        }
        position += name.len() + 1;
    }
    Ok(out)
}

fn order(table: &'static Table, value: &str) -> Result<Vec<Order>, ODataError> {
    let mut out: Vec<Order> = Vec::new();
    let mut position = 0;
    for criterion in value.split(',') {
        if out.len() >= MOST_CRITERIA {
            let message = format!("$orderby has more than {MOST_CRITERIA} criteria. Name fewer.");
            return Err(ODataError::new(position, message));
        }
        let mut words = criterion.split_whitespace();
        let path = words.next().unwrap_or_default();
        let descending = match words.next() {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(_) => return Err(lexer::syntax(value, position)),
        };
        if words.next().is_some() || out.len() >= 20 {
            return Err(lexer::syntax(value, position));
        }
        let segments: Vec<&str> = path.split('/').collect();
        let column = resolve::column(table, &segments, position)?;
        out.push(Order { column: column.path, descending });
        position += criterion.len() + 1;
    }
    Ok(out)
}

fn top(value: &str) -> Result<usize, ODataError> {
    value.trim().parse().map_err(|_| {
        let value = excerpt(value);
        let message = format!(
            "Invalid value '{value}' for $top query option found. The $top query option requires a non-negative integer value."
        );
        ODataError::new(0, message)
    })
}

fn flag(value: &str) -> Result<bool, ODataError> {
    match value.trim() {
        "true" => Ok(true),
        "false" => Ok(false),
        other => {
            let message = format!(
                "Invalid value '{}' for $count query option found. The $count query option requires 'true' or 'false'.",
                excerpt(other)
            );
            Err(ODataError::new(0, message))
        }
    }
}

/// What somebody wrote, short enough to be said back.
pub(crate) fn excerpt(text: &str) -> String {
    let cut = &text[..text.floor_char_boundary(100)];
    let dots = if cut.len() < text.len() { "…" } else { "" };
    format!("{}{dots}", cut.chars().filter(|c| !c.is_control()).collect::<String>())
}

#[cfg(test)]
mod tests;
