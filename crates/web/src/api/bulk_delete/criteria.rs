//! A `QueryExpression` as JSON, as far as it says which rows are meant.

use model::query::{Compare, Path, TextMatch};
use model::table::{Access, Kind};
use model::{Filter, Query, Ref, Table, Value};

use crate::api::errors::ApiError;
use crate::api::json::Json;
use crate::api::json_in::time;
use crate::api::key::guid;

/// Filters in filters.
const DEEPEST: usize = 20;

pub(super) fn query(json: Json) -> Result<Query, ApiError> {
    let Json::Object(properties) = json else { return Err(bad("a query is an object")) };
    let (mut table, mut criteria) = (None, None);
    for (name, value) in properties {
        match (name.as_str(), value) {
            ("EntityName", Json::Text(logical)) => {
                let found = model::tables::by_logical_name(&logical).filter(|t| t.on_wire);
                table = Some(found.ok_or_else(|| no_entity(&logical))?);
            }
            ("Criteria", value @ Json::Object(_)) => criteria = Some(value),
            // How much, in which order and with what else does not matter here.
            ("ColumnSet" | "Distinct" | "NoLock" | "Orders" | "PageInfo" | "QueryHints" | "DataSource", _)
            | ("TopCount" | "Criteria" | "LinkEntities" | "SubQueryExpression", Json::Null) => {}
            ("LinkEntities", Json::Array(links)) if links.is_empty() => {}
            (name, _) if name.contains('@') => {}
            (name, _) => return Err(bad(&format!("'{}' is not understood", actions::validate::excerpt(name)))),
        }
    }
    let table: &'static Table = table.ok_or_else(|| bad("EntityName is missing"))?;
    // All rows of a table: only where somebody says so.
    let criteria = criteria.ok_or_else(|| bad("Criteria is missing"))?;
    let mut query = Query::table(table);
    query.filter = filter(table, criteria, 0)?;
    query.select = vec![table.id];
    Ok(query)
}

fn filter(table: &'static Table, json: Json, depth: usize) -> Result<Filter, ApiError> {
    let Json::Object(properties) = json else { return Err(bad("a filter is an object")) };
    if depth > DEEPEST {
        return Err(bad("its filters are nested too deeply"));
    }
    let (mut any, mut parts) = (false, Vec::new());
    for (name, value) in properties {
        match (name.as_str(), value) {
            ("FilterOperator", Json::Text(text)) if text.eq_ignore_ascii_case("and") => {}
            ("FilterOperator", Json::Text(text)) if text.eq_ignore_ascii_case("or") => any = true,
            ("FilterOperator", Json::Int(0)) => {}
            ("FilterOperator", Json::Int(1)) => any = true,
            ("Conditions", Json::Array(items)) => {
                for item in items {
                    parts.push(condition(table, item)?);
                }
            }
            ("Filters", Json::Array(items)) => {
                for item in items {
                    parts.push(filter(table, item, depth + 1)?);
                }
            }
            ("IsQuickFindFilter" | "FilterHint" | "AnyAllFilterLinkEntity", _)
            | ("Conditions" | "Filters", Json::Null) => {}
            (name, _) if name.contains('@') => {}
            (name, _) => return Err(bad(&format!("'{}' is not understood", actions::validate::excerpt(name)))),
        }
    }
    Ok(match parts.len() {
        0 => Filter::All,
        _ if any => Filter::Or(parts),
        _ => Filter::And(parts),
    })
}

fn condition(table: &'static Table, json: Json) -> Result<Filter, ApiError> {
    let Json::Object(properties) = json else { return Err(bad("a condition is an object")) };
    let (mut column, mut operator, mut values) = (None, String::new(), Vec::new());
    for (name, value) in properties {
        match (name.as_str(), value) {
            ("AttributeName", Json::Text(text)) => column = Some(text),
            ("Operator", Json::Text(text)) => operator = text.to_ascii_lowercase(),
            ("Values", Json::Array(items)) => values = items,
            ("EntityName", Json::Text(text)) if text == table.logical => {}
            ("EntityName" | "Values", Json::Null) | ("CompareColumns", Json::Bool(false)) => {}
            (name, _) if name.contains('@') => {}
            (name, _) => return Err(bad(&format!("'{}' is not understood", actions::validate::excerpt(name)))),
        }
    }
    let name = column.ok_or_else(|| bad("a condition has no AttributeName"))?;
    let (column, kind) = if name == table.id {
        (table.id, Kind::Id)
    } else {
        let readable = |c: &&model::Column| !matches!(c.access, Access::Internal | Access::Write);
        let found = table.column(&name).filter(readable).ok_or_else(|| no_attribute(table, &name))?;
        (found.name, found.kind)
    };
    let values: Vec<Value> = values
        .into_iter()
        .map(|v| {
            typed(kind, v).ok_or_else(|| bad(&format!("a value for '{column}' is of another type than the column")))
        })
        .collect::<Result<_, _>>()?;
    compared(column.into(), &operator, values)
}

fn compared(path: Path, operator: &str, values: Vec<Value>) -> Result<Filter, ApiError> {
    match operator {
        "null" if values.is_empty() => return Ok(Filter::IsNull(path)),
        "notnull" if values.is_empty() => return Ok(Filter::Not(Box::new(Filter::IsNull(path)))),
        "in" => return Ok(Filter::In(path, values)),
        "notin" => return Ok(Filter::Not(Box::new(Filter::In(path, values)))),
        _ => {}
    }
    let mut values = values.into_iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(bad(&format!(
            "the operator '{}' does not take these values",
            actions::validate::excerpt(operator)
        )));
    };
    let compare = match operator {
        "equal" => Compare::Equal,
        "notequal" => Compare::NotEqual,
        "lessthan" => Compare::Less,
        "lessequal" => Compare::LessOrEqual,
        "greaterthan" => Compare::Greater,
        "greaterequal" => Compare::GreaterOrEqual,
        _ => {
            let how = match operator {
                "beginswith" => TextMatch::StartsWith,
                "endswith" => TextMatch::EndsWith,
                "contains" => TextMatch::Contains,
                _ => {
                    let operator = actions::validate::excerpt(operator);
                    return Err(bad(&format!("the operator '{operator}' is not understood here")));
                }
            };
            let Value::Text(text) = value else { return Err(bad("a part of a text is looked for in a text")) };
            return Ok(Filter::Text(path, how, text));
        }
    };
    Ok(Filter::Compare(path, compare, value))
}

/// A value: bare, or `{"Value": …, "Type": "System.Guid"}`.
fn typed(kind: Kind, json: Json) -> Option<Value> {
    let json = match json {
        Json::Object(properties) => properties.into_iter().find(|(name, _)| name == "Value")?.1,
        bare => bare,
    };
    Some(match (kind, json) {
        (Kind::Id, Json::Text(text)) => Value::Id(guid(&text)?),
        (Kind::Lookup([target]), Json::Text(text)) => Value::Ref(Ref::new(target, guid(&text)?)),
        (Kind::Lookup(_), Json::Text(text)) => Value::Id(guid(&text)?),
        (Kind::Text { .. } | Kind::Email { .. } | Kind::Memo, Json::Text(text)) => Value::Text(text),
        (Kind::Time, Json::Text(text)) => Value::Time(time(&text)?),
        (Kind::Bool, Json::Bool(b)) => Value::Bool(b),
        (Kind::Int { .. } | Kind::BigInt | Kind::Choice(_), Json::Int(n)) => Value::Int(n),
        // Clients write every value as text.
        (Kind::Int { .. } | Kind::BigInt | Kind::Choice(_), Json::Text(text)) => Value::Int(text.parse().ok()?),
        (Kind::Bool, Json::Text(text)) => Value::Bool(text.to_ascii_lowercase().parse().ok()?),
        _ => return None,
    })
}

fn bad(why: &str) -> ApiError {
    ApiError::bad_payload(format!("The QuerySet cannot be used: {why}."))
}

/// 0x80041102
fn no_entity(name: &str) -> ApiError {
    let message = format!("The entity with a name = '{}' was not found.", actions::validate::excerpt(name));
    model::Refusal::new(0x8004_1102, "QueryBuilderNoEntity", model::Words::foreign(message)).into()
}

/// 0x80041103
fn no_attribute(table: &Table, name: &str) -> ApiError {
    let name = actions::validate::excerpt(name);
    let message = format!("'{}' entity doesn't contain attribute with Name = '{name}'.", table.logical);
    model::Refusal::new(0x8004_1103, "QueryBuilderNoAttribute", model::Words::foreign(message)).into()
}
