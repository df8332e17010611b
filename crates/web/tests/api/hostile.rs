//! Requests that nobody should send.

use axum::http::Method;
use serde_json::json;

use crate::world::World;

story!(no_token, |w| {
    let answer = w.get("/WhoAmI").without("authorization").await.expect(401).code("0x80044302");
    let challenge = answer.header("www-authenticate");
    assert!(challenge.starts_with("Bearer authorization_uri=http://crm.example.com/"), "{challenge}");
    assert!(challenge.contains("resource_id=http://crm.example.com/"));
});

story!(wrong_tokens, |w| {
    for value in ["Bearer", "Bearer ", "Bearer x", "Basic YTpi", "bearer \u{7f}", "Bearer ' or 1=1 --"] {
        w.get("/WhoAmI").header("authorization", &value.replace('\u{7f}', "")).await.expect(401).code("0x80044302");
    }
    w.get("/WhoAmI").header("authorization", &format!("bearer {}", w.token)).await.expect(200);
});

story!(no_token_tells_nothing, |w| {
    for path in ["/nothing", "/mailboxes(x)", "//api/nothing", "//api"] {
        w.get(path).without("authorization").await.expect(401);
    }
    w.get("//nothing").without("authorization").await.expect(404);
});

story!(expired_token, |w| {
    use model::tables::ApiToken;
    let tokens = w.store.list::<ApiToken>(&model::Query::of::<ApiToken>()).await.unwrap();
    let soon = model::Clock::now(&*w.clock) + model::SignedDuration::from_secs(60);
    let update = model::Update::of::<ApiToken>(tokens[0].id).set(ApiToken::C.expires_on, Some(soon));
    let actor = model::Actor { user: model::Id::nil() };
    w.store.commit(&model::Commit::new(actor, soon, vec![update.into()])).await.unwrap();
    w.get("/WhoAmI").await.expect(200);
    w.clock.advance(61);
    w.get("/WhoAmI").await.expect(401);
});

story!(tokens_are_hashed, |w| {
    use model::tables::ApiToken;
    let tokens = w.store.list::<ApiToken>(&model::Query::of::<ApiToken>()).await.unwrap();
    assert_eq!(tokens.len(), 1);
    let hash = tokens[0].hash.clone().unwrap();
    assert_eq!(hash.len(), 32);
    assert_ne!(hash, w.token.as_bytes());
});

story!(bad_json, |w| {
    for body in [
        "{",
        "[]",
        "5",
        "\"x\"",
        "null",
        "{\"name\":}",
        "{\"name\":\"a\"} x",
        "\u{0}",
        "{'name':'a'}",
        "{\"name\":\"a\",\"name\":\"b\"}",
        "{\"name\":\"\\ud800\"}",
    ] {
        w.ask(Method::POST, "/accounts").raw("application/json", body).await.expect(400).code("0x80048D19");
    }
    w.ask(Method::POST, "/accounts").raw("application/json", &b"{\"name\":\"\xff\"}"[..]).await.expect(400);
});

story!(deep_json, |w| {
    let deep = format!("{{\"name\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    w.ask(Method::POST, "/accounts").raw("application/json", deep).await.expect(400).code("0x80048D19");
    let deep = format!("{}{}", "{\"email_activity_parties\":[".repeat(60), "]}".repeat(60));
    w.ask(Method::POST, "/emails").raw("application/json", deep).await.expect(400);
});

story!(other_media, |w| {
    for kind in ["text/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        w.ask(Method::POST, "/accounts").raw(kind, "name=a").await.expect(415);
    }
    w.ask(Method::POST, "/accounts")
        .raw("application/json; charset=utf-8; IEEE754Compatible=true", "{\"name\":\"a\"}")
        .await
        .expect(204);
    w.ask(Method::POST, "/accounts")
        .raw("application/json", "{\"name\":\"a\"}")
        .without("content-type")
        .await
        .expect(204);
});

story!(wrong_types_for_every_kind, |w| {
    for (column, value) in [
        ("name", json!(5)),
        ("name", json!(true)),
        ("name", json!({})),
        ("name", json!([])),
        ("donotemail", json!("true")),
        ("donotemail", json!(1)),
        ("statecode", json!("0")),
        ("statecode", json!(0.5)),
        ("preferredcontactmethodcode", json!("x")),
        ("preferredcontactmethodcode", json!(1e300)),
        ("preferredcontactmethodcode", json!(18_446_744_073_709_551_615_u64)),
        ("description", json!(5)),
        ("emailaddress1", json!(["a@b.example"])),
        ("parentaccountid", json!("x")),
        ("ownerid", json!({ "name": "x" })),
    ] {
        let mut body = json!({ "name": "A" });
        body[column] = value.clone();
        let answer = w.post("/accounts", body).await;
        assert_eq!(answer.status, 400, "{column} = {value}: {}", answer.text());
    }
    w.post("/contacts", json!({ "lastname": "C", "birthdate": "soon" })).await.expect(400).code("0x80048D19");
    w.post("/contacts", json!({ "lastname": "C", "birthdate": 5 })).await.expect(400);
    w.post("/contacts", json!({ "lastname": "C", "birthdate": "0001-01-01T00:00:00Z" })).await.expect(400);
});

story!(text_that_means_something_elsewhere, |w| {
    for text in [
        "'; drop table account; --",
        "\" or \"\"=\"",
        "<script>alert(1)</script>",
        "../../etc/passwd",
        "a\r\nSet-Cookie: x=1",
        "%00%0d%0a",
        "𝕏 ü 漢字 🙂",
        "\u{202e}abc",
        "{{7*7}}",
        "${jndi:ldap://x}",
        "a\u{0301}",
    ] {
        let id = w.create("accounts", json!({ "name": text })).await;
        assert_eq!(w.read(&format!("/accounts({id})")).await["name"], text);
        let filter = format!("name eq '{}'", text.replace('\'', "''"));
        let filter: String = filter.bytes().map(|b| format!("%{b:02X}")).collect();
        let list = w.read(&format!("/accounts?$filter={filter}")).await;
        assert_eq!(list["value"][0]["name"], text);
    }
});

story!(nul_is_refused, |w| {
    w.post("/accounts", json!({ "name": "a\0b" })).await.expect(400).code("0x80040203");
});

story!(huge_text, |w| {
    w.post("/accounts", json!({ "name": "x".repeat(1_000_000) })).await.expect(400).code("0x80044331");
    let id = w.create("accounts", json!({ "name": "A", "description": "y".repeat(1_000_000) })).await;
    assert_eq!(
        w.read(&format!("/accounts({id})?$select=description")).await["description"].as_str().unwrap().len(),
        1_000_000
    );
});

#[tokio::test]
async fn too_large() {
    let w = World::sqlite().await;
    let body = vec![b' '; 17 * 1024 * 1024];
    w.ask(Method::POST, "/accounts").raw("application/json", body).await.expect(413);
}

story!(long_url, |w| {
    let url = format!("/accounts?$filter=name%20eq%20'{}'", "x".repeat(33_000));
    w.get(&url).await.expect(414);
    let url = format!("/accounts?$filter=name%20eq%20'{}'", "x".repeat(30_000));
    w.get(&url).await.expect(200);
});

story!(deep_filter, |w| {
    let url = format!("/accounts?$filter={}name%20eq%20'x'{}", "(".repeat(8000), ")".repeat(8000));
    w.get(&url).await.expect(400);
    let url = format!("/accounts?$filter={}name%20eq%20'x'", "not%20".repeat(4000));
    w.get(&url).await.expect(400);
});

story!(broken_paths, |w| {
    for path in [
        "/accounts(",
        "/accounts()",
        "/accounts)",
        "/accounts('",
        "/accounts(x'y)",
        "/%ff",
        "/accounts(%00)",
        "/accounts(0)",
        "/../../../etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
        "/accounts/../mailboxes",
        "/$metadata/x",
        "/accounts(00000000-0000-0000-0000-00000000000)",
        "/accounts(accountid=)",
        "/accounts(=)",
        "/accounts(name=)",
        "/accounts(name='x",
        "/accounts(name=x)",
        "//api/data/v9.2//accounts//x",
    ] {
        let answer = w.get(path).await;
        assert!((400..500).contains(&answer.status), "{path}: {} {}", answer.status, answer.text());
        answer.json();
    }
});

story!(line_breaks_in_what_comes_back_as_a_header, |w| {
    // The id in OData-EntityId is ours; the host is checked.
    let answer = w.post("/accounts", json!({ "name": "A" })).header("host", "evil.example/x?y#z").await.expect(204);
    assert!(answer.header("location").starts_with("http://localhost/api/data/"));
    let answer = w.get("/accounts").prefer("odata.maxpagesize=5, return=representation").await.expect(200);
    assert_eq!(answer.header("preference-applied"), "odata.maxpagesize=5, return=representation");
});

story!(headers_of_every_answer, |w| {
    for answer in [w.get("/accounts").await, w.get("/nothing").await, w.get("/accounts").without("authorization").await]
    {
        assert_eq!(answer.header("odata-version"), "4.0");
        assert!(answer.header("x-ms-service-request-id").len() == 36);
        assert!(answer.header("content-type").starts_with("application/json"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
});

story!(health, |w| {
    assert_eq!(w.get("//healthz").without("authorization").await.expect(200).text(), "ok\n");
    w.get("//readyz").without("authorization").await.expect(200);
    assert!(w.get("//metrics").without("authorization").await.expect(200).text().contains("postroom_up 1"));
});

story!(bad_if_match, |w| {
    let id = w.create("accounts", json!({ "name": "A" })).await;
    w.patch(&format!("/accounts({id})"), json!({})).header("if-match", "rubbish").await.expect(400).code("0x80060883");
});
