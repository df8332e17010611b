//! Rows with what was asked for besides their columns: annotations, expanded
//! navigation, the bytes of attachments.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::{Column, Record, Table};
use serde_json::{Map, Value as Out, json};

use crate::api::annotate::Annotator;
use crate::api::call::Call;
use crate::api::errors::ApiError;
use crate::api::options::{self, Asked, Derived, Options};
use crate::api::{expand, json_out};

/// The columns that the store must read for these options: those that are
/// shown and the lookups that are followed. Empty: all.
pub(crate) fn needed(table: &'static Table, options: &Options) -> Vec<&'static str> {
    if options.select.is_empty() {
        return Vec::new();
    }
    let mut columns = options.select.clone();
    columns.push("versionnumber");
    columns.push(table.id);
    if table == model::tables::ACTIVITY {
        // Its choices are those of its own kind.
        columns.push("activitytypecode");
    }
    columns.extend(options.expand.iter().filter_map(|e| expand::lookup_of(table, e)));
    columns.extend(options.order.iter().filter(|o| o.column.lookups.is_empty()).map(|o| o.column.column));
    columns.extend(options.order.iter().filter_map(|o| o.column.lookups.first().copied()));
    // Behind a lookup of several targets, the row may be of another table than
    // the one that the options were read against.
    columns.retain(|name| *name == table.id || table.column(name).is_some());
    columns.sort_unstable();
    columns.dedup();
    columns
}

/// The same with what is asked for besides columns.
pub(crate) fn needed_for(table: &'static Table, asked: &Asked) -> Vec<&'static str> {
    let mut columns = needed(table, &asked.options);
    if !columns.is_empty() {
        columns.extend(asked.derived.iter().map(|d| d.from));
        columns.sort_unstable();
        columns.dedup();
    }
    columns
}

/// The rows as JSON objects, in the same order.
pub(crate) async fn render(
    call: &Call,
    table: &'static Table,
    records: &[Record],
    asked: &Asked,
) -> Result<Vec<Map<String, Out>>, ApiError> {
    let mut objects = plain(call, table, records, &asked.options).await?;
    for (record, object) in records.iter().zip(&mut objects) {
        asked.derived.iter().for_each(|d| derive(record, *d, object));
    }
    if asked.body {
        for (record, object) in records.iter().zip(&mut objects) {
            object.insert("body".to_owned(), json!(body(call, record).await?));
        }
    }
    Ok(objects)
}

/// The rows without the bytes of attachments.
pub(crate) async fn plain(
    call: &Call,
    table: &'static Table,
    records: &[Record],
    options: &Options,
) -> Result<Vec<Map<String, Out>>, ApiError> {
    let columns: Vec<&'static Column> = json_out::shown(table, &options.select);
    let annotator = Annotator::load(&call.ctx, &call.prefer, records, &columns).await?;
    let mut objects = Vec::with_capacity(records.len());
    for record in records {
        let mut object = json_out::row(record, &columns);
        annotator.annotate(record, &columns, &mut object);
        if options.select.is_empty() {
            options::derived(table).for_each(|d| derive(record, d, &mut object));
        }
        objects.push(object);
    }
    for expansion in &options.expand {
        Box::pin(expand::expand(call, table, records, &mut objects, expansion)).await?;
    }
    Ok(objects)
}

fn derive(record: &Record, derived: Derived, object: &mut Map<String, Out>) {
    let found = record.get(derived.from).as_ref_to();
    let value = match derived.target {
        Some(table) => found.filter(|f| f.table == table).map(|f| f.id.to_string()),
        None => found.map(|f| f.table.to_owned()),
    };
    object.insert(derived.name.to_owned(), json!(value));
}

/// An attachment's bytes as base64.
async fn body(call: &Call, record: &Record) -> Result<String, ApiError> {
    Ok(STANDARD.encode(bytes(call, record.id).await?.1))
}

/// An attachment's type and bytes.
pub(crate) async fn bytes(call: &Call, attachment: model::Id) -> Result<(String, Vec<u8>), ApiError> {
    let Some(content) = actions::attachment::content(&call.ctx, attachment).await? else {
        return Ok((String::new(), Vec::new()));
    };
    Ok((content.mime_type, formats::mime::extract(&content.stored, &content.place)))
}

/// Rows by the id of the row they hang from.
pub(crate) fn grouped(rows: Vec<(model::Id, Map<String, Out>)>) -> BTreeMap<model::Id, Vec<Out>> {
    let mut groups: BTreeMap<model::Id, Vec<Out>> = BTreeMap::new();
    for (parent, row) in rows {
        groups.entry(parent).or_default().push(Out::Object(row));
    }
    groups
}
