//! `$batch`: many requests in one. Each is answered as if it had come by
//! itself, those of a change set together or not at all.

use std::collections::BTreeMap;
use std::sync::Arc;

use actions::{ActionError, ChangeSet, Context};
use axum::body::Body;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use formats::odata::batch::{self, Item, Request};

use crate::api::batch::answer::{Answers, Part};
use crate::api::call::{Call, References};
use crate::api::errors::ApiError;

mod answer;
mod part;

/// `POST $batch`
pub(crate) async fn run(call: &Call) -> Result<Response, ApiError> {
    if call.method != Method::POST {
        return Err(ApiError::method("POST"));
    }
    let kind = call.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
    let items = batch::read(kind, &call.body).map_err(|e| ApiError::bad_payload(e.to_string()))?;
    let boundary = format!("batchresponse_{}", call.ctx.new_id()?);
    let mut answers = Answers::new(boundary);
    let mut status = StatusCode::OK;
    for item in &items {
        let failed = match item {
            Item::Request(request) => {
                let part = if answers.are_too_large() {
                    part::failure(call, answer::too_large()).await
                } else {
                    part::answer(call, &call.ctx, request, &References::default()).await
                };
                let failed = part.failure();
                answers.add(part.about(request.content_id));
                failed
            }
            Item::ChangeSet(requests) => {
                let parts = change_set(call, requests).await;
                let failed = parts.iter().find_map(Part::failure);
                answers.add_set(format!("changesetresponse_{}", call.ctx.new_id()?), parts);
                failed
            }
        };
        if let Some(failed) = failed.filter(|_| !call.prefer.continue_on_error) {
            status = failed;
            break;
        }
    }
    let (kind, body) = answers.finish();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    if let Ok(kind) = HeaderValue::from_str(&kind) {
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    Ok(response)
}

/// Why a change set came to nothing.
enum Failed {
    /// The part that was refused.
    Part(Part),
    Set(ActionError),
}

impl From<ActionError> for Failed {
    fn from(error: ActionError) -> Self {
        Self::Set(error)
    }
}

/// An answer for every request, or the one of the request that failed.
async fn change_set(call: &Call, requests: &[Request<'_>]) -> Vec<Part> {
    let mut tries = 0;
    loop {
        let result = match ChangeSet::begin(&call.ctx).await {
            Ok(set) => {
                let result = in_order(call, set.context(), requests).await;
                set.conclude(result, &mut tries).await
            }
            Err(error) => Some(Err(Failed::Set(error))),
        };
        match result {
            None => {}
            Some(Ok(parts)) => return parts,
            Some(Err(Failed::Part(part))) => return vec![part],
            Some(Err(Failed::Set(error))) => {
                let part = part::failure(call, error.into()).await;
                return vec![part.about(requests.first().and_then(|r| r.content_id))];
            }
        }
    }
}

async fn in_order(call: &Call, ctx: &Context, requests: &[Request<'_>]) -> Result<Vec<Part>, Failed> {
    let mut parts = Vec::with_capacity(requests.len());
    let mut references = Arc::new(BTreeMap::new());
    for request in requests {
        let part = part::answer(call, ctx, request, &references).await.about(request.content_id);
        if part.failure().is_some() {
            return Err(Failed::Part(part));
        }
        if let (Some(id), Some(row)) = (request.content_id, part.row()) {
            Arc::make_mut(&mut references).insert(id.to_owned(), row);
        }
        parts.push(part);
    }
    Ok(parts)
}
