//! Says every so often that this process is there, and what connections it
//! holds, for whoever watches.

use std::sync::Arc;

use model::tables::{EmailServerProfile, Node, NodeConnection};
use model::{Change, Entity, Filter, Id, Query, Ref, SignedDuration, Timestamp, Update, Value};
use rules::monitoring::{HEARTBEAT, LOOK};
use tokio::sync::watch;
use tokio::time::{Duration, sleep};

use crate::{Engine, SyncError};

/// How long a node that says nothing more is remembered.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);

/// What this node last said.
struct Said {
    at: Timestamp,
    connections: Vec<NodeConnection>,
}

/// Until `stop` turns true; then the node is gone.
pub(crate) async fn serve(engine: Arc<Engine>, mut stop: watch::Receiver<bool>) {
    let started = engine.now();
    let pause = Duration::try_from(LOOK).unwrap_or(Duration::from_secs(5));
    let mut said: Option<Said> = None;
    while !*stop.borrow() {
        said = match beat(&engine, started, said).await {
            Ok(said) => Some(said),
            Err(error) => {
                tracing::warn!(%error, "cannot say that this node is there; trying again");
                // What stands there is looked up before it is changed.
                None
            }
        };
        tokio::select! {
            () = sleep(pause) => {}
            _ = stop.changed() => {}
        }
    }
    if let Err(error) = forget(&engine, id(&engine.settings.holder)).await {
        tracing::debug!(%error, "this node was forgotten already");
    }
}

fn id(holder: &str) -> Id {
    model::id::derived(Timestamp::UNIX_EPOCH, &[b"node", holder.as_bytes()])
}

/// Says what is new, and now and then that nothing is.
async fn beat(engine: &Engine, started: Timestamp, said: Option<Said>) -> Result<Said, SyncError> {
    let (id, now) = (id(&engine.settings.holder), engine.now());
    let held = held(engine, id);
    let first = said.is_none();
    let said = match said {
        Some(said) => said,
        None => Said { at: Timestamp::UNIX_EPOCH, connections: of(engine, id).await? },
    };
    if said.connections == held && now.duration_since(said.at) < HEARTBEAT {
        return Ok(said);
    }
    let organization = engine.organization().await?;
    let mut changes = Vec::new();
    if first {
        let row = Node {
            name: engine.settings.holder.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_on: Some(started),
            seen_on: Some(now),
            ..Node::blank(id)
        };
        changes.push(Change::Ensure(row.into_record()));
    }
    let mut seen = Update::of::<Node>(id);
    seen.set = vec![("pr_seenon", Value::Time(now)), ("pr_startedon", Value::Time(started))];
    changes.push(seen.into());
    changes.extend(between(&said.connections, &held));
    engine.commit_plain(&organization, changes).await?;
    forget_silent(engine, id, now).await?;
    Ok(Said { at: now, connections: held })
}

/// What this process holds right now.
fn held(engine: &Engine, node: Id) -> Vec<NodeConnection> {
    let idle = engine.sessions.idle();
    let row = |spent: crate::budget::Spent| {
        let (profile, host) = &spent.key;
        let row = model::id::derived(Timestamp::UNIX_EPOCH, &[node.as_bytes(), profile.as_bytes(), host.as_bytes()]);
        NodeConnection {
            node: Some(Ref::new(Node::TABLE.logical, node)),
            profile: Some(Ref::new(EmailServerProfile::TABLE.logical, *profile)),
            host: host.clone(),
            open: spent.open,
            // Counted a moment apart.
            idle: idle.get(&spent.key).copied().unwrap_or(0).min(spent.open),
            most: spent.most,
            waiting: spent.waiting,
            ..NodeConnection::blank(row)
        }
    };
    engine.budgets.spent().into_iter().map(row).collect()
}

/// What makes of the rows as they stand those that are to stand there.
fn between(before: &[NodeConnection], after: &[NodeConnection]) -> Vec<Change> {
    let mut changes = Vec::new();
    for row in after {
        match before.iter().find(|old| old.id == row.id) {
            Some(old) => changes.extend(Update::between(old, row).map(Change::from)),
            None => changes.push(Change::create(row.clone())),
        }
    }
    let gone = before.iter().filter(|old| after.iter().all(|row| row.id != old.id));
    changes.extend(gone.map(|old| Change::delete::<NodeConnection>(old.id)));
    changes
}

async fn of(engine: &Engine, node: Id) -> Result<Vec<NodeConnection>, SyncError> {
    let this = Ref::new(Node::TABLE.logical, node);
    let query = Query::of::<NodeConnection>().filter(Filter::eq(NodeConnection::C.node, Some(this)));
    Ok(engine.store.list::<NodeConnection>(&query).await?)
}

/// Those that ended without a word.
async fn forget_silent(engine: &Engine, this: Id, now: Timestamp) -> Result<(), SyncError> {
    let all = engine.store.list::<Node>(&Query::of::<Node>()).await?;
    let old = |node: &&Node| node.id != this && node.seen_on.is_none_or(|seen| now.duration_since(seen) > REMEMBERED);
    for node in all.iter().filter(old) {
        if let Err(error) = forget(engine, node.id).await {
            tracing::debug!(%error, node = node.name, "another node forgot it first");
        }
    }
    Ok(())
}

async fn forget(engine: &Engine, node: Id) -> Result<(), SyncError> {
    let organization = engine.organization().await?;
    let held = of(engine, node).await?;
    let mut gone: Vec<Change> = held.iter().map(|row| Change::delete::<NodeConnection>(row.id)).collect();
    gone.push(Change::delete::<Node>(node));
    engine.commit_plain(&organization, gone).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(n: u128, open: i64) -> NodeConnection {
        NodeConnection { open, ..NodeConnection::blank(Id::from_u128(n)) }
    }

    #[track_caller]
    fn check(before: &[NodeConnection], after: &[NodeConnection], expected: &[&str]) {
        let words = |change: &Change| match change {
            Change::Create(row) => format!("create {}", row.id.as_u128()),
            Change::Update(update) => format!("update {} {:?}", update.id.as_u128(), update.set),
            Change::Delete { id, .. } => format!("delete {}", id.as_u128()),
            Change::Ensure(_) => "ensure".to_owned(),
        };
        assert_eq!(between(before, after).iter().map(words).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn only_what_is_new_is_written() {
        check(&[], &[], &[]);
        check(&[], &[row(1, 2)], &["create 1"]);
        check(&[row(1, 2)], &[row(1, 2)], &[]);
        check(&[row(1, 2)], &[row(1, 3)], &["update 1 [(\"pr_open\", Int(3))]"]);
        check(&[row(1, 2), row(2, 1)], &[row(2, 1)], &["delete 1"]);
    }
}
