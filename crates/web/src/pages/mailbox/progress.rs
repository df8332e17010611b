//! The test of a mailbox, step by step, while it runs and afterwards.

use actions::mailbox::Standing;
use askama::Template;
use axum::http::HeaderValue;
use model::Step;
use model::tables::{Mailbox, TestStep};
use model::work::Workload;

use super::{Number, row, whole};
use crate::pages::kit::{self, Desk, Frame, Outcome, Place, Told};

pub(super) struct Progress {
    pub running: bool,
    /// What is waited for, while it runs.
    pub waits_for: String,
    pub routes: Vec<Route>,
    /// What the test wrote down, where there are no steps to show.
    pub log: String,
}

pub(super) struct Route {
    pub label: String,
    pub steps: Vec<Taken>,
}

pub(super) struct Taken {
    pub label: String,
    pub passed: bool,
    pub said: String,
    pub advice: Told,
    pub transcript: String,
}

#[derive(Template)]
#[template(path = "mailbox/progress.html")]
struct ProgressPart {
    frame: Frame,
    progress: Progress,
}

/// `GET /settings/mailboxes/{id}/progress`: the part that is asked for while
/// a test runs. When it has ended the page comes anew, with the results.
pub(super) async fn part(desk: Desk, Number(id): Number) -> Outcome {
    let mailbox = whole(&row(&desk, id).await?)?;
    let standing = actions::mailbox::standing(&desk.ctx, id).await?;
    let frame = desk.frame("Mailbox", Place::Mailboxes);
    let progress = of(&frame, &mailbox, &standing);
    let mut response = kit::show(&ProgressPart { progress, frame })?;
    if !mailbox.test_scheduled {
        response.headers_mut().insert("hx-refresh", HeaderValue::from_static("true"));
    }
    Ok(response)
}

pub(super) fn of(frame: &Frame, mailbox: &Mailbox, standing: &Standing) -> Progress {
    let route = |workload: Workload, label: &str| {
        let steps: Vec<Taken> =
            standing.steps.iter().filter(|step| step.route == workload).map(|step| taken(frame, step)).collect();
        (!steps.is_empty()).then(|| Route { label: frame.t(label).to_owned(), steps })
    };
    let routes: Vec<Route> =
        [route(Workload::Incoming, "Incoming"), route(Workload::Outgoing, "Outgoing")].into_iter().flatten().collect();
    Progress {
        running: mailbox.test_scheduled,
        waits_for: waits_for(frame, mailbox, standing),
        log: if routes.is_empty() && !mailbox.test_scheduled { frame.said(&mailbox.test_log) } else { String::new() },
        routes,
    }
}

fn waits_for(frame: &Frame, mailbox: &Mailbox, standing: &Standing) -> String {
    if let Some(at) = mailbox.test_postponed_until.filter(|_| mailbox.test_retries > 0) {
        return frame.t1("The fault may pass by itself: the test is repeated at {0}.", frame.time(&at));
    }
    match standing.steps.last() {
        None => frame.t("The test begins in a moment.").to_owned(),
        Some(last) if last.step == Step::Send.as_str() && last.passed => {
            frame.t("Waiting for the message to arrive in the mailbox.").to_owned()
        }
        Some(_) => frame.t("Waiting for the server.").to_owned(),
    }
}

fn taken(frame: &Frame, step: &TestStep) -> Taken {
    Taken {
        label: frame.t(label(&step.step)).to_owned(),
        passed: step.passed,
        said: frame.said(&step.said),
        advice: frame.viewer.told(&step.advice),
        transcript: step.transcript.clone(),
    }
}

/// What a step is called.
pub(crate) fn label(step: &str) -> &str {
    const LABELS: &[(Step, &str)] = &[
        (Step::Resolve, "Find the server"),
        (Step::Connect, "Connect"),
        (Step::Tls, "Secure the connection"),
        (Step::Greeting, "Greeting"),
        (Step::LogIn, "Log in"),
        (Step::Open, "Open the mailbox"),
        (Step::Read, "Read a message"),
        (Step::Send, "Send a message to the mailbox itself"),
        (Step::FindAgain, "See it arrive"),
        (Step::Settle, "Remove it again"),
    ];
    LABELS.iter().find(|(known, _)| known.as_str() == step).map_or(step, |(_, label)| label)
}
