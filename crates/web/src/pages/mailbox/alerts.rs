//! The alerts of a mailbox.

use actions::Precondition;
use askama::Template;
use model::tables::{AlertLevel, Mailbox, TraceLog};
use model::{Entity, Filter, Id, Query, Record};

use super::commands::ConfirmPage;
use super::{Number, at, row, when};
use crate::pages::kit::{self, Desk, Fault, Form, Frame, Outcome, Place};

/// Rows of a page.
const MOST: usize = 100;
/// Alerts that one command deletes.
const AT_ONCE: usize = 1000;

#[derive(Template)]
#[template(path = "mailbox/alerts.html")]
struct AlertsPage {
    frame: Frame,
    id: String,
    name: String,
    level: i64,
    levels: Vec<Level>,
    alerts: Vec<Alert>,
    more: bool,
    may_delete: bool,
}

struct Level {
    number: i64,
    label: String,
    count: u64,
    here: bool,
}

struct Alert {
    id: String,
    level: String,
    state: &'static str,
    when: String,
    text: String,
    details: String,
    occurrences: i64,
    deletable: bool,
}

fn of(mailbox: Id, level: Option<AlertLevel>) -> Query {
    let regarding = Some(model::Ref::new(Mailbox::TABLE.logical, mailbox));
    let query = Query::of::<TraceLog>().filter(Filter::eq(TraceLog::C.regarding, regarding));
    match level {
        Some(level) => query.filter(Filter::eq(TraceLog::C.level, level)),
        None => query,
    }
}

fn state(level: AlertLevel) -> &'static str {
    match level {
        AlertLevel::Error => "bad",
        AlertLevel::Warning => "warn",
        AlertLevel::Information => "",
    }
}

/// `GET …/alerts?level=3`
pub(super) async fn page(desk: Desk, Number(id): Number) -> Outcome {
    let held = row(&desk, id).await?;
    let name = held.get(Mailbox::C.name.name).as_text().unwrap_or_default();
    let frame = desk.frame("Alerts", Place::Mailboxes).with_help("alerts").under(name, at(id));
    let level = desk.query.number("level").and_then(AlertLevel::from_number);
    let mut levels = Vec::new();
    for each in [AlertLevel::Error, AlertLevel::Warning, AlertLevel::Information] {
        levels.push(Level {
            number: each.number(),
            label: desk.t(each.label()),
            count: actions::count(&desk.ctx, of(id, Some(each))).await?,
            here: level == Some(each),
        });
    }
    let mut query = of(id, level).limit(MOST + 1);
    query.order = vec![model::Order { column: "createdon".into(), descending: true }];
    let mut rows = actions::list(&desk.ctx, query).await?;
    let more = rows.len() > MOST;
    rows.truncate(MOST);
    let alerts = rows.iter().map(|row| alert(&frame, row)).collect::<Result<Vec<_>, Fault>>()?;
    kit::show(&AlertsPage {
        id: id.to_string(),
        name: name.to_owned(),
        level: level.map_or(0, AlertLevel::number),
        levels,
        alerts,
        more,
        may_delete: actions::permitted(&desk.ctx, actions::Wish::Delete(TraceLog::TABLE)),
        frame,
    })
}

fn alert(frame: &Frame, row: &Record) -> Result<Alert, Fault> {
    let alert = TraceLog::from_record(row).map_err(actions::ActionError::from)?;
    Ok(Alert {
        id: row.id.to_string(),
        level: frame.t(alert.level.label()).to_owned(),
        state: state(alert.level),
        when: when(frame, row.get("createdon").as_time()),
        text: frame.said(&alert.text),
        details: alert.details,
        occurrences: alert.occurrences,
        deletable: alert.can_be_deleted,
    })
}

/// `POST …/alerts`: deletes those that are ticked, or all of a level.
pub(super) async fn delete(desk: Desk, Number(id): Number, form: Form) -> Outcome {
    let level = form.number("level").and_then(AlertLevel::from_number);
    let mut query = of(id, level).filter(Filter::eq(TraceLog::C.can_be_deleted, true)).limit(AT_ONCE);
    query.select = vec![TraceLog::TABLE.id];
    let there = actions::list(&desk.ctx, query).await?;
    let ticked = form.ids("alert");
    let all = form.ticked("all");
    let back = match level {
        Some(level) => format!("{}/alerts?level={}", at(id), level.number()),
        None => format!("{}/alerts", at(id)),
    };
    if all && !form.ticked("confirmed") && !there.is_empty() {
        return ask(&desk, id, level, there.len(), back).await;
    }
    for row in there.iter().filter(|row| all || ticked.contains(&row.id)) {
        actions::delete(&desk.ctx, TraceLog::TABLE, row.id, Precondition::Exists).await?;
    }
    if !all && ticked.is_empty() {
        return kit::go(&back);
    }
    kit::go(&format!("{back}{}done=deleted", if level.is_some() { '&' } else { '?' }))
}

async fn ask(desk: &Desk, id: Id, level: Option<AlertLevel>, count: usize, back: String) -> Outcome {
    let held = row(desk, id).await?;
    let name = held.get(Mailbox::C.name.name).as_text().unwrap_or_default();
    let frame = desk.frame("Delete all alerts", Place::Mailboxes).with_help("alerts").under(name, at(id));
    let mut consequences = vec![desk.t("What is still wrong is told again when it happens the next time.")];
    if let Some(level) = level {
        let word = desk.t(level.label());
        consequences.push(desk.viewer.texts.with("Only those of the level “{0}”; the others stay.", &[&word]));
    }
    kit::show(&ConfirmPage {
        name: name.to_owned(),
        question: frame.tn("Delete 1 alert of this mailbox?", "Delete {0} alerts of this mailbox?", count),
        consequences,
        action: format!("{}/alerts", at(id)),
        hidden: vec![("all", "1".to_owned()), ("level", level.map_or(0, AlertLevel::number).to_string())],
        button: desk.t("Delete all alerts"),
        back,
        danger: true,
        fault: String::new(),
        frame,
    })
}
