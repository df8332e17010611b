//! Beside the form: when the mailbox runs next, how it went last, its
//! servers, its alerts and what its ledger counts. Renews itself.

use actions::mailbox::{Lane, Standing};
use actions::monitoring::Nodes;
use askama::Template;
use model::Timestamp;
use model::tables::{AlertLevel, Disposition, Mailbox};

use super::{Number, row, sentence, when, whole};
use crate::pages::kit::{self, Desk, Frame, Outcome, Place, Viewer};
use crate::pages::watch::connections::{self, Connections};

/// What stands beside the form.
pub(super) struct Beside {
    pub lanes: Vec<Direction>,
    /// Label and HTML.
    pub last: Vec<(String, String)>,
    pub error: String,
    pub alerts: Vec<Count>,
    pub messages: Vec<Count>,
    pub connections: Connections,
    pub id: String,
}

pub(super) struct Direction {
    pub label: String,
    pub state: &'static str,
    pub word: String,
    /// Why nothing is done; empty: it is.
    pub why: String,
    /// Label and HTML.
    pub facts: Vec<(String, String)>,
    pub server_trouble: String,
}

pub(super) struct Count {
    pub label: String,
    pub count: u64,
    pub link: String,
    pub state: &'static str,
}

#[derive(Template)]
#[template(path = "mailbox/beside.html")]
struct BesidePart {
    frame: Frame,
    beside: Beside,
}

/// `GET /settings/mailboxes/{id}/beside`
pub(super) async fn part(desk: Desk, Number(id): Number) -> Outcome {
    let mailbox = whole(&row(&desk, id).await?)?;
    let standing = actions::mailbox::standing(&desk.ctx, id).await?;
    let frame = desk.frame("Mailbox", Place::Mailboxes);
    kit::show(&BesidePart { beside: of(&frame, &mailbox, &standing, desk.ctx.now), frame })
}

pub(super) fn of(frame: &Frame, mailbox: &Mailbox, standing: &Standing, now: Timestamp) -> Beside {
    let id = mailbox.id.to_string();
    let label = |text: &str| frame.t(text).to_owned();
    let mut last = vec![
        (
            label("Last successful cycle"),
            format!("{}{}", when(frame, mailbox.last_sync_completed), took(frame, mailbox)),
        ),
        (
            label("Messages in the last cycle"),
            frame.t2("{0} processed, {1} failed", mailbox.items_processed, mailbox.items_failed),
        ),
    ];
    if !mailbox.host.is_empty() {
        last.push((label("Host"), escaped(&mailbox.host)));
    }
    let error = if mailbox.last_error.is_empty() {
        String::new()
    } else {
        let at = mailbox.last_error_on.map(|at| frame.time(&at)).unwrap_or_default();
        format!("{at} ({}×): {}", mailbox.last_error_count.max(1), frame.said(&mailbox.last_error))
    };
    Beside {
        lanes: vec![
            direction(frame, "Receiving email", &standing.incoming, &standing.nodes, now),
            direction(frame, "Sending email", &standing.outgoing, &standing.nodes, now),
        ],
        connections: connections::of(frame, &standing.nodes),
        last,
        error,
        alerts: alerts(frame, &id, standing),
        messages: messages(frame, &id, standing),
        id,
    }
}

/// How long the last cycle took.
fn took(frame: &Frame, mailbox: &Mailbox) -> String {
    let (Some(begun), Some(ended)) = (mailbox.last_sync_started, mailbox.last_sync_completed) else {
        return String::new();
    };
    let tenths = ended.duration_since(begun).as_millis().max(0) / 100;
    format!(" <small>{}</small>", frame.t1("in {0} s", format_args!("{}.{}", tenths / 10, tenths % 10)))
}

fn direction(frame: &Frame, label: &str, lane: &Lane, nodes: &Nodes, now: Timestamp) -> Direction {
    let t = |text: &str| frame.t(text).to_owned();
    // Its lease holds for a while yet.
    let lost = lane.running_on.as_ref().is_some_and(|node| nodes.is_silent(node));
    let (state, word) = match lane {
        Lane { blocked: Some(_), .. } => ("", t("Not processed")),
        Lane { server_waits_until: Some(_), .. } => ("bad", t("The server does not answer")),
        Lane { running_on: Some(_), .. } if lost => ("warn", t("Interrupted")),
        Lane { running_on: Some(_), .. } => ("busy", t("Running now")),
        Lane { failures: 1.., .. } => ("warn", t("Tried again")),
        _ => ("good", t("Enabled")),
    };
    let mut facts = Vec::new();
    if lane.blocked.is_none() {
        facts.push((t("Next run"), when(frame, lane.next_run)));
        let late = lane.next_run.filter(|next| *next < now && lane.running_on.is_none());
        if let Some(next) = late {
            facts.push((t("Behind by"), Viewer::lasting(now.duration_since(next).as_secs())));
        }
        if lane.failures > 0 {
            facts.push((t("Failed in a row"), lane.failures.to_string()));
        }
    }
    if let Some(host) = &lane.running_on {
        facts.push((t(if lost { "Ran on" } else { "Runs on" }), escaped(host)));
    }
    if let Some(server) = &lane.server {
        facts.push((t("Server"), escaped(server)));
    }
    let server_trouble = match lane.server_waits_until {
        Some(until) => {
            frame.t2("Nobody asks this server before {0}: {1}", frame.time(&until), frame.said(&lane.server_error))
        }
        None if lane.server_failures > 0 => {
            let said = frame.said(&lane.server_error);
            let times =
                frame.tn("The server failed once:", "The server failed {0} times in a row:", lane.server_failures);
            format!("{times} {said}")
        }
        None => String::new(),
    };
    let why = match &lane.blocked {
        Some(refusal) => sentence(&frame.words(&refusal.message)),
        None if lost => t("The node is not heard of any more. Another one goes on when its lease ends."),
        None => String::new(),
    };
    Direction { label: t(label), state, word, why, facts, server_trouble }
}

fn alerts(frame: &Frame, id: &str, standing: &Standing) -> Vec<Count> {
    let levels = [
        (AlertLevel::Error, "Errors", "bad"),
        (AlertLevel::Warning, "Warnings", "warn"),
        (AlertLevel::Information, "Information", ""),
    ];
    let count = |(level, label, state): (AlertLevel, &str, &'static str)| {
        let count = standing.alerts.get(&level).copied().unwrap_or(0);
        Count {
            label: frame.t(label).to_owned(),
            count,
            link: format!("/settings/mailboxes/{id}/alerts?level={}", level.number()),
            state: if count > 0 { state } else { "" },
        }
    };
    levels.into_iter().map(count).collect()
}

fn messages(frame: &Frame, id: &str, standing: &Standing) -> Vec<Count> {
    let count = |(disposition, count): (&Disposition, &u64)| Count {
        label: frame.t(disposition.label()).to_owned(),
        count: *count,
        link: format!("/settings/mailboxes/{id}/ledger?disposition={}", disposition.number()),
        state: match disposition {
            Disposition::Failed if *count > 0 => "bad",
            Disposition::Unclaimed if *count > 0 => "warn",
            _ => "",
        },
    };
    standing.messages.iter().map(count).collect()
}

/// The few texts that stand among HTML of ours.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
