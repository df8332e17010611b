//! `$ref`: links between rows that are there already.

use actions::{Draft, Precondition};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use model::table::Child;
use model::{Column, Filter, Id, Query, Ref, Refusal, Table, Value};
use serde_json::json;

use crate::api::bind::{self, Target};
use crate::api::call::Call;
use crate::api::errors::ApiError;
use crate::api::headers::LARGEST_PAGE;
use crate::api::json::Json;
use crate::api::key::Key;
use crate::api::resource::Link;
use crate::api::{headers, linked, read_one, respond};

pub(crate) async fn run(call: &Call, table: &'static Table, key: &Key, link: Link) -> Result<Response, ApiError> {
    let id = read_one::id_of(call, table, key).await?;
    match link {
        Link::Single(column, target) => match call.method {
            Method::GET | Method::HEAD => single(call, table, id, column).await,
            Method::PUT => {
                let found = payload(call).await?;
                fits(column, target, found)?;
                save(call, table, id, column, Value::Ref(found)).await
            }
            Method::DELETE => clear(call, table, id, column).await,
            _ => Err(ApiError::method("GET, PUT, DELETE")),
        },
        Link::Collection(child, named) => match (call.method.as_str(), named) {
            ("GET" | "HEAD", None) => {
                let within = Filter::In(child.column.into(), vec![Value::Ref(Ref::new(table.logical, id))]);
                collection(call, table, id, of(child)?, within).await
            }
            ("POST", None) => {
                let found = payload(call).await?;
                associate(call, Ref::new(table.logical, id), child, found).await
            }
            ("DELETE", named) => {
                let found = named_row(call, of(child)?, named).await?;
                disassociate(call, Ref::new(table.logical, id), child, found).await
            }
            (_, None) => Err(ApiError::method("GET, POST, DELETE")),
            (_, Some(_)) => Err(ApiError::method("DELETE")),
        },
        Link::Pairs(link, named) => pairs(call, Ref::new(table.logical, id), table, link, named).await,
    }
}

async fn pairs(
    call: &Call,
    row: Ref,
    table: &'static Table,
    link: &model::table::Link,
    named: Option<Key>,
) -> Result<Response, ApiError> {
    let target = linked::target(link)?;
    match (call.method.as_str(), named) {
        ("GET" | "HEAD", None) => collection(call, table, row.id, target, linked::within(link, &[row])?).await,
        ("POST", None) => linked::associate(call, link, row, payload(call).await?).await,
        ("DELETE", named) => {
            let found = named_row(call, target, named).await?;
            linked::disassociate(call, link, row, found).await
        }
        (_, None) => Err(ApiError::method("GET, POST, DELETE")),
        (_, Some(_)) => Err(ApiError::method("DELETE")),
    }
}

/// The row that a link is taken from: in parentheses, or as `?$id=`.
async fn named_row(call: &Call, target: &'static Table, named: Option<Key>) -> Result<Ref, ApiError> {
    match (named, option(call)) {
        (Some(key), _) => Ok(Ref::new(target.logical, read_one::id_of(call, target, &key).await?)),
        (None, Some(url)) => resolve(call, url).await,
        (None, None) => {
            let message = "Say which row: DELETE …/nav(<id>)/$ref, or …/nav/$ref?$id=<url>.";
            Err(ApiError::bad_request(message))
        }
    }
}

/// `?$id=<url>`
fn option(call: &Call) -> Option<&str> {
    call.query.iter().find(|(name, _)| name.eq_ignore_ascii_case("$id")).map(|(_, value)| value.as_str())
}

fn of(child: Child) -> Result<&'static Table, ApiError> {
    model::tables::by_logical_name(child.table).ok_or_else(|| ApiError::no_segment(child.nav))
}

/// The row of `{"@odata.id": "<url>"}`.
async fn payload(call: &Call) -> Result<Ref, ApiError> {
    let properties = call.payload()?;
    match properties.into_iter().find(|(name, _)| name == "@odata.id") {
        Some((_, Json::Text(url))) => resolve(call, &url).await,
        _ => Err(ApiError::bad_payload("The payload must be {\"@odata.id\": \"<URL of a row>\"}.")),
    }
}

async fn resolve(call: &Call, url: &str) -> Result<Ref, ApiError> {
    match bind::target(url)? {
        Target::Row(table, id) => Ok(Ref::new(table.logical, id)),
        Target::Keyed(table, key) => Ok(Ref::new(table.logical, actions::resolve::key(&call.ctx, table, &key).await?)),
    }
}

fn fits(column: &Column, target: Option<&str>, found: Ref) -> Result<(), ApiError> {
    match target {
        Some(target) if target != found.table => {
            let message = format!("'{}' takes a row of {target} here, not of {}.", column.name, found.table);
            Err(ApiError::bad_payload(message))
        }
        _ => Ok(()),
    }
}

async fn single(call: &Call, table: &'static Table, id: Id, column: &'static Column) -> Result<Response, ApiError> {
    let record = actions::read(&call.ctx, table, id, vec![column.name]).await?;
    let Some(found) = record.get(column.name).as_ref_to() else { return Ok(respond::empty(StatusCode::NO_CONTENT)) };
    let Some(target) = model::tables::by_logical_name(found.table).filter(|t| t.on_wire) else {
        return Err(ApiError::no_segment(column.name));
    };
    let body = json!({ "@odata.context": call.context("#$ref"), "@odata.id": call.url_of(target, found.id) });
    Ok(respond::json(StatusCode::OK, &body))
}

async fn collection(
    call: &Call,
    table: &'static Table,
    id: Id,
    target: &'static Table,
    within: Filter,
) -> Result<Response, ApiError> {
    // 404 for a parent that is not there, or not to be seen.
    actions::read(&call.ctx, table, id, vec![table.id]).await?;
    let mut query = Query::table(target).filter(within);
    query.select = vec![target.id];
    query.limit = Some(LARGEST_PAGE);
    let rows = actions::list(&call.ctx, query).await?;
    let rows: Vec<_> = rows.iter().map(|row| json!({ "@odata.id": call.url_of(target, row.id) })).collect();
    let body = json!({ "@odata.context": call.context("#Collection($ref)"), "value": rows });
    Ok(respond::json(StatusCode::OK, &body))
}

async fn save(
    call: &Call,
    table: &'static Table,
    id: Id,
    column: &'static Column,
    value: Value,
) -> Result<Response, ApiError> {
    let precondition = match headers::precondition(&call.headers)? {
        Precondition::Version(version) => Precondition::Version(version),
        _ => Precondition::Exists,
    };
    actions::update(&call.ctx, id, Draft::new(table).set(column.name, value), precondition).await?;
    Ok(respond::empty(StatusCode::NO_CONTENT))
}

/// `?$id=` names the row that is let go, where it is given.
async fn clear(call: &Call, table: &'static Table, id: Id, column: &'static Column) -> Result<Response, ApiError> {
    if let Some(url) = option(call) {
        let named = resolve(call, url).await?;
        let record = actions::read(&call.ctx, table, id, vec![column.name]).await?;
        if record.get(column.name).as_ref_to() != Some(named) {
            return Err(not_linked(Ref::new(table.logical, id), named));
        }
    }
    save(call, table, id, column, Value::Null).await
}

async fn associate(call: &Call, parent: Ref, child: Child, found: Ref) -> Result<Response, ApiError> {
    let table = of(child)?;
    if found.table != table.logical {
        let message = format!("'{}' takes rows of {}, not of {}.", child.nav, table.logical, found.table);
        return Err(ApiError::bad_payload(message));
    }
    link(call, table, found.id, child.column, Value::Ref(parent)).await
}

async fn disassociate(call: &Call, parent: Ref, child: Child, found: Ref) -> Result<Response, ApiError> {
    let table = of(child)?;
    if found.table != table.logical {
        return Err(not_linked(parent, found));
    }
    let record = actions::read(&call.ctx, table, found.id, vec![child.column]).await?;
    if record.get(child.column).as_ref_to() != Some(parent) {
        return Err(not_linked(parent, found));
    }
    link(call, table, found.id, child.column, Value::Null).await
}

async fn link(
    call: &Call,
    table: &'static Table,
    id: Id,
    column: &'static str,
    value: Value,
) -> Result<Response, ApiError> {
    let draft = Draft::new(table).set(column, value);
    actions::update(&call.ctx, id, draft, Precondition::Exists).await?;
    Ok(respond::empty(StatusCode::NO_CONTENT))
}

/// 404, 0x80040217
fn not_linked(parent: Ref, other: Ref) -> ApiError {
    let message = format!("{parent} is not linked with {other}.");
    Refusal::new(0x8004_0217, "ObjectDoesNotExist", model::Words::foreign(message)).into()
}
