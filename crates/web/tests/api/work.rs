//! What ordinary users do all day: the queues of their team, the timelines of
//! their customers, addresses without a record.

use actions::timeline::{self, Sort};
use actions::{Context, queue, unresolved};
use model::tables::{Contact, Email};
use model::{Entity, Id, Ref};
use serde_json::{Value, json};

use crate::world::World;

struct Team {
    queue: String,
    /// An email that waits in the queue, and its item.
    email: String,
    item: String,
    team: String,
}

/// A queue of a team, as the administrator makes it.
async fn team(w: &World, members: &[&str]) -> Team {
    let team = w.create("teams", json!({ "name": "Support" })).await;
    let roles = w.read("/roles?$select=roleid&$filter=name%20eq%20'Basic%20User'").await;
    let role = roles["value"][0]["roleid"].as_str().unwrap().to_owned();
    let body =
        json!({ "teamid@odata.bind": format!("/teams({team})"), "roleid@odata.bind": format!("/roles({role})") });
    w.create("teamrolescollection", body).await;
    for member in members {
        let member = json!({
            "teamid@odata.bind": format!("/teams({team})"),
            "systemuserid@odata.bind": format!("/systemusers({member})"),
        });
        w.create("teammemberships", member).await;
    }
    let owner = format!("/teams({team})");
    let queue = w.create("queues", json!({ "name": "Support", "queueviewtype": 1, "ownerid@odata.bind": owner })).await;
    let email = w.create("emails", json!({ "subject": "Help", "ownerid@odata.bind": owner })).await;
    let item = json!({ "queueid@odata.bind": format!("/queues({queue})"), "objectid_email@odata.bind": format!("/emails({email})") });
    let item = w.create("queueitems", item).await;
    Team { queue, email, item, team }
}

fn on(item: &str, name: &str) -> String {
    format!("/queueitems({item})/Microsoft.Dynamics.CRM.{name}")
}

fn pick(user: &str) -> Value {
    json!({ "SystemUser": { "systemuserid": user }, "RemoveQueueItem": false })
}

async fn owner(w: &World, email: &str) -> String {
    w.read(&format!("/emails({email})")).await["_ownerid_value"].as_str().unwrap().to_owned()
}

fn id(text: &str) -> Id {
    text.parse().unwrap()
}

story!(members_of_a_queues_team_work_in_it, |w| {
    let (ann, ann_token) = w.user("ann@example.com").await;
    let (bob, bob_token) = w.user("bob@example.com").await;
    let (eve, eve_token) = w.user("eve@example.com").await;
    let team = team(&w, &[&ann, &bob]).await;
    w.post(&on(&team.item, "PickFromQueue"), pick(&eve)).by(&eve_token).await.expect(404);
    w.post(&on(&team.item, "PickFromQueue"), pick(&ann)).by(&ann_token).await.expect(204);
    assert_eq!(owner(&w, &team.email).await, ann);
    // It is hers now: Bob sees that she works on it and takes it neither from
    // her nor out of the queue for himself.
    let row = w.get(&format!("/queueitems({})", team.item)).by(&bob_token).await.expect(200).json();
    assert_eq!(row["_workerid_value"], ann.as_str());
    w.post(&on(&team.item, "PickFromQueue"), pick(&bob)).by(&bob_token).await.expect(400).code("0x80040233");
    w.post(&on(&team.item, "ReleaseToQueue"), json!({})).by(&bob_token).await.expect(404);
    w.post(&on(&team.item, "ReleaseToQueue"), json!({})).by(&ann_token).await.expect(204);
    assert_eq!(owner(&w, &team.email).await, team.team);
    w.post(&on(&team.item, "PickFromQueue"), pick(&bob)).by(&bob_token).await.expect(204);
    w.post(&on(&team.item, "RemoveFromQueue"), json!({})).by(&bob_token).await.expect(204);
    w.get(&format!("/queueitems({})", team.item)).by(&bob_token).await.expect(404);
    // The queue itself is not theirs to change.
    w.patch(&format!("/queues({})", team.queue), json!({ "name": "Mine" })).by(&ann_token).await.expect(403);
    let add = json!({ "Target": { "@odata.type": "Microsoft.Dynamics.CRM.email", "activityid": team.email } });
    w.post(&format!("/queues({})/Microsoft.Dynamics.CRM.AddToQueue", team.queue), add).by(&bob_token).await.expect(200);
});

story!(somebody_elses_email_in_a_queue_is_not_taken, |w| {
    let (ann, ann_token) = w.user("ann@example.com").await;
    let team = team(&w, &[&ann]).await;
    // The administrator's own email, which Ann may read and nothing else.
    let email = w.create("emails", json!({ "subject": "Mine" })).await;
    let item = json!({ "queueid@odata.bind": format!("/queues({})", team.queue), "objectid_email@odata.bind": format!("/emails({email})") });
    let item = w.create("queueitems", item).await;
    w.post(&on(&item, "PickFromQueue"), pick(&ann)).by(&ann_token).await.expect(404);
    let share = json!({
        "Target": { "@odata.type": "Microsoft.Dynamics.CRM.email", "activityid": email },
        "PrincipalAccess": {
            "Principal": { "@odata.type": "Microsoft.Dynamics.CRM.systemuser", "systemuserid": ann },
            "AccessMask": "ReadAccess",
        },
    });
    w.post("/GrantAccess", share).await.expect(204);
    w.post(&on(&item, "PickFromQueue"), pick(&ann)).by(&ann_token).await.expect(403).says("prvAssignEmail");
});

story!(what_waits_in_queues, |w| {
    let (ann, ann_token) = w.user("ann@example.com").await;
    let (bob, bob_token) = w.user("bob@example.com").await;
    let team = team(&w, &[&ann, &bob]).await;
    w.clock.advance(60);
    let second = w
        .create("emails", json!({ "subject": "Second", "ownerid@odata.bind": format!("/teams({})", team.team) }))
        .await;
    let item = json!({ "queueid@odata.bind": format!("/queues({})", team.queue), "objectid_email@odata.bind": format!("/emails({second})") });
    w.create("queueitems", item).await;
    let overview = async |ctx: Context, all: bool| {
        let rows = queue::overview(&ctx, all, "", None, 50).await.unwrap().0;
        let row = rows.into_iter().find(|row| row.queue.id == id(&team.queue));
        row.map(|r| (r.waiting, r.worked_on, r.mine, r.oldest.map(|t| t.to_string())))
    };
    let first = Some("2026-03-01T09:00:00Z".to_owned());
    assert_eq!(overview(w.context_of(&ann_token).await, false).await, Some((2, 0, 0, first)));
    w.post(&on(&team.item, "PickFromQueue"), pick(&ann)).by(&ann_token).await.expect(204);
    let then = Some("2026-03-01T09:01:00Z".to_owned());
    assert_eq!(overview(w.context_of(&ann_token).await, false).await, Some((1, 1, 1, then.clone())));
    assert_eq!(overview(w.context_of(&bob_token).await, false).await, Some((1, 1, 0, then.clone())));
    // The administrator is no member and sees all queues.
    assert_eq!(overview(w.context().await, false).await, None);
    assert_eq!(overview(w.context().await, true).await, Some((1, 1, 0, then)));
    let (_, eve) = w.user("eve@example.com").await;
    assert_eq!(overview(w.context_of(&eve).await, true).await, None);
});

async fn contact(w: &World, address: &str) -> Ref {
    let contact = w.create("contacts", json!({ "lastname": "Lovelace", "emailaddress1": address })).await;
    Ref::new(Contact::TABLE.logical, id(&contact))
}

async fn subjects(ctx: &Context, of: Ref, sort: Sort, most: usize) -> Vec<String> {
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let page = timeline::timeline(ctx, of, sort, after, most).await.unwrap();
        assert!(page.rows.len() <= most);
        all.extend(page.rows.iter().map(|r| r.get(Email::C.subject.name).as_text().unwrap().to_owned()));
        match page.next {
            Some(next) => after = Some(next),
            None => return all,
        }
    }
}

story!(the_timeline_of_a_customer, |w| {
    let ada = contact(&w, "ada@example.net").await;
    let party = |mask: i64| json!({ "partyid_contact@odata.bind": format!("/contacts({})", ada.id), "participationtypemask": mask });
    for n in 0..7 {
        w.clock.advance(60);
        let mut email = json!({ "subject": format!("Email {n}") });
        // As a party, as what it is about, as both, as neither.
        if n % 4 == 0 || n % 4 == 2 {
            email["email_activity_parties"] = json!([party(2), party(3)]);
        }
        if n % 4 == 1 || n % 4 == 2 {
            email["regardingobjectid_contact@odata.bind"] = json!(format!("/contacts({})", ada.id));
        }
        w.create("emails", email).await;
    }
    let admin = w.context().await;
    let expected = ["Email 6", "Email 5", "Email 4", "Email 2", "Email 1", "Email 0"];
    for most in [1, 2, 3, 6, 50] {
        assert_eq!(subjects(&admin, ada, Sort::All, most).await, expected, "{most}");
    }
    assert_eq!(subjects(&admin, ada, Sort::Open, 4).await, expected);
    assert_eq!(subjects(&admin, ada, Sort::Received, 4).await, [""; 0]);
    // Somebody who may read the contact and not the emails.
    let (ann, token) = w.user("ann@example.com").await;
    let share = json!({
        "Target": { "@odata.type": "Microsoft.Dynamics.CRM.contact", "contactid": ada.id },
        "PrincipalAccess": {
            "Principal": { "@odata.type": "Microsoft.Dynamics.CRM.systemuser", "systemuserid": ann },
            "AccessMask": "ReadAccess",
        },
    });
    let refused = timeline::timeline(&w.context_of(&token).await, ada, Sort::All, None, 5).await;
    assert!(refused.is_err(), "{refused:?}");
    w.post("/GrantAccess", share).await.expect(204);
    assert_eq!(subjects(&w.context_of(&token).await, ada, Sort::All, 5).await, [""; 0]);
    w.post("/emails", json!({ "subject": "Ann's", "email_activity_parties": [party(2)] })).by(&token).await.expect(204);
    assert_eq!(subjects(&w.context_of(&token).await, ada, Sort::All, 5).await, ["Ann's"]);
});

story!(an_address_gets_its_record, |w| {
    let ada = contact(&w, "ada@example.net").await;
    let to = |address: &str, mask: i64| json!({ "addressused": address, "participationtypemask": mask });
    let email = async |parties: Value| {
        w.clock.advance(60);
        w.create("emails", json!({ "subject": "S", "email_activity_parties": parties })).await
    };
    let first = email(json!([to("Ada@Example.net", 1), to("b@example.net", 2)])).await;
    email(json!([to("ada@example.net", 2)])).await;
    let admin = w.context().await;
    let found = unresolved::list(&admin, "", 10).await.unwrap();
    let shown: Vec<_> = found.iter().map(|u| (u.address.as_str(), u.emails, u.wrote)).collect();
    assert_eq!(shown, [("ada@example.net", 2, true), ("b@example.net", 1, false)]);
    assert_eq!(unresolved::list(&admin, "B@", 10).await.unwrap().len(), 1);
    let (_, token) = w.user("ann@example.com").await;
    let ann = w.context_of(&token).await;
    assert_eq!(unresolved::list(&ann, "", 10).await.unwrap(), []);
    assert!(unresolved::resolve(&ann, "ada@example.net", ada).await.is_err());

    assert_eq!(unresolved::resolve(&admin, "ADA@example.net", ada).await.unwrap(), 2);
    assert_eq!(unresolved::resolve(&admin, "ADA@example.net", ada).await.unwrap(), 0);
    assert_eq!(unresolved::list(&admin, "", 10).await.unwrap().len(), 1);
    let row = w.read(&format!("/emails({first})?$expand=email_activity_parties")).await;
    assert_eq!(row["_emailsender_value"], ada.id.to_string());
    let parties = row["email_activity_parties"].as_array().unwrap();
    let sender = parties.iter().find(|p| p["participationtypemask"] == 1).unwrap();
    assert_eq!(
        (&sender["_partyid_value"], &sender["addressusedemailcolumnnumber"]),
        (&json!(ada.id.to_string()), &json!(1))
    );
    assert_eq!(subjects(&admin, ada, Sort::All, 5).await.len(), 2);
    let nobody = unresolved::resolve(&admin, "nobody", ada).await;
    assert!(format!("{nobody:?}").contains("InvalidEmailAddressFormat"), "{nobody:?}");
    let queue = Ref::new("queue", ada.id);
    assert!(unresolved::resolve(&admin, "b@example.net", queue).await.is_err());
});
