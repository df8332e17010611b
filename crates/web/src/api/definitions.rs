//! The service document, and as much of `EntityDefinitions` as clients need to
//! find their way from a table's name to its set.

use axum::http::StatusCode;
use axum::response::Response;
use model::{Id, Table, Timestamp};
use serde_json::{Map, Value as Out, json};

use crate::api::call::Call;
use crate::api::errors::ApiError;
use crate::api::respond;

pub(crate) fn service_document(call: &Call) -> Response {
    let sets: Vec<Out> = tables().map(|t| json!({ "name": t.set, "kind": "EntitySet", "url": t.set })).collect();
    respond::json(StatusCode::OK, &json!({ "@odata.context": call.context(""), "value": sets }))
}

fn tables() -> impl Iterator<Item = &'static Table> {
    model::tables::ALL.iter().copied().filter(|t| t.on_wire)
}

/// `EntityDefinitions` with `$select` and a filter on the logical or set name;
/// or the one with this logical name.
pub(crate) fn definitions(call: &Call, name: Option<&str>) -> Result<Response, ApiError> {
    let option =
        |wanted: &str| call.query.iter().find(|(n, _)| n.eq_ignore_ascii_case(wanted)).map(|(_, v)| v.as_str());
    let select: Vec<&str> = option("$select").map(|s| s.split(',').map(str::trim).collect()).unwrap_or_default();
    if let Some(name) = name {
        let table = tables().find(|t| t.logical == name);
        let table = table.ok_or_else(|| {
            let message = format!("Could not find an entity with name '{}'.", actions::validate::excerpt(name));
            ApiError::new(StatusCode::NOT_FOUND, model::Refusal::new(0x8006_0888, "EntityNotFound", message))
        })?;
        let mut body = definition(table, &select);
        body.insert("@odata.context".to_owned(), json!(call.context("#EntityDefinitions/$entity")));
        return Ok(respond::json(StatusCode::OK, &Out::Object(body)));
    }
    let wanted = option("$filter").map(condition).transpose()?;
    let found = tables().filter(|t| match &wanted {
        None => true,
        Some((property, value)) => definition(t, &[]).get(property.as_str()).and_then(Out::as_str) == Some(value),
    });
    let value: Vec<Out> = found.map(|t| Out::Object(definition(t, &select))).collect();
    Ok(respond::json(StatusCode::OK, &json!({ "@odata.context": call.context("#EntityDefinitions"), "value": value })))
}

fn definition(table: &Table, select: &[&str]) -> Map<String, Out> {
    let mut all = Map::new();
    // Metadata has ids of its own; ours follow from the name.
    let id: Id = model::id::derived(Timestamp::UNIX_EPOCH, &[b"metadata", table.logical.as_bytes()]);
    all.insert("LogicalName".to_owned(), json!(table.logical));
    all.insert("SchemaName".to_owned(), json!(table.schema));
    all.insert("EntitySetName".to_owned(), json!(table.set));
    all.insert("LogicalCollectionName".to_owned(), json!(table.set));
    all.insert("PrimaryIdAttribute".to_owned(), json!(table.id));
    all.insert("PrimaryNameAttribute".to_owned(), json!(table.name));
    all.insert("ObjectTypeCode".to_owned(), json!(table.code));
    all.insert("IsPrivate".to_owned(), json!(false));
    all.insert("IsActivity".to_owned(), json!(table.logical == "email"));
    if !select.is_empty() {
        all.retain(|name, _| select.contains(&name.as_str()));
    }
    all.insert("MetadataId".to_owned(), json!(id.to_string()));
    all
}

/// `LogicalName eq 'x'`
fn condition(filter: &str) -> Result<(String, String), ApiError> {
    let bad = || ApiError::bad_request("EntityDefinitions can be filtered by one property: LogicalName eq 'mailbox'.");
    let (property, value) = filter.split_once(" eq ").ok_or_else(bad)?;
    let property = property.trim();
    if !matches!(property, "LogicalName" | "EntitySetName" | "SchemaName" | "LogicalCollectionName") {
        return Err(bad());
    }
    let value = value.trim().strip_prefix('\'').and_then(|v| v.strip_suffix('\'')).ok_or_else(bad)?;
    Ok((property.to_owned(), value.replace("''", "'")))
}
