//! What the ledger keeps of an email that is deleted.

use std::collections::BTreeSet;

use model::tables::{Disposition, Email, LedgerEntry};
use model::{Change, Filter, Query, Record, Update};

use crate::context::Context;
use crate::error::ActionError;

/// The raw message goes with the email: rows that told of it keep what they
/// say and lose the bytes, unless another email came out of the same bytes.
/// What is still to be processed keeps them.
pub(crate) async fn let_go(ctx: &Context, email: &Record) -> Result<Vec<Change>, ActionError> {
    let mut blobs: BTreeSet<Vec<u8>> = email.typed(Email::C.blob)?.into_iter().collect();
    let this = Some(email.reference());
    let query = Query::of::<LedgerEntry>().filter(Filter::eq(LedgerEntry::C.activity, this));
    blobs.extend(ctx.store.list::<LedgerEntry>(&query).await?.into_iter().filter_map(|row| row.blob));
    let mut changes = Vec::new();
    for blob in blobs {
        let query = Query::of::<LedgerEntry>().filter(Filter::eq(LedgerEntry::C.blob, Some(blob)));
        let rows = ctx.store.list::<LedgerEntry>(&query).await?;
        if rows.iter().any(|row| row.activity.is_some() && row.activity != this) {
            continue;
        }
        changes.extend(rows.iter().filter(|row| row.activity == this || is_over(row)).map(without_bytes));
    }
    Ok(changes)
}

/// Nothing will be made of the row's message any more.
fn is_over(row: &LedgerEntry) -> bool {
    use Disposition as D;
    !matches!(row.disposition, D::Waiting | D::Failed | D::Unclaimed | D::Unreadable | D::TooOld | D::TooLarge)
}

fn without_bytes(row: &LedgerEntry) -> Change {
    let reason = if row.reason.is_empty() {
        "The email was deleted".to_owned()
    } else {
        format!("{}; the email was deleted", row.reason)
    };
    Update::of::<LedgerEntry>(row.id).set(LedgerEntry::C.blob, None).set(LedgerEntry::C.reason, reason).into()
}
