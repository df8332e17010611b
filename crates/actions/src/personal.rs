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
    let code = settings.get(UserSettings::C.time_zone.name).as_int()?;
    model::time_zone::by_code(code).map(|zone| zone.iana)
}
