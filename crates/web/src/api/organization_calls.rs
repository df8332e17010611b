//! Operations that tell of the installation as a whole.

use axum::http::StatusCode;
use axum::response::Response;
use model::Query;
use model::tables::Organization;
use serde_json::json;

use crate::api::calls::VERSION;
use crate::api::errors::ApiError;
use crate::api::json::Json;
use crate::api::operations::{Binding, Complex, Invocation, Kind, Operation, Type, optional, required};
use crate::api::respond;

/// Tables of one question.
const MOST_TABLES: usize = 200;
const ACCESS_TYPES: &[&str] = &["Default", "Internet", "Intranet"];

const ENDPOINTS: Complex = Complex {
    name: "EndpointCollection",
    open: false,
    properties: &[
        required("Count", Type::Int),
        required("IsReadOnly", Type::Bool),
        required("Keys", Type::Many(&Type::Text)),
        required("Values", Type::Many(&Type::Text)),
    ],
};
const DETAIL: Complex = Complex {
    name: "OrganizationDetail",
    open: false,
    properties: &[
        required("OrganizationId", Type::Guid),
        optional("FriendlyName", Type::Text),
        optional("OrganizationVersion", Type::Text),
        optional("UniqueName", Type::Text),
        optional("UrlName", Type::Text),
        optional("State", Type::Text),
        optional("Endpoints", Type::Complex(&ENDPOINTS)),
    ],
};
const ORGANIZATION_RESPONSE: Complex = Complex {
    name: "RetrieveCurrentOrganizationResponse",
    open: false,
    properties: &[required("Detail", Type::Complex(&DETAIL))],
};
const COUNTS: Complex = Complex {
    name: "EntityRecordCountCollection",
    open: false,
    properties: &[
        required("Count", Type::Int),
        required("IsReadOnly", Type::Bool),
        required("Keys", Type::Many(&Type::Text)),
        required("Values", Type::Many(&Type::Int)),
    ],
};
const COUNT_RESPONSE: Complex = Complex {
    name: "RetrieveTotalRecordCountResponse",
    open: false,
    properties: &[required("EntityRecordCountCollection", Type::Complex(&COUNTS))],
};

pub(crate) static ALL: &[Operation] = &[
    Operation {
        name: "RetrieveCurrentOrganization",
        kind: Kind::Function,
        binding: Binding::Unbound,
        parameters: &[required("AccessType", Type::Text)],
        result: Some(Type::Complex(&ORGANIZATION_RESPONSE)),
        run: |invocation| Box::pin(organization(invocation)),
    },
    Operation {
        name: "RetrieveTotalRecordCount",
        kind: Kind::Function,
        binding: Binding::Unbound,
        parameters: &[required("EntityNames", Type::Many(&Type::Text))],
        result: Some(Type::Complex(&COUNT_RESPONSE)),
        run: |invocation| Box::pin(counts(invocation)),
    },
];

async fn organization(invocation: Invocation<'_>) -> Result<Response, ApiError> {
    let asked = invocation.arguments.text("AccessType").unwrap_or_default();
    if !ACCESS_TYPES.contains(&asked) {
        let message = format!("The parameter 'AccessType' is one of: {}.", ACCESS_TYPES.join(", "));
        return Err(ApiError::bad_payload(message));
    }
    let call = invocation.call;
    let who = actions::who_am_i(&call.ctx).await?;
    let row = actions::list(&call.ctx, Query::of::<Organization>().limit(1)).await?.pop();
    let name = row.as_ref().and_then(|r| r.get("name").as_text()).unwrap_or_default();
    let body = json!({
        "@odata.context": invocation.context(),
        "Detail": {
            "OrganizationId": who.organization.to_string(),
            "FriendlyName": name,
            "OrganizationVersion": VERSION,
            "UniqueName": name,
            "UrlName": name,
            "State": "Enabled",
            "Endpoints": {
                "Count": 2,
                "IsReadOnly": false,
                "Keys": ["WebApplication", "OrganizationDataService"],
                "Values": [format!("{}/", call.origin), call.root()],
            },
        },
    });
    Ok(respond::json(StatusCode::OK, &body))
}

/// Counts what the caller may read.
async fn counts(mut invocation: Invocation<'_>) -> Result<Response, ApiError> {
    let names = match invocation.arguments.take("EntityNames") {
        Some(Json::Array(names)) if names.len() <= MOST_TABLES => names,
        _ => {
            return Err(ApiError::bad_payload(format!(
                "The parameter 'EntityNames' takes at most {MOST_TABLES} tables."
            )));
        }
    };
    let (mut keys, mut values) = (Vec::new(), Vec::new());
    for name in names {
        let Json::Text(name) = name else { continue };
        let table = model::tables::by_logical_name(&name).filter(|t| t.on_wire).ok_or_else(|| no_entity(&name))?;
        values.push(actions::count(&invocation.call.ctx, Query::table(table)).await?);
        keys.push(name);
    }
    let body = json!({
        "@odata.context": invocation.context(),
        "EntityRecordCountCollection": { "Count": keys.len(), "IsReadOnly": false, "Keys": keys, "Values": values },
    });
    Ok(respond::json(StatusCode::OK, &body))
}

/// 0x80041102
fn no_entity(name: &str) -> ApiError {
    let message = format!("The entity '{}' is not known.", actions::validate::excerpt(name));
    model::Refusal::new(0x8004_1102, "QueryBuilderNoEntity", model::Words::foreign(message)).into()
}
