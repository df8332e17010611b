//! Service endpoints and the steps that tell them: only what can work is saved.

use model::tables::{
    EndpointAuth, EndpointContract, MessageFormat, ProcessingStep, SdkMessage, SdkMessageFilter, ServiceEndpoint,
    StepMode, StepStage, TraceLog,
};
use model::{Change, Entity, Filter, Query, Record, Refusal, Table, Value, Words, tables, words};

use rules::access::{Depth, Right, Special, fields, refusals};

use crate::context::Context;
use crate::error::ActionError;
use crate::plan::Plan;
use crate::webhook;

fn invalid(column: &'static str, message: Words) -> Refusal {
    Refusal::invalid(Some(column), message)
}

/// A receiver is told whatever happens to the rows of a table: only who may
/// read all of that has it told to anybody. `None`: every table.
fn may_be_told(ctx: &Context, table: Option<&'static Table>) -> Result<(), Refusal> {
    let principal = &ctx.principal;
    if principal.administrator {
        return Ok(());
    }
    for table in table.map_or_else(|| tables::on_wire().collect(), |table| vec![table]) {
        let reach = principal.granted(Right::Read, table)?;
        if reach.depth != Depth::Global {
            return Err(refusals::more_than_own(principal, words!("every row of {0} is told", table.logical)));
        }
        let content = table.columns.iter().any(|c| fields::is_content(table, c.name));
        let special = Special::ReadEmailContent;
        if content && principal.reach(special.name()).is_none_or(|reach| reach.depth != Depth::Global) {
            return Err(refusals::missing_special(principal, special));
        }
    }
    Ok(())
}

/// Whoever changes where an endpoint is gets what its steps tell.
async fn steps_told(plan: &mut Plan<'_>) -> Result<(), ActionError> {
    if plan.creating() || plan.ctx.principal.administrator {
        return Ok(());
    }
    let this = Some(plan.after.reference());
    let query = Query::of::<ProcessingStep>().filter(Filter::eq(ProcessingStep::C.handler, this));
    for step in plan.ctx.store.list::<ProcessingStep>(&query).await? {
        let table = told_of(plan.ctx, &step).await?;
        if let Err(refusal) = may_be_told(plan.ctx, table) {
            plan.fault(refusal);
            break;
        }
    }
    Ok(())
}

async fn told_of(ctx: &Context, step: &ProcessingStep) -> Result<Option<&'static Table>, ActionError> {
    let Some(filter) = step.filter else { return Ok(None) };
    let filter = ctx.store.load::<SdkMessageFilter>(filter.id).await?;
    Ok(filter.and_then(|filter| tables::by_logical_name(&filter.table)))
}

pub(crate) async fn endpoint(plan: &mut Plan<'_>) -> Result<(), ActionError> {
    steps_told(plan).await?;
    let after = ServiceEndpoint::from_record(&plan.after)?;
    if after.contract != EndpointContract::Webhook {
        plan.fault(invalid(
            "contract",
            words!("'contract' can only be 8 (Webhook): no other receivers are served here."),
        ));
    }
    if !matches!(after.auth, EndpointAuth::WebhookKey | EndpointAuth::HttpHeader | EndpointAuth::HttpQueryString) {
        let message = words!("'authtype' of a webhook is 4 (Webhook Key), 5 (Http Header) or 6 (Http Query String).");
        plan.fault(invalid("authtype", message));
    }
    if after.format != MessageFormat::Json {
        plan.fault(invalid("messageformat", words!("'messageformat' can only be 2 (Json).")));
    }
    if !after.url.is_empty()
        && let Err(why) = rules::webhook::check_url(&after.url, plan.ctx.settings.allow_insecure)
    {
        plan.fault(invalid("url", words!("'url' cannot be used: {0}.", why)));
    }
    let given = match plan.after.get("authvalue") {
        Value::Secret(secret) if plan.given.contains("authvalue") => Some(secret.expose().to_owned()),
        _ => None,
    };
    let in_pairs = matches!(after.auth, EndpointAuth::HttpHeader | EndpointAuth::HttpQueryString);
    match given {
        Some(text) if in_pairs => {
            if let Err(why) = rules::webhook::settings(&text) {
                plan.fault(invalid("authvalue", words!("'authvalue' does not fit 'authtype': {0}.", why)));
            }
        }
        None if after.auth_value_set && !plan.creating() && plan.changes(ServiceEndpoint::C.auth) => {
            plan.fault(invalid("authvalue", words!("'authvalue' must be given anew together with 'authtype'.")));
        }
        _ => {}
    }
    Ok(())
}

pub(crate) async fn step(plan: &mut Plan<'_>) -> Result<(), ActionError> {
    let after = ProcessingStep::from_record(&plan.after)?;
    if after.stage != StepStage::PostOperation {
        plan.fault(invalid(
            "stage",
            words!("'stage' can only be 40 (Post-operation): a webhook is told of what has happened."),
        ));
    }
    if after.mode != StepMode::Asynchronous {
        plan.fault(invalid("mode", words!("'mode' can only be 1 (Asynchronous): nobody waits for a webhook.")));
    }
    let message = match after.message {
        Some(message) => plan.ctx.store.load::<SdkMessage>(message.id).await?,
        None => None,
    };
    let filter = match after.filter {
        Some(filter) => plan.ctx.store.load::<SdkMessageFilter>(filter.id).await?,
        None => None,
    };
    if let (Some(message), Some(filter)) = (&message, &filter)
        && filter.message != Some(message.reference())
    {
        let text =
            words!("'sdkmessagefilterid' is '{0}', which is not one of the message {1}.", filter.name, message.name);
        plan.fault(invalid("sdkmessagefilterid", text));
    }
    let table = filter.as_ref().and_then(|filter| tables::by_logical_name(&filter.table));
    if let Err(refusal) = may_be_told(plan.ctx, table) {
        plan.fault(refusal);
    }
    columns(plan, table, "filteringattributes", &after.attributes);
    if after.image.trim() != "*" {
        columns(plan, table, "pr_postimageattributes", &after.image);
    }
    if !after.attributes.is_empty() && message.is_some_and(|message| message.name != "Update") {
        let text = words!("'filteringattributes' only makes sense for the message Update. Leave it empty.");
        plan.fault(invalid("filteringattributes", text));
    }
    Ok(())
}

/// Every name in the list is a column of the table.
fn columns(plan: &mut Plan<'_>, table: Option<&'static Table>, column: &'static str, list: &str) {
    if list.trim().is_empty() {
        return;
    }
    let Some(table) = table else {
        plan.fault(invalid(column, words!("'{0}' names columns, so 'sdkmessagefilterid' must name a table.", column)));
        return;
    };
    for name in list.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        if table.column(name).is_none() {
            let name = crate::validate::excerpt(name);
            plan.fault(invalid(
                column,
                words!("'{0}' names '{1}', which is no column of {2}.", column, name, table.logical),
            ));
        }
    }
}

/// Its events and alerts go with it.
pub(crate) async fn check_delete(ctx: &Context, row: &Record) -> Result<Vec<Change>, ActionError> {
    let mut changes: Vec<Change> = Vec::new();
    let mut query = webhook::of(row.id);
    query.select = vec!["pr_state"];
    changes.extend(ctx.store.query(&query).await?.iter().map(|e| Change::delete::<model::tables::Event>(e.id)));
    let query = Query::of::<TraceLog>().filter(Filter::eq(TraceLog::C.regarding, Some(row.reference())));
    for alert in ctx.store.list::<TraceLog>(&query).await? {
        changes.push(Change::delete::<TraceLog>(alert.id));
    }
    Ok(changes)
}
