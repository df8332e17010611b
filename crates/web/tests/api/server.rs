//! The server as a whole: a listener, a panic, writes at the same time.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::world::World;

#[tokio::test]
async fn listens_and_ends() {
    let w = World::sqlite().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(web::serve(listener, w.router(), async {
        let _ = stopped.await;
    }));
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET /api/data/v9.2/WhoAmI HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
        w.token
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(
        answer.contains(&format!("http://{address}/api/data/v9.2/$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse")),
        "{answer}"
    );
    stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(10), server).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_panic_ends_the_request_alone() {
    let mut w = World::sqlite().await;
    w.metrics(Arc::new(|| panic!("secret detail")));
    let answer = w.get("//metrics").await.expect(500).code("0x80040216");
    assert!(!answer.text().contains("secret detail"));
    w.get("/WhoAmI").await.expect(200);
}

story!(writes_at_the_same_time_all_count, |w| {
    let id = w.create("accounts", json!({ "name": "A" })).await;
    let path = format!("/accounts({id})");
    let write = |column: &'static str| w.patch(&path, json!({ column: "1" })).into_future();
    use std::future::IntoFuture;
    let (a, b, c, d) =
        tokio::join!(write("telephone1"), write("websiteurl"), write("accountnumber"), write("description"));
    for answer in [a, b, c, d] {
        answer.expect(204);
    }
    let row = w.read(&path).await;
    for column in ["telephone1", "websiteurl", "accountnumber", "description"] {
        assert_eq!(row[column], "1", "{column}");
    }
});

story!(one_of_two_with_the_same_etag, |w| {
    use std::future::IntoFuture;
    let id = w.create("accounts", json!({ "name": "A" })).await;
    let path = format!("/accounts({id})");
    let etag = w.read(&path).await["@odata.etag"].as_str().unwrap().to_owned();
    let write = |name: &str| w.patch(&path, json!({ "name": name })).header("if-match", &etag).into_future();
    let (a, b) = tokio::join!(write("B"), write("C"));
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 412]);
});

story!(one_mailbox_for_a_user_created_twice, |w| {
    use std::future::IntoFuture;
    let body = json!({ "systemuserid": "00000000-0000-0000-0000-0000000000aa", "domainname": "ann", "lastname": "Ann", "internalemailaddress": "ann@example.com" });
    let (a, b) =
        tokio::join!(w.post("/systemusers", body.clone()).into_future(), w.post("/systemusers", body).into_future());
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 412]);
    let list = w.read("/mailboxes?$filter=emailaddress%20eq%20'ann@example.com'").await;
    assert_eq!(list["value"].as_array().unwrap().len(), 1);
});

#[tokio::test]
async fn a_slow_header_is_given_up() {
    let w = World::sqlite().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(web::serve(listener, w.router(), std::future::pending()));
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-").await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    // Half a minute passes at once.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(31)).await;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(600), stream.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "the connection was not closed");
}

#[tokio::test]
async fn smuggled_requests() {
    let w = World::sqlite().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(web::serve(listener, w.router(), std::future::pending()));
    for header in [
        "Content-Length: 5\r\nContent-Length: 6",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Content-Length: +5",
        "Content-Length: 5, 6",
        "X : y\r\nContent-Length : 5",
        "Bad\x00Name: x",
    ] {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("POST /healthz HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\nabcde");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400"), "{header}: {answer}");
    }
}

#[tokio::test]
async fn a_worker_answers_for_its_health_alone() {
    let w = World::sqlite().await;
    let state = w.state();
    let mut only = w;
    only.replace_router(web::health_router(state));
    only.get("//healthz").await.expect(200);
    only.get("//readyz").await.expect(200);
    only.get("/WhoAmI").await.expect(404);
}

#[tokio::test]
async fn too_many_requests_of_one_user() {
    let w = World::sqlite().await;
    // Payloads that never come to an end hold their places.
    let hold = || {
        let (sender, body) = tokio::io::duplex(16);
        let body = axum::body::Body::from_stream(endless(body));
        let request = axum::http::Request::post("/api/data/v9.2/accounts")
            .header("authorization", format!("Bearer {}", w.token))
            .body(body)
            .unwrap();
        (sender, tokio::spawn(tower::ServiceExt::oneshot(w.router(), request)))
    };
    let mut waiting: Vec<_> = (0..52).map(|_| hold()).collect();
    let mut status = 0;
    for _ in 0..200 {
        let answer = w.get("/WhoAmI").await;
        status = answer.status;
        if status == 429 {
            assert_eq!(answer.header("retry-after"), "1");
            answer.code("0x80072326");
            break;
        }
        // This request may have had the place of one that was to hold it.
        waiting.push(hold());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(status, 429);
    for (_, task) in &waiting {
        task.abort();
    }
    drop(waiting);
    tokio::time::sleep(Duration::from_millis(50)).await;
    w.get("/WhoAmI").await.expect(200);
}

/// The bytes that come, and no end.
fn endless(
    mut from: tokio::io::DuplexStream,
) -> impl futures::Stream<Item = Result<axum::body::Bytes, std::io::Error>> + Send {
    futures::stream::poll_fn(move |context| {
        let mut space = [0; 16];
        let mut buffer = tokio::io::ReadBuf::new(&mut space);
        match tokio::io::AsyncRead::poll_read(std::pin::Pin::new(&mut from), context, &mut buffer) {
            std::task::Poll::Ready(Ok(())) => {
                std::task::Poll::Ready(Some(Ok(axum::body::Bytes::copy_from_slice(buffer.filled()))))
            }
            std::task::Poll::Ready(Err(error)) => std::task::Poll::Ready(Some(Err(error))),
            std::task::Poll::Pending => std::task::Poll::Pending,
        }
    })
}
