//! Sharing, privileges and memberships through their functions and actions.

use serde_json::{Value, json};

use crate::world::World;

const NOBODY: &str = "00000000-0000-0000-0000-00000000000a";

fn user(id: &str) -> Value {
    json!({ "@odata.type": "Microsoft.Dynamics.CRM.systemuser", "systemuserid": id })
}

fn share(account: &str, with: &Value, mask: &str) -> Value {
    json!({
        "Target": { "@odata.type": "Microsoft.Dynamics.CRM.account", "accountid": account },
        "PrincipalAccess": { "Principal": with, "AccessMask": mask },
    })
}

async fn rights(w: &World, who: &str, set: &str, row: &str) -> String {
    let path = format!(
        "/{who}/Microsoft.Dynamics.CRM.RetrievePrincipalAccess(Target=@t)?@t=%7B%22@odata.id%22:%22{set}({row})%22%7D"
    );
    w.read(&path).await["AccessRights"].as_str().unwrap().to_owned()
}

async fn role(w: &World, name: &str) -> String {
    let found = w.read(&format!("/roles?$select=name&$filter=name%20eq%20'{}'", name.replace(' ', "%20"))).await;
    found["value"][0]["roleid"].as_str().expect("a role").to_owned()
}

async fn give(w: &World, user: &str, role: &str) {
    let body = json!({ "systemuserid@odata.bind": format!("/systemusers({user})"), "roleid@odata.bind": format!("/roles({role})") });
    w.create("systemuserrolescollection", body).await;
}

/// The depth of a privilege by its name.
fn depth(list: &Value, name: &str) -> Option<String> {
    let list = list["RolePrivileges"].as_array().unwrap();
    let found = list.iter().find(|p| p["PrivilegeName"] == name)?;
    Some(found["Depth"].as_str().unwrap().to_owned())
}

story!(shared_and_taken_back, |w| {
    let (ann, ann_token) = w.user("ann@example.com").await;
    let (bob, bob_token) = w.user("bob@example.com").await;
    let account = w.post("/accounts", json!({ "name": "A" })).by(&ann_token).await.expect(204).entity_id();
    let path = format!("/accounts({account})");
    let all =
        "ReadAccess, WriteAccess, AppendAccess, AppendToAccess, CreateAccess, DeleteAccess, ShareAccess, AssignAccess";
    assert_eq!(rights(&w, &format!("systemusers({ann})"), "accounts", &account).await, all);
    assert_eq!(rights(&w, &format!("systemusers({bob})"), "accounts", &account).await, "None");
    w.get(&path).by(&bob_token).await.expect(404);
    w.post("/GrantAccess", share(&account, &user(&bob), "ReadAccess")).by(&ann_token).await.expect(204);
    w.get(&path).by(&bob_token).await.expect(200);
    w.patch(&path, json!({ "name": "B" })).by(&bob_token).await.expect(403).code("0x80040220");
    let list = w.get("/accounts").by(&bob_token).await.expect(200).json();
    assert_eq!(list["value"].as_array().unwrap().len(), 1);
    // Granting adds.
    w.post("/GrantAccess", share(&account, &user(&bob), "WriteAccess")).by(&ann_token).await.expect(204);
    w.patch(&path, json!({ "name": "B" })).by(&bob_token).await.expect(204);
    assert_eq!(rights(&w, &format!("systemusers({bob})"), "accounts", &account).await, "ReadAccess, WriteAccess");
    // Modifying replaces.
    w.post("/ModifyAccess", share(&account, &user(&bob), "ReadAccess")).by(&ann_token).await.expect(204);
    w.patch(&path, json!({ "name": "C" })).by(&bob_token).await.expect(403);
    let target = format!("%7B%22@odata.id%22:%22accounts({account})%22%7D");
    let list = w.read(&format!("/RetrieveSharedPrincipalsAndAccess(Target=@t)?@t={target}")).await;
    assert_eq!(list["PrincipalAccesses"].as_array().unwrap().len(), 1, "{list}");
    assert_eq!(list["PrincipalAccesses"][0]["AccessMask"], "ReadAccess");
    assert_eq!(list["PrincipalAccesses"][0]["Principal"]["systemuserid"], bob.as_str());
    let revoke = json!({ "Target": { "accountid": account }, "Revokee": user(&bob) });
    w.post("/RevokeAccess", revoke.clone()).by(&ann_token).await.expect(204);
    w.get(&path).by(&bob_token).await.expect(404);
    w.post("/RevokeAccess", revoke).by(&ann_token).await.expect(404).code("0x80040217");
    w.post("/ModifyAccess", share(&account, &user(&bob), "ReadAccess")).by(&ann_token).await.expect(404);
    let audit = w.store.query(&model::Query::table(model::tables::by_logical_name("pr_audit").unwrap())).await.unwrap();
    let about = |r: &&model::Record| r.get("pr_table").as_text() == Some("principalobjectaccess");
    assert_eq!(audit.iter().filter(about).count(), 4);
});

story!(shared_with_a_team, |w| {
    let (_, ann_token) = w.user("ann@example.com").await;
    let (bob, bob_token) = w.user("bob@example.com").await;
    let team = w.create("teams", json!({ "name": "T" })).await;
    let members = json!({ "Members": [user(&bob)] });
    w.post(&format!("/teams({team})/Microsoft.Dynamics.CRM.AddMembersTeam"), members.clone()).await.expect(204);
    w.post(&format!("/teams({team})/Microsoft.Dynamics.CRM.AddMembersTeam"), members.clone()).await.expect(204);
    let account = w.post("/accounts", json!({ "name": "A" })).by(&ann_token).await.expect(204).entity_id();
    let with = json!({ "@odata.id": format!("/teams({team})") });
    w.post("/GrantAccess", share(&account, &with, "ReadAccess")).by(&ann_token).await.expect(204);
    w.get(&format!("/accounts({account})")).by(&bob_token).await.expect(200);
    // The team itself has no role.
    assert_eq!(rights(&w, &format!("teams({team})"), "accounts", &account).await, "None");
    w.post(&format!("/teams({team})/Microsoft.Dynamics.CRM.RemoveMembersTeam"), members.clone()).await.expect(204);
    w.get(&format!("/accounts({account})")).by(&bob_token).await.expect(404);
    w.post(&format!("/teams({team})/Microsoft.Dynamics.CRM.RemoveMembersTeam"), members).await.expect(404);
    let bad = json!({ "Members": [user(&bob), user(NOBODY)] });
    w.post(&format!("/teams({team})/Microsoft.Dynamics.CRM.AddMembersTeam"), bad).await.expect(404);
    assert_eq!(w.read("/teammemberships").await["value"], json!([]), "all or none");
    let mine = json!({ "Members": [user(&bob)] });
    w.post(&format!("/teams({team})/Microsoft.Dynamics.CRM.AddMembersTeam"), mine).by(&bob_token).await.expect(403);
});

story!(nobody_shares_more_than_they_have, |w| {
    let (_, ann_token) = w.user("ann@example.com").await;
    let (bob, bob_token) = w.user("bob@example.com").await;
    let (cid, cid_token) = w.user("cid@example.com").await;
    let account = w.post("/accounts", json!({ "name": "A" })).by(&ann_token).await.expect(204).entity_id();
    let to_cid = |mask: &str| share(&account, &user(&cid), mask);
    w.post("/GrantAccess", to_cid("ReadAccess")).by(&bob_token).await.expect(404);
    w.post("/GrantAccess", share(&account, &user(&bob), "ReadAccess")).by(&ann_token).await.expect(204);
    w.post("/GrantAccess", to_cid("ReadAccess")).by(&bob_token).await.expect(403).code("0x80040220");
    w.post("/GrantAccess", share(&account, &user(&bob), "ShareAccess")).by(&ann_token).await.expect(204);
    w.post("/GrantAccess", to_cid("ReadAccess, WriteAccess")).by(&bob_token).await.expect(403).code("0x8004020D");
    w.get(&format!("/accounts({account})")).by(&cid_token).await.expect(404);
    w.post("/GrantAccess", to_cid("ReadAccess")).by(&bob_token).await.expect(204);
    w.post("/ModifyAccess", to_cid("ReadAccess, DeleteAccess")).by(&bob_token).await.expect(403).code("0x8004020D");
    // Nor to oneself.
    w.post("/GrantAccess", share(&account, &user(&bob), "DeleteAccess")).by(&bob_token).await.expect(403);
    w.post("/ModifyAccess", share(&account, &user(&bob), "ReadAccess, AssignAccess")).by(&bob_token).await.expect(403);
    assert_eq!(rights(&w, &format!("systemusers({bob})"), "accounts", &account).await, "ReadAccess, ShareAccess");
    // The rows of shares are written by nobody.
    let body = json!({ "accessrightsmask": 3, "principalid_systemuser@odata.bind": format!("/systemusers({bob})"), "objectid_account@odata.bind": format!("/accounts({account})") });
    w.post("/principalobjectaccessset", body).by(&bob_token).await.expect(403);
});

story!(hostile_shares, |w| {
    let (bob, _) = w.user("bob@example.com").await;
    let account = w.create("accounts", json!({ "name": "A" })).await;
    let grant = |body: Value| w.post("/GrantAccess", body);
    grant(json!({})).await.expect(400).says("Target");
    grant(share(&account, &user(&bob), "")).await.expect(400).says("AccessMask");
    grant(share(&account, &user(&bob), "None")).await.expect(400).says("AccessMask");
    grant(share(&account, &user(&bob), "CreateAccess")).await.expect(400).says("CreateAccess");
    grant(share(&account, &user(&bob), "EveryAccess")).await.expect(400).says("ReadAccess");
    grant(share(&account, &user(NOBODY), "ReadAccess")).await.expect(404);
    grant(share(NOBODY, &user(&bob), "ReadAccess")).await.expect(404);
    grant(share(&account, &json!({ "accountid": account }), "ReadAccess")).await.expect(400).says("users and teams");
    grant(share(&account, &json!({ "systemuserid": 5 }), "ReadAccess")).await.expect(400);
    grant(share(&account, &json!({ "@odata.id": "rubbish" }), "ReadAccess")).await.expect(400);
    grant(share(&account, &json!({ "@odata.type": "x", "systemuserid": bob }), "ReadAccess")).await.expect(400);
    let body =
        json!({ "Target": user(&bob), "PrincipalAccess": { "Principal": user(&bob), "AccessMask": "ReadAccess" } });
    grant(body).await.expect(400).says("cannot be shared");
    grant(json!({ "Target": { "accountid": account }, "PrincipalAccess": { "AccessMask": "ReadAccess" } }))
        .await
        .expect(400);
    grant(json!({ "Target": { "accountid": account }, "PrincipalAccess": {} })).await.expect(400);
    assert_eq!(w.read("/principalobjectaccessset").await["value"], json!([]));
    w.get("/RetrieveSharedPrincipalsAndAccess(Target=@t)").await.expect(400).says("Target");
    w.get(&format!("/systemusers({bob})/Microsoft.Dynamics.CRM.RetrievePrincipalAccess(Target=5)")).await.expect(400);
});

story!(privileges_of_users_and_roles, |w| {
    let (ann, ann_token) = w.user("ann@example.com").await;
    let path = format!("/systemusers({ann})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges()");
    let list = w.get(&path).by(&ann_token).await.expect(200).json();
    assert_eq!(depth(&list, "prvReadAccount").as_deref(), Some("Basic"));
    assert_eq!(depth(&list, "prvCreateRole"), None);
    let admin = role(&w, "System Administrator").await;
    let list = w.read(&format!("/RetrieveRolePrivilegesRole(RoleId={admin})")).await;
    assert_eq!(depth(&list, "prvCreateRole").as_deref(), Some("Global"));
    let basic = role(&w, "Basic User").await;
    let list = w.read(&format!("/RetrieveRolePrivilegesRole(RoleId=@r)?@r={basic}")).await;
    assert_eq!(depth(&list, "prvReadAccount").as_deref(), Some("Basic"));
    w.get(&format!("/RetrieveRolePrivilegesRole(RoleId={NOBODY})")).await.expect(404);
    w.get("/RetrieveRolePrivilegesRole(RoleId='x')").await.expect(400);
});

story!(privileges_given_and_taken, |w| {
    let root = w.read("/businessunits").await["value"][0]["businessunitid"].as_str().unwrap().to_owned();
    let body = json!({ "name": "R", "businessunitid@odata.bind": format!("/businessunits({root})") });
    let made = w.create("roles", body).await;
    let basic = role(&w, "Basic User").await;
    let list = w.read(&format!("/RetrieveRolePrivilegesRole(RoleId={basic})")).await;
    let id = |name: &str| {
        let all = list["RolePrivileges"].as_array().unwrap();
        all.iter().find(|p| p["PrivilegeName"] == name).unwrap()["PrivilegeId"].as_str().unwrap().to_owned()
    };
    let (read, write) = (id("prvReadAccount"), id("prvWriteAccount"));
    let call = |name: &str, body: Value| w.post(&format!("/roles({made})/Microsoft.Dynamics.CRM.{name}"), body);
    let of = |list: &[(&str, Value)]| {
        let rows: Vec<Value> = list.iter().map(|(id, depth)| json!({ "PrivilegeId": id, "Depth": depth })).collect();
        json!({ "Privileges": rows })
    };
    call("AddPrivilegesRole", of(&[(&read, json!("Local")), (&write, json!(0))])).await.expect(204);
    let now = w.read(&format!("/RetrieveRolePrivilegesRole(RoleId={made})")).await;
    assert_eq!(depth(&now, "prvReadAccount").as_deref(), Some("Local"));
    assert_eq!(depth(&now, "prvWriteAccount").as_deref(), Some("Basic"));
    call("AddPrivilegesRole", of(&[(&read, json!("Global"))])).await.expect(204);
    call("ReplacePrivilegesRole", of(&[(&read, json!("Deep"))])).await.expect(204);
    let now = w.read(&format!("/RetrieveRolePrivilegesRole(RoleId={made})")).await;
    assert_eq!(depth(&now, "prvReadAccount").as_deref(), Some("Deep"));
    assert_eq!(depth(&now, "prvWriteAccount"), None);
    // All or none.
    call("AddPrivilegesRole", of(&[(&write, json!("Basic")), (NOBODY, json!("Basic"))]))
        .await
        .expect(400)
        .also("0x80040217");
    call("AddPrivilegesRole", of(&[(&write, json!("Far"))])).await.expect(400).says("Depth");
    call("AddPrivilegesRole", of(&[(&write, json!(0)), (&write, json!(1))])).await.expect(400).says("twice");
    assert_eq!(
        w.read(&format!("/RetrieveRolePrivilegesRole(RoleId={made})")).await["RolePrivileges"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    call("RemovePrivilegeRole", json!({ "Privilege": { "privilegeid": read } })).await.expect(204);
    call("RemovePrivilegeRole", json!({ "Privilege": { "privilegeid": read } })).await.expect(404);
    // Nobody gives more than they have.
    let (cus, token) = w.user("c@example.com").await;
    give(&w, &cus, &role(&w, "System Customizer").await).await;
    let audit = w.read("/privileges?$filter=name%20eq%20'prvManageTokens'").await["value"][0]["privilegeid"].clone();
    let body = of(&[(audit.as_str().unwrap(), json!("Global"))]);
    let path = format!("/roles({made})/Microsoft.Dynamics.CRM.AddPrivilegesRole");
    w.post(&path, body).by(&token).await.expect(403);
    let (_, token) = w.user("d@example.com").await;
    w.post(&path, of(&[(&read, json!("Basic"))])).by(&token).await.expect(403);
    let admin = role(&w, "System Administrator").await;
    let path = format!("/roles({admin})/Microsoft.Dynamics.CRM.ReplacePrivilegesRole");
    w.post(&path, of(&[(&read, json!("Basic"))])).await.expect(405).code("0x8004023B");
});

story!(moved_to_another_unit, |w| {
    let (ann, ann_token) = w.user("ann@example.com").await;
    let (bob, bob_token) = w.user("bob@example.com").await;
    let unit = w.create("businessunits", json!({ "name": "East" })).await;
    let account = w.post("/accounts", json!({ "name": "A" })).by(&ann_token).await.expect(204).entity_id();
    let path = format!("/systemusers({ann})/Microsoft.Dynamics.CRM.SetBusinessSystemUser");
    let to = |heir: &str| json!({ "BusinessUnit": { "businessunitid": unit }, "ReassignPrincipal": user(heir) });
    w.post(&path, to(&bob)).by(&ann_token).await.expect(403);
    w.get(&format!("/accounts({account})")).by(&bob_token).await.expect(404);
    w.post(&path, json!({ "BusinessUnit": { "businessunitid": NOBODY }, "ReassignPrincipal": user(&bob) }))
        .await
        .expect(404);
    w.post(&path, to(NOBODY)).await.expect(404);
    w.post(&path, json!({ "BusinessUnit": user(&bob), "ReassignPrincipal": user(&bob) })).await.expect(400);
    w.post(&path, to(&bob)).await.expect(204);
    assert_eq!(w.read(&format!("/systemusers({ann})")).await["_businessunitid_value"], unit.as_str());
    w.get(&format!("/accounts({account})")).by(&bob_token).await.expect(200);
    w.get(&format!("/accounts({account})")).by(&ann_token).await.expect(404);
});
