//! Functions and actions.

use axum::http::{Method, StatusCode};
use axum::response::Response;
use model::Table;
use serde_json::json;

use crate::api::call::Call;
use crate::api::errors::ApiError;
use crate::api::json::Json;
use crate::api::key::Key;
use crate::api::{headers, read_one, respond};

/// The version that this API behaves like.
const VERSION: &str = "9.2.0.0";

/// `GET Name()`
pub(crate) async fn unbound(call: &Call, name: &str) -> Result<Response, ApiError> {
    if call.method != Method::GET && call.method != Method::HEAD {
        return Err(ApiError::method("GET"));
    }
    let context = call.context(&format!("#Microsoft.Dynamics.CRM.{name}Response"));
    let body = match name {
        "WhoAmI" => {
            let who = actions::who_am_i(&call.ctx).await?;
            json!({
                "@odata.context": context,
                "BusinessUnitId": who.business_unit.to_string(),
                "UserId": who.user.to_string(),
                "OrganizationId": who.organization.to_string(),
            })
        }
        "RetrieveVersion" => json!({ "@odata.context": context, "Version": VERSION }),
        other => return Err(ApiError::no_segment(other)),
    };
    Ok(respond::json(StatusCode::OK, &body))
}

/// `POST set(key)/Microsoft.Dynamics.CRM.Name`
pub(crate) async fn bound(call: &Call, table: &'static Table, key: &Key, name: &str) -> Result<Response, ApiError> {
    match (table.logical, name) {
        ("email", "SendEmail") => send_email(call, table, key).await,
        _ => Err(ApiError::no_segment(&format!("Microsoft.Dynamics.CRM.{name}"))),
    }
}

async fn send_email(call: &Call, table: &'static Table, key: &Key) -> Result<Response, ApiError> {
    if call.method != Method::POST {
        return Err(ApiError::method("POST"));
    }
    headers::require_json(&call.headers)?;
    let (mut issue, mut token) = (None, None);
    for (name, value) in Json::read_object(&call.body)? {
        match (name.as_str(), value) {
            ("IssueSend", Json::Bool(b)) => issue = Some(b),
            ("TrackingToken", Json::Text(text)) if text.chars().count() <= 50 && !text.contains(char::is_control) => {
                token = Some(text).filter(|t| !t.is_empty());
            }
            ("TrackingToken", Json::Null) => {}
            (name, _) if name.contains('@') => {}
            ("IssueSend" | "TrackingToken", _) => {
                let message =
                    "SendEmail takes IssueSend (true or false) and TrackingToken (a text of at most 50 characters).";
                return Err(ApiError::bad_payload(message));
            }
            (other, _) => {
                let other = actions::validate::excerpt(other);
                return Err(ApiError::bad_payload(format!("The parameter '{other}' is not a parameter of SendEmail.")));
            }
        }
    }
    let issue = issue
        .ok_or_else(|| ApiError::bad_payload("SendEmail needs IssueSend: true sends, false only marks as sent."))?;
    let id = read_one::id_of(call, table, key).await?;
    let subject = actions::email::send(&call.ctx, id, issue, token).await?;
    let context = call.context("#Microsoft.Dynamics.CRM.SendEmailResponse");
    Ok(respond::json(StatusCode::OK, &json!({ "@odata.context": context, "Subject": subject })))
}
