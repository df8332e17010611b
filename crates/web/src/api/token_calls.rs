//! `pr_CreateApiToken`: a token is made by an action, because it is shown once.

use actions::token::NewToken;
use axum::http::StatusCode;
use axum::response::Response;
use model::Id;
use serde_json::json;

use crate::api::errors::ApiError;
use crate::api::operations::{Complex, Invocation, Parameter, Type, optional, required};
use crate::api::respond;

pub(crate) const PARAMETERS: &[Parameter] = &[
    required("Name", Type::Text),
    optional("Scopes", Type::Text),
    optional("ExpiresOn", Type::Time),
    optional("UserId", Type::Guid),
];
pub(crate) const RESPONSE: Complex = Complex {
    name: "pr_CreateApiTokenResponse",
    open: false,
    properties: &[required("pr_apitokenid", Type::Guid), required("Token", Type::Text)],
};

/// `POST pr_CreateApiToken`
pub(crate) async fn create(invocation: Invocation<'_>) -> Result<Response, ApiError> {
    let (ctx, arguments) = (&invocation.call.ctx, &invocation.arguments);
    let text = |name: &str| arguments.text(name).unwrap_or_default().to_owned();
    let expires = match arguments.text("ExpiresOn") {
        Some(time) => Some(time.parse().map_err(|_| wrong("ExpiresOn", "a time, e.g. 2027-01-01T00:00:00Z"))?),
        None => None,
    };
    let user = match arguments.text("UserId") {
        Some(id) => id.parse::<Id>().map_err(|_| wrong("UserId", "the id of a user"))?,
        None => ctx.actor.id,
    };
    let new = NewToken { name: text("Name"), scopes: text("Scopes"), expires };
    let (id, token) = actions::token::create(ctx, user, new).await?;
    let body = json!({ "@odata.context": invocation.context(), "pr_apitokenid": id.to_string(), "Token": token });
    Ok(respond::json(StatusCode::OK, &body))
}

fn wrong(name: &str, what: &str) -> ApiError {
    ApiError::bad_payload(format!("The parameter {name} takes {what}."))
}
