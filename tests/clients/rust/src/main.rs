//! What a customer's program does with `powerplatform-dataverse-service-client`.
//! `world.json` (the first argument) says where everything is. Ends at the
//! first surprise. No lists: version 0.2.3 writes the name of a set twice into
//! the URL of one, which no server understands.

use std::sync::Arc;
use std::time::Duration;

use powerplatform_dataverse_service_client::auth::Authenticate;
use powerplatform_dataverse_service_client::batch::Batch;
use powerplatform_dataverse_service_client::client::Client;
use powerplatform_dataverse_service_client::entity::{ReadEntity, WriteEntity};
use powerplatform_dataverse_service_client::reference::{Reference, ReferenceStruct};
use powerplatform_dataverse_service_client::result::Result;
use powerplatform_dataverse_service_client::select::Select;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

const SERVER_SIDE: i64 = 2;

struct Token(String);

#[async_trait::async_trait]
impl Authenticate for Token {
    async fn get_valid_token(&self) -> Result<Arc<String>> {
        Ok(Arc::new(self.0.clone()))
    }
}

/// Any row, as JSON.
struct Row(&'static str, Uuid, Value);

impl Serialize for Row {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.2.serialize(serializer)
    }
}
impl Reference for Row {
    fn get_reference(&self) -> ReferenceStruct {
        ReferenceStruct::new(self.0, self.1)
    }
}
impl WriteEntity for Row {}

/// A row that is read: its columns as the library asks for them.
macro_rules! read {
    ($name:ident { $($field:ident: $kind:ty),* $(,)? }) => {
        #[derive(Debug, Deserialize)]
        struct $name { $($field: $kind),* }
        impl Select for $name {
            fn get_columns() -> &'static [&'static str] { &[$(stringify!($field)),*] }
        }
        impl ReadEntity for $name {}
    };
}
read!(Mailbox { mailboxid: Uuid, incomingemailstatus: Option<i64>, testemailconfigurationscheduled: bool, isforwardmailbox: bool });
read!(Owner { _defaultmailbox_value: Uuid });
read!(Contact { contactid: Uuid, lastname: String, jobtitle: Option<String> });
read!(Account { accountid: Uuid, name: String });

struct World {
    client: Client<'static, Token>,
    limited: Client<'static, Token>,
    url: &'static str,
    given: Value,
    profile: Uuid,
}

impl World {
    async fn create(&self, set: &'static str, body: Value) -> Uuid {
        self.client.create(&Row(set, Uuid::nil(), body)).await.unwrap_or_else(|e| panic!("creating in {set}: {e}"))
    }

    async fn change(&self, set: &'static str, id: Uuid, body: Value) {
        self.client.update(&Row(set, id, body)).await.unwrap_or_else(|e| panic!("changing {set}({id}): {e}"));
    }

    async fn mailbox(&self, id: Uuid) -> Mailbox {
        self.client.retrieve(&ReferenceStruct::new("mailboxes", id)).await.unwrap()
    }

    async fn mailbox_of(&self, set: &'static str, owner: Uuid) -> Uuid {
        let owner: Owner = self.client.retrieve(&ReferenceStruct::new(set, owner)).await.unwrap();
        owner._defaultmailbox_value
    }

    /// Approves, then tests: there is no action for that, clients change the mailbox.
    async fn enable(&self, mailbox: Uuid, address: &str, outgoing: i64) -> Mailbox {
        let settings = json!({
            "emailserverprofile@odata.bind": format!("/emailserverprofiles({})", self.profile),
            "allowemailconnectortousecredentials": true,
            "username": address,
            "password": self.given["accounts"][address],
            "incomingemaildeliverymethod": SERVER_SIDE,
            "outgoingemaildeliverymethod": outgoing,
        });
        self.change("mailboxes", mailbox, settings).await;
        self.change("mailboxes", mailbox, json!({ "emailrouteraccessapproval": 1 })).await;
        self.change("mailboxes", mailbox, json!({ "testemailconfigurationscheduled": true })).await;
        for _ in 0..450 {
            let row = self.mailbox(mailbox).await;
            if !row.testemailconfigurationscheduled {
                assert_eq!(row.incomingemailstatus, Some(1), "{address}: {row:?}");
                return row;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("waited in vain for the test of {address}");
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let file = std::env::args().nth(1).expect("the path of world.json");
    let given: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let text = |name: &str| given[name].as_str().unwrap().to_owned();
    let url: &'static str = format!("{}/", text("url")).leak();
    let client = |token: String| Client::new(url, reqwest::Client::new(), Token(token));
    let mut world = World {
        client: client(text("token")),
        limited: client(text("limited")),
        url,
        given: given.clone(),
        profile: Uuid::nil(),
    };
    mailboxes(&mut world).await;
    rows(&world).await;
    batches(&world).await;
    errors(&world).await;
}

async fn mailboxes(world: &mut World) {
    world.profile = world
        .create(
            "emailserverprofiles",
            json!({
                "name": "Rust's IMAP",
                "servertype": 4,
                "incomingserverlocation": "localhost",
                "incomingportnumber": world.given["imap"],
                "outgoingserverlocation": "localhost",
                "outgoingportnumber": world.given["smtp"],
                "incomingcredentialretrieval": 0,
                "outgoingcredentialretrieval": 0,
            }),
        )
        .await;
    let address = "ralf@company.test";
    let user = json!({ "lastname": "Rust", "internalemailaddress": address, "domainname": address });
    let user = world.create("systemusers", user).await;
    world.enable(world.mailbox_of("systemusers", user).await, address, SERVER_SIDE).await;
    println!("ok a user, tested and enabled");

    let address = "rust-queue@company.test";
    let queue = world.create("queues", json!({ "name": "Rust's queue", "emailaddress": address })).await;
    world.enable(world.mailbox_of("queues", queue).await, address, SERVER_SIDE).await;
    println!("ok a queue, tested and enabled");

    let address = "rust-forward@company.test";
    let forward =
        json!({ "name": "Rust's forward mailbox", "emailaddress": address, "outgoingemaildeliverymethod": 0 });
    let forward = world.create("mailboxes", forward).await;
    assert!(world.enable(forward, address, 0).await.isforwardmailbox);
    println!("ok a forward mailbox");
}

async fn rows(world: &World) {
    let id = world.create("contacts", json!({ "firstname": "Edsger", "lastname": "Dijkstra" })).await;
    let reference = ReferenceStruct::new("contacts", id);
    world.change("contacts", id, json!({ "jobtitle": "Professor" })).await;
    let contact: Contact = world.client.retrieve(&reference).await.unwrap();
    assert_eq!(
        (contact.contactid, contact.lastname.as_str(), contact.jobtitle.as_deref()),
        (id, "Dijkstra", Some("Professor"))
    );
    world.client.delete(&reference).await.unwrap();
    assert!(world.client.retrieve::<Contact>(&reference).await.is_err());
    println!("ok create, read, change, delete");

    let id = Uuid::new_v4();
    for name in ["Upserted", "Upserted twice"] {
        world.client.upsert(&Row("accounts", id, json!({ "name": name }))).await.unwrap();
        let account: Account = world.client.retrieve(&ReferenceStruct::new("accounts", id)).await.unwrap();
        assert_eq!((account.accountid, account.name.as_str()), (id, name));
    }
    println!("ok upsert");
}

async fn batches(world: &World) {
    let mut batch = Batch::new(world.url);
    let ids: Vec<Uuid> = (0..50).map(|_| Uuid::new_v4()).collect();
    for (n, id) in ids.iter().enumerate() {
        batch.create(&Row("accounts", *id, json!({ "accountid": id, "name": format!("Batched {n}") }))).unwrap();
    }
    world.client.execute(&batch).await.unwrap();
    let account: Account = world.client.retrieve(&ReferenceStruct::new("accounts", ids[49])).await.unwrap();
    assert_eq!(account.name, "Batched 49");

    let mut broken = Batch::new(world.url);
    let half = Uuid::new_v4();
    broken.create(&Row("accounts", half, json!({ "accountid": half, "name": "Half" }))).unwrap();
    broken.create(&Row("accounts", half, json!({ "nosuchcolumn": 1 }))).unwrap();
    assert!(world.client.execute(&broken).await.is_err());
    assert!(
        world.client.retrieve::<Account>(&ReferenceStruct::new("accounts", half)).await.is_err(),
        "a change set is atomic"
    );
    println!("ok batches");
}

async fn errors(world: &World) {
    let refused = world.client.create(&Row("mailboxes", Uuid::nil(), json!({ "name": "without an address" }))).await;
    assert!(refused.unwrap_err().message.contains("0x8005E211"));
    let refused = world.client.update(&Row("contacts", Uuid::new_v4(), json!({ "jobtitle": "x" }))).await;
    assert!(refused.unwrap_err().message.contains("0x80040217"));
    let refused = world.limited.create(&Row("emailserverprofiles", Uuid::nil(), json!({ "name": "not mine" }))).await;
    assert!(refused.unwrap_err().message.contains("0x80040220"));
    println!("ok errors");
}
