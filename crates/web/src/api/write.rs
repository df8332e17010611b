//! Creating, changing and deleting rows.

use actions::{Draft, Precondition};
use axum::http::StatusCode;
use axum::response::Response;
use model::{Column, Id, Table, Value};

use crate::api::call::Call;
use crate::api::errors::ApiError;
use crate::api::key::Key;
use crate::api::options;
use crate::api::{headers, json_in, json_out, read_one, respond, views};

/// `POST set`
pub(crate) async fn create(call: &Call, table: &'static Table) -> Result<Response, ApiError> {
    let mut draft = draft(call, table).await?;
    views::check(&call.ctx, table, None, &mut draft).await?;
    let asked = options::read(call, table).await?;
    let id = actions::create(&call.ctx, draft).await?;
    let url = call.url_of(table, id);
    let mut response = if call.prefer.representation {
        read_one::one(call, table, id, &asked, StatusCode::CREATED, false).await?
    } else {
        respond::empty(StatusCode::NO_CONTENT)
    };
    respond::set_entity(&mut response, &url);
    Ok(response)
}

/// `PATCH set(key)`: update, or upsert where no header forbids it.
pub(crate) async fn update(call: &Call, table: &'static Table, key: &Key) -> Result<Response, ApiError> {
    let precondition = headers::precondition(&call.headers)?;
    let mut draft = draft(call, table).await?;
    let asked = options::read(call, table).await?;
    let id = match key {
        Key::Id(id) => *id,
        Key::Columns(columns) => match actions::resolve::find(&call.ctx, table, columns).await? {
            Some(id) => id,
            None if matches!(precondition, Precondition::Any | Precondition::Absent) => {
                // The key's values are the new row's.
                for (name, value) in columns {
                    draft.values.entry(name).or_insert_with(|| value.clone());
                }
                match draft.id {
                    Some(id) => id,
                    None => call.ctx.new_id()?,
                }
            }
            None => actions::resolve::key(&call.ctx, table, columns).await?,
        },
    };
    if draft.id.take().is_some_and(|given| given != id) {
        let message = format!("The payload's '{}' is another than the URL's.", table.id);
        draft.faults.push(actions::validate::malformed(model::Words::foreign(message)).at(table.id));
    }
    views::check(&call.ctx, table, Some(id), &mut draft).await?;
    let saved = actions::update(&call.ctx, id, draft, precondition).await?;
    let mut response = if call.prefer.representation {
        let status = if saved.created { StatusCode::CREATED } else { StatusCode::OK };
        read_one::one(call, table, id, &asked, status, false).await?
    } else {
        respond::empty(StatusCode::NO_CONTENT)
    };
    respond::set_entity(&mut response, &call.url_of(table, id));
    Ok(response)
}

async fn draft(call: &Call, table: &'static Table) -> Result<Draft, ApiError> {
    json_in::draft(&call.ctx, table, call.payload()?).await
}

/// `DELETE set(key)`
pub(crate) async fn delete(call: &Call, table: &'static Table, key: &Key) -> Result<Response, ApiError> {
    let precondition = headers::precondition(&call.headers)?;
    let id = read_one::id_of(call, table, key).await?;
    actions::delete(&call.ctx, table, id, precondition).await?;
    Ok(respond::empty(StatusCode::NO_CONTENT))
}

/// `PUT set(key)/column {"value": …}`
pub(crate) async fn put_property(
    call: &Call,
    table: &'static Table,
    key: &Key,
    column: &'static Column,
) -> Result<Response, ApiError> {
    let value = call.payload()?.into_iter().find(|(name, _)| name == "value").map(|(_, v)| v);
    let value = value.ok_or_else(|| ApiError::bad_payload("The payload must be {\"value\": …}."))?;
    let draft = json_in::draft(&call.ctx, table, vec![(json_out::property(column), value)]).await?;
    save(call, table, key, draft).await
}

/// `DELETE set(key)/column`: empties it.
pub(crate) async fn clear_property(
    call: &Call,
    table: &'static Table,
    key: &Key,
    column: &'static Column,
) -> Result<Response, ApiError> {
    save(call, table, key, Draft::new(table).set(column.name, Value::Null)).await
}

async fn save(call: &Call, table: &'static Table, key: &Key, mut draft: Draft) -> Result<Response, ApiError> {
    let id: Id = read_one::id_of(call, table, key).await?;
    views::check(&call.ctx, table, Some(id), &mut draft).await?;
    let precondition = match headers::precondition(&call.headers)? {
        Precondition::Any => Precondition::Exists,
        other => other,
    };
    actions::update(&call.ctx, id, draft, precondition).await?;
    Ok(respond::empty(StatusCode::NO_CONTENT))
}
