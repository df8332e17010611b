//! `CreateMultiple`, `UpdateMultiple`, `UpsertMultiple`: many rows of one
//! table, all or none.

use actions::{ChangeSet, Context, Draft, Precondition, Saved};
use axum::http::StatusCode;
use axum::response::Response;
use model::{Id, Table};
use serde_json::{Value as Out, json};

use crate::api::bind::{self, Target as Named};
use crate::api::errors::ApiError;
use crate::api::json::Json;
use crate::api::key::guid;
use crate::api::operations::{Complex, Invocation, Parameter, Target, Type, optional, required};
use crate::api::{json_in, respond, views};

/// Rows at once.
pub(crate) const MOST: usize = 1000;

pub(crate) const TARGETS: &[Parameter] = &[required("Targets", Type::Many(&Type::Row("crmbaseentity")))];
pub(crate) const CREATED: Complex =
    Complex { name: "CreateMultipleResponse", open: false, properties: &[required("Ids", Type::Many(&Type::Guid))] };
const TARGET: Complex = Complex {
    name: "EntityReference",
    open: true,
    properties: &[optional("LogicalName", Type::Text), optional("Id", Type::Guid)],
};
const UPSERT: Complex = Complex {
    name: "UpsertResponse",
    open: false,
    properties: &[optional("RecordCreated", Type::Bool), optional("Target", Type::Complex(&TARGET))],
};
pub(crate) const UPSERTED: Complex = Complex {
    name: "UpsertMultipleResponse",
    open: false,
    properties: &[required("Results", Type::Many(&Type::Complex(&UPSERT)))],
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Create,
    Update,
    Upsert,
}

/// `POST set/Microsoft.Dynamics.CRM.Name`
pub(crate) async fn run(mut invocation: Invocation<'_>, verb: Verb) -> Result<Response, ApiError> {
    let Target::Set(table) = invocation.target else {
        return Err(ApiError::no_segment(invocation.operation.name));
    };
    let targets = targets(invocation.arguments.take("Targets"))?;
    let mut tries = 0;
    let saved = loop {
        let set = ChangeSet::begin(&invocation.call.ctx).await?;
        let result = all(set.context(), table, verb, &targets).await;
        if let Some(result) = set.conclude(result, &mut tries).await {
            break result?;
        }
    };
    Ok(answer(&invocation, table, verb, &saved))
}

fn targets(rows: Option<Json>) -> Result<Vec<Vec<(String, Json)>>, ApiError> {
    let bad = || ApiError::bad_payload("The payload must be {\"Targets\": [{…}, …]}.");
    let Some(Json::Array(rows)) = rows else { return Err(bad()) };
    if rows.len() > MOST {
        return Err(ApiError::bad_payload(format!(
            "Targets has {} rows; at most {MOST} are taken at once.",
            rows.len()
        )));
    }
    rows.into_iter().map(|row| if let Json::Object(row) = row { Ok(row) } else { Err(bad()) }).collect()
}

async fn all(
    ctx: &Context,
    table: &'static Table,
    verb: Verb,
    targets: &[Vec<(String, Json)>],
) -> Result<Vec<Saved>, ApiError> {
    let mut saved = Vec::with_capacity(targets.len());
    for (n, target) in targets.iter().enumerate() {
        match one(ctx, table, verb, target.clone()).await {
            Ok(row) => saved.push(row),
            Err(mut error) => {
                for fault in &mut error.faults {
                    fault.message = model::Words::foreign(format!("Targets[{n}]: {}", fault.message));
                }
                return Err(error);
            }
        }
    }
    Ok(saved)
}

async fn one(ctx: &Context, table: &'static Table, verb: Verb, target: Vec<(String, Json)>) -> Result<Saved, ApiError> {
    require_type(table, &target)?;
    let named = named(table, &target)?;
    let mut draft = json_in::draft(ctx, table, target).await?;
    if verb == Verb::Create {
        views::check(ctx, table, None, &mut draft).await?;
        let id = actions::create(ctx, draft).await?;
        return Ok(Saved { id, created: true, version: None });
    }
    let own = draft.id.take();
    let id = match (named, own) {
        (Some(Named::Keyed(_, columns)), own) => match actions::resolve::find(ctx, table, &columns).await? {
            Some(id) => id,
            None if verb == Verb::Upsert => {
                for (name, value) in columns {
                    draft.values.entry(name).or_insert(value);
                }
                return create(ctx, draft, own).await;
            }
            None => actions::resolve::key(ctx, table, &columns).await?,
        },
        (Some(Named::Row(_, id)), _) => id,
        (None, Some(id)) => id,
        (None, None) if verb == Verb::Upsert => return create(ctx, draft, None).await,
        (None, None) => {
            let message = format!("The row to change is not named: give '{}' or @odata.id.", table.id);
            return Err(ApiError::bad_payload(message));
        }
    };
    if own.is_some_and(|own| own != id) {
        return Err(ApiError::bad_payload(format!("'{}' is another row's than @odata.id.", table.id)));
    }
    views::check(ctx, table, Some(id), &mut draft).await?;
    let precondition = if verb == Verb::Upsert { Precondition::Any } else { Precondition::Exists };
    Ok(actions::update(ctx, id, draft, precondition).await?)
}

async fn create(ctx: &Context, mut draft: Draft, id: Option<Id>) -> Result<Saved, ApiError> {
    draft.id = id;
    views::check(ctx, draft.table, None, &mut draft).await?;
    let id = actions::create(ctx, draft).await?;
    Ok(Saved { id, created: true, version: None })
}

/// `@odata.type`, where it is given, names this table.
fn require_type(table: &Table, target: &[(String, Json)]) -> Result<(), ApiError> {
    let Some((_, value)) = target.iter().find(|(name, _)| name == "@odata.type") else { return Ok(()) };
    let given = if let Json::Text(text) = value { text.trim_start_matches('#') } else { "" };
    let given = given.strip_prefix("Microsoft.Dynamics.CRM.").unwrap_or(given);
    if given == table.logical {
        return Ok(());
    }
    let given = actions::validate::excerpt(given);
    Err(ApiError::bad_payload(format!("The row is of type '{given}', but the set is one of '{}'.", table.logical)))
}

/// What `@odata.id` names: `accounts(<guid>)`, `accounts(key='x')`.
fn named(table: &'static Table, target: &[(String, Json)]) -> Result<Option<Named>, ApiError> {
    let Some((_, value)) = target.iter().find(|(name, _)| name == "@odata.id") else { return Ok(None) };
    let Json::Text(url) = value else { return Err(ApiError::bad_payload("'@odata.id' takes the URL of a row.")) };
    if let Some(id) = guid(url) {
        return Ok(Some(Named::Row(table, id)));
    }
    let found = bind::target(url)?;
    let (Named::Row(of, _) | Named::Keyed(of, _)) = &found;
    if *of != table {
        return Err(ApiError::bad_payload(format!("'@odata.id' names a row of '{}'.", of.logical)));
    }
    Ok(Some(found))
}

fn answer(invocation: &Invocation<'_>, table: &'static Table, verb: Verb, saved: &[Saved]) -> Response {
    let body = match verb {
        Verb::Update => return respond::empty(StatusCode::NO_CONTENT),
        Verb::Create => json!({
            "@odata.context": invocation.context(),
            "Ids": saved.iter().map(|s| s.id.to_string()).collect::<Vec<_>>(),
        }),
        Verb::Upsert => {
            let result = |s: &Saved| -> Out {
                let target = json!({
                    "@odata.id": invocation.call.url_of(table, s.id), "LogicalName": table.logical, "Id": s.id.to_string(),
                });
                json!({ "RecordCreated": s.created, "Target": target })
            };
            json!({
                "@odata.context": invocation.context(),
                "Results": saved.iter().map(result).collect::<Vec<_>>(),
            })
        }
    };
    respond::json(StatusCode::OK, &body)
}
