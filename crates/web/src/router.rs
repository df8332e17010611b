//! The routes, and what holds for all of them.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{any, get};
use model::Refusal;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use crate::api::errors::ApiError;
use crate::api::{dispatch, respond};
use crate::health;
use crate::limiter::Limiter;
use crate::pages;
use crate::signin;
use crate::state::AppState;

/// How long a request may take, its payload included.
const LONGEST: Duration = Duration::from_secs(120);

/// Everything that the server answers.
pub fn router(state: AppState) -> Router {
    let state = Arc::new(state);
    let api = Router::new()
        .route("/api", any(dispatch::handle))
        .route("/api/{*path}", any(dispatch::handle))
        .layer(Extension(Limiter::new(state.limits)));
    let pages = signin::routes().merge(pages::routes(&state)).layer(CompressionLayer::new());
    finished(api.merge(pages), state)
}

/// Only what watches the process: `/healthz`, `/readyz`, `/metrics`.
pub fn health_router(state: AppState) -> Router {
    finished(Router::new(), Arc::new(state))
}

fn finished(routes: Router<Arc<AppState>>, state: Arc<AppState>) -> Router {
    let panics = Arc::clone(&state);
    routes
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .fallback(nothing)
        .layer(CatchPanicLayer::custom(move |panic: Box<dyn Any + Send>| panicked(&panics, panic.as_ref())))
        .layer(middleware::from_fn_with_state(Arc::clone(&state), deadline))
        .layer(middleware::from_fn(observe))
        .with_state(state)
}

/// 404 for everything else: a page for people, JSON for programs.
async fn nothing(State(state): State<Arc<AppState>>, request: Request) -> Response {
    let accepted = request.headers().get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or("");
    if accepted.contains("text/html") && !request.uri().path().starts_with("/api") {
        let languages = request.headers().get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok());
        let texts = pages::kit::accepted(languages.unwrap_or(""));
        let text =
            texts.text("There is no such page. The address may be mistyped, or what it led to is no longer there.");
        return pages::page(StatusCode::NOT_FOUND, &pages::Message { texts, title: texts.text("Not found"), text });
    }
    let id = state.request_id();
    let mut response = ApiError::no_segment(request.uri().path()).into_response(&id);
    respond::finish(&mut response, &id);
    response
}

/// Counts requests by method and status, and how long they took.
async fn observe(request: Request, next: Next) -> Response {
    let method = match request.method().as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PATCH" | "PUT" | "DELETE") => known.to_owned(),
        _ => "other".to_owned(),
    };
    let begun = tokio::time::Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    metrics::counter!("postroom_http_requests_total", "method" => method, "status" => status).increment(1);
    metrics::histogram!("postroom_http_request_seconds").record(begun.elapsed().as_secs_f64());
    response
}

/// 503 for a request that takes too long, a slow payload included.
async fn deadline(State(state): State<Arc<AppState>>, request: Request, next: Next) -> Response {
    if let Ok(response) = tokio::time::timeout(LONGEST, next.run(request)).await {
        return response;
    }
    let id = state.request_id();
    tracing::warn!(request = id, "Bad: a request took too long and was given up");
    let fault = Refusal::new(
        0x8004_0216,
        "Timeout",
        model::words!("The request took longer than {0} seconds.", LONGEST.as_secs()),
    );
    let mut response = ApiError::new(StatusCode::SERVICE_UNAVAILABLE, fault).into_response(&id);
    respond::finish(&mut response, &id);
    response
}

/// A fault in the program ends the request, not the process.
fn panicked(state: &AppState, panic: &(dyn Any + Send)) -> Response<Body> {
    let id = state.request_id();
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let detail = format!("panic: {}", text.unwrap_or("without a message"));
    let mut response = ApiError::internal(detail).into_response(&id);
    respond::finish(&mut response, &id);
    response
}
