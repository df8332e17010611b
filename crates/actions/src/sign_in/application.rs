//! Services: application users, the secrets they have, and the access tokens
//! that they get for them (RFC 6749, section 4.4).

use jiff::{SignedDuration, Timestamp};
use model::tables::{AccessMode, ClientSecret, SystemUser};
use model::{Change, Commit, Entity, Filter, Id, Query, Ref, Refusal, Update, Value, words};
use serde_json::json;

use crate::context::Context;
use crate::draft::Draft;
use crate::error::{ActionError, commit_failed};
use crate::sign_in::entrance::Entrance;
use crate::sign_in::{jwt, ticket};
use crate::{access, audit};

const NOTED_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// Secrets of one service.
const MOST: u64 = 20;
const APPLICATION: &str = "applicationid";

/// A service as it is listed.
#[derive(Debug, Clone)]
pub struct Application {
    pub user: SystemUser,
    /// The client id.
    pub application: Id,
    pub secrets: Vec<ClientSecret>,
}

/// Makes a user for a service. It has no password.
pub async fn create(ctx: &Context, name: &str) -> Result<Application, ActionError> {
    access::administer(ctx)?;
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 200 {
        return Err(Refusal::invalid(Some("name"), words!("A service needs a name of at most 200 characters.")).into());
    }
    let application = ctx.new_id()?;
    let draft = Draft::new(SystemUser::TABLE)
        .with(SystemUser::C.domain_name, format!("app:{application}"))
        .with(SystemUser::C.last_name, name.to_owned())
        .with(SystemUser::C.access_mode, AccessMode::NonInteractive)
        .set(APPLICATION, Value::Id(application));
    let id = crate::create::create(ctx, draft).await?;
    let user = ctx.store.load::<SystemUser>(id).await?.ok_or_else(|| Refusal::does_not_exist("systemuser", id))?;
    Ok(Application { user, application, secrets: Vec::new() })
}

/// All services with their secrets.
pub async fn list(ctx: &Context) -> Result<Vec<Application>, ActionError> {
    access::administer(ctx)?;
    let mut query = Query::of::<SystemUser>().limit(1000);
    query = query.filter(Filter::Not(Box::new(Filter::IsNull(APPLICATION.into()))));
    let mut found = Vec::new();
    for record in ctx.store.query(&query).await? {
        let Some(application) = record.get(APPLICATION).as_id() else { continue };
        let secrets = secrets(ctx, record.id).await?;
        found.push(Application { user: SystemUser::from_record(&record)?, application, secrets });
    }
    Ok(found)
}

async fn secrets(ctx: &Context, user: Id) -> Result<Vec<ClientSecret>, ActionError> {
    let query = Query::of::<ClientSecret>()
        .filter(Filter::eq(ClientSecret::C.user, Some(Ref::new("systemuser", user))))
        .order_by(ClientSecret::C.created_on, false);
    Ok(ctx.store.list::<ClientSecret>(&query).await?)
}

/// One more secret for the service with this client id; it is shown once.
pub async fn add_secret(
    ctx: &Context,
    application: Id,
    name: &str,
    expires: Option<Timestamp>,
) -> Result<(Id, String), ActionError> {
    access::administer(ctx)?;
    let Some(user) = with_id(&ctx.store, application).await? else {
        return Err(Refusal::does_not_exist("application", application).into());
    };
    access::administer_user(ctx, &user).await?;
    if expires.is_some_and(|end| end <= ctx.now) {
        return Err(Refusal::invalid(Some("pr_expireson"), words!("The secret would have expired already.")).into());
    }
    let of_user = Query::of::<ClientSecret>().filter(Filter::eq(ClientSecret::C.user, Some(user.reference())));
    if ctx.store.count(&of_user).await? >= MOST {
        let message = words!("The service has {0} secrets. Take away those that are not used.", MOST);
        return Err(Refusal::invalid(None, message).into());
    }
    let secret = ticket::new_secret(&ctx.random)?;
    let row = ClientSecret {
        user: Some(user.reference()),
        name: name.chars().take(200).collect(),
        hash: Some(ticket::hash(&secret)),
        created_on: Some(ctx.now),
        expires_on: expires,
        ..ClientSecret::blank(ctx.new_id()?)
    };
    let id = row.id;
    let detail = json!({ "secret": id.to_string(), "name": row.name });
    let noted = audit::told(ctx, "secret-created", SystemUser::TABLE, user.id, detail)?;
    let commit = Commit::new(ctx.actor(), ctx.now, vec![Change::create(row), noted]);
    ctx.store.commit(&commit).await.map_err(|e| commit_failed("pr_clientsecret", e))?;
    Ok((id, secret))
}

/// Takes a secret away; the access tokens that were given for it end with it.
pub async fn revoke_secret(ctx: &Context, secret: Id) -> Result<(), ActionError> {
    access::administer(ctx)?;
    let Some(row) = ctx.store.load::<ClientSecret>(secret).await? else {
        return Err(Refusal::does_not_exist("secret", secret).into());
    };
    let user = row.user.map_or(Id::nil(), |u| u.id);
    let detail = json!({ "secret": secret.to_string(), "name": row.name });
    let noted = audit::told(ctx, "secret-revoked", SystemUser::TABLE, user, detail)?;
    let commit = Commit::new(ctx.actor(), ctx.now, vec![Change::delete::<ClientSecret>(secret), noted]);
    ctx.store.commit(&commit).await.map_err(|e| commit_failed("pr_clientsecret", e))?;
    Ok(())
}

async fn with_id(store: &store::Store, application: Id) -> Result<Option<SystemUser>, ActionError> {
    let is = Filter::Compare(APPLICATION.into(), model::query::Compare::Equal, Value::Id(application));
    Ok(store.list::<SystemUser>(&Query::of::<SystemUser>().filter(is).limit(1)).await?.pop())
}

/// An access token and how many seconds it is good.
pub struct Granted {
    pub token: String,
    pub seconds: i64,
}

/// The token that a client gets for its id and secret; `None`: they are not
/// right, and which of both is nobody's business.
pub async fn grant(e: &Entrance, origin: &str, client: &str, secret: &str) -> Result<Option<Granted>, ActionError> {
    let query =
        Query::of::<ClientSecret>().filter(Filter::eq(ClientSecret::C.hash, Some(ticket::hash(secret)))).limit(1);
    let found = e.store.list::<ClientSecret>(&query).await?.pop();
    let user = match client.parse::<Id>() {
        Ok(client) => with_id(&e.store, client).await?.filter(|u| !u.is_disabled).map(|user| (client, user)),
        Err(_) => None,
    };
    let good = |s: &ClientSecret, user: &SystemUser| {
        s.user == Some(user.reference()) && s.expires_on.is_none_or(|end| end > e.now)
    };
    let (application, user, secret) = match (user, found) {
        (Some((application, user)), Some(secret)) if good(&secret, &user) => (application, user, secret),
        (user, _) => {
            refused(e, user.as_ref().map(|(_, user)| user)).await?;
            return Ok(None);
        }
    };
    let organization = jwt::tenant(&e.store).await?;
    let subject = jwt::Subject { user: user.id, application, secret: secret.id, origin, organization };
    let token = jwt::issue(e, &subject).await?;
    if secret.last_used_on.is_none_or(|last| e.now.duration_since(last) >= NOTED_EVERY) {
        let ctx = e.as_user(user.clone());
        let detail = json!({
            "with": "client credentials", "secret": secret.id.to_string(),
            "address": e.visitor.address_text(), "agent": e.visitor.agent_text(),
        });
        let used = Update::of::<ClientSecret>(secret.id).set(ClientSecret::C.last_used_on, Some(e.now));
        let noted = audit::told(&ctx, "sign-in", SystemUser::TABLE, user.id, detail)?;
        let commit = Commit::new(ctx.actor(), e.now, vec![used.into(), noted]);
        e.store.commit(&commit).await.map_err(|e| commit_failed("pr_clientsecret", e))?;
    }
    Ok(Some(Granted { token, seconds: jwt::GOOD_FOR.as_secs() }))
}

async fn refused(e: &Entrance, user: Option<&SystemUser>) -> Result<(), ActionError> {
    let ctx = e.as_system().await?;
    let detail = json!({
        "with": "client credentials",
        "user": user.map_or("unknown", |u| u.domain_name.as_str()),
        "address": e.visitor.address_text(),
        "agent": e.visitor.agent_text(),
    });
    let row = user.map_or(ctx.actor.id, |u| u.id);
    let noted = audit::told(&ctx, "sign-in-failed", SystemUser::TABLE, row, detail)?;
    let commit = Commit::new(ctx.actor(), e.now, vec![noted]);
    e.store.commit(&commit).await.map_err(|e| commit_failed("pr_clientsecret", e))?;
    Ok(())
}
