//! How long the ledger's details, alerts and the audit trail are kept.

use model::Entity;
use model::tables::Organization;
use rules::access::Right;

use crate::context::Context;
use crate::draft::{Draft, Precondition};
use crate::error::ActionError;
use crate::{access, facts, update};

/// Days; 0: for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    pub ledger: i64,
    pub alerts: i64,
    pub audit: i64,
}

/// As it is set.
pub async fn retention(ctx: &Context) -> Result<Retention, ActionError> {
    access::any(ctx, Right::Read, Organization::TABLE)?;
    let organization = facts::organization(ctx).await?;
    Ok(Retention { ledger: organization.ledger_days, alerts: organization.alert_days, audit: organization.audit_days })
}

/// Sets it. What is older goes within an hour, and does not come back.
///
/// # Errors
/// 0x80040220 without Write on the organization; for the audit trail, unless
/// one is a System Administrator.
pub async fn keep_for(ctx: &Context, wanted: Retention) -> Result<(), ActionError> {
    let organization = facts::organization(ctx).await?;
    let draft = Draft::new(Organization::TABLE)
        .with(Organization::C.ledger_days, wanted.ledger)
        .with(Organization::C.alert_days, wanted.alerts)
        .with(Organization::C.audit_days, wanted.audit);
    update(ctx, organization.id, draft, Precondition::Exists).await?;
    Ok(())
}
