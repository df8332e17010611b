//! `RetrieveMetadataChanges`: definitions by a query in JSON.

use std::cmp::Ordering;

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value as Out, json};

use super::catalog::catalog;
use super::node::Node;
use crate::api::errors::ApiError;
use crate::api::json::Json;
use crate::api::operations::{Complex, Invocation, NAMESPACE, Parameter, Type, optional};
use crate::api::respond;

const PROPERTIES: Complex = Complex {
    name: "MetadataPropertiesExpression",
    open: true,
    properties: &[optional("AllProperties", Type::Bool), optional("PropertyNames", Type::Many(&Type::Text))],
};
const CRITERIA: Complex =
    Complex { name: "MetadataFilterExpression", open: true, properties: &[optional("FilterOperator", Type::Text)] };
const INNER: Complex = Complex {
    name: "MetadataQueryExpression",
    open: true,
    properties: &[optional("Criteria", Type::Complex(&CRITERIA)), optional("Properties", Type::Complex(&PROPERTIES))],
};
const QUERY: Complex = Complex {
    name: "EntityQueryExpression",
    open: true,
    properties: &[
        optional("Criteria", Type::Complex(&CRITERIA)),
        optional("Properties", Type::Complex(&PROPERTIES)),
        optional("AttributeQuery", Type::Complex(&INNER)),
        optional("RelationshipQuery", Type::Complex(&INNER)),
        optional("KeyQuery", Type::Complex(&INNER)),
    ],
};
const ENTITY: Complex = Complex {
    name: "ComplexEntityMetadata",
    open: true,
    properties: &[optional("MetadataId", Type::Guid), optional("LogicalName", Type::Text)],
};

pub(crate) const PARAMETERS: &[Parameter] = &[
    optional("Query", Type::Complex(&QUERY)),
    optional("ClientVersionStamp", Type::Text),
    optional("DeletedMetadataFilters", Type::Text),
    optional("AppModuleId", Type::Guid),
    optional("RetrieveAllSettings", Type::Bool),
];

pub(crate) const RESPONSE: Complex = Complex {
    name: "RetrieveMetadataChangesResponse",
    open: true,
    properties: &[
        optional("EntityMetadata", Type::Many(&Type::Complex(&ENTITY))),
        optional("ServerVersionStamp", Type::Text),
    ],
};

/// The version of the metadata: it changes with the program alone.
const STAMP: &str = concat!("postroom!", env!("CARGO_PKG_VERSION"));

const RELATIONSHIPS: &[&str] = &["OneToManyRelationships", "ManyToOneRelationships", "ManyToManyRelationships"];

pub(crate) async fn retrieve(mut invocation: Invocation<'_>) -> Result<Response, ApiError> {
    // What a client already has of this version did not change since.
    let known = invocation.arguments.text("ClientVersionStamp") == Some(STAMP);
    let query = invocation.arguments.take("Query").unwrap_or(Json::Null);
    let entities = if known { Vec::new() } else { answer(&query)? };
    let body = json!({
        "@odata.context": invocation.context(), "EntityMetadata": entities, "ServerVersionStamp": STAMP,
        "DeletedMetadata": null,
    });
    Ok(respond::json(StatusCode::OK, &body))
}

/// The entities that the query asks for.
pub(super) fn answer(query: &Json) -> Result<Vec<Out>, ApiError> {
    let part = |name: &str| get(query, name).filter(|part| **part != Json::Null);
    let mut out = Vec::new();
    for node in &catalog().entities {
        if !satisfies(node, get(query, "Criteria"))? {
            continue;
        }
        let wanted = Wanted::read(get(query, "Properties"));
        let mut entity = wanted.of(node);
        let navs = [
            ("Attributes", &["Attributes"][..], "AttributeQuery"),
            ("Keys", &["Keys"], "KeyQuery"),
            ("", RELATIONSHIPS, "RelationshipQuery"),
        ];
        for (_, names, inner) in navs {
            let inner = part(inner);
            for nav in names {
                if !wanted.has(nav) && inner.is_none() {
                    continue;
                }
                let members = node.navs.get(nav).map(super::node::Nav::nodes).unwrap_or_default();
                entity.insert((*nav).to_owned(), Out::Array(list(&members, inner)?));
            }
        }
        out.push(Out::Object(entity));
    }
    Ok(out)
}

fn list(nodes: &[&Node], query: Option<&Json>) -> Result<Vec<Out>, ApiError> {
    let wanted = query.map_or(Wanted::All, |q| Wanted::read(get(q, "Properties")));
    let mut out = Vec::new();
    for node in nodes {
        if !satisfies(node, query.and_then(|q| get(q, "Criteria")))? {
            continue;
        }
        let mut object = wanted.of(node);
        object.insert("@odata.type".to_owned(), json!(format!("#{NAMESPACE}.{}", complex(node.kind))));
        for nav in ["OptionSet", "GlobalOptionSet"] {
            if let Some(set) = node.navs.get(nav).filter(|_| wanted.has(nav)) {
                let set = set.nodes().first().map(|n| Out::Object(n.properties.clone()));
                object.insert(nav.to_owned(), set.unwrap_or(Out::Null));
            }
        }
        out.push(Out::Object(object));
    }
    Ok(out)
}

/// In this answer definitions are complex values, under names of their own.
fn complex(kind: &str) -> String {
    format!("Complex{kind}")
}

enum Wanted<'a> {
    All,
    Some(Vec<&'a str>),
}

impl<'a> Wanted<'a> {
    /// `{"AllProperties": false, "PropertyNames": ["LogicalName"]}`
    fn read(properties: Option<&'a Json>) -> Self {
        let all = properties.and_then(|p| get(p, "AllProperties"));
        if matches!(all, Some(Json::Bool(true))) {
            return Self::All;
        }
        match properties.and_then(|p| get(p, "PropertyNames")) {
            Some(Json::Array(names)) => Self::Some(names.iter().filter_map(text).collect()),
            _ => Self::Some(Vec::new()),
        }
    }

    fn has(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Some(names) => names.contains(&name),
        }
    }

    /// Names and the id come always.
    fn of(&self, node: &Node) -> Map<String, Out> {
        let always = |name: &str| matches!(name, "MetadataId" | "LogicalName" | "SchemaName" | "HasChanged");
        let shown = node.properties.iter().filter(|(name, _)| always(name) || self.has(name));
        shown.map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

/// `{"FilterOperator": "And", "Conditions": […], "Filters": […]}`
fn satisfies(node: &Node, criteria: Option<&Json>) -> Result<bool, ApiError> {
    let Some(criteria @ Json::Object(_)) = criteria else { return Ok(true) };
    let any = matches!(get(criteria, "FilterOperator").and_then(text), Some("Or" | "or"))
        || matches!(get(criteria, "FilterOperator"), Some(Json::Int(1)));
    let mut results = Vec::new();
    if let Some(Json::Array(conditions)) = get(criteria, "Conditions") {
        for condition in conditions {
            results.push(holds(node, condition)?);
        }
    }
    if let Some(Json::Array(filters)) = get(criteria, "Filters") {
        for filter in filters {
            results.push(satisfies(node, Some(filter))?);
        }
    }
    Ok(if any && !results.is_empty() { results.contains(&true) } else { !results.contains(&false) })
}

/// `{"PropertyName": "LogicalName", "ConditionOperator": "Equals", "Value": {"Type": "System.String", "Value": "x"}}`
fn holds(node: &Node, condition: &Json) -> Result<bool, ApiError> {
    let name = get(condition, "PropertyName").and_then(text).unwrap_or_default();
    let Some(mut value) = node.properties.get(name) else {
        let name = actions::validate::excerpt(name);
        let message = format!("Could not find a property named '{name}' on type '{NAMESPACE}.{}'.", node.kind);
        return Err(ApiError::bad_request(message));
    };
    // A managed property stands for its value.
    value = value.get("Value").unwrap_or(value);
    let given = get(condition, "Value").map(|v| get(v, "Value").unwrap_or(v)).unwrap_or(&Json::Null);
    let operator = match get(condition, "ConditionOperator") {
        Some(Json::Text(text)) => text.as_str(),
        // The enumeration's numbers.
        Some(Json::Int(n)) => *["Equals", "NotEquals", "In", "NotIn", "GreaterThan", "LessThan"]
            .get(usize::try_from(*n).unwrap_or(usize::MAX))
            .unwrap_or(&""),
        _ => "",
    };
    Ok(match operator {
        "Equals" => compare(value, given) == Some(Ordering::Equal),
        "NotEquals" => compare(value, given) != Some(Ordering::Equal),
        "GreaterThan" => compare(value, given) == Some(Ordering::Greater),
        "LessThan" => compare(value, given) == Some(Ordering::Less),
        "In" => among(value, given),
        "NotIn" => !among(value, given),
        other => {
            let other = actions::validate::excerpt(other);
            let message = format!(
                "The ConditionOperator '{other}' is not known. There are Equals, NotEquals, In, NotIn, GreaterThan and \
                 LessThan."
            );
            return Err(ApiError::bad_request(message));
        }
    })
}

fn among(value: &Out, given: &Json) -> bool {
    match given {
        Json::Array(items) => items.iter().any(|item| compare(value, item) == Some(Ordering::Equal)),
        // A list as text: `["account","contact"]`
        Json::Text(text) => {
            Json::read(text.as_bytes()).is_ok_and(|list| matches!(list, Json::Array(_)) && among(value, &list))
        }
        _ => false,
    }
}

/// Values may come as text whatever their type.
fn compare(value: &Out, given: &Json) -> Option<Ordering> {
    match (value, given) {
        (Out::Null, Json::Null) => Some(Ordering::Equal),
        (Out::String(a), Json::Text(b)) => Some(a.as_str().cmp(b)),
        (Out::Bool(a), Json::Bool(b)) => Some(a.cmp(b)),
        (Out::Bool(a), Json::Text(b)) => Some(a.cmp(&b.to_ascii_lowercase().parse().ok()?)),
        (Out::Number(a), Json::Int(b)) => Some(a.as_i64()?.cmp(b)),
        (Out::Number(a), Json::Text(b)) => Some(a.as_i64()?.cmp(&b.parse().ok()?)),
        _ => None,
    }
}

fn get<'a>(json: &'a Json, name: &str) -> Option<&'a Json> {
    if let Json::Object(all) = json { all.iter().find(|(n, _)| n == name).map(|(_, value)| value) } else { None }
}

fn text(json: &Json) -> Option<&str> {
    if let Json::Text(text) = json { Some(text) } else { None }
}
