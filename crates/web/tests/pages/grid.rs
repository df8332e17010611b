//! Lists: views, quick find, order, columns, pages, export, own views.

use serde_json::json;

use crate::people::Person;
use crate::world::World;

/// The identifier of a ready view.
async fn view(w: &World, name: &str) -> String {
    let found = w.read(&format!("/savedqueries?$filter=name%20eq%20'{}'", name.replace(' ', "%20"))).await;
    found["value"][0]["savedqueryid"].as_str().unwrap_or_else(|| panic!("no view {name}")).to_owned()
}

async fn forward(w: &World, name: &str) -> String {
    let address = format!("{}@example.com", name.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-"));
    w.create("mailboxes", json!({ "name": name, "emailaddress": address, "incomingemaildeliverymethod": 2 })).await
}

async fn active(w: &World, admin: &mut Person<'_>, more: &str) -> crate::world::Answer {
    let id = view(w, "Active Mailboxes").await;
    admin.open(&format!("/settings/mailboxes?view={id}{more}")).await.expect(200)
}

/// The names in the list, in their order.
fn names(page: &crate::world::Answer) -> Vec<String> {
    let text = page.text();
    let rows = text.split("<th scope=\"row\"").skip(1);
    rows.map(|row| {
        let cell = row.split("</th>").next().unwrap().split_once('>').unwrap().1;
        let plain = cell.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect::<String>();
        plain.trim().to_owned()
    })
    .collect()
}

story!(a_list_opens_with_the_default_view, |w| {
    let mut admin = w.administrator().await;
    let page = admin.open("/settings/mailboxes").await.expect(200);
    page.sees("My Active Mailboxes").sees("New Forward Mailbox").sees("Pending Approval").sees("1–1 of 1");
});

story!(views_show_their_rows, |w| {
    forward(&w, "Forward A").await;
    let mut admin = w.administrator().await;
    let id = view(&w, "Forward Mailboxes").await;
    let page = admin.open(&format!("/settings/mailboxes?view={id}")).await.expect(200);
    assert_eq!(names(&page), ["Forward A"]);
    let id = view(&w, "Rejected Mailboxes").await;
    let page = admin.open(&format!("/settings/mailboxes?view={id}")).await.expect(200);
    page.sees("“Rejected Mailboxes” has no rows.").sees("Choose another view");
    admin.open("/settings/mailboxes?view=00000000-0000-0000-0000-00000000000a").await.expect(404).sees("no such view");
});

story!(quick_find_looks_at_names_and_addresses, |w| {
    for name in ["Alpha 100%", "Beta", "Gamma Beta"] {
        forward(&w, name).await;
    }
    let mut admin = w.administrator().await;
    for (find, expected) in [
        ("beta", vec!["Beta", "Gamma Beta"]),
        ("beta%20gamma", vec!["Gamma Beta"]),
        ("100%25", vec!["Alpha 100%"]),
        ("g*b", vec!["Gamma Beta"]),
        ("alpha-100", vec!["Alpha 100%"]),
        ("_", vec![]),
    ] {
        let page = active(&w, &mut admin, &format!("&find={find}")).await;
        assert_eq!(names(&page), expected, "{find}");
    }
    active(&w, &mut admin, "&find=nothing")
        .await
        .sees("Nothing in “Active Mailboxes” fits.")
        .sees("Show the whole view");
});

story!(emails_are_found_by_words, |w| {
    for (subject, from) in
        [("Größere Pumpe bestellt", "hans.müller@shop.example"), ("Re: order 4711", "jo@else.example")]
    {
        let parties = json!([{ "addressused": from, "participationtypemask": 1 }]);
        w.create("emails", json!({ "subject": subject, "directioncode": false, "email_activity_parties": parties }))
            .await;
    }
    let mut admin = w.administrator().await;
    for (find, expected) in [
        ("GRÖSS", vec![]),
        ("grö pump", vec!["Größere Pumpe bestellt"]),
        ("umpe", vec![]),
        ("order 47", vec!["Re: order 4711"]),
        ("4711 \"order\"*", vec!["Re: order 4711"]),
        ("' OR 1=1 --", vec![]),
        ("subject:order", vec![]),
        ("\"", vec![]),
    ] {
        let find = percent_encoding::utf8_percent_encode(find, percent_encoding::NON_ALPHANUMERIC);
        let page = admin.open(&format!("/work/activities?find={find}")).await.expect(200);
        assert_eq!(names(&page), expected, "{find}");
    }
    admin.open("/work/activities?find=nothing").await.expect(200).sees("must begin a word of the subject");
    // It is kept with a view, and found again.
    let keep = [("name", "Orders"), ("find", "order"), ("do", "save")];
    let page = admin.submit("/work/activities/views", &keep).await;
    assert_eq!(names(&page), ["Re: order 4711"]);
    let many: String = (0..60).map(|n| format!("{n} ")).collect();
    let many = percent_encoding::utf8_percent_encode(many.trim(), percent_encoding::NON_ALPHANUMERIC).to_string();
    admin.open(&format!("/work/activities?find={many}")).await.expect(400).sees("more than 32 words");
});

story!(columns_are_sorted_both_ways, |w| {
    for name in ["b", "a", "C"] {
        forward(&w, name).await;
    }
    let mut admin = w.administrator().await;
    let page = active(&w, &mut admin, "&find=example.com&sort=-name").await;
    let sorted: Vec<String> = names(&page).into_iter().filter(|n| n.len() == 1).collect();
    assert_eq!(sorted, ["C", "b", "a"]);
    assert!(page.text().contains("aria-sort=\"descending\""), "{}", page.text());
    // A lookup is sorted by the names that are seen.
    active(&w, &mut admin, "&sort=ownerid").await.sees("1–4 of 4");
    active(&w, &mut admin, "&sort=-emailserverprofile").await.sees("1–4 of 4");
    let id = view(&w, "Active Mailboxes").await;
    admin.open(&format!("/settings/mailboxes?view={id}&sort=nonsense")).await.expect(400).sees("cannot be shown");
});

story!(columns_are_chosen, |w| {
    let mut admin = w.administrator().await;
    let page = admin.open("/settings/mailboxes?columns=name&columns=isforwardmailbox").await.expect(200);
    let text = page.text();
    assert!(text.contains("Is Forward Mailbox</a></th>"), "{text}");
    assert!(!text.contains("Server Profile</a></th>"), "{text}");
    // What nobody may read is no column.
    admin.open("/settings/mailboxes?columns=name&columns=password").await.expect(200).sees_no("Password</a>");
});

story!(pages_follow_each_other, |w| {
    let mut admin = w.administrator().await;
    let settings = format!("/usersettingscollection({})", admin.id);
    w.patch(&settings, json!({ "paginglimit": 2 })).await.expect(204);
    for name in ["a", "b", "c"] {
        forward(&w, name).await;
    }
    let id = view(&w, "Forward Mailboxes").await;
    let first = admin.open(&format!("/settings/mailboxes?view={id}")).await.expect(200);
    assert_eq!(names(&first), ["a", "b"]);
    let text = first.text();
    assert!(text.contains(&format!("rel=\"next\" href=\"/settings/mailboxes?view={id}&#38;page=2\"")), "{text}");
    let second = admin.open(&format!("/settings/mailboxes?view={id}&page=2")).await.expect(200);
    assert_eq!(names(&second), ["c"]);
    assert!(second.text().contains("rel=\"prev\"") && !second.text().contains("rel=\"next\""));
    second.sees("3–3 of 3");
});

story!(a_list_is_narrowed_to_one_record, |w| {
    forward(&w, "a").await;
    let mut admin = w.administrator().await;
    let me = admin.id.clone();
    let page = active(&w, &mut admin, &format!("&only=regardingobjectid:{me}")).await;
    assert_eq!(names(&page).len(), 1);
    page.sees("Regarding:");
    let page = active(&w, &mut admin, "&only=emailserverprofile:").await;
    assert_eq!(names(&page).len(), 2);
});

story!(a_view_is_exported, |w| {
    forward(&w, "=cmd|' /C calc'!A0").await;
    forward(&w, "a, \"b\"").await;
    let mut admin = w.administrator().await;
    let id = view(&w, "Forward Mailboxes").await;
    let file = admin
        .open(&format!("/settings/mailboxes/export.csv?view={id}&columns=name,isforwardmailbox"))
        .await
        .expect(200);
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8; header=present");
    assert!(file.header("content-disposition").contains("mailboxes.csv"));
    assert_eq!(file.text(), "\u{feff}Name,Is Forward Mailbox\r\n'=cmd|' /C calc'!A0,Yes\r\n\"a, \"\"b\"\"\",Yes\r\n");
});

story!(a_view_of_ones_own_is_kept, |w| {
    forward(&w, "a").await;
    forward(&w, "b").await;
    let mut admin = w.administrator().await;
    let id = view(&w, "Forward Mailboxes").await;
    let fields = [
        ("view", id.as_str()),
        ("find", "b"),
        ("sort", "-name"),
        ("columns", "name,emailaddress"),
        ("name", "Mine"),
        ("do", "save"),
    ];
    let page = admin.submit("/settings/mailboxes/views", &fields).await;
    assert_eq!(names(&page), ["b"]);
    page.sees("Saved.").sees("Mine").sees_no("Server Profile</a>");
    let found = w.read("/userqueries?$select=name,fetchxml,layoutxml").await;
    let own = found["value"][0]["userqueryid"].as_str().unwrap().to_owned();
    // It is one for programs, too.
    assert_eq!(w.read(&format!("/mailboxes?userQuery={own}")).await["value"].as_array().unwrap().len(), 1);
    let page = admin.submit("/settings/mailboxes/views", &[("view", &own), ("name", "Ours"), ("do", "rename")]).await;
    page.sees("Ours").sees_no("Mine");
    let page =
        admin.submit("/settings/mailboxes/views", &[("view", &own), ("columns", "name"), ("do", "update")]).await;
    assert!(!page.text().contains("Email Address</a></th>"), "{}", page.text());
    admin
        .submit("/settings/mailboxes/views", &[("view", &own), ("do", "delete")])
        .await
        .sees("Deleted.")
        .sees_no("Ours");
    // The organization's views are not theirs to delete in this way.
    admin.send("/settings/mailboxes/views", &[("view", &id), ("do", "delete")]).await.expect(404);
});

story!(markup_in_names_stays_text, |w| {
    forward(&w, "<script>alert(1)</script>").await;
    let mut admin = w.administrator().await;
    let page = active(&w, &mut admin, "&find=%3Cscript%3E").await;
    assert!(!page.text().contains("<script>alert"), "{}", page.text());
    assert_eq!(names(&page).len(), 1);
});

story!(everybody_sees_what_is_theirs, |w| {
    forward(&w, "Everybody's").await;
    let mut sally = w.salesperson().await;
    let page = active(&w, &mut sally, "").await;
    assert_eq!(names(&page).len(), 1, "{}", page.words());
    page.sees_no("Everybody's").sees_no("New Forward Mailbox").sees_no("Reject Email").sees("Test & Enable Mailboxes");
    w.nobody().await.open("/settings/mailboxes").await.expect(403);
});

story!(every_ready_view_opens, |w| {
    let mut admin = w.administrator().await;
    for (table, base) in [
        ("mailbox", "/settings/mailboxes"),
        ("emailserverprofile", "/settings/profiles"),
        ("tracelog", "/settings/alerts"),
    ] {
        let views = w.read(&format!("/savedqueries?$filter=returnedtypecode%20eq%20'{table}'")).await;
        for one in views["value"].as_array().unwrap() {
            let id = one["savedqueryid"].as_str().unwrap();
            admin.open(&format!("{base}?view={id}")).await.expect(200).sees(one["name"].as_str().unwrap());
        }
    }
});

story!(lists_speak_german, |w| {
    let mut admin = w.administrator().await.reading("de");
    let page = admin.open("/settings/mailboxes").await.expect(200);
    page.sees("Meine aktiven Postfächer").sees("Postfächer testen und aktivieren").sees("Statusgrund");
});
