//! Operations on queues and their items.

use actions::Draft;
use axum::http::StatusCode;
use axum::response::Response;
use model::tables::QueueItem;
use model::{Entity, Id, Ref};
use serde_json::json;

use crate::api::arguments::Arguments;
use crate::api::bind::{self, Target as Named};
use crate::api::errors::ApiError;
use crate::api::json::Json;
use crate::api::key::guid;
use crate::api::operations::{
    Binding, Complex, Invocation, Kind, NAMESPACE, Operation, Target, Type, optional, required,
};
use crate::api::{json_in, list, read_one, respond};

const ADD_RESPONSE: Complex =
    Complex { name: "AddToQueueResponse", open: false, properties: &[required("QueueItemId", Type::Guid)] };

pub(crate) static ALL: &[Operation] = &[
    Operation {
        name: "AddToQueue",
        kind: Kind::Action,
        binding: Binding::Row("queue"),
        parameters: &[
            required("Target", Type::Row("crmbaseentity")),
            optional("SourceQueue", Type::Row("queue")),
            optional("QueueItemProperties", Type::Row("queueitem")),
        ],
        result: Some(Type::Complex(&ADD_RESPONSE)),
        run: |invocation| Box::pin(add(invocation)),
    },
    Operation {
        name: "PickFromQueue",
        kind: Kind::Action,
        binding: Binding::Row("queueitem"),
        parameters: &[required("SystemUser", Type::Row("systemuser")), required("RemoveQueueItem", Type::Bool)],
        result: None,
        run: |invocation| Box::pin(pick(invocation)),
    },
    Operation {
        name: "ReleaseToQueue",
        kind: Kind::Action,
        binding: Binding::Row("queueitem"),
        parameters: &[],
        result: None,
        run: |invocation| Box::pin(release(invocation)),
    },
    Operation {
        name: "RemoveFromQueue",
        kind: Kind::Action,
        binding: Binding::Row("queueitem"),
        parameters: &[],
        result: None,
        run: |invocation| Box::pin(remove(invocation)),
    },
    Operation {
        name: "RouteTo",
        kind: Kind::Action,
        binding: Binding::Unbound,
        parameters: &[required("Target", Type::Row("crmbaseentity")), required("QueueItem", Type::Row("queueitem"))],
        result: None,
        run: |invocation| Box::pin(route(invocation)),
    },
    Operation {
        name: "RetrieveUserQueues",
        kind: Kind::Function,
        binding: Binding::Row("systemuser"),
        parameters: &[required("IncludePublic", Type::Bool)],
        result: Some(Type::Many(&Type::Row("queue"))),
        run: |invocation| Box::pin(of_user(invocation)),
    },
];

async fn add(mut invocation: Invocation<'_>) -> Result<Response, ApiError> {
    let ctx = &invocation.call.ctx;
    let queue = id(&invocation).await?;
    let object = row(ctx, &mut invocation.arguments, "Target", None).await?;
    let object = object.ok_or_else(|| ApiError::bad_payload("AddToQueue needs the parameter 'Target'."))?;
    if object.table != "email" {
        let message = format!("Rows of {} cannot be put into a queue; emails can.", object.table);
        return Err(ApiError::bad_payload(message));
    }
    let source = row(ctx, &mut invocation.arguments, "SourceQueue", Some("queue")).await?;
    let properties = match invocation.arguments.take("QueueItemProperties") {
        Some(Json::Object(properties)) => json_in::draft(ctx, QueueItem::TABLE, properties).await?,
        _ => Draft::new(QueueItem::TABLE),
    };
    let item = actions::queue::add(ctx, queue, object, source.map(|s| s.id), properties).await?;
    let body = json!({ "@odata.context": invocation.context(), "QueueItemId": item.to_string() });
    Ok(respond::json(StatusCode::OK, &body))
}

async fn pick(mut invocation: Invocation<'_>) -> Result<Response, ApiError> {
    let ctx = &invocation.call.ctx;
    let item = id(&invocation).await?;
    let user = row(ctx, &mut invocation.arguments, "SystemUser", Some("systemuser")).await?;
    let user = user.ok_or_else(|| ApiError::bad_payload("PickFromQueue needs the parameter 'SystemUser'."))?;
    let remove = invocation.arguments.bool("RemoveQueueItem").unwrap_or_default();
    actions::queue::pick(ctx, item, user.id, remove).await?;
    Ok(respond::empty(StatusCode::NO_CONTENT))
}

async fn release(invocation: Invocation<'_>) -> Result<Response, ApiError> {
    let item = id(&invocation).await?;
    actions::queue::release(&invocation.call.ctx, item).await?;
    Ok(respond::empty(StatusCode::NO_CONTENT))
}

async fn remove(invocation: Invocation<'_>) -> Result<Response, ApiError> {
    let item = id(&invocation).await?;
    actions::queue::remove(&invocation.call.ctx, item).await?;
    Ok(respond::empty(StatusCode::NO_CONTENT))
}

async fn route(mut invocation: Invocation<'_>) -> Result<Response, ApiError> {
    let ctx = &invocation.call.ctx;
    let target = row(ctx, &mut invocation.arguments, "Target", None).await?;
    let item = row(ctx, &mut invocation.arguments, "QueueItem", Some("queueitem")).await?;
    let (Some(target), Some(item)) = (target, item) else {
        return Err(ApiError::bad_payload("RouteTo needs the parameters 'Target' and 'QueueItem'."));
    };
    actions::queue::route(ctx, item.id, target).await?;
    Ok(respond::empty(StatusCode::NO_CONTENT))
}

async fn of_user(invocation: Invocation<'_>) -> Result<Response, ApiError> {
    let call = invocation.call;
    let user = id(&invocation).await?;
    let public = invocation.arguments.bool("IncludePublic").unwrap_or_default();
    let within = actions::queue::of_user(&call.ctx, user, public).await?;
    list::list(call, model::tables::Queue::TABLE, within).await
}

/// The row that the operation is called on.
async fn id(invocation: &Invocation<'_>) -> Result<Id, ApiError> {
    match &invocation.target {
        Target::Row(table, key) => read_one::id_of(invocation.call, table, key).await,
        Target::Nothing | Target::Set(_) => Err(ApiError::no_segment(invocation.operation.name)),
    }
}

/// The row that a parameter names: by its primary key, with `@odata.type`
/// where the declaration leaves the table open, or by `@odata.id`.
pub(crate) async fn row(
    ctx: &actions::Context,
    arguments: &mut Arguments,
    name: &str,
    table: Option<&'static str>,
) -> Result<Option<Ref>, ApiError> {
    let Some(Json::Object(properties)) = arguments.take(name) else { return Ok(None) };
    let text = |wanted: &str| {
        properties
            .iter()
            .find(|(n, _)| n == wanted)
            .and_then(|(_, v)| if let Json::Text(t) = v { Some(t.as_str()) } else { None })
    };
    let wrong = |table: &str| {
        ApiError::bad_payload(format!(
            "The parameter '{name}' takes a row of {}, not of {table}.",
            actions::validate::excerpt(table)
        ))
    };
    if let Some(url) = text("@odata.id") {
        let found = match bind::target(url)? {
            Named::Row(found, id) => Ref::new(found.logical, id),
            Named::Keyed(found, key) => Ref::new(found.logical, actions::resolve::key(ctx, found, &key).await?),
        };
        return if table.is_none_or(|t| t == found.table) { Ok(Some(found)) } else { Err(wrong(found.table)) };
    }
    let told = text("@odata.type").map(|t| t.trim_start_matches('#'));
    let told = told.map(|t| t.strip_prefix(NAMESPACE).and_then(|t| t.strip_prefix('.')).unwrap_or(t));
    if let (Some(told), Some(table)) = (told, table)
        && told != table
    {
        return Err(wrong(told));
    }
    let found = table.or(told).and_then(model::tables::by_logical_name).filter(|t| t.on_wire);
    let found = found.ok_or_else(|| {
        ApiError::bad_payload(format!(
            "The parameter '{name}' needs its table: {{\"@odata.type\": \"{NAMESPACE}.email\", …}}, or the row's URL as \"@odata.id\"."
        ))
    })?;
    let id = text(found.id).and_then(guid);
    let id = id.ok_or_else(|| {
        ApiError::bad_payload(format!("The parameter '{name}' names its row by '{}', a GUID.", found.id))
    })?;
    Ok(Some(Ref::new(found.logical, id)))
}
