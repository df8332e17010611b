//! What an ordinary user may and may not.

use serde_json::json;

story!(an_ordinary_user, |w| {
    let (ann, token) = w.user("ann@example.com").await;
    let (bob, _) = w.user("bob@example.com").await;
    let own = w.mailbox_of(&ann).await;
    let others = w.mailbox_of(&bob).await;
    w.get(&format!("/mailboxes({own})")).by(&token).await.expect(200);
    w.get(&format!("/mailboxes({others})")).by(&token).await.expect(404).code("0x80040217");
    let list = w.get("/mailboxes").by(&token).await.expect(200).json();
    assert_eq!(list["value"].as_array().unwrap().len(), 1);
    assert_eq!(w.get("/mailboxes/$count").by(&token).await.expect(200).text(), "1");
    w.patch(&format!("/mailboxes({own})"), json!({ "name": "x" })).by(&token).await.expect(204);
    w.delete(&format!("/mailboxes({own})")).by(&token).await.expect(403).code("0x80040220").says("prvDeleteMailbox");
    w.patch(&format!("/mailboxes({others})"), json!({ "name": "x" })).by(&token).await.expect(404);
    w.post("/mailboxes", json!({ "name": "F" })).by(&token).await.expect(403).code("0x80040220");
    w.post("/systemusers", json!({ "lastname": "F" })).by(&token).await.expect(403).code("0x80040220");
    w.delete(&format!("/systemusers({bob})")).by(&token).await.expect(403);
    w.patch(&format!("/systemusers({ann})"), json!({ "pr_isadministrator": true })).by(&token).await.expect(403);
    w.get("/emailserverprofiles").by(&token).await.expect(200);
    w.post("/emailserverprofiles", json!({ "name": "P" }))
        .by(&token)
        .await
        .expect(403)
        .says("prvCreateEmailServerProfile");
    w.get("/contacts").by(&token).await.expect(200);
});

story!(own_work, |w| {
    let (ann, token) = w.user("ann@example.com").await;
    let id = w
        .post("/emails", json!({ "subject": "Mine", "email_activity_parties": [{ "addressused": "a@b.example", "participationtypemask": 2 }] }))
        .by(&token)
        .await
        .expect(204)
        .entity_id();
    w.patch(&format!("/emails({id})"), json!({ "subject": "Still mine" })).by(&token).await.expect(204);
    assert_eq!(w.read(&format!("/emails({id})")).await["_ownerid_value"], ann.as_str());
    let parties = w.get("/activityparties").by(&token).await.expect(200).json();
    assert_eq!(parties["value"].as_array().unwrap().len(), 1);
    let (_, bob_token) = w.user("bob@example.com").await;
    w.get(&format!("/emails({id})")).by(&bob_token).await.expect(404);
    w.patch(&format!("/emails({id})"), json!({ "subject": "Bob's" })).by(&bob_token).await.expect(404);
    w.delete(&format!("/emails({id})")).by(&bob_token).await.expect(404);
    let parties = w.get("/activityparties").by(&bob_token).await.expect(200).json();
    assert_eq!(parties["value"], json!([]));
    w.delete(&format!("/emails({id})")).by(&token).await.expect(204);
});

story!(attachments_of_others, |w| {
    let (_, token) = w.user("ann@example.com").await;
    let body = json!({ "subject": "x", "email_activity_mime_attachment": [{ "filename": "a.txt", "body": "aGk=" }] });
    w.create("emails", body).await;
    let list = w.read("/activitymimeattachments").await;
    let id = list["value"][0]["activitymimeattachmentid"].as_str().unwrap();
    w.get(&format!("/activitymimeattachments({id})")).by(&token).await.expect(404);
    w.get(&format!("/activitymimeattachments({id})/body/$value")).by(&token).await.expect(404);
    let email = list["value"][0]["_objectid_value"].as_str().unwrap();
    let body = json!({ "filename": "b.txt", "body": "aGk=", "objectid_activitypointer@odata.bind": format!("/emails({email})") });
    w.post("/activitymimeattachments", body).by(&token).await.expect(404).code("0x80040217");
});

story!(creating_for_somebody_else, |w| {
    let (_, token) = w.user("ann@example.com").await;
    let (bob, _) = w.user("bob@example.com").await;
    let body = json!({ "name": "A", "ownerid@odata.bind": format!("/systemusers({bob})") });
    w.post("/accounts", body).by(&token).await.expect(403).code("0x80040220");
});

story!(sending_as_somebody_else, |w| {
    let (_, token) = w.user("ann@example.com").await;
    let (bob, _) = w.user("bob@example.com").await;
    let contact = json!({ "lastname": "C", "emailaddress1": "c@example.org" });
    let contact = w.post("/contacts", contact).by(&token).await.expect(204).entity_id();
    let body = json!({ "subject": "x", "email_activity_parties": [
        { "partyid_systemuser@odata.bind": format!("/systemusers({bob})"), "participationtypemask": 1 },
        { "partyid_contact@odata.bind": format!("/contacts({contact})"), "participationtypemask": 2 }
    ] });
    let id = w.post("/emails", body).by(&token).await.expect(204).entity_id();
    let path = format!("/emails({id})/Microsoft.Dynamics.CRM.SendEmail");
    w.post(&path, json!({ "IssueSend": true })).by(&token).await.expect(403).code("0x80040220");
    w.patch(&format!("/usersettingscollection({bob})"), json!({ "issendasallowed": true })).await.expect(204);
    w.post(&path, json!({ "IssueSend": true })).by(&token).await.expect(200);
});

/// Gives a user a ready role, as the administrator would.
async fn give(w: &crate::world::World, user: &str, role: &str) -> String {
    let found = w.read(&format!("/roles?$select=name&$filter=name%20eq%20'{}'", role.replace(' ', "%20"))).await;
    let role = found["value"][0]["roleid"].as_str().expect("a role").to_owned();
    let body = json!({ "systemuserid@odata.bind": format!("/systemusers({user})"), "roleid@odata.bind": format!("/roles({role})") });
    w.create("systemuserrolescollection", body).await
}

story!(a_role_counts_at_once, |w| {
    let (ann, token) = w.user("ann@example.com").await;
    let (bob, _) = w.user("bob@example.com").await;
    let others = w.mailbox_of(&bob).await;
    w.get(&format!("/mailboxes({others})")).by(&token).await.expect(404);
    let given = give(&w, &ann, "Mailbox Administrator").await;
    w.get(&format!("/mailboxes({others})")).by(&token).await.expect(200);
    w.post("/mailboxes", json!({ "name": "F", "emailaddress": "f@example.com" })).by(&token).await.expect(204);
    w.delete(&format!("/systemuserrolescollection({given})")).await.expect(204);
    w.get(&format!("/mailboxes({others})")).by(&token).await.expect(404);
});

story!(customizers_make_forward_mailboxes, |w| {
    for (address, role) in [("c@example.com", "System Customizer"), ("a@example.com", "System Administrator")] {
        let (user, token) = w.user(address).await;
        give(&w, &user, role).await;
        let body = json!({ "name": address, "emailaddress": format!("forward-{address}") });
        let mailbox = w.post("/mailboxes", body).by(&token).await.expect(204).entity_id();
        w.patch(&format!("/mailboxes({mailbox})"), json!({ "username": "u", "password": "p" }))
            .by(&token)
            .await
            .expect(204);
        let profile = json!({
            "name": address, "servertype": 4, "incomingserverlocation": "a.example", "outgoingserverlocation": "a.example",
            "incomingauthenticationprotocol": 3, "outgoingauthenticationprotocol": 3
        });
        w.post("/emailserverprofiles", profile).by(&token).await.expect(204);
    }
});

story!(nobody_gives_more_than_they_have, |w| {
    let roles = w.read("/roles?$select=name").await;
    let role = |name: &str| {
        let all = roles["value"].as_array().unwrap();
        all.iter().find(|r| r["name"] == name).unwrap()["roleid"].as_str().unwrap().to_owned()
    };
    let admin = role("System Administrator");
    for name in ["Basic User", "System Customizer", "Mailbox Administrator", "Integration", "Auditor"] {
        let (user, token) = w.user(&format!("{}@example.com", name.replace(' ', ""))).await;
        if name != "Basic User" {
            give(&w, &user, name).await;
        }
        let body = json!({ "systemuserid@odata.bind": format!("/systemusers({user})"), "roleid@odata.bind": format!("/roles({admin})") });
        w.post("/systemuserrolescollection", body).by(&token).await.expect(403);
        let me = w.read("/WhoAmI").await["UserId"].as_str().unwrap().to_owned();
        w.patch(&format!("/systemusers({me})"), json!({ "isdisabled": true })).by(&token).await.expect(403);
        let answer = w.patch(&format!("/roles({admin})"), json!({ "name": "x" })).by(&token).await;
        assert!(matches!(answer.status, 403 | 404), "{}", answer.text());
    }
});

story!(an_administrator_remains, |w| {
    let me = w.read("/WhoAmI").await["UserId"].as_str().unwrap().to_owned();
    w.patch(&format!("/systemusers({me})"), json!({ "isdisabled": true }))
        .await
        .expect(405)
        .says("last System Administrator");
    w.patch(&format!("/systemusers({me})"), json!({ "accessmode": 2 })).await.expect(405);
    let pairs = w
        .read(&format!(
            "/systemuserrolescollection?$filter=_systemuserid_value%20eq%20{me}&$expand=roleid($select=name)"
        ))
        .await;
    let pair =
        pairs["value"].as_array().unwrap().iter().find(|p| p["roleid"]["name"] == "System Administrator").unwrap();
    let pair = pair["systemuserroleid"].as_str().unwrap();
    w.delete(&format!("/systemuserrolescollection({pair})")).await.expect(405).code("0x8004023B");
    let (ann, _) = w.user("ann@example.com").await;
    give(&w, &ann, "System Administrator").await;
    w.delete(&format!("/systemuserrolescollection({pair})")).await.expect(204);
    w.get("/systemusers").await.expect(200);
    w.post("/roles", json!({ "name": "R" })).await.expect(403).says("prvCreateRole");
});

story!(an_owner_can_read_what_they_are_given, |w| {
    let (ann, _) = w.user("ann@example.com").await;
    let pairs = w.read(&format!("/systemuserrolescollection?$filter=_systemuserid_value%20eq%20{ann}")).await;
    let pair = pairs["value"][0]["systemuserroleid"].as_str().unwrap();
    w.delete(&format!("/systemuserrolescollection({pair})")).await.expect(204);
    let account = w.create("accounts", json!({ "name": "A" })).await;
    let give_to = json!({ "ownerid@odata.bind": format!("/systemusers({ann})") });
    let path = format!("/accounts({account})");
    w.patch(&path, give_to.clone()).await.expect(403).code("0x80040220").says("prvReadAccount").says("new owner");
    let me = w.read("/WhoAmI").await["UserId"].as_str().unwrap().to_owned();
    assert_eq!(w.read(&path).await["_ownerid_value"], me.as_str());
    give(&w, &ann, "Basic User").await;
    w.patch(&path, give_to).await.expect(204);
    // A team that has no role owns nothing either.
    let unit = w.read("/businessunits").await["value"][0]["businessunitid"].as_str().unwrap().to_owned();
    let team = json!({ "name": "T", "businessunitid@odata.bind": format!("/businessunits({unit})"), "administratorid@odata.bind": format!("/systemusers({ann})") });
    let team = w.create("teams", team).await;
    let give_to = json!({ "ownerid@odata.bind": format!("/teams({team})") });
    w.patch(&path, give_to).await.expect(403).says("prvReadAccount");
});

story!(what_pairs_a_row_that_is_gone_goes_with_it, |w| {
    let (ann, token) = w.user("ann@example.com").await;
    let account = w.create("accounts", json!({ "name": "A" })).await;
    let sharing = model::tables::by_logical_name("principalobjectaccess").unwrap();
    let mut share = model::Record::with_defaults(sharing, model::Id::from_u128(77));
    let ann_ref = model::Ref::new("systemuser", ann.parse().unwrap());
    share.set("objectid", model::Value::Ref(model::Ref::new("account", account.parse().unwrap())));
    share.set("principalid", model::Value::Ref(ann_ref));
    share.set("accessrightsmask", model::Value::Int(1));
    let actor = model::Actor { user: ann_ref.id };
    let commit = model::Commit::new(actor, model::Clock::now(&*w.clock), vec![model::Change::Create(share)]);
    w.store.commit(&commit).await.unwrap();
    w.get(&format!("/accounts({account})")).by(&token).await.expect(200);
    w.delete(&format!("/accounts({account})")).await.expect(204);
    assert_eq!(w.store.count(&model::Query::table(sharing)).await.unwrap(), 0);
    let profile = w.create("fieldsecurityprofiles", json!({ "name": "P" })).await;
    let pair = json!({ "systemuserid@odata.bind": format!("/systemusers({ann})"), "fieldsecurityprofileid@odata.bind": format!("/fieldsecurityprofiles({profile})") });
    w.create("systemuserprofilescollection", pair).await;
    w.delete(&format!("/fieldsecurityprofiles({profile})")).await.expect(204);
    assert_eq!(w.read("/systemuserprofilescollection").await["value"], json!([]));
});
