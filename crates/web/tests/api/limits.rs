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

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

story!(a_query_beyond_its_limits_is_refused, |w| {
    let refused = async |url: String, words: &str| {
        w.get(&url).await.expect(400).code("0x80060888").says(words);
    };
    let many = |one: &str, by: &str, n| vec![one; n].join(by);
    refused(format!("/accounts?$filter={}", many("statecode%20eq%200", "%20or%20", 600)), "more than 500 conditions")
        .await;
    w.get(&format!("/accounts?$filter={}", many("statecode%20eq%200", "%20or%20", 500))).await.expect(200);
    w.get(&format!("/accounts?$filter={}", many("not%20(statecode%20eq%200)", "%20and%20", 300))).await.expect(200);
    refused(format!("/accounts?$filter={}", many("a%20eq%200", "%20or%20", 1300)), "").await;
    let values = encoded(&many("'1'", ",", 3000));
    let listed = format!("Microsoft.Dynamics.CRM.In(PropertyName='statecode',PropertyValues=[{values}])");
    let answer = w.get(&format!("/accounts?$filter={listed}")).await;
    assert!(matches!(answer.status, 200 | 400), "{}", answer.text());
    refused(format!("/accounts?$orderby={}", many("name", ",", 17)), "more than 16 criteria").await;
    let nested = (0..12).fold(String::new(), |inner, _| {
        if inner.is_empty() { "createdby".to_owned() } else { format!("createdby($expand={inner})") }
    });
    refused(format!("/accounts?$expand={nested}"), "too deeply").await;
    let wide = "createdby($expand=createdby,modifiedby,businessunitid),modifiedby($expand=createdby,modifiedby,businessunitid)";
    w.get(&format!("/accounts?$expand={wide}")).await.expect(200);
    let wider = format!(
        "{wide},ownerid($expand=createdby,modifiedby,businessunitid),primarycontactid($expand=createdby,modifiedby,ownerid)"
    );
    refused(format!("/accounts?$expand={wider}"), "exceeds the limit of 15").await;
    w.get("/accounts").prefer("odata.maxpagesize=9999999").await.expect(200);
    refused("/accounts?$top=-1".into(), "").await;
    refused("/accounts?$top=99999999999999999999".into(), "").await;
});

story!(lookups_are_followed_to_so_many_tables, |w| {
    let one = ["createdby", "modifiedby", "ownerid", "parentaccountid", "primarycontactid"];
    let mut paths = Vec::new();
    for a in one {
        for b in ["createdby", "modifiedby", "ownerid"] {
            for c in ["createdby", "modifiedby", "businessunitid"] {
                paths.push(format!("{a}/{b}/{c}/createdon ne null"));
            }
        }
    }
    let url = format!("/accounts?$filter={}", encoded(&paths.join(" or ")));
    let answer = w.get(&url).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
});

/// Folding seven megabytes hundreds of times takes any database long.
async fn a_query_ends_in_time(postgres: bool) {
    let limit = std::time::Duration::from_secs(1);
    let Some(w) = World::hurried(postgres, limit).await else { return };
    for n in 0..150 {
        w.create("accounts", json!({ "name": format!("A{n}"), "description": "Öl ".repeat(15_000) })).await;
    }
    let terms: Vec<String> = (0..300).map(|n| format!("contains(description,'{n}x')")).collect();
    let began = tokio::time::Instant::now();
    let url = format!("/accounts?$filter={}", encoded(&terms.join(" or ")));
    let answer = w.get(&url).await.expect(503).code("0x80044151").says("in time");
    assert_eq!(answer.header("retry-after"), "5");
    assert!(began.elapsed() < limit * 8, "{:?}", began.elapsed());
    let url = format!("/accounts/$count?$filter={}", encoded(&terms.join(" or ")));
    w.get(&url).await.expect(503);
    // The next query is not the worse for it.
    w.get("/accounts?$select=name").await.expect(200);
}

#[tokio::test]
async fn a_query_ends_in_time_on_sqlite() {
    a_query_ends_in_time(false).await;
}

#[tokio::test]
async fn a_query_ends_in_time_on_postgres() {
    a_query_ends_in_time(true).await;
}
