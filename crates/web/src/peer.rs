//! Who is at the other end: the connection's own facts, and what a proxy in
//! front of us adds. Anybody can write an `X-Forwarded-…` header; it counts
//! only from a proxy that the operator named.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use actions::Origin;
use axum::http::{HeaderMap, header};

/// The proxies whose word counts.
#[derive(Clone, Default)]
pub struct Proxies(Option<Arc<Trusted>>);

type Trusted = dyn Fn(IpAddr) -> bool + Send + Sync;

impl Proxies {
    /// Trusts the addresses for which this says yes.
    pub fn trusting(trusted: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(trusted)))
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.as_ref().is_some_and(|trusted| trusted(address.to_canonical()))
    }
}

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Proxies").field(&self.0.is_some()).finish()
    }
}

/// A connection, as the listener knows it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Peer {
    pub address: Option<IpAddr>,
    /// It came over TLS.
    pub secure: bool,
}

/// The client as the server is to see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Client {
    pub address: Option<IpAddr>,
    /// Scheme and host of absolute URLs: `https://crm.example.com`.
    pub origin: String,
}

impl Client {
    pub fn read(headers: &HeaderMap, peer: Peer, proxies: &Proxies) -> Self {
        let through_proxy = peer.address.is_some_and(|a| proxies.trusts(a));
        let said = |name: &str| last(headers, name).filter(|_| through_proxy);
        let secure = match said("x-forwarded-proto") {
            Some(scheme) => scheme.eq_ignore_ascii_case("https"),
            None => peer.secure,
        };
        let own = headers.get(header::HOST).and_then(|v| v.to_str().ok()).map(str::trim);
        let host = said("x-forwarded-host").filter(|h| is_host(h)).or(own.filter(|h| is_host(h)));
        let scheme = if secure { "https" } else { "http" };
        Self {
            address: if through_proxy { forwarded_for(headers, proxies).or(peer.address) } else { peer.address },
            origin: format!("{scheme}://{}", host.unwrap_or("localhost")),
        }
    }
}

impl Client {
    /// Where a request came from, as the audit trail keeps it.
    pub fn for_audit(&self, door: &'static str, headers: &HeaderMap, request: &str) -> Origin {
        const LONGEST: usize = 300;
        let agent = headers.get(header::USER_AGENT).map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
        Origin {
            door,
            remote: self.address.map(|a| a.to_canonical().to_string()).unwrap_or_default(),
            user_agent: agent.unwrap_or_default().chars().filter(|c| !c.is_control()).take(LONGEST).collect(),
            request: request.to_owned(),
        }
    }
}

/// What the nearest proxy wrote: each appends to what it was given.
fn last<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    value.rsplit(',').next().map(str::trim).filter(|v| !v.is_empty())
}

/// The last address that is no proxy of ours.
fn forwarded_for(headers: &HeaderMap, proxies: &Proxies) -> Option<IpAddr> {
    let values: Vec<&str> = headers.get_all("x-forwarded-for").iter().filter_map(|v| v.to_str().ok()).collect();
    let hops = values.iter().flat_map(|v| v.split(','));
    let hops: Vec<Option<IpAddr>> = hops.map(|hop| hop.trim().parse().ok()).collect();
    hops.into_iter().rev().find(|hop| hop.is_none_or(|address| !proxies.trusts(address))).flatten()
}

/// A host with an optional port; nothing that would lead out of a URL's authority.
pub(crate) fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 300
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']'))
}

/// What counts as one client: an IPv6 network has as many addresses as it likes.
pub(crate) fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(a) => IpAddr::V6(Ipv6Addr::from_bits(a.to_bits() >> 64 << 64)),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: &str = "10.0.0.1";

    #[track_caller]
    fn check(peer: &str, secure: bool, headers: &[(&'static str, &str)], origin: &str, address: &str) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let proxies = Proxies::trusting(|a| a.to_string().starts_with("10.0.0."));
        let peer = Peer { address: peer.parse().ok(), secure };
        let client = Client::read(&map, peer, &proxies);
        assert_eq!((client.origin.as_str(), client.address.unwrap().to_string().as_str()), (origin, address));
    }

    #[test]
    fn plain() {
        check("192.0.2.1", false, &[("host", "crm.test:8420")], "http://crm.test:8420", "192.0.2.1");
    }
    #[test]
    fn tls() {
        check("192.0.2.1", true, &[("host", "[::1]:8420")], "https://[::1]:8420", "192.0.2.1");
    }
    #[test]
    fn a_stranger_forwards_nothing() {
        let headers = [
            ("host", "crm.test"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "evil.test"),
            ("x-forwarded-for", "198.51.100.7"),
        ];
        check("192.0.2.1", false, &headers, "http://crm.test", "192.0.2.1");
    }
    #[test]
    fn a_proxy_does() {
        let headers = [
            ("host", "inner:8420"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "crm.test"),
            ("x-forwarded-for", "198.51.100.7"),
        ];
        check(PROXY, false, &headers, "https://crm.test", "198.51.100.7");
    }
    #[test]
    fn what_the_client_wrote_before_the_proxy_does_not_count() {
        let headers = [
            ("host", "crm.test"),
            ("x-forwarded-for", "203.0.113.9, 198.51.100.7, 10.0.0.2"),
            ("x-forwarded-proto", "https, http"),
        ];
        check(PROXY, false, &headers, "http://crm.test", "198.51.100.7");
    }
    #[test]
    fn rubbish_from_a_proxy() {
        let headers = [("host", "crm.test"), ("x-forwarded-for", "unknown"), ("x-forwarded-host", "a/b")];
        check(PROXY, false, &headers, "http://crm.test", PROXY);
    }
    #[test]
    fn a_host_that_is_none() {
        check("192.0.2.1", false, &[("host", "evil.example/path?")], "http://localhost", "192.0.2.1");
        check("192.0.2.1", false, &[("host", "user@evil.example")], "http://localhost", "192.0.2.1");
        check("192.0.2.1", false, &[], "http://localhost", "192.0.2.1");
    }
    #[test]
    fn an_ipv6_network_is_one_neighbour() {
        let near = |a: &str| neighbourhood(a.parse().unwrap()).to_string();
        assert_eq!(near("2001:db8::1:2:3:4"), "2001:db8::");
        assert_eq!(near("::ffff:192.0.2.1"), "192.0.2.1");
    }
}
