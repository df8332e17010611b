//! The organization in which the matrix is tried: units, a team, owners, one
//! caller for each role, and rows of every table in every relation to them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use model::{Change, Commit, Id, Record, Ref, Table, Value};
use serde_json::json;

use super::expected::{NOBODY, ROLES, Whose};
use crate::world::World;

pub struct Caller {
    pub role: &'static str,
    pub id: Id,
    pub token: String,
}

pub struct Scene {
    pub w: World,
    /// Units: that of the callers, the one below it, the one beside it.
    pub units: BTreeMap<Whose, Id>,
    pub team: Id,
    /// Who has rows there: owners of `Same`, `Child` and `Other`.
    pub owners: BTreeMap<Whose, Id>,
    pub callers: Vec<Caller>,
    counter: AtomicU32,
}

impl Scene {
    pub async fn new(w: World) -> Self {
        let same = unit(&w, "Sales", None).await;
        let child = unit(&w, "North", Some(same)).await;
        let other = unit(&w, "Service", None).await;
        let units = BTreeMap::from([(Whose::Same, same), (Whose::Child, child), (Whose::Other, other)]);
        let admin = w.read("/WhoAmI").await["UserId"].as_str().unwrap().to_owned();
        let team = json!({
            "name": "Callers", "businessunitid@odata.bind": format!("/businessunits({other})"),
            "administratorid@odata.bind": format!("/systemusers({admin})")
        });
        let team: Id = w.create("teams", team).await.parse().unwrap();
        let mut owners = BTreeMap::new();
        for (whose, unit) in &units {
            let (user, _) = person(&w, &format!("{whose:?}@example.com").to_lowercase(), *unit).await;
            owners.insert(*whose, user);
        }
        let mut scene = Self { w, units, team, owners, callers: Vec::new(), counter: AtomicU32::new(0) };
        for (role, _) in ROLES {
            let caller = scene.caller(role).await;
            scene.callers.push(caller);
        }
        scene
    }

    async fn caller(&self, role: &'static str) -> Caller {
        let w = &self.w;
        let address = format!("{}@example.com", role.replace(' ', "-").to_lowercase());
        let (id, token) = person(w, &address, self.units[&Whose::Same]).await;
        let filter = format!("/systemuserrolescollection?$filter=_systemuserid_value%20eq%20{id}");
        for pair in w.read(&filter).await["value"].as_array().unwrap() {
            let pair = pair["systemuserroleid"].as_str().unwrap();
            w.delete(&format!("/systemuserrolescollection({pair})")).await.expect(204);
        }
        if role != NOBODY {
            let name = role.replace(' ', "%20");
            let found = w.read(&format!("/roles?$select=name&$filter=name%20eq%20'{name}'")).await;
            let role = found["value"][0]["roleid"].as_str().expect("the role").to_owned();
            let pair = json!({ "systemuserid@odata.bind": format!("/systemusers({id})"), "roleid@odata.bind": format!("/roles({role})") });
            w.create("systemuserrolescollection", pair).await;
        }
        let member = json!({
            "teamid@odata.bind": format!("/teams({})", self.team), "systemuserid@odata.bind": format!("/systemusers({id})")
        });
        w.create("teammemberships", member).await;
        Caller { role, id, token }
    }

    pub fn number(&self) -> u32 {
        self.counter.fetch_add(1, Ordering::Relaxed)
    }

    pub fn owner(&self, caller: &Caller, whose: Whose) -> Ref {
        match whose {
            Whose::Own => Ref::new("systemuser", caller.id),
            Whose::Team => Ref::new("team", self.team),
            Whose::Shared => Ref::new("systemuser", self.owners[&Whose::Other]),
            other => Ref::new("systemuser", self.owners[&other]),
        }
    }

    /// A new row, made behind the API's back.
    pub async fn row(&self, caller: &Caller, table: &'static Table, whose: Whose, set: &[(&'static str, Value)]) -> Id {
        let n = self.number();
        let id = Id::from_u128(0x5_0000_0000_0000 + u128::from(n));
        let mut row = Record::with_defaults(table, id);
        let text = |text: &str| Value::Text(text.to_owned());
        if let Some(name) = table.name {
            row.set(name, Value::Text(format!("{} {n}", table.logical)));
        }
        match table.logical {
            "mailbox" => row.set("emailaddress", Value::Text(format!("m{n}@example.com"))),
            "contact" => row.set("lastname", Value::Text(format!("contact {n}"))),
            "emailserverprofile" => {
                row.set("incomingserverlocation", text("a.example"));
                row.set("outgoingserverlocation", text("a.example"));
            }
            "userquery" => {
                row.set("returnedtypecode", text("account"));
                row.set("fetchxml", text("<fetch><entity name='account'><attribute name='name'/></entity></fetch>"));
            }
            _ => {}
        }
        let owner = if table.logical == "tracelog" { "regardingobjectownerid" } else { "ownerid" };
        if table.column(owner).is_some() {
            row.set(owner, Value::Ref(self.owner(caller, whose)));
        }
        for (column, value) in set {
            row.set(column, value.clone());
        }
        let mut changes = vec![Change::Create(row)];
        if whose == Whose::Shared {
            let sharing = model::tables::by_logical_name("principalobjectaccess").unwrap();
            let mut share = Record::with_defaults(sharing, Id::from_u128(0x6_0000_0000_0000 + u128::from(n)));
            share.set("objectid", Value::Ref(Ref::new(table.logical, id)));
            share.set("principalid", Value::Ref(Ref::new("systemuser", caller.id)));
            share.set("accessrightsmask", Value::Int(1 | 2 | 4 | 16));
            changes.push(Change::Create(share));
        }
        let actor = model::Actor { user: caller.id };
        self.w.store.commit(&Commit::new(actor, model::Clock::now(&*self.w.clock), changes)).await.unwrap();
        id
    }
}

async fn unit(w: &World, name: &str, parent: Option<Id>) -> Id {
    let mut body = json!({ "name": name });
    if let Some(parent) = parent {
        body["parentbusinessunitid@odata.bind"] = json!(format!("/businessunits({parent})"));
    }
    w.create("businessunits", body).await.parse().unwrap()
}

async fn person(w: &World, address: &str, unit: Id) -> (Id, String) {
    let (id, token) = w.user(address).await;
    let unit = json!({ "businessunitid@odata.bind": format!("/businessunits({unit})") });
    w.patch(&format!("/systemusers({id})"), unit).await.expect(204);
    (id.parse().unwrap(), token)
}
