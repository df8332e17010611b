//! Query options, expansion, annotations, properties, navigation.

use serde_json::{Value, json};

use crate::world::World;

async fn accounts(w: &World) -> Vec<String> {
    let mut ids = Vec::new();
    for (name, number) in [("Alpha", "1"), ("beta", "2"), ("Gamma", "3")] {
        ids.push(w.create("accounts", json!({ "name": name, "accountnumber": number })).await);
    }
    ids
}

/// The names that a list has, in its order.
async fn names(w: &World, options: &str) -> Vec<String> {
    let url = format!("/accounts?$select=name&{}", options.replace(' ', "%20"));
    let body = w.read(&url).await;
    body["value"].as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap().to_owned()).collect()
}

story!(filters, |w| {
    accounts(&w).await;
    let by = "$orderby=name";
    assert_eq!(names(&w, &format!("$filter=name eq 'ALPHA'&{by}")).await, ["Alpha"]);
    assert_eq!(names(&w, &format!("$filter=contains(name,'AM')&{by}")).await, ["Gamma"]);
    assert_eq!(names(&w, &format!("$filter=accountnumber gt '1' and not (name eq 'Gamma')&{by}")).await, ["beta"]);
    assert_eq!(
        names(&w, &format!("$filter=startswith(name,'b') or endswith(name,'a')&{by}")).await,
        ["Alpha", "beta", "Gamma"]
    );
    assert_eq!(names(&w, &format!("$filter=emailaddress1 eq null&{by}&$top=2")).await, ["Alpha", "beta"]);
    assert_eq!(names(&w, "$filter=name eq 'O''Brien'").await, [] as [&str; 0]);
    assert_eq!(names(&w, "$orderby=accountnumber desc").await, ["Gamma", "beta", "Alpha"]);
});

story!(wild_cards_in_text_functions, |w| {
    for name in ["50% off", "500 off", "a_b", "aXb", "[x]", "Box 7", "b\\c", "*"] {
        w.create("accounts", json!({ "name": name })).await;
    }
    for (filter, expected) in [
        ("contains(name,'0%25f')", &["50% off", "500 off"][..]),
        ("contains(name,'50[%25]')", &["50% off"]),
        ("startswith(name,'A_B')", &["a_b", "aXb"]),
        ("startswith(name,'a[_]b')", &["a_b"]),
        ("endswith(name,'[0-9]')", &["Box 7"]),
        ("endswith(name,'[^0-9]') and startswith(name,'_o')", &[]),
        ("startswith(name,'_ox')", &["Box 7"]),
        ("startswith(name,'[[]X')", &["[x]"]),
        ("contains(name,'b\\c')", &["b\\c"]),
        ("contains(name,'_\\_')", &["b\\c"]),
        ("startswith(name,'*')", &["*"]),
        ("not contains(name,'[a-z]')", &["*"]),
    ] {
        assert_eq!(names(&w, &format!("$filter={filter}&$orderby=name")).await, expected, "{filter}");
    }
    let many = "%25a".repeat(17);
    w.get(&format!("/accounts?$filter=contains(name,'{many}')")).await.expect(400).says("wild cards");
});

story!(filter_by_lookup_and_path, |w| {
    let (user, _) = w.user("ann@example.com").await;
    let list = w.read(&format!("/mailboxes?$filter=_ownerid_value%20eq%20{user}&$select=name")).await;
    assert_eq!(list["value"].as_array().unwrap().len(), 1);
    let list =
        w.read("/mailboxes?$filter=regardingobjectid_systemuser/internalemailaddress%20eq%20'ann@example.com'").await;
    assert_eq!(list["value"].as_array().unwrap().len(), 1);
});

story!(lambda, |w| {
    let id = w
        .create("emails", json!({ "subject": "x", "email_activity_parties": [{ "addressused": "a@b.example", "participationtypemask": 2 }] }))
        .await;
    w.create("emails", json!({ "subject": "y" })).await;
    let list = w.read("/emails?$filter=email_activity_parties/any(p:p/addressused%20eq%20'a@b.example')").await;
    assert_eq!(list["value"].as_array().unwrap().len(), 1);
    assert_eq!(list["value"][0]["activityid"], id.as_str());
});

story!(bad_options, |w| {
    for options in [
        "$filter=nothing eq 1",
        "$filter=name eq",
        "$filter=name eq 5 5",
        "$filter=(name eq 'x'",
        "$select=nothing",
        "$select=password",
        "$filter=password eq 'x'",
        "$orderby=nothing",
        "$top=-1",
        "$top=x",
        "$skip=1",
        "$search=x",
        "$expand=nothing",
        "$apply=aggregate(nothing with sum as n)",
        "$unknown=1",
        "$skiptoken=rubbish",
        "$count=maybe",
        "$filter=contains(statecode,'x')",
        "$filter=createdon gt 'yesterday'",
    ] {
        let url = format!("/mailboxes?{}", options.replace(' ', "%20"));
        let answer = w.get(&url).await;
        assert_eq!(answer.status, 400, "{options}: {}", answer.text());
        answer.code("0x80060888");
    }
});

story!(encoded_options, |w| {
    accounts(&w).await;
    let body = w.read("/accounts?%24select=name&%24filter=name+eq+%27Alpha%27").await;
    assert_eq!(body["value"][0]["name"], "Alpha");
});

story!(count, |w| {
    accounts(&w).await;
    let answer = w.get("/accounts/$count").await.expect(200);
    assert_eq!(answer.text(), "3");
    assert!(answer.header("content-type").starts_with("text/plain"));
    assert_eq!(w.get("/accounts/$count?$filter=name%20eq%20'beta'").await.expect(200).text(), "1");
    assert_eq!(w.read("/accounts?$count=true&$top=1").await["@odata.count"], 3);
});

story!(expand_a_lookup, |w| {
    let (user, _) = w.user("ann@example.com").await;
    let mailbox = w.mailbox_of(&user).await;
    let path = format!(
        "/mailboxes({mailbox})?$select=name&$expand=regardingobjectid_systemuser($select=fullname),emailserverprofile"
    );
    let row = w.read(&path).await;
    assert_eq!(row["regardingobjectid_systemuser"]["fullname"], "User");
    assert_eq!(row["emailserverprofile"], Value::Null);
    assert!(row["regardingobjectid_systemuser"].get("domainname").is_none());
});

story!(expand_an_owner_that_is_a_team, |w| {
    let team = w.create("teams", json!({ "name": "Support" })).await;
    let account = w.create("accounts", json!({ "name": "A", "ownerid@odata.bind": format!("/teams({team})") })).await;
    let row = w.read(&format!("/accounts({account})?$expand=ownerid($select=fullname)")).await;
    assert_eq!(row["ownerid"]["teamid"], team.as_str());
});

story!(expand_a_collection, |w| {
    let ids = accounts(&w).await;
    for n in 0..3 {
        let body = json!({ "lastname": format!("C{n}"), "parentcustomerid_account@odata.bind": format!("/accounts({})", ids[0]) });
        w.create("contacts", body).await;
    }
    let list = w.read("/accounts?$select=name&$orderby=name&$expand=contact_customer_accounts($select=lastname;$orderby=lastname%20desc)").await;
    let contacts = list["value"][0]["contact_customer_accounts"].as_array().unwrap();
    assert_eq!(contacts.iter().map(|c| c["lastname"].as_str().unwrap()).collect::<Vec<_>>(), ["C2", "C1", "C0"]);
    assert_eq!(list["value"][1]["contact_customer_accounts"], json!([]));
    let row = w
        .read(&format!(
            "/accounts({})?$expand=contact_customer_accounts($top=1;$orderby=lastname;$filter=lastname%20ne%20'C0')",
            ids[0]
        ))
        .await;
    assert_eq!(row["contact_customer_accounts"].as_array().unwrap().len(), 1);
    assert_eq!(row["contact_customer_accounts"][0]["lastname"], "C1");
});

story!(navigation, |w| {
    let ids = accounts(&w).await;
    let contact = w
        .create(
            "contacts",
            json!({ "lastname": "C", "parentcustomerid_account@odata.bind": format!("/accounts({})", ids[0]) }),
        )
        .await;
    let list = w.read(&format!("/accounts({})/contact_customer_accounts?$select=lastname", ids[0])).await;
    assert_eq!(list["value"][0]["contactid"], contact.as_str());
    assert_eq!(w.get(&format!("/accounts({})/contact_customer_accounts/$count", ids[1])).await.expect(200).text(), "0");
    let row = w.read(&format!("/contacts({contact})/parentcustomerid_account?$select=name")).await;
    assert_eq!(row["name"], "Alpha");
    w.get(&format!("/accounts({})/parentaccountid", ids[0])).await.expect(204);
    w.get("/accounts(00000000-0000-0000-0000-00000000000a)/contact_customer_accounts")
        .await
        .expect(404)
        .code("0x80040217");
});

story!(properties, |w| {
    let id = &accounts(&w).await[0];
    let path = format!("/accounts({id})/name");
    let body = w.read(&path).await;
    assert_eq!(body["value"], "Alpha");
    assert_eq!(body["@odata.context"], format!("http://crm.example.com/api/data/v9.2/$metadata#accounts({id})/name"));
    assert_eq!(w.get(&format!("{path}/$value")).await.expect(200).text(), "Alpha");
    w.ask(axum::http::Method::PUT, &path).json(&json!({ "value": "Omega" })).await.expect(204);
    assert_eq!(w.read(&path).await["value"], "Omega");
    w.delete(&path).await.expect(400).says("name");
    w.delete(&format!("/accounts({id})/accountnumber")).await.expect(204);
    w.get(&format!("/accounts({id})/accountnumber")).await.expect(204);
    w.ask(axum::http::Method::PUT, &path).json(&json!({ "other": "Omega" })).await.expect(400);
});

story!(annotations, |w| {
    let (user, _) = w.user("ann@example.com").await;
    let mailbox = w.mailbox_of(&user).await;
    let path =
        format!("/mailboxes({mailbox})?$select=incomingemaildeliverymethod,isforwardmailbox,_regardingobjectid_value");
    let row = w.get(&path).prefer("odata.include-annotations=\"*\"").await.expect(200).json();
    let formatted =
        |name: &str| row[format!("{name}@OData.Community.Display.V1.FormattedValue")].as_str().unwrap_or("").to_owned();
    assert_eq!(formatted("incomingemaildeliverymethod"), "Server-Side Synchronization or Email Router");
    assert_eq!(formatted("isforwardmailbox"), "No");
    assert_eq!(formatted("_regardingobjectid_value"), "User");
    assert_eq!(row["_regardingobjectid_value@Microsoft.Dynamics.CRM.lookuplogicalname"], "systemuser");
    assert_eq!(
        row["_regardingobjectid_value@Microsoft.Dynamics.CRM.associatednavigationproperty"],
        "regardingobjectid_systemuser"
    );
    let plain = w.get(&path).await.expect(200);
    assert!(!plain.text().contains("FormattedValue"));
});

story!(conditional_read, |w| {
    let id = &accounts(&w).await[0];
    let path = format!("/accounts({id})");
    let etag = w.get(&path).await.expect(200).header("etag").to_owned();
    let answer = w.get(&path).header("if-none-match", &etag).await.expect(304);
    assert!(answer.body.is_empty());
    w.get(&path).header("if-none-match", "null").await.expect(200);
    w.patch(&path, json!({ "name": "New" })).await.expect(204);
    w.get(&path).header("if-none-match", &etag).await.expect(200);
});

story!(alternate_keys, |w| {
    accounts(&w).await;
    assert_eq!(w.read("/accounts(name='beta')?$select=accountnumber").await["accountnumber"], "2");
    assert_eq!(w.read("/accounts(name='beta',accountnumber='2')").await["name"], "beta");
    w.get("/accounts(name='nobody')").await.expect(404).code("0x80060891");
    w.create("accounts", json!({ "name": "beta" })).await;
    w.get("/accounts(name='beta')").await.expect(400).code("0x8006089D");
    w.get("/accounts(nothing='x')").await.expect(400).code("0x80060890");
    w.get("/mailboxes(password='x')").await.expect(400).code("0x80060890");
});

story!(service_document, |w| {
    for path in ["//api/data/v9.2/", "//api/data/v9.2", "//api/data/v9.1/", "//api/data/v9.0"] {
        let body = w.get(path).await.expect(200).json();
        let sets: Vec<&str> = body["value"].as_array().unwrap().iter().map(|s| s["url"].as_str().unwrap()).collect();
        assert!(sets.contains(&"mailboxes") && sets.contains(&"pr_ledgerentries"), "{sets:?}");
        assert!(!sets.contains(&"pr_logins"), "{sets:?}");
    }
    w.get("//api/data/v8.0/").await.expect(404).code("0x80060888");
});

story!(entity_definitions, |w| {
    let body = w.read("/EntityDefinitions?$select=LogicalName,EntitySetName,PrimaryIdAttribute&$filter=LogicalName%20eq%20'usersettings'").await;
    let row = &body["value"][0];
    assert_eq!(row["EntitySetName"], "usersettingscollection");
    assert_eq!(row["PrimaryIdAttribute"], "systemuserid");
    assert!(row["MetadataId"].is_string());
    assert!(row.get("SchemaName").is_none());
    assert_eq!(w.read("/EntityDefinitions(LogicalName='mailbox')").await["SchemaName"], "Mailbox");
    w.get("/EntityDefinitions(LogicalName='nothing')").await.expect(404);
    assert_eq!(w.read("/EntityDefinitions?$filter=LogicalName%20eq%20'nothing'").await["value"], json!([]));
});

story!(the_owner_in_parts, |w| {
    let me = w.read("/WhoAmI").await["UserId"].as_str().unwrap().to_owned();
    let team = w.create("teams", json!({ "name": "T" })).await;
    let mine = w.create("accounts", json!({ "name": "A" })).await;
    let body = json!({ "name": "B", "ownerid@odata.bind": format!("/teams({team})") });
    let theirs = w.create("accounts", body).await;
    let row = w.read(&format!("/accounts({mine})")).await;
    assert_eq!((&row["_owninguser_value"], &row["_owningteam_value"]), (&json!(me), &Value::Null));
    let row = w.read(&format!("/accounts({theirs})?$select=name,_owningteam_value")).await;
    assert_eq!((&row["_owningteam_value"], &row["name"]), (&json!(team), &json!("B")));
    assert!(row.get("_ownerid_value").is_none() && row.get("_owninguser_value").is_none(), "{row}");
    let rows = w.read("/accounts?$select=_owninguser_value&$orderby=name").await;
    assert_eq!(rows["value"][0]["_owninguser_value"], me.as_str());
    assert_eq!(rows["value"][1]["_owninguser_value"], Value::Null);
    for (condition, names) in [
        (format!("_owninguser_value eq {me}"), &["A"][..]),
        (format!("_owninguser_value eq {team}"), &[]),
        (format!("_owninguser_value ne {me}"), &["B"]),
        ("_owninguser_value eq null".to_owned(), &["B"]),
        (format!("_owningteam_value eq {team}"), &["B"]),
        ("_owningteam_value eq null".to_owned(), &["A"]),
        ("_owningteam_value ne null".to_owned(), &["B"]),
    ] {
        let list = w.read(&format!("/accounts?$filter={condition}").replace(' ', "%20")).await;
        let found: Vec<_> = list["value"].as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap()).collect();
        assert_eq!(found, names, "{condition}");
    }
    w.get("/queueitems?$filter=_owninguser_value%20eq%20null").await.expect(400);
    assert!(w.read("/queueitems?$select=queueitemid").await["value"].is_array());
    w.get("/queueitems?$select=_owninguser_value").await.expect(400);
    let mailbox = w.mailbox_of(&me).await;
    let row = w.read(&format!("/mailboxes({mailbox})")).await;
    assert_eq!(row["regardingobjecttypecode"], "systemuser");
    let row = w.read(&format!("/mailboxes({mailbox})?$select=name,regardingobjecttypecode")).await;
    assert_eq!(row["regardingobjecttypecode"], "systemuser");
    assert!(row.get("_regardingobjectid_value").is_none());
});

story!(the_ledger_is_read_only, |w| {
    assert_eq!(w.read("/pr_ledgerentries").await["value"], json!([]));
    w.post("/pr_ledgerentries", json!({ "pr_subject": "x" })).await.expect(405).code("0x80040800");
});

story!(versions, |w| {
    assert_eq!(w.read("/RetrieveVersion()").await["Version"], "9.2.0.0");
    w.post("/WhoAmI", json!({})).await.expect(405);
});

story!(pages_stay_right_while_rows_are_written, |w| {
    for n in 0..6 {
        w.create(
            "accounts",
            json!({ "name": format!("A{n}"), "telephone1": if n % 2 == 0 { Value::Null } else { json!("1") } }),
        )
        .await;
    }
    let mut seen = Vec::new();
    let mut path = "/accounts?$select=name&$orderby=telephone1,name".to_owned();
    for round in 0.. {
        let page = w.get(&path).prefer("odata.maxpagesize=2").await.expect(200).json();
        seen.extend(page["value"].as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap().to_owned()));
        if round == 0 {
            // A row before the place where we stand shifts nothing.
            w.create("accounts", json!({ "name": "A" })).await;
        }
        let Some(next) = page["@odata.nextLink"].as_str() else { break };
        path = next.strip_prefix("http://crm.example.com/api/data/v9.2").unwrap().to_owned();
    }
    assert_eq!(seen, ["A0", "A2", "A4", "A1", "A3", "A5"]);
});

story!(pages_ordered_by_another_tables_column, |w| {
    for n in 0..3 {
        let account = w.create("accounts", json!({ "name": format!("A{}", 9 - n) })).await;
        for m in 0..2 {
            w.create("contacts", json!({ "lastname": format!("C{n}{m}"), "parentcustomerid_account@odata.bind": format!("/accounts({account})") })).await;
        }
    }
    let mut seen = Vec::new();
    let mut path = "/contacts?$select=lastname&$orderby=parentcustomerid_account/name,lastname%20desc".to_owned();
    loop {
        let page = w.get(&path).prefer("odata.maxpagesize=4").await.expect(200).json();
        seen.extend(page["value"].as_array().unwrap().iter().map(|r| r["lastname"].as_str().unwrap().to_owned()));
        let Some(next) = page["@odata.nextLink"].as_str() else { break };
        path = next.strip_prefix("http://crm.example.com/api/data/v9.2").unwrap().to_owned();
    }
    assert_eq!(seen, ["C21", "C20", "C11", "C10", "C01", "C00"]);
});
