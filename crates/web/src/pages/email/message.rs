//! A message in the ledger: what became of it, what stands in it, and tracking
//! it where nobody did.

use std::collections::BTreeMap;

use actions::ActionError;
use actions::incoming::{self, Message};
use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use formats::html::Shown;
use formats::mime;
use model::tables::{Disposition, LedgerEntry};
use model::{Entity, Id, Refusal, Timestamp};

use crate::pages::email::read::facts::{self, Record};
use crate::pages::email::{draft, id, shown};
use crate::pages::grid;
use crate::pages::kit::{self, Desk, Fault, Frame, Outcome, Place, Told};

#[derive(Template)]
#[template(path = "email/message.html")]
struct MessagePage {
    frame: Frame,
    id: String,
    faults: Vec<String>,
    tone: &'static str,
    disposition: String,
    reason: Told,
    from: String,
    mailbox: Option<Record>,
    folder: String,
    received: Option<Timestamp>,
    seen: Option<Timestamp>,
    email: Option<Record>,
    can_track: bool,
    readable: bool,
}

/// Dispositions that leave a message without an email that somebody may want.
const UNTRACKED: &[Disposition] = &[
    Disposition::Filtered,
    Disposition::NoRecipientMatch,
    Disposition::InternalEmail,
    Disposition::Unclaimed,
    Disposition::Failed,
    Disposition::TooOld,
];

async fn entry(desk: &Desk, id: Id) -> Result<LedgerEntry, Fault> {
    let row = actions::read(&desk.ctx, LedgerEntry::TABLE, id, Vec::new()).await?;
    Ok(LedgerEntry::from_record(&row).map_err(ActionError::from)?)
}

/// The bytes, as far as the reader may see them.
async fn raw(desk: &Desk, id: Id) -> Result<Option<Vec<u8>>, Fault> {
    match actions::ledger::raw(&desk.ctx, id).await {
        Err(ActionError::Refused(_)) => Ok(None),
        other => Ok(other?),
    }
}

/// `GET /work/messages/{id}`
pub(super) async fn page(desk: Desk, Path(name): Path<String>) -> Outcome {
    show(&desk, id(&name)?, &[]).await
}

async fn show(desk: &Desk, id: Id, refusals: &[Refusal]) -> Outcome {
    let row = entry(desk, id).await?;
    let readable = raw(desk, id).await?.is_some();
    let subject = if row.subject.is_empty() { desk.t("(no subject)") } else { row.subject.clone() };
    let page = MessagePage {
        frame: desk.frame("Message", Place::Activities).with_help("email").titled(subject),
        id: id.to_string(),
        faults: refusals.iter().map(|r| desk.words(&r.message)).collect(),
        tone: grid::tone(LedgerEntry::TABLE.logical, LedgerEntry::C.disposition.name, row.disposition.number()),
        disposition: desk.t(row.disposition.label()),
        can_track: readable && row.activity.is_none() && UNTRACKED.contains(&row.disposition),
        reason: desk.viewer.told(&row.reason),
        from: row.from,
        mailbox: facts::record(desk, row.mailbox).await?,
        folder: row.folder,
        received: row.received_on,
        seen: row.seen_on,
        email: facts::record(desk, row.activity).await?.filter(|e| !e.path.is_empty()),
        readable,
    };
    let status = if refusals.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    Ok(crate::pages::page(status, &page))
}

/// Its text, cleaned.
pub(super) async fn shown(desk: &Desk, id: Id) -> Result<Shown, Fault> {
    let raw = raw(desk, id).await?.ok_or_else(Fault::absent)?;
    let mail = mime::read(&raw);
    let text = match (mail.html, mail.text) {
        (Some(html), _) => html,
        (None, Some(text)) => {
            let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            format!("<div style=\"white-space:pre-wrap\">{text}</div>")
        }
        (None, None) => String::new(),
    };
    shown::clean(desk, text, BTreeMap::new(), false).await
}

/// `POST /work/messages/{id}/track`: an email, whatever the filters say.
pub(super) async fn track(desk: Desk, Path(name): Path<String>) -> Outcome {
    let id = id(&name)?;
    let row = entry(&desk, id).await?;
    let raw = actions::ledger::raw(&desk.ctx, id).await?.ok_or_else(Fault::absent)?;
    let mail = mime::read(&raw);
    let message = Message { mail, raw, received: row.received_on };
    match draft::refused(incoming::promote(&desk.ctx, message).await)? {
        Ok(email) => kit::go(&format!("/work/emails/{}?done=created", email)),
        Err(refusals) => show(&desk, id, &refusals).await,
    }
}
