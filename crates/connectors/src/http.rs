//! Asking other servers by HTTP/1.1: webhooks, and the documents of an
//! identity provider.
//!
//! Every request goes over the [`Dialer`]: a name is looked up once, the
//! addresses that came of it are checked against the networks the operator
//! allows, and exactly those are connected to. A name that answers otherwise a
//! moment later (DNS rebinding) gains nothing by it. A redirect is another
//! request, checked from the beginning, and followed only where asked.
//!
//! What a request carries never comes into a failure or a log: neither header
//! values nor the path, which for many receivers is the secret.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use model::{Failure, FailureKind, Step};

use crate::net::{Dialer, Endpoint, NetConfig, Security};

mod exchange;
mod url;

pub use url::Url;

/// Sends requests. Cheap to clone; one for all of a process.
#[derive(Clone)]
pub struct Client {
    dialer: Arc<Dialer>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
}

/// What is asked. Header names and values are checked when it is sent.
#[derive(Clone)]
pub struct Request {
    pub method: Method,
    pub url: Url,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// How long and how much.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For name resolution, for TCP and for TLS, each.
    pub connect: Duration,
    /// From the first look-up to the last byte, all redirects together.
    pub total: Duration,
    /// Bytes of the answer's body at most.
    pub body: usize,
    /// Redirects that are followed; `0`: the redirect is the answer.
    pub redirects: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), total: Duration::from_secs(30), body: 1024 * 1024, redirects: 0 }
    }
}

/// What was answered, whatever the status.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    /// In the order they came; names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Who answered: another than who was asked where redirects were followed.
    pub url: Url,
}

impl Request {
    pub fn get(url: Url) -> Self {
        Self { method: Method::Get, url, headers: Vec::new(), body: Vec::new() }
    }

    pub fn post(url: Url, body: impl Into<Vec<u8>>) -> Self {
        Self { method: Method::Post, url, headers: Vec::new(), body: body.into() }
    }

    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

impl Response {
    /// The first header with this name, which is given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl Client {
    /// A client of its own.
    ///
    /// # Errors
    /// When a certificate of the configuration cannot be used.
    pub fn new(config: NetConfig) -> Result<Self, Failure> {
        Ok(Self::over(Arc::new(Dialer::new(config)?)))
    }

    /// A client over the connections that others make as well.
    pub fn over(dialer: Arc<Dialer>) -> Self {
        Self { dialer }
    }

    /// Sends one request and reads the answer to its end.
    ///
    /// # Errors
    /// `Misconfigured` when the address may not be reached or the certificate
    /// is not trusted; `Garbled` when the answer is not HTTP or too large;
    /// `Uncertain` when a POST may have arrived and no answer came; else
    /// `Temporary`. A status of 400 and above is an answer, not an error.
    pub async fn send(&self, request: Request, limits: Limits) -> Result<Response, Failure> {
        let uncertain = request.method == Method::Post;
        let sending = AtomicBool::new(false);
        match tokio::time::timeout(limits.total, self.follow(request, limits, &sending)).await {
            Ok(answer) => answer,
            Err(_) => {
                let detail = format!("no whole answer within {} s", limits.total.as_secs_f32());
                let under_way = sending.load(Ordering::Relaxed);
                let kind = if uncertain && under_way { FailureKind::Uncertain } else { FailureKind::Temporary };
                Err(Failure::new(kind, if under_way { Step::Read } else { Step::Connect }, detail))
            }
        }
    }

    async fn follow(&self, mut request: Request, limits: Limits, sending: &AtomicBool) -> Result<Response, Failure> {
        for _ in 0..limits.redirects {
            let response = self.ask(&request, limits, sending).await?;
            let to = response.header("location").filter(|_| is_redirect(response.status));
            let Some(to) = to else { return Ok(response) };
            request = redirected(request, response.status, to)?;
        }
        let response = self.ask(&request, limits, sending).await?;
        if limits.redirects > 0 && is_redirect(response.status) && response.header("location").is_some() {
            let detail = format!("{} redirects more than {} times", response.url.host(), limits.redirects);
            return Err(Failure::new(FailureKind::Refused, Step::Read, detail));
        }
        Ok(response)
    }

    async fn ask(&self, request: &Request, limits: Limits, sending: &AtomicBool) -> Result<Response, Failure> {
        let url = &request.url;
        if !url.is_https() && !self.dialer.allows_clear_text() {
            let detail = "addresses without TLS are not allowed here; use https, or have the operator set [servers] \
                          allow_insecure";
            return Err(Failure::new(FailureKind::Misconfigured, Step::Connect, detail));
        }
        let endpoint = Endpoint {
            host: url.host().to_owned(),
            port: url.port(),
            security: if url.is_https() { Security::Tls } else { Security::Plain },
            connect_timeout: limits.connect,
            command_timeout: limits.total,
        };
        let wire = exchange::encode(request)?;
        let dialed = self.dialer.connect(&endpoint).await?;
        sending.store(true, Ordering::Relaxed);
        exchange::run(dialed.stream, wire, request, limits.body).await
    }
}

/// HMAC-SHA256 over `timestamp.body`, in hexadecimal: by it a receiver knows
/// who sent a webhook, and that it is not an old one sent again.
pub fn signature(secret: &model::Secret, timestamp: i64, body: &[u8]) -> String {
    use aws_lc_rs::hmac;
    use std::fmt::Write as _;
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(format!("{timestamp}.").as_bytes());
    context.update(body);
    context.sign().as_ref().iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// The request that a redirect asks for. What is secret stays with the server
/// it was meant for, and TLS is never given up.
fn redirected(mut request: Request, status: u16, to: &str) -> Result<Request, Failure> {
    let from = request.url.clone();
    let url = from.join(to).map_err(|why| {
        Failure::garbled(Step::Read, format!("{} redirects to something that is no address: {why}", from.host()))
    })?;
    if from.is_https() && !url.is_https() {
        let detail = format!("{} redirects from https to http, which is not followed", from.host());
        return Err(Failure::new(FailureKind::Misconfigured, Step::Read, detail));
    }
    if !from.is_same_server(&url) {
        // Only what describes the body and the answer goes on elsewhere.
        let harmless = ["accept", "content-type", "user-agent"];
        request.headers.retain(|(name, _)| harmless.contains(&name.to_ascii_lowercase().as_str()));
    }
    if status == 303 || (matches!(status, 301 | 302) && request.method == Method::Post) {
        request.method = Method::Get;
        request.body.clear();
        request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
    }
    request.url = url;
    Ok(request)
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({:?} {:?}, {} bytes)", self.method, self.url, self.body.len())
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({} of {:?}, {} bytes)", self.status, self.url, self.body.len())
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("http::Client")
    }
}

#[cfg(test)]
mod tests;
