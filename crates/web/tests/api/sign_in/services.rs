//! Services: client id and secret, access tokens, the documents of the authority.

use actions::sign_in::application;
use axum::http::Method;
use serde_json::{Value, json};

use super::{Browser, audited};
use crate::world::{Answer, World};

async fn service(w: &World) -> (String, String, model::Id) {
    let ctx = w.context().await;
    let app = application::create(&ctx, "Billing").await.unwrap();
    let (id, secret) = application::add_secret(&ctx, app.application, "first", None).await.unwrap();
    (app.application.to_string(), secret, id)
}

async fn ask(w: &World, path: &str, fields: &[(&str, &str)]) -> Answer {
    let ask = Browser::new(w).ask(Method::POST, path);
    ask.raw("application/x-www-form-urlencoded", super::browser::form(fields)).await
}

fn token(answer: &Answer) -> String {
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

story!(a_service_gets_a_token, |w| {
    let (client, secret, _) = service(&w).await;
    let tenant = w.read("/WhoAmI").await["OrganizationId"].as_str().unwrap().to_owned();
    let base = [("grant_type", "client_credentials"), ("client_id", &client), ("client_secret", &secret)];
    for (path, more) in [
        ("/oauth2/token".to_owned(), vec![]),
        (format!("/{tenant}/oauth2/v2.0/token"), vec![("scope", "http://crm.example.com/.default")]),
        (format!("/{tenant}/oauth2/v2.0/token"), vec![("scope", "http://crm.example.com//.default")]),
        ("/common/oauth2/token".to_owned(), vec![("resource", "http://crm.example.com/")]),
    ] {
        let answer = ask(&w, &path, &[base.as_slice(), more.as_slice()].concat()).await.expect(200);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.json()["token_type"], "Bearer");
        assert_eq!(answer.json()["expires_in"], 3600);
        let token = token(&answer);
        let parts: Vec<&str> = token.split('.').collect();
        assert_eq!(parts.len(), 3);
        w.get("/WhoAmI").by(&token).await.expect(200);
    }
    assert_eq!(audited(&w, "sign-in").await.len(), 1, "noted once a minute");
});

story!(basic_authentication, |w| {
    use base64::Engine;
    let (client, secret, _) = service(&w).await;
    let basic = |id: &str, secret: &str| {
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}")))
    };
    let post = |authorization: &str, body: &str| {
        Browser::new(&w)
            .ask(Method::POST, "/oauth2/token")
            .header("authorization", authorization)
            .raw("application/x-www-form-urlencoded", body.to_owned())
    };
    let grant = "grant_type=client_credentials";
    post(&basic(&client, &secret), grant).await.expect(200);
    let answer = post(&basic(&client, "wrong"), grant).await.expect(401);
    assert_eq!(answer.json()["error"], "invalid_client");
    assert!(answer.header("www-authenticate").starts_with("Basic"));
    post("Basic !!!", grant).await.expect(401);
    post("Bearer x", grant).await.expect(401);
    let both = format!("{grant}&client_id={client}&client_secret={secret}");
    assert_eq!(post(&basic(&client, &secret), &both).await.expect(400).json()["error"], "invalid_request");
});

story!(refusals_of_the_token_endpoint, |w| {
    let (client, secret, _) = service(&w).await;
    let refused = async |path: &str, fields: &[(&str, &str)], status: u16, error: &str| {
        let answer = ask(&w, path, fields).await.expect(status);
        assert_eq!(answer.json()["error"], error, "{}", answer.text());
        assert!(answer.json()["error_description"].is_string());
    };
    let (id, key) = (("client_id", client.as_str()), ("client_secret", secret.as_str()));
    let grant = ("grant_type", "client_credentials");
    refused("/oauth2/token", &[id, key], 400, "invalid_request").await;
    refused("/oauth2/token", &[("grant_type", "password"), id, key], 400, "unsupported_grant_type").await;
    refused("/oauth2/token", &[("grant_type", "authorization_code"), id, key], 400, "unsupported_grant_type").await;
    refused("/oauth2/token", &[grant, id], 401, "invalid_client").await;
    refused("/oauth2/token", &[grant, id, ("client_secret", "wrong")], 401, "invalid_client").await;
    refused("/oauth2/token", &[grant, ("client_id", "nobody"), key], 401, "invalid_client").await;
    let other = service(&w).await;
    refused("/oauth2/token", &[grant, id, ("client_secret", &other.1)], 401, "invalid_client").await;
    let scope = ("scope", "https://other.example/.default");
    refused("/oauth2/token", &[grant, id, key, scope], 400, "invalid_scope").await;
    refused("/oauth2/token", &[grant, id, key, ("resource", "https://other.example")], 400, "invalid_target").await;
    refused("/other-tenant/oauth2/token", &[grant, id, key], 400, "invalid_request").await;
    let twice = format!("grant_type=client_credentials&client_id={client}&client_id={client}&client_secret={secret}");
    let ask = Browser::new(&w).ask(Method::POST, "/oauth2/token").raw("application/x-www-form-urlencoded", twice);
    assert_eq!(ask.await.expect(400).json()["error"], "invalid_request");
    let ask = Browser::new(&w).ask(Method::POST, "/oauth2/token").json(&json!({}));
    assert_eq!(ask.await.expect(400).json()["error"], "invalid_request");
    Browser::new(&w).ask(Method::GET, "/oauth2/token").await.expect(405);
    assert_eq!(audited(&w, "sign-in-failed").await.len(), 3);
});

story!(a_token_ends_with_its_secret_its_user_and_its_time, |w| {
    let (client, secret, id) = service(&w).await;
    let fields = [("grant_type", "client_credentials"), ("client_id", &client), ("client_secret", &secret)];
    let first = token(&ask(&w, "/oauth2/token", &fields).await.expect(200));
    let user = w.get("/WhoAmI").by(&first).await.expect(200).json()["UserId"].as_str().unwrap().to_owned();
    w.clock.advance(3599);
    w.get("/WhoAmI").by(&first).await.expect(200);
    w.clock.advance(1);
    w.get("/WhoAmI").by(&first).await.expect(401);
    let second = token(&ask(&w, "/oauth2/token", &fields).await.expect(200));
    w.patch(&format!("/systemusers({user})"), json!({ "isdisabled": true })).await.expect(204);
    w.get("/WhoAmI").by(&second).await.expect(401);
    ask(&w, "/oauth2/token", &fields).await.expect(401);
    w.patch(&format!("/systemusers({user})"), json!({ "isdisabled": false })).await.expect(204);
    w.get("/WhoAmI").by(&second).await.expect(200);
    application::revoke_secret(&w.context().await, id).await.unwrap();
    w.get("/WhoAmI").by(&second).await.expect(401);
    ask(&w, "/oauth2/token", &fields).await.expect(401);
    assert_eq!(audited(&w, "secret-revoked").await.len(), 1);
});

story!(secrets_are_rotated_one_after_the_other, |w| {
    let (client, secret, old) = service(&w).await;
    let ctx = w.context().await;
    let end = model::Clock::now(&*w.clock) + model::SignedDuration::from_secs(60);
    let (_, fresh) = application::add_secret(&ctx, client.parse().unwrap(), "second", Some(end)).await.unwrap();
    let grant = async |secret: &str| {
        let fields = [("grant_type", "client_credentials"), ("client_id", client.as_str()), ("client_secret", secret)];
        ask(&w, "/oauth2/token", &fields).await.status
    };
    assert_eq!((grant(&secret).await, grant(&fresh).await), (200, 200));
    application::revoke_secret(&ctx, old).await.unwrap();
    assert_eq!((grant(&secret).await, grant(&fresh).await), (401, 200));
    w.clock.advance(60);
    assert_eq!(grant(&fresh).await, 401);
});

story!(tokens_that_were_tampered_with, |w| {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
    let (client, secret, _) = service(&w).await;
    let fields = [("grant_type", "client_credentials"), ("client_id", &client), ("client_secret", &secret)];
    let good = token(&ask(&w, "/oauth2/token", &fields).await.expect(200));
    let parts: Vec<&str> = good.split('.').collect();
    let decode = |part: &str| serde_json::from_slice::<Value>(&B64.decode(part).unwrap()).unwrap();
    let mut header = decode(parts[0]);
    let mut claims = decode(parts[1]);
    let admin = w.read("/WhoAmI").await["UserId"].clone();
    claims["sub"] = admin;
    let encode = |value: &Value| B64.encode(value.to_string());
    let forged = format!("{}.{}.{}", parts[0], encode(&claims), parts[2]);
    w.get("/WhoAmI").by(&forged).await.expect(401);
    header["alg"] = json!("none");
    w.get("/WhoAmI").by(&format!("{}.{}.", encode(&header), parts[1])).await.expect(401);
    w.get("/WhoAmI").by(&format!("{}.{}.{}", encode(&header), parts[1], parts[2])).await.expect(401);
    header["alg"] = json!("HS256");
    w.get("/WhoAmI").by(&format!("{}.{}.{}", encode(&header), parts[1], parts[2])).await.expect(401);
    for rubbish in ["a.b.c", "..", ".", "a.b", &format!("{}.x", "a".repeat(20_000))] {
        w.get("/WhoAmI").by(rubbish).await.expect(401);
    }
    w.get("/WhoAmI").by(&good).await.expect(200);
});

story!(the_documents_of_the_authority, |w| {
    let tenant = w.read("/WhoAmI").await["OrganizationId"].as_str().unwrap().to_owned();
    let answer = w.get("/WhoAmI").without("authorization").await.expect(401);
    let challenge = answer.header("www-authenticate");
    assert!(
        challenge.contains(&format!("authorization_uri=http://crm.example.com/{tenant}/oauth2/authorize")),
        "{challenge}"
    );
    let mut browser = Browser::new(&w);
    for path in ["/.well-known/openid-configuration", "/common/v2.0/.well-known/openid-configuration"] {
        let document = browser.get(path).await.expect(200).json();
        assert_eq!(document["issuer"], format!("http://crm.example.com/{tenant}/v2.0"));
        assert_eq!(document["token_endpoint"], format!("http://crm.example.com/{tenant}/oauth2/v2.0/token"));
    }
    browser.get("/elsewhere/v2.0/.well-known/openid-configuration").await.expect(400);
    browser.get("/common/discovery/instance").await.expect(200);
    let (client, secret, _) = service(&w).await;
    let fields = [("grant_type", "client_credentials"), ("client_id", &client), ("client_secret", &secret)];
    let good = token(&ask(&w, "/oauth2/token", &fields).await.expect(200));
    let keys = browser.get(&format!("/{tenant}/discovery/v2.0/keys")).await.expect(200).json();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
    verify(&good, &keys["keys"][0]);
    // A new key after a month, while the old one is still published.
    w.clock.advance(30 * 24 * 3600);
    let fresh = token(&ask(&w, "/oauth2/token", &fields).await.expect(200));
    let keys = browser.get(&format!("/{tenant}/discovery/v2.0/keys")).await.expect(200).json();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2);
    verify(&fresh, &keys["keys"][0]);
    w.get("/WhoAmI").by(&fresh).await.expect(200);
});

/// As anybody would who knows the published key alone.
fn verify(token: &str, key: &Value) {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
    let mut point = vec![4];
    point.extend(B64.decode(key["x"].as_str().unwrap()).unwrap());
    point.extend(B64.decode(key["y"].as_str().unwrap()).unwrap());
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    key.verify(signed.as_bytes(), &B64.decode(signature).unwrap()).unwrap();
}

story!(a_service_signs_in_nowhere_else, |w| {
    let ctx = w.context().await;
    let app = application::create(&ctx, "Billing").await.unwrap();
    assert!(actions::sign_in::reset::reset(&ctx, app.user.id, false).await.is_err());
    assert!(application::create(&ctx, " ").await.is_err());
    let (_, token) = w.user("ann@example.com").await;
    let ordinary = w.context_of(&token).await;
    assert!(application::create(&ordinary, "Mine").await.is_err());
    assert!(application::add_secret(&ordinary, app.application, "x", None).await.is_err());
    assert!(application::list(&ordinary).await.is_err());
});
