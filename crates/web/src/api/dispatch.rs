//! From a request to its answer.

use std::sync::Arc;
use std::time::Duration;

use actions::Context;
use actions::sign_in::Caller;
use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{Extension, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use model::{Filter, Ref, Refusal, Value};

use crate::api::call::{self, Call, References};
use crate::api::errors::ApiError;
use crate::api::headers::Prefer;
use crate::api::operations::Target;
use crate::api::resource::{self, Resource};
use crate::api::{
    acting, auth, batch, calls, headers, joined, linked, list, metadata, read_one, reference, respond, write,
};
use crate::limiter::{Exceeded, Limiter};
use crate::peer::{Client, Peer};
use crate::state::AppState;

/// Octets of a URL.
const LONGEST_URL: usize = 32 * 1024;
/// Octets of a payload. The largest attachment is 128 MiB, and base64 makes
/// four of three.
const LARGEST_BODY: usize = 180 * 1024 * 1024;
/// Where no attachment can be.
const LARGEST_PLAIN_BODY: usize = 16 * 1024 * 1024;

/// How long a payload may take to come.
const SLOWEST_BODY: Duration = Duration::from_secs(100);

const VERSIONS: &[&str] = &["v9.0", "v9.1", "v9.2"];

/// Everything under `/api`.
pub(crate) async fn handle(
    State(state): State<Arc<AppState>>,
    Extension(limiter): Extension<Limiter>,
    request: Request,
) -> Response {
    let id = state.request_id();
    let prefer = Prefer::read(request.headers());
    let mut response = match answer(&state, &limiter, request, &id).await {
        Ok(response) => response,
        Err(error) => error.into_response_for(&id, &prefer),
    };
    respond::finish(&mut response, &id);
    response
}

async fn answer(state: &AppState, limiter: &Limiter, request: Request, id: &str) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let peer = parts.extensions.get::<Peer>().copied().unwrap_or_default();
    let client = Client::read(&parts.headers, peer, &state.proxies);
    let now = state.clock.now();
    let path_and_query = parts.uri.path_and_query().map_or("/", |p| p.as_str()).to_owned();
    if path_and_query.len() > LONGEST_URL {
        let message = format!("The URL is longer than {LONGEST_URL} bytes.");
        return Err(ApiError::new(
            StatusCode::URI_TOO_LONG,
            Refusal::new(0x8006_0888, "UrlTooLong", model::Words::foreign(message)),
        ));
    }
    let Caller { user, scopes } = auth::caller(state, &limiter.guesses, &parts, &client, now).await?;
    let mut permit = limiter.enter(user.id, now).map_err(too_many)?;
    let (version, path) = service_path(parts.uri.path())?;
    let resource = resource::read(path)?;
    headers::require_plain(&parts.headers)?;
    let body = payload(body, &resource).await?;
    permit.execute();
    let context = Context::new(state.store.clone(), user, now, state.random.clone(), state.settings).await?;
    let context = context.from(client.for_audit("api", &parts.headers, id));
    let call = Call {
        ctx: context.within(scopes),
        prefer: Prefer::read(&parts.headers),
        query: call::query(parts.uri.query().unwrap_or(""))?,
        method: parts.method,
        headers: parts.headers,
        path_and_query,
        body,
        origin: client.origin,
        version: version.to_owned(),
        references: References::default(),
    };
    let mut response = run(&call, resource).await?;
    respond::set_remaining(&mut response, permit.remaining);
    Ok(response)
}

/// What a caller who is known asks for, in a batch or by itself.
pub(crate) async fn run(call: &Call, resource: Resource) -> Result<Response, ApiError> {
    let acting = acting::acting(call).await?;
    let call = acting.as_ref().unwrap_or(call);
    let mut response = dispatch(call, resource).await?;
    respond::set_applied(&mut response, &call.prefer.applied);
    Ok(response)
}

/// 429 with the time to wait.
fn too_many(exceeded: Exceeded) -> ApiError {
    let mut error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, exceeded.refusal());
    error.headers.push((header::RETRY_AFTER, exceeded.retry_after().to_string()));
    error
}

/// `/api/data/v9.2/mailboxes` → (`v9.2`, `mailboxes`)
pub(crate) fn service_path(path: &str) -> Result<(&str, &str), ApiError> {
    let rest = path.strip_prefix("/api/data/").ok_or_else(|| ApiError::no_segment(path))?;
    let (version, rest) = rest.split_once('/').unwrap_or((rest, ""));
    if VERSIONS.contains(&version) { Ok((version, rest)) } else { Err(ApiError::no_segment(version)) }
}

/// Octets of a payload that the resource takes at most.
pub(crate) fn largest(resource: &Resource) -> usize {
    let files = match resource {
        Resource::Batch => true,
        Resource::Operation { target: Target::Set(table), .. } | Resource::Set(table) | Resource::Row(table, _) => {
            matches!(table.logical, "email" | "activitymimeattachment")
        }
        Resource::Operation { operation, .. } => operation.carries_files(),
        _ => false,
    };
    if files { LARGEST_BODY } else { LARGEST_PLAIN_BODY }
}

async fn payload(body: Body, resource: &Resource) -> Result<Bytes, ApiError> {
    let limit = largest(resource);
    // What says itself that it is too large need not come first.
    if body.size_hint().lower() > limit as u64 {
        return Err(unread(too_large(limit)));
    }
    let Ok(payload) = tokio::time::timeout(SLOWEST_BODY, axum::body::to_bytes(body, limit)).await else {
        let message = format!("The payload did not come within {} seconds.", SLOWEST_BODY.as_secs());
        let fault = Refusal::new(0x8004_0216, "PayloadTimeout", model::Words::foreign(message));
        return Err(unread(ApiError::new(StatusCode::REQUEST_TIMEOUT, fault)));
    };
    payload.map_err(|error| {
        let beyond = std::error::Error::source(&error).is_some_and(|s| s.to_string().contains("length limit"));
        if beyond { unread(too_large(limit)) } else { ApiError::bad_payload("The payload ended early.") }
    })
}

/// What is still to come of the payload is not read.
fn unread(mut error: ApiError) -> ApiError {
    error.headers.push((header::CONNECTION, "close".to_owned()));
    error
}

pub(crate) fn too_large(limit: usize) -> ApiError {
    let message = format!("The payload is larger than {limit} bytes.");
    ApiError::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::new(0x8004_4A02, "PayloadTooLarge", model::Words::foreign(message)),
    )
}

async fn dispatch(call: &Call, resource: Resource) -> Result<Response, ApiError> {
    let read = call.method == Method::GET || call.method == Method::HEAD;
    match resource {
        Resource::Root if read => Ok(metadata::service_document(call)),
        Resource::Metadata(segments) => metadata::answer(call, &segments),
        Resource::Operation { operation, target, inline } => {
            calls::call(call, operation, target, inline.as_deref()).await
        }
        Resource::Batch => Box::pin(batch::run(call)).await,
        Resource::Reference { table, key, link } => reference::run(call, table, &key, link).await,
        Resource::Set(table) => match call.method {
            Method::GET | Method::HEAD => match joined::asked(call) {
                Some(question) => joined::list(call, table, question).await,
                None => list::list(call, table, Filter::All).await,
            },
            Method::POST => write::create(call, table).await,
            _ => Err(ApiError::method("GET, POST")),
        },
        Resource::Count(table) if read => list::count(call, table, Filter::All).await,
        Resource::Row(table, key) => match call.method {
            Method::GET | Method::HEAD => read_one::row(call, table, &key).await,
            Method::PATCH => write::update(call, read_one::stored(call, table, &key).await?, &key).await,
            Method::DELETE => write::delete(call, read_one::stored(call, table, &key).await?, &key).await,
            _ => Err(ApiError::method("GET, PATCH, DELETE")),
        },
        Resource::Property { table, key, column, raw } => match call.method {
            Method::GET | Method::HEAD => read_one::property(call, table, &key, column, raw).await,
            Method::PUT if !raw => {
                write::put_property(call, read_one::stored(call, table, &key).await?, &key, column).await
            }
            Method::DELETE if !raw => {
                write::clear_property(call, read_one::stored(call, table, &key).await?, &key, column).await
            }
            _ => Err(ApiError::method("GET, PUT, DELETE")),
        },
        Resource::Single { table, key, column, only } if read => {
            read_one::single(call, table, &key, column, only).await
        }
        Resource::Collection { table, key, child, count } if read => {
            let id = read_one::id_of(call, table, &key).await?;
            // 404 for a parent that is not there, or not to be seen.
            actions::read(&call.ctx, table, id, vec![]).await?;
            let target = model::tables::by_logical_name(child.table).ok_or_else(|| ApiError::no_segment(child.nav))?;
            let within = Filter::In(child.column.into(), vec![Value::Ref(Ref::new(table.logical, id))]);
            if count { list::count(call, target, within).await } else { list::list(call, target, within).await }
        }
        Resource::Linked { table, key, link, count } if read => {
            let id = read_one::id_of(call, table, &key).await?;
            linked::read(call, table, id, link, count).await
        }
        Resource::Bytes { table, key } if read => read_one::bytes(call, table, &key).await,
        _ => Err(ApiError::method("GET")),
    }
}
