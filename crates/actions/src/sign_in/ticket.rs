//! One-time tickets: 256 random bits that are good for one use and a short
//! time. Only their hash is stored.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use model::query::Compare;
use model::tables::{Session, Ticket};
use model::{Change, Entity, Filter, Id, Query, Ref, Value};
use sha2::{Digest, Sha256};
use store::Store;

use crate::context::Random;
use crate::error::ActionError;

/// What a ticket is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Setting a password.
    Password,
    /// The second step of signing in.
    Code,
    /// A sign-in with the provider that is over: good for nothing, and kept
    /// until it would have expired.
    Spent,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Code => "code",
            Self::Spent => "spent",
        }
    }
}

/// Longer than a sign-in with the provider may take.
const SPENT_KEPT: SignedDuration = SignedDuration::from_hours(1);
/// Rows that have expired and go with one sign-in.
const PRUNED: usize = 100;

/// 256 random bits as text.
pub(crate) fn new_secret(random: &Random) -> Result<String, ActionError> {
    Ok(URL_SAFE_NO_PAD.encode(random.bytes::<32>()?))
}

/// What has 256 random bits needs no slow hash, and comparing hashes by index
/// tells nothing about it.
pub(crate) fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

pub(crate) fn issue(
    random: &Random,
    now: Timestamp,
    kind: Kind,
    user: Option<Id>,
    good_for: SignedDuration,
    detail: String,
) -> Result<(String, Change), ActionError> {
    let secret = new_secret(random)?;
    let row = Ticket {
        hash: Some(hash(&secret)),
        kind: kind.as_str().to_owned(),
        user: user.map(|id| Ref::new("systemuser", id)),
        created_on: Some(now),
        expires_on: now.checked_add(good_for).ok(),
        detail,
        ..Ticket::blank(model::id::random(now, random.bytes()?))
    };
    Ok((secret, Change::create(row)))
}

/// The change that can be made once for this secret.
pub(crate) fn spent(random: &Random, now: Timestamp, secret: &str) -> Result<Change, ActionError> {
    let row = Ticket {
        hash: Some(hash(secret)),
        kind: Kind::Spent.as_str().to_owned(),
        created_on: Some(now),
        expires_on: now.checked_add(SPENT_KEPT).ok(),
        ..Ticket::blank(model::id::random(now, random.bytes()?))
    };
    Ok(Change::create(row))
}

/// The ticket, if it is one of this kind and still good. It is used up when
/// the change of [`used`] is committed.
pub(crate) async fn find(
    store: &Store,
    kind: Kind,
    secret: &str,
    now: Timestamp,
) -> Result<Option<Ticket>, ActionError> {
    let query = Query::of::<Ticket>().filter(Filter::eq(Ticket::C.hash, Some(hash(secret)))).limit(1);
    let found = store.list::<Ticket>(&query).await?.pop();
    Ok(found.filter(|t| t.kind == kind.as_str() && t.expires_on.is_some_and(|end| end > now)))
}

/// Fails as "not found" where somebody else used it first.
pub(crate) fn used(ticket: &Ticket) -> Change {
    Change::delete::<Ticket>(ticket.id)
}

/// Tickets of a user that are good for something of this kind.
pub(crate) async fn of_user(store: &Store, kind: Kind, user: Id) -> Result<Vec<Ticket>, ActionError> {
    let query = Query::of::<Ticket>()
        .filter(Filter::eq(Ticket::C.user, Some(Ref::new("systemuser", user))))
        .filter(Filter::eq(Ticket::C.kind, kind.as_str().to_owned()))
        .limit(PRUNED);
    Ok(store.list::<Ticket>(&query).await?)
}

/// Takes away what has expired. Two may do it at once: each row by itself.
pub(crate) async fn prune(store: &Store, actor: model::Actor, now: Timestamp) -> Result<(), ActionError> {
    let ended = |column: &'static str| Filter::Compare(column.into(), Compare::LessOrEqual, Value::Time(now));
    let tickets = Query::of::<Ticket>().filter(ended(Ticket::C.expires_on.name)).limit(PRUNED);
    let sessions = Query::of::<Session>().filter(ended(Session::C.expires_on.name)).limit(PRUNED);
    let mut changes: Vec<Change> = Vec::new();
    changes.extend(store.list::<Ticket>(&tickets).await?.iter().map(used));
    changes.extend(store.list::<Session>(&sessions).await?.iter().map(|s| Change::delete::<Session>(s.id)));
    let commits = changes.into_iter().map(|change| model::Commit::new(actor, now, vec![change])).collect();
    for outcome in store.commit_all(commits).await {
        if let Err(error) = outcome {
            tracing::debug!(%error, "something that had expired was gone already");
        }
    }
    Ok(())
}
