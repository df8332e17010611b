//! The rows that somebody may read, as a filter: the store narrows by it, so
//! that no list is ever thinned out after it was read.

use std::collections::BTreeSet;

use model::query::{Compare, Path};
use model::tables::{Sharing, SystemUser, Team};
use model::{Entity, Filter, Id, Ref, Refusal, Table, Value, tables};

use super::anchor::{Anchor, anchor};
use super::{Principal, Reach, Reading, Right};

/// The rows of the table that the principal may read.
pub fn readable(principal: &Principal, table: &'static Table) -> Result<Filter, Refusal> {
    let reading = principal.reading(table)?;
    Ok(narrowed(principal, table, &reading))
}

/// The rows that a privilege of some reach covers.
pub fn covered(principal: &Principal, table: &'static Table, reach: &Reach) -> Filter {
    narrowed(principal, table, &principal.rows(reach))
}

fn narrowed(principal: &Principal, table: &'static Table, reading: &Reading) -> Filter {
    let Reading::Some { owners, units } = reading else { return Filter::All };
    let mut any = Vec::new();
    match anchor(table) {
        Anchor::Owner(column) => {
            any.push(Filter::In(column.into(), owners.iter().copied().map(Value::Ref).collect()));
            if !units.is_empty() {
                any.push(within_unit(column, SystemUser::TABLE, units));
                any.push(within_unit(column, Team::TABLE, units));
            }
            if tables::SHAREABLE.contains(&table.logical) || table == tables::ACTIVITY {
                any.push(shared(table, owners));
            }
        }
        Anchor::User => {
            any.push(Filter::Compare(table.id.into(), Compare::Equal, Value::Id(principal.user)));
            if table == SystemUser::TABLE {
                any.extend(in_units("businessunitid", units));
            } else if !units.is_empty() {
                any.push(within_unit(table.id, SystemUser::TABLE, units));
            }
        }
        Anchor::Team(column) => {
            let teams = principal.teams.keys().copied().map(Value::Id).collect();
            any.push(Filter::In(table.id.into(), teams));
            any.extend(in_units(column, units));
        }
        Anchor::Unit(column) => any.extend(in_units(column, units)),
        Anchor::UnitItself => {
            let ids = units.iter().copied().chain(principal.unit).map(Value::Id).collect();
            any.push(Filter::In(table.id.into(), ids));
        }
        Anchor::Parent { lookup, table: parent } => {
            let Some(parent) = tables::by_logical_name(parent) else { return Filter::Or(Vec::new()) };
            let filter = Box::new(narrowed(principal, parent, reading));
            return Filter::Within { path: lookup.into(), table: parent, column: parent.id, filter };
        }
        // Such privileges reach everything or nothing.
        Anchor::Nobody => {}
    }
    if any.len() == 1 { any.remove(0) } else { Filter::Or(any) }
}

fn refs(units: &BTreeSet<Id>) -> Vec<Value> {
    units.iter().map(|id| Value::Ref(Ref::new("businessunit", *id))).collect()
}

fn in_units(column: &'static str, units: &BTreeSet<Id>) -> Option<Filter> {
    (!units.is_empty()).then(|| Filter::In(column.into(), refs(units)))
}

/// The owner in `column` belongs to one of the units.
fn within_unit(column: &'static str, owners: &'static Table, units: &BTreeSet<Id>) -> Filter {
    let filter = Filter::In("businessunitid".into(), refs(units));
    Filter::Within { path: Path::from(column), table: owners, column: owners.id, filter: Box::new(filter) }
}

fn shared(table: &'static Table, with: &BTreeSet<Ref>) -> Filter {
    let principals = with.iter().copied().map(Value::Ref).collect();
    let filter = Filter::In(Sharing::C.principal.name.into(), principals)
        .and(Filter::Bits(Sharing::C.rights.name.into(), Right::Read.bit()));
    Filter::Within {
        path: table.id.into(),
        table: Sharing::TABLE,
        column: Sharing::C.object.name,
        filter: Box::new(filter),
    }
}
