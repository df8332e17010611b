//! An identity provider that does what a test wants of it.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use actions::sign_in::openid::{Answer, Ask, Config, Outside, Provider};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair,
};
use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use model::{Clock, Secret};
use serde_json::{Value, json};

use super::Browser;
use crate::world::{Answer as Reply, TestClock, World};

pub const ISSUER: &str = "https://id.test";
const CLIENT: &str = "postroom";
const SECRET: &str = "p@ss:word";

type Change = Box<dyn Fn(&mut Value) + Send>;

pub struct Fake {
    clock: Arc<TestClock>,
    rsa: RsaKeyPair,
    point: EcdsaKeyPair,
    pub now: Mutex<Behaviour>,
}

/// Everything that a test may change.
pub struct Behaviour {
    pub alg: &'static str,
    pub kid: &'static str,
    /// The ids of the keys that are published.
    pub published: Vec<&'static str>,
    /// What is said of who signs in.
    pub claims: Value,
    pub spoil: Option<Change>,
    pub user_info: Value,
    pub discovery: Value,
    /// Answers to addresses that end so, whatever the provider would say.
    pub instead: BTreeMap<&'static str, (u16, Vec<u8>)>,
    pub slow: bool,
    pub unreachable: Option<&'static str>,
    /// What was asked, without the issuer.
    pub asked: Vec<String>,
    codes: BTreeMap<String, BTreeMap<String, String>>,
}

impl Fake {
    pub fn new(w: &World) -> Arc<Self> {
        let discovery = json!({
            "issuer": ISSUER,
            "authorization_endpoint": format!("{ISSUER}/authorize"),
            "token_endpoint": format!("{ISSUER}/token"),
            "jwks_uri": format!("{ISSUER}/keys"),
            "userinfo_endpoint": format!("{ISSUER}/me"),
            "end_session_endpoint": format!("{ISSUER}/out"),
        });
        let now = Behaviour {
            alg: "RS256",
            kid: "one",
            published: vec!["one"],
            claims: json!({ "sub": "sub-of-ann", "email": "ann@example.com", "email_verified": true }),
            spoil: None,
            user_info: json!({ "sub": "sub-of-ann" }),
            discovery,
            instead: BTreeMap::new(),
            slow: false,
            unreachable: None,
            asked: Vec::new(),
            codes: BTreeMap::new(),
        };
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        Arc::new(Self {
            clock: w.clock.clone(),
            rsa: RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
            point: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref()).unwrap(),
            now: Mutex::new(now),
        })
    }

    pub fn set(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.now.lock().unwrap());
    }

    pub fn say(&self, claims: Value) {
        self.set(|now| now.claims.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone()));
    }

    pub fn asked(&self, what: &str) -> usize {
        self.now.lock().unwrap().asked.iter().filter(|a| *a == what).count()
    }

    pub fn discovery(&self, name: &str, value: Value) {
        self.set(|now| now.discovery[name] = value);
    }

    /// Somebody signed in on the provider's page: the code.
    pub fn authorize(&self, query: &BTreeMap<String, String>) -> String {
        assert_eq!((query["response_type"].as_str(), query["client_id"].as_str()), ("code", CLIENT));
        assert_eq!(query["code_challenge_method"], "S256");
        assert_eq!(query["redirect_uri"], "http://crm.example.com/signin/oidc");
        let mut now = self.now.lock().unwrap();
        let code = format!("code-{}", now.codes.len());
        now.codes.insert(code.clone(), query.clone());
        code
    }

    fn keys(&self) -> Value {
        let b64 = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        // RSAPublicKey (PKCS #1) of 2048 bits: its parts stand at fixed places.
        let public = self.rsa.public_key().as_ref();
        let (n, e) = (&public[9..265], &public[267..]);
        let point = self.point.public_key().as_ref().to_vec();
        let mut keys = vec![json!({ "kty": "oct", "kid": "strange", "k": "AA" }), json!({ "kty": 1 })];
        for kid in &self.now.lock().unwrap().published {
            keys.push(json!({
                "kty": "RSA", "kid": kid, "use": "sig",
                "n": b64(n), "e": b64(e),
            }));
            keys.push(json!({
                "kty": "EC", "crv": "P-256", "kid": kid, "x": b64(&point[1..33]), "y": b64(&point[33..65]),
            }));
        }
        json!({ "keys": keys })
    }

    fn sign(&self, alg: &str, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let (random, message) = (SystemRandom::new(), signed.as_bytes());
        let mut rsa = vec![0; self.rsa.public_modulus_len()];
        let signature = match alg {
            "RS256" => self.rsa.sign(&RSA_PKCS1_SHA256, &random, message, &mut rsa).map(|()| rsa).unwrap(),
            "PS256" => self.rsa.sign(&RSA_PSS_SHA256, &random, message, &mut rsa).map(|()| rsa).unwrap(),
            "ES256" => self.point.sign(&random, message).unwrap().as_ref().to_vec(),
            // What everybody knows of the key, as if it were a secret.
            "HS256" => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, self.rsa.public_key().as_ref());
                hmac::sign(&key, message).as_ref().to_vec()
            }
            _ => Vec::new(),
        };
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn token(&self, ask: &Ask) -> (u16, Value) {
        let refused = |error: &str| (400, json!({ "error": error, "error_description": "not to be repeated" }));
        let form = query(ask.form.as_ref().unwrap().expose());
        let basic = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:p%40ss%3Aword")));
        let named = ask.authorization.as_ref().is_some_and(|a| a.expose() == basic)
            || (form.get("client_secret").is_some_and(|s| s == SECRET) && form["client_id"] == CLIENT);
        if !named {
            return (401, json!({ "error": "invalid_client" }));
        }
        let (code, alg, kid, mut claims) = {
            let mut now = self.now.lock().unwrap();
            (now.codes.remove(&form["code"]), now.alg, now.kid, now.claims.clone())
        };
        let Some(asked) = code else { return refused("invalid_grant") };
        let challenge = digest::digest(&digest::SHA256, form["code_verifier"].as_bytes());
        if URL_SAFE_NO_PAD.encode(challenge) != asked["code_challenge"] || form["redirect_uri"] != asked["redirect_uri"]
        {
            return refused("invalid_grant");
        }
        let time = self.clock.now().as_second();
        let standard = json!({
            "iss": ISSUER, "aud": CLIENT, "iat": time, "exp": time + 300, "nonce": asked["nonce"],
        });
        claims.as_object_mut().unwrap().extend(standard.as_object().unwrap().clone());
        if let Some(spoil) = &self.now.lock().unwrap().spoil {
            spoil(&mut claims);
        }
        let token = self.sign(alg, &json!({ "alg": alg, "kid": kid, "typ": "JWT" }), &claims);
        (200, json!({ "access_token": "at", "token_type": "Bearer", "id_token": token }))
    }

    fn answer(&self, ask: &Ask) -> Result<(u16, Vec<u8>), String> {
        let path = ask.url.strip_prefix(ISSUER).unwrap_or(&ask.url).to_owned();
        let (instead, unreachable, discovery, user_info) = {
            let mut now = self.now.lock().unwrap();
            now.asked.push(path.clone());
            (now.instead.get(path.as_str()).cloned(), now.unreachable, now.discovery.clone(), now.user_info.clone())
        };
        if let Some(why) = unreachable {
            return Err(why.to_owned());
        }
        if let Some(answer) = instead {
            return Ok(answer);
        }
        let (status, body) = match path.as_str() {
            "/.well-known/openid-configuration" => (200, discovery),
            "/keys" => (200, self.keys()),
            "/token" => self.token(ask),
            "/me" if ask.authorization.as_ref().is_some_and(|a| a.expose() == "Bearer at") => (200, user_info),
            _ => (404, Value::Null),
        };
        Ok((status, body.to_string().into_bytes()))
    }
}

struct Means(Arc<Fake>);

impl Outside for Means {
    fn send(&self, ask: Ask) -> Pin<Box<dyn Future<Output = Result<Answer, String>> + Send + '_>> {
        Box::pin(async move {
            if self.0.now.lock().unwrap().slow {
                std::future::pending::<()>().await;
            }
            let (status, body) = self.0.answer(&ask)?;
            Ok(Answer { status, body })
        })
    }
}

pub fn query(text: &str) -> BTreeMap<String, String> {
    let text = text.split_once('?').map_or(text, |(_, query)| query);
    let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned();
    text.split('&').filter_map(|pair| pair.split_once('=')).map(|(n, v)| (decode(n), decode(v))).collect()
}

/// Gives the world this provider.
pub fn attach(w: &mut World, fake: &Arc<Fake>, change: impl FnOnce(&mut Config)) {
    let mut config = Config {
        issuer: ISSUER.into(),
        client_id: CLIENT.into(),
        client_secret: Some(Secret::new(SECRET)),
        name: "Sign in with Example".into(),
        scopes: vec!["openid".into(), "email".into()],
        ..Config::default()
    };
    change(&mut config);
    let provider = Arc::new(Provider::new(config, Arc::new(Means(Arc::clone(fake)))));
    let sign_in = crate::world::sign_in().with_provider(Some(provider));
    let router = web::router(web::AppState { sign_in, ..w.state() });
    w.replace_router(router);
}

/// The way to the provider: what the browser was sent there with.
pub async fn there(browser: &mut Browser<'_>) -> BTreeMap<String, String> {
    let answer = browser.get("/signin/openid?return=%2Faccount").await.expect(303);
    let to = answer.headers["location"].to_str().unwrap().to_owned();
    assert!(to.starts_with(&format!("{ISSUER}/authorize?")), "{to}");
    query(&to)
}

/// The whole way: there, signed in, and back.
pub async fn visit(fake: &Fake, browser: &mut Browser<'_>) -> Reply {
    let asked = there(browser).await;
    let code = fake.authorize(&asked);
    browser.get(&format!("/signin/oidc?code={code}&state={}", asked["state"])).await
}
