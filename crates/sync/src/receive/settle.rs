//! Does on the server what was committed to be done: deletes what is durably
//! ours. May be repeated after a crash.

use model::tables::{Mailbox, ServerType, Settlement, SettlementState};
use model::work::{API_FOLDER, Position, Settle, Settled, Workload};
use model::{Entity, Filter, Lease, Query, Ref};
use rules::incoming;

use crate::engine::Loaded;
use crate::sessions::Reader;
use crate::{Engine, SyncError, stats};

/// How many at once.
const BATCH: usize = 500;

/// Returns how many could not be settled. What goes wrong between the server
/// and us is told and tried again in the next cycle: it takes nothing back of
/// what this one has read.
pub(crate) async fn due(
    engine: &Engine,
    loaded: &Loaded,
    lease: Lease,
    reader: &mut Reader,
) -> Result<usize, SyncError> {
    match settle(engine, loaded, lease, reader).await {
        Err(SyncError::Server(failure)) => {
            tracing::warn!(mailbox = %loaded.mailbox.name, %failure, "processed messages could not be removed; trying again");
            stats::failure(Workload::Incoming, &failure);
            Ok(1)
        }
        other => other,
    }
}

async fn settle(engine: &Engine, loaded: &Loaded, lease: Lease, reader: &mut Reader) -> Result<usize, SyncError> {
    loop {
        let rows = due_rows(engine, loaded).await?;
        if rows.is_empty() || !reader.is_usable() {
            return Ok(0);
        }
        let settles: Vec<Settle> = rows.iter().map(|row| as_settle(row, loaded.profile.server_type)).collect();
        let outcomes = reader.settle(&settles).await?;
        let (mailbox, organization, now) = (&loaded.mailbox, &loaded.organization, engine.now());
        let done = rows.iter().zip(&outcomes);
        let changes = done.flat_map(|(row, outcome)| incoming::settled(row, outcome, mailbox, organization, now));
        super::process::commit(engine, loaded, lease, changes.collect(), Vec::new()).await?;
        let refused = outcomes.iter().filter(|outcome| matches!(outcome, Settled::Refused(_))).count();
        // A POP3 session ends with its deletions; what was refused is not asked again at once.
        if refused > 0 || rows.len() < BATCH || !reader.may_wait() {
            return Ok(refused);
        }
    }
}

async fn due_rows(engine: &Engine, loaded: &Loaded) -> Result<Vec<Settlement>, SyncError> {
    // What was refused often stands behind what was not tried yet.
    let query = Query::of::<Settlement>()
        .filter(Filter::eq(Settlement::C.mailbox, Some(Ref::new(Mailbox::TABLE.logical, loaded.mailbox.id))))
        .filter(Filter::eq(Settlement::C.state, SettlementState::Due))
        .order_by(Settlement::C.attempts, false)
        .order_by(Settlement::C.position, false)
        .limit(BATCH);
    Ok(engine.store.list::<Settlement>(&query).await?)
}

/// Whether anything is due: asked before a session is opened only for that.
pub(crate) async fn is_due(engine: &Engine, loaded: &Loaded) -> Result<bool, SyncError> {
    Ok(!due_rows(engine, loaded).await?.is_empty())
}

fn as_settle(row: &Settlement, server: ServerType) -> Settle {
    let digest = row.header_digest.as_deref().and_then(|d| <[u8; 32]>::try_from(d).ok()).unwrap_or_default();
    Settle {
        position: position(&row.folder, &row.position, server),
        action: row.action,
        size: u64::try_from(row.size).unwrap_or(0),
        header_digest: digest,
    }
}

/// The position that a row's folder and text stand for.
pub(crate) fn position(folder: &str, text: &str, server: ServerType) -> Position {
    if folder == API_FOLDER {
        return Position::Api { key: text.to_owned() };
    }
    let imap = (server != ServerType::Pop3Smtp).then(|| text.split_once('/')).flatten();
    match imap.and_then(|(validity, uid)| Some((validity.parse().ok()?, uid.parse().ok()?))) {
        Some((uid_validity, uid)) => Position::Imap { folder: folder.to_owned(), uid_validity, uid },
        None => Position::Pop3 { uidl: text.to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_back_as_their_protocol_wrote_them() {
        let imap = Position::Imap { folder: "INBOX".into(), uid_validity: 3, uid: 17 };
        assert_eq!(position(imap.folder(), &imap.in_folder(), ServerType::ImapSmtp), imap);
        let given = Position::Api { key: "0a".into() };
        assert_eq!(position(given.folder(), &given.in_folder(), ServerType::ImapSmtp), given);
        let odd = Position::Pop3 { uidl: "3/17".into() };
        assert_eq!(position(odd.folder(), &odd.in_folder(), ServerType::Pop3Smtp), odd);
    }
}
