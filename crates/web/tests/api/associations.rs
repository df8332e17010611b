//! Many-to-many navigation: roles of users and teams, members of teams.

use axum::http::Method;
use serde_json::{Value, json};

use crate::world::World;

const NOBODY: &str = "00000000-0000-0000-0000-00000000000a";

async fn role(w: &World, name: &str) -> String {
    let found = w.read(&format!("/roles?$select=name&$filter=name%20eq%20'{}'", name.replace(' ', "%20"))).await;
    found["value"][0]["roleid"].as_str().expect("a role").to_owned()
}

fn url(set: &str, id: &str) -> String {
    format!("http://crm.example.com/api/data/v9.2/{set}({id})")
}

fn to(set: &str, id: &str) -> Value {
    json!({ "@odata.id": url(set, id) })
}

fn names(rows: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = rows.as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    names
}

/// The page that a link leads to.
fn path(link: &Value) -> &str {
    link.as_str().unwrap().strip_prefix("http://crm.example.com/api/data/v9.2").unwrap()
}

story!(a_role_is_given_and_taken, |w| {
    let (ann, token) = w.user("ann@example.com").await;
    let (bob, _) = w.user("bob@example.com").await;
    let others = w.mailbox_of(&bob).await;
    let mailboxes = role(&w, "Mailbox Administrator").await;
    let nav = format!("/systemusers({ann})/systemuserroles_association");
    assert_eq!(names(&w.read(&nav).await["value"]), ["Basic User"]);
    w.get(&format!("/mailboxes({others})")).by(&token).await.expect(404);
    for _ in 0..2 {
        w.post(&format!("{nav}/$ref"), to("roles", &mailboxes)).await.expect(204);
    }
    w.get(&format!("/mailboxes({others})")).by(&token).await.expect(200);
    let list = w.read(&format!("{nav}?$select=name&$orderby=name%20desc&$count=true")).await;
    assert_eq!(list["@odata.count"], 2);
    assert_eq!(list["value"][0]["name"], "Mailbox Administrator");
    assert_eq!(w.get(&format!("{nav}/$count")).await.expect(200).text(), "2");
    let list = w.read(&format!("{nav}?$filter=startswith(name,'Mail')")).await;
    assert_eq!(names(&list["value"]), ["Mailbox Administrator"]);
    let refs = w.read(&format!("{nav}/$ref")).await;
    assert!(refs["value"].as_array().unwrap().contains(&to("roles", &mailboxes)), "{refs}");
    // The role names its users.
    let back = w.read(&format!("/roles({mailboxes})/systemuserroles_association?$select=internalemailaddress")).await;
    assert_eq!(back["value"].as_array().unwrap().len(), 1);
    assert_eq!(back["value"][0]["systemuserid"], ann.as_str());
    w.delete(&format!("{nav}({mailboxes})/$ref")).await.expect(204);
    w.get(&format!("/mailboxes({others})")).by(&token).await.expect(404);
    w.delete(&format!("{nav}({mailboxes})/$ref")).await.expect(404).code("0x80040217");
    // From the other side, and by address.
    let back = format!("/roles({mailboxes})/systemuserroles_association/$ref");
    w.post(&back, to("systemusers", &ann)).await.expect(204);
    assert_eq!(w.get(&format!("{nav}/$count")).await.expect(200).text(), "2");
    w.delete(&format!("{nav}/$ref?$id={}", url("roles", &mailboxes))).await.expect(204);
    assert_eq!(names(&w.read(&nav).await["value"]), ["Basic User"]);
});

story!(nobody_helps_themselves, |w| {
    let (ann, token) = w.user("ann@example.com").await;
    let (bob, _) = w.user("bob@example.com").await;
    let nav = format!("/systemusers({ann})/systemuserroles_association");
    let own = role(&w, "Basic User").await;
    for name in ["System Administrator", "Mailbox Administrator"] {
        let role = role(&w, name).await;
        w.post(&format!("{nav}/$ref"), to("roles", &role)).by(&token).await.expect(403).code("0x80040220");
        let back = format!("/roles({role})/systemuserroles_association/$ref");
        w.post(&back, to("systemusers", &ann)).by(&token).await.expect(403);
    }
    w.delete(&format!("/systemusers({bob})/systemuserroles_association({own})/$ref")).by(&token).await.expect(403);
    for user in [&ann, &bob] {
        let list = w.read(&format!("/systemusers({user})/systemuserroles_association")).await;
        assert_eq!(names(&list["value"]), ["Basic User"]);
    }
});

story!(expanded, |w| {
    let (ann, _) = w.user("ann@example.com").await;
    let (bob, _) = w.user("bob@example.com").await;
    for name in ["Auditor", "Mailbox Administrator"] {
        let body = to("roles", &role(&w, name).await);
        w.post(&format!("/systemusers({ann})/systemuserroles_association/$ref"), body).await.expect(204);
    }
    let expand = "$expand=systemuserroles_association($select=name;$orderby=name";
    let all = ["Auditor", "Basic User", "Mailbox Administrator"];
    let row = w.read(&format!("/systemusers({ann})?$select=lastname&{expand})")).await;
    assert_eq!(names(&row["systemuserroles_association"]), all);
    assert!(row["systemuserroles_association"][0].get("description").is_none());
    let list = w.read(&format!("/systemusers?$select=lastname&{expand})")).await;
    let of = |id: &str| {
        let row = list["value"].as_array().unwrap().iter().find(|r| r["systemuserid"] == id).unwrap();
        names(&row["systemuserroles_association"])
    };
    assert_eq!(of(&ann), all);
    assert_eq!(of(&bob), ["Basic User"]);
    let first = w.read(&format!("/systemusers({ann})?$select=lastname&{expand}%20desc;$top=1)")).await;
    assert_eq!(names(&first["systemuserroles_association"]), ["Mailbox Administrator"]);
    assert!(first.get("systemuserroles_association@odata.nextLink").is_none());
    let some = w.read(&format!("/systemusers({ann})?{expand};$filter=name%20eq%20'Auditor')")).await;
    assert_eq!(names(&some["systemuserroles_association"]), ["Auditor"]);
    let back = w.read("/roles?$select=name&$filter=name%20eq%20'Auditor'&$expand=systemuserroles_association($select=lastname;$expand=systemuserroles_association($select=name))").await;
    let users = back["value"][0]["systemuserroles_association"].as_array().unwrap();
    assert_eq!(users.len(), 1);
    assert_eq!(names(&users[0]["systemuserroles_association"]), all);
    // Page by page, expanded and navigated to.
    let row = w.get(&format!("/systemusers({ann})?{expand})")).prefer("odata.maxpagesize=2").await.expect(200).json();
    let rest = w.read(path(&row["systemuserroles_association@odata.nextLink"])).await;
    assert_eq!(names(&row["systemuserroles_association"]), all[..2]);
    assert_eq!(names(&rest["value"]), all[2..]);
    let nav = format!("/systemusers({ann})/systemuserroles_association?$select=name&$orderby=name");
    let page = w.get(&nav).prefer("odata.maxpagesize=2").await.expect(200).json();
    assert_eq!(names(&page["value"]), all[..2]);
    assert_eq!(names(&w.read(path(&page["@odata.nextLink"])).await["value"]), all[2..]);
});

story!(asked_after_in_conditions, |w| {
    let (ann, token) = w.user("ann@example.com").await;
    let (bob, _) = w.user("bob@example.com").await;
    let body = to("roles", &role(&w, "Auditor").await);
    w.post(&format!("/systemusers({ann})/systemuserroles_association/$ref"), body).await.expect(204);
    let ask = async |condition: &str| {
        let url =
            format!("/systemusers?$select=lastname&$orderby=createdon&$filter=lastname eq 'User' and {condition}");
        let list = w.get(&url.replace(' ', "%20")).by(&token).await.expect(200).json();
        let ids = list["value"].as_array().unwrap().iter().map(|r| r["systemuserid"].as_str().unwrap().to_owned());
        let mut ids: Vec<String> = ids.collect();
        ids.sort_unstable();
        ids
    };
    let mut both = vec![ann.clone(), bob.clone()];
    both.sort_unstable();
    assert_eq!(ask("systemuserroles_association/any(r:r/name eq 'auditor')").await, [ann.as_str()]);
    assert_eq!(ask("systemuserroles_association/any()").await, both);
    assert_eq!(ask("not systemuserroles_association/any(r:r/name eq 'Auditor')").await, [bob.as_str()]);
    assert_eq!(ask("systemuserroles_association/all(r:r/name eq 'Basic User')").await, [bob.as_str()]);
    assert_eq!(ask("teammembership_association/any(t:t/name eq 'Nobody')").await, [""; 0]);
    // A role that is hidden does not show by what it answers.
    let unit = w.create("businessunits", json!({ "name": "South" })).await;
    let body = json!({ "name": "Of the South", "businessunitid@odata.bind": format!("/businessunits({unit})") });
    let body = to("roles", &w.create("roles", body).await);
    w.post(&format!("/systemusers({bob})/systemuserroles_association/$ref"), body).await.expect(204);
    let auditor = role(&w, "Auditor").await;
    w.delete(&format!("/systemusers({ann})/systemuserroles_association({auditor})/$ref")).await.expect(204);
    assert_eq!(ask("systemuserroles_association/any(r:r/name eq 'Of the South')").await, [""; 0]);
});

story!(what_is_hidden_stays_hidden, |w| {
    let (_, token) = w.user("ann@example.com").await;
    let (bob, _) = w.user("bob@example.com").await;
    let unit = w.create("businessunits", json!({ "name": "South" })).await;
    let body = json!({ "name": "Of the South", "businessunitid@odata.bind": format!("/businessunits({unit})") });
    let hidden = w.create("roles", body).await;
    let nav = format!("/systemusers({bob})/systemuserroles_association");
    w.post(&format!("{nav}/$ref"), to("roles", &hidden)).await.expect(204);
    assert_eq!(names(&w.read(&nav).await["value"]), ["Basic User", "Of the South"]);
    let seen = w.get(&nav).by(&token).await.expect(200).json();
    assert_eq!(names(&seen["value"]), ["Basic User"]);
    assert_eq!(w.get(&format!("{nav}/$count")).by(&token).await.expect(200).text(), "1");
    let refs = w.get(&format!("{nav}/$ref")).by(&token).await.expect(200).json();
    assert_eq!(refs["value"].as_array().unwrap().len(), 1);
    let expanded = "$select=lastname&$expand=systemuserroles_association($select=name)";
    let one = w.get(&format!("/systemusers({bob})?{expanded}")).by(&token).await.expect(200).json();
    assert_eq!(names(&one["systemuserroles_association"]), ["Basic User"]);
    let list = w.get(&format!("/systemusers?{expanded}")).by(&token).await.expect(200).text();
    assert!(list.contains("Basic User") && !list.contains("Of the South"), "{list}");
    // Nor are the users of a role that is hidden told.
    w.get(&format!("/roles({hidden})/systemuserroles_association")).by(&token).await.expect(404);
    w.get(&format!("/roles({hidden})/systemuserroles_association/$ref")).by(&token).await.expect(404);
});

story!(teams_and_profiles, |w| {
    let (ann, _) = w.user("ann@example.com").await;
    let team = w.create("teams", json!({ "name": "Desk", "teamtype": 0 })).await;
    let profile = w.create("fieldsecurityprofiles", json!({ "name": "P" })).await;
    let auditor = role(&w, "Auditor").await;
    for (nav, set, id) in [
        ("teammembership_association", "systemusers", &ann),
        ("teamroles_association", "roles", &auditor),
        ("teamprofiles_association", "fieldsecurityprofiles", &profile),
    ] {
        let path = format!("/teams({team})/{nav}");
        w.post(&format!("{path}/$ref"), to(set, id)).await.expect(204);
        let refs = w.read(&format!("{path}/$ref")).await;
        assert_eq!(refs["value"], json!([to(set, id)]), "{nav}");
        let back = w.read(&format!("/{set}({id})/{nav}?$select=name")).await;
        assert!(names(&back["value"]).contains(&"Desk"), "{nav}: {back}");
        w.delete(&format!("{path}({id})/$ref")).await.expect(204);
        assert_eq!(w.read(&path).await["value"], json!([]), "{nav}");
    }
    let nav = format!("/systemusers({ann})/systemuserprofiles_association");
    w.post(&format!("{nav}/$ref"), to("fieldsecurityprofiles", &profile)).await.expect(204);
    assert_eq!(names(&w.read(&nav).await["value"]), ["P"]);
});

story!(refused, |w| {
    let (ann, _) = w.user("ann@example.com").await;
    let auditor = role(&w, "Auditor").await;
    let nav = format!("/systemusers({ann})/systemuserroles_association");
    w.post(&format!("{nav}/$ref"), to("teams", &auditor)).await.expect(400).says("role");
    w.post(&format!("{nav}/$ref"), json!({})).await.expect(400).says("@odata.id");
    w.post(&format!("{nav}/$ref"), to("roles", NOBODY)).await.expect(404);
    let nobodys = format!("/systemusers({NOBODY})/systemuserroles_association");
    w.post(&format!("{nobodys}/$ref"), to("roles", &auditor)).await.expect(404);
    w.get(&nobodys).await.expect(404);
    w.get(&format!("{nobodys}/$ref")).await.expect(404);
    w.delete(&format!("{nav}/$ref")).await.expect(400).says("$id");
    w.delete(&format!("{nav}/$ref?$id={}", url("systemusers", &ann))).await.expect(404);
    w.ask(Method::PUT, &format!("{nav}/$ref")).json(&to("roles", &auditor)).await.expect(405);
    w.post(&nav, json!({ "name": "x" })).await.expect(405);
    assert_eq!(names(&w.read(&nav).await["value"]), ["Basic User"]);
});
