//! An absolute address of the web, as far as a client needs it.

use std::fmt;
use std::str::FromStr;

/// `https://host:port/path?query`. No user information, no fragment.
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    https: bool,
    /// In lower case, without brackets.
    host: String,
    port: u16,
    /// Path and query, beginning with `/`.
    target: String,
}

/// Why a text is not such an address. Does not repeat it: it may be secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAUrl {
    #[error("it must begin with https:// (or http://)")]
    Scheme,
    #[error("it must not hold a user name or password")]
    UserInfo,
    #[error("it has no host name or one that cannot be")]
    Host,
    #[error("its port is not a number from 1 to 65535")]
    Port,
    #[error("it holds blanks or characters that must be percent-encoded")]
    Characters,
}

impl Url {
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// Without port and brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Path and query, as they stand in the request line.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// For the `Host` header: the port only where it is not the scheme's own.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == default_port(self.https) { host } else { format!("{host}:{}", self.port) }
    }

    /// The whole address. It may hold a secret: not for logs.
    pub fn as_text(&self) -> String {
        format!("{}://{}{}", if self.https { "https" } else { "http" }, self.authority(), self.target)
    }

    pub fn is_same_server(&self, other: &Self) -> bool {
        (self.https, self.port, &self.host) == (other.https, other.port, &other.host)
    }

    /// The same address with one more query parameter, percent-encoded.
    #[must_use]
    pub fn with_parameter(mut self, name: &str, value: &str) -> Self {
        self.target.push(if self.target.contains('?') { '&' } else { '?' });
        encode(name, &mut self.target);
        self.target.push('=');
        encode(value, &mut self.target);
        self
    }

    /// What a `Location` header means, seen from here (RFC 3986, section 5.2).
    ///
    /// # Errors
    /// When it is no address of the web.
    pub fn join(&self, reference: &str) -> Result<Self, NotAUrl> {
        let reference = reference.split('#').next().unwrap_or_default();
        if has_scheme(reference) {
            return reference.parse();
        }
        if let Some(rest) = reference.strip_prefix("//") {
            return format!("{}://{rest}", if self.https { "https" } else { "http" }).parse();
        }
        let path = self.target.split('?').next().unwrap_or_default();
        let target = match reference.chars().next() {
            None => self.target.clone(),
            Some('/') => without_dots(reference),
            Some('?') => format!("{path}{reference}"),
            Some(_) => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                without_dots(&format!("{folder}/{reference}"))
            }
        };
        check_target(&target)?;
        Ok(Self { target, ..self.clone() })
    }
}

impl FromStr for Url {
    type Err = NotAUrl;

    fn from_str(text: &str) -> Result<Self, NotAUrl> {
        let (scheme, rest) = text.split_once("://").ok_or(NotAUrl::Scheme)?;
        let https = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(NotAUrl::Scheme),
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?', '\\']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        if authority.contains('@') {
            return Err(NotAUrl::UserInfo);
        }
        let (host, port) = split_authority(authority)?;
        let port = match port {
            None | Some("") => default_port(https),
            Some(port) => port.parse().ok().filter(|p| *p > 0).ok_or(NotAUrl::Port)?,
        };
        check_host(host)?;
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        check_target(&target)?;
        Ok(Self { https, host: host.to_ascii_lowercase(), port, target })
    }
}

fn default_port(https: bool) -> u16 {
    if https { 443 } else { 80 }
}

fn split_authority(authority: &str) -> Result<(&str, Option<&str>), NotAUrl> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or(NotAUrl::Host)?;
        host.parse::<std::net::Ipv6Addr>().map_err(|_| NotAUrl::Host)?;
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if after.is_empty() => Ok((host, None)),
            None => Err(NotAUrl::Port),
        };
    }
    Ok(match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    })
}

fn check_host(host: &str) -> Result<(), NotAUrl> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    if host.is_empty() || host.len() > 253 || !host.chars().all(fits) {
        return Err(NotAUrl::Host);
    }
    Ok(())
}

fn check_target(target: &str) -> Result<(), NotAUrl> {
    let fits =
        |b: u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}');
    if target.bytes().all(fits) { Ok(()) } else { Err(NotAUrl::Characters) }
}

/// `scheme:` at the beginning, before any `/` or `?`.
fn has_scheme(reference: &str) -> bool {
    let head = reference.split(['/', '?']).next().unwrap_or_default();
    head.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
    })
}

/// `/a/b/../c` → `/a/c`; the query stays as it is.
fn without_dots(target: &str) -> String {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let mut out: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    for (n, segment) in segments.iter().enumerate() {
        let last = n + 1 == segments.len();
        match *segment {
            "." | ".." => {
                if *segment == ".." {
                    out.pop();
                }
                if last {
                    out.push("");
                }
            }
            segment => out.push(segment),
        }
    }
    let query = query.map(|q| format!("?{q}")).unwrap_or_default();
    format!("/{}{query}", out.join("/"))
}

fn encode(text: &str, out: &mut String) {
    use fmt::Write as _;
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(b));
        } else {
            let _ = write!(out, "%{b:02X}");
        }
    }
}

/// Without path and query: they may be secret.
impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}/…", if self.https { "https" } else { "http" }, self.authority())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, NotAUrl>) {
        let url = text.parse::<Url>().map(|u| u.as_text());
        assert_eq!(url.as_deref(), expected.as_ref().copied(), "{text}");
    }

    #[test]
    fn addresses_are_understood() {
        check("https://example.com", Ok("https://example.com/"));
        check("HTTPS://Example.COM:443/A?b=c#d", Ok("https://example.com/A?b=c"));
        check("http://example.com:8080?x", Ok("http://example.com:8080/?x"));
        check("https://[::1]:8443/x", Ok("https://[::1]:8443/x"));
        check("http://127.0.0.1:80/", Ok("http://127.0.0.1/"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        check("example.com", Err(NotAUrl::Scheme));
        check("ftp://example.com", Err(NotAUrl::Scheme));
        check("file:///etc/passwd", Err(NotAUrl::Scheme));
        check("https://me:secret@example.com/", Err(NotAUrl::UserInfo));
        check("https://good.example@evil.example/", Err(NotAUrl::UserInfo));
        check("https:///x", Err(NotAUrl::Host));
        check("https://a b/", Err(NotAUrl::Host));
        check("https://exa\r\nmple/", Err(NotAUrl::Host));
        check("https://[::1/", Err(NotAUrl::Host));
        check("https://example.com:0/", Err(NotAUrl::Port));
        check("https://example.com:99999/", Err(NotAUrl::Port));
        check("https://example.com:1:2/", Err(NotAUrl::Port));
        check("https://example.com/a b", Err(NotAUrl::Characters));
        check("https://example.com/\r\nX: y", Err(NotAUrl::Characters));
        check("https://example.com\\@evil.example/", Err(NotAUrl::Characters));
    }

    #[track_caller]
    fn join(reference: &str, expected: &str) {
        let base: Url = "https://h:8443/a/b?q".parse().unwrap();
        assert_eq!(base.join(reference).unwrap().as_text(), expected, "{reference}");
    }

    #[test]
    fn redirects_are_relative_to_where_they_come_from() {
        join("/x/../y", "https://h:8443/y");
        join("c", "https://h:8443/a/c");
        join("../c?d=../e", "https://h:8443/c?d=../e");
        join("?z", "https://h:8443/a/b?z");
        join("", "https://h:8443/a/b?q");
        join("//other/p", "https://other/p");
        join("http://third/#f", "http://third/");
        join("../../../..", "https://h:8443/");
        let base: Url = "https://h/".parse().unwrap();
        assert_eq!(base.join("javascript:alert(1)"), Err(NotAUrl::Scheme));
    }

    #[test]
    fn parameters_are_encoded_and_nothing_is_shown() {
        let url: Url = "https://h/secret?a=1".parse().unwrap();
        let url = url.with_parameter("co de", "ä&b=c");
        assert_eq!(url.target(), "/secret?a=1&co%20de=%C3%A4%26b%3Dc");
        assert_eq!(format!("{url:?}"), "https://h/…");
    }
}
