//! Functions and actions: called, and those that stand for themselves.

use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::json;

use crate::api::arguments::Arguments;
use crate::api::call::Call;
use crate::api::errors::ApiError;
use crate::api::operations::{Invocation, Kind, NAMESPACE, Operation, Target};
use crate::api::{read_one, respond};

/// The version that this API behaves like.
pub(crate) const VERSION: &str = "9.2.0.0";

/// Runs an operation. `inline` is what stood in the parentheses after its name.
pub(crate) async fn call(
    call: &Call,
    operation: &'static Operation,
    target: Target,
    inline: Option<&str>,
) -> Result<Response, ApiError> {
    let read = call.method == Method::GET || call.method == Method::HEAD;
    match operation.kind {
        Kind::Function if !read => return Err(ApiError::method("GET")),
        Kind::Action if call.method != Method::POST => return Err(ApiError::method("POST")),
        Kind::Function | Kind::Action => {}
    }
    let arguments = Arguments::read(call, operation, inline)?;
    (operation.run)(Invocation { call, operation, target, arguments }).await
}

impl Invocation<'_> {
    /// The context of the operation's response type.
    pub fn context(&self) -> String {
        self.call.context(&format!("#{NAMESPACE}.{}Response", self.operation.name))
    }
}

/// `GET WhoAmI()`
pub(crate) async fn who_am_i(invocation: Invocation<'_>) -> Result<Response, ApiError> {
    let who = actions::who_am_i(&invocation.call.ctx).await?;
    let body = json!({
        "@odata.context": invocation.context(),
        "BusinessUnitId": who.business_unit.to_string(),
        "UserId": who.user.to_string(),
        "OrganizationId": who.organization.to_string(),
    });
    Ok(respond::json(StatusCode::OK, &body))
}

/// `GET RetrieveVersion()`
pub(crate) async fn retrieve_version(invocation: Invocation<'_>) -> Result<Response, ApiError> {
    let body = json!({ "@odata.context": invocation.context(), "Version": VERSION });
    Ok(respond::json(StatusCode::OK, &body))
}

/// `POST emails(key)/Microsoft.Dynamics.CRM.SendEmail`
pub(crate) async fn send_email(invocation: Invocation<'_>) -> Result<Response, ApiError> {
    let (call, arguments) = (invocation.call, &invocation.arguments);
    let Target::Row(table, key) = &invocation.target else {
        return Err(ApiError::no_segment(invocation.operation.name));
    };
    let token = arguments.text("TrackingToken").unwrap_or_default();
    if token.chars().count() > 50 || token.contains(char::is_control) {
        let message = "The parameter 'TrackingToken' of SendEmail is a text of at most 50 characters.";
        return Err(ApiError::bad_payload(message));
    }
    let issue = arguments.bool("IssueSend").unwrap_or_default();
    let id = read_one::id_of(call, table, key).await?;
    let token = Some(token.to_owned()).filter(|t| !t.is_empty());
    let subject = actions::email::send(&call.ctx, id, issue, token).await?;
    let body = json!({ "@odata.context": invocation.context(), "Subject": subject });
    Ok(respond::json(StatusCode::OK, &body))
}
