//! Reading one row, one of its properties, or what it navigates to.

use axum::http::StatusCode;
use axum::response::Response;
use model::tables::ACTIVITY;
use model::{Column, Id, Ref, Refusal, Table};
use serde_json::{Value as Out, json};

use crate::api::call::Call;
use crate::api::errors::ApiError;
use crate::api::key::Key;
use crate::api::options::{self, Asked};
use crate::api::{headers, json_out, respond, rows};

/// The id that a key stands for.
pub(crate) async fn id_of(call: &Call, table: &'static Table, key: &Key) -> Result<Id, ApiError> {
    match key {
        Key::Id(id) => Ok(*id),
        Key::Columns(columns) => Ok(actions::resolve::key(&call.ctx, table, columns).await?),
    }
}

/// The table that has the row: an activity's own where it was named as an
/// activity in general.
pub(crate) async fn stored(call: &Call, table: &'static Table, key: &Key) -> Result<&'static Table, ApiError> {
    if table != ACTIVITY {
        return Ok(table);
    }
    let id = id_of(call, table, key).await?;
    let found = actions::resolve::activity(&call.ctx, id).await?;
    found.ok_or_else(|| Refusal::does_not_exist(table.logical, id).into())
}

/// `GET set(key)`
pub(crate) async fn row(call: &Call, table: &'static Table, key: &Key) -> Result<Response, ApiError> {
    let mut asked = options::read(call, table).await?;
    // The bytes of a single attachment come unless something else was selected.
    asked.body |= table.logical == "activitymimeattachment" && asked.options.select.is_empty();
    let id = id_of(call, table, key).await?;
    one(call, table, id, &asked, StatusCode::OK, true).await
}

/// The row as the answer to a read or a write.
pub(crate) async fn one(
    call: &Call,
    table: &'static Table,
    id: Id,
    asked: &Asked,
    status: StatusCode,
    conditional: bool,
) -> Result<Response, ApiError> {
    let record = actions::read(&call.ctx, table, id, rows::needed_for(table, asked)).await?;
    let version = record.get("versionnumber").as_int();
    if conditional && version.is_some() && headers::known_version(&call.headers) == version {
        let mut response = respond::empty(StatusCode::NOT_MODIFIED);
        respond::set_etag(&mut response, &json_out::etag(&record));
        return Ok(response);
    }
    let etag = json_out::etag(&record);
    let mut objects = rows::render(call, table, &[record], asked).await?;
    let mut object = objects.pop().unwrap_or_default();
    let expanded: Vec<String> = asked.options.expand.iter().map(|e| e.nav.clone()).collect();
    let context = json_out::context(table, &asked.options.select, &expanded);
    object.insert("@odata.context".to_owned(), json!(call.context(&format!("{context}/$entity"))));
    let mut response = respond::json(status, &Out::Object(object));
    respond::set_etag(&mut response, &etag);
    Ok(response)
}

/// `GET set(key)/column`, and the bare value with `/$value`.
pub(crate) async fn property(
    call: &Call,
    table: &'static Table,
    key: &Key,
    column: &'static Column,
    raw: bool,
) -> Result<Response, ApiError> {
    let id = id_of(call, table, key).await?;
    let record = actions::read(&call.ctx, table, id, vec![column.name]).await?;
    let value = json_out::value(record.get(column.name));
    if value.is_null() {
        return Ok(respond::empty(StatusCode::NO_CONTENT));
    }
    if raw {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        return Ok(respond::text(StatusCode::OK, text));
    }
    let property = json_out::property(column);
    let context = call.context(&format!("#{}({id})/{property}", table.set));
    Ok(respond::json(StatusCode::OK, &json!({ "@odata.context": context, "value": value })))
}

/// `GET set(key)/nav`: the row that the lookup points to, 204 where it is empty.
pub(crate) async fn single(
    call: &Call,
    table: &'static Table,
    key: &Key,
    column: &'static Column,
    only: Option<&'static Table>,
) -> Result<Response, ApiError> {
    let id = id_of(call, table, key).await?;
    let record = actions::read(&call.ctx, table, id, vec![column.name]).await?;
    let wanted = |target: &Ref| only.is_none_or(|only| only.logical == target.table);
    let Some(target) = record.get(column.name).as_ref_to().filter(wanted) else {
        return Ok(respond::empty(StatusCode::NO_CONTENT));
    };
    let Some(target_table) = model::tables::by_logical_name(target.table).filter(|t| t.on_wire) else {
        return Err(ApiError::no_segment(column.name));
    };
    let asked = options::read(call, target_table).await?;
    one(call, target_table, target.id, &asked, StatusCode::OK, false).await
}

/// The bytes of an attachment, or the raw message of an email.
pub(crate) async fn bytes(call: &Call, table: &'static Table, key: &Key) -> Result<Response, ApiError> {
    let id = id_of(call, table, key).await?;
    if table.logical == "email" {
        return match actions::attachment::raw_message(&call.ctx, id).await? {
            Some(message) => {
                let bytes = formats::mime::extract(&message.stored, &message.place);
                Ok(respond::download(&message.mime_type, bytes))
            }
            None => Ok(respond::empty(StatusCode::NO_CONTENT)),
        };
    }
    let (mime_type, bytes) = rows::bytes(call, id).await?;
    Ok(respond::download(&mime_type, bytes))
}
