//! `$expand`: the row that a lookup points to, the rows that point here, or
//! those that pairs connect.

use std::collections::{BTreeMap, BTreeSet};

use actions::Context;
use model::table::Child;
use model::{Column, Filter, Id, Query, Record, Ref, Table, Value};
use serde_json::{Map, Value as Out, json};

use crate::api::call::Call;
use crate::api::errors::ApiError;
use crate::api::headers::LARGEST_PAGE;
use crate::api::options::{Expand, Options};
use crate::api::{bind, linked, list, paging, rows};

/// The lookup column behind a single-valued expansion.
pub(crate) fn lookup_of(table: &'static Table, expansion: &Expand) -> Option<&'static str> {
    bind::lookup(table, &expansion.nav).map(|(column, _)| column.name)
}

pub(crate) async fn expand(
    call: &Call,
    table: &'static Table,
    records: &[Record],
    objects: &mut [Map<String, Out>],
    expansion: &Expand,
) -> Result<(), ApiError> {
    let nav = expansion.nav.as_str();
    if let Some(child) = table.children.iter().find(|c| c.nav.eq_ignore_ascii_case(nav)) {
        return collection(call, table, records, objects, *child, expansion).await;
    }
    if let Some(link) = table.link(nav) {
        return linked::expand(call, table, records, objects, link, expansion).await;
    }
    let Some((column, target)) = bind::lookup(table, nav) else {
        let message = format!(
            "Could not find a property named '{}' on type 'Microsoft.Dynamics.CRM.{}'.",
            actions::validate::excerpt(nav),
            table.logical
        );
        return Err(ApiError::bad_request(message));
    };
    single(call, records, objects, (nav, column, target), &expansion.options).await
}

async fn single(
    call: &Call,
    records: &[Record],
    objects: &mut [Map<String, Out>],
    (nav, column, target): (&str, &'static Column, Option<&'static str>),
    options: &Options,
) -> Result<(), ApiError> {
    let follow = |record: &Record| record.get(column.name).as_ref_to().filter(|r| target.is_none_or(|t| t == r.table));
    let mut wanted: BTreeMap<&'static str, BTreeSet<Id>> = BTreeMap::new();
    for reference in records.iter().filter_map(follow) {
        wanted.entry(reference.table).or_default().insert(reference.id);
    }
    let mut found: BTreeMap<Ref, Out> = BTreeMap::new();
    for (name, ids) in wanted {
        let Some(table) = model::tables::by_logical_name(name).filter(|t| t.on_wire) else { continue };
        let rows = by_ids(&call.ctx, table, &ids, rows::needed(table, options)).await?;
        let shown = Box::pin(rows::plain(call, table, &rows, options)).await?;
        for (row, object) in rows.iter().zip(shown) {
            found.insert(row.reference(), Out::Object(object));
        }
    }
    for (record, object) in records.iter().zip(objects) {
        let value = follow(record).and_then(|r| found.get(&r).cloned()).unwrap_or(Out::Null);
        object.insert(nav.to_owned(), value);
    }
    Ok(())
}

async fn by_ids(
    ctx: &Context,
    table: &'static Table,
    ids: &BTreeSet<Id>,
    select: Vec<&'static str>,
) -> Result<Vec<Record>, ApiError> {
    let ids: Vec<Value> = ids.iter().copied().map(Value::Id).collect();
    let mut rows = Vec::new();
    for some in ids.chunks(500) {
        let mut query = Query::table(table);
        query.select.clone_from(&select);
        query.filter = Filter::In(table.id.into(), some.to_vec());
        match actions::list(ctx, query).await {
            Ok(found) => rows.extend(found),
            // What the caller may not read is not there.
            Err(actions::ActionError::Refused(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(rows)
}

async fn collection(
    call: &Call,
    table: &'static Table,
    records: &[Record],
    objects: &mut [Map<String, Out>],
    child: Child,
    expansion: &Expand,
) -> Result<(), ApiError> {
    let Some(target) = model::tables::by_logical_name(child.table) else { return Ok(()) };
    let options = &expansion.options;
    let most = options.top.unwrap_or_else(|| page_size(call, options)).min(LARGEST_PAGE);
    let parents: Vec<Ref> = records.iter().map(Record::reference).collect();
    let mut found = None;
    if records.len() > 1 && options.top.is_none() {
        let all = children(call, target, child, &parents, options, LARGEST_PAGE + 1).await?;
        found = (all.len() <= LARGEST_PAGE).then_some(all);
    }
    let mut rows = match found {
        Some(all) => all,
        None => {
            let mut all = Vec::new();
            for parent in &parents {
                // One more tells whether there is another page.
                let limit = if options.top.is_some() { most } else { most + 1 };
                all.extend(children(call, target, child, std::slice::from_ref(parent), options, limit).await?);
            }
            all
        }
    };
    let cut = cut(&mut rows, child, most);
    let shown = Box::pin(rows::plain(call, target, &rows, options)).await?;
    let pairs = rows.iter().zip(shown).filter_map(|(r, o)| Some((r.get(child.column).as_id()?, o))).collect();
    let mut groups = rows::grouped(pairs);
    for (record, object) in records.iter().zip(objects) {
        let group = groups.remove(&record.id).unwrap_or_default();
        object.insert(child.nav.to_owned(), Out::Array(group));
        let last = rows.iter().rfind(|row| row.get(child.column).as_id() == Some(record.id));
        if let Some(last) = last.filter(|_| cut.contains(&record.id)) {
            let place = list::place(call, last, &options.order).await?;
            let aliases = call.query.iter().filter(|(name, _)| name.starts_with('@'));
            let options = expansion.given.iter().chain(aliases).map(|(name, value)| (name.as_str(), value.as_str()));
            let url = format!("{}/{}", call.url_of(table, record.id), child.nav);
            object.insert(format!("{}@odata.nextLink", child.nav), json!(paging::rest_link(&url, options, &place)));
        }
    }
    Ok(())
}

/// Rows of one parent that are shown at once. Clients do not look for further
/// pages on deeper levels.
pub(crate) fn page_size(call: &Call, options: &Options) -> usize {
    let asked = call.prefer.page_size.filter(|_| options.expand.is_empty());
    asked.unwrap_or(LARGEST_PAGE)
}

/// Drops what exceeds a parent's share; the parents that had more.
fn cut(rows: &mut Vec<Record>, child: Child, most: usize) -> BTreeSet<Id> {
    let mut counts: BTreeMap<Id, usize> = BTreeMap::new();
    let mut cut = BTreeSet::new();
    rows.retain(|row| {
        let Some(parent) = row.get(child.column).as_id() else { return false };
        let count = counts.entry(parent).or_default();
        *count += 1;
        if *count > most {
            cut.insert(parent);
        }
        *count <= most
    });
    cut
}

async fn children(
    call: &Call,
    target: &'static Table,
    child: Child,
    parents: &[Ref],
    options: &Options,
    limit: usize,
) -> Result<Vec<Record>, ApiError> {
    let mut rows = Vec::new();
    for some in parents.chunks(500) {
        let mut query = Query::table(target).filter(options.filter.clone());
        query = query.filter(Filter::In(child.column.into(), some.iter().copied().map(Value::Ref).collect()));
        query.select = rows::needed(target, options);
        if !query.select.is_empty() {
            query.select.push(child.column);
        }
        query.order.clone_from(&options.order);
        query.limit = Some(limit);
        rows.extend(actions::list(&call.ctx, query).await?);
    }
    Ok(rows)
}
