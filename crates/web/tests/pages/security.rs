//! Settings › Security: people are made, given roles, helped in, and watched.

use serde_json::json;

use crate::browser::Browser;
use crate::world::World;

const USERS: &str = "/settings/security/users";
const ROLES: &str = "/settings/security/roles";
const PASSWORD: &str = "correct horse battery";

async fn id_of(w: &World, set: &str, key: &str, filter: &str) -> String {
    let rows = w.read(&format!("/{set}?$filter={}", filter.replace(' ', "%20"))).await;
    rows["value"][0][key].as_str().unwrap_or_else(|| panic!("no {set} with {filter}")).to_owned()
}

async fn role(w: &World, name: &str) -> String {
    id_of(w, "roles", "roleid", &format!("name eq '{name}'")).await
}

/// The link that a page shows.
fn ticket(page: &str) -> String {
    let (_, rest) = page.split_once("/password?ticket=").expect("a link");
    rest.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect()
}

story!(an_administrator_makes_a_user_who_signs_in_by_the_link, |w| {
    let (basic, member) = (role(&w, "Basic User").await, role(&w, "Queue Member").await);
    let mut admin = w.administrator().await;
    admin.open(USERS).await.expect(200).sees("New User");
    let form = admin.open("/settings/security/users/new").await.expect(200);
    form.sees("Security Roles").sees("Basic User");
    let fields = [
        ("firstname", "Otto"),
        ("lastname", "Ordinary"),
        ("internalemailaddress", "otto@example.com"),
        ("domainname", ""),
        ("accessmode", "0"),
        ("role", &*basic),
        ("role", &*member),
        ("link", "1"),
    ];
    let shown = admin.send("/settings/security/users/new", &fields).await.expect(200);
    let link = ticket(&shown.text());
    shown.sees("Whoever has the link can sign in as this user");
    let mut otto = Browser::new(&w);
    otto.post("/password", &[("ticket", &link), ("new", PASSWORD)]).await.expect(303);
    otto.sign_in("otto@example.com", PASSWORD).await.expect(303);
    let id = id_of(&w, "systemusers", "systemuserid", "domainname eq 'otto@example.com'").await;
    let page = admin.open(&format!("{USERS}/{id}")).await.expect(200);
    let text = page.text();
    assert!(text.contains(&format!("value=\"{member}\" checked")), "{text}");
    page.sees("Otto Ordinary").sees("End all sessions").sees("set on");
    // The administrator ends it.
    admin.submit(&format!("{USERS}/{id}/sessions/end"), &[("session", "all")]).await.sees("signed in nowhere");
    otto.get("/account").await.expect(303);
    admin
        .open(&format!("/settings/security/audit?row={id}"))
        .await
        .expect(200)
        .sees("sessions-ended")
        .sees("password-reset");
});

story!(what_is_wrong_with_a_new_user_is_said_beside_the_field, |w| {
    let mut admin = w.administrator().await;
    let fields = [("lastname", "Twice"), ("internalemailaddress", "no address"), ("link", "0")];
    let page = admin.send("/settings/security/users/new", &fields).await.expect(400);
    assert!(page.text().contains("aria-invalid=\"true\""), "{}", page.text());
    page.sees("Create user");
    // What was typed is still there.
    let again = admin.send("/settings/security/users/new", &fields).await.text();
    assert!(again.contains("value=\"Twice\"") && again.contains("value=\"no address\""), "{again}");
});

story!(a_user_is_changed_disabled_and_enabled, |w| {
    let (id, token) = w.user("otto@example.com").await;
    let mut admin = w.administrator().await;
    let path = format!("{USERS}/{id}");
    let page = admin.submit(&path, &[("firstname", "Otto"), ("lastname", "Other"), ("jobtitle", "Clerk")]).await;
    page.sees("Saved.").sees("Otto Other");
    admin.submit(&format!("{path}/disable"), &[]).await.sees("Disabled");
    w.get("/WhoAmI").by(&token).await.expect(401);
    admin.submit(&format!("{path}/enable"), &[]).await.sees("Enabled");
    w.get("/WhoAmI").by(&token).await.expect(200);
    // Several at once, after a question.
    admin.send(&format!("{USERS}/disable"), &[("id", &id)]).await.expect(200).sees("Who is disabled cannot sign in");
    admin.send(&format!("{USERS}/disable/yes"), &[("id", &id)]).await.expect(200).sees("1 done, 0 refused");
    w.get("/WhoAmI").by(&token).await.expect(401);
});

story!(roles_are_given_and_taken_and_the_last_administrator_stays, |w| {
    let (id, _) = w.user("otto@example.com").await;
    let (basic, customizer) = (role(&w, "Basic User").await, role(&w, "System Customizer").await);
    let mut admin = w.administrator().await;
    let path = format!("{USERS}/{id}/roles");
    admin.submit(&path, &[("role", &basic), ("role", &customizer)]).await.sees("Done.");
    admin.open(&format!("{USERS}/{id}/check")).await.expect(200).sees("System Customizer – given to the user");
    let own = format!("{USERS}/{}/roles", admin.id);
    let refused = admin.send(&own, &[("role", &basic)]).await.expect(405);
    refused.sees("This is the last System Administrator who can log in. Make another one first.");
    let refused = admin.send(&format!("{USERS}/{}/disable", admin.id), &[]).await.expect(405);
    refused.sees("the last System Administrator");
});

story!(who_may_not_is_told_why, |w| {
    let (id, _) = w.user("otto@example.com").await;
    let admin = role(&w, "System Administrator").await;
    let mut customizer = w.customizer().await;
    let page = customizer.open(&format!("{USERS}/{id}")).await.expect(200);
    page.sees("How somebody signs in, their sessions and their tokens are shown to who may manage tokens");
    customizer.send(&format!("{USERS}/{id}/roles"), &[("role", &admin)]).await.expect(403).sees("prvAssignRole");
    customizer.send(&format!("{USERS}/{id}/link"), &[]).await.expect(403).sees("prvManageTokens");
    customizer.open("/settings/security/sessions").await.expect(403).sees("prvManageTokens");
    customizer.open("/settings/security/audit").await.expect(403).sees("prvReadAudit");
    let mut sally = w.salesperson().await;
    sally.open("/settings/security/users/new").await.expect(403).sees("lack the right to create users");
    sally.send("/settings/security/users/new", &[("lastname", "X")]).await.expect(403);
    sally.send(&format!("{USERS}/{id}"), &[("lastname", "X")]).await.expect(403);
    sally.send(&format!("{USERS}/{id}/sessions/end"), &[("session", "all")]).await.expect(403);
    sally.open("/settings/security/roles/new").await.expect(403);
    sally.open("/settings/security/units/new").await.expect(403);
    sally.send(&format!("{ROLES}/{admin}/privileges"), &[]).await.expect(403);
    let mut nobody = w.nobody().await;
    for path in [USERS, ROLES, "/settings/security/teams", "/settings/security/units", "/settings/security/tokens"] {
        nobody.open(path).await.expect(403);
    }
    nobody.open(&format!("{USERS}/{id}")).await.expect(403).sees("Check your security role");
});

story!(a_role_is_copied_changed_and_given, |w| {
    let (id, token) = w.user("otto@example.com").await;
    let auditor = role(&w, "Auditor").await;
    let mut admin = w.administrator().await;
    let page = admin.open(&format!("{ROLES}/{auditor}")).await.expect(200);
    page.sees("This role came with the program").sees("Parent: Child Business Units").sees("View Audit History");
    admin
        .submit(&format!("{ROLES}/{auditor}/copy"), &[("copy_name", "Watcher")])
        .await
        .sees("Watcher")
        .sees("Created.");
    let copy = role(&w, "Watcher").await;
    admin.submit(&format!("{ROLES}/{copy}/assign"), &[("target", &format!("systemuser:{id}"))]).await.sees("User");
    w.get("/pr_audits").by(&token).await.expect(200);
    // With one privilege instead of all.
    let privilege = id_of(&w, "privileges", "privilegeid", "name eq 'prvReadAccount'").await;
    let field = format!("p.{privilege}");
    let page = admin.submit(&format!("{ROLES}/{copy}/privileges"), &[(&*field, "2"), ("p.x", "8")]).await;
    assert!(page.text().contains("<option value=\"2\" selected"), "{}", page.text());
    w.get("/pr_audits").by(&token).await.expect(403);
    admin
        .submit(&format!("{ROLES}/{copy}/remove"), &[("target", &format!("systemuser:{id}"))])
        .await
        .sees("Nobody has this role.");
    let administrator = role(&w, "System Administrator").await;
    let page = admin.open(&format!("{ROLES}/{administrator}")).await.expect(200);
    assert!(!page.text().contains("<select class=\"depth"), "nothing to set");
    page.sees("has every privilege that there is");
    admin.send(&format!("{ROLES}/{administrator}/privileges"), &[(&*field, "2")]).await.expect(405);
});

story!(a_new_role_begins_with_nothing_or_another_ones_privileges, |w| {
    let mut admin = w.administrator().await;
    let new = "/settings/security/roles/new";
    admin.open(new).await.expect(200).sees("Begin with the privileges of");
    admin.submit(new, &[("name", "Empty"), ("from", "")]).await.sees("Empty");
    let from = role(&w, "Queue Member").await;
    admin.submit(new, &[("name", "Like a member"), ("from", &from)]).await.sees("Like a member");
    admin.send(new, &[("name", ""), ("from", "")]).await.expect(400);
    let id = role(&w, "Empty").await;
    admin.submit(&format!("{ROLES}/{id}"), &[("name", "Renamed"), ("description", "For nobody")]).await.sees("Renamed");
    admin.send(&format!("{ROLES}/delete/yes"), &[("id", &id)]).await.expect(200).sees("1 done, 0 refused");
    let ready = role(&w, "Auditor").await;
    admin.send(&format!("{ROLES}/delete/yes"), &[("id", &ready)]).await.expect(200).sees("came with the program");
});

story!(a_team_has_members_and_roles, |w| {
    let (id, token) = w.user("otto@example.com").await;
    let auditor = role(&w, "Auditor").await;
    let mut admin = w.administrator().await;
    admin.submit("/settings/security/teams/new", &[("name", "Watch"), ("teamtype", "0")]).await.sees("Watch");
    let team = id_of(&w, "teams", "teamid", "name eq 'Watch'").await;
    let path = format!("/settings/security/teams/{team}");
    admin.submit(&format!("{path}/members"), &[("target", &format!("systemuser:{id}"))]).await.sees("Remove");
    admin.submit(&format!("{path}/roles"), &[("role", &auditor)]).await.sees("Saved.");
    w.get("/pr_audits").by(&token).await.expect(200);
    admin.open(&format!("{USERS}/{id}")).await.expect(200).sees("Also by the team Watch");
    admin.open(&format!("{USERS}/{id}/check?for=read%20audit")).await.expect(200).sees("may do this");
    admin.submit(&format!("{path}/members/remove"), &[("user", &id)]).await.sees("Nobody is in this team.");
    w.get("/pr_audits").by(&token).await.expect(403);
    admin
        .open(&format!("{USERS}/{id}/check?for=read%20audit"))
        .await
        .expect(200)
        .sees("may not do this")
        .sees("Auditor");
    admin.open(&format!("{USERS}/{id}/check?for=fly")).await.expect(200).sees("is no operation");
    // From the user's side.
    admin.submit(&format!("{USERS}/{id}/teams"), &[("team", &team)]).await.sees("Done.");
    admin.open(&path).await.expect(200).sees("User Remove");
    admin.submit(&path, &[("name", "Watchers"), ("teamtype", "0")]).await.sees("Watchers");
});

story!(business_units_form_a_tree, |w| {
    let mut admin = w.administrator().await;
    let root = id_of(&w, "businessunits", "businessunitid", "_parentbusinessunitid_value eq null").await;
    let new = "/settings/security/units/new";
    admin.submit(new, &[("name", "North"), ("parentbusinessunitid", &root)]).await.sees("North");
    let north = id_of(&w, "businessunits", "businessunitid", "name eq 'North'").await;
    admin.submit(new, &[("name", "Harbour"), ("parentbusinessunitid", &north)]).await.sees("Harbour");
    let harbour = id_of(&w, "businessunits", "businessunitid", "name eq 'Harbour'").await;
    admin.open("/settings/security/units").await.expect(200).sees("North").sees("Harbour (level 3)");
    let path = |id: &str| format!("/settings/security/units/{id}");
    let below = admin.send(&path(&north), &[("name", "North"), ("parentbusinessunitid", &harbour)]).await.expect(400);
    below.sees("cannot stand below itself");
    admin.submit(&path(&harbour), &[("name", "Harbour"), ("parentbusinessunitid", &root)]).await.sees("Saved.");
    admin.submit(&format!("{}/disable", path(&harbour)), &[]).await.sees("Disabled");
    admin.submit(&format!("{}/enable", path(&harbour)), &[]).await.sees("Saved.");
    admin.send(&format!("{}/delete", path(&root)), &[]).await.expect(405).sees("root business unit cannot be deleted");
    admin.submit(&format!("{}/delete", path(&north)), &[]).await.sees("Deleted.").sees_no("North");
});

story!(tokens_and_sessions_of_everybody, |w| {
    let (id, token) = w.user("otto@example.com").await;
    let mut admin = w.administrator().await;
    admin.open("/settings/security/tokens").await.expect(200).sees("test").sees("Revoke");
    let row = id_of(&w, "pr_apitokens", "pr_apitokenid", &format!("_pr_systemuserid_value eq {id}")).await;
    admin
        .send("/settings/security/tokens/revoke", &[("id", &row)])
        .await
        .expect(200)
        .sees("refused from the next request on");
    admin.send("/settings/security/tokens/revoke/yes", &[("id", &row)]).await.expect(200).sees("1 done, 0 refused");
    w.get("/WhoAmI").by(&token).await.expect(401);
    let mut sally = w.salesperson().await;
    let page = admin.open("/settings/security/sessions").await.expect(200);
    let text = page.text();
    page.sees("sally@example.com").sees("This one");
    let session = text.split("name=\"session\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    admin.submit("/settings/security/sessions/end", &[("session", session)]).await.sees("Done.").sees_no("sally@");
    sally.open("/account").await.expect(303);
});

story!(the_trail_is_searched_and_exported, |w| {
    let account = w.create("accounts", json!({ "name": "Before" })).await;
    w.clock.advance(61);
    w.patch(&format!("/accounts({account})"), json!({ "name": "After" })).await.expect(204);
    let mailbox = w.create("mailboxes", json!({ "name": "F", "emailaddress": "f@example.com" })).await;
    w.patch(&format!("/mailboxes({mailbox})"), json!({ "password": "the-password" })).await.expect(204);
    let mut admin = w.administrator().await;
    let audit = "/settings/security/audit";
    let found = admin.open(&format!("{audit}?row={account}")).await.expect(200);
    found.sees("Old value").sees("Before").sees("After").sees("api").sees_no("password-set");
    admin
        .open(&format!("{audit}?table=account&action=update"))
        .await
        .expect(200)
        .sees("After")
        .sees_no("Before create");
    admin.open(&format!("{audit}?user=nobody-there")).await.expect(200).sees("There is no user of this name");
    admin.open(&format!("{audit}?row=7")).await.expect(200).sees("looks like");
    admin.open(&format!("{audit}?from=yesterday")).await.expect(200).sees("Enter times as");
    admin
        .open(&format!("{audit}?from=2026-03-01T09:01&table=account"))
        .await
        .expect(200)
        .sees("update")
        .sees_no("create account");
    admin.open(&format!("{audit}?to=2026-02-01T09:01")).await.expect(200).sees("Nothing was found.");
    let csv = admin.send(&format!("{audit}/export?table=account&format=csv"), &[]).await.expect(200);
    assert_eq!(csv.header("content-disposition"), "attachment; filename=\"audit.csv\"");
    assert_eq!(csv.text().lines().count(), 3, "{}", csv.text());
    let all = admin.send(&format!("{audit}/export?format=jsonl"), &[]).await.expect(200).text();
    assert!(all.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
    assert!(all.contains("audit-exported") && !all.contains("the-password"), "{all}");
    let page = admin.open(audit).await.expect(200);
    page.sees("audit-exported").sees_no("the-password");
});

story!(older_entries_follow, |w| {
    for n in 0..60 {
        w.create("accounts", json!({ "name": format!("A{n:02}.") })).await;
        w.clock.advance(1);
    }
    let mut admin = w.administrator().await;
    let first = admin.open("/settings/security/audit?table=account").await.expect(200).text();
    assert!(first.contains("A59.") && !first.contains("A05."), "the newest first");
    let next = first.split("rel=\"next\"").next().and_then(|before| before.rsplit("href=\"").next());
    let next = next
        .and_then(|rest| rest.split('"').next())
        .expect("a further page")
        .replace("&amp;", "&")
        .replace("&#38;", "&");
    let second = admin.open(&next).await.expect(200).text();
    assert!(second.contains("A05.") && !second.contains("A59.") && !second.contains("rel=\"next\""), "{second}");
});

story!(a_locked_user_is_let_in_again_and_the_second_step_reset, |w| {
    let mut admin = w.administrator().await;
    let sally = w.salesperson().await;
    let mut browser = Browser::new(&w);
    for _ in 0..6 {
        browser.sign_in("sally@example.com", "wrong").await;
    }
    let path = format!("{USERS}/{}", sally.id);
    admin.open(&path).await.expect(200).sees("failed attempts, until").sees("Unlock");
    admin.submit(&format!("{path}/unlock"), &[]).await.sees_no("Unlock");
    browser.sign_in("sally@example.com", PASSWORD).await.expect(303);
    admin.send(&format!("{path}/second-step"), &[]).await.expect(405).sees("The user has no second step.");
    let page = admin.send(&format!("{path}/link"), &[]).await.expect(200);
    let link = ticket(&page.text());
    admin.open(&path).await.expect(200).sees("A link to set a password is good until");
    admin.submit(&format!("{path}/links/revoke"), &[]).await.sees_no("Revoke the link");
    browser.get(&format!("/password?ticket={link}")).await.expect(401);
});

story!(in_german, |w| {
    let mut admin = w.administrator().await.reading("de");
    let page = admin.open("/settings/security/users/new").await.expect(200);
    page.sees("Neuer Benutzer").sees("Sicherheitsrollen");
    let auditor = role(&w, "Auditor").await;
    admin
        .open(&format!("{ROLES}/{auditor}"))
        .await
        .expect(200)
        .sees("Unternehmenseinheit")
        .sees("Überwachungsprotokoll ansehen");
});
