//! Views that people make: columns in their order, an order within another,
//! conditions; shared with others, and opened first.

use serde_json::json;

use crate::world::{Answer, World};

async fn view(w: &World, name: &str) -> String {
    let found = w.read(&format!("/savedqueries?$filter=name%20eq%20'{}'", name.replace(' ', "%20"))).await;
    found["value"][0]["savedqueryid"].as_str().unwrap_or_else(|| panic!("no view {name}")).to_owned()
}

async fn contacts(w: &World) {
    for (last, job, city) in [("Adler", "Buyer", "Bonn"), ("Baum", "Seller", "Bonn"), ("Clay", "Buyer", "Kiel")] {
        w.create("contacts", json!({ "lastname": last, "jobtitle": job, "address1_city": city })).await;
    }
}

/// The names in the list, in their order.
fn names(page: &Answer) -> Vec<String> {
    let text = page.text();
    let rows = text.split("<th scope=\"row\"").skip(1);
    rows.map(|row| {
        let cell = row.split("</th>").next().unwrap().split_once('>').unwrap().1;
        let plain = cell.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect::<String>();
        plain.trim().to_owned()
    })
    .collect()
}

/// What the form carries as columns, in their order.
fn columns(page: &Answer) -> Vec<String> {
    let text = page.text();
    let fields = text.split("name=\"columns\" value=\"").skip(1);
    fields.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

const BASE: &str = "/work/contacts";

story!(columns_get_their_order_by_buttons, |w| {
    let mut admin = w.administrator().await;
    let active = view(&w, "Active Contacts").await;
    let page = admin.open(&format!("{BASE}/design?view={active}&columns=fullname,jobtitle,ownerid")).await.expect(200);
    assert_eq!(columns(&page), ["fullname", "jobtitle", "ownerid"]);
    let stand = [("view", active.as_str()), ("columns", "fullname"), ("columns", "jobtitle"), ("columns", "ownerid")];
    let press = |word: &'static str| [stand.as_slice(), &[("do", word)]].concat();
    for (word, expected) in [
        ("down:0", ["jobtitle", "fullname", "ownerid"].as_slice()),
        ("up:2", &["fullname", "ownerid", "jobtitle"]),
        ("drop:1", &["fullname", "ownerid"]),
        ("up:0", &["fullname", "jobtitle", "ownerid"]),
        ("down:2", &["fullname", "jobtitle", "ownerid"]),
        ("nonsense:9", &["fullname", "jobtitle", "ownerid"]),
    ] {
        let page = admin.send(&format!("{BASE}/design"), &press(word)).await.expect(200);
        assert_eq!(columns(&page), expected, "{word}");
    }
    let add = [stand.as_slice(), &[("do", "add-column"), ("new-column", "address1_city")]].concat();
    let page = admin.send(&format!("{BASE}/design"), &add).await.expect(200);
    assert_eq!(columns(&page).last().map(String::as_str), Some("address1_city"));
    let go = admin.send(&format!("{BASE}/design"), &press("apply")).await.expect(303);
    // The form says nothing of an order and has no condition: the list has none.
    assert_eq!(go.header("location"), format!("{BASE}?view={active}&columns=fullname,jobtitle,ownerid&where="));
});

story!(a_view_with_order_and_filter_is_kept_and_edited, |w| {
    contacts(&w).await;
    let mut admin = w.administrator().await;
    let active = view(&w, "Active Contacts").await;
    let page = admin.open(&format!("{BASE}/design?view={active}")).await.expect(200);
    // The view's own condition stands there.
    page.sees("Status").says("<option value=\"in\" selected").says("name=\"column-0\" value=\"statecode\"");
    let stand = [("view", active.as_str()), ("columns", "fullname"), ("columns", "jobtitle")];
    let add = [stand.as_slice(), &[("do", "add-condition"), ("new-condition", "jobtitle")]].concat();
    let page = admin.send(&format!("{BASE}/design"), &add).await.expect(200);
    page.says("name=\"column-0\" value=\"jobtitle\"").sees("begins with").says("name=\"operator-0\"");
    let form = |operator: &'static str, value: &'static str| {
        let more = [
            ("sort-0", "address1_city"),
            ("down-0", "1"),
            ("sort-1", "fullname"),
            ("down-1", "1"),
            ("column-0", "statecode"),
            ("operator-0", "in"),
            ("value-0", "0"),
            ("column-1", "jobtitle"),
            ("operator-1", operator),
            ("value-1", value),
            ("any", "0"),
            ("do", "apply"),
        ];
        [stand.as_slice(), &more].concat()
    };
    // A condition without a value is none.
    let page = admin.send(&format!("{BASE}/design"), &form("contains", "")).await.expect(200);
    page.sees("The condition on “Job Title” has no value yet.");
    let page = admin.submit(&format!("{BASE}/design"), &form("null", "")).await;
    assert!(names(&page).is_empty());
    let page = admin.submit(&format!("{BASE}/design"), &form("ne", "Nobody")).await;
    assert_eq!(names(&page), ["Clay", "Baum", "Adler"], "the city counts first, both downwards");
    let go = admin.send(&format!("{BASE}/design"), &form("contains", "uye")).await.expect(303);
    let url = go.header("location").to_owned();
    let page = admin.open(&url).await.expect(200).sees("Filter: 2 conditions");
    assert_eq!(names(&page), ["Clay", "Adler"]);
    page.sees("(second in the order)");
    let page = admin
        .open(&format!("{BASE}?view={active}&columns=fullname,jobtitle&sort=-jobtitle,fullname"))
        .await
        .expect(200);
    assert_eq!(names(&page), ["Baum", "Adler", "Clay"]);
    assert_eq!(page.text().matches("aria-sort=").count(), 1, "{}", page.text());
    page.says("aria-sort=\"descending\"").says("data-within=\"/work/contacts?view=");
});

story!(a_view_with_conditions_is_edited_as_it_was_made, |w| {
    contacts(&w).await;
    let mut admin = w.administrator().await;
    let active = view(&w, "Active Contacts").await;
    // It is kept as a view of one's own.
    let fields = [
        ("view", active.as_str()),
        ("columns", "fullname,jobtitle"),
        ("sort", "-address1_city,-fullname"),
        ("where", "statecode:eq:0"),
        ("where", "jobtitle:like:%uye%"),
        ("name", "Buyers"),
        ("do", "save"),
    ];
    let page = admin.submit(&format!("{BASE}/views"), &fields).await.sees("Buyers");
    assert_eq!(names(&page), ["Clay", "Adler"]);
    let found = w.read("/userqueries?$select=name").await;
    let own = found["value"][0]["userqueryid"].as_str().unwrap().to_owned();
    assert_eq!(w.read(&format!("/contacts?userQuery={own}")).await["value"].as_array().unwrap().len(), 2);
    // And edited as it was made.
    let page = admin.open(&format!("{BASE}/design?view={own}")).await.expect(200);
    let page = page.says("value=\"uye\"").says("<option value=\"contains\" selected");
    page.says("<option value=\"address1_city\" selected").says("<option value=\"fullname\" selected");
    // All rows, with none of its conditions; and what nothing is compared with.
    let page = admin.open(&format!("{BASE}?view={own}&where=")).await.expect(200);
    assert_eq!(names(&page).len(), 3);
    admin.open(&format!("{BASE}?view={own}&where=nonsense:eq:1")).await.expect(400);
    admin.open(&format!("{BASE}?view={own}&where=statecode:like:%25x%25")).await.expect(400);
    // One of several is enough.
    let any = format!("{BASE}?view={own}&where=jobtitle:eq:Seller&where=address1_city:eq:Kiel&any=1");
    let page = admin.open(&any).await.expect(200);
    assert_eq!(names(&page), ["Clay", "Baum"]);
});

story!(a_list_opens_with_the_view_that_was_chosen, |w| {
    let mut admin = w.administrator().await;
    let inactive = view(&w, "Inactive Contacts").await;
    admin.open(BASE).await.expect(200).sees("Always open with “My Active Contacts”");
    admin.submit(&format!("{BASE}/views"), &[("view", &inactive), ("do", "open")]).await;
    let page = admin.open(BASE).await.expect(200).sees("“Inactive Contacts” has no rows.");
    page.sees_no("Always open with");
    // Others and other lists are as they were.
    admin.open("/work/leads").await.expect(200).sees("My Open Leads");
    let mut sally = w.salesperson().await;
    sally.open(BASE).await.expect(200).sees("“My Active Contacts” has no rows.");
});

story!(views_are_shared, |w| {
    contacts(&w).await;
    let mut admin = w.administrator().await;
    let mut sally = w.salesperson().await;
    let active = view(&w, "Active Contacts").await;
    let fields = [("view", active.as_str()), ("columns", "jobtitle"), ("name", "Jobs"), ("do", "save")];
    admin.submit(&format!("{BASE}/views"), &fields).await;
    let found = w.read("/userqueries?$select=name").await;
    let own = found["value"][0]["userqueryid"].as_str().unwrap().to_owned();
    sally.open(BASE).await.expect(200).sees_no("Jobs");
    let share = format!("{BASE}/share");
    let page = admin.open(&format!("{share}?view={own}")).await.expect(200);
    page.sees("Who uses “Jobs” besides you").sees("Nobody yet.");
    admin.part(&format!("{share}?view={own}&who=sally")).await.expect(200).sees("sally@example.com");
    let target = format!("systemuser:{}", sally.id);
    admin.send(&share, &[("view", &own), ("do", "give")]).await.expect(200).sees("Choose who may use the view.");
    let page = admin.submit(&share, &[("view", &own), ("do", "give"), ("target", &target)]).await;
    page.sees("Saved.").sees("Take back");
    // She uses it, and can neither change it nor hand it on.
    sally.open(&format!("{BASE}?view={own}")).await.expect(200).sees("Jobs").sees_no("Rename this view");
    sally.open(&format!("{share}?view={own}")).await.expect(404);
    sally.send(&share, &[("view", &own), ("do", "take"), ("target", &target)]).await.expect(404);
    let rename = [("view", own.as_str()), ("name", "Hers"), ("do", "rename")];
    sally.send(&format!("{BASE}/views"), &rename).await.expect(403);
    admin.submit(&share, &[("view", &own), ("do", "take"), ("target", &target)]).await.sees("Nobody yet.");
    sally.open(&format!("{BASE}?view={own}")).await.expect(404);
    // Everybody finds a copy.
    admin.submit(&share, &[("view", &own), ("do", "publish")]).await.sees("Created.").sees("Jobs");
    sally.open(BASE).await.expect(200).sees("Jobs");
    sally.send(&share, &[("view", &own), ("do", "publish")]).await.expect(404);
});

story!(the_form_speaks_german, |w| {
    let mut admin = w.administrator().await.reading("de");
    let active = view(&w, "Active Contacts").await;
    let page = admin.open(&format!("{BASE}/design?view={active}")).await.expect(200);
    page.sees("Spalten, Reihenfolge und Filter").sees("ist eines von").sees("Liste so zeigen");
});
