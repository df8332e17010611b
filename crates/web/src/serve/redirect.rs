//! A listener that knows one answer: the same over https.

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use crate::peer::is_host;

/// Sends everybody to the same URL over https on this port.
pub fn redirect_router(https_port: u16) -> Router {
    Router::new().fallback(move |request: Request| async move { redirect(&request, https_port) })
}

fn redirect(request: &Request, https_port: u16) -> Response {
    let host = request.headers().get(header::HOST).and_then(|h| h.to_str().ok()).map(str::trim);
    let Some(host) = host.filter(|h| is_host(h)) else {
        return super::door::bad_request("The Host header is not a host name with an optional port.");
    };
    let path = request.uri().path_and_query().map_or("/", |p| p.as_str());
    let url = target(host, https_port, path);
    let Ok(location) = HeaderValue::from_str(&url) else {
        return super::door::bad_request("The URL cannot be redirected. Use https.");
    };
    // 308: the method and the payload stay.
    (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, location)]).into_response()
}

fn target(host: &str, https_port: u16, path: &str) -> String {
    // The colon of a port is not one of an IPv6 address.
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') && (!name.contains(':') || name.ends_with(']')) => name,
        _ => host,
    };
    if https_port == 443 { format!("https://{name}{path}") } else { format!("https://{name}:{https_port}{path}") }
}

#[cfg(test)]
mod tests {
    use super::target;

    #[track_caller]
    fn check(host: &str, port: u16, expected: &str) {
        assert_eq!(target(host, port, "/a?b=c"), expected);
    }

    #[test]
    fn without_a_port() {
        check("crm.test", 443, "https://crm.test/a?b=c");
    }
    #[test]
    fn with_one() {
        check("crm.test:80", 8443, "https://crm.test:8443/a?b=c");
    }
    #[test]
    fn ipv6() {
        check("[::1]", 443, "https://[::1]/a?b=c");
        check("[::1]:80", 443, "https://[::1]/a?b=c");
    }
}
