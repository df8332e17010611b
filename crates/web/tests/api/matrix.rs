//! The access matrix: role by table by verb by ownership, each cell tried
//! through the API and held against a table that was written by hand.

use std::collections::{BTreeMap, BTreeSet};

use model::{Id, Ref, Table, Value};
use serde_json::{Value as Json, json};

use crate::fuzz::dump;
use crate::world::World;
use expected::{Outcome, Verb, Whose, covers, depth, does, reaches, reads};
use scene::{Caller, Scene};

mod expected;
mod others;
mod scene;

/// Tables whose rows have owners, with a column that can be written.
const OWNED: &[(&str, &str)] = &[
    ("account", "description"),
    ("contact", "description"),
    ("lead", "description"),
    ("email", "subject"),
    ("queue", "description"),
    ("mailbox", "name"),
    ("emailserverprofile", "description"),
    ("userquery", "description"),
];

/// Lookups: the table, the column, its navigation property, the target.
const LINKS: &[(&str, &str, &str, &str)] = &[
    ("account", "primarycontactid", "primarycontactid", "contact"),
    ("contact", "parentcustomerid", "parentcustomerid_account", "account"),
    ("email", "regardingobjectid", "regardingobjectid_lead_email", "lead"),
    ("mailbox", "emailserverprofile", "emailserverprofile", "emailserverprofile"),
    ("email", "receivingmailboxid", "receivingmailboxid", "mailbox"),
    ("email", "acceptingentityid", "acceptingentityid_queue", "queue"),
];

fn table(name: &str) -> &'static Table {
    model::tables::by_logical_name(name).unwrap_or_else(|| panic!("no table {name}"))
}

/// One request of which it is known what must come of it.
#[derive(Debug, Clone, Copy)]
enum Try {
    Get,
    Write(&'static str),
    Delete,
    Assign,
    Create,
    /// Creates a row in that business unit.
    CreateIn,
    /// Sets a lookup of this row to a row of the caller's.
    Append(usize),
    /// Sets a lookup of a row of the caller's to this row.
    AppendTo(usize),
}

impl Try {
    fn expected(self, role: &str, table: &str, whose: Whose) -> Outcome {
        match self {
            Self::Get => reads(role, table, whose),
            Self::Write(_) => does(role, Verb::Write, table, whose),
            Self::Delete => does(role, Verb::Delete, table, whose),
            Self::Assign => does(role, Verb::Assign, table, whose),
            Self::Create | Self::CreateIn => reaches(role, Verb::Create, table, whose),
            Self::Append(n) => links(role, n, whose, Whose::Own),
            Self::AppendTo(n) => links(role, n, Whose::Own, whose),
        }
    }
}

/// Setting a lookup: Write and Append on the row, Append To on the target.
fn links(role: &str, n: usize, from: Whose, to: Whose) -> Outcome {
    let (source, _, _, target) = LINKS[n];
    does(role, Verb::Write, source, from)
        .and(|| does(role, Verb::AppendTo, target, to))
        .and(|| reaches(role, Verb::Append, source, from))
}

fn tries(name: &str, column: &'static str) -> Vec<Try> {
    let mut all = vec![Try::Get, Try::Write(column), Try::Delete, Try::Assign, Try::Create];
    let links = || LINKS.iter().enumerate();
    all.extend(links().filter(|(_, (source, ..))| *source == name).map(|(n, _)| Try::Append(n)));
    all.extend(links().filter(|(_, (.., target))| *target == name).map(|(n, _)| Try::AppendTo(n)));
    all
}

type Dump = BTreeMap<&'static str, Vec<String>>;

/// What was found to be otherwise than written.
#[derive(Default)]
struct Found {
    cells: usize,
    wrong: Vec<String>,
}

impl Found {
    fn cell(&mut self, what: &str, expected: impl std::fmt::Display, got: impl std::fmt::Display) {
        self.cells += 1;
        let (expected, got) = (expected.to_string(), got.to_string());
        if got.split(' ').next() != Some(expected.as_str()) {
            self.wrong.push(format!("{what}: expected {expected}, got {got}"));
        }
    }

    fn request(&mut self, caller: &Caller, cell: &Cell, (status, text): (u16, String)) {
        let got = Outcome::of(status);
        let said = if got == cell.expected { String::new() } else { format!(" {text}") };
        let what = format!("{}, {}, {:?}, {:?}", caller.role, cell.table.logical, cell.what, cell.whose);
        self.cell(&what, cell.expected, format!("{got}{said}"));
    }

    fn unchanged(&mut self, what: &str, before: &Dump, after: &Dump) {
        for (table, rows) in before {
            if after.get(table) != Some(rows) {
                self.wrong.push(format!("{what}: something was refused and yet changed {table}"));
            }
        }
    }
}

/// The rows of one table in every relation to a caller.
type Rows = BTreeMap<Whose, Id>;

async fn rows(scene: &Scene, caller: &Caller, table: &'static Table) -> Rows {
    let mut rows = Rows::new();
    for whose in Whose::ALL {
        rows.insert(whose, scene.row(caller, table, whose, &[]).await);
    }
    rows
}

/// A row of the caller's own in every table that lookups lead from and to.
async fn ends(scene: &Scene, caller: &Caller) -> BTreeMap<&'static str, Id> {
    let mut ends = BTreeMap::new();
    for name in LINKS.iter().flat_map(|(from, _, _, to)| [*from, *to]) {
        ends.insert(name, scene.row(caller, table(name), Whose::Own, &[]).await);
    }
    ends
}

async fn attempt(scene: &Scene, caller: &Caller, cell: &Cell, ends: &BTreeMap<&'static str, Id>) -> (u16, String) {
    let Cell { table, whose, row, what, .. } = *cell;
    let w = &scene.w;
    let path = format!("/{}({row})", table.set);
    let n = scene.number();
    let ask = match what {
        Try::Get => w.get(&format!("{path}?$select={}", table.id)),
        Try::Write(column) if matches!(table.column(column).unwrap().kind, model::Kind::Int { .. }) => {
            w.patch(&path, json!({ column: 1 + n % 250 }))
        }
        Try::Write(column) => w.patch(&path, json!({ column: format!("changed {n}") })),
        Try::Delete => w.delete(&path),
        Try::Assign => {
            let heir = scene.owner(caller, if whose == Whose::Same { Whose::Other } else { Whose::Same });
            w.patch(&path, json!({ "ownerid@odata.bind": format!("/systemusers({})", heir.id) }))
        }
        Try::Create => w.post(&format!("/{}", table.set), new_row(scene, caller, table.logical, whose)),
        Try::CreateIn => w.post(&format!("/{}", table.set), new_in(scene, table.logical, whose)),
        Try::Append(link) => w.patch(&path, bind(link, ends[LINKS[link].3])),
        Try::AppendTo(link) => {
            let source = self::table(LINKS[link].0);
            let from = ends[source.logical];
            w.patch(&format!("/{}({from})", source.set), bind(link, row))
        }
    };
    let answer = ask.by(&caller.token).await;
    (answer.status, answer.text())
}

fn bind(link: usize, target: Id) -> Json {
    let (_, _, nav, name) = LINKS[link];
    json!({ format!("{nav}@odata.bind"): format!("/{}({target})", table(name).set) })
}

/// A payload for a new row in a business unit.
fn new_in(scene: &Scene, name: &str, whose: Whose) -> Json {
    let n = scene.number();
    let unit = format!("/businessunits({})", scene.units[&whose]);
    match name {
        "systemuser" => json!({
            "lastname": "New", "domainname": format!("n{n}@example.com"), "internalemailaddress": format!("n{n}@example.com"),
            "businessunitid@odata.bind": unit
        }),
        "businessunit" => json!({ "name": format!("B{n}"), "parentbusinessunitid@odata.bind": unit }),
        "savedquery" => json!({
            "name": format!("V{n}"), "returnedtypecode": "account",
            "fetchxml": "<fetch><entity name='account'><attribute name='name'/></entity></fetch>"
        }),
        "fieldsecurityprofile" => json!({ "name": format!("F{n}") }),
        _ => json!({ "name": format!("N{n}"), "businessunitid@odata.bind": unit }),
    }
}

/// A payload for a new row of that owner.
fn new_row(scene: &Scene, caller: &Caller, name: &str, whose: Whose) -> Json {
    let n = scene.number();
    let mut body = match name {
        "contact" => json!({ "lastname": format!("C{n}") }),
        "lead" => json!({ "subject": "L", "lastname": format!("L{n}") }),
        "email" => json!({ "subject": "E" }),
        "mailbox" => json!({ "name": format!("M{n}"), "emailaddress": format!("new{n}@example.com") }),
        "emailserverprofile" => json!({
            "name": format!("P{n}"), "servertype": 4, "incomingserverlocation": "a.example", "outgoingserverlocation": "a.example",
            "incomingauthenticationprotocol": 3, "outgoingauthenticationprotocol": 3
        }),
        "userquery" => json!({
            "name": format!("V{n}"), "returnedtypecode": "account",
            "fetchxml": "<fetch><entity name='account'><attribute name='name'/></entity></fetch>"
        }),
        _ => json!({ "name": format!("N{n}") }),
    };
    let owner = scene.owner(caller, whose);
    let set = if owner.table == "team" { "teams" } else { "systemusers" };
    body["ownerid@odata.bind"] = json!(format!("/{set}({})", owner.id));
    body
}

/// One request about a row.
struct Cell {
    table: &'static Table,
    whose: Whose,
    row: Id,
    what: Try,
    expected: Outcome,
}

/// All cells of one role and one table.
async fn owned(
    scene: &Scene,
    caller: &Caller,
    (name, column): (&'static str, &'static str),
    found: &mut Found,
) -> Vec<Cell> {
    let table = table(name);
    let standing = rows(scene, caller, table).await;
    lists(scene, caller, table, name, &standing, found).await;
    let mut cells = Vec::new();
    for what in tries(name, column) {
        for (whose, row) in &standing {
            let expected = what.expected(caller.role, name, *whose);
            cells.push(Cell { table, whose: *whose, row: *row, what, expected });
        }
    }
    cells
}

/// The refused ones first, after which nothing may have changed, then those
/// that are done.
async fn run(scene: &Scene, caller: &Caller, cells: Vec<Cell>, found: &mut Found) {
    let ends = ends(scene, caller).await;
    let (done, refused): (Vec<_>, Vec<_>) = cells.into_iter().partition(|cell| cell.expected == Outcome::Done);
    let before = dump(&scene.w).await;
    for cell in refused {
        found.request(caller, &cell, attempt(scene, caller, &cell, &ends).await);
    }
    found.unchanged(caller.role, &before, &dump(&scene.w).await);
    for mut cell in done {
        // What others still need is not deleted or given away.
        let owned = OWNED.iter().any(|(name, _)| *name == cell.table.logical);
        cell.row = match cell.what {
            Try::Get | Try::Create | Try::CreateIn => cell.row,
            _ if owned => scene.row(caller, cell.table, cell.whose, &[]).await,
            Try::Delete if others::is_placed(cell.table) => {
                others::placed(scene, caller, cell.table.logical, cell.whose).await
            }
            _ => cell.row,
        };
        found.request(caller, &cell, attempt(scene, caller, &cell, &ends).await);
    }
}

/// The same rows asked for in every way a list can be.
/// `like`: the table whose privileges decide.
async fn lists(scene: &Scene, caller: &Caller, table: &'static Table, like: &str, rows: &Rows, found: &mut Found) {
    let (role, name, id, set) = (caller.role, table.logical, table.id, table.set);
    let reads = depth(role, like, Verb::Read);
    let seen: BTreeSet<Id> = rows
        .iter()
        .filter(|(whose, _)| reads.is_some_and(|d| covers(d, Verb::Read, **whose)))
        .map(|(_, id)| *id)
        .collect();
    let any: Vec<String> = rows.values().map(|row| format!("{id} eq {row}")).collect();
    let filter = any.join(" or ").replace(' ', "%20");
    let values: String = rows.values().map(|row| format!("<value>{row}</value>")).collect();
    let fetch = format!(
        "<fetch><entity name='{name}'><attribute name='{id}'/><filter><condition attribute='{id}' operator='in'>{values}</condition></filter></entity></fetch>"
    );
    let total = fetch.replace("<fetch>", "<fetch aggregate='true'>").replace(
        &format!("<attribute name='{id}'/>"),
        &format!("<attribute name='{id}' alias='n' aggregate='count'/>"),
    );
    let encoded = |text: &str| text.replace(' ', "%20").replace('<', "%3C").replace('>', "%3E");
    let ids = |answer: &Json| -> String {
        let all: BTreeSet<&str> = answer["value"].as_array().unwrap().iter().filter_map(|r| r[id].as_str()).collect();
        format!("{all:?}").replace(' ', "")
    };
    let expected_ids = format!("{:?}", seen.iter().map(Id::to_string).collect::<BTreeSet<_>>()).replace(' ', "");
    for (what, path) in [
        ("list", format!("/{set}?$select={id}&$filter={filter}")),
        ("$count", format!("/{set}/$count?$filter={filter}")),
        ("$count=true", format!("/{set}?$select={id}&$count=true&$top=1&$filter={filter}")),
        ("FetchXML", format!("/{set}?fetchXml={}", encoded(&fetch))),
        ("FetchXML count", format!("/{set}?fetchXml={}", encoded(&total))),
        ("$apply", format!("/{set}?$apply=filter({filter})/aggregate($count%20as%20n)")),
    ] {
        let answer = scene.w.get(&path).by(&caller.token).await;
        let what = format!("{role}, {name}, {what}");
        if reads.is_none() || answer.status != 200 {
            let expected = if reads.is_none() { Outcome::Denied } else { Outcome::Done };
            let got = Outcome::of(answer.status);
            let said = if got == expected { String::new() } else { format!(" {}", answer.text()) };
            found.cell(&what, expected, format!("{got}{said}"));
            continue;
        }
        let count = seen.len();
        if path.contains("/$count") {
            found.cell(&what, count, answer.text());
        } else if path.contains("$count=true") {
            found.cell(&what, count, &answer.json()["@odata.count"]);
        } else if path.contains("$apply") || path.contains("aggregate") {
            found.cell(&what, count, &answer.json()["value"][0]["n"]);
        } else {
            found.cell(&what, &expected_ids, ids(&answer.json()));
        }
    }
}

/// A row of the caller's shows the row behind a lookup only to who may read
/// it. Who may read nothing of that table sees it empty as well, where the
/// reference product refuses the whole request.
async fn expands(scene: &Scene, caller: &Caller, found: &mut Found) {
    let role = caller.role;
    for (source, column, nav, target) in LINKS.iter().copied() {
        if reads(role, source, Whose::Own) != Outcome::Done {
            continue;
        }
        let (source, target) = (table(source), table(target));
        for whose in Whose::ALL {
            let row = scene.row(caller, target, whose, &[]).await;
            let from =
                scene.row(caller, source, Whose::Own, &[(column, Value::Ref(Ref::new(target.logical, row)))]).await;
            let path = format!("/{}({from})?$select={}&$expand={nav}($select={})", source.set, source.id, target.id);
            let answer = scene.w.get(&path).by(&caller.token).await;
            let got = match answer.status {
                200 if answer.json()[nav].is_null() => Outcome::Absent,
                status => Outcome::of(status),
            };
            let what = format!("{role}, {}, $expand={nav}, {whose:?}", source.logical);
            let expected =
                if reads(role, target.logical, whose) == Outcome::Done { Outcome::Done } else { Outcome::Absent };
            found.cell(&what, expected, got);
        }
    }
}

/// The roles that are tried, all or some.
async fn whole(w: World, roles: &[&str]) {
    let scene = Scene::new(w).await;
    let mut found = Found::default();
    for caller in scene.callers.iter().filter(|c| roles.is_empty() || roles.contains(&c.role)) {
        let mut cells = Vec::new();
        for table in OWNED {
            cells.append(&mut owned(&scene, caller, *table, &mut found).await);
        }
        cells.append(&mut others::all(&scene, caller, &mut found).await);
        run(&scene, caller, cells, &mut found).await;
        expands(&scene, caller, &mut found).await;
    }
    report(&found);
}

#[track_caller]
fn report(found: &Found) {
    println!("{} cells", found.cells);
    assert!(found.wrong.is_empty(), "{} of {} cells:\n{}", found.wrong.len(), found.cells, found.wrong.join("\n"));
}

#[tokio::test]
async fn on_sqlite() {
    Box::pin(whole(World::sqlite().await, &[])).await;
}

#[tokio::test]
async fn on_postgres() {
    if let Some(w) = World::postgres().await {
        Box::pin(whole(w, &["System Customizer", "Basic User", "Queue Member", expected::NOBODY])).await;
    }
}
