//! The claims that are looked at, out of the provider's JSON.

use rules::openid::Claims;
use serde_json::{Map, Value};

use crate::sign_in::openid::Config;

/// Groups of one user.
const MOST: usize = 10_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub claims: Claims,
    pub first_name: String,
    pub last_name: String,
}

pub(super) fn of(all: &Map<String, Value>, config: &Config) -> Result<Told, &'static str> {
    let text = |name: &str| all.get(name).and_then(Value::as_str).map(str::to_owned);
    let time = |name: &str| all.get(name).and_then(|v| v.as_i64().or_else(|| truncated(v.as_f64()?)));
    // Without this the groups would pass for none.
    let elsewhere = all.get("_claim_names").and_then(|names| names.get(&config.groups_claim)).is_some();
    if elsewhere && !config.groups_claim.is_empty() {
        return Err("the user has so many groups that the provider does not name them; let it give only those of \
                    this application");
    }
    let verified = matches!(all.get("email_verified"), Some(Value::Bool(true)))
        || all.get("email_verified").and_then(Value::as_str) == Some("true");
    let email = text("email");
    let user = match config.user_claim.as_str() {
        // An address counts only where the provider says that it is theirs.
        "" | "email" => None,
        name => claim(all, name).and_then(Value::as_str).map(str::to_owned),
    };
    // A claim that was configured is the only one that names somebody.
    let by_email = matches!(config.user_claim.as_str(), "" | "email");
    let claims = Claims {
        issuer: text("iss").unwrap_or_default(),
        subject: text("sub").unwrap_or_default(),
        audience: texts(all.get("aud")),
        authorized_party: text("azp"),
        expires: time("exp"),
        issued: time("iat"),
        not_before: time("nbf"),
        nonce: text("nonce"),
        email,
        email_verified: verified && by_email,
        user,
        groups: texts(claim(all, &config.groups_claim)),
    };
    let full = text("name").unwrap_or_default();
    Ok(Told {
        claims,
        first_name: text("given_name").unwrap_or_default(),
        last_name: text("family_name").filter(|name| !name.is_empty()).unwrap_or(full),
    })
}

#[expect(clippy::cast_possible_truncation, reason = "a time in seconds; out of its range it is no time at all")]
fn truncated(seconds: f64) -> Option<i64> {
    (seconds.abs() < 1e12).then_some(seconds as i64)
}

/// `groups`, or `realm_access.roles` within an object.
fn claim<'a>(all: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    if name.is_empty() {
        return None;
    }
    all.get(name).filter(|value| !value.is_null()).or_else(|| {
        let (first, rest) = name.split_once('.')?;
        claim(all.get(first)?.as_object()?, rest)
    })
}

fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(all)) => all.iter().take(MOST).filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// Whether the ID token says all that is looked for.
pub(super) fn is_complete(all: &Map<String, Value>, config: &Config) -> bool {
    let user = if config.user_claim.is_empty() { "email" } else { &config.user_claim };
    claim(all, user).is_some() && (config.groups_claim.is_empty() || claim(all, &config.groups_claim).is_some())
}

/// Adds claims of the user information; what was signed stays.
pub(super) fn add(all: &mut Map<String, Value>, more: Map<String, Value>) {
    // An address and whether it is verified belong together.
    let has_email = all.contains_key("email");
    for (name, value) in more {
        if !(has_email && name == "email_verified") {
            let said = all.entry(name).or_insert(Value::Null);
            if said.is_null() {
                *said = value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn named(user_claim: &str, said: Value, expected: Option<&str>) {
        let config = Config { user_claim: user_claim.into(), ..Config::default() };
        let told = of(said.as_object().unwrap(), &config).unwrap();
        assert_eq!(told.claims.name(), expected, "{said}");
    }

    #[test]
    fn names() {
        named("", json!({ "email": "ann@example.com" }), None);
        named("", json!({ "email": "ann@example.com", "email_verified": false }), None);
        named("", json!({ "email": "ann@example.com", "email_verified": "true" }), Some("ann@example.com"));
        named("email", json!({ "email": "ann@example.com" }), None);
        named("email", json!({ "email": "ann@example.com", "email_verified": true }), Some("ann@example.com"));
        named("upn", json!({ "email": "x@example.com", "email_verified": true }), None);
        named("upn", json!({ "email": "x@example.com", "upn": "ann" }), Some("ann"));
        named("upn", json!({ "upn": ["ann"] }), None);
    }

    #[track_caller]
    fn groups(claim: &str, said: Value, expected: &[&str]) {
        let config = Config { groups_claim: claim.into(), ..Config::default() };
        assert_eq!(of(said.as_object().unwrap(), &config).unwrap().claims.groups, expected);
    }

    #[test]
    fn groups_of_a_user() {
        groups("groups", json!({ "groups": ["a", 1, "b"] }), &["a", "b"]);
        groups("groups", json!({ "groups": "a" }), &["a"]);
        groups("groups", json!({}), &[]);
        groups("realm_access.roles", json!({ "realm_access": { "roles": ["a"] } }), &["a"]);
        groups("https://x.test/g", json!({ "https://x.test/g": ["a"] }), &["a"]);
        groups("", json!({ "": ["a"] }), &[]);
    }

    #[test]
    fn groups_that_the_provider_does_not_name() {
        let config = Config { groups_claim: "groups".into(), ..Config::default() };
        let said = json!({ "_claim_names": { "groups": "src1" } });
        assert!(of(said.as_object().unwrap(), &config).is_err());
    }

    #[test]
    fn what_was_signed_stays() {
        let mut all = json!({ "sub": "a", "email": "ann@example.com" }).as_object().unwrap().clone();
        add(
            &mut all,
            json!({ "email": "bob@example.com", "email_verified": true, "x": 1 }).as_object().unwrap().clone(),
        );
        assert_eq!(Value::Object(all), json!({ "sub": "a", "email": "ann@example.com", "x": 1 }));
    }
}
