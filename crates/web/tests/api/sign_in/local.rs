//! Passwords: setting, signing in, changing, guessing.

use axum::http::Method;

use super::{Browser, PASSWORD, ann, audited};

story!(a_password_is_set_by_a_link_once, |w| {
    let (id, _) = w.user("ann@example.com").await;
    let ctx = w.context().await;
    let first = actions::sign_in::reset::reset(&ctx, id.parse().unwrap(), false).await.unwrap();
    let ticket = actions::sign_in::reset::reset(&ctx, id.parse().unwrap(), false).await.unwrap();
    let mut browser = Browser::new(&w);
    browser.get(&format!("/password?ticket={first}")).await.expect(401).says("used or has expired");
    browser.get(&format!("/password?ticket={ticket}")).await.expect(200).says("ann@example.com");
    browser.post("/password", &[("ticket", &ticket), ("new", "short")]).await.expect(400).says("at least 12");
    let differ = [("ticket", ticket.as_str()), ("new", PASSWORD), ("again", "other")];
    browser.post("/password", &differ).await.expect(400).says("not the same");
    browser.post("/password", &[("ticket", &ticket), ("new", PASSWORD)]).await.expect(303);
    browser.post("/password", &[("ticket", &ticket), ("new", PASSWORD)]).await.expect(401);
    browser.sign_in("ann@example.com", PASSWORD).await.expect(303);
    browser.get("/").await.expect(200).says("ann@example.com");
    assert_eq!(audited(&w, "password-set").await.len(), 1);
    assert_eq!(audited(&w, "sign-in").await.len(), 1);
    let text = format!("{:?}", audited(&w, "password-reset").await);
    assert!(!text.contains(&ticket));
});

story!(a_link_expires, |w| {
    let (id, _) = w.user("ann@example.com").await;
    let ticket = actions::sign_in::reset::reset(&w.context().await, id.parse().unwrap(), false).await.unwrap();
    w.clock.advance(72 * 3600);
    let mut browser = Browser::new(&w);
    browser.post("/password", &[("ticket", &ticket), ("new", PASSWORD)]).await.expect(401);
});

story!(only_an_administrator_resets, |w| {
    let (ann, token) = w.user("ann@example.com").await;
    let ctx = w.context_of(&token).await;
    assert!(actions::sign_in::reset::reset(&ctx, ann.parse().unwrap(), false).await.is_err());
    assert_eq!(audited(&w, "password-reset").await.len(), 0);
});

story!(who_guesses_is_told_nothing, |w| {
    ann(&w).await;
    let (_, _) = w.user("bob@example.com").await;
    let mut browser = Browser::new(&w);
    let wrong = browser.sign_in("ann@example.com", "wrong").await.expect(401).text().replace("ann@", "@");
    let unknown = browser.sign_in("eve@example.com", "wrong").await.expect(401).text().replace("eve@", "@");
    let without = browser.sign_in("bob@example.com", "").await.expect(401).text().replace("bob@", "@");
    assert_eq!(wrong, unknown);
    assert_eq!(wrong, without);
    assert!(browser.cookies.is_empty());
    assert_eq!(audited(&w, "sign-in-failed").await.len(), 3);
});

story!(too_many_failures_make_wait, |w| {
    ann(&w).await;
    let mut browser = Browser::new(&w);
    for _ in 0..5 {
        browser.sign_in("ann@example.com", "wrong").await.expect(401);
    }
    // Right, and told the same as if it were wrong.
    browser.sign_in("ann@example.com", PASSWORD).await.expect(401);
    assert_eq!(audited(&w, "locked-out").await.len(), 1);
    w.clock.advance(15);
    browser.sign_in("ann@example.com", "wrong").await.expect(401);
    w.clock.advance(15);
    browser.sign_in("ann@example.com", PASSWORD).await.expect(401);
    w.clock.advance(15);
    browser.sign_in("ANN@example.com", PASSWORD).await.expect(303);
    // Forgiven.
    browser.sign_in("ann@example.com", "wrong").await.expect(401);
    browser.sign_in("ann@example.com", PASSWORD).await.expect(303);
});

story!(many_guesses_at_the_same_time_count_as_many, |w| {
    ann(&w).await;
    let guesses = (0..20).map(|n| {
        let w = &w;
        async move { Browser::new(w).sign_in("ann@example.com", &format!("guess {n}")).await.status }
    });
    let answers = futures::future::join_all(guesses).await;
    assert!(answers.iter().all(|s| *s == 401 || *s == 503), "{answers:?}");
    assert_eq!(Browser::new(&w).sign_in("ann@example.com", PASSWORD).await.status, 401);
});

story!(checking_ones_security_role, |w| {
    ann(&w).await;
    let mut here = Browser::new(&w);
    here.get("/account/roles").await.expect(303);
    here.sign_in("ann@example.com", PASSWORD).await.expect(303);
    here.get("/account/roles").await.expect(200).says("Basic User (given to the user)").says("Mailbox");
    let missing = here.get("/account/roles?for=create+mailbox").await.expect(200);
    missing.says("may not do this").says("System Administrator").says("prvCreateMailbox");
    here.get("/account/roles?for=read+mailbox").await.expect(200).says("may do this");
    let hostile = here.get("/account/roles?for=%3Cscript%3E").await.expect(400).says("is no operation");
    assert!(!hostile.text().contains("<script>"), "{}", hostile.text());
    here.get("/account/roles?user=nobody%40example.com").await.expect(400).says("no user");
});

story!(changing_ones_password, |w| {
    ann(&w).await;
    let (mut here, mut there) = (Browser::new(&w), Browser::new(&w));
    here.sign_in("ann@example.com", PASSWORD).await.expect(303);
    there.sign_in("ann@example.com", PASSWORD).await.expect(303);
    let before = here.session().to_owned();
    let wrong = [("current", "wrong"), ("new", "another good phrase")];
    here.post("/account/password", &wrong).await.expect(400).says("present password is wrong");
    let own_name = [("current", PASSWORD), ("new", "ann@example.com")];
    here.post("/account/password", &own_name).await.expect(400).says("name");
    let good = [("current", PASSWORD), ("new", "another good phrase"), ("again", "another good phrase")];
    here.post("/account/password", &good).await.expect(303);
    assert_ne!(here.session(), before);
    here.get("/account").await.expect(200);
    there.get("/account").await.expect(303);
    let mut old = Browser::new(&w);
    old.cookies.insert("postroom".into(), before);
    old.get("/account").await.expect(303);
    old.sign_in("ann@example.com", PASSWORD).await.expect(401);
    old.sign_in("ann@example.com", "another good phrase").await.expect(303);
    assert_eq!(audited(&w, "password-changed").await.len(), 1);
});

story!(signing_in_by_json, |w| {
    let ann = ann(&w).await;
    let mut browser = Browser::new(&w);
    let body = serde_json::json!({ "user": "ann@example.com", "password": PASSWORD });
    let ask = || browser.ask(Method::POST, "/signin").header("origin", "http://crm.example.com").json(&body);
    let answer = ask().await.expect(200);
    assert_eq!(answer.json()["UserId"], ann.as_str());
    browser.keep(answer);
    let account = browser.ask(Method::GET, "/account").header("accept", "application/json").await.expect(200).json();
    assert_eq!(account["domainname"], "ann@example.com");
    assert_eq!(account["sessions"][0]["current"], true);
    let body = serde_json::json!({ "user": "ann@example.com", "password": "wrong" });
    let ask = browser.ask(Method::POST, "/signin").header("origin", "http://crm.example.com").json(&body);
    assert!(ask.await.expect(401).json()["error"]["message"].is_string());
});

story!(local_sign_in_can_be_switched_off, |w| {
    ann(&w).await;
    let cost = actions::sign_in::Cost { kibibytes: 64, rounds: 1 };
    let policy = actions::sign_in::Policy { local: false, ..actions::sign_in::Policy::default() };
    let sign_in = web::SignIn::new(policy, actions::sign_in::Hasher::new(cost, 1));
    let mut w = w;
    let router = web::router(web::AppState { sign_in, ..w.state() });
    w.replace_router(router);
    let mut browser = Browser::new(&w);
    browser.sign_in("ann@example.com", PASSWORD).await.expect(401).says("switched off");
});

story!(a_dearer_hash_replaces_a_cheap_one, |w| {
    let id = ann(&w).await;
    let hash = async || {
        let login = w.store.load::<model::tables::Login>(id.parse().unwrap()).await.unwrap().unwrap();
        login.password
    };
    assert!(hash().await.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{}", hash().await);
    let cost = actions::sign_in::Cost { kibibytes: 128, rounds: 2 };
    let sign_in = web::SignIn::new(actions::sign_in::Policy::default(), actions::sign_in::Hasher::new(cost, 1));
    let router = web::router(web::AppState { sign_in, ..w.state() });
    let answer = {
        use tower::ServiceExt;
        let body = super::browser::form(&[("user", "ann@example.com"), ("password", PASSWORD)]);
        let request = axum::http::Request::post("/signin")
            .header("host", "crm.example.com")
            .header("origin", "http://crm.example.com")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(axum::body::Body::from(body))
            .unwrap();
        router.oneshot(request).await.unwrap()
    };
    assert_eq!(answer.status(), 303);
    assert!(hash().await.starts_with("$argon2id$v=19$m=128,t=2,p=1$"), "{}", hash().await);
});
