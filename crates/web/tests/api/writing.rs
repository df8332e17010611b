//! Upsert, binds, state, deep insert, deletes: what holds for every table.

use axum::http::Method;
use serde_json::{Value, json};

const NOBODY: &str = "00000000-0000-0000-0000-00000000000a";

story!(upsert_by_id, |w| {
    let path = format!("/accounts({NOBODY})");
    w.patch(&path, json!({ "name": "A" })).header("if-match", "*").await.expect(404).code("0x80040217");
    let answer = w.patch(&path, json!({ "name": "A" })).await.expect(204);
    assert_eq!(answer.entity_id(), NOBODY);
    w.patch(&path, json!({ "name": "B" })).header("if-none-match", "*").await.expect(412).code("0x80040237");
    w.patch(&path, json!({ "name": "C" })).await.expect(204);
    assert_eq!(w.read(&path).await["name"], "C");
});

story!(upsert_tells_created_from_updated, |w| {
    let path = format!("/accounts({NOBODY})");
    w.patch(&path, json!({ "name": "A" })).prefer("return=representation").await.expect(201);
    w.patch(&path, json!({ "name": "B" })).prefer("return=representation").await.expect(200);
});

story!(upsert_by_alternate_key, |w| {
    let path = "/contacts(emailaddress1='a@b.example')";
    w.patch(path, json!({ "lastname": "One" })).await.expect(204);
    w.patch(path, json!({ "lastname": "Two" })).await.expect(204);
    let list = w.read("/contacts").await;
    assert_eq!(list["value"].as_array().unwrap().len(), 1);
    assert_eq!(list["value"][0]["lastname"], "Two");
    assert_eq!(list["value"][0]["emailaddress1"], "a@b.example");
});

story!(the_client_may_choose_the_id, |w| {
    let body = json!({ "accountid": NOBODY, "name": "A" });
    assert_eq!(w.post("/accounts", body.clone()).await.expect(204).entity_id(), NOBODY);
    w.post("/accounts", body).await.expect(412).code("0x80040237");
    w.patch(&format!("/accounts({NOBODY})"), json!({ "accountid": "00000000-0000-0000-0000-00000000000b" }))
        .await
        .expect(400);
});

story!(binds_in_all_forms, |w| {
    let account = w.create("accounts", json!({ "name": "A", "accountnumber": "N1" })).await;
    let id = w.create("contacts", json!({ "lastname": "C" })).await;
    let path = format!("/contacts({id})");
    for url in [
        format!("/accounts({account})"),
        format!("accounts({account})"),
        format!("accounts({})", account.to_uppercase()),
        format!("http://crm.example.com/api/data/v9.2/accounts({account})"),
        format!("https://elsewhere.example/api/data/v9.1/accounts({account})"),
        format!("/api/data/v9.2/accounts({account})"),
        "/accounts(accountnumber='N1')".to_owned(),
        format!("/accounts(accountid={account})"),
    ] {
        w.patch(&path, json!({ "parentcustomerid_account@odata.bind": null })).await.expect(204);
        assert_eq!(w.read(&path).await["_parentcustomerid_value"], Value::Null);
        w.patch(&path, json!({ "parentcustomerid_account@odata.bind": url })).await.expect(204);
        assert_eq!(w.read(&path).await["_parentcustomerid_value"], account.as_str(), "{url}");
    }
});

story!(bad_binds, |w| {
    let id = w.create("contacts", json!({ "lastname": "C" })).await;
    let path = format!("/contacts({id})");
    let bind = |nav: &str, value: Value| json!({ format!("{nav}@odata.bind"): value });
    w.patch(&path, bind("nothing", json!("/accounts(1)")))
        .await
        .expect(400)
        .code("0x80048D19")
        .says("undeclared property");
    w.patch(&path, bind("parentcustomerid_account", json!("rubbish"))).await.expect(400);
    w.patch(&path, bind("parentcustomerid_account", json!(5))).await.expect(400);
    w.patch(&path, bind("parentcustomerid_account", json!(["/accounts(1)"]))).await.expect(400);
    w.patch(&path, bind("parentcustomerid_account", json!("$1"))).await.expect(400);
    w.patch(&path, bind("parentcustomerid_account", json!(format!("/contacts({id})")))).await.expect(400);
    w.patch(&path, bind("parentcustomerid_account", json!(format!("/accounts({NOBODY})"))))
        .await
        .expect(404)
        .code("0x80040217");
    w.patch(&path, bind("parentcustomerid_account", json!("/accounts(name='nobody')")))
        .await
        .expect(404)
        .code("0x80060891");
    w.patch(&path, bind("parentcustomerid_account", json!("/nothings(name='x')"))).await.expect(400).code("0x80060888");
    w.patch(&path, bind("createdby", json!(format!("/systemusers({NOBODY})")))).await.expect(204);
});

story!(lookups_are_not_written_by_value, |w| {
    let body = json!({ "lastname": "C", "_parentcustomerid_value": NOBODY });
    w.post("/contacts", body).await.expect(400).code("0x80048D19").says("@odata.bind");
});

story!(metadata_in_the_body_is_accepted, |w| {
    let body = json!({
        "@odata.type": "Microsoft.Dynamics.CRM.account", "@odata.id": "x", "@odata.etag": "W/\"1\"", "@odata.context": "y",
        "name": "A", "name@OData.Community.Display.V1.FormattedValue": "A"
    });
    w.post("/accounts", body).await.expect(204);
});

story!(all_faults_at_once, |w| {
    let body = json!({
        "nothing": 1, "name": 5, "emailaddress1": "no address", "statecode": 77, "telephone1": "1".repeat(51)
    });
    let answer = w.post("/accounts", body).await.expect(400);
    let codes = answer.codes();
    for code in ["0x80048D19", "0x80044192", "0x8004431A", "0x80044331"] {
        assert!(codes.iter().any(|c| c == code), "{code} is not among {codes:?}");
    }
    assert_eq!(w.get("/accounts/$count").await.expect(200).text(), "0");
    let organization = w.read("/WhoAmI").await["OrganizationId"].as_str().unwrap().to_owned();
    let body = json!({ "hashmaxcount": 5000, "fullnameconventioncode": 99 });
    let answer = w.patch(&format!("/organizations({organization})"), body).await.expect(400);
    answer.also("0x80044330").also("0x8004431A");
});

story!(unknown_property, |w| {
    w.post("/accounts", json!({ "name": "A", "nothing": 1 }))
        .await
        .expect(400)
        .code("0x80048D19")
        .says("Invalid property 'nothing' was found in entity 'Microsoft.Dynamics.CRM.account'.");
});

story!(state_and_status, |w| {
    let id = w.create("accounts", json!({ "name": "A" })).await;
    let path = format!("/accounts({id})");
    w.patch(&path, json!({ "statecode": 1 })).await.expect(204);
    assert_eq!(w.read(&path).await["statuscode"], 2);
    w.patch(&path, json!({ "statuscode": 1 })).await.expect(204);
    assert_eq!(w.read(&path).await["statecode"], 0);
    w.patch(&path, json!({ "statecode": 0, "statuscode": 2 })).await.expect(400).code("0x80048408");
});

story!(full_names_follow_the_organization, |w| {
    let organization = w.read("/WhoAmI").await["OrganizationId"].as_str().unwrap().to_owned();
    let id = w.create("leads", json!({ "firstname": "Ada", "lastname": "Lovelace" })).await;
    assert_eq!(w.read(&format!("/leads({id})")).await["fullname"], "Ada Lovelace");
    w.patch(&format!("/organizations({organization})"), json!({ "fullnameconventioncode": 0 })).await.expect(204);
    w.patch(&format!("/leads({id})"), json!({ "firstname": "Augusta" })).await.expect(204);
    assert_eq!(w.read(&format!("/leads({id})")).await["fullname"], "Lovelace, Augusta");
});

story!(what_cannot_be_deleted, |w| {
    let me = w.read("/WhoAmI").await;
    let delete = |set: &str, id: &Value| format!("/{set}({})", id.as_str().unwrap());
    w.delete(&delete("organizations", &me["OrganizationId"])).await.expect(405).code("0x8004023B");
    w.delete(&delete("systemusers", &me["UserId"])).await.expect(405).code("0x8004023B");
    w.delete(&delete("usersettingscollection", &me["UserId"])).await.expect(405);
    w.delete(&delete("businessunits", &me["BusinessUnitId"])).await.expect(405);
    w.delete(&format!("/accounts({NOBODY})")).await.expect(404).code("0x80040217");
});

story!(business_units_are_a_tree, |w| {
    let root = w.read("/WhoAmI").await["BusinessUnitId"].as_str().unwrap().to_owned();
    let a = w.create("businessunits", json!({ "name": "A" })).await;
    assert_eq!(w.read(&format!("/businessunits({a})")).await["_parentbusinessunitid_value"], root.as_str());
    let b = w
        .create(
            "businessunits",
            json!({ "name": "B", "parentbusinessunitid@odata.bind": format!("/businessunits({a})") }),
        )
        .await;
    w.patch(
        &format!("/businessunits({a})"),
        json!({ "parentbusinessunitid@odata.bind": format!("/businessunits({b})") }),
    )
    .await
    .expect(400);
    w.delete(&format!("/businessunits({a})")).await.expect(405).code("0x80040227");
    w.delete(&format!("/businessunits({b})")).await.expect(204);
    w.delete(&format!("/businessunits({a})")).await.expect(204);
});

story!(no_second_organization, |w| {
    w.post("/organizations", json!({ "name": "B" })).await.expect(405).code("0x80040800");
});

story!(methods, |w| {
    let answer = w.ask(Method::PUT, "/accounts").await.expect(405);
    assert_eq!(answer.header("allow"), "GET, POST");
    w.ask(Method::POST, &format!("/accounts({NOBODY})")).await.expect(405);
    w.ask(Method::DELETE, "/accounts").await.expect(405);
    w.ask(Method::OPTIONS, "/accounts").await.expect(405);
    w.ask(Method::POST, "/accounts/$count").await.expect(405);
    w.ask(Method::POST, "/").await.expect(405);
});

story!(everything_is_audited, |w| {
    use model::tables::Audit;
    let profile = w
        .create("emailserverprofiles", json!({
            "name": "P", "servertype": 4, "incomingserverlocation": "a.example", "outgoingserverlocation": "a.example",
            "incomingauthenticationprotocol": 3, "outgoingauthenticationprotocol": 3
        }))
        .await;
    let id = w
        .create(
            "mailboxes",
            json!({
                "name": "F", "emailaddress": "f@example.com", "incomingemaildeliverymethod": 2,
                "allowemailconnectortousecredentials": true, "username": "f", "password": "hunter2-secret",
                "emailserverprofile@odata.bind": format!("/emailserverprofiles({profile})")
            }),
        )
        .await;
    w.patch(&format!("/mailboxes({id})"), json!({ "password": "hunter3-secret" })).await.expect(204);
    w.patch(&format!("/mailboxes({id})"), json!({ "emailrouteraccessapproval": 1 })).await.expect(204);
    w.delete(&format!("/mailboxes({id})")).await.expect(204);
    let row: model::Id = id.parse().unwrap();
    let query = model::Query::of::<Audit>().filter(model::Filter::eq(Audit::C.row, Some(row)));
    let mut rows = w.store.list::<Audit>(&query).await.unwrap();
    rows.sort_by(|a, b| a.action.cmp(&b.action));
    let actions: Vec<&str> = rows.iter().map(|r| r.action.as_str()).collect();
    assert_eq!(actions, ["approve", "create", "delete", "update"]);
    assert!(rows.iter().all(|r| !r.detail.contains("hunter")), "{rows:?}");
    let changed: Value = serde_json::from_str(&rows[3].detail).unwrap();
    assert_eq!(changed["password"]["new"], "changed");
});

story!(a_refusal_changes_nothing, |w| {
    let id = w.create("accounts", json!({ "name": "A" })).await;
    let path = format!("/accounts({id})");
    let before = w.read(&path).await;
    w.patch(&path, json!({ "name": "B", "emailaddress1": "bad" })).await.expect(400);
    assert_eq!(w.read(&path).await, before);
});

story!(writing_the_same_again_changes_no_version, |w| {
    let id = w.create("accounts", json!({ "name": "A" })).await;
    let path = format!("/accounts({id})");
    let before = w.read(&path).await;
    w.patch(&path, json!({ "name": "A", "telephone1": "" })).await.expect(204);
    assert_eq!(w.read(&path).await, before);
});

story!(who_and_when, |w| {
    let me = w.read("/WhoAmI").await["UserId"].clone();
    let id = w.create("accounts", json!({ "name": "A" })).await;
    w.clock.advance(60);
    w.patch(&format!("/accounts({id})"), json!({ "name": "B" })).await.expect(204);
    let row = w.read(&format!("/accounts({id})")).await;
    assert_eq!(row["createdon"], "2026-03-01T09:00:00Z");
    assert_eq!(row["modifiedon"], "2026-03-01T09:01:00Z");
    assert_eq!(row["_createdby_value"], me);
    assert_eq!(row["_ownerid_value"], me);
});

story!(what_has_an_owner_keeps_the_owner, |w| {
    let team = w.create("teams", json!({ "name": "T" })).await;
    let account = w.create("accounts", json!({ "name": "A", "ownerid@odata.bind": format!("/teams({team})") })).await;
    w.delete(&format!("/teams({team})")).await.expect(405).code("0x80040227").says("ownerid");
    w.delete(&format!("/accounts({account})")).await.expect(204);
    w.delete(&format!("/teams({team})")).await.expect(204);
});

story!(a_deleted_mailbox_is_forgotten_by_many, |w| {
    use model::Entity;
    use model::tables::{LedgerEntry, Mailbox};
    let id = w.create("mailboxes", json!({ "name": "F", "emailaddress": "f@example.com" })).await;
    let mailbox = model::Ref::new(Mailbox::TABLE.logical, id.parse().unwrap());
    let rows = (0..4100_u128).map(|n| {
        let entry = LedgerEntry {
            mailbox: Some(mailbox),
            position: n.to_string(),
            ..LedgerEntry::blank(model::Id::from_u128(n + 1))
        };
        model::Change::create(entry)
    });
    let actor = model::Actor { user: model::Id::nil() };
    w.store.commit(&model::Commit::new(actor, model::Timestamp::UNIX_EPOCH, rows.collect())).await.unwrap();
    w.delete(&format!("/mailboxes({id})")).await.expect(204);
    let left = model::Query::of::<LedgerEntry>().filter(model::Filter::IsNull(LedgerEntry::C.mailbox.name.into()));
    assert_eq!(w.store.count(&left).await.unwrap(), 4100);
});

story!(deep_insert_of_half_a_row, |w| {
    let body = json!({ "subject": "E", "Email_QueueItem": [{}] });
    w.post("/emails", body).await.expect(400).code("0x80040203").says("queueid");
    assert_eq!(w.get("/emails/$count").await.expect(200).text(), "0");
});

story!(conditional_deletes_and_reads, |w| {
    let id = w.create("accounts", json!({ "name": "A" })).await;
    let path = format!("/accounts({id})");
    let old = w.read(&path).await["@odata.etag"].as_str().unwrap().to_owned();
    w.get(&path).header("if-none-match", &old).await.expect(304);
    w.get(&path).header("if-none-match", "null").await.expect(200);
    w.patch(&path, json!({ "name": "B" })).await.expect(204);
    w.get(&path).header("if-none-match", &old).await.expect(200);
    w.delete(&path).header("if-match", &old).await.expect(412).code("0x80060882");
    w.ask(Method::PUT, &path).json(&json!({ "name": "C" })).await.expect(405);
    let new = w.read(&path).await["@odata.etag"].as_str().unwrap().to_owned();
    w.delete(&path).header("if-match", &new).await.expect(204);
    w.delete(&path).header("if-match", "*").await.expect(404).code("0x80040217");
});

story!(duplicate_detection_without_rules_finds_none, |w| {
    for _ in 0..2 {
        w.post("/accounts", json!({ "name": "A" }))
            .header("mscrm.suppressduplicatedetection", "false")
            .await
            .expect(204);
    }
});
