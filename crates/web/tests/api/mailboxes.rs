//! Mailboxes, their rules and what follows from an edit.

use model::Entity;
use serde_json::{Value, json};

use crate::world::World;

fn profile() -> Value {
    json!({
        "name": "Local", "servertype": 4,
        "incomingserverlocation": "mail.example.com", "outgoingserverlocation": "mail.example.com",
        "incomingcredentialretrieval": 0, "outgoingcredentialretrieval": 0,
        "incomingauthenticationprotocol": 3, "outgoingauthenticationprotocol": 3,
        "usesamesettingsforoutgoingconnections": false
    })
}

/// A forward mailbox that can be tested, and its profile.
async fn forward(w: &World) -> (String, String) {
    let profile = w.create("emailserverprofiles", profile()).await;
    let mailbox = w
        .create(
            "mailboxes",
            json!({
                "name": "Forward", "emailaddress": "forward@example.com", "incomingemaildeliverymethod": 2,
                "allowemailconnectortousecredentials": true, "username": "forward", "password": "s3cret-Pa55",
                "emailserverprofile@odata.bind": format!("/emailserverprofiles({profile})")
            }),
        )
        .await;
    (mailbox, profile)
}

story!(a_mailbox_made_by_hand_is_a_forward_mailbox, |w| {
    let (mailbox, _) = forward(&w).await;
    let row = w.read(&format!("/mailboxes({mailbox})")).await;
    assert_eq!(row["isforwardmailbox"], true);
    assert_eq!(row["_regardingobjectid_value"], Value::Null);
    assert_eq!(row["emailrouteraccessapproval"], 2);
    assert_eq!(row["ispasswordset"], true);
    assert!(row.get("password").is_none());
    assert!(!row.to_string().contains("s3cret-Pa55"));
});

story!(forward_mailbox_faults_are_told_together, |w| {
    let body = json!({ "name": "F", "incomingemaildeliverymethod": 3, "outgoingemaildeliverymethod": 2 });
    let answer = w.post("/mailboxes", body).await.expect(400);
    answer.also("0x8005E211").also("0x8005E212").also("0x8005E213");
});

story!(forward_mailbox_has_no_regarding, |w| {
    let (user, _) = w.user("ann@example.com").await;
    let body = json!({
        "name": "F", "emailaddress": "f@example.com", "incomingemaildeliverymethod": 2,
        "regardingobjectid_systemuser@odata.bind": format!("/systemusers({user})")
    });
    w.post("/mailboxes", body).await.expect(400).also("0x8005E207");
});

story!(user_mailbox_does_not_delete, |w| {
    let (user, _) = w.user("ann@example.com").await;
    let mailbox = w.mailbox_of(&user).await;
    let path = format!("/mailboxes({mailbox})");
    w.patch(&path, json!({ "processanddeleteemails": true })).await.expect(400).code("0x8005E233");
    w.delete(&path).await.expect(400).code("0x8005E200");
});

story!(queue_mailbox_rules, |w| {
    let queue = w.create("queues", json!({ "name": "Support", "emailaddress": "support@example.com" })).await;
    let mailbox = w.mailbox_of(&queue).await;
    let path = format!("/mailboxes({mailbox})");
    w.patch(&path, json!({ "incomingemaildeliverymethod": 1 })).await.expect(400).code("0x8005E210");
    w.patch(&path, json!({ "processanddeleteemails": true })).await.expect(204);
    w.delete(&path).await.expect(400).code("0x8005E200");
    w.delete(&format!("/queues({queue})")).await.expect(204);
    w.get(&path).await.expect(404);
});

story!(credentials_are_needed, |w| {
    let (mailbox, _) = forward(&w).await;
    w.patch(&format!("/mailboxes({mailbox})"), json!({ "password": null, "username": "" }))
        .await
        .expect(400)
        .code("0x8005E209");
});

story!(the_address_is_mirrored_both_ways, |w| {
    let (user, _) = w.user("ann@example.com").await;
    let mailbox = w.mailbox_of(&user).await;
    w.patch(&format!("/mailboxes({mailbox})"), json!({ "emailaddress": "anna@example.com" })).await.expect(204);
    let row = w.read(&format!("/systemusers({user})")).await;
    assert_eq!(row["internalemailaddress"], "anna@example.com");
    w.patch(&format!("/systemusers({user})"), json!({ "internalemailaddress": "ann2@example.com" })).await.expect(204);
    let row = w.read(&format!("/mailboxes({mailbox})")).await;
    assert_eq!(row["emailaddress"], "ann2@example.com");
    assert_eq!(row["emailrouteraccessapproval"], 2);
});

story!(approve_and_reject, |w| {
    let (user, _) = w.user("ann@example.com").await;
    let mailbox = w.mailbox_of(&user).await;
    let path = format!("/mailboxes({mailbox})");
    w.patch(&path, json!({ "emailrouteraccessapproval": 1 })).await.expect(204);
    let row = w.read(&path).await;
    assert_eq!(row["emailrouteraccessapproval"], 1);
    assert!(row["_emailaddressapprovedby_value"].is_string());
    assert_eq!(row["emailaddressapprovedon"], "2026-03-01T09:00:00Z");
    assert_eq!(w.read(&format!("/systemusers({user})")).await["emailrouteraccessapproval"], 1);
    w.patch(&path, json!({ "emailaddress": "other@example.com" })).await.expect(204);
    let row = w.read(&path).await;
    assert_eq!(row["emailrouteraccessapproval"], 2);
    assert_eq!(row["_emailaddressapprovedby_value"], Value::Null);
    w.patch(&path, json!({ "emailrouteraccessapproval": 3 })).await.expect(204);
    assert_eq!(w.read(&path).await["emailrouteraccessapproval"], 3);
});

story!(the_privilege_may_be_required_for_ones_own_address, |w| {
    let organization = w.read("/WhoAmI").await["OrganizationId"].as_str().unwrap().to_owned();
    let required = json!({ "pr_requireprivilegetoselfapprove": true });
    w.patch(&format!("/organizations({organization})"), required).await.expect(204);
    let (ann, token) = w.user("ann@example.com").await;
    let path = format!("/mailboxes({})", w.mailbox_of(&ann).await);
    w.patch(&path, json!({ "emailrouteraccessapproval": 1 })).by(&token).await.expect(403).code("0x80040220");
    w.patch(&path, json!({ "emailrouteraccessapproval": 1 })).await.expect(204);
});

story!(a_profile_does_not_go_while_a_mailbox_of_it_is_tested, |w| {
    let (mailbox, profile) = forward(&w).await;
    let path = format!("/mailboxes({mailbox})");
    w.patch(&path, json!({ "emailrouteraccessapproval": 1 })).await.expect(204);
    w.patch(&path, json!({ "testemailconfigurationscheduled": true })).await.expect(204);
    w.delete(&format!("/emailserverprofiles({profile})")).await.expect(400).code("0x8005E248").says("Forward");
    assert_eq!(w.read(&path).await["_emailserverprofile_value"], profile.as_str());
    let ended = model::Update::of::<model::tables::Mailbox>(mailbox.parse().unwrap())
        .set(model::tables::Mailbox::C.test_scheduled, false);
    let actor = model::Actor { user: model::Id::nil() };
    w.store.commit(&model::Commit::new(actor, model::Timestamp::UNIX_EPOCH, vec![ended.into()])).await.unwrap();
    w.delete(&format!("/emailserverprofiles({profile})")).await.expect(204);
    assert_eq!(w.read(&path).await["_emailserverprofile_value"], Value::Null);
});

story!(approval_through_the_user, |w| {
    let (user, _) = w.user("ann@example.com").await;
    w.patch(&format!("/systemusers({user})"), json!({ "emailrouteraccessapproval": 1 })).await.expect(204);
    let mailbox = w.mailbox_of(&user).await;
    assert_eq!(w.read(&format!("/mailboxes({mailbox})")).await["emailrouteraccessapproval"], 1);
});

story!(one_approves_ones_own_address_and_nobody_elses, |w| {
    let (ann, ann_token) = w.user("ann@example.com").await;
    let (bob, _) = w.user("bob@example.com").await;
    let own = format!("/mailboxes({})", w.mailbox_of(&ann).await);
    let others = format!("/mailboxes({})", w.mailbox_of(&bob).await);
    w.patch(&own, json!({ "emailrouteraccessapproval": 1 })).by(&ann_token).await.expect(204);
    w.patch(&others, json!({ "emailrouteraccessapproval": 1 })).by(&ann_token).await.expect(404);
});

story!(test_and_enable, |w| {
    let (mailbox, _) = forward(&w).await;
    let path = format!("/mailboxes({mailbox})");
    w.patch(&path, json!({ "testemailconfigurationscheduled": true })).await.expect(400).code("0x8005E220");
    w.patch(&path, json!({ "emailrouteraccessapproval": 1 })).await.expect(204);
    w.patch(&path, json!({ "testemailconfigurationscheduled": true })).await.expect(204);
    let row = w.read(&path).await;
    assert_eq!(row["testemailconfigurationscheduled"], true);
    assert_eq!(row["testandenablelastattemptedon"], "2026-03-01T09:00:00Z");
    assert!(row["_testandenablelastattemptedby_value"].is_string());
    w.patch(&path, json!({ "name": "Other" })).await.expect(400).code("0x8005E248");
    let due = work(&w, &mailbox).await;
    assert_eq!(due, [(0, false), (1, false), (3, true)]);
});

/// The workloads of a mailbox and whether each is due.
async fn work(w: &World, mailbox: &str) -> Vec<(i64, bool)> {
    use model::tables::WorkItem;
    let id = model::Ref::new("mailbox", mailbox.parse().unwrap());
    let query = model::Query::of::<WorkItem>()
        .filter(model::Filter::eq(WorkItem::C.mailbox, Some(id)))
        .order_by(WorkItem::C.workload, false);
    let items = w.store.list::<WorkItem>(&query).await.unwrap();
    items.iter().map(|i| (i.workload.number(), i.next_run.is_some())).collect()
}

story!(a_test_needs_a_profile, |w| {
    let (user, _) = w.user("ann@example.com").await;
    let path = format!("/mailboxes({})", w.mailbox_of(&user).await);
    w.patch(&path, json!({ "emailrouteraccessapproval": 1 })).await.expect(204);
    w.patch(&path, json!({ "testemailconfigurationscheduled": true })).await.expect(400).code("0x8005E222");
});

story!(a_test_of_a_mailbox_on_a_forward_mailbox, |w| {
    let (user, _) = w.user("ann@example.com").await;
    let profile = w.create("emailserverprofiles", profile()).await;
    let path = format!("/mailboxes({})", w.mailbox_of(&user).await);
    let body = json!({
        "incomingemaildeliverymethod": 3, "outgoingemaildeliverymethod": 0, "emailrouteraccessapproval": 1,
        "emailserverprofile@odata.bind": format!("/emailserverprofiles({profile})")
    });
    w.patch(&path, body).await.expect(204);
    w.patch(&path, json!({ "testemailconfigurationscheduled": true })).await.expect(400).code("0x8005E223");
});

story!(a_profile_edit_takes_back_test_results, |w| {
    let (mailbox, profile) = forward(&w).await;
    use model::tables::{Mailbox, TestStatus};
    let id = mailbox.parse().unwrap();
    let actor = model::Actor { user: model::Id::nil() };
    let update = model::Update::of::<Mailbox>(id)
        .set(Mailbox::C.incoming_status, TestStatus::Success)
        .set(Mailbox::C.enabled_incoming, true);
    w.store.commit(&model::Commit::new(actor, model::Timestamp::UNIX_EPOCH, vec![update.into()])).await.unwrap();
    let path = format!("/mailboxes({mailbox})");
    w.patch(&format!("/emailserverprofiles({profile})"), json!({ "description": "x" })).await.expect(204);
    assert_eq!(w.read(&path).await["incomingemailstatus"], 1);
    w.patch(&format!("/emailserverprofiles({profile})"), json!({ "incomingportnumber": 1993 })).await.expect(204);
    let row = w.read(&path).await;
    assert_eq!(row["incomingemailstatus"], 0);
    assert_eq!(row["enabledforincomingemail"], false);
});

story!(the_machines_columns_are_ignored, |w| {
    let (mailbox, _) = forward(&w).await;
    let path = format!("/mailboxes({mailbox})");
    w.patch(&path, json!({ "incomingemailstatus": 1, "enabledforincomingemail": true, "mailboxstatus": 1, "ispasswordset": false, "versionnumber": 1, "createdon": "2001-01-01T00:00:00Z" }))
        .await
        .expect(204);
    let row = w.read(&path).await;
    assert_eq!(row["incomingemailstatus"], 0);
    assert_eq!(row["enabledforincomingemail"], false);
    assert_eq!(row["ispasswordset"], true);
});

story!(a_disabled_user_deactivates_the_mailbox, |w| {
    let (user, token) = w.user("ann@example.com").await;
    let path = format!("/mailboxes({})", w.mailbox_of(&user).await);
    w.patch(&format!("/systemusers({user})"), json!({ "isdisabled": true })).await.expect(204);
    assert_eq!(w.read(&path).await["statecode"], 1);
    w.patch(&path, json!({ "statecode": 0, "statuscode": 1 })).await.expect(400).code("0x8005E230");
    w.get("/WhoAmI").by(&token).await.expect(401).code("0x80044302");
});

story!(the_same_address_twice, |w| {
    forward(&w).await;
    let body = json!({ "name": "G", "emailaddress": "FORWARD@example.com", "incomingemaildeliverymethod": 2 });
    w.post("/mailboxes", body).await.expect(412).code("0x80040237");
});

story!(a_mailbox_goes_with_its_work, |w| {
    let (mailbox, _) = forward(&w).await;
    assert_eq!(work(&w, &mailbox).await.len(), 3);
    w.delete(&format!("/mailboxes({mailbox})")).await.expect(204);
    assert_eq!(work(&w, &mailbox).await, []);
});

story!(a_deleted_profile_is_taken_off_its_mailboxes, |w| {
    let (mailbox, profile) = forward(&w).await;
    w.delete(&format!("/emailserverprofiles({profile})")).await.expect(204);
    assert_eq!(w.read(&format!("/mailboxes({mailbox})")).await["_emailserverprofile_value"], Value::Null);
});

story!(no_mailbox_where_the_switch_is_off, |w| {
    let organization = w.read("/WhoAmI").await["OrganizationId"].as_str().unwrap().to_owned();
    w.patch(&format!("/organizations({organization})"), json!({ "pr_createmailboxes": false })).await.expect(204);
    let (user, _) = w.user("ann@example.com").await;
    assert_eq!(w.read(&format!("/systemusers({user})")).await["_defaultmailbox_value"], Value::Null);
});

story!(the_organizations_defaults, |w| {
    let profile = w.create("emailserverprofiles", profile()).await;
    let organization = w.read("/WhoAmI").await["OrganizationId"].as_str().unwrap().to_owned();
    let body = json!({
        "defaultemailserverprofileid@odata.bind": format!("/emailserverprofiles({profile})"),
        "pr_defaultincomingmethod": 3
    });
    w.patch(&format!("/organizations({organization})"), body).await.expect(204);
    let (user, _) = w.user("ann@example.com").await;
    let row = w.read(&format!("/mailboxes({})", w.mailbox_of(&user).await)).await;
    assert_eq!(row["_emailserverprofile_value"], profile.as_str());
    assert_eq!(row["incomingemaildeliverymethod"], 3);
});

story!(a_password_is_taken_away_by_null_alone, |w| {
    let (mailbox, _) = forward(&w).await;
    let path = format!("/mailboxes({mailbox})");
    // As long as it is to be used there must be one.
    w.patch(&path, json!({ "password": null })).await.expect(400).also("0x8005E209");
    w.patch(&path, json!({ "allowemailconnectortousecredentials": false })).await.expect(204);
    w.patch(&path, json!({ "password": null })).await.expect(204);
    assert_eq!(w.read(&path).await["ispasswordset"], false);
    let id = mailbox.parse().unwrap();
    let stored = w.store.reveal(model::tables::Mailbox::TABLE, id, "password").await.unwrap();
    assert!(stored.is_none());
});
