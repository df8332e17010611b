//! Whether an ID token says what it must (OpenID Connect Core 1.0, section
//! 3.1.3.7), and what it says about its user. The signature was checked.

use model::{SignedDuration, Timestamp};

/// Clocks differ.
const SKEW: SignedDuration = SignedDuration::from_mins(2);
/// An ID token answers a request of minutes ago.
const OLDEST: SignedDuration = SignedDuration::from_mins(15);

/// The claims that are looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims {
    pub issuer: String,
    pub subject: String,
    pub audience: Vec<String>,
    pub authorized_party: Option<String>,
    /// Seconds since the epoch.
    pub expires: Option<i64>,
    pub issued: Option<i64>,
    pub not_before: Option<i64>,
    pub nonce: Option<String>,
    pub email: Option<String>,
    pub email_verified: bool,
    /// The value of the claim that names the user, where one is configured.
    pub user: Option<String>,
    pub groups: Vec<String>,
}

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    pub issuer: &'a str,
    pub client: &'a str,
    pub nonce: &'a str,
}

pub fn check(claims: &Claims, expected: Expected<'_>, now: Timestamp) -> Result<(), &'static str> {
    if claims.issuer != expected.issuer {
        return Err("it is of another issuer");
    }
    if claims.subject.is_empty() || claims.subject.len() > 255 {
        return Err("it names no subject");
    }
    if !claims.audience.iter().any(|a| a == expected.client) {
        return Err("it is for another client");
    }
    match &claims.authorized_party {
        Some(party) if party != expected.client => return Err("another client was authorized"),
        None if claims.audience.len() > 1 => return Err("it is for several clients and names none as authorized"),
        _ => {}
    }
    let moment = |seconds: i64| Timestamp::from_second(seconds).ok();
    let Some(expires) = claims.expires.and_then(moment) else { return Err("it says not when it expires") };
    if now.duration_since(expires) >= SKEW {
        return Err("it has expired");
    }
    let Some(issued) = claims.issued.and_then(moment) else { return Err("it says not when it was issued") };
    if issued.duration_since(now) > SKEW {
        return Err("it was issued in the future");
    }
    if now.duration_since(issued) > OLDEST {
        return Err("it was issued long ago");
    }
    if claims.not_before.and_then(moment).is_some_and(|begin| begin.duration_since(now) > SKEW) {
        return Err("it is not valid yet");
    }
    if claims.nonce.as_deref() != Some(expected.nonce) {
        return Err("it answers another request");
    }
    Ok(())
}

impl Claims {
    /// The name by which a user is found who has not signed in this way
    /// before: the configured claim, else the address if it was verified.
    pub fn name(&self) -> Option<&str> {
        let configured = self.user.as_deref();
        let verified = self.email.as_deref().filter(|_| self.email_verified);
        configured.or(verified).map(str::trim).filter(|name| !name.is_empty() && name.len() <= 320)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn good() -> Claims {
        Claims {
            issuer: "https://id.test".into(),
            subject: "ann".into(),
            audience: vec!["postroom".into()],
            expires: Some(NOW + 300),
            issued: Some(NOW - 1),
            nonce: Some("n".into()),
            ..Claims::default()
        }
    }

    #[track_caller]
    fn refused(change: impl FnOnce(&mut Claims), why: &str) {
        let mut claims = good();
        change(&mut claims);
        let expected = Expected { issuer: "https://id.test", client: "postroom", nonce: "n" };
        let answer = check(&claims, expected, Timestamp::from_second(NOW).unwrap());
        if why.is_empty() {
            assert_eq!(answer, Ok(()));
        } else {
            assert!(answer.unwrap_err().contains(why), "{answer:?}");
        }
    }

    #[test]
    fn a_good_one() {
        refused(|_| (), "");
    }
    #[test]
    fn another_issuer() {
        refused(|c| c.issuer = "https://id.test/".into(), "issuer");
    }
    #[test]
    fn no_subject() {
        refused(|c| c.subject.clear(), "subject");
    }
    #[test]
    fn another_client() {
        refused(|c| c.audience = vec!["other".into()], "client");
        refused(|c| c.audience.clear(), "client");
    }
    #[test]
    fn several_clients() {
        refused(|c| c.audience.push("other".into()), "several");
        refused(
            |c| {
                c.audience.push("other".into());
                c.authorized_party = Some("postroom".into());
            },
            "",
        );
        refused(|c| c.authorized_party = Some("other".into()), "authorized");
    }
    #[test]
    fn expired() {
        refused(|c| c.expires = Some(NOW - 120), "expired");
        refused(|c| c.expires = Some(NOW - 119), "");
        refused(|c| c.expires = None, "expires");
        refused(|c| c.expires = Some(i64::MAX), "expires");
    }
    #[test]
    fn issued() {
        refused(|c| c.issued = Some(NOW + 121), "future");
        refused(|c| c.issued = Some(NOW - 901), "long ago");
        refused(|c| c.issued = None, "issued");
    }
    #[test]
    fn not_yet() {
        refused(|c| c.not_before = Some(NOW + 121), "yet");
    }
    #[test]
    fn another_nonce() {
        refused(|c| c.nonce = Some("m".into()), "request");
        refused(|c| c.nonce = None, "request");
    }
    #[test]
    fn only_a_verified_address_names_a_user() {
        let mut claims = Claims { email: Some("ann@example.com".into()), ..good() };
        assert_eq!(claims.name(), None);
        claims.email_verified = true;
        assert_eq!(claims.name(), Some("ann@example.com"));
        claims.user = Some("ann".into());
        assert_eq!(claims.name(), Some("ann"));
    }
}
