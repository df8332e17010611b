//! Whatever is sent: an answer, and never a 500.

use axum::http::Method;
use model::table::Access;
use serde_json::{Value, json};

use crate::world::World;

/// A small generator that gives the same sequence every time.
struct Dice(u64);

impl Dice {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below as u64).unwrap()
    }
    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.next(from.len())]
    }
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { (b as char).to_string() } else { format!("%{b:02X}") })
        .collect()
}

#[track_caller]
fn answered(what: &str, status: u16, text: &str) {
    assert!(status < 500, "{what}: {status} {text}");
}

fn values() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(-1),
        json!(2_147_483_648_i64),
        json!(i64::MAX),
        json!(1.5),
        json!(1e308),
        json!(""),
        json!("x"),
        json!("\u{0}"),
        json!("x".repeat(5000)),
        json!("2024-05-01T09:00:00Z"),
        json!("9999-12-31T23:59:59Z"),
        json!("00000000-0000-0000-0000-00000000000a"),
        json!([]),
        json!({}),
        json!([{}]),
        json!("/accounts(00000000-0000-0000-0000-00000000000a)"),
    ]
}

/// Every value for every column of every table, in a new row and in one that is there.
async fn columns(w: &World, every: usize) {
    let existing = [
        ("account", w.create("accounts", json!({ "name": "A" })).await),
        ("email", w.create("emails", json!({ "subject": "E" })).await),
        ("mailbox", w.create("mailboxes", json!({ "name": "F", "emailaddress": "f@example.com" })).await),
        ("systemuser", w.user("ann@example.com").await.0),
        ("queue", w.create("queues", json!({ "name": "Q" })).await),
    ];
    let mut n = 0;
    for table in model::tables::on_wire() {
        for column in table.all_columns().filter(|c| c.access != Access::Internal) {
            for value in values() {
                for name in
                    [column.name.to_owned(), format!("{}@odata.bind", column.name), format!("_{}_value", column.name)]
                {
                    n += 1;
                    if n % every != 0 {
                        continue;
                    }
                    let what = format!("{} {name} = {value:.40}", table.logical);
                    let body = json!({ name.clone(): value });
                    let answer = w.post(&format!("/{}", table.set), body.clone()).await;
                    answered(&what, answer.status, &answer.text());
                    if let Some((_, id)) = existing.iter().find(|(t, _)| *t == table.logical) {
                        let answer = w.patch(&format!("/{}({id})", table.set), body).await;
                        answered(&what, answer.status, &answer.text());
                    }
                }
            }
        }
    }
    // All of it can still be read.
    for table in model::tables::on_wire() {
        w.get(&format!("/{}", table.set)).prefer("odata.include-annotations=\"*\"").await.expect(200);
    }
}

#[tokio::test]
async fn values_on_sqlite() {
    columns(&World::sqlite().await, 11).await;
}

#[tokio::test]
async fn values_on_postgres() {
    if let Some(w) = World::postgres().await {
        columns(&w, 67).await;
    }
}

const TERMS: &[&str] = &[
    "name",
    "statecode",
    "createdon",
    "_ownerid_value",
    "ownerid",
    "accountid",
    "ownerid/fullname",
    "primarycontactid/emailaddress1",
    "versionnumber",
    "donotemail",
    "nothing",
    "contact_customer_accounts/any(c:c/lastname eq 'x')",
    "contact_customer_accounts/all(c:c/lastname ne null)",
    "contact_customer_accounts/any()",
    "contains(name,'%_[x]')",
    "startswith(description,'')",
    "endswith(name,name)",
    "null",
    "true",
    "1",
    "-9223372036854775808",
    "1.5",
    "1e5",
    "'x'",
    "''''",
    "2024-05-01T09:00:00Z",
    "2024-05-01",
    "00000000-0000-0000-0000-00000000000a",
    "'00000000-0000-0000-0000-00000000000a'",
    "Microsoft.Dynamics.CRM.In(PropertyName='statecode',PropertyValues=['0','1'])",
    "Microsoft.Dynamics.CRM.LastXHours(PropertyName='createdon',PropertyValue=5)",
    "Microsoft.Dynamics.CRM.EqualUserId(PropertyName='ownerid')",
    "not",
    "(",
    ")",
    "@p",
    "Microsoft.Dynamics.CRM.Between(PropertyName='name',PropertyValues=['a','b'])",
];
const WORDS: &[&str] =
    &[" eq ", " ne ", " gt ", " ge ", " lt ", " le ", " and ", " or ", " and not ", " in ", " ", ","];
const OPTIONS: &[&str] =
    &["$filter", "$filter", "$filter", "$orderby", "$select", "$expand", "$top", "$count", "$skiptoken", "@p"];

async fn queries(w: &World, rounds: usize) {
    w.create("accounts", json!({ "name": "A" })).await;
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let mut good = 0;
    for _ in 0..rounds {
        let mut url = String::from("/accounts?");
        for _ in 0..=dice.next(3) {
            let mut text = dice.pick(TERMS).to_owned();
            for _ in 0..dice.next(4) {
                text.push_str(dice.pick(WORDS));
                text.push_str(dice.pick(TERMS));
            }
            url.push_str(&format!("{}={}&", encoded(dice.pick(OPTIONS)), encoded(&text)));
        }
        let answer = w.get(&url).await;
        answered(&url, answer.status, &answer.text());
        good += usize::from(answer.status == 200);
    }
    assert!(good > rounds / 50, "only {good} of {rounds} were valid");
}

#[tokio::test]
async fn queries_on_sqlite() {
    queries(&World::sqlite().await, 4000).await;
}

#[tokio::test]
async fn queries_on_postgres() {
    if let Some(w) = World::postgres().await {
        queries(&w, 1000).await;
    }
}

#[tokio::test]
async fn paths() {
    const PARTS: &[&str] = &[
        "accounts",
        "emails",
        "(",
        ")",
        "00000000-0000-0000-0000-00000000000a",
        "name='x'",
        "name",
        "/",
        "/",
        "$value",
        "$count",
        "$ref",
        "Microsoft.Dynamics.CRM.SendEmail",
        "contact_customer_accounts",
        "'",
        ",",
        "=",
        "%2F",
        "%27",
        "%00",
        "%FF",
        "%",
        "..",
        "ownerid",
        "_ownerid_value",
        "EntityDefinitions",
        "(LogicalName='account')",
        "WhoAmI",
        "()",
        "body",
        "pr_rawmessage",
        "?",
        "&",
        "$select=name",
    ];
    let w = World::sqlite().await;
    let mut dice = Dice(7);
    for n in 0..4000_u32 {
        let mut path = String::from("/");
        for _ in 0..=dice.next(7) {
            path.push_str(dice.pick(PARTS));
        }
        if format!("/api/data/v9.2{path}").parse::<axum::http::Uri>().is_err() {
            continue;
        }
        let method = [Method::GET, Method::POST, Method::PATCH, Method::DELETE, Method::PUT][n as usize % 5].clone();
        let answer = w.ask(method.clone(), &path).raw("application/json", "{}").await;
        answered(&format!("{method} {path}"), answer.status, &answer.text());
    }
}

/// Every row of every table but what an authentication notes, as text.
pub async fn dump(w: &World) -> std::collections::BTreeMap<&'static str, Vec<String>> {
    let mut all = std::collections::BTreeMap::new();
    for table in model::tables::ALL.iter().filter(|t| t.logical != "pr_apitoken") {
        let rows = w.store.query(&model::Query::table(table)).await.unwrap();
        all.insert(table.logical, rows.iter().map(|r| format!("{} {:?}", r.id, r.values)).collect());
    }
    all
}

/// A value that fits the column, or nearly does.
fn nearly(dice: &mut Dice, kind: &model::Kind, ids: &[(String, String)]) -> Value {
    use model::Kind;
    if dice.next(5) == 0 {
        let all = values();
        return all[dice.next(all.len())].clone();
    }
    match kind {
        Kind::Bool => json!(dice.next(2) == 0),
        Kind::Int { min, max } => json!([*min, *max, min - 1, max + 1, 0][dice.next(5)]),
        Kind::BigInt => json!([i64::MIN, 0, i64::MAX][dice.next(3)]),
        Kind::Choice(set) => json!(set.options[dice.next(set.options.len())].value + (dice.next(6) / 5) as i32),
        Kind::Text { max } => json!("t".repeat([1, *max, max + 1][dice.next(3)].min(5000))),
        Kind::Email { .. } => {
            json!(["a@example.com", "A@Example.com", "nobody", "a@b@c", "ä@example.com"][dice.next(5)])
        }
        Kind::Memo => json!("memo"),
        Kind::Time => json!(["2026-03-01T09:00:00Z", "2026-03-01", "1753-01-01T00:00:00Z", "2026-13-01"][dice.next(4)]),
        Kind::Lookup(_) | Kind::Id => json!(ids[dice.next(ids.len())].1),
        Kind::Secret { .. } | Kind::Bytes => json!("secret"),
    }
}

/// A request about some set: its method, path and payload.
fn made(
    dice: &mut Dice,
    sets: &[&'static model::Table],
    ids: &[(String, String)],
) -> (&'static str, Method, String, Option<Value>) {
    let table = sets[dice.next(sets.len())];
    let columns: Vec<&model::Column> = table.all_columns().filter(|c| c.access != Access::Internal).collect();
    let own: Vec<&(String, String)> = ids.iter().filter(|(set, _)| set == table.set).collect();
    let id = if own.is_empty() || dice.next(5) == 0 {
        ids[dice.next(ids.len())].1.clone()
    } else {
        own[dice.next(own.len())].1.clone()
    };
    let mut body = serde_json::Map::new();
    for _ in 0..dice.next(4) {
        let column = columns[dice.next(columns.len())];
        match column.kind {
            model::Kind::Lookup(targets) if dice.next(8) > 0 => {
                let target = targets[dice.next(targets.len())];
                let set = model::tables::by_logical_name(target).map_or(target, |t| t.set);
                let to = &ids[dice.next(ids.len())].1;
                body.insert(format!("{}@odata.bind", table.nav(column, target)), json!(format!("/{set}({to})")));
            }
            _ => drop(body.insert(column.name.to_owned(), nearly(dice, &column.kind, ids))),
        }
    }
    let option = match dice.next(6) {
        0 => format!("?$select={}", columns[dice.next(columns.len())].name),
        1 => format!("?$orderby={}%20desc&$top=3", columns[dice.next(columns.len())].name),
        2 => format!("?$filter={}%20ne%20null", columns[dice.next(columns.len())].name),
        3 => format!("?$expand={}", table.children.first().map_or("ownerid", |c| c.nav)),
        _ => String::new(),
    };
    let set = table.set;
    let column = columns[dice.next(columns.len())];
    let (method, path, sent) = match dice.next(9) {
        0 | 1 => (Method::POST, format!("/{set}"), Some(Value::Object(body))),
        2 | 3 => (Method::PATCH, format!("/{set}({id})"), Some(Value::Object(body))),
        4 => (Method::DELETE, format!("/{set}({id})"), None),
        5 => (
            Method::PUT,
            format!("/{set}({id})/{}", column.name),
            Some(json!({ "value": nearly(dice, &column.kind, ids) })),
        ),
        6 => (Method::DELETE, format!("/{set}({id})/{}", column.name), None),
        7 => (Method::GET, format!("/{set}({id}){option}"), None),
        _ => (Method::GET, format!("/{set}{option}"), None),
    };
    (set, method, path, sent)
}

/// Requests made from the declarations: valid, nearly valid, and none at all.
async fn from_the_declarations(w: &World, rounds: usize, seed: u64) {
    let mut dice = Dice(seed);
    let sets: Vec<&'static model::Table> = model::tables::ALL.iter().copied().filter(|t| t.on_wire).collect();
    let mut ids: Vec<(String, String)> = vec![("accounts".into(), "00000000-0000-0000-0000-00000000000a".into())];
    for (set, body) in [
        ("accounts", json!({ "name": "A" })),
        ("contacts", json!({ "lastname": "C", "emailaddress1": "c@example.com" })),
        (
            "emails",
            json!({ "subject": "E", "email_activity_parties": [{ "addressused": "x@example.com", "participationtypemask": 2 }] }),
        ),
        ("mailboxes", json!({ "name": "F", "emailaddress": "f@example.com" })),
        ("queues", json!({ "name": "Q" })),
    ] {
        ids.push((set.to_owned(), w.create(set, body).await));
    }
    let (mut good, mut refused) = (0, 0);
    let mut before = dump(w).await;
    for _ in 0..rounds {
        let (set, method, path, sent) = made(&mut dice, &sets, &ids);
        let what = format!("{method} {path} {sent:?}");
        let mut ask = w.ask(method.clone(), &path);
        if let Some(sent) = &sent {
            ask = ask.json(sent);
        }
        if dice.next(4) == 0 {
            ask = ask.prefer("return=representation, odata.maxpagesize=2, odata.include-annotations=\"*\"");
        }
        if dice.next(6) == 0 {
            ask = ask.header("if-match", ["*", "W/\"1\"", "rubbish"][dice.next(3)]);
        }
        let answer = ask.await;
        answered(&what, answer.status, &answer.text());
        if answer.status < 400 {
            good += 1;
            if method == Method::POST && answer.headers.contains_key("odata-entityid") {
                ids.push((set.to_owned(), answer.entity_id()));
            }
            if method != Method::GET {
                before = dump(w).await;
            }
            continue;
        }
        refused += 1;
        let error = answer.json();
        let (code, message) = (error["error"]["code"].as_str(), error["error"]["message"].as_str());
        assert!(code.is_some_and(|c| c.starts_with("0x")) && message.is_some_and(|m| !m.is_empty()), "{what}: {error}");
        assert_eq!(dump(w).await, before, "{what} was refused and yet changed something: {error}");
    }
    assert!(good > rounds / 10 && refused > rounds / 10, "{good} good, {refused} refused of {rounds}");
}

#[tokio::test]
async fn declarations_on_sqlite() {
    from_the_declarations(&World::sqlite().await, 1500, 0xA076_1D64_78BD_642F).await;
}

#[tokio::test]
async fn declarations_on_postgres() {
    if let Some(w) = World::postgres().await {
        from_the_declarations(&w, 300, 0xE703_7ED1_A0B4_28DB).await;
    }
}
