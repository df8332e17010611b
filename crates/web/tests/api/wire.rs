//! Bytes that no honest client sends, on the real listener: each gets one
//! answer or none, never what it was not entitled to.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::world::World;

async fn listen(w: &World) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(web::serve(listener, w.router(), std::future::pending()));
    address
}

/// What comes back until the server closes, or stays silent for a while.
async fn send(to: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(to).await.unwrap();
    // The server may have closed before it was told everything.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let mut space = [0; 4096];
    while let Ok(Ok(n)) = tokio::time::timeout(Duration::from_millis(700), stream.read(&mut space)).await {
        if n == 0 {
            break;
        }
        answer.extend_from_slice(&space[..n]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

fn answers(text: &str) -> usize {
    text.matches("HTTP/1.1 ").count()
}

fn status(text: &str) -> u16 {
    text.get(9..12).and_then(|s| s.parse().ok()).unwrap_or(0)
}

/// One answer with this status.
#[track_caller]
fn check(what: &str, answer: &str, expected: u16) {
    assert_eq!((answers(answer), status(answer)), (1, expected), "{what}: {answer}");
}

/// A payload that ends in a request of its own, framed in two ways at once:
/// whoever disagrees with a proxy about its end would answer twice.
#[tokio::test]
async fn two_ends_of_one_payload() {
    let w = World::sqlite().await;
    let to = listen(&w).await;
    let smuggled = "GET /healthz HTTP/1.1\r\nHost: x\r\nX: y\r\n\r\n";
    for header in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked",
    ] {
        let request = format!("POST /nothing HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n0\r\n\r\n{smuggled}");
        let answer = send(to, request.as_bytes()).await;
        assert_eq!(answers(&answer), 1, "{header}: {answer}");
        assert!(matches!(status(&answer), 400 | 404), "{header}: {answer}");
    }
    for header in [
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: \x0bchunked",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding\t: chunked",
        " Transfer-Encoding: chunked",
        "X: a\r\n Transfer-Encoding: chunked",
        "X: a\r\n\tfolded",
        "X: a\rTransfer-Encoding: chunked",
        "Content-Length: 5\r\nContent-Length: 50",
        "Content-Length: -5",
        "Content-Length: 0x5",
        "Content-Length: 5 5",
        "Content-Length: 99999999999999999999999",
        "Content-Length:",
        "Content-Length\x00: 5",
        "X: a\x00b",
        "X\x7f: a",
        ": a",
        "X",
    ] {
        let request = format!("POST /nothing HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n0\r\n\r\n{smuggled}");
        let answer = send(to, request.as_bytes()).await;
        check(&format!("{header:?}"), &answer, 400);
    }
}

#[tokio::test]
async fn broken_chunks() {
    let w = World::sqlite().await;
    let to = listen(&w).await;
    let token = &w.token;
    for body in [
        "ZZ\r\n{}\r\n0\r\n\r\n",
        "2\n{}\n0\n\n",
        "-2\r\n{}\r\n0\r\n\r\n",
        "FFFFFFFFFFFFFFFFFF\r\n{}",
        "2\r\n{}XX0\r\n\r\n",
        "2;x=\r\r\n{}\r\n0\r\n\r\n",
    ] {
        let head = format!(
            "POST /api/data/v9.2/accounts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        let answer = send(to, format!("{head}{body}GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await;
        assert!(answers(&answer) <= 1 && !answer.contains(" 200 ") && !answer.contains(" 204 "), "{body:?}: {answer}");
    }
    let rows = w.read("/accounts").await;
    assert_eq!(rows["value"], json!([]));
}

#[tokio::test]
async fn hosts() {
    let w = World::sqlite().await;
    let to = listen(&w).await;
    let ask = |host: &str, target: &str| {
        let token = &w.token;
        format!("GET {target} HTTP/1.1\r\n{host}Authorization: Bearer {token}\r\nConnection: close\r\n\r\n")
    };
    let path = "/api/data/v9.2/WhoAmI";
    for host in [
        "",
        "Host: a\r\nHost: b\r\n",
        "Host: a\r\nHost: a\r\n",
        "Host: evil.example/x?y#z\r\n",
        "Host: user@evil.example\r\n",
        "Host: a b\r\n",
        "Host: \"><script>\r\n",
        "Host: \r\n",
    ] {
        check(host, &send(to, ask(host, path).as_bytes()).await, 400);
    }
    let answer = send(to, ask("Host: crm.test\r\n", path).as_bytes()).await;
    check("plain", &answer, 200);
    assert!(answer.contains("http://crm.test/api/data/v9.2/$metadata"), "{answer}");
    // What a stranger says about the host it was asked for does not count.
    let forwarded = "Host: crm.test\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: https\r\nForwarded: host=evil.example\r\n";
    let answer = send(to, ask(forwarded, path).as_bytes()).await;
    assert!(answer.contains("http://crm.test/api") && !answer.contains("evil.example"), "{answer}");
    let answer = send(to, ask("Host: crm.test\r\n", &format!("http://evil.example{path}")).as_bytes()).await;
    assert!(!answer.contains("evil.example"), "{answer}");
}

#[tokio::test]
async fn too_much_of_everything() {
    let w = World::sqlite().await;
    let to = listen(&w).await;
    let token = &w.token;
    let long = format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "a".repeat(200_000));
    check("a long header", &send(to, long.as_bytes()).await, 431);
    let many = format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{}\r\n", "X: a\r\n".repeat(500));
    check("many headers", &send(to, many.as_bytes()).await, 431);
    let auth = format!("Host: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n");
    let url = format!("GET /api/data/v9.2/accounts?$select={} HTTP/1.1\r\n{auth}\r\n", "a".repeat(40_000));
    check("a long URL", &send(to, url.as_bytes()).await, 414);
    let url = format!("GET /{} HTTP/1.1\r\n{auth}\r\n", "a".repeat(120_000));
    let answer = send(to, url.as_bytes()).await;
    assert!(matches!(status(&answer), 404 | 414 | 431), "{answer}");
    // The length is refused before anything of it is read.
    let body = format!("POST /api/data/v9.2/accounts HTTP/1.1\r\n{auth}Content-Length: 99999999999\r\n\r\n{{");
    check("a large payload", &send(to, body.as_bytes()).await, 413);
}

#[tokio::test]
async fn other_protocols() {
    let w = World::sqlite().await;
    let to = listen(&w).await;
    for bytes in [
        &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..],
        b"GET /healthz\r\n\r\n",
        b"GET /healthz HTTP/3.0\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x00\x00\x00\x00\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /a\x00b HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT evil.example:25 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"EHLO crm.test\r\nMAIL FROM:<a@b>\r\n",
    ] {
        let answer = send(to, bytes).await;
        assert!(answers(&answer) <= 1 && !answer.contains(" 200 "), "{:?}: {answer}", String::from_utf8_lossy(bytes));
    }
    let answer = send(to, b"TRACE /healthz HTTP/1.1\r\nHost: x\r\nX-Secret: s\r\nConnection: close\r\n\r\n").await;
    assert!(!answer.contains("X-Secret") && status(&answer) == 405, "{answer}");
    let old = send(to, b"GET /healthz HTTP/1.0\r\n\r\n").await;
    assert!(old.starts_with("HTTP/1.0 200"), "{old}");
}

#[tokio::test]
async fn out_of_the_tree() {
    let w = World::sqlite().await;
    let to = listen(&w).await;
    for path in [
        "/api/data/v9.2/../../../etc/passwd",
        "/api/data/v9.2/%2e%2e/%2e%2e/etc/passwd",
        "/api/data/v9.2/..%2f..%2f..%2fetc%2fpasswd",
        "/api/data/v9.2/accounts/..%5c..%5cetc",
        "/../etc/passwd",
        "/..%2fpostroom.toml",
        "//etc/passwd",
        "/api/../healthz",
        "/api/data/v9.2/%252e%252e/mailboxes",
        "/api/data/v9.2/mailboxes%00",
        "/api/data/v9.2/mailboxes%0d%0aX-Evil:%201",
        "/api/data/v9.2/%0d%0aSet-Cookie:%20a=b",
    ] {
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n", w.token);
        let answer = send(to, request.as_bytes()).await;
        assert!(matches!(status(&answer), 400 | 404), "{path}: {answer}");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(!head.to_lowercase().contains("evil") && !head.to_lowercase().contains("cookie"), "{path}: {head}");
        assert!(
            serde_json::from_str::<serde_json::Value>(body).unwrap()["error"]["code"].is_string(),
            "{path}: {body}"
        );
    }
}

#[tokio::test]
async fn what_was_stored_does_not_become_a_header() {
    let w = World::sqlite().await;
    let email = w.create("emails", json!({ "subject": "S" })).await;
    for kind in ["text/html\r\nX-Evil: 1", "text/html", "\u{1}", "é", "text/plain; charset=\"\r\n\r\n<script>\""] {
        let answer = w
            .post(
                "/activitymimeattachments",
                json!({ "objectid_activitypointer@odata.bind": format!("/activitypointers({email})"), "objecttypecode": "email",
                        "filename": "a\r\nX-Evil: 1.txt", "mimetype": kind, "body": "PGI+" }),
            )
            .await;
        if answer.status != 204 {
            assert!((400..500).contains(&answer.status), "{kind:?}: {}", answer.text());
            continue;
        }
        let id = answer.entity_id();
        let answer = w.get(&format!("/activitymimeattachments({id})/body/$value")).await.expect(200);
        assert!(answer.headers.get("x-evil").is_none(), "{kind:?}");
        assert_eq!(answer.header("content-disposition"), "attachment");
        assert_eq!(answer.header("content-security-policy"), "sandbox");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn requests_one_behind_the_other() {
    let w = World::sqlite().await;
    let to = listen(&w).await;
    let one = |path: &str, more: &str| {
        format!("GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n{more}\r\n", w.token)
    };
    let mut all = String::new();
    for _ in 0..40 {
        all += &one("/api/data/v9.2/WhoAmI", "");
        all += &one("/healthz", "");
    }
    all += &one("/nothing", "Connection: close\r\n");
    let answer = send(to, all.as_bytes()).await;
    let statuses: Vec<&str> = answer.split("HTTP/1.1 ").skip(1).map(|a| &a[..3]).collect();
    assert_eq!((statuses.len(), statuses[79], statuses[80]), (81, "200", "404"));
    // In the order in which they were asked.
    assert!(answer.split("HTTP/1.1 ").skip(1).step_by(2).take(40).all(|a| a.contains("WhoAmIResponse")));
}

#[tokio::test]
async fn many_who_say_nothing() {
    let w = World::sqlite().await;
    let to = listen(&w).await;
    let mut silent = Vec::new();
    for n in 0..600 {
        let mut stream = TcpStream::connect(to).await.unwrap();
        if n % 2 == 0 {
            stream.write_all(b"GET /api/data/v9.2/WhoAmI HTTP/1.1\r\nHost:").await.unwrap();
        }
        silent.push(stream);
    }
    let began = tokio::time::Instant::now();
    check("one who does", &send(to, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await, 200);
    assert!(began.elapsed() < Duration::from_secs(2));
}

/// Sends, lets time pass, and gives back what came until the server closed.
async fn long_after(to: SocketAddr, bytes: &[u8], seconds: u64) -> String {
    let mut stream = TcpStream::connect(to).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(600), stream.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "the connection was not closed");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_payload_that_does_not_come() {
    let w = World::sqlite().await;
    let to = listen(&w).await;
    let head = format!(
        "POST /api/data/v9.2/accounts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Length: 100\r\nConnection: close\r\n\r\n{{\"na",
        w.token
    );
    check("slow", &long_after(to, head.as_bytes(), 101).await, 408);
}

#[tokio::test]
async fn a_connection_that_stands_idle_after_its_answer() {
    let w = World::sqlite().await;
    let to = listen(&w).await;
    check("idle", &long_after(to, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 31).await, 200);
}

#[tokio::test]
async fn rubbish() {
    let w = World::sqlite().await;
    let to = listen(&w).await;
    let valid = format!(
        "PATCH /api/data/v9.2/accounts(00000000-0000-0000-0000-000000000001)?$select=name HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: 12\r\nConnection: close\r\n\r\n{{\"name\":\"a\"}}",
        w.token
    );
    let mut dice = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = |below: usize| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        usize::try_from(dice % below as u64).unwrap()
    };
    let mut waiting = Vec::new();
    for _ in 0..300 {
        let mut bytes = valid.clone().into_bytes();
        for _ in 0..=next(4) {
            let at = next(bytes.len());
            match next(3) {
                0 => bytes[at] = next(256) as u8,
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, b"\r\n\0 :%/?&(){}\xff"[next(14)]),
            }
        }
        waiting.push(tokio::spawn(async move {
            let answer = send(to, &bytes).await;
            assert!(!answer.contains("HTTP/1.1 5"), "{:?}: {answer}", String::from_utf8_lossy(&bytes));
        }));
    }
    for one in waiting {
        one.await.unwrap();
    }
    check("afterwards", &send(to, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await, 200);
}

#[tokio::test]
async fn payloads_made_to_be_dear() {
    let w = World::sqlite().await;
    let post = |body: String| w.ask(axum::http::Method::POST, "/accounts").raw("application/json", body);
    for (what, body) in [
        ("a number without end", format!("{{\"name\":\"a\",\"versionnumber\":{}}}", "9".repeat(100_000))),
        ("an exponent", "{\"name\":\"a\",\"donotemail\":1e999999999}".to_owned()),
        ("a fraction", format!("{{\"name\":\"a\",\"statecode\":0.{}1}}", "0".repeat(100_000))),
        ("many keys", format!("{{{}\"name\":\"a\"}}", (0..50_000).map(|n| format!("\"k{n}\":1,")).collect::<String>())),
        ("the same key", format!("{{{}\"name\":\"a\"}}", "\"name\":\"a\",".repeat(50_000))),
        ("a long key", format!("{{\"{}\":1}}", "k".repeat(1_000_000))),
        ("a wide array", format!("{{\"name\":[{}1]}}", "1,".repeat(500_000))),
        ("many rows", format!("{{\"name\":\"a\",\"contact_customer_accounts\":[{}{{}}]}}", "{},".repeat(20_000))),
        ("escapes", format!("{{\"name\":\"{}\"}}", "\\u0000".repeat(10_000))),
        ("half a pair", "{\"name\":\"\\ud83d\"}".to_owned()),
        ("a byte order mark twice", "\u{feff}\u{feff}{\"name\":\"a\"}".to_owned()),
    ] {
        let began = tokio::time::Instant::now();
        let answer = post(body).await;
        assert_eq!(answer.status, 400, "{what}: {:.300}", answer.text());
        assert!(answer.body.len() < 100_000, "{what}: an answer of {} octets", answer.body.len());
        assert!(began.elapsed() < Duration::from_secs(5), "{what}: {:?}", began.elapsed());
    }
    assert_eq!(w.read("/accounts").await["value"], json!([]));
}
