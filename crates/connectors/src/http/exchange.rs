//! One request and its answer on one connection.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper_util::rt::TokioIo;
use model::{Failure, FailureKind, Step};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Method, Request, Response};

/// Bytes of status line and headers at most.
const HEAD: usize = 64 * 1024;

pub(super) type Wire = hyper::Request<Full<Bytes>>;

pub(super) async fn run<S>(stream: S, wire: Wire, request: &Request, limit: usize) -> Result<Response, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let lost = |error: hyper::Error| failure(request, &error);
    let mut builder = hyper::client::conn::http1::Builder::new();
    builder.max_buf_size(HEAD);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(lost)?;
    // Ends when the answer has been read, or with the handle that is dropped.
    let driver = Driver(tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::trace!(%error, "an HTTP connection ended");
        }
    }));
    let answer = sender.send_request(wire).await.map_err(lost)?;
    let status = answer.status().as_u16();
    let headers = answer
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let body = collect(answer.into_body(), request, limit).await?;
    drop(driver);
    Ok(Response { status, headers, body, url: request.url.clone() })
}

/// Ends the connection's task together with the exchange, also one that was
/// given up.
struct Driver(tokio::task::JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Nothing that is not HTTP gets as far as a connection.
pub(super) fn encode(request: &Request) -> Result<Wire, Failure> {
    let wrong = |what: &str| {
        Failure::new(FailureKind::Misconfigured, Step::Send, format!("{what} cannot be written into an HTTP request"))
    };
    let method = match request.method {
        Method::Get => hyper::Method::GET,
        Method::Post => hyper::Method::POST,
    };
    let mut wire = hyper::Request::new(Full::new(Bytes::copy_from_slice(&request.body)));
    *wire.method_mut() = method;
    *wire.uri_mut() = request.url.target().parse().map_err(|_| wrong("the path of the address"))?;
    let headers = wire.headers_mut();
    headers.insert(HOST, HeaderValue::from_str(&request.url.authority()).map_err(|_| wrong("the host"))?);
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("Postroom/", env!("CARGO_PKG_VERSION"))));
    for (name, value) in &request.headers {
        let known =
            HeaderName::try_from(name.as_str()).map_err(|_| wrong(&format!("a header named '{}'", shown(name))))?;
        let value = HeaderValue::from_str(value).map_err(|_| wrong(&format!("the value of the header '{known}'")))?;
        headers.append(known, value);
    }
    Ok(wire)
}

fn shown(name: &str) -> String {
    name.chars().take(60).map(|c| if c.is_control() { '?' } else { c }).collect()
}

async fn collect(mut body: Incoming, request: &Request, limit: usize) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| failure(request, &error))?;
        let Some(data) = frame.data_ref() else { continue };
        if out.len() + data.len() > limit {
            let detail = format!("{} answers with more than {limit} bytes", request.url.host());
            return Err(Failure::garbled(Step::Read, detail));
        }
        out.extend_from_slice(data);
    }
    Ok(out)
}

fn failure(request: &Request, error: &hyper::Error) -> Failure {
    let host = request.url.host();
    if error.is_parse() || error.is_parse_too_large() {
        return Failure::garbled(Step::Read, format!("{host} does not answer as HTTP does: {error}"));
    }
    let mut cause = error.to_string();
    if let Some(source) = std::error::Error::source(error) {
        cause = format!("{cause}: {source}");
    }
    // A request that changes something may have arrived.
    let kind = if request.method == Method::Post { FailureKind::Uncertain } else { FailureKind::Temporary };
    Failure::new(kind, Step::Read, format!("the connection to {host} was lost before the whole answer came ({cause})"))
}
