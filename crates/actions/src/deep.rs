//! Deep insert: a row together with the rows that it points to and the rows
//! that hang from it, to any depth, all or nothing.

use model::table::Child;
use model::{Id, Ref, Value};

use crate::change_set::ChangeSet;
use crate::context::Context;
use crate::create::one;
use crate::draft::Draft;
use crate::error::ActionError;

/// Whether one commit makes all of it.
pub(crate) fn is_flat(draft: &Draft) -> bool {
    let taken = |(child, rows): &(Child, Vec<Draft>)| is_part(draft, child) && rows.iter().all(is_flat);
    draft.parents.is_empty() && draft.children.iter().all(taken)
}

/// Rows that an email's own check writes with it.
fn is_part(draft: &Draft, child: &Child) -> bool {
    draft.table.logical == "email" && matches!(child.table, "activityparty" | "activitymimeattachment")
}

pub(crate) async fn create(ctx: &Context, draft: Draft) -> Result<Id, ActionError> {
    let mut tries = 0;
    loop {
        let set = ChangeSet::begin(ctx).await?;
        let result = all(set.context(), draft.clone()).await;
        if let Some(result) = set.conclude(result, &mut tries).await {
            return result;
        }
    }
}

/// First what the row points to, then the row, then what points to it.
async fn all(ctx: &Context, mut draft: Draft) -> Result<Id, ActionError> {
    parents(ctx, &mut draft).await?;
    let mut later = Vec::new();
    for (child, rows) in std::mem::take(&mut draft.children) {
        if is_part(&draft, &child) {
            let mut parts = Vec::with_capacity(rows.len());
            for mut row in rows {
                Box::pin(parents(ctx, &mut row)).await?;
                parts.push(row);
            }
            draft.children.push((child, parts));
        } else {
            later.push((child, rows));
        }
    }
    let table = draft.table;
    let id = one(ctx, draft).await?;
    for (child, rows) in later {
        for row in rows {
            let row = row.set(child.column, Value::Ref(Ref::new(table.logical, id)));
            Box::pin(all(ctx, row)).await?;
        }
    }
    Ok(id)
}

async fn parents(ctx: &Context, draft: &mut Draft) -> Result<(), ActionError> {
    for (column, parent) in std::mem::take(&mut draft.parents) {
        let table = parent.table;
        let id = Box::pin(all(ctx, parent)).await?;
        draft.values.insert(column.name, Value::Ref(Ref::new(table.logical, id)));
    }
    Ok(())
}
