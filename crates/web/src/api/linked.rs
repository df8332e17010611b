//! Many-to-many navigation: rows that a table of pairs connects, such as the
//! roles of a user. A pair is a row like any other, so that what may be seen,
//! given and taken is decided where pairs are read, created and deleted.

use std::collections::{BTreeMap, BTreeSet};

use actions::{Draft, Precondition};
use axum::http::StatusCode;
use axum::response::Response;
use model::table::Link;
use model::{Filter, Id, Query, Record, Ref, Refusal, Table, Value};
use serde_json::{Map, Value as Out, json};

use crate::api::call::Call;
use crate::api::errors::ApiError;
use crate::api::headers::LARGEST_PAGE;
use crate::api::options::{Expand, Options};
use crate::api::{expand, list, paging, respond, rows};

/// Rows whose partners are read together.
const TOGETHER: usize = 500;

/// The table that the navigation leads to.
pub(crate) fn target(link: &Link) -> Result<&'static Table, ApiError> {
    model::tables::by_logical_name(link.table).ok_or_else(|| ApiError::no_segment(link.nav))
}

fn through(link: &Link) -> Result<&'static Table, ApiError> {
    model::tables::by_logical_name(link.through).ok_or_else(|| ApiError::no_segment(link.nav))
}

fn from(link: &Link, rows: &[Ref]) -> Filter {
    Filter::In(link.here.into(), rows.iter().copied().map(Value::Ref).collect())
}

/// What a row of the target must be to be connected with one of these.
pub(crate) fn within(link: &Link, rows: &[Ref]) -> Result<Filter, ApiError> {
    Ok(Filter::Within {
        path: target(link)?.id.into(),
        table: through(link)?,
        column: link.there,
        filter: Box::new(from(link, rows)),
    })
}

/// `GET set(key)/nav`, and `/$count` after it.
pub(crate) async fn read(
    call: &Call,
    table: &'static Table,
    id: Id,
    link: &Link,
    count: bool,
) -> Result<Response, ApiError> {
    // 404 for a row that is not there, or not to be seen.
    actions::read(&call.ctx, table, id, vec![table.id]).await?;
    let within = within(link, &[Ref::new(table.logical, id)])?;
    let target = target(link)?;
    if count { list::count(call, target, within).await } else { list::list(call, target, within).await }
}

/// The pair of two rows, where the caller may see it.
async fn pair(call: &Call, link: &Link, here: Ref, there: Ref) -> Result<Option<Id>, ApiError> {
    let table = through(link)?;
    let mut query = Query::table(table).filter(from(link, &[here]));
    query = query.filter(Filter::In(link.there.into(), vec![Value::Ref(there)])).limit(1);
    query.select = vec![table.id];
    Ok(actions::list(&call.ctx, query).await?.first().map(|row| row.id))
}

/// `POST set(key)/nav/$ref`. Rows that are connected already stay so.
pub(crate) async fn associate(call: &Call, link: &Link, here: Ref, there: Ref) -> Result<Response, ApiError> {
    if there.table != link.table {
        let message = format!("'{}' takes rows of {}, not of {}.", link.nav, link.table, there.table);
        return Err(ApiError::bad_payload(message));
    }
    if pair(call, link, here, there).await?.is_none() {
        let draft = Draft::new(through(link)?).set(link.here, Value::Ref(here)).set(link.there, Value::Ref(there));
        actions::create(&call.ctx, draft).await?;
    }
    Ok(respond::empty(StatusCode::NO_CONTENT))
}

/// `DELETE set(key)/nav(key)/$ref`
pub(crate) async fn disassociate(call: &Call, link: &Link, here: Ref, there: Ref) -> Result<Response, ApiError> {
    let found = if there.table == link.table { pair(call, link, here, there).await? } else { None };
    let Some(id) = found else {
        let message = format!("{here} is not linked with {there} by {}.", link.nav);
        return Err(Refusal::new(0x8004_0217, "ObjectDoesNotExist", model::Words::foreign(message)).into());
    };
    actions::delete(&call.ctx, through(link)?, id, Precondition::Exists).await?;
    Ok(respond::empty(StatusCode::NO_CONTENT))
}

/// `$expand=nav`
pub(crate) async fn expand(
    call: &Call,
    table: &'static Table,
    records: &[Record],
    objects: &mut [Map<String, Out>],
    link: &Link,
    expansion: &Expand,
) -> Result<(), ApiError> {
    let options = &expansion.options;
    let most = options.top.unwrap_or_else(|| expand::page_size(call, options)).min(LARGEST_PAGE);
    let target = target(link)?;
    let mut groups: BTreeMap<Id, Vec<Record>> = BTreeMap::new();
    for some in records.chunks(TOGETHER) {
        groups.extend(partners(call, target, link, some, options, most).await?);
    }
    for (record, object) in records.iter().zip(objects) {
        let mut group = groups.remove(&record.id).unwrap_or_default();
        let more = group.len() > most && options.top.is_none();
        group.truncate(most);
        let shown = Box::pin(rows::plain(call, target, &group, options)).await?;
        object.insert(link.nav.to_owned(), Out::Array(shown.into_iter().map(Out::Object).collect()));
        if let Some(last) = group.last().filter(|_| more) {
            let place = list::place(call, last, &options.order).await?;
            let aliases = call.query.iter().filter(|(name, _)| name.starts_with('@'));
            let given = expansion.given.iter().chain(aliases).map(|(name, value)| (name.as_str(), value.as_str()));
            let url = format!("{}/{}", call.url_of(table, record.id), link.nav);
            object.insert(format!("{}@odata.nextLink", link.nav), json!(paging::rest_link(&url, given, &place)));
        }
    }
    Ok(())
}

/// The rows that each of these is connected with, in the order asked for; one
/// more than `most` tells whether there is another page.
async fn partners(
    call: &Call,
    target: &'static Table,
    link: &Link,
    records: &[Record],
    options: &Options,
    most: usize,
) -> Result<BTreeMap<Id, Vec<Record>>, ApiError> {
    let here: Vec<Ref> = records.iter().map(Record::reference).collect();
    if let [_, _, ..] = here[..]
        && let Some(pairs) = pairs(call, link, &here).await?
    {
        let found = connected(call, target, link, &here, options, LARGEST_PAGE + 1).await?;
        if found.len() <= LARGEST_PAGE {
            let mut groups: BTreeMap<Id, Vec<Record>> = BTreeMap::new();
            for row in found {
                for record in pairs.get(&row.id).into_iter().flatten() {
                    groups.entry(*record).or_default().push(row.clone());
                }
            }
            return Ok(groups);
        }
    }
    let mut groups = BTreeMap::new();
    for row in here {
        groups.insert(row.id, connected(call, target, link, &[row], options, most + 1).await?);
    }
    Ok(groups)
}

/// Which of these rows each partner belongs to; `None` where those are too many to hold.
async fn pairs(call: &Call, link: &Link, here: &[Ref]) -> Result<Option<BTreeMap<Id, BTreeSet<Id>>>, ApiError> {
    let most = 4 * LARGEST_PAGE;
    let mut query = Query::table(through(link)?).filter(from(link, here)).limit(most + 1);
    query.select = vec![link.here, link.there];
    let found = actions::list(&call.ctx, query).await?;
    if found.len() > most {
        return Ok(None);
    }
    let mut pairs: BTreeMap<Id, BTreeSet<Id>> = BTreeMap::new();
    for row in &found {
        if let (Some(here), Some(there)) = (row.get(link.here).as_id(), row.get(link.there).as_id()) {
            pairs.entry(there).or_default().insert(here);
        }
    }
    Ok(Some(pairs))
}

async fn connected(
    call: &Call,
    target: &'static Table,
    link: &Link,
    here: &[Ref],
    options: &Options,
    limit: usize,
) -> Result<Vec<Record>, ApiError> {
    let mut query = Query::table(target).filter(options.filter.clone()).filter(within(link, here)?).limit(limit);
    query.select = rows::needed(target, options);
    query.order.clone_from(&options.order);
    Ok(actions::list(&call.ctx, query).await?)
}
