//! API tokens: made, listed and revoked by their owner, and no more than
//! their scopes.

use serde_json::json;

use super::audited;

story!(ones_own_tokens, |w| {
    let (_, token) = w.user("ann@example.com").await;
    let (_, other) = w.user("bob@example.com").await;
    let body = json!({ "Name": "Script", "Scopes": "read", "ExpiresOn": "2026-03-02T09:00:00Z" });
    let made = w.post("/pr_CreateApiToken", body).by(&token).await.expect(200).json();
    let (id, fresh) = (made["pr_apitokenid"].as_str().unwrap(), made["Token"].as_str().unwrap());
    let list = w.get("/pr_apitokens").by(&token).await.expect(200).json();
    assert_eq!(list["value"].as_array().unwrap().len(), 2);
    assert!(!list.to_string().contains(fresh) && !list.to_string().contains("hash"));
    w.get(&format!("/pr_apitokens({id})")).by(&other).await.expect(404);
    w.delete(&format!("/pr_apitokens({id})")).by(&other).await.expect(404);
    w.get("/WhoAmI").by(fresh).await.expect(200);
    let row = w.get(&format!("/pr_apitokens({id})")).by(&token).await.expect(200).json();
    assert_eq!(row["pr_lastusedon"], "2026-03-01T09:00:00Z");
    assert_eq!(row["pr_scopes"], "read");
    w.delete(&format!("/pr_apitokens({id})")).by(&token).await.expect(204);
    w.get("/WhoAmI").by(fresh).await.expect(401);
    let text = format!("{:?}", audited(&w, "token-created").await);
    assert!(text.contains("Script") && !text.contains(fresh));
});

story!(a_token_expires, |w| {
    let body = json!({ "Name": "Short", "ExpiresOn": "2026-03-01T09:01:00Z" });
    let made = w.post("/pr_CreateApiToken", body).await.expect(200).json();
    let token = made["Token"].as_str().unwrap();
    w.get("/WhoAmI").by(token).await.expect(200);
    w.clock.advance(60);
    w.get("/WhoAmI").by(token).await.expect(401);
});

story!(what_is_wrong_with_a_token, |w| {
    let refused = async |body: serde_json::Value, words: &str| {
        w.post("/pr_CreateApiToken", body).await.expect(400).says(words);
    };
    refused(json!({}), "name").await;
    refused(json!({ "Name": "x", "Scopes": "everything" }), "no scope").await;
    refused(json!({ "Name": "x", "ExpiresOn": "2026-03-01T09:00:00Z" }), "expired already").await;
    refused(json!({ "Name": "x", "ExpiresOn": "tomorrow" }), "ExpiresOn").await;
    refused(json!({ "Name": "x", "Colour": "red" }), "Colour").await;
    w.get("/pr_CreateApiToken").await.expect(405);
    w.post("/pr_apitokens", json!({ "pr_name": "x" })).await.expect(405).says("pr_CreateApiToken");
    assert_eq!(w.read("/pr_apitokens/$count").await, 1);
});

story!(scopes_take_away, |w| {
    let make = async |scopes: &str| {
        let made = w.post("/pr_CreateApiToken", json!({ "Name": "x", "Scopes": scopes })).await.expect(200).json();
        made["Token"].as_str().unwrap().to_owned()
    };
    let read = make("read").await;
    w.get("/contacts").by(&read).await.expect(200);
    w.post("/contacts", json!({ "lastname": "C" })).by(&read).await.expect(403).code("0x80040220").says("scopes");
    w.post("/pr_CreateApiToken", json!({ "Name": "more" })).by(&read).await.expect(403);
    let work = make("work").await;
    let contact = w.post("/contacts", json!({ "lastname": "C" })).by(&work).await.expect(204).entity_id();
    w.patch(&format!("/contacts({contact})"), json!({ "lastname": "D" })).by(&work).await.expect(204);
    w.get("/mailboxes").by(&work).await.expect(403);
    w.post("/systemusers", json!({ "lastname": "U" })).by(&work).await.expect(403);
    w.get("/pr_apitokens").by(&work).await.expect(403);
    let one = make("read contact").await;
    w.get(&format!("/contacts({contact})")).by(&one).await.expect(200);
    w.get("/accounts").by(&one).await.expect(403);
    w.delete(&format!("/contacts({contact})")).by(&one).await.expect(403);
});

story!(an_administrator_makes_tokens_for_others, |w| {
    let (ann, token) = w.user("ann@example.com").await;
    let (bob, _) = w.user("bob@example.com").await;
    w.post("/pr_CreateApiToken", json!({ "Name": "x", "UserId": bob })).by(&token).await.expect(403);
    let made = w.post("/pr_CreateApiToken", json!({ "Name": "x", "UserId": ann })).await.expect(200).json();
    let who = w.get("/WhoAmI").by(made["Token"].as_str().unwrap()).await.expect(200).json();
    assert_eq!(who["UserId"], ann.as_str());
    w.delete(&format!("/pr_apitokens({})", made["pr_apitokenid"].as_str().unwrap())).await.expect(204);
});
