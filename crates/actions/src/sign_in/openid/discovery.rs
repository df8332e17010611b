//! The provider and what it says of itself (OpenID Connect Discovery 1.0), kept
//! for an hour; its keys, read again when a token names one that is not known.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use crate::sign_in::openid::jws::{self, Key};
use crate::sign_in::openid::outside::{self, Ask, Outside};
use crate::sign_in::openid::{Config, Trouble};

const KEPT: SignedDuration = SignedDuration::from_hours(1);
/// Keys are read again this often at most, whatever tokens name.
const KEYS_AGAIN: SignedDuration = SignedDuration::from_secs(30);
/// A provider that did not answer is left alone for so long.
const PAUSE: SignedDuration = SignedDuration::from_secs(5);

pub struct Provider {
    pub config: Config,
    pub(super) outside: Arc<dyn Outside>,
    // Held while the provider is asked, so that it is asked once.
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    about: Option<(Timestamp, Arc<About>)>,
    keys: Option<(Timestamp, Arc<Vec<Key>>)>,
    failed: Option<(Timestamp, String)>,
}

/// What is needed of the provider's document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct About {
    pub authorization: String,
    pub token: String,
    pub keys: String,
    pub user_info: Option<String>,
    pub end_session: Option<String>,
    /// The client names itself in the form, not in a header.
    pub secret_in_form: bool,
    /// Every answer says whose it is (RFC 9207).
    pub names_issuer: bool,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider").field("issuer", &self.config.issuer).finish_non_exhaustive()
    }
}

impl Provider {
    pub fn new(config: Config, outside: Arc<dyn Outside>) -> Self {
        Self { config, outside, known: Mutex::default() }
    }

    /// Whether the provider says of itself what is needed; else why not.
    ///
    /// # Errors
    /// In words for the operator.
    pub async fn check(&self, now: Timestamp) -> Result<(), String> {
        self.about(now).await.map_err(|t| t.detail)?;
        let keys = self.keys(now, false).await.map_err(|t| t.detail)?;
        if keys.is_empty() {
            Err("its key set has no key that can be used (RS256, PS256, ES256)".into())
        } else {
            Ok(())
        }
    }

    pub(super) async fn about(&self, now: Timestamp) -> Result<Arc<About>, Trouble> {
        let mut known = self.known.lock().await;
        if let Some((read, about)) = &known.about
            && now.duration_since(*read) < KEPT
        {
            return Ok(Arc::clone(about));
        }
        if let Some((at, why)) = &known.failed
            && now.duration_since(*at) < PAUSE
        {
            return Err(Trouble::unavailable(why.clone()));
        }
        match self.discover().await {
            Ok(about) => {
                let about = Arc::new(about);
                known.about = Some((now, Arc::clone(&about)));
                known.failed = None;
                Ok(about)
            }
            Err(trouble) => {
                known.failed = Some((now, trouble.detail.clone()));
                Err(trouble)
            }
        }
    }

    async fn discover(&self) -> Result<About, Trouble> {
        let issuer = &self.config.issuer;
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let answer = outside::ask(&*self.outside, "discovery", Ask { url, authorization: None, form: None }).await?;
        read(&outside::object("discovery", &answer)?, &self.config)
            .map_err(|why| Trouble::unavailable(format!("discovery: {why}")))
    }

    /// The provider's keys; `again`: those that are kept do not do.
    pub(super) async fn keys(&self, now: Timestamp, again: bool) -> Result<Arc<Vec<Key>>, Trouble> {
        let about = self.about(now).await?;
        let mut known = self.known.lock().await;
        if let Some((read, keys)) = &known.keys {
            let good_for = if again { KEYS_AGAIN } else { KEPT };
            if now.duration_since(*read) < good_for {
                return Ok(Arc::clone(keys));
            }
        }
        let ask = Ask { url: about.keys.clone(), authorization: None, form: None };
        let answer = outside::ask(&*self.outside, "keys", ask).await?;
        let keys = Arc::new(jws::key_set(&outside::object("keys", &answer)?));
        known.keys = Some((now, Arc::clone(&keys)));
        Ok(keys)
    }
}

fn read(document: &Map<String, Value>, config: &Config) -> Result<About, String> {
    let text = |name: &str| document.get(name).and_then(Value::as_str);
    if text("issuer") != Some(&config.issuer) {
        return Err(format!(
            "the document is of the issuer '{}', and [sign_in] issuer is '{}': both must be the same to the letter",
            text("issuer").unwrap_or("(none)").chars().take(200).collect::<String>(),
            config.issuer
        ));
    }
    let clear = config.issuer.starts_with("http://");
    let address = |name: &str| -> Result<Option<String>, String> {
        let Some(url) = text(name) else { return Ok(None) };
        let good = url.starts_with("https://") || (clear && url.starts_with("http://"));
        let clean = url.len() <= 2000 && url.bytes().all(|c| c.is_ascii_graphic() && !b"\"<>\\#".contains(&c));
        if good && clean { Ok(Some(url.to_owned())) } else { Err(format!("{name} is no https address")) }
    };
    let needed = |name: &str| address(name)?.ok_or_else(|| format!("{name} is missing"));
    let lists = |name: &str, what: &str| {
        document.get(name).and_then(Value::as_array).map(|all| all.iter().any(|one| one == what))
    };
    let methods = "token_endpoint_auth_methods_supported";
    let (basic, post) = (lists(methods, "client_secret_basic"), lists(methods, "client_secret_post"));
    if config.client_secret.is_some() && basic == Some(false) && post == Some(false) {
        return Err("it takes neither client_secret_basic nor client_secret_post".into());
    }
    if lists("code_challenge_methods_supported", "S256") == Some(false) {
        return Err("it does not take PKCE with S256".into());
    }
    Ok(About {
        authorization: needed("authorization_endpoint")?,
        token: needed("token_endpoint")?,
        keys: needed("jwks_uri")?,
        user_info: address("userinfo_endpoint")?,
        end_session: address("end_session_endpoint")?,
        secret_in_form: basic == Some(false),
        names_issuer: document.get("authorization_response_iss_parameter_supported") == Some(&Value::Bool(true)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(change: Value, expected: &str) {
        let mut document = json!({
            "issuer": "https://id.test", "authorization_endpoint": "https://id.test/a",
            "token_endpoint": "https://id.test/t", "jwks_uri": "https://id.test/k",
        });
        let object = document.as_object_mut().unwrap();
        object.extend(change.as_object().unwrap().clone());
        let config = Config {
            issuer: "https://id.test".into(),
            client_secret: Some(model::Secret::new("s")),
            ..Config::default()
        };
        match read(object, &config) {
            Ok(_) => assert_eq!(expected, ""),
            Err(why) => assert!(!expected.is_empty() && why.contains(expected), "{why}"),
        }
    }

    #[test]
    fn documents() {
        check(json!({}), "");
        check(json!({ "issuer": "https://id.test/" }), "to the letter");
        check(json!({ "issuer": null }), "to the letter");
        check(json!({ "token_endpoint": null }), "token_endpoint is missing");
        check(json!({ "authorization_endpoint": "javascript:alert(1)" }), "no https");
        check(json!({ "authorization_endpoint": "http://id.test/a" }), "no https");
        check(json!({ "jwks_uri": "https://id.test/\r\nx" }), "no https");
        check(json!({ "end_session_endpoint": "data:x" }), "no https");
        check(json!({ "token_endpoint_auth_methods_supported": ["private_key_jwt"] }), "neither");
        check(json!({ "token_endpoint_auth_methods_supported": ["client_secret_post"] }), "");
        check(json!({ "code_challenge_methods_supported": ["plain"] }), "PKCE");
    }
}
