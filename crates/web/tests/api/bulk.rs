//! Many rows at once, and rows with those around them.

use serde_json::{Value, json};

const NOBODY: &str = "00000000-0000-0000-0000-00000000000a";
const CRM: &str = "Microsoft.Dynamics.CRM";

story!(create_multiple, |w| {
    let path = format!("/accounts/{CRM}.CreateMultiple");
    let targets = json!([{ "@odata.type": format!("{CRM}.account"), "name": "A" }, { "@odata.type": "#Microsoft.Dynamics.CRM.account", "name": "B", "accountid": NOBODY }]);
    let answer = w.post(&path, json!({ "Targets": targets })).await.expect(200).json();
    assert_eq!(
        answer["@odata.context"],
        "http://crm.example.com/api/data/v9.2/$metadata#Microsoft.Dynamics.CRM.CreateMultipleResponse"
    );
    let ids = answer["Ids"].as_array().unwrap();
    assert_eq!((ids.len(), &ids[1]), (2, &json!(NOBODY)));
    assert_eq!(w.read(&format!("/accounts({})", ids[0].as_str().unwrap())).await["name"], "A");
    let again = json!({ "Targets": [{ "name": "C" }, { "name": "D", "accountid": NOBODY }] });
    w.post(&path, again).await.expect(412).code("0x80040237").says("Targets[1]");
    w.post(&path, json!({ "Targets": [{ "name": "C" }, { "nothing": 1 }] }))
        .await
        .expect(400)
        .code("0x80048D19")
        .says("Targets[1]");
    assert_eq!(w.get("/accounts/$count").await.text(), "2");
    w.post(&path, json!({ "Targets": [] })).await.expect(200);
    for bad in [
        json!({}),
        json!({ "Targets": 5 }),
        json!({ "Targets": [5] }),
        json!({ "Targets": [{ "@odata.type": format!("{CRM}.contact"), "name": "x" }] }),
        json!({ "Rows": [] }),
    ] {
        w.post(&path, bad).await.expect(400);
    }
    let many: Vec<Value> = (0..1001).map(|_| json!({ "name": "x" })).collect();
    w.post(&path, json!({ "Targets": many })).await.expect(400).says("1000");
    w.get(&path).await.expect(405);
    w.post("/accounts/CreateMultiple", json!({ "Targets": [] })).await.expect(404);
    w.post(&format!("/accounts/{CRM}.DeleteMultiple"), json!({ "Targets": [] })).await.expect(405).says("BulkDelete");
});

story!(update_multiple, |w| {
    let a = w.create("accounts", json!({ "name": "A", "accountnumber": "N1" })).await;
    let b = w.create("accounts", json!({ "name": "B" })).await;
    let path = format!("/accounts/{CRM}.UpdateMultiple");
    let targets = json!([{ "accountid": a, "name": "A2" }, { "@odata.id": format!("accounts({b})"), "name": "B2" }, { "@odata.id": "accounts(accountnumber='N1')", "telephone1": "1" }]);
    w.post(&path, json!({ "Targets": targets })).await.expect(204);
    let row = w.read(&format!("/accounts({a})")).await;
    assert_eq!((&row["name"], &row["telephone1"]), (&json!("A2"), &json!("1")));
    assert_eq!(w.read(&format!("/accounts({b})")).await["name"], "B2");
    let targets = json!([{ "accountid": a, "name": "A3" }, { "accountid": NOBODY, "name": "X" }]);
    w.post(&path, json!({ "Targets": targets })).await.expect(404).code("0x80040217");
    w.post(&path, json!({ "Targets": [{ "name": "X" }] })).await.expect(400).says("accountid");
    w.post(&path, json!({ "Targets": [{ "@odata.id": format!("contacts({a})"), "name": "X" }] })).await.expect(400);
    w.post(&path, json!({ "Targets": [{ "@odata.id": format!("accounts({b})"), "accountid": a, "name": "X" }] }))
        .await
        .expect(400);
    assert_eq!(w.read(&format!("/accounts({a})")).await["name"], "A2");
});

story!(upsert_multiple, |w| {
    let a = w.create("accounts", json!({ "name": "A", "accountnumber": "N1" })).await;
    let path = format!("/accounts/{CRM}.UpsertMultiple");
    let targets = json!([
        { "@odata.id": "accounts(accountnumber='N1')", "@odata.type": format!("{CRM}.account"), "name": "A2" },
        { "@odata.id": "accounts(accountnumber='N2')", "@odata.type": format!("{CRM}.account"), "name": "B" },
        { "@odata.id": format!("accounts({NOBODY})"), "name": "C" },
        { "name": "D" },
    ]);
    let answer = w.post(&path, json!({ "Targets": targets })).await.expect(200).json();
    let created: Vec<_> =
        answer["Results"].as_array().unwrap().iter().map(|r| r["RecordCreated"].as_bool().unwrap()).collect();
    assert_eq!(created, [false, true, true, true]);
    assert_eq!(answer["Results"][0]["Target"]["Id"], json!(a));
    assert_eq!(w.read(&format!("/accounts({a})")).await["name"], "A2");
    assert_eq!(w.read("/accounts(accountnumber='N2')").await["name"], "B");
    assert_eq!(w.read(&format!("/accounts({NOBODY})")).await["name"], "C");
    let targets = json!([{ "@odata.id": "accounts(accountnumber='N3')", "name": "E" }, { "@odata.id": "accounts(accountnumber='N1')", "name": 5 }]);
    w.post(&path, json!({ "Targets": targets })).await.expect(400);
    assert_eq!(w.get("/accounts/$count").await.text(), "4");
});

/// As the official Python SDK writes it.
fn job(table: &str, conditions: Value) -> Value {
    json!({
        "JobName": "Bulk delete", "SendEmailNotification": false, "ToRecipients": [], "CCRecipients": [],
        "RecurrencePattern": "", "StartDateTime": "2026-03-01T09:00:10Z",
        "QuerySet": [{
            "@odata.type": "Microsoft.Dynamics.CRM.QueryExpression", "EntityName": table,
            "ColumnSet": { "@odata.type": "Microsoft.Dynamics.CRM.ColumnSet", "AllColumns": false, "Columns": [] },
            "Criteria": { "@odata.type": "Microsoft.Dynamics.CRM.FilterExpression", "FilterOperator": "And", "Conditions": conditions },
        }],
    })
}

fn condition(column: &str, operator: &str, values: Value) -> Value {
    json!({ "@odata.type": "Microsoft.Dynamics.CRM.ConditionExpression", "AttributeName": column, "Operator": operator, "Values": values })
}

story!(bulk_delete_by_ids, |w| {
    let mut ids = Vec::new();
    for n in 0..3 {
        ids.push(w.create("accounts", json!({ "name": format!("A{n}") })).await);
    }
    let values = json!([{ "Value": ids[0], "Type": "System.Guid" }, { "Value": ids[1], "Type": "System.Guid" }, { "Value": NOBODY, "Type": "System.Guid" }]);
    let answer =
        w.post("/BulkDelete", job("account", json!([condition("accountid", "In", values)]))).await.expect(200).json();
    assert!(answer["JobId"].as_str().unwrap().len() == 36, "{answer}");
    let left = w.read("/accounts").await;
    assert_eq!((left["value"].as_array().unwrap().len(), &left["value"][0]["accountid"]), (1, &json!(ids[2])));
});

story!(bulk_delete_by_other_conditions, |w| {
    for (name, city) in [("a", "X"), ("b", "X"), ("c", "Y")] {
        w.create("accounts", json!({ "name": name, "accountnumber": city })).await;
    }
    let conditions = json!([
        condition("accountnumber", "Equal", json!(["X"])),
        condition("name", "NotEqual", json!([{ "Value": "b", "Type": "System.String" }]))
    ]);
    w.post("/BulkDelete", job("account", conditions)).await.expect(200);
    assert_eq!(w.get("/accounts/$count").await.text(), "2");
    w.post("/BulkDelete", job("account", json!([condition("name", "BeginsWith", json!(["b"]))]))).await.expect(200);
    w.post("/BulkDelete", job("account", json!([condition("telephone1", "Null", json!([]))]))).await.expect(200);
    assert_eq!(w.get("/accounts/$count").await.text(), "0");
});

story!(bulk_delete_refused, |w| {
    let id = w.create("accounts", json!({ "name": "A" })).await;
    let by = |column: &str, operator: &str, values: Value| job("account", json!([condition(column, operator, values)]));
    w.post("/BulkDelete", job("nothing", json!([]))).await.expect(400).code("0x80041102");
    w.post("/BulkDelete", job("pr_login", json!([]))).await.expect(400).code("0x80041102");
    w.post("/BulkDelete", by("nothing", "Equal", json!(["x"]))).await.expect(400).code("0x80041103");
    w.post("/BulkDelete", by("name", "Sounds", json!(["x"]))).await.expect(400).says("sounds");
    w.post("/BulkDelete", by("accountid", "In", json!(["x"]))).await.expect(400);
    w.post("/BulkDelete", by("name", "Equal", json!(["x", "y"]))).await.expect(400);
    for (name, value) in [
        ("RecurrencePattern", json!("FREQ=DAILY;")),
        ("SendEmailNotification", json!(true)),
        ("StartDateTime", json!("2027-01-01T00:00:00Z")),
        ("StartDateTime", json!("x")),
        ("JobName", json!("")),
        ("QuerySet", json!([])),
        ("Nothing", json!(1)),
    ] {
        let mut body = by("accountid", "In", json!([id]));
        body[name] = value;
        let answer = w.post("/BulkDelete", body).await;
        assert!(matches!(answer.status, 400 | 405), "{name}: {}", answer.text());
    }
    let mut linked = by("accountid", "In", json!([id]));
    linked["QuerySet"][0]["LinkEntities"] = json!([{ "LinkToEntityName": "contact" }]);
    w.post("/BulkDelete", linked).await.expect(400).says("LinkEntities");
    w.get("/BulkDelete").await.expect(405);
    assert_eq!(w.get("/accounts/$count").await.text(), "1");
    let me = w.read("/WhoAmI").await["UserId"].as_str().unwrap().to_owned();
    // One of two cannot go: neither does.
    let mut both = job("account", json!([condition("accountid", "In", json!([id]))]));
    let users = job("systemuser", json!([condition("systemuserid", "In", json!([me]))]));
    both["QuerySet"].as_array_mut().unwrap().push(users["QuerySet"][0].clone());
    w.post("/BulkDelete", both).await.expect(405);
    assert_eq!(w.get("/accounts/$count").await.text(), "1");
    let (_, token) = w.user("ann@example.com").await;
    w.post("/BulkDelete", by("accountid", "In", json!([id]))).by(&token).await;
    assert_eq!(w.get("/accounts/$count").await.text(), "1");
});

story!(deep_insert_of_what_a_row_points_to_and_what_points_to_it, |w| {
    let body = json!({
        "name": "A",
        "primarycontactid": { "lastname": "Boss", "emailaddress1": "boss@a.example" },
        "contact_customer_accounts": [
            { "lastname": "One" },
            { "lastname": "Two", "parentcustomerid_account@odata.bind": null },
        ],
    });
    let path = "/accounts?$select=name&$expand=primarycontactid($select=lastname),contact_customer_accounts($select=lastname;$orderby=lastname)";
    let row = w.post(path, body).prefer("return=representation").await.expect(201).json();
    assert_eq!(row["primarycontactid"]["lastname"], "Boss");
    let names: Vec<_> =
        row["contact_customer_accounts"].as_array().unwrap().iter().map(|c| c["lastname"].as_str().unwrap()).collect();
    assert_eq!(names, ["One", "Two"]);
    assert!(row.get("telephone1").is_none());
});

story!(deep_insert_three_levels, |w| {
    let body = json!({ "lastname": "C", "parentcustomerid_account": { "name": "A", "primarycontactid": { "lastname": "P" } } });
    let id = w.create("contacts", body).await;
    let row = w.read(&format!("/contacts({id})?$expand=parentcustomerid_account($expand=primarycontactid)")).await;
    assert_eq!(row["parentcustomerid_account"]["primarycontactid"]["lastname"], "P");
    let email = json!({ "subject": "S", "email_activity_parties": [
        { "participationtypemask": 2, "partyid_contact": { "lastname": "New", "emailaddress1": "new@example.com" } } ] });
    let id = w.create("emails", email).await;
    let row = w.read(&format!("/emails({id})?$expand=email_activity_parties")).await;
    assert_eq!(row["email_activity_parties"][0]["addressused"], "new@example.com");
});

story!(a_deep_insert_that_fails_leaves_nothing, |w| {
    for body in [
        json!({ "name": "A", "contact_customer_accounts": [{ "lastname": "One" }, { "lastname": "Two", "nothing": 1 }] }),
        json!({ "name": "A", "nothing": 1, "primarycontactid": { "lastname": "P" } }),
        json!({ "name": "A", "primarycontactid": { "lastname": "P", "emailaddress1": "no address" } }),
        json!({ "name": "A", "ownerid": { "lastname": "P" } }),
    ] {
        w.post("/accounts", body.clone()).await.expect(400);
        assert_eq!(w.get("/accounts/$count").await.text(), "0", "{body}");
        assert_eq!(w.get("/contacts/$count").await.text(), "0", "{body}");
    }
    let id = w.create("accounts", json!({ "name": "A" })).await;
    w.patch(&format!("/accounts({id})"), json!({ "primarycontactid": { "lastname": "P" } }))
        .await
        .expect(400)
        .says("@odata.bind");
    w.patch(&format!("/accounts({id})"), json!({ "contact_customer_accounts": [{ "lastname": "P" }] }))
        .await
        .expect(400);
    assert_eq!(w.get("/contacts/$count").await.text(), "0");
    let many: Vec<Value> = (0..1001).map(|n| json!({ "lastname": n.to_string() })).collect();
    w.post("/accounts", json!({ "name": "A", "contact_customer_accounts": many })).await.expect(400).says("1000");
});

story!(errors_with_annotations, |w| {
    let path = format!("/accounts({NOBODY})");
    let plain = w.get(&path).await.expect(404).json();
    assert!(plain["error"].as_object().unwrap().keys().all(|k| !k.contains('@')), "{plain}");
    let all = w.get(&path).prefer("odata.include-annotations=\"*\"").await.expect(404).json();
    let error = &all["error"];
    assert_eq!(error["@Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus"], "0");
    assert_eq!(error["@Microsoft.PowerApps.CDS.ErrorDetails.SubErrorCode"], "2147746327");
    assert_eq!(error["@Microsoft.PowerApps.CDS.InnerError.Message"], error["message"]);
    assert!(
        error["@Microsoft.PowerApps.CDS.HelpLink"].is_string()
            && error["@Microsoft.PowerApps.CDS.TraceText"].is_string()
    );
    assert!(error.get("innererror").is_none());
});
