//! Data encryption: which keys there are, what is sealed with them, another
//! key, and an old key that comes back.

use actions::upkeep::{self, KeyState};
use askama::Template;
use axum::http::StatusCode;
use model::Query;
use model::Timestamp;
use model::tables::{Job, JobKind, Organization};

use super::{PATH, Refused, Shown, show};
use crate::names;
use crate::pages::kit::{Desk, Fault, Field, Form, Frame, Input, Outcome, Place, go};

/// The section of the page; by itself it follows a change of the key.
#[derive(Template)]
#[template(path = "data/encryption.html")]
pub(super) struct Encryption {
    frame: Frame,
    active: bool,
    closed: u64,
    keys: Vec<KeyState>,
    /// Where the key file is, on the server.
    file: String,
    /// When the installation was made: its first key does not say.
    since: Option<Timestamp>,
    now: Timestamp,
    job: Option<Shown>,
    key: Field,
}

impl Encryption {
    fn made(&self, key: &KeyState) -> Option<Timestamp> {
        key.made.or(if key.present { self.since } else { None })
    }

    fn days(&self, key: &KeyState) -> i64 {
        self.made(key).map_or(0, |made| self.now.duration_since(made).as_hours() / 24)
    }
}

pub(super) async fn load(desk: &Desk, refused: &Refused) -> Result<Encryption, Fault> {
    let state = upkeep::encryption(&desk.ctx).await?;
    let job = upkeep::jobs(&desk.ctx, JobKind::ChangeKey, 1).await?.pop();
    let job = match job {
        Some(job) => Some(shown(desk, job).await?),
        None => None,
    };
    let mut made = Query::of::<Organization>().limit(1);
    made.select = vec!["createdon"];
    let since = actions::list(&desk.ctx, made).await?.pop().and_then(|row| row.get("createdon").as_time());
    let key = Field::new("key", desk.t("The old key"), Input::Lines)
        .help(desk.t("The lines of the old key file, as they stand there: {\"id\":…,\"key\":…}"))
        .refused(&desk.viewer, &refused.refusals)
        .required();
    Ok(Encryption {
        frame: desk.frame("Data Management", Place::Data),
        active: state.is_active(),
        closed: state.closed(),
        file: state.file.display().to_string(),
        keys: state.keys,
        since,
        now: desk.ctx.now,
        job,
        key,
    })
}

pub(super) async fn shown(desk: &Desk, job: Job) -> Result<Shown, Fault> {
    let by = match job.asked_by {
        Some(user) => names::of(&desk.ctx, [user].into()).await?.remove(&user).unwrap_or_default(),
        None => String::new(),
    };
    Ok(Shown::of(desk, job, by))
}

/// `GET /settings/data/encryption`: the section, as it stands now.
pub(super) async fn part(desk: Desk) -> Outcome {
    if !desk.htmx {
        return go(PATH);
    }
    crate::pages::kit::show(&load(&desk, &Refused::default()).await?)
}

/// `POST …/change`
pub(super) async fn change(desk: Desk, form: Form) -> Outcome {
    if !form.ticked("sure") {
        let fault = desk.t("Tick the box first: it says what you take care of.");
        return show(&desk, &Refused { fault, ..Refused::default() }, StatusCode::BAD_REQUEST).await;
    }
    match upkeep::ask(&desk.ctx, JobKind::ChangeKey).await {
        Ok(_) => go(&format!("{PATH}?done=begun#encryption")),
        Err(error) => refused(&desk, Fault::from(error)).await,
    }
}

/// `POST …/activate`
pub(super) async fn activate(desk: Desk, form: Form) -> Outcome {
    match upkeep::activate_key(&desk.ctx, &form.secret("key")).await {
        Ok(_) => go(&format!("{PATH}?done=done#encryption")),
        Err(error) => refused(&desk, Fault::from(error)).await,
    }
}

pub(super) async fn refused(desk: &Desk, fault: Fault) -> Outcome {
    if fault.refusals.is_empty() {
        return Err(fault);
    }
    let words: Vec<String> = fault.refusals.iter().map(|r| desk.words(&r.message)).collect();
    let status = fault.status;
    show(desk, &Refused { refusals: fault.refusals, fault: words.join(" ") }, status).await
}
