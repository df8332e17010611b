//! Backups: the last ones, one more, and the way off this machine.

use std::io::{self, Read as _};

use actions::upkeep;
use askama::Template;
use axum::body::Bytes;
use axum::extract::Path;
use model::Id;
use model::tables::JobKind;

use super::encryption::{refused, shown};
use super::{PATH, Shown};
use crate::pages::kit::{Desk, Fault, Frame, Outcome, Place, flow, go};

/// Shown at once.
const MOST: usize = 20;
const PART: usize = 64 * 1024;

/// The section of the page; by itself it follows a backup that is made.
#[derive(Template)]
#[template(path = "data/backups.html")]
pub(super) struct Backups {
    frame: Frame,
    jobs: Vec<Shown>,
    runs: bool,
}

pub(super) async fn load(desk: &Desk) -> Result<Backups, Fault> {
    let mut jobs = Vec::new();
    for job in upkeep::jobs(&desk.ctx, JobKind::Backup, MOST).await? {
        jobs.push(shown(desk, job).await?);
    }
    let runs = jobs.iter().any(Shown::runs);
    Ok(Backups { frame: desk.frame("Data Management", Place::Data), jobs, runs })
}

/// `GET /settings/data/backups`: the section, as it stands now.
pub(super) async fn part(desk: Desk) -> Outcome {
    if !desk.htmx {
        return go(PATH);
    }
    crate::pages::kit::show(&load(&desk).await?)
}

/// `POST /settings/data/backups`
pub(super) async fn make(desk: Desk) -> Outcome {
    match upkeep::ask(&desk.ctx, JobKind::Backup).await {
        Ok(_) => go(&format!("{PATH}?done=begun#backups")),
        Err(error) => refused(&desk, Fault::from(error)).await,
    }
}

/// `POST …/{id}/download`: the file, while it is read.
pub(super) async fn download(desk: Desk, Path(id): Path<Id>) -> Outcome {
    let backup = match upkeep::open_backup(&desk.ctx, id).await {
        Ok(backup) => backup,
        Err(error) => return refused(&desk, Fault::from(error)).await,
    };
    let (parts, response) = flow::file(&backup.name, "application/octet-stream", Some(backup.size))?;
    let mut file = backup.file;
    tokio::task::spawn_blocking(move || {
        let mut part = vec![0; PART];
        loop {
            let read = match file.read(&mut part) {
                Ok(0) => return,
                Ok(read) => Ok(Bytes::copy_from_slice(part.get(..read).unwrap_or_default())),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            };
            let failed = read.is_err();
            if parts.blocking_send(read).is_err() || failed {
                return;
            }
        }
    });
    Ok(response)
}

/// `POST …/{id}/delete`
pub(super) async fn delete(desk: Desk, Path(id): Path<Id>) -> Outcome {
    match upkeep::forget_backup(&desk.ctx, id).await {
        Ok(()) => go(&format!("{PATH}?done=deleted#backups")),
        Err(error) => refused(&desk, Fault::from(error)).await,
    }
}
