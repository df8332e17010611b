//! How long the ledger's details, alerts and the audit trail are kept.

use actions::upkeep::{self, Retention, SHORTEST_AUDIT};
use model::Entity;
use model::tables::Organization;

use super::encryption::refused;
use super::{PATH, Refused};
use crate::pages::kit::{Desk, Fault, Field, Form, Outcome, go};

pub(super) struct Keep {
    pub fields: Vec<Field>,
}

const LEDGER: &str = Organization::C.ledger_days.name;
const ALERTS: &str = Organization::C.alert_days.name;
const AUDIT: &str = Organization::C.audit_days.name;

pub(super) async fn load(desk: &Desk, wrong: &Refused) -> Result<Keep, Fault> {
    let kept = upkeep::retention(&desk.ctx).await?;
    let field = |name: &'static str, days: i64, help: String| {
        Field::of(desk.viewer.texts, Organization::TABLE, name)
            .value(days.to_string())
            .help(help)
            .refused(&desk.viewer, &wrong.refusals)
    };
    let ledger = desk.t("0 keeps them for ever. After so many days an entry forgets subject, sender, reason and the raw message. That the message was seen, and what became of it, is never forgotten: otherwise it would be tracked a second time. Entries that wait, failed, are nobody's or were not delivered stay whole.");
    let alerts = desk.t("0 keeps them for ever. An alert that happens again counts as new.");
    let audit = desk.viewer.texts.with("0 keeps it for ever; otherwise at least {0} days. The database itself refuses to delete what is younger, or to change anything.", &[&SHORTEST_AUDIT]);
    let mut audit = field(AUDIT, kept.audit, audit);
    if !desk.ctx.principal.administrator {
        audit = audit.blocked(desk.t("How long the audit trail is kept is set by System Administrators alone."));
    }
    Ok(Keep { fields: vec![field(LEDGER, kept.ledger, ledger), field(ALERTS, kept.alerts, alerts), audit] })
}

/// `POST /settings/data/retention`
pub(super) async fn save(desk: Desk, form: Form) -> Outcome {
    let standing = upkeep::retention(&desk.ctx).await?;
    let days = |name: &str, standing: i64| if form.has(name) { form.number(name).unwrap_or(-1) } else { standing };
    let wanted = Retention {
        ledger: days(LEDGER, standing.ledger),
        alerts: days(ALERTS, standing.alerts),
        audit: days(AUDIT, standing.audit),
    };
    match upkeep::keep_for(&desk.ctx, wanted).await {
        Ok(()) => go(&format!("{PATH}?done=saved")),
        Err(error) => refused(&desk, Fault::from(error)).await,
    }
}
