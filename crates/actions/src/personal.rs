//! A person's own options, as pages need them on every request.

use model::tables::UserSettings;
use model::{Entity, Record};

use crate::context::Context;
use crate::error::ActionError;

/// The actor's own row; everybody may read theirs.
///
/// # Errors
/// When the database does not answer.
pub async fn personal(ctx: &Context) -> Result<Option<Record>, ActionError> {
    Ok(ctx.store.get(UserSettings::TABLE, ctx.actor.id).await?)
}

/// The IANA name of the time zone that the options hold.
#[must_use]
pub fn time_zone(settings: &Record) -> Option<&'static str> {
    let code = settings.get("timezonecode").as_int()?;
    ZONES.iter().find(|(c, _)| *c == code).map(|(_, name)| *name)
}

/// Dataverse's codes of the commonest zones.
const ZONES: &[(i64, &str)] =
    &[(85, "Europe/London"), (92, "Etc/UTC"), (105, "Europe/Paris"), (110, "Europe/Berlin"), (35, "America/New_York")];
