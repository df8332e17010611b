//! Who could be meant, while somebody types.

use actions::Context;
use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use model::Ref;
use serde_json::json;

use crate::pages::email::recipients::{self, Found};
use crate::pages::kit::{Choice, Desk, Fault, Outcome};

/// Of one kind.
const EACH: usize = 6;

/// `GET /work/emails/recipients?q=`: for the page's script.
pub(super) async fn recipients(desk: Desk) -> Outcome {
    let text = desk.query.get("q").unwrap_or_default();
    let tables = ["systemuser", "contact", "account", "lead", "queue"];
    let found = recipients::search(&desk.ctx, text, &tables, EACH).await?;
    let rows: Vec<_> = found
        .into_iter()
        .filter(|f| !f.address.is_empty())
        .map(|f| {
            json!({
                "value": recipients::shown(&f.name, &f.address),
                "name": f.name,
                "address": f.address,
                "kind": desk.t(f.kind),
            })
        })
        .collect();
    let mut response = Response::new(Body::from(serde_json::Value::Array(rows).to_string()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    crate::pages::guard(&mut response);
    Ok(response)
}

/// What an email can be about, for a search: `contact:<id>`.
pub(super) async fn records(desk: &Desk, text: &str, each: usize) -> Result<Vec<Choice>, Fault> {
    let found = recipients::search(&desk.ctx, text, model::tables::REGARDING, each).await?;
    let label = |f: &Found| {
        let address = if f.address.is_empty() { String::new() } else { format!(", {}", f.address) };
        format!("{} ({}{address})", f.name, desk.t(f.kind))
    };
    Ok(found.iter().map(|f| Choice::new(key(f.record), label(f))).collect())
}

/// `contact:0193b0a0-…`
pub(super) fn key(record: Ref) -> String {
    format!("{}:{}", record.table, record.id)
}

/// The record that a form names.
pub(super) fn record(text: &str, tables: &[&str]) -> Option<Ref> {
    let (table, id) = text.trim().split_once(':')?;
    let table = model::tables::by_logical_name(table).filter(|t| tables.contains(&t.logical))?;
    Some(Ref::new(table.logical, id.parse().ok()?))
}

/// What a record is called, with its kind: `Ann B (Contact)`.
pub(super) async fn named(ctx: &Context, desk: &Desk, record: Ref) -> Result<String, Fault> {
    let kind = model::tables::by_logical_name(record.table).map_or("", super::loaded::kind_of);
    Ok(match super::loaded::name_of(ctx, record).await? {
        Some(name) => format!("{name} ({})", desk.t(kind)),
        None => desk.viewer.texts.with("{0} that you may not see", &[&desk.t(kind)]),
    })
}
