//! The audit trail: who did what, when, from where, with which values before
//! and after; searched, and exported.

use std::io;
use std::sync::Arc;

use actions::audit::{Entry, Export, Wanted, csv_head, csv_line, json_line, older};
use actions::{Special, Wish, permitted};
use askama::Template;
use axum::Router;
use axum::body::Bytes;
use axum::routing::{get, post};
use jiff::civil::DateTime;
use model::tables::SystemUser;
use model::{Filter, Id, Query, Ref, SignedDuration, Timestamp, tables};

use super::matrix::table_words;
use super::shared;
use crate::pages::grid;
use crate::pages::kit::flow;
use crate::pages::kit::{Choice, Desk, Fault, Field, Form, Frame, Input, Outcome, Place};
use crate::state::AppState;

const PATH: &str = "/settings/security/audit";

pub(super) fn routes() -> Router<Arc<AppState>> {
    Router::new().route(PATH, get(page)).route("/settings/security/audit/export", post(export))
}

/// A column before and after.
struct Change {
    column: String,
    before: String,
    after: String,
}

struct Line {
    at: Timestamp,
    user: String,
    user_href: String,
    calling: String,
    action: String,
    table: String,
    row: String,
    row_href: String,
    door: String,
    remote: String,
    agent: String,
    request: String,
    changes: Vec<Change>,
    /// What was noted besides columns.
    notes: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "security/audit.html")]
struct AuditPage {
    frame: Frame,
    fields: Vec<Field>,
    fault: String,
    searched: bool,
    lines: Vec<Line>,
    older: String,
    /// Why it cannot be exported; empty where it can.
    no_export: String,
    csv: String,
    jsonl: String,
}

/// `GET /settings/security/audit`
async fn page(desk: Desk) -> Outcome {
    let (wanted, fault) = match wanted(&desk).await? {
        Ok(wanted) => (wanted, String::new()),
        Err(fault) => (Wanted::default(), desk.t(fault)),
    };
    let than = place(&desk.query);
    let entries = if fault.is_empty() { older(&desk.ctx, &wanted, than, desk.viewer.rows).await? } else { Vec::new() };
    let more = entries.len() == desk.viewer.rows;
    let last =
        entries.last().filter(|_| more).and_then(|e| Some(format!("{}_{}", e.audit.at?.as_microsecond(), e.audit.id)));
    let asked = asked(&desk.query);
    let link = |path: &str, more: &str| format!("{PATH}{path}?{asked}{more}");
    let exports = permitted(&desk.ctx, Wish::Special(Special::Export));
    let page = AuditPage {
        frame: desk.frame("Audit", Place::AuditLog),
        fields: fields(&desk),
        fault,
        searched: !asked.is_empty() || than.is_some(),
        lines: entries.into_iter().map(|entry| line(&desk, entry)).collect(),
        older: last.map(|last| link("", &format!("&before={last}"))).unwrap_or_default(),
        no_export: if exports {
            String::new()
        } else {
            desk.t("Exporting takes the right to export data, which your roles lack.")
        },
        csv: link("/export", "&format=csv"),
        jsonl: link("/export", "&format=jsonl"),
    };
    crate::pages::kit::show(&page)
}

/// Where the page before this one ended.
fn place(query: &Form) -> Option<(Timestamp, Id)> {
    let (at, id) = query.text("before").split_once('_')?;
    Some((Timestamp::from_microsecond(at.parse().ok()?).ok()?, id.parse().ok()?))
}

const ASKED: [&str; 6] = ["from", "to", "user", "table", "row", "action"];

/// The search, as it stands behind the `?`.
fn asked(query: &Form) -> String {
    let pair = |name: &&str| {
        let value = query.get(name)?;
        Some(format!("{name}={}", percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC)))
    };
    ASKED.iter().filter_map(pair).collect::<Vec<_>>().join("&")
}

/// What is searched for; what is wrong with that, in words.
async fn wanted(desk: &Desk) -> Result<Result<Wanted, &'static str>, Fault> {
    let query = &desk.query;
    let mut wanted = Wanted { action: query.get("action").map(str::to_owned), ..Wanted::default() };
    for (name, part) in [("from", &mut wanted.from), ("to", &mut wanted.to)] {
        let Some(text) = query.get(name) else { continue };
        let Some(time) = moment(desk, text) else {
            return Ok(Err("Enter times as date and time, such as 2026-11-24T08:00."));
        };
        *part = Some(time);
    }
    // Up to the end of the minute.
    wanted.to = wanted.to.and_then(|to| to.checked_add(SignedDuration::from_secs(60)).ok());
    if let Some(text) = query.get("row") {
        let Ok(row) = text.parse() else {
            return Ok(Err("The id of a record looks like 0193b0a0-0000-7000-8000-000000000001."));
        };
        wanted.row = Some(row);
    }
    wanted.table = query.get("table").map(str::to_owned);
    if let Some(name) = query.get("user") {
        let is = |column| Filter::eq(column, name.to_owned());
        let named = is(SystemUser::C.domain_name).or(is(SystemUser::C.address)).or(is(SystemUser::C.full_name));
        let found = shared::seen(desk, Query::of::<SystemUser>().filter(named).limit(1)).await?;
        let Some(user) = found.first() else { return Ok(Err("There is no user of this name that you may see.")) };
        wanted.user = Some(user.id);
    }
    Ok(Ok(wanted))
}

/// In the viewer's zone.
fn moment(desk: &Desk, text: &str) -> Option<Timestamp> {
    let local: DateTime = text.parse().ok()?;
    desk.viewer.zone.to_timestamp(local).ok()
}

fn fields(desk: &Desk) -> Vec<Field> {
    let field = |name: &str, label: String, input: Input| Field::new(name, label, input).value(desk.query.text(name));
    let mut all = vec![Choice::new("", desk.t("All tables"))];
    let mut named: Vec<(String, &str)> = tables::ALL
        .iter()
        .map(|table| (desk.viewer.texts.text(&table_words(table)).to_owned(), table.logical))
        .collect();
    named.sort();
    all.extend(named.into_iter().map(|(label, name)| Choice::new(name, label)));
    vec![
        field("user", desk.t("User"), Input::Line).help(desk.t("User name, address or full name")),
        field("action", desk.t("Action"), Input::Line)
            .help(desk.t("create, update, delete, approve, test, sign-in, …")),
        field("table", desk.t("Table"), Input::Select).choices(all),
        field("row", desk.t("Id of the record"), Input::Line),
        field("from", desk.t("Since"), Input::Time),
        field("to", desk.t("Until"), Input::Time),
    ]
}

fn line(desk: &Desk, entry: Entry) -> Line {
    let Entry { audit, user, calling_user } = entry;
    let table = tables::by_logical_name(&audit.table);
    let row = table.zip(audit.row).map(|(table, row)| Ref::new(table.logical, row));
    let (changes, notes) = detail(desk, &audit.table, &audit.detail);
    Line {
        at: audit.at.unwrap_or_default(),
        user,
        user_href: audit.user.and_then(|user| grid::page_of(&desk.ctx, user)).unwrap_or_default(),
        calling: calling_user,
        action: audit.action,
        table: table
            .map_or_else(|| audit.table.clone(), |table| desk.viewer.texts.text(&table_words(table)).to_owned()),
        row: audit.row.map(|row| row.to_string()).unwrap_or_default(),
        row_href: row.and_then(|row| grid::page_of(&desk.ctx, row)).unwrap_or_default(),
        door: audit.door,
        remote: audit.remote,
        agent: audit.user_agent,
        request: audit.request,
        changes,
        notes,
    }
}

/// The columns with their values before and after, by their labels; and what
/// else was noted.
fn detail(desk: &Desk, table: &str, detail: &str) -> (Vec<Change>, Vec<(String, String)>) {
    let Ok(serde_json::Value::Object(object)) = serde_json::from_str(detail) else { return Default::default() };
    let table = tables::by_logical_name(table);
    let (mut changes, mut notes) = (Vec::new(), Vec::new());
    for (name, value) in object {
        let column = table.and_then(|table| table.column(&name));
        let label = column.map_or_else(|| name.clone(), |column| desk.viewer.texts.text(column.label).to_owned());
        match value.as_object().filter(|pair| pair.contains_key("old") || pair.contains_key("new")) {
            Some(pair) => {
                let side = |side: &str| pair.get(side).map(words).unwrap_or_default();
                changes.push(Change { column: label, before: side("old"), after: side("new") });
            }
            None => notes.push((label, words(&value))),
        }
    }
    (changes, notes)
}

fn words(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// `POST /settings/security/audit/export?format=csv|jsonl`: all that is searched
/// for, oldest first, while it is read. That it was exported is noted.
async fn export(desk: Desk) -> Outcome {
    let wanted = wanted(&desk).await?.map_err(Fault::bad)?;
    let (name, kind, write): (_, _, fn(&Entry) -> String) = match desk.query.text("format") {
        "jsonl" => ("audit.jsonl", "application/jsonl", json_line),
        _ => ("audit.csv", "text/csv; charset=utf-8", csv_line),
    };
    let format = name.rsplit('.').next().unwrap_or(name);
    let mut export = Export::begin(&desk.ctx, &wanted, format).await?;
    let (parts, response) = flow::file(name, kind, None)?;
    let head = if format == "csv" { csv_head() } else { String::new() };
    tokio::spawn(async move {
        let mut text = head;
        loop {
            let part = match export.next().await {
                Ok(entries) if entries.is_empty() => break,
                Ok(entries) => {
                    text.extend(entries.iter().map(write));
                    Ok(Bytes::from(std::mem::take(&mut text)))
                }
                Err(error) => Err(io::Error::other(error.to_string())),
            };
            let failed = part.is_err();
            if parts.send(part).await.is_err() || failed {
                return;
            }
        }
        if !text.is_empty() {
            let _ = parts.send(Ok(Bytes::from(text))).await;
        }
    });
    Ok(response)
}
