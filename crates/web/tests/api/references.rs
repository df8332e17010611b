//! `$ref` in all its forms.

use axum::http::Method;
use serde_json::{Value, json};

use crate::world::World;

const NOBODY: &str = "00000000-0000-0000-0000-00000000000a";

async fn pair(w: &World) -> (String, String) {
    (w.create("accounts", json!({ "name": "A" })).await, w.create("contacts", json!({ "lastname": "C" })).await)
}

fn url(set: &str, id: &str) -> String {
    format!("http://crm.example.com/api/data/v9.2/{set}({id})")
}

story!(single_valued, |w| {
    let (account, contact) = pair(&w).await;
    let path = format!("/contacts({contact})/parentcustomerid_account/$ref");
    w.get(&path).await.expect(204);
    for target in [
        json!(url("accounts", &account)),
        json!(format!("/accounts({account})")),
        json!(format!("accounts({account})")),
    ] {
        w.delete(&path).await.expect(204);
        w.ask(Method::PUT, &path).json(&json!({ "@odata.id": target })).await.expect(204);
        let answer = w.get(&path).await.expect(200).json();
        assert_eq!(answer["@odata.id"], json!(url("accounts", &account)));
        assert_eq!(answer["@odata.context"], "http://crm.example.com/api/data/v9.2/$metadata#$ref");
    }
    assert_eq!(w.read(&format!("/contacts({contact})")).await["_parentcustomerid_value"], json!(account));
    let other = w.create("accounts", json!({ "name": "B" })).await;
    w.delete(&format!("{path}?$id={}", url("accounts", &other))).await.expect(404).code("0x80040217");
    w.delete(&format!("{path}?$id={}", url("accounts", &account))).await.expect(204);
    assert_eq!(w.read(&format!("/contacts({contact})")).await["_parentcustomerid_value"], Value::Null);
});

story!(collection_valued, |w| {
    let (account, contact) = pair(&w).await;
    let nav = w.read("/accounts?$expand=contact_customer_accounts").await;
    assert_eq!(nav["value"][0]["contact_customer_accounts"], json!([]));
    let path = format!("/accounts({account})/contact_customer_accounts/$ref");
    assert_eq!(w.read(&path).await["value"], json!([]));
    w.post(&path, json!({ "@odata.id": format!("contacts({contact})") })).await.expect(204);
    let list = w.read(&path).await;
    assert_eq!(list["value"], json!([{ "@odata.id": url("contacts", &contact) }]));
    assert_eq!(list["@odata.context"], "http://crm.example.com/api/data/v9.2/$metadata#Collection($ref)");
    w.delete(&format!("/accounts({account})/contact_customer_accounts({contact})/$ref")).await.expect(204);
    w.delete(&format!("/accounts({account})/contact_customer_accounts({contact})/$ref")).await.expect(404);
    w.post(&path, json!({ "@odata.id": url("contacts", &contact) })).await.expect(204);
    w.delete(&format!("{path}?$id={}", url("contacts", &contact))).await.expect(204);
    assert_eq!(w.read(&path).await["value"], json!([]));
});

story!(refused, |w| {
    let (account, contact) = pair(&w).await;
    let single = format!("/contacts({contact})/parentcustomerid_account/$ref");
    let many = format!("/accounts({account})/contact_customer_accounts/$ref");
    let put = |path: &str, body: Value| w.ask(Method::PUT, path).json(&body);
    put(&single, json!({})).await.expect(400).says("@odata.id");
    put(&single, json!({ "@odata.id": 5 })).await.expect(400);
    put(&single, json!({ "@odata.id": "rubbish" })).await.expect(400);
    put(&single, json!({ "@odata.id": format!("/contacts({contact})") })).await.expect(400).says("account");
    put(&single, json!({ "@odata.id": format!("/accounts({NOBODY})") })).await.expect(404).code("0x80040217");
    w.post(&single, json!({ "@odata.id": format!("/accounts({account})") })).await.expect(405);
    put(&many, json!({ "@odata.id": format!("/contacts({contact})") })).await.expect(405);
    w.delete(&many).await.expect(400).says("$id");
    w.post(&many, json!({ "@odata.id": format!("/accounts({account})") })).await.expect(400).says("contact");
    w.post(&many, json!({ "@odata.id": format!("/contacts({NOBODY})") })).await.expect(404);
    w.post(
        &format!("/accounts({NOBODY})/contact_customer_accounts/$ref"),
        json!({ "@odata.id": format!("/contacts({contact})") }),
    )
    .await
    .expect(404);
    w.get(&format!("/accounts({NOBODY})/contact_customer_accounts/$ref")).await.expect(404);
    assert_eq!(w.read(&format!("/contacts({contact})")).await["_parentcustomerid_value"], Value::Null);
});
