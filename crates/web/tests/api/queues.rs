//! The work of queues.

use serde_json::{Value, json};

use crate::world::World;

struct Desk {
    orders: String,
    returns: String,
    email: String,
}

async fn desk(w: &World) -> Desk {
    Desk {
        orders: w.create("queues", json!({ "name": "Orders" })).await,
        returns: w.create("queues", json!({ "name": "Returns" })).await,
        email: w.create("emails", json!({ "subject": "Ten, please" })).await,
    }
}

fn email(id: &str) -> Value {
    json!({ "@odata.type": "Microsoft.Dynamics.CRM.email", "activityid": id })
}

fn on(item: &str, name: &str) -> String {
    format!("/queueitems({item})/Microsoft.Dynamics.CRM.{name}")
}

fn add(queue: &str) -> String {
    format!("/queues({queue})/Microsoft.Dynamics.CRM.AddToQueue")
}

async fn added(w: &World, desk: &Desk) -> String {
    let answer = w.post(&add(&desk.orders), json!({ "Target": email(&desk.email) })).await.expect(200).json();
    answer["QueueItemId"].as_str().unwrap().to_owned()
}

story!(an_email_is_added_once_and_moved, |w| {
    let desk = desk(&w).await;
    let properties = json!({ "Target": email(&desk.email), "QueueItemProperties": { "priority": 7 } });
    let answer = w.post(&add(&desk.orders), properties).await.expect(200).json();
    let item = answer["QueueItemId"].as_str().unwrap();
    let row = w.read(&format!("/queueitems({item})")).await;
    assert_eq!((&row["title"], &row["priority"]), (&json!("Ten, please"), &json!(7)), "{row}");
    w.post(&add(&desk.orders), json!({ "Target": email(&desk.email) })).await.expect(400).code("0x80040523");

    w.clock.advance(60);
    let from = json!({ "Target": email(&desk.email), "SourceQueue": { "queueid": desk.orders } });
    let moved = w.post(&add(&desk.returns), from.clone()).await.expect(200).json();
    assert_eq!(moved["QueueItemId"], item);
    let row = w.read(&format!("/queueitems({item})")).await;
    assert_eq!(row["_queueid_value"], desk.returns.as_str());
    assert_eq!(row["enteredon"], "2026-03-01T09:01:00Z");
    w.post(&add(&desk.returns), from).await.expect(400).says("source queue");
});

story!(an_item_is_picked_released_and_removed, |w| {
    let desk = desk(&w).await;
    let item = added(&w, &desk).await;
    let (ann, _) = w.user("ann@example.com").await;
    let (bob, _) = w.user("bob@example.com").await;
    let pick = |user: &str, remove: bool| json!({ "SystemUser": { "systemuserid": user }, "RemoveQueueItem": remove });
    w.post(&on(&item, "PickFromQueue"), pick(&ann, false)).await.expect(204);
    let row = w.read(&format!("/queueitems({item})?$expand=objectid_email($select=_ownerid_value)")).await;
    assert_eq!(row["_workerid_value"], ann.as_str());
    assert_eq!(w.read(&format!("/emails({})", desk.email)).await["_ownerid_value"], ann.as_str());
    w.post(&on(&item, "PickFromQueue"), pick(&bob, false))
        .await
        .expect(400)
        .code("0x80040233")
        .says("Release it first");

    w.post(&on(&item, "ReleaseToQueue"), json!({})).await.expect(204);
    let row = w.read(&format!("/queueitems({item})")).await;
    assert_eq!(row["_workerid_value"], Value::Null);
    let owner = w.read(&format!("/queues({})", desk.orders)).await["_ownerid_value"].clone();
    assert_eq!(w.read(&format!("/emails({})", desk.email)).await["_ownerid_value"], owner);

    w.post(&on(&item, "PickFromQueue"), pick(&bob, true)).await.expect(204);
    w.get(&format!("/queueitems({item})")).await.expect(404);
    assert_eq!(w.read(&format!("/emails({})", desk.email)).await["_ownerid_value"], bob.as_str());

    let item = added(&w, &desk).await;
    w.post(&on(&item, "RemoveFromQueue"), json!({})).await.expect(204);
    w.get(&format!("/queueitems({item})")).await.expect(404);
    w.get(&format!("/emails({})", desk.email)).await.expect(200);
});

story!(an_item_is_routed_to_queues_users_and_teams, |w| {
    let desk = desk(&w).await;
    let item = added(&w, &desk).await;
    let (ann, _) = w.user("ann@example.com").await;
    let route = |kind: &str, key: &str, id: &str| {
        json!({
            "Target": { "@odata.type": format!("Microsoft.Dynamics.CRM.{kind}"), key: id },
            "QueueItem": { "@odata.type": "Microsoft.Dynamics.CRM.queueitem", "queueitemid": item },
        })
    };
    w.post("/RouteTo", route("systemuser", "systemuserid", &ann)).await.expect(204);
    assert_eq!(w.read(&format!("/queueitems({item})")).await["_workerid_value"], ann.as_str());
    assert_eq!(w.read(&format!("/emails({})", desk.email)).await["_ownerid_value"], ann.as_str());

    w.post("/RouteTo", route("queue", "queueid", &desk.returns)).await.expect(204);
    let row = w.read(&format!("/queueitems({item})")).await;
    assert_eq!(row["_queueid_value"], desk.returns.as_str());
    assert_eq!(row["_workerid_value"], Value::Null);

    added(&w, &desk).await;
    w.post("/RouteTo", route("queue", "queueid", &desk.orders)).await.expect(400).code("0x80040526");

    let team = w.create("teams", json!({ "name": "Night shift" })).await;
    w.post("/RouteTo", route("team", "teamid", &team)).await.expect(204);
    assert_eq!(w.read(&format!("/queueitems({item})")).await["_workerid_value"], team.as_str());
    w.post("/RouteTo", route("email", "activityid", &desk.email)).await.expect(400).says("'Target'");
    w.post("/RouteTo", json!({ "Target": {}, "QueueItem": { "queueitemid": item } }))
        .await
        .expect(400)
        .says("@odata.type");
    let nobody = "00000000-0000-0000-0000-00000000000a";
    w.post("/RouteTo", route("systemuser", "systemuserid", nobody)).await.expect(404).code("0x80040217");
});

story!(who_has_no_right_to_the_email_does_not_find_its_item, |w| {
    let desk = desk(&w).await;
    let item = added(&w, &desk).await;
    let (eve, token) = w.user("eve@example.com").await;
    let pick = json!({ "SystemUser": { "systemuserid": eve }, "RemoveQueueItem": false });
    let refused = w.post(&on(&item, "PickFromQueue"), pick).by(&token).await;
    assert!(matches!(refused.status, 403 | 404), "{}", refused.text());
    w.post(&add(&desk.orders), json!({ "Target": email(&desk.email) })).by(&token).await.expect(404);
    assert_eq!(w.read(&format!("/queueitems({item})")).await["_workerid_value"], Value::Null);
});

story!(parameters_and_bindings_are_checked, |w| {
    let desk = desk(&w).await;
    let item = added(&w, &desk).await;
    w.post(&on(&item, "PickFromQueue"), json!({})).await.expect(400).code("0x80048d19").says("'SystemUser'");
    let wrong = json!({ "SystemUser": { "systemuserid": "x" }, "RemoveQueueItem": false });
    w.post(&on(&item, "PickFromQueue"), wrong).await.expect(400).code("0x80048d19").says("systemuserid");
    w.post(&on(&item, "AddToQueue"), json!({ "Target": email(&desk.email) })).await.expect(404).code("0x80060888");
    let account = json!({ "Target": { "@odata.type": "Microsoft.Dynamics.CRM.account", "accountid": desk.email } });
    w.post(&add(&desk.orders), account).await.expect(400).says("account");
    let by_url = json!({ "Target": { "@odata.id": format!("emails({})", desk.email) } });
    w.post(&add(&desk.returns), by_url).await.expect(200);
    w.post("/queueitems(00000000-0000-0000-0000-00000000000a)/Microsoft.Dynamics.CRM.ReleaseToQueue", json!({}))
        .await
        .expect(404)
        .code("0x80040217");
    w.patch(&format!("/queueitems({item})"), json!({ "statecode": 1 })).await.expect(204);
    w.post(&on(&item, "ReleaseToQueue"), json!({})).await.expect(400).code("0x80040233");
});

story!(the_queues_of_a_user, |w| {
    let (ann, _) = w.user("ann@example.com").await;
    let own = json!({ "name": "Ann's", "queueviewtype": 1, "ownerid@odata.bind": format!("/systemusers({ann})") });
    w.create("queues", own).await;
    w.create("queues", json!({ "name": "Everybody's", "queueviewtype": 0 })).await;
    w.create("queues", json!({ "name": "Another's", "queueviewtype": 1 })).await;
    let names = async |public: bool| {
        let path = format!(
            "/systemusers({ann})/Microsoft.Dynamics.CRM.RetrieveUserQueues(IncludePublic={public})?$select=name&$orderby=name"
        );
        let answer = w.read(&path).await;
        let rows = answer["value"].as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap().to_owned());
        rows.collect::<Vec<_>>()
    };
    assert_eq!(names(false).await, ["Ann's"]);
    assert_eq!(names(true).await, ["Ann's", "Everybody's"]);
});

story!(the_organization_and_its_counts, |w| {
    for call in [
        "/RetrieveCurrentOrganization(AccessType=Microsoft.Dynamics.CRM.EndpointAccessType'Default')",
        "/RetrieveCurrentOrganization(AccessType=@p1)?@p1=Microsoft.Dynamics.CRM.EndpointAccessType'Default'",
    ] {
        let answer = w.read(call).await;
        let who = w.read("/WhoAmI").await;
        assert_eq!(answer["Detail"]["OrganizationId"], who["OrganizationId"], "{answer}");
        assert_eq!(answer["Detail"]["Endpoints"]["Values"][1], "http://crm.example.com/api/data/v9.2/");
    }
    w.get("/RetrieveCurrentOrganization(AccessType='Elsewhere')").await.expect(400).says("'AccessType'");
    w.get("/RetrieveCurrentOrganization()").await.expect(400).says("'AccessType'");
    w.create("contacts", json!({ "lastname": "Lovelace" })).await;
    let answer = w.read("/RetrieveTotalRecordCount(EntityNames=%5B'contact','account'%5D)").await;
    let counts = &answer["EntityRecordCountCollection"];
    assert_eq!((&counts["Keys"], &counts["Values"]), (&json!(["contact", "account"]), &json!([1, 0])), "{answer}");
    let quoted = w.read("/RetrieveTotalRecordCount(EntityNames=@p)?@p=%5B%22contact%22%5D").await;
    assert_eq!(quoted["EntityRecordCountCollection"]["Values"], json!([1]));
    w.get("/RetrieveTotalRecordCount(EntityNames=%5B%22nosuch%22%5D)").await.expect(400).code("0x80041102");
});
