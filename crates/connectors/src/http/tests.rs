//! Requests to servers on loopback that behave in every way.

use std::sync::Mutex;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// A server that answers every request as `answer` says; what it was asked
/// stands in the list.
struct Server {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

#[derive(Clone)]
enum Answer {
    Bytes(Vec<u8>),
    /// This, and then silence with the connection open.
    Stall(&'static str),
    /// Bytes without end.
    Endless,
}

impl Server {
    async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut tcp, _)) = listener.accept().await {
                let (answer, log) = (answer.clone(), Arc::clone(&log));
                tokio::spawn(async move {
                    let request = read_request(&mut tcp).await;
                    log.lock().unwrap().push(request);
                    match answer {
                        Answer::Bytes(bytes) => tcp.write_all(&bytes).await.unwrap_or_default(),
                        Answer::Stall(begin) => {
                            tcp.write_all(begin.as_bytes()).await.unwrap();
                            tokio::time::sleep(Duration::from_secs(60)).await;
                        }
                        Answer::Endless => {
                            let head = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n";
                            tcp.write_all(head).await.unwrap_or_default();
                            while tcp.write_all(&[b'x'; 65536]).await.is_ok() {}
                        }
                    }
                });
            }
        });
        Self { port, asked }
    }

    async fn text(answer: impl Into<String>) -> Self {
        Self::start(Answer::Bytes(answer.into().into_bytes())).await
    }

    fn url(&self) -> Url {
        format!("http://127.0.0.1:{}/hook/secret-path?key=secret-key", self.port).parse().unwrap()
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn read_request(tcp: &mut tokio::net::TcpStream) -> String {
    let mut text = String::new();
    let mut bytes = [0; 4096];
    loop {
        let n = tcp.read(&mut bytes).await.unwrap_or(0);
        text.push_str(&String::from_utf8_lossy(&bytes[..n]));
        let lower = text.to_ascii_lowercase();
        let length = lower.split("content-length: ").nth(1).and_then(|t| t.split("\r\n").next());
        let length: usize = length.map_or(0, |t| t.parse().unwrap());
        match text.split_once("\r\n\r\n") {
            Some((_, body)) if body.len() >= length => return text,
            _ if n == 0 => return text,
            _ => {}
        }
    }
}

fn net(networks: &[&str], allow_insecure: bool) -> NetConfig {
    let allow_networks = networks.iter().map(|n| n.parse().unwrap()).collect();
    NetConfig { extra_ca: Vec::new(), allow_insecure, allow_networks, ..NetConfig::default() }
}

fn client() -> Client {
    Client::new(net(&["127.0.0.1"], true)).unwrap()
}

fn quick() -> Limits {
    Limits { total: Duration::from_secs(2), connect: Duration::from_secs(2), body: 10_000, redirects: 3 }
}

const OK: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Twice: a\r\nX-Twice: b\r\nContent-Length: 2\r\n\r\nhi";

#[tokio::test]
async fn a_request_is_sent_and_answered() {
    let server = Server::text(OK).await;
    let request = Request::post(server.url(), "{\"a\":1}").header("Content-Type", "application/json");
    let answer = client().send(request, quick()).await.unwrap();
    assert_eq!(
        (answer.status, answer.body.as_slice(), answer.header("content-type")),
        (200, &b"hi"[..], Some("text/plain"))
    );
    assert!(answer.is_success());
    assert_eq!(answer.headers.iter().filter(|(n, _)| n == "x-twice").count(), 2);
    let asked = server.asked().remove(0).to_ascii_lowercase();
    assert!(asked.starts_with("post /hook/secret-path?key=secret-key http/1.1\r\n"), "{asked}");
    assert!(asked.contains(&format!("\r\nhost: 127.0.0.1:{}\r\n", server.port)), "{asked}");
    assert!(asked.contains("\r\ncontent-length: 7\r\n") && asked.ends_with("\r\n\r\n{\"a\":1}"), "{asked}");
    assert!(asked.contains("\r\nuser-agent: postroom/"), "{asked}");
}

#[tokio::test]
async fn a_status_is_an_answer() {
    let server = Server::text("HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n").await;
    let answer = client().send(Request::get(server.url()), quick()).await.unwrap();
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("7")));
}

#[track_caller]
fn refused(failure: &Failure, kind: FailureKind, contains: &str) {
    assert_eq!(failure.kind, kind, "{failure}");
    assert!(failure.detail.contains(contains), "{failure}");
    for secret in ["secret", "key="] {
        assert!(!format!("{failure:?}").contains(secret), "{failure:?}");
    }
}

#[tokio::test]
async fn addresses_that_are_not_allowed_are_never_asked() {
    let server = Server::text(OK).await;
    let strict = Client::new(net(&[], true)).unwrap();
    for host in ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "[::ffff:127.0.0.1]"] {
        let url = format!("http://{host}:{}/", server.port).parse().unwrap();
        let failure = strict.send(Request::get(url), quick()).await.unwrap_err();
        refused(&failure, FailureKind::Misconfigured, "not allowed");
    }
    for url in ["http://169.254.169.254/latest", "http://10.0.0.1/", "http://[fe80::1]/"] {
        let failure = client().send(Request::get(url.parse().unwrap()), quick()).await.unwrap_err();
        refused(&failure, FailureKind::Misconfigured, "not allowed");
    }
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn clear_text_only_where_allowed() {
    let server = Server::text(OK).await;
    let strict = Client::new(net(&["127.0.0.1"], false)).unwrap();
    let failure = strict.send(Request::get(server.url()), quick()).await.unwrap_err();
    refused(&failure, FailureKind::Misconfigured, "use https");
    assert!(server.asked().is_empty());
}

fn redirect(status: u16, to: &str) -> String {
    format!("HTTP/1.1 {status} Look there\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n")
}

#[tokio::test]
async fn a_redirect_is_followed_without_what_is_secret() {
    let server = Server::text(OK).await;
    let first = Server::text(redirect(307, &server.url().as_text())).await;
    let request = Request::post(first.url(), "body")
        .header("Authorization", "Bearer abc")
        .header("x-signature", "abc")
        .header("Content-Type", "text/plain");
    let answer = client().send(request.clone(), quick()).await.unwrap();
    assert_eq!((answer.status, &answer.url), (200, &server.url()));
    let asked = server.asked().remove(0);
    assert!(asked.starts_with("POST ") && asked.ends_with("body") && !asked.contains("abc"), "{asked}");
    assert!(first.asked()[0].contains("abc"));

    let unasked = Limits { redirects: 0, ..quick() };
    assert_eq!(client().send(request, unasked).await.unwrap().status, 307);
}

#[tokio::test]
async fn see_other_becomes_a_get() {
    let server = Server::text(OK).await;
    for status in [301, 302, 303] {
        let first = Server::text(redirect(status, &server.url().as_text())).await;
        client().send(Request::post(first.url(), "body"), quick()).await.unwrap();
        let asked = server.asked().pop().unwrap();
        assert!(asked.starts_with("GET ") && asked.ends_with("\r\n\r\n"), "{asked}");
    }
}

#[tokio::test]
async fn every_hop_is_checked_anew() {
    for to in ["http://169.254.169.254/x", "http://127.0.0.2/", "http://[::1]/", "//10.1.2.3/"] {
        let first = Server::text(redirect(302, to)).await;
        let failure = client().send(Request::get(first.url()), quick()).await.unwrap_err();
        refused(&failure, FailureKind::Misconfigured, "not allowed");
    }
    for to in ["ftp://example.com/", "http://me:secret@127.0.0.1/", "https://"] {
        let first = Server::text(redirect(302, to)).await;
        let failure = client().send(Request::get(first.url()), quick()).await.unwrap_err();
        refused(&failure, FailureKind::Garbled, "no address");
    }
}

#[tokio::test]
async fn a_ring_of_redirects_ends() {
    let server = Server::text(redirect(302, "/again")).await;
    let failure = client().send(Request::get(server.url()), quick()).await.unwrap_err();
    refused(&failure, FailureKind::Refused, "redirects more than 3 times");
    assert_eq!(server.asked().len(), 4);
}

#[test]
fn tls_is_never_given_up() {
    let request = Request::get("https://h/secret".parse().unwrap());
    let failure = redirected(request, 302, "http://h/").unwrap_err();
    refused(&failure, FailureKind::Misconfigured, "from https to http");
}

#[tokio::test]
async fn the_slow_are_given_up() {
    let limits = Limits { total: Duration::from_millis(300), ..quick() };
    for begin in ["", "HTTP/1.1 200 OK\r\nContent-", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbeg"] {
        let server = Server::start(Answer::Stall(begin)).await;
        let failure = client().send(Request::post(server.url(), ""), limits).await.unwrap_err();
        refused(&failure, FailureKind::Uncertain, "within 0.3 s");
        let failure = client().send(Request::get(server.url()), limits).await.unwrap_err();
        refused(&failure, FailureKind::Temporary, "within 0.3 s");
    }
}

#[tokio::test]
async fn the_huge_are_cut_off() {
    let server = Server::start(Answer::Endless).await;
    let failure = client().send(Request::get(server.url()), quick()).await.unwrap_err();
    refused(&failure, FailureKind::Garbled, "more than 10000 bytes");
    let head = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "y".repeat(200_000));
    let server = Server::text(head).await;
    let failure = client().send(Request::get(server.url()), quick()).await.unwrap_err();
    refused(&failure, FailureKind::Garbled, "does not answer as HTTP does");
}

#[tokio::test]
async fn the_garbled_are_told_apart_from_the_lost() {
    for text in ["220 mail.example.com ESMTP\r\n", "HTTP/9.9 ???\r\n\r\n", "\0\0\0\0\r\n\r\n"] {
        let server = Server::text(text).await;
        let failure = client().send(Request::get(server.url()), quick()).await.unwrap_err();
        refused(&failure, FailureKind::Garbled, "does not answer as HTTP does");
    }
    for text in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort"] {
        let server = Server::text(text).await;
        let failure = client().send(Request::get(server.url()), quick()).await.unwrap_err();
        refused(&failure, FailureKind::Temporary, "was lost");
        let failure = client().send(Request::post(server.url(), "x"), quick()).await.unwrap_err();
        refused(&failure, FailureKind::Uncertain, "was lost");
    }
}

#[tokio::test]
async fn nothing_is_smuggled_into_a_header() {
    let server = Server::text(OK).await;
    for (name, value) in [("a b", "x"), ("x", "secret\r\nY: z"), ("x\r\ny", "z")] {
        let failure = client().send(Request::get(server.url()).header(name, value), quick()).await.unwrap_err();
        refused(&failure, FailureKind::Misconfigured, "cannot be written");
    }
    assert!(server.asked().is_empty());
    assert!(!format!("{:?}", Request::get(server.url()).header("k", "secret")).contains("secret"));
}

#[tokio::test]
async fn nobody_there() {
    let url: Url = "http://127.0.0.1:1/".parse().unwrap();
    let failure = client().send(Request::post(url, ""), quick()).await.unwrap_err();
    refused(&failure, FailureKind::Temporary, "cannot be reached");
}

#[test]
fn signatures_can_be_checked_by_anybody() {
    // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac key
    let found = signature(&model::Secret::new("key"), 1_700_000_000, b"{\"a\":1}");
    assert_eq!(found, "a438e398bfafc57e4396bb7fc2304422f0f768e965d073ca313cb52e22e6ad03");
}
