//! Personal options: which messages are tracked, signature, language, time
//! zone, appearance; and where one's own account and mailbox are.

use std::sync::Arc;

use actions::{Draft, Precondition, Special, Wish, my_work, permitted};
use askama::Template;
use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::routing::{get, post};
use formats::html;
use jiff::tz::TimeZone;
use model::tables::{Approval, Mailbox, TestStatus, UserSettings};
use model::{Entity, Id, Record, Refusal, Value, Words, time_zone};

use crate::pages::grid::tone;
use crate::pages::kit::{self, Choice, Desk, Editor, Fault, Field, Form, Frame, Input, Outcome, Place, go};
use crate::state::AppState;

pub(crate) fn routes() -> Router<Arc<AppState>> {
    Router::new().route("/options", get(page).post(save)).route("/options/test", post(test))
}

#[derive(Template)]
#[template(path = "options/page.html")]
struct Page {
    frame: Frame,
    email: Vec<Field>,
    signature: Editor,
    general: Vec<Field>,
    faults: Vec<String>,
    writes: bool,
    mailbox: Option<Own>,
}

/// The person's mailbox.
struct Own {
    id: Id,
    name: String,
    states: Vec<State>,
    tests: bool,
    scheduled: bool,
}

struct State {
    label: String,
    tone: &'static str,
    text: String,
}

async fn page(desk: Desk) -> Outcome {
    render(&desk, None, &[]).await
}

/// The columns of the form.
const COLUMNS: [&str; 7] = [
    "incomingemailfilteringmethod",
    "issendasallowed",
    "pr_signature",
    "uilanguageid",
    "timezonecode",
    "pr_theme",
    "paginglimit",
];

async fn render(desk: &Desk, typed: Option<&Form>, refusals: &[Refusal]) -> Outcome {
    let settings = actions::personal(&desk.ctx)
        .await?
        .unwrap_or_else(|| Record::with_defaults(UserSettings::TABLE, desk.ctx.actor.id));
    let field = |column: &str| field(desk, &settings, typed, column).refused(&desk.viewer, refusals);
    let mut languages = field("uilanguageid");
    languages.input = Input::Select;
    languages.choices = std::iter::once(Choice::new("", desk.t("As the browser asks for it")))
        .chain(kit::languages().iter().map(|t| Choice::new(t.locale.to_string(), t.name).in_language(t.code)))
        .collect();
    let mut zones = field("timezonecode");
    zones.input = Input::Select;
    zones.choices = zone_choices(desk);
    let written = typed.map_or_else(|| signature(&settings), |form| Editor::written(form, "pr_signature"));
    let mut signature = Editor::new(desk.viewer.texts, "pr_signature", desk.t("Signature"), &written)
        .help(desk.t("Stands under the emails that you write."));
    signature.faults =
        refusals.iter().filter(|r| r.field == Some("pr_signature")).map(|r| desk.words(&r.message)).collect();
    let keys = typed.map_or(desk.viewer.keys, |form| form.ticked("keys"));
    let keys = Field::new("keys", desk.t("Single keys are shortcuts"), Input::Tick)
        .ticked(keys)
        .help(desk.t("In this browser. Press ? to see them."));
    let page = Page {
        frame: desk.frame("Personal Options", Place::Options),
        email: vec![
            field("incomingemailfilteringmethod")
                .help(desk.t("Which messages that arrive in your mailbox become activities.")),
            field("issendasallowed"),
        ],
        signature,
        general: vec![
            languages,
            zones,
            field("pr_theme"),
            field("paginglimit").help(desk.t("How many rows a list shows at once, 1 to 250.")),
            keys,
        ],
        faults: refusals
            .iter()
            .filter(|r| !r.field.is_some_and(|f| COLUMNS.contains(&f)))
            .map(|r| desk.words(&r.message))
            .collect(),
        writes: permitted(&desk.ctx, Wish::Write(UserSettings::TABLE)),
        mailbox: my_work::mailbox(&desk.ctx).await?.map(|m| own(desk, &m)),
    };
    let status = if refusals.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    Ok(crate::pages::page(status, &page))
}

fn signature(settings: &Record) -> html::Own {
    html::Own::of_column(settings.get("pr_signature").as_text().unwrap_or_default())
}

fn field(desk: &Desk, settings: &Record, typed: Option<&Form>, column: &str) -> Field {
    let field = Field::of(desk.viewer.texts, UserSettings::TABLE, column);
    match (typed, settings.get(column)) {
        (Some(form), _) if field.input == Input::Tick => field.ticked(form.ticked(column)),
        (Some(form), _) => field.value(form.text(column)),
        (None, Value::Bool(yes)) => field.ticked(*yes),
        (None, Value::Int(n)) => field.value(n.to_string()),
        (None, Value::Text(text)) => field.value(text.clone()),
        _ => field,
    }
}

/// The zones, and what the browser says.
fn zone_choices(desk: &Desk) -> Vec<Choice> {
    let browser = Choice::new("", desk.t("As the browser says"));
    std::iter::once(browser).chain(zones(desk)).collect()
}

/// Every zone with what it is now: `(UTC+01:00) Amsterdam, Berlin, …`.
pub(crate) fn zones(desk: &Desk) -> Vec<Choice> {
    let mut zones: Vec<(i32, Choice)> = time_zone::ALL
        .iter()
        .filter_map(|zone| {
            let seconds = TimeZone::get(zone.iana).ok()?.to_offset(desk.ctx.now).seconds();
            let sign = if seconds < 0 { '-' } else { '+' };
            let minutes = seconds.unsigned_abs() / 60;
            let label = format!("(UTC{sign}{:02}:{:02}) {}", minutes / 60, minutes % 60, zone.places);
            Some((seconds, Choice::new(zone.code.to_string(), label)))
        })
        .collect();
    zones.sort_by(|a, b| (a.0, &a.1.label).cmp(&(b.0, &b.1.label)));
    zones.into_iter().map(|(_, choice)| choice).collect()
}

fn own(desk: &Desk, mailbox: &Mailbox) -> Own {
    let table = Mailbox::TABLE.logical;
    let state = |label: &str, column: &str, number: i64, text: Option<&str>| State {
        label: desk.t(label),
        tone: tone(table, column, number),
        text: text.map(|text| desk.t(text)).unwrap_or_default(),
    };
    let tested = |label: &str, column: &str, status: TestStatus| {
        state(label, column, status.number(), TestStatus::OPTIONS.label(status.number()))
    };
    let approval = mailbox.approval.number();
    Own {
        id: mailbox.id,
        name: mailbox.name.clone(),
        states: vec![
            state("Email Address Status", "emailrouteraccessapproval", approval, Approval::OPTIONS.label(approval)),
            tested("Incoming Email Status", "incomingemailstatus", mailbox.incoming_status),
            tested("Outgoing Email Status", "outgoingemailstatus", mailbox.outgoing_status),
        ],
        tests: permitted(&desk.ctx, Wish::Special(Special::TestMailbox)),
        scheduled: mailbox.test_scheduled,
    }
}

async fn save(desk: Desk, form: Form) -> Outcome {
    let settings = actions::personal(&desk.ctx).await?;
    let draft = draft(&desk, &form, &settings.as_ref().map(signature).unwrap_or_default());
    if let Err(error) = actions::update(&desk.ctx, desk.ctx.actor.id, draft, Precondition::Any).await {
        return render(&desk, Some(&form), &Fault::refusals(error)?).await;
    }
    let mut response = go("/options?done=saved")?;
    if form.has("keys") {
        let value = if form.ticked("keys") {
            "postroom-keys=on; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly"
        } else {
            "postroom-keys=off; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly"
        };
        response.headers_mut().append(header::SET_COOKIE, HeaderValue::from_static(value));
    }
    Ok(response)
}

fn draft(desk: &Desk, form: &Form, standing: &html::Own) -> Draft {
    let mut draft = Draft::new(UserSettings::TABLE);
    let mut wrong = Vec::new();
    let text = Editor::written(form, "pr_signature").or_standing(standing).column().trim_end().to_owned();
    for column in COLUMNS.into_iter().filter(|c| form.has(c)) {
        let value = match column {
            "issendasallowed" => Value::Bool(form.ticked(column)),
            "pr_signature" if text.trim().is_empty() => Value::Null,
            "pr_signature" => Value::Text(text.clone()),
            _ if form.get(column).is_none() => Value::Null,
            _ => match form.number(column) {
                Some(number) if is_known(column, number) => Value::Int(number),
                _ => {
                    wrong.push(Refusal::invalid(Some(column), Words::foreign(desk.t("Choose one of the list."))));
                    continue;
                }
            },
        };
        draft.values.insert(column, value);
    }
    draft.faults = wrong;
    draft
}

fn is_known(column: &str, number: i64) -> bool {
    match column {
        "uilanguageid" => kit::languages().iter().any(|t| t.locale == number),
        "timezonecode" => time_zone::by_code(number).is_some(),
        // The column's own limits and options are checked with the row.
        _ => true,
    }
}

/// Test & Enable of the own mailbox: scheduled here, watched on its page.
async fn test(desk: Desk) -> Outcome {
    let Some(mailbox) = my_work::mailbox(&desk.ctx).await? else { return Err(Fault::absent()) };
    match actions::mailbox::test(&desk.ctx, mailbox.id).await {
        Ok(_) => go(&format!("/settings/mailboxes/{}", mailbox.id)),
        Err(error) => render(&desk, None, &Fault::refusals(error)?).await,
    }
}
