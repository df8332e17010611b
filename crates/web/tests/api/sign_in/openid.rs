//! Signing in with the organization's own sign-in.

use serde_json::{Value, json};

use super::provider::{Behaviour, Fake, attach, query, there, visit};
use super::{Browser, audited};
use crate::world::World;

/// Why the last sign-in was refused, for the administrator. Time goes on, so
/// that the next refusal is a later one.
async fn reason(w: &World) -> String {
    let rows = audited(w, "sign-in-failed").await;
    w.clock.advance(1);
    let last = rows.into_iter().max_by_key(|row| row.at).expect("an audit row");
    format!("{last:?}")
}

async fn roles(w: &World, user: &str) -> Vec<String> {
    let path = "/systemuserrolescollection?$expand=roleid($select=name)&$filter=_systemuserid_value%20eq%20";
    let rows = w.read(&format!("{path}{user}")).await;
    let pairs = rows["value"].as_array().unwrap().iter();
    let mut names: Vec<String> = pairs.map(|p| p["roleid"]["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

story!(somebody_signs_in, |w| {
    let mut w = w;
    let (ann, _) = w.user("ann@example.com").await;
    let fake = Fake::new(&w);
    attach(&mut w, &fake, |_| ());
    let mut browser = Browser::new(&w);
    browser.get("/signin").await.expect(200).says("Sign in with Example");
    let back = visit(&fake, &mut browser).await.expect(303);
    assert_eq!(back.headers["location"], "/account");
    assert!(!browser.cookies.contains_key("postroom-oidc"));
    browser.get("/account").await.expect(200).says("sub-of-ann");
    let signed = audited(&w, "sign-in").await;
    assert_eq!(signed.len(), 1);
    assert_eq!(signed[0].row.unwrap().to_string(), ann);
    assert_eq!(audited(&w, "identity-connected").await.len(), 1);
    // The next time the name does not matter any more.
    fake.say(json!({ "email": "other@example.com", "email_verified": false }));
    let mut other = Browser::new(&w);
    visit(&fake, &mut other).await.expect(303);
    other.get("/").await.expect(200).says("ann@example.com");
    assert_eq!(audited(&w, "identity-connected").await.len(), 1);
    // Discovery and keys are kept.
    assert_eq!((fake.asked("/.well-known/openid-configuration"), fake.asked("/keys")), (1, 1));
});

story!(every_algorithm_that_is_taken, |w| {
    let mut w = w;
    w.user("ann@example.com").await;
    let fake = Fake::new(&w);
    attach(&mut w, &fake, |_| ());
    for alg in ["RS256", "PS256", "ES256"] {
        fake.set(|now| now.alg = alg);
        visit(&fake, &mut Browser::new(&w)).await.expect(303);
    }
    for alg in ["none", "HS256", "RS512", ""] {
        fake.set(|now| now.alg = alg);
        visit(&fake, &mut Browser::new(&w)).await.expect(401).says("cannot be trusted");
        assert!(reason(&w).await.contains("RS256, PS256 or ES256"), "{alg}");
    }
});

story!(tokens_that_are_not_accepted, |w| {
    let mut w = w;
    w.user("ann@example.com").await;
    let fake = Fake::new(&w);
    attach(&mut w, &fake, |_| ());
    let now = model::Clock::now(&*w.clock).as_second();
    let cases: Vec<(&str, Value, &str)> = vec![
        ("nonce", json!("another"), "answers another request"),
        ("nonce", Value::Null, "answers another request"),
        ("aud", json!("other"), "for another client"),
        ("aud", json!(["postroom", "other"]), "several clients"),
        ("azp", json!("other"), "another client was authorized"),
        ("iss", json!("https://evil.test"), "another issuer"),
        ("exp", json!(now - 120), "expired"),
        ("iat", json!(now + 200), "in the future"),
        ("iat", json!(now - 3600), "long ago"),
        ("nbf", json!(now + 200), "not valid yet"),
        ("sub", json!(""), "no subject"),
        ("email_verified", json!(false), "names nobody"),
        ("email", Value::Null, "names nobody"),
    ];
    for (name, value, why) in cases {
        fake.set(|now| now.spoil = Some(Box::new(move |claims| claims[name] = value.clone())));
        visit(&fake, &mut Browser::new(&w)).await.expect(401);
        assert!(reason(&w).await.contains(why), "{name}: {}", reason(&w).await);
    }
    assert!(audited(&w, "sign-in").await.is_empty());
    assert!(audited(&w, "identity-connected").await.is_empty());
});

story!(keys_change, |w| {
    let mut w = w;
    w.user("ann@example.com").await;
    let fake = Fake::new(&w);
    attach(&mut w, &fake, |_| ());
    visit(&fake, &mut Browser::new(&w)).await.expect(303);
    w.clock.advance(31);
    fake.set(|now| (now.kid, now.published) = ("two", vec!["two"]));
    visit(&fake, &mut Browser::new(&w)).await.expect(303);
    assert_eq!(fake.asked("/keys"), 2);
    // Who makes up ids of keys does not make us ask each time.
    fake.set(|now| now.kid = "three");
    for _ in 0..3 {
        visit(&fake, &mut Browser::new(&w)).await.expect(401);
    }
    assert_eq!(fake.asked("/keys"), 2);
    assert!(reason(&w).await.contains("key that is not known"));
});

story!(a_code_is_good_once, |w| {
    let mut w = w;
    w.user("ann@example.com").await;
    let fake = Fake::new(&w);
    attach(&mut w, &fake, |_| ());
    let mut browser = Browser::new(&w);
    let asked = there(&mut browser).await;
    let cookies = browser.cookies.clone();
    let code = fake.authorize(&asked);
    let back = format!("/signin/oidc?code={code}&state={}", asked["state"]);
    browser.get(&back).await.expect(303);
    // Without the cookie, and with it.
    browser.get(&back).await.expect(401).says("Begin again");
    assert!(reason(&w).await.contains("no cookie"));
    browser.cookies.clone_from(&cookies);
    browser.get(&back).await.expect(401);
    assert!(reason(&w).await.contains("invalid_grant"));
    assert!(!reason(&w).await.contains("not to be repeated"));
    // Nor with another code, should the provider give one for the same request.
    browser.cookies = cookies;
    let code = fake.authorize(&asked);
    browser.get(&format!("/signin/oidc?code={code}&state={}", asked["state"])).await.expect(401);
    assert!(reason(&w).await.contains("finished already"));
    assert_eq!(audited(&w, "sign-in").await.len(), 1);
});

story!(an_answer_belongs_to_the_browser_that_asked, |w| {
    let mut w = w;
    w.user("ann@example.com").await;
    let fake = Fake::new(&w);
    attach(&mut w, &fake, |_| ());
    let (mut mallory, mut ann) = (Browser::new(&w), Browser::new(&w));
    let theirs = there(&mut mallory).await;
    let code = fake.authorize(&theirs);
    let back = format!("/signin/oidc?code={code}&state={}", theirs["state"]);
    // Ann is sent Mallory's link: without and with a sign-in of her own.
    ann.get(&back).await.expect(401).says("begun in another browser");
    assert!(reason(&w).await.contains("no cookie"));
    let hers = there(&mut ann).await;
    ann.get(&back).await.expect(401);
    assert!(reason(&w).await.contains("state is that of another"));
    ann.get(&format!("/signin/oidc?code={code}")).await.expect(401);
    assert!(reason(&w).await.contains("state is that of another"));
    // Mallory's code with Ann's state: the verifier does not fit.
    ann.get(&format!("/signin/oidc?code={code}&state={}", hers["state"])).await.expect(401);
    assert!(reason(&w).await.contains("invalid_grant"));
    w.clock.advance(901);
    let code = fake.authorize(&hers);
    ann.get(&format!("/signin/oidc?code={code}&state={}", hers["state"])).await.expect(401);
    assert!(reason(&w).await.contains("too long"));
    assert!(audited(&w, "sign-in").await.is_empty());
});

story!(the_provider_says_no, |w| {
    let mut w = w;
    let fake = Fake::new(&w);
    attach(&mut w, &fake, |_| ());
    let mut browser = Browser::new(&w);
    let state = there(&mut browser).await["state"].clone();
    let back = format!("/signin/oidc?error=access_denied&error_description=%3Cb%3E&state={state}");
    browser.get(&back).await.expect(401).says("did not let you in");
    browser
        .get(&format!("/signin/oidc?error=server_error&state={state}"))
        .await
        .expect(401)
        .says("could not sign you in");
    browser.get(&format!("/signin/oidc?state={state}&state={state}")).await.expect(400);
    browser.get(&format!("/signin/oidc?state={state}")).await.expect(401);
    let mixed = format!("/signin/oidc?code=x&state={state}&iss=https%3A%2F%2Fevil.test");
    browser.get(&mixed).await.expect(401);
    assert!(reason(&w).await.contains("answer is of another issuer"));
    assert_eq!(fake.asked("/token"), 0);
});

story!(a_provider_that_names_itself_must_do_so, |w| {
    let mut w = w;
    w.user("ann@example.com").await;
    let fake = Fake::new(&w);
    fake.discovery("authorization_response_iss_parameter_supported", json!(true));
    attach(&mut w, &fake, |_| ());
    visit(&fake, &mut Browser::new(&w)).await.expect(401);
    assert!(reason(&w).await.contains("does not say whose it is"));
});

story!(a_provider_that_is_broken, |w| {
    let mut w = w;
    w.user("ann@example.com").await;
    let fake = Fake::new(&w);
    attach(&mut w, &fake, |_| ());
    let page = "/.well-known/openid-configuration";
    let cases = [
        (page, (500_u16, b"oops".to_vec()), "status 500"),
        (page, (302, Vec::new()), "status 302"),
        (page, (200, b"<html>".to_vec()), "no JSON object"),
        (page, (200, vec![b' '; 300 * 1024]), "larger than"),
    ];
    for (path, answer, why) in cases {
        fake.set(|now: &mut Behaviour| drop(now.instead.insert(path, answer)));
        Browser::new(&w).get("/signin/openid").await.expect(503).says("does not answer as it should");
        assert!(reason(&w).await.contains(why), "{}", reason(&w).await);
        // For some seconds it is not asked again.
        let asked = fake.asked(page);
        Browser::new(&w).get("/signin/openid").await.expect(503);
        assert_eq!(fake.asked(page), asked);
        w.clock.advance(6);
    }
    fake.set(|now| now.instead.clear());
    fake.discovery("issuer", json!("https://id.test/"));
    Browser::new(&w).get("/signin/openid").await.expect(503);
    assert!(reason(&w).await.contains("to the letter"));
    w.clock.advance(6);
    fake.discovery("issuer", json!("https://id.test"));
    for (path, why) in [("/token", "token request"), ("/keys", "keys")] {
        fake.set(|now| drop(now.instead.insert(path, (200, b"[1]".to_vec()))));
        visit(&fake, &mut Browser::new(&w)).await.expect(503);
        assert!(reason(&w).await.contains(why));
        fake.set(|now| now.instead.clear());
    }
    // What is not there is not counted as a guess.
    for _ in 0..40 {
        fake.set(|now| now.unreachable = Some("the address may not be reached"));
        w.clock.advance(7200);
        Browser::new(&w).get("/signin/openid").await.expect(503);
    }
    fake.set(|now| now.unreachable = None);
    w.clock.advance(6);
    visit(&fake, &mut Browser::new(&w)).await.expect(303);
});

story!(who_is_not_let_in, |w| {
    let mut w = w;
    let (ann, _) = w.user("ann@example.com").await;
    let fake = Fake::new(&w);
    attach(&mut w, &fake, |_| ());
    fake.say(json!({ "sub": "eve", "email": "eve@example.com" }));
    visit(&fake, &mut Browser::new(&w)).await.expect(401).says("There is no user eve@example.com here");
    // An administrator is not found by name.
    fake.say(json!({ "sub": "boss", "email": "admin@example.com" }));
    visit(&fake, &mut Browser::new(&w)).await.expect(401).says("connect your organization");
    // Disabled: before and after being connected.
    fake.say(json!({ "sub": "sub-of-ann", "email": "ANN@example.com" }));
    visit(&fake, &mut Browser::new(&w)).await.expect(303);
    w.patch(&format!("/systemusers({ann})"), json!({ "isdisabled": true })).await.expect(204);
    visit(&fake, &mut Browser::new(&w)).await.expect(401).says("disabled");
    w.patch(&format!("/systemusers({ann})"), json!({ "isdisabled": false })).await.expect(204);
    // The address went to somebody else.
    fake.say(json!({ "sub": "another-ann" }));
    visit(&fake, &mut Browser::new(&w)).await.expect(401).says("belongs to another account");
});

story!(administrators_and_new_users_where_configured, |w| {
    let mut w = w;
    let fake = Fake::new(&w);
    attach(&mut w, &fake, |c| (c.link_administrators, c.create_users) = (true, true));
    fake.say(json!({ "sub": "boss", "email": "admin@example.com" }));
    visit(&fake, &mut Browser::new(&w)).await.expect(303);
    fake.say(json!({ "sub": "eve", "email": "eve@example.com", "given_name": "Eve", "family_name": "New" }));
    let mut eve = Browser::new(&w);
    visit(&fake, &mut eve).await.expect(303);
    eve.get("/").await.expect(200).says("Eve New");
    let users = w.read("/systemusers?$filter=domainname%20eq%20'eve@example.com'").await;
    assert_eq!(users["value"][0]["internalemailaddress"], "eve@example.com");
    let given = roles(&w, users["value"][0]["systemuserid"].as_str().unwrap()).await;
    assert!(!given.contains(&"System Administrator".to_owned()), "{given:?}");
});

story!(another_claim_names_the_user, |w| {
    let mut w = w;
    w.user("ann@example.com").await;
    let fake = Fake::new(&w);
    attach(&mut w, &fake, |c| c.user_claim = "upn".into());
    fake.set(|now| now.user_info = Value::Null);
    fake.say(json!({ "email": "ann@example.com", "upn": null }));
    visit(&fake, &mut Browser::new(&w)).await.expect(503);
    assert!(reason(&w).await.contains("user information"));
    // It comes with the user information, which must be of the same subject.
    fake.set(|now| now.user_info = json!({ "sub": "eve", "upn": "ann@example.com" }));
    fake.set(|now| drop(now.claims.as_object_mut().unwrap().remove("upn")));
    visit(&fake, &mut Browser::new(&w)).await.expect(401);
    assert!(reason(&w).await.contains("another subject"));
    fake.set(|now| now.user_info["sub"] = json!("sub-of-ann"));
    visit(&fake, &mut Browser::new(&w)).await.expect(303);
});

story!(groups_give_roles, |w| {
    let mut w = w;
    let (ann, _) = w.user("ann@example.com").await;
    let all = w.read("/roles?$select=name&$orderby=name").await;
    let names: Vec<String> =
        all["value"].as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap().to_owned()).collect();
    let own = roles(&w, &ann).await;
    let free: Vec<String> =
        names.into_iter().filter(|n| !own.contains(n) && n != "System Administrator").take(1).collect();
    let (role, fake) = (free[0].clone(), Fake::new(&w));
    attach(&mut w, &fake, |c| {
        c.groups_claim = "groups".into();
        c.roles = [("sales".to_owned(), role.clone()), ("gone".to_owned(), "No Such Role".to_owned())].into();
    });
    fake.say(json!({ "groups": ["sales", "gone", "strangers"] }));
    visit(&fake, &mut Browser::new(&w)).await.expect(303);
    assert!(roles(&w, &ann).await.contains(&role));
    // Who has left the group loses the role, and keeps what was given by hand.
    fake.say(json!({ "groups": [] }));
    visit(&fake, &mut Browser::new(&w)).await.expect(303);
    assert_eq!(roles(&w, &ann).await, own);
    // Groups that are not named are not none.
    fake.say(json!({ "_claim_names": { "groups": "src1" } }));
    visit(&fake, &mut Browser::new(&w)).await.expect(401);
    assert!(reason(&w).await.contains("so many groups"));
});

story!(the_last_administrator_stays_one, |w| {
    let mut w = w;
    let fake = Fake::new(&w);
    attach(&mut w, &fake, |c| {
        c.link_administrators = true;
        c.groups_claim = "groups".into();
        c.roles = [("admins".to_owned(), "System Administrator".to_owned())].into();
    });
    fake.say(json!({ "sub": "boss", "email": "admin@example.com", "groups": [] }));
    visit(&fake, &mut Browser::new(&w)).await.expect(303);
    let admin = w.read("/WhoAmI").await["UserId"].as_str().unwrap().to_owned();
    assert!(roles(&w, &admin).await.contains(&"System Administrator".to_owned()));
    assert_eq!(audited(&w, "role-not-followed").await.len(), 1);
});

story!(one_connects_ones_own_account, |w| {
    let mut w = w;
    super::ann(&w).await;
    let fake = Fake::new(&w);
    attach(&mut w, &fake, |_| ());
    let mut browser = Browser::new(&w);
    browser.sign_in("ann@example.com", super::PASSWORD).await.expect(303);
    // Not by a link from elsewhere.
    let ask = browser.ask(axum::http::Method::POST, "/account/identities").header("origin", "https://evil.test");
    ask.await.expect(403);
    let page = browser.post("/account/identities", &[]).await.expect(200).text().to_owned();
    let url = page.split("href=\"").find_map(|p| p.strip_prefix("https://id.test")).unwrap();
    let url = url.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
    let asked = query(&url);
    assert_eq!(asked["prompt"], "login");
    fake.say(json!({ "sub": "private", "email": "someone@else.test" }));
    let code = fake.authorize(&asked);
    let back = format!("/signin/oidc?code={code}&state={}", asked["state"]);
    // In another session of the browser nothing is connected.
    let session = browser.cookies.remove("postroom").unwrap();
    let kept = browser.cookies.clone();
    browser.get(&back).await.expect(401).says("nothing was connected");
    browser.cookies = kept;
    browser.cookies.insert("postroom".into(), session);
    let code = fake.authorize(&asked);
    browser.get(&format!("/signin/oidc?code={code}&state={}", asked["state"])).await.expect(303);
    browser.get("/account").await.expect(200).says("private");
    let mut other = Browser::new(&w);
    visit(&fake, &mut other).await.expect(303);
    other.get("/").await.expect(200).says("ann@example.com");
    let answer = other.ask(axum::http::Method::GET, "/account").header("accept", "application/json").await.expect(200);
    let id = answer.json()["identities"][0]["id"].as_str().unwrap().to_owned();
    other.post("/account/identities/remove", &[("identity", &id)]).await.expect(200).says("Disconnected");
    visit(&fake, &mut Browser::new(&w)).await.expect(401);
    assert_eq!(audited(&w, "identity-disconnected").await.len(), 1);
});

story!(signing_out_goes_on_to_the_provider, |w| {
    let mut w = w;
    super::ann(&w).await;
    let fake = Fake::new(&w);
    attach(&mut w, &fake, |_| ());
    let mut browser = Browser::new(&w);
    visit(&fake, &mut browser).await.expect(303);
    browser.post("/signout", &[]).await.expect(200).says("https://id.test/out?client_id=postroom");
    browser.get("/").await.expect(303);
    // Who came with a password is not signed out there.
    browser.sign_in("ann@example.com", super::PASSWORD).await.expect(303);
    assert_eq!(browser.post("/signout", &[]).await.expect(303).headers["location"], "/signin?out=1");
});

story!(a_secret_in_the_form, |w| {
    let mut w = w;
    w.user("ann@example.com").await;
    let fake = Fake::new(&w);
    fake.discovery("token_endpoint_auth_methods_supported", json!(["client_secret_post"]));
    attach(&mut w, &fake, |_| ());
    visit(&fake, &mut Browser::new(&w)).await.expect(303);
});

story!(without_a_provider_there_is_none, |w| {
    let mut browser = Browser::new(&w);
    browser.get("/signin/openid").await.expect(404);
    browser.get("/signin/oidc?code=x&state=y").await.expect(404);
});

#[tokio::test]
async fn a_slow_provider_is_not_waited_for() {
    let mut w = World::sqlite().await;
    let fake = Fake::new(&w);
    fake.set(|now| now.slow = true);
    attach(&mut w, &fake, |_| ());
    let began = std::time::Instant::now();
    Browser::new(&w).get("/signin/openid").await.expect(503);
    assert!(began.elapsed() < std::time::Duration::from_secs(20));
    assert!(reason(&w).await.contains("no whole answer within 10 s"));
}
