//! What the API says about itself.

use std::collections::BTreeSet;

use serde_json::{Value, json};

fn rows(body: &Value) -> &Vec<Value> {
    body["value"].as_array().unwrap()
}

fn texts<'a>(body: &'a Value, property: &str) -> Vec<&'a str> {
    rows(body).iter().map(|r| r[property].as_str().unwrap()).collect()
}

fn encoded(path: &str) -> String {
    path.replace(' ', "%20")
}

story!(csdl, |w| {
    let answer = w.get("/$metadata").await.expect(200);
    assert_eq!(answer.header("content-type"), "application/xml; charset=utf-8");
    let plain = answer.text();
    assert!(plain.starts_with("<?xml"), "{plain:.100}");
    assert!(!plain.contains("Org.OData.Core.V1.Description"));
    let annotated = w.get("/$metadata?annotations=true").await.expect(200).text();
    assert!(annotated.contains("Org.OData.Core.V1.Description"));
    w.get("/$metadata").without("authorization").await.expect(401);
    let (_, token) = w.user("ann@example.com").await;
    w.get("/$metadata").by(&token).await.expect(200);
    w.get("/EntityDefinitions").by(&token).await.expect(200);
});

story!(entity_definitions, |w| {
    let body = w
        .read(&encoded(
            "/EntityDefinitions?$select=LogicalName,EntitySetName,PrimaryIdAttribute&$filter=LogicalName eq 'mailbox'",
        ))
        .await;
    let row = &rows(&body)[0];
    assert_eq!(rows(&body).len(), 1);
    assert_eq!(row["EntitySetName"], "mailboxes");
    assert_eq!(row["PrimaryIdAttribute"], "mailboxid");
    assert!(row.get("SchemaName").is_none(), "not selected");
    let id = row["MetadataId"].as_str().unwrap();
    let one = w.read(&format!("/EntityDefinitions({id})")).await;
    assert_eq!(one["LogicalName"], "mailbox");
    assert_eq!(one["CanChangeTrackingBeEnabled"]["ManagedPropertyLogicalName"], "canchangetrackingbeenabled");
    assert_eq!(one["DisplayName"]["UserLocalizedLabel"]["Label"], "Mailbox");
    assert_eq!(one["DisplayName"]["LocalizedLabels"][0]["LanguageCode"], 1033);
    assert!(one["Privileges"].as_array().unwrap().iter().any(|p| p["Name"] == "prvReadMailbox"));
    let same = w.read("/EntityDefinitions(LogicalName='mailbox')").await;
    assert_eq!(one, same);
    let all = w.read("/EntityDefinitions?$select=LogicalName&$count=true").await;
    assert_eq!(all["@odata.count"], rows(&all).len());
    let sets: BTreeSet<String> =
        w.read("/").await["value"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(sets.len(), rows(&all).len());
    w.get("/EntityDefinitions/$count").await.expect(200);
    w.get("/EntityDefinitions(LogicalName='nothing')").await.expect(404).code("0x80060888");
    w.get("/EntityDefinitions(LogicalName='pr_login')").await.expect(404);
    w.get("/EntityDefinitions(nothing)").await.expect(400);
    w.get("/EntityDefinitions?$select=Nothing").await.expect(400);
    w.get(&encoded("/EntityDefinitions?$filter=Nothing eq 1")).await.expect(400);
    w.get("/EntityDefinitions?$skip=1").await.expect(400);
});

story!(entity_definitions_filters_and_expands, |w| {
    let found = |filter: &'static str| {
        let w = &w;
        async move {
            let body = w.read(&encoded(&format!("/EntityDefinitions?$select=LogicalName&$filter={filter}"))).await;
            texts(&body, "LogicalName").into_iter().map(str::to_owned).collect::<Vec<_>>()
        }
    };
    assert_eq!(found("IsPrivate eq false and (LogicalName eq 'account' or LogicalName eq 'contact')").await.len(), 2);
    assert_eq!(found("startswith(LogicalName,'mailb')").await, ["mailbox"]);
    assert_eq!(found("not IsActivity and IsActivity eq true").await, [""; 0]);
    assert!(found("IsActivity eq true").await.contains(&"email".to_owned()));
    assert_eq!(found("ObjectTypeCode eq 9606").await, ["mailbox"]);
    let body = w
        .read(&encoded(concat!(
            "/EntityDefinitions?$select=LogicalName,CanChangeTrackingBeEnabled,ChangeTrackingEnabled",
            "&$expand=Attributes($select=LogicalName,AttributeType;$filter=AttributeType eq ",
            "Microsoft.Dynamics.CRM.AttributeTypeCode'Lookup'),Keys($select=KeyAttributes),ManyToOneRelationships,",
            "OneToManyRelationships($select=SchemaName),ManyToManyRelationships&$filter=LogicalName eq 'mailbox'"
        )))
        .await;
    let row = &rows(&body)[0];
    assert!(row["CanChangeTrackingBeEnabled"]["Value"].is_boolean());
    let attributes = row["Attributes"].as_array().unwrap();
    assert!(
        attributes.iter().all(|a| a["AttributeType"] == "Lookup" && a.get("SchemaName").is_none()),
        "{attributes:?}"
    );
    assert!(attributes.iter().any(|a| a["LogicalName"] == "emailserverprofile"));
    assert!(row["Keys"].as_array().unwrap().iter().any(|k| k["KeyAttributes"] == json!(["emailaddress"])));
    assert!(!row["ManyToOneRelationships"].as_array().unwrap().is_empty());
    assert_eq!(row["ManyToManyRelationships"], json!([]));
    w.get("/EntityDefinitions?$expand=Nothing").await.expect(400);
});

story!(attributes, |w| {
    let base = "/EntityDefinitions(LogicalName='mailbox')/Attributes";
    let all = w.read(&format!("{base}?$select=LogicalName,AttributeType,IsValidForRead")).await;
    let one = |name: &str| rows(&all).iter().find(|a| a["LogicalName"] == name).unwrap();
    assert_eq!(one("mailboxid")["AttributeType"], "Uniqueidentifier");
    assert_eq!(one("ownerid")["AttributeType"], "Owner");
    assert_eq!(one("statecode")["AttributeType"], "State");
    assert_eq!(one("password")["IsValidForRead"], false);
    assert_eq!(one("name")["@odata.type"], "#Microsoft.Dynamics.CRM.StringAttributeMetadata");
    assert!(texts(&all, "LogicalName").iter().all(|n| *n != "pr_blob"));
    let name = w.read(&format!("{base}(LogicalName='name')")).await;
    assert_eq!((&name["MaxLength"], &name["RequiredLevel"]["Value"]), (&json!(200), &json!("ApplicationRequired")));
    assert_eq!(name["IsPrimaryName"], true);
    let id = name["MetadataId"].as_str().unwrap();
    assert_eq!(w.read(&format!("{base}({id})")).await["LogicalName"], "name");
    let length = w.read(&format!("{base}(LogicalName='name')/MaxLength")).await;
    assert_eq!(length["value"], 200);
    let regarding = w.read(&format!("{base}(LogicalName='regardingobjectid')")).await;
    assert_eq!(regarding["Targets"], json!(["systemuser", "queue"]));
    w.get(&format!("{base}(LogicalName='nothing')")).await.expect(404);
});

story!(casts_of_attributes, |w| {
    let cast = |kind: &str| {
        format!("/EntityDefinitions(LogicalName='mailbox')/Attributes/Microsoft.Dynamics.CRM.{kind}AttributeMetadata")
    };
    let picklists = w
        .read(&format!(
            "{}?$select=LogicalName&$expand=OptionSet($select=Options),GlobalOptionSet($select=Options)",
            cast("Picklist")
        ))
        .await;
    let incoming = rows(&picklists).iter().find(|a| a["LogicalName"] == "incomingemaildeliverymethod").unwrap();
    let options = incoming["OptionSet"]["Options"].as_array().unwrap();
    assert_eq!(options.len(), 4);
    assert_eq!(options[2]["Value"], 2);
    assert_eq!(options[3]["Label"]["UserLocalizedLabel"]["Label"], "Forward Mailbox");
    assert_eq!(incoming["GlobalOptionSet"]["Options"], incoming["OptionSet"]["Options"]);
    let booleans = w.read(&format!("{}?$select=LogicalName&$expand=OptionSet", cast("Boolean"))).await;
    assert_eq!(rows(&booleans)[0]["OptionSet"]["TrueOption"]["Value"], 1);
    let states = w.read(&format!("{}?$expand=OptionSet", cast("State"))).await;
    assert_eq!(rows(&states)[0]["OptionSet"]["Options"][1]["DefaultStatus"], 2);
    let statuses = w.read(&format!("{}?$expand=OptionSet", cast("Status"))).await;
    assert_eq!(rows(&statuses)[0]["OptionSet"]["Options"][1]["State"], 1);
    let times = w.read(&cast("DateTime")).await;
    assert_eq!(rows(&times)[0]["DateTimeBehavior"]["Value"], "UserLocal");
    for kind in ["String", "Memo", "Integer", "BigInt", "Lookup", "UniqueIdentifier", "Decimal", "MultiSelectPicklist"]
    {
        w.get(&cast(kind)).await.expect(200);
    }
    w.get(&cast("Nonsense")).await.expect(404);
    let one = w
        .read("/EntityDefinitions(LogicalName='email')/Attributes(LogicalName='prioritycode')/Microsoft.Dynamics.CRM.PicklistAttributeMetadata?$expand=OptionSet")
        .await;
    assert_eq!(one["OptionSet"]["Options"].as_array().unwrap().len(), 3);
    let set = w
        .read("/EntityDefinitions(LogicalName='email')/Attributes(LogicalName='prioritycode')/Microsoft.Dynamics.CRM.PicklistAttributeMetadata/OptionSet")
        .await;
    assert_eq!(set["OptionSetType"], "Picklist");
    w.get("/EntityDefinitions(LogicalName='email')/Attributes(LogicalName='subject')/Microsoft.Dynamics.CRM.PicklistAttributeMetadata")
        .await
        .expect(404);
});

story!(relationships_and_option_sets, |w| {
    let all = w.read("/RelationshipDefinitions?$select=SchemaName").await;
    let names = texts(&all, "SchemaName");
    assert!(names.contains(&"email_activity_parties"));
    let one = w.read("/RelationshipDefinitions(SchemaName='email_activity_parties')").await;
    assert_eq!(one["@odata.type"], "#Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata");
    assert_eq!((&one["ReferencedEntity"], &one["ReferencingAttribute"]), (&json!("email"), &json!("activityid")));
    let id = one["MetadataId"].as_str().unwrap();
    w.get(&format!("/RelationshipDefinitions({id})/Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata"))
        .await
        .expect(200);
    let cast = w.read("/RelationshipDefinitions/Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata").await;
    let pairs = w.read("/RelationshipDefinitions/Microsoft.Dynamics.CRM.ManyToManyRelationshipMetadata").await;
    assert_eq!(rows(&cast).len() + rows(&pairs).len(), names.len());
    let found = rows(&pairs).iter().find(|r| r["SchemaName"] == "systemuserroles_association").unwrap();
    assert_eq!(found["IntersectEntityName"], "systemuserroles");
    for table in ["role", "systemuser"] {
        let of = w.read(&format!("/EntityDefinitions(LogicalName='{table}')/ManyToManyRelationships")).await;
        assert!(texts(&of, "SchemaName").contains(&"systemuserroles_association"), "{table}");
    }
    let parents = w.read("/EntityDefinitions(LogicalName='activityparty')/ManyToOneRelationships").await;
    assert!(rows(&parents).iter().any(|r| r["SchemaName"] == "email_activity_parties"));
    let sets = w.read("/GlobalOptionSetDefinitions").await;
    assert!(texts(&sets, "Name").contains(&"incomingemaildeliverymethod"));
    let one = w.read("/GlobalOptionSetDefinitions(Name='incomingemaildeliverymethod')").await;
    assert_eq!(one["Options"].as_array().unwrap().len(), 4);
    w.get("/GlobalOptionSetDefinitions(Name='nothing')").await.expect(404);
});

story!(metadata_changes, |w| {
    let ask = |query: Value| {
        let w = &w;
        async move {
            let query = query.to_string().replace('"', "%22").replace(' ', "%20");
            w.get(&format!("/RetrieveMetadataChanges(Query=@p1)?@p1={query}")).await.expect(200).json()
        }
    };
    let equals = |property: &str, value: &str| {
        json!({ "PropertyName": property, "ConditionOperator": "Equals",
                "Value": { "Type": "System.String", "Value": value } })
    };
    let body = ask(json!({
        "Criteria": { "FilterOperator": "And", "Conditions": [equals("LogicalName", "mailbox")] },
        "Properties": { "AllProperties": false, "PropertyNames": ["Attributes", "DisplayName"] },
        "AttributeQuery": {
            "Criteria": { "Conditions": [equals("LogicalName", "incomingemaildeliverymethod")] },
            "Properties": { "PropertyNames": ["OptionSet", "AttributeType"] },
        },
    }))
    .await;
    let entities = body["EntityMetadata"].as_array().unwrap();
    assert_eq!(entities.len(), 1);
    assert_eq!(entities[0]["LogicalName"], "mailbox");
    assert!(entities[0].get("ObjectTypeCode").is_none());
    let attributes = entities[0]["Attributes"].as_array().unwrap();
    assert_eq!(attributes.len(), 1);
    assert_eq!(attributes[0]["OptionSet"]["Options"].as_array().unwrap().len(), 4);
    let stamp = body["ServerVersionStamp"].as_str().unwrap();
    let again = w
        .get(&format!("/RetrieveMetadataChanges(Query=@p1,ClientVersionStamp=@p2)?@p1=null&@p2='{stamp}'"))
        .await
        .expect(200)
        .json();
    assert_eq!(again["EntityMetadata"], json!([]));
    let all = w.read("/RetrieveMetadataChanges()").await;
    assert!(all["EntityMetadata"].as_array().unwrap().len() > 10);
    w.get("/RetrieveMetadataChanges(Query=@p1)?@p1={%22Criteria%22:{%22Conditions%22:[{%22PropertyName%22:%22X%22}]}}")
        .await
        .expect(400);
    w.get("/RetrieveMetadataChanges(Nothing=1)").await.expect(400);
    w.post("/RetrieveMetadataChanges", json!({})).await.expect(405);
});

story!(metadata_cannot_be_written, |w| {
    w.post("/EntityDefinitions", json!({ "LogicalName": "new_x" })).await.expect(405).code("0x80040315");
    w.delete("/EntityDefinitions(LogicalName='mailbox')").await.expect(405).code("0x80040315");
    w.post("/$metadata", json!({})).await.expect(405);
    w.patch("/GlobalOptionSetDefinitions(Name='x')", json!({})).await.expect(405);
});

story!(alternate_keys, |w| {
    let user = w.user("ann@example.com").await.0;
    let mailbox = w.mailbox_of(&user).await;
    let id = |body: Value| body["mailboxid"].as_str().unwrap().to_owned();
    assert_eq!(id(w.read("/mailboxes(emailaddress='ANN@example.com')").await), mailbox);
    assert_eq!(id(w.read(&format!("/mailboxes(_regardingobjectid_value={user})")).await), mailbox);
    assert_eq!(id(w.read(&format!("/mailboxes(mailboxid={mailbox})")).await), mailbox);
    w.get("/mailboxes(name='x')").await.expect(400).code("0x80060890");
    w.get("/mailboxes(emailaddress='nobody@example.com')").await.expect(404).code("0x80060891");
    w.create("accounts", json!({ "name": "Twice" })).await;
    w.create("accounts", json!({ "name": "Twice" })).await;
    w.get("/accounts(name='Twice')").await.expect(400).code("0x8006089D");
    w.patch("/contacts(firstname='x')", json!({})).await.expect(400).code("0x80060890");
});

story!(activities_of_every_kind, |w| {
    let account = w.create("accounts", json!({ "name": "Contoso" })).await;
    let bind =
        json!({ "subject": "One", "regardingobjectid_account_email@odata.bind": format!("/accounts({account})") });
    let one = w.create("emails", bind).await;
    w.create("emails", json!({ "subject": "Two" })).await;
    let all = w.read("/activitypointers?$select=subject,activitytypecode&$orderby=subject&$count=true").await;
    assert_eq!(all["@odata.count"], 2);
    assert_eq!(texts(&all, "subject"), ["One", "Two"]);
    assert_eq!(texts(&all, "activitytypecode"), ["email", "email"]);
    assert_eq!(w.get("/activitypointers/$count").await.expect(200).text(), "2");
    let row = w.read(&format!("/activitypointers({one})?$expand=regardingobjectid_account($select=name)")).await;
    assert_eq!(row["_regardingobjectid_value"], account.as_str());
    assert_eq!(row["regardingobjectid_account"]["name"], "Contoso");
    assert_eq!(row["@odata.etag"], w.read(&format!("/emails({one})")).await["@odata.etag"]);
    let labelled =
        w.get(&format!("/activitypointers({one})?$select=statuscode")).prefer("odata.include-annotations=\"*\"").await;
    let email = w.get(&format!("/emails({one})?$select=statuscode")).prefer("odata.include-annotations=\"*\"").await;
    let label = "statuscode@OData.Community.Display.V1.FormattedValue";
    assert_eq!(labelled.json()[label], email.json()[label]);
    assert_eq!(email.json()[label], "Draft");
    let filtered = w.read(&encoded("/activitypointers?$filter=regardingobjectid_account/name eq 'contoso'")).await;
    assert_eq!(texts(&filtered, "subject"), ["One"]);
    let cast = w.read("/activitypointers/Microsoft.Dynamics.CRM.email?$select=subject,directioncode").await;
    assert_eq!(rows(&cast).len(), 2);
    w.get(&format!("/activitypointers({one})/Microsoft.Dynamics.CRM.email?$select=messageid")).await.expect(200);
    let of = w.read(&format!("/accounts({account})/Account_ActivityPointers?$select=subject")).await;
    assert_eq!(texts(&of, "subject"), ["One"]);
    let of = w.read(&format!("/accounts({account})/Account_ActivityPointers/Microsoft.Dynamics.CRM.email")).await;
    assert_eq!(rows(&of).len(), 1);
    let expanded = w.read(&format!("/accounts({account})?$expand=Account_ActivityPointers($select=subject)")).await;
    assert_eq!(expanded["Account_ActivityPointers"][0]["subject"], "One");
    let page = w.get("/activitypointers?$select=subject&$orderby=subject").prefer("odata.maxpagesize=1").await.json();
    let next = page["@odata.nextLink"].as_str().unwrap().strip_prefix("http://crm.example.com/api/data/v9.2").unwrap();
    assert_eq!(texts(&w.read(next).await, "subject"), ["Two"]);
});

story!(activities_are_written_by_their_own_kind, |w| {
    let id = w.create("emails", json!({ "subject": "One" })).await;
    w.post("/activitypointers", json!({ "subject": "x" })).await.expect(405).code("0x80040800");
    w.patch(&format!("/activitypointers({id})"), json!({ "subject": "Changed" })).await.expect(204);
    assert_eq!(w.read(&format!("/emails({id})?$select=subject")).await["subject"], "Changed");
    w.patch("/activitypointers(00000000-0000-0000-0000-00000000000a)", json!({ "subject": "x" }))
        .await
        .expect(404)
        .code("0x80040217");
    w.delete(&format!("/activitypointers({id})")).await.expect(204);
    w.get(&format!("/emails({id})")).await.expect(404);
});

story!(activities_of_others_are_not_seen, |w| {
    w.create("emails", json!({ "subject": "Of the administrator" })).await;
    let (_, token) = w.user("ann@example.com").await;
    let seen = w.get("/activitypointers").by(&token).await.expect(200).json();
    assert_eq!(rows(&seen).len(), 0);
    w.post("/emails", json!({ "subject": "Mine" })).by(&token).await.expect(204);
    let seen = w.get("/activitypointers").by(&token).await.expect(200).json();
    assert_eq!(texts(&seen, "subject"), ["Mine"]);
});

story!(casts_of_lookups, |w| {
    let id = w.create("emails", json!({ "subject": "One" })).await;
    w.get(&format!("/emails({id})/ownerid/Microsoft.Dynamics.CRM.systemuser")).await.expect(200);
    w.get(&format!("/emails({id})/ownerid/Microsoft.Dynamics.CRM.team")).await.expect(204);
});
