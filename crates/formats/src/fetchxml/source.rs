//! `<entity>`: what is read of each table.

use std::collections::BTreeMap;

use model::fetch::{Aggregate, By, DatePart, Pick, Sort, Source, What};
use model::query::Filter;
use model::table::Kind;
use model::{Column, Fetch, Table, tables};

use super::FetchError;
use super::link::{LinkType, alias_of, is_joined, link_type};
use super::xml::Element;
use crate::odata::{Asker, excerpt, resolve};

const MOST_ORDER: usize = 20;

const ATTRIBUTE: &[&str] = &[
    "name",
    "alias",
    "aggregate",
    "groupby",
    "distinct",
    "dategrouping",
    "usertimezone",
    "build",
    "addedby",
    "rowaggregate",
];
pub(super) struct Reader<'a> {
    pub asker: &'a Asker,
    /// The aliases of all links that rows can come from, and their tables.
    named: BTreeMap<String, &'static Table>,
    root: &'static Table,
    aggregate: bool,
    pub conditions: usize,
    /// Links that have got their alias.
    pub links: usize,
    pub all_links: usize,
    /// Inside a link that only asks whether there are rows.
    pub inside: bool,
}

/// A table by its logical name.
pub(super) fn table(name: &str) -> Result<&'static Table, FetchError> {
    tables::by_logical_name(name).filter(|t| t.on_wire).ok_or_else(|| FetchError::no_entity(name))
}

pub(super) fn column(table: &'static Table, name: &str) -> Result<(&'static str, Option<&'static Column>), FetchError> {
    resolve::attribute(table, name).ok_or_else(|| FetchError::no_attribute(table.logical, name))
}

impl<'a> Reader<'a> {
    /// Looks at the names of all links first: conditions may come before them.
    pub fn new(entity: &Element, root: &'static Table, asker: &'a Asker, fetch: &Fetch) -> Result<Self, FetchError> {
        let mut reader = Self {
            asker,
            named: BTreeMap::new(),
            root,
            aggregate: fetch.aggregate,
            conditions: 0,
            links: 0,
            all_links: 0,
            inside: false,
        };
        let mut number = 0;
        reader.collect(entity, &mut number)?;
        Ok(reader)
    }

    fn collect(&mut self, element: &Element, number: &mut usize) -> Result<(), FetchError> {
        for link in element.children.iter().filter(|c| c.name == "link-entity" && is_joined(c)) {
            let table = table(link.required("name")?)?;
            *number += 1;
            let alias = alias_of(link, table, *number)?;
            if self.named.insert(alias.clone(), table).is_some() {
                return Err(FetchError::invalid(format!("The alias '{alias}' is given twice.")));
            }
            self.collect(link, number)?;
        }
        Ok(())
    }

    pub fn read(mut self, entity: &Element, out: &mut Fetch) -> Result<(), FetchError> {
        out.root = self.source(entity, self.root, "", &mut out.order)?;
        let bare = out.root.picks.is_empty() && !entity.children.iter().any(|c| c.name == "all-attributes");
        if bare && out.is_plain() {
            out.root.picks = all(self.root, "");
        }
        crate::fetched::check(out).map_err(FetchError::invalid)
    }

    pub(super) fn source(
        &mut self,
        element: &Element,
        table: &'static Table,
        alias: &str,
        order: &mut Vec<Sort>,
    ) -> Result<Source, FetchError> {
        let mut source = Source::of(table, alias);
        let mut filters = Vec::new();
        let mut links = Vec::new();
        for child in &element.children {
            match child.name.as_str() {
                "attribute" => {
                    let pick = self.attribute(child, table, alias)?;
                    if !source.picks.contains(&pick) {
                        source.picks.push(pick);
                    }
                }
                "all-attributes" if self.aggregate => {
                    return Err(FetchError::invalid("<all-attributes> cannot be part of an aggregate."));
                }
                "all-attributes" => {
                    child.only(&[])?;
                    let fresh = all(table, alias);
                    let fresh: Vec<Pick> = fresh.into_iter().filter(|p| !source.picks.contains(p)).collect();
                    source.picks.extend(fresh);
                }
                "order" => order.push(self.order(child, table, alias, order.len())?),
                "filter" => filters.push(self.filter(child, table, alias)?),
                "link-entity" => links.push(child),
                "no-attrs" => {}
                _ => return Err(child.unexpected(&element.name)),
            }
        }
        for child in links {
            match link_type(child)? {
                LinkType::Joined(kind) => source.links.push(self.joined(child, kind, table, order)?),
                _ => filters.push(self.linked(child, table)?),
            }
        }
        source.filter = match filters.len() {
            0 => Filter::All,
            1 => filters.pop().unwrap_or(Filter::All),
            _ => Filter::And(filters),
        };
        Ok(source)
    }

    fn attribute(&self, element: &Element, table: &'static Table, alias: &str) -> Result<Pick, FetchError> {
        element.only(ATTRIBUTE)?;
        if !element.children.is_empty() {
            return Err(element.children[0].unexpected("attribute"));
        }
        let (name, declared) = column(table, element.required("name")?)?;
        let given = element.get("alias").filter(|a| !a.is_empty());
        if let Some(given) = given {
            is_name(given)?;
        }
        if !self.aggregate {
            for aggregated in ["aggregate", "groupby", "dategrouping"] {
                if element.get(aggregated).is_some_and(|v| !v.is_empty() && v != "false") {
                    return Err(FetchError::invalid(format!(
                        "'{aggregated}' on '{name}' needs aggregate=\"true\" on <fetch>."
                    )));
                }
            }
            return Ok(Pick::value(name, given.map_or_else(|| shown(declared, name, alias), str::to_owned)));
        }
        let given = given.ok_or_else(|| {
            FetchError::invalid(format!("In an aggregate, <attribute name=\"{name}\"> needs an alias."))
        })?;
        Ok(Pick { column: name, name: given.to_owned(), what: self.what(element, name, declared)? })
    }

    fn what(&self, element: &Element, name: &str, declared: Option<&'static Column>) -> Result<What, FetchError> {
        let part = element.get("dategrouping").filter(|v| !v.is_empty());
        if element.flag("groupby")? {
            return match part {
                None => Ok(What::Value),
                Some(part) if matches!(declared.map(|c| c.kind), Some(Kind::Time)) => date_part(part).map(What::Part),
                Some(_) => Err(FetchError::invalid(format!("'dategrouping' on '{name}': the column holds no date."))),
            };
        }
        let Some(aggregate) = element.get("aggregate").filter(|v| !v.is_empty()) else {
            return Err(FetchError::invalid(format!(
                "In an aggregate, <attribute name=\"{name}\"> needs 'aggregate' or groupby=\"true\"."
            )));
        };
        let distinct = element.flag("distinct")?;
        let aggregate = match (aggregate, distinct) {
            ("count", _) => Aggregate::Count,
            ("countcolumn", false) => Aggregate::CountColumn,
            ("countcolumn", true) => Aggregate::CountDistinct,
            ("sum", _) => Aggregate::Sum,
            ("avg", _) => Aggregate::Average,
            ("min", _) => Aggregate::Minimum,
            ("max", _) => Aggregate::Maximum,
            (other, _) => {
                return Err(FetchError::invalid(format!(
                    "There is no aggregate '{}'; there are count, countcolumn, sum, avg, min and max.",
                    excerpt(other)
                )));
            }
        };
        crate::fetched::fits(aggregate, name, declared).map_err(FetchError::invalid)?;
        Ok(What::Reckoned(aggregate))
    }

    fn order(&self, element: &Element, table: &'static Table, alias: &str, so_far: usize) -> Result<Sort, FetchError> {
        element.only(&["attribute", "alias", "descending", "entityname"])?;
        if so_far >= MOST_ORDER {
            return Err(FetchError::invalid(format!("The query has more than {MOST_ORDER} <order> elements.")));
        }
        let descending = element.flag("descending")?;
        let given = |name: &str| element.get(name).filter(|v| !v.is_empty());
        let (of, table) = match given("entityname") {
            Some(name) => self.source_named(name)?,
            None => (alias.to_owned(), table),
        };
        let by = match (given("alias"), given("attribute")) {
            (Some(name), _) => By::Pick(name.to_owned()),
            (None, Some(name)) => By::Column(column(table, name)?.0),
            (None, None) => return Err(FetchError::xml("<order> needs 'attribute' or, in an aggregate, 'alias'.")),
        };
        Ok(Sort { of, by, descending })
    }

    /// A source by its alias, or by its table where only one link has it.
    pub(super) fn source_named(&self, name: &str) -> Result<(String, &'static Table), FetchError> {
        if let Some(table) = self.named.get(name) {
            return Ok((name.to_owned(), table));
        }
        let mut of_table = self.named.iter().filter(|(_, t)| t.logical == name);
        if let (Some((alias, table)), None) = (of_table.next(), of_table.next()) {
            return Ok((alias.clone(), table));
        }
        if name == self.root.logical {
            return Ok((String::new(), self.root));
        }
        Err(FetchError::invalid(format!("There is no <link-entity> with the alias '{}'.", excerpt(name))))
    }

    /// Whether the alias is that of a link: its filter stands in its own join.
    pub(super) fn in_link(&self, alias: &str) -> bool {
        self.named.contains_key(alias)
    }
}

/// Letters, digits and underscores.
pub(super) fn is_name(alias: &str) -> Result<(), FetchError> {
    let starts = alias.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let plain = alias.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if starts && plain && alias.len() <= 100 {
        return Ok(());
    }
    Err(FetchError::invalid(format!(
        "The alias '{}' must begin with a letter and hold only letters, digits and underscores.",
        excerpt(alias)
    )))
}

/// The columns of a table that people may see, its primary key first.
fn all(table: &'static Table, alias: &str) -> Vec<Pick> {
    let columns = table.all_columns().filter_map(|c| resolve::attribute(table, c.name));
    let id = Pick::value(table.id, shown(None, table.id, alias));
    [id].into_iter().chain(columns.map(|(name, column)| Pick::value(name, shown(column, name, alias)))).collect()
}

/// As the answer calls a column: `_x_value`, or `alias.x` where it is linked.
fn shown(column: Option<&'static Column>, name: &str, alias: &str) -> String {
    match column.map(|c| c.kind) {
        _ if !alias.is_empty() => format!("{alias}.{name}"),
        Some(Kind::Lookup(_)) => format!("_{name}_value"),
        _ => name.to_owned(),
    }
}

fn date_part(name: &str) -> Result<DatePart, FetchError> {
    Ok(match name {
        "day" => DatePart::Day,
        "week" => DatePart::Week,
        "month" => DatePart::Month,
        "quarter" => DatePart::Quarter,
        "year" => DatePart::Year,
        "fiscal-period" | "fiscal-year" => {
            return Err(FetchError::invalid(format!(
                "'dategrouping' {name} is not supported: the organization has no fiscal calendar. Use quarter or year."
            )));
        }
        other => {
            return Err(FetchError::invalid(format!(
                "There is no dategrouping '{}'; there are day, week, month, quarter and year.",
                excerpt(other)
            )));
        }
    })
}
