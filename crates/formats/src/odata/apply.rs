//! `$apply`: `filter(…)/groupby((a,b),aggregate(x with sum as t,$count as c))`,
//! with `$orderby` and `$top` over what comes of it.

use model::fetch::{Aggregate, By, LARGEST_PAGE, Pick, Sort, What};
use model::table::Kind;
use model::{Column, Fetch, Filter, Table};

use super::expand::split;
use super::lexer::syntax;
use super::{Asker, LONGEST, ODataError, Reader, excerpt, resolve, top};
use crate::fetched;

/// Reads the options of a URL that has `$apply` among them.
///
/// # Errors
/// A transformation, a column or an alias that is not as it should be.
pub fn apply(table: &'static Table, options: &[(&str, &str)], asker: Asker) -> Result<Fetch, ODataError> {
    let aliases = options.iter().filter(|(name, _)| name.starts_with('@')).copied().collect();
    let reader = Reader { aliases, asker };
    let option = |wanted: &str| options.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, v)| *v);
    let mut fetch = Fetch::of(table);
    reader.steps(table, option("$apply").unwrap_or_default(), &mut fetch)?;
    if let Some(value) = option("$top") {
        fetch.top = Some(top(value)?.min(LARGEST_PAGE));
    }
    if let Some(value) = option("$orderby") {
        fetch.order = order(value)?;
    }
    fetched::check(&fetch).map_err(|message| ODataError::new(0, message))?;
    Ok(fetch)
}

impl Reader<'_> {
    fn steps(&self, table: &'static Table, source: &str, fetch: &mut Fetch) -> Result<(), ODataError> {
        if source.len() > LONGEST {
            return Err(ODataError::new(0, "The value of the query option '$apply' is too long."));
        }
        for (position, step) in split(source, '/')? {
            let (name, inner) = call(step).ok_or_else(|| syntax(source, position))?;
            let at = |e: ODataError| ODataError { position: position + e.position, ..e };
            if fetch.aggregate {
                let message = "Nothing can follow groupby and aggregate in $apply; filter before them.";
                return Err(ODataError::new(position, message));
            }
            match name {
                "filter" => {
                    let more = self.filter(table, inner).map_err(at)?;
                    let filter = std::mem::replace(&mut fetch.root.filter, Filter::All);
                    fetch.root.filter = if filter == Filter::All { more } else { filter.and(more) };
                }
                "groupby" => {
                    fetch.root.picks = groupby(table, inner).map_err(at)?;
                    fetch.aggregate = true;
                }
                "aggregate" => {
                    fetch.root.picks = aggregates(table, inner).map_err(at)?;
                    fetch.aggregate = true;
                }
                other => {
                    let message = format!(
                        "The transformation '{}' is not supported in $apply; there are filter, groupby and aggregate.",
                        excerpt(other)
                    );
                    return Err(ODataError::new(position, message));
                }
            }
        }
        if fetch.aggregate { Ok(()) } else { Err(ODataError::new(0, "$apply needs groupby or aggregate.")) }
    }
}

/// `name(inner)`
fn call(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.trim().split_once('(')?;
    Some((name.trim(), rest.strip_suffix(')')?))
}

fn groupby(table: &'static Table, inner: &str) -> Result<Vec<Pick>, ODataError> {
    let parts = split(inner, ',')?;
    let (columns, rest) = match parts.as_slice() {
        [(_, columns)] => (*columns, None),
        [(_, columns), (_, aggregate)] => (*columns, Some(*aggregate)),
        _ => return Err(syntax(inner, 0)),
    };
    let columns = columns.trim().strip_prefix('(').and_then(|c| c.strip_suffix(')')).ok_or_else(|| syntax(inner, 0))?;
    let mut picks = Vec::new();
    for name in columns.split(',') {
        let (column, _) = own_column(table, name.trim())?;
        picks.push(Pick::value(column, name.trim()));
    }
    if let Some(aggregate) = rest {
        match call(aggregate) {
            Some(("aggregate", inner)) => picks.extend(aggregates(table, inner)?),
            _ => return Err(syntax(inner, 0)),
        }
    }
    Ok(picks)
}

/// `x with sum as t,$count as c`
fn aggregates(table: &'static Table, inner: &str) -> Result<Vec<Pick>, ODataError> {
    let mut picks = Vec::new();
    for (position, item) in split(inner, ',')? {
        let words: Vec<&str> = item.split_whitespace().collect();
        let (column, aggregate, name) = match words.as_slice() {
            ["$count", "as", name] => (table.id, Aggregate::Count, *name),
            [column, "with", method, "as", name] => {
                let (found, declared) = own_column(table, column)?;
                let aggregate = self::method(method, position)?;
                fetched::fits(aggregate, column, declared).map_err(|message| ODataError::new(position, message))?;
                (found, aggregate, *name)
            }
            _ => return Err(syntax(inner, position)),
        };
        let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && name.len() <= 100;
        if !is_name || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(syntax(inner, position));
        }
        picks.push(Pick { column, name: name.to_owned(), what: What::Reckoned(aggregate) });
    }
    Ok(picks)
}

fn method(name: &str, position: usize) -> Result<Aggregate, ODataError> {
    Ok(match name {
        "sum" => Aggregate::Sum,
        "average" => Aggregate::Average,
        "min" => Aggregate::Minimum,
        "max" => Aggregate::Maximum,
        "countdistinct" => Aggregate::CountDistinct,
        other => {
            let message = format!(
                "There is no aggregate '{}'; there are sum, average, min, max, countdistinct and $count.",
                excerpt(other)
            );
            return Err(ODataError::new(position, message));
        }
    })
}

/// A column of the table itself.
fn own_column(table: &'static Table, name: &str) -> Result<(&'static str, Option<&'static Column>), ODataError> {
    if name.contains('/') {
        let message = "$apply works on the columns of the set itself; use FetchXML for those of other tables.";
        return Err(ODataError::new(0, message));
    }
    let found = resolve::column(table, &[name], 0)?;
    if matches!(found.column.map(|c| c.kind), Some(Kind::Bytes)) {
        return Err(resolve::not_found(table, name, 0));
    }
    Ok((found.path.column, found.column))
}

/// By what the transformations leave.
fn order(value: &str) -> Result<Vec<Sort>, ODataError> {
    let criteria = value.split(',').map(|criterion| {
        let words: Vec<&str> = criterion.split_whitespace().collect();
        let (name, descending) = match words.as_slice() {
            [name] | [name, "asc"] => (*name, false),
            [name, "desc"] => (*name, true),
            _ => return Err(syntax(value, 0)),
        };
        Ok(Sort { of: String::new(), by: By::Pick(name.to_owned()), descending })
    });
    criteria.collect()
}

#[cfg(test)]
mod tests {
    use model::Entity as _;
    use model::tables::SavedQuery;

    use super::*;
    use crate::show;

    fn line(options: &[(&str, &str)]) -> String {
        match apply(SavedQuery::TABLE, options, Asker::default()) {
            Ok(fetch) => {
                show::fetch(&fetch).replace("savedqueryid", "id").replace("savedquery", "").replace(" aggregate", "")
            }
            Err(error) => format!("error: {error}"),
        }
    }
    #[track_caller]
    fn check(apply: &str, expected: &str) {
        assert_eq!(line(&[("$apply", apply)]), expected, "{apply}");
    }
    #[track_caller]
    fn refused(apply: &str, words: &str) {
        let line = line(&[("$apply", apply)]);
        assert!(line.starts_with("error: ") && line.contains(words), "{apply}: {line}");
    }

    #[test]
    fn aggregates() {
        check("aggregate($count as n)", "(Count(id) as n)");
        check(
            "aggregate(querytype with sum as s, querytype with average as a)",
            "(Sum(querytype) as s,Average(querytype) as a)",
        );
        check(
            "aggregate(createdon with max as m,createdon with min as l)",
            "(Maximum(createdon) as m,Minimum(createdon) as l)",
        );
        check("aggregate(name with countdistinct as d)", "(CountDistinct(name) as d)");
    }
    #[test]
    fn groups() {
        check("groupby((statecode))", "(statecode)");
        check("groupby((statecode,_createdby_value))", "(statecode,createdby as _createdby_value)");
        check("groupby((statecode),aggregate($count as c))", "(statecode,Count(id) as c)");
        check(
            "filter(name eq 'a/b(')/groupby((statecode),aggregate($count as c))",
            "(statecode,Count(id) as c) where name = \"a/b(\"",
        );
        check(
            "filter(name eq 'a')/filter(statecode eq 0)/aggregate($count as c)",
            "(Count(id) as c) where (name = \"a\" and statecode = 0)",
        );
    }
    #[test]
    fn order_and_top() {
        let group = ("$apply", "groupby((statecode),aggregate($count as c))");
        assert_eq!(
            line(&[group, ("$orderby", "c desc,statecode"), ("$top", "3")]),
            "(statecode,Count(id) as c) by c desc by statecode top 3"
        );
        assert!(line(&[group, ("$orderby", "name")]).contains("sorted by 'name'"));
        assert!(line(&[group, ("$top", "x")]).contains("$top"));
        assert_eq!(
            line(&[("$apply", "filter(name eq @p)/aggregate($count as c)"), ("@p", "'x'")]),
            "(Count(id) as c) where name = \"x\""
        );
    }
    #[test]
    fn errors() {
        refused("", "Syntax error");
        refused("filter(name eq 'a')", "needs groupby or aggregate");
        refused("top(3)", "'top'");
        refused("groupby(statecode)", "Syntax error");
        refused("groupby((nothing))", "'nothing'");
        refused("groupby((statecode),aggregate($count as c)", "Syntax error");
        refused("groupby((createdby/fullname))", "FetchXML");
        refused("aggregate(name with sum as s)", "whole numbers");
        refused("aggregate(querytype with median as s)", "'median'");
        refused("aggregate(querytype with sum as a'b)", "Syntax error");
        refused("aggregate($count as n,$count as n)", "two values");
        refused("aggregate($count as n)/filter(n gt 1)", "filter before");
        refused("filter(nothing eq 1)/aggregate($count as n)", "'nothing'");
    }
}
