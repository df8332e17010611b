//! What is told: the JSON that Dataverse posts to a webhook.

use model::tables::{self, Event, Organization};
use model::{Id, Kind, Record, Table, Value};
use serde_json::{Map, Value as Json, json};

/// Bytes of a payload at most; beyond, the parameters and images stay out.
pub const LARGEST: usize = 256 * 1024;

const CONTRACTS: &str = "http://schemas.microsoft.com/xrm/2011/Contracts";

/// An event with what is told besides.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    pub event: &'a Event,
    pub organization: &'a Organization,
    pub step: &'a str,
    pub business_unit: Option<Id>,
    /// Columns of the event that receivers are not told.
    pub withheld: &'a [&'static str],
    /// The row, with the columns that the step wants to be told of.
    pub image: Option<&'a Record>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    pub body: String,
    /// Parameters and images were left out.
    pub cut: bool,
}

pub fn payload(told: Told<'_>) -> Payload {
    if !told.event.cut {
        let body = context(told, parameters(told), images(told.image)).to_string();
        if body.len() <= LARGEST {
            return Payload { body, cut: false };
        }
    }
    Payload { body: context(told, Json::Null, Json::Null).to_string(), cut: true }
}

fn context(told: Told<'_>, parameters: Json, images: Json) -> Json {
    let Told { event, organization, .. } = told;
    let user = event.user.map_or(Id::nil(), |u| u.id).to_string();
    let row = event.row.unwrap_or_default().to_string();
    let output = if event.message == "Create" { json!([{ "key": "id", "value": row }]) } else { json!([]) };
    json!({
        "BusinessUnitId": told.business_unit.unwrap_or_default().to_string(),
        "CorrelationId": event.correlation.unwrap_or_default().to_string(),
        "Depth": 1,
        "InitiatingUserAzureActiveDirectoryObjectId": Id::nil().to_string(),
        "InitiatingUserId": user,
        "InputParameters": parameters,
        "IsExecutingOffline": false,
        "IsInTransaction": false,
        "IsOfflinePlayback": false,
        "IsolationMode": 1,
        "MessageName": event.message,
        "Mode": 1,
        "OperationCreatedOn": date(event.occurred.unwrap_or_default().as_millisecond()),
        // The same in every attempt, and in the header x-postroom-event.
        "OperationId": event.id.to_string(),
        "OrganizationId": organization.id.to_string(),
        "OrganizationName": organization.name,
        "OutputParameters": output,
        "OwningExtension": reference("sdkmessageprocessingstep", event.step.map_or(Id::nil(), |s| s.id), Some(told.step)),
        "ParentContext": null,
        "PostEntityImages": images,
        "PreEntityImages": [],
        "PrimaryEntityId": row,
        "PrimaryEntityName": event.table,
        "RequestId": null,
        "SecondaryEntityName": "none",
        "SharedVariables": [],
        "Stage": 40,
        "UserAzureActiveDirectoryObjectId": Id::nil().to_string(),
        "UserId": user,
    })
}

fn parameters(Told { event, withheld, .. }: Told<'_>) -> Json {
    let row = event.row.unwrap_or_default();
    let target = if event.message == "Delete" {
        reference(&event.table, row, None)
    } else {
        let table = tables::by_logical_name(&event.table);
        let values: Map<String, Json> = serde_json::from_str(&event.values).unwrap_or_default();
        let values = values.iter().filter(|(name, _)| !withheld.contains(&name.as_str()));
        let attributes = values.map(|(name, value)| attribute(name, kept(table, name, value))).collect();
        entity(&event.table, table, row, attributes)
    };
    json!([{ "key": "Target", "value": target }])
}

fn images(image: Option<&Record>) -> Json {
    let Some(record) = image else { return json!([]) };
    let attributes = record
        .values
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| attribute(name, shown(record.table, name, value)))
        .collect();
    json!([{ "key": "AsynchronousStepPrimaryName", "value": entity(record.table.logical, Some(record.table), record.id, attributes) }])
}

fn entity(logical: &str, table: Option<&Table>, id: Id, mut attributes: Vec<Json>) -> Json {
    if let Some(table) = table {
        attributes.push(attribute(table.id, json!(id.to_string())));
    }
    json!({
        "__type": format!("Entity:{CONTRACTS}"),
        "Attributes": attributes,
        "EntityState": null,
        "FormattedValues": [],
        "Id": id.to_string(),
        "KeyAttributes": [],
        "LogicalName": logical,
        "RelatedEntities": [],
        "RowVersion": null,
    })
}

fn attribute(name: &str, value: Json) -> Json {
    json!({ "key": name, "value": value })
}

fn reference(table: &str, id: Id, name: Option<&str>) -> Json {
    json!({
        "__type": format!("EntityReference:{CONTRACTS}"),
        "Id": id.to_string(),
        "KeyAttributes": [],
        "LogicalName": table,
        "Name": name,
        "RowVersion": null,
    })
}

fn option(number: &Json) -> Json {
    json!({ "__type": format!("OptionSetValue:{CONTRACTS}"), "Value": number })
}

fn date(millis: i64) -> String {
    format!("/Date({millis})/")
}

/// A value as the event keeps it.
fn kept(table: Option<&'static Table>, name: &str, value: &Json) -> Json {
    let kind = table.and_then(|t| t.column(name)).map(|c| c.kind);
    match (kind, value) {
        (_, Json::Null) => Json::Null,
        (Some(Kind::Choice(_)), number) => option(number),
        (Some(Kind::Time), at) => json!(date(at.as_i64().unwrap_or(0))),
        (Some(Kind::Lookup(_)), target) => {
            let id = target["id"].as_str().and_then(|id| Id::parse_str(id).ok()).unwrap_or_default();
            reference(target["table"].as_str().unwrap_or_default(), id, None)
        }
        (_, value) => value.clone(),
    }
}

/// A value as the row has it.
fn shown(table: &'static Table, name: &str, value: &Value) -> Json {
    let kind = table.column(name).map(|c| c.kind);
    match value {
        Value::Null | Value::Secret(_) | Value::Bytes(_) => Json::Null,
        Value::Bool(b) => json!(b),
        Value::Int(n) if matches!(kind, Some(Kind::Choice(_))) => option(&json!(n)),
        Value::Int(n) => json!(n),
        Value::Text(text) => json!(text),
        Value::Id(id) => json!(id.to_string()),
        Value::Ref(target) => reference(target.table, target.id, None),
        Value::Time(at) => json!(date(at.as_millisecond())),
    }
}

#[cfg(test)]
mod tests;
