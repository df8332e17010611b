//! Mailboxes, email server profiles and alerts: commands on several rows.

use model::tables::{AlertLevel, Mailbox, TestStatus, TraceLog};
use model::{Actor, Change, Clock, Commit, Entity, Ref, Update};
use serde_json::{Value, json};

use crate::world::World;

async fn forward(w: &World, name: &str) -> String {
    let address = format!("{name}@example.com");
    w.create("mailboxes", json!({ "name": name, "emailaddress": address, "incomingemaildeliverymethod": 2 })).await
}

async fn profile(w: &World, name: &str) -> String {
    let body = json!({ "name": name, "servertype": 4, "incomingserverlocation": "mail.example.com",
        "outgoingserverlocation": "mail.example.com", "incomingauthenticationprotocol": 3, "outgoingauthenticationprotocol": 3,
        "incomingcredentialretrieval": 1, "incomingusername": "u", "incomingpassword": "p" });
    w.create("emailserverprofiles", body).await
}

async fn mailbox(w: &World, id: &str) -> Value {
    w.read(&format!("/mailboxes({id})")).await
}

async fn write(w: &World, by: &str, change: Change) {
    let actor = Actor { user: by.parse().unwrap() };
    w.store.commit(&Commit::new(actor, w.clock.now(), vec![change])).await.unwrap();
}

story!(addresses_are_approved_and_rejected, |w| {
    let (a, b) = (forward(&w, "a").await, forward(&w, "b").await);
    let mut admin = w.administrator().await;
    let page = admin.send("/settings/mailboxes/approve", &[("id", &a), ("id", &b)]).await.expect(200);
    page.sees("2 done, 0 refused");
    assert_eq!(mailbox(&w, &a).await["emailrouteraccessapproval"], 1);
    let page = admin.send("/settings/mailboxes/reject", &[("id", &b)]).await.expect(200);
    page.sees("neither receive nor send").sees("1 selected");
    assert_eq!(mailbox(&w, &b).await["emailrouteraccessapproval"], 1, "it asks first");
    admin.send("/settings/mailboxes/reject/yes", &[("id", &b)]).await.expect(200).sees("1 done, 0 refused");
    assert_eq!(mailbox(&w, &b).await["emailrouteraccessapproval"], 3);
});

story!(without_the_privilege_each_row_says_why, |w| {
    let a = forward(&w, "a").await;
    let mut customizer = w.customizer().await;
    customizer.open("/settings/mailboxes").await.expect(200).sees_no("Approve Email");
    let page = customizer.send("/settings/mailboxes/approve", &[("id", &a)]).await.expect(200);
    page.sees("0 done, 1 refused").sees("prvApproveEmailAddresses");
    customizer.send("/settings/mailboxes/approve", &[]).await.expect(400).sees("No row is selected");
});

story!(tests_are_scheduled_and_followed, |w| {
    let p = profile(&w, "Ours").await;
    let (a, b) = (forward(&w, "a").await, forward(&w, "b").await);
    w.patch(
        &format!("/mailboxes({a})"),
        json!({ "emailserverprofile@odata.bind": format!("/emailserverprofiles({p})") }),
    )
    .await
    .expect(204);
    let mut admin = w.administrator().await;
    admin.send("/settings/mailboxes/approve", &[("id", &a), ("id", &b)]).await.expect(200);
    let page = admin.send("/settings/mailboxes/test", &[("id", &a), ("id", &b)]).await.expect(200);
    let page = page.sees("1 done, 1 refused").sees("Follow the tests").sees("profile");
    let text = page.text();
    let url = text.split("hx-get=\"").nth(1).unwrap().split('"').next().unwrap().replace("&#38;", "&");
    let url = url.as_str();
    admin.part(url).await.expect(200).sees("0 of 1 done").sees("Is being tested").says("hx-trigger=\"every 2s\"");
    let ended = Update::of::<Mailbox>(a.parse().unwrap())
        .set(Mailbox::C.test_scheduled, false)
        .set(Mailbox::C.incoming_status, TestStatus::Failure);
    write(&w, &admin.id, ended.into()).await;
    let page = admin.open(url).await.expect(200).sees("1 of 1 done").sees("1 failed").sees("Failure");
    assert!(!page.text().contains("every 2s"));
});

story!(default_settings_are_applied, |w| {
    let p = profile(&w, "Ours").await;
    let a = forward(&w, "a").await;
    let mut admin = w.administrator().await;
    admin.send("/settings/profiles/default", &[("id", &p)]).await.expect(303);
    admin.open("/settings/profiles").await.expect(200).sees("New mailboxes get the profile “Ours”.");
    let page = admin.send("/settings/mailboxes/defaults", &[("id", &a)]).await.expect(200);
    assert!(page.text().contains("name=\"test\" value=\"1\" checked"), "{}", page.text());
    admin.send("/settings/mailboxes/defaults/yes", &[("id", &a)]).await.expect(200).sees("1 done, 0 refused");
    assert_eq!(mailbox(&w, &a).await["_emailserverprofile_value"], p.as_str());
    // With the test, an address that is not approved is refused, and why.
    let page = admin.send("/settings/mailboxes/defaults/yes", &[("id", &a), ("test", "1")]).await.expect(200);
    page.sees("0 done, 1 refused").sees("approve");
});

story!(deactivating_says_what_it_resets, |w| {
    let a = forward(&w, "a").await;
    let mut admin = w.administrator().await;
    let tested = Update::of::<Mailbox>(a.parse().unwrap())
        .set(Mailbox::C.incoming_status, TestStatus::Success)
        .set(Mailbox::C.enabled_incoming, true);
    write(&w, &admin.id, tested.into()).await;
    let page = admin.send("/settings/mailboxes/deactivate", &[("id", &a)]).await.expect(200);
    page.sees("Will be reset:").sees("the incoming test result");
    admin.send("/settings/mailboxes/deactivate/yes", &[("id", &a)]).await.expect(200).sees("1 done");
    assert_eq!(
        (&mailbox(&w, &a).await["statecode"], &mailbox(&w, &a).await["incomingemailstatus"]),
        (&json!(1), &json!(0))
    );
    admin.send("/settings/mailboxes/activate", &[("id", &a)]).await.expect(200).sees("1 done");
    assert_eq!(mailbox(&w, &a).await["statecode"], 0);
});

story!(several_are_edited_at_once, |w| {
    let p = profile(&w, "Ours").await;
    let a = forward(&w, "a").await;
    let mut admin = w.administrator().await;
    let own = w.mailbox_of(&admin.id).await;
    let chosen = [("id", a.as_str()), ("id", own.as_str())];
    let page = admin.send("/settings/mailboxes/edit", &chosen).await.expect(200);
    page.sees("2 mailboxes are selected").sees("Change Server Profile").sees("Ours");
    let nothing = admin.send("/settings/mailboxes/edit/check", &chosen).await.expect(200);
    nothing.sees("Nothing is ticked");
    let fields = [
        chosen[0],
        chosen[1],
        ("change", "emailserverprofile"),
        ("emailserverprofile", p.as_str()),
        ("change", "processanddeleteemails"),
        ("processanddeleteemails", "0"),
        ("processanddeleteemails", "1"),
        ("incomingemaildeliverymethod", "0"),
    ];
    let page = admin.send("/settings/mailboxes/edit/check", &fields).await.expect(200);
    page.sees("Server Profile: Ours")
        .sees("Delete Emails After Processing: Yes")
        .sees("Will be refused:")
        .sees("queue and forward mailboxes only");
    assert!(mailbox(&w, &a).await["_emailserverprofile_value"].is_null(), "it only looked");
    let page = admin.send("/settings/mailboxes/edit/yes", &fields).await.expect(200);
    page.sees("1 done, 1 refused");
    let after = mailbox(&w, &a).await;
    assert_eq!((&after["_emailserverprofile_value"], &after["processanddeleteemails"]), (&json!(p), &json!(true)));
    assert_eq!(after["incomingemaildeliverymethod"], 2, "what is not ticked stays");
    // What cannot be read is said at its field.
    let bad = [chosen[0], ("change", "processemailreceivedafter"), ("processemailreceivedafter", "soon")];
    admin.send("/settings/mailboxes/edit/check", &bad).await.expect(200).sees("Some fields are not right yet.");
});

story!(all_rows_of_a_view_are_meant, |w| {
    for name in ["a", "b", "c"] {
        forward(&w, name).await;
    }
    let mut admin = w.administrator().await;
    w.patch(&format!("/usersettingscollection({})", admin.id), json!({ "paginglimit": 2 })).await.expect(204);
    let found = w.read("/savedqueries?$filter=name%20eq%20'Forward%20Mailboxes'").await;
    let view = found["value"][0]["savedqueryid"].as_str().unwrap();
    admin.open(&format!("/settings/mailboxes?view={view}")).await.expect(200).sees("all 3 rows of this view");
    let page = admin.send("/settings/mailboxes/approve", &[("view", view), ("every", "1")]).await.expect(200);
    page.sees("3 done, 0 refused");
});

story!(details_are_a_file, |w| {
    let a = forward(&w, "a").await;
    let mut admin = w.administrator().await;
    let file = admin.send("/settings/mailboxes/details", &[("id", &a)]).await.expect(200);
    assert_eq!(file.header("content-type"), "text/plain; charset=utf-8");
    let file = file.says("Mailbox: a").says("Incoming Email (incomingemaildeliverymethod): Server-Side");
    assert!(!file.text().to_lowercase().contains("password:"), "{}", file.text());
    let go = admin.send("/settings/mailboxes/alerts", &[("id", &a)]).await.expect(303);
    assert_eq!(go.header("location"), format!("/settings/alerts?only=regardingobjectid:{a}"));
});

story!(profiles_are_looked_after, |w| {
    let p = profile(&w, "Ours").await;
    let mut admin = w.administrator().await;
    admin.open("/settings/profiles").await.expect(200).sees("Ours").sees("IMAP/SMTP").sees("none is set as default");
    admin.send("/settings/profiles/deactivate", &[("id", &p)]).await.expect(200).sees("neither receive nor send");
    admin.send("/settings/profiles/deactivate/yes", &[("id", &p)]).await.expect(200).sees("1 done");
    admin.send("/settings/profiles/activate", &[("id", &p)]).await.expect(200).sees("1 done");
    admin.send("/settings/profiles/delete", &[("id", &p)]).await.expect(200).sees("cannot be undone");
    let using = Update::of::<Mailbox>(forward(&w, "a").await.parse().unwrap())
        .set(Mailbox::C.profile, Some(model::Ref::new("emailserverprofile", p.parse().unwrap())));
    write(&w, &admin.id, using.into()).await;
    let page = admin.send("/settings/profiles/deactivate", &[("id", &p)]).await.expect(200);
    page.sees("1 mailbox uses it and waits").sees_no("Will be reset");
    let page = admin.send("/settings/profiles/delete", &[("id", &p)]).await.expect(200);
    page.sees("Will be reset: the test results of 1 mailbox that uses it");
    admin.send("/settings/profiles/delete/yes", &[("id", &p)]).await.expect(200).sees("1 done");
    w.get(&format!("/emailserverprofiles({p})")).await.expect(404);
    let mut sally = w.salesperson().await;
    sally.open("/settings/profiles").await.expect(200).sees_no("Set as Default").sees_no("Deactivate");
});

story!(alerts_are_read_and_deleted, |w| {
    let a = forward(&w, "a").await;
    let mut admin = w.administrator().await;
    let mut ids = Vec::new();
    for (n, level) in [AlertLevel::Error, AlertLevel::Warning].into_iter().enumerate() {
        let alert = TraceLog {
            level,
            text: format!("Alert {n}: do something."),
            regarding: Some(Ref::new("mailbox", a.parse().unwrap())),
            details: "S: NO".to_owned(),
            code: Some(-2_147_098_080),
            ..TraceLog::blank(w.context().await.new_id().unwrap())
        };
        ids.push(alert.id.to_string());
        write(&w, &admin.id, Change::create(alert)).await;
    }
    let page = admin.open("/settings/alerts").await.expect(200).sees("Alert 0").sees("Alert 1").sees("Error");
    assert!(page.text().contains(&format!("href=\"/settings/mailboxes/{a}\"")), "{}", page.text());
    admin.open("/settings/alerts?only=level:3").await.expect(200).sees("Alert 0").sees_no("Alert 1");
    admin.open(&format!("/settings/alerts?only=regardingobjectid:{a}")).await.expect(200).sees("Regarding: a");
    let page = admin.open(&format!("/settings/alerts/{}", ids[0])).await.expect(200);
    page.sees("do something").sees("S: NO").sees("0x8005E220");
    admin.submit("/settings/alerts/delete", &[("id", &ids[0])]).await.sees("Deleted.").sees_no("Alert 0");
    admin.submit(&format!("/settings/alerts/{}/delete", ids[1]), &[]).await.sees_no("Alert 1");
});
