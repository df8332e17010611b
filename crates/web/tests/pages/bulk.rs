//! Commands on many rows: what is chosen, what is done with it when the page
//! is gone, and with whose rights.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use actions::bulk::Bench;
use actions::{NoRandomness, Random, Settings};
use model::Query;
use model::tables::{BulkCommand, BulkOutcome, BulkRow, BulkState};
use serde_json::{Value, json};

use crate::people::Person;
use crate::world::World;

fn bench(w: &World) -> Bench {
    Bench::new(w.store.clone(), w.clock.clone(), w.random.clone(), Settings::default())
}

async fn work_off(w: &World) -> usize {
    let bench = bench(w);
    let mut all = 0;
    loop {
        match bench.work_off(|| false).await.unwrap() {
            0 => return all,
            n => all += n,
        }
    }
}

async fn contacts(w: &World, count: usize) {
    for n in 0..count {
        w.create("contacts", json!({ "lastname": format!("Person {n:03}") })).await;
    }
}

async fn states(w: &World) -> (usize, usize) {
    let found = w.read("/contacts?$select=statecode").await;
    let rows = found["value"].as_array().unwrap();
    let inactive = rows.iter().filter(|row| row["statecode"] == 1).count();
    (rows.len() - inactive, inactive)
}

async fn view(w: &World, name: &str) -> String {
    let found = w.read(&format!("/savedqueries?$filter=name%20eq%20'{}'", name.replace(' ', "%20"))).await;
    found["value"][0]["savedqueryid"].as_str().unwrap().to_owned()
}

/// What the page that asks carries along.
fn remembered(page: &str) -> String {
    page.split("name=\"bulk\" value=\"").nth(1).expect(page).split('"').next().unwrap().to_owned()
}

/// All active contacts are to be deactivated: asked, and said yes to.
async fn deactivate(admin: &mut Person<'_>, view: &str) -> String {
    let page = admin.send("/work/contacts/deactivate", &[("view", view), ("every", "1")]).await.expect(200);
    let bulk = remembered(&page.text());
    let go = admin.send("/work/contacts/deactivate/yes", &[("view", view), ("bulk", &bulk)]).await.expect(303);
    assert_eq!(go.header("location"), format!("/work/commands/{bulk}"));
    bulk
}

story!(many_rows_are_worked_off_afterwards, |w| {
    contacts(&w, 120).await;
    let mut admin = w.administrator().await;
    let active = view(&w, "Active Contacts").await;
    let page = admin.send("/work/contacts/deactivate", &[("view", &active), ("every", "1")]).await.expect(200);
    let page = page.sees("120 selected").sees("Person 000").sees("and 20 more").sees("one after the other");
    assert_eq!(states(&w).await, (120, 0), "it asks first");
    let bulk = remembered(&page.text());
    assert_eq!(work_off(&w).await, 0, "nobody has said yes");
    admin.send("/work/contacts/deactivate/yes", &[("view", &active), ("bulk", &bulk)]).await.expect(303);
    // The button was pressed twice.
    admin.send("/work/contacts/deactivate/yes", &[("view", &active), ("bulk", &bulk)]).await.expect(303);
    let path = format!("/work/commands/{bulk}");
    let page = admin.open(&path).await.expect(200).sees("0 of 120 worked off").sees("Cancel the rest");
    page.says("hx-trigger=\"every 1s\"").says("role=\"progressbar\" max=\"120\" value=\"0\"");
    assert_eq!(work_off(&w).await, 120);
    assert_eq!(states(&w).await, (0, 120));
    let page = admin.open(&path).await.expect(200).sees("120 of 120 worked off").sees("120 done, 0 refused");
    let page = page.sees("Person 119");
    assert!(!page.text().contains("hx-trigger=\"every 1s\"") && !page.text().contains("Cancel the rest"));
    page.says(&format!("href=\"/work/contacts?view={active}\""));
    admin.open("/work/commands").await.expect(200).sees("Deactivate").sees("120");
    // It is nobody else's.
    let mut sally = w.salesperson().await;
    sally.open(&path).await.expect(404);
    sally.send(&format!("{path}/cancel"), &[]).await.expect(404);
    sally.send("/work/contacts/deactivate/yes", &[("bulk", &bulk)]).await.expect(404);
});

story!(many_rows_that_were_ticked, |w| {
    contacts(&w, 60).await;
    let mut admin = w.administrator().await;
    let found = w.read("/contacts?$select=contactid").await;
    let ids: Vec<&str> = found["value"].as_array().unwrap().iter().filter_map(|r| r["contactid"].as_str()).collect();
    let fields: Vec<(&str, &str)> = ids.iter().map(|id| ("id", *id)).collect();
    let page = admin.send("/work/contacts/activate", &fields).await.expect(200).sees("60 selected");
    let bulk = remembered(&page.text());
    // A command of one list is none of another's.
    admin.send("/work/accounts/delete/yes", &[("bulk", &bulk)]).await.expect(405).sees("about other rows");
    // Deleting the same rows is another command.
    let page = admin.send("/work/contacts/delete", &fields).await.expect(200);
    let bulk = remembered(&page.text());
    admin.send("/work/contacts/delete/yes", &[("bulk", &bulk)]).await.expect(303);
    assert_eq!(work_off(&w).await, 60);
    assert_eq!(states(&w).await, (0, 0));
    admin.open(&format!("/work/commands/{bulk}")).await.expect(200).sees("60 done, 0 refused");
});

story!(what_is_refused_is_kept_with_its_reason, |w| {
    contacts(&w, 70).await;
    let mut admin = w.administrator().await;
    let active = view(&w, "Active Contacts").await;
    let bulk = deactivate(&mut admin, &active).await;
    // One of them is gone by then.
    let first = w.read("/contacts?$select=contactid&$filter=lastname%20eq%20'Person%20007'").await;
    let id = first["value"][0]["contactid"].as_str().unwrap().to_owned();
    w.delete(&format!("/contacts({id})")).await.expect(204);
    assert_eq!(work_off(&w).await, 70);
    let page = admin.open(&format!("/work/commands/{bulk}")).await.expect(200);
    page.sees("69 done, 1 refused").sees("Person 007").sees("Does Not Exist");
    assert_eq!(states(&w).await, (0, 69));
});

story!(the_rights_are_those_of_the_moment, |w| {
    contacts(&w, 60).await;
    let mut admin = w.administrator().await;
    let bulk = {
        let active = view(&w, "Active Contacts").await;
        let mut other = w.person("second@example.com", &["System Administrator"]).await;
        let bulk = deactivate(&mut other, &active).await;
        admin.send(&format!("/settings/security/users/{}/disable", other.id), &[]).await.expect(303);
        bulk
    };
    assert_eq!(work_off(&w).await, 60);
    assert_eq!(states(&w).await, (60, 0), "who is disabled does nothing more");
    let rows = w.store.list::<BulkRow>(&Query::of::<BulkRow>()).await.unwrap();
    assert!(rows.iter().all(|row| row.why.contains("disabled")), "{:?}", rows.first());
    let command = w.store.load::<BulkCommand>(bulk.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((command.state, command.done, command.refused), (BulkState::Done, 0, 60));
});

story!(a_command_survives_the_end_of_its_process, |w| {
    contacts(&w, 130).await;
    let mut admin = w.administrator().await;
    let active = view(&w, "Active Contacts").await;
    let bulk = deactivate(&mut admin, &active).await;
    // The process ends in the middle of it.
    let rows = std::sync::atomic::AtomicUsize::new(0);
    let stop = || rows.fetch_add(1, std::sync::atomic::Ordering::Relaxed) > 30;
    let worked = bench(&w).work_off(stop).await.unwrap();
    assert!(worked > 0 && worked < 100, "{worked}");
    assert_eq!(states(&w).await.1, worked);
    let path = format!("/work/commands/{bulk}");
    admin.open(&path).await.expect(200).sees(&format!("{worked} of 130 worked off"));
    // Two others find it at the same moment: nothing is done twice.
    let (a, b) = (bench(&w), bench(&w));
    loop {
        let (a, b) = tokio::join!(a.work_off(|| false), b.work_off(|| false));
        if a.unwrap() + b.unwrap() == 0 {
            break;
        }
    }
    assert_eq!(states(&w).await, (0, 130));
    admin.open(&path).await.expect(200).sees("130 done, 0 refused");
    let edits =
        w.read("/pr_audits?$filter=pr_action%20eq%20'update'%20and%20pr_table%20eq%20'contact'&$select=pr_row").await;
    assert_eq!(edits["value"].as_array().map(Vec::len), Some(130), "one change a row");
});

story!(the_rest_is_cancelled, |w| {
    contacts(&w, 130).await;
    let mut admin = w.administrator().await;
    let active = view(&w, "Active Contacts").await;
    let bulk = deactivate(&mut admin, &active).await;
    let bench = bench(&w);
    assert_eq!(bench.work_off(|| false).await.unwrap(), 100, "one turn");
    let path = format!("/work/commands/{bulk}");
    admin.send(&format!("{path}/cancel"), &[]).await.expect(303);
    assert_eq!(work_off(&w).await, 0);
    assert_eq!(states(&w).await, (30, 100));
    admin.open(&path).await.expect(200).sees("Cancelled").sees("30 rows were left as they were");
    admin.send(&format!("{path}/cancel"), &[]).await.expect(303);
});

/// A bench whose machine has no randomness while it is told so, so that what
/// is to be written down fails for a reason that lies in no row.
fn brittle(w: &World) -> (Bench, Arc<AtomicBool>) {
    let broken = Arc::new(AtomicBool::new(false));
    let (told, random) = (Arc::clone(&broken), w.random.clone());
    let random = Random::new(move |bytes| {
        if told.load(Ordering::Relaxed) {
            return Err(NoRandomness("none is left".to_owned()));
        }
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&random.bytes::<8>()?[..chunk.len()]);
        }
        Ok(())
    });
    (Bench::new(w.store.clone(), w.clock.clone(), random, Settings::default()), broken)
}

/// Works off a turn in which one row fails, and leaves the machine broken.
async fn one_fails(bench: &Bench, broken: &AtomicBool) -> usize {
    let asked = AtomicUsize::new(0);
    let worked = bench.work_off(|| {
        broken.store(asked.fetch_add(1, Ordering::Relaxed) == 3, Ordering::Relaxed);
        false
    });
    let worked = worked.await.unwrap();
    broken.store(true, Ordering::Relaxed);
    worked
}

story!(what_fails_for_a_reason_of_ours_is_tried_again, |w| {
    contacts(&w, 60).await;
    let mut admin = w.administrator().await;
    let active = view(&w, "Active Contacts").await;
    let path = format!("/work/commands/{}", deactivate(&mut admin, &active).await);
    let (bench, broken) = brittle(&w);
    assert_eq!(one_fails(&bench, &broken).await, 59);
    assert_eq!(states(&w).await, (1, 59), "the others go on");
    admin.open(&path).await.expect(200).sees("59 of 60 worked off").sees("In progress").sees("59 done, 0 refused");
    // It is tried again, but not at once.
    assert_eq!(bench.work_off(|| false).await.unwrap(), 0);
    let tries =
        async || w.store.list::<BulkRow>(&Query::of::<BulkRow>()).await.unwrap().iter().map(|r| r.tries).sum::<i64>();
    assert_eq!(tries().await, 1);
    w.clock.advance(6);
    assert_eq!(bench.work_off(|| false).await.unwrap(), 0);
    assert_eq!(tries().await, 2);
    broken.store(false, Ordering::Relaxed);
    w.clock.advance(6);
    assert_eq!(bench.work_off(|| false).await.unwrap(), 1);
    assert_eq!(states(&w).await, (0, 60));
    admin.open(&path).await.expect(200).sees("60 done, 0 refused").sees("Done");
});

story!(what_keeps_failing_is_noted_with_what_to_do, |w| {
    contacts(&w, 60).await;
    let mut admin = w.administrator().await;
    let active = view(&w, "Active Contacts").await;
    let bulk = deactivate(&mut admin, &active).await;
    let (bench, broken) = brittle(&w);
    assert_eq!(one_fails(&bench, &broken).await, 59);
    let mut worked = 0;
    for _ in 0..10 {
        w.clock.advance(6);
        worked += bench.work_off(|| false).await.unwrap();
    }
    assert_eq!(worked, 1, "it is given up once");
    assert_eq!(states(&w).await, (1, 59));
    let command = w.store.load::<BulkCommand>(bulk.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((command.state, command.done, command.refused, command.failed), (BulkState::Done, 59, 0, 1));
    let rows = w.store.list::<BulkRow>(&Query::of::<BulkRow>()).await.unwrap();
    assert_eq!(rows.iter().filter(|row| row.outcome == BulkOutcome::Failed).count(), 1);
    let page = admin.open(&format!("/work/commands/{bulk}")).await.expect(200);
    page.sees("60 of 60 worked off")
        .sees("59 done, 0 refused, 1 failed")
        .sees("It failed 4 times for a reason that does not lie in the row.")
        .sees("postroom doctor")
        .says("<span class=\"state bad\">Done</span>");
    let mut german = w.administrator().await.reading("de");
    german.submit("/options", &[("uilanguageid", "1031")]).await;
    german.open(&format!("/work/commands/{bulk}")).await.sees("1 fehlgeschlagen").sees("Es schlug 4-mal");
});

story!(what_nobody_says_yes_to_is_forgotten, |w| {
    contacts(&w, 60).await;
    let mut admin = w.administrator().await;
    let active = view(&w, "Active Contacts").await;
    admin.send("/work/contacts/deactivate", &[("view", &active), ("every", "1")]).await.expect(200);
    let count = async || w.store.list::<BulkRow>(&Query::of::<BulkRow>()).await.unwrap().len();
    assert_eq!(work_off(&w).await, 0);
    assert_eq!(count().await, 60);
    w.clock.advance(25 * 3600);
    assert_eq!(work_off(&w).await, 0);
    assert_eq!(count().await, 0);
    assert!(w.store.list::<BulkCommand>(&Query::of::<BulkCommand>()).await.unwrap().is_empty());
});

story!(many_are_given_to_somebody_and_many_are_edited, |w| {
    contacts(&w, 60).await;
    let mut admin = w.administrator().await;
    let active = view(&w, "Active Contacts").await;
    let sally = w.salesperson().await;
    let chosen = [("view", active.as_str()), ("every", "1")];
    let page = admin.send("/work/contacts/assign", &chosen).await.expect(200).sees("Person 000").sees("Person 059");
    let bulk = remembered(&page.text());
    let target = format!("systemuser:{}", sally.id);
    // Without a choice it asks again, about the same rows.
    let page = admin.send("/work/contacts/assign/yes", &[("bulk", &bulk)]).await.expect(200);
    assert_eq!(remembered(&page.sees("Choose to whom the records go.").text()), bulk);
    admin.send("/work/contacts/assign/yes", &[("bulk", &bulk), ("target", &target)]).await.expect(303);
    assert_eq!(work_off(&w).await, 60);
    let found: Value = w.read("/contacts?$select=_ownerid_value").await;
    assert!(found["value"].as_array().unwrap().iter().all(|row| row["_ownerid_value"] == sally.id.as_str()));
});

story!(mailboxes_are_tested_by_the_hundred, |w| {
    let body = json!({ "name": "Ours", "servertype": 4, "incomingserverlocation": "mail.example.com",
        "outgoingserverlocation": "mail.example.com", "incomingauthenticationprotocol": 3, "outgoingauthenticationprotocol": 3,
        "incomingcredentialretrieval": 1, "incomingusername": "u", "incomingpassword": "p" });
    let profile = w.create("emailserverprofiles", body).await;
    for n in 0..60 {
        let body = json!({ "name": format!("box {n:02}"), "emailaddress": format!("box{n}@example.com"), "incomingemaildeliverymethod": 2,
            "emailserverprofile@odata.bind": format!("/emailserverprofiles({profile})") });
        w.create("mailboxes", body).await;
    }
    let mut admin = w.administrator().await;
    let view = view(&w, "Forward Mailboxes").await;
    let every = [("view", view.as_str()), ("every", "1")];
    let page = admin.send("/settings/mailboxes/approve", &every).await.expect(200).sees("60 selected");
    let bulk = remembered(&page.text());
    admin.send("/settings/mailboxes/approve/yes", &[("bulk", &bulk)]).await.expect(303);
    assert_eq!(work_off(&w).await, 60);
    // What is to be the same for all of them is said once.
    let page = admin.send("/settings/mailboxes/edit", &every).await.expect(200).sees("60 mailboxes are selected");
    let bulk = remembered(&page.text());
    let fields = [("bulk", bulk.as_str()), ("change", "processanddeleteemails"), ("processanddeleteemails", "1")];
    let page = admin.send("/settings/mailboxes/edit/check", &fields).await.expect(200).sees("60 selected");
    assert_eq!(remembered(&page.text()), bulk);
    admin.send("/settings/mailboxes/edit/yes", &fields).await.expect(303);
    assert_eq!(work_off(&w).await, 60);
    admin.open(&format!("/work/commands/{bulk}")).await.expect(200).sees("60 done, 0 refused");
    let found = w.read("/mailboxes?$filter=processanddeleteemails%20eq%20true&$select=name").await;
    assert_eq!(found["value"].as_array().map(Vec::len), Some(60));
    w.clock.advance(60);
    let page = admin.send("/settings/mailboxes/test", &every).await.expect(200);
    let bulk = remembered(&page.text());
    admin.send("/settings/mailboxes/test/yes", &[("bulk", &bulk)]).await.expect(303);
    assert_eq!(work_off(&w).await, 60);
    let page = admin.open(&format!("/work/commands/{bulk}")).await.expect(200).sees("60 done, 0 refused");
    let text = page.sees("Follow the tests").text();
    let url = text.split("href=\"/settings/mailboxes/tests").nth(1).unwrap().split('"').next().unwrap();
    let url = format!("/settings/mailboxes/tests{}", url.replace("&#38;", "&").replace("&amp;", "&"));
    admin.open(&url).await.expect(200).sees("0 of 60 done");
});
