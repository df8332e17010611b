//! Views as they are written: a query that could not be asked is not kept.

use actions::{Context, Draft};
use formats::fetchxml;
use model::{Id, Refusal, Table, Value};

use crate::api::errors::ApiError;
use crate::api::options;

/// Notes on the draft of a view what is wrong with its query. `id`: the row
/// that is changed.
pub(crate) async fn check(
    ctx: &Context,
    table: &'static Table,
    id: Option<Id>,
    draft: &mut Draft,
) -> Result<(), ApiError> {
    if !matches!(table.logical, "savedquery" | "userquery") {
        return Ok(());
    }
    // A view keeps its table; one that an upsert makes says which it is.
    let kept = match id {
        Some(id) => match actions::view(ctx, table, id).await {
            Ok((_, of)) => Some(of),
            Err(actions::ActionError::Refused(_)) => None,
            Err(error) => return Err(error.into()),
        },
        None => None,
    };
    let given = draft.values.get("returnedtypecode").and_then(Value::as_text).map(str::to_owned);
    let Some(of) = kept.or(given) else { return Ok(()) };
    if model::tables::by_logical_name(&of).filter(|t| t.on_wire).is_none() {
        let message = format!(
            "'{}' is not the logical name of a table; write it as in 'mailbox'.",
            actions::validate::excerpt(&of)
        );
        draft.faults.push(
            Refusal::new(0x8004_1102, "QueryBuilderNoEntity", model::Words::foreign(message)).at("returnedtypecode"),
        );
        return Ok(());
    }
    let Some(query) = draft.values.get("fetchxml").and_then(Value::as_text).filter(|q| !q.is_empty()) else {
        return Ok(());
    };
    let asker = options::standing(ctx).await?;
    match fetchxml::read(query, &asker) {
        Ok(fetch) if fetch.root.table.logical == of => {}
        Ok(fetch) => {
            let message =
                format!("The query is for rows of {}, and the view for rows of {of}.", fetch.root.table.logical);
            draft.faults.push(Refusal::invalid(Some("fetchxml"), model::Words::foreign(message)));
        }
        Err(error) => {
            draft.faults.push(
                Refusal::new(error.kind.code(), error.kind.name(), model::Words::foreign(error.message)).at("fetchxml"),
            );
        }
    }
    Ok(())
}
