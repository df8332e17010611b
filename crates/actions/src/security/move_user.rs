//! Moves a user to another business unit.

use model::tables::{BusinessUnit, SHAREABLE, SystemUser};
use model::{Entity, Filter, Id, Query, Ref, Refusal, Value, tables, words};

use crate::context::Context;
use crate::draft::{Draft, Precondition};
use crate::error::ActionError;
use crate::{ChangeSet, list, security, update};

/// Rows that change hands at once.
const MOST: usize = 5000;

/// Moves the user and gives the rows that they own to `heir`, where that is
/// somebody else. Roles and teams stay. All of it or nothing.
///
/// # Errors
/// As changing the user's unit and assigning the rows.
pub async fn move_user(ctx: &Context, user: Id, unit: Id, heir: Ref) -> Result<(), ActionError> {
    security::principal(ctx, heir).await?;
    let mut tries = 0;
    loop {
        let set = ChangeSet::begin(ctx).await?;
        let result = go(set.context(), user, unit, heir).await;
        if let Some(result) = set.conclude(result, &mut tries).await {
            return result;
        }
    }
}

async fn go(ctx: &Context, user: Id, unit: Id, heir: Ref) -> Result<(), ActionError> {
    let unit = Some(Ref::new(BusinessUnit::TABLE.logical, unit));
    let draft = Draft::new(SystemUser::TABLE).with(SystemUser::C.business_unit, unit);
    update(ctx, user, draft, Precondition::Exists).await?;
    let user = Ref::new(SystemUser::TABLE.logical, user);
    if heir == user {
        return Ok(());
    }
    let mut left = MOST;
    for table in SHAREABLE.iter().filter_map(|name| tables::by_logical_name(name)) {
        // Their own mailbox goes with a user.
        if table.logical == "mailbox" {
            continue;
        }
        let mut query = Query::table(table).limit(left + 1);
        query.filter = Filter::In("ownerid".into(), vec![Value::Ref(user)]);
        query.select = vec![table.id];
        let rows = list(ctx, query).await?;
        left = left.checked_sub(rows.len()).ok_or_else(|| {
            let message = words!("The user owns more than {0} rows. Assign them in steps before the move.", MOST);
            ActionError::from(Refusal::invalid(Some("ReassignPrincipal"), message))
        })?;
        for row in rows {
            update(ctx, row.id, Draft::new(table).set("ownerid", Value::Ref(heir)), Precondition::Exists).await?;
        }
    }
    Ok(())
}
