//! Views as they are written: a query that could not be asked is not kept.

use actions::Draft;
use formats::fetchxml;
use model::{Id, Refusal, Table, Value};

use crate::api::call::Call;
use crate::api::errors::ApiError;
use crate::api::options;

/// Notes on the draft of a view what is wrong with its query. `id`: the row
/// that is changed.
pub(crate) async fn check(
    call: &Call,
    table: &'static Table,
    id: Option<Id>,
    draft: &mut Draft,
) -> Result<(), ApiError> {
    if !matches!(table.logical, "savedquery" | "userquery") {
        return Ok(());
    }
    let of = match (draft.values.get("returnedtypecode").and_then(Value::as_text), id) {
        (Some(of), None) => of.to_owned(),
        // A view keeps its table.
        (_, Some(id)) => match actions::view(&call.ctx, table, id).await {
            Ok((_, of)) => of,
            Err(actions::ActionError::Refused(_)) => return Ok(()),
            Err(error) => return Err(error.into()),
        },
        (None, None) => return Ok(()),
    };
    if model::tables::by_logical_name(&of).filter(|t| t.on_wire).is_none() {
        let message = format!(
            "'{}' is not the logical name of a table; write it as in 'mailbox'.",
            actions::validate::excerpt(&of)
        );
        draft.faults.push(Refusal::new(0x8004_1102, "QueryBuilderNoEntity", message).at("returnedtypecode"));
        return Ok(());
    }
    let Some(query) = draft.values.get("fetchxml").and_then(Value::as_text).filter(|q| !q.is_empty()) else {
        return Ok(());
    };
    let asker = options::asker(call).await?;
    match fetchxml::read(query, &asker) {
        Ok(fetch) if fetch.root.table.logical == of => {}
        Ok(fetch) => {
            let message =
                format!("The query is for rows of {}, and the view for rows of {of}.", fetch.root.table.logical);
            draft.faults.push(Refusal::invalid(Some("fetchxml"), message));
        }
        Err(error) => {
            draft.faults.push(Refusal::new(error.kind.code(), error.kind.name(), error.message).at("fetchxml"));
        }
    }
    Ok(())
}
