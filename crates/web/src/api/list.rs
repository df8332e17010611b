//! Lists: `GET set`, `set/$count`, and the rows that hang from another.

use axum::http::StatusCode;
use axum::response::Response;
use model::query::Path;
use model::{Filter, Order, Query, Record, Table, Value};
use serde_json::{Map, Value as Out, json};

use crate::api::call::Call;
use crate::api::errors::ApiError;
use crate::api::headers::LARGEST_PAGE;
use crate::api::options::{self, Asked};
use crate::api::paging::Place;
use crate::api::{json_out, paging, respond, rows, tracking};

/// Counts go no further than this, as in the reference product.
pub(crate) const HIGHEST_COUNT: u64 = 5000;

/// Pages with the bytes of attachments are small: every one may be large.
const PAGE_WITH_BODIES: usize = 50;

/// `GET set`, or with `within` only the rows that it lets pass.
pub(crate) async fn list(call: &Call, table: &'static Table, within: Filter) -> Result<Response, ApiError> {
    let asked = options::read(call, table).await?;
    if tracking::is_asked(call, &asked) {
        return tracking::list(call, table, &asked, &within).await;
    }
    let page = page_size(call, &asked);
    let (number, after) = match &asked.skiptoken {
        Some(token) => {
            let (number, place) = paging::read(table, &asked.options.order, token)?;
            (number, Some(place))
        }
        None => (1, None),
    };
    let limited = asked.options.top.filter(|_| call.prefer.page_size.is_none()).map(|top| top.min(page));
    let mut query = Query::table(table).filter(asked.options.filter.clone()).filter(within.clone());
    query.select = rows::needed_for(table, &asked);
    query.order.clone_from(&asked.options.order);
    query.after = after;
    // One more row tells whether there is another page.
    query.limit = Some(limited.unwrap_or(page + 1));
    let mut records = actions::list(&call.ctx, query).await?;
    let more = limited.is_none() && records.len() > page;
    records.truncate(page);
    let mut body = Map::new();
    body.insert("@odata.context".to_owned(), json!(context(call, table, &asked)));
    if asked.options.count {
        let query = Query::table(table).filter(asked.options.filter.clone()).filter(within);
        counted(call, &mut body, actions::count(&call.ctx, query).await?);
    }
    if let Some(last) = records.last().filter(|_| more) {
        let place = place(call, last, &asked.options.order).await?;
        let link = paging::next_link(&call.origin, &call.path_and_query, number + 1, &place);
        body.insert("@odata.nextLink".to_owned(), json!(link));
    }
    let objects = rows::render(call, table, &records, &asked).await?;
    body.insert("value".to_owned(), Out::Array(objects.into_iter().map(Out::Object).collect()));
    Ok(respond::json(StatusCode::OK, &Out::Object(body)))
}

pub(crate) fn page_size(call: &Call, asked: &Asked) -> usize {
    let page = call.prefer.page_size.unwrap_or(LARGEST_PAGE);
    if asked.body { page.min(PAGE_WITH_BODIES) } else { page }
}

pub(crate) fn context(call: &Call, table: &Table, asked: &Asked) -> String {
    let expanded: Vec<String> = asked.options.expand.iter().map(|e| e.nav.clone()).collect();
    call.context(&json_out::context(table, &asked.options.select, &expanded))
}

pub(crate) fn counted(call: &Call, body: &mut Map<String, Out>, count: u64) {
    body.insert("@odata.count".to_owned(), json!(count.min(HIGHEST_COUNT)));
    for (name, value) in [
        ("Microsoft.Dynamics.CRM.totalrecordcount", json!(count.min(HIGHEST_COUNT))),
        ("Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded", json!(count > HIGHEST_COUNT)),
    ] {
        if call.prefer.wants(name) {
            body.insert(format!("@{name}"), value);
        }
    }
}

/// Where a row stands in the order: the next page begins after it.
pub(crate) async fn place(call: &Call, record: &Record, order: &[Order]) -> Result<Place, ApiError> {
    let mut values: Vec<Value> = Vec::with_capacity(order.len());
    for order in order {
        values.push(follow(call, record, &order.column).await?);
    }
    Ok((values, record.id))
}

async fn follow(call: &Call, record: &Record, path: &Path) -> Result<Value, ApiError> {
    let mut current = record.clone();
    for lookup in &path.lookups {
        let Some(target) = current.get(lookup).as_ref_to() else { return Ok(Value::Null) };
        let Some(table) = model::tables::by_logical_name(target.table) else { return Ok(Value::Null) };
        // The place of a row in the list is told to the caller: it is made of
        // what they may read, as the list is sorted by that.
        current = match actions::read(&call.ctx, table, target.id, Vec::new()).await {
            Ok(next) => next,
            Err(actions::ActionError::Refused(_)) => return Ok(Value::Null),
            Err(error) => return Err(error.into()),
        };
    }
    if path.column == current.table.id {
        return Ok(Value::Id(current.id));
    }
    Ok(current.get(path.column).clone())
}

/// `GET set/$count`: a bare number.
pub(crate) async fn count(call: &Call, table: &'static Table, within: Filter) -> Result<Response, ApiError> {
    let asked = options::read(call, table).await?;
    if tracking::is_asked(call, &asked) {
        return tracking::count(call, table, &asked, &within).await;
    }
    let query = Query::table(table).filter(asked.options.filter).filter(within);
    let count = actions::count(&call.ctx, query).await?;
    Ok(respond::text(StatusCode::OK, count.min(HIGHEST_COUNT).to_string()))
}
