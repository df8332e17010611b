//! "What became of my message?": the ledger of a mailbox, with search.

use actions::ledger::{Entry, Place as Spot, Search};
use askama::Template;
use axum::http::StatusCode;
use model::tables::{Disposition, Mailbox};
use model::{Entity, Id, Timestamp};

use super::typed::moment;
use super::{Number, at, row, when};
use crate::pages::kit::{self, Choice, Desk, Fault, Field, Form, Frame, Input, Outcome, Place, Told};

/// What an address of this page may say.
const NAMES: &[&str] = &["text", "disposition", "sender", "subject", "messageid", "since", "until", "after", "seen"];

#[derive(Template)]
#[template(path = "mailbox/ledger.html")]
struct LedgerPage {
    frame: Frame,
    id: String,
    name: String,
    fields: Vec<Field>,
    /// More than one thing was asked for: they stand open.
    asked: bool,
    rows: Vec<Row>,
    /// The query of the next page; empty: that was all.
    next: String,
    /// Not the first page.
    later: bool,
    /// The query, to come back to.
    query: String,
    may_retry: bool,
    fault: String,
}

struct Row {
    id: String,
    disposition: String,
    state: &'static str,
    subject: String,
    from: String,
    message_id: String,
    folder: String,
    received: String,
    seen: String,
    reason: Told,
    email: String,
    attempts: i64,
    retry: bool,
    /// Why not, where somebody may well ask.
    no_retry: String,
}

/// `GET …/ledger`
pub(super) async fn page(desk: Desk, Number(id): Number) -> Outcome {
    shown(&desk, id, String::new()).await
}

/// `POST …/ledger/retry`
pub(super) async fn retry(desk: Desk, Number(id): Number, form: Form) -> Outcome {
    let entry = form.id("entry").ok_or_else(Fault::absent)?;
    match actions::ledger::retry(&desk.ctx, entry).await {
        Ok(()) => {
            let query = Form::of(form.text("query"))?;
            let back = written(&query, &[]);
            kit::go(&format!("{}/ledger?done=done{}{back}", at(id), if back.is_empty() { "" } else { "&" }))
        }
        Err(error) => {
            let refusals = Fault::refusals(error)?;
            let fault = refusals.iter().map(|refusal| desk.words(&refusal.message)).collect::<Vec<_>>().join(" ");
            shown(&desk, id, fault).await
        }
    }
}

async fn shown(desk: &Desk, id: Id, fault: String) -> Outcome {
    let held = row(desk, id).await?;
    let preview = actions::mailbox::preview(&desk.ctx, Some(id), actions::Draft::new(Mailbox::TABLE)).await?;
    let (search, wrong) = asked(desk);
    let found = if wrong.is_empty() {
        actions::ledger::search(&desk.ctx, id, &search, spot(&desk.query), desk.viewer.rows).await?
    } else {
        actions::ledger::Page::default()
    };
    let name = held.get(Mailbox::C.name.name).as_text().unwrap_or_default();
    let frame = desk.frame("What became of my message?", Place::Mailboxes).with_help("ledger").under(name, at(id));
    let next = found.next.map(|next| {
        let seen = next.seen_on.map(|at| at.as_nanosecond().to_string()).unwrap_or_default();
        let same = written(&desk.query, &["after", "seen"]);
        format!("{same}{}after={}&seen={seen}", if same.is_empty() { "" } else { "&" }, next.id)
    });
    let fault = if fault.is_empty() { wrong } else { fault };
    let status = if fault.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = LedgerPage {
        id: id.to_string(),
        name: name.to_owned(),
        fields: fields(desk),
        asked: ["sender", "subject", "messageid", "since", "until"].iter().any(|name| desk.query.get(name).is_some()),
        rows: found.entries.into_iter().map(|entry| shown_row(&frame, entry)).collect(),
        next: next.unwrap_or_default(),
        later: desk.query.get("after").is_some(),
        query: written(&desk.query, &[]),
        may_retry: preview.may.test,
        fault,
        frame,
    };
    Ok(crate::pages::page(status, &page))
}

/// What is looked for, and what of it could not be understood.
fn asked(desk: &Desk) -> (Search, String) {
    let query = &desk.query;
    let mut wrong = String::new();
    let mut time = |name: &str| -> Option<Timestamp> {
        let text = query.get(name)?;
        let at = moment(text, &desk.viewer.zone);
        if at.is_none() {
            wrong = desk.viewer.texts.with("'{0}' is not a date and time.", &[&text]);
        }
        at
    };
    let (since, before) = (time("since"), time("until"));
    let search = Search {
        text: query.text("text").to_owned(),
        sender: query.text("sender").to_owned(),
        subject: query.text("subject").to_owned(),
        message_id: query.text("messageid").to_owned(),
        dispositions: query.all("disposition").filter_map(|n| Disposition::from_number(n.parse().ok()?)).collect(),
        since,
        before,
    };
    (search, wrong)
}

fn spot(query: &Form) -> Option<Spot> {
    let seen_on = query.get("seen").and_then(|n| Timestamp::from_nanosecond(n.parse().ok()?).ok());
    Some(Spot { id: query.id("after")?, seen_on })
}

fn fields(desk: &Desk) -> Vec<Field> {
    let field =
        |name: &str, label: &str, input: Input| Field::new(name, desk.t(label), input).value(desk.query.text(name));
    let mut choices = vec![Choice::new("", desk.t("Any"))];
    choices.extend(Disposition::ALL.iter().map(|d| Choice::new(d.number().to_string(), desk.t(d.label()))));
    vec![
        field("text", "Sender, subject or Message-ID", Input::Line),
        field("disposition", "What became of it", Input::Select).choices(choices),
        field("sender", "Sender", Input::Line),
        field("subject", "Subject", Input::Line),
        field("messageid", "The whole Message-ID", Input::Line),
        field("since", "Seen since", Input::Time),
        field("until", "Seen until", Input::Time),
    ]
}

/// A query as it stands in an address, without some of its names.
fn written(query: &Form, without: &[&str]) -> String {
    let mut parts = Vec::new();
    for name in NAMES.iter().filter(|name| !without.contains(name)) {
        for value in query.all(name).filter(|value| !value.is_empty()) {
            let value = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC);
            parts.push(format!("{name}={value}"));
        }
    }
    parts.join("&")
}

fn shown_row(frame: &Frame, entry: Entry) -> Row {
    use Disposition as D;
    let Entry { row, email_readable, final_because } = entry;
    let asked_for = matches!(row.disposition, D::Failed | D::Unclaimed | D::Unreadable | D::TooOld | D::TooLarge);
    Row {
        id: row.id.to_string(),
        disposition: frame.t(row.disposition.label()).to_owned(),
        state: match row.disposition {
            D::Tracked => "good",
            D::Failed | D::Unreadable => "bad",
            D::Unclaimed | D::InvalidSender | D::TooLarge => "warn",
            D::Waiting => "busy",
            _ => "",
        },
        subject: if row.subject.is_empty() { frame.t("(no subject)").to_owned() } else { row.subject },
        from: row.from,
        message_id: row.message_id,
        folder: row.folder,
        received: when(frame, row.received_on),
        seen: when(frame, row.seen_on),
        reason: frame.viewer.told(&row.reason),
        email: row
            .activity
            .filter(|_| email_readable)
            .map(|email| format!("/work/emails/{}", email.id))
            .unwrap_or_default(),
        attempts: row.attempts,
        retry: final_because.is_none(),
        no_retry: final_because.filter(|_| asked_for).map(|refusal| frame.words(&refusal.message)).unwrap_or_default(),
    }
}
