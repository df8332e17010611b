//! How much may be asked for, and what is said beyond it.

use std::net::IpAddr;

use axum::http::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use web::Limits;

use crate::world::{Answer, World};

const NONE: Limits = Limits { user_requests: 0, user_seconds: 0, user_concurrent: 0, address_failures: 0 };

fn left(answer: &Answer) -> u64 {
    answer.header("x-ms-ratelimit-burst-remaining-xrm-requests").parse().unwrap()
}

story!(so_many_requests_within_five_minutes, |w| {
    let mut w = w;
    let (_, other) = w.user("ann@example.com").await;
    w.limit(Limits { user_requests: 5, ..NONE });
    for n in 0..5 {
        assert_eq!(left(&w.get("/WhoAmI").await.expect(200)), 4 - n);
        w.clock.advance(20);
    }
    let refused = w.get("/WhoAmI").await.expect(429).code("0x80072322").says("limit of 5");
    let wait: i64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=310).contains(&wait), "{wait}");
    // Not a change either, and others are not touched.
    w.post("/accounts", json!({ "name": "A" })).await.expect(429);
    w.get("/WhoAmI").by(&other).await.expect(200);
    w.clock.advance(wait - 1);
    w.get("/WhoAmI").await.expect(429);
    w.clock.advance(1);
    w.get("/WhoAmI").await.expect(200);
    let names = w.store.list::<model::tables::Account>(&model::Query::of::<model::tables::Account>()).await.unwrap();
    assert!(names.is_empty());
});

story!(so_much_time_within_five_minutes, |w| {
    let mut w = w;
    w.limit(Limits { user_seconds: 1200, ..NONE });
    let answer = w.get("/WhoAmI").await.expect(200);
    let left: f64 = answer.header("x-ms-ratelimit-time-remaining-xrm-requests").parse().unwrap();
    assert!((1190.0..=1200.0).contains(&left), "{left}");
    assert!(answer.headers.get("x-ms-ratelimit-burst-remaining-xrm-requests").is_none());
    w.limit(Limits { user_seconds: 1, ..NONE });
    let mut status = 200;
    for _ in 0..5000 {
        let answer = w.get("/systemusers?$filter=contains(fullname,'a')%20or%20contains(fullname,'b')").await;
        status = answer.status;
        if status == 429 {
            let wait: i64 = answer.header("retry-after").parse().unwrap();
            answer.code("0x80072321").says("execution time");
            w.clock.advance(wait);
            w.get("/WhoAmI").await.expect(200);
            break;
        }
    }
    assert_eq!(status, 429);
});

story!(a_refusal_by_a_limit_counts_nothing, |w| {
    let mut w = w;
    w.limit(Limits { user_requests: 1, ..NONE });
    w.get("/WhoAmI").await.expect(200);
    for _ in 0..31 {
        w.get("/WhoAmI").await.expect(429);
        w.clock.advance(10);
    }
    w.get("/WhoAmI").await.expect(200);
});

/// A server that listens to three guesses from an address, and trusts 127.0.0.9.
fn guarded(w: &World) -> axum::Router {
    let proxies = web::Proxies::trusting(|a| a == IpAddr::from([127, 0, 0, 9]));
    web::router(web::AppState { limits: Limits { address_failures: 3, ..NONE }, proxies, ..w.state() })
}

/// The status of a request that came from this address.
async fn from(router: &axum::Router, address: &str, token: &str, forwarded: &str) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = listener.local_addr().unwrap();
    let server = tokio::spawn(web::serve(listener, router.clone(), std::future::pending()));
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind((address.parse::<IpAddr>().unwrap(), 0).into()).unwrap();
    let mut stream = socket.connect(to).await.unwrap();
    let request = format!(
        "GET /api/data/v9.2/WhoAmI HTTP/1.1\r\nHost: crm.test\r\nX-Forwarded-For: {forwarded}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    server.abort();
    answer.get(9..12).and_then(|s| s.parse().ok()).unwrap_or_else(|| panic!("{answer}"))
}

#[tokio::test]
async fn guessing_tokens_is_slowed() {
    let w = World::sqlite().await;
    let (_, ann) = w.user("ann@example.com").await;
    let r = guarded(&w);
    assert_eq!(from(&r, "127.0.0.1", &ann, "").await, 200);
    for _ in 0..3 {
        assert_eq!(from(&r, "127.0.0.1", "guess", "").await, 401);
    }
    assert_eq!(from(&r, "127.0.0.1", "guess", "").await, 429);
    // Even the right guess is not heard, unless it was right before.
    assert_eq!(from(&r, "127.0.0.1", &w.token, "").await, 429);
    assert_eq!(from(&r, "127.0.0.1", &ann, "").await, 200);
    // What a stranger says about where it came from does not help; other addresses are free.
    assert_eq!(from(&r, "127.0.0.1", "guess", "198.51.100.1").await, 429);
    assert_eq!(from(&r, "127.0.0.2", &w.token, "").await, 200);
    w.clock.advance(311);
    assert_eq!(from(&r, "127.0.0.1", "guess", "").await, 401);
}

#[tokio::test]
async fn behind_a_proxy_each_client_counts_for_itself() {
    let w = World::sqlite().await;
    let r = guarded(&w);
    for _ in 0..3 {
        assert_eq!(from(&r, "127.0.0.9", "guess", "198.51.100.1").await, 401);
    }
    assert_eq!(from(&r, "127.0.0.9", "guess", "198.51.100.1").await, 429);
    assert_eq!(from(&r, "127.0.0.9", "guess", "198.51.100.2").await, 401);
}

story!(compressed_payloads, |w| {
    for coding in ["gzip", "br", "deflate", "identity, gzip", "zstd"] {
        let body = &b"\x1f\x8b\x08\x00"[..];
        let asked = w.ask(Method::POST, "/accounts").raw("application/json", body).header("content-encoding", coding);
        asked.await.expect(415).says("without Content-Encoding");
    }
    let asked = w.post("/accounts", json!({ "name": "A" })).header("content-encoding", "identity");
    asked.await.expect(204);
});
