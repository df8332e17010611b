//! Look up settings and Test connection: what is asked of servers, and every
//! step of it as it happens.

use actions::inquiry::Trial;
use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use model::discovery::{Candidate, InquiryKind, InquiryState, Topic};
use model::tables::Inquiry;
use model::{Refusal, Words};

use super::provider::Provider;
use super::{choose, draft};
use crate::pages::kit::{self, Desk, Fault, Form, Frame, Outcome, Place};

/// An inquiry as it is shown.
pub(crate) struct Told {
    pub id: String,
    /// It still goes on.
    pub waiting: bool,
    pub test: bool,
    pub state: String,
    /// A class of the style sheet.
    pub mark: &'static str,
    pub groups: Vec<Group>,
    pub servers: Vec<Server>,
    pub provider: String,
    pub advice: String,
    pub unreachable: bool,
    /// Where the settings are used.
    pub to: String,
}

pub(crate) struct Group {
    pub title: String,
    pub lines: Vec<Line>,
}

pub(crate) struct Line {
    pub step: String,
    pub mark: &'static str,
    /// What the mark means, in a word.
    pub word: String,
    pub said: String,
}

pub(crate) struct Server {
    pub name: String,
    pub way: String,
    pub answers: bool,
    pub said: String,
    pub source: String,
}

pub(crate) fn told(desk: &Desk, inquiry: &Inquiry) -> Told {
    let found = formats::inquiry::read_found(&inquiry.result);
    let waiting = matches!(inquiry.state, InquiryState::Waiting | InquiryState::Running);
    let test = inquiry.kind == InquiryKind::TestConnection;
    let usable = found.candidates.iter().any(|c| c.answered == Some(true));
    let (state, mark) = match (inquiry.state, test) {
        (InquiryState::Waiting | InquiryState::Running, true) => (desk.t("Testing the connection …"), "busy"),
        (InquiryState::Waiting | InquiryState::Running, false) => (desk.t("Looking up settings …"), "busy"),
        (InquiryState::Done, true) => (desk.t("The connection works in both directions."), "good"),
        (InquiryState::Failed, true) => (desk.t("The connection does not work yet."), "bad"),
        (InquiryState::Done, false) if usable => (desk.t("Settings were found."), "good"),
        (_, false) => (desk.t("No server was found that answers."), "bad"),
    };
    Told {
        id: inquiry.id.to_string(),
        waiting,
        test,
        state,
        mark,
        groups: groups(desk, inquiry),
        servers: found.candidates.iter().map(|c| server(desk, c)).collect(),
        to: format!("/settings/profiles/new?provider={}&inquiry={}", Provider::fitting(&found).key(), inquiry.id),
        provider: found.provider,
        advice: desk.t(&found.advice),
        unreachable: found.unreachable,
    }
}

fn groups(desk: &Desk, inquiry: &Inquiry) -> Vec<Group> {
    let mut groups: Vec<(Topic, Group)> = Vec::new();
    for line in formats::inquiry::read_lines(&inquiry.progress) {
        let (mark, word) = match line.ok {
            Some(true) => ("good", desk.t("Yes")),
            Some(false) => ("bad", desk.t("No")),
            None if line.step.is_empty() && inquiry.kind == InquiryKind::TestConnection => {
                ("hint", desk.t("What to do"))
            }
            None => ("none", desk.t("Note")),
        };
        let shown = Line { step: desk.t(step(&line.step)), mark, word, said: desk.said(&line.said) };
        match groups.iter_mut().find(|(topic, _)| *topic == line.topic) {
            Some((_, group)) => group.lines.push(shown),
            None => groups.push((line.topic, Group { title: title(desk, line.topic), lines: vec![shown] })),
        }
    }
    groups.sort_by_key(|(topic, _)| *topic);
    groups.into_iter().map(|(_, group)| group).collect()
}

fn title(desk: &Desk, topic: Topic) -> String {
    match topic {
        Topic::SettingsFile => desk.t("Published settings"),
        Topic::Dns => desk.t("Records in DNS"),
        Topic::Provider => desk.t("Provider"),
        Topic::Server => desk.t("Servers that were tried"),
        Topic::Incoming => desk.t("Incoming"),
        Topic::Outgoing => desk.t("Outgoing"),
    }
}

/// The step in words.
fn step(step: &str) -> &str {
    match step {
        "resolve" => "Look up the host",
        "connect" => "Connect",
        "TLS" => "Secure with TLS",
        "greeting" => "Read the greeting",
        "log in" => "Log in",
        "open" => "Open the inbox",
        "read" => "Read a message",
        other => other,
    }
}

fn server(desk: &Desk, candidate: &Candidate) -> Server {
    let answers = candidate.answered == Some(true);
    Server {
        name: format!("{}:{}", candidate.host, candidate.port),
        way: format!("{}, {}", candidate.protocol.as_str(), candidate.protection.as_str()),
        answers,
        said: if answers { desk.t("answers") } else { desk.said(&candidate.said) },
        source: desk.said(&candidate.source),
    }
}

/// The part of a page that asks again by itself while it goes on.
#[derive(Template)]
#[template(path = "profile/inquiry.html")]
struct Part {
    frame: Frame,
    told: Told,
}

/// The same as a page of its own, for browsers without scripts.
#[derive(Template)]
#[template(path = "profile/inquiry-page.html")]
struct Page {
    frame: Frame,
    told: Told,
}

/// `GET /settings/profiles/inquiries/{id}`
pub(super) async fn page(desk: Desk, Path(id): Path<String>) -> Outcome {
    let id = id.parse().map_err(|_| Fault::absent())?;
    let inquiry = actions::inquiry::look(&desk.ctx, id).await?;
    let told = told(&desk, &inquiry);
    let title = if told.test { "Test Connection" } else { "Look Up Settings" };
    let frame = desk.frame(title, Place::Profiles);
    if desk.htmx { kit::show(&Part { frame, told }) } else { kit::show(&Page { frame, told }) }
}

/// `POST /settings/profiles/lookup`
pub(super) async fn look_up(desk: Desk, form: Form) -> Outcome {
    match actions::inquiry::look_up(&desk.ctx, form.text("address")).await {
        Ok(id) => kit::go(&format!("/settings/profiles/new?inquiry={id}")),
        Err(error) => {
            let fault = may(Fault::from(error))?;
            choose::choice(&desk, None, fault.refusals).await
        }
    }
}

/// What is no matter of what was typed is a page of its own.
fn may(fault: Fault) -> Result<Fault, Fault> {
    let typed = !fault.refusals.is_empty() && fault.status != StatusCode::FORBIDDEN;
    if typed { Ok(fault) } else { Err(fault) }
}

/// Why a test was not begun: each with a link to its field.
#[derive(Template)]
#[template(path = "profile/refused.html")]
struct Refused {
    frame: Frame,
    faults: Vec<(String, String)>,
}

/// `POST /settings/profiles/test`: the form as it stands, saved or not.
pub(super) async fn test(desk: Desk, form: Form) -> Outcome {
    let password = Some(form.secret("password")).filter(|password| !password.expose().is_empty());
    if password.is_some() && !desk.may_type_secrets() {
        return Ok(refused(&desk, vec![Refusal::invalid(Some("password"), Words::foreign(desk.t(kit::IN_CLEAR)))]));
    }
    let trial = Trial {
        profile: form.id("profile"),
        draft: draft::of(&desk, &form),
        user: form.text("user").to_owned(),
        password,
    };
    match actions::inquiry::test_connection(&desk.ctx, trial).await {
        Ok(id) if desk.htmx => {
            let told = told(&desk, &actions::inquiry::look(&desk.ctx, id).await?);
            kit::show(&Part { frame: desk.frame("Test Connection", Place::Profiles), told })
        }
        Ok(id) => kit::go(&format!("/settings/profiles/inquiries/{id}")),
        Err(error) => Ok(refused(&desk, may(Fault::from(error))?.refusals)),
    }
}

fn refused(desk: &Desk, refusals: Vec<Refusal>) -> Response {
    if desk.htmx {
        let faults =
            refusals.iter().map(|r| (r.field.unwrap_or_default().to_owned(), desk.words(&r.message))).collect();
        let frame = desk.frame("Test Connection", Place::Profiles);
        return crate::pages::page(StatusCode::OK, &Refused { frame, faults });
    }
    let text: Vec<String> = refusals.iter().map(|r| desk.words(&r.message)).collect();
    Fault::bad(text.join(" ")).page(desk)
}
