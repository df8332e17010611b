//! FetchXML: joins, groups, pages, and that nothing shows through them that
//! the caller may not read.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Value, json};

use crate::world::{Answer, World};

const ALL: &str = "odata.include-annotations=\"*\"";

pub async fn ask(w: &World, set: &str, option: &str, query: &str) -> Answer {
    let query = utf8_percent_encode(query, NON_ALPHANUMERIC);
    w.get(&format!("/{set}?{option}={query}")).prefer(ALL).await
}

async fn fetch(w: &World, set: &str, xml: &str) -> Value {
    ask(w, set, "fetchXml", xml).await.expect(200).json()
}

/// One column of the answer's rows.
#[track_caller]
pub fn column(body: &Value, name: &str) -> Vec<String> {
    let rows = body["value"].as_array().unwrap();
    let text = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
    rows.iter().map(|r| text(&r[name])).collect()
}

/// Accounts Alpha (2 contacts), Beta (1), Gamma (none).
pub async fn people(w: &World) {
    for (name, number, contacts) in [("Alpha", "1", &["Ann", "Bob"][..]), ("Beta", "2", &["Cid"]), ("Gamma", "3", &[])]
    {
        let id = w.create("accounts", json!({ "name": name, "accountnumber": number })).await;
        for last in contacts {
            let of = format!("/accounts({id})");
            w.create("contacts", json!({ "lastname": last, "parentcustomerid_account@odata.bind": of })).await;
        }
    }
}

const CONTACTS: &str = "<link-entity name='contact' from='parentcustomerid' to='accountid' alias='c'";

story!(rows_of_one_table, |w| {
    people(&w).await;
    let body = fetch(
        &w,
        "accounts",
        "<fetch><entity name='account'><attribute name='name'/><attribute name='ownerid'/>\
         <order attribute='name' descending='true'/><filter><condition attribute='name' operator='ne' value='beta'/></filter></entity></fetch>",
    )
    .await;
    assert_eq!(column(&body, "name"), ["Gamma", "Alpha"]);
    let row = &body["value"][0];
    assert!(row["@odata.etag"].as_str().unwrap().starts_with("W/\""));
    assert_eq!(row["accountid"].as_str().unwrap().len(), 36);
    assert_eq!(row["_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"], "systemuser");
    assert!(row["_ownerid_value@OData.Community.Display.V1.FormattedValue"].is_string());
    assert!(body["@odata.context"].as_str().unwrap().contains("$metadata#accounts("));
});

story!(joins, |w| {
    people(&w).await;
    let query = |kind: &str| {
        format!(
            "<fetch><entity name='account'><attribute name='name'/><order attribute='name'/>\
             {CONTACTS} link-type='{kind}'><attribute name='lastname'/><attribute name='ownerid'/><order attribute='lastname'/></link-entity></entity></fetch>"
        )
    };
    let inner = fetch(&w, "accounts", &query("inner")).await;
    assert_eq!(column(&inner, "name"), ["Alpha", "Alpha", "Beta"]);
    assert_eq!(column(&inner, "c.lastname"), ["Ann", "Bob", "Cid"]);
    assert_eq!(inner["value"][0]["c.ownerid@Microsoft.Dynamics.CRM.lookuplogicalname"], "systemuser");
    let outer = fetch(&w, "accounts", &query("outer")).await;
    assert_eq!(column(&outer, "c.lastname"), ["Ann", "Bob", "Cid", "null"]);
    let first = fetch(&w, "accounts", &query("matchfirstrowusingcrossapply")).await;
    assert_eq!(column(&first, "name"), ["Alpha", "Beta"]);
});

story!(whether_there_are_rows, |w| {
    people(&w).await;
    for (kind, filter, expected) in [
        ("any", "", &["Alpha", "Beta"][..]),
        ("not any", "", &["Gamma"]),
        ("any", "Ann", &["Alpha"]),
        ("not any", "Ann", &["Beta", "Gamma"]),
        ("all", "Ann", &["Beta"]),
        ("not all", "Ann", &["Alpha"]),
        ("exists", "Cid", &["Beta"]),
        ("in", "Cid", &["Beta"]),
    ] {
        let inner = match filter {
            "" => String::new(),
            name => format!("<filter><condition attribute='lastname' operator='eq' value='{name}'/></filter>"),
        };
        let query = format!(
            "<fetch><entity name='account'><attribute name='name'/><order attribute='name'/><filter>\
             {CONTACTS} link-type='{kind}'>{inner}</link-entity></filter></entity></fetch>"
        );
        assert_eq!(column(&fetch(&w, "accounts", &query).await, "name"), expected, "{kind} {filter}");
    }
});

story!(conditions_across_joins, |w| {
    people(&w).await;
    let query = format!(
        "<fetch><entity name='account'><attribute name='name'/><order attribute='name'/><filter type='or'>\
         <condition entityname='c' attribute='lastname' operator='eq' value='BOB'/>\
         <condition entityname='c' attribute='contactid' operator='null'/></filter>{CONTACTS} link-type='outer'/></entity></fetch>"
    );
    assert_eq!(column(&fetch(&w, "accounts", &query).await, "name"), ["Alpha", "Gamma"]);
    let query = format!(
        "<fetch><entity name='account'><attribute name='name'/><filter>\
         <condition attribute='name' operator='ne' valueof='c.lastname'/></filter>{CONTACTS}/></entity></fetch>"
    );
    assert_eq!(fetch(&w, "accounts", &query).await["value"].as_array().unwrap().len(), 3);
    for (pattern, expected) in
        [("[a-b]%", &["Alpha", "Beta"][..]), ("%a%a%", &["Alpha", "Gamma"]), ("[^a]%", &["Beta", "Gamma"])]
    {
        let query = format!(
            "<fetch><entity name='account'><attribute name='name'/><order attribute='name'/><filter>\
             <condition attribute='name' operator='like' value='{pattern}'/></filter></entity></fetch>"
        );
        assert_eq!(column(&fetch(&w, "accounts", &query).await, "name"), expected, "{pattern}");
    }
});

story!(groups, |w| {
    people(&w).await;
    let query = format!(
        "<fetch aggregate='true'><entity name='account'><attribute name='name' alias='n' groupby='true'/>\
         <order alias='c' descending='true'/><order alias='n'/>\
         {CONTACTS} link-type='outer'><attribute name='contactid' alias='c' aggregate='countcolumn'/></link-entity></entity></fetch>"
    );
    let body = fetch(&w, "accounts", &query).await;
    assert_eq!(column(&body, "n"), ["Alpha", "Beta", "Gamma"]);
    assert_eq!(column(&body, "c"), ["2", "1", "0"]);
    assert!(body["value"][0].get("@odata.etag").is_none());
    let query = "<fetch aggregate='true'><entity name='account'><attribute name='createdon' alias='y' groupby='true' dategrouping='year'/>\
         <attribute name='createdon' alias='q' groupby='true' dategrouping='quarter'/>\
         <attribute name='createdon' alias='m' groupby='true' dategrouping='month'/>\
         <attribute name='createdon' alias='w' groupby='true' dategrouping='week'/>\
         <attribute name='createdon' alias='d' groupby='true' dategrouping='day'/>\
         <attribute name='createdon' alias='first' aggregate='min'/>\
         <attribute name='statecode' alias='s' groupby='true'/>\
         <attribute name='accountid' alias='n' aggregate='count'/></entity></fetch>";
    let row = &fetch(&w, "accounts", query).await["value"][0];
    let found: Vec<i64> = ["y", "q", "m", "w", "d", "n", "s"].iter().map(|n| row[n].as_i64().unwrap()).collect();
    // A Sunday, the 60th day of a year that began on a Thursday.
    assert_eq!(found, [2026, 1, 3, 10, 1, 3, 0]);
    assert_eq!(row["first"], "2026-03-01T09:00:00Z");
    assert_eq!(row["s@OData.Community.Display.V1.FormattedValue"], "Active");
});

story!(reckoning_with_numbers, |w| {
    for n in [10, 20, 45, 0] {
        let body = json!({ "name": format!("n{n}"), "returnedtypecode": "account", "querytype": n });
        w.create("userqueries", body).await;
    }
    let query = "<fetch aggregate='true'><entity name='userquery'>\
         <attribute name='querytype' alias='s' aggregate='sum'/><attribute name='querytype' alias='a' aggregate='avg'/>\
         <attribute name='querytype' alias='l' aggregate='min'/><attribute name='querytype' alias='h' aggregate='max'/>\
         <attribute name='description' alias='c' aggregate='countcolumn'/><attribute name='querytype' alias='n' aggregate='count'/>\
         <attribute name='statecode' alias='d' aggregate='countcolumn' distinct='true'/></entity></fetch>";
    let row = fetch(&w, "userqueries", query).await["value"][0].clone();
    let found: Vec<i64> = ["s", "a", "l", "h", "c", "n", "d"].iter().map(|n| row[n].as_i64().unwrap()).collect();
    assert_eq!(found, [75, 18, 0, 45, 0, 4, 1]);
    // Of nothing there is a count and no sum.
    let none =
        query.replace("</entity>", "<filter><condition attribute='name' operator='eq' value='x'/></filter></entity>");
    let row = fetch(&w, "userqueries", &none).await["value"][0].clone();
    assert_eq!((&row["n"], &row["s"], &row["a"]), (&json!(0), &Value::Null, &Value::Null));
});

story!(distinct_rows, |w| {
    for name in ["Same", "same", "SAME", "Other"] {
        w.create("accounts", json!({ "name": name })).await;
    }
    let query = "<fetch distinct='true' returntotalrecordcount='true'><entity name='account'><attribute name='name'/><order attribute='name'/></entity></fetch>";
    let body = fetch(&w, "accounts", query).await;
    assert_eq!(column(&body, "name").len(), 2);
    assert_eq!(body["@Microsoft.Dynamics.CRM.totalrecordcount"], 2);
    assert_eq!(body["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"], false);
});

/// As the clients do it: decoded twice, back into the query.
fn next_page(query: &str, body: &Value) -> Option<String> {
    if body["@Microsoft.Dynamics.CRM.morerecords"] != true {
        return None;
    }
    let outer = body["@Microsoft.Dynamics.CRM.fetchxmlpagingcookie"].as_str().unwrap();
    let inner = outer.split("pagingcookie=\"").nth(1).unwrap().split('"').next().unwrap();
    let decode = |text: &str| percent_decode_str(text).decode_utf8().unwrap().into_owned();
    let inner = decode(&decode(inner)).replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let number = outer.split("pagenumber=\"").nth(1).unwrap().split('"').next().unwrap();
    Some(query.replace("<fetch ", &format!("<fetch page='{number}' paging-cookie='{inner}' ")))
}

story!(pages, |w| {
    people(&w).await;
    let plain = format!(
        "<fetch count='2'><entity name='account'><attribute name='name'/><order attribute='statecode'/>\
         {CONTACTS} link-type='outer'><attribute name='lastname'/><order attribute='lastname' descending='true'/></link-entity></entity></fetch>"
    );
    let mut found = Vec::new();
    let mut query = plain.clone();
    for n in 0.. {
        let body = fetch(&w, "accounts", &query).await;
        found.extend(column(&body, "c.lastname"));
        // A row that comes in before the place where the page ended moves nothing.
        w.create("accounts", json!({ "name": format!("late {n}"), "statecode": 0 })).await;
        match next_page(&plain, &body) {
            Some(next) if n < 5 => query = next,
            _ => break,
        }
    }
    assert_eq!(found[..4], ["Cid", "Bob", "Ann", "null"]);
    let first = found[..3].iter().filter(|f| *f != "null").count();
    assert_eq!(first, 3);
});

story!(pages_by_number, |w| {
    people(&w).await;
    let query = |page: u32| {
        format!(
            "<fetch distinct='true' count='2' page='{page}'><entity name='account'><attribute name='name'/><order attribute='name'/></entity></fetch>"
        )
    };
    let first = fetch(&w, "accounts", &query(1)).await;
    assert_eq!(column(&first, "name"), ["Alpha", "Beta"]);
    assert!(next_page(&query(1), &first).is_some());
    let second = fetch(&w, "accounts", &query(2)).await;
    assert_eq!(column(&second, "name"), ["Gamma"]);
    assert!(next_page(&query(2), &second).is_none());
    ask(&w, "accounts", "fetchXml", &query(100_000)).await.expect(400).says("paging cookie");
});

story!(refused, |w| {
    let entity = |inner: &str| format!("<fetch><entity name='mailbox'>{inner}</entity></fetch>");
    for (query, code) in [
        ("<fetch>".to_owned(), "0x80040201"),
        ("<fetch><entity name='nothing'/></fetch>".to_owned(), "0x80041102"),
        ("<fetch><entity name='pr_login'/></fetch>".to_owned(), "0x80041102"),
        (entity("<attribute name='nothing'/>"), "0x80041103"),
        (entity("<attribute name='password'/>"), "0x80041103"),
        (entity("<filter><condition attribute='password' operator='not-null'/></filter>"), "0x80041103"),
        (entity("<order attribute='password'/>"), "0x80041103"),
        (entity("<filter><condition attribute='name' operator='is-like' value='x'/></filter>"), "0x80040203"),
        (entity("<link-entity name='pr_login' from='x' to='mailboxid'/>"), "0x80041102"),
        ("<!DOCTYPE f [<!ENTITY a 'b'>]><fetch><entity name='mailbox'/></fetch>".to_owned(), "0x80040201"),
        ("<fetch paging-cookie='x'><entity name='mailbox'/></fetch>".to_owned(), "0x80060888"),
        ("<fetch><entity name='account'/></fetch>".to_owned(), "0x80060888"),
    ] {
        ask(&w, "mailboxes", "fetchXml", &query).await.expect(400).code(code);
    }
    let query = utf8_percent_encode("<fetch><entity name='mailbox'/></fetch>", NON_ALPHANUMERIC);
    w.get(&format!("/mailboxes?fetchXml={query}&$select=name")).await.expect(400).says("$select");
    w.get(&format!("/mailboxes?fetchXml={query}&savedQuery=x")).await.expect(400);
});

story!(what_may_not_be_read_does_not_show_through, |w| {
    let (_, ann) = w.user("ann@example.com").await;
    let (bob_id, _) = w.user("bob@example.com").await;
    // Every user may be read, nobody else's mailbox.
    let query = "<fetch><entity name='systemuser'><attribute name='domainname'/><order attribute='domainname'/>\
         <link-entity name='mailbox' from='regardingobjectid' to='systemuserid' alias='m' link-type='KIND'><attribute name='emailaddress'/></link-entity></entity></fetch>";
    let by_ann = |query: String| {
        let query = utf8_percent_encode(&query, NON_ALPHANUMERIC).to_string();
        w.get(&format!("/systemusers?fetchXml={query}")).by(&ann)
    };
    let inner = by_ann(query.replace("KIND", "inner")).await.expect(200).json();
    assert_eq!(column(&inner, "m.emailaddress"), ["ann@example.com"]);
    let outer = by_ann(query.replace("KIND", "outer")).await.expect(200).json();
    let shown = column(&outer, "m.emailaddress");
    assert!(shown.len() > 2 && !shown.contains(&"bob@example.com".to_owned()), "{shown:?}");
    // Nor does a condition tell of it.
    for kind in ["any", "exists"] {
        let query = format!(
            "<fetch><entity name='systemuser'><attribute name='domainname'/><filter><link-entity name='mailbox' from='regardingobjectid' to='systemuserid' link-type='{kind}'>\
             <filter><condition attribute='emailaddress' operator='like' value='bob%'/></filter></link-entity></filter></entity></fetch>"
        );
        assert!(column(&by_ann(query).await.expect(200).json(), "domainname").is_empty());
    }
    let count = "<fetch aggregate='true'><entity name='systemuser'><attribute name='systemuserid' alias='n' aggregate='count'/>\
         <link-entity name='mailbox' from='regardingobjectid' to='systemuserid'/></entity></fetch>";
    assert_eq!(column(&by_ann(count.into()).await.expect(200).json(), "n"), ["1"]);
    // A table that may not be read at all.
    let audits = "<fetch><entity name='systemuser'><link-entity name='emailserverprofile' from='ownerid' to='systemuserid'/></entity></fetch>";
    let answer = by_ann(audits.into()).await;
    assert!(answer.status == 403 || column(&answer.json(), "systemuserid").is_empty(), "{}", answer.text());
    // The same for $filter, $orderby and lambdas.
    let parties = w.create("emails", json!({ "subject": "secret", "email_activity_parties": [{ "partyid_systemuser@odata.bind": format!("/systemusers({bob_id})"), "participationtypemask": 2 }] })).await;
    w.create(
        "queueitems",
        json!({ "objectid_email@odata.bind": format!("/emails({parties})"), "queueid@odata.bind": queue(&w).await }),
    )
    .await;
    for url in [
        "/systemusers?$filter=mailbox_regarding_systemuser/any(m:startswith(m/emailaddress,'bob'))",
        "/systemusers?$filter=defaultmailbox/emailaddress eq 'bob@example.com'",
    ] {
        let answer = w.get(&url.replace(' ', "%20")).by(&ann).await;
        assert!(
            answer.status == 400 || answer.json()["value"].as_array().unwrap().is_empty(),
            "{url}: {}",
            answer.text()
        );
    }
});

async fn queue(w: &World) -> String {
    let id = w.create("queues", json!({ "name": "Q", "emailaddress": "q@example.com" })).await;
    format!("/queues({id})")
}

story!(views, |w| {
    let list = w.read("/savedqueries?$select=name,fetchxml,returnedtypecode&$orderby=name").await;
    let views = list["value"].as_array().unwrap();
    assert!(views.len() >= 12, "{views:?}");
    w.user("ann@example.com").await;
    for view in views {
        let table = model::tables::by_logical_name(view["returnedtypecode"].as_str().unwrap()).unwrap();
        let id = view["savedqueryid"].as_str().unwrap();
        w.get(&format!("/{}?savedQuery={id}", table.set)).await.expect(200);
        w.get(&format!("/activitymimeattachments?savedQuery={id}")).await.expect(400);
    }
    let mine = views.iter().find(|v| v["name"] == "My Active Mailboxes").unwrap()["savedqueryid"].as_str().unwrap();
    assert_eq!(w.read(&format!("/mailboxes?savedQuery={mine}")).await["value"].as_array().unwrap().len(), 1);
    w.get("/mailboxes?savedQuery=00000000-0000-0000-0000-00000000000a").await.expect(404);
    w.get("/mailboxes?savedQuery=x").await.expect(400);
    // One's own.
    let query =
        "<fetch count='1'><entity name='mailbox'><attribute name='name'/><order attribute='name'/></entity></fetch>";
    let body = json!({ "name": "All", "returnedtypecode": "mailbox", "fetchxml": query, "querytype": 0 });
    let id = w.create("userqueries", body).await;
    let page = w.read(&format!("/mailboxes?userQuery={id}")).await;
    let link = page["@odata.nextLink"].as_str().unwrap().to_owned();
    let next = w.read(&link["http://crm.example.com/api/data/v9.2".len()..]).await;
    assert_eq!(next["value"].as_array().unwrap().len(), 1);
    assert_ne!(next["value"][0]["mailboxid"], page["value"][0]["mailboxid"]);
    assert!(next.get("@odata.nextLink").is_none());
    // A query that could not be asked is not kept.
    w.patch(&format!("/userqueries({id})"), json!({ "fetchxml": "<fetch><entity name='account'/></fetch>" }))
        .await
        .expect(400)
        .says("rows of account");
    w.patch(
        &format!("/userqueries({id})"),
        json!({ "fetchxml": "<fetch><entity name='mailbox'><attribute name='x'/></entity></fetch>" }),
    )
    .await
    .expect(400)
    .code("0x80041103");
    w.post("/userqueries", json!({ "name": "x", "returnedtypecode": "nothing" })).await.expect(400).code("0x80041102");
    assert_eq!(w.read(&format!("/userqueries({id})")).await["fetchxml"], query);
});

story!(apply, |w| {
    people(&w).await;
    let rows = |apply: &'static str| {
        let w = &w;
        async move { ask(w, "contacts", "$apply", apply).await.expect(200).json() }
    };
    assert_eq!(column(&rows("aggregate($count as n)").await, "n"), ["3"]);
    let groups = rows("groupby((_parentcustomerid_value),aggregate($count as c))").await;
    let mut counts = column(&groups, "c");
    counts.sort();
    assert_eq!(counts, ["1", "2"]);
    assert_eq!(groups["value"][0]["_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"], "account");
    let one = rows("filter(lastname eq 'ann' or lastname eq 'cid')/groupby((statecode),aggregate(createdon with max as last,$count as c))").await;
    assert_eq!(column(&one, "c"), ["2"]);
    assert_eq!(column(&one, "last"), ["2026-03-01T09:00:00Z"]);
    let apply = utf8_percent_encode("groupby((lastname))", NON_ALPHANUMERIC);
    let page =
        w.get(&format!("/contacts?$apply={apply}&$orderby=lastname%20desc")).prefer("odata.maxpagesize=2").await.json();
    assert_eq!(column(&page, "lastname"), ["Cid", "Bob"]);
    let link = page["@odata.nextLink"].as_str().unwrap()["http://crm.example.com/api/data/v9.2".len()..].to_owned();
    let page = w.get(&link).prefer("odata.maxpagesize=2").await.json();
    assert_eq!(column(&page, "lastname"), ["Ann"]);
    assert!(page.get("@odata.nextLink").is_none());
    ask(&w, "contacts", "$apply", "groupby((nothing))").await.expect(400).code("0x80060888");
    ask(&w, "mailboxes", "$apply", "groupby((password))").await.expect(400);
});

story!(sql, |w| {
    people(&w).await;
    let rows = |sql: &'static str| {
        let w = &w;
        async move { ask(w, "accounts", "sql", sql).await.expect(200).json() }
    };
    assert_eq!(column(&rows("SELECT TOP 2 name FROM account ORDER BY name DESC").await, "name"), ["Gamma", "Beta"]);
    let joined = rows("SELECT a.name, c.lastname FROM account a LEFT JOIN contact c ON a.accountid = c.parentcustomerid WHERE c.lastname IS NULL OR c.lastname LIKE 'b%'").await;
    let mut names = column(&joined, "name");
    names.sort();
    assert_eq!(names, ["Alpha", "Gamma"]);
    let grouped = rows("SELECT a.name, COUNT(c.contactid) AS cnt FROM account a JOIN contact c ON a.accountid = c.parentcustomerid GROUP BY a.name ORDER BY cnt DESC").await;
    assert_eq!(column(&grouped, "name"), ["Alpha", "Beta"]);
    assert_eq!(column(&grouped, "cnt"), ["2", "1"]);
    assert_eq!(
        column(
            &rows(
                "SELECT name FROM account WHERE NOT name = 'alpha' ORDER BY name OFFSET 1 ROWS FETCH NEXT 1 ROWS ONLY"
            )
            .await,
            "name"
        ),
        ["Gamma"]
    );
    // Pages follow the link, as the Python client does.
    let query = utf8_percent_encode("SELECT name FROM account ORDER BY name", NON_ALPHANUMERIC);
    let mut url = format!("/accounts?sql={query}");
    let mut found = Vec::new();
    loop {
        let page = w.get(&url).prefer("odata.maxpagesize=1").await.expect(200).json();
        found.extend(column(&page, "name"));
        let Some(link) = page["@odata.nextLink"].as_str() else { break };
        url = link["http://crm.example.com/api/data/v9.2".len()..].to_owned();
    }
    assert_eq!(found, ["Alpha", "Beta", "Gamma"]);
    ask(&w, "accounts", "sql", "SELECT * FROM account").await.expect(400).says("name the columns");
    ask(&w, "accounts", "sql", "DELETE FROM account").await.expect(400);
    ask(&w, "accounts", "sql", "SELECT password FROM mailbox").await.expect(400).code("0x80041103");
    ask(&w, "accounts", "sql", "SELECT name FROM contact").await.expect(400);
});

story!(too_much_to_reckon_with, |w| {
    for _ in 0..40 {
        w.create("accounts", json!({ "name": "same" })).await;
    }
    let link = "<link-entity name='account' from='name' to='name'>";
    let query = format!(
        "<fetch aggregate='true'><entity name='account'><attribute name='accountid' alias='n' aggregate='count'/>{}{}</entity></fetch>",
        link.repeat(2),
        "</link-entity>".repeat(2)
    );
    // 64 000 rows.
    ask(&w, "accounts", "fetchXml", &query).await.expect(400).code("0x8004E023").says("50000");
});
