//! Whose account it is. An account of the provider's belongs to one user for
//! good, by issuer and subject; a name counts at the first sign-in alone.

use std::sync::Arc;

use model::tables::{Identity, SystemUser};
use model::{Change, Commit, Entity, Filter, Id, Query, Ref, Refusal, words};
use serde_json::json;
use store::CommitError;

use crate::context::Context;
use crate::draft::Draft;
use crate::error::{ActionError, commit_failed};
use crate::sign_in::entrance::Entrance;
use crate::sign_in::openid::claims::Told;
use crate::sign_in::openid::discovery::Provider;
use crate::sign_in::openid::flow::Flow;
use crate::sign_in::openid::{Finished, METHOD, Trouble, roles};
use crate::sign_in::session::{self, Current};
use crate::sign_in::{login, ticket};
use crate::{access, audit};

type Admitted<T> = Result<Result<T, Trouble>, ActionError>;

/// Lets in whom the provider vouched for, or connects the account.
pub(super) async fn admit(
    e: &Entrance,
    provider: &Arc<Provider>,
    flow: &Flow,
    told: &Told,
    current: Option<&Current>,
) -> Admitted<Finished> {
    let stored = stored(e, told).await?;
    if let Some(session) = flow.connect {
        return match current.filter(|c| c.session.id == session) {
            Some(current) => connect(e, flow, told, stored, &current.user).await,
            None => Ok(Err(Trouble::refused(
                words!(
                    "You were signed out meanwhile, and nothing was connected. Sign in and begin again on your account page."
                ),
                "the session that wanted to be connected has ended",
            ))),
        };
    }
    let (user, mut changes) = match stored {
        Some(identity) => match of_identity(e, &identity).await? {
            Ok(user) => (user, Vec::new()),
            Err(trouble) => return Ok(Err(trouble)),
        },
        None => match named(e, provider, told).await? {
            Ok(user) => {
                let changes = connected(e, &user, told)?;
                (user, changes)
            }
            Err(trouble) => return Ok(Err(trouble)),
        },
    };
    roles::follow(e, provider, &user, &told.claims.groups).await?;
    let (opened, mut more) = session::open(e, &user, METHOD)?;
    changes.append(&mut more);
    changes.extend(session::make_room(&e.store, user.id).await?);
    if let Err(trouble) = commit_once(e, flow, &user, changes).await? {
        return Ok(Err(trouble));
    }
    ticket::prune(&e.store, model::Actor { user: user.id }, e.now).await?;
    Ok(Ok(Finished::SignedIn(Box::new(opened), flow.to.clone())))
}

async fn stored(e: &Entrance, told: &Told) -> Result<Option<Identity>, ActionError> {
    let query = Query::of::<Identity>()
        .filter(Filter::eq(Identity::C.issuer, told.claims.issuer.clone()))
        .filter(Filter::eq(Identity::C.subject, told.claims.subject.clone()))
        .limit(10);
    // A subject is compared to the letter, whatever the database does.
    let found = e.store.list::<Identity>(&query).await?;
    Ok(found.into_iter().find(|i| i.subject == told.claims.subject && i.issuer == told.claims.issuer))
}

async fn of_identity(e: &Entrance, identity: &Identity) -> Admitted<SystemUser> {
    let user = match identity.user {
        Some(user) => e.store.load::<SystemUser>(user.id).await?,
        None => None,
    };
    match user {
        Some(user) if login::is_person(&user) => Ok(Ok(user)),
        Some(user) => Ok(Err(disabled(&user))),
        None => Ok(Err(Trouble::refused(
            words!("Your user is not there any more. Ask your administrator."),
            "no such user",
        ))),
    }
}

fn disabled(user: &SystemUser) -> Trouble {
    let said = words!("The user {0} is disabled here, or is a service. Ask your administrator.", user.domain_name);
    Trouble::refused(said, format!("the user {} is disabled or a service", user.domain_name))
}

/// The user with the name that the provider vouches for, at the first time.
async fn named(e: &Entrance, provider: &Arc<Provider>, told: &Told) -> Admitted<SystemUser> {
    let Some(name) = told.claims.name() else {
        return Ok(Err(Trouble::refused(
            words!(
                "Your organization's sign-in gives no user name for you, or an email address that it has not verified. Ask \
                 your administrator."
            ),
            "the provider names nobody: user_claim, or email with email_verified, is missing",
        )));
    };
    let query = Query::of::<SystemUser>().filter(Filter::eq(SystemUser::C.domain_name, name.to_owned())).limit(3);
    let found = e.store.list::<SystemUser>(&query).await?;
    let Some(user) = found.into_iter().find(|u| u.domain_name.eq_ignore_ascii_case(name)) else {
        if provider.config.create_users {
            return Ok(Ok(create(e, name, told).await?));
        }
        let said = words!("There is no user {0} here. Ask your administrator to make one with this user name.", name);
        return Ok(Err(Trouble::refused(said, format!("there is no user {name}"))));
    };
    if !login::is_person(&user) {
        return Ok(Err(disabled(&user)));
    }
    let others = Query::of::<Identity>()
        .filter(Filter::eq(Identity::C.user, Some(user.reference())))
        .filter(Filter::eq(Identity::C.issuer, told.claims.issuer.clone()));
    if e.store.count(&others).await? > 0 {
        // An address that was given to somebody else does not give them the account.
        return Ok(Err(Trouble::refused(
            words!("The user {0} belongs to another account of your organization. Ask your administrator.", name),
            format!("the user {name} is connected with another subject"),
        )));
    }
    let administrator = access::principal::of(&e.store, &user).await?.administrator;
    if administrator && !provider.config.link_administrators {
        return Ok(Err(Trouble::refused(
            words!(
                "A System Administrator is not found by name. Sign in with your password once, and connect your \
                 organization's account on your account page."
            ),
            format!("the user {name} is a System Administrator and not connected"),
        )));
    }
    Ok(Ok(user))
}

async fn create(e: &Entrance, name: &str, told: &Told) -> Result<SystemUser, ActionError> {
    let ctx = service(e).await?;
    let short = |text: &str, most: usize| text.chars().take(most).collect::<String>();
    let last = if told.last_name.is_empty() { name } else { &told.last_name };
    let mut draft = Draft::new(SystemUser::TABLE)
        .with(SystemUser::C.domain_name, name.to_owned())
        .with(SystemUser::C.first_name, short(&told.first_name, 100))
        .with(SystemUser::C.last_name, short(last, 100));
    if let Some(address) = told.claims.email.as_ref().filter(|_| told.claims.email_verified) {
        draft = draft.with(SystemUser::C.address, address.clone());
    }
    let id = crate::create::create(&ctx, draft).await?;
    Ok(e.store.load::<SystemUser>(id).await?.ok_or_else(|| Refusal::does_not_exist("systemuser", id))?)
}

/// The service's own account, with what it may do.
pub(super) async fn service(e: &Entrance) -> Result<Context, ActionError> {
    let actor = e.as_system().await?.actor;
    let ctx = Context::new(e.store.clone(), actor, e.now, e.random.clone(), e.settings).await?;
    Ok(ctx.from(e.origin()))
}

fn connected(e: &Entrance, user: &SystemUser, told: &Told) -> Result<Vec<Change>, ActionError> {
    let ctx = e.as_user(user.clone());
    let row = Identity {
        user: Some(user.reference()),
        issuer: told.claims.issuer.clone(),
        subject: told.claims.subject.clone(),
        created_on: Some(e.now),
        ..Identity::blank(ctx.new_id()?)
    };
    let detail = json!({
        "issuer": row.issuer, "subject": row.subject,
        "address": e.visitor.address_text(), "agent": e.visitor.agent_text(),
    });
    let noted = audit::told(&ctx, "identity-connected", SystemUser::TABLE, user.id, detail)?;
    Ok(vec![Change::create(row), noted])
}

async fn connect(
    e: &Entrance,
    flow: &Flow,
    told: &Told,
    stored: Option<Identity>,
    user: &SystemUser,
) -> Admitted<Finished> {
    if let Some(identity) = stored {
        if identity.user == Some(user.reference()) {
            return Ok(Ok(Finished::Connected(flow.to.clone())));
        }
        return Ok(Err(Trouble::refused(
            words!("This account of your organization is connected with another user here. Ask your administrator."),
            "the account to be connected belongs to another user",
        )));
    }
    let changes = connected(e, user, told)?;
    let done = commit_once(e, flow, user, changes).await?;
    Ok(done.map(|()| Finished::Connected(flow.to.clone())))
}

/// Commits what ends a sign-in, once: its state is good for nothing after.
async fn commit_once(e: &Entrance, flow: &Flow, user: &SystemUser, mut changes: Vec<Change>) -> Admitted<()> {
    changes.push(ticket::spent(&e.random, e.now, &flow.state())?);
    let commit = Commit::new(model::Actor { user: user.id }, e.now, changes);
    match e.store.commit(&commit).await {
        Ok(_) => Ok(Ok(())),
        Err(CommitError::Conflict { .. }) => Ok(Err(Trouble::refused(
            words!("This sign-in was finished already. Begin again."),
            "the sign-in was finished already",
        ))),
        Err(error) => Err(commit_failed("pr_identity", error)),
    }
}

pub(super) async fn note_failure(e: &Entrance, reason: &str) -> Result<(), ActionError> {
    let ctx = e.as_system().await?;
    let detail = json!({
        "with": METHOD, "reason": reason,
        "address": e.visitor.address_text(), "agent": e.visitor.agent_text(),
    });
    let noted = audit::told(&ctx, "sign-in-failed", SystemUser::TABLE, ctx.actor.id, detail)?;
    let commit = Commit::new(ctx.actor(), e.now, vec![noted]);
    e.store.commit(&commit).await.map_err(|e| commit_failed("pr_identity", e))?;
    Ok(())
}

/// The accounts of providers that a user is connected with.
///
/// # Errors
/// Without the right to see them.
pub async fn list(ctx: &Context, user: Id) -> Result<Vec<Identity>, ActionError> {
    session::own_or_administer(ctx, user)?;
    let query = Query::of::<Identity>()
        .filter(Filter::eq(Identity::C.user, Some(Ref::new(SystemUser::TABLE.logical, user))))
        .order_by(Identity::C.created_on, false);
    Ok(ctx.store.list::<Identity>(&query).await?)
}

/// Takes a connection back: who signs in with it next is a stranger.
///
/// # Errors
/// Where it is not there, or somebody else's.
pub async fn disconnect(ctx: &Context, id: Id) -> Result<(), ActionError> {
    let absent = || Refusal::does_not_exist(Identity::TABLE.logical, id);
    let Some(identity) = ctx.store.load::<Identity>(id).await? else { return Err(absent().into()) };
    let owner = identity.user.map_or(Id::nil(), |u| u.id);
    session::own_or_administer(ctx, owner).map_err(|_| absent())?;
    if owner != ctx.actor.id
        && let Some(user) = ctx.store.load::<SystemUser>(owner).await?
    {
        access::administer_user(ctx, &user).await?;
    }
    let detail = json!({ "issuer": identity.issuer, "subject": identity.subject });
    let noted = audit::told(ctx, "identity-disconnected", SystemUser::TABLE, owner, detail)?;
    let commit = Commit::new(ctx.actor(), ctx.now, vec![Change::delete::<Identity>(id), noted]);
    ctx.store.commit(&commit).await.map_err(|e| commit_failed("pr_identity", e))?;
    Ok(())
}
