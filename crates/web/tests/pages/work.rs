//! What people do all day: queues, customers, addresses without a record.

use serde_json::{Value, json};

use crate::people::Person;
use crate::world::World;

struct Support {
    queue: String,
    items: Vec<String>,
    emails: Vec<String>,
}

/// A queue that the salesperson's team owns, with two emails in it.
async fn support(w: &World, member: &str) -> Support {
    let team = w.create("teams", json!({ "name": "Support" })).await;
    let roles = w.read("/roles?$select=roleid&$filter=name%20eq%20'Basic%20User'").await;
    let role = roles["value"][0]["roleid"].as_str().unwrap().to_owned();
    let body =
        json!({ "teamid@odata.bind": format!("/teams({team})"), "roleid@odata.bind": format!("/roles({role})") });
    w.create("teamrolescollection", body).await;
    let body = json!({ "teamid@odata.bind": format!("/teams({team})"), "systemuserid@odata.bind": format!("/systemusers({member})") });
    w.create("teammemberships", body).await;
    let owner = format!("/teams({team})");
    let queue = json!({ "name": "Support", "queueviewtype": 1, "ownerid@odata.bind": owner });
    let queue = w.create("queues", queue).await;
    let (mut items, mut emails) = (Vec::new(), Vec::new());
    for subject in ["The pump stands still", "Label <printer>"] {
        w.clock.advance(60);
        let email = w.create("emails", json!({ "subject": subject, "ownerid@odata.bind": owner })).await;
        let item = json!({ "queueid@odata.bind": format!("/queues({queue})"), "objectid_email@odata.bind": format!("/emails({email})") });
        items.push(w.create("queueitems", item).await);
        emails.push(email);
    }
    Support { queue, items, emails }
}

async fn worker(w: &World, item: &str) -> Value {
    w.read(&format!("/queueitems({item})")).await["_workerid_value"].clone()
}

story!(items_are_picked_and_released, |w| {
    let mut sally = w.salesperson().await;
    let s = support(&w, &sally.id).await;
    let page = sally.open("/work/queues").await.expect(200);
    page.sees("Support Private 2 1 Mar 2026, 09:01 0 0");
    let path = format!("/work/queues/{}", s.queue);
    let page = sally.open(&path).await.expect(200);
    assert!(page.text().contains("Label &#60;printer&#62;"), "{}", page.text());
    page.sees("Private queue").sees("The pump stands still").sees("Nobody").sees("2 waiting, 0 worked on");
    let both = [("id", s.items[0].as_str()), ("id", s.items[1].as_str()), ("which", "")];
    sally.submit(&format!("{path}/pick"), &both).await.sees("Done.").sees("Me").sees_no("Nobody");
    assert_eq!(worker(&w, &s.items[0]).await, sally.id.as_str());
    sally.open(&format!("{path}?which=waiting")).await.expect(200).sees("Nothing waits here.");
    sally.open(&format!("{path}?which=mine&find=PUMP")).await.expect(200).sees("The pump").sees_no("Label");
    sally
        .open("/")
        .await
        .expect(200)
        .sees("I am working on")
        .sees("The pump stands still")
        .sees("Support Private 0 2 2");
    sally.submit(&format!("{path}/release"), &both[..1]).await.sees("1 waiting, 1 worked on");
    assert_eq!(worker(&w, &s.items[0]).await, Value::Null);
    sally.submit(&format!("{path}/pick-remove"), &both[..1]).await.sees_no("The pump");
    sally.submit(&format!("{path}/remove"), &both[1..2]).await.sees("Nothing waits here.");
    let owner = w.read(&format!("/emails({})", s.emails[0])).await["_ownerid_value"].clone();
    assert_eq!(owner, sally.id.as_str());
});

story!(an_item_is_picked_where_its_email_is_read, |w| {
    let mut sally = w.salesperson().await;
    let s = support(&w, &sally.id).await;
    let email = format!("/work/emails/{}?as=read", s.emails[0]);
    let page = sally.open(&email).await.expect(200);
    page.sees("Support").sees("Pick").sees("Route").sees("Remove from the queue").sees_no("Release");
    let form = [("id", s.items[0].as_str()), ("email", s.emails[0].as_str())];
    // Whoever picks goes on reading …
    let page = sally.submit(&format!("/work/queues/{}/pick", s.queue), &form).await;
    page.sees("Done.").sees("You work on it").sees("Release").sees_no("Nobody");
    assert_eq!(worker(&w, &s.items[0]).await, sally.id.as_str());
    // … and whoever gives it back goes on with the queue.
    sally.submit(&format!("/work/queues/{}/release", s.queue), &form).await.sees("2 waiting, 0 worked on");
    let page = sally.open(&format!("/work/activities/queue?id={}", s.emails[1])).await.expect(200);
    page.sees("These emails go into a queue").sees("printer");
});

/// Where the link to the next page leads.
fn next_page(page: &crate::world::Answer) -> String {
    let text = page.text();
    let link = text.split_once("rel=\"next\" href=\"").unwrap_or_else(|| panic!("no next page: {text}")).1;
    link.split('"').next().unwrap().replace("&#38;", "&")
}

story!(many_queues_are_shown_page_by_page, |w| {
    let queue = |n: usize| json!({ "name": format!("Queue {n:03}"), "emailaddress": format!("q{n:03}@example.com") });
    let targets: Vec<Value> = (0..120).map(queue).collect();
    let path = "/queues/Microsoft.Dynamics.CRM.CreateMultiple";
    let made = w.post(path, json!({ "Targets": targets })).await.expect(200).json();
    let last = made["Ids"][119].as_str().unwrap().to_owned();
    let mut admin = w.administrator().await;
    let page = admin.open("/work/queues").await.expect(200);
    let page = page.sees("Queue 000").sees("Queue 049").sees_no("Queue 050").sees_no("To the first page");
    let next = next_page(&page);
    let page = admin.open(&next).await.expect(200);
    let page = page.sees("Queue 050").sees("Queue 099").sees_no("Queue 049").sees("To the first page");
    let next = next_page(&page);
    let page = admin.open(&next).await.expect(200).sees("Queue 119").sees_no("Queue 099");
    assert!(!page.text().contains("rel=\"next\""), "{}", page.text());
    admin.open("/work/queues?all=1&find=q117").await.expect(200).sees("Queue 117").sees_no("Queue 116");
    admin.open("/work/queues?find=nothing").await.expect(200).sees("Nothing fits.");
    // My Work begins with what waits, wherever it stands by name.
    let email = w.create("emails", json!({ "subject": "The pump" })).await;
    admin.open(&format!("/work/queues?after={email}")).await.expect(404);
    let item = json!({ "queueid@odata.bind": format!("/queues({last})"), "objectid_email@odata.bind": format!("/emails({email})") });
    w.create("queueitems", item).await;
    let page = admin.open("/").await.expect(200);
    page.sees("Queue 119 Public q119@example.com 1")
        .sees("Queue 018")
        .sees_no("Queue 019")
        .sees("All queues I work in");
});

story!(what_is_refused_stands_beside_the_item, |w| {
    let mut sally = w.salesperson().await;
    let s = support(&w, &sally.id).await;
    let path = format!("/work/queues/{}", s.queue);
    // The administrator works on it: nobody takes it from them.
    let admin = w.read("/WhoAmI").await["UserId"].clone();
    let pick = json!({ "SystemUser": { "systemuserid": admin }, "RemoveQueueItem": false });
    w.post(&format!("/queueitems({})/Microsoft.Dynamics.CRM.PickFromQueue", s.items[0]), pick).await.expect(204);
    let page = sally.send(&format!("{path}/pick"), &[("id", &s.items[0]), ("id", &s.items[1])]).await.expect(400);
    page.sees("1 done, 1 refused").sees("Release it first, or route it");
    assert_eq!(worker(&w, &s.items[1]).await, sally.id.as_str());
    sally.send(&format!("{path}/pick"), &[]).await.expect(400).sees("No item is selected");
    let nobody = sally.send(&format!("{path}/route"), &[]).await.expect(400);
    nobody.sees("No item is selected");
    // Somebody who may not see the queue at all.
    let mut eve = w.person("eve@example.com", &["Basic User"]).await;
    eve.open(&path).await.expect(404).sees("Does Not Exist");
    eve.send(&format!("{path}/pick"), &[("id", &s.items[0])]).await.expect(404);
    w.nobody().await.open("/work/queues").await.expect(403).sees("no security role").sees("Check your security role");
});

story!(items_are_routed_and_assigned, |w| {
    let sally = w.salesperson().await;
    let s = support(&w, &sally.id).await;
    let returns = w.create("queues", json!({ "name": "Returns" })).await;
    let mut admin = w.administrator().await;
    let path = format!("/work/queues/{}", s.queue);
    let page = admin.send(&format!("{path}/route"), &[("id", &s.items[0]), ("who", "ret")]).await.expect(200);
    page.sees("The pump stands still").sees("Returns").sees_no("Sally");
    let to = format!("queue:{returns}");
    admin
        .submit(&format!("{path}/route/yes"), &[("id", &s.items[0]), ("target", &to)])
        .await
        .sees("Done.")
        .sees_no("The pump");
    admin.open(&format!("/work/queues/{returns}")).await.expect(200).sees("The pump stands still");
    // Assigning is to people.
    let page = admin.send(&format!("{path}/assign"), &[("id", &s.items[1]), ("who", "")]).await.expect(200);
    page.sees("Users").sees_no("Returns");
    let to = format!("systemuser:{}", sally.id);
    admin.submit(&format!("{path}/assign/yes"), &[("id", &s.items[1]), ("target", &to)]).await.sees("Done.");
    assert_eq!(worker(&w, &s.items[1]).await, sally.id.as_str());
    let none = admin.send(&format!("{path}/assign/yes"), &[("id", &s.items[1]), ("target", "queue:1")]).await;
    none.expect(200).sees("Choose to whom the items go.");
});

story!(queues_are_made_and_changed, |w| {
    let mut admin = w.administrator().await;
    admin.open("/work/queues/new").await.expect(200).sees("Incoming Email");
    let team = w.create("teams", json!({ "name": "Warehouse" })).await;
    let fields = [
        ("name", "Returns"),
        ("emailaddress", "returns@example.com"),
        ("ownerid", "warehouse"),
        ("queueviewtype", "1"),
    ];
    let page = admin.submit("/work/queues/new", &fields).await;
    page.sees("Returns").sees("Owner: Warehouse").sees("returns@example.com").sees("Private queue");
    let row = w.read("/queues?$filter=name%20eq%20'Returns'").await["value"][0].clone();
    assert_eq!(row["_ownerid_value"], team.as_str());
    let edit = format!("/work/queues/{}/edit", row["queueid"].as_str().unwrap());
    let wrong = admin.send(&edit, &[("name", ""), ("emailaddress", "nonsense"), ("ownerid", "Nobody Here")]).await;
    wrong.expect(400).sees("Nothing active is called “Nobody Here”").sees("nonsense");
    admin.submit(&edit, &[("name", "Returned goods"), ("ownerid", "Warehouse")]).await.sees("Returned goods");
    let mut sally = w.salesperson().await;
    sally
        .send("/work/queues/new", &[("name", "Mine"), ("queueviewtype", "0")])
        .await
        .expect(400)
        .sees("prvCreateQueue");
});

story!(a_contact_is_made_changed_and_taken_out_of_use, |w| {
    let mut sally = w.salesperson().await;
    sally.open("/work/contacts/new").await.expect(200).sees("Email addresses").sees("belong to this record");
    let fields = [
        ("firstname", "Ada"),
        ("lastname", "Lovelace"),
        ("emailaddress1", "ada@example.net"),
        ("parentcustomerid", "Engines"),
    ];
    let wrong = sally.send("/work/contacts/new", &fields).await.expect(400);
    wrong.sees("Nothing active is called “Engines”");
    let account = sally.submit("/work/accounts/new", &[("name", "Engines"), ("telephone1", "1")]).await;
    account.sees("Created.").sees("Engines");
    let page = sally.submit("/work/contacts/new", &fields).await;
    page.sees("Ada Lovelace").sees("Timeline").sees("Nothing yet.").sees("Write an Email");
    let row = w.read("/contacts?$select=fullname,_parentcustomerid_value,versionnumber").await["value"][0].clone();
    let (id, version) = (row["contactid"].as_str().unwrap().to_owned(), row["versionnumber"].to_string());
    let path = format!("/work/contacts/{id}");
    assert!(row["_parentcustomerid_value"].is_string(), "{row}");

    let broken = [("lastname", "King"), ("emailaddress2", "no address"), ("version", version.as_str())];
    let page = sally.send(&path, &broken).await.expect(400);
    assert!(
        page.text().contains("id=\"emailaddress2-fault\"") && page.text().contains("value=\"King\""),
        "{}",
        page.text()
    );
    let page = sally.submit(&path, &[("lastname", "King"), ("donotemail", "0"), ("version", &version)]).await;
    page.sees("Saved.").sees("Ada King");
    // The form was opened before somebody else saved.
    sally.send(&path, &[("lastname", "Byron"), ("version", &version)]).await.expect(400).sees("version");
    sally.submit(&path, &[("lastname", "Byron"), ("then", "close")]).await.sees("Contacts").sees("Ada Byron");
    sally
        .send("/work/contacts/deactivate", &[("id", &id)])
        .await
        .expect(200)
        .sees("New emails no longer belong to inactive");
    sally.send("/work/contacts/deactivate/yes", &[("id", &id)]).await.expect(200).sees("1 done, 0 refused");
    sally.open(&path).await.expect(200).sees("Inactive").sees("Activate");
    sally.send("/work/contacts/activate", &[("id", &id)]).await.expect(200).sees("1 done");

    let mut bob = w.person("bob@example.com", &["Basic User"]).await;
    bob.open(&path).await.expect(404);
    let page = sally.send("/work/contacts/assign", &[("id", &id), ("who", "bob")]).await.expect(200);
    page.sees("bob@example.com").sees("Ada Byron");
    let to = format!("systemuser:{}", bob.id);
    sally
        .send("/work/contacts/assign/yes", &[("id", &id), ("target", &to)])
        .await
        .expect(200)
        .sees("1 done, 0 refused");
    bob.open(&path).await.expect(200).sees("Ada Byron");
    sally.open(&path).await.expect(404);
    bob.send("/work/contacts/delete", &[("id", &id)]).await.expect(200).sees("deleted for good");
    bob.send("/work/contacts/delete/yes", &[("id", &id)]).await.expect(200).sees("1 done");
    bob.open(&path).await.expect(404);
});

story!(who_may_only_read_sees_no_form, |w| {
    let contact = w.create("contacts", json!({ "lastname": "Lovelace", "jobtitle": "Analyst" })).await;
    let mut auditor = w.person("auditor@example.com", &["Auditor"]).await;
    let page = auditor.open(&format!("/work/contacts/{contact}")).await.expect(200);
    page.sees("You may read this record, but not change it.").sees("Job Title Analyst").sees_no("Save");
    let refused = auditor.send(&format!("/work/contacts/{contact}"), &[("lastname", "X")]).await.expect(400);
    refused.sees("prvWriteContact");
    let mut nobody = w.nobody().await;
    nobody.open("/work/contacts").await.expect(403).sees("no security role");
    nobody.open("/").await.expect(200).sees("You have no security role yet");
});

async fn wrote(w: &World, subject: &str, contact: &str) {
    w.clock.advance(60);
    let party = json!({ "partyid_contact@odata.bind": format!("/contacts({contact})"), "participationtypemask": 2 });
    w.create("emails", json!({ "subject": subject, "email_activity_parties": [party] })).await;
}

story!(the_timeline_loads_more, |w| {
    let contact = w.create("contacts", json!({ "lastname": "Lovelace", "emailaddress1": "ada@example.net" })).await;
    for n in 0..25 {
        wrote(&w, &format!("Letter {n:02}"), &contact).await;
    }
    let mut admin = w.administrator().await;
    let path = format!("/work/contacts/{contact}");
    let page = admin.open(&path).await.expect(200);
    let text = page.text();
    let parts = text.split("hx-get=\"").filter_map(|part| part.split('"').next());
    let more = parts.into_iter().find(|address| address.contains("after=")).unwrap();
    let more = more.replace("&amp;", "&").replace("&#38;", "&");
    page.sees("Letter 24").sees("Letter 05").sees_no("Letter 04");
    let part = admin.part(&more).await.expect(200);
    part.sees("Letter 04").sees("Letter 00").sees_no("Load more").sees_no("Timeline");
    admin.part(&format!("{path}/timeline?show=received")).await.expect(200).sees("Timeline").sees_no("Letter");
    admin.open(&format!("{path}?show=open")).await.expect(200).sees("Letter 24");
    admin.open(&format!("{path}?after=nonsense")).await.expect(400).sees("no place in the timeline");
});

story!(an_account_shows_what_its_contacts_did, |w| {
    let account = w.create("accounts", json!({ "name": "Analytical Engines" })).await;
    let bind = format!("/accounts({account})");
    let contact =
        w.create("contacts", json!({ "lastname": "Lovelace", "parentcustomerid_account@odata.bind": bind })).await;
    let other = w.create("contacts", json!({ "lastname": "Hopper" })).await;
    for n in 0..22 {
        wrote(&w, &format!("Letter {n:02}"), &contact).await;
    }
    wrote(&w, "Elsewhere", &other).await;
    let about = |subject: &str, table: &str, id: &str| {
        let bind = format!("/{table}s({id})");
        json!({ "subject": subject, format!("regardingobjectid_{table}_email@odata.bind"): bind })
    };
    w.create("emails", about("About her", "contact", &contact)).await;
    w.create("emails", about("About them", "account", &account)).await;
    let mut admin = w.administrator().await;
    let page = admin.open(&format!("/work/accounts/{account}")).await.expect(200);
    let text = page.text();
    page.sees("About them")
        .sees("About her")
        .sees("Letter 21")
        .sees("Letter 04")
        .sees_no("Letter 03")
        .sees_no("Elsewhere");
    let more =
        text.split("hx-get=\"").filter_map(|part| part.split('"').next()).find(|a| a.contains("after=")).unwrap();
    let more = more.replace("&amp;", "&").replace("&#38;", "&");
    let part = admin.part(&more).await.expect(200);
    part.sees("Letter 03").sees("Letter 00").sees_no("Letter 04").sees_no("Elsewhere").sees_no("Load more");
    // A contact's timeline is its own.
    admin.open(&format!("/work/contacts/{contact}")).await.expect(200).sees("About her").sees_no("About them");
});

story!(an_unknown_address_gets_its_record, |w| {
    let to = |address: &str| json!([{ "addressused": address, "unresolvedpartyname": "Ada King Lovelace", "participationtypemask": 1 }]);
    for address in ["ada@example.net", "grace@example.net", "lea@example.net"] {
        w.create("emails", json!({ "subject": "S", "directioncode": false, "email_activity_parties": to(address) }))
            .await;
    }
    let mut admin = w.administrator().await;
    admin
        .open("/work/unresolved")
        .await
        .expect(200)
        .sees("ada@example.net Ada King Lovelace 1")
        .sees("grace@example.net");
    let page = admin.open("/work/unresolved/resolve?address=ada@example.net&name=Ada+King+Lovelace").await.expect(200);
    page.sees("Whose address is this? ada@example.net").sees("Somebody new").sees("Create a lead and resolve");
    let fields =
        [("address", "ada@example.net"), ("do", "create"), ("firstname", "Ada King"), ("lastname", "Lovelace")];
    admin.submit("/work/unresolved/resolve", &fields).await.sees("Done.").sees_no("ada@example.net");
    let row = w.read("/contacts?$select=fullname,emailaddress1").await["value"][0].clone();
    assert_eq!((&row["fullname"], &row["emailaddress1"]), (&json!("Ada King Lovelace"), &json!("ada@example.net")));

    let fields = [("address", "lea@example.net"), ("do", "lead"), ("firstname", "Lea"), ("lastname", "Late")];
    admin.submit("/work/unresolved/resolve", &fields).await.sees("Done.").sees_no("lea@example.net");
    assert_eq!(w.read("/leads?$select=emailaddress1").await["value"][0]["emailaddress1"], "lea@example.net");

    let contact = w.create("contacts", json!({ "lastname": "Hopper" })).await;
    let target = format!("contact:{contact}");
    let fields = [("address", "grace@example.net"), ("do", "choose"), ("find", "hop")];
    let none = admin.send("/work/unresolved/resolve", &fields).await;
    none.expect(400).sees("Choose whose address it is.").sees("Hopper");
    let fields = [("address", "grace@example.net"), ("do", "choose"), ("target", target.as_str()), ("note", "1")];
    admin.submit("/work/unresolved/resolve", &fields).await.sees("belongs to somebody");
    assert_eq!(w.read(&format!("/contacts({contact})")).await["emailaddress1"], "grace@example.net");
    admin
        .open(&format!("/work/contacts/{contact}"))
        .await
        .expect(200)
        .sees("From grace@example.net")
        .sees_no("Nothing yet");
});

story!(activities_go_into_queues, |w| {
    let mut sally: Person<'_> = w.salesperson().await;
    let s = support(&w, &sally.id).await;
    sally.open("/work/activities").await.expect(200).sees("Activities");
    let mine = w
        .create("emails", json!({ "subject": "An offer", "ownerid@odata.bind": format!("/systemusers({})", sally.id) }))
        .await;
    sally.open("/work/activities").await.expect(200).sees("An offer").sees("Add to Queue");
    let page = sally.open(&format!("/work/activities/queue?id={mine}")).await.expect(200);
    page.sees("An offer").sees("Support");
    sally.send("/work/activities/queue/yes", &[("id", &mine)]).await.expect(200).sees("Choose a queue.");
    let target = format!("queue:{}", s.queue);
    sally.send("/work/activities/queue/yes", &[("id", &mine), ("target", &target)]).await.expect(200).sees("1 done");
    let again = sally.send("/work/activities/queue/yes", &[("id", &mine), ("target", &target)]).await.expect(200);
    again.sees("0 done, 1 refused").sees("in this queue already");
    sally.open(&format!("/work/queues/{}", s.queue)).await.expect(200).sees("An offer");
    sally.send("/work/activities/delete/yes", &[("id", &mine)]).await.expect(200).sees("1 done");
});

story!(what_waits_for_me, |w| {
    let mut sally = w.salesperson().await;
    sally.open("/").await.expect(200).sees("Nothing waits for you.").sees("New Email").sees_no("Mailboxes need you");
    let owner = format!("/systemusers({})", sally.id);
    w.create("emails", json!({ "subject": "Half written", "ownerid@odata.bind": owner })).await;
    sally.open("/").await.expect(200).sees("My drafts").sees("Half written");
    let mut admin = w.administrator().await;
    admin
        .open("/")
        .await
        .expect(200)
        .sees("no email server profile yet")
        .sees("Set up the first mailbox")
        .sees("Waiting for approval: 2");
    let pending = actions::views::ready(<model::tables::Mailbox as model::Entity>::TABLE, "Mailboxes Pending Approval");
    admin.open("/").await.says(&format!("/settings/mailboxes?view={pending}"));
    admin.open(&format!("/settings/mailboxes?view={pending}")).await.expect(200).sees("Mailboxes Pending Approval");
});

story!(options_are_kept_and_pages_follow, |w| {
    let mut sally = w.salesperson().await;
    let page = sally.open("/options").await.expect(200);
    page.sees("Personal Options").sees("My mailbox").sees("Pending Approval").sees("Amsterdam, Berlin");
    let fields = [
        ("incomingemailfilteringmethod", "0"),
        ("issendasallowed", "1"),
        ("pr_signature", "Sally\r\nSales"),
        ("uilanguageid", "1031"),
        ("timezonecode", "110"),
        ("pr_theme", "2"),
        ("paginglimit", "25"),
        ("keys", "0"),
    ];
    let page = sally.submit("/options", &fields).await;
    assert!(page.text().contains("data-theme=\"dark\"") && !page.text().contains("data-keys"), "{}", page.text());
    page.sees("Gespeichert.").sees("Persönliche Optionen").sees("Zeitzone");
    let row = w.read(&format!("/usersettingscollection({})", sally.id)).await;
    assert_eq!(row["pr_signature"], "Sally\nSales");
    assert_eq!((&row["timezonecode"], &row["incomingemailfilteringmethod"]), (&json!(110), &json!(0)));
    // In Berlin it is an hour later.
    let s = support(&w, &sally.id).await;
    sally.open(&format!("/work/queues/{}", s.queue)).await.expect(200).sees("1. März 2026, 10:01");
    let wrong = [("timezonecode", "7777"), ("paginglimit", "9999"), ("uilanguageid", "1036")];
    let page = sally.send("/options", &wrong).await.expect(400);
    for field in ["timezonecode-fault", "paginglimit-fault", "uilanguageid-fault"] {
        assert!(page.text().contains(&format!("id=\"{field}\"")), "{field} in {}", page.text());
    }
    sally.submit("/options", &[("uilanguageid", ""), ("timezonecode", "")]).await.sees("Saved.");
});
