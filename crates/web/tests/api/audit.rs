//! The audit trail on the wire: for some to read, for nobody to write.

use serde_json::{Value, json};

use crate::world::World;

/// What the trail says of a row, oldest first.
async fn trail(w: &World, row: &str) -> Vec<Value> {
    let path = format!("/pr_audits?$orderby=pr_at&$filter=pr_row%20eq%20{row}");
    w.read(&path).await["value"].as_array().unwrap().clone()
}

async fn with_role(w: &World, address: &str, role: &str) -> (String, String) {
    let (user, token) = w.user(address).await;
    let found = w.read(&format!("/roles?$select=name&$filter=name%20eq%20'{}'", role.replace(' ', "%20"))).await;
    let role = found["value"][0]["roleid"].as_str().expect("a role").to_owned();
    let body = json!({ "systemuserid@odata.bind": format!("/systemusers({user})"), "roleid@odata.bind": format!("/roles({role})") });
    w.create("systemuserrolescollection", body).await;
    (user, token)
}

story!(who_when_from_where_before_and_after, |w| {
    let id = w
        .post("/accounts", json!({ "name": "Before" }))
        .header("user-agent", "Test/1.0 (unit)")
        .await
        .expect(204)
        .entity_id();
    w.clock.advance(1);
    let answer = w.patch(&format!("/accounts({id})"), json!({ "name": "After" })).await.expect(204);
    let request = answer.header("req_id").to_owned();
    let rows = trail(&w, &id).await;
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert_eq!((&rows[0]["pr_action"], &rows[1]["pr_action"]), (&json!("create"), &json!("update")));
    assert_eq!(rows[0]["pr_useragent"], "Test/1.0 (unit)");
    assert!(rows.iter().all(|r| r["pr_door"] == "api" && r["pr_table"] == "account"));
    assert_eq!(rows[1]["pr_requestid"], request.as_str());
    let me = w.read("/WhoAmI").await["UserId"].clone();
    assert_eq!(rows[1]["_pr_systemuserid_value"], me);
    assert_eq!(rows[1]["_pr_callinguserid_value"], Value::Null);
    let detail: Value = serde_json::from_str(rows[1]["pr_detail"].as_str().unwrap()).unwrap();
    assert_eq!(detail["name"], json!({ "old": "Before", "new": "After" }));
});

story!(nobody_changes_the_trail, |w| {
    let id = w.create("accounts", json!({ "name": "A" })).await;
    let row = trail(&w, &id).await[0]["pr_auditid"].as_str().unwrap().to_owned();
    let before = w.get("/pr_audits/$count").await.expect(200).text();
    w.post("/pr_audits", json!({ "pr_action": "create" })).await.expect(405).code("0x80040800");
    w.patch(&format!("/pr_audits({row})"), json!({ "pr_action": "x" })).await.expect(405).code("0x80040800");
    w.ask(axum::http::Method::PUT, &format!("/pr_audits({row})/pr_action"))
        .json(&json!({ "value": "x" }))
        .await
        .expect(405);
    w.delete(&format!("/pr_audits({row})/pr_action")).await.expect(405);
    w.delete(&format!("/pr_audits({row})")).await.expect(405).says("only grows");
    let batch = json!({ "Targets": [{ "@odata.type": "Microsoft.Dynamics.CRM.pr_audit", "pr_action": "x" }] });
    assert!(w.post("/pr_audits/Microsoft.Dynamics.CRM.CreateMultiple", batch).await.status >= 400);
    assert_eq!(w.get("/pr_audits/$count").await.expect(200).text(), before);
    // What it speaks of may go; what it says stays.
    w.clock.advance(1);
    w.delete(&format!("/accounts({id})")).await.expect(204);
    let rows = trail(&w, &id).await;
    assert_eq!(rows.iter().map(|r| r["pr_action"].as_str().unwrap()).collect::<Vec<_>>(), ["create", "delete"]);
});

story!(who_may_read_the_trail, |w| {
    let (_, basic) = w.user("ann@example.com").await;
    w.get("/pr_audits").by(&basic).await.expect(403).says("prvReadAudit");
    w.get("/pr_audits/$count").by(&basic).await.expect(403);
    let id = w.create("accounts", json!({ "name": "A" })).await;
    let row = trail(&w, &id).await[0]["pr_auditid"].as_str().unwrap().to_owned();
    w.get(&format!("/pr_audits({row})")).by(&basic).await.expect(403);
    let fetch = "<fetch><entity name='systemuser'><link-entity name='pr_audit' from='pr_systemuserid' to='systemuserid'><attribute name='pr_detail'/></link-entity></entity></fetch>";
    let path = format!("/systemusers?fetchXml={}", fetch.replace(' ', "%20").replace('<', "%3C").replace('>', "%3E"));
    w.get(&path).by(&basic).await.expect(403);
    let (_, auditor) = with_role(&w, "olga@example.com", "Auditor").await;
    assert!(!w.get("/pr_audits").by(&auditor).await.expect(200).json()["value"].as_array().unwrap().is_empty());
    w.get(&path).by(&auditor).await.expect(200);
    w.delete(&format!("/pr_audits({row})")).by(&auditor).await.expect(405);
    let privileges = w.read("/privileges?$select=name&$filter=contains(name,'udit')").await;
    assert_eq!(privileges["value"].as_array().unwrap().len(), 1, "{privileges}");
});

story!(what_emails_say_and_credentials_are_not_in_the_trail, |w| {
    let body = json!({ "subject": "Seen", "description": "<p>for Ann alone</p>" });
    let email = w.create("emails", body).await;
    w.patch(&format!("/emails({email})"), json!({ "description": "<p>still for Ann alone</p>" })).await.expect(204);
    let body = json!({ "name": "F", "emailaddress": "f@example.com" });
    let mailbox = w.create("mailboxes", body).await;
    let body = json!({ "username": "the-account", "password": "the-password" });
    w.patch(&format!("/mailboxes({mailbox})"), body).await.expect(204);
    let all = w.read("/pr_audits").await.to_string();
    for hidden in ["alone", "the-account", "the-password"] {
        assert!(!all.contains(hidden), "{hidden}");
    }
    assert!(all.contains("Seen") && all.contains("changed"));
});

story!(the_trail_is_told_to_no_webhook, |w| {
    let filters = w.read("/sdkmessagefilters?$filter=primaryobjecttypecode%20eq%20'pr_audit'").await;
    assert_eq!(filters["value"], json!([]));
    let answer = w.get("/pr_audits").prefer("odata.track-changes").await;
    assert!(answer.status >= 400 || answer.json().get("@odata.deltaLink").is_none(), "{}", answer.text());
});
