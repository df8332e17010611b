//! Access tokens of services: signed here (ES256), read here, good for an hour.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use model::tables::{Organization, SigningKey};
use model::{Change, Commit, Entity, Id, Query, Secret, Value};
use serde_json::json;
use store::Store;

use crate::error::{ActionError, commit_failed};
use crate::sign_in::entrance::Entrance;

pub const GOOD_FOR: SignedDuration = SignedDuration::from_hours(1);
/// A key signs for so long; then a new one does.
const KEY_SIGNS: SignedDuration = SignedDuration::from_hours(30 * 24);
/// A key is published for so long after it was made.
const KEY_KNOWN: SignedDuration = SignedDuration::from_hours(31 * 24);
const PRIVATE: &str = "pr_private";
/// Octets of a token that is looked at.
const LONGEST: usize = 8 * 1024;

/// What an access token says, once its signature was found good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Access {
    pub user: Id,
    /// The secret that it was given for.
    pub secret: Id,
}

pub(super) struct Subject<'a> {
    pub user: Id,
    pub application: Id,
    pub secret: Id,
    /// `https://crm.example.com`
    pub origin: &'a str,
    pub organization: Id,
}

pub(super) async fn issue(e: &Entrance, subject: &Subject<'_>) -> Result<String, ActionError> {
    let (kid, pair) = signing_key(e).await?;
    let now = e.now.as_second();
    let header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": kid.to_string() });
    let claims = json!({
        "iss": format!("{}/{}/v2.0", subject.origin, subject.organization),
        "aud": subject.origin,
        "sub": subject.user.to_string(),
        "oid": subject.user.to_string(),
        "tid": subject.organization.to_string(),
        "appid": subject.application.to_string(),
        "azp": subject.application.to_string(),
        "sid": subject.secret.to_string(),
        "iat": now,
        "nbf": now,
        "exp": now + GOOD_FOR.as_secs(),
        "jti": URL_SAFE_NO_PAD.encode(e.random.bytes::<16>()?),
        "ver": "2.0",
    });
    let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&header), part(&claims));
    let signature = pair
        .sign(&SystemRandom::new(), signed.as_bytes())
        .map_err(|_| ActionError::Internal("an access token could not be signed".into()))?;
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref())))
}

/// `None`: it is not one of ours, or has expired.
pub(super) async fn read(store: &Store, token: &str, now: Timestamp) -> Result<Option<Access>, ActionError> {
    let Some((kid, parts)) = take_apart(token) else { return Ok(None) };
    let Some(key) = store.load::<SigningKey>(kid).await? else { return Ok(None) };
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public.unwrap_or_default());
    if key.verify(parts.signed.as_bytes(), &parts.signature).is_err() {
        return Ok(None);
    }
    let id = |name: &str| parts.claims[name].as_str().and_then(|text| text.parse::<Id>().ok());
    let seconds = now.as_second();
    let current = parts.claims["exp"].as_i64().is_some_and(|end| end > seconds)
        && parts.claims["nbf"].as_i64().is_some_and(|begin| begin <= seconds + 60);
    let (Some(user), Some(secret), true) = (id("sub"), id("sid"), current) else { return Ok(None) };
    Ok(Some(Access { user, secret }))
}

struct Parts<'a> {
    signed: &'a str,
    signature: Vec<u8>,
    claims: serde_json::Value,
}

fn take_apart(token: &str) -> Option<(Id, Parts<'_>)> {
    if token.len() > LONGEST {
        return None;
    }
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
    let json = |part: &str| serde_json::from_slice::<serde_json::Value>(&decode(part)?).ok();
    let header = json(header)?;
    if header["alg"] != "ES256" || header["typ"] != "at+jwt" {
        return None;
    }
    let kid = header["kid"].as_str()?.parse().ok()?;
    Some((kid, Parts { signed, signature: decode(signature)?, claims: json(claims)? }))
}

/// The key that signs now; made when there is none or it is old.
async fn signing_key(e: &Entrance) -> Result<(Id, EcdsaKeyPair), ActionError> {
    let query = Query::of::<SigningKey>().order_by(SigningKey::C.created_on, true).limit(1);
    let newest = e.store.list::<SigningKey>(&query).await?.pop();
    let young = |key: &SigningKey| key.created_on.is_some_and(|made| e.now.duration_since(made) < KEY_SIGNS);
    if let Some(key) = newest.filter(young)
        && let Some(sealed) = e.store.reveal(SigningKey::TABLE, key.id, PRIVATE).await?
        && let Ok(bytes) = STANDARD.decode(sealed.expose())
    {
        return Ok((key.id, pair(&bytes)?));
    }
    make_key(e).await
}

async fn make_key(e: &Entrance) -> Result<(Id, EcdsaKeyPair), ActionError> {
    let bytes = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
        .map_err(|_| ActionError::Internal("a signing key could not be made".into()))?;
    let pair = pair(bytes.as_ref())?;
    let ctx = e.as_system().await?;
    let id = ctx.new_id()?;
    let row = SigningKey {
        public: Some(pair.public_key().as_ref().to_vec()),
        created_on: Some(e.now),
        ..SigningKey::blank(id)
    };
    let mut record = row.into_record();
    record.set(PRIVATE, Value::Secret(Secret::new(STANDARD.encode(bytes.as_ref()))));
    let mut changes = vec![Change::Create(record)];
    changes.push(crate::audit::noted(&ctx, "signing-key", SigningKey::TABLE, id)?);
    for old in known_keys(&e.store).await?.iter().filter(|key| !is_known(key, e.now)) {
        changes.push(Change::delete::<SigningKey>(old.id));
    }
    let commit = Commit::new(ctx.actor(), e.now, changes);
    e.store.commit(&commit).await.map_err(|e| commit_failed("pr_signingkey", e))?;
    Ok((id, pair))
}

fn pair(pkcs8: &[u8]) -> Result<EcdsaKeyPair, ActionError> {
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8)
        .map_err(|_| ActionError::Internal("the signing key cannot be read".into()))
}

async fn known_keys(store: &Store) -> Result<Vec<SigningKey>, ActionError> {
    let query = Query::of::<SigningKey>().order_by(SigningKey::C.created_on, true).limit(100);
    Ok(store.list::<SigningKey>(&query).await?)
}

fn is_known(key: &SigningKey, now: Timestamp) -> bool {
    key.created_on.is_some_and(|made| now.duration_since(made) < KEY_KNOWN)
}

/// The public keys (RFC 7517), for whoever wants to read our tokens.
pub async fn key_set(store: &Store, now: Timestamp) -> Result<serde_json::Value, ActionError> {
    let keys = known_keys(store).await?;
    let keys: Vec<serde_json::Value> = keys
        .iter()
        .filter(|key| is_known(key, now))
        .filter_map(|key| {
            // An uncompressed point: 4, x, y.
            let point = key.public.as_deref()?;
            let (x, y) = (point.get(1..33)?, point.get(33..65)?);
            Some(json!({
                "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": key.id.to_string(),
                "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
            }))
        })
        .collect();
    Ok(json!({ "keys": keys }))
}

/// The organization's id: the tenant in the URLs of an authority.
pub async fn tenant(store: &Store) -> Result<Id, ActionError> {
    let organization = store.list::<Organization>(&Query::of::<Organization>().limit(1)).await?.pop();
    Ok(organization.map_or(Id::nil(), |o| o.id))
}
