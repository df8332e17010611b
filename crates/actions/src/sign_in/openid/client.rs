//! Redeeming a code: the token request, the ID token's signature and claims,
//! and the rest of the claims where the provider gives them elsewhere.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::{Secret, words};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rules::openid::Expected;
use serde_json::{Map, Value};

use crate::sign_in::entrance::Entrance;
use crate::sign_in::openid::claims::{self, Told};
use crate::sign_in::openid::discovery::{About, Provider};
use crate::sign_in::openid::flow::{self, Flow};
use crate::sign_in::openid::jws::{self, Unverified};
use crate::sign_in::openid::outside::{self, Ask};
use crate::sign_in::openid::{Returned, Trouble};

/// What the provider says about who signed in with it.
pub(super) async fn redeem(
    e: &Entrance,
    provider: &Arc<Provider>,
    origin: &str,
    flow: &Flow,
    returned: &Returned<'_>,
) -> Result<Told, Trouble> {
    let config = &provider.config;
    let about = provider.about(e.now).await?;
    match returned.issuer {
        Some(issuer) if issuer != config.issuer => return Err(Trouble::untrusted("the answer is of another issuer")),
        None if about.names_issuer => return Err(Trouble::untrusted("the answer does not say whose it is (iss)")),
        _ => {}
    }
    if let Some(error) = returned.error {
        return Err(declined(error));
    }
    let Some(code) = returned.code else { return Err(Trouble::untrusted("the answer has no code")) };
    let answer = token_request(provider, &about, origin, flow, code).await?;
    let text = |name: &str| answer.get(name).and_then(Value::as_str);
    let id_token = text("id_token").ok_or_else(|| Trouble::untrusted("there is no ID token in the answer"))?;
    let mut all = verified(e, provider, id_token).await?;
    let expected = Expected { issuer: &config.issuer, client: &config.client_id, nonce: &flow.nonce() };
    let said = claims::of(&all, config).map_err(Trouble::untrusted)?;
    rules::openid::check(&said.claims, expected, e.now)
        .map_err(|why| Trouble::untrusted(format!("the ID token is not accepted: {why}")))?;
    if claims::is_complete(&all, config) {
        return Ok(said);
    }
    let (Some(url), Some(token)) = (&about.user_info, text("access_token")) else { return Ok(said) };
    let more = user_info(provider, url, token).await?;
    if more.get("sub").and_then(Value::as_str) != Some(said.claims.subject.as_str()) {
        return Err(Trouble::untrusted("the user information is of another subject"));
    }
    claims::add(&mut all, more);
    claims::of(&all, config).map_err(Trouble::untrusted)
}

/// RFC 6749, section 4.1.2.1. The code is shown only if it is one.
fn declined(error: &str) -> Trouble {
    let clean: String = error.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(60).collect();
    let said = match clean.as_str() {
        "access_denied" => words!(
            "Your organization's sign-in did not let you in, or you cancelled. Begin again; if it stays so, ask your \
             administrator whether you may use this application."
        ),
        _ => words!(
            "Your organization's sign-in could not sign you in. Begin again; if it stays so, tell your administrator: \
             the audit trail says why."
        ),
    };
    Trouble::refused(said, format!("the provider answered {clean}"))
}

async fn token_request(
    provider: &Arc<Provider>,
    about: &About,
    origin: &str,
    flow: &Flow,
    code: &str,
) -> Result<Map<String, Value>, Trouble> {
    let config = &provider.config;
    let (redirect, verifier) = (flow::redirect_uri(origin), flow.verifier());
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", &redirect),
        ("code_verifier", &verifier),
    ];
    let mut authorization = None;
    match &config.client_secret {
        Some(secret) if !about.secret_in_form => {
            let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            let pair = format!("{}:{}", encode(&config.client_id), encode(secret.expose()));
            authorization = Some(Secret::new(format!("Basic {}", STANDARD.encode(pair))));
        }
        Some(secret) => fields.extend([("client_id", config.client_id.as_str()), ("client_secret", secret.expose())]),
        None => fields.push(("client_id", &config.client_id)),
    }
    let form = Some(Secret::new(flow::form(&fields)));
    let ask = Ask { url: about.token.clone(), authorization, form };
    let answer = outside::ask(&*provider.outside, "token request", ask).await?;
    if matches!(answer.status, 400 | 401) {
        let body: Map<String, Value> = serde_json::from_slice(&answer.body).unwrap_or_default();
        let error = body.get("error").and_then(Value::as_str).unwrap_or("");
        let clean: String = error.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(60).collect();
        return Err(Trouble::untrusted(format!("token request: the provider answered {} {clean}", answer.status)));
    }
    outside::object("token request", &answer)
}

/// The claims of a token whose signature is good. The keys are read once more
/// where the token names one that is not known: keys change.
async fn verified(e: &Entrance, provider: &Arc<Provider>, text: &str) -> Result<Map<String, Value>, Trouble> {
    let token = jws::take_apart(text).map_err(Trouble::untrusted)?;
    let keys = provider.keys(e.now, false).await?;
    let wrong = || Trouble::untrusted("the signature of the ID token is wrong");
    match token.verified(&keys) {
        Ok(claims) => return Ok(claims.clone()),
        Err(Unverified::Wrong) => return Err(wrong()),
        Err(Unverified::UnknownKey) => {}
    }
    let keys = provider.keys(e.now, true).await?;
    match token.verified(&keys) {
        Ok(claims) => Ok(claims.clone()),
        Err(Unverified::Wrong) => Err(wrong()),
        Err(Unverified::UnknownKey) => Err(Trouble::untrusted("the ID token is signed with a key that is not known")),
    }
}

async fn user_info(provider: &Arc<Provider>, url: &str, token: &str) -> Result<Map<String, Value>, Trouble> {
    let authorization = Some(Secret::new(format!("Bearer {token}")));
    let ask = Ask { url: url.to_owned(), authorization, form: None };
    let answer = outside::ask(&*provider.outside, "user information", ask).await?;
    outside::object("user information", &answer)
}
