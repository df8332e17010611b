//! FetchXML: Dataverse's query language for joined and reckoned rows, read
//! against the declarations of the tables.
//!
//! Names are held to: an element, attribute, table, column or operator that
//! does not exist is refused with its name, for a query that means less than
//! it says is a wrong answer.

mod condition;
mod conditions;
mod edit;
pub mod layout;
pub(crate) mod link;
mod operator;
mod source;
mod xml;

use std::fmt;

use model::Fetch;
use model::fetch::{HIGHEST_TOTAL, LARGEST_PAGE};

use crate::odata::{Asker, excerpt};
pub use conditions::{Condition, Conditions, MOST as MOST_CONDITIONS, conditions};
pub use edit::{Edit, SORT, edit, quick_find};
use source::Reader;
use xml::Element;

/// Why a query is not one. Becomes a 400.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchError {
    pub kind: FetchErrorKind,
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchErrorKind {
    /// It is no FetchXML.
    InvalidXml,
    /// There is no such table.
    NoEntity,
    /// The table has no such column.
    NoAttribute,
    /// What it asks for cannot be done.
    Invalid,
}

impl FetchErrorKind {
    pub fn code(self) -> u32 {
        match self {
            Self::InvalidXml => 0x8004_0201,
            Self::NoEntity => 0x8004_1102,
            Self::NoAttribute => 0x8004_1103,
            Self::Invalid => 0x8004_0203,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::InvalidXml => "InvalidXml",
            Self::NoEntity => "QueryBuilderNoEntity",
            Self::NoAttribute => "QueryBuilderNoAttribute",
            Self::Invalid => "InvalidArgument",
        }
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for FetchError {}

impl FetchError {
    pub(crate) fn xml(message: impl Into<String>) -> Self {
        Self { kind: FetchErrorKind::InvalidXml, message: message.into() }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self { kind: FetchErrorKind::Invalid, message: message.into() }
    }

    pub(crate) fn no_entity(name: &str) -> Self {
        let message = format!("The entity with a name = '{}' was not found.", excerpt(name));
        Self { kind: FetchErrorKind::NoEntity, message }
    }

    pub(crate) fn no_attribute(table: &str, name: &str) -> Self {
        let message = format!("'{table}' entity doesn't contain attribute with Name = '{}'.", excerpt(name));
        Self { kind: FetchErrorKind::NoAttribute, message }
    }
}

const FETCH: &[&str] = &[
    "version",
    "output-format",
    "mapping",
    "distinct",
    "top",
    "count",
    "page",
    "paging-cookie",
    "aggregate",
    "aggregatelimit",
    "returntotalrecordcount",
    "utc-offset",
    "no-lock",
    "latematerialize",
    "useraworderby",
    "datasource",
    "options",
    "savedqueryid",
    "min-active-row-version",
    "getcount",
];

/// Reads a query.
///
/// # Errors
/// Whatever is not as it should be, with what to do about it.
pub fn read(xml: &str, asker: &Asker) -> Result<Fetch, FetchError> {
    let fetch = xml::read(xml)?;
    if fetch.name != "fetch" {
        return Err(FetchError::xml(format!("The query is a <fetch> element, not <{}>.", excerpt(&fetch.name))));
    }
    fetch.only(FETCH)?;
    let [entity] = fetch.children.as_slice() else {
        return Err(FetchError::xml("<fetch> holds one <entity>."));
    };
    if entity.name != "entity" {
        return Err(entity.unexpected("fetch"));
    }
    entity.only(&["name", "enableprefiltering", "prefilterparametername"])?;
    let table = source::table(entity.required("name")?)?;
    let mut out = Fetch::of(table);
    out.distinct = fetch.flag("distinct")?;
    out.aggregate = fetch.flag("aggregate")?;
    out.total = fetch.flag("returntotalrecordcount")?.then_some(HIGHEST_TOTAL);
    page(&fetch, &mut out)?;
    Reader::new(entity, table, asker, &out)?.read(entity, &mut out)?;
    Ok(out)
}

fn page(fetch: &Element, out: &mut Fetch) -> Result<(), FetchError> {
    let number = |name: &str| -> Result<Option<u64>, FetchError> {
        let Some(text) = fetch.get(name).filter(|t| !t.is_empty()) else { return Ok(None) };
        let number = text.trim().parse::<u64>().ok().filter(|n| *n > 0);
        let message = || FetchError::invalid(format!("'{name}' of <fetch> is a whole number above 0."));
        number.map(Some).ok_or_else(message)
    };
    let size = |n: u64| usize::try_from(n).unwrap_or(LARGEST_PAGE).min(LARGEST_PAGE);
    if let Some(top) = number("top")? {
        if top > LARGEST_PAGE as u64 {
            return Err(FetchError::invalid(format!("'top' of <fetch> is {LARGEST_PAGE} at most.")));
        }
        if number("page")?.is_some_and(|page| page > 1) || fetch.get("paging-cookie").is_some_and(|c| !c.is_empty()) {
            return Err(FetchError::invalid("'top' cannot be given together with 'page'; use 'count'."));
        }
        out.top = Some(size(top));
    }
    out.page.number = number("page")?.unwrap_or(1);
    out.page.size = number("count")?.map_or(LARGEST_PAGE, size);
    out.page.cookie = fetch.get("paging-cookie").filter(|c| !c.trim().is_empty()).map(str::to_owned);
    Ok(())
}

#[cfg(test)]
mod tests;
