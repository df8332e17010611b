//! Help and the list of keys.

story!(there_is_help_about_how_it_works, |w| {
    w.nobody().await.open("/help/overview").await.expect(200).sees("The way of an email");
});

story!(the_keys_are_listed, |w| {
    let mut admin = w.administrator().await;
    admin.open("/help/keyboard").await.expect(200).sees("g m Mailboxes");
    let part = admin.part("/help/keyboard").await.expect(200);
    assert!(!part.text().contains("<html"));
    admin.cookie("postroom-keys", "off");
    admin.open("/help/keyboard").await.expect(200).sees_no("g m Mailboxes");
});

story!(every_topic_is_there_in_every_language, |w| {
    let mut admin = w.administrator().await;
    let overview = admin.open("/help/overview").await.expect(200).text();
    let topics: Vec<_> = overview.split("href=\"/help/").skip(1).filter_map(|t| t.split('"').next()).collect();
    assert!(topics.len() > 15, "{topics:?}");
    for topic in topics {
        admin.open(&format!("/help/{topic}")).await.expect(200);
    }
    let mut german = admin.reading("de");
    german.open("/help/mailbox").await.expect(200).sees("Ein Weiterleitungspostfach ist");
});

story!(what_people_say_about_the_help_is_kept, |w| {
    let mut sally = w.salesperson().await;
    sally.send("/help/mailbox", &[("found", "")]).await.expect(400);
    let page = sally.submit("/help/mailbox", &[("found", "no"), ("comment", "Which <port>?")]).await;
    page.sees("Thank you.");
    sally.open("/settings/feedback").await.expect(403);
    let mut admin = w.administrator().await;
    let page = admin.open("/settings/feedback").await.expect(200).sees("0 of 1 found what they needed.");
    let text = page.sees("Which &lt;port&gt;?".replace("&lt;", "&#60;").replace("&gt;", "&#62;").as_str()).text();
    let id = text.split("name=\"id\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    sally.send("/settings/feedback", &[("id", &id)]).await.expect(403);
    admin.submit("/settings/feedback", &[("id", &id)]).await.sees("Nobody has said anything");
});
