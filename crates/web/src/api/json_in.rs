//! A JSON payload becomes a draft. What is wrong is noted, so that all faults
//! of a request can be reported together.

use actions::{Context, Draft};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::table::{Access, Child, Kind};
use model::tables::ACTIVITY;
use model::{Column, Ref, Refusal, Secret, Table, Timestamp, Value};

use crate::api::bind::{self, Target};
use crate::api::errors::ApiError;
use crate::api::json::Json;
use crate::api::key::guid;

/// Rows of a deep insert, all levels together.
const MOST_ROWS: usize = 1000;

/// Reads the properties of one row and of those written with it.
pub(crate) async fn draft(
    ctx: &Context,
    table: &'static Table,
    properties: Vec<(String, Json)>,
) -> Result<Draft, ApiError> {
    let mut draft = row(ctx, table, properties).await?;
    if size(&draft) > MOST_ROWS + 1 {
        let message = format!("The payload has more than {MOST_ROWS} rows in the row; write them one by one.");
        draft.faults.push(actions::validate::malformed(model::Words::foreign(message)));
    }
    Ok(draft)
}

fn size(draft: &Draft) -> usize {
    let children = draft.children.iter().flat_map(|(_, rows)| rows).map(size).sum::<usize>();
    1 + children + draft.parents.iter().map(|(_, parent)| size(parent)).sum::<usize>()
}

async fn row(ctx: &Context, table: &'static Table, properties: Vec<(String, Json)>) -> Result<Draft, ApiError> {
    let mut draft = Draft::new(table);
    for (name, value) in properties {
        if let Some((nav, annotation)) = name.split_once('@') {
            // Other annotations describe; they change nothing.
            if annotation == "odata.bind" {
                bind(ctx, &mut draft, nav, value).await?;
            }
        } else if let Some(child) = table.children.iter().find(|c| c.nav.eq_ignore_ascii_case(&name)) {
            children(ctx, &mut draft, *child, value).await?;
        } else if let (Json::Object(properties), Some(nav)) = (&value, bind::lookup(table, &name)) {
            parent(ctx, &mut draft, nav, properties.clone()).await?;
        } else {
            property(&mut draft, &name, value);
        }
    }
    Ok(draft)
}

async fn bind(ctx: &Context, draft: &mut Draft, nav: &str, value: Json) -> Result<(), ApiError> {
    let Some((column, target)) = bind::lookup(draft.table, nav) else {
        draft.faults.push(undeclared(nav));
        return Ok(());
    };
    let url = match value {
        Json::Null => {
            put(draft, column, Value::Null);
            return Ok(());
        }
        Json::Text(url) => url,
        _ => {
            let message = format!("'{nav}@odata.bind' takes the URL of a row, or null.");
            draft.faults.push(actions::validate::malformed(model::Words::foreign(message)).at(column.name));
            return Ok(());
        }
    };
    let found = match bind::target(&url) {
        Ok(Target::Row(table, id)) if table == ACTIVITY => {
            // The row is where its activity's own table is; one that is not
            // there is told so later.
            let found = actions::resolve::activity(ctx, id).await?;
            let table = found.or_else(|| model::tables::activities().next()).unwrap_or(table);
            Ok(Ref::new(table.logical, id))
        }
        Ok(Target::Row(table, id)) => Ok(Ref::new(table.logical, id)),
        Ok(Target::Keyed(table, key)) => match actions::resolve::key(ctx, table, &key).await {
            Ok(id) => Ok(Ref::new(table.logical, id)),
            Err(error) => Err(error.into()),
        },
        Err(error) => Err(error),
    };
    match found {
        Ok(found) if target.is_some_and(|t| t != found.table) => {
            let message =
                format!("'{nav}@odata.bind' takes a row of {}, not of {}.", target.unwrap_or(""), found.table);
            draft.faults.push(actions::validate::malformed(model::Words::foreign(message)).at(column.name));
        }
        Ok(found) => put(draft, column, Value::Ref(found)),
        Err(ApiError { internal: None, faults, .. }) => {
            draft.faults.extend(faults.into_iter().map(|f| f.at(column.name)));
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

fn put(draft: &mut Draft, column: &'static Column, value: Value) {
    draft.values.insert(column.name, value);
}

fn undeclared(nav: &str) -> Refusal {
    actions::validate::malformed(model::Words::foreign(format!(
        "An undeclared property '{}' which only has property annotations in the payload but no property value was found in the payload. In OData, only declared navigation properties and declared named streams can be represented as properties without values.",
        actions::validate::excerpt(nav)
    )))
}

async fn children(ctx: &Context, draft: &mut Draft, child: Child, value: Json) -> Result<(), ApiError> {
    let Some(table) = model::tables::by_logical_name(child.table) else { return Ok(()) };
    let Json::Array(items) = value else {
        draft.faults.push(actions::validate::malformed(model::Words::foreign(format!(
            "'{}' takes an array of rows.",
            child.nav
        ))));
        return Ok(());
    };
    if items.len() > MOST_ROWS {
        let message = format!("'{}' has {} rows; at most {MOST_ROWS} are taken at once.", child.nav, items.len());
        draft.faults.push(actions::validate::malformed(model::Words::foreign(message)));
        return Ok(());
    }
    let mut rows = Vec::new();
    for item in items {
        let Json::Object(properties) = item else {
            draft.faults.push(actions::validate::malformed(model::Words::foreign(format!(
                "'{}' takes an array of rows.",
                child.nav
            ))));
            return Ok(());
        };
        rows.push(Box::pin(row(ctx, table, properties)).await?);
    }
    draft.children.push((child, rows));
    Ok(())
}

/// A row that a lookup is to point to, to be made with this one.
async fn parent(
    ctx: &Context,
    draft: &mut Draft,
    (column, target): (&'static Column, Option<&'static str>),
    properties: Vec<(String, Json)>,
) -> Result<(), ApiError> {
    let said = properties.iter().find(|(name, _)| name == "@odata.type").map(|(_, value)| value);
    let said = if let Some(Json::Text(text)) = said { text.rsplit('.').next() } else { None };
    let only = match column.kind {
        Kind::Lookup([only]) => Some(*only),
        _ => None,
    };
    let table = target.or(only).or(said).and_then(model::tables::by_logical_name).filter(|t| t.on_wire);
    let Some(table) = table else {
        let message = format!("'{}' can be of several tables. Name its table: '{}_<table>'.", column.name, column.name);
        draft.faults.push(actions::validate::malformed(model::Words::foreign(message)).at(column.name));
        return Ok(());
    };
    let parent = Box::pin(row(ctx, table, properties)).await?;
    draft.parents.push((column, parent));
    Ok(())
}

fn property(draft: &mut Draft, name: &str, value: Json) {
    let table = draft.table;
    if name == table.id {
        match &value {
            Json::Text(text) if guid(text).is_some() => draft.id = guid(text),
            _ => draft
                .faults
                .push(actions::validate::malformed(model::Words::foreign(format!("'{name}' takes a GUID.")))),
        }
        return;
    }
    if name == "body" && table.logical == "activitymimeattachment" {
        body(draft, value);
        return;
    }
    if let Some(column) = name.strip_prefix('_').and_then(|n| n.strip_suffix("_value")).and_then(|n| table.column(n)) {
        let message = format!(
            "'{name}' cannot be written. References are set by their navigation property: \"{}@odata.bind\".",
            table.nav(column, "<table>")
        );
        draft.faults.push(actions::validate::malformed(model::Words::foreign(message)).at(column.name));
        return;
    }
    let Some(column) = table.column(name).filter(|c| c.access != Access::Internal) else {
        draft.faults.push(actions::validate::unknown_property(table, name));
        return;
    };
    match self::value(column, value) {
        Some(value) => put(draft, column, value),
        None => draft.faults.push(actions::validate::wrong_type(column, column.kind)),
    }
}

/// The bytes of an attachment, as base64 with or without line breaks.
fn body(draft: &mut Draft, value: Json) {
    let bytes = match value {
        Json::Null => Some(Vec::new()),
        Json::Text(mut text) => {
            if text.contains(|c: char| c.is_ascii_whitespace()) {
                text.retain(|c| !c.is_ascii_whitespace());
            }
            STANDARD.decode(text).ok()
        }
        _ => None,
    };
    match bytes {
        Some(bytes) => draft.body = Some(bytes),
        None => draft
            .faults
            .push(actions::validate::malformed(model::Words::foreign("'body' takes the file's bytes as base64."))),
    }
}

/// The value in the form of the column's kind; `None` for another type.
fn value(column: &Column, json: Json) -> Option<Value> {
    Some(match (column.kind, json) {
        (_, Json::Null) => Value::Null,
        (Kind::Bool, Json::Bool(b)) => Value::Bool(b),
        (Kind::Int { .. } | Kind::BigInt | Kind::Choice(_), Json::Int(n)) => Value::Int(n),
        (Kind::Text { .. } | Kind::Email { .. } | Kind::Memo, Json::Text(text)) => Value::Text(text),
        // From here on nothing shows it.
        (Kind::Secret { .. }, Json::Text(text)) => Value::Secret(Secret::new(text)),
        (Kind::Time, Json::Text(text)) => Value::Time(time(&text)?),
        (Kind::Id, Json::Text(text)) => Value::Id(guid(&text)?),
        _ => return None,
    })
}

/// `2024-05-01T09:00:00Z`, with an offset, or a date alone (midnight UTC). The
/// year is from 1753 to 9999, what the reference product's columns hold.
pub(crate) fn time(text: &str) -> Option<Timestamp> {
    let at = match text.parse::<Timestamp>() {
        Ok(at) => at,
        Err(_) => {
            let date: jiff::civil::Date = text.parse().ok()?;
            jiff::tz::TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()?
        }
    };
    let earliest = Timestamp::from_second(-6_847_804_800).ok()?;
    let micros = Timestamp::from_microsecond(at.as_microsecond()).ok()?;
    (at >= earliest).then_some(micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(time(text).map(|t| t.to_string()).as_deref(), expected, "{text}");
    }

    #[test]
    fn utc() {
        check("2024-05-01T09:00:00Z", Some("2024-05-01T09:00:00Z"));
    }
    #[test]
    fn offset() {
        check("2024-05-01T09:00:00+02:00", Some("2024-05-01T07:00:00Z"));
    }
    #[test]
    fn date_alone() {
        check("2024-05-01", Some("2024-05-01T00:00:00Z"));
    }
    #[test]
    fn no_offset_is_a_civil_time_and_taken_as_its_date_is_not() {
        check("not a time", None);
    }
    #[test]
    fn before_1753() {
        check("1500-01-01T00:00:00Z", None);
    }
    #[test]
    fn microseconds_stay() {
        check("2024-05-01T09:00:00.123456Z", Some("2024-05-01T09:00:00.123456Z"));
    }
    #[test]
    fn finer_than_microseconds_is_cut() {
        check("2024-05-01T09:00:00.1234567Z", Some("2024-05-01T09:00:00.123456Z"));
    }
}
