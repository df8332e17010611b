//! Who tries to see or do more than their roles allow, through whichever door.

use actions::token::NewToken;
use serde_json::{Value, json};

use crate::world::World;

/// The id of a privilege.
async fn privilege(w: &World, name: &str) -> String {
    let found = w.read(&format!("/privileges?$select=name&$filter=name%20eq%20'{name}'")).await;
    found["value"][0]["privilegeid"].as_str().unwrap_or_else(|| panic!("no {name}")).to_owned()
}

/// A user with one role of their own making, and Basic User taken away.
async fn holder(w: &World, address: &str, privileges: &[(&str, i64)]) -> (String, String) {
    let (user, token) = w.user(address).await;
    let role = w.create("roles", json!({ "name": address })).await;
    for (name, depth) in privileges {
        let body = json!({
            "roleid@odata.bind": format!("/roles({role})"),
            "privilegeid@odata.bind": format!("/privileges({})", privilege(w, name).await),
            "privilegedepthmask": depth
        });
        w.create("roleprivilegescollection", body).await;
    }
    let path = format!("/systemuserrolescollection?$filter=_systemuserid_value%20eq%20{user}");
    let held = w.read(&path).await;
    let body = json!({ "systemuserid@odata.bind": format!("/systemusers({user})"), "roleid@odata.bind": format!("/roles({role})") });
    w.create("systemuserrolescollection", body).await;
    for pair in held["value"].as_array().unwrap() {
        let pair = pair["systemuserroleid"].as_str().unwrap();
        w.delete(&format!("/systemuserrolescollection({pair})")).await.expect(204);
    }
    (user, token)
}

async fn me(w: &World) -> String {
    w.read("/WhoAmI").await["UserId"].as_str().unwrap().to_owned()
}

fn url(text: &str) -> String {
    text.replace('<', "%3C").replace('>', "%3E").replace(' ', "%20").replace('"', "%22")
}

/// Asks in every way for columns that are not to be told.
async fn withheld(
    w: &World,
    token: &str,
    (set, id): (&str, &str),
    (table, key): (&str, &str),
    column: &str,
    secret: &str,
) {
    let row = format!("/{set}({id})");
    let fetch = |inner: &str| url(&format!("/{set}?fetchXml=<fetch><entity name=\"{table}\">{inner}</entity></fetch>"));
    let ways = [
        row.clone(),
        format!("{row}?$select={column}"),
        format!("{row}/{column}"),
        format!("{row}/{column}/$value"),
        format!("/{set}?$select={column}"),
        format!("/{set}?$filter={column}%20eq%20'{secret}'"),
        format!("/{set}?$filter=startswith({column},'{}')", &secret[..2]),
        format!("/{set}?$filter=not%20contains({column},'{secret}')"),
        format!("/{set}/$count?$filter={column}%20eq%20'{secret}'"),
        format!("/{set}?$orderby={column}&$select={key}"),
        format!("/{set}?$apply=groupby(({column}))"),
        format!("/{set}?$apply=aggregate({column}%20with%20max%20as%20m)"),
        format!("/{set}?$apply=filter({column}%20eq%20'{secret}')/aggregate($count%20as%20n)"),
        fetch(&format!("<attribute name=\"{column}\"/>")),
        fetch("<all-attributes/>"),
        fetch(&format!("<attribute name=\"{key}\"/><order attribute=\"{column}\"/>")),
        fetch(&format!(
            "<attribute name=\"{key}\"/><filter><condition attribute=\"{column}\" operator=\"eq\" value=\"{secret}\"/></filter>"
        )),
        fetch(&format!(
            "<attribute name=\"{key}\"/><filter><condition attribute=\"{column}\" operator=\"eq\" valueof=\"{column}\"/></filter>"
        )),
        url(&format!("/{set}?sql=select {key} from {table} where {column} = '{secret}'")),
        url(&format!("/{set}?sql=select {column} from {table}")),
    ];
    for way in ways {
        let answer = w.get(&way).by(token).header("prefer", "odata.maxpagesize=1").await;
        let text = answer.text();
        assert!(answer.status < 500, "{way}: {text}");
        let told = text.replace(&format!("'{secret}'"), "").replace("%27", "'");
        let told = told.replace(&format!("'{secret}'"), "");
        assert!(!told.contains(secret), "{way}: {text}");
        if answer.status == 200 && (way.contains("filter") || way.contains("where")) {
            let none = text == "0" || text.contains("\"value\":[]") || text.contains("\"n\":0");
            assert!(none, "{way}: {text}");
        }
    }
}

async fn email(w: &World) -> String {
    let body = json!({ "subject": "s", "description": "Zebra-content", "internetmessageheaders": "Zebra-content" });
    w.create("emails", body).await
}

story!(content_of_emails, |w| {
    let id = email(&w).await;
    let (_, token) =
        holder(&w, "ann@example.com", &[("prvReadEmail", 8), ("prvReadSystemUser", 8), ("prvReadAccount", 8)]).await;
    let (set, table) = (("emails", id.as_str()), ("email", "activityid"));
    withheld(&w, &token, set, table, "description", "Zebra-content").await;
    withheld(&w, &token, set, table, "internetmessageheaders", "Zebra-content").await;
    withheld(&w, &token, ("activitypointers", &id), ("activitypointer", "activityid"), "description", "Zebra-content")
        .await;
    w.get(&format!("/emails({id})/pr_rawmessage/$value")).by(&token).await.expect(403);
    // Behind other rows.
    w.create("accounts", json!({ "name": "Zebra-content" })).await;
    for way in [
        "/emails?$filter=parentactivityid/description%20eq%20'Zebra-content'".to_owned(),
        url(
            "/accounts?fetchXml=<fetch><entity name=\"account\"><attribute name=\"name\"/><link-entity name=\"email\" from=\"description\" to=\"name\" alias=\"e\"/></entity></fetch>",
        ),
        url(
            "/accounts?fetchXml=<fetch><entity name=\"account\"><attribute name=\"name\"/><link-entity name=\"email\" from=\"description\" to=\"name\" link-type=\"exists\"/></entity></fetch>",
        ),
        url(
            "/accounts?fetchXml=<fetch><entity name=\"account\"><attribute name=\"name\"/><filter><link-entity name=\"email\" from=\"description\" to=\"name\" link-type=\"any\"/></filter></entity></fetch>",
        ),
        url("/accounts?sql=select a.name from account a join email e on e.description = a.name"),
        url(
            "/emails?fetchXml=<fetch><entity name=\"email\"><attribute name=\"activityid\"/><link-entity name=\"account\" from=\"name\" to=\"description\" alias=\"a\"/></entity></fetch>",
        ),
        url(
            "/emails?fetchXml=<fetch aggregate=\"true\"><entity name=\"email\"><attribute name=\"description\" alias=\"d\" aggregate=\"max\"/></entity></fetch>",
        ),
        url(
            "/emails?fetchXml=<fetch aggregate=\"true\"><entity name=\"email\"><attribute name=\"description\" alias=\"d\" groupby=\"true\"/></entity></fetch>",
        ),
    ] {
        let answer = w.get(&way).by(&token).await;
        let rows = answer.status == 200 && !answer.text().contains("\"value\":[]");
        assert!(!rows && answer.status < 500, "{way}: {}", answer.text());
    }
});

story!(user_names_of_mailboxes, |w| {
    let (user, _) = w.user("bob@example.com").await;
    let mailbox = w.mailbox_of(&user).await;
    w.patch(&format!("/mailboxes({mailbox})"), json!({ "username": "Zebra-name" })).await.expect(204);
    let (_, token) = holder(&w, "ann@example.com", &[("prvReadMailbox", 8), ("prvReadSystemUser", 8)]).await;
    withheld(&w, &token, ("mailboxes", &mailbox), ("mailbox", "mailboxid"), "username", "Zebra-name").await;
    w.patch(&format!("/systemusers({user})"), json!({ "jobtitle": "Zebra-name" })).await.expect(204);
    for way in [
        "/systemusers?$filter=mailbox_regarding_systemuser/any(m:m/username%20eq%20'Zebra-name')".to_owned(),
        "/systemusers?$filter=defaultmailbox/username%20eq%20'Zebra-name'".to_owned(),
        "/systemusers?$orderby=defaultmailbox/username".to_owned(),
        "/systemusers?$expand=mailbox_regarding_systemuser($filter=username%20eq%20'Zebra-name')".to_owned(),
        "/systemusers?$expand=defaultmailbox($select=username)&$filter=jobtitle%20eq%20'no'".to_owned(),
        url(
            "/systemusers?fetchXml=<fetch><entity name=\"systemuser\"><attribute name=\"domainname\"/><link-entity name=\"mailbox\" from=\"username\" to=\"jobtitle\" alias=\"m\"/></entity></fetch>",
        ),
    ] {
        let answer = w.get(&way).by(&token).await;
        let rows = answer.status == 200 && !answer.text().contains("\"value\":[]");
        assert!(!rows && answer.status < 500, "{way}: {}", answer.text());
    }
    let shown = w.get("/systemusers?$expand=defaultmailbox,mailbox_regarding_systemuser").by(&token).await.expect(200);
    assert!(
        !shown.text().contains("\"Zebra-name\"") || !shown.text().contains("\"username\":\"Zebra-name\""),
        "{}",
        shown.text()
    );
});

const MANAGER: &[(&str, i64)] = &[
    ("prvReadSystemUser", 8),
    ("prvWriteSystemUser", 8),
    ("prvReadBusinessUnit", 8),
    ("prvReadTeam", 8),
    ("prvWriteTeam", 8),
    ("prvReadRole", 8),
    ("prvAssignRole", 8),
    ("prvReadAccount", 2),
];

story!(nobody_widens_themselves, |w| {
    let (ann, token) = holder(&w, "ann@example.com", MANAGER).await;
    let unit = w.create("businessunits", json!({ "name": "Secret" })).await;
    let team = w.create("teams", json!({ "name": "T" })).await;
    let profile = w.create("fieldsecurityprofiles", json!({ "name": "P" })).await;
    let body = json!({ "teamid@odata.bind": format!("/teams({team})"), "fieldsecurityprofileid@odata.bind": format!("/fieldsecurityprofiles({profile})") });
    w.create("teamprofilescollection", body).await;
    let me = format!("/systemusers({ann})");
    for body in [
        json!({ "businessunitid@odata.bind": format!("/businessunits({unit})") }),
        json!({ "domainname": "admin@example.com" }),
        json!({ "azureactivedirectoryobjectid": "00000000-0000-0000-0000-0000000000aa" }),
        json!({ "applicationid": "00000000-0000-0000-0000-0000000000aa" }),
        json!({ "accessmode": 4 }),
        json!({ "pr_isadministrator": true }),
    ] {
        let before = w.read(&me).await;
        let answer = w.patch(&me, body.clone()).by(&token).await;
        assert!(matches!(answer.status, 400 | 403 | 412), "{body}: {} {}", answer.status, answer.text());
        assert_eq!(w.read(&me).await, before, "{body}");
    }
    w.patch(&me, json!({ "jobtitle": "x" })).by(&token).await.expect(204);
    let body = json!({ "teamid@odata.bind": format!("/teams({team})"), "systemuserid@odata.bind": format!("/systemusers({ann})") });
    w.post("/teammemberships", body).by(&token).await.expect(403);
    let body = json!({ "systemuserid@odata.bind": format!("/systemusers({ann})"), "fieldsecurityprofileid@odata.bind": format!("/fieldsecurityprofiles({profile})") });
    w.post("/systemuserprofilescollection", body).by(&token).await.expect(403);
    let body = json!({ "principalid_systemuser@odata.bind": format!("/systemusers({ann})"), "accessrightsmask": 1,
        "objectid_account@odata.bind": format!("/accounts({})", w.create("accounts", json!({ "name": "A" })).await) });
    let answer = w.post("/principalobjectaccessset", body).by(&token).await;
    assert!(matches!(answer.status, 400..=405), "{}", answer.text());
});

story!(whose_sign_in_is_changed_is_no_stronger, |w| {
    let (_, token) = holder(&w, "ann@example.com", MANAGER).await;
    let (strong, _) = holder(&w, "strong@example.com", &[("prvReadEmail", 8), ("prvReadEmailContent", 8)]).await;
    let (weak, _) = holder(&w, "weak@example.com", &[("prvReadRole", 8)]).await;
    let body = json!({ "azureactivedirectoryobjectid": "00000000-0000-0000-0000-0000000000aa" });
    w.patch(&format!("/systemusers({strong})"), body.clone())
        .by(&token)
        .await
        .expect(403)
        .says("azureactivedirectoryobjectid");
    w.patch(&format!("/systemusers({weak})"), body).by(&token).await.expect(204);
});

story!(a_reader_neither_approves_nor_tests, |w| {
    let privileges =
        [("prvReadMailbox", 8), ("prvApproveEmailAddresses", 8), ("prvTestMailbox", 8), ("prvReadSystemUser", 8)];
    let (ann, token) = holder(&w, "ann@example.com", &privileges).await;
    let (bob, _) = w.user("bob@example.com").await;
    w.patch(&format!("/systemusers({ann})"), json!({ "accessmode": 2 })).await.expect(204);
    for user in [&ann, &bob] {
        let mailbox = format!("/mailboxes({})", w.mailbox_of(user).await);
        let before = w.read(&mailbox).await;
        w.patch(&mailbox, json!({ "emailrouteraccessapproval": 1 })).by(&token).await.expect(403);
        w.patch(&mailbox, json!({ "testemailconfigurationscheduled": true })).by(&token).await.expect(403);
        w.patch(&format!("/systemusers({user})"), json!({ "emailrouteraccessapproval": 1 }))
            .by(&token)
            .await
            .expect(403);
        assert_eq!(w.read(&mailbox).await, before);
    }
    // With other columns they are no way around Write.
    w.patch(&format!("/systemusers({ann})"), json!({ "accessmode": 0 })).await.expect(204);
    let mailbox = format!("/mailboxes({})", w.mailbox_of(&bob).await);
    w.patch(&mailbox, json!({ "emailrouteraccessapproval": 1, "name": "x" }))
        .by(&token)
        .await
        .expect(403)
        .says("prvWriteMailbox");
});

story!(acting_for_others, |w| {
    let (ann, ann_token) = w.user("ann@example.com").await;
    let (bob, bob_token) = w.user("bob@example.com").await;
    let own = w.create("accounts", json!({ "name": "Admin's" })).await;
    // The administrator sees with ann's eyes.
    let list = w.get("/accounts").header("mscrmcallerid", &ann).await.expect(200).json();
    assert_eq!(list["value"], json!([]));
    assert_eq!(w.get("/WhoAmI").header("mscrmcallerid", &ann).await.expect(200).json()["UserId"], ann.as_str());
    w.get(&format!("/accounts({own})")).header("mscrmcallerid", &ann).await.expect(404);
    let made = w.post("/accounts", json!({ "name": "x" })).header("mscrmcallerid", &ann).await.expect(204).entity_id();
    assert_eq!(w.read(&format!("/accounts({made})")).await["_ownerid_value"], ann.as_str());
    // By the directory's id.
    let directory = "00000000-0000-0000-0000-0000000000aa";
    w.patch(&format!("/systemusers({ann})"), json!({ "azureactivedirectoryobjectid": directory })).await.expect(204);
    assert_eq!(w.get("/WhoAmI").header("callerobjectid", directory).await.expect(200).json()["UserId"], ann.as_str());
    // Nobody is not the caller.
    for wrong in ["", "x", "00000000-0000-0000-0000-0000000000bb"] {
        for header in ["mscrmcallerid", "callerobjectid"] {
            let answer = w.get("/accounts").header(header, wrong).await;
            assert!(matches!(answer.status, 400 | 404), "{header} '{wrong}': {}", answer.status);
        }
    }
    w.get("/accounts").header("mscrmcallerid", &bob).by(&ann_token).await.expect(403).code("0x8004A110");
    w.get("/accounts").header("mscrmcallerid", &me(&w).await).by(&ann_token).await.expect(403).code("0x8004A110");
    w.get("/accounts").header("mscrmcallerid", &ann).by(&ann_token).await.expect(200);
    // Parts of a batch.
    let part = |id: &str| {
        format!(
            "--b\r\nContent-Type: application/http\r\n\r\nGET /api/data/v9.2/WhoAmI HTTP/1.1\r\nMSCRMCallerID: {id}\r\n\r\n\r\n--b--\r\n"
        )
    };
    let kind = "multipart/mixed; boundary=b";
    let answer = w.post("/$batch", json!({})).raw(kind, part(&ann)).await.expect(200).text();
    assert!(answer.contains(&format!("\"UserId\":\"{ann}\"")), "{answer}");
    let answer = w.post("/$batch", json!({})).raw(kind, part(&bob)).header("mscrmcallerid", &ann).await.text();
    assert!(!answer.contains(&format!("\"UserId\":\"{bob}\"")), "{answer}");
    let answer = w.post("/$batch", json!({})).raw(kind, part(&bob)).by(&ann_token).await.text();
    assert!(answer.contains("0x8004a110") || answer.contains("0x8004A110"), "{answer}");
    // A reader who acts for others stays a reader.
    let (carl, carl_token) = holder(
        &w,
        "carl@example.com",
        &[("prvActOnBehalfOfAnotherUser", 8), ("prvCreateAccount", 8), ("prvReadAccount", 8)],
    )
    .await;
    w.post("/accounts", json!({ "name": "y" })).header("mscrmcallerid", &bob).by(&carl_token).await.expect(204);
    w.patch(&format!("/systemusers({carl})"), json!({ "accessmode": 2 })).await.expect(204);
    w.post("/accounts", json!({ "name": "y" })).header("mscrmcallerid", &bob).by(&carl_token).await.expect(403);
    w.patch(&format!("/systemusers({bob})"), json!({ "isdisabled": true })).await.expect(204);
    w.get("/accounts").header("mscrmcallerid", &bob).await.expect(403);
    w.get("/accounts").by(&bob_token).await.expect(401);
});

story!(own_mailbox_at_another_address, |w| {
    let (ann, token) = w.user("ann@example.com").await;
    let (bob, _) = w.user("bob@example.com").await;
    let mailbox = format!("/mailboxes({})", w.mailbox_of(&ann).await);
    w.patch(&mailbox, json!({ "emailrouteraccessapproval": 1 })).await.expect(204);
    assert_eq!(w.read(&mailbox).await["emailrouteraccessapproval"], 1);
    w.patch(&mailbox, json!({ "emailaddress": "ceo@example.com", "emailrouteraccessapproval": 1 })).by(&token).await;
    let row = w.read(&mailbox).await;
    assert!(row["emailaddress"] == "ann@example.com" || row["emailrouteraccessapproval"] != 1, "{row}");
    let answer = w
        .patch(&mailbox, json!({ "regardingobjectid_systemuser@odata.bind": format!("/systemusers({bob})") }))
        .by(&token)
        .await;
    assert!(
        answer.status >= 400 || w.read(&mailbox).await["_regardingobjectid_value"] == ann.as_str(),
        "{}",
        answer.text()
    );
    w.patch(&mailbox, json!({ "ownerid@odata.bind": format!("/systemusers({bob})") }))
        .by(&token)
        .await
        .expect(403)
        .also("0x80040220");
});

story!(hidden_rows_are_absent, |w| {
    let (_, token) = w.user("ann@example.com").await;
    let hidden = w.create("accounts", json!({ "name": "Hidden", "accountnumber": "77" })).await;
    let absent = "00000000-0000-0000-0000-0000000000ee";
    let own = w.post("/contacts", json!({ "lastname": "C" })).by(&token).await.expect(204).entity_id();
    // The same answer for a row that is hidden and for one that is not there.
    for (method, path, body, with) in [
        ("GET", "/accounts(ID)", Value::Null, None),
        ("GET", "/accounts(ID)/name", Value::Null, None),
        ("GET", "/accounts(ID)/name/$value", Value::Null, None),
        ("DELETE", "/accounts(ID)", Value::Null, None),
        ("DELETE", "/accounts(ID)", Value::Null, Some(("if-match", "W/\"1\""))),
        ("PATCH", "/accounts(ID)", json!({ "name": "x" }), Some(("if-match", "W/\"1\""))),
        ("PATCH", "/accounts(ID)", json!({ "name": "x" }), Some(("if-match", "*"))),
        ("POST", "/contacts", json!({ "lastname": "x", "parentcustomerid_account@odata.bind": "/accounts(ID)" }), None),
        ("PUT", "/contacts(OWN)/parentcustomerid_account/$ref", json!({ "@odata.id": "accounts(ID)" }), None),
    ] {
        let mut answers = Vec::new();
        for id in [hidden.as_str(), absent] {
            let path = path.replace("ID", id).replace("OWN", &own);
            let mut ask = w.ask(method.parse().unwrap(), &path).by(&token);
            if !body.is_null() {
                ask = ask.json(&serde_json::from_str(&body.to_string().replace("ID", id)).unwrap());
            }
            if let Some((name, value)) = with {
                ask = ask.header(name, value);
            }
            let answer = ask.await;
            answers.push((answer.status, answer.text().replace(id, "ID")));
        }
        assert_eq!(answers[0], answers[1], "{method} {path}");
        assert!(answers[0].0 >= 400, "{method} {path}");
    }
    for body in ["Hidden", "Absent"] {
        let number = if body == "Hidden" { "77" } else { "78" };
        let bind = json!({ "lastname": "x", "parentcustomerid_account@odata.bind": format!("/accounts(accountnumber='{number}',name='{body}')") });
        w.post("/contacts", bind).by(&token).await.expect(404).code("0x80060891");
    }
    assert_eq!(w.get("/accounts/$count").by(&token).await.expect(200).text(), "0");
});

story!(scoped_tokens, |w| {
    let scoped = async |user: &str, scopes: &str| {
        let new = NewToken { scopes: scopes.to_owned(), ..NewToken::named("scoped") };
        actions::token::create(&w.context().await, user.parse().unwrap(), new).await.unwrap().1
    };
    let admin = me(&w).await;
    let (ann, _) = w.user("ann@example.com").await;
    let mailbox = format!("/mailboxes({})", w.mailbox_of(&ann).await);
    let read = scoped(&admin, "read").await;
    let before = w.read(&mailbox).await;
    w.patch(&mailbox, json!({ "emailrouteraccessapproval": 1 })).by(&read).await.expect(403);
    w.patch(&mailbox, json!({ "testemailconfigurationscheduled": true })).by(&read).await.expect(403);
    w.patch(&format!("/systemusers({ann})"), json!({ "emailrouteraccessapproval": 1 })).by(&read).await.expect(403);
    w.post("/accounts", json!({ "name": "x" })).by(&read).header("mscrmcallerid", &ann).await.expect(403);
    assert_eq!(w.read(&mailbox).await, before);
    w.post("/pr_CreateApiToken", json!({ "Name": "wider" })).by(&read).await.expect(403);
    let own = scoped(&ann, "read").await;
    w.post("/pr_CreateApiToken", json!({ "Name": "wider" })).by(&own).await.expect(403);
    let contacts = scoped(&admin, "contact").await;
    w.get("/contacts").by(&contacts).await.expect(200);
    for way in [
        "/accounts",
        "/mailboxes",
        "/emails?$expand=email_activity_parties",
        "/contacts?$expand=owninguser",
        "/contacts?$filter=owninguser/domainname%20ne%20null",
    ] {
        let answer = w.get(way).by(&contacts).await;
        assert!(answer.status >= 400 || answer.text().contains("\"value\":[]"), "{way}: {}", answer.text());
    }
    w.post("/pr_CreateApiToken", json!({ "Name": "wider" })).by(&contacts).await.expect(403);
});

story!(keys_of_the_stronger, |w| {
    let admin = me(&w).await;
    let (ann, token) =
        holder(&w, "ann@example.com", &[("prvManageTokens", 8), ("prvReadSystemUser", 8), ("prvReadAccount", 8)]).await;
    let (weak, _) = holder(&w, "weak@example.com", &[("prvReadAccount", 1)]).await;
    let (strong, _) = holder(&w, "strong@example.com", &[("prvReadContact", 1)]).await;
    for (user, status) in [(&admin, 403), (&strong, 403), (&weak, 200), (&ann, 200)] {
        w.post("/pr_CreateApiToken", json!({ "Name": "x", "UserId": user })).by(&token).await.expect(status);
    }
    let ctx = w.context_of(&token).await;
    assert!(actions::sign_in::reset::reset(&ctx, admin.parse().unwrap(), true).await.is_err());
    assert!(actions::sign_in::reset::reset(&ctx, weak.parse().unwrap(), true).await.is_ok());
});

story!(two_users_of_one_name, |w| {
    let body =
        json!({ "internalemailaddress": "x@example.com", "domainname": crate::world::ADMIN, "lastname": "User" });
    w.post("/systemusers", body).await.expect(412).says("domainname");
});

story!(privileges_have_one_id, |w| {
    let rows = w.read("/privileges?$select=name").await;
    let rows = rows["value"].as_array().unwrap();
    for table in ["mailbox", "account", "role", "tracelog", "organization", "systemuser"] {
        let described = w.read(&format!("/EntityDefinitions(LogicalName='{table}')?$select=Privileges")).await;
        let described = described["Privileges"].as_array().unwrap().clone();
        assert!(!described.is_empty());
        for privilege in described {
            let row = rows.iter().find(|r| r["name"] == privilege["Name"]);
            assert_eq!(row.expect("a row")["privilegeid"], privilege["PrivilegeId"], "{privilege}");
        }
    }
});

async fn administrators(w: &World) -> Vec<Value> {
    let role = w.read("/roles?$filter=name%20eq%20'System%20Administrator'").await["value"][0]["roleid"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/systemuserrolescollection?$filter=_roleid_value%20eq%20{role}");
    w.read(&path).await["value"].as_array().unwrap().clone()
}

story!(two_take_the_role_from_each_other, |w| {
    let first = me(&w).await;
    let (ann, token) = w.user("ann@example.com").await;
    let pairs = administrators(&w).await;
    let role = pairs[0]["_roleid_value"].as_str().unwrap();
    let body = json!({ "systemuserid@odata.bind": format!("/systemusers({ann})"), "roleid@odata.bind": format!("/roles({role})") });
    w.create("systemuserrolescollection", body).await;
    let pairs = administrators(&w).await;
    let of = |user: &str| {
        let pair = pairs.iter().find(|p| p["_systemuserid_value"] == user).unwrap();
        format!("/systemuserrolescollection({})", pair["systemuserroleid"].as_str().unwrap())
    };
    let (one, other) = (of(&first), of(&ann));
    let takes = async |path: &str, token: &str| w.delete(path).by(token).await.status;
    let (a, b) = tokio::join!(takes(&one, &token), takes(&other, &w.token));
    assert!((a == 204) != (b == 204), "{a} {b}");
    let left = if a == 204 { &token } else { &w.token };
    assert_eq!(w.get("/roles").by(left).await.status, 200);
});

story!(webhooks_tell_only_what_their_maker_reads, |w| {
    let privileges = [
        ("prvReadServiceEndpoint", 8),
        ("prvCreateServiceEndpoint", 8),
        ("prvWriteServiceEndpoint", 8),
        ("prvAppendToServiceEndpoint", 8),
        ("prvReadSdkMessage", 8),
        ("prvReadSdkMessageFilter", 8),
        ("prvReadSdkMessageProcessingStep", 8),
        ("prvCreateSdkMessageProcessingStep", 8),
        ("prvWriteSdkMessageProcessingStep", 8),
        ("prvReadAccount", 8),
        ("prvReadContact", 1),
        ("prvReadEmail", 8),
        ("prvReadpr_Event", 8),
    ];
    let (_, token) = holder(&w, "ann@example.com", &privileges).await;
    let hook = json!({ "name": "H", "contract": 8, "authtype": 4, "messageformat": 2, "url": "https://hooks.example.net/x", "authvalue": "k" });
    let endpoint = w.post("/serviceendpoints", hook).by(&token).await.expect(204).entity_id();
    let filters =
        w.read("/sdkmessagefilters?$expand=sdkmessageid($select=name)").await["value"].as_array().unwrap().clone();
    let step = |table: Option<&str>| {
        let found = filters
            .iter()
            .find(|f| f["primaryobjecttypecode"] == table.unwrap_or("account") && f["sdkmessageid"]["name"] == "Create")
            .unwrap();
        let mut body = json!({ "name": "S", "mode": 1, "stage": 40, "eventhandler_serviceendpoint@odata.bind": format!("/serviceendpoints({endpoint})"),
            "sdkmessageid@odata.bind": format!("/sdkmessages({})", found["_sdkmessageid_value"].as_str().unwrap()) });
        if table.is_some() {
            body["sdkmessagefilterid@odata.bind"] =
                json!(format!("/sdkmessagefilters({})", found["sdkmessagefilterid"].as_str().unwrap()));
        }
        body
    };
    w.post("/sdkmessageprocessingsteps", step(Some("account"))).by(&token).await.expect(204);
    for table in [Some("email"), Some("contact"), Some("mailbox"), None] {
        w.post("/sdkmessageprocessingsteps", step(table)).by(&token).await.expect(403);
    }
    w.post("/sdkmessageprocessingsteps", step(Some("email"))).await.expect(204);
    let to = json!({ "url": "https://elsewhere.example.net/" });
    w.patch(&format!("/serviceendpoints({endpoint})"), to).by(&token).await.expect(403).says("prvReadEmailContent");
    // What was told is not read where it is kept.
    email(&w).await;
    for way in
        ["/pr_events", "/pr_events?$select=pr_values,pr_message", "/pr_events?$filter=contains(pr_values,'Zebra')"]
    {
        let answer = w.get(way).by(&token).await;
        assert!(answer.status < 500 && !answer.text().contains("Zebra-content"), "{way}: {}", answer.text());
    }
    assert!(w.get("/pr_events").await.text().contains("Zebra-content"));
});
