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
