//! Change tracking: following delta links reproduces the table.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::world::World;

/// What a client that follows a table has, by id.
type Copy = BTreeMap<String, Value>;

/// Follows the links from `link` to the next delta link; pages of `size`.
async fn follow(w: &World, token: &str, link: &str, size: usize, copy: &mut Copy) -> String {
    let mut link = link.to_owned();
    loop {
        let path = link.replace("http://crm.example.com", "/");
        let prefer = format!("odata.track-changes,odata.maxpagesize={size}");
        let page = w.get(&path).by(token).prefer(&prefer).await.expect(200).json();
        assert!(page["@odata.context"].as_str().unwrap().ends_with("/$delta"), "{page}");
        let rows = page["value"].as_array().unwrap();
        assert!(rows.len() <= size, "{} rows", rows.len());
        for row in rows {
            if row["reason"] == "deleted" {
                assert!(row["@odata.context"].as_str().unwrap().ends_with("#accounts/$deletedEntity"), "{row}");
                copy.remove(row["id"].as_str().unwrap());
            } else {
                copy.insert(row["accountid"].as_str().unwrap().to_owned(), row.clone());
            }
        }
        match (page["@odata.nextLink"].as_str(), page["@odata.deltaLink"].as_str()) {
            (Some(next), None) => link = next.to_owned(),
            (None, Some(delta)) => return delta.to_owned(),
            other => panic!("one link of the two: {other:?}"),
        }
    }
}

const FIRST: &str = "http://crm.example.com/api/data/v9.2/accounts?$select=name";

async fn whole(w: &World, token: &str) -> Copy {
    let list = w.get("/accounts?$select=name").by(token).await.expect(200).json();
    let rows = list["value"].as_array().unwrap().iter();
    rows.map(|row| (row["accountid"].as_str().unwrap().to_owned(), row.clone())).collect()
}

story!(following_reproduces_the_table_from_any_point, |w| {
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = move |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below
    };
    let token = w.token.clone();
    let mut ids: Vec<String> = Vec::new();
    // Clients that began at different points and follow at their own pace.
    let mut clients: Vec<(String, Copy)> = Vec::new();
    for round in 0..60 {
        for _ in 0..random(5) {
            let at = usize::try_from(random(1000)).unwrap();
            match random(4) {
                _ if ids.is_empty() => ids.push(w.create("accounts", json!({ "name": "first" })).await),
                0 | 1 => ids.push(w.create("accounts", json!({ "name": format!("n{round}") })).await),
                2 => {
                    let id = &ids[at % ids.len()];
                    w.patch(&format!("/accounts({id})"), json!({ "name": format!("changed {round}") }))
                        .await
                        .expect(204);
                }
                _ => {
                    let id = ids.swap_remove(at % ids.len());
                    w.delete(&format!("/accounts({id})")).await.expect(204);
                    // Sometimes the same row is made again.
                    if random(3) == 0 {
                        w.patch(&format!("/accounts({id})"), json!({ "name": "again" })).await.expect(204);
                        ids.push(id);
                    }
                }
            }
        }
        if round % 10 == 0 {
            let mut copy = Copy::new();
            let link = follow(&w, &token, FIRST, 3, &mut copy).await;
            assert_eq!(copy, whole(&w, &token).await);
            clients.push((link, copy));
        }
        let pick = usize::try_from(random(100)).unwrap() % clients.len();
        let (link, mut copy) = clients.swap_remove(pick);
        let size = 1 + usize::try_from(random(4)).unwrap();
        let link = follow(&w, &token, &link, size, &mut copy).await;
        assert_eq!(copy, whole(&w, &token).await, "round {round}");
        clients.push((link, copy));
    }
});

story!(nothing_changed_is_an_empty_answer_with_the_next_link, |w| {
    let first = w.get("/contacts").prefer("odata.track-changes").await.expect(200);
    assert_eq!(first.header("preference-applied"), "odata.track-changes");
    let first = first.json();
    let link = first["@odata.deltaLink"].as_str().unwrap().to_owned();
    assert!(link.contains("$deltatoken=") && link.contains("%21"), "{link}");
    let answer = w.get(&link.replace("http://crm.example.com", "/")).await.expect(200).json();
    assert_eq!(answer["value"], json!([]));
    assert!(answer["@odata.deltaLink"].is_string());
});

story!(what_cannot_be_followed_is_refused, |w| {
    let track = |path: &'static str| w.get(path).prefer("odata.track-changes");
    for path in [
        "/accounts?$filter=name%20eq%20'a'",
        "/accounts?$orderby=name",
        "/accounts?$top=3",
        "/contacts?$expand=ownerid",
    ] {
        track(path).await.expect(400).code("0x80060888");
    }
    track("/organizations").await.expect(400).code("0x80072491");
    track("/pr_ledgerentries").await.expect(400).code("0x80072491");
    for token in ["x", "1", "1%21now", "%21", "-5%2101%2F01%2F2026%2000%3A00%3A00"] {
        w.get(&format!("/accounts?$deltatoken={token}")).await.expect(400).code("0x80060888");
    }
    // From the future, and from too long ago.
    w.get("/accounts?$deltatoken=999999999%2103%2F01%2F2026%2000%3A00%3A00").await.expect(400).code("0x80044352");
    w.get("/accounts?$deltatoken=1%2101%2F01%2F2020%2000%3A00%3A00").await.expect(400).code("0x80044352");
});

story!(a_token_grows_old, |w| {
    let id = w.create("accounts", json!({ "name": "a" })).await;
    let mut copy = Copy::new();
    let token = w.token.clone();
    let link = follow(&w, &token, FIRST, 10, &mut copy).await;
    w.delete(&format!("/accounts({id})")).await.expect(204);
    w.clock.advance(29 * 86_400);
    // Marks of deleted rows go before the token's time when the clock says so.
    follow(&w, &token, &link, 10, &mut copy.clone()).await;
    let before = model::Clock::now(&*w.clock) + model::SignedDuration::from_hours(1);
    assert_eq!(w.store.forget_deleted(before).await.unwrap(), 1);
    let path = link.replace("http://crm.example.com", "/");
    w.get(&path).await.expect(400).code("0x80044352");
    w.clock.advance(2 * 86_400);
    let list = w.read("/organizations").await;
    let organization = list["value"][0]["organizationid"].as_str().unwrap();
    w.patch(&format!("/organizations({organization})"), json!({ "expirechangetrackingindays": 365 })).await.expect(204);
    w.get(&path).await.expect(400).code("0x80044352");
});

story!(changes_of_rows_that_may_not_be_read_are_not_told, |w| {
    let (user, token) = w.user("u@example.com").await;
    let (other, _) = w.user("o@example.com").await;
    let body =
        json!({ "subject": "mine", "ownerid@odata.bind": format!("/systemusers({user})"), "directioncode": true });
    let mine = w.create("emails", body).await;
    let first = w.get("/emails?$select=subject").by(&token).prefer("odata.track-changes").await.expect(200).json();
    assert_eq!(first["value"].as_array().unwrap().len(), 1);
    let link = first["@odata.deltaLink"].as_str().unwrap().replace("http://crm.example.com", "/");
    let count = link.replace("/emails?", "/emails/$count?");
    assert_eq!(w.get(&count).by(&token).await.expect(200).text(), "0");
    w.patch(&format!("/emails({mine})"), json!({ "ownerid@odata.bind": format!("/systemusers({other})") }))
        .await
        .expect(204);
    let answer = w.get(&link).by(&token).await.expect(200).json();
    assert_eq!(answer["value"], json!([]), "{answer}");
    assert_eq!(w.get(&count).by(&token).await.expect(200).text(), "0");
    // Who may read it sees it as it is.
    let answer = w.get(&link).await.expect(200).json();
    assert_eq!(answer["value"][0]["subject"], "mine", "{answer}");
    assert_eq!(w.get(&count).await.expect(200).text(), "1");
});

story!(deletions_are_told_to_those_who_could_read_the_row, |w| {
    let (user, token) = w.user("u@example.com").await;
    let account = |owner: &str| json!({ "name": "A", "ownerid@odata.bind": format!("/systemusers({owner})") });
    let me = w.read("/WhoAmI").await["UserId"].as_str().unwrap().to_owned();
    let own = w.create("accounts", account(&user)).await;
    let others = w.create("accounts", account(&me)).await;
    let first = w.get("/accounts?$select=name").by(&token).prefer("odata.track-changes").await.expect(200).json();
    let link = first["@odata.deltaLink"].as_str().unwrap().replace("http://crm.example.com", "/");
    let count = link.replace("/accounts?", "/accounts/$count?");
    for id in [&own, &others] {
        w.delete(&format!("/accounts({id})")).await.expect(204);
    }
    let told = |answer: serde_json::Value| -> Vec<String> {
        answer["value"].as_array().unwrap().iter().map(|r| r["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(told(w.get(&link).by(&token).await.expect(200).json()), std::slice::from_ref(&own));
    assert_eq!(w.get(&count).by(&token).await.expect(200).text(), "1");
    assert_eq!(told(w.get(&link).await.expect(200).json()), [own, others]);
    assert_eq!(w.get(&count).await.expect(200).text(), "2");
});
