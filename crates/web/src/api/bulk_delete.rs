//! `BulkDelete`: deletes the rows that queries find. It is done when it is
//! answered, all of it or nothing.

use actions::{ChangeSet, Context, Precondition};
use axum::http::StatusCode;
use axum::response::Response;
use model::{Query, Refusal, SignedDuration, Table, Timestamp};
use serde_json::json;

use crate::api::arguments::Arguments;
use crate::api::errors::ApiError;
use crate::api::json::Json;
use crate::api::operations::{Complex, Invocation, Parameter, Type, optional, required};
use crate::api::respond;

mod criteria;

/// Rows in one job.
const MOST: usize = 5000;
/// How far a client's clock may be ahead.
const SKEW: SignedDuration = SignedDuration::from_mins(15);

const QUERY: Complex = Complex {
    name: "QueryExpression",
    open: true,
    properties: &[optional("EntityName", Type::Text), optional("Criteria", Type::Complex(&FILTER))],
};
const FILTER: Complex = Complex {
    name: "FilterExpression",
    open: true,
    properties: &[
        optional("FilterOperator", Type::Text),
        optional("Conditions", Type::Many(&Type::Complex(&CONDITION))),
    ],
};
const CONDITION: Complex = Complex {
    name: "ConditionExpression",
    open: true,
    properties: &[optional("AttributeName", Type::Text), optional("Operator", Type::Text)],
};

pub(crate) const PARAMETERS: &[Parameter] = &[
    required("QuerySet", Type::Many(&Type::Complex(&QUERY))),
    required("JobName", Type::Text),
    optional("SendEmailNotification", Type::Bool),
    optional("ToRecipients", Type::Many(&Type::Row("crmbaseentity"))),
    optional("CCRecipients", Type::Many(&Type::Row("crmbaseentity"))),
    optional("RecurrencePattern", Type::Text),
    optional("StartDateTime", Type::Time),
    optional("SourceImportId", Type::Guid),
    optional("RunNow", Type::Bool),
];
pub(crate) const RESPONSE: Complex =
    Complex { name: "BulkDeleteResponse", open: false, properties: &[required("JobId", Type::Guid)] };

/// `POST BulkDelete`
pub(crate) async fn run(mut invocation: Invocation<'_>) -> Result<Response, ApiError> {
    let ctx = &invocation.call.ctx;
    let queries = queries(&mut invocation.arguments, ctx.now)?;
    let mut tries = 0;
    loop {
        let set = ChangeSet::begin(ctx).await?;
        let result = delete(set.context(), &queries).await;
        if let Some(result) = set.conclude(result, &mut tries).await {
            result?;
            break;
        }
    }
    let job = ctx.new_id()?;
    let body = json!({ "@odata.context": invocation.context(), "JobId": job.to_string() });
    Ok(respond::json(StatusCode::OK, &body))
}

async fn delete(ctx: &Context, queries: &[Query]) -> Result<(), ApiError> {
    let mut left = MOST;
    for query in queries {
        let query = query.clone().limit(left + 1);
        let table: &'static Table = query.table;
        let rows = actions::list(ctx, query).await?;
        left = left.checked_sub(rows.len()).ok_or_else(|| {
            ApiError::bad_payload(format!("The queries find more than {MOST} rows. Narrow them, and delete in steps."))
        })?;
        for row in rows {
            match actions::delete(ctx, table, row.id, Precondition::Any).await {
                Ok(()) => {}
                // It went with another one.
                Err(actions::ActionError::Refused(r)) if r.codes() == [0x8004_0217] => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

/// The job as the client describes it. What cannot be done is refused, not
/// passed over: it would be done at another time, or told to nobody.
fn queries(arguments: &mut Arguments, now: Timestamp) -> Result<Vec<Query>, ApiError> {
    if arguments.bool("SendEmailNotification") == Some(true) {
        return Err(refused("it notifies nobody by email"));
    }
    if arguments.text("RecurrencePattern").is_some_and(|pattern| !pattern.trim().is_empty()) {
        return Err(refused("it is not repeated"));
    }
    let start = arguments.text("StartDateTime").and_then(crate::api::json_in::time);
    if start.is_some_and(|start| start > now + SKEW) {
        return Err(refused("it starts at once"));
    }
    let named = arguments.text("JobName").is_some_and(|name| !name.trim().is_empty());
    match arguments.take("QuerySet") {
        Some(Json::Array(queries)) if named && !queries.is_empty() => {
            queries.into_iter().map(criteria::query).collect()
        }
        _ => Err(ApiError::bad_payload("BulkDelete needs a JobName and a QuerySet with at least one query.")),
    }
}

/// 0x80040800
fn refused(why: &str) -> ApiError {
    let message = format!("The job cannot be done as described: {why}.");
    Refusal::new(0x8004_0800, "NotSupported", model::Words::foreign(message)).into()
}
