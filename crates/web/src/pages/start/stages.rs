//! The stages of the first run, as they stand.

use actions::start::{Phase, Standing};
use model::discovery::Found;
use model::work::Workload;
use model::{Ref, Timestamp};

use crate::pages::kit::Desk;
use crate::pages::mailbox::progress;

pub(super) struct Stage {
    pub title: String,
    /// A class of the style sheet, and the word for it.
    pub mark: &'static str,
    pub word: String,
    pub note: String,
    pub lines: Vec<Line>,
    /// Where its record is looked at.
    pub to: String,
}

pub(super) struct Line {
    pub mark: &'static str,
    pub word: String,
    pub text: String,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Done,
    Busy,
    Wrong,
    Ahead,
}

pub(super) fn all(desk: &Desk, standing: &Standing, found: &Found) -> Vec<Stage> {
    let phase = standing.phase;
    let usable = super::chosen(found).is_some();
    let looked = match phase {
        Phase::Ask => State::Ahead,
        Phase::LookingUp => State::Busy,
        Phase::LookedUp if !usable => State::Wrong,
        _ => State::Done,
    };
    let profile = match phase {
        Phase::Ask | Phase::LookingUp => State::Ahead,
        Phase::LookedUp if usable => State::Busy,
        Phase::LookedUp => State::Ahead,
        _ => State::Done,
    };
    let mailbox = match phase {
        Phase::SettingUp => State::Busy,
        Phase::Testing | Phase::Failed | Phase::Running => State::Done,
        _ => State::Ahead,
    };
    let approved = if mailbox == State::Done && standing.approved { State::Done } else { State::Ahead };
    let tested = match phase {
        Phase::Testing => State::Busy,
        Phase::Failed => State::Wrong,
        Phase::Running => State::Done,
        _ => State::Ahead,
    };
    let read = match phase {
        Phase::Running if standing.seen > 0 => State::Done,
        Phase::Running => State::Busy,
        _ => State::Ahead,
    };
    let held = standing.mailbox.as_ref();
    let address = held.map(|m| m.address.clone()).unwrap_or_default();
    let name = standing.profile.as_ref().map(|p| p.name.clone()).unwrap_or_default();
    let link = |path: &str, row: Option<model::Id>| row.map(|id| format!("{path}/{id}")).unwrap_or_default();
    let profile_link = link("/settings/profiles", standing.profile.as_ref().map(|p| p.id));
    let mailbox_link = link("/settings/mailboxes", held.map(|m| m.id));
    let mut testing = stage(desk, "Test and enable the mailbox", tested, String::new(), mailbox_link.clone());
    testing.lines = if phase >= Phase::Testing { lines(desk, standing) } else { Vec::new() };
    vec![
        stage(desk, "Look up the settings of the address", looked, address, String::new()),
        stage(desk, "Make an email server profile", profile, name, profile_link),
        stage(desk, "Set up the mailbox", mailbox, String::new(), mailbox_link),
        stage(desk, "Approve the address", approved, String::new(), String::new()),
        testing,
        stage(desk, "Read the first messages", read, String::new(), String::new()),
    ]
}

fn stage(desk: &Desk, title: &str, state: State, note: String, to: String) -> Stage {
    let (mark, word) = match state {
        State::Done => ("good", desk.t("Done")),
        State::Busy => ("busy", desk.t("Under way")),
        State::Wrong => ("bad", desk.t("Failed")),
        State::Ahead => ("", desk.t("Still to come")),
    };
    Stage { title: desk.t(title), mark, word, note, lines: Vec::new(), to }
}

/// The steps of the test, with what to do where one failed.
fn lines(desk: &Desk, standing: &Standing) -> Vec<Line> {
    let mut lines = Vec::new();
    for step in &standing.steps {
        let route = if step.route == Workload::Outgoing { desk.t("Outgoing") } else { desk.t("Incoming") };
        let (mark, word) = if step.passed { ("good", desk.t("Yes")) } else { ("bad", desk.t("No")) };
        lines.push(Line {
            mark,
            word,
            text: format!("{route}, {}: {}", desk.t(progress::label(&step.step)), desk.said(&step.said)),
        });
        if !step.advice.is_empty() {
            lines.push(Line { mark: "hint", word: desk.t("What to do"), text: desk.said(&step.advice) });
        }
    }
    lines
}

/// What has been read so far.
pub(super) struct Seen {
    pub count: u64,
    pub address: String,
    pub messages: Vec<Message>,
}

pub(super) struct Message {
    pub subject: String,
    pub from: String,
    pub at: Option<Timestamp>,
    pub became: String,
    pub to: String,
}

pub(super) fn seen(desk: &Desk, standing: &Standing) -> Seen {
    let message = |entry: &model::tables::LedgerEntry| Message {
        subject: if entry.subject.is_empty() { desk.t("(no subject)") } else { entry.subject.clone() },
        from: entry.from.clone(),
        at: entry.received_on.or(entry.seen_on),
        became: desk.t(entry.disposition.label()),
        to: entry.activity.map(|Ref { id, .. }| format!("/work/emails/{id}")).unwrap_or_default(),
    };
    Seen {
        count: standing.seen,
        address: standing.mailbox.as_ref().map(|m| m.address.clone()).unwrap_or_default(),
        messages: standing.newest.iter().map(message).collect(),
    }
}
