//! Webhooks by the API: endpoints, steps, and the events of what is written.

use serde_json::{Value, json};

use crate::world::World;

async fn message(w: &World, name: &str, table: &str) -> (String, String) {
    let path = format!(
        "/sdkmessagefilters?$select=sdkmessagefilterid&$filter=primaryobjecttypecode eq '{table}' and sdkmessageid/name eq '{name}'&$expand=sdkmessageid($select=name)"
    );
    let found = w.read(&path.replace(' ', "%20")).await;
    let row = &found["value"][0];
    assert_eq!(row["sdkmessageid"]["name"], name, "{found}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&row["sdkmessageid"]["sdkmessageid"]), text(&row["sdkmessagefilterid"]))
}

pub fn hook(name: &str) -> Value {
    json!({ "name": name, "contract": 8, "authtype": 4, "url": "https://hooks.example.com/in", "authvalue": "very-secret" })
}

pub async fn step(w: &World, endpoint: &str, name: &str, table: &str, more: Value) -> Value {
    let (message, filter) = message(w, name, table).await;
    let mut body = json!({
        "name": format!("{name} {table}"), "stage": 40, "mode": 1,
        "eventhandler_serviceendpoint@odata.bind": format!("/serviceendpoints({endpoint})"),
        "sdkmessageid@odata.bind": format!("/sdkmessages({message})"),
        "sdkmessagefilterid@odata.bind": format!("/sdkmessagefilters({filter})"),
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

pub async fn events(w: &World) -> Vec<Value> {
    let list = w.read("/pr_events?$orderby=pr_order").await;
    list["value"].as_array().unwrap().clone()
}

story!(what_is_written_becomes_events_in_order, |w| {
    let endpoint = w.create("serviceendpoints", hook("h")).await;
    let read = w.read(&format!("/serviceendpoints({endpoint})")).await;
    assert_eq!((&read["isauthvalueset"], &read["pr_issigningsecretset"]), (&json!(true), &json!(false)));
    assert!(!read.to_string().contains("very-secret"));
    for (name, more) in [
        ("Create", json!({})),
        ("Update", json!({ "filteringattributes": "lastname,firstname" })),
        ("Delete", json!({})),
    ] {
        let body = step(&w, &endpoint, name, "contact", more).await;
        w.create("sdkmessageprocessingsteps", body).await;
    }
    let contact = w.create("contacts", json!({ "lastname": "Park", "emailaddress1": "kim@customers.test" })).await;
    w.patch(&format!("/contacts({contact})"), json!({ "lastname": "Lee" })).await.expect(204);
    w.patch(&format!("/contacts({contact})"), json!({ "emailaddress1": "k@customers.test" })).await.expect(204);
    w.create("accounts", json!({ "name": "untold" })).await;
    w.delete(&format!("/contacts({contact})")).await.expect(204);
    let events = events(&w).await;
    let told: Vec<(&str, &str)> =
        events.iter().map(|e| (e["pr_message"].as_str().unwrap(), e["pr_row"].as_str().unwrap())).collect();
    assert_eq!(told, [("Create", contact.as_str()), ("Update", contact.as_str()), ("Delete", contact.as_str())]);
    assert!(events.iter().all(|e| e["pr_state"] == 0 && e["pr_table"] == "contact"));
    let values: Value = serde_json::from_str(events[1]["pr_values"].as_str().unwrap()).unwrap();
    assert_eq!(values["lastname"], "Lee");
    assert!(values.get("emailaddress1").is_none());
});

story!(what_is_refused_leaves_no_event, |w| {
    let endpoint = w.create("serviceendpoints", hook("h")).await;
    let body = step(&w, &endpoint, "Create", "contact", json!({})).await;
    let step = w.create("sdkmessageprocessingsteps", body).await;
    w.post("/contacts", json!({ "lastname": "x", "emailaddress1": "no address" })).await.expect(400);
    assert!(events(&w).await.is_empty());
    // A step that is switched off is told nothing, at once.
    w.patch(&format!("/sdkmessageprocessingsteps({step})"), json!({ "statecode": 1, "statuscode": 2 }))
        .await
        .expect(204);
    w.create("contacts", json!({ "lastname": "x" })).await;
    assert!(events(&w).await.is_empty());
});

story!(secrets_are_told_to_nobody, |w| {
    let endpoint = w.create("serviceendpoints", hook("h")).await;
    let body = step(&w, &endpoint, "Update", "mailbox", json!({})).await;
    w.create("sdkmessageprocessingsteps", body).await;
    let (user, _) = w.user("u@example.com").await;
    let mailbox = w.mailbox_of(&user).await;
    w.patch(&format!("/mailboxes({mailbox})"), json!({ "password": "hunter2", "name": "renamed" })).await.expect(204);
    let events = events(&w).await;
    assert!(!events.is_empty());
    assert!(!json!(events).to_string().contains("hunter2"));
});

story!(only_what_can_work_is_saved, |w| {
    for (column, value) in [
        ("contract", json!(1)),
        ("authtype", json!(2)),
        ("messageformat", json!(1)),
        ("url", json!("http://hooks.example.com/")),
        ("url", json!("https://me:pw@hooks.example.com/")),
        ("url", json!("file:///etc/passwd")),
        ("name", json!("")),
    ] {
        let mut body = hook("h");
        body[column] = value;
        w.post("/serviceendpoints", body).await.expect(400).says(column);
    }
    let mut body = hook("h");
    body["authtype"] = json!(5);
    w.post("/serviceendpoints", body).await.expect(400).says("<settings>");
    let endpoint = w.create("serviceendpoints", hook("h")).await;
    for (column, value) in [
        ("stage", json!(20)),
        ("mode", json!(0)),
        ("filteringattributes", json!("lastname,nosuch")),
        ("pr_postimageattributes", json!("nosuch")),
    ] {
        let mut body = step(&w, &endpoint, "Update", "contact", json!({})).await;
        body[column] = value;
        w.post("/sdkmessageprocessingsteps", body).await.expect(400).says(column);
    }
    // A filter of another message.
    let mut body = step(&w, &endpoint, "Update", "contact", json!({})).await;
    let (other, _) = message(&w, "Create", "contact").await;
    body["sdkmessageid@odata.bind"] = json!(format!("/sdkmessages({other})"));
    w.post("/sdkmessageprocessingsteps", body).await.expect(400).says("sdkmessagefilterid");
    w.post("/sdkmessages", json!({})).await.expect(405);
    w.post("/pr_events", json!({})).await.expect(405);
});

story!(an_event_is_read_and_sent_again_and_nothing_else, |w| {
    let endpoint = w.create("serviceendpoints", hook("h")).await;
    let body = step(&w, &endpoint, "Create", "contact", json!({})).await;
    let step = w.create("sdkmessageprocessingsteps", body).await;
    w.create("contacts", json!({ "lastname": "x" })).await;
    let event = events(&w).await[0]["pr_eventid"].as_str().unwrap().to_owned();
    let path = format!("/pr_events({event})");
    w.patch(&path, json!({ "pr_answer": "x", "pr_state": 0 })).await.expect(405);
    w.delete(&path).await.expect(405);
    let id = event.parse().unwrap();
    let failed = model::Update::of::<model::tables::Event>(id)
        .set(model::tables::Event::C.state, model::tables::EventState::Failed);
    let commit =
        model::Commit::new(model::Actor { user: model::Id::nil() }, model::Clock::now(&*w.clock), vec![failed.into()]);
    w.store.commit(&commit).await.unwrap();
    w.patch(&path, json!({ "pr_state": 0 })).await.expect(204);
    assert_eq!(w.read(&path).await["pr_state"], 0);
    // Nobody else sees or changes any of it.
    let (_, token) = w.user("u@example.com").await;
    for set in ["pr_events", "serviceendpoints", "sdkmessageprocessingsteps"] {
        w.get(&format!("/{set}")).by(&token).await.expect(403);
    }
    w.patch(&path, json!({ "pr_state": 0 })).by(&token).await.expect(403);
    w.post("/serviceendpoints", hook("mine")).by(&token).await.expect(403);
    // An endpoint with steps stays; without them it goes with its events.
    w.delete(&format!("/serviceendpoints({endpoint})")).await.expect(405).code("0x80040227");
    w.delete(&format!("/sdkmessageprocessingsteps({step})")).await.expect(204);
    w.delete(&format!("/serviceendpoints({endpoint})")).await.expect(204);
    assert!(events(&w).await.is_empty());
});
