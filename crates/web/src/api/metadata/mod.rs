//! What the API says about itself: the service document, `$metadata`, and the
//! definitions of tables, columns, relationships and choices. All of it
//! follows from `model::tables::ALL`, is the same for everybody, and is made
//! once.

mod attribute;
mod catalog;
pub(crate) mod changes;
mod condition;
mod csdl;
mod entity;
mod key;
mod labels;
mod node;
mod option_set;
mod query;
mod relationship;
mod walk;

pub(crate) use labels::words;

use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use model::Refusal;
use model::tables::on_wire as tables;
use serde_json::{Value as Out, json};

use crate::api::call::Call;
use crate::api::errors::ApiError;
use crate::api::respond;

/// The collections of definitions.
const ROOTS: &[&str] = &["EntityDefinitions", "RelationshipDefinitions", "GlobalOptionSetDefinitions"];

/// Whether a path that starts with this segment is about metadata.
pub(crate) fn is_root(segment: &str) -> bool {
    segment == "$metadata" || ROOTS.contains(&segment.split('(').next().unwrap_or(segment))
}

pub(crate) fn service_document(call: &Call) -> Response {
    let sets: Vec<Out> = tables().map(|t| json!({ "name": t.set, "kind": "EntitySet", "url": t.set })).collect();
    respond::json(StatusCode::OK, &json!({ "@odata.context": call.context(""), "value": sets }))
}

/// A path that [`is_root`] said yes to.
pub(crate) fn answer(call: &Call, segments: &[String]) -> Result<Response, ApiError> {
    if call.method != Method::GET && call.method != Method::HEAD {
        return Err(declared());
    }
    match segments {
        [only] if only == "$metadata" => Ok(document(call)),
        _ => walk::answer(call, segments),
    }
}

/// `GET $metadata`
fn document(call: &Call) -> Response {
    let annotated = call.query.iter().any(|(name, value)| name == "annotations" && value.eq_ignore_ascii_case("true"));
    let mut response = respond::text(StatusCode::OK, csdl::document(annotated).to_owned());
    let kind = header::HeaderValue::from_static("application/xml; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// 405, 0x80040315: nobody writes metadata.
fn declared() -> ApiError {
    let message = "Tables, columns, relationships and choices are declared by the program and cannot be changed \
                   through the API.";
    let mut error = ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        Refusal::new(0x8004_0315, "NotSupported", model::Words::foreign(message)),
    );
    error.headers.push((header::ALLOW, "GET".to_owned()));
    error
}

#[cfg(test)]
mod tests;
