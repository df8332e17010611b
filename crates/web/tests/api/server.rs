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
    let request = format!("GET /api/data/v9.2/WhoAmI HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n", w.token);
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.contains(&format!("http://{address}/api/data/v9.2/$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse")), "{answer}");
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
    let (a, b, c, d) = tokio::join!(write("telephone1"), write("websiteurl"), write("accountnumber"), write("description"));
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
    let (a, b) = tokio::join!(w.post("/systemusers", body.clone()).into_future(), w.post("/systemusers", body).into_future());
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 412]);
    let list = w.read("/mailboxes?$filter=emailaddress%20eq%20'ann@example.com'").await;
    assert_eq!(list["value"].as_array().unwrap().len(), 1);
});
