//! An installation that the first version made, brought up to this one: who
//! could do something still can, and nothing is lost.

use std::process::Command;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use store::Options;

use crate::world::World;

const FIRST: &str = include_str!("../../../store/migrations/0001_initial.sql");

/// Rows as the first version left them, in the language of the migrations;
/// `{#7}` is the id that ends in 7, `{!x}` the hash of the token `x`.
const ROWS: &str = r#"
CREATE TABLE pr_migration (version {int} PRIMARY KEY, name {text} NOT NULL, checksum {text} NOT NULL);
INSERT INTO businessunit (businessunitid, name, versionnumber) VALUES ({#1}, 'example.com', 1);
INSERT INTO organization (organizationid, name, pr_systemuserid, trackingprefix, versionnumber) VALUES ({#2}, 'example.com', {#3}, 'CRM:', 2);
INSERT INTO systemuser (systemuserid, domainname, fullname, businessunitid, accessmode, versionnumber) VALUES ({#3}, 'SYSTEM', 'SYSTEM', {#1}, 4, 3);
INSERT INTO systemuser (systemuserid, domainname, fullname, lastname, internalemailaddress, businessunitid, pr_isadministrator, versionnumber) VALUES ({#4}, 'ann@example.com', 'ann', 'ann', 'ann@example.com', {#1}, {true}, 4);
INSERT INTO systemuser (systemuserid, domainname, fullname, lastname, internalemailaddress, businessunitid, versionnumber) VALUES ({#5}, 'bob@example.com', 'bob', 'bob', 'bob@example.com', {#1}, 5);
INSERT INTO systemuser (systemuserid, domainname, fullname, lastname, internalemailaddress, businessunitid, isdisabled, versionnumber) VALUES ({#6}, 'eve@example.com', 'eve', 'eve', 'eve@example.com', {#1}, {true}, 6);
INSERT INTO usersettings (systemuserid) VALUES ({#3}), ({#4}), ({#5}), ({#6});
INSERT INTO pr_apitoken (pr_apitokenid, pr_name, pr_systemuserid, pr_hash) VALUES ({#7}, 'ann', {#4}, {!ann}), ({#8}, 'bob', {#5}, {!bob}), ({#9}, 'eve', {#6}, {!eve});
INSERT INTO contact (contactid, lastname, fullname, ownerid, ownerid__table, emailaddress1, versionnumber) VALUES ({#10}, 'Größe', 'Größe', {#5}, 'systemuser', 'c@customers.test', 7), ({#11}, 'Hers', 'Hers', {#4}, 'systemuser', 'd@customers.test', 8);
INSERT INTO email (activityid, subject, ownerid, ownerid__table, statecode, statuscode, versionnumber) VALUES ({#12}, 'Old', {#5}, 'systemuser', 0, 1, 9);
INSERT INTO activityparty (activitypartyid, activityid, participationtypemask, addressused) VALUES ({#13}, {#12}, 2, 'c@customers.test');
[sqlite]INSERT INTO pr_counter VALUES ('version', 9) ON CONFLICT (name) DO UPDATE SET value = 9;
[postgres]SELECT setval('pr_version', 9);
"#;

/// As the store renders it.
fn rendered(script: &str, sqlite: bool) -> String {
    let (mine, other) = if sqlite { ("[sqlite]", "[postgres]") } else { ("[postgres]", "[sqlite]") };
    let lines = script.lines().filter(|l| !l.starts_with(other)).map(|l| l.strip_prefix(mine).unwrap_or(l));
    let mut out = lines.collect::<Vec<_>>().join("\n");
    let types = if sqlite {
        ["BLOB", "INTEGER", "INTEGER", "INTEGER", "TEXT", "BLOB", "1", "0"]
    } else {
        ["uuid", "bigint", "boolean", "bigint", "text COLLATE \"C\"", "bytea", "true", "false"]
    };
    for (token, text) in ["id", "time", "bool", "int", "text", "bytes", "true", "false"].iter().zip(types) {
        out = out.replace(&format!("{{{token}}}"), text);
    }
    for n in 1..20 {
        let text = if sqlite { format!("x'{n:032x}'") } else { format!("'{}'", id(n)) };
        out = out.replace(&format!("{{#{n}}}"), &text);
    }
    for token in ["ann", "bob", "eve"] {
        let hash = hex::encode(Sha256::digest(token.as_bytes()));
        let text = if sqlite { format!("x'{hash}'") } else { format!("'\\x{hash}'") };
        out = out.replace(&format!("{{!{token}}}"), &text);
    }
    out
}

fn id(n: u128) -> String {
    model::Id::from_u128(n).to_string()
}

async fn old(database: Option<String>) -> World {
    let (dir, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let options = Options { database: database.clone(), ..Options::new(dir.path()) };
    // The key ring, which has not changed.
    drop(store::Store::create(&Options::new(scratch.path())).await.unwrap());
    std::fs::copy(scratch.path().join("keys"), dir.path().join("keys")).unwrap();
    let checksum = hex::encode(Sha256::digest(FIRST.as_bytes()));
    let done = format!("INSERT INTO pr_migration VALUES (1, 'initial', '{checksum}');");
    let script = rendered(&format!("{FIRST}\n{ROWS}\n{done}"), database.is_none());
    match database {
        None => {
            let file = rusqlite::Connection::open(dir.path().join("postroom.db")).unwrap();
            file.execute_batch(&script).unwrap();
        }
        Some(url) => {
            let path = dir.path().join("old.sql");
            std::fs::write(&path, script).unwrap();
            let ended = Command::new("psql")
                .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", &url, "-f"])
                .arg(&path)
                .stdout(std::process::Stdio::null())
                .status();
            assert!(ended.expect("psql").success());
        }
    }
    World::started(dir, options, "ann").await
}

async fn roles(w: &World, user: u128) -> Vec<String> {
    let filter = format!("$filter=_systemuserid_value%20eq%20{}", id(user));
    let rows = w.read(&format!("/systemuserrolescollection?{filter}&$expand=roleid($select=name)")).await;
    rows["value"].as_array().unwrap().iter().map(|r| r["roleid"]["name"].as_str().unwrap().to_owned()).collect()
}

async fn everything_is_there(w: &World) {
    assert_eq!(roles(w, 4).await, ["System Administrator"]);
    assert_eq!(roles(w, 5).await, ["Basic User"]);
    // What the first version's administrator could do.
    assert_eq!(w.read("/contacts?$count=true").await["@odata.count"], 2);
    w.create("emailserverprofiles", profile()).await;
    let row = w.read(&format!("/emails({})?$expand=email_activity_parties", id(12))).await;
    assert_eq!((&row["subject"], &row["_ownerid_value"]), (&json!("Old"), &json!(id(5))));
    assert_eq!(row["email_activity_parties"][0]["addressused"], "c@customers.test");
    // And its user.
    let mine = w.get("/contacts?$select=lastname").by("bob").await.expect(200).json();
    assert_eq!(mine["value"].as_array().unwrap().len(), 1, "{mine}");
    assert_eq!(mine["value"][0]["lastname"], "Größe");
    w.patch(&format!("/contacts({})", id(10)), json!({ "jobtitle": "x" })).by("bob").await.expect(204);
    w.post("/contacts", json!({ "lastname": "New" })).by("bob").await.expect(204);
    w.patch(&format!("/contacts({})", id(11)), json!({ "jobtitle": "x" })).by("bob").await.expect(404);
    w.post("/emailserverprofiles", profile()).by("bob").await.expect(403);
    w.get("/contacts").by("eve").await.expect(401);
    // What a new installation has.
    for (set, least) in [("savedqueries", 12), ("roles", 5), ("sdkmessages", 3), ("sdkmessagefilters", 30)] {
        let count = w.read(&format!("/{set}?$count=true&$top=1")).await["@odata.count"].as_u64().unwrap();
        assert!(count >= least, "{set}: {count}");
    }
    let view = w.read("/savedqueries?$filter=name%20eq%20'Forward%20Mailboxes'").await["value"][0].clone();
    w.read(&format!("/mailboxes?savedQuery={}", view["savedqueryid"].as_str().unwrap())).await;
}

fn profile() -> Value {
    json!({ "name": "p", "servertype": 4, "incomingserverlocation": "mail.example.com",
        "outgoingserverlocation": "mail.example.com", "incomingauthenticationprotocol": 3, "outgoingauthenticationprotocol": 3 })
}

/// A second start finds nothing to do; a view that was deleted stays deleted.
async fn again(w: &World) {
    let view = w.read("/savedqueries?$select=savedqueryid&$top=1").await["value"][0]["savedqueryid"].clone();
    w.delete(&format!("/savedqueries({})", view.as_str().unwrap())).await.expect(204);
    let before = w.store.last_version().await.unwrap();
    actions::prepare(&w.store, model::Clock::now(&*w.clock)).await.unwrap();
    assert_eq!(w.store.last_version().await.unwrap(), before);
}

#[tokio::test]
async fn from_the_first_version_on_sqlite() {
    let w = old(None).await;
    everything_is_there(&w).await;
    again(&w).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_the_first_version_on_postgres() {
    let Some(url) = crate::database::fresh() else { return };
    let w = old(Some(url)).await;
    everything_is_there(&w).await;
    again(&w).await;
}
