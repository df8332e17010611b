//! `$expand` to any depth, and page by page.

use serde_json::{Value, json};

fn names(rows: &Value) -> Vec<String> {
    rows.as_array().unwrap().iter().map(|r| r["lastname"].as_str().unwrap().to_owned()).collect()
}

async fn contacts(w: &crate::world::World, account: &str, count: usize) {
    let targets: Vec<Value> = (0..count)
        .map(|n| json!({ "lastname": format!("{n:02}"), "parentcustomerid_account@odata.bind": format!("/accounts({account})") }))
        .collect();
    w.post("/contacts/Microsoft.Dynamics.CRM.CreateMultiple", json!({ "Targets": targets })).await.expect(200);
}

story!(the_rest_of_an_expanded_collection, |w| {
    let account = w.create("accounts", json!({ "name": "A" })).await;
    let other = w.create("accounts", json!({ "name": "B" })).await;
    contacts(&w, &account, 7).await;
    contacts(&w, &other, 2).await;
    let url = "/accounts?$select=name&$orderby=name&$expand=contact_customer_accounts($select=lastname;$orderby=lastname%20desc;$filter=lastname%20ne%20@p)&@p='03'";
    let list = w.get(url).prefer("odata.maxpagesize=3").await.expect(200).json();
    assert!(list["value"][1].get("contact_customer_accounts@odata.nextLink").is_none(), "{list}");
    let row = &list["value"][0];
    let mut all = names(&row["contact_customer_accounts"]);
    assert_eq!(all, ["06", "05", "04"]);
    let mut next = row["contact_customer_accounts@odata.nextLink"].as_str().map(str::to_owned);
    while let Some(link) = next {
        let path = link.strip_prefix("http://crm.example.com/api/data/v9.2").unwrap().to_owned();
        let page = w.get(&path).prefer("odata.maxpagesize=2").await.expect(200).json();
        assert!(page["value"][0].get("telephone1").is_none());
        all.extend(names(&page["value"]));
        next = page["@odata.nextLink"].as_str().map(str::to_owned);
    }
    assert_eq!(all, ["06", "05", "04", "02", "01", "00"]);
});

story!(collections_within_collections, |w| {
    let account = w.create("accounts", json!({ "name": "A" })).await;
    contacts(&w, &account, 2).await;
    let list = w.read("/contacts?$orderby=lastname").await;
    for contact in list["value"].as_array().unwrap() {
        let id = contact["contactid"].as_str().unwrap();
        for n in 0..2 {
            let body = json!({ "subject": format!("{n}"), "regardingobjectid_contact_email@odata.bind": format!("/contacts({id})"),
                "email_activity_parties": [{ "addressused": "x@y.example", "participationtypemask": 2 }] });
            w.create("emails", body).await;
        }
    }
    let url = format!(
        "/accounts({account})?$select=name&$expand=contact_customer_accounts($select=lastname;$orderby=lastname;$expand=Contact_Emails($select=subject;$orderby=subject;$expand=email_activity_parties($select=addressused)))"
    );
    let row = w.read(&url).await;
    let contacts = row["contact_customer_accounts"].as_array().unwrap();
    assert_eq!(contacts.len(), 2);
    for contact in contacts {
        let emails = contact["Contact_Emails"].as_array().unwrap();
        assert_eq!(emails.iter().map(|e| e["subject"].as_str().unwrap()).collect::<Vec<_>>(), ["0", "1"]);
        assert_eq!(emails[0]["email_activity_parties"][0]["addressused"], "x@y.example");
    }
});

story!(limits, |w| {
    let deep = |levels: usize| {
        let mut text = "parentcustomerid_contact".to_owned();
        for _ in 1..levels {
            text = format!("parentcustomerid_contact($expand={text})");
        }
        format!("/contacts?$expand={text}")
    };
    w.get(&deep(10)).await.expect(200);
    w.get(&deep(11)).await.expect(400);
    let many = "contact_customer_accounts($expand=createdby,modifiedby,ownerid,parentcustomerid_account($expand=createdby,modifiedby,ownerid,primarycontactid($expand=createdby,modifiedby,ownerid,parentcustomerid_account($expand=createdby,modifiedby,ownerid))))";
    w.get(&format!("/accounts?$expand={many}")).await.expect(400).says("limit of 15");
});
