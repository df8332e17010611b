//! `$batch`, byte for byte: what clients send, and what they take apart.

use serde_json::{Value, json};

use crate::world::{Answer, World};

const NOBODY: &str = "00000000-0000-0000-0000-00000000000a";

/// Sends a batch whose lines end as they do here, in LF.
async fn send(w: &World, body: &str) -> Answer {
    w.ask(axum::http::Method::POST, "/$batch").raw("multipart/mixed; boundary=b", body).await
}

async fn send_on(w: &World, body: &str) -> Answer {
    let ask = w.ask(axum::http::Method::POST, "/$batch").raw("multipart/mixed;boundary=\"b\"", body);
    ask.prefer("odata.continue-on-error").await
}

const HTTP: &str = "Content-Type: application/http\nContent-Transfer-Encoding: binary\n";

fn part(request: &str) -> String {
    format!("--b\n{HTTP}\n{request}\n")
}

fn set(requests: &[(&str, &str)]) -> String {
    let mut out = "--b\nContent-Type: multipart/mixed; boundary=c\n\n".to_owned();
    for (id, request) in requests {
        out.push_str(&format!("--c\n{HTTP}Content-ID: {id}\n\n{request}\n"));
    }
    out.push_str("--c--\n\n");
    out
}

fn post(set: &str, body: &Value) -> String {
    format!("POST {set} HTTP/1.1\nContent-Type: application/json\n\n{body}")
}

/// The status and the JSON of every answer, in order.
fn answers(answer: &Answer) -> Vec<(u16, Value)> {
    let text = answer.text();
    let mut out = Vec::new();
    for piece in text.split("HTTP/1.1 ").skip(1) {
        let status = piece[..3].parse().unwrap();
        let body = piece.split_once("\r\n\r\n").map_or("", |(_, b)| b);
        let body = body.split("\r\n--").next().unwrap_or("").trim();
        out.push((status, serde_json::from_str(body).unwrap_or(Value::Null)));
    }
    out
}

fn statuses(answer: &Answer) -> Vec<u16> {
    answers(answer).into_iter().map(|(status, _)| status).collect()
}

async fn count(w: &World, set: &str) -> String {
    w.get(&format!("/{set}/$count")).await.expect(200).text()
}

story!(byte_for_byte, |w| {
    let body = json!({ "accountid": NOBODY, "name": "A" });
    let answer = send(
        &w,
        &format!(
            "{}{}--b--",
            set(&[("1", &post("accounts", &body))]),
            part(&format!("GET accounts({NOBODY})?$select=name HTTP/1.1\nAccept: application/json\n"))
        ),
    )
    .await
    .expect(200);
    let kind = answer.header("content-type").to_owned();
    let boundary = kind.strip_prefix("multipart/mixed; boundary=").unwrap().to_owned();
    assert!(boundary.starts_with("batchresponse_"), "{boundary}");
    let text = answer.text();
    assert!(!text.replace("\r\n", "").contains('\n'), "only CRLF");
    let (head, rest) = text.split_once("boundary=changesetresponse_").unwrap();
    assert_eq!(head, format!("--{boundary}\r\nContent-Type: multipart/mixed; "));
    let (inner, rest) = rest.split_once("\r\n").unwrap();
    let rest = rest.replace(inner, "I");
    let rest: Vec<&str> =
        rest.split("\r\n").filter(|l| !l.starts_with("x-ms-service") && !l.starts_with("REQ_ID")).collect();
    let url = format!("http://crm.example.com/api/data/v9.2/accounts({NOBODY})");
    let delimiter = format!("--{boundary}");
    let (location, entity) = (format!("Location: {url}"), format!("OData-EntityId: {url}"));
    let mut first = rest[..14].to_vec();
    first[7..10].sort_unstable();
    assert_eq!(
        first,
        [
            "",
            "--changesetresponse_I",
            "Content-Type: application/http",
            "Content-Transfer-Encoding: binary",
            "Content-ID: 1",
            "",
            "HTTP/1.1 204 No Content",
            &location,
            &entity,
            "OData-Version: 4.0",
            "",
            "",
            "--changesetresponse_I--",
            &delimiter,
        ]
    );
    assert_eq!(rest[rest.len() - 2..], [&format!("{delimiter}--"), ""]);
    assert!(rest.contains(&"HTTP/1.1 200 OK"));
    assert!(rest.contains(&"Content-Type: application/json; odata.metadata=minimal; odata.streaming=true"));
    assert_eq!(answers(&answer)[1].1["name"], "A");
});

story!(references_within_a_change_set, |w| {
    let contact = json!({ "lastname": "C", "parentcustomerid_account@odata.bind": "$acc-1" });
    let email = json!({ "subject": "S", "regardingobjectid_contact_email@odata.bind": "$2",
        "email_activity_parties": [{ "partyid_contact@odata.bind": "$2", "participationtypemask": 2, "addressused": "a@b.example" }] });
    let answer = send(&w, &format!("{}--b--", set(&[
        ("acc-1", &post("accounts", &json!({ "name": "A" }))),
        ("2", &post("contacts", &contact)),
        ("3", "PATCH $acc-1 HTTP/1.1\nContent-Type: application/json\n\n{\"telephone1\":\"5\"}"),
        ("4", &post("/api/data/v9.2/emails", &email)),
        ("5", "PUT http://crm.example.com/api/data/v9.2/$acc-1/primarycontactid/$ref HTTP/1.1\nContent-Type: application/json\n\n{\"@odata.id\":\"$2\"}"),
    ]))).await;
    let _ = &answer;
    let statuses = statuses(&answer);
    assert_eq!(statuses[..4.min(statuses.len())], [204, 204, 204, 204][..4.min(statuses.len())], "{}", answer.text());
    answer.expect(200);
    let account = &w.read("/accounts").await["value"][0];
    let contact = &w.read("/contacts").await["value"][0];
    assert_eq!(account["telephone1"], "5");
    assert_eq!(contact["_parentcustomerid_value"], account["accountid"]);
    let email = &w.read("/emails?$expand=email_activity_parties").await["value"][0];
    assert_eq!(email["_regardingobjectid_value"], contact["contactid"]);
    assert_eq!(email["email_activity_parties"][0]["_partyid_value"], contact["contactid"]);
});

story!(a_change_set_that_fails_leaves_nothing, |w| {
    let answer = send(
        &w,
        &format!(
            "{}{}--b--",
            set(&[
                ("1", &post("accounts", &json!({ "name": "A" }))),
                ("2", &post("accounts", &json!({ "name": "B", "nothing": 1 }))),
                ("3", &post("accounts", &json!({ "name": "C" }))),
            ]),
            part("GET accounts/$count HTTP/1.1")
        ),
    )
    .await
    .expect(400);
    let all = answers(&answer);
    assert_eq!(all.len(), 1, "{}", answer.text());
    assert_eq!((all[0].0, &all[0].1["error"]["code"]), (400, &json!("0x80048D19")));
    assert!(answer.text().contains("Content-ID: 2\r\n"), "{}", answer.text());
    assert_eq!(count(&w, "accounts").await, "0");
    assert_eq!(w.read("/pr_ledgerentries").await["value"], json!([]));
});

story!(stops_at_the_first_error_or_goes_on, |w| {
    let body = format!(
        "{}{}{}--b--",
        part("GET accounts/$count HTTP/1.1"),
        part(&format!("GET accounts({NOBODY}) HTTP/1.1")),
        part(&post("accounts", &json!({ "name": "A" })))
    );
    let answer = send(&w, &body).await.expect(404);
    assert_eq!(statuses(&answer), [200, 404]);
    assert_eq!(count(&w, "accounts").await, "0");
    let answer = send_on(&w, &body).await.expect(200);
    assert_eq!(statuses(&answer), [200, 404, 204]);
    assert!(answer.header("preference-applied").contains("odata.continue-on-error"));
    assert_eq!(count(&w, "accounts").await, "1");
});

story!(a_change_set_reads_its_own_writes_and_fails_late, |w| {
    let id = w.create("accounts", json!({ "name": "old" })).await;
    let path = format!("accounts({id})");
    let answer = send_on(
        &w,
        &format!(
            "{}{}--b--",
            set(&[
                (
                    "1",
                    &format!(
                        "PATCH {path} HTTP/1.1\nIf-Match: *\nContent-Type: application/json\n\n{{\"name\":\"new\"}}"
                    )
                ),
                ("2", &format!("DELETE {path} HTTP/1.1")),
                (
                    "3",
                    &format!(
                        "PATCH {path} HTTP/1.1\nIf-Match: *\nContent-Type: application/json\n\n{{\"name\":\"gone\"}}"
                    )
                ),
            ]),
            part(&format!("GET {path} HTTP/1.1"))
        ),
    )
    .await
    .expect(200);
    assert_eq!(statuses(&answer), [404, 200]);
    assert_eq!(answers(&answer)[1].1["name"], "old");
});

story!(sending_an_email_in_a_change_set, |w| {
    let (sender, _) = w.user("ann@example.com").await;
    let body = json!({ "subject": "S", "description": "x", "email_activity_parties": [
        { "partyid_systemuser@odata.bind": format!("/systemusers({sender})"), "participationtypemask": 1 },
        { "addressused": "bob@example.com", "participationtypemask": 2 } ] });
    let action =
        "POST $1/Microsoft.Dynamics.CRM.SendEmail HTTP/1.1\nContent-Type: application/json\n\n{\"IssueSend\":false}";
    let attachment = json!({ "objectid_activitypointer@odata.bind": "$1", "objecttypecode": "email", "filename": "a.txt", "body": "aGk=" });
    let requests =
        [("1", post("emails", &body)), ("2", post("activitymimeattachments", &attachment)), ("3", action.to_owned())];
    let requests: Vec<(&str, &str)> = requests.iter().map(|(id, r)| (*id, r.as_str())).collect();
    let answer = send(&w, &format!("{}--b--", set(&requests))).await;
    assert_eq!(statuses(&answer), [204, 204, 200], "{}", answer.text());
    let email = &w.read("/emails?$expand=email_activity_mime_attachment").await["value"][0];
    assert_eq!((email["statuscode"].as_i64(), email["attachmentcount"].as_i64()), (Some(3), Some(1)));
    let attachment = email["email_activity_mime_attachment"][0]["activitymimeattachmentid"].as_str().unwrap();
    let bytes = w.get(&format!("/activitymimeattachments({attachment})/body/$value")).await.expect(200);
    assert_eq!(bytes.text(), "hi");
});

story!(a_change_set_is_told_of_when_it_has_succeeded, |w| {
    use crate::webhooks::{events, hook, step};
    let endpoint = w.create("serviceendpoints", hook("h")).await;
    for name in ["Create", "Update"] {
        let body = step(&w, &endpoint, name, "contact", json!({})).await;
        w.create("sdkmessageprocessingsteps", body).await;
    }
    let made = post("contacts", &json!({ "lastname": "One" }));
    let refused = post("contacts", &json!({ "lastname": "Two", "emailaddress1": "no address" }));
    let answer = send(&w, &format!("{}--b--", set(&[("1", &made), ("2", &refused)]))).await;
    assert_eq!(statuses(&answer), [400], "{}", answer.text());
    assert!(events(&w).await.is_empty(), "what was rolled back was told");
    let change = "PATCH $1 HTTP/1.1\nContent-Type: application/json\n\n{\"lastname\":\"Renamed\"}";
    let answer = send(&w, &format!("{}--b--", set(&[("1", &made), ("2", change)]))).await;
    assert_eq!(statuses(&answer), [204, 204], "{}", answer.text());
    let told: Vec<_> = events(&w).await.iter().map(|e| e["pr_message"].as_str().unwrap().to_owned()).collect();
    assert_eq!(told, ["Create", "Update"]);
});

story!(urls_in_all_forms, |w| {
    for url in [
        "accounts",
        "/accounts",
        "/api/data/v9.1/accounts",
        "https://other.example/api/data/v9.2/accounts",
        "WhoAmI",
        "",
        "accounts?$filter=name eq 'a b'",
        "accounts/$count",
    ] {
        let answer = send(&w, &format!("\n{}--b--", part(&format!("GET {url} HTTP/1.1")))).await;
        if url.is_empty() {
            answer.expect(400);
        } else {
            answer.expect(200);
        }
    }
    let long = format!("accounts?$filter=name eq '{}'", "x".repeat(40_000 - 100));
    let answer = send(&w, &format!("{}--b--", part(&format!("GET {long} HTTP/1.1")))).await;
    assert_ne!(statuses(&answer), [414]);
    let long = format!("accounts?$filter=name eq '{}'", "x".repeat(66_000));
    assert_eq!(statuses(&send_on(&w, &format!("{}--b--", part(&format!("GET {long} HTTP/1.1")))).await), [414]);
});

story!(crlf_too, |w| {
    let body = format!(
        "{}{}--b--\n",
        set(&[("1", &post("accounts", &json!({ "name": "A" })))]),
        part("GET accounts/$count HTTP/1.1")
    );
    let answer = send(&w, &body.replace('\n', "\r\n")).await.expect(200);
    assert_eq!(statuses(&answer), [204, 200]);
    assert_eq!(answers(&answer)[1].1, json!(1));
});

story!(what_is_no_batch_does_nothing, |w| {
    let create = post("accounts", &json!({ "name": "A" }));
    let nested = format!("{}{}--b--", part(&create), set(&[("1", "GET accounts HTTP/1.1")]));
    send(&w, &nested).await.expect(400).code("0x80048D19").says("GET");
    send(&w, &part(&create)).await.expect(400).says("last delimiter");
    send(&w, "").await.expect(400);
    w.post("/$batch", json!({})).await.expect(400).says("multipart/mixed");
    w.get("/$batch").await.expect(405);
    send(&w, &format!("{}--b--", part(&create).repeat(1001))).await.expect(400).says("1000");
    assert_eq!(count(&w, "accounts").await, "0");
    let inner = send_on(
        &w,
        &format!("{}--b--", part("POST $batch HTTP/1.1\nContent-Type: multipart/mixed; boundary=x\n\n--x--")),
    )
    .await;
    assert_eq!(statuses(&inner), [400]);
    send(&w, "--b--").await.expect(200);
    let unknown = send(&w, &format!("{}--b--", set(&[("1", "PATCH $7 HTTP/1.1\n\n{}")]))).await.expect(400);
    assert!(unknown.text().contains("does not exist in the batch context"), "{}", unknown.text());
});

story!(nobody_gets_in_by_a_batch, |w| {
    let (_, token) = w.user("ann@example.com").await;
    let body = format!("{}--b--", part("GET organizations HTTP/1.1\nAuthorization: Bearer x"));
    w.ask(axum::http::Method::POST, "/$batch")
        .raw("multipart/mixed; boundary=b", body.clone())
        .without("authorization")
        .await
        .expect(401);
    let profile = post("emailserverprofiles", &json!({ "name": "P" }));
    let answer = w
        .ask(axum::http::Method::POST, "/$batch")
        .by(&token)
        .raw("multipart/mixed; boundary=b", format!("{}--b--", set(&[("1", &profile)])))
        .await;
    answer.expect(403);
    assert_eq!(count(&w, "emailserverprofiles").await, "0");
});

story!(change_sets_at_the_same_time, |w| {
    let id = w.create("accounts", json!({ "name": "0" })).await;
    let bodies: Vec<String> = (0..6)
        .map(|n| {
            let patch =
                format!("PATCH accounts({id}) HTTP/1.1\nContent-Type: application/json\n\n{{\"name\":\"{n}\"}}");
            format!("{}--b--", set(&[("1", &patch), ("2", &post("contacts", &json!({ "lastname": format!("{n}") })))]))
        })
        .collect();
    let mut all = Vec::new();
    for body in &bodies {
        all.push(send(&w, body));
    }
    let all = futures::future::join_all(all).await;
    for answer in all {
        let status = answer.status;
        assert_eq!(statuses(&answer), [204, 204], "{status} {}", answer.text());
    }
    assert_eq!(count(&w, "contacts").await, "6");
});

story!(a_thousand_requests, |w| {
    let create = post("accounts", &json!({ "name": "A" }));
    let requests: Vec<String> = (0..1000).map(|n| n.to_string()).collect();
    let requests: Vec<(&str, &str)> = requests.iter().map(|id| (id.as_str(), create.as_str())).collect();
    let begun = tokio::time::Instant::now();
    let answer = send(&w, &format!("{}--b--", set(&requests))).await.expect(200);
    println!("1000 creates in a change set: {:?}", begun.elapsed());
    assert_eq!(statuses(&answer).len(), 1000);
    assert_eq!(count(&w, "accounts").await, "1000");
});
