//! Tables whose rows have no owner: users, units and what hangs from them,
//! the organization's, and rows that follow another row.

use model::{Id, Ref, Table, Value};

use super::expected::{Verb, Whose, does, reads};
use super::scene::{Caller, Scene};
use super::{Cell, Found, Rows, Try, lists, table};

/// Tables with what can be tried: a column to write, creating, deleting.
const PLACED: &[(&str, Option<&str>, bool, bool)] = &[
    ("systemuser", Some("jobtitle"), true, false),
    ("usersettings", Some("paginglimit"), false, false),
    ("team", Some("description"), true, true),
    ("role", Some("description"), true, true),
    ("businessunit", Some("description"), true, true),
    ("tracelog", None, false, true),
    ("organization", Some("hashmaxcount"), false, false),
    ("savedquery", Some("description"), true, true),
    ("fieldsecurityprofile", Some("description"), true, true),
    ("privilege", None, false, false),
    ("serviceendpoint", None, false, false),
    ("sdkmessageprocessingstep", None, false, false),
    ("pr_event", None, false, false),
];

/// Rows that follow another: their lookup to it, its table, and whether they
/// can be deleted by themselves.
const FOLLOWING: &[(&str, &str, &str, bool)] = &[
    ("activityparty", "activityid", "email", false),
    ("activitymimeattachment", "objectid", "email", true),
    ("queueitem", "queueid", "queue", true),
    ("pr_ledgerentry", "pr_mailboxid", "mailbox", false),
];

pub fn is_placed(table: &Table) -> bool {
    PLACED.iter().any(|(name, ..)| *name == table.logical)
}

pub async fn all(scene: &Scene, caller: &Caller, found: &mut Found) -> Vec<Cell> {
    let mut cells = Vec::new();
    for (name, column, creates, deletes) in PLACED.iter().copied() {
        let standing = rows(scene, caller, name).await;
        lists(scene, caller, table(name), name, &standing, found).await;
        let mut tries = vec![Try::Get];
        tries.extend(column.map(Try::Write));
        tries.extend(creates.then_some(Try::CreateIn));
        tries.extend(deletes.then_some(Try::Delete));
        for what in tries {
            for (whose, row) in &standing {
                // Nobody is created as the caller.
                if matches!(what, Try::CreateIn) && !scene.units.contains_key(whose) {
                    continue;
                }
                let expected = what.expected(caller.role, name, *whose);
                cells.push(Cell { table: table(name), whose: *whose, row: *row, what, expected });
            }
        }
    }
    for (name, lookup, parent, deletes) in FOLLOWING.iter().copied() {
        let mut standing = Rows::new();
        for whose in Whose::ALL {
            standing.insert(whose, following(scene, caller, (name, lookup, parent), whose).await);
        }
        lists(scene, caller, table(name), parent, &standing, found).await;
        for (whose, row) in standing {
            let cell = |what, expected| Cell { table: table(name), whose, row, what, expected };
            cells.push(cell(Try::Get, reads(caller.role, parent, whose)));
            if deletes {
                // Whatever is done to such a row is writing the other.
                // Removing an item is a queue's ordinary work, for whoever works in it.
                let verb = if name == "queueitem" { Verb::AppendTo } else { Verb::Write };
                cells.push(cell(Try::Delete, does(caller.role, verb, parent, whose)));
            }
        }
    }
    cells
}

/// The rows of a table in the relations to the caller that there are.
async fn rows(scene: &Scene, caller: &Caller, name: &'static str) -> Rows {
    let mut rows = Rows::new();
    match name {
        "systemuser" | "usersettings" => {
            rows.insert(Whose::Own, caller.id);
            rows.extend(scene.owners.iter().map(|(whose, id)| (*whose, *id)));
        }
        "organization" | "privilege" => {
            let found = scene.w.store.query(&model::Query::table(table(name)).limit(1)).await.unwrap();
            rows.insert(Whose::Other, found[0].id);
        }
        "businessunit" => rows.extend(scene.units.iter().map(|(whose, id)| (*whose, *id))),
        "team" => {
            rows.insert(Whose::Team, scene.team);
            for whose in [Whose::Same, Whose::Child, Whose::Other] {
                rows.insert(whose, placed(scene, caller, name, whose).await);
            }
        }
        "role" => {
            for whose in [Whose::Same, Whose::Child, Whose::Other] {
                rows.insert(whose, placed(scene, caller, name, whose).await);
            }
        }
        "tracelog" => {
            for whose in [Whose::Own, Whose::Team, Whose::Same, Whose::Child, Whose::Other] {
                rows.insert(whose, placed(scene, caller, name, whose).await);
            }
        }
        _ => drop(rows.insert(Whose::Other, placed(scene, caller, name, Whose::Other).await)),
    }
    rows
}

pub async fn placed(scene: &Scene, caller: &Caller, name: &'static str, whose: Whose) -> Id {
    let unit = |whose| Value::Ref(Ref::new("businessunit", scene.units.get(&whose).copied().unwrap_or_default()));
    match name {
        "team" | "role" => scene.row(caller, table(name), whose, &[("businessunitid", unit(whose))]).await,
        "businessunit" => scene.row(caller, table(name), whose, &[("parentbusinessunitid", unit(whose))]).await,
        "savedquery" => {
            let text = |text: &str| Value::Text(text.to_owned());
            let fetch = "<fetch><entity name='account'><attribute name='name'/></entity></fetch>";
            let set = [("returnedtypecode", text("account")), ("fetchxml", text(fetch))];
            scene.row(caller, table(name), whose, &set).await
        }
        _ => scene.row(caller, table(name), whose, &[]).await,
    }
}

async fn following(
    scene: &Scene,
    caller: &Caller,
    (name, lookup, parent): (&str, &'static str, &str),
    whose: Whose,
) -> Id {
    let parent = table(parent);
    let row = scene.row(caller, parent, whose, &[]).await;
    let mut set = vec![(lookup, Value::Ref(Ref::new(parent.logical, row)))];
    if name == "queueitem" {
        let email = scene.row(caller, table("email"), whose, &[]).await;
        set.push(("objectid", Value::Ref(Ref::new("email", email))));
    }
    scene.row(caller, table(name), Whose::Own, &set).await
}
