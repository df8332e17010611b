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
