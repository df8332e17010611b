//! The second step: codes of an authenticator, recovery codes.

use aws_lc_rs::hmac;
use axum::http::Method;

use super::{Browser, PASSWORD, ann, audited};
use crate::world::World;

/// What an authenticator shows at the present time of the world.
fn code(w: &World, key: &str) -> String {
    let mut bits = String::new();
    for c in key.chars() {
        let value = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(c).unwrap();
        bits.push_str(&format!("{value:05b}"));
    }
    let key: Vec<u8> =
        bits.as_bytes().chunks_exact(8).map(|b| u8::from_str_radix(str::from_utf8(b).unwrap(), 2).unwrap()).collect();
    let step = model::Clock::now(&*w.clock).as_second() / 30;
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key), &step.to_be_bytes());
    let offset = usize::from(tag.as_ref()[19] & 15);
    let number = u32::from_be_bytes(tag.as_ref()[offset..offset + 4].try_into().unwrap()) & 0x7FFF_FFFF;
    format!("{:06}", number % 1_000_000)
}

async fn json(browser: &Browser<'_>, path: &str, body: serde_json::Value) -> crate::world::Answer {
    browser.ask(Method::POST, path).header("origin", "http://crm.example.com").json(&body).await
}

/// Switches the second step on; the key and the recovery codes.
async fn enrolled(w: &World, browser: &mut Browser<'_>) -> (String, Vec<String>) {
    let made = json(browser, "/account/second-step", serde_json::json!({ "current": PASSWORD })).await.expect(200);
    let key = made.json()["key"].as_str().unwrap().to_owned();
    assert!(made.json()["uri"].as_str().unwrap().contains(&key));
    let body = serde_json::json!({ "code": code(w, &key) });
    let codes = json(browser, "/account/second-step/confirm", body).await.expect(200).json();
    let codes = codes["recoveryCodes"].as_array().unwrap().iter().map(|c| c.as_str().unwrap().to_owned()).collect();
    (key, codes)
}

story!(a_code_is_asked_for, |w| {
    ann(&w).await;
    let mut browser = Browser::new(&w);
    browser.sign_in("ann@example.com", PASSWORD).await.expect(303);
    let (key, codes) = enrolled(&w, &mut browser).await;
    assert_eq!(codes.len(), 10);

    let mut other = Browser::new(&w);
    let answer = other.sign_in("ann@example.com", PASSWORD).await.expect(303);
    assert!(answer.header("location").starts_with("/signin/code"), "{}", answer.header("location"));
    assert!(!other.cookies.contains_key("postroom"));
    other.get("/account").await.expect(303);
    // The code that switched it on is used up.
    other.post("/signin/code", &[("code", &code(&w, &key))]).await.expect(401).says("used already");
    w.clock.advance(30);
    other.post("/signin/code", &[("code", "000000")]).await.expect(401);
    other.post("/signin/code", &[("code", &code(&w, &key))]).await.expect(303);
    other.get("/account").await.expect(200).says("10 recovery codes");
    assert!(!other.cookies.contains_key("postroom-step"));
    assert_eq!(audited(&w, "second-step-on").await.len(), 1);
    let everything =
        format!("{:?}", w.store.list::<model::tables::Audit>(&model::Query::of::<model::tables::Audit>()).await);
    assert!(!everything.contains(&key));
});

story!(a_recovery_code_is_good_once, |w| {
    ann(&w).await;
    let mut browser = Browser::new(&w);
    browser.sign_in("ann@example.com", PASSWORD).await.expect(303);
    let (_, codes) = enrolled(&w, &mut browser).await;
    let mut other = Browser::new(&w);
    other.sign_in("ann@example.com", PASSWORD).await.expect(303);
    other.post("/signin/code", &[("code", &codes[3].to_lowercase())]).await.expect(303);
    other.get("/account").await.expect(200).says("9 recovery codes");
    let mut third = Browser::new(&w);
    third.sign_in("ann@example.com", PASSWORD).await.expect(303);
    third.post("/signin/code", &[("code", &codes[3])]).await.expect(401);
    third.post("/signin/code", &[("code", &codes[4])]).await.expect(303);
});

story!(codes_cannot_be_guessed, |w| {
    ann(&w).await;
    let mut browser = Browser::new(&w);
    browser.sign_in("ann@example.com", PASSWORD).await.expect(303);
    let (key, _) = enrolled(&w, &mut browser).await;
    w.clock.advance(60);
    // The password is right every time: that forgives no wrong code.
    for n in 0..5 {
        let mut guess = Browser::new(&w);
        guess.sign_in("ann@example.com", PASSWORD).await.expect(303);
        guess.post("/signin/code", &[("code", &format!("00000{n}"))]).await.expect(401);
    }
    let mut guess = Browser::new(&w);
    guess.sign_in("ann@example.com", PASSWORD).await.expect(401);
    w.clock.advance(15);
    guess.sign_in("ann@example.com", PASSWORD).await.expect(303);
    guess.post("/signin/code", &[("code", &code(&w, &key))]).await.expect(303);
});

story!(the_step_is_not_a_session, |w| {
    ann(&w).await;
    let mut browser = Browser::new(&w);
    browser.sign_in("ann@example.com", PASSWORD).await.expect(303);
    let (key, _) = enrolled(&w, &mut browser).await;
    let mut other = Browser::new(&w);
    other.sign_in("ann@example.com", PASSWORD).await.expect(303);
    let step = other.cookies["postroom-step"].clone();
    let mut forged = Browser::new(&w);
    forged.cookies.insert("postroom".into(), step.clone());
    forged.get("/account").await.expect(303);
    // A step of long ago.
    w.clock.advance(301);
    other.post("/signin/code", &[("code", &code(&w, &key))]).await.expect(401).says("too long");
    // A code without the password.
    Browser::new(&w).post("/signin/code", &[("code", &code(&w, &key))]).await.expect(401);
});

story!(switching_the_second_step_off, |w| {
    ann(&w).await;
    let mut browser = Browser::new(&w);
    browser.sign_in("ann@example.com", PASSWORD).await.expect(303);
    let (_, codes) = enrolled(&w, &mut browser).await;
    browser.post("/account/second-step", &[("current", PASSWORD)]).await.expect(400).says("on already");
    browser.post("/account/second-step/off", &[("current", PASSWORD), ("code", "1")]).await.expect(401);
    browser.post("/account/second-step/off", &[("current", "wrong"), ("code", &codes[0])]).await.expect(400);
    let answer = browser.post("/account/recovery-codes", &[("current", PASSWORD)]).await.expect(200).text();
    assert!(!answer.contains(&codes[0]));
    browser.post("/account/second-step/off", &[("current", PASSWORD), ("code", &codes[0])]).await.expect(401);
    let fresh = answer.split("<pre>").nth(1).unwrap().lines().next().unwrap().to_owned();
    browser.post("/account/second-step/off", &[("current", PASSWORD), ("code", &fresh)]).await.expect(200);
    let mut other = Browser::new(&w);
    other.sign_in("ann@example.com", PASSWORD).await.expect(303);
    other.get("/account").await.expect(200).says("Set up a second step");
});

story!(an_administrator_forgets_a_lost_authenticator, |w| {
    let id = ann(&w).await;
    let mut browser = Browser::new(&w);
    browser.sign_in("ann@example.com", PASSWORD).await.expect(303);
    enrolled(&w, &mut browser).await;
    let ticket = actions::sign_in::reset::reset(&w.context().await, id.parse().unwrap(), true).await.unwrap();
    browser.post("/password", &[("ticket", &ticket), ("new", "another good phrase")]).await.expect(303);
    browser.get("/account").await.expect(303);
    browser.sign_in("ann@example.com", "another good phrase").await.expect(303);
    browser.get("/account").await.expect(200);
});
