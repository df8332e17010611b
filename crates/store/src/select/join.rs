//! Joins that the caller names: what links tables, and what may be seen of
//! those that are linked.

use model::Filter;
use model::fetch::{Link, LinkKind, Source};

use crate::error::StoreError;
use crate::select::scope::{self, Scope};
use crate::select::{Builder, filter, seen, source};

/// Joins the links of a source, whose rows stand under `alias`, to the scope.
pub(crate) fn links(source: &Source, alias: &str, scope: &mut Scope, builder: &mut Builder) -> Result<(), StoreError> {
    for link in &source.links {
        let sql = join(source, alias, link, scope, builder)?;
        scope.joins.push_str(&sql);
    }
    Ok(())
}

fn join(
    parent: &Source,
    alias: &str,
    link: &Link,
    scope: &mut Scope,
    builder: &mut Builder,
) -> Result<String, StoreError> {
    let table = link.source.table;
    let fresh = builder.alias();
    scope.named.insert(link.source.alias.clone(), (table, fresh.clone()));
    let on = match link.kind {
        LinkKind::First => first(parent, alias, link, &fresh, builder)?,
        LinkKind::Inner | LinkKind::Outer => {
            let mut on = equal(parent, alias, link, &fresh, builder)?;
            if let Some(seen) = seen::condition(table, &fresh, builder)? {
                on = format!("{on} AND {seen}");
            }
            if link.source.filter != Filter::All {
                on = format!("{on} AND {}", seen::on_row(&link.source.filter, table, &fresh, builder)?);
            }
            on
        }
    };
    // What hangs on an outer link belongs to it: it must not make its
    // absence the absence of the whole row.
    let mut inner = String::new();
    for next in &link.source.links {
        inner.push_str(&join(&link.source, &fresh, next, scope, builder)?);
    }
    let word = if link.kind == LinkKind::Outer { "LEFT" } else { "INNER" };
    let named = format!("{} AS {fresh}", source::source(table));
    let joined = if inner.is_empty() { named } else { format!("({named}{inner})") };
    Ok(format!(" {word} JOIN {joined} ON {on}"))
}

/// The columns that link the two are equal.
fn equal(parent: &Source, alias: &str, link: &Link, fresh: &str, builder: &Builder) -> Result<String, StoreError> {
    let to = scope::column(parent.table, alias, link.to).ok_or_else(|| StoreError::no_column(parent.table, link.to))?;
    let table = link.source.table;
    let from = scope::column(table, fresh, link.from).ok_or_else(|| StoreError::no_column(table, link.from))?;
    filter::between(&from, "=", &to, builder)
}

/// The row is the first of those that link, by its id.
fn first(parent: &Source, alias: &str, link: &Link, fresh: &str, builder: &mut Builder) -> Result<String, StoreError> {
    let table = link.source.table;
    let mut scope = Scope::new(table, builder);
    let mut condition = equal(parent, alias, link, &scope.alias, builder)?;
    let filter = filter::condition(&link.source.filter, &mut scope, builder)?;
    condition = format!("{condition} AND ({filter})");
    if let Some(seen) = seen::condition(table, &scope.alias, builder)? {
        condition = format!("{condition} AND {seen}");
    }
    let (id, x) = (table.id, &scope.alias);
    Ok(format!(
        "{fresh}.\"{id}\" = (SELECT {x}.\"{id}\" FROM {} WHERE {condition} ORDER BY {x}.\"{id}\" LIMIT 1)",
        scope.from()
    ))
}

/// Some row links to the scope's row and satisfies its own filter.
pub(crate) fn exists(link: &Link, outer: &Scope, builder: &mut Builder) -> Result<String, StoreError> {
    let table = link.source.table;
    let mut inner = Scope::new(table, builder);
    let alias = inner.alias.clone();
    links(&link.source, &alias, &mut inner, builder)?;
    let parent = Source::of(outer.table, "");
    let here = equal(&parent, &outer.alias, link, &alias, builder)?;
    let mut condition = filter::condition(&link.source.filter, &mut inner, builder)?;
    if let Some(seen) = seen::condition(table, &alias, builder)? {
        condition = format!("({condition}) AND {seen}");
    }
    Ok(format!("EXISTS (SELECT 1 FROM {} WHERE {here} AND ({condition}))", inner.from()))
}
