//! Acting for another user: the headers that name one.

use axum::http::HeaderMap;
use model::tables::SystemUser;
use model::{Entity, Id, Value};

use crate::api::call::{Call, References};
use crate::api::errors::ApiError;
use crate::api::key;

/// By the user's own id.
const BY_ID: &str = "mscrmcallerid";
/// By the id that the user has in the directory.
const BY_DIRECTORY_ID: &str = "callerobjectid";

/// The same request in the name of the user whom its headers name; `None`
/// where they name nobody.
pub(crate) async fn acting(call: &Call) -> Result<Option<Call>, ApiError> {
    let (by_id, by_directory) = (named(&call.headers, BY_ID)?, named(&call.headers, BY_DIRECTORY_ID)?);
    let user = match (by_id, by_directory) {
        (None, None) => return Ok(None),
        (Some(id), None) => Some(id),
        (None, Some(id)) => with_directory_id(call, id).await?,
        (Some(_), Some(_)) => {
            return Err(ApiError::bad_request("Send one of the headers MSCRMCallerID and CallerObjectId, not both."));
        }
    };
    if call.ctx.behind.is_some() {
        // A request in a batch: who acts already does not act on.
        if user == Some(call.ctx.actor.id) {
            return Ok(None);
        }
        return Err(ApiError::bad_request(
            "The batch already acts for another user; a request in it names nobody else.",
        ));
    }
    let ctx = actions::acting_for(&call.ctx, user).await?;
    Ok(Some(Call {
        ctx,
        method: call.method.clone(),
        headers: call.headers.clone(),
        prefer: call.prefer.clone(),
        query: call.query.clone(),
        path_and_query: call.path_and_query.clone(),
        body: call.body.clone(),
        origin: call.origin.clone(),
        version: call.version.clone(),
        references: References::clone(&call.references),
    }))
}

/// The id in the header. One that says nothing names nobody, and is refused:
/// what was meant for another is not done with the caller's own rights.
fn named(headers: &HeaderMap, header: &str) -> Result<Option<Id>, ApiError> {
    let mut all = headers.get_all(header).iter();
    let Some(value) = all.next() else { return Ok(None) };
    let id = value.to_str().ok().and_then(|text| key::guid(text.trim()));
    match (id, all.next()) {
        (Some(id), None) => Ok(Some(id)),
        _ => {
            let name = if header == BY_ID { "MSCRMCallerID" } else { "CallerObjectId" };
            Err(ApiError::bad_request(format!("The header {name} must hold the id of one user.")))
        }
    }
}

async fn with_directory_id(call: &Call, id: Id) -> Result<Option<Id>, ApiError> {
    let key = [(SystemUser::C.directory_id.name, Value::Id(id))];
    Ok(actions::resolve::find(&call.ctx, SystemUser::TABLE, &key).await?)
}
