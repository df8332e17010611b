//! Emails: drafts, parties, attachments, sending.

use serde_json::{Value, json};

use crate::world::World;

struct Cast {
    ann: String,
    contact: String,
}

async fn cast(w: &World) -> Cast {
    let (ann, _) = w.user("ann@example.com").await;
    let contact =
        w.create("contacts", json!({ "lastname": "Customer", "emailaddress1": "customer@example.org" })).await;
    Cast { ann, contact }
}

fn draft(c: &Cast) -> Value {
    json!({
        "subject": "Hello", "description": "<p>x</p>", "directioncode": true,
        "regardingobjectid_contact_email@odata.bind": format!("/contacts({})", c.contact),
        "email_activity_parties": [
            { "partyid_systemuser@odata.bind": format!("/systemusers({})", c.ann), "participationtypemask": 1 },
            { "partyid_contact@odata.bind": format!("/contacts({})", c.contact), "participationtypemask": 2 },
            { "addressused": "new@example.test", "participationtypemask": 3 }
        ],
        "email_activity_mime_attachment": [{ "filename": "a.txt", "mimetype": "text/plain", "body": "aGk=" }]
    })
}

async fn draft_in(w: &World) -> (Cast, String) {
    let cast = cast(w).await;
    let id = w.create("emails", draft(&cast)).await;
    (cast, id)
}

story!(deep_insert, |w| {
    let (cast, id) = draft_in(&w).await;
    let row = w.read(&format!("/emails({id})?$expand=email_activity_parties,email_activity_mime_attachment")).await;
    assert_eq!(row["subject"], "Hello");
    assert_eq!(row["activitytypecode"], "email");
    assert_eq!((&row["statecode"], &row["statuscode"]), (&json!(0), &json!(1)));
    assert_eq!(row["sender"], "ann@example.com");
    assert_eq!(row["torecipients"], "customer@example.org");
    assert_eq!(row["_emailsender_value"], cast.ann.as_str());
    assert_eq!(row["_regardingobjectid_value"], cast.contact.as_str());
    assert_eq!(row["attachmentcount"], 1);
    let parties = row["email_activity_parties"].as_array().unwrap();
    let mut addresses: Vec<_> = parties
        .iter()
        .map(|p| (p["participationtypemask"].as_i64().unwrap(), p["addressused"].as_str().unwrap()))
        .collect();
    addresses.sort_unstable();
    assert_eq!(addresses, [(1, "ann@example.com"), (2, "customer@example.org"), (3, "new@example.test")]);
    assert_eq!(row["email_activity_mime_attachment"][0]["filename"], "a.txt");
    assert_eq!(row["email_activity_mime_attachment"][0]["filesize"], 2);
});

story!(parties_are_replaced_as_a_whole, |w| {
    let (cast, id) = draft_in(&w).await;
    let etag = w.read(&format!("/emails({id})")).await["@odata.etag"].clone();
    let body = json!({ "email_activity_parties": [
        { "addressused": "one@example.test", "participationtypemask": 2 },
        { "addressused": "two@example.test", "participationtypemask": 2 }
    ] });
    w.patch(&format!("/emails({id})"), body).await.expect(204);
    let row = w.read(&format!("/emails({id})?$expand=email_activity_parties")).await;
    assert_eq!(row["email_activity_parties"].as_array().unwrap().len(), 2);
    assert_eq!(row["torecipients"], "one@example.test;two@example.test");
    assert_eq!((&row["sender"], &row["_emailsender_value"]), (&Value::Null, &Value::Null));
    assert_ne!(row["@odata.etag"], etag, "the list is part of the email");
    let (cc, etag) =
        (json!({ "addressused": "c@example.test", "participationtypemask": 3 }), row["@odata.etag"].clone());
    let to = |n: u8| json!({ "addressused": format!("{n}@example.test"), "participationtypemask": 2 });
    let ann =
        json!({ "partyid_systemuser@odata.bind": format!("/systemusers({})", cast.ann), "participationtypemask": 1 });
    // A list that is refused leaves the one before.
    w.patch(&format!("/emails({id})"), json!({ "email_activity_parties": [ann, ann, to(1)] }))
        .await
        .expect(400)
        .code("0x80040B01");
    let row = w.read(&format!("/emails({id})?$expand=email_activity_parties")).await;
    assert_eq!(row["@odata.etag"], etag);
    assert_eq!(row["email_activity_parties"].as_array().unwrap().len(), 2);
    // Recipients stay as text while only a copy is added: the email is new all the same.
    let body = json!({ "email_activity_parties": [
        { "addressused": "one@example.test", "participationtypemask": 2 },
        { "addressused": "two@example.test", "participationtypemask": 2 }, cc
    ] });
    w.patch(&format!("/emails({id})"), body).await.expect(204);
    assert_ne!(w.read(&format!("/emails({id})")).await["@odata.etag"], etag);
    // Two at once: one list or the other.
    let path = format!("/emails({id})");
    let (one, two) = tokio::join!(
        w.patch(&path, json!({ "email_activity_parties": [ann, to(1)] })),
        w.patch(&path, json!({ "email_activity_parties": [ann, to(2), to(3)] })),
    );
    one.expect(204);
    two.expect(204);
    let row = w.read(&format!("/emails({id})?$expand=email_activity_parties")).await;
    let parties = row["email_activity_parties"].as_array().unwrap();
    assert_eq!(parties.iter().filter(|p| p["participationtypemask"] == 1).count(), 1);
    let shown = row["torecipients"].as_str().unwrap();
    assert!(matches!(shown, "1@example.test" | "2@example.test;3@example.test"), "{shown}");
    assert_eq!(parties.len() - 1, shown.split(';').count());
    assert_eq!(row["sender"], "ann@example.com");
    w.patch(&format!("/emails({id})"), json!({ "email_activity_parties": [] })).await.expect(204);
    let row = w.read(&format!("/emails({id})?$expand=email_activity_parties")).await;
    assert_eq!(row["email_activity_parties"], json!([]));
    assert_eq!(row["sender"], Value::Null);
});

story!(party_faults, |w| {
    let bad = |party: Value| json!({ "subject": "x", "email_activity_parties": [party] });
    w.post("/emails", bad(json!({ "addressused": "a@b.example" }))).await.expect(400).code("0x80040203");
    w.post("/emails", bad(json!({ "participationtypemask": 2 }))).await.expect(400).code("0x80040203");
    w.post("/emails", bad(json!({ "addressused": "no address", "participationtypemask": 2 })))
        .await
        .expect(400)
        .code("0x80044192");
    w.post("/emails", bad(json!({ "addressused": "a@b.example", "participationtypemask": 99 })))
        .await
        .expect(400)
        .code("0x8004431A");
    w.post("/emails", bad(json!({ "addressused": "a@b.example\r\nBcc: x@y.example", "participationtypemask": 2 })))
        .await
        .expect(400)
        .code("0x80044192");
    let nobody = "/contacts(00000000-0000-0000-0000-00000000000a)";
    w.post("/emails", bad(json!({ "partyid_contact@odata.bind": nobody, "participationtypemask": 2 })))
        .await
        .expect(404)
        .code("0x80040217");
    w.post("/emails", json!({ "subject": "x", "email_activity_parties": {} })).await.expect(400).code("0x80048D19");
    w.post("/emails", json!({ "subject": "x", "email_activity_parties": [1] })).await.expect(400).code("0x80048D19");
    let count = w.get("/emails/$count").await.expect(200).text();
    assert_eq!(count, "0");
});

story!(two_senders, |w| {
    let party = json!({ "addressused": "a@b.example", "participationtypemask": 1 });
    let body = json!({ "subject": "x", "email_activity_parties": [party, party] });
    w.post("/emails", body).await.expect(400).code("0x80040B01");
});

story!(send, |w| {
    let (cast, id) = draft_in(&w).await;
    let organization = w.read("/WhoAmI").await["OrganizationId"].as_str().unwrap().to_owned();
    w.patch(&format!("/organizations({organization})"), json!({ "allowunresolvedpartiesonemailsend": true }))
        .await
        .expect(204);
    let path = format!("/emails({id})/Microsoft.Dynamics.CRM.SendEmail");
    let body = w.post(&path, json!({ "IssueSend": true })).await.expect(200).json();
    let subject = body["Subject"].as_str().unwrap();
    assert!(subject.starts_with("Hello CRM:"), "{subject}");
    let row = w.read(&format!("/emails({id})")).await;
    assert_eq!((&row["statecode"], &row["statuscode"]), (&json!(1), &json!(6)));
    assert_eq!(row["subject"], subject);
    assert!(row["messageid"].as_str().unwrap().starts_with('<'));
    assert_eq!(row["_sendermailboxid_value"], w.mailbox_of(&cast.ann).await.as_str());
    // Twice is refused, and so is an edit.
    w.post(&path, json!({ "IssueSend": true })).await.expect(400).code("0x80040233");
    w.patch(&format!("/emails({id})"), json!({ "subject": "Other" })).await.expect(400).code("0x80040233");
    w.patch(&format!("/emails({id})"), json!({ "category": "Filed" })).await.expect(204);
});

story!(mark_as_sent, |w| {
    let (_, id) = draft_in(&w).await;
    let path = format!("/emails({id})/Microsoft.Dynamics.CRM.SendEmail");
    w.post(&path, json!({ "IssueSend": false, "TrackingToken": "" })).await.expect(200);
    let row = w.read(&format!("/emails({id})")).await;
    assert_eq!((&row["statecode"], &row["statuscode"]), (&json!(1), &json!(3)));
});

story!(send_faults, |w| {
    let (_, id) = draft_in(&w).await;
    let path = format!("/emails({id})/Microsoft.Dynamics.CRM.SendEmail");
    // The Cc has no record.
    w.post(&path, json!({ "IssueSend": true })).await.expect(400).code("0x80040B00");
    w.post(&path, json!({})).await.expect(400).code("0x80048D19");
    w.post(&path, json!({ "IssueSend": "yes" })).await.expect(400).code("0x80048D19");
    w.post(&path, json!({ "IssueSend": true, "Other": 1 })).await.expect(400).code("0x80048D19");
    w.post(&path, json!({ "IssueSend": true, "TrackingToken": "a\r\nBcc: x" })).await.expect(400).code("0x80048D19");
    w.get(&path).await.expect(405);
    w.post(
        "/emails(00000000-0000-0000-0000-00000000000a)/Microsoft.Dynamics.CRM.SendEmail",
        json!({ "IssueSend": true }),
    )
    .await
    .expect(404)
    .code("0x80040217");
});

story!(send_without_anybody, |w| {
    let id = w.create("emails", json!({ "subject": "x" })).await;
    let path = format!("/emails({id})/Microsoft.Dynamics.CRM.SendEmail");
    w.post(&path, json!({ "IssueSend": true })).await.expect(400).code("0x80040B02").also("0x80040B05");
});

story!(do_not_email, |w| {
    let (cast, id) = draft_in(&w).await;
    w.patch(&format!("/contacts({})", cast.contact), json!({ "donotemail": true })).await.expect(204);
    w.post(&format!("/emails({id})/Microsoft.Dynamics.CRM.SendEmail"), json!({ "IssueSend": true }))
        .await
        .expect(400)
        .also("0x80040B09");
});

story!(the_status_is_not_written, |w| {
    let (_, id) = draft_in(&w).await;
    let path = format!("/emails({id})");
    w.patch(&path, json!({ "statuscode": 6 })).await.expect(400).code("0x8004F00E");
    w.patch(&path, json!({ "statecode": 0, "statuscode": 3 })).await.expect(400).code("0x80048408");
    w.post("/emails", json!({ "subject": "x", "statuscode": 7 })).await.expect(400).code("0x8004F00E");
    w.patch(&path, json!({ "statecode": 2 })).await.expect(204);
    let row = w.read(&path).await;
    assert_eq!((&row["statecode"], &row["statuscode"]), (&json!(2), &json!(5)));
    w.patch(&path, json!({ "statuscode": 1 })).await.expect(204);
    assert_eq!(w.read(&path).await["statecode"], 0);
});

story!(attachments, |w| {
    let (_, id) = draft_in(&w).await;
    let new = |name: &str, body: &str| {
        json!({
            "objectid_activitypointer@odata.bind": format!("/activitypointers({id})"), "objecttypecode": "email",
            "filename": name, "mimetype": "application/pdf", "body": body
        })
    };
    let attachment = w.create("activitymimeattachments", new("b.pdf", "AAECAw==")).await;
    let row = w.read(&format!("/activitymimeattachments({attachment})")).await;
    assert_eq!(row["body"], "AAECAw==");
    assert_eq!(row["filesize"], 4);
    assert_eq!(row["_objectid_value"], id.as_str());
    assert_eq!(w.read(&format!("/emails({id})")).await["attachmentcount"], 2);
    let list = w.read("/activitymimeattachments?$select=filename,body&$orderby=filename").await;
    assert_eq!(list["value"][0]["body"], "aGk=");
    let list = w.read("/activitymimeattachments?$select=filename").await;
    assert!(list["value"][0].get("body").is_none());
    let raw = w.get(&format!("/activitymimeattachments({attachment})/body/$value")).await.expect(200);
    assert_eq!(raw.body.as_ref(), [0, 1, 2, 3]);
    assert_eq!(raw.header("content-disposition"), "attachment");
    w.post("/activitymimeattachments", new("x.exe", "AA==")).await.expect(400).code("0x80043E09");
    w.post("/activitymimeattachments", new("../x.txt", "AA==")).await.expect(400).code("0x80044A08");
    w.post("/activitymimeattachments", new("x.txt", "not base64!")).await.expect(400).code("0x80048D19");
    w.delete(&format!("/activitymimeattachments({attachment})")).await.expect(204);
    assert_eq!(w.read(&format!("/emails({id})")).await["attachmentcount"], 1);
});

story!(attachment_too_large, |w| {
    let organization = w.read("/WhoAmI").await["OrganizationId"].as_str().unwrap().to_owned();
    w.patch(&format!("/organizations({organization})"), json!({ "maxuploadfilesize": 3 })).await.expect(204);
    let body = json!({ "subject": "x", "email_activity_mime_attachment": [{ "filename": "a", "body": "AAECAw==" }] });
    w.post("/emails", body).await.expect(400).code("0x80044A02");
});

story!(attachment_without_an_email, |w| {
    w.post("/activitymimeattachments", json!({ "filename": "a.txt" })).await.expect(400).code("0x80040203");
    let body = json!({ "filename": "a.txt", "objectid_activitypointer@odata.bind": "/emails(00000000-0000-0000-0000-00000000000a)" });
    w.post("/activitymimeattachments", body).await.expect(404).code("0x80040217");
});

story!(delete_takes_everything_along, |w| {
    let (_, id) = draft_in(&w).await;
    w.delete(&format!("/emails({id})")).await.expect(204);
    assert_eq!(w.get("/activityparties/$count").await.expect(200).text(), "0");
    assert_eq!(w.get("/activitymimeattachments/$count").await.expect(200).text(), "0");
});

story!(parties_are_not_written_alone, |w| {
    w.post("/activityparties", json!({ "addressused": "a@b.example", "participationtypemask": 2 })).await.expect(405);
});

story!(a_deleted_contact_leaves_its_party, |w| {
    let (cast, id) = draft_in(&w).await;
    w.delete(&format!("/contacts({})", cast.contact)).await.expect(204);
    let row = w.read(&format!("/emails({id})?$expand=email_activity_parties")).await;
    assert_eq!(row["_regardingobjectid_value"], Value::Null);
    let to =
        row["email_activity_parties"].as_array().unwrap().iter().find(|p| p["participationtypemask"] == 2).unwrap();
    assert_eq!(to["addressused"], "customer@example.org");
    assert_eq!(to["_partyid_value"], Value::Null);
});

story!(no_raw_message_of_a_draft, |w| {
    let (_, id) = draft_in(&w).await;
    w.get(&format!("/emails({id})/pr_rawmessage/$value")).await.expect(204);
});

story!(queue_items, |w| {
    let (_, id) = draft_in(&w).await;
    let queue = w.create("queues", json!({ "name": "Support" })).await;
    let body = json!({ "queueid@odata.bind": format!("/queues({queue})"), "objectid_email@odata.bind": format!("/emails({id})") });
    let item = w.create("queueitems", body.clone()).await;
    assert_eq!(w.read(&format!("/queueitems({item})")).await["title"], "Hello");
    w.post("/queueitems", body).await.expect(400).code("0x80040523");
    w.post("/queueitems", json!({})).await.expect(400).says("queueid").says("objectid");
});

story!(the_raw_message_and_the_bytes_inside_it, |w| {
    use model::tables::{Attachment, Email};
    let raw = b"From: a@b.example\r\n\r\naGVs\r\nbG8=\r\n-- end\r\n";
    let (written, places) = w.store.blobs().put(raw).await.unwrap();
    let email = w
        .create("emails", json!({ "subject": "x", "email_activity_mime_attachment": [{ "filename": "a.txt" }] }))
        .await;
    let attachment =
        w.read("/activitymimeattachments").await["value"][0]["activitymimeattachmentid"].as_str().unwrap().to_owned();
    let blob = Some(written.id.0.to_vec());
    let changes = vec![
        model::Update::of::<Email>(email.parse().unwrap()).set(Email::C.blob, blob.clone()).into(),
        model::Update::of::<Attachment>(attachment.parse().unwrap())
            .set(Attachment::C.blob, blob)
            .set(Attachment::C.place, "21+12:base64".to_owned())
            .into(),
    ];
    let actor = model::Actor { user: model::Id::nil() };
    w.store.commit(&model::Commit::new(actor, model::Timestamp::UNIX_EPOCH, changes).with_blobs(places)).await.unwrap();
    let answer = w.get(&format!("/emails({email})/pr_rawmessage/$value")).await.expect(200);
    assert_eq!(answer.body.as_ref(), raw);
    assert_eq!(answer.header("content-type"), "message/rfc822");
    assert_eq!(answer.header("content-disposition"), "attachment");
    assert_eq!(w.read(&format!("/activitymimeattachments({attachment})")).await["body"], "aGVsbG8=");
    assert_eq!(w.get(&format!("/activitymimeattachments({attachment})/body/$value")).await.expect(200).text(), "hello");
});
