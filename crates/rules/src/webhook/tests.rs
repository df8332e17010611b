//! Webhooks, decision by decision.

use super::*;

fn now() -> Timestamp {
    "2026-03-01T09:00:00Z".parse().unwrap()
}

#[track_caller]
fn status(status: u16, attempt: i64, expected: &Next) {
    assert_eq!(&after(Ok(Answer { status, put_off: None }), attempt, now(), now()), expected, "{status}");
}

fn again(seconds: i64) -> Next {
    Next::Again { at: now() + SignedDuration::from_secs(seconds) }
}

#[test]
fn any_success_is_a_delivery() {
    for code in [200, 201, 202, 204, 299] {
        status(code, 1, &Next::Delivered);
    }
}

#[test]
fn the_wait_grows() {
    for (attempt, seconds) in [(1, 5), (2, 20), (3, 60), (4, 120), (5, 300), (20, 3600)] {
        status(503, attempt, &again(seconds));
    }
}

#[test]
fn what_may_be_a_setting_is_tried_again() {
    for code in [301, 302, 401, 403, 404, 408, 409, 429, 500, 502, 504] {
        status(code, 1, &again(5));
    }
}

#[test]
fn what_is_refused_for_good_is_given_up_at_once() {
    for code in [400, 410, 413, 415, 422] {
        status(code, 1, &Next::GiveUp { why: format!("the receiver refuses it with status {code}") });
    }
}

#[test]
fn a_receiver_may_put_off_within_limits() {
    let put_off = |seconds| after(Ok(Answer { status: 429, put_off: Some(seconds) }), 1, now(), now());
    assert_eq!(put_off(90), again(90));
    assert_eq!(put_off(1), again(5));
    assert_eq!(put_off(1_000_000), again(3600));
    assert_eq!(put_off(-7), again(5));
}

#[test]
fn a_day_is_the_end() {
    let failure = Failure::temporary(Step::Connect, "nobody there");
    let late = now() + GIVE_UP;
    assert!(matches!(after(Err(&failure), 30, now(), late - SignedDuration::from_secs(1)), Next::Again { .. }));
    let Next::GiveUp { why } = after(Err(&failure), 30, now(), late) else { panic!() };
    assert_eq!(why, "given up after 30 attempts in 24 hours; the last attempt: nobody there");
}

#[test]
fn the_breaker_counts_what_concerns_every_event() {
    let of = |status| trouble(Ok(Answer { status, put_off: None })).is_some_and(|f| f.is_server_wide());
    assert!(of(500) && of(503) && of(429));
    assert!(!of(200) && !of(404) && !of(400));
    for kind in [FailureKind::Temporary, FailureKind::Uncertain, FailureKind::Garbled, FailureKind::Misconfigured] {
        let failure = Failure::new(kind, Step::Read, "x");
        assert!(trouble(Err(&failure)).is_some_and(|f| f.is_server_wide()), "{kind}");
    }
}

#[track_caller]
fn url(url: &str, insecure: bool, ok: bool) {
    assert_eq!(check_url(url, insecure).is_ok(), ok, "{url}: {:?}", check_url(url, insecure));
}

#[test]
fn addresses() {
    url("https://hooks.example.com/a?b=c", false, true);
    url("http://hooks.example.com/", false, false);
    url("http://hooks.example.com/", true, true);
    url("ftp://hooks.example.com/", true, false);
    url("hooks.example.com", true, false);
    url("https://", true, false);
    url("https://:443/", true, false);
    url("https://me:pw@example.com/", true, false);
    url("https://example.com/a b", true, false);
    url("https://example.com/\r\nX: y", true, false);
    url("javascript://example.com/", true, false);
}

#[track_caller]
fn settings_are(text: &str, expected: Option<&[(&str, &str)]>) {
    let found = settings(text).ok();
    let expected: Option<Vec<(String, String)>> =
        expected.map(|e| e.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect());
    assert_eq!(found, expected, "{text}");
}

#[test]
fn headers_and_parameters_are_read() {
    settings_are(r#"<settings><setting name="a" value="b" /></settings>"#, Some(&[("a", "b")]));
    settings_are(
        "<settings>\n <setting value='&lt;&amp;&quot;' name='x'/>\n<setting name=\"y\" value=\"\"/></settings>",
        Some(&[("x", "<&\""), ("y", "")]),
    );
    settings_are("secret", None);
    settings_are("<settings></settings>", None);
    settings_are(r#"<settings><setting name="a" /></settings>"#, None);
    settings_are(r#"<settings><setting name="" value="b" /></settings>"#, None);
    settings_are(r#"<settings><setting name="a" value="b" ></settings>"#, None);
    settings_are(r#"<settings><other name="a" value="b" /></settings>"#, None);
}

proptest::proptest! {
    #[test]
    fn nothing_breaks_the_reading_of_settings(text in "(<settings>)?[<>/=\"' a-z&;]{0,40}(</settings>)?") {
        let _ = settings(&text);
    }
}
