//! What became of an email: received, waiting, sent, refused, and in whose
//! words.

use askama::Template;
use jiff::SignedDuration;
use model::tables::{AlertLevel, DeliveryState, EmailStatus, TraceLog};
use model::{Entity, Filter, Query, Timestamp};

use crate::pages::email::loaded::Loaded;
use crate::pages::kit::{Desk, Fault, Frame};

/// How the failure reason of an email begins that only a person can decide on.
const UNDECIDED: &str = "Uncertain, a person has to decide";

/// Within this time the page follows what becomes of it.
const SOON: SignedDuration = SignedDuration::from_mins(15);

pub(super) struct Status {
    pub label: String,
    /// The class of its colour.
    pub tone: &'static str,
    pub outgoing: bool,
    /// Changes by itself, soon.
    pub moving: bool,
    pub reason: String,
    pub attempts: i64,
    pub next: Option<Timestamp>,
    pub later: Option<Timestamp>,
    pub recipients: Vec<Recipient>,
    pub alerts: Vec<Alert>,
    pub can_recall: bool,
    pub can_edit: bool,
    pub undecided: bool,
}

pub(super) struct Recipient {
    pub address: String,
    pub state: String,
    pub tone: &'static str,
    pub reply: String,
}

pub(super) struct Alert {
    pub tone: &'static str,
    pub level: String,
    pub text: String,
    pub at: Option<Timestamp>,
}

/// For the page's script, while something moves.
#[derive(Template)]
#[template(path = "email/status.html")]
pub(super) struct StatusPart {
    pub frame: Frame,
    pub status: Status,
    pub id: String,
}

pub(super) async fn of(desk: &Desk, loaded: &Loaded) -> Result<Status, Fault> {
    let email = &loaded.email;
    let texts = desk.viewer.texts;
    let tone = match email.status {
        EmailStatus::Sent | EmailStatus::Received | EmailStatus::Completed => "good",
        EmailStatus::Failed => "bad",
        EmailStatus::PendingSend | EmailStatus::Sending => "busy",
        EmailStatus::Draft | EmailStatus::Canceled => "",
    };
    let later = email.delayed_send.filter(|at| *at > desk.ctx.now && email.status == EmailStatus::PendingSend);
    let undecided = email.status == EmailStatus::Sending && email.failure_reason.starts_with(UNDECIDED);
    let recipients = if email.is_outgoing { recipients(desk, loaded).await? } else { Vec::new() };
    Ok(Status {
        label: texts.text(email.status.label()).to_owned(),
        tone: if undecided { "warn" } else { tone },
        outgoing: email.is_outgoing,
        moving: email.is_outgoing
            && matches!(email.status, EmailStatus::PendingSend | EmailStatus::Sending)
            && !undecided
            // Nothing is to be seen before, so the page need not ask.
            && later.is_none_or(|at| at.duration_since(desk.ctx.now) < SOON),
        reason: desk.said(&email.failure_reason),
        attempts: email.delivery_attempts,
        next: email.postponed_until.filter(|_| email.status == EmailStatus::PendingSend),
        later,
        recipients,
        alerts: alerts(desk, loaded).await?,
        can_recall: email.status == EmailStatus::PendingSend,
        can_edit: email.is_outgoing && matches!(email.status, EmailStatus::Draft | EmailStatus::Failed),
        undecided,
    })
}

async fn recipients(desk: &Desk, loaded: &Loaded) -> Result<Vec<Recipient>, Fault> {
    let deliveries = actions::email::deliveries(&desk.ctx, loaded.email.id).await?;
    let row = |d: model::tables::Delivery| Recipient {
        state: desk.t(d.state.label()),
        tone: match d.state {
            DeliveryState::Waiting => "busy",
            DeliveryState::Accepted => "good",
            DeliveryState::Refused => "bad",
            DeliveryState::Uncertain => "warn",
        },
        address: d.address,
        reply: desk.said(&d.reply),
    };
    Ok(deliveries.into_iter().map(row).collect())
}

async fn alerts(desk: &Desk, loaded: &Loaded) -> Result<Vec<Alert>, Fault> {
    let mut query =
        Query::of::<TraceLog>().filter(Filter::eq(TraceLog::C.regarding, Some(loaded.email.reference()))).limit(10);
    query.order.push(model::Order { column: "createdon".into(), descending: true });
    let mut alerts = Vec::new();
    let rows = match actions::list(&desk.ctx, query).await {
        Err(actions::ActionError::Refused(_)) => Vec::new(),
        other => other?,
    };
    for row in rows {
        let alert = TraceLog::from_record(&row).map_err(actions::ActionError::from)?;
        alerts.push(Alert {
            tone: match alert.level {
                AlertLevel::Error => "bad",
                AlertLevel::Warning => "warn",
                AlertLevel::Information => "",
            },
            level: desk.t(alert.level.label()),
            text: desk.said(&alert.text),
            at: row.get("createdon").as_time(),
        });
    }
    Ok(alerts)
}
