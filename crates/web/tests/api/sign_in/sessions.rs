//! Sessions: fixation, cross-site requests, ends, redirects.

use axum::http::Method;
use serde_json::json;

use super::{Browser, PASSWORD, ann, audited};

story!(nobody_can_choose_somebody_elses_session, |w| {
    ann(&w).await;
    let mut browser = Browser::new(&w);
    browser.cookies.insert("postroom".into(), "chosen-by-an-attacker".into());
    browser.sign_in("ann@example.com", PASSWORD).await.expect(303);
    let first = browser.session().to_owned();
    assert_ne!(first, "chosen-by-an-attacker");
    browser.sign_in("ann@example.com", PASSWORD).await.expect(303);
    assert_ne!(browser.session(), first);
});

story!(the_api_takes_the_session_too, |w| {
    ann(&w).await;
    let mut browser = Browser::new(&w);
    browser.sign_in("ann@example.com", PASSWORD).await.expect(303);
    let api = "/api/data/v9.2";
    browser.get(&format!("{api}/WhoAmI")).await.expect(200);
    let contacts = format!("{api}/contacts");
    let body = json!({ "lastname": "C" });
    let post = || browser.ask(Method::POST, &contacts).json(&body);
    post().header("sec-fetch-site", "same-origin").await.expect(204);
    post().header("origin", "http://crm.example.com").await.expect(204);
    post().await.expect(403).says("Origin");
    post().header("origin", "http://evil.example").await.expect(403);
    post().header("sec-fetch-site", "cross-site").header("origin", "http://crm.example.com").await.expect(403);
    post().header("sec-fetch-site", "same-site").await.expect(403);
    // A bearer token is sent by nobody but its holder.
    w.post("/contacts", body.clone()).header("origin", "http://evil.example").await.expect(204);
    assert_eq!(w.read("/contacts/$count").await, 3);
});

story!(forms_of_strangers_do_nothing, |w| {
    ann(&w).await;
    let mut browser = Browser::new(&w);
    browser.sign_in("ann@example.com", PASSWORD).await.expect(303);
    for path in [
        "/signin",
        "/signin/code",
        "/signout",
        "/account/password",
        "/account/tokens",
        "/account/sessions/end",
        "/password",
    ] {
        let form = super::browser::form(&[
            ("name", "x"),
            ("session", "others"),
            ("user", "ann@example.com"),
            ("password", PASSWORD),
        ]);
        let ask = browser.ask(Method::POST, path).header("origin", "http://evil.example");
        ask.raw("application/x-www-form-urlencoded", form).await.expect(403);
    }
    browser.get("/account").await.expect(200);
    assert_eq!(audited(&w, "token-created").await.len(), 1, "only that of the test's own user");
});

story!(signing_out, |w| {
    ann(&w).await;
    let mut browser = Browser::new(&w);
    browser.sign_in("ann@example.com", PASSWORD).await.expect(303);
    let cookie = browser.session().to_owned();
    browser.post("/signout", &[]).await.expect(303);
    assert!(browser.cookies.is_empty());
    browser.cookies.insert("postroom".into(), cookie);
    browser.get("/account").await.expect(303);
    browser.get("/api/data/v9.2/WhoAmI").await.expect(401);
    assert_eq!(audited(&w, "sign-out").await.len(), 1);
});

story!(a_session_ends_by_itself, |w| {
    ann(&w).await;
    let (mut idle, mut busy) = (Browser::new(&w), Browser::new(&w));
    idle.sign_in("ann@example.com", PASSWORD).await.expect(303);
    busy.sign_in("ann@example.com", PASSWORD).await.expect(303);
    for _ in 0..21 {
        w.clock.advance(8 * 3600 - 1);
        busy.get("/account").await.expect(200);
    }
    idle.get("/account").await.expect(303);
    w.clock.advance(21);
    busy.get("/account").await.expect(303);
});

story!(sessions_are_listed_and_ended, |w| {
    ann(&w).await;
    let (mut here, mut there) = (Browser::new(&w), Browser::new(&w));
    here.sign_in("ann@example.com", PASSWORD).await.expect(303);
    let ask = there
        .ask(Method::POST, "/signin")
        .header("origin", "http://crm.example.com")
        .header("user-agent", "Tablet <script>");
    let body = super::browser::form(&[("user", "ann@example.com"), ("password", PASSWORD)]);
    let answer = ask.raw("application/x-www-form-urlencoded", body).await.expect(303);
    there.keep(answer);
    let page = here.get("/account").await.expect(200).says("Tablet &#60;script&#62;").text();
    let id = page.split("name=\"session\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    here.post("/account/sessions/end", &[("session", &id)]).await.expect(200);
    there.get("/account").await.expect(303);
    there.sign_in("ann@example.com", PASSWORD).await.expect(303);
    here.post("/account/sessions/end", &[("session", "others")]).await.expect(200);
    there.get("/account").await.expect(303);
    here.get("/account").await.expect(200);
});

story!(nobody_ends_anothers_session, |w| {
    let (bob, _) = w.user("bob@example.com").await;
    super::set_password(&w, &bob, PASSWORD).await;
    ann(&w).await;
    let (mut ann, mut bob) = (Browser::new(&w), Browser::new(&w));
    ann.sign_in("ann@example.com", PASSWORD).await.expect(303);
    bob.sign_in("bob@example.com", PASSWORD).await.expect(303);
    let sessions = w.store.list::<model::tables::Session>(&model::Query::of::<model::tables::Session>()).await.unwrap();
    for session in sessions {
        let id = session.id.to_string();
        let status = bob.post("/account/sessions/end", &[("session", &id)]).await.status;
        let own = session.hash != Some(sha(ann.session()));
        assert_eq!(status, if own { 200 } else { 404 });
        if own {
            bob.sign_in("bob@example.com", PASSWORD).await.expect(303);
        }
    }
    ann.get("/account").await.expect(200);
});

fn sha(text: &str) -> Vec<u8> {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes()).as_ref().to_vec()
}

story!(a_disabled_user_is_out_at_once, |w| {
    let id = ann(&w).await;
    let mut browser = Browser::new(&w);
    browser.sign_in("ann@example.com", PASSWORD).await.expect(303);
    w.patch(&format!("/systemusers({id})"), json!({ "isdisabled": true })).await.expect(204);
    browser.get("/account").await.expect(303);
    browser.sign_in("ann@example.com", PASSWORD).await.expect(401);
});

story!(one_returns_to_our_own_pages_only, |w| {
    ann(&w).await;
    for (wanted, expected) in [
        ("/account", "/account"),
        ("//evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/a\r\nSet-Cookie: postroom=x", "/"),
        ("javascript:alert(1)", "/"),
    ] {
        let mut browser = Browser::new(&w);
        let fields = [("user", "ann@example.com"), ("password", PASSWORD), ("return", wanted)];
        let answer = browser.post("/signin", &fields).await.expect(303);
        assert_eq!(answer.header("location"), expected, "{wanted}");
        assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 2);
    }
});

story!(pages_are_guarded, |w| {
    let mut browser = Browser::new(&w);
    let page = browser.get("/signin?return=%22%3E%3Cscript%3E").await.expect(200);
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    assert_eq!(page.header("x-frame-options"), "DENY");
    assert_eq!(page.header("cache-control"), "no-store");
    assert!(!page.text().contains("<script"));
    let answer = browser.post("/signin", &[("user", "\"><script>"), ("password", "x")]).await.expect(401);
    assert!(!answer.text().contains("<script"));
    browser.get("/static/postroom.css").await.expect(200);
    browser.get("/").await.expect(303);
});

story!(a_payload_that_is_none, |w| {
    let browser = Browser::new(&w);
    let post = |kind: &str, body: &str| {
        browser.ask(Method::POST, "/signin").header("origin", "http://crm.example.com").raw(kind, body.to_owned())
    };
    post("text/plain", "x").await.expect(400);
    post("application/json", "[1]").await.expect(400);
    post("application/json", "{\"user\":{}}").await.expect(400);
    post("application/x-www-form-urlencoded", "user=a&user=b").await.expect(400);
    post("application/x-www-form-urlencoded", "user=%ff").await.expect(400);
    post("application/x-www-form-urlencoded", &"a".repeat(70_000)).await.expect(400);
});
