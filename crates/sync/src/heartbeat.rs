//! Says every so often that this process is there, for whoever watches.

use std::sync::Arc;

use model::tables::Node;
use model::{Change, Entity, Id, Timestamp, Update, Value};
use rules::monitoring::HEARTBEAT;
use tokio::sync::watch;
use tokio::time::{Duration, sleep};

use crate::{Engine, SyncError};

/// How long a node that says nothing more is remembered.
const REMEMBERED: model::SignedDuration = model::SignedDuration::from_hours(24);

/// Until `stop` turns true; then the node is gone.
pub(crate) async fn serve(engine: Arc<Engine>, mut stop: watch::Receiver<bool>) {
    let started = engine.now();
    let pause = Duration::from_secs(u64::try_from(HEARTBEAT.as_secs()).unwrap_or(15));
    while !*stop.borrow() {
        if let Err(error) = beat(&engine, started).await {
            tracing::warn!(%error, "cannot say that this node is there; trying again");
        }
        tokio::select! {
            () = sleep(pause) => {}
            _ = stop.changed() => {}
        }
    }
    let gone = vec![Change::delete::<Node>(id(&engine.settings.holder))];
    if let Ok(organization) = engine.organization().await
        && let Err(error) = engine.commit_plain(&organization, gone).await
    {
        tracing::debug!(%error, "this node was forgotten already");
    }
}

fn id(holder: &str) -> Id {
    model::id::derived(Timestamp::UNIX_EPOCH, &[b"node", holder.as_bytes()])
}

async fn beat(engine: &Engine, started: Timestamp) -> Result<(), SyncError> {
    let organization = engine.organization().await?;
    let (id, now) = (id(&engine.settings.holder), engine.now());
    let row = Node {
        name: engine.settings.holder.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_on: Some(started),
        seen_on: Some(now),
        ..Node::blank(id)
    };
    let mut seen = Update::of::<Node>(id);
    seen.set = vec![("pr_seenon", Value::Time(now))];
    let mut changes = vec![Change::Ensure(row.into_record()), Change::Update(seen)];
    // Those that ended without a word.
    let all = engine.store.list::<Node>(&model::Query::of::<Node>()).await?;
    let old = |node: &Node| node.id != id && node.seen_on.is_none_or(|seen| now.duration_since(seen) > REMEMBERED);
    changes.extend(all.iter().filter(|node| old(node)).map(|node| Change::delete::<Node>(node.id)));
    engine.commit_plain(&organization, changes).await
}
