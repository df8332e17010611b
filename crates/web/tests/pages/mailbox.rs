//! The mailbox form and what stands around it.

use model::tables::{Disposition, LedgerEntry, Mailbox, TestStep};
use model::work::Workload;
use model::{Actor, Change, Commit, Entity, Id, Ref, Timestamp, Update};
use serde_json::json;

use crate::world::World;

async fn write(w: &World, changes: Vec<Change>) {
    let commit = Commit::new(Actor { user: Id::nil() }, Timestamp::UNIX_EPOCH, changes);
    w.store.commit(&commit).await.unwrap();
}

async fn profile(w: &World, name: &str) -> String {
    let body = json!({
        "name": name, "servertype": 4,
        "incomingserverlocation": "mail.example.com", "outgoingserverlocation": "mail.example.com",
        "incomingcredentialretrieval": 0, "outgoingcredentialretrieval": 0,
        "incomingauthenticationprotocol": 3, "outgoingauthenticationprotocol": 3,
        "usesamesettingsforoutgoingconnections": false
    });
    w.create("emailserverprofiles", body).await
}

/// The fields of a forward mailbox as the form sends them.
fn filled(profile: &str) -> Vec<(&str, &str)> {
    vec![
        ("name", "Forward"),
        ("emailaddress", "forward@example.com"),
        ("processanddeleteemails", "0"),
        ("processanddeleteemails", "1"),
        ("allowemailconnectortousecredentials", "0"),
        ("allowemailconnectortousecredentials", "1"),
        ("username", "forward"),
        ("emailserverprofile", profile),
        ("incomingemaildeliverymethod", "2"),
    ]
}

async fn forward(w: &World) -> (String, String) {
    let profile = profile(w, "Local").await;
    let mailbox = w
        .create(
            "mailboxes",
            json!({
                "name": "Forward", "emailaddress": "forward@example.com", "incomingemaildeliverymethod": 2,
                "allowemailconnectortousecredentials": true, "username": "forward", "password": "s3cret-Pa55",
                "emailserverprofile@odata.bind": format!("/emailserverprofiles({profile})")
            }),
        )
        .await;
    (mailbox, profile)
}

/// Tested and enabled, as far as the record tells.
async fn tested(w: &World, mailbox: &str) {
    let update = Update::of::<Mailbox>(mailbox.parse().unwrap())
        .set(Mailbox::C.incoming_status, model::tables::TestStatus::Success)
        .set(Mailbox::C.enabled_incoming, true);
    write(w, vec![update.into()]).await;
}

async fn stored(w: &World, mailbox: &str) -> Mailbox {
    w.store.load::<Mailbox>(mailbox.parse().unwrap()).await.unwrap().unwrap()
}

story!(a_forward_mailbox_is_made_with_every_field, |w| {
    let profile = profile(&w, "Local").await;
    let mut admin = w.administrator().await;
    let page = admin.open("/settings/mailboxes/new").await.expect(200);
    let page = page.sees("New Forward Mailbox").sees("A forward mailbox only receives.");
    // What cannot be set is shown, disabled, with the reason.
    assert!(page.text().contains("id=\"outgoingemaildeliverymethod-why\""));
    assert!(page.text().contains("aria-describedby=\"outgoingemaildeliverymethod-why\""));
    // Over plain HTTP from elsewhere no password is taken.
    assert!(page.text().contains("id=\"password-why\""));
    let mut fields = filled(&profile);
    fields.retain(|(name, _)| *name != "allowemailconnectortousecredentials");
    let answer = admin.send("/settings/mailboxes/new", &fields).await.expect(303);
    let to = answer.header("location").to_owned();
    let id = to.trim_start_matches("/settings/mailboxes/").trim_end_matches("?done=created");
    let mailbox = stored(&w, id).await;
    assert_eq!((mailbox.name.as_str(), mailbox.address.as_str()), ("Forward", "forward@example.com"));
    assert!(mailbox.is_forward && mailbox.delete_after);
    assert_eq!(mailbox.profile.map(|p| p.id.to_string()), Some(profile));
    assert_eq!(mailbox.incoming, model::tables::IncomingMethod::ServerSide);
    admin.open(&to).await.expect(200).says("Created.").says("forward@example.com").says("Pending Approval");
});

story!(faults_stand_at_their_fields_and_what_was_typed_stays, |w| {
    let mut admin = w.administrator().await;
    let fields = [("name", ""), ("emailaddress", "nonsense"), ("incomingemaildeliverymethod", "3")];
    let page = admin.send("/settings/mailboxes/new", &fields).await.expect(422);
    let text = page.text();
    for part in [
        "href=\"#name\"",
        "href=\"#emailaddress\"",
        "href=\"#incomingemaildeliverymethod\"",
        "id=\"emailaddress-fault\"",
        "value=\"nonsense\"",
        "aria-invalid=\"true\"",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
});

story!(saving_says_before_what_it_takes_back, |w| {
    let (mailbox, _) = forward(&w).await;
    tested(&w, &mailbox).await;
    let path = format!("/settings/mailboxes/{mailbox}");
    let mut admin = w.administrator().await;
    let change = [("emailaddress", "other@example.com")];
    // While one types.
    let part = admin.send(&format!("{path}/check"), &change).await.expect(200);
    part.says("Saving takes back:").says("the incoming test result").says("hx-swap-oob");
    // Without scripts: first a page that asks.
    let page = admin.send(&path, &change).await.expect(200).says("Not saved yet: please confirm.");
    assert_eq!(stored(&w, &mailbox).await.address, "forward@example.com");
    let text = page.text();
    assert!(text.contains("value=\"other@example.com\""), "{text}");
    let token = text.split("name=\"confirmed\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    // Who confirmed something else has not confirmed this.
    admin.send(&path, &[change[0], ("confirmed", "x")]).await.expect(200).says("please confirm");
    admin.submit(&path, &[change[0], ("confirmed", &token)]).await.says("Saved.");
    let after = stored(&w, &mailbox).await;
    assert_eq!(after.address, "other@example.com");
    assert!(!after.enabled_incoming);
    assert_eq!(after.incoming_status, model::tables::TestStatus::NotRun);
});

story!(what_others_changed_meanwhile_is_shown_and_nothing_is_lost, |w| {
    let (mailbox, _) = forward(&w).await;
    let path = format!("/settings/mailboxes/{mailbox}");
    w.patch(&format!("/mailboxes({mailbox})"), json!({ "name": "Theirs" })).await.expect(204);
    let mut admin = w.administrator().await;
    let fields = [
        ("was.name", "Forward"),
        ("name", "Mine"),
        ("was.processanddeleteemails", "0"),
        ("processanddeleteemails", "1"),
    ];
    let page = admin.send(&path, &fields).await.expect(409);
    let text = page.says("meanwhile").says("Theirs").text();
    assert!(text.contains("name=\"name\" value=\"Mine\""), "{text}");
    assert!(text.contains("name=\"was.name\" value=\"Theirs\""), "{text}");
    assert_eq!(stored(&w, &mailbox).await.name, "Theirs");
    // The service writing to the record is nobody's change.
    tested(&w, &mailbox).await;
    let again = [
        ("was.name", "Theirs"),
        ("name", "Mine"),
        ("was.processanddeleteemails", "0"),
        ("processanddeleteemails", "1"),
    ];
    admin.submit(&path, &again).await.says("Saved.");
    let after = stored(&w, &mailbox).await;
    assert_eq!((after.name.as_str(), after.delete_after), ("Mine", true));
});

story!(a_password_is_never_shown_and_not_taken_in_clear, |w| {
    let (mailbox, _) = forward(&w).await;
    let path = format!("/settings/mailboxes/{mailbox}");
    let mut admin = w.administrator().await;
    let page = admin.open(&path).await.expect(200).says("A password is stored.");
    assert!(!page.text().contains("s3cret-Pa55"));
    let page = admin.send(&path, &[("password", "other-Pa55")]).await.expect(422).says("secure connection");
    assert!(!page.text().contains("other-Pa55"));
    // Removing one needs no secret to cross the network; the rules still hold.
    let remove = [("forgetpassword", "1"), ("allowemailconnectortousecredentials", "0"), ("confirmed", "")];
    admin.send(&path, &remove).await.expect(303);
    assert!(!stored(&w, &mailbox).await.password_set);
});

story!(a_mailbox_under_test_is_locked_and_shows_its_steps, |w| {
    let (mailbox, _) = forward(&w).await;
    let id: Id = mailbox.parse().unwrap();
    let path = format!("/settings/mailboxes/{mailbox}");
    let mut admin = w.administrator().await;
    // First it is told what is missing.
    admin.open(&format!("{path}/test")).await.expect(200).says("cannot be tested yet").says("not approved");
    let page = admin.send(&format!("{path}/test"), &[]).await.expect(422).says("not approved");
    page.says("<button name=\"then\" value=\"test\">Approve Email</button>");
    // Who came here to test it goes on with that.
    let page = admin.submit(&format!("{path}/approve"), &[("then", "test")]).await.says("Test &#38; Enable Mailbox");
    assert!(!page.text().contains("cannot be tested yet") && !page.text().contains("Approve Email"));
    admin.send(&format!("{path}/test"), &[("processemailreceivedafter", "2026-02-01T10:00")]).await.expect(303);
    let row = stored(&w, &mailbox).await;
    assert!(row.test_scheduled);
    assert_eq!(row.process_after, Some("2026-02-01T10:00:00Z".parse().unwrap()));
    let page = admin.open(&path).await.expect(200).says("being tested").says("The test begins in a moment.");
    assert!(page.text().contains("every 1s"));
    assert!(!page.text().contains("data-save"));
    admin.send(&path, &[("name", "Other")]).await.expect(422).says("being tested");
    let step = TestStep {
        mailbox: Some(Ref::new("mailbox", id)),
        route: Workload::Incoming,
        taken_on: row.test_on,
        step: "log in".to_owned(),
        said: "the server says \"no <b>such</b> user\"".to_owned(),
        advice: "Check user name and password.".to_owned(),
        transcript: "S: NO".to_owned(),
        ..TestStep::blank(Id::from_u128(77))
    };
    let earlier = TestStep { taken_on: Some(Timestamp::UNIX_EPOCH), said: "long ago".to_owned(), ..step.clone() };
    let earlier = TestStep { id: Id::from_u128(78), ..earlier };
    write(&w, vec![Change::create(step), Change::create(earlier)]).await;
    let part = admin.part(&format!("{path}/progress")).await.expect(200);
    assert!(part.headers.get("hx-refresh").is_none());
    let text = part.says("Log in").says("What to do:").text();
    assert!(text.contains("no &#60;b&#62;such") && !text.contains("long ago"), "{text}");
    let ended = Update::of::<Mailbox>(id).set(Mailbox::C.test_scheduled, false);
    write(&w, vec![ended.into()]).await;
    let part = admin.part(&format!("{path}/progress")).await.expect(200);
    assert_eq!(part.header("hx-refresh"), "true");
});

story!(commands_of_a_mailbox, |w| {
    let (mailbox, _) = forward(&w).await;
    let path = format!("/settings/mailboxes/{mailbox}");
    let mut admin = w.administrator().await;
    admin.submit(&format!("{path}/reject"), &[]).await.says("Rejected");
    admin.submit(&format!("{path}/approve"), &[]).await.says("Approved");
    tested(&w, &mailbox).await;
    admin
        .send(&format!("{path}/deactivate"), &[])
        .await
        .expect(200)
        .says("Deactivate this mailbox?")
        .says("Taken back:");
    assert_eq!(stored(&w, &mailbox).await.state, model::tables::State::Active);
    admin.submit(&format!("{path}/deactivate"), &[("confirmed", "1")]).await.says("Inactive");
    admin.submit(&format!("{path}/activate"), &[]).await.sees("Active").sees("Deactivate");
    let (ann, _) = w.user("ann@example.com").await;
    admin.open(&format!("{path}/assign?search=ann")).await.expect(200).says(&ann);
    let owner = format!("systemuser:{ann}");
    admin.submit(&format!("{path}/assign"), &[("owner", &owner)]).await.says("Saved.");
    assert_eq!(stored(&w, &mailbox).await.owner.map(|o| o.id.to_string()), Some(ann));
    let details = admin.open(&format!("{path}/details")).await.expect(200);
    assert!(details.header("content-disposition").starts_with("attachment"));
    details.says("emailaddress").says("forward@example.com").says("Receiving, server: mail.example.com:993");
    admin.open(&format!("{path}/delete")).await.expect(200).says("Delete this mailbox?");
    admin.send(&format!("{path}/delete"), &[("confirmed", "1")]).await.expect(303);
    admin.open(&path).await.expect(404);
});

story!(a_users_mailbox_says_what_it_cannot_have, |w| {
    let (ann, _) = w.user("ann@example.com").await;
    let mailbox = w.mailbox_of(&ann).await;
    let mut admin = w.administrator().await;
    let page = admin.open(&format!("/settings/mailboxes/{mailbox}")).await.expect(200);
    let page = page.sees("A user's mail stays on the server").says("stays with them").says("primary email");
    assert!(!page.text().contains(">Delete…<"));
    admin.open(&format!("/settings/mailboxes/{mailbox}/delete")).await.expect(200);
    let answer = admin.send(&format!("/settings/mailboxes/{mailbox}/delete"), &[("confirmed", "1")]).await;
    answer.expect(422).says("belongs to a user or queue");
});

story!(who_may_what, |w| {
    let (mailbox, _) = forward(&w).await;
    let path = format!("/settings/mailboxes/{mailbox}");
    let mut sally = w.salesperson().await;
    sally.open(&path).await.expect(404);
    sally.send(&path, &[("name", "Mine")]).await.expect(404);
    sally.send(&format!("{path}/approve"), &[]).await.expect(404);
    let own = sally.open("/options/mailbox").await.expect(303);
    let own = own.header("location").to_owned();
    sally.open(&own).await.expect(200).says("sally@example.com");
    let mut nobody = w.nobody().await;
    nobody.open(&path).await.expect(403);
    nobody.open("/settings/mailboxes/new").await.expect(403);
    let mut customizer = w.customizer().await;
    customizer.open("/settings/mailboxes/new").await.expect(200);
    customizer.open(&path).await.expect(200);
});

async fn entry(w: &World, mailbox: &str, n: u128, change: impl FnOnce(&mut LedgerEntry)) {
    let mut row = LedgerEntry::blank(Id::from_u128(1000 + n));
    row.mailbox = Some(Ref::new("mailbox", mailbox.parse().unwrap()));
    row.folder = "INBOX".to_owned();
    row.position = n.to_string();
    row.fingerprint = format!("{n:064x}");
    row.seen_on = Some(Timestamp::from_second(1_770_000_000 + i64::try_from(n).unwrap()).unwrap());
    row.subject = format!("Order {n}");
    row.from = "bob@customer.test".to_owned();
    row.message_id = format!("<m{n}@customer.test>");
    row.disposition = Disposition::Filtered;
    row.reason = "Bob is nobody here".to_owned();
    row.blob = Some(vec![7; 32]);
    change(&mut row);
    write(w, vec![Change::create(row)]).await;
}

story!(what_became_of_a_message, |w| {
    let (mailbox, _) = forward(&w).await;
    for n in 1..=60 {
        entry(&w, &mailbox, n, |row| {
            if n == 7 {
                row.disposition = Disposition::Failed;
                row.from = "Eve@Other.test".to_owned();
                row.reason = "It was <not> to be".to_owned();
            }
        })
        .await;
    }
    let path = format!("/settings/mailboxes/{mailbox}/ledger");
    let mut admin = w.administrator().await;
    let page = admin.open(&path).await.expect(200).says("Order 60").says("Order 11").text();
    assert!(!page.contains("Order 10<"), "{page}");
    let next = page.split("rel=\"next\"").next().unwrap().rsplit("href=\"").next().unwrap();
    let next = next.split('"').next().unwrap().replace("&amp;", "&").replace("&#38;", "&");
    let older = admin.open(&next).await.expect(200).says("Order 10").says("Order 1<").text();
    assert!(!older.contains("Order 11") && !older.contains("rel=\"next\""), "{older}");
    for query in [
        "sender=eve%40other",
        "messageid=m7%40customer.test",
        "messageid=%3Cm7%40customer.test%3E",
        "disposition=9",
        "text=ORDER%207",
        "text=m7%40customer.test",
        "subject=order%207",
    ] {
        let found = admin.open(&format!("{path}?{query}")).await.expect(200).text();
        assert!(found.contains("Order 7<") && !found.contains("Order 8<"), "{query}: {found}");
        assert!(found.contains("It was &#60;not&#62; to be"), "{found}");
    }
    admin.open(&format!("{path}?text=absent")).await.expect(200).says("No message fits.");
    admin.open(&format!("{path}?since=nonsense")).await.expect(422).says("is not a date and time");
    let hostile = admin.open(&format!("{path}?%22%3E%3Cscript%3E=1&text=%22%3E%3Cscript%3E")).await.expect(200);
    assert!(!hostile.text().contains("\"><script>"));
    let id = Id::from_u128(1007).to_string();
    let answer = admin.send(&format!("{path}/retry"), &[("entry", &id), ("query", "disposition=9")]).await.expect(303);
    assert_eq!(answer.header("location"), format!("{path}?done=done&disposition=9"));
    let row = w.store.load::<LedgerEntry>(Id::from_u128(1007)).await.unwrap().unwrap();
    assert_eq!(row.disposition, Disposition::Waiting);
    // A user sees nothing of it.
    w.salesperson().await.open(&path).await.expect(404);
});

story!(alerts_of_a_mailbox, |w| {
    let (mailbox, _) = forward(&w).await;
    for (level, text) in [(3, "Something is wrong"), (1, "All is well")] {
        let body = json!({ "level": level, "text": text, "regardingobjectid_mailbox@odata.bind": format!("/mailboxes({mailbox})") });
        w.create("tracelogs", body).await;
    }
    let path = format!("/settings/mailboxes/{mailbox}/alerts");
    let mut admin = w.administrator().await;
    admin.open(&path).await.expect(200).says("Something is wrong").says("All is well");
    let errors = admin.open(&format!("{path}?level=3")).await.expect(200).says("Something is wrong");
    assert!(!errors.text().contains("All is well"));
    let page = admin.send(&path, &[("level", "3"), ("all", "1")]).await.expect(200);
    page.sees("Delete 1 alert of this mailbox?").sees("Only those of the level “Error”");
    admin.open(&path).await.expect(200).says("Something is wrong");
    let sure = [("level", "3"), ("all", "1"), ("confirmed", "1")];
    admin.submit(&path, &sure).await.says("Deleted.").says("There are no alerts.");
    // Where nothing was ticked nothing is said to be deleted.
    let answer = admin.send(&path, &[("level", "0")]).await.expect(303);
    assert_eq!(answer.header("location"), path);
    admin.open(&path).await.expect(200).says("All is well");
});

story!(in_german, |w| {
    let (mailbox, _) = forward(&w).await;
    let mut admin = w.administrator().await.reading("de");
    let page = admin.open(&format!("/settings/mailboxes/{mailbox}")).await.expect(200);
    page.says("Speichern").says("Ein Weiterleitungspostfach empfängt").says("Anmeldeinformationen");
});
