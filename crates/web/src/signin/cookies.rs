//! The cookies: one for the session, one for a step that is under way, one for
//! a way to the identity provider.
//!
//! Over TLS they have the prefix `__Host-`, which browsers take only with
//! `Secure`, `Path=/` and without a domain: no neighbour can plant one.

use axum::http::{HeaderMap, header};

const SESSION: &str = "postroom";
const STEP: &str = "postroom-step";
const FLOW: &str = "postroom-oidc";

fn name(base: &str, secure: bool) -> String {
    if secure { format!("__Host-{base}") } else { base.to_owned() }
}

pub(super) fn set_session(secure: bool, value: &str, seconds: i64) -> String {
    set(SESSION, secure, value, seconds)
}

pub(super) fn set_step(secure: bool, value: &str, seconds: i64) -> String {
    set(STEP, secure, value, seconds)
}

pub(super) fn set_flow(secure: bool, value: &str, seconds: i64) -> String {
    set(FLOW, secure, value, seconds)
}

pub(super) fn clear_flow(secure: bool) -> String {
    set(FLOW, secure, "", 0)
}

pub(super) fn flow(headers: &HeaderMap, secure: bool) -> Option<&str> {
    get(headers, &name(FLOW, secure))
}

pub(super) fn clear_session(secure: bool) -> String {
    set(SESSION, secure, "", 0)
}

pub(super) fn clear_step(secure: bool) -> String {
    set(STEP, secure, "", 0)
}

fn set(base: &str, secure: bool, value: &str, seconds: i64) -> String {
    let attribute = if secure { "; Secure" } else { "" };
    format!("{}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{attribute}", name(base, secure))
}

/// The session's cookie, as the connection's kind names it.
pub(crate) fn session(headers: &HeaderMap, secure: bool) -> Option<&str> {
    get(headers, &name(SESSION, secure))
}

pub(super) fn step(headers: &HeaderMap, secure: bool) -> Option<&str> {
    get(headers, &name(STEP, secure))
}

fn get<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    let pairs = cookies.flat_map(|v| v.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(n, v)| *n == name && !v.is_empty()).map(|(_, v)| v).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(cookie: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::COOKIE, cookie.parse().unwrap())])
    }

    #[test]
    fn among_others() {
        assert_eq!(session(&headers("a=b; postroom=x; postroom-step=y"), false), Some("x"));
        assert_eq!(step(&headers("a=b; postroom=x; postroom-step=y"), false), Some("y"));
    }
    #[test]
    fn over_tls_only_the_one_that_cannot_be_planted_counts() {
        assert_eq!(session(&headers("postroom=planted"), true), None);
        assert_eq!(session(&headers("postroom=planted; __Host-postroom=x"), true), Some("x"));
    }
    #[test]
    fn rubbish() {
        assert_eq!(session(&headers("postroom; =; postroom="), false), None);
        assert_eq!(session(&HeaderMap::new(), false), None);
    }
    #[test]
    fn attributes() {
        assert_eq!(set_session(true, "v", 60), "__Host-postroom=v; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure");
        assert_eq!(clear_session(false), "postroom=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    }
}
