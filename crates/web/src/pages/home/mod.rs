//! My Work: what waits for the person who looks.

use std::sync::Arc;

use actions::{Context, Wish, my_work, permitted, queue, views};
use askama::Template;
use axum::Router;
use axum::routing::get;
use model::tables::{AlertLevel, Contact, Email, EmailStatus, Mailbox, QueueItem, TestStatus};
use model::{Entity, Record, Timestamp};

use crate::pages::grid::{page_of, tone};
use crate::pages::kit::{Desk, Fault, Frame, Outcome, Place, show};
use crate::pages::queues::QueueRow;
use crate::state::AppState;

/// Rows of each part.
const MOST: usize = 8;
/// Queues: those in which something waits come first.
const MOST_QUEUES: usize = 20;

pub(crate) fn routes() -> Router<Arc<AppState>> {
    Router::new().route("/", get(page))
}

#[derive(Template)]
#[template(path = "home/page.html")]
struct Page {
    frame: Frame,
    /// Nothing can be done without a role.
    nothing: bool,
    care: Option<my_work::Care>,
    mailbox: Option<OwnMailbox>,
    working: Vec<Working>,
    rows: Vec<QueueRow>,
    /// There are more queues than these.
    more_queues: bool,
    unsent: Vec<Mine>,
    more_unsent: u64,
    received: Vec<Working>,
    drafts: Vec<Mine>,
    more_drafts: u64,
    alerts: Vec<Alert>,
    writes: bool,
}

impl Page {
    /// The list of just those that are counted.
    fn mailboxes(&self, view: &str) -> String {
        format!("/settings/mailboxes?view={}", views::ready(Mailbox::TABLE, view))
    }

    fn activities(&self, view: &str) -> String {
        format!("/work/activities?view={}", views::ready(Email::TABLE, view))
    }
}

struct OwnMailbox {
    href: String,
    name: String,
    /// Why its mail does not flow; empty where it does.
    trouble: String,
}

struct Working {
    href: String,
    title: String,
    sender: String,
    since: Option<Timestamp>,
}

struct Mine {
    href: String,
    subject: String,
    to: String,
    when: Option<Timestamp>,
    status: String,
    tone: &'static str,
    reason: String,
    next: Option<Timestamp>,
}

struct Alert {
    href: Option<String>,
    level: String,
    tone: &'static str,
    text: String,
    when: Option<Timestamp>,
}

async fn page(desk: Desk) -> Outcome {
    let ctx = &desk.ctx;
    let waiting = [EmailStatus::Failed, EmailStatus::PendingSend, EmailStatus::Sending];
    // None needs another's answer: they wait for the database side by side.
    let (care, mailbox, working, (queues, more_queues), unsent, received, drafts, alerts) = tokio::try_join!(
        answer(my_work::care(ctx)),
        answer(my_work::mailbox(ctx)),
        readable(queue::worked_on(ctx, MOST)),
        readable(queue::at_work(ctx, MOST_QUEUES)),
        emails(ctx, &waiting),
        answer(my_work::emails(ctx, &[EmailStatus::Received], MOST)),
        emails(ctx, &[EmailStatus::Draft]),
        answer(my_work::alerts(ctx, MOST)),
    )?;
    let page = Page {
        frame: desk.frame("My Work", Place::Home),
        nothing: !permitted(ctx, Wish::Read(Email::TABLE))
            && !permitted(ctx, Wish::Read(Contact::TABLE))
            && !permitted(ctx, Wish::Read(Mailbox::TABLE)),
        care: care.filter(|c| *c != my_work::Care::default()),
        mailbox: mailbox.map(|m| own_mailbox(&desk, &m)),
        working: working.iter().map(|row| self::working(&desk, row)).collect(),
        rows: queues.into_iter().map(QueueRow::from).collect(),
        more_queues,
        more_unsent: unsent.1,
        unsent: unsent.0.iter().map(|row| mine(&desk, row)).collect(),
        received: received.iter().map(|row| self::received(&desk, row)).collect(),
        more_drafts: drafts.1,
        drafts: drafts.0.iter().map(|row| mine(&desk, row)).collect(),
        alerts: alerts.iter().map(|row| alert(&desk, row)).collect(),
        writes: permitted(ctx, Wish::Create(Email::TABLE)),
    };
    show(&page)
}

/// The first of one's own emails in these states, and how many more there are.
async fn emails(ctx: &Context, statuses: &[EmailStatus]) -> Result<(Vec<Record>, u64), Fault> {
    let rows = my_work::emails(ctx, statuses, MOST).await?;
    let all = if rows.len() == MOST { my_work::count(ctx, statuses).await? } else { 0 };
    let more = all.saturating_sub(rows.len() as u64);
    Ok((rows, more))
}

async fn answer<T>(found: impl Future<Output = Result<T, actions::ActionError>>) -> Result<T, Fault> {
    Ok(found.await?)
}

/// Who may not read queues has none.
async fn readable<T: Default>(found: impl Future<Output = Result<T, actions::ActionError>>) -> Result<T, Fault> {
    match found.await {
        Err(error) if Fault::is_refusal(&error) => Ok(T::default()),
        found => Ok(found?),
    }
}

fn own_mailbox(desk: &Desk, mailbox: &Mailbox) -> OwnMailbox {
    let failed = [mailbox.incoming_status, mailbox.outgoing_status].contains(&TestStatus::Failure);
    let waits = mailbox.approval == model::tables::Approval::Pending;
    let trouble = if waits {
        desk.t("Its address waits for approval.")
    } else if failed {
        desk.t("The last test failed.")
    } else {
        String::new()
    };
    OwnMailbox { href: format!("/settings/mailboxes/{}", mailbox.id), name: mailbox.name.clone(), trouble }
}

fn text(row: &Record, column: &str) -> String {
    row.get(column).as_text().unwrap_or("").to_owned()
}

fn titled(desk: &Desk, title: String) -> String {
    if title.trim().is_empty() { desk.t("(without a subject)") } else { title }
}

fn working(desk: &Desk, row: &Record) -> Working {
    let email = row.get(QueueItem::C.object.name).as_id();
    let queue = row.get(QueueItem::C.queue.name).as_id();
    let href = email.map(|id| format!("/work/emails/{id}")).or(queue.map(|id| format!("/work/queues/{id}")));
    Working {
        href: href.unwrap_or_default(),
        title: titled(desk, text(row, QueueItem::C.title.name)),
        sender: text(row, QueueItem::C.sender.name),
        since: row.get(QueueItem::C.worker_modified_on.name).as_time(),
    }
}

fn received(desk: &Desk, row: &Record) -> Working {
    Working {
        href: format!("/work/emails/{}", row.id),
        title: titled(desk, text(row, Email::C.subject.name)),
        sender: text(row, "sender"),
        since: row.get(Email::C.sort_date.name).as_time(),
    }
}

fn mine(desk: &Desk, row: &Record) -> Mine {
    let status = row.get(Email::C.status.name).as_int().unwrap_or(0);
    Mine {
        href: format!("/work/emails/{}", row.id),
        subject: titled(desk, text(row, Email::C.subject.name)),
        to: text(row, Email::C.to_recipients.name).replace(';', ", "),
        when: row.get(Email::C.sort_date.name).as_time(),
        status: EmailStatus::OPTIONS.label(status).map(|l| desk.t(l)).unwrap_or_default(),
        tone: tone(Email::TABLE.logical, Email::C.status.name, status),
        reason: desk.said(&text(row, Email::C.failure_reason.name)),
        next: row.get(Email::C.postponed_until.name).as_time(),
    }
}

fn alert(desk: &Desk, row: &Record) -> Alert {
    let level = row.get("level").as_int().unwrap_or(0);
    Alert {
        href: row.get("regardingobjectid").as_ref_to().and_then(|target| page_of(&desk.ctx, target)),
        level: AlertLevel::OPTIONS.label(level).map(|l| desk.t(l)).unwrap_or_default(),
        tone: tone("tracelog", "level", level),
        text: desk.said(&text(row, "text")),
        when: row.get("modifiedon").as_time(),
    }
}
