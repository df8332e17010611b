//! In whose name a person may write emails.

use model::query::Compare;
use model::tables::{Queue, State, SystemUser, UserSettings};
use model::{Entity, Filter, Query, Ref, Value};
use rules::access::{Right, Special};

use crate::access;
use crate::context::Context;
use crate::error::ActionError;

/// Users and queues that one person is offered.
const MOST: usize = 100;

/// Somebody who can stand in From.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    pub who: Ref,
    pub name: String,
    pub address: String,
}

/// Oneself first, then the queues that one may put things into, then users who
/// allow it or whom one may send as. Sending asks again.
///
/// # Errors
/// When the database does not answer.
pub async fn list(ctx: &Context) -> Result<Vec<Sender>, ActionError> {
    let own = &ctx.actor;
    let mut senders = vec![Sender { who: own.reference(), name: own.full_name.clone(), address: own.address.clone() }];
    if access::any(ctx, Right::Read, Queue::TABLE).is_ok() {
        let queues = Query::of::<Queue>()
            .filter(Filter::eq(Queue::C.state, State::Active))
            .filter(has_address(Queue::C.address.name))
            .order_by(Queue::C.name, false)
            .limit(MOST);
        for row in crate::list(ctx, queues).await? {
            if access::on_row(ctx, Right::AppendTo, &row).await.is_ok() {
                let queue = Queue::from_record(&row)?;
                senders.push(Sender { who: queue.reference(), name: queue.name, address: queue.address });
            }
        }
    }
    if access::any(ctx, Right::Read, SystemUser::TABLE).is_ok() {
        senders.extend(users(ctx).await?);
    }
    Ok(senders)
}

fn has_address(column: &'static str) -> Filter {
    Filter::Not(Box::new(Filter::IsNull(column.into()).or(Filter::Compare(
        column.into(),
        Compare::Equal,
        Value::Text(String::new()),
    ))))
}

async fn users(ctx: &Context) -> Result<Vec<Sender>, ActionError> {
    let mut query = Query::of::<SystemUser>()
        .filter(Filter::eq(SystemUser::C.is_disabled, false))
        .filter(has_address(SystemUser::C.address.name))
        .order_by(SystemUser::C.full_name, false)
        .limit(MOST);
    if !ctx.principal.has(Special::SendAsUser) {
        let allowing = Query::of::<UserSettings>().filter(Filter::eq(UserSettings::C.send_as_allowed, true));
        let settings = ctx.store.list::<UserSettings>(&allowing.limit(MOST)).await?;
        if settings.is_empty() {
            return Ok(Vec::new());
        }
        let ids = settings.iter().map(|s| Value::Id(s.id)).collect();
        query = query.filter(Filter::In(SystemUser::TABLE.id.into(), ids));
    }
    let rows = crate::list(ctx, query).await?;
    let mut found = Vec::new();
    for row in rows.iter().filter(|row| row.id != ctx.actor.id) {
        let user = SystemUser::from_record(row)?;
        found.push(Sender { who: user.reference(), name: user.full_name, address: user.address });
    }
    Ok(found)
}
