//! The connections that nodes hold to servers, as each last said.

use std::collections::BTreeMap;

use model::tables::{EmailServerProfile, Node, NodeConnection};
use model::{Entity, Filter, Id, Query, Ref, Timestamp};
use rules::monitoring::is_alive;

use crate::context::Context;
use crate::error::ActionError;

/// What one node holds to one server under one profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    pub node: String,
    pub profile: Option<Ref>,
    pub host: String,
    pub open: i64,
    /// Of the open ones: kept for the mailbox's next cycle.
    pub idle: i64,
    /// What the profile allows each node.
    pub most: i64,
    /// Mailboxes that got none when they last asked.
    pub waiting: i64,
    /// The node has not been heard of since: what it holds is not known.
    pub silent_since: Option<Timestamp>,
}

/// Who is there to process mail, and what they hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Nodes {
    /// By name, with when each was heard of.
    pub seen: BTreeMap<String, Option<Timestamp>>,
    pub now: Timestamp,
    /// Under the profile that was asked for; those of nodes that are there come first.
    pub connections: Vec<Connection>,
}

impl Nodes {
    /// Whether a node was heard of lately.
    #[must_use]
    pub fn is_alive(&self, node: &str) -> bool {
        self.seen.get(node).copied().flatten().is_some_and(|seen| is_alive(seen, self.now))
    }

    /// Whether it was there, and is not heard of any more. The command line is
    /// no node.
    #[must_use]
    pub fn is_silent(&self, node: &str) -> bool {
        self.seen.contains_key(node) && !self.is_alive(node)
    }

    /// Whether there is one at all.
    #[must_use]
    pub fn any_alive(&self) -> bool {
        self.seen.keys().any(|node| self.is_alive(node))
    }
}

/// What is held under one profile, or under all. Says nothing of a record:
/// whoever asks has looked after that.
pub(crate) async fn nodes(ctx: &Context, profile: Option<Id>) -> Result<Nodes, ActionError> {
    let all = ctx.store.list::<Node>(&Query::of::<Node>()).await?;
    let mut query = Query::of::<NodeConnection>().order_by(NodeConnection::C.host, false);
    if let Some(profile) = profile {
        let this = Ref::new(EmailServerProfile::TABLE.logical, profile);
        query = query.filter(Filter::eq(NodeConnection::C.profile, Some(this)));
    }
    let rows = ctx.store.list::<NodeConnection>(&query).await?;
    let mut connections: Vec<Connection> = rows.into_iter().filter_map(|row| of(row, &all, ctx.now)).collect();
    connections.sort_by(|a, b| {
        let key = |c: &Connection| (c.silent_since.is_some(), c.host.clone(), c.node.clone());
        key(a).cmp(&key(b))
    });
    let seen = all.into_iter().map(|node| (node.name, node.seen_on)).collect();
    Ok(Nodes { seen, now: ctx.now, connections })
}

fn of(row: NodeConnection, nodes: &[Node], now: Timestamp) -> Option<Connection> {
    let node = nodes.iter().find(|node| row.node.is_some_and(|this| this.id == node.id))?;
    let alive = node.seen_on.is_some_and(|seen| is_alive(seen, now));
    Some(Connection {
        node: node.name.clone(),
        profile: row.profile,
        host: row.host,
        open: row.open,
        idle: row.idle,
        most: row.most,
        waiting: row.waiting,
        silent_since: (!alive).then(|| node.seen_on.unwrap_or(Timestamp::UNIX_EPOCH)),
    })
}
