//! `<filter>` and `<condition>`.

use model::Table;
use model::query::{Compare, Filter, TextMatch};
use model::table::Kind;

use super::FetchError;
use super::operator::{self, Operator};
use super::source::{Reader, column};
use super::xml::Element;
use crate::odata::crm::{self, Fault};
use crate::odata::excerpt;
use crate::odata::literal::given;
use crate::odata::resolve::Found;

/// Conditions of one query at most.
const MOST: usize = 500;
/// Wild cards of one pattern at most: each may have to look at all of a text.
const MOST_WILD: usize = 16;

const FILTER: &[&str] =
    &["type", "isquickfindfields", "overridequickfindrecordlimitenabled", "bypassquickfind", "hint"];
const CONDITION: &[&str] = &[
    "attribute",
    "column",
    "entityname",
    "operator",
    "value",
    "valueof",
    "uiname",
    "uitype",
    "uihidden",
    "aggregate",
    "alias",
];

impl Reader<'_> {
    /// A `<filter>` of a source.
    pub(super) fn filter(
        &mut self,
        element: &Element,
        table: &'static Table,
        alias: &str,
    ) -> Result<Filter, FetchError> {
        element.only(FILTER)?;
        let or = match element.get("type").unwrap_or("and") {
            "and" | "" => false,
            "or" => true,
            _ => return Err(FetchError::xml("'type' of <filter> is and or or.")),
        };
        let mut parts = Vec::new();
        for child in &element.children {
            parts.push(match child.name.as_str() {
                "condition" => self.condition(child, table, alias)?,
                "filter" => self.filter(child, table, alias)?,
                "link-entity" => self.linked(child, table)?,
                _ => return Err(child.unexpected("filter")),
            });
        }
        Ok(match (parts.len(), or) {
            (0, _) => Filter::All,
            (1, _) => parts.pop().unwrap_or(Filter::All),
            (_, true) => Filter::Or(parts),
            (_, false) => Filter::And(parts),
        })
    }

    fn condition(&mut self, element: &Element, table: &'static Table, alias: &str) -> Result<Filter, FetchError> {
        element.only(CONDITION)?;
        self.conditions += 1;
        if self.conditions > MOST {
            return Err(FetchError::invalid(format!("The query has more than {MOST} conditions.")));
        }
        if element.get("aggregate").is_some() {
            return Err(FetchError::invalid("A condition cannot be on an aggregate: aggregates are not filtered."));
        }
        let (of, table) = match element.get("entityname").filter(|n| !n.is_empty()) {
            None => (None, table),
            Some(name) => self.entity_name(name, alias, table)?,
        };
        let name = match element.get("attribute").or(element.get("column")) {
            Some(name) => name,
            None => element.required("attribute")?,
        };
        let (name, declared) = column(table, name)?;
        let found = Found { path: name.into(), column: declared, guards: Vec::new() };
        let word = element.required("operator")?;
        let operator = operator::named(word)
            .ok_or_else(|| FetchError::invalid(format!("There is no operator '{}'.", excerpt(word))))?;
        if let Some(other) = element.get("valueof") {
            let Operator::Compare(compare) = operator else {
                return Err(FetchError::invalid("'valueof' goes with eq, ne, gt, ge, lt and le."));
            };
            let own = of.clone().unwrap_or_else(|| alias.to_owned());
            return self.value_of(&found, &own, table, compare, other);
        }
        if let (Operator::Text(TextMatch::Words, _), None, true) = (operator, declared, table.words.is_empty()) {
            let message = format!(
                "Operator '{word}': the rows of '{}' are not searched as a whole; name a column.",
                table.logical
            );
            return Err(FetchError::invalid(message));
        }
        let values = values(element)?;
        let filter = condition(word, operator, &found, &values, self)?;
        Ok(match of {
            Some(of) => Filter::Of(of, Box::new(filter)),
            None => filter,
        })
    }

    /// The source that a condition of the root's names; `None`: its own.
    fn entity_name(
        &self,
        name: &str,
        alias: &str,
        own: &'static Table,
    ) -> Result<(Option<String>, &'static Table), FetchError> {
        let (found, table) = self.source_named(name)?;
        if found == alias {
            return Ok((None, own));
        }
        if !alias.is_empty() || self.inside {
            return Err(FetchError::invalid(format!(
                "A condition of a <link-entity> cannot be on '{}'. Move it to the <filter> of the <entity>.",
                excerpt(name)
            )));
        }
        Ok((Some(found), table))
    }

    /// `valueof="column"` or `valueof="alias.column"`.
    fn value_of(
        &self,
        found: &Found,
        alias: &str,
        table: &'static Table,
        compare: Compare,
        other: &str,
    ) -> Result<Filter, FetchError> {
        let (right, right_table, right_name) = match other.split_once('.') {
            Some((of, name)) => {
                let (of, table) = self.source_named(of)?;
                (of, table, name)
            }
            None => (alias.to_owned(), table, other),
        };
        let (right_name, declared) = column(right_table, right_name)?;
        let right_found = Found { path: right_name.into(), column: declared, guards: Vec::new() };
        if found.type_name() != right_found.type_name() {
            return Err(FetchError::invalid(format!(
                "'{}' and '{right_name}' cannot be compared: they are of type {} and {}.",
                found.path.column,
                found.type_name(),
                right_found.type_name()
            )));
        }
        if right == alias && (alias.is_empty() || self.inside || self.in_link(alias)) {
            let filter = Filter::Columns(found.path.clone(), compare, right_name.into());
            return Ok(filter);
        }
        if self.inside {
            return Err(FetchError::invalid("'valueof' cannot lead out of a <link-entity> of a <filter>."));
        }
        Ok(Filter::Across { left: (alias.to_owned(), found.path.column), compare, right: (right, right_name) })
    }
}

fn values(element: &Element) -> Result<Vec<String>, FetchError> {
    let mut values = Vec::new();
    values.extend(element.get("value").map(str::to_owned));
    for child in &element.children {
        if child.name != "value" {
            return Err(child.unexpected("condition"));
        }
        child.only(&["uiname", "uitype"])?;
        values.push(child.text.trim().to_owned());
    }
    Ok(values)
}

fn condition(
    word: &str,
    operator: Operator,
    found: &Found,
    values: &[String],
    reader: &Reader<'_>,
) -> Result<Filter, FetchError> {
    let said =
        |message: String| FetchError::invalid(format!("Operator '{word}' on '{}': {message}", found.path.column));
    let none = || if values.is_empty() { Ok(()) } else { Err(said("takes no value.".into())) };
    let one = || match values {
        [one] => Ok(one.as_str()),
        _ => Err(said("takes one value.".into())),
    };
    match operator {
        Operator::Null => none().map(|()| Filter::IsNull(found.path.clone())),
        Operator::NotNull => none().map(|()| Filter::Not(Box::new(Filter::IsNull(found.path.clone())))),
        Operator::Compare(compare) => {
            let text = one()?;
            let value = given(found, text).ok_or_else(|| said(crm::wanted(found, text)))?;
            if !matches!(compare, Compare::Equal | Compare::NotEqual) && !has_order(found) {
                return Err(said("the column has no order; it takes eq and ne.".into()));
            }
            Ok(Filter::Compare(found.path.clone(), compare, value))
        }
        Operator::Text(how, not) => {
            let text = one()?;
            let kind = found.column.map(|c| c.kind);
            // The primary key stands for all of a row's texts that are searched.
            let whole = how == TextMatch::Words && found.column.is_none();
            if !whole && !matches!(kind, Some(Kind::Text { .. } | Kind::Email { .. } | Kind::Memo)) {
                return Err(said("the column holds no text.".into()));
            }
            if how == TextMatch::Like && text.chars().filter(|c| matches!(c, '%' | '[')).count() > MOST_WILD {
                return Err(said(format!("the pattern has more than {MOST_WILD} wild cards.")));
            }
            let matches = Filter::Text(found.path.clone(), how, text.to_owned());
            Ok(if not { Filter::Not(Box::new(matches)) } else { matches })
        }
        Operator::Crm(name) => crm::condition(name, found, values, reader.asker).map_err(|fault| match fault {
            Fault::Value(n) => said(crm::wanted(found, values.get(n).map_or("", String::as_str))),
            Fault::Said(message) => said(message),
            Fault::Unknown => said("is not supported.".into()),
        }),
    }
}

pub(super) fn has_order(found: &Found) -> bool {
    !matches!(found.column.map(|c| c.kind), None | Some(Kind::Bool | Kind::Id | Kind::Lookup(_)))
}
