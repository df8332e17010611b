//! What holds for every request from the wire, before anybody asks what it is
//! about.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, StatusCode, Version, header};
use hyper::body::Incoming;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use model::Refusal;

use crate::api::errors::ApiError;
use crate::peer::{Peer, is_host};

/// A year: browsers that came over TLS once come no other way again.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Answers one request of a connection.
pub(super) async fn answer(
    service: TowerToHyperService<Router>,
    peer: Peer,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, std::convert::Infallible> {
    let doubtful = request.headers().contains_key(header::TRANSFER_ENCODING);
    let refused = refusal(&request);
    let close = refused.is_some();
    let mut response = match refused {
        Some(message) => bad_request(message),
        None => {
            request.extensions_mut().insert(peer);
            service.call(request).await?
        }
    };
    // Where a proxy in front may have read another end of the payload than we
    // did, what follows on the connection must not count (RFC 9112, 6.1).
    if doubtful || close {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if peer.secure {
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    Ok(response)
}

/// What is wrong with the request as HTTP.
fn refusal(request: &Request<Incoming>) -> Option<&'static str> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(_), Some(_)) => return Some("The request has more than one Host header. Send one."),
        (None, _) if request.version() == Version::HTTP_11 => return Some("The request has no Host header. Send one."),
        (Some(host), None) if !host.to_str().is_ok_and(|h| is_host(h.trim())) => {
            return Some("The Host header is not a host name with an optional port.");
        }
        _ => {}
    }
    (request.method() == axum::http::Method::CONNECT).then_some("CONNECT is for proxies; this is none.")
}

pub(super) fn bad_request(message: &str) -> Response<Body> {
    let error =
        ApiError::new(StatusCode::BAD_REQUEST, Refusal::new(0x8006_0888, "BadRequest", model::Words::foreign(message)));
    error.into_response("")
}
