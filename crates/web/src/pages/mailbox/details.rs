//! Download Mailbox Details: everything about a mailbox as a text file, for
//! whoever is asked for help.

use std::fmt::Write as _;

use actions::mailbox::{Lane, Standing};
use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use model::table::Kind;
use model::tables::Mailbox;
use model::{Entity, Record, Timestamp, Value};

use super::{Number, name_of, row};
use crate::pages::kit::{Desk, Fault, Outcome};

/// `GET …/details`
pub(super) async fn download(desk: Desk, Number(id): Number) -> Outcome {
    let held = row(&desk, id).await?;
    let standing = actions::mailbox::standing(&desk.ctx, id).await?;
    let text = text(&desk, &held, &standing).await?;
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    let name = format!("attachment; filename=\"mailbox-{id}.txt\"");
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_str(&name).map_err(|_| Fault::absent())?);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// In English, as those who help read it; times in UTC.
async fn text(desk: &Desk, held: &Record, standing: &Standing) -> Result<String, Fault> {
    let mut out = format!("Postroom mailbox details, {}\n\n", iso(desk.ctx.now));
    for column in Mailbox::TABLE.all_columns().filter(|c| !matches!(c.kind, Kind::Secret { .. } | Kind::Bytes)) {
        let value = held.get(column.name);
        let shown = match (value, column.kind) {
            (Value::Null, _) => String::new(),
            (Value::Text(text), _) => text.trim_end().replace('\n', "\n    "),
            (Value::Int(n), Kind::Choice(set)) => format!("{n} {}", set.label(*n).unwrap_or_default()),
            (Value::Int(n), _) => n.to_string(),
            (Value::Bool(yes), _) => if *yes { "Yes" } else { "No" }.to_owned(),
            (Value::Time(at), _) => iso(*at),
            (Value::Ref(target), _) => {
                format!("{} {}", name_of(desk, Some(*target)).await?, target.id).trim().to_owned()
            }
            (other, _) => other.as_id().map(|id| id.to_string()).unwrap_or_default(),
        };
        let _ = writeln!(out, "{} ({}): {shown}", column.label, column.name);
    }
    out.push('\n');
    lane(&mut out, "Receiving", &standing.incoming);
    lane(&mut out, "Sending", &standing.outgoing);
    for (level, count) in &standing.alerts {
        let _ = writeln!(out, "Alerts, {}: {count}", level.label());
    }
    for (disposition, count) in &standing.messages {
        let _ = writeln!(out, "Messages, {}: {count}", disposition.label());
    }
    for step in &standing.steps {
        let mark = if step.passed { "ok" } else { "FAILED" };
        let _ = writeln!(out, "Test step, {}: {}: {mark}: {}", step.route.as_str(), step.step, step.said);
    }
    Ok(out)
}

fn lane(out: &mut String, name: &str, lane: &Lane) {
    let blocked = lane.blocked.as_ref().map(|refusal| refusal.to_string());
    let _ = writeln!(out, "{name}: {}", blocked.as_deref().unwrap_or("processed"));
    let _ = writeln!(out, "{name}, next run: {}", lane.next_run.map(iso).unwrap_or_default());
    let _ = writeln!(out, "{name}, running on: {}", lane.running_on.as_deref().unwrap_or_default());
    let _ = writeln!(out, "{name}, failures in a row: {}", lane.failures);
    let _ = writeln!(out, "{name}, server: {}", lane.server.as_deref().unwrap_or_default());
    if lane.server_failures > 0 {
        let until = lane.server_waits_until.map(iso).unwrap_or_default();
        let _ = writeln!(out, "{name}, server failures: {} {until} {}", lane.server_failures, lane.server_error);
    }
}

fn iso(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
