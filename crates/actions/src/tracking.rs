//! `GetTrackingTokenEmail`: a token for an email that is about to be sent.

use model::tables::{Email, Organization};
use model::{Entity, Filter, Query, words};
use rules::token;

use crate::context::Context;
use crate::error::{ActionError, invalid_operation};
use crate::{access, facts};

/// The token of the conversation that the subject belongs to, where it
/// carries one that was made here; otherwise a new one.
pub async fn token_for(ctx: &Context, subject: &str) -> Result<String, ActionError> {
    access::create(ctx, Email::TABLE)?;
    let organization = facts::organization(ctx).await?;
    if !organization.tracking_tokens {
        let message = words!("The organization does not use tracking tokens ('pr_usetrackingtokens' is off).");
        return Err(invalid_operation(message).into());
    }
    let key = ctx.store.reveal(Organization::TABLE, organization.id, "pr_signingkey").await?;
    let key = key.ok_or_else(|| ActionError::Internal("the organization has no signing key".to_owned()))?;
    let prefixes = token::prefixes(&organization);
    for standing in token::find(subject, &prefixes).into_iter().filter(|text| token::verify(text, &key)) {
        let known = Query::of::<Email>().filter(Filter::eq(Email::C.tracking_token, standing.clone()));
        if ctx.store.count(&known).await? > 0 {
            return Ok(standing);
        }
    }
    let prefix = prefixes.first().copied().unwrap_or(token::DEFAULT_PREFIX);
    Ok(token::make(ctx.new_id()?, prefix, &key))
}
