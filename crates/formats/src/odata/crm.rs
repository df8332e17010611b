//! What Dataverse's own conditions mean, whichever language names them:
//! `$filter`'s functions and FetchXML's operators are the same ones.

use jiff::SignedDuration;
use model::query::{Compare, Filter};
use model::table::Kind;
use model::{Id, Ref, Value};

use super::literal::{day, given, time};
use super::period::{self, Period};
use super::resolve::Found;
use super::{Asker, excerpt};

/// Values of one list at most: what a statement can bind.
const MOST_VALUES: usize = 2_000;

/// Why a condition cannot be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The value with this index is none of the column's.
    Value(usize),
    Said(String),
    /// There is no such condition.
    Unknown,
}

fn said(message: impl Into<String>) -> Fault {
    Fault::Said(message.into())
}

/// The condition with this name (that of the OData function) on a column.
pub fn condition(name: &str, found: &Found, values: &[String], asker: &Asker) -> Result<Filter, Fault> {
    if values.len() > MOST_VALUES {
        return Err(said(format!("takes {MOST_VALUES} values at most.")));
    }
    match name {
        "In" => Ok(Filter::In(found.path.clone(), all(found, values)?)),
        "NotIn" => Ok(not(Filter::In(found.path.clone(), all(found, values)?))),
        "ContainValues" | "DoesNotContainValues" => {
            let Some(Kind::Choice(_)) = kind(found) else { return Err(said("works on choices.")) };
            let any = Filter::In(found.path.clone(), all(found, values)?);
            Ok(if name == "ContainValues" { any } else { not(any) })
        }
        "Between" | "NotBetween" => between(name, found, &all(found, values)?),
        "EqualUserId" | "NotEqualUserId" => {
            let user = asker.user.ok_or_else(|| said("needs a signed-in user."))?;
            is_id(found, user, name.starts_with("Not"))
        }
        "EqualBusinessId" | "NotEqualBusinessId" => {
            let unit = asker.unit.ok_or_else(|| said("needs a user with a business unit."))?;
            is_id(found, unit, name.starts_with("Not"))
        }
        "EqualUserTeams" => one_of(found, asker.teams.iter().copied()),
        "EqualUserOrUserTeams" => {
            let user = asker.user.ok_or_else(|| said("needs a signed-in user."))?;
            one_of(found, asker.teams.iter().copied().chain([user]))
        }
        "EqualUserLanguage" => {
            let language = asker.language.ok_or_else(|| said("needs a signed-in user."))?;
            if !matches!(kind(found), Some(Kind::Int { .. } | Kind::Choice(_))) {
                return Err(said("works on numbers of languages."));
            }
            Ok(Filter::Compare(found.path.clone(), Compare::Equal, Value::Int(language)))
        }
        "EqualUserOrUserHierarchy" | "EqualUserOrUserHierarchyAndTeams" => {
            Err(said("is not supported: users have no managers here. Use the condition on the user and their teams."))
        }
        "Above" | "AboveOrEqual" | "Under" | "UnderOrEqual" | "NotUnder" => hierarchy(name, found, values, asker),
        _ if name.contains("Fiscal") => {
            Err(said("is not supported: the organization has no fiscal calendar. Use On, OnOrAfter and OnOrBefore."))
        }
        _ => about_time(name, found, values, asker),
    }
}

fn kind(found: &Found) -> Option<Kind> {
    found.column.map(|c| c.kind)
}

fn not(filter: Filter) -> Filter {
    Filter::Not(Box::new(filter))
}

fn all(found: &Found, values: &[String]) -> Result<Vec<Value>, Fault> {
    if values.is_empty() {
        return Err(said("takes a list of values."));
    }
    values.iter().enumerate().map(|(n, v)| given(found, v).ok_or(Fault::Value(n))).collect()
}

fn between(name: &str, found: &Found, values: &[Value]) -> Result<Filter, Fault> {
    let [low, high] = values else { return Err(said("takes two values.")) };
    if matches!(kind(found), None | Some(Kind::Bool | Kind::Id | Kind::Lookup(_))) {
        return Err(said("works on columns that have an order."));
    }
    let between =
        compare(found, Compare::GreaterOrEqual, low.clone()).and(compare(found, Compare::LessOrEqual, high.clone()));
    Ok(if name == "Between" { between } else { not(between) })
}

/// An id as a value of the column.
fn id_value(found: &Found, id: Id) -> Result<Value, Fault> {
    match kind(found) {
        Some(Kind::Lookup([one])) => Ok(Value::Ref(Ref::new(one, id))),
        None | Some(Kind::Id | Kind::Lookup(_)) => Ok(Value::Id(id)),
        _ => Err(said("works on lookups and ids.")),
    }
}

fn is_id(found: &Found, id: Id, not: bool) -> Result<Filter, Fault> {
    let how = if not { Compare::NotEqual } else { Compare::Equal };
    Ok(compare(found, how, id_value(found, id)?))
}

fn one_of(found: &Found, ids: impl Iterator<Item = Id>) -> Result<Filter, Fault> {
    // Said of a column that cannot hold any even where there is none.
    id_value(found, Id::nil())?;
    let values: Result<Vec<Value>, Fault> = ids.map(|id| id_value(found, id)).collect();
    Ok(Filter::In(found.path.clone(), values?))
}

/// The tree of the business units, the only one there is.
fn hierarchy(name: &str, found: &Found, values: &[String], asker: &Asker) -> Result<Filter, Fault> {
    let is_unit = match kind(found) {
        None => found.path.column == "businessunitid",
        Some(Kind::Lookup(targets)) => targets == ["businessunit"],
        _ => false,
    };
    if !is_unit {
        return Err(said("works on business units: no other table has a hierarchy."));
    }
    let [value] = values else { return Err(said("takes one id.")) };
    let start = given(found, value).and_then(|v| v.as_id()).ok_or(Fault::Value(0))?;
    let mut ids = if name.starts_with("Above") { above(start, &asker.units) } else { under(start, &asker.units) };
    if name.ends_with("OrEqual") {
        ids.push(start);
    }
    let among = one_of(found, ids.into_iter())?;
    Ok(if name == "NotUnder" { not(among) } else { among })
}

fn above(start: Id, units: &[(Id, Option<Id>)]) -> Vec<Id> {
    let mut out: Vec<Id> = Vec::new();
    let mut here = start;
    while let Some(parent) = units.iter().find(|(unit, _)| *unit == here).and_then(|(_, parent)| *parent) {
        // A circle must not be one for us.
        if parent == start || out.contains(&parent) {
            break;
        }
        out.push(parent);
        here = parent;
    }
    out
}

fn under(start: Id, units: &[(Id, Option<Id>)]) -> Vec<Id> {
    let mut out = vec![start];
    let mut at = 0;
    while let Some(here) = out.get(at).copied() {
        let children = units.iter().filter(|(_, parent)| *parent == Some(here)).map(|(unit, _)| *unit);
        let fresh: Vec<Id> = children.filter(|unit| !out.contains(unit)).collect();
        out.extend(fresh);
        at += 1;
    }
    out.remove(0);
    out
}

fn about_time(name: &str, found: &Found, values: &[String], asker: &Asker) -> Result<Filter, Fault> {
    let on_day = matches!(name, "On" | "NotOn" | "OnOrAfter" | "OnOrBefore");
    let known = on_day || period::named(name, 1, jiff::Timestamp::UNIX_EPOCH).is_some();
    if !known {
        return Err(Fault::Unknown);
    }
    if !matches!(kind(found), Some(Kind::Time)) {
        return Err(said("is not supported on this column, which holds no date."));
    }
    if on_day {
        return on(name, found, values.first());
    }
    let now = asker.now.ok_or_else(|| said("is not supported here."))?;
    let number = match (period::takes_number(name), values) {
        (false, []) => 0,
        (false, _) => return Err(said("takes no value.")),
        (true, [number]) => number
            .trim()
            .parse::<i32>()
            .ok()
            .filter(|n| (1..=100_000).contains(n))
            .ok_or_else(|| said("takes a number from 1 to 100000."))?,
        (true, _) => return Err(said("takes a number from 1 to 100000.")),
    };
    match period::named(name, number, now) {
        Some(Period::Within(start, end)) => Ok(within(found, start, end)),
        Some(Period::Before(end)) => Ok(compare(found, Compare::Less, Value::Time(end))),
        None => Err(said("reaches beyond all dates.")),
    }
}

fn on(name: &str, found: &Found, value: Option<&String>) -> Result<Filter, Fault> {
    let date = || said("takes a date such as 2024-05-01.");
    let text = value.map(String::as_str).ok_or_else(date)?;
    let start = text.get(..10).and_then(day).filter(|_| time(text).is_some()).ok_or_else(date)?;
    let end = start.checked_add(SignedDuration::from_hours(24)).map_err(|_| date())?;
    Ok(match name {
        "OnOrAfter" => compare(found, Compare::GreaterOrEqual, Value::Time(start)),
        "OnOrBefore" => compare(found, Compare::Less, Value::Time(end)),
        "On" => within(found, start, end),
        _ => not(within(found, start, end)),
    })
}

fn compare(found: &Found, how: Compare, value: Value) -> Filter {
    Filter::Compare(found.path.clone(), how, value)
}

/// From `start` on, before `end`.
fn within(found: &Found, start: jiff::Timestamp, end: jiff::Timestamp) -> Filter {
    compare(found, Compare::GreaterOrEqual, Value::Time(start)).and(compare(found, Compare::Less, Value::Time(end)))
}

/// What the value should have been.
pub fn wanted(found: &Found, value: &str) -> String {
    let kind = match kind(found) {
        None | Some(Kind::Id | Kind::Lookup(_)) => "a GUID",
        Some(Kind::Bool) => "1 or 0",
        Some(Kind::Choice(_)) => "the number of an option",
        Some(Kind::Int { .. } | Kind::BigInt) => "a whole number",
        Some(Kind::Time) => "a date such as 2024-05-01 or 2024-05-01T09:00:00Z",
        Some(Kind::Bytes) => "nothing: it cannot be compared",
        Some(Kind::Text { .. } | Kind::Email { .. } | Kind::Memo | Kind::Secret { .. }) => "a text",
    };
    format!("'{}' is no value of '{}', which takes {kind}.", excerpt(value), found.path.column)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u128) -> Id {
        Id::from_u128(n)
    }
    /// 1 above 2 and 3, 2 above 4; 8 and 9 above each other.
    fn units() -> Vec<(Id, Option<Id>)> {
        let parents = [(1, 0), (2, 1), (3, 1), (4, 2), (8, 9), (9, 8)];
        parents.iter().map(|(unit, parent)| (id(*unit), (*parent > 0).then(|| id(*parent)))).collect()
    }
    #[track_caller]
    fn check(found: &[Id], expected: &[u128]) {
        assert_eq!(found, expected.iter().map(|n| id(*n)).collect::<Vec<_>>());
    }

    #[test]
    fn upwards() {
        check(&above(id(4), &units()), &[2, 1]);
        check(&above(id(1), &units()), &[]);
        check(&above(id(77), &units()), &[]);
    }
    #[test]
    fn downwards() {
        check(&under(id(1), &units()), &[2, 3, 4]);
        check(&under(id(2), &units()), &[4]);
        check(&under(id(77), &units()), &[]);
    }
    #[test]
    fn circles_end() {
        check(&above(id(8), &units()), &[9]);
        check(&under(id(8), &units()), &[9]);
    }
}
