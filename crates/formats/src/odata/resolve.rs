//! Names on the wire to columns, lookups and child tables.

use model::query::{Filter, Path};
use model::table::{Access, Child, Kind};
use model::{Column, Table, tables};

use super::{ODataError, excerpt};

/// Longest path of lookups.
const DEEPEST: usize = 5;

/// The owner by its kind, and the primary key of that.
const OWNING: &[(&str, &str)] = &[("_owninguser_value", "systemuserid"), ("_owningteam_value", "teamid")];

/// A column as an expression refers to it.
#[derive(Debug, Clone)]
pub struct Found {
    pub path: Path,
    /// `None`: a primary key.
    pub column: Option<&'static Column>,
    /// Primary keys that must be there for the path to hold: where a
    /// polymorphic lookup was limited to one table on the way.
    pub guards: Vec<Path>,
}

impl Found {
    /// A condition on the column. Where the row at the end of the path is not
    /// of the table that was named, the column is absent, and the condition
    /// is what it is for an absent value.
    pub fn condition(&self, filter: Filter, when_absent: bool) -> Filter {
        let mut filter = filter;
        for guard in &self.guards {
            let missing = Filter::IsNull(guard.clone());
            filter = if when_absent { missing.or(filter) } else { Filter::Not(Box::new(missing)).and(filter) };
        }
        filter
    }

    /// For messages: the type of the column in OData's words.
    pub fn type_name(&self) -> &'static str {
        match self.column.map(|c| &c.kind) {
            None | Some(Kind::Id | Kind::Lookup(_)) => "Edm.Guid",
            Some(Kind::Bool) => "Edm.Boolean",
            Some(Kind::Int { .. } | Kind::Choice(_)) => "Edm.Int32",
            Some(Kind::BigInt) => "Edm.Int64",
            Some(Kind::Time) => "Edm.DateTimeOffset",
            Some(Kind::Bytes) => "Edm.Binary",
            Some(Kind::Text { .. } | Kind::Email { .. } | Kind::Memo | Kind::Secret { .. }) => "Edm.String",
        }
    }
}

pub fn not_found(table: &Table, name: &str, position: usize) -> ODataError {
    let message = format!(
        "Could not find a property named '{}' on type 'Microsoft.Dynamics.CRM.{}'.",
        excerpt(name),
        table.logical
    );
    ODataError::new(position, message)
}

/// A column that people may see.
fn visible(table: &'static Table, name: &str) -> Option<&'static Column> {
    let hidden = |c: &Column| {
        matches!(c.access, Access::Internal | Access::Write) || matches!(c.kind, Kind::Bytes | Kind::Secret { .. })
    };
    table.column(name).filter(|c| !hidden(c))
}

/// A column by its logical name, as FetchXML and SQL have it.
pub fn attribute(table: &'static Table, name: &str) -> Option<(&'static str, Option<&'static Column>)> {
    if name == table.id {
        return Some((table.id, None));
    }
    visible(table, name).map(|c| (c.name, Some(c)))
}

/// A column by its name on the wire: a lookup is `_name_value`.
fn by_wire_name(table: &'static Table, name: &str) -> Option<(&'static str, Option<&'static Column>)> {
    if name == table.id {
        return Some((table.id, None));
    }
    let is_lookup = |c: &&'static Column| matches!(c.kind, Kind::Lookup(_));
    if let Some(column) = visible(table, name).filter(|c| !is_lookup(c)) {
        return Some((column.name, Some(column)));
    }
    let inner = name.strip_prefix('_')?.strip_suffix("_value")?;
    visible(table, inner).filter(is_lookup).map(|c| (c.name, Some(c)))
}

/// What `$select` may name: columns, and lookups also by their plain name.
pub fn selectable(table: &'static Table, name: &str, position: usize) -> Result<&'static str, ODataError> {
    by_wire_name(table, name)
        .map(|(name, _)| name)
        .or_else(|| visible(table, name).map(|c| c.name))
        .ok_or_else(|| not_found(table, name, position))
}

/// A column, possibly behind lookups: `emailserverprofile/name`.
pub fn column(table: &'static Table, segments: &[&str], position: usize) -> Result<Found, ODataError> {
    let Some((last, navs)) = segments.split_last() else { return Err(not_found(table, "", position)) };
    if navs.len() > DEEPEST {
        return Err(ODataError::new(position, "The path in the query is too long."));
    }
    let mut here = table;
    let mut lookups = Vec::new();
    let mut guards = Vec::new();
    for nav in navs {
        let Some((lookup, target, limited)) = single_valued(here, nav) else {
            return Err(match child(here, nav) {
                Some(_) => ODataError::new(position, format!("The collection '{}' needs any or all.", excerpt(nav))),
                None => not_found(here, nav, position),
            });
        };
        lookups.push(lookup.name);
        here = target;
        if limited {
            guards.push(Path { lookups: lookups.clone(), column: here.id });
        }
    }
    if let Some((_, owner)) = OWNING.iter().find(|(name, _)| name == last)
        && let Some(column) = visible(here, "ownerid")
    {
        // The owner, where it is of this table.
        guards.push(Path { lookups: [&lookups[..], &["ownerid"]].concat(), column: owner });
        return Ok(Found { path: Path { lookups, column: column.name }, column: Some(column), guards });
    }
    let (name, column) = by_wire_name(here, last).ok_or_else(|| not_found(here, last, position))?;
    Ok(Found { path: Path { lookups, column: name }, column, guards })
}

/// A lookup by its navigation property: the column, the table it leads to,
/// and whether that is one of several.
pub fn single_valued(table: &'static Table, nav: &str) -> Option<(&'static Column, &'static Table, bool)> {
    for column in table.all_columns().filter(|c| visible(table, c.name).is_some()) {
        let Kind::Lookup(targets) = column.kind else { continue };
        if column.name.eq_ignore_ascii_case(nav) {
            // Of several targets the first: those that have an owner in common have its columns too.
            return targets.first().and_then(|t| tables::by_logical_name(t)).map(|t| (column, t, false));
        }
        for target in targets {
            let short = format!("{}_{target}", column.name);
            let long = format!("{short}_{}", table.logical);
            // Every email is an activity.
            let activity = *target == "email" && nav.eq_ignore_ascii_case(&format!("{}_activitypointer", column.name));
            let named =
                activity || [table.nav(column, target), short, long].iter().any(|n| n.eq_ignore_ascii_case(nav));
            if named {
                return tables::by_logical_name(target).map(|t| (column, t, targets.len() > 1));
            }
        }
    }
    None
}

/// A collection-valued navigation property and the table whose rows it lists.
pub fn child(table: &'static Table, nav: &str) -> Option<(&'static Child, &'static Table)> {
    let child = table.children.iter().find(|c| c.nav.eq_ignore_ascii_case(nav))?;
    tables::by_logical_name(child.table).map(|t| (child, t))
}

/// The table that a many-to-many navigation property leads to.
pub fn linked(table: &'static Table, nav: &str) -> Option<&'static Table> {
    table.link(nav).and_then(|link| tables::by_logical_name(link.table))
}

/// Some row that the many-to-many navigation property leads to satisfies the filter.
pub fn connected(table: &'static Table, nav: &str, filter: Filter) -> Filter {
    let sides = table
        .link(nav)
        .and_then(|link| Some((link, tables::by_logical_name(link.through)?, tables::by_logical_name(link.table)?)));
    // What leads nowhere connects nothing.
    let Some((link, through, target)) = sides else { return Filter::Not(Box::new(Filter::All)) };
    let there = Filter::Within { path: link.there.into(), table: target, column: target.id, filter: Box::new(filter) };
    Filter::Within { path: table.id.into(), table: through, column: link.here, filter: Box::new(there) }
}
