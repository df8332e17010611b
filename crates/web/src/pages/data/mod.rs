//! Settings › Data Management: data encryption, backups and their schedule,
//! and how long things are kept.

mod backups;
mod encryption;

mod keep;
mod schedule;

use std::sync::Arc;

use actions::{Special, Wish, permitted};
use askama::Template;
use axum::Router;
use axum::routing::{get, post};
use model::tables::{Job, JobState, Organization};
use model::{Entity, Refusal};

use crate::pages::kit::{Desk, Fault, Frame, Outcome, Place};
use crate::state::AppState;
use backups::Backups;
use encryption::Encryption;
use keep::Keep;
use schedule::Schedule;

pub(super) const PATH: &str = "/settings/data";

pub(crate) fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route(PATH, get(page))
        .route("/settings/data/encryption", get(encryption::part))
        .route("/settings/data/encryption/change", post(encryption::change))
        .route("/settings/data/encryption/activate", post(encryption::activate))
        .route("/settings/data/backups", get(backups::part).post(backups::make))
        .route("/settings/data/backups/{id}/download", post(backups::download))
        .route("/settings/data/backups/{id}/delete", post(backups::delete))
        .route("/settings/data/schedule", post(schedule::save))
        .route("/settings/data/retention", post(keep::save))
}

#[derive(Template)]
#[template(path = "data/page.html")]
struct DataPage {
    frame: Frame,
    fault: String,
    /// `None`: not for this person.
    encryption: Option<Encryption>,
    backups: Option<Backups>,
    schedule: Option<Schedule>,
    keep: Keep,
}

/// What of the page was refused, and where.
#[derive(Default)]
pub(super) struct Refused {
    pub refusals: Vec<Refusal>,
    pub fault: String,
}

/// `GET /settings/data`
async fn page(desk: Desk) -> Outcome {
    show(&desk, &Refused::default(), axum::http::StatusCode::OK).await
}

pub(super) async fn show(desk: &Desk, refused: &Refused, status: axum::http::StatusCode) -> Outcome {
    if !permitted(&desk.ctx, Wish::Write(Organization::TABLE)) {
        return Err(Fault::new(
            axum::http::StatusCode::FORBIDDEN,
            "Data management is for who may change the organization's settings, which your roles do not allow.",
        ));
    }
    let keys = permitted(&desk.ctx, Wish::Special(Special::ManageEncryptionKeys));
    let page = DataPage {
        frame: desk.frame("Data Management", Place::Data),
        fault: refused.fault.clone(),
        encryption: if keys { Some(encryption::load(desk, refused).await?) } else { None },
        schedule: if desk.ctx.principal.administrator { Some(schedule::load(desk, refused).await?) } else { None },
        backups: if desk.ctx.principal.administrator { Some(backups::load(desk).await?) } else { None },
        keep: keep::load(desk, refused).await?,
    };
    Ok(crate::pages::page(status, &page))
}

/// A job as it is shown.
pub(super) struct Shown {
    pub id: String,
    pub state: String,
    /// `good`, `bad`, `busy`
    pub tone: &'static str,
    pub asked: Option<model::Timestamp>,
    pub finished: Option<model::Timestamp>,
    pub by: String,
    pub outcome: String,
    pub done: i64,
    pub total: i64,
    pub file: String,
    pub size: String,
    /// Nobody asked for it.
    pub scheduled: Option<model::Timestamp>,
}

impl Shown {
    fn of(desk: &Desk, job: Job, by: String) -> Self {
        let tone = match job.state {
            JobState::Waiting | JobState::Running => "busy",
            JobState::Succeeded => "good",
            JobState::Failed => "bad",
        };
        Self {
            id: job.id.to_string(),
            state: desk.viewer.texts.text(job.state.label()).to_owned(),
            tone,
            asked: job.asked_on,
            finished: job.finished_on,
            by,
            outcome: desk.said(&job.outcome),
            done: job.done,
            total: job.total,
            size: size(job.size),
            file: job.file,
            scheduled: job.scheduled_for,
        }
    }

    fn runs(&self) -> bool {
        self.tone == "busy"
    }
}

/// `12.3 MB`
fn size(bytes: i64) -> String {
    const STEPS: [(&str, i64); 3] = [("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10)];
    match STEPS.into_iter().find(|(_, step)| bytes >= *step) {
        Some((unit, step)) => format!("{}.{} {unit}", bytes / step, bytes % step * 10 / step),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(1023), "1023 B");
        assert_eq!(size(1536), "1.5 kB");
        assert_eq!(size(13 << 20), "13.0 MB");
        assert_eq!(size((5 << 30) + (1 << 29)), "5.5 GB");
    }
}
