//! Whether a request that a cookie vouches for was made by our own pages.

use axum::http::{HeaderMap, Method, header};

/// Reading changes nothing. Everything else must come from our own origin:
/// the browser says so in `Sec-Fetch-Site`, older ones in `Origin`. A program
/// that uses a cookie sends `Origin` itself.
pub(crate) fn same_site(method: &Method, headers: &HeaderMap, origin: &str) -> bool {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return true;
    }
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    match (text("sec-fetch-site"), text(header::ORIGIN.as_str())) {
        (Some(site), _) => site == "same-origin" || site == "none",
        (None, Some(from)) => from.eq_ignore_ascii_case(origin),
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(method: Method, pairs: &[(&'static str, &str)], expected: bool) {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        assert_eq!(same_site(&method, &headers, "https://crm.test"), expected, "{pairs:?}");
    }

    #[test]
    fn reading() {
        check(Method::GET, &[("sec-fetch-site", "cross-site")], true);
    }
    #[test]
    fn our_own_pages() {
        check(Method::POST, &[("sec-fetch-site", "same-origin"), ("origin", "https://crm.test")], true);
        check(Method::POST, &[("origin", "https://crm.test")], true);
        check(Method::POST, &[("sec-fetch-site", "none")], true);
    }
    #[test]
    fn strangers() {
        check(Method::POST, &[("sec-fetch-site", "cross-site")], false);
        check(Method::POST, &[("sec-fetch-site", "same-site"), ("origin", "https://crm.test")], false);
        check(Method::POST, &[("origin", "https://evil.test")], false);
        check(Method::POST, &[("origin", "http://crm.test")], false);
        check(Method::POST, &[("origin", "https://crm.test.evil.test")], false);
        check(Method::POST, &[("origin", "null")], false);
        check(Method::DELETE, &[], false);
        check(Method::PATCH, &[("referer", "https://crm.test/")], false);
    }
}
