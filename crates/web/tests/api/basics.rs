//! Create, read, update, list, delete.

use serde_json::json;

story!(who_am_i, |w| {
    let body = w.read("/WhoAmI").await;
    assert!(body["UserId"].as_str().unwrap().len() == 36, "{body}");
    assert_ne!(body["OrganizationId"], "00000000-0000-0000-0000-000000000000");
    assert_ne!(body["BusinessUnitId"], "00000000-0000-0000-0000-000000000000");
    assert_eq!(
        body["@odata.context"],
        "http://crm.example.com/api/data/v9.2/$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse"
    );
});

story!(create_and_read, |w| {
    let answer = w.post("/contacts", json!({ "firstname": "Ada", "lastname": "Lovelace" })).await.expect(204);
    let id = answer.entity_id();
    assert_eq!(answer.header("location"), format!("http://crm.example.com/api/data/v9.2/contacts({id})"));
    let body = w.read(&format!("/contacts({id})?$select=fullname,statecode")).await;
    assert_eq!(body["fullname"], "Ada Lovelace");
    assert_eq!(body["statecode"], 0);
    assert_eq!(body["contactid"], id.as_str());
    assert_eq!(
        body["@odata.context"],
        "http://crm.example.com/api/data/v9.2/$metadata#contacts(fullname,statecode)/$entity"
    );
    assert!(body.get("lastname").is_none());
});

story!(create_with_representation, |w| {
    let answer = w
        .post("/accounts?$select=name", json!({ "name": "Contoso" }))
        .prefer("return=representation")
        .await
        .expect(201);
    assert_eq!(answer.json()["name"], "Contoso");
    assert_eq!(answer.header("preference-applied"), "return=representation");
    assert!(answer.header("odata-entityid").ends_with(')'));
});

story!(update_and_etag, |w| {
    let id = w.create("accounts", json!({ "name": "One" })).await;
    let path = format!("/accounts({id})");
    let before = w.read(&path).await;
    let etag = before["@odata.etag"].as_str().unwrap().to_owned();
    w.patch(&path, json!({ "name": "Two" })).header("if-match", &etag).await.expect(204);
    w.patch(&path, json!({ "name": "Three" })).header("if-match", &etag).await.expect(412).code("0x80060882");
    assert_eq!(w.read(&path).await["name"], "Two");
    w.delete(&path).header("if-match", &etag).await.expect(412).code("0x80060882");
    w.delete(&path).await.expect(204);
    w.get(&path).await.expect(404).code("0x80040217");
});

story!(a_user_gets_a_mailbox_and_settings, |w| {
    let id = w
        .create(
            "systemusers",
            json!({ "domainname": "ann", "internalemailaddress": "ann@example.com", "lastname": "Ann" }),
        )
        .await;
    let user = w.read(&format!("/systemusers({id})?$expand=defaultmailbox")).await;
    assert_eq!(user["defaultmailbox"]["emailaddress"], "ann@example.com");
    assert_eq!(user["defaultmailbox"]["isforwardmailbox"], false);
    w.get(&format!("/usersettingscollection({id})")).await.expect(200);
});

story!(forward_mailbox, |w| {
    w.post("/mailboxes", json!({ "name": "F", "incomingemaildeliverymethod": 2 })).await.expect(400).code("0x8005E211");
});

story!(list_pages, |w| {
    for n in 0..7 {
        w.create("accounts", json!({ "name": format!("Account {n}") })).await;
    }
    let mut names = Vec::new();
    let mut path = "/accounts?$select=name&$orderby=name%20desc&$count=true".to_owned();
    loop {
        let page = w.get(&path).prefer("odata.maxpagesize=3").await.expect(200).json();
        assert_eq!(page["@odata.count"], 7);
        names.extend(page["value"].as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap().to_owned()));
        let Some(next) = page["@odata.nextLink"].as_str() else { break };
        path = next.strip_prefix("http://crm.example.com/api/data/v9.2").unwrap().to_owned();
    }
    let expected: Vec<String> = (0..7).rev().map(|n| format!("Account {n}")).collect();
    assert_eq!(names, expected);
});
