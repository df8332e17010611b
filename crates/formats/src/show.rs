//! What was read, as a line of text: for tests.

use model::fetch::{By, Link, LinkKind, Source, What};
use model::query::{Compare, Filter, Path, TextMatch};
use model::{Fetch, Value};

/// A filter as a line of text.
pub(crate) fn show(filter: &Filter) -> String {
    let list = |all: &[Filter], word: &str| {
        format!("({})", all.iter().map(show).collect::<Vec<_>>().join(&format!(" {word} ")))
    };
    match filter {
        Filter::All => "all".into(),
        Filter::Compare(path, compare, value) => format!("{} {} {}", place(path), sign(*compare), literal(value)),
        Filter::Columns(a, compare, b) => format!("{} {} {}", place(a), sign(*compare), place(b)),
        Filter::IsNull(path) => format!("{} is null", place(path)),
        Filter::In(path, values) => {
            format!("{} in {}", place(path), values.iter().map(literal).collect::<Vec<_>>().join(","))
        }
        Filter::Text(path, how, text) => format!(
            "{} {} {text:?}",
            place(path),
            match how {
                TextMatch::Contains => "contains",
                TextMatch::StartsWith => "starts",
                TextMatch::EndsWith => "ends",
                TextMatch::Like => "like",
                TextMatch::Words => "has words",
            }
        ),
        Filter::And(all) => list(all, "and"),
        Filter::Or(any) => list(any, "or"),
        Filter::Not(inner) => format!("not {}", show(inner)),
        Filter::Of(of, inner) => format!("{of}[{}]", show(inner)),
        Filter::Across { left, compare, right } => {
            format!("{}.{} {} {}.{}", left.0, left.1, sign(*compare), right.0, right.1)
        }
        Filter::Linked(link) => format!("linked {}", link_as_line(link)),
        Filter::Any { table, column, filter } => format!("any {}.{column}: {}", table.logical, show(filter)),
        Filter::Within { path, table, column, filter } => {
            format!("{} within {}.{column}: {}", place(path), table.logical, show(filter))
        }
        Filter::Bits(path, bits) => format!("{} has {bits}", place(path)),
    }
}
pub(crate) fn place(path: &Path) -> String {
    path.lookups.iter().chain([&path.column]).copied().collect::<Vec<_>>().join("/")
}
pub(crate) fn sign(compare: Compare) -> &'static str {
    match compare {
        Compare::Equal => "=",
        Compare::NotEqual => "<>",
        Compare::Less => "<",
        Compare::LessOrEqual => "<=",
        Compare::Greater => ">",
        Compare::GreaterOrEqual => ">=",
    }
}
pub(crate) fn literal(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(b) => b.to_string(),
        Value::Int(n) => n.to_string(),
        Value::Text(text) => format!("{text:?}"),
        Value::Id(id) => id.to_string(),
        Value::Ref(r) => r.to_string(),
        Value::Time(t) => t.to_string(),
        Value::Bytes(_) | Value::Secret(_) => "hidden".into(),
    }
}

/// A query over several tables: `account(name,_ownerid_value) where … + inner
/// contact as c on parentcustomerid = accountid (…) order …`.
pub(crate) fn fetch(fetch: &Fetch) -> String {
    let mut out = source(&fetch.root);
    for sort in &fetch.order {
        let by = match &sort.by {
            By::Column(column) => column,
            By::Pick(name) => name.as_str(),
        };
        let of = if sort.of.is_empty() { String::new() } else { format!("{}.", sort.of) };
        out.push_str(&format!(" by {of}{by}{}", if sort.descending { " desc" } else { "" }));
    }
    for (flag, word) in [(fetch.distinct, "distinct"), (fetch.aggregate, "aggregate"), (fetch.total.is_some(), "total")]
    {
        if flag {
            out.push_str(&format!(" {word}"));
        }
    }
    if let Some(top) = fetch.top {
        out.push_str(&format!(" top {top}"));
    }
    if (fetch.page.number, fetch.page.size) != (1, model::fetch::LARGEST_PAGE) {
        out.push_str(&format!(" page {} of {}", fetch.page.number, fetch.page.size));
    }
    out
}

fn source(source: &Source) -> String {
    let picks = source.picks.iter().map(|p| {
        let name = if p.name == p.column { String::new() } else { format!(" as {}", p.name) };
        match p.what {
            What::Value => format!("{}{name}", p.column),
            What::Part(part) => format!("{part:?}({}){name}", p.column),
            What::Reckoned(aggregate) => format!("{aggregate:?}({}){name}", p.column),
        }
    });
    let mut out = format!("{}({})", source.table.logical, picks.collect::<Vec<_>>().join(","));
    if source.filter != Filter::All {
        out.push_str(&format!(" where {}", show(&source.filter)));
    }
    for link in &source.links {
        let kind = match link.kind {
            LinkKind::Inner => "inner",
            LinkKind::Outer => "outer",
            LinkKind::First => "first",
        };
        out.push_str(&format!(" + {kind} {} {}", link.source.alias, link_as_line(link)));
    }
    out
}

fn link_as_line(link: &Link) -> String {
    format!("[{} = {}: {}]", link.from, link.to, source(&link.source))
}
