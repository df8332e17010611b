//! The mailboxes of a profile: their test results, and Test & Enable for
//! several at once.

use askama::Template;
use axum::extract::Path;
use model::tables::{Approval, Mailbox, State, TestStatus};
use model::{Entity, Id};

use crate::pages::kit::{self, Desk, Fault, Form, Frame, Outcome, Place};

/// Rows that are shown, and tested at once: more would wait for one another.
const MOST: usize = 200;

pub(super) struct Mailboxes {
    pub profile: String,
    /// How many there are.
    pub all: u64,
    pub rows: Vec<Row>,
    /// Those that are not shown.
    pub more: u64,
    /// Where all of them are listed.
    pub list: String,
    /// A test is under way.
    pub testing: bool,
    /// What was refused just now.
    pub refused: Vec<(String, String)>,
    pub begun: usize,
}

pub(super) struct Row {
    pub id: String,
    pub name: String,
    pub address: String,
    pub incoming: Mark,
    pub outgoing: Mark,
    pub tested: Option<model::Timestamp>,
    pub note: String,
}

pub(super) struct Mark {
    pub word: String,
    pub class: &'static str,
}

#[derive(Template)]
#[template(path = "profile/mailboxes.html")]
struct Part {
    frame: Frame,
    mailboxes: Mailboxes,
}

#[derive(Template)]
#[template(path = "profile/mailboxes-page.html")]
struct Page {
    frame: Frame,
    mailboxes: Mailboxes,
}

pub(super) async fn of(desk: &Desk, profile: Id) -> Result<Mailboxes, Fault> {
    let (all, found) = actions::profile::mailboxes(&desk.ctx, profile, MOST).await?;
    let rows: Vec<Row> = found.iter().map(|mailbox| row(desk, mailbox)).collect();
    let testing = found.iter().any(|mailbox| mailbox.test_scheduled);
    let more = all.saturating_sub(u64::try_from(rows.len()).unwrap_or_default());
    let view = actions::views::ready(Mailbox::TABLE, "Active Mailboxes");
    let list = format!("/settings/mailboxes?view={view}&only=emailserverprofile:{profile}");
    Ok(Mailboxes { profile: profile.to_string(), all, rows, more, list, testing, refused: Vec::new(), begun: 0 })
}

fn row(desk: &Desk, mailbox: &Mailbox) -> Row {
    let mark = |status: TestStatus| {
        let (word, class) = match status {
            _ if mailbox.test_scheduled => ("Testing …", "busy"),
            TestStatus::NotRun => (status.label(), ""),
            TestStatus::Success => (status.label(), "good"),
            TestStatus::Failure => (status.label(), "bad"),
        };
        Mark { word: desk.t(word), class }
    };
    let note = if mailbox.state == State::Inactive {
        desk.t("Inactive: it is not processed.")
    } else if mailbox.approval == Approval::Approved {
        String::new()
    } else {
        desk.t("The address is not approved.")
    };
    Row {
        id: mailbox.id.to_string(),
        name: mailbox.name.clone(),
        address: mailbox.address.clone(),
        incoming: mark(mailbox.incoming_status),
        outgoing: mark(mailbox.outgoing_status),
        tested: mailbox.test_completed_on,
        note,
    }
}

/// `GET /settings/profiles/{id}/mailboxes`: the part that moves while tests run.
pub(super) async fn part(desk: Desk, Path(id): Path<String>) -> Outcome {
    let id = id.parse().map_err(|_| Fault::absent())?;
    let mailboxes = of(&desk, id).await?;
    answer(&desk, mailboxes)
}

fn answer(desk: &Desk, mailboxes: Mailboxes) -> Outcome {
    let frame = desk.frame("Mailboxes of the profile", Place::Profiles);
    if desk.htmx { kit::show(&Part { frame, mailboxes }) } else { kit::show(&Page { frame, mailboxes }) }
}

/// `POST /settings/profiles/{id}/mailboxes`: Test & Enable Mailboxes, those
/// that are ticked or, where none is, all.
pub(super) async fn test(desk: Desk, Path(id): Path<String>, form: Form) -> Outcome {
    let id: Id = id.parse().map_err(|_| Fault::absent())?;
    let (_, found) = actions::profile::mailboxes(&desk.ctx, id, MOST).await?;
    let ticked = form.ids("mailbox");
    let wanted = found.iter().filter(|mailbox| ticked.is_empty() || ticked.contains(&mailbox.id));
    let (mut begun, mut refused) = (0, Vec::new());
    for mailbox in wanted {
        match actions::mailbox::test(&desk.ctx, mailbox.id).await {
            Ok(_) => begun += 1,
            Err(error) => {
                let why: Vec<String> = Fault::refusals(error)?.iter().map(|r| desk.words(&r.message)).collect();
                refused.push((mailbox.name.clone(), why.join(" ")));
            }
        }
    }
    let mailboxes = Mailboxes { begun, refused, ..of(&desk, id).await? };
    answer(&desk, mailboxes)
}
