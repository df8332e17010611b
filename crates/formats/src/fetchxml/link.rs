//! `<link-entity>`: how the rows of one table hang on those of another.

use model::fetch::{Link, LinkKind, Sort, Source};
use model::query::Filter;
use model::table::Kind;
use model::{Column, Table};

use super::FetchError;
use super::source::{Reader, column, is_name, table};
use super::xml::Element;
use crate::odata::excerpt;

/// Tables of one query at most, besides the first.
const MOST_LINKS: usize = 15;
const LINK: &[&str] = &[
    "name",
    "from",
    "to",
    "alias",
    "link-type",
    "visible",
    "intersect",
    "enableprefiltering",
    "prefilterparametername",
];

/// How the link of this type restricts or adds rows.
pub(super) enum LinkType {
    Joined(LinkKind),
    /// Rows are there, or (true) are not.
    Exists(bool),
    /// Rows are there, and none satisfies the filter.
    All,
}

pub(super) fn link_type(element: &Element) -> Result<LinkType, FetchError> {
    Ok(match element.get("link-type").unwrap_or("inner") {
        "inner" | "" | "natural" => LinkType::Joined(LinkKind::Inner),
        "outer" => LinkType::Joined(LinkKind::Outer),
        "matchfirstrowusingcrossapply" => LinkType::Joined(LinkKind::First),
        "exists" | "in" | "any" | "not all" => LinkType::Exists(false),
        "not any" => LinkType::Exists(true),
        "all" => LinkType::All,
        other => {
            return Err(FetchError::xml(format!(
                "There is no link-type '{}'; there are inner, outer, exists, in, any, not any, all, not all and matchfirstrowusingcrossapply.",
                excerpt(other)
            )));
        }
    })
}

pub(super) fn is_joined(element: &Element) -> bool {
    matches!(link_type(element), Ok(LinkType::Joined(_)))
}

impl Reader<'_> {
    pub(super) fn joined(
        &mut self,
        element: &Element,
        kind: LinkKind,
        parent: &'static Table,
        order: &mut Vec<Sort>,
    ) -> Result<Link, FetchError> {
        let (table, from, to) = self.ends(element, parent)?;
        self.links += 1;
        let alias = alias_of(element, table, self.links)?;
        let source = self.source(element, table, &alias, order)?;
        Ok(Link { kind, from, to, source })
    }

    /// A link that only asks whether there are rows.
    pub(super) fn linked(&mut self, element: &Element, parent: &'static Table) -> Result<Filter, FetchError> {
        let kind = link_type(element)?;
        let outside = std::mem::replace(&mut self.inside, true);
        let (table, from, to) = self.ends(element, parent)?;
        let source = self.only_rows(element, table)?;
        self.inside = outside;
        let link = Link { kind: LinkKind::Inner, from, to, source };
        let exists = |link: Link| Filter::Linked(Box::new(link));
        Ok(match kind {
            LinkType::Exists(true) => Filter::Not(Box::new(exists(link))),
            LinkType::All => {
                let bare = Link { source: Source::of(table, ""), ..link.clone() };
                exists(bare).and(Filter::Not(Box::new(exists(link))))
            }
            LinkType::Exists(false) => exists(link),
            LinkType::Joined(_) => {
                return Err(FetchError::invalid(
                    "A <link-entity> in a <filter> has a link-type of any, not any, all, not all, exists or in.",
                ));
            }
        })
    }

    fn only_rows(&mut self, element: &Element, table: &'static Table) -> Result<Source, FetchError> {
        let mut source = Source::of(table, "");
        for child in &element.children {
            let more = match child.name.as_str() {
                "filter" => self.filter(child, table, "")?,
                "link-entity" if is_joined(child) => {
                    // Rows of its rows: there is one, whatever it is joined by.
                    let (inner, from, to) = self.ends(child, table)?;
                    let inner = self.only_rows(child, inner)?;
                    Filter::Linked(Box::new(Link { kind: LinkKind::Inner, from, to, source: inner }))
                }
                "link-entity" => self.linked(child, table)?,
                "attribute" | "all-attributes" | "order" => {
                    return Err(FetchError::invalid(format!(
                        "A <link-entity> that only asks whether there are rows has no <{}>.",
                        child.name
                    )));
                }
                _ => return Err(child.unexpected(&element.name)),
            };
            source.filter = if source.filter == Filter::All { more } else { source.filter.and(more) };
        }
        Ok(source)
    }

    /// The table of a link and the columns that tie it to its parent.
    fn ends(
        &mut self,
        element: &Element,
        parent: &'static Table,
    ) -> Result<(&'static Table, &'static str, &'static str), FetchError> {
        element.only(LINK)?;
        self.all_links += 1;
        if self.all_links > MOST_LINKS {
            return Err(FetchError::invalid(format!("The query has more than {MOST_LINKS} links.")));
        }
        let table = table(element.required("name")?)?;
        let given = |name: &str| element.get(name).filter(|v| !v.is_empty());
        let (from, to) = match (given("from"), given("to")) {
            (None, None) => {
                return Err(FetchError::xml("<link-entity> needs 'from', its own column, and 'to', its parent's."));
            }
            (from, to) => (from.unwrap_or(table.id), to.unwrap_or(parent.id)),
        };
        let (from, from_column) = column(table, from)?;
        let (to, to_column) = column(parent, to)?;
        if family(from_column) != family(to_column) {
            return Err(FetchError::invalid(format!(
                "'{from}' of {} and '{to}' of {} cannot be linked: they hold different types.",
                table.logical, parent.logical
            )));
        }
        Ok((table, from, to))
    }
}

pub(super) fn alias_of(link: &Element, table: &Table, number: usize) -> Result<String, FetchError> {
    match link.get("alias").filter(|a| !a.is_empty()) {
        Some(alias) => is_name(alias).map(|()| alias.to_owned()),
        None => Ok(format!("{}{number}", table.logical)),
    }
}

/// What columns that are linked must have in common.
pub(crate) fn family(column: Option<&'static Column>) -> u8 {
    match column.map(|c| c.kind) {
        None | Some(Kind::Id | Kind::Lookup(_)) => 0,
        Some(Kind::Bool) => 1,
        Some(Kind::Int { .. } | Kind::BigInt | Kind::Choice(_)) => 2,
        Some(Kind::Time) => 3,
        Some(Kind::Text { .. } | Kind::Email { .. } | Kind::Memo) => 4,
        Some(Kind::Bytes | Kind::Secret { .. }) => 5,
    }
}
