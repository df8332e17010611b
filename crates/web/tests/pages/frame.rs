//! The frame around every page: who gets in, what the navigation shows, in
//! which language.

use crate::browser::Browser;

story!(without_a_session_one_signs_in_first, |w| {
    let mut stranger = Browser::new(&w);
    let answer = stranger.get("/help/overview?a=b").await.expect(303);
    assert_eq!(answer.header("location"), "/signin?return=%2Fhelp%2Foverview%3Fa%3Db");
});

story!(a_script_without_a_session_is_told_where_to_go, |w| {
    let stranger = Browser::new(&w);
    let ask = stranger.ask(axum::http::Method::GET, "/help/overview").header("hx-request", "true");
    assert_eq!(ask.await.expect(401).header("hx-redirect"), "/signin");
});

story!(the_navigation_shows_what_leads_somewhere, |w| {
    let leads = |page: crate::world::Answer, path: &str| page.text().contains(&format!("<a href=\"{path}\""));
    let mut admin = w.administrator().await;
    let (mut sally, mut nobody) = (w.salesperson().await, w.nobody().await);
    for (path, for_sally, for_nobody) in [
        ("/", true, true),
        ("/work/queues", true, false),
        ("/work/contacts", true, false),
        ("/settings/mailboxes", true, false),
        ("/settings/monitoring", false, false),
        ("/settings/email", false, false),
        ("/settings/security/roles", false, false),
        ("/settings/data", false, false),
    ] {
        assert!(leads(admin.open("/help/keyboard").await, path), "{path}");
        assert_eq!(leads(sally.open("/help/keyboard").await, path), for_sally, "{path}");
        assert_eq!(leads(nobody.open("/help/keyboard").await, path), for_nobody, "{path}");
    }
});

story!(a_page_says_what_it_stands_below, |w| {
    let trail = |page: crate::world::Answer| {
        let text = page.text();
        let trail = text.split("<nav class=\"trail\"").nth(1).and_then(|rest| rest.split("</nav>").next());
        trail.unwrap_or_default().matches("<li>").count()
    };
    let mut admin = w.administrator().await;
    let mailbox = w.mailbox_of(&admin.id).await;
    let form = format!("/settings/mailboxes/{mailbox}");
    for (path, above) in [
        ("/", 0),
        ("/settings/mailboxes", 0),
        ("/settings/mailboxes/new", 1),
        (form.as_str(), 1),
        (format!("{form}/alerts").as_str(), 2),
        (format!("{form}/ledger").as_str(), 2),
        (format!("{form}/test").as_str(), 2),
        (format!("{form}/assign").as_str(), 2),
        ("/settings/security/users", 0),
        (format!("/settings/security/users/{}", admin.id).as_str(), 1),
        ("/settings/security/units", 0),
        ("/settings/profiles/new", 1),
        ("/help/overview", 0),
    ] {
        assert_eq!(trail(admin.open(path).await.expect(200)), above, "{path}");
    }
    let page = admin.open(&format!("{form}/alerts")).await;
    page.says(&format!("<a href=\"{form}\">")).sees("Mailboxes");
});

story!(pages_speak_the_readers_language, |w| {
    let mut admin = w.administrator().await.reading("de-AT, en;q=0.5");
    let page = admin.open("/help/overview").await.expect(200);
    assert!(page.text().contains("<html lang=\"de\""), "{}", page.text());
    page.sees("Postfächer").sees("Wie Postroom arbeitet");
});

story!(no_page_runs_what_stands_in_it, |w| {
    let page = w.administrator().await.open("/help/overview").await.expect(200);
    let policy = page.header("content-security-policy").to_owned();
    assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
    let text = page.text();
    assert!(!text.contains("<style") && !text.contains(" style=") && !text.contains(" onclick="), "{text}");
});

story!(what_is_not_there_is_said_in_the_frame, |w| {
    w.administrator().await.open("/help/nothing").await.expect(404).sees("There is no such page").sees("Mailboxes");
});

story!(the_theme_is_the_readers, |w| {
    let mut admin = w.administrator().await;
    admin.cookie("postroom-theme", "dark");
    assert!(admin.open("/help/overview").await.text().contains("data-theme=\"dark\""));
    admin.cookie("postroom-theme", "\"><script>");
    assert!(!admin.open("/help/overview").await.text().contains("data-theme"));
});

story!(style_and_scripts_are_part_of_the_program, |w| {
    let mut stranger = Browser::new(&w);
    for (name, kind) in [
        ("postroom.css", "text/css; charset=utf-8"),
        ("postroom.js", "text/javascript; charset=utf-8"),
        ("htmx.js", "text/javascript; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
    ] {
        let answer = stranger.get(&format!("/static/{name}")).await.expect(200);
        assert_eq!(answer.header("content-type"), kind);
        let tag = answer.header("etag").to_owned();
        let ask = stranger.ask(axum::http::Method::GET, &format!("/static/{name}")).header("if-none-match", &tag);
        ask.await.expect(304);
    }
    stranger.get("/static/other.css").await.expect(404);
});

story!(pages_name_the_version_of_their_sheet_and_scripts, |w| {
    let mut admin = w.administrator().await;
    let page = admin.open("/help/overview").await.text();
    for name in ["postroom.css", "postroom.js", "htmx.js"] {
        let at = page.find(&format!("/static/{name}?v=")).expect(name);
        let address = page[at..].split('"').next().unwrap();
        let answer = Browser::new(&w).get(address).await.expect(200);
        assert!(answer.header("cache-control").contains("immutable"), "{address}");
        let other = Browser::new(&w).get(&format!("/static/{name}?v=0")).await.expect(200);
        assert_eq!(other.header("cache-control"), "public, max-age=60");
    }
});

story!(the_first_page_is_small, |w| {
    let mut admin = w.administrator().await;
    let mut octets = 0;
    for path in ["/help/overview", "/static/postroom.css", "/static/postroom.js", "/static/htmx.js", "/static/icon.svg"]
    {
        let ask = Browser::new(&w).ask(axum::http::Method::GET, path).header("accept-encoding", "gzip");
        let answer = if path.starts_with("/static") { ask.await } else { admin.open(path).await };
        octets += answer.expect(200).body.len();
    }
    assert!(octets < 100_000, "{octets} octets");
});

story!(an_address_that_leads_nowhere_is_a_page_for_people, |w| {
    let stranger = Browser::new(&w);
    let ask = |accept| stranger.ask(axum::http::Method::GET, "/work/nothing/here").header("accept", accept);
    let page = ask("text/html,*/*").await.expect(404);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.text().contains("There is no such page"));
    ask("application/json").await.expect(404).code("0x80060888");
});
